/* ratelimit.h - how often each source address may be answered: a token bucket for each, in a bounded table.
 *
 * Pure: time and key come from the caller. A bucket that is full again says no more than a fresh one, so
 * forgetting it costs nothing; when a row of the table holds only busy ones, the fullest makes room.
 */
#ifndef COMMON_RATELIMIT_H
#define COMMON_RATELIMIT_H

#include <dgram/addr.h>
#include <stdbool.h>
#include <stdint.h>

#define RATELIMIT_ROWS 256 /* a power of two */
#define RATELIMIT_WAYS 8   /* addresses a stranger's choice can bring into one row */

struct ratelimit_bucket {
	struct dgram_addr source; /* without port */
	uint64_t full_at;         /* ns: when the bucket is full again */
};

struct ratelimit {
	uint64_t interval; /* ns that one answer costs */
	uint32_t burst;    /* answers a full bucket holds */
	uint8_t key[16];   /* SipHash: nobody outside can aim at a row */
	struct ratelimit_bucket bucket[RATELIMIT_ROWS][RATELIMIT_WAYS];
};

/* rate answers/s for each address, as many at once. */
void ratelimit_init(struct ratelimit *r, uint32_t rate, const uint8_t key[16]);

/* Whether source (its port is not looked at) may be answered at now (ns, never 0); takes a token when it may. */
bool ratelimit_take(struct ratelimit *r, const struct dgram_addr *source, uint64_t now);

#endif
