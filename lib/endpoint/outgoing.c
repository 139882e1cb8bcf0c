/* Messages of ours, from submit to their one end.
 *
 * A message waits until its session is up, until the peer's credit covers it, and its turn; then it
 * has begun and belongs to that session for ever. It is exposed when the last of its bytes was given
 * to transmit. What ends before that is refused, what ends after it without a word is unknown. */
#include "endpoint/endpoint.h"

#include <string.h>

#define POST_AROUND  128 /* bytes: header, trailer, an ACK, and what stands before the data */
#define AGE_MAX      (3600 * DGRAM_S) /* then our clocks may differ by a second or two (500 ppm) */
#define NUMBERS_LEFT (UINT64_C(1) << 12) /* packets kept for what has begun in a session */

static bool is_reliable(const struct dg_message *m)
{
	return m->kind == DGRAM_SEND || m->kind == DGRAM_REQUEST;
}

/* ---- submitted -------------------------------------------------------------------------------- */

/* What fits into one datagram, with the frame and the packet around it. */
static size_t post_max(const struct dgram_endpoint *ep)
{
	size_t room = (size_t)ep->config.datagram_max - POST_AROUND;

	return room < DGRAM_POST_MAX ? room : DGRAM_POST_MAX;
}

static int check(const struct dgram_endpoint *ep, const struct dgram_message *message)
{
	if (message->kind < DGRAM_POST || message->kind > DGRAM_ECHO ||
	    (message->kind == DGRAM_ECHO && message->len > 0))
		return DGRAM_ERR_ARGUMENT;
	if (message->name && !dg_name_is_valid((const uint8_t *)message->name, message->name_len))
		return DGRAM_ERR_ARGUMENT;
	if (message->kind == DGRAM_POST &&
	    message->len + (message->name ? message->name_len : 0) > post_max(ep))
		return DGRAM_ERR_SIZE;
	if (message->len > DGRAM_MESSAGE_MAX ||
	    dg_arena_blocks(&ep->arena, dg_cells_buffer((uint32_t)message->len)) >
	            ep->arena.pool.count)
		return DGRAM_ERR_SIZE;
	return 0;
}

static int find_session(struct dgram_endpoint *ep, const struct dgram_message *message,
                        uint64_t now, struct dg_session **out)
{
	const struct dgram_addr *to = &message->to;
	struct dg_place place;

	if (message->session != 0) {
		*out = dg_session_by_id(ep, message->session);
		if (!*out || (*out)->state != DG_OPEN || (*out)->spare)
			return DGRAM_ERR_CLOSED;
		return dg_session_wake(ep, *out, now) ? 0 : DGRAM_ERR_FULL;
	}
	if (!dg_place_from(&place, to) || to->port == 0 || dgram_addr_is_multicast(to) ||
	    dgram_addr_is_broadcast(to) || dgram_addr_is_any(to))
		return DGRAM_ERR_ADDRESS;
	*out = dg_current(ep, &place);
	if (!*out) {
		*out = dg_session_initiate(ep, &place, now);
		if (*out)
			dg_current_offer(ep, *out, now);
	}
	return *out && dg_session_wake(ep, *out, now) ? 0 : DGRAM_ERR_FULL;
}

static void describe(struct dgram_endpoint *ep, struct dg_message *m,
                     const struct dgram_message *message, uint64_t now)
{
	m->kind = message->kind;
	m->state = DG_WAITING;
	m->deadline = message->deadline;
	m->since = now;
	m->user = message->user;
	m->serial = ep->submitted++;
	m->hops = message->kind == DGRAM_ECHO ? 0 : message->hops;
	m->pinned = message->session != 0;
	if (message->name && message->kind != DGRAM_ECHO) {
		m->flags |= DG_NAMED;
		m->name_len = (uint8_t)message->name_len;
		memcpy(m->name, message->name, message->name_len);
	}
	m->flags |= m->hops ? DG_HOPS : 0;
	m->flags |= message->ordered && is_reliable(m) ? DG_ORDERED : 0;
	m->flags |= message->idempotent && m->kind == DGRAM_REQUEST ? DG_IDEMPOTENT : 0;
}

static enum dg_queue first_queue(const struct dg_message *m)
{
	if (m->kind == DGRAM_POST)
		return DG_QUEUE_FREE;
	return m->kind == DGRAM_ECHO ? DG_QUEUE_WORK : DG_QUEUE_WAITING;
}

