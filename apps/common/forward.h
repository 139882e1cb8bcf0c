/* forward.h - datagrams between the clients and the target, through one engine for each direction.
 */
#ifndef COMMON_FORWARD_H
#define COMMON_FORWARD_H

#include "clients.h"
#include "kinds.h"
#include <dgram/relay.h>
#include <dgram/resolve.h>

enum direction {
	OUT,  /* towards the target */
	BACK, /* towards the client */
	DIRECTIONS,
};

struct direction_counts {
	uint64_t sent;     /* datagrams and copies that the kernel took */
	uint64_t unsent;   /* datagrams and copies that the kernel did not take */
	uint64_t homeless; /* whose client had lost its place in the table meanwhile */
	uint64_t refused;  /* ICMP: refused or unreachable, said about what was sent this way */
	uint64_t kernel_dropped; /* lost before we saw them, because a receive buffer was full */
};

struct forward {
	/* Set before forward_run. */
	struct dgram_relay *engine[DIRECTIONS];
	struct dgram_socket listener;
	struct dgram_addr target[DGRAM_RESOLVE_MAX];
	size_t target_count;
	size_t clients_max;
	bool verbose; /* a line for each datagram */
	bool by_kind; /* counts them by what they are */

	struct clients clients;
	struct direction_counts counts[DIRECTIONS];
	struct kinds kinds[DIRECTIONS];
	uint64_t unconnected; /* arrived from a client for which there was no socket */
	size_t target_first;  /* the address that answered last: where new clients begin */
	bool refusing;        /* the target has refused since it last answered */
};

/* Forwards until SIGINT or SIGTERM (signals_catch). 0 or an exit code after a sentence. */
int forward_run(struct forward *f);

#endif
