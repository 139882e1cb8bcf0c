/* One exchange over TCP, the side that calls: tcp_client [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct dgram_addr server;
	struct dgram_stream s;
	char text[1024];
	int n = dgram_addr_parse(&server, argc > 1 ? argv[1] : "127.0.0.1:8088");

	if (n == 0)
		n = dgram_stream_connect(&s, &server, NULL);
	if (n < 0)
		return fprintf(stderr, "connect: %s\n", dgram_strerror(n)), 1;

	n = dgram_stream_send(&s, "你好，服务器", sizeof "你好，服务器" - 1);
	if (n > 0)
		n = dgram_stream_recv(&s, text, sizeof text);
	if (n > 0)
		printf("服务器：%.*s\n", n, text);
	dgram_stream_close(&s);
	return n < 0;
}
