/* Messages of the peers, from the first fragment to the forgotten answer.
 *
 * An id is marked seen once its message is whole, refused, cancelled or reset: always before anything
 * that depends on it leaves. From then on it is never taken again; a copy of a REQUEST draws what was
 * said before. */
#include "endpoint/endpoint.h"

#include <string.h>

#define NEED_RETRY (20 * DGRAM_MS)  /* how often to look for room that a peer asked for */
#define BUSY_RETRY (100 * DGRAM_MS) /* what our own BUSY says */

static struct dg_session *session_of(const struct dgram_endpoint *ep, const struct dg_message *m)
{
	return dg_session_at(ep, m->session);
}

static uint64_t ack_delay(const struct dg_session *s)
{
	return dg_session_profile(s)->ack_delay_ms * DGRAM_MS;
}

/* A request that waits or runs counts against the limits. */
static bool is_at_work(const struct dg_message *m)
{
	return m->kind == DGRAM_REQUEST && (m->state == DG_QUEUED || m->state == DG_RUNNING);
}

static void set_state(struct dgram_endpoint *ep, struct dg_message *m, enum dg_message_state state)
{
	int before = is_at_work(m), after;

	m->state = (uint8_t)state;
	after = is_at_work(m);
	ep->requests += (uint32_t)(after - before);
	if (m->session != DG_NONE)
		session_of(ep, m)->running += (uint16_t)(after - before);
}

void dg_in_forget(struct dgram_endpoint *ep, struct dg_message *m)
{
	set_state(ep, m, DG_ENDED);
	if (m->session != DG_NONE) {
		dg_message_queue(ep, m, DG_QUEUE_NONE);
		dg_message_leave_index(ep, m);
		dg_session_touch(ep, session_of(ep, m));
	}
	m->wake = DGRAM_NEVER;
	dg_message_plan(ep, m);
	dg_message_release(ep, m);
}

/* ---- order -------------------------------------------------------------------------------------- */

static void tell(struct dgram_endpoint *ep, struct dg_message *m)
{
	dg_message_let_go(ep, m);
	dg_message_event(ep, m,
	                 m->kind == DGRAM_REQUEST ? DGRAM_EVENT_REQUEST : DGRAM_EVENT_MESSAGE);
}

static struct dg_message *lowest_held(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	struct dg_message *lowest = NULL;

	for (uint32_t i = s->all.first; s->held > 0 && i != DG_NONE;) {
		struct dg_message *m = dg_message_at(ep, i);

		i = m->of_session.after;
		if (m->is_held && (!lowest || m->id < lowest->id))
			lowest = m;
	}
	return lowest;
}

/* The ordered message before it was given, or stands before it in the line of events. One that ended without
 * that may have waited itself, for what nobody knows: then all lower ids are waited for. */
static bool is_its_turn(const struct dgram_endpoint *ep, const struct dg_session *s,
                        const struct dg_message *m)
{
	const struct dg_message *before, *lowest;

	if (m->order == DG_NO_ID)
		return true;
	if (m->order < s->skipped) {
		lowest = lowest_held(ep, s);
		return s->seen.below > m->order && (!lowest || lowest->id >= m->id);
	}
	before = dg_message_find(ep, s, m->order, false);
	if (!before)
		return dg_seen_state(&s->seen, m->order) == DG_SEEN_BEFORE;
	return before->state > DG_QUEUED || before->event != 0;
}

/* Whoever waited for this one has its turn now, and so on. */
static void release_order(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id)
{
	struct dg_message *m = s->held > 0 ? dg_message_waiter(ep, s, id) : NULL;

	for (; m && id >= s->skipped; m = dg_message_waiter(ep, s, id)) {
		id = m->id;
		tell(ep, m);
	}
}

void dg_in_release_skipped(struct dgram_endpoint *ep, struct dg_session *s)
{
	struct dg_message *m = s->skipped > 0 ? lowest_held(ep, s) : NULL;

	for (; m && m->order < s->skipped && is_its_turn(ep, s, m); m = lowest_held(ep, s)) {
		tell(ep, m);
		release_order(ep, s, m->id);
	}
}

