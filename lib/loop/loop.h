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

struct dgram_loop {
	struct dgram_socket *socket;
	struct dgram_endpoint *endpoint;
	struct dg_fork fork;
	uint64_t socket_timeout; /* what it was before */
	uint64_t now;            /* ns: the last look at the clock */
	uint64_t fresh_at;       /* ns: nothing waits to be sent since before then */
	size_t datagram_max;     /* bytes of payload */
	uint32_t received, given; /* entries of in; of these, done with */
	size_t offset;           /* bytes of in[given] that were given */
	bool abandoned;          /* we are a child, and the endpoint knows */
	struct dgram_datagram in[DG_LOOP_IN], out[DGRAM_BATCH_MAX];
	uint8_t *in_data, *out_data; /* behind this struct */
};

/* Takes what is in the socket, at most a batch. All of the last one was given. 0 or DGRAM_ERR_SYSTEM. */
int dg_loop_receive(struct dgram_loop *loop);

/* Gives the endpoint the next datagram of the batch; false: there was none. */
bool dg_loop_give(struct dgram_loop *loop);

/* Sends all that is due, and tells the endpoint what the system says to that. */
void dg_loop_send(struct dgram_loop *loop);

/* Tells the endpoint what the network said. */
void dg_loop_tell(struct dgram_loop *loop);

#endif
