/* caller.h - a client on the dgram protocol: one peer, one socket, one message after another.
 *
 * An endpoint says truly how one message to one address ended. Here stands what a person means by asking a name: each
 * of its addresses is tried, and what certainly did not run is sent again where that can help (the peer was busy, or
 * ended the session) until the deadline. What may have run is never sent again here.
 */
#ifndef COMMON_CALLER_H
#define COMMON_CALLER_H

#include "target.h"
#include <dgram/loop.h>
#include <stdbool.h>
#include <stdint.h>

struct caller {
	/* what to do, filled in before the first call */
	const struct options *options;
	struct target *target;
	size_t request_max, reply_max; /* bytes */
	bool retry_refused;            /* keep asking an address that refuses */
	bool explain;                  /* a time line on stderr */

	/* its own */
	struct dgram_socket socket;
	struct dgram_loop *loop; /* NULL: not open yet */
	uint64_t start, end;     /* ns: of the message at hand; end: its deadline */
	uint64_t wait;           /* ns: the next pause */
	unsigned tries;          /* times it was submitted */
	bool found;              /* the address that answers is at */
	size_t at;
	int code; /* not 0: it cannot go on, which was said */
};

/* Sends a message of kind (DGRAM_REQUEST, DGRAM_SEND) to the target and waits for its end, at the deadline at the latest.
 * The first call finds the target's addresses and opens a socket. 0 with *done, whose data are borrowed until the
 * next call; or an exit code after a sentence. */
int caller_send(struct caller *c, enum dgram_kind kind, const void *data, size_t len, struct dgram_event *done);

/* How long the message at hand took; no longer than it was allowed. */
uint64_t caller_span(const struct caller *c);

/* Tells the peer that we go, and gives everything back. */
void caller_close(struct caller *c);

#endif
