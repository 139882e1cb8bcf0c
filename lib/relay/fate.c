/* Each decision has a generator of its own and every datagram draws once from all of them, whatever
 * is switched on: so the n-th draw of a decision belongs to the n-th datagram, and turning one
 * option changes no other one's outcome.
 *
 * The generators are SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", 2014): a counter and a mixing function, so that different starts are different
 * streams.
 */
#include "relay/fate.h"

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t draw(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return mix(*state);
}

void dg_fates_init(struct dg_fates *fates, uint64_t seed, uint64_t link)
{
	uint64_t start = seed;

	start = draw(&start) ^ link;
	for (int i = 0; i < DG_CHANCES; i++)
		fates->state[i] = draw(&start);
	fates->burst = false;
}

static bool happens(uint64_t random, uint32_t ppm)
{
	return (random >> 32) * DGRAM_RELAY_ALWAYS >> 32 < ppm;
}

struct dg_fate dg_fates_next(struct dg_fates *fates, const struct dgram_relay_options *opt)
{
	uint64_t random[DG_CHANCES];

	for (int i = 0; i < DG_CHANCES; i++)
		random[i] = draw(&fates->state[i]);
	if (happens(random[DG_CHANCE_BURST], fates->burst ? opt->burst_leave : opt->burst_enter))
		fates->burst = !fates->burst;
	return (struct dg_fate){
	        .lost = fates->burst || happens(random[DG_CHANCE_LOSS], opt->loss),
	        .duplicated = happens(random[DG_CHANCE_DUPLICATE], opt->duplicate),
	        .reordered = happens(random[DG_CHANCE_REORDER], opt->reorder),
	        .corrupted = happens(random[DG_CHANCE_CORRUPT], opt->corrupt),
	        .jitter = random[DG_CHANCE_JITTER] % (opt->jitter + 1),
	        .copy_jitter = random[DG_CHANCE_COPY_JITTER] % (opt->jitter + 1),
	        .bit = random[DG_CHANCE_BIT],
	};
}
