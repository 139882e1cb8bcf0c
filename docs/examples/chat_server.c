/* A talk in turns, the side that waits: chat_server [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>
#include <string.h>

/* Until one of both has no more to say. */
static int talk(struct dgram_stream *peer)
{
	char text[1024];
	int n;

	while ((n = dgram_stream_recv(peer, text, sizeof text)) > 0) {
		printf("对方：%.*s\n", n, text);
		fflush(stdout);
		if (fgets(text, sizeof text, stdin) == NULL)
			return 0;
		n = dgram_stream_sendall(peer, text, strcspn(text, "\n"));
		if (n < 0)
			break;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct dgram_addr local;
	struct dgram_stream server, peer;
	int n = dgram_addr_parse(&local, argc > 1 ? argv[1] : "127.0.0.1:8089");

	if (n == 0)
		n = dgram_stream_listen(&server, &local, NULL);
	if (n < 0)
		return fprintf(stderr, "listen: %s\n", dgram_strerror(n)), 1;
	puts("等待连接……");
	fflush(stdout);

	n = dgram_stream_accept(&server, &peer, NULL);
	if (n == 0) {
		n = talk(&peer);
		dgram_stream_close(&peer);
	}
	dgram_stream_close(&server);
	return n < 0;
}
