/* fate.h - what chance does to one datagram. */
#ifndef DG_RELAY_FATE_H
#define DG_RELAY_FATE_H

#include "base/random.h"

#include <dgram/relay.h>

enum dg_chance {
	DG_CHANCE_LOSS,
	DG_CHANCE_BURST,
	DG_CHANCE_DUPLICATE,
	DG_CHANCE_REORDER,
	DG_CHANCE_CORRUPT,
	DG_CHANCE_BIT,
	DG_CHANCE_JITTER,
	DG_CHANCE_COPY_JITTER,
	DG_CHANCES,
};

struct dg_fates {
	struct dg_random random[DG_CHANCES];
	bool burst; /* in the bad state of the burst loss */
};

struct dg_fate {
	bool lost, duplicated, reordered, corrupted;
	uint64_t jitter, copy_jitter; /* ns */
	uint64_t bit;                 /* which one is flipped, modulo the bits there are */
};

void dg_fates_init(struct dg_fates *fates, uint64_t seed, uint64_t link);

struct dg_fate dg_fates_next(struct dg_fates *fates, const struct dgram_relay_options *opt);

#endif
