/* profile.h - what is known of a path before anything was measured on it.
 *
 * RFC 9002 has one set of numbers, for the internet. On loopback and in a local network its first
 * wait of a second and its doubling without an end would be most of what a user waits for when a
 * datagram is lost: at 50 % loss the mean of a doubling wait is infinite. So these two begin lower,
 * grow slower and stop at a cap.
 */
#ifndef DG_CORE_PROFILE_H
#define DG_CORE_PROFILE_H

#include <stdint.h>

enum dg_profile {
	DG_LOOPBACK,
	DG_LAN, /* on-link, private */
	DG_WAN,
	DG_PROFILES,
};

struct dg_profile_numbers {
	uint64_t first_wait;     /* ns: the PTO until there is a sample; RFC 9002, 6.2.2 */
	uint64_t wait_max;       /* ns: where backing off ends */
	uint32_t growth_milli;   /* of the wait from one PTO to the next; RFC 9002, 6.2.1: 2,000 */
	uint16_t ack_delay_ms;   /* our own max_ack_delay; RFC 9000, 18.2 */
	uint16_t initial_window; /* datagrams; RFC 9002, 7.2: 10 */
};

extern const struct dg_profile_numbers dg_profiles[DG_PROFILES];

#endif
