/* caller.h - a client on the dgram protocol: one peer, one socket, one session for as many messages at once as wanted.
 *
 * An endpoint says truly how one message to one address ended. Here stands what a person means by asking a name: each
 * of its addresses is tried, and what certainly did not run is sent again where that can help (the peer was busy, or
 * ended the session) until the deadline. What may have run is never sent again here.
 */
#ifndef COMMON_CALLER_H
#define COMMON_CALLER_H

#include "target.h"
#include "timeline.h"
#include "trace.h"
#include <dgram/loop.h>
#include <stdbool.h>
#include <stdint.h>

#define CALLS_MAX 256 /* messages at once */

/* One message on its way. Zeroed before its first use; afterwards it may be used again. */
struct call {
	bool done;
	struct dgram_event end; /* once done: its data lie in reply */
	uint64_t elapsed;       /* ns; no longer than it was allowed */

	/* the caller's */
	enum dgram_kind kind;
	bool ordered;
	const void *data;
	size_t len;
	unsigned long long line; /* of the input, for the time line; 0: none */
	uint64_t number;         /* of all that were begun */
	uint64_t start, until;   /* ns; until: its deadline */
	uint64_t id;             /* at the endpoint; 0: it is not there */
	uint64_t again;          /* ns: when it goes there */
	uint64_t wait;           /* ns: the pause after that */
	unsigned tries;
	uint8_t *reply;
	size_t reply_room;
};

/* A round trip to each address in turn says which one is alive, and messages go to that one alone: two copies of one in
 * two sessions would be two messages. Silence moves on when the wait is over, a refusal at once, and an answer to any
 * try counts. */
struct search {
	bool runs;
	uint64_t wait, next;      /* ns: the length of this wait, and its end */
	size_t at, left;          /* left: addresses that did not refuse */
	bool out[DGRAM_RESOLVE_MAX];
	enum dgram_reason refusal; /* the last one */
	enum dgram_reason refused; /* that of all of them, the last time all did */
};

struct caller {
	/* what to do, filled in before the first call */
	const struct options *options;
	struct target *target;
	size_t request_max, reply_max; /* bytes */
	unsigned at_once;              /* messages, CALLS_MAX at most */
	unsigned at_full;              /* of these, of full length: others find no room and wait */
	bool explain;                  /* a time line on stderr */

	bool tcp;                      /* over connections */
	bool fallback;                 /* over those once no session came up over UDP */

	/* its own */
	struct trace trace;
	struct timeline timeline;
	struct dgram_socket socket;      /* unless tcp */
	struct dgram_stream_options way; /* tcp: what connections leave from */
	struct dgram_loop *loop;       /* NULL: not open yet */
	struct call *calls[CALLS_MAX]; /* NULL: free */
	uint64_t begun;
	uint64_t patience; /* ns: with fallback, when UDP has had its time */
	struct search search;
	bool found;                    /* the address that answers is at */
	size_t at;
	bool news;                     /* a call is done since caller_wait said so */
	int code;                      /* not 0: it cannot go on, which was said */
};

enum caller_news {
	CALLER_DONE,   /* a call is done, maybe several */
	CALLER_INPUT,  /* fd can be read */
	CALLER_BROKEN, /* c->code says how; it was said */
};

/* Begins a message of call->kind to the target: call->kind, data, len, ordered and line are set, and data stays until it
 * is done. At most at_once of them. The first one finds the target's addresses and opens a socket. 0, or an exit code
 * after a sentence. */
int caller_begin(struct caller *c, struct call *call);

/* Waits for news; fd -1: of calls alone. A call is done at its deadline at the latest. */
enum caller_news caller_wait(struct caller *c, int fd);

/* Tells the peer that we go, and gives everything back but the calls' replies. */
void caller_close(struct caller *c);

void call_free(struct call *call);

#endif
