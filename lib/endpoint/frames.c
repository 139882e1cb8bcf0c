/* What the frames of a packet do. An ACK means taken, so all of them are judged before the first of
 * them changes anything: against the rules, and against the room there is. */
#include "endpoint/endpoint.h"

#include <string.h>

#define PIECES 32

/* What taking the packet costs, and which messages are new with it: their totals count once. */
struct cost {
	uint64_t blocks, bytes;
	uint32_t messages;
	uint32_t news, pieces;
	uint64_t is_new[DG_WIDE_WORDS]; /* by id, as far as a window reaches */
	struct piece {
		uint64_t id, total;
		uint8_t type;
	} of[PIECES];            /* of these, the ones that come in pieces */
	struct dg_frame refused; /* a SEND that will draw a NO, or did; type 0: none */
};

/* ---- judged ------------------------------------------------------------------------------------- */

static uint64_t next_number(const struct dg_session *s, const struct dg_active *a)
{
	return a ? a->recovery.next : s->next_number;
}

static uint64_t price(const struct dgram_endpoint *ep, uint64_t total)
{
	return dg_arena_blocks(&ep->arena, dg_cells_buffer((uint32_t)total));
}

static uint64_t *new_word(struct cost *cost, uint64_t id)
{
	return &cost->is_new[id / 64 % DG_WIDE_WORDS];
}

static bool is_new_already(struct cost *cost, uint64_t id)
{
	return cost->news > 0 && *new_word(cost, id) >> id % 64 & 1;
}

static void add_new(struct cost *cost, const struct dg_frame *f)
{
	if (cost->news++ == 0)
		memset(cost->is_new, 0, sizeof cost->is_new);
	*new_word(cost, f->id) |= UINT64_C(1) << f->id % 64;
	if (!(f->flags & DG_WHOLE) && cost->pieces < PIECES)
		cost->of[cost->pieces++] = (struct piece){f->id, f->total, f->type};
}

/* One more frame of a message that is new with this packet: another piece of the same one. */
static enum dgram_fate judge_piece(const struct cost *cost, const struct dg_frame *f)
{
	for (uint32_t i = 0; i < cost->pieces; i++)
		if (cost->of[i].id == f->id)
			return cost->of[i].type == f->type && cost->of[i].total == f->total &&
			                       !(f->flags & DG_WHOLE)
			               ? DGRAM_FATE_TAKEN
			               : DGRAM_FATE_RULE;
	return cost->pieces < PIECES ? DGRAM_FATE_RULE : DGRAM_FATE_ROOM;
}

/* A total that is heard of with this packet. */
static enum dgram_fate judge_total(const struct dg_session *s, uint64_t total, struct cost *cost)
{
	if (total > s->granted - s->heard || cost->bytes > s->granted - s->heard - total)
		return DGRAM_FATE_RULE;
	cost->bytes += total;
	return DGRAM_FATE_TAKEN;
}

/* It will be held for a message that is not here: that one must find a place, or both would wait for ever. */
static bool waits_for_room(const struct dgram_endpoint *ep, const struct dg_session *s,
                           const struct dg_frame *f)
{
	return f->flags & DG_ORDERED && f->order > 0 &&
	       dg_seen_state(&s->seen, f->id - f->order) == DG_SEEN_NEW &&
	       !dg_message_find(ep, s, f->id - f->order, false);
}

static enum dgram_fate judge_new(const struct dgram_endpoint *ep, const struct dg_session *s,
                                 const struct dg_frame *f, struct cost *cost)
{
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_BEYOND)
		return DGRAM_FATE_ROOM;
	if (is_new_already(cost, f->id))
		return judge_piece(cost, f);
	if (judge_total(s, f->total, cost) != DGRAM_FATE_TAKEN)
		return DGRAM_FATE_RULE;
	add_new(cost, f);
	cost->messages += 1 + waits_for_room(ep, s, f);
	if (f->total <= ep->config.message_max)
		cost->blocks += price(ep, f->total);
	return DGRAM_FATE_TAKEN;
}