/* The id has ended, and was never given to the program. */
static void skip(struct dg_session *s, uint64_t id)
{
	if (id >= s->skipped)
		s->skipped = id + 1;
}

static void line_up(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m)
{
	if (!is_its_turn(ep, s, m) && dg_message_hold_back(ep, m))
		return;
	tell(ep, m);
	release_order(ep, s, m->id);
}

/* The session ends: what is missing will never come. The rest goes in the order of ids. */
void dg_in_release_held(struct dgram_endpoint *ep, struct dg_session *s)
{
	struct dg_message *lowest = lowest_held(ep, s), *m;

	if (!lowest)
		return;
	for (uint64_t id = lowest->id; s->held > 0 && id < dg_seen_end(&s->seen); id++) {
		m = dg_message_find(ep, s, id, false);
		if (m && m->is_held)
			tell(ep, m);
	}
}

/* ---- answers -------------------------------------------------------------------------------------- */

/* 3 PTO after its deadline nobody waits for an answer any more. */
static uint64_t forget_at(const struct dg_session *s, const struct dg_message *m, uint64_t now)
{
	uint64_t pto = dg_rtt_pto(&s->rtt), since = m->deadline > now ? m->deadline : now;

	return m->deadline < DGRAM_NEVER - 3 * pto ? since + 3 * pto : DGRAM_NEVER;
}

/* The id has its answer, a NO; its event is no longer to be had. */
static void answer_no(struct dgram_endpoint *ep, struct dg_message *m, enum dg_no code,
                      uint64_t retry_after, uint64_t now)
{
	struct dg_session *s = session_of(ep, m);

	if (m->state != DG_RUNNING && !m->transient)
		skip(s, m->id);
	dg_message_let_go(ep, m);
	if (m->event != DGRAM_EVENT_STOP)
		dg_message_no_event(ep, m);
	set_state(ep, m, DG_ANSWERED);
	m->code = (uint8_t)code;
	m->service = retry_after;
	m->due = DG_DUE_ANSWER;
	m->wake = forget_at(s, m, now);
	dg_message_free_cells(ep, m);
	dg_message_queue(ep, m, m->accepted ? DG_QUEUE_WORK : DG_QUEUE_FREE);
	dg_message_plan(ep, m);
	if (m->id < s->settled && !m->uncounted)
		dg_in_forget(ep, m); /* its sender does not wait for it */
	dg_in_release_skipped(ep, s);
}

/* A place for what is best effort, or will be asked for again. NULL: others need it more. */
static struct dg_message *take_optional(struct dgram_endpoint *ep, struct dg_session *s)
{
	if (ep->spare_places == 0)
		return NULL;
	ep->spare_places--;
	return dg_message_take(ep, s, false);
}

/* A new id that is refused before anything of it was kept. kind 0: before it began. */
static void refuse_new(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id, uint8_t kind,
                       enum dg_no code, uint64_t now)
{
	bool asked_again = code == DG_NO_CANCELLED;
	struct dg_message *m = asked_again ? take_optional(ep, s) : dg_message_take(ep, s, false);

	if (!m) {
		if (asked_again && dg_seen_mark(&s->seen, id) == DG_SEEN_NEW)
			skip(s, id);
		return;
	}
	m->kind = kind;
	m->id = id;
	dg_message_enter(ep, m);
	dg_seen_mark(&s->seen, id);
	m->accepted = m->uncounted =
	        kind == 0; /* a NEED is not asked again by itself: its NO is pushed */
	answer_no(ep, m, code, BUSY_RETRY, now);
}

/* A REQUEST's id was seen and its answer is not kept any more. */
static void say_gone(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id, uint64_t now)
{
	struct dg_message *m = take_optional(ep, s);

	if (!m)
		return;
	m->kind = DGRAM_REQUEST;
	m->id = id;
	m->transient = true;
	answer_no(ep, m, DG_NO_GONE, 0, now);
}

