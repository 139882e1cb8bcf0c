/* pace.h - how long a destination is waited for before a session has measured it. Pure. */
#ifndef COMMON_PACE_H
#define COMMON_PACE_H

#include "target.h"

struct pace {
	uint64_t first; /* ns: the first wait */
	uint32_t growth_milli;
	uint64_t max;      /* ns: the longest one */
	uint64_t deadline; /* ns: of the whole */
};

/* That of the slowest address, and what -t and --backoff make of it. */
struct pace pace_of(const struct options *o, const struct target *target);

/* The wait after this one. */
uint64_t pace_longer(const struct pace *pace, uint64_t wait);

/* How long a message may take: -T, else the deadline of the destination. A session knows best when to send again; -r
 * bounds it all the same, by the time that so many tries would take. */
uint64_t pace_allowance(const struct pace *pace, const struct options *o);

#endif
