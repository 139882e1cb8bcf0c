/* A talk in turns, the side that calls and speaks first: chat_client [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct dgram_addr server;
	struct dgram_stream s;
	char text[1024];
	int n = dgram_addr_parse(&server, argc > 1 ? argv[1] : "127.0.0.1:8089");

	if (n == 0)
		n = dgram_stream_connect(&s, &server, NULL);
	if (n < 0)
		return fprintf(stderr, "connect: %s\n", dgram_strerror(n)), 1;

	while (fgets(text, sizeof text, stdin) != NULL) {
		n = dgram_stream_sendall(&s, text, strcspn(text, "\n"));
		if (n == 0)
			n = dgram_stream_recv(&s, text, sizeof text);
		if (n <= 0)
			break;
		printf("对方：%.*s\n", n, text);
		fflush(stdout);
	}
	dgram_stream_close(&s);
	return n < 0;
}
