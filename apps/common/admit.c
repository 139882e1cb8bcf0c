#include "admit.h"
#include <string.h>

void admit_init(struct admission *a, const struct dgram_addr *own, const uint8_t key[16])
{
	memset(a, 0, sizeof *a);
	a->own = *own;
	ratelimit_init(&a->limit, ADMIT_RATE_MAX, key);
}

static bool is_ip(const struct dgram_addr *addr)
{
	return addr->family == DGRAM_IPV4 || addr->family == DGRAM_IPV6;
}

static bool is_nobody(const struct dgram_addr *peer)
{
	return is_ip(peer) ? peer->port == 0 : peer->path_len == 0;
}

/* Ours is the address we listen on, or with every address of ours the one that it was sent to; and on loopback,
 * where all of them are ours, any. */
static bool is_own(const struct admission *a, const struct dgram_datagram *d)
{
	struct dgram_addr asked = d->local;

	asked.port = a->own.port;
	if (dgram_addr_equal(&d->peer, &a->own) || dgram_addr_equal(&d->peer, &asked))
		return true;
	return is_ip(&d->peer) && d->peer.port == a->own.port && dgram_addr_is_any(&a->own) &&
	       dgram_addr_is_loopback(&d->peer);
}

enum admit admit_request(struct admission *a, const struct dgram_datagram *d, uint64_t now)
{
	if (d->status != 0)
		return ADMIT_TRUNCATED;
	if (d->group)
		return ADMIT_GROUP;
	if (is_nobody(&d->peer))
		return ADMIT_NOBODY;
	if (is_own(a, d))
		return ADMIT_SELF;
	if (is_ip(&d->peer) && d->peer.port < ADMIT_PORT_MIN && !a->low_ports)
		return ADMIT_LOW_PORT;
	if (!dgram_addr_is_loopback(&d->peer) && !ratelimit_take(&a->limit, &d->peer, now))
		return ADMIT_RATE;
	return ADMIT_YES;
}

enum admit admit_answer(const struct admission *a, const struct dgram_addr *peer, size_t request, size_t answer)
{
	if (a->growth || dgram_addr_is_loopback(peer) || answer <= request * ADMIT_GROWTH_MAX)
		return ADMIT_YES;
	return ADMIT_GROWTH;
}

const char *admit_reason(enum admit why)
{
	static const char *const text[] = {
		"",
#define ADMIT_ROW(name, lower, sentence) sentence,
		ADMIT_ROWS(ADMIT_ROW)
#undef ADMIT_ROW
	};

	return text[why];
}

const char *admit_name(enum admit why)
{
	static const char *const text[] = {
		"yes",
#define ADMIT_ROW(name, lower, sentence) #lower,
		ADMIT_ROWS(ADMIT_ROW)
#undef ADMIT_ROW
	};

	return text[why];
}