/* An eighth of all places stays for what the peers send, as an eighth does for us. */
static bool has_place(const struct dgram_endpoint *ep)
{
	return ep->messages.used + ep->messages.count / 8 < ep->messages.count;
}

static int take(struct dgram_endpoint *ep, struct dg_session *s,
                const struct dgram_message *message, uint64_t now, struct dg_message **out)
{
	struct dg_message *m = has_place(ep) ? dg_message_take(ep, s, true) : NULL;

	if (!m)
		return DGRAM_ERR_FULL;
	if (!dg_message_hold(ep, m, message->data, message->len, 0)) {
		m->state = DG_ENDED;
		dg_message_release(ep, m);
		return DGRAM_ERR_FULL;
	}
	describe(ep, m, message, now);
	if (m->kind == DGRAM_POST && m->deadline == DGRAM_NEVER) /* nobody could call it off */
		m->deadline = now + dg_session_profile(s)->deadline;
	s->waiting_out++;
	dg_message_queue(ep, m, first_queue(m));
	dg_message_plan(ep, m);
	*out = m;
	return 0;
}

int dgram_endpoint_submit(struct dgram_endpoint *ep, const struct dgram_message *message,
                          uint64_t now, uint64_t *id)
{
	struct dg_session *s = NULL;
	struct dg_message *m = NULL;
	int error = check(ep, message);

	if (ep->dead)
		error = DGRAM_ERR_CLOSED;
	if (error == 0)
		error = find_session(ep, message, now, &s);
	if (error == 0)
		error = take(ep, s, message, now, &m);
	if (error != 0 && s && s->state == DG_OPENING && s->waiting_out == 0)
		dg_session_forget(ep, s, now);
	dg_event_release(ep); /* not before: the data may be an event's */
	if (error == 0 && id)
		*id = dg_message_handle(m);
	return error;
}

/* ---- begun ------------------------------------------------------------------------------------ */

/* Its id, which it keeps: from here on the peer waits for it. */
static bool name_it(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m)
{
	if (m->id != DG_NO_ID)
		return true;
	if (s->next_id >= s->allowed_ids || s->next_id >= DG_VARINT_MAX)
		return false;
	m->id = s->next_id;
	m->peer_session_id = s->peer_id; /* which was not known when it joined before the session was up */
	if (!dg_message_enter(ep, m)) {
		m->id = DG_NO_ID;
		return false;
	}
	s->next_id++;
	if (m->flags & DG_ORDERED) {
		m->order = s->last_ordered;
		s->last_ordered = m->id;
		s->ordered_out++;
	}
	return true;
}

/* Nobody heard of the peer for long: a PING goes first, or each of its restarts would turn the next
 * message into one that may have run. */
static bool is_silent(const struct dg_session *s, const struct dg_message *m, uint64_t now)
{
	return !(m->flags & DG_IDEMPOTENT) && now > s->heard_at &&
	       now - s->heard_at >= dg_session_silence(s);
}

static void reserve_reply(struct dgram_endpoint *ep, struct dg_message *m)
{
	uint64_t grant = ep->config.credit < ep->config.message_max ? ep->config.credit
	                                                            : ep->config.message_max;

	m->grant = m->kind == DGRAM_REQUEST && dg_promise(ep, &m->promised, grant) ? grant : 0;
}

/* Its numbers or ids come to their end: what it still has to say it can, but nothing more begins. */
bool dg_out_is_used_up(const struct dg_session *s, const struct dg_active *a)
{
	return s->next_id >= DG_VARINT_MAX - 1 || a->recovery.next > DG_VARINT_MAX - NUMBERS_LEFT;
}

/* Session time is two clocks that were set at its beginning, and deadlines are told in it. */
static bool is_old(const struct dg_session *s, uint64_t now)
{
	return s->initiator && s->current && now > s->origin && now - s->origin >= AGE_MAX;
}

static void go_elsewhere(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                         uint64_t now)
{
	if (m->pinned || !dg_current_has_movable(ep, s) || !dg_session_replace(ep, s, now))
		dg_out_end(ep, m, DGRAM_REFUSED, DGRAM_REASON_LOST, now);
}

