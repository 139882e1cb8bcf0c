#include "core/place.h"

#include "base/hash.h"

#include <string.h>

_Static_assert(sizeof(struct dg_place) == 24, "no padding: its bytes are compared and hashed");

bool dg_place_from(struct dg_place *out, const struct dgram_addr *addr)
{
	memset(out, 0, sizeof *out);
	if (addr->family == DGRAM_IPV4)
		memcpy(out->ip, addr->u.ip4, sizeof addr->u.ip4);
	else if (addr->family == DGRAM_IPV6)
		memcpy(out->ip, addr->u.ip6, sizeof addr->u.ip6);
	else
		return false;
	out->family = addr->family;
	out->port = addr->port;
	out->zone = addr->zone;
	return true;
}

struct dgram_addr dg_place_addr(const struct dg_place *place)
{
	struct dgram_addr addr = {
	        .family = place->family, .port = place->port, .zone = place->zone};

	if (place->family == DGRAM_IPV4)
		memcpy(addr.u.ip4, place->ip, sizeof addr.u.ip4);
	else if (place->family == DGRAM_IPV6)
		memcpy(addr.u.ip6, place->ip, sizeof addr.u.ip6);
	return addr;
}

bool dg_place_equal(const struct dg_place *a, const struct dg_place *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

uint64_t dg_place_hash(const struct dg_place *place, uint64_t number, const uint8_t key[16])
{
	struct {
		struct dg_place place;
		uint64_t number;
	} both = {*place, number};

	return dg_hash_fast(key, &both, sizeof both);
}

uint64_t dg_place_party(const struct dg_place *place, const uint8_t key[16])
{
	uint8_t party[9] = {place->family};

	memcpy(party + 1, place->ip, 8);
	return dg_hash_fast(key, party, sizeof party);
}
