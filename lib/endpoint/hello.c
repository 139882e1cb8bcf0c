/* How sessions begin, and how they come into doubt: docs/WIRE.md, sections 3 and 4. */
#include "endpoint/endpoint.h"

#include <string.h>

#define BUSY_RETRY_MS 1000           /* what our BUSY says */
#define SOON_RETRY_MS 100            /* where others of its address are about to be confirmed */
#define YOUNG         DGRAM_S        /* so long a half-open one does not go for its own address */
#define BUSY_LONGEST  (60 * DGRAM_S) /* what we believe of others' */

static const struct dg_rate strangers_rate = {.per_second = 1, .burst = 1};

static uint16_t smaller(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

/* What the peer's hello says of the session. */
static void agree(struct dg_session *s, const struct dg_hello *hello)
{
	s->peer_id = hello->session;
	s->peer_boot = hello->boot;
	s->peer_endpoint = hello->endpoint;
	s->allowed = hello->credit;
	if (hello->idle_ms < s->idle_ms)
		s->idle_ms = hello->idle_ms;
	s->peer_datagram_max = hello->datagram_max;
	s->datagram = smaller(s->datagram, hello->datagram_max);
	dg_rtt_init(&s->rtt, s->profile, hello->ack_delay_ms);
}

static void remember_local(struct dg_session *s, const struct dgram_datagram *in)
{
	dg_place_from(&s->local, &in->local);
	s->local.port = 0;
	s->interface = in->interface;
}

/* ---- INIT ------------------------------------------------------------------------------------- */

static bool speaks_ours(const struct dg_hello *hello)
{
	return memchr(hello->versions, DG_VERSION, sizeof hello->versions) != NULL;
}

/* Session time began at the earliest moment that any INIT implies. */
static void move_origin(struct dg_session *s, const struct dg_hello *hello, uint64_t now)
{
	uint64_t age = hello->time <= now / DGRAM_US ? hello->time * DGRAM_US : now;

	if (now - age < s->origin)
		s->origin = now - age;
}

/* A session that was opened towards this place, and to which this INIT is the answer: an echo. */
static enum dgram_fate own_init(struct dgram_endpoint *ep, const struct dg_place *from,
                                const struct dg_hello *hello, uint64_t now)
{
	struct dg_session *s = dg_session_by_id(ep, hello->session);

	if (s && s->state == DG_OPENING && !s->spare && dg_place_equal(&s->peer, from))
		dg_session_fail(ep, s, DGRAM_REASON_ECHOED, now);
	return DGRAM_FATE_OWN;
}

/* Whoever was accepted may have exposed what it wants: those of the same address do not push each other out, but
 * wait. What is older will hardly be confirmed, and nobody is to be locked out by it. */
static bool stays(const struct dgram_endpoint *ep, const struct dg_session *s, uint64_t party,
                  uint64_t now)
{
	return dg_place_party(&s->peer, ep->key) == party &&
	       now + DG_HALF_OPEN_LIFE < s->due + YOUNG;
}

/* A place among the half-open ones for who is where it says; false: not now. */
static bool make_place(struct dgram_endpoint *ep, uint64_t party, uint64_t now)
{
	uint32_t slot = dg_admission_in_the_way(&ep->admission, party);
	struct dg_session *s = slot == DG_SLOT_NONE ? NULL : dg_session_at(ep, slot);

	if (s && !ep->config.connected && stays(ep, s, party, now))
		return false;
	if (s)
		dg_session_forget(ep, s, now);
	return true;
}

static enum dgram_fate half_open(struct dgram_endpoint *ep, const struct dg_place *from,
                                 const struct dg_hello *hello, const struct dgram_datagram *in,
                                 bool cookie, uint64_t now)
{
	struct dg_session *s = dg_session_take(ep, from);

	if (!s)
		return DGRAM_FATE_ROOM;
	agree(s, hello);
	if (!dg_admission_knock(&ep->admission, s->slot, dg_place_party(from, ep->key), cookie)) {
		dg_session_give(ep, s);
		return DGRAM_FATE_LIMITED;
	}
	if (!dg_session_enter_by_init(ep, s)) {
		dg_admission_leave(&ep->admission, s->slot);
		dg_session_give(ep, s);
		return DGRAM_FATE_LIMITED;
	}
	s->state = DG_HALF_OPEN;
	s->serial = ep->serial++;
	s->origin = now;
	s->due = now + DG_HALF_OPEN_LIFE;
	move_origin(s, hello, now);
	remember_local(s, in);
	s->no_credit = !dg_promise_first(ep, s);
	dg_timers_set(&ep->session_timers, s->slot, s->due);
	dg_note_accept(ep, s, hello->time, in);
	return DGRAM_FATE_TAKEN;
}

/* Under load nothing is kept of a stranger before it has proved that it is where it says. */
static enum dgram_fate first_init(struct dgram_endpoint *ep, const struct dg_place *from,
                                  const struct dg_hello *hello, const struct dgram_datagram *in,
                                  uint64_t now)
{
	bool cookie = dg_cookie_check(&ep->cookies, hello->cookie, from, now);
	bool proved = cookie || ep->config.connected; /* a handshake went before */
	uint64_t party = dg_place_party(from, ep->key);
	uint32_t victim;
	bool full = dg_admission_room(&ep->admission, party, &victim) == DG_ROOM_NONE;

	if (!proved && (full || dg_admission_is_loaded(&ep->admission, party))) {
		dg_note_cookie(ep, from, hello->session, in, now);
		return DGRAM_FATE_TAKEN;
	}
	if (full || (proved && !make_place(ep, party, now))) {
		dg_note_busy(ep, from, hello->session, full ? BUSY_RETRY_MS : SOON_RETRY_MS, in);
		return DGRAM_FATE_TAKEN;
	}
	return half_open(ep, from, hello, in, cookie, now);
}

enum dgram_fate dg_hello_init(struct dgram_endpoint *ep, const struct dg_place *from,
                              const struct dg_parts *parts, const struct dgram_datagram *in,
                              uint64_t now)
{
	struct dg_hello hello;
	struct dg_session *s;

	if (!dg_hello_decode(&hello, parts))
		return DGRAM_FATE_MALFORMED;
	if (!dg_crc_check(parts, in->data, 0))
		return DGRAM_FATE_CHECKSUM;
	if (hello.endpoint == ep->id)
		return own_init(ep, from, &hello, now);
	if (ep->config.answers_nobody)
		return DGRAM_FATE_UNEXPECTED;
	if (!speaks_ours(&hello))
		return DGRAM_FATE_FOREIGN;
	s = dg_session_of_peer(ep, from, hello.session);
	if (!s)
		return first_init(ep, from, &hello, in, now);
	if (s->initiator)
		return DGRAM_FATE_RULE;
	move_origin(s, &hello, now);
	dg_note_accept(ep, s, hello.time, in);
	return DGRAM_FATE_TAKEN;
}

/* ---- ACCEPT ----------------------------------------------------------------------------------- */

/* An INIT of ours had this time, and not long ago: an old one's ACCEPT must not look like news. */
static bool is_echo_of_ours(const struct dg_session *s, const struct dg_active *a, uint64_t time,
                            uint64_t now)
{
	for (uint32_t i = 0; i < DG_INIT_TIMES; i++) {
		uint64_t at = a->opening.times[i];

		if (at > 0 && (at - s->origin) / DGRAM_US == time)
			return now - at <= DG_ACCEPT_LIFE;
	}
	return false;
}

static void open_session(struct dgram_endpoint *ep, struct dg_session *s,
                         const struct dg_hello *hello, const struct dgram_datagram *in,
                         uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);
	uint64_t sent_at = s->origin + hello->time * DGRAM_US;

	agree(s, hello);
	dg_rtt_sample(&s->rtt, now > sent_at ? now - sent_at : 1, 0);
	dg_recovery_init(&a->recovery, a->ring, ep->config.window, ep->first_number, true);
	dg_congestion_init(&a->congestion, dg_session_controller(s), s->datagram,
	                   dg_session_profile(s)->initial_window);
	remember_local(s, in);
	s->state = DG_OPEN;
	s->due = DGRAM_NEVER;
	s->why = DGRAM_REASON_NONE;
	s->heard_at = now;
	s->say = s->spare ? 0 : DG_SAY_PING;
	ep->stats.opened++;
	dg_session_enter_by_init(ep, s);
}

