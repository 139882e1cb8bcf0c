/* Answers each request with its own bytes, in several threads on one port: loop_threads [ADDRESS [THREADS]]
 *
 * Each has a socket, an endpoint and a loop of its own and shares nothing. The kernel gives all datagrams of one
 * peer to the same socket. */
#include <dgram/dgram.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64

struct worker {
	struct dgram_socket socket;
	struct dgram_loop *loop;
	pthread_t thread;
};

static void *work(void *argument)
{
	struct dgram_loop *loop = ((struct worker *)argument)->loop;
	struct dgram_event event;

	while (dgram_loop_wait(loop, &event, DGRAM_NEVER) >= 0)
		if (event.type == DGRAM_EVENT_REQUEST)
			dgram_endpoint_reply(dgram_loop_endpoint(loop), event.id, 0, event.data,
			                     event.len, dgram_clock());
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	const struct dgram_socket_options shared = {.reuse_port = true};
	struct dgram_endpoint_config config = {.worker = 0};
	int count = argc > 2 ? atoi(argv[2]) : 4;
	struct dgram_addr here;
	uint8_t seed[32];

	if (dgram_addr_parse(&here, argc > 1 ? argv[1] : "127.0.0.1:24726") < 0 ||
	    count > THREADS_MAX || dgram_random_seed(seed) < 0)
		return 1;
	memcpy(&config.boot, seed, sizeof config.boot); /* one process */
	for (int i = 0; i < count; i++) {
		struct worker *w = &workers[i];

		config.worker = (uint8_t)i;
		if (dgram_socket_bind(&w->socket, &here, &shared) < 0 ||
		    dgram_socket_getsockname(&w->socket, &here) < 0 ||
		    !(w->loop = dgram_loop_new(&w->socket, &config)) ||
		    pthread_create(&w->thread, NULL, work, w) != 0)
			return fprintf(stderr, "worker %d cannot start\n", i), 1;
	}
	for (int i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	return 1;
}
