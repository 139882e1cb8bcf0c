/* A node: an endpoint and its program, called in the order that endpoint.h gives. */
#include "message.h"

#include "endpoint/endpoint.h"

#include <dgram/error.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses and bytes --------------------------------------------------------------------- */

struct dgram_addr addr_of(const struct scene *s, unsigned host, uint16_t port)
{
	struct dgram_addr addr = {.family = s->ip6 ? DGRAM_IPV6 : DGRAM_IPV4, .port = port};

	if (s->ip6) {
		addr.u.ip6[0] = 0xfd;
		addr.u.ip6[7] = (uint8_t)host; /* a network of its own: limits are per /64 */
		addr.u.ip6[15] = (uint8_t)(host + 1);
	} else {
		addr.u.ip4[0] = 10;
		addr.u.ip4[3] = (uint8_t)(host + 1);
	}
	return addr;
}

unsigned host_of(const struct dgram_addr *addr)
{
	return (addr->family == DGRAM_IPV6 ? addr->u.ip6[15] : addr->u.ip4[3]) - 1U;
}

uint32_t channel_of(unsigned claimed, uint16_t from, uint16_t to)
{
	return claimed << 24 | (uint32_t)(from - PORT) << 12 | (uint32_t)(to - PORT);
}

struct dgram_addr source_of(const struct scene *s, const struct sim_datagram *d)
{
	unsigned claimed = d->channel >> 24;

	return addr_of(s, claimed ? claimed - 1 : d->from, port_from(d->channel));
}

uint16_t port_from(uint32_t channel)
{
	return (uint16_t)(PORT + (channel >> 12 & 0xfff));
}

uint16_t port_to(uint32_t channel)
{
	return (uint16_t)(PORT + (channel & 0xfff));
}

static uint64_t word(uint32_t key, size_t i)
{
	uint64_t x = ((uint64_t)key << 32 | i) * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 32;
}

void fill(uint8_t *out, size_t len, uint32_t key)
{
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t x = word(key, i);
		memcpy(out + i, &x, len - i < sizeof x ? len - i : sizeof x);
	}
	if (len >= sizeof key)
		memcpy(out, &key, sizeof key);
}

bool is_filled(const uint8_t *bytes, size_t len, uint32_t key)
{
	static uint8_t wanted[BYTES_MAX];

	fill(wanted, len, key);
	return len == 0 || memcmp(bytes, wanted, len) == 0;
}

/* ---- the endpoint's events -------------------------------------------------------------------- */

void peer_touch(struct peer *p)
{
	p->touched = true;
}

void peer_remember(struct peer *p, uint64_t session, const struct dgram_addr *addr)
{
	uint32_t at = p->session_count % SESSIONS_MAX;

	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		if (p->sessions[i] == session)
			return;
	p->sessions[at] = session;
	p->session_peers[at] = *addr;
	p->session_count++;
}

static void take_one(struct peer *p, const struct dgram_event *event, uint64_t now)
{
	sim_world_note(p->scene->world, p->node, "event", event->type, NULL, 0);
	/* What was acknowledged, and waited for an ordered one before it, is given nevertheless. */
	if (p->hushed && (event->type == DGRAM_EVENT_REQUEST ||
	                  (event->type == DGRAM_EVENT_MESSAGE && !event->ordered)))
		fail(p, "a message was given after everything was closed");
	if (event->session)
		peer_remember(p, event->session, &event->peer);
	switch (event->type) {
	case DGRAM_EVENT_MESSAGE:
		check_given(p, event, now);
		break;
	case DGRAM_EVENT_REQUEST:
		handler_request(p, event, now);
		break;
	case DGRAM_EVENT_STOP:
		handler_stop(p, event, now);
		break;
	case DGRAM_EVENT_DONE:
		client_done(p, event, now);
		break;
	default:
		fail(p, "an event of type %u", event->type);
	}
}

void peer_take(struct peer *p, uint64_t now)
{
	struct dgram_event event;

	if (p->lazy && now < p->next_take)
		return;
	if (p->lazy) {
		MARK(p->scene, LAZY);
		p->next_take = DGRAM_NEVER;
	}
	while (!p->scene->world->failure[0] && dgram_endpoint_next_event(p->ep, &event, now)) {
		peer_touch(p);
		take_one(p, &event, now);
	}
}

static void take_soon(struct peer *p, uint64_t now)
{
	if (p->lazy && p->next_take == DGRAM_NEVER)
		p->next_take = now + sim_between(&p->random, DGRAM_US, 500 * DGRAM_MS);
	peer_take(p, now);
}

/* ---- the machine's calls ---------------------------------------------------------------------- */

/* A copy that ends where the datagram ends and is gone afterwards, so that a tool can see what is
 * read beyond it or too late. */
static enum dgram_fate receive_copy(struct peer *p, const struct sim_datagram *in,
                                    const struct dgram_addr *from, uint64_t now)
{
	uint8_t *bytes = malloc(in->len ? in->len : 1);
	struct dgram_datagram d = {.peer = *from,
	                           .local = addr_of(p->scene, p->node, 0),
	                           .data = bytes,
	                           .len = in->len,
	                           .size = in->len};
	enum dgram_fate fate;

	if (!bytes)
		abort();
	if (in->len)
		memcpy(bytes, in->data, in->len);
	fate = dgram_endpoint_receive(p->ep, &d, now);
	free(bytes);
	return fate;
}

static bool is_init(const struct sim_datagram *in)
{
	struct dg_parts parts;

	return dg_parts_decode(&parts, in->data, in->len) && parts.header.type == DG_INIT;
}