/* The one that a probe was sent for is another process's: it has ended, and s with it where nobody needs
 * s. */
static bool settle_doubt(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	uint64_t id = dg_session_id(ep, s);
	struct dg_session *old = s->probe == DG_NONE ? NULL : dg_session_at(ep, s->probe);

	if (old)
		dg_doubt_hasten(ep, old, s, now);
	if (old && old->peer_boot != s->peer_boot)
		dg_session_lost(ep, old, 0, now);
	return dg_session_by_id(ep, id) == s;
}

enum dgram_fate dg_hello_accept(struct dgram_endpoint *ep, const struct dg_place *from,
                                const struct dg_parts *parts, const struct dgram_datagram *in,
                                uint64_t now)
{
	struct dg_session *s = dg_session_by_id(ep, parts->header.receiver);
	struct dg_hello hello;

	if (!dg_hello_decode(&hello, parts))
		return DGRAM_FATE_MALFORMED;
	if (!dg_crc_check(parts, in->data, 0))
		return DGRAM_FATE_CHECKSUM;
	if (!s || s->state != DG_OPENING || !dg_place_equal(&s->peer, from) ||
	    !is_echo_of_ours(s, dg_session_active(ep, s), hello.time, now))
		return DGRAM_FATE_UNEXPECTED;
	if (hello.versions[0] != DG_VERSION || hello.capabilities != 0)
		return DGRAM_FATE_RULE;
	open_session(ep, s, &hello, in, now);
	if (!settle_doubt(ep, s, now))
		return DGRAM_FATE_TAKEN;
	if (!s->spare) {
		dg_current_offer(ep, s, now);
		dg_session_touch(ep, s);
	} else {
		dg_timers_set(&ep->session_timers, s->slot, DGRAM_NEVER);
		dg_session_untouch(ep, s);
	}
	return DGRAM_FATE_TAKEN;
}

