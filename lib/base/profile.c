#include "base/profile.h"

#include <dgram/time.h>

/* clang-format off */
static const struct dg_profile profiles[] = {
	/*                           first wait        cap               growth  deadline       ACK delay  window */
	[DGRAM_PROFILE_LOOPBACK] = {  50 * DGRAM_MS,   500 * DGRAM_MS,   1500,    5 * DGRAM_S,   5,        64},
	[DGRAM_PROFILE_LAN]      = { 100 * DGRAM_MS,  1000 * DGRAM_MS,   1500,    5 * DGRAM_S,   5,        64},
	[DGRAM_PROFILE_WAN]      = {1000 * DGRAM_MS,  8000 * DGRAM_MS,   2000,   30 * DGRAM_S,  25,        10},
};
/* clang-format on */

const struct dg_profile *dg_profile(enum dgram_profile profile)
{
	return &profiles[profile];
}

enum dgram_profile dgram_profile_of(const struct dgram_addr *to)
{
	if (dgram_addr_is_loopback(to) || dgram_addr_is_any(to))
		return DGRAM_PROFILE_LOOPBACK;
	if (dgram_addr_is_private(to) || dgram_addr_is_multicast(to) || dgram_addr_is_broadcast(to))
		return DGRAM_PROFILE_LAN;
	return DGRAM_PROFILE_WAN;
}
