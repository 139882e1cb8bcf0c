/* Asks once and prints the answer: call [ADDRESS [TEXT]] */
#include <dgram/dgram.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *text = argc > 2 ? argv[2] : "hi";
	char reply[1500];
	struct dgram_addr to;
	struct dgram_call call = {
	        .to = &to,
	        .to_count = 1,
	        .data = text,
	        .len = strlen(text),
	        .reply = reply,
	        .size = sizeof reply,
	};
	int n = dgram_addr_parse(&to, argc > 1 ? argv[1] : "127.0.0.1:24726");

	if (n == 0)
		n = dgram_call(&call);
	if (n < 0)
		return fprintf(stderr, "%s\n", dgram_strerror(n)), 1;
	return fwrite(reply, 1, (size_t)n, stdout) != (size_t)n || call.status != 0;
}
