/* datagram.h - one datagram with its addresses: what sockets and endpoints give each other. */
#ifndef DGRAM_DATAGRAM_H
#define DGRAM_DATAGRAM_H

#include <dgram/addr.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One entry of a batch, in both directions. A received one whose data and len are replaced and which is given to
 * send_batch is an answer: it goes to who asked and leaves from the address that was asked. */
struct dgram_datagram {
	struct dgram_addr peer;  /* received from / send to (unset: the connected peer) */
	struct dgram_addr local; /* the address it was sent to / send from. Unset: unknown (connected sockets,
				  * UNIX) / the kernel's choice. Port is 0. Not used as a source with group */
	uint32_t interface;      /* index it came in on / for multicast, broadcast and link-local peers: goes out
				  * on (others follow the routing table). 0: unknown / the kernel's choice */
	bool group;              /* received: sent to a multicast or broadcast address, not to this machine alone */
	int status;              /* received: 0, or DGRAM_ERR_TRUNCATED with len 0 */
	uint8_t *data;           /* the caller's buffer, until it says otherwise */
	size_t len;              /* bytes used */
	size_t size;             /* bytes there are (receive) */
	size_t segment;          /* 0: data is one datagram; else data is several of this size, the last may be
				  * shorter. When only a part of them could be sent, the entry counts as sent */
};

#ifdef __cplusplus
}
#endif
#endif
