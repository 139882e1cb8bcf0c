/* profile.h - the numbers of each profile, for plain retries and for the message protocol.
 *
 * RFC 9002 has one set of numbers, for the internet. On loopback and in a local network its first
 * wait of a second and its doubling without an end would be most of what a user waits for when a
 * datagram is lost: at 50 % loss the mean of a doubling wait is infinite. So these two begin lower,
 * grow slower and stop at a cap.
 */
#ifndef DG_BASE_PROFILE_H
#define DG_BASE_PROFILE_H

#include <dgram/profile.h>
#include <stdint.h>

struct dg_profile {
	uint64_t first_wait;     /* ns: until there is a sample; RFC 9002, 6.2.2 */
	uint64_t wait_max;       /* ns: where backing off ends */
	uint32_t growth_milli;   /* of the wait from one try to the next; RFC 9002, 6.2.1: 2,000 */
	uint64_t deadline;       /* ns: of the whole operation */
	uint16_t ack_delay_ms;   /* our own max_ack_delay; RFC 9000, 18.2 */
	uint16_t initial_window; /* datagrams; RFC 9002, 7.2: 10 */
};

/* profile is not AUTO. */
const struct dg_profile *dg_profile(enum dgram_profile profile);

#endif
