/* What messages of both directions have in common: their places, lists, timers and memory. */
#include "endpoint/endpoint.h"

#include "base/hash.h"

#include <string.h>

#define OF_SESSION offsetof(struct dg_message, of_session)
#define OF_QUEUE   offsetof(struct dg_message, of_queue)
#define OF_EVENTS  offsetof(struct dg_message, of_events)

struct dg_message *dg_message_at(const struct dgram_endpoint *ep, uint32_t number)
{
	return dg_pool_at(&ep->messages, number);
}

uint64_t dg_message_handle(const struct dg_message *m)
{
	return (uint64_t)m->generation << 32 | (m->number + 1);
}

struct dg_message *dg_message_by_handle(const struct dgram_endpoint *ep, uint64_t handle)
{
	uint32_t number = (uint32_t)handle - 1;
	struct dg_message *m;

	if ((uint32_t)handle == 0 || !dg_pool_is_taken(&ep->messages, number))
		return NULL;
	m = dg_message_at(ep, number);
	return m->generation == handle >> 32 ? m : NULL;
}

/* ---- by id ------------------------------------------------------------------------------------ */

static uint64_t id_key(const struct dgram_endpoint *ep, uint32_t slot, uint64_t id, bool ours)
{
	const uint64_t text[2] = {id, (uint64_t)slot << 1 | ours};

	return dg_hash_fast(ep->key, text, sizeof text);
}

struct dg_message *dg_message_find(const struct dgram_endpoint *ep, const struct dg_session *s,
                                   uint64_t id, bool ours)
{
	uint32_t i = dg_index_first(&ep->by_id, id_key(ep, s->slot, id, ours));

	for (; i != DG_INDEX_NONE; i = dg_index_next(&ep->by_id, i)) {
		struct dg_message *m = dg_message_at(ep, i);

		if (m->session == s->slot && m->id == id && m->ours == ours)
			return m;
	}
	return NULL;
}

bool dg_message_enter(struct dgram_endpoint *ep, struct dg_message *m)
{
	m->is_indexed = dg_index_add(&ep->by_id, m->number, id_key(ep, m->session, m->id, m->ours));
	return m->is_indexed;
}

void dg_message_leave_index(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->is_indexed)
		dg_index_remove(&ep->by_id, m->number, id_key(ep, m->session, m->id, m->ours));
	m->is_indexed = false;
}

/* ---- held ------------------------------------------------------------------------------------- */

static uint64_t order_key(const struct dgram_endpoint *ep, uint32_t slot, uint64_t order)
{
	const uint64_t text[3] = {order, slot, 0};

	return dg_hash_fast(ep->key, text, sizeof text);
}

struct dg_message *dg_message_waiter(const struct dgram_endpoint *ep, const struct dg_session *s,
                                     uint64_t order)
{
	uint32_t i = dg_index_first(&ep->by_order, order_key(ep, s->slot, order));

	for (; i != DG_INDEX_NONE; i = dg_index_next(&ep->by_order, i)) {
		struct dg_message *m = dg_message_at(ep, i);

		if (m->session == s->slot && m->order == order)
			return m;
	}
	return NULL;
}

/* False: more of them name the same message than any honest peer has. */
bool dg_message_hold_back(struct dgram_endpoint *ep, struct dg_message *m)
{
	m->is_held = dg_index_add(&ep->by_order, m->number, order_key(ep, m->session, m->order));
	dg_session_at(ep, m->session)->held += m->is_held;
	return m->is_held;
}

void dg_message_let_go(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (!m->is_held)
		return;
	dg_index_remove(&ep->by_order, m->number, order_key(ep, m->session, m->order));
	dg_session_at(ep, m->session)->held--;
	m->is_held = false;
}

/* ---- taken and given back --------------------------------------------------------------------- */

struct dg_message *dg_message_take(struct dgram_endpoint *ep, struct dg_session *s, bool ours)
{
	uint32_t number = dg_pool_take(&ep->messages);
	struct dg_message *m;
	uint32_t generation;

