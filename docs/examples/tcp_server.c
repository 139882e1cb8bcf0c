/* One exchange over TCP, the side that waits: tcp_server [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct dgram_addr local;
	struct dgram_stream server, client;
	char text[1024];
	int n = dgram_addr_parse(&local, argc > 1 ? argv[1] : "127.0.0.1:8088");

	if (n == 0)
		n = dgram_stream_listen(&server, &local, NULL);
	if (n < 0)
		return fprintf(stderr, "listen: %s\n", dgram_strerror(n)), 1;
	puts("等待连接……");
	fflush(stdout);

	n = dgram_stream_accept(&server, &client, NULL);
	if (n == 0) {
		n = dgram_stream_recv(&client, text, sizeof text);
		if (n > 0)
			printf("客户端：%.*s\n", n, text);
		n = dgram_stream_sendall(&client, "你好，客户端", sizeof "你好，客户端" - 1);
		dgram_stream_close(&client);
	}
	dgram_stream_close(&server);
	return n < 0;
}
