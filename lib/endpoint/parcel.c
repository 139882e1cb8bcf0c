/* What a message has to send, one frame at a time. */
#include "endpoint/packet.h"

#include <string.h>

#define SMALL_PIECE 4 /* a fragment that is not the end takes at least this part of a datagram */

static struct dg_item item_of(const struct dg_message *m, uint8_t type)
{
	return (struct dg_item){.message = m->number, .generation = m->generation, .type = type};
}

static unsigned varint_size(uint64_t value)
{
	if (value < UINT64_C(1) << 6)
		return 1;
	if (value < UINT64_C(1) << 14)
		return 2;
	return value < UINT64_C(1) << 30 ? 4 : 8;
}

/* ---- fragments ---------------------------------------------------------------------------------------- */

static bool is_reply(const struct dg_message *m)
{
	return !m->ours;
}

/* The deadline in session time; 0: none. */
static uint64_t deadline_of(const struct dg_session *s, uint64_t deadline)
{
	uint64_t us = dg_session_time(s, deadline);

	if (deadline == DGRAM_NEVER || us > DG_VARINT_MAX)
		return 0;
	return us > 0 ? us : 1;
}

/* What belongs to the message, in its first fragment. */
static void describe(const struct dg_session *s, const struct dg_message *m, struct dg_frame *f)
{
	if (is_reply(m)) {
		f->status = m->status;
		f->service = m->service / DGRAM_US;
		return;
	}
	f->flags |= m->flags;
	f->name_len = m->name_len;
	f->name = (const uint8_t *)m->name;
	f->hops = m->hops;
	if (m->flags & DG_ORDERED && m->order != DG_NO_ID)
		f->order = m->id - m->order;
	if (m->kind == DGRAM_REQUEST) {
		f->deadline = deadline_of(s, m->deadline);
		f->grant = m->grant;
	}
}

static struct dg_frame fragment_of(const struct dg_session *s, const struct dg_message *m,
                                   uint32_t offset)
{
	struct dg_frame f = {.id = m->id, .total = m->cells.total, .offset = offset};

	if (is_reply(m))
		f.type = DG_REPLY;
	else
		f.type = m->kind == DGRAM_SEND ? DG_SEND : DG_REQUEST;
	if (is_reply(m) && m->accepted)
		f.flags |= DG_PUSHED;
	if (offset == 0)
		describe(s, m, &f);
	return f;
}

/* Bytes of a fragment's frame before its data. */
static size_t around(const struct dg_frame *f)
{
	size_t size = 2 + varint_size(f->id) + varint_size(f->total) +
	              varint_size(f->offset / DG_CELL) + 4;

	if (f->offset > 0)
		return size;
	if (f->flags & DG_NAMED)
		size += 1 + (size_t)f->name_len;
	size += f->flags & DG_HOPS ? 1 : 0;
	size += f->flags & DG_ORDERED ? varint_size(f->order) : 0;
	if (f->type == DG_REQUEST)
		size += varint_size(f->deadline) + varint_size(f->grant);
	if (f->type == DG_REPLY)
		size += varint_size(f->status) + varint_size(f->service);
	return size;
}

/* Bytes from offset on that go in this packet: at most len, and ending at a cell or with the message.
 * 0: too few to be worth it. */
static uint32_t piece_of(const struct dg_packet *p, const struct dg_frame *f, uint32_t len)
{
	size_t before = around(f), room = p->w.cap - p->w.len;

	if (room <= before)
		return 0;
	room -= before;
	if (len <= room)
		return len;
	if (p->worth && room < p->w.cap / SMALL_PIECE)
		return 0;
	return (uint32_t)room / DG_CELL * DG_CELL;
}

static bool add_fragment(struct dg_packet *p, struct dg_message *m, struct dg_frame *f,
                         uint32_t len)
{
	struct dg_item item = item_of(m, f->type);

	item.offset = (uint32_t)f->offset;
	item.len = len;
	f->len = len;
	f->data = dg_message_bytes(p->ep, &m->cells, item.offset, len, p->ep->gather);
	if (f->len == f->total)
		f->flags |= DG_WHOLE;
	if (!dg_packet_add(p, f, &item))
		return false;
	m->tries++;
	return true;
}

