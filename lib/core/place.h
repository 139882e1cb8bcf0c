/* place.h - where a datagram comes from or goes to, in 24 bytes.
 *
 * struct dgram_addr has room for the path of a UNIX socket; a session knows only IP and is to be
 * small. A place is canonical: equal places are equal bytes, so memcmp compares it and a hash may
 * take it as it is.
 */
#ifndef DG_CORE_PLACE_H
#define DG_CORE_PLACE_H

#include <dgram/addr.h>

struct dg_place {
	uint8_t ip[16]; /* network byte order; IPv4: the first 4, then zeros */
	uint32_t zone;  /* IPv6 link-local: interface index, else 0 */
	uint16_t port;
	uint8_t family; /* DGRAM_IPV4 or DGRAM_IPV6; 0: nowhere */
	uint8_t zero;
};

/* False, and nowhere: not an IP address. */
bool dg_place_from(struct dg_place *out, const struct dgram_addr *addr);
struct dgram_addr dg_place_addr(const struct dg_place *place);

bool dg_place_equal(const struct dg_place *a, const struct dg_place *b);

/* Of a place and one more number, such as an id that its owner chose (SipHash-1-3: for tables,
 * never to be seen). */
uint64_t dg_place_hash(const struct dg_place *place, uint64_t number, const uint8_t key[16]);

/* Of whom we take to be one party: the same for all ports and zones of an IPv4 address, and for all
 * of a /64 of IPv6, within which a host chooses its address as often as it likes (RFC 8981). */
uint64_t dg_place_party(const struct dg_place *place, const uint8_t key[16]);

#endif
