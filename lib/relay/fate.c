/* Each decision has a generator of its own and every datagram draws once from all of them, whatever
 * is switched on: so the n-th draw of a decision belongs to the n-th datagram, and turning one
 * option changes no other one's outcome.
 */
#include "relay/fate.h"

void dg_fates_init(struct dg_fates *fates, uint64_t seed, uint64_t link)
{
	struct dg_random random;

	dg_random_init(&random, seed);
	dg_random_init(&random, dg_random_next(&random) ^ link);
	for (int i = 0; i < DG_CHANCES; i++)
		dg_random_split(&random, &fates->random[i]);
	fates->burst = false;
}

static bool happens(uint64_t drawn, uint32_t ppm)
{
	return (drawn >> 32) * DGRAM_RELAY_ALWAYS >> 32 < ppm;
}

struct dg_fate dg_fates_next(struct dg_fates *fates, const struct dgram_relay_options *opt)
{
	uint64_t drawn[DG_CHANCES];

	for (int i = 0; i < DG_CHANCES; i++)
		drawn[i] = dg_random_next(&fates->random[i]);
	if (happens(drawn[DG_CHANCE_BURST], fates->burst ? opt->burst_leave : opt->burst_enter))
		fates->burst = !fates->burst;
	return (struct dg_fate){
	        .lost = fates->burst || happens(drawn[DG_CHANCE_LOSS], opt->loss),
	        .duplicated = happens(drawn[DG_CHANCE_DUPLICATE], opt->duplicate),
	        .reordered = happens(drawn[DG_CHANCE_REORDER], opt->reorder),
	        .corrupted = happens(drawn[DG_CHANCE_CORRUPT], opt->corrupt),
	        .jitter = drawn[DG_CHANCE_JITTER] % (opt->jitter + 1),
	        .copy_jitter = drawn[DG_CHANCE_COPY_JITTER] % (opt->jitter + 1),
	        .bit = drawn[DG_CHANCE_BIT],
	};
}
