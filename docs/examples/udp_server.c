/* Answers one datagram: udp_server [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct dgram_addr local, from;
	struct dgram_socket s;
	char text[1500], where[DGRAM_ADDR_TEXT_MAX];
	int n = dgram_addr_parse(&local, argc > 1 ? argv[1] : "127.0.0.1:8087");

	if (n == 0)
		n = dgram_socket_bind(&s, &local, NULL);
	if (n == 0)
		n = dgram_socket_getsockname(&s, &local);
	if (n < 0)
		return fprintf(stderr, "bind: %s\n", dgram_strerror(n)), 1;
	printf("on %s\n", dgram_addr_format(&local, where, sizeof where));
	fflush(stdout);

	n = dgram_socket_recvfrom(&s, text, sizeof text, &from);
	if (n >= 0) {
		printf("%s：%.*s\n", dgram_addr_format(&from, where, sizeof where), n, text);
		n = dgram_socket_sendto(&s, text, (size_t)n, &from);
	}
	dgram_socket_close(&s);
	return n < 0;
}
