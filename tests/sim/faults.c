#include "faults.h"

#define PERCENT UINT32_C(10000) /* ppm */

bool sim_chance(struct dg_random *random, uint32_t ppm)
{
	return dg_random_below(random, 1000000) < ppm;
}

uint64_t sim_between(struct dg_random *random, uint64_t low, uint64_t high)
{
	unsigned doublings = 0;

	while (low << doublings <= high / 2)
		doublings++;

	uint64_t from = low << dg_random_below(random, doublings + 1);
	uint64_t to = from <= high / 2 ? 2 * from : high;
	return from + dg_random_below(random, to - from + 1);
}

/* 0 where this fault is off in this run. */
static uint64_t maybe(struct dg_random *random, uint32_t on, uint64_t low, uint64_t high)
{
	uint64_t value = sim_between(random, low, high);

	return sim_chance(random, on) ? value : 0;
}

static uint32_t maybe_ppm(struct dg_random *random, uint32_t on, uint32_t low, uint32_t high)
{
	return (uint32_t)maybe(random, on, low, high);
}

static void draw_relay(struct dgram_relay_options *relay, struct dg_random *random, uint32_t on)
{
	relay->loss = maybe_ppm(random, on, 1000, 30 * PERCENT);
	if (sim_chance(random, 5 * PERCENT))
		relay->loss = 50 * PERCENT;
	relay->burst_enter = maybe_ppm(random, on / 2, 1000, 5 * PERCENT);
	relay->burst_leave = maybe_ppm(random, 100 * PERCENT, 5 * PERCENT, 50 * PERCENT);
	relay->duplicate = maybe_ppm(random, on, 1000, 50 * PERCENT);
	relay->reorder = maybe_ppm(random, on, 1000, 20 * PERCENT);
	relay->corrupt = maybe_ppm(random, on, 1000, 2 * PERCENT);
	relay->delay = sim_between(random, 10 * DGRAM_US, 100 * DGRAM_MS);
	relay->jitter = maybe(random, on, DGRAM_US, 200 * DGRAM_MS);
	relay->rate = maybe(random, on / 4, 100000, 100000000);
}

void sim_faults_draw(struct sim_faults *faults, struct dg_random *random)
{
	static const uint32_t moods[] = {10 * PERCENT, 30 * PERCENT, 50 * PERCENT, 90 * PERCENT};
	uint32_t on = moods[dg_random_below(random, 4)];

	*faults = (struct sim_faults){0};
	draw_relay(&faults->relay, random, on);
	faults->late = maybe_ppm(random, on, 1000, 5000);
	faults->mangle = maybe_ppm(random, on, 1000, 2 * PERCENT);
	faults->send_error = maybe_ppm(random, on, 1000, 20 * PERCENT);
	for (int i = 0; i < SIM_MISHAPS; i++)
		faults->every[i] = maybe(random, on, 500 * DGRAM_MS, 30 * DGRAM_S);
	faults->granule = maybe(random, on, DGRAM_US, 10 * DGRAM_MS);
	faults->skewed = sim_chance(random, on);
	faults->near_wrap = sim_chance(random, 25 * PERCENT);
}
