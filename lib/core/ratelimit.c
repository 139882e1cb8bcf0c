#include "core/ratelimit.h"

#include <dgram/time.h>

static uint64_t interval(const struct dg_rate *rate)
{
	return DGRAM_S / rate->per_second;
}

uint64_t dg_bucket_due(const struct dg_bucket *bucket, const struct dg_rate *rate)
{
	uint64_t spare = (rate->burst - 1) * interval(rate);

	return bucket->full_at > spare ? bucket->full_at - spare : 0;
}

bool dg_bucket_take(struct dg_bucket *bucket, const struct dg_rate *rate, uint64_t now)
{
	if (dg_bucket_due(bucket, rate) > now)
		return false;
	if (bucket->full_at < now)
		bucket->full_at = now;
	bucket->full_at += interval(rate);
	return true;
}
