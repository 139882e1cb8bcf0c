#include "core/pacer.h"

#include <dgram/time.h>

#define BURST      10 /* datagrams; RFC 9002, 7.7: no more than the initial window (7.2) */
#define BURST_TIME (2 * DGRAM_MS) /* one that rounding costs a timer, one to be late */

static uint64_t time_of(uint64_t bytes, uint64_t rate)
{
	return bytes * DGRAM_S / rate;
}

uint64_t dg_pacer_due(const struct dg_pacer *p, uint64_t rate, uint64_t datagram)
{
	uint64_t burst;

	if (rate == 0)
		return 0;
	burst = time_of((BURST - 1) * datagram, rate); /* the next one is the tenth */
	if (burst < BURST_TIME)
		burst = BURST_TIME;
	return p->taken_until > burst ? p->taken_until - burst : 0;
}

void dg_pacer_sent(struct dg_pacer *p, uint64_t rate, uint64_t bytes, uint64_t now)
{
	if (p->taken_until < now)
		p->taken_until = now;
	if (rate > 0)
		p->taken_until += time_of(bytes, rate);
}