/* ---- COOKIE, BUSY, NOSESSION ------------------------------------------------------------------ */

static struct dg_session *opening(const struct dgram_endpoint *ep, const struct dg_place *from,
                                  uint64_t id)
{
	struct dg_session *s = dg_session_by_id(ep, id);

	return s && s->state == DG_OPENING && dg_place_equal(&s->peer, from) ? s : NULL;
}

enum dgram_fate dg_hello_cookie(struct dgram_endpoint *ep, const struct dg_place *from,
                                const struct dg_parts *parts, const struct dgram_datagram *in)
{
	struct dg_session *s = opening(ep, from, parts->header.receiver);
	uint8_t cookie[DG_COOKIE_SIZE];
	struct dg_active *a;

	if (!dg_cookie_decode(cookie, parts))
		return DGRAM_FATE_MALFORMED;
	if (!dg_crc_check(parts, in->data, 0))
		return DGRAM_FATE_CHECKSUM;
	if (!s)
		return DGRAM_FATE_UNEXPECTED;
	a = dg_session_active(ep, s);
	memcpy(a->opening.cookie, cookie, sizeof cookie);
	a->opening.has_cookie = true;
	if (a->opening.cookie_used || s->why == DGRAM_REASON_BUSY)
		return DGRAM_FATE_TAKEN; /* with the next INIT, when its timer sends it */
	a->opening.cookie_used = true;
	s->say |= DG_SAY_INIT;
	dg_session_touch(ep, s);
	return DGRAM_FATE_TAKEN;
}

