/* Who sees every datagram: copies them, late and from other addresses, changes them; and who sees none, and makes some
 * up. It does not forge what only who sees the traffic could (docs/WIRE.md says that open mode cannot stand that). */
#include "message.h"

#include "wire/wire.h"

#include <string.h>

#define SEEN_MAX  24
#define SEEN_SIZE 1500
#define PORTS     3 /* of each host that is nobody */

struct seen {
	unsigned from, to; /* hosts */
	uint16_t port_from, port_to;
	size_t len;
	uint8_t bytes[SEEN_SIZE];
};

struct attacker {
	struct scene *scene;
	unsigned node;
	struct dg_random random;
	struct seen seen[SEEN_MAX], latest;
	unsigned seen_count;
	bool replays, forges, crowds, stays; /* stays: after the heal as well */
	uint64_t next;
	unsigned burst; /* INITs that still follow at once */
	/* As a client that crowds: ids of the session it has, and what to say in it. */
	uint64_t own, peer_id, number;
	unsigned victim;
	bool say;
	uint8_t buffer[SIM_DATAGRAM_MAX];
};

static struct attacker the_attacker;

static uint64_t below(struct attacker *a, uint64_t n)
{
	return dg_random_below(&a->random, n);
}

static void keep(struct seen *seen, const struct peer *from, unsigned to,
                 const struct dgram_datagram *out)
{
	seen->from = from->node;
	seen->to = to;
	seen->port_from = from->port;
	seen->port_to = out->peer.port;
	seen->len = out->len;
	memcpy(seen->bytes, out->data, out->len);
}

void attacker_sees(struct scene *s, const struct peer *from, unsigned to,
                   const struct dgram_datagram *out)
{
	struct attacker *a = s->attacker;
	unsigned at = a->seen_count < SEEN_MAX ? a->seen_count : (unsigned)below(a, SEEN_MAX * 4);

	if (out->len > SEEN_SIZE || to >= s->peer_count)
		return;
	keep(&a->latest, from, to, out);
	if (at >= SEEN_MAX)
		return;
	a->seen_count += at == a->seen_count;
	keep(&a->seen[at], from, to, out);
}

/* ---- what was seen, again ----------------------------------------------------------------------- */

static bool is_init(const uint8_t *bytes, size_t len)
{
	return len > 5 && bytes[5] == DG_INIT;
}

static bool replay(struct attacker *a, struct sim_datagram *out)
{
	const struct seen *seen;
	unsigned host;
	uint16_t port;

	if (!a->seen_count)
		return false;
	seen = &a->seen[below(a, a->seen_count)];
	host = seen->from;
	port = seen->port_from;
	memcpy(a->buffer, seen->bytes, seen->len);
	*out = (struct sim_datagram){
	        .to = seen->to, .data = a->buffer, .len = seen->len, .copy = true};
	switch (below(a, 4)) {
	case 0: /* changed, by pairs of bits: the network flips one, and does not make it whole again */
		for (uint64_t n = 1 + below(a, 3); n > 0; n--) {
			size_t at = (size_t)below(a, seen->len);
			a->buffer[at] ^= (uint8_t)(3 << below(a, 7));
		}
		out->damaged = memcmp(a->buffer, seen->bytes, seen->len) != 0;
		break;
	case 1: /* from where nobody is, or from the attacker's own address */
		host = below(a, 2) ? a->node : HOST_FORGED + (unsigned)below(a, 8);
		/* An INIT from there is one like any other. */
		out->damaged = !is_init(seen->bytes, seen->len);
		break;
	case 2: /* from another port of the same host, or another peer's */
		if (below(a, 2))
			port = (uint16_t)(PORT + 20 + below(a, PORTS));
		else
			host = (unsigned)below(a, a->scene->peer_count);
		if (host == seen->to)
			host = a->node;
		out->damaged = (host != seen->from || port != seen->port_from) &&
		               !is_init(seen->bytes, seen->len);
		break;
	default:
		break;
	}
	out->channel = channel_of(host + 1, port, seen->port_to);
	return true;
}

/* ---- what is made up ---------------------------------------------------------------------------- */

