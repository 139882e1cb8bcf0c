/* Sends one datagram and waits two seconds for the answer: udp_client [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct dgram_addr to, from;
	struct dgram_socket s;
	char text[1500];
	int n = dgram_addr_parse(&to, argc > 1 ? argv[1] : "127.0.0.1:8087");

	if (n == 0)
		n = dgram_socket_open(&s, to.family, NULL);
	if (n < 0)
		return fprintf(stderr, "%s\n", dgram_strerror(n)), 1;

	dgram_socket_settimeout(&s, 2 * DGRAM_S);
	n = dgram_socket_sendto(&s, "你好", sizeof "你好" - 1, &to);
	if (n == 0)
		n = dgram_socket_recvfrom(&s, text, sizeof text, &from);
	if (n >= 0)
		printf("%.*s\n", n, text);
	else
		fprintf(stderr, "%s\n", dgram_strerror(n));
	dgram_socket_close(&s);
	return n < 0;
}
