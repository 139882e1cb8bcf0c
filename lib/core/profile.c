#include "core/profile.h"

#include <dgram/time.h>

/* clang-format off */
const struct dg_profile_numbers dg_profiles[DG_PROFILES] = {
	/*               first wait        cap              growth   ACK delay   window */
	[DG_LOOPBACK] = {  50 * DGRAM_MS,  500 * DGRAM_MS,  1500,     5,         64},
	[DG_LAN]      = { 100 * DGRAM_MS, 1000 * DGRAM_MS,  1500,     5,         64},
	[DG_WAN]      = {1000 * DGRAM_MS, 8000 * DGRAM_MS,  2000,    25,         10},
};
/* clang-format on */
