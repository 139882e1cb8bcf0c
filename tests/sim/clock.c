#include "clock.h"

#include <dgram/time.h>

static const uint64_t wraps[] = {
	(UINT64_C(1) << 31) * DGRAM_US,
	(UINT64_C(1) << 32) * DGRAM_US,
	(UINT64_C(1) << 31) * DGRAM_MS,
	(UINT64_C(1) << 32) * DGRAM_MS,
	UINT64_C(1) << 63,
};
#define WRAPS (sizeof wraps / sizeof wraps[0])

uint64_t sim_clock_draw(struct dg_random *random, bool near_wrap)
{
	uint64_t back = dg_random_below(random, 60 * DGRAM_S);
	uint64_t wrap = wraps[dg_random_below(random, WRAPS)];

	return near_wrap ? wrap - back : dg_random_below(random, UINT64_C(1) << 50);
}

bool sim_clock_wrapped(uint64_t before, uint64_t after)
{
	for (size_t i = 0; i < WRAPS; i++)
		if (before < wraps[i] && after >= wraps[i])
			return true;
	return false;
}

uint64_t sim_clock_local(const struct sim_clock *clock, uint64_t world)
{
	int64_t elapsed = (int64_t)(world - clock->world);

	/* In two parts, which cannot overflow; it never runs backwards. */
	elapsed += elapsed / 1000000 * clock->skew + elapsed % 1000000 * clock->skew / 1000000;
	return clock->local + (uint64_t)elapsed;
}

uint64_t sim_clock_world(const struct sim_clock *clock, uint64_t local, uint64_t now)
{
	uint64_t at = now, shows;

	if (local == DGRAM_NEVER)
		return DGRAM_NEVER;
	/* Nearer each time by a factor of a thousand or so, and never past it. */
	while ((shows = sim_clock_local(clock, at)) < local) {
		uint64_t behind = local - shows;
		at += behind - behind / 1000;
	}
	return at;
}

void sim_clock_jump(struct sim_clock *clock, uint64_t now, uint64_t by)
{
	clock->local = sim_clock_local(clock, now) + by;
	clock->world = now;
}
