/* Answers each request with its own bytes: respond [ADDRESS] */
#include <dgram/dgram.h>

int main(int argc, char **argv)
{
	struct dgram_addr here;
	struct dgram_socket socket;
	struct dgram_event event;

	if (dgram_addr_parse(&here, argc > 1 ? argv[1] : "127.0.0.1:24726") < 0 ||
	    dgram_socket_bind(&socket, &here, NULL) < 0)
		return 1;
	struct dgram_loop *loop = dgram_loop_new(&socket, NULL);
	while (loop && dgram_loop_wait(loop, &event, DGRAM_NEVER) >= 0)
		if (event.type == DGRAM_EVENT_REQUEST)
			dgram_endpoint_reply(dgram_loop_endpoint(loop), event.id, 0, event.data,
			                     event.len, dgram_clock());
	return 1;
}