	if (number == DG_POOL_NONE)
		return NULL;
	m = dg_message_at(ep, number);
	generation = m->generation;
	memset(m, 0, offsetof(struct dg_message, name));
	m->number = number;
	m->generation = generation;
	m->id = DG_NO_ID;
	m->order = DG_NO_ID;
	m->packet = DG_NO_ID;
	m->needed_at = DG_NO_ID;
	m->deadline = m->wake = DGRAM_NEVER;
	m->in_packet = DG_NONE;
	m->ours = ours;
	m->session = DG_NONE;
	dg_message_join(ep, m, s);
	return m;
}

void dg_message_join(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *s)
{
	m->session = s->slot;
	m->session_id = dg_session_id(ep, s);
	m->peer_session_id = s->peer_id;
	m->peer = s->peer;
	dg_list_append(&s->all, &ep->messages, OF_SESSION, m->number);
	s->theirs += !m->ours;
}

void dg_message_part(struct dgram_endpoint *ep, struct dg_message *m)
{
	struct dg_session *s;

	if (m->session == DG_NONE)
		return;
	s = dg_session_at(ep, m->session);
	dg_message_queue(ep, m, DG_QUEUE_NONE);
	dg_message_leave_index(ep, m);
	dg_message_let_go(ep, m);
	s->theirs -= !m->ours;
	dg_list_remove(m->is_kept ? &s->kept : &s->all, &ep->messages, OF_SESSION, m->number);
	m->is_kept = false;
	m->session = DG_NONE;
}

void dg_message_free_cells(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->has_cells)
		dg_arena_give(&ep->arena, &m->cells.buffer);
	m->has_cells = false;
}

void dg_message_free_reply(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->has_reply)
		dg_arena_give(&ep->arena, &m->reply.buffer);
	m->has_reply = false;
}

/* Gives it back, if nobody needs it any more: the program, or a RESET that may be lost. */
void dg_message_release(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->state != DG_ENDED || m->event != 0 || m->resetting || ep->lent == m->number)
		return;
	dg_message_free_cells(ep, m);
	dg_message_free_reply(ep, m);
	dg_promise_drop(ep, &m->promised);
	dg_timers_set(&ep->message_timers, m->number, DGRAM_NEVER);
	dg_message_part(ep, m);
	m->generation++;
	dg_pool_give(&ep->messages, m->number);
}

/* ---- lists and timers ------------------------------------------------------------------------- */

struct dg_message *dg_message_first(const struct dgram_endpoint *ep, const struct dg_session *s,
                                    enum dg_queue queue)
{
	const struct dg_active *a = dg_session_active(ep, s);
	uint32_t first = a ? a->queues[queue - 1].first : DG_NONE;

	return first == DG_NONE ? NULL : dg_message_at(ep, first);
}

/* A pulled answer that has left may be asked for again, and else is forgotten: it keeps its session from
 * nothing. */
static bool is_to_keep(const struct dg_message *m)
{
	return !m->ours && m->state == DG_ANSWERED && !m->accepted && m->due == 0;
}

static void keep(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m, bool kept)
{
	if (m->is_kept == kept)
		return;
	dg_list_remove(kept ? &s->all : &s->kept, &ep->messages, OF_SESSION, m->number);
	dg_list_append(kept ? &s->kept : &s->all, &ep->messages, OF_SESSION, m->number);
	m->is_kept = kept;
}

/* Who waits does so in the order of submit, also who comes from another session. */
static void line_up(struct dgram_endpoint *ep, struct dg_list *list, const struct dg_message *m)
{
	uint32_t behind = list->last;

	while (behind != DG_NONE && dg_message_at(ep, behind)->serial > m->serial)
		behind = dg_message_at(ep, behind)->of_queue.before;
	dg_list_insert(list, &ep->messages, OF_QUEUE, m->number, behind);
}

