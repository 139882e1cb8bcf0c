/* timeline.h - the time line of --explain: what passes, as sentences about a session. */
#ifndef COMMON_TIMELINE_H
#define COMMON_TIMELINE_H

#include <dgram/loop.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one session; zeroed at its beginning. */
struct timeline {
	unsigned inits;
	uint64_t asked_at;         /* ns: the last INIT */
	uint64_t first, last;      /* packets with messages that nobody acknowledged: their numbers */
	bool waits;                /* there are some */
	uint64_t lost, probes;     /* told already */
};

/* What is to be said of it, in text; false: nothing. */
bool timeline_passed(struct timeline *t, const struct dgram_passed *p, char *text, size_t size);

/* The same of what was lost since the last time. */
bool timeline_recovery(struct timeline *t, const struct dgram_endpoint_stats *stats, char *text, size_t size);

#endif
