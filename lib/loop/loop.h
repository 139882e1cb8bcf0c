/* loop.h - a loop from inside, and the steps of its turn.
 *
 * A turn is: a batch from the socket; each datagram of it to the endpoint, and the events that it made to the
 * program, before the next one; then all that is to be sent; sleep. The program gets one event a call, so
 * where the turn stands is kept here.
 *
 * Datagrams travel through the kernel in bundles where they can: what goes to one peer in one size is given
 * to it as one piece with a segment (UDP_SEGMENT), and comes out likewise (UDP_GRO).
 */
#ifndef DG_LOOP_LOOP_H
#define DG_LOOP_LOOP_H

#include "loop/fork.h"

#include <dgram/loop.h>

#define DG_LOOP_DATAGRAM 1472    /* bytes: of a configuration that does not say */
#define DG_LOOP_IN       32      /* entries of a batch that is received, each with room for a bundle */
#define DG_LOOP_BUNDLE   65536   /* bytes: the longest, rounded up */
#define DG_LOOP_UNSENT   DGRAM_MS /* ns that what is ready to be sent waits for the program to take its events */

/* What carries the datagrams: a socket (turn.c), or connections (connections.c). */
struct dg_carrier {
	/* Waits for news, at most so many ns, and takes them: 0 or DGRAM_ERR_SYSTEM. *woken: a signal handler ran. */
	int (*wait)(struct dgram_loop *loop, uint64_t ns, bool *woken);
	/* Gives the endpoint the next datagram that came; false: there was none. */
	bool (*give)(struct dgram_loop *loop);
	/* Sends all that is due, and tells the endpoint what the system says to that. */
	void (*send)(struct dgram_loop *loop);
	bool (*has_more)(const struct dgram_loop *loop);     /* that can be given without waiting */
	uint64_t (*due)(const struct dgram_loop *loop);      /* ns: when it wants its turn; DGRAM_NEVER */
	int (*fd)(const struct dgram_loop *loop);
	void (*free)(struct dgram_loop *loop);
};

/* What passed, until the program takes it: taken to used of memory. */
struct dg_tap {
	uint8_t *memory; /* the program's; NULL: it does not want to know */
	size_t size, used, taken;
	uint64_t left_out; /* since the last one, for want of room */
};

struct dgram_loop {
	const struct dg_carrier *carrier;
	struct dgram_endpoint *endpoint;
	struct dg_connections *connections; /* NULL: a socket carries */
	struct dgram_socket *socket;        /* NULL: connections do */
	struct dg_fork fork;
	struct dgram_addr own;   /* the socket's; its port is 0 until the kernel has picked one */
	uint64_t socket_timeout; /* what it was before */
	bool coalesced;          /* so it was before */
	uint64_t now;            /* ns: the last look at the clock */
	uint64_t fresh_at;       /* ns: nothing waits to be sent since before then */
	size_t datagram_max;     /* bytes of payload */
	uint32_t received, given; /* entries of in; of these, done with */
	size_t offset;           /* bytes of in[given] that were given */
	struct dg_tap tap;
	bool takes_plain;        /* plain datagrams are the program's */
	bool has_plain;          /* one is */
	struct dgram_datagram plain;
	bool abandoned;          /* we are a child, and the endpoint knows */
	struct dgram_datagram in[DG_LOOP_IN], out[DGRAM_BATCH_MAX];
	uint8_t *in_data, *out_data; /* behind this struct */
};

extern const struct dg_carrier dg_datagrams, dg_connected;

/* Notes that a datagram passed; what: its fate (IN). And that the system said something of one to this peer. */
void dg_tap_note(struct dgram_loop *loop, enum dgram_way way, const struct dgram_datagram *d, int what);
void dg_tap_error(struct dgram_loop *loop, const struct dgram_addr *peer, int error);

/* The endpoint of a loop that was made with this configuration, its defaults and seed filled in; errno says why
 * not. */
int dg_loop_endpoint_new(struct dgram_loop *loop, struct dgram_endpoint_config *config);

#endif