bool dg_out_begin(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                  uint64_t now)
{
	if (s->doubted || s->checking)
		return false;
	if (dg_out_is_used_up(s, dg_session_active(ep, s))) {
		go_elsewhere(ep, s, m, now);
		return false;
	}
	if (is_old(s, now) && !m->pinned && dg_session_replace(ep, s, now))
		return false;
	if (m->flags & DG_ORDERED && !dg_current_is_in_order(ep, s)) {
		dg_message_queue(ep, m, DG_QUEUE_HELD);
		return true;
	}
	if (is_silent(s, m, now)) {
		dg_doubt_check(ep, s, now);
		return false;
	}
	if (!name_it(ep, s, m))
		return false;
	if (m->cells.total > s->allowed - s->begun) {
		if (m->needed_at != s->begun) /* what it asked for may have gone to others */
			s->say |= DG_SAY_NEED;
		m->needed_at = s->begun;
		return false;
	}
	s->say &= (uint8_t)~DG_SAY_NEED;
	s->begun += m->cells.total;
	m->state = DG_BEGUN;
	m->due = m->cells.total == 0 ? DG_DUE_EMPTY : 0;
	reserve_reply(ep, m);
	dg_message_queue(ep, m, DG_QUEUE_WORK);
	return true;
}

/* More credit came: if it does not cover the first that waits, that is said again. */
void dg_out_ask_again(struct dgram_endpoint *ep, struct dg_session *s)
{
	const struct dg_message *m = dg_message_first(ep, s, DG_QUEUE_WAITING);

	if (m && m->id != DG_NO_ID && m->cells.total > s->allowed - s->begun)
		s->say |= DG_SAY_NEED;
}

/* ---- acknowledged, lost ------------------------------------------------------------------------- */

static bool is_going_out(const struct dg_message *m)
{
	return (m->state == DG_BEGUN || m->state == DG_EXPOSED) && !m->cancelling;
}

static void fragment_acked(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                           const struct dg_item *item, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	if (m->state != DG_BEGUN && m->state != DG_EXPOSED && m->state != DG_ANSWERING)
		return;
	m->unacked -= item->len > 0 ? dg_cells_count(item->len) : 1;
	if (m->unacked > 0)
		return;
	if (m->kind == DGRAM_SEND) {
		dg_out_end(ep, m, DGRAM_ANSWERED, DGRAM_REASON_NONE, now);
	} else if (m->state == DG_EXPOSED && !m->accepted && !m->cancelling) {
		m->wake = now + dg_rtt_wait(&s->rtt, m->pulls, a->recovery.next);
		dg_message_plan(ep, m);
	}
}

void dg_out_acked(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                  const struct dg_item *item, uint64_t now)
{
	if (item->type == DG_SEND || item->type == DG_REQUEST) {
		fragment_acked(ep, s, m, item, now);
	} else if (item->type == DG_RESET) {
		m->resetting = false;
		dg_message_release(ep, m);
	} else if (item->type == DG_ECHO) {
		m->accepted = true;
	}
}

static void due(struct dgram_endpoint *ep, struct dg_message *m, enum dg_due what)
{
	m->due |= what;
	dg_message_queue(ep, m, DG_QUEUE_WORK);
}

void dg_out_lost(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_item *item)
{
	switch (item->type) {
	case DG_SEND:
	case DG_REQUEST:
		if (!is_going_out(m))
			break;
		if (item->len == 0)
			m->due |= DG_DUE_EMPTY;
		else
			dg_cells_unmark(&m->cells, &ep->arena, item->offset, item->len);
		if (item->offset < m->cursor)
			m->cursor = item->offset;
		dg_message_queue(ep, m, DG_QUEUE_WORK);
		break;
	case DG_RESET:
		if (m->resetting)
			due(ep, m, DG_DUE_RESET);
		break;
	case DG_CANCEL:
		if (m->cancelling && m->state != DG_ENDED)
			due(ep, m, DG_DUE_CANCEL);
		break;
	case DG_GRANT:
		if (m->state == DG_ANSWERING)
			due(ep, m, DG_DUE_GRANT);
		break;
	default: /* PULL has a timer of its own, ECHO is sent once */
		break;
	}
}

/* ---- what the peer said ------------------------------------------------------------------------- */

/* Nothing of a request is sent again once its reply comes, unless it is idempotent and its session is lost:
 * its bytes are kept for that while there is room for both. */
static bool keeps_request(const struct dgram_endpoint *ep, const struct dg_message *m,
                          uint64_t total)
{
	uint64_t blocks = dg_arena_blocks(&ep->arena, dg_cells_buffer((uint32_t)total));

	return m->flags & DG_IDEMPOTENT && blocks + ep->promised <= dg_arena_free(&ep->arena);
}