/* The peer asks again: what was said before is said again. */
static void say_again(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->state == DG_QUEUED || m->state == DG_RUNNING) {
		m->accepted = true;
		m->wake = DGRAM_NEVER;
		dg_message_plan(ep, m);
		if (m->is_saying)
			return; /* it is on its way, and sent again if it is lost */
		m->due |= DG_DUE_ACCEPTED;
		dg_message_queue(ep, m, DG_QUEUE_WORK);
	} else if (m->state == DG_ANSWERED && !m->accepted) {
		m->due |= DG_DUE_ANSWER;
		dg_message_queue(ep, m, DG_QUEUE_FREE);
	}
}

/* What was received is said by the packet that answers: it is not kept. */
void dg_in_echo(struct dgram_endpoint *ep, struct dg_session *s, uint64_t number)
{
	struct dg_message *m = take_optional(ep, s);

	if (!m)
		return;
	m->kind = DGRAM_ECHO;
	m->id = number;
	m->transient = true;
	m->due = DG_DUE_ANSWER;
	set_state(ep, m, DG_ANSWERED);
	dg_message_queue(ep, m, DG_QUEUE_FREE);
}

void dg_in_pull(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id, uint64_t now)
{
	struct dg_message *m = dg_message_find(ep, s, id, false);

	if (m)
		say_again(ep, m);
	else if (dg_seen_state(&s->seen, id) == DG_SEEN_BEFORE)
		say_gone(ep, s, id, now);
}

/* ---- fragments ------------------------------------------------------------------------------------ */

/* Session time to our clock. 0 is none, and so is what a clock cannot hold. */
static uint64_t deadline_of(const struct dg_session *s, uint64_t us)
{
	if (us == 0 || us > (DGRAM_NEVER - 1 - s->origin) / DGRAM_US)
		return DGRAM_NEVER;
	return s->origin + us * DGRAM_US;
}

static void take_head(const struct dg_session *s, struct dg_message *m, const struct dg_frame *f)
{
	if (m->has_head)
		return;
	m->has_head = true;
	m->flags = f->flags & (DG_NAMED | DG_HOPS | DG_ORDERED | DG_IDEMPOTENT);
	m->hops = f->hops;
	m->name_len = f->name_len;
	if (f->name_len > 0)
		memcpy(m->name, f->name, f->name_len);
	if (f->flags & DG_ORDERED && f->order > 0)
		m->order = f->id - f->order;
	if (m->kind == DGRAM_REQUEST) {
		m->deadline = deadline_of(s, f->deadline);
		m->grant = f->grant;
	}
}

/* It is the program's: a CLOSE can no longer say that it never ran. */
static void begin(struct dg_session *s, const struct dg_message *m)
{
	if (m->id >= s->begun_below)
		s->begun_below = m->id + 1;
}

static bool is_busy(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return ep->requests >= ep->config.requests || s->running >= (ep->config.requests + 1) / 2;
}

static void whole(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                  uint64_t now)
{
	bool request = m->kind == DGRAM_REQUEST;

	dg_seen_mark(&s->seen, m->id);
	m->since = now;
	if (request && (now >= m->deadline || is_busy(ep, s))) {
		answer_no(ep, m, now >= m->deadline ? DG_NO_EXPIRED : DG_NO_BUSY, BUSY_RETRY, now);
		return;
	}
	set_state(ep, m, DG_QUEUED);
	if (request)
		m->wake = now + ack_delay(s);
	else
		begin(s, m);
	line_up(ep, s, m);
	dg_message_plan(ep, m);
}

/* The first that is heard of an id. NULL: it was refused. */
static struct dg_message *first_fragment(struct dgram_endpoint *ep, struct dg_session *s,
                                         const struct dg_frame *f, uint64_t now)
{
	uint8_t kind = f->type == DG_SEND ? DGRAM_SEND : DGRAM_REQUEST;
	struct dg_message *m;

	dg_promise_kept(ep, s, f->total);
	if (f->total > ep->config.message_max) {
		refuse_new(ep, s, f->id, kind, DG_NO_ROOM, now);
		return NULL;
	}
	if (kind == DGRAM_REQUEST && is_busy(ep, s)) {
		refuse_new(ep, s, f->id, kind, DG_NO_BUSY, now);
		return NULL;
	}
	m = dg_message_take(ep, s, false);
	if (!m)
		return NULL;
	m->kind = kind;
	m->id = f->id;
	set_state(ep, m, DG_PARTIAL);
	m->has_cells = dg_cells_begin(&m->cells, &ep->arena, f->total);
	if (!m->has_cells || !dg_message_enter(ep, m)) {
		dg_in_forget(ep, m);
		return NULL;
	}
	return m;
}