/* What was refused before it began has no kind yet. */
static bool is_of_kind(const struct dg_frame *f, const struct dg_message *m)
{
	return m->kind == 0 || (f->type == DG_SEND) == (m->kind == DGRAM_SEND);
}

/* SEND and REQUEST. */
static enum dgram_fate judge_fragment(const struct dgram_endpoint *ep, const struct dg_session *s,
                                      const struct dg_frame *f, struct cost *cost)
{
	const struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (f->id >= s->granted_ids)
		return DGRAM_FATE_RULE;
	if (m && (!is_of_kind(f, m) || (m->state == DG_PARTIAL && f->total != m->cells.total)))
		return DGRAM_FATE_RULE;
	if (m && m->uncounted)
		return judge_total(s, f->total, cost);
	if (!m && dg_seen_state(&s->seen, f->id) != DG_SEEN_BEFORE)
		return judge_new(ep, s, f, cost);
	return DGRAM_FATE_TAKEN;
}

/* The first of it will draw a NO, or did. */
static bool is_refused_send(const struct dgram_endpoint *ep, const struct dg_session *s,
                            const struct dg_frame *f)
{
	const struct dg_message *m;

	if (f->type != DG_SEND)
		return false;
	m = dg_message_find(ep, s, f->id, false);
	if (m)
		return m->state == DG_ANSWERED;
	return f->total > ep->config.message_max && dg_seen_state(&s->seen, f->id) == DG_SEEN_NEW;
}

static enum dgram_fate judge_reply(const struct dgram_endpoint *ep, const struct dg_session *s,
                                   const struct dg_frame *f, struct cost *cost)
{
	const struct dg_message *m = dg_message_find(ep, s, f->id, true);

	if (f->id >= s->next_id)
		return DGRAM_FATE_RULE;
	if (!m)
		return DGRAM_FATE_TAKEN;
	if (m->kind != DGRAM_REQUEST || m->state < DG_EXPOSED ||
	    (m->has_reply && f->total != m->reply.total))
		return DGRAM_FATE_RULE;
	if (!m->has_reply && f->total <= ep->config.message_max) {
		uint64_t blocks = price(ep, f->total), given_back = dg_message_blocks(ep, m);
		uint64_t free = dg_arena_free(&ep->arena) + given_back + m->promised;

		if (f->total > m->grant && blocks + ep->promised > free)
			return DGRAM_FATE_ROOM; /* longer than was promised: not at others' cost */
		cost->blocks += blocks > given_back ? blocks - given_back : 0;
	}
	return DGRAM_FATE_TAKEN;
}

/* CANCEL and RESET end an id, which may never have been heard of. */
static enum dgram_fate judge_end(const struct dgram_endpoint *ep, const struct dg_session *s,
                                 const struct dg_frame *f, struct cost *cost)
{
	const struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (f->id >= s->granted_ids)
		return DGRAM_FATE_RULE;
	if (m && ((m->state == DG_PARTIAL && f->total != m->cells.total) ||
	          (f->type == DG_CANCEL && m->kind == DGRAM_SEND)))
		return DGRAM_FATE_RULE;
	if (m)
		return m->uncounted ? judge_total(s, f->total, cost) : DGRAM_FATE_TAKEN;
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_BEYOND)
		return DGRAM_FATE_ROOM;
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_BEFORE || is_new_already(cost, f->id))
		return DGRAM_FATE_TAKEN;
	return judge_total(s, f->total, cost);
}

static enum dgram_fate judge_need(const struct dg_session *s, const struct dg_frame *f,
                                  struct cost *cost)
{
	if (f->id >= s->granted_ids)
		return DGRAM_FATE_RULE;
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_BEYOND)
		return DGRAM_FATE_ROOM;
	cost->messages++;
	return DGRAM_FATE_TAKEN;
}