static void peer_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct peer *p = self;
	struct dgram_addr from = source_of(p->scene, in);
	uint64_t evicted = p->ep->stats.evicted;
	enum dgram_fate fate;

	if (port_to(in->channel) != p->port) {
		sim_world_note(p->scene->world, p->node, "its NAT knows no port",
		               port_to(in->channel), NULL, 0);
		return;
	}
	fate = receive_copy(p, in, &from, now);
	if (p->scene->world->trace)
		fprintf(p->scene->world->trace, "              %s\n", dgram_fate_name(fate));
	p->given++;
	p->hushed = false;
	peer_touch(p);
	check_fate(p, in, fate);
	if (p->ep->stats.evicted > evicted && is_init(in))
		fail(p, "a session makes room for an INIT, which proves nothing");
	wire_received(p, in, &from, fate, now);
	take_soon(p, now);
}

/* One datagram of the endpoint's to somebody who lives. False: it has no more. */
static bool next_datagram(struct peer *p, struct sim_datagram *out, uint64_t now)
{
	static uint8_t buffer[SIM_DATAGRAM_MAX];
	struct scene *s = p->scene;
	struct dgram_datagram d = {.data = buffer, .size = p->config.datagram_max};

	while (!s->world->failure[0] && dgram_endpoint_transmit(p->ep, &d, now)) {
		unsigned to = host_of(&d.peer);
		if (!p->touched && now < p->due)
			fail(p, "called %.3f ms early, it sends", (double)(p->due - now) / 1e6);
		wire_sent(p, &d, now);
		if (s->attacker)
			attacker_sees(s, p, to, &d);
		if (to < s->world->node_count && to != p->node) {
			*out = (struct sim_datagram){.to = to,
			                             .channel = channel_of(0, p->port, d.peer.port),
			                             .data = buffer,
			                             .len = d.len};
			return true;
		}
		d = (struct dgram_datagram){.data = buffer, .size = p->config.datagram_max};
	}
	return false;
}

static bool peer_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct peer *p = self;
	bool worked = false; /* the endpoint did: there may be events */

	for (unsigned turns = 0; !p->scene->world->failure[0]; turns++) {
		bool again;
		peer_take(p, now); /* whatever it calls, it knows what has ended */
		client_act(p, now);
		handler_act(p, now);
		if (next_datagram(p, out, now)) {
			/* What made it leave may make more leave. */
			peer_touch(p);
			return true;
		}
		worked |= p->touched || now >= p->due;
		p->touched = false;
		if (worked)
			take_soon(p, now);
		worked = false;
		again = p->touched || client_due(p) <= now || handler_due(p) <= now;
		if (!again)
			break;
		if (turns > 1000)
			fail(p, "its events and calls do not come to an end");
	}
	p->due = dgram_endpoint_deadline(p->ep);
	p->silent_at = now;
	if (p->due <= now)
		fail(p, "it is silent, and its deadline is now or before");
	check_stats(p);
	return false;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t peer_deadline(const void *self)
{
	const struct peer *p = self;
	uint64_t due = sooner(sooner(client_due(p), handler_due(p)), p->due);

	return p->lazy ? sooner(due, p->next_take) : due;
}

void peer_init(struct peer *p, uint64_t now)
{
	for (unsigned i = 0; i < sizeof p->config.seed; i++)
		p->config.seed[i] = (uint8_t)dg_random_next(&p->random);
	p->config.seed[0] |= 1; /* all zeros is none */
	p->ep = dgram_endpoint_new(&p->config, NULL);
	if (!p->ep) {
		fail(p, "no endpoint with this configuration");
		return;
	}
	p->ep->first_id = p->scene->first_id;
	p->ep->first_number = p->scene->first_number;
	memset(&p->stats, 0, sizeof p->stats);
	dgram_endpoint_stats(p->ep, &p->stats);
	p->given = 0;
	p->touched = true;
	p->hushed = false;
	p->next_take = DGRAM_NEVER;
	p->due = now;
	p->session_count = 0;
	memset(p->sessions, 0, sizeof p->sessions);
	wire_restart(p);
}

static void peer_restart(void *self, uint64_t now)
{
	struct peer *p = self;
	struct scene *s = p->scene;

	for (uint32_t i = 0; i < p->live_count; i++)
		s->records[p->live[i]].orphan = true;
	p->live_count = 0;
	handler_died(p);
	dgram_endpoint_free(p->ep);
	p->boot++;
	peer_init(p, now);
	p->next_submit = sooner(p->next_submit, now + DGRAM_S);
}

/* As the loop does it: what does not tell of the path is loss. Half of the systems know the size. */
static void peer_told(void *self, const struct sim_datagram *about, int error, bool at_once,
                      uint64_t now)
{
	struct peer *p = self;
	struct scene *s = p->scene;
	struct dgram_addr to = addr_of(s, about->to, port_to(about->channel));
	size_t size = s->world->links[p->node][about->to].size_max;

	(void)at_once;
	if (!error || port_from(about->channel) != p->port || about->channel >> 24)
		return;
	if (error != DGRAM_ERR_SIZE && error != DGRAM_ERR_REFUSED && error != DGRAM_ERR_UNREACHABLE)
		return;
	if (error != DGRAM_ERR_SIZE)
		wire_doubt(p, &to);
	dgram_endpoint_told(p->ep, &to, error, p->node % 2 ? (uint32_t)size : 0, now);
	peer_touch(p);
	take_soon(p, now);
}

const struct sim_machine peer_machine = {peer_receive, peer_transmit, peer_deadline, peer_restart,
                                         peer_told};