/* The sender began what was refused already: its total counts after all, once. */
static void count_refused(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                          const struct dg_frame *f)
{
	if (!m->uncounted)
		return;
	m->uncounted = false;
	m->kind = f->type == DG_SEND ? DGRAM_SEND : DGRAM_REQUEST;
	dg_promise_kept(ep, s, f->total);
}

void dg_in_fragment(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                    uint64_t now)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, false);
	const struct dg_fragment fragment = {f->data, f->len, f->offset, f->total};

	if (!m && dg_seen_state(&s->seen, f->id) != DG_SEEN_NEW) {
		if (f->type == DG_REQUEST)
			say_gone(ep, s, f->id, now);
		return;
	}
	if (!m)
		m = first_fragment(ep, s, f, now);
	if (!m)
		return;
	if (m->state != DG_PARTIAL) {
		count_refused(ep, s, m, f);
		if (f->type == DG_REQUEST || m->state == DG_ANSWERED)
			say_again(ep, m);
		return;
	}
	if (f->offset == 0)
		take_head(s, m, f);
	if (f->len > 0)
		dg_cells_put(&m->cells, &ep->arena, &fragment);
	if (m->cells.missing == 0)
		whole(ep, s, m, now);
}

void dg_in_post(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                uint64_t now)
{
	uint64_t blocks = dg_arena_blocks(&ep->arena, dg_cells_buffer((uint32_t)f->len));
	struct dg_message *m = blocks <= ep->spare_blocks ? take_optional(ep, s) : NULL;

	if (!m)
		return;
	ep->spare_blocks -= blocks;
	m->kind = DGRAM_POST;
	take_head(s, m, f);
	m->since = now;
	if (!dg_message_hold(ep, m, f->data, f->len, 0)) {
		dg_in_forget(ep, m);
		return;
	}
	set_state(ep, m, DG_QUEUED);
	m->post_number = f->id;
	tell(ep, m);
}

/* ---- what else the peer says of its messages ------------------------------------------------------- */

void dg_in_cancel(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                  uint64_t now)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (!m && dg_seen_state(&s->seen, f->id) == DG_SEEN_NEW) {
		dg_promise_kept(ep, s, f->total);
		refuse_new(ep, s, f->id, DGRAM_REQUEST, DG_NO_CANCELLED, now);
	} else if (!m) {
		say_gone(ep, s, f->id, now);
	} else if (m->state == DG_PARTIAL || m->state == DG_QUEUED) {
		dg_seen_mark(&s->seen, m->id);
		answer_no(ep, m, DG_NO_CANCELLED, 0, now);
	} else if (m->state == DG_RUNNING) {
		m->reason = DGRAM_REASON_CANCELLED;
		dg_message_event(ep, m, DGRAM_EVENT_STOP);
		answer_no(ep, m, DG_NO_GONE, 0, now);
	} else {
		count_refused(ep, s, m, f);
		say_again(ep, m);
	}
}

/* No more will come of it: what is not whole is nothing, what is whole stays. */
void dg_in_reset(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (!m && dg_seen_state(&s->seen, f->id) == DG_SEEN_NEW)
		dg_promise_kept(ep, s, f->total);
	if (m && m->state != DG_PARTIAL) {
		bool refused = m->uncounted;

		count_refused(ep, s, m, f);
		if (refused)
			dg_in_forget(ep, m);
		return;
	}
	if (dg_seen_mark(&s->seen, f->id) == DG_SEEN_NEW)
		skip(s, f->id);
	if (m)
		dg_in_forget(ep, m);
}

