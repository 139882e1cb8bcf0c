#include "ratelimit.h"

#include <dgram/time.h>
#include <string.h>

void ratelimit_init(struct ratelimit *r, uint32_t rate, const uint8_t key[16])
{
	memset(r, 0, sizeof *r);
	r->interval = DGRAM_S / rate;
	r->burst = rate;
	memcpy(r->key, key, sizeof r->key);
}

/* The bucket of source; a new one takes the place of the fullest in its row (an unused one is full since ever). */
static struct ratelimit_bucket *bucket_of(struct ratelimit *r, const struct dgram_addr *source)
{
	struct ratelimit_bucket *row = r->bucket[dgram_addr_hash(source, r->key) % RATELIMIT_ROWS];
	struct ratelimit_bucket *fullest = row;

	for (size_t i = 0; i < RATELIMIT_WAYS; i++) {
		if (dgram_addr_equal(&row[i].source, source))
			return &row[i];
		if (row[i].full_at < fullest->full_at)
			fullest = &row[i];
	}
	*fullest = (struct ratelimit_bucket){.source = *source};
	return fullest;
}

/* The bucket is kept as the time when it will be full again: tokens missing = (full_at - now) / interval. */
bool ratelimit_take(struct ratelimit *r, const struct dgram_addr *source, uint64_t now)
{
	struct dgram_addr host = *source;
	struct ratelimit_bucket *b;
	uint64_t full_at;

	host.port = 0;
	b = bucket_of(r, &host);
	full_at = b->full_at > now ? b->full_at : now;
	if (full_at - now > (r->burst - 1) * r->interval)
		return false;
	b->full_at = full_at + r->interval;
	return true;
}
