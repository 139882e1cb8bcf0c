/* roundtrips.h - what became of pings: how long the answered ones took, and where the others were lost. */
#ifndef COMMON_ROUNDTRIPS_H
#define COMMON_ROUNDTRIPS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Where a ping without an answer was lost. */
enum lost {
	LOST_OUT,     /* it did not arrive */
	LOST_BACK,    /* it arrived, and its answer did not */
	LOST_UNKNOWN, /* nothing came afterwards that could tell */
	LOST_WAYS,
};

#define ROUNDTRIPS_KEPT 65536 /* times, the newest ones: minimum, median and the others are about these */

/* Zeroed: none. */
struct roundtrips {
	uint64_t sent, answered;
	uint64_t refused, no_session; /* pings that did not leave: refused, or no session came up for them */
	uint64_t lost[LOST_WAYS];
	uint64_t datagrams_sent, datagrams_received; /* as the last answer has them: those that left, and arrived there */
	uint64_t *times; /* ns */
	size_t room;
};

/* Adds an answer after so many ns. 0, or an exit code after a sentence. */
int roundtrips_add(struct roundtrips *r, uint64_t ns);

/* Sorts the times: afterwards nothing is added. Lines on stdout about peer, or the summary of --json. 0 or an exit code,
 * as output.h has them. */
int roundtrips_print(struct roundtrips *r, const char *peer);
int roundtrips_json(struct roundtrips *r);

void roundtrips_free(struct roundtrips *r);

/* "lost on the way there", and "out". Static memory. */
const char *lost_text(enum lost where);
const char *lost_name(enum lost where);

#endif
