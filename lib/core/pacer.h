/* pacer.h - when the next datagram may go, so that a window does not leave in one burst; RFC 9002,
 * section 7.7.
 *
 * The pacer remembers how many bytes have left ahead of the rate, and they become fewer at the rate
 * of the moment: a rate that was very low for a while holds nothing up later. What is sent may run
 * ahead by a burst: ten datagrams, or two milliseconds' worth if that is more. The time is there
 * because timers tick in milliseconds: who sleeps until its turn wakes up late, and must then be
 * able to send what it missed, or a fast link would wait for a slow clock.
 */
#ifndef DG_CORE_PACER_H
#define DG_CORE_PACER_H

#include <stdint.h>

/* All zeros: nothing was sent yet. */
struct dg_pacer {
	uint64_t ahead; /* bytes */
	uint64_t at;    /* ns: when that was so */
};

/* When a datagram may go, in ns; it may be in the past. rate: bytes/s, 0: no limit; datagram: bytes
 * of a large one. */
uint64_t dg_pacer_due(const struct dg_pacer *p, uint64_t rate, uint64_t datagram);

void dg_pacer_sent(struct dg_pacer *p, uint64_t rate, uint64_t bytes, uint64_t now);

#endif