/* Into this queue of its session, which is active. */
void dg_message_queue(struct dgram_endpoint *ep, struct dg_message *m, enum dg_queue queue)
{
	struct dg_session *s = dg_session_at(ep, m->session);
	struct dg_active *a = dg_session_active(ep, s);

	if (m->queue != queue && m->queue != DG_QUEUE_NONE)
		dg_list_remove(&a->queues[m->queue - 1], &ep->messages, OF_QUEUE, m->number);
	if (m->queue != queue && queue != DG_QUEUE_NONE) {
		if (queue == DG_QUEUE_WAITING)
			line_up(ep, &a->queues[queue - 1], m);
		else
			dg_list_append(&a->queues[queue - 1], &ep->messages, OF_QUEUE, m->number);
		dg_session_touch(ep, s);
	}
	m->queue = (uint8_t)queue;
	keep(ep, s, m, queue == DG_QUEUE_NONE && is_to_keep(m));
}

/* To the end of its queue: others have their turn. */
void dg_message_rotate(struct dgram_endpoint *ep, struct dg_message *m)
{
	struct dg_active *a = dg_session_active(ep, dg_session_at(ep, m->session));
	struct dg_list *list = &a->queues[m->queue - 1];

	dg_list_remove(list, &ep->messages, OF_QUEUE, m->number);
	dg_list_append(list, &ep->messages, OF_QUEUE, m->number);
}

void dg_message_plan(struct dgram_endpoint *ep, const struct dg_message *m)
{
	bool has_deadline = m->ours ? m->state != DG_ENDED
	                            : m->kind == DGRAM_REQUEST &&
	                                      (m->state == DG_QUEUED || m->state == DG_RUNNING);
	uint64_t due = has_deadline ? m->deadline : DGRAM_NEVER;

	dg_timers_set(&ep->message_timers, m->number, due < m->wake ? due : m->wake);
}

void dg_message_event(struct dgram_endpoint *ep, struct dg_message *m, enum dgram_event_type event)
{
	if (m->event == 0)
		dg_list_append(&ep->events, &ep->messages, OF_EVENTS, m->number);
	m->event = (uint8_t)event;
}

void dg_message_no_event(struct dgram_endpoint *ep, struct dg_message *m)
{
	if (m->event != 0)
		dg_list_remove(&ep->events, &ep->messages, OF_EVENTS, m->number);
	m->event = 0;
}

/* ---- bytes ------------------------------------------------------------------------------------ */

/* A buffer for what we send: the bytes, and a map of what was sent, which is empty. It leaves room for what
 * was promised, less what the message gives back in exchange. */
bool dg_message_hold(struct dgram_endpoint *ep, struct dg_message *m, const void *data, size_t len,
                     uint32_t exchange)
{
	uint32_t bytes = (uint32_t)len;
	uint64_t blocks = dg_arena_blocks(&ep->arena, dg_cells_buffer(bytes));

	if (blocks + ep->promised > (uint64_t)dg_arena_free(&ep->arena) + exchange ||
	    !dg_cells_begin(&m->cells, &ep->arena, len))
		return false;
	m->has_cells = true;
	m->cursor = 0;
	m->unacked = len > 0 ? dg_cells_count(bytes) : 1;
	dg_arena_write(&ep->arena, &m->cells.buffer, 0, data, len);
	return true;
}

/* len bytes in one piece: where they lie, or copied to scratch. */
const uint8_t *dg_message_bytes(const struct dgram_endpoint *ep, const struct dg_cells *cells,
                                uint32_t offset, size_t len, uint8_t *scratch)
{
	size_t piece = len;
	const uint8_t *at;

	if (len == 0)
		return scratch;
	at = dg_arena_at(&ep->arena, &cells->buffer, offset, &piece);
	if (piece == len)
		return at;
	dg_arena_read(&ep->arena, &cells->buffer, offset, scratch, len);
	return scratch;
}

/* Its session has ended; next takes over what can go on, or is NULL. */
void dg_message_lose(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *next,
                     const struct dg_ending *how, uint64_t now)
{
	if (m->ours)
		dg_out_lose(ep, m, next, how, now);
	else
		dg_in_lose(ep, m, how);
}

/* ---- promises --------------------------------------------------------------------------------- */

/* Blocks of the arena that somebody was told to count on. */

static uint32_t blocks_of(const struct dgram_endpoint *ep, uint64_t bytes)
{
	return dg_arena_blocks(&ep->arena, dg_cells_buffer((uint32_t)bytes));
}

