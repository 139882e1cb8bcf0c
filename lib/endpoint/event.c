/* What the program is told, one event at a time; and what it may ask about. */
#include "endpoint/endpoint.h"

#include <dgram/error.h>

/* ---- words ------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *text;
} fates[] = {
#define FATE_ROW(name, lower, text) [DGRAM_FATE_##name] = {#lower, text},
        DGRAM_FATES(FATE_ROW)
#undef FATE_ROW
};

static const struct {
	const char *name, *text;
} reasons[] = {
#define REASON_ROW(name, lower, text) [DGRAM_REASON_##name] = {#lower, text},
        DGRAM_REASONS(REASON_ROW)
#undef REASON_ROW
};

const char *dgram_fate_text(enum dgram_fate fate)
{
	return (unsigned)fate < DGRAM_FATE_COUNT ? fates[fate].text : "no such fate";
}

const char *dgram_fate_name(enum dgram_fate fate)
{
	return (unsigned)fate < DGRAM_FATE_COUNT ? fates[fate].name : "none";
}

const char *dgram_reason_text(enum dgram_reason reason)
{
	return (unsigned)reason < DGRAM_REASON_COUNT ? reasons[reason].text : "no such reason";
}

const char *dgram_reason_name(enum dgram_reason reason)
{
	return (unsigned)reason < DGRAM_REASON_COUNT ? reasons[reason].name : "no_reason";
}

/* ---- events ------------------------------------------------------------------------------------------ */

/* The program has looked at the data of the last event. */
void dg_event_release(struct dgram_endpoint *ep)
{
	uint32_t lent = ep->lent;

	ep->lent = DG_NONE;
	if (lent != DG_NONE)
		dg_message_release(ep, dg_message_at(ep, lent));
}

static void add_bytes(struct dgram_endpoint *ep, const struct dg_cells *cells,
                      struct dgram_event *out)
{
	out->len = cells->total;
	out->data = dg_message_bytes(ep, cells, 0, out->len, ep->scratch);
}

static void describe_done(struct dgram_endpoint *ep, const struct dg_message *m,
                          struct dgram_event *out)
{
	out->outcome = m->outcome;
	out->elapsed = m->since;
	out->user = m->user;
	out->tries = m->tries;
	out->arrived = m->kind == DGRAM_ECHO && (m->accepted || m->outcome == DGRAM_ANSWERED);
	if (m->kind == DGRAM_ECHO && m->tries > 0)
		out->sent = m->packet + 1;
	if (m->outcome != DGRAM_ANSWERED) {
		out->retry_after = m->reason == DGRAM_REASON_BUSY ? m->service : 0;
		return;
	}
	if (m->kind == DGRAM_ECHO)
		out->received = m->grant;
	if (!m->has_reply)
		return;
	out->status = m->status;
	out->service = m->service;
	add_bytes(ep, &m->reply, out);
}

static void describe_arrival(struct dgram_endpoint *ep, const struct dg_message *m,
                             struct dgram_event *out)
{
	out->hops = m->hops;
	out->ordered = m->flags & DG_ORDERED;
	out->idempotent = m->flags & DG_IDEMPOTENT;
	out->deadline = m->kind == DGRAM_REQUEST ? m->deadline : DGRAM_NEVER;
	if (m->flags & DG_NAMED) {
		out->name = m->name;
		out->name_len = m->name_len;
	}
	add_bytes(ep, &m->cells, out);
}