/* The peer waits for credit for one message of this length. */
void dg_in_need(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                uint64_t now)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (m) {
		if (m->state == DG_ANSWERED)
			say_again(ep, m);
		return;
	}
	if (dg_seen_state(&s->seen, f->id) != DG_SEEN_NEW)
		return;
	if (f->total > ep->config.message_max) {
		refuse_new(ep, s, f->id, 0, DG_NO_ROOM, now);
		return;
	}
	dg_session_active(ep, s)->needed = (uint32_t)f->total;
	dg_in_look_for_room(ep, s, now);
}

void dg_in_look_for_room(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	if (s->granted - s->heard < a->needed)
		dg_promise_more(ep, s, a->needed);
	if (s->granted - s->heard >= a->needed) {
		a->needed = 0;
		s->say |= DG_SAY_CREDIT;
		dg_session_touch(ep, s);
	}
	a->need_at = a->needed > 0 ? now + NEED_RETRY : DGRAM_NEVER;
}

void dg_in_grant(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f)
{
	struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (!m || m->kind != DGRAM_REQUEST || f->value <= m->grant)
		return;
	m->grant = f->value;
	if (m->state == DG_ANSWERED && m->has_cells && m->cells.missing > 0 && m->accepted)
		dg_message_queue(ep, m, DG_QUEUE_WORK);
}

void dg_in_settled(struct dgram_endpoint *ep, struct dg_session *s, uint64_t below)
{
	for (; s->settled < below; s->settled++) {
		struct dg_message *m = dg_message_find(ep, s, s->settled, false);

		if (m && m->state == DG_ANSWERED && !m->uncounted)
			dg_in_forget(ep, m);
	}
}

/* ---- the program's answer ---------------------------------------------------------------------------- */

static struct dg_message *running(struct dgram_endpoint *ep, uint64_t id)
{
	struct dg_message *m = dg_message_by_handle(ep, id);

	return m && !m->ours && m->state == DG_RUNNING ? m : NULL;
}

/* It fits into one datagram, with all that may stand around it, and the peer has room for it. */
static bool is_pulled(const struct dg_session *s, const struct dg_message *m, size_t len)
{
	return !m->accepted && len + DG_REPLY_AROUND <= s->datagram &&
	       (len <= m->grant || len <= DG_CELL);
}

int dgram_endpoint_reply(struct dgram_endpoint *ep, uint64_t id, uint8_t status, const void *data,
                         size_t len, uint64_t now)
{
	struct dg_message *m = running(ep, id);
	struct dg_cells request;
	struct dg_session *s;
	bool had_cells;

	if (!m)
		return DGRAM_ERR_CLOSED;
	if (len > DGRAM_MESSAGE_MAX)
		return DGRAM_ERR_SIZE;
	request = m->cells;
	had_cells = m->has_cells;
	if (!dg_message_hold(ep, m, data, len, dg_message_blocks(ep, m))) {
		m->cells = request;
		return DGRAM_ERR_FULL;
	}
	if (had_cells)
		dg_arena_give(&ep->arena, &request.buffer);
	dg_event_release(ep);
	s = session_of(ep, m);
	set_state(ep, m, DG_ANSWERED);
	m->status = status;
	m->service = now > m->since ? now - m->since : 0;
	m->wake = forget_at(s, m, now);
	m->due = 0;
	if (is_pulled(s, m, len)) {
		m->due = DG_DUE_ANSWER;
		dg_message_queue(ep, m, DG_QUEUE_FREE);
	} else {
		m->accepted = true; /* pushed, which the peer sees by its flag */
		m->due = len == 0 ? DG_DUE_EMPTY : 0;
		dg_message_queue(ep, m, DG_QUEUE_WORK);
	}
	dg_message_plan(ep, m);
	dg_session_touch(ep, s);
	if (m->id < s->settled)
		dg_in_forget(ep, m); /* the requester did not wait for it */
	return 0;
}

