/* Is somebody listening there? probe [ADDRESS] */
#include <dgram/dgram.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *where = argc > 1 ? argv[1] : "127.0.0.1:8088";
	struct dgram_stream_options within_a_second = {.timeout = DGRAM_S};
	struct dgram_addr to, here, there;
	struct dgram_stream s;
	char a[DGRAM_ADDR_TEXT_MAX], b[DGRAM_ADDR_TEXT_MAX];

	if (dgram_addr_parse(&to, where) < 0)
		return fprintf(stderr, "%s is no address\n", where), 2;
	int error = dgram_stream_connect_ex(&s, &to, &within_a_second);
	if (error != 0)
		return printf("%s: %s\n", where, strerror(error)), 1;
	dgram_stream_settimeout(&s, DGRAM_NEVER);
	if (dgram_stream_getsockname(&s, &here) == 0 && dgram_stream_getpeername(&s, &there) == 0)
		printf("connected: %s -> %s\n", dgram_addr_format(&here, a, sizeof a),
		       dgram_addr_format(&there, b, sizeof b));
	dgram_stream_close(&s);
	return 0;
}