static void describe(struct dgram_endpoint *ep, const struct dg_message *m, struct dgram_event *out)
{
	bool sessionless = m->id == DG_NO_ID && m->kind != DGRAM_POST;

	*out = (struct dgram_event){
	        .type = m->event,
	        .kind = m->kind,
	        .reason = m->reason,
	        .id = dg_message_handle(m),
	        .session = sessionless ? 0 : m->session_id,
	        .peer_session = sessionless ? 0 : m->peer_session_id,
	        .number = m->kind == DGRAM_POST ? m->post_number
	                  : m->id == DG_NO_ID   ? 0
	                                        : m->id,
	        .peer = dg_place_addr(&m->peer),
	        .deadline = DGRAM_NEVER,
	        .data = ep->scratch,
	};
	if (m->event == DGRAM_EVENT_DONE)
		describe_done(ep, m, out);
	else if (m->event != DGRAM_EVENT_STOP)
		describe_arrival(ep, m, out);
}

int dgram_endpoint_next_event(struct dgram_endpoint *ep, struct dgram_event *event, uint64_t now)
{
	dg_event_release(ep);
	while (ep->events.first != DG_NONE) {
		struct dg_message *m = dg_message_at(ep, ep->events.first);
		uint8_t type = m->event;

		if (type == DGRAM_EVENT_REQUEST && dg_in_is_expired(ep, m, now))
			continue;
		describe(ep, m, event);
		ep->lent = m->number;
		dg_message_no_event(ep, m);
		if (type == DGRAM_EVENT_REQUEST || type == DGRAM_EVENT_MESSAGE)
			dg_in_given(ep, m);
		return 1;
	}
	return 0;
}

/* ---- asked ------------------------------------------------------------------------------------------- */

void dgram_endpoint_stats(const struct dgram_endpoint *ep, struct dgram_endpoint_stats *out)
{
	*out = ep->stats;
	out->sessions = ep->admission.confirmed;
	out->half_open = ep->admission.half_open;
	out->busy = ep->actives.used;
	out->messages = ep->messages.used;
	out->requests = ep->requests;
	out->pool_used = (uint64_t)ep->arena.pool.used << ep->arena.shift;
	out->pool_size = (uint64_t)ep->arena.pool.count << ep->arena.shift;
}

int dgram_endpoint_session(const struct dgram_endpoint *ep, uint64_t session,
                           struct dgram_session_info *out)
{
	const struct dg_session *s = dg_session_by_id(ep, session);
	const struct dg_active *a = s ? dg_session_active(ep, s) : NULL;

	if (!s)
		return DGRAM_ERR_CLOSED;
	*out = (struct dgram_session_info){
	        .peer = dg_place_addr(&s->peer),
	        .initiator = s->initiator,
	        .up = s->state == DG_OPEN,
	        .rtt = dg_rtt_smoothed(&s->rtt),
	        .received = s->received,
	        .sent = a ? a->recovery.next : s->next_number,
	        .heard_at = s->heard_at,
	        .datagram = s->datagram,
	};
	return 0;
}

/* ---- closed ------------------------------------------------------------------------------------------ */

static void close_all(struct dgram_endpoint *ep, int close, uint64_t now)
{
	for (uint32_t slot = 0; slot < ep->sessions.fresh; slot++) {
		struct dg_session *s = dg_session_at(ep, slot);

		if (dg_pool_is_taken(&ep->sessions, slot) && s->state != 0)
			dg_session_quit(ep, s, close, now);
	}
}

void dgram_endpoint_close(struct dgram_endpoint *ep, uint64_t session, uint64_t now)
{
	struct dg_session *s = session ? dg_session_by_id(ep, session) : NULL;

	dg_event_release(ep);
	if (s)
		dg_session_quit(ep, s, DG_CLOSE_DONE, now);
	else if (session == 0)
		close_all(ep, DG_CLOSE_SHUTDOWN, now);
}

void dgram_endpoint_abandon(struct dgram_endpoint *ep)
{
	dg_event_release(ep);
	close_all(ep, 0, 0);
	while (ep->events.first != DG_NONE) {
		struct dg_message *m = dg_message_at(ep, ep->events.first);

		dg_message_no_event(ep, m);
		m->state = DG_ENDED;
		dg_message_release(ep, m);
	}
	ep->notes_count = 0;
	ep->dead = true; /* its ids would be the parent's next ones */
}
