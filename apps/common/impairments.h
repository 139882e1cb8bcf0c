/* impairments.h - what the relay can do to datagrams, as options: --loss 30%, --loss-out 30%,
 * --loss-back 30%. */
#ifndef COMMON_IMPAIRMENTS_H
#define COMMON_IMPAIRMENTS_H

#include "forward.h"

enum impairment {
	LOSS,
	BURST_LOSS,
	DELAY,
	JITTER,
	DUPLICATE,
	REORDER,
	CORRUPT,
	MTU,
	RATE,
	QUEUE,
	IMPAIRMENTS,
};

/* Where a value was given: for both directions, or for one, which then counts more. */
enum scope {
	SCOPE_BOTH,
	SCOPE_OUT,
	SCOPE_BACK,
	SCOPES,
};

struct impairments {
	const char *given[IMPAIRMENTS][SCOPES]; /* as written; NULL: not given */
};

/* Reads all that was given into the options of both engines. 0, or CODE_USAGE after a sentence. */
int impairments_apply(const struct impairments *given,
                      struct dgram_relay_options options[DIRECTIONS]);

/* ", loss 30%, delay 20 ms out": what both do, or one of them. "" for nothing. Returns buf. */
char *impairments_describe(const struct impairments *given, char *buf, size_t size);

#endif