/* Of a reply no more is sent than its grant covers, but always the first cell. */
static uint32_t limit_of(const struct dg_message *m)
{
	if (!is_reply(m) || m->cells.total <= m->grant || m->cells.total <= DG_CELL)
		return m->cells.total;
	return m->grant < DG_CELL ? DG_CELL : (uint32_t)m->grant / DG_CELL * DG_CELL;
}

/* The next bytes to send. False: there are none now. */
static bool next_piece(const struct dgram_endpoint *ep, const struct dg_message *m,
                       uint32_t *offset, uint32_t *len, uint32_t most)
{
	uint32_t limit = limit_of(m);

	*offset = m->cursor;
	if (!m->has_cells || m->cells.missing == 0 ||
	    !dg_cells_next(&m->cells, &ep->arena, offset, len, most) || *offset >= limit)
		return false;
	if (*len > limit - *offset)
		*len = limit - *offset;
	return true;
}

/* A session in doubt exposes nothing: what has begun waits. */
static bool is_sending(const struct dgram_endpoint *ep, const struct dg_message *m)
{
	bool doubted = dg_session_at(ep, m->session)->doubted;

	if (m->ours)
		return ((m->state == DG_BEGUN && !doubted) || m->state == DG_EXPOSED) &&
		       !m->cancelling && (m->kind == DGRAM_SEND || m->kind == DGRAM_REQUEST);
	return m->state == DG_ANSWERED && m->accepted && m->code == 0;
}

static enum dg_put put_fragment(struct dg_packet *p, struct dg_message *m)
{
	uint32_t offset, len;
	struct dg_frame f;

	if (!is_sending(p->ep, m) || !next_piece(p->ep, m, &offset, &len, p->s->datagram))
		return DG_PUT_NOTHING;
	f = fragment_of(p->s, m, offset);
	len = piece_of(p, &f, len);
	if (len == 0 || !add_fragment(p, m, &f, len))
		return DG_PUT_NO_ROOM;
	dg_cells_mark(&m->cells, &p->ep->arena, offset, len);
	m->cursor = offset + len;
	if (m->cells.missing == 0 && m->state == DG_BEGUN)
		m->state = DG_EXPOSED;
	return DG_PUT_DONE;
}

static enum dg_put put_empty(struct dg_packet *p, struct dg_message *m)
{
	struct dg_frame f = fragment_of(p->s, m, 0);

	if (!add_fragment(p, m, &f, 0))
		return DG_PUT_NO_ROOM;
	m->due &= ~(uint32_t)DG_DUE_EMPTY;
	if (m->state == DG_BEGUN)
		m->state = DG_EXPOSED;
	return DG_PUT_DONE;
}

/* ---- what is no fragment ------------------------------------------------------------------------------- */

static struct dg_frame control_of(const struct dg_message *m, enum dg_due what)
{
	struct dg_frame f = {.id = m->id};

	switch (what) {
	case DG_DUE_PULL:
		f.type = DG_PULL;
		break;
	case DG_DUE_CANCEL:
		f.type = DG_CANCEL;
		f.total = m->cells.total;
		break;
	case DG_DUE_RESET:
		f.type = DG_RESET;
		f.total = m->reset_total;
		break;
	case DG_DUE_GRANT:
		f.type = DG_GRANT;
		f.value = m->grant;
		break;
	case DG_DUE_ACCEPTED:
		f.type = DG_ACCEPTED;
		f.code = m->state == DG_RUNNING ? DG_ACCEPTED_RUNNING : DG_ACCEPTED_QUEUED;
		break;
	case DG_DUE_ANSWER:
		f.type = DG_NO;
		f.code = m->code;
		f.flags = m->accepted ? DG_PUSHED : 0;
		f.value = m->code == DG_NO_BUSY ? m->service / DGRAM_MS : 0;
		break;
	case DG_DUE_EMPTY:
		break;
	}
	return f;
}

static enum dg_put put_control(struct dg_packet *p, struct dg_message *m, enum dg_due what)
{
	const struct dg_frame f = control_of(m, what);
	const struct dg_item item = item_of(m, f.type);

	if (!dg_packet_add(p, &f, &item))
		return DG_PUT_NO_ROOM;
	m->due &= ~(uint32_t)what;
	m->is_saying |= what == DG_DUE_ACCEPTED;
	return DG_PUT_DONE;
}

