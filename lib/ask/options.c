#include "ask/options.h"

#include "base/profile.h"

#define TIMEOUT_MIN DGRAM_MS          /* shorter waits would be a flood */
#define WAIT_MAX    (DGRAM_NEVER / 4) /* leaves room for jitter; 146 years */

/* The slowest of all: no address is asked more eagerly than it would be alone. */
static enum dgram_profile profile_of_all(const struct dgram_addr *to, size_t to_count)
{
	enum dgram_profile slowest = DGRAM_PROFILE_LOOPBACK;

	for (size_t i = 0; i < to_count; i++) {
		enum dgram_profile one = dgram_profile_of(&to[i]);
		if (one > slowest)
			slowest = one;
	}
	return slowest;
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

struct dgram_ask_options dg_ask_options(const struct dgram_ask_options *opt,
					  const struct dgram_addr *to, size_t to_count)
{
	struct dgram_ask_options o = opt ? *opt : (struct dgram_ask_options){0};
	const struct dg_profile *p;

	if (o.profile == DGRAM_PROFILE_AUTO)
		o.profile = profile_of_all(to, to_count);
	p = dg_profile(o.profile);
	if (!o.timeout)
		o.timeout = p->first_wait;
	if (!o.backoff_milli)
		o.backoff_milli = p->growth_milli;
	if (!o.deadline)
		o.deadline = p->deadline;
	o.timeout = clamp(o.timeout, TIMEOUT_MIN, WAIT_MAX);
	if (!o.timeout_max)
		o.timeout_max = clamp(p->wait_max, o.timeout, WAIT_MAX);
	o.timeout_max = clamp(o.timeout_max, TIMEOUT_MIN, WAIT_MAX);
	if (o.timeout > o.timeout_max)
		o.timeout = o.timeout_max;
	return o;
}
