/* pair.h - two real endpoints on a link in virtual time. tests/sim has worlds where everything goes
 * wrong; here a test says what does, if anything. */
#ifndef DGRAM_TEST_PAIR_H
#define DGRAM_TEST_PAIR_H

#include "base/random.h"
#include "endpoint/bench.h"

#define PAIR_ON_THE_WAY 8192 /* datagrams in each direction */

struct pair_end {
	struct dgram_endpoint *ep;
	struct dgram_addr addr;
	struct packet *way; /* to this end; a ring, and at is when each arrives */
	size_t first, count;
	uint64_t given, sent, sent_bytes;          /* datagrams to and from the endpoint */
	uint64_t sum;                              /* of all bytes that it sent */
	uint64_t last_sent;                        /* ns */
	uint64_t requests, messages, stops;        /* events */
	uint64_t done, answered, refused, unknown; /* likewise */
	struct dgram_event last;                   /* without its borrowed data */
	uint64_t bytes;                            /* of messages, requests and replies */
	bool right;                                /* all of them were bench_bytes() */
};

struct pair {
	struct pair_end ends[2];
	uint64_t now;
	uint64_t delay;    /* ns one way; 10 us unless a test says more */
	uint64_t handling; /* replies leave at once (0), or never (DGRAM_NEVER) */
	uint64_t loss;     /* 1/1000 */
	struct dg_random random;
	/* More of what is lost; NULL: nothing. */
	bool (*drops)(struct pair *p, int from, const struct packet *packet);
	unsigned dropped; /* by it */
	/* Answers a request; NULL: as handling says. */
	void (*asked)(struct pair *p, int side, const struct dgram_event *event);
	size_t reply_len; /* bytes of each reply */
};

/* configs: NULL, or one for each end; seed numbers the two of them apart. */
void pair_open(struct pair *p, const struct dgram_endpoint_config *configs, uint8_t seed);
void pair_close(struct pair *p);

/* Goes on for so long. */
void pair_run(struct pair *p, uint64_t ns);

/* Goes on until an end has had so many DONE events, for so long at most. */
void pair_run_until_done(struct pair *p, int end, uint64_t done, uint64_t ns);

/* A message from this end to the other one, with len bytes of the pattern. */
uint64_t pair_submit(struct pair *p, int from, enum dgram_kind kind, size_t len);

#endif