void dg_promise_drop(struct dgram_endpoint *ep, uint32_t *promised)
{
	ep->promised -= *promised;
	*promised = 0;
}

/* Blocks that may still be promised: a quarter of all stays for what we send ourselves. */
static uint64_t promisable(const struct dgram_endpoint *ep)
{
	uint64_t kept = (uint64_t)ep->promised + ep->arena.pool.count / 4,
	         all = dg_arena_free(&ep->arena);

	return all > kept ? all - kept : 0;
}

/* Makes *promised what so many bytes need. False, and unchanged: there is not so much. */
bool dg_promise(struct dgram_endpoint *ep, uint32_t *promised, uint64_t bytes)
{
	uint32_t blocks = blocks_of(ep, bytes);

	if (blocks > *promised && blocks - *promised > promisable(ep))
		return false;
	ep->promised = ep->promised - *promised + blocks;
	*promised = blocks;
	return true;
}

/* Blocks that a message's bytes take. */
uint32_t dg_message_blocks(const struct dgram_endpoint *ep, const struct dg_message *m)
{
	return m->has_cells ? blocks_of(ep, m->cells.total) : 0;
}

/* The credit of the hello. False: it has to say 0. Who has not proved its address gets it from one half of
 * the pool only. */
bool dg_promise_first(struct dgram_endpoint *ep, struct dg_session *s)
{
	bool proved = s->state != DG_HALF_OPEN;

	if (!proved && ep->promised + blocks_of(ep, ep->config.credit) > ep->arena.pool.count / 2)
		return false;
	if (!dg_promise(ep, &s->promised, ep->config.credit))
		return false;
	s->granted = ep->config.credit;
	s->credit_window = ep->config.credit;
	return true;
}

/* The peer has begun a message of so many bytes: so much less is owed. */
void dg_promise_kept(struct dgram_endpoint *ep, struct dg_session *s, uint64_t bytes)
{
	s->heard += bytes;
	dg_promise(ep, &s->promised, s->granted - s->heard);
	if (s->granted - s->heard < s->credit_window / 2)
		dg_promise_more(ep, s, 0);
}

/* How far ahead the peer may go now: twice as far as when that was last raised, up to a sixteenth of the
 * pool, and never by more than a quarter of what can be promised. What it asked for is given as soon as there is
 * room for all of it. */
static uint64_t next_window(const struct dgram_endpoint *ep, const struct dg_session *s,
                            uint64_t wanted)
{
	uint64_t window = 2 * (uint64_t)s->credit_window, ahead = s->granted - s->heard;
	uint64_t most = ep->config.pool / 16, left = promisable(ep) << ep->arena.shift;

	if (window < ep->config.credit)
		window = ep->config.credit;
	window = window < most ? window : most;
	if (window > ahead + left / 4)
		window = ahead + left / 4;
	if (wanted > window && wanted <= ahead + left)
		window = wanted;
	return window < DGRAM_MESSAGE_MAX ? window : DGRAM_MESSAGE_MAX;
}

void dg_promise_more(struct dgram_endpoint *ep, struct dg_session *s, uint64_t wanted)
{
	uint64_t window = next_window(ep, s, wanted);

	if (s->heard + window <= s->granted || !dg_promise(ep, &s->promised, window))
		return;
	s->granted = s->heard + window;
	s->credit_window = (uint32_t)window;
	s->say |= DG_SAY_CREDIT;
}

/* The ids that the window of a busy session has room for: raised when half of those are used that the peer
 * was told of, which are few at first. */
void dg_promise_ids(const struct dgram_endpoint *ep, struct dg_session *s)
{
	bool raised = s->granted_ids > ep->first_id + DG_FIRST_IDS;
	uint64_t half = raised ? 32 * DG_WIDE_WORDS : DG_FIRST_IDS / 2;
	uint64_t ids = s->seen.below + 64 * DG_WIDE_WORDS;

	ids = ids < DG_VARINT_MAX ? ids : DG_VARINT_MAX;
	if (s->granted_ids - s->seen.below > half || ids <= s->granted_ids)
		return;
	s->granted_ids = ids;
	s->say |= DG_SAY_CREDIT;
}
