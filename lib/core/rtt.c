#include "core/rtt.h"

#include <dgram/time.h>
#include <string.h>

#define TICK        256      /* ns */
#define GRANULARITY DGRAM_MS /* RFC 9002, 6.1.2: kGranularity, of the timers we are woken by */
#define PERSISTENT  3        /* RFC 9002, 7.6.1: kPersistentCongestionThreshold */

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* At least one tick: 0 stands for "no sample". */
static uint32_t ticks(uint64_t ns)
{
	return (uint32_t)most(1, least(ns / TICK, UINT32_MAX));
}

void dg_rtt_init(struct dg_rtt *rtt, enum dgram_profile profile, uint16_t ack_delay_ms)
{
	memset(rtt, 0, sizeof *rtt);
	rtt->minimum = UINT32_MAX;
	rtt->ack_delay_ms = ack_delay_ms;
	rtt->profile = (uint8_t)profile;
}

/* RFC 9002, 5.3, with the variation taken before the smoothed time moves (its appendix A.7; RFC
 * 6298, 2.3). */
static void smooth(struct dg_rtt *rtt, uint32_t adjusted)
{
	int64_t difference = (int64_t)adjusted - rtt->smoothed;
	int64_t distance = difference < 0 ? -difference : difference;

	rtt->variation = (uint32_t)(rtt->variation + (distance - rtt->variation) / 4);
	rtt->smoothed = (uint32_t)(rtt->smoothed + difference / 8);
}

void dg_rtt_sample(struct dg_rtt *rtt, uint64_t sample, uint64_t delay)
{
	uint32_t latest = ticks(sample);
	uint64_t held = least(delay, rtt->ack_delay_ms * DGRAM_MS) / TICK;

	if (latest < rtt->minimum)
		rtt->minimum = latest;
	if (rtt->smoothed == 0) {
		rtt->smoothed = latest;
		rtt->variation = latest / 2;
		return;
	}
	smooth(rtt, latest >= rtt->minimum + held ? (uint32_t)(latest - held) : latest);
}

void dg_rtt_forget_minimum(struct dg_rtt *rtt)
{
	rtt->minimum = UINT32_MAX;
}

bool dg_rtt_is_measured(const struct dg_rtt *rtt)
{
	return rtt->smoothed > 0;
}

uint64_t dg_rtt_smoothed(const struct dg_rtt *rtt)
{
	return (uint64_t)rtt->smoothed * TICK;
}

uint64_t dg_rtt_pto(const struct dg_rtt *rtt)
{
	if (!dg_rtt_is_measured(rtt))
		return dg_profile(rtt->profile)->first_wait;
	return dg_rtt_smoothed(rtt) + most((uint64_t)rtt->variation * 4 * TICK, GRANULARITY) +
	       rtt->ack_delay_ms * DGRAM_MS;
}

uint64_t dg_rtt_wait(const struct dg_rtt *rtt, uint32_t probes, uint64_t random)
{
	const struct dg_profile *profile = dg_profile(rtt->profile);
	uint64_t pto = dg_rtt_pto(rtt);
	uint64_t wait = pto;

	for (uint32_t i = 0; i < probes && wait < profile->wait_max; i++)
		wait = wait * profile->growth_milli / 1000;
	wait = most(pto, least(wait, profile->wait_max));
	if (!dg_rtt_is_measured(rtt))
		wait = wait - wait / 10 + random % (wait / 5 + 1);
	return wait;
}

uint64_t dg_rtt_loss_delay(const struct dg_rtt *rtt, uint64_t latest)
{
	uint64_t longest = most(dg_rtt_smoothed(rtt), latest);

	return most(longest + longest / 8, GRANULARITY); /* kTimeThreshold, 9/8 */
}

uint64_t dg_rtt_persistent(const struct dg_rtt *rtt)
{
	return PERSISTENT * dg_rtt_pto(rtt);
}
