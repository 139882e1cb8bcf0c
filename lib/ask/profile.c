#include "ask/profile.h"

#define TIMEOUT_MIN DGRAM_MS          /* shorter waits would be a flood */
#define WAIT_MAX    (DGRAM_NEVER / 4) /* leaves room for jitter; 146 years */

/* clang-format off */
static const struct {
	uint64_t timeout;
	uint32_t backoff_milli;
	uint64_t timeout_max;
	uint64_t deadline;
} profiles[] = {
	/*                           first wait       growth   cap               deadline */
	[DGRAM_PROFILE_LOOPBACK] = {  50 * DGRAM_MS,  1500,    500 * DGRAM_MS,    5 * DGRAM_S},
	[DGRAM_PROFILE_LAN]      = { 100 * DGRAM_MS,  1500,   1000 * DGRAM_MS,    5 * DGRAM_S},
	[DGRAM_PROFILE_WAN]      = {1000 * DGRAM_MS,  2000,   8000 * DGRAM_MS,   30 * DGRAM_S},
};
/* clang-format on */

enum dgram_profile dgram_profile_of(const struct dgram_addr *to)
{
	if (dgram_addr_is_loopback(to) || dgram_addr_is_any(to))
		return DGRAM_PROFILE_LOOPBACK;
	if (dgram_addr_is_private(to) || dgram_addr_is_multicast(to) || dgram_addr_is_broadcast(to))
		return DGRAM_PROFILE_LAN;
	return DGRAM_PROFILE_WAN;
}

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

struct dgram_ask_options dg_profile_apply(const struct dgram_ask_options *opt,
					  const struct dgram_addr *to, size_t to_count)
{
	struct dgram_ask_options o = opt ? *opt : (struct dgram_ask_options){0};

	if (o.profile == DGRAM_PROFILE_AUTO)
		o.profile = profile_of_all(to, to_count);
	if (!o.timeout)
		o.timeout = profiles[o.profile].timeout;
	if (!o.backoff_milli)
		o.backoff_milli = profiles[o.profile].backoff_milli;
	if (!o.deadline)
		o.deadline = profiles[o.profile].deadline;
	o.timeout = clamp(o.timeout, TIMEOUT_MIN, WAIT_MAX);
	if (!o.timeout_max)
		o.timeout_max = clamp(profiles[o.profile].timeout_max, o.timeout, WAIT_MAX);
	o.timeout_max = clamp(o.timeout_max, TIMEOUT_MIN, WAIT_MAX);
	if (o.timeout > o.timeout_max)
		o.timeout = o.timeout_max;
	return o;
}