/* The packet's ACK tells that it arrived, unless it is sent again before. */
static void remember_pulled(struct dg_packet *p, struct dg_message *m)
{
	if (m->transient) {
		dg_in_forget(p->ep, m);
		return;
	}
	m->packet = p->a->recovery.next;
	m->in_packet = p->pulled;
	p->pulled = m->number;
}

/* A REPLY of one datagram. The path may have become too narrow for it: then it is pushed in pieces. */
static enum dg_put put_pulled_reply(struct dg_packet *p, struct dg_message *m)
{
	struct dg_frame f = fragment_of(p->s, m, 0);

	if (m->cells.total + (size_t)DG_REPLY_AROUND > p->s->datagram) {
		m->accepted = true;
		m->due = m->cells.total == 0 ? DG_DUE_EMPTY : 0;
		dg_message_queue(p->ep, m, DG_QUEUE_WORK);
		return DG_PUT_DONE;
	}
	if (!add_fragment(p, m, &f, m->cells.total))
		return DG_PUT_NO_ROOM;
	m->due &= ~(uint32_t)DG_DUE_ANSWER;
	remember_pulled(p, m);
	return DG_PUT_DONE;
}

static enum dg_put put_answer(struct dg_packet *p, struct dg_message *m)
{
	enum dg_put put;

	if (m->code == 0)
		return put_pulled_reply(p, m);
	put = put_control(p, m, DG_DUE_ANSWER);
	if (put == DG_PUT_DONE && !m->accepted)
		remember_pulled(p, m);
	return put;
}

static enum dg_put put_echo(struct dg_packet *p, struct dg_message *m)
{
	const struct dg_frame f = {.type = DG_ECHO, .id = DG_ECHO_IDS + p->s->next_echo};
	const struct dg_item item = item_of(m, DG_ECHO);

	if (!dg_packet_add(p, &f, &item))
		return DG_PUT_NO_ROOM;
	p->s->next_echo++;
	m->id = f.id;
	m->state = DG_EXPOSED;
	m->tries++;
	m->since = p->now; /* the session's beginning is no part of the round trip */
	m->packet = p->a->recovery.next;
	dg_message_enter(p->ep, m);
	return DG_PUT_DONE;
}

static enum dg_put put_echoed(struct dg_packet *p, struct dg_message *m)
{
	const struct dg_frame f = {.type = DG_ECHOED, .id = m->id, .value = p->s->received};

	if (!dg_packet_add(p, &f, NULL))
		return DG_PUT_NO_ROOM;
	dg_in_forget(p->ep, m);
	return DG_PUT_DONE;
}

/* Sent or not, it is over: the path may be too narrow for it. */
static enum dg_put put_post(struct dg_packet *p, struct dg_message *m)
{
	const struct dg_frame f = {
	        .type = DG_POST,
	        .flags = m->flags,
	        .id = p->s->next_post,
	        .name = (const uint8_t *)m->name,
	        .name_len = m->name_len,
	        .hops = m->hops,
	        .data = dg_message_bytes(p->ep, &m->cells, 0, m->cells.total, p->ep->gather),
	        .total = m->cells.total,
	        .len = m->cells.total,
	};

	if (!dg_packet_add(p, &f, NULL) && p->worth)
		return DG_PUT_NO_ROOM;
	p->s->next_post++;
	dg_out_end(p->ep, m, DGRAM_ANSWERED, DGRAM_REASON_NONE, p->now);
	return DG_PUT_DONE;
}

/* ---- all ------------------------------------------------------------------------------------------------- */

bool dg_message_has_more(const struct dgram_endpoint *ep, const struct dg_message *m)
{
	uint32_t offset, len;

	return (m->due & ~(uint32_t)DG_DUE_EMPTY) != 0 ||
	       (m->due & DG_DUE_EMPTY && is_sending(ep, m)) ||
	       (is_sending(ep, m) && next_piece(ep, m, &offset, &len, DG_CELL));
}

enum dg_put dg_packet_put(struct dg_packet *p, struct dg_message *m)
{
	static const enum dg_due controls[] = {DG_DUE_RESET, DG_DUE_CANCEL, DG_DUE_PULL,
	                                       DG_DUE_GRANT, DG_DUE_ACCEPTED};

