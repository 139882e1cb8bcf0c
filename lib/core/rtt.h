/* rtt.h - how long the way there and back takes, and so how long to wait; RFC 9002, section 5.
 *
 * A sample is the time from sending a packet to the first ACK that names it. Packet numbers are
 * never used twice, so there is no doubt which transmission was acknowledged, and no sample to
 * leave out (what Karn's rule is for).
 *
 * Of a sample only its influence is kept: the smoothed time, how much samples vary, and the least
 * one, which no ACK delay is in. An ACK says how long it was held back; that is taken off, as far
 * as it is believable: not more than the peer announced, and never below the least sample.
 *
 * The whole machine is 16 bytes, idle or busy. Times inside are in ticks of 256 ns: 32 bits reach
 * 18 minutes, and what is longer counts as that.
 */
#ifndef DG_CORE_RTT_H
#define DG_CORE_RTT_H

#include "base/profile.h"

#include <stdbool.h>
#include <stdint.h>

struct dg_rtt {
	uint32_t smoothed;     /* ticks; 0: no sample yet */
	uint32_t variation;    /* ticks */
	uint32_t minimum;      /* ticks */
	uint16_t ack_delay_ms; /* the peer's max_ack_delay, from its hello */
	uint8_t profile;       /* enum dgram_profile */
};

void dg_rtt_init(struct dg_rtt *rtt, enum dgram_profile profile, uint16_t ack_delay_ms);

/* sample: ns since the largest newly acknowledged packet was sent, if at least one that was newly
 * acknowledged asked for it (RFC 9002, 5.1). delay: ns the peer says it held the ACK back; 0 for a
 * handshake. */
void dg_rtt_sample(struct dg_rtt *rtt, uint64_t sample, uint64_t delay);

/* After persistent congestion the path may be another one: the next sample is the least (RFC
 * 9002, 5.2). */
void dg_rtt_forget_minimum(struct dg_rtt *rtt);

bool dg_rtt_is_measured(const struct dg_rtt *rtt);

/* ns; 0: no sample yet */
uint64_t dg_rtt_smoothed(const struct dg_rtt *rtt);

/* ns from the last asking packet to the first probe (RFC 9002, 6.2.1); before a sample the
 * profile's first wait. */
uint64_t dg_rtt_pto(const struct dg_rtt *rtt);

/* ns to wait for the probe after `probes` of them: the PTO, grown by the profile up to its cap, but
 * never less than the PTO itself. Before a sample it is spread by 10 % either way with random (any
 * number), so that many who began together do not go on together. The same arguments give the same
 * wait. */
uint64_t dg_rtt_wait(const struct dg_rtt *rtt, uint32_t probes, uint64_t random);

/* ns after which a packet is lost when a later one was acknowledged (RFC 9002, 6.1.2). latest: the
 * newest sample. */
uint64_t dg_rtt_loss_delay(const struct dg_rtt *rtt, uint64_t latest);

/* ns of nothing but loss that are persistent congestion (RFC 9002, 7.6.1). */
uint64_t dg_rtt_persistent(const struct dg_rtt *rtt);

#endif
