/* Asks the program at an address and prints its answer: ask 127.0.0.1:7400 "what time is it?" */
#include <dgram/dgram.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *where = argc > 1 ? argv[1] : "127.0.0.1:7400";
	const char *what = argc > 2 ? argv[2] : "hi";
	struct dgram_addr to;
	struct dgram_socket s;
	char answer[1500];
	struct dgram_question q = {
	        .data = what, .len = strlen(what), .answer = answer, .size = sizeof answer};
	int n = dgram_addr_parse(&to, where);

	if (n == 0)
		n = dgram_socket_connect(&s, &to, NULL);
	if (n == 0) {
		n = dgram_ask(&s, &q, NULL, NULL);
		dgram_socket_close(&s);
	}
	if (n < 0)
		return fprintf(stderr, "%s: %s\n", where, dgram_strerror(n)), 1;
	return fwrite(answer, 1, (size_t)n, stdout) != (size_t)n;
}