static enum dgram_fate judge(const struct dgram_endpoint *ep, const struct dg_session *s,
                             const struct dg_frame *f, struct cost *cost)
{
	switch ((enum dg_frame_type)f->type) {
	case DG_ACK:
		return f->id >= next_number(s, dg_session_active(ep, s)) ? DGRAM_FATE_RULE
		                                                         : DGRAM_FATE_TAKEN;
	case DG_SEND:
	case DG_REQUEST:
		return judge_fragment(ep, s, f, cost);
	case DG_REPLY:
		return judge_reply(ep, s, f, cost);
	case DG_ACCEPTED:
	case DG_NO:
		return f->id >= s->next_id ? DGRAM_FATE_RULE : DGRAM_FATE_TAKEN;
	case DG_PULL:
	case DG_GRANT:
		return f->id >= s->granted_ids ? DGRAM_FATE_RULE : DGRAM_FATE_TAKEN;
	case DG_SETTLED:
		return f->id > s->granted_ids ? DGRAM_FATE_RULE : DGRAM_FATE_TAKEN;
	case DG_CANCEL:
	case DG_RESET:
		return judge_end(ep, s, f, cost);
	case DG_NEED:
		return judge_need(s, f, cost);
	case DG_PADDING:
	case DG_PING:
	case DG_CREDIT:
	case DG_CLOSE:
	case DG_POST: /* best effort */
	case DG_ECHO:
	case DG_ECHOED:
	case DG_CHALLENGE:
	case DG_RESPONSE:
	case DG_FRAME_TYPES:
		break;
	}
	return DGRAM_FATE_TAKEN;
}

/* Places that may still be taken: an eighth of all stays for what we send, and one session has a quarter. */
static uint32_t places(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	uint32_t all = ep->messages.count, most = all - all / 8, each = all / 4 > 4 ? all / 4 : 4;
	uint32_t left = ep->messages.used < most ? most - ep->messages.used : 0;
	uint32_t own = s->theirs < each ? each - s->theirs : 0;

	return left < own ? left : own;
}

/* What is best effort, or is asked for again, gets what the rest of the packet leaves. */
static void leave_spare(struct dgram_endpoint *ep, const struct dg_session *s,
                        const struct cost *cost)
{
	uint64_t free = dg_arena_free(&ep->arena), kept = cost->blocks + ep->promised;
	uint32_t left = places(ep, s);

	ep->spare_places = left > cost->messages ? left - cost->messages : 0;
	ep->spare_blocks = free > kept ? free - kept : 0;
}

static enum dgram_fate judge_all(const struct dgram_endpoint *ep, const struct dg_session *s,
                                 struct dg_reader frames, struct cost *cost)
{
	enum dgram_fate worst = DGRAM_FATE_TAKEN;
	struct dg_frame f;

	cost->blocks = cost->bytes = 0;
	cost->messages = cost->news = cost->pieces = 0;
	cost->refused.type = 0;
	while (frames.left > 0 && dg_frame_decode(&f, &frames)) {
		enum dgram_fate fate = judge(ep, s, &f, cost);

		if (fate == DGRAM_FATE_RULE)
			return fate;
		if (fate != DGRAM_FATE_TAKEN)
			worst = fate;
		if (is_refused_send(ep, s, &f))
			cost->refused = f;
	}
	if (cost->messages > places(ep, s) || cost->blocks > dg_arena_free(&ep->arena))
		return DGRAM_FATE_ROOM;
	return worst;
}

/* What the peer says of our packets and of our answers is true whether there is room for the rest or not,
 * and may make room. */
static void apply_news(struct dgram_endpoint *ep, struct dg_session *s, struct dg_reader frames,
                       uint64_t now)
{
	struct dg_frame f;

	while (frames.left > 0 && dg_frame_decode(&f, &frames)) {
		if (f.type == DG_ACK)
			dg_settle_ack(ep, s, &f, now);
		else if (f.type == DG_SETTLED)
			dg_in_settled(ep, s, f.id);
	}
}