static void make_init(struct attacker *a, struct dg_writer *w, uint64_t own)
{
	struct dg_header header = {.version = DG_VERSION, .type = DG_INIT};
	uint64_t boot = below(a, UINT64_MAX), endpoint = below(a, UINT64_MAX);
	struct dg_hello hello = {.session = own,
	                         .boot = boot,
	                         .endpoint = endpoint,
	                         .idle_ms = 600000,
	                         .credit = 16384,
	                         .datagram_max = 1472,
	                         .ack_delay_ms = 5,
	                         .versions = {DG_VERSION}};

	dg_hello_encode(w, &header, &hello);
	dg_crc_append(w, 0);
}

static void make_data(struct attacker *a, struct dg_writer *w, uint64_t to, uint64_t number,
                      uint64_t own)
{
	static const struct dg_frame frames[] = {
	        {.type = DG_PING},
	        {.type = DG_CLOSE, .code = DG_CLOSE_DONE},
	        {.type = DG_REQUEST,
	         .flags = DG_WHOLE,
	         .id = 0,
	         .total = 4,
	         .data = (const uint8_t *)"evil",
	         .len = 4},
	        {.type = DG_SEND,
	         .flags = DG_WHOLE,
	         .id = 0,
	         .total = 4,
	         .data = (const uint8_t *)"evil",
	         .len = 4},
	        {.type = DG_ACK, .id = 3},
	};
	const struct dg_frame *frame = &frames[own == a->own && own ? 0 : below(a, 5)];
	struct dg_header header = {.version = DG_VERSION, .type = DG_DATA, .receiver = to};

	if (dg_frame_asks(frame))
		header.flags = DG_FLAG_ASKS;
	dg_header_encode(w, &header);
	dg_write_u64(w, number);
	dg_frame_encode(w, frame);
	dg_crc_append(w, own);
}

/* ---- what is made of what was seen ------------------------------------------------------------------ */

/* NOSESSION for a datagram that is under way, as if its receiver had said so: it ends nothing. */
static void make_nosession(struct attacker *a, struct dg_writer *w, const struct dg_parts *seen)
{
	struct dg_header header = {
	        .version = DG_VERSION, .type = DG_NOSESSION, .receiver = seen->header.receiver};

	(void)a;
	dg_header_encode(w, &header);
	dg_write_bytes(w, seen->body, 8);
	dg_crc_append(w, 0);
}

/* By somebody who sees one direction only: the id of the receiver is known, that of the sender is not. */
static bool half_blind(struct attacker *a, struct sim_datagram *out)
{
	struct dg_writer w = dg_writer(a->buffer, sizeof a->buffer);
	const struct seen *seen;
	struct dg_parts parts;
	uint64_t number;

	if (!a->seen_count)
		return false;
	seen = &a->latest;
	if (!dg_parts_decode(&parts, seen->bytes, seen->len) || parts.header.type != DG_DATA)
		return false;
	if (below(a, 2)) {
		make_nosession(a, &w, &parts);
		*out = (struct sim_datagram){.to = seen->from, .data = a->buffer, .len = w.len};
		out->channel = channel_of(seen->to + 1, seen->port_to, seen->port_from);
		return seen->to != seen->from;
	}
	number = below(a, 100);
	make_data(a, &w, parts.header.receiver, number, below(a, UINT64_MAX));
	*out = (struct sim_datagram){
	        .to = seen->to, .data = a->buffer, .len = w.len, .damaged = true};
	out->channel = channel_of(seen->from + 1, seen->port_from, seen->port_to);
	return true;
}

/* Without having seen anything: ids are guesses. */
static void make_blind(struct attacker *a, struct dg_writer *w)
{
	struct dg_header header = {.version = DG_VERSION, .receiver = 1 + below(a, UINT64_MAX - 1)};
	uint8_t cookie[DG_COOKIE_SIZE] = {1};
	uint64_t number;

	switch (below(a, 6)) {
	case 0:
		number = below(a, 10);
		make_data(a, w, header.receiver, number, below(a, UINT64_MAX));
		break;
	case 1:
		dg_cookie_encode(w, header.receiver, cookie);
		dg_crc_append(w, 0);
		break;
	case 2:
		header.type = DG_NOSESSION;
		dg_header_encode(w, &header);
		dg_write_u64(w, below(a, 10));
		dg_crc_append(w, 0);
		break;
	case 3:
		header.type = DG_BUSY;
		dg_header_encode(w, &header);
		dg_write_u32(w, 60000);
		dg_crc_append(w, 0);
		break;
	case 4: /* noise */
		for (uint64_t n = below(a, 100); n > 0; n--)
			dg_write_u8(w, (uint8_t)below(a, 256));
		break;
	default:
		make_init(a, w, header.receiver);
	}
}