/* What follows a request's first fragment of a reply: nothing of the request is sent any more. */
static void begin_reply(struct dgram_endpoint *ep, struct dg_message *m, uint64_t total)
{
	dg_promise_drop(ep, &m->promised);
	if (!keeps_request(ep, m, total))
		dg_message_free_cells(ep, m);
	m->has_reply = dg_cells_begin(&m->reply, &ep->arena, total);
	m->state = DG_ANSWERING;
	m->due &= DG_DUE_CANCEL;
	m->wake = m->cancelling ? m->wake : DGRAM_NEVER;
	if (m->due == 0)
		dg_message_queue(ep, m, DG_QUEUE_NONE);
	dg_message_plan(ep, m);
}

void dg_out_reply(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                  uint64_t now)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, true);
	const struct dg_fragment fragment = {f->data, f->len, f->offset, f->total};

	if (!m || m->state == DG_ENDED)
		return;
	m->accepted = true;
	if (f->total > ep->config.message_max) {
		dg_out_end(ep, m, DGRAM_UNKNOWN, DGRAM_REASON_TOO_LONG, now);
		return;
	}
	if (m->state != DG_ANSWERING)
		begin_reply(ep, m, f->total);
	if (!m->has_reply)
		return;
	if (f->offset == 0) {
		m->status = (uint8_t)f->status;
		m->service = f->service * DGRAM_US;
	}
	if (f->len > 0)
		dg_cells_put(&m->reply, &ep->arena, &fragment);
	if (m->reply.missing == 0) {
		dg_out_end(ep, m, DGRAM_ANSWERED, DGRAM_REASON_NONE, now);
	} else if (f->total > m->grant) {
		m->grant = f->total;
		due(ep, m, DG_DUE_GRANT);
	}
}

/* The peer's clock says that the deadline has passed, and ours that there is time: one of them jumped. It
 * did not run, so it may be asked in a new session, where they agree again; once. */
static bool ask_elsewhere(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                          uint64_t now)
{
	if (!s->initiator || !s->current || m->pinned || m->cancelling || m->closed_before ||
	    m->exposed_before || now >= m->deadline || m->deadline - now < (now - m->since) / 2)
		return false;
	if (!dg_session_replace(ep, s, now))
		return false;
	m->closed_before = true;
	dg_out_move(ep, m, dg_current(ep, &s->peer));
	return true;
}

void dg_out_no(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
               uint64_t now)
{
	/* clang-format off */
	static const struct {
		enum dgram_outcome outcome;
		enum dgram_reason reason;
	} means[DG_NO_CODES] = {
		[DG_NO_BUSY]         = {DGRAM_REFUSED, DGRAM_REASON_BUSY},
		[DG_NO_SUCH_NAME]    = {DGRAM_REFUSED, DGRAM_REASON_NO_SUCH_NAME},
		[DG_NO_NOT_ALLOWED]  = {DGRAM_REFUSED, DGRAM_REASON_NOT_ALLOWED},
		[DG_NO_EXPIRED]      = {DGRAM_REFUSED, DGRAM_REASON_EXPIRED},
		[DG_NO_CANCELLED]    = {DGRAM_REFUSED, DGRAM_REASON_CANCELLED},
		[DG_NO_GONE]         = {DGRAM_UNKNOWN, DGRAM_REASON_GONE},
		[DG_NO_ROOM]         = {DGRAM_REFUSED, DGRAM_REASON_TOO_LONG},
	};
	/* clang-format on */
	struct dg_message *m = dg_message_find(ep, s, f->id, true);

	if (!m || m->state == DG_ENDED || m->state == DG_ANSWERING)
		return;
	if (f->code == DG_NO_EXPIRED && ask_elsewhere(ep, s, m, now))
		return;
	m->accepted = f->code != DG_NO_ROOM; /* else it may have begun meanwhile, and is RESET */
	if (f->code == DG_NO_BUSY)
		m->service = f->value < UINT64_MAX / DGRAM_MS ? f->value * DGRAM_MS : DGRAM_NEVER;
	dg_out_end(ep, m, means[f->code].outcome, means[f->code].reason, now);
}

void dg_out_accepted(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id)
{
	struct dg_message *m = dg_message_find(ep, s, id, true);

	if (!m || m->state == DG_ENDED)
		return;
	m->accepted = true;
	m->due &= ~(uint32_t)DG_DUE_PULL;
	if (!m->cancelling)
		m->wake = DGRAM_NEVER;
	dg_message_plan(ep, m);
}