enum dgram_fate dg_hello_busy(struct dgram_endpoint *ep, const struct dg_place *from,
                              const struct dg_parts *parts, const struct dgram_datagram *in,
                              uint64_t now)
{
	struct dg_session *s = opening(ep, from, parts->header.receiver);
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	uint64_t retry = dg_read_u32(&r) * DGRAM_MS;

	if (!dg_crc_check(parts, in->data, 0))
		return DGRAM_FATE_CHECKSUM;
	if (!s)
		return DGRAM_FATE_UNEXPECTED;
	s->why = DGRAM_REASON_BUSY;
	s->say &= (uint8_t)~DG_SAY_INIT;
	s->due = now + (retry < BUSY_LONGEST ? retry : BUSY_LONGEST);
	dg_session_touch(ep, s);
	return DGRAM_FATE_TAKEN;
}

enum dgram_fate dg_hello_nosession(struct dgram_endpoint *ep, const struct dg_place *from,
                                   const struct dg_parts *parts, const struct dgram_datagram *in,
                                   uint64_t now)
{
	struct dg_session *s = dg_session_of_peer(ep, from, parts->header.receiver);
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	uint64_t number = dg_read_u64(&r);
	const struct dg_active *a = s ? dg_session_active(ep, s) : NULL;

	if (!dg_crc_check(parts, in->data, 0))
		return DGRAM_FATE_CHECKSUM;
	if (!a || s->state != DG_OPEN || !dg_recovery_is_in_flight(&a->recovery, number))
		return DGRAM_FATE_UNEXPECTED;
	dg_doubt(ep, s, now);
	return DGRAM_FATE_TAKEN;
}

/* DATA that we cannot take may draw NOSESSION: by its header and length alone, whether the session is
 * unknown or another's, so that nobody learns which ids there are. */
enum dgram_fate dg_hello_stranger(struct dgram_endpoint *ep, const struct dg_place *from,
                                  const struct dg_parts *parts, const struct dgram_datagram *in,
                                  uint64_t now)
{
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	uint64_t number = dg_read_u64(&r);
	uint64_t place = dg_place_hash(from, 0, ep->key);

	if (!(parts->header.flags & DG_FLAG_ASKS))
		return DGRAM_FATE_STRANGER;
	if (!dg_bucket_take(&ep->strangers[place % DG_STRANGERS], &strangers_rate, now))
		return DGRAM_FATE_LIMITED;
	dg_note_nosession(ep, from, parts->header.receiver, number, in);
	return DGRAM_FATE_STRANGER;
}

/* ---- what is sent ------------------------------------------------------------------------------- */

/* An INIT, and when the next one leaves. */
void dg_hello_write(struct dgram_endpoint *ep, struct dg_session *s, struct dgram_datagram *out,
                    uint64_t now)
{
	const struct dg_header header = {.version = DG_VERSION, .type = DG_INIT};
	struct dg_active *a = dg_session_active(ep, s);
	struct dg_writer w = dg_writer(out->data, ep->config.datagram_max);
	struct dg_hello hello;

	if (a->opening.tries == 0) {
		s->origin = now;
		s->serial = ep->serial++;
		s->no_credit = !dg_promise_first(ep, s);
	}
	dg_hello_of(ep, s, &hello);
	hello.time = dg_session_time(s, now);
	memcpy(hello.cookie, a->opening.cookie, sizeof hello.cookie);
	dg_hello_encode(&w, &header, &hello);
	dg_crc_append(&w, 0);
	dg_address(out, &s->peer, &s->local, s->interface);
	out->len = w.len;
	a->opening.times[a->opening.tries % DG_INIT_TIMES] = s->origin + hello.time * DGRAM_US;
	s->due = now + dg_rtt_wait(&s->rtt, a->opening.tries++, dg_random_next(&ep->random));
	if (s->connected)
		s->due = DGRAM_NEVER;
	s->say &= (uint8_t)~DG_SAY_INIT;
	s->why = DGRAM_REASON_NONE;
}