	if (m->kind == DGRAM_POST && m->ours)
		return put_post(p, m);
	if (m->kind == DGRAM_ECHO && !m->ours)
		return put_echoed(p, m);
	if (m->kind == DGRAM_ECHO)
		return m->state == DG_WAITING ? put_echo(p, m) : DG_PUT_NOTHING;
	for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
		if (m->due & controls[i])
			return put_control(p, m, controls[i]);
	if (m->due & DG_DUE_ANSWER)
		return put_answer(p, m);
	if (m->due & DG_DUE_EMPTY)
		return is_sending(p->ep, m) ? put_empty(p, m) : DG_PUT_NOTHING;
	return put_fragment(p, m);
}

/* ---- once more ------------------------------------------------------------------------------------------- */

static enum dg_put again(bool added)
{
	return added ? DG_PUT_DONE : DG_PUT_NO_ROOM;
}

static enum dg_put fragment_again(struct dg_packet *p, struct dg_message *m,
                                  const struct dg_item *item)
{
	struct dg_frame f = fragment_of(p->s, m, item->offset);

	f.len = item->len;
	f.data = dg_message_bytes(p->ep, &m->cells, item->offset, item->len, p->ep->gather);
	if (f.len == f.total)
		f.flags |= DG_WHOLE;
	if (!dg_packet_add(p, &f, NULL))
		return DG_PUT_NO_ROOM;
	m->tries++;
	return DG_PUT_DONE;
}

static enum dg_put control_again(struct dg_packet *p, const struct dg_message *m,
                                 const struct dg_item *item)
{
	/* clang-format off */
	static const struct {
		uint8_t type;
		enum dg_due due;
	} rows[] = {
		{DG_PULL, DG_DUE_PULL},   {DG_CANCEL, DG_DUE_CANCEL},     {DG_RESET, DG_DUE_RESET},
		{DG_GRANT, DG_DUE_GRANT}, {DG_ACCEPTED, DG_DUE_ACCEPTED}, {DG_NO, DG_DUE_ANSWER},
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].type == item->type) {
			const struct dg_frame f = control_of(m, rows[i].due);

			return again(dg_packet_add(p, &f, NULL));
		}
	}
	return DG_PUT_NOTHING;
}

static enum dg_put session_again(struct dg_packet *p, const struct dg_item *item)
{
	const struct dg_frame credit = {
	        .type = DG_CREDIT, .value = p->s->granted, .id = p->s->granted_ids};

	if (item->type == DG_CREDIT)
		return again(dg_packet_add(p, &credit, NULL));
	if (item->type == DG_NEED && dg_message_first(p->ep, p->s, DG_QUEUE_WAITING))
		p->s->say |= DG_SAY_NEED;
	return DG_PUT_NOTHING;
}

/* Whether the message is still in the state in which this was sent. */
static bool still_means(const struct dg_message *m, const struct dg_item *item)
{
	switch (item->type) {
	case DG_SEND:
	case DG_REQUEST:
		return (m->state == DG_BEGUN || m->state == DG_EXPOSED) && !m->cancelling;
	case DG_REPLY:
		return m->state == DG_ANSWERED && m->code == 0;
	case DG_NO:
		return m->state == DG_ANSWERED && m->code != 0;
	case DG_ACCEPTED:
		return m->state == DG_QUEUED || m->state == DG_RUNNING;
	case DG_RESET:
		return m->resetting;
	case DG_CANCEL:
		return m->cancelling && m->state != DG_ENDED;
	case DG_PULL:
		return m->state == DG_EXPOSED && !m->cancelling;
	case DG_GRANT:
		return m->state == DG_ANSWERING;
	default:
		return false;
	}
}

enum dg_put dg_packet_put_again(struct dg_packet *p, const struct dg_item *item)
{
	struct dg_message *m = dg_item_message(p->ep, p->s, item);

	if (item->message == DG_NONE)
		return session_again(p, item);
	if (!m || !still_means(m, item))
		return DG_PUT_NOTHING;
	if (item->type == DG_SEND || item->type == DG_REQUEST || item->type == DG_REPLY)
		return fragment_again(p, m, item);
	return control_again(p, m, item);
}