void dg_out_echoed(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                   uint64_t now)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, true);

	if (!m || m->kind != DGRAM_ECHO || m->state == DG_ENDED)
		return;
	m->grant = f->value;
	dg_out_end(ep, m, DGRAM_ANSWERED, DGRAM_REASON_NONE, now);
}

/* ---- ended ------------------------------------------------------------------------------------ */

/* Below it all of our ids have ended: the peer may forget their answers. */
static void settle_ids(struct dgram_endpoint *ep, struct dg_session *s)
{
	uint64_t before = s->ended_below;

	while (s->ended_below < s->next_id && !dg_message_find(ep, s, s->ended_below, true))
		s->ended_below++;
	if (s->ended_below != before)
		s->say |= DG_SAY_SETTLED;
}

/* The peer waits for an id that it has not whole, and will not get: it has to hear so. */
static bool needs_reset(const struct dg_session *s, const struct dg_message *m)
{
	return s->state == DG_OPEN && is_reliable(m) && m->id != DG_NO_ID && m->unacked > 0 &&
	       !m->accepted;
}

static void end_in_session(struct dgram_endpoint *ep, struct dg_message *m, bool was_waiting)
{
	struct dg_session *s = dg_session_at(ep, m->session);

	s->waiting_out--;
	if (m->flags & DG_ORDERED && m->id != DG_NO_ID)
		dg_current_ordered_ended(ep, s);
	dg_message_queue(ep, m, DG_QUEUE_NONE);
	dg_message_leave_index(ep, m);
	settle_ids(ep, s);
	dg_session_touch(ep, s);
	if (!needs_reset(s, m))
		return;
	/* where nothing of it was begun, the total that it is given up with is 0 */
	m->reset_total = was_waiting ? 0 : m->cells.total;
	m->resetting = true;
	due(ep, m, DG_DUE_RESET);
}

void dg_out_end(struct dgram_endpoint *ep, struct dg_message *m, enum dgram_outcome outcome,
                enum dgram_reason reason, uint64_t now)
{
	struct dg_session *s = m->session == DG_NONE ? NULL : dg_session_at(ep, m->session);
	bool was_waiting = m->state == DG_WAITING;

	if (outcome == DGRAM_REFUSED && m->exposed_before)
		outcome = DGRAM_UNKNOWN; /* docs/decisions/0008 */
	m->state = DG_ENDED;
	m->outcome = (uint8_t)outcome;
	m->reason = (uint8_t)reason;
	m->since = now > m->since ? now - m->since : 0;
	m->due = 0;
	m->wake = DGRAM_NEVER;
	dg_promise_drop(ep, &m->promised);
	if (s)
		end_in_session(ep, m, was_waiting);
	dg_message_free_cells(ep, m);
	if (outcome != DGRAM_ANSWERED)
		dg_message_free_reply(ep, m);
	if (m->kind != DGRAM_POST)
		dg_message_event(ep, m, DGRAM_EVENT_DONE);
	dg_message_plan(ep, m);
	dg_message_release(ep, m);
	if (s && s->state == DG_OPENING && s->waiting_out == 0 && !s->spare)
		dg_session_forget(ep, s, now);
}

int dgram_endpoint_cancel(struct dgram_endpoint *ep, uint64_t id, uint64_t now)
{
	struct dg_message *m = dg_message_by_handle(ep, id);

	dg_event_release(ep);
	if (!m || !m->ours || m->state == DG_ENDED)
		return DGRAM_ERR_CLOSED;
	if (m->state == DG_WAITING || m->state == DG_BEGUN) {
		dg_out_end(ep, m, DGRAM_REFUSED, DGRAM_REASON_CANCELLED, now);
	} else if (m->kind != DGRAM_REQUEST) {
		dg_out_end(ep, m, DGRAM_UNKNOWN, DGRAM_REASON_CANCELLED, now);
	} else if (!m->cancelling) {
		struct dg_session *s = dg_session_at(ep, m->session);

		m->cancelling = true;
		m->pulls = 0;
		m->due &= ~(uint32_t)(DG_DUE_EMPTY | DG_DUE_PULL);
		m->wake = now + dg_rtt_wait(&s->rtt, 0, s->next_id);
		due(ep, m, DG_DUE_CANCEL);
		dg_message_plan(ep, m);
	}
	return 0;
}

