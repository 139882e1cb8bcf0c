#include "pace.h"
#include <dgram/profile.h>
#include <dgram/time.h>

/* What dgram/profile.h says of a destination. */
static const struct pace paces[] = {
	[DGRAM_PROFILE_LOOPBACK] = {50 * DGRAM_MS, 1500, 500 * DGRAM_MS, 5 * DGRAM_S},
	[DGRAM_PROFILE_LAN] = {100 * DGRAM_MS, 1500, DGRAM_S, 5 * DGRAM_S},
	[DGRAM_PROFILE_WAN] = {DGRAM_S, 2000, 8 * DGRAM_S, 30 * DGRAM_S},
};

struct pace pace_of(const struct options *o, const struct target *target)
{
	enum dgram_profile slowest = DGRAM_PROFILE_LOOPBACK;
	struct pace pace;

	for (size_t i = 0; i < target->count; i++)
		if (dgram_profile_of(&target->addrs[i]) > slowest)
			slowest = dgram_profile_of(&target->addrs[i]);
	pace = paces[slowest];
	if (o->timeout != 0)
		pace.first = o->timeout;
	if (o->backoff_milli != 0)
		pace.growth_milli = o->backoff_milli;
	if (pace.max < pace.first)
		pace.max = pace.first;
	return pace;
}

uint64_t pace_longer(const struct pace *pace, uint64_t wait)
{
	uint64_t grown = wait > DGRAM_NEVER / pace->growth_milli ? pace->max : wait * pace->growth_milli / 1000;

	return grown < pace->max ? grown : pace->max;
}

uint64_t pace_allowance(const struct pace *pace, const struct options *o)
{
	uint64_t deadline = o->deadline != 0 ? o->deadline : pace->deadline;
	uint64_t sum = 0, wait = pace->first;

	if (!o->limit_retries)
		return deadline;
	for (uint64_t i = 0; i <= o->retries && sum < deadline; i++) {
		sum += wait;
		wait = pace_longer(pace, wait);
	}
	return sum < deadline ? sum : deadline;
}