static bool forge(struct attacker *a, struct sim_datagram *out)
{
	struct dg_writer w = dg_writer(a->buffer, sizeof a->buffer);
	unsigned host = HOST_FORGED + (unsigned)below(a, 8);
	uint16_t port = (uint16_t)(PORT + below(a, PORTS));

	*out = (struct sim_datagram){.to = (unsigned)below(a, a->scene->peer_count),
	                             .data = a->buffer};
	if (a->burst > 0 || below(a, 3) == 0) {
		if (a->burst == 0)
			a->burst = 1 + (unsigned)below(a, 20);
		a->burst--;
		out->to = a->victim;
		make_init(a, &w, 1 + below(a, UINT64_MAX - 1));
		MARK(a->scene, FORGED);
	} else {
		if (below(a, 2)) { /* from an address that the victim may know */
			host = (unsigned)below(a, a->scene->peer_count);
			port = a->scene->peers[host].port;
		}
		make_blind(a, &w);
		out->damaged = !is_init(a->buffer, w.len);
	}
	if (host == out->to)
		return false;
	out->len = w.len;
	out->channel = channel_of(host + 1, port, a->scene->peers[out->to].port);
	return true;
}

/* ---- a client that opens sessions and leaves them there ------------------------------------------ */

static bool crowd(struct attacker *a, struct sim_datagram *out)
{
	struct dg_writer w = dg_writer(a->buffer, sizeof a->buffer);

	*out = (struct sim_datagram){.to = a->victim,
	                             .data = a->buffer,
	                             .channel =
	                                     channel_of(0, PORT, a->scene->peers[a->victim].port)};
	if (a->say) {
		a->say = false;
		make_data(a, &w, a->peer_id, a->number++, a->own);
	} else {
		a->own = 1 + below(a, UINT64_MAX - 1);
		a->number = 0;
		make_init(a, &w, a->own);
	}
	out->len = w.len;
	return true;
}

static void attacker_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct attacker *a = self;
	struct dg_parts parts;
	struct dg_hello hello;

	(void)now;
	if (in->damaged || !dg_parts_decode(&parts, in->data, in->len) ||
	    parts.header.receiver != a->own || !a->own)
		return;
	if (parts.header.type == DG_ACCEPT && dg_hello_decode(&hello, &parts)) {
		a->peer_id = hello.session;
		a->say = true;
	}
	a->scene->marks[MARK_CROWDED] +=
	        parts.header.type == DG_BUSY || parts.header.type == DG_DATA;
}

static bool is_over(const struct attacker *a)
{
	enum sim_phase phase = a->scene->world->phase;

	return phase == SIM_DRAIN || (phase == SIM_HEAL && !a->stays);
}

static bool attacker_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct attacker *a = self;

	if (is_over(a))
		return false;
	if (a->say && a->crowds)
		return crowd(a, out);
	if (a->burst && forge(a, out))
		return true;
	while (a->next <= now) {
		uint64_t what = below(a, 3);
		a->next = now + sim_between(&a->random, DGRAM_MS, 2 * DGRAM_S);
		if (what == 0 && a->replays && (below(a, 2) ? replay(a, out) : half_blind(a, out)))
			return true;
		if (what == 1 && a->forges && forge(a, out))
			return true;
		if (what == 2 && a->crowds && crowd(a, out))
			return true;
	}
	return false;
}

static uint64_t attacker_deadline(const void *self)
{
	const struct attacker *a = self;

	return is_over(a) ? DGRAM_NEVER : a->next;
}

static void attacker_restart(void *self, uint64_t now)
{
	((struct attacker *)self)->next = now;
}

static const struct sim_machine attacker_machine = {attacker_receive, attacker_transmit,
                                                    attacker_deadline, attacker_restart, NULL};

void attacker_add(struct scene *s, struct dg_random *random)
{
	struct attacker *a = &the_attacker;

	memset(a, 0, sizeof *a);
	dg_random_split(random, &a->random);
	a->scene = s;
	a->replays = sim_chance(random, 700000);
	a->forges = sim_chance(random, 500000);
	a->crowds = sim_chance(random, 300000);
	a->stays = sim_chance(random, 500000);
	s->attacker = a;
	a->node = sim_world_add(s->world, &attacker_machine, a);
	a->next = sim_world_clock(s->world, a->node);
}
