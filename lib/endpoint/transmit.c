/* The way out: whose turn it is, and what may leave. Sessions take turns, one datagram each. */
#include "endpoint/packet.h"

#include <dgram/error.h>
#include <string.h>

#define OF_READY offsetof(struct dg_session, of_ready)
#define ROUNDS   16 /* of timers and sessions in one call; more would be a mistake of ours */
#define NO_ITEMS                                                                                   \
	(10 * DGRAM_MS) /* until the next look, when there is nothing to remember packets by */

void dg_address(struct dgram_datagram *out, const struct dg_place *to, const struct dg_place *local,
                uint32_t interface)
{
	out->peer = dg_place_addr(to);
	out->local = dg_place_addr(local);
	out->local.port = 0;
	out->interface = interface;
	out->group = false;
	out->status = 0;
	out->segment = 0;
}

/* ---- what may leave ----------------------------------------------------------------------------------- */

static bool window_is_open(const struct dg_session *s, struct dg_active *a)
{
	return a->recovery.in_flight + s->datagram <= a->congestion.window &&
	       dg_recovery_has_room(&a->recovery);
}

static uint64_t paced(const struct dg_session *s, const struct dg_active *a)
{
	return dg_pacer_due(&a->pacer, dg_congestion_rate(&a->congestion, dg_rtt_smoothed(&s->rtt)),
	                    s->datagram);
}

/* The first message that waits could begin, or ask for credit. */
static bool waiting_is_ready(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	const struct dg_message *m = dg_message_first(ep, s, DG_QUEUE_WAITING);

	if (!m || s->doubted || s->checking)
		return false;
	if (dg_out_is_used_up(s, dg_session_active(ep, s)))
		return true;
	if (m->id == DG_NO_ID)
		return s->next_id < s->allowed_ids;
	return m->cells.total <= s->allowed - s->begun || m->needed_at != s->begun;
}

static bool has_asking(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return s->say & DG_SAY_ASKING || dg_message_first(ep, s, DG_QUEUE_WORK) ||
	       waiting_is_ready(ep, s);
}

static bool has_free(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return s->say & DG_SAY_RESPONSE || dg_message_first(ep, s, DG_QUEUE_FREE);
}

static bool has_items(const struct dgram_endpoint *ep)
{
	return ep->items.used < ep->items.count;
}

/* When something that waits only for its turn on the line may go. */
uint64_t dg_transmit_due(const struct dgram_endpoint *ep, const struct dg_session *s,
                         struct dg_active *a, uint64_t now)
{
	uint64_t due = paced(s, a);

	if (has_free(ep, s))
		return due;
	if (!has_asking(ep, s) || !window_is_open(s, a))
		return DGRAM_NEVER;
	if (!has_items(ep))
		return now + NO_ITEMS;
	return a->again_at > due && !(s->say & DG_SAY_ASKING) ? a->again_at : due;
}

/* ---- one datagram of a session ------------------------------------------------------------------------- */

enum licence {
	NOTHING,
	ONLY_FREE, /* frames that ask for no ACK */
	ALL,
	PROBE, /* whatever the window says */
	SIZE_PROBE,
};

static enum licence licence_of(const struct dgram_endpoint *ep, const struct dg_session *s,
                               struct dg_active *a, uint64_t now)
{
	bool on_time = paced(s, a) <= now;

	if (a->probes > 0)
		return PROBE;
	if (on_time && window_is_open(s, a) && has_items(ep)) {
		if (dg_path_wants_probe(ep, s, a, now))
			return SIZE_PROBE;
		if (s->say & DG_SAY_ASKING || (a->again_at <= now && has_asking(ep, s)))
			return ALL;
	}
	if (dg_window_ack_due(&a->window) <= now || (on_time && has_free(ep, s)))
		return ONLY_FREE;
	return NOTHING;
}

static bool build_packet(struct dgram_endpoint *ep, struct dg_session *s,
                         struct dgram_datagram *out, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);
	enum licence licence = licence_of(ep, s, a, now);
	struct dg_packet p;

	if (licence == NOTHING)
		return false;
	dg_packet_begin(&p, ep, s, out, now);
	p.may_ask = licence != ONLY_FREE || (dg_packet_is_overdue(a) && window_is_open(s, a));
	if (licence == PROBE) {
		a->probes--;
		dg_packet_probe(&p);
	} else if (licence == SIZE_PROBE) {
		dg_packet_probe_size(&p, dg_path_probe(ep, s, a));
	} else {
		dg_packet_fill(&p);
	}
	return dg_packet_finish(&p, out);
}

static bool build(struct dgram_endpoint *ep, struct dg_session *s, struct dgram_datagram *out,
                  uint64_t now)
{
	if (s->state == DG_OPENING) {
		if (!(s->say & DG_SAY_INIT))
			return false;
		dg_hello_write(ep, s, out, now);
		return true;
	}
	if (s->state != DG_OPEN || s->spare || s->stalled)
		return false;
	if (s->active == DG_NONE && s->all.first == DG_NONE &&
	    (s->say & (uint8_t)~DG_SAY_SETTLED) == 0)
		return false;
	return dg_session_wake(ep, s, now) && build_packet(ep, s, out, now);
}

/* ---- whose turn it is ------------------------------------------------------------------------------------ */

/* Its last packet number was used: nothing can be said in it any more. */
static bool is_spent(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	const struct dg_active *a = dg_session_active(ep, s);

	return s->state == DG_OPEN && (a ? a->recovery.next : s->next_number) > DG_VARINT_MAX;
}

/* True: a datagram was built. */
static bool next_session(struct dgram_endpoint *ep, struct dgram_datagram *out, uint64_t now)
{
	while (ep->ready.first != DG_NONE) {
		struct dg_session *s = dg_session_at(ep, ep->ready.first);

		if (is_spent(ep, s)) {
			dg_session_lost(ep, s, 0, now);
			continue;
		}
		if (build(ep, s, out, now)) {
			dg_list_remove(&ep->ready, &ep->sessions, OF_READY, s->slot);
			dg_list_append(&ep->ready, &ep->sessions, OF_READY, s->slot);
			return true;
		}
		dg_session_untouch(ep, s);
		dg_session_plan(ep, s, now);
	}
	return false;
}

int dgram_endpoint_transmit(struct dgram_endpoint *ep, struct dgram_datagram *out, uint64_t now)
{
	dg_event_release(ep);
	if (ep->dead)
		return 0;
	for (int round = 0; round < ROUNDS; round++) {
		dg_timeouts(ep, now);
		if (dg_note_take(ep, out) || next_session(ep, out, now)) {
			ep->stats.sent++;
			ep->stats.bytes_sent += out->len;
			return 1;
		}
		if (dg_timers_due(&ep->session_timers) > now &&
		    dg_timers_due(&ep->message_timers) > now && ep->notes_count == 0)
			break;
	}
	return 0;
}

uint64_t dgram_endpoint_deadline(const struct dgram_endpoint *ep)
{
	uint64_t sessions = dg_timers_due(&ep->session_timers);
	uint64_t messages = dg_timers_due(&ep->message_timers);

	if (ep->dead)
		return DGRAM_NEVER;
	if (ep->notes_count > 0 || ep->ready.first != DG_NONE)
		return 0;
	return sessions < messages ? sessions : messages;
}