enum dgram_fate dg_frames_judge(struct dgram_endpoint *ep, struct dg_session *s,
                                struct dg_reader frames, uint64_t now)
{
	struct cost cost;
	enum dgram_fate fate = judge_all(ep, s, frames, &cost);

	if (fate == DGRAM_FATE_ROOM) {
		apply_news(ep, s, frames, now);
		fate = judge_all(ep, s, frames, &cost);
	}
	leave_spare(ep, s, &cost);
	if (fate != DGRAM_FATE_TAKEN || cost.refused.type == 0)
		return fate;
	/* An ACK would report it as delivered: its NO leaves, and nothing else of the packet is taken. */
	dg_in_fragment(ep, s, &cost.refused, now);
	return s->connected ? DGRAM_FATE_LIMITED
	                    : DGRAM_FATE_ROOM; /* for what has no room is offered again */
}

/* ---- applied ------------------------------------------------------------------------------------- */

/* Neither goes down: a smaller one is old. */
static void take_credit(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f)
{
	if (f->value > s->allowed)
		s->allowed = f->value;
	if (f->id > s->allowed_ids)
		s->allowed_ids = f->id;
	dg_out_ask_again(ep, s);
	dg_session_touch(ep, s);
}

static void take_close(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                       uint64_t now)
{
	const struct dg_ending how = {
	        .reason = DGRAM_REASON_CLOSED,
	        .moves = f->code != DG_CLOSE_RULE,
	        .again = f->code == DG_CLOSE_IDLE || f->code == DG_CLOSE_EVICTED,
	        .first = f->id,
	};

	dg_session_end(ep, s, how, now);
}

/* Frames about messages. */
static void apply_to_message(struct dgram_endpoint *ep, struct dg_session *s,
                             const struct dg_frame *f, uint64_t now)
{
	switch (f->type) {
	case DG_POST:
		dg_in_post(ep, s, f, now);
		break;
	case DG_SEND:
	case DG_REQUEST:
		dg_in_fragment(ep, s, f, now);
		break;
	case DG_REPLY:
		dg_out_reply(ep, s, f, now);
		break;
	case DG_ACCEPTED:
		dg_out_accepted(ep, s, f->id);
		break;
	case DG_NO:
		dg_out_no(ep, s, f, now);
		break;
	case DG_PULL:
		dg_in_pull(ep, s, f->id, now);
		break;
	case DG_CANCEL:
		dg_in_cancel(ep, s, f, now);
		break;
	case DG_RESET:
		dg_in_reset(ep, s, f);
		break;
	case DG_NEED:
		dg_in_need(ep, s, f, now);
		break;
	case DG_GRANT:
		dg_in_grant(ep, s, f);
		break;
	default:
		break;
	}
}

/* False: the session has ended. */
static bool apply(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                  uint64_t now)
{
	switch (f->type) {
	case DG_ACK:
		dg_settle_ack(ep, s, f, now);
		return true;
	case DG_SETTLED:
		dg_in_settled(ep, s, f->id);
		return true;
	case DG_CREDIT:
		take_credit(ep, s, f);
		return true;
	case DG_CLOSE:
		take_close(ep, s, f, now);
		return false;
	case DG_ECHO:
		dg_in_echo(ep, s, f->id);
		return true;
	case DG_ECHOED:
		dg_out_echoed(ep, s, f, now);
		return true;
	case DG_CHALLENGE:
		dg_session_active(ep, s)->response = f->id;
		s->say |= DG_SAY_RESPONSE;
		return true;
	default:
		apply_to_message(ep, s, f, now);
		return true;
	}
}

bool dg_frames_apply(struct dgram_endpoint *ep, struct dg_session *s, struct dg_reader frames,
                     uint64_t now)
{
	struct dg_frame f;

	while (frames.left > 0 && dg_frame_decode(&f, &frames))
		if (!apply(ep, s, &f, now))
			return false;
	return true;
}