static void end_at_deadline(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now)
{
	const struct dg_session *s = dg_session_at(ep, m->session);

	if (m->state != DG_WAITING)
		dg_out_end(ep, m, m->state == DG_BEGUN ? DGRAM_REFUSED : DGRAM_UNKNOWN,
		           m->cancelling ? DGRAM_REASON_CANCELLED : DGRAM_REASON_DEADLINE, now);
	else if (s->state != DG_OPENING)
		dg_out_end(ep, m, DGRAM_REFUSED, DGRAM_REASON_DEADLINE, now);
	else
		dg_out_end(ep, m, DGRAM_REFUSED,
		           s->why != DGRAM_REASON_NONE ? (enum dgram_reason)s->why
		                                       : DGRAM_REASON_NO_SESSION,
		           now);
}

void dg_out_timeout(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now)
{
	struct dg_session *s;

	if (m->state == DG_ENDED)
		return;
	if (now >= m->deadline) {
		end_at_deadline(ep, m, now);
		return;
	}
	if (now < m->wake) {
		dg_message_plan(ep, m);
		return;
	}
	s = dg_session_at(ep, m->session);
	m->pulls++;
	m->wake = now + dg_rtt_wait(&s->rtt, m->pulls, s->next_id);
	due(ep, m, m->cancelling ? DG_DUE_CANCEL : DG_DUE_PULL);
	dg_message_plan(ep, m);
}

/* ---- its session has ended ------------------------------------------------------------------------ */

static bool never_runs(const struct dg_message *m, uint64_t first)
{
	return first != DG_NO_ID && m->id >= first;
}

/* It runs in at most one session: it was exposed in none, or may run twice, or the peer said that it never
 * will (once, or two peers could go round in circles). */
bool dg_out_can_move(const struct dg_message *m, const struct dg_ending *how)
{
	if (!m->ours || m->pinned || m->cancelling || m->state == DG_ENDED ||
	    m->kind == DGRAM_ECHO || !m->has_cells)
		return false;
	if (m->state == DG_WAITING || (m->kind == DGRAM_REQUEST && m->flags & DG_IDEMPOTENT))
		return true;
	if (never_runs(m, how->first))
		return how->again && !m->closed_before;
	return m->state == DG_BEGUN;
}

static void leave_session(struct dgram_endpoint *ep, struct dg_message *m)
{
	struct dg_session *s = dg_session_at(ep, m->session);

	s->waiting_out--;
	if (m->flags & DG_ORDERED && m->id != DG_NO_ID)
		dg_current_ordered_ended(ep, s);
	dg_message_part(ep, m);
	settle_ids(ep, s);
}

/* Into another session, as if it had never been in this one. */
void dg_out_move(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *to)
{
	leave_session(ep, m);
	dg_promise_drop(ep, &m->promised);
	dg_message_free_reply(ep, m);
	if (m->cells.total > 0)
		dg_cells_unmark(&m->cells, &ep->arena, 0, m->cells.total);
	m->unacked = m->cells.total > 0 ? dg_cells_count(m->cells.total) : 1;
	m->cursor = 0;
	m->id = m->order = DG_NO_ID;
	m->state = DG_WAITING;
	m->due = 0;
	m->grant = 0;
	m->needed_at = DG_NO_ID;
	m->pulls = 0;
	m->accepted = false;
	m->wake = DGRAM_NEVER;
	dg_message_join(ep, m, to);
	to->waiting_out++;
	dg_message_queue(ep, m, first_queue(m));
	dg_message_plan(ep, m);
}

void dg_out_lose(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *next,
                 const struct dg_ending *how, uint64_t now)
{
	bool exposed =
	        (m->state == DG_EXPOSED || m->state == DG_ANSWERING) && !never_runs(m, how->first);

	if (m->state == DG_ENDED) {
		m->resetting = false;
		dg_message_part(ep, m);
		dg_message_release(ep, m);
		return;
	}
	if (next && dg_out_can_move(m, how) && now < m->deadline) {
		m->exposed_before |= exposed;
		m->closed_before |= m->state != DG_WAITING && never_runs(m, how->first);
		dg_out_move(ep, m, next);
		return;
	}
	dg_message_part(ep, m);
	dg_out_end(ep, m, exposed ? DGRAM_UNKNOWN : DGRAM_REFUSED, how->reason, now);
}
