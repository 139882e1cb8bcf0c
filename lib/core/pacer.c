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
	uint64_t burst = (BURST - 1) * datagram; /* the next one is the tenth */

	if (rate == 0)
		return 0;
	if (time_of(burst, rate) < BURST_TIME)
		burst = rate * BURST_TIME / DGRAM_S;
	return p->ahead > burst ? p->at + time_of(p->ahead - burst, rate) : 0;
}

void dg_pacer_sent(struct dg_pacer *p, uint64_t rate, uint64_t bytes, uint64_t now)
{
	uint64_t passed = now > p->at ? now - p->at : 0;

	if (rate == 0)
		return;
	if (time_of(p->ahead, rate) > passed) {
		uint64_t made_up = passed * rate / DGRAM_S;

		p->ahead -= made_up;
		p->at += time_of(made_up, rate); /* the rest of the time counts next time */
	} else {
		p->ahead = 0;
		p->at = now;
	}
	p->ahead += bytes;
}
