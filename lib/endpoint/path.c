/* The largest datagram that a path carries: begun with 1,200 bytes, taken down where large ones
 * vanish, and searched upwards with probes of padding (RFC 8899). */
#include "endpoint/endpoint.h"

#define PROBES_MAX  3               /* RFC 8899, 5.1.2: MAX_PROBES */
#define RAISE_AFTER (600 * DGRAM_S) /* RFC 8899, 5.1.1: PMTU_RAISE_TIMER */
#define AGAIN_AFTER (10 * DGRAM_S)  /* after a fall to the least */
#define BLACK_HOLE  3               /* PTOs in a row */

/* Payloads of UDP: the start; IPv6's and IPv4's in Ethernet's 1,500; jumbo frames; loopback. */
static const uint16_t steps[] = {1200, 1404, 1452, 1472, 4352, 8952, 8972, 16332, 32768, 65507};

#define STEPS (sizeof steps / sizeof steps[0])

static uint16_t most(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return s->peer_datagram_max < ep->config.datagram_max ? s->peer_datagram_max
	                                                      : ep->config.datagram_max;
}

/* The next size to try; 0: none. Between two steps lies the limit of either side. */
static uint16_t next_size(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	uint16_t limit = most(ep, s);

	for (size_t i = 0; i < STEPS; i++)
		if (steps[i] > s->datagram)
			return steps[i] < limit ? steps[i] : limit > s->datagram ? limit : 0;
	return 0;
}

static void set_size(struct dg_session *s, struct dg_active *a, uint16_t size)
{
	s->datagram = size;
	dg_congestion_resize(&a->congestion, size);
}

static void give_up_probe(struct dg_active *a, uint64_t now)
{
	a->size_tries = 0;
	a->size_at = now + RAISE_AFTER;
}

void dg_path_told(struct dgram_endpoint *ep, struct dg_session *s, uint32_t mtu, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);
	uint16_t size =
	        mtu >= DG_DATAGRAM_LEAST && mtu < s->datagram ? (uint16_t)mtu : DG_DATAGRAM_LEAST;

	if (s->state != DG_OPEN || !a)
		return;
	if (a->size_asked) { /* it was the probe, most likely: if not, it will be said again */
		a->size_asked = false;
		give_up_probe(a, now);
		return;
	}
	if (mtu >= s->datagram)
		return;
	set_size(s, a, size);
	a->size_at = now + AGAIN_AFTER;
	dg_session_touch(ep, s);
}

void dg_path_timeout(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	(void)ep;
	if (a->recovery.probes < BLACK_HOLE || s->datagram <= DG_DATAGRAM_LEAST)
		return;
	set_size(s, a, DG_DATAGRAM_LEAST);
	a->size_at = now + AGAIN_AFTER;
}

bool dg_path_wants_probe(const struct dgram_endpoint *ep, const struct dg_session *s,
                         const struct dg_active *a, uint64_t now)
{
	return !a->size_asked && now >= a->size_at && s->heard_of && !s->doubted &&
	       a->recovery.probes == 0 && a->recovery.in_flight >= s->datagram &&
	       next_size(ep, s) > 0;
}

uint16_t dg_path_probe(const struct dgram_endpoint *ep, const struct dg_session *s,
                       struct dg_active *a)
{
	a->size_asked = true;
	return next_size(ep, s);
}

void dg_path_acked(struct dgram_endpoint *ep, struct dg_session *s, uint16_t size, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	(void)ep;
	(void)now;
	a->size_asked = false;
	a->size_tries = 0;
	if (size > s->datagram)
		set_size(s, a, size);
}

void dg_path_lost(struct dgram_endpoint *ep, struct dg_session *s, uint16_t size, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	(void)ep;
	(void)size;
	a->size_asked = false;
	if (++a->size_tries >= PROBES_MAX)
		give_up_probe(a, now);
}