int dgram_endpoint_refuse(struct dgram_endpoint *ep, uint64_t id, enum dgram_refusal why,
                          uint64_t retry_after, uint64_t now)
{
	static const enum dg_no codes[] = {
	        [DGRAM_BUSY] = DG_NO_BUSY,
	        [DGRAM_NO_SUCH_NAME] = DG_NO_SUCH_NAME,
	        [DGRAM_NOT_ALLOWED] = DG_NO_NOT_ALLOWED,
	};
	struct dg_message *m = running(ep, id);

	if (!m)
		return DGRAM_ERR_CLOSED;
	if (why < DGRAM_BUSY || why > DGRAM_NOT_ALLOWED)
		return DGRAM_ERR_ARGUMENT;
	dg_event_release(ep);
	answer_no(ep, m, codes[why], retry_after, now);
	return 0;
}

/* ---- what became of the answer's packets ---------------------------------------------------------------- */

void dg_in_acked(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_item *item)
{
	if (item->type == DG_ACCEPTED)
		m->is_saying = false;
	if (m->state != DG_ANSWERED)
		return;
	if (item->type == DG_NO &&
	    m->uncounted) /* its sender says RESET, with what is to be counted */
		return;
	if (item->type == DG_NO) {
		dg_in_forget(ep, m);
		return;
	}
	if (item->type != DG_REPLY)
		return;
	m->unacked -= item->len > 0 ? dg_cells_count(item->len) : 1;
	if (m->unacked == 0)
		dg_in_forget(ep, m);
}

void dg_in_lost(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_item *item)
{
	if (item->type == DG_ACCEPTED)
		m->is_saying = false;
	if (item->type == DG_ACCEPTED && (m->state == DG_QUEUED || m->state == DG_RUNNING))
		m->due |= DG_DUE_ACCEPTED;
	else if (item->type == DG_NO && m->state == DG_ANSWERED)
		m->due |= DG_DUE_ANSWER;
	else if (item->type == DG_REPLY && m->state == DG_ANSWERED && item->len == 0)
		m->due |= DG_DUE_EMPTY;
	else if (item->type == DG_REPLY && m->state == DG_ANSWERED)
		dg_cells_unmark(&m->cells, &ep->arena, item->offset, item->len);
	else
		return;
	if (item->offset < m->cursor)
		m->cursor = item->offset;
	dg_message_queue(ep, m, DG_QUEUE_WORK);
}

/* ---- time, the program, the end -------------------------------------------------------------------------- */

bool dg_in_is_expired(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now)
{
	if (m->kind != DGRAM_REQUEST || now < m->deadline)
		return false;
	answer_no(ep, m, DG_NO_EXPIRED, 0, now);
	return true;
}

void dg_in_timeout(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now)
{
	if (m->state == DG_QUEUED && dg_in_is_expired(ep, m, now))
		return;
	if (m->state == DG_RUNNING && now >= m->deadline) {
		m->reason = DGRAM_REASON_DEADLINE;
		dg_message_event(ep, m, DGRAM_EVENT_STOP);
		answer_no(ep, m, DG_NO_GONE, 0, now);
		return;
	}
	if (now >= m->wake && m->state == DG_ANSWERED) {
		dg_in_forget(ep, m);
		return;
	}
	if (now >= m->wake)
		say_again(ep, m);
	dg_message_plan(ep, m);
}

/* The program has it now. */
void dg_in_given(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->kind != DGRAM_REQUEST) {
		dg_in_forget(ep, m);
		return;
	}
	set_state(ep, m, DG_RUNNING);
	begin(session_of(ep, m), m);
}

/* Its session has ended. What was acknowledged is the program's, what waits to run does not. */
void dg_in_lose(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_ending *how)
{
	bool was_running = m->state == DG_RUNNING;
	bool keeps = m->state == DG_QUEUED && m->kind != DGRAM_REQUEST;

	dg_message_let_go(ep, m);
	set_state(ep, m, keeps ? DG_QUEUED : DG_ENDED);
	dg_message_part(ep, m);
	m->wake = m->deadline = DGRAM_NEVER;
	dg_message_plan(ep, m);
	if (keeps) {
		tell(ep, m);
		return;
	}
	if (was_running) {
		m->reason = (uint8_t)how->reason;
		dg_message_event(ep, m, DGRAM_EVENT_STOP);
	} else if (m->event != DGRAM_EVENT_STOP) {
		dg_message_no_event(ep, m);
	}
	dg_message_release(ep, m);
}
