/* What the frames of a packet do. An ACK means taken, so all of them are judged before the first of
 * them changes anything: against the rules, and against the room there is. */
#include "endpoint/endpoint.h"

/* What taking the packet costs. */
struct cost {
	uint64_t blocks, bytes;
	uint32_t messages;
	uint32_t pieces; /* new messages that came in pieces: a total counts once */
	uint64_t in_pieces[8];
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

/* Another piece of a message that is new with this packet. */
static bool is_counted(const struct cost *cost, uint64_t id)
{
	for (uint32_t i = 0; i < cost->pieces; i++)
		if (cost->in_pieces[i] == id)
			return true;
	return false;
}

static enum dgram_fate judge_new(const struct dgram_endpoint *ep, const struct dg_session *s,
                                 const struct dg_frame *f, struct cost *cost)
{
	const uint32_t most = sizeof cost->in_pieces / sizeof cost->in_pieces[0];

	if (is_counted(cost, f->id))
		return DGRAM_FATE_TAKEN;
	if (f->total > s->granted - s->heard || cost->bytes > s->granted - s->heard - f->total)
		return DGRAM_FATE_RULE;
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_BEYOND ||
	    (!(f->flags & DG_WHOLE) && cost->pieces == most))
		return DGRAM_FATE_ROOM;
	if (!(f->flags & DG_WHOLE))
		cost->in_pieces[cost->pieces++] = f->id;
	cost->bytes += f->total;
	cost->messages++;
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
	if (m && (!is_of_kind(f, m) || (m->state == DG_PARTIAL && f->total != m->cells.total) ||
	          (m->uncounted && f->total > s->granted - s->heard)))
		return DGRAM_FATE_RULE;
	if (!m && dg_seen_state(&s->seen, f->id) != DG_SEEN_BEFORE)
		return judge_new(ep, s, f, cost);
	cost->messages += !m && f->type == DG_REQUEST; /* for the NO GONE */
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
		uint64_t blocks = price(ep, f->total), given_back = dg_out_gives_back(ep, m);

		cost->blocks += blocks > given_back ? blocks - given_back : 0;
	}
	return DGRAM_FATE_TAKEN;
}

/* CANCEL and RESET end an id, which may never have been heard of. */
static enum dgram_fate judge_end(const struct dgram_endpoint *ep, const struct dg_session *s,
                                 const struct dg_frame *f, struct cost *cost)
{
	const struct dg_message *m = dg_message_find(ep, s, f->id, false);

	if (f->id >= s->granted_ids ||
	    (m && m->state == DG_PARTIAL && f->total != m->cells.total) ||
	    (m && m->uncounted && f->total > s->granted - s->heard))
		return DGRAM_FATE_RULE;
	if (m)
		return DGRAM_FATE_TAKEN;
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_BEYOND)
		return DGRAM_FATE_ROOM;
	if (dg_seen_state(&s->seen, f->id) == DG_SEEN_NEW) {
		if (f->total > s->granted - s->heard ||
		    cost->bytes > s->granted - s->heard - f->total)
			return DGRAM_FATE_RULE;
		cost->bytes += f->total;
	}
	cost->messages += f->type == DG_CANCEL;
	return DGRAM_FATE_TAKEN;
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
	case DG_POST:
		cost->messages++;
		cost->blocks += price(ep, f->total);
		return DGRAM_FATE_TAKEN;
	case DG_ECHO:
		cost->messages++;
		return DGRAM_FATE_TAKEN;
	case DG_SEND:
	case DG_REQUEST:
		return judge_fragment(ep, s, f, cost);
	case DG_REPLY:
		return judge_reply(ep, s, f, cost);
	case DG_ACCEPTED:
	case DG_NO:
		return f->id >= s->next_id ? DGRAM_FATE_RULE : DGRAM_FATE_TAKEN;
	case DG_PULL:
		cost->messages++;
		return f->id >= s->granted_ids ? DGRAM_FATE_RULE : DGRAM_FATE_TAKEN;
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
	case DG_ECHOED:
	case DG_CHALLENGE:
	case DG_RESPONSE:
	case DG_FRAME_TYPES:
		break;
	}
	return DGRAM_FATE_TAKEN;
}

enum dgram_fate dg_frames_judge(struct dgram_endpoint *ep, struct dg_session *s,
                                struct dg_reader frames, uint64_t now)
{
	struct cost cost = {0};
	struct dg_frame f;

	while (frames.left > 0 && dg_frame_decode(&f, &frames)) {
		enum dgram_fate fate = judge(ep, s, &f, &cost);

		if (fate != DGRAM_FATE_TAKEN)
			return fate;
		if (cost.messages > ep->messages.count - ep->messages.used ||
		    cost.blocks > dg_arena_free(&ep->arena))
			return DGRAM_FATE_ROOM;
		/* An ACK would report it as delivered: its NO leaves, and nothing of the packet is
		 * taken. */
		if (is_refused_send(ep, s, &f)) {
			dg_in_fragment(ep, s, &f, now);
			return DGRAM_FATE_ROOM;
		}
	}
	return DGRAM_FATE_TAKEN;
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

void dg_frames_apply(struct dgram_endpoint *ep, struct dg_session *s, struct dg_reader frames,
                     uint64_t now)
{
	struct dg_frame f;

	while (frames.left > 0 && dg_frame_decode(&f, &frames))
		if (!apply(ep, s, &f, now))
			return;
}
