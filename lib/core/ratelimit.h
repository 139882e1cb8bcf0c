/* ratelimit.h - a token bucket: so many a second, so many at once.
 *
 * The bucket is kept as the time at which it will be full again: 8 bytes, nothing to refill, and
 * one that is full needs no memory at all.
 */
#ifndef DG_CORE_RATELIMIT_H
#define DG_CORE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct dg_rate {
	uint64_t per_second; /* tokens; 1 to 10^9 */
	uint64_t burst;      /* tokens that a full bucket holds; 1 to 10^9 */
};

/* All zeros: a full bucket. */
struct dg_bucket {
	uint64_t full_at; /* ns */
};

/* Takes a token, if there is one. */
bool dg_bucket_take(struct dg_bucket *bucket, const struct dg_rate *rate, uint64_t now);

/* ns: when there is a token; in the past or now: there is one. */
uint64_t dg_bucket_due(const struct dg_bucket *bucket, const struct dg_rate *rate);

#endif
