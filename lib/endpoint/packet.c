#include "endpoint/packet.h"

#include <string.h>

#define UNASKED_MAX                                                                                \
	32 /* packets that asked for nothing, then a PING goes along: RFC 9000, 13.2.4 */
#define MODEST_AFTER  3  /* probes, or lost packets, in a row */
#define PATIENT_AFTER 16 /* lost packets with messages, though the peer answers */
#define FLAGS_AT      6  /* bytes into the header */

void dg_packet_begin(struct dg_packet *p, struct dgram_endpoint *ep, struct dg_session *s,
                     struct dgram_datagram *out, uint64_t now)
{
	const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_DATA, .receiver = s->peer_id};

	*p = (struct dg_packet){
	        .ep = ep,
	        .s = s,
	        .a = dg_session_active(ep, s),
	        .w = dg_writer(out->data, (size_t)s->datagram - DG_CRC_SIZE),
	        .now = now,
	        .acks = DG_NO_ACK,
	        .first = DG_NONE,
	        .last = DG_NONE,
	        .pulled = DG_NONE,
	};
	p->single = p->a->refusals >= MODEST_AFTER || p->a->recovery.probes > MODEST_AFTER;
	dg_header_encode(&p->w, &header);
	dg_write_u64(&p->w, p->a->recovery.next);
}

/* An item at the end of the chain. False: there is none left. */
static bool append(struct dg_packet *p, const struct dg_item *item)
{
	uint32_t number = dg_pool_take(&p->ep->items);
	struct dg_item *at;

	if (number == DG_POOL_NONE)
		return false;
	at = dg_pool_at(&p->ep->items, number);
	*at = *item;
	at->next = DG_NONE;
	at->refs = 1;
	at->settled = false;
	if (p->first == DG_NONE)
		p->first = number;
	else
		((struct dg_item *)dg_pool_at(&p->ep->items, p->last))->next = number;
	p->last = number;
	return true;
}

bool dg_packet_add(struct dg_packet *p, const struct dg_frame *frame, const struct dg_item *item)
{
	struct dg_writer w = p->w;
	bool asking = dg_frame_elicits_ack(frame);

	if (asking && !p->may_ask)
		return false;
	dg_frame_encode(&w, frame);
	if (w.failed || (asking && item && !append(p, item)))
		return false;
	p->w = w;
	p->asking |= asking;
	p->asks |= dg_frame_asks(frame);
	p->worth |= frame->type != DG_ACK && frame->type != DG_SETTLED;
	return true;
}

bool dg_packet_is_overdue(const struct dg_active *a)
{
	return a->unasked >= UNASKED_MAX;
}

/* ---- what the session says ------------------------------------------------------------------------ */

static void add_ack(struct dg_packet *p)
{
	uint8_t data[DG_ACK_BYTES];
	struct dg_writer ranges = dg_writer(data, sizeof data);
	struct dg_frame frame;

	/* Again and again, until the peer is known to have heard it. */
	if (p->acks != DG_NO_ACK ||
	    !dg_window_ack(&p->s->window, &p->a->window, p->now, &frame, &ranges))
		return;
	if (dg_packet_add(p, &frame, NULL)) {
		p->acks = frame.id;
		p->worth |= dg_window_ack_due(&p->a->window) <= p->now;
	}
}

/* A frame of the session's own, once. */
static void say(struct dg_packet *p, enum dg_say what, struct dg_frame frame)
{
	const struct dg_item item = {.message = DG_NONE, .type = frame.type};

	if (p->s->say & what && dg_packet_add(p, &frame, &item))
		p->s->say &= (uint8_t)~what;
}

static void say_need(struct dg_packet *p)
{
	const struct dg_message *m = dg_message_first(p->ep, p->s, DG_QUEUE_WAITING);

	if (!m || m->id == DG_NO_ID)
		p->s->say &= (uint8_t)~DG_SAY_NEED;
	else
		say(p, DG_SAY_NEED,
		    (struct dg_frame){.type = DG_NEED, .id = m->id, .total = m->cells.total});
}

static void say_all(struct dg_packet *p)
{
	const struct dg_session *s = p->s;

	add_ack(p);
	say(p, DG_SAY_RESPONSE, (struct dg_frame){.type = DG_RESPONSE, .id = p->a->response});
	say(p, DG_SAY_CREDIT,
	    (struct dg_frame){.type = DG_CREDIT, .value = s->granted, .id = s->granted_ids});
	say_need(p);
}

/* Settled ids ride along: the peer frees answers, and learns it with the next packet otherwise. */
static void say_settled(struct dg_packet *p)
{
	const struct dg_frame frame = {.type = DG_SETTLED, .id = p->s->ended_below};

	if (p->s->say & DG_SAY_SETTLED && p->worth && dg_packet_add(p, &frame, NULL))
		p->s->say &= (uint8_t)~DG_SAY_SETTLED;
}

/* Any asking frame is as good as a PING. */
static void say_ping(struct dg_packet *p)
{
	const struct dg_frame ping = {.type = DG_PING};

	if ((p->s->say & DG_SAY_PING || dg_packet_is_overdue(p->a)) && !p->asking && p->may_ask)
		dg_packet_add(p, &ping, NULL);
	if (p->asking)
		p->s->say &= (uint8_t)~DG_SAY_PING;
}

/* ---- what its messages say ------------------------------------------------------------------------- */

static struct dg_message *first_of(const struct dg_packet *p, enum dg_queue queue)
{
	return dg_message_first(p->ep, p->s, queue);
}

/* Each in turn one frame, until nothing fits or nothing is left. */
static void put_queue(struct dg_packet *p, enum dg_queue queue)
{
	struct dg_message *m;

	while (!p->full && (m = first_of(p, queue))) {
		uint32_t number = m->number, generation = m->generation;
		enum dg_put put = dg_packet_put(p, m);

		p->full |= p->single && put == DG_PUT_DONE;
		if (put == DG_PUT_NO_ROOM)
			return;
		if (m->number != number || m->generation != generation || m->queue != queue)
			continue; /* it ended, or stands elsewhere now */
		if (dg_message_has_more(p->ep, m))
			dg_message_rotate(p->ep, m);
		else
			dg_message_queue(p->ep, m, DG_QUEUE_NONE);
	}
}

static void begin_waiting(struct dg_packet *p)
{
	struct dg_message *m;

	while (!p->full && (m = first_of(p, DG_QUEUE_WAITING)) &&
	       dg_out_begin(p->ep, p->s, m, p->now)) {
		put_queue(p, DG_QUEUE_WORK);
		if (first_of(p, DG_QUEUE_WORK))
			return;
	}
}

void dg_packet_fill(struct dg_packet *p)
{
	say_all(p);
	put_queue(p, DG_QUEUE_FREE);
	if (p->may_ask) {
		put_queue(p, DG_QUEUE_WORK);
		if (!first_of(p, DG_QUEUE_WORK))
			begin_waiting(p);
		say_need(p);
	}
	say_ping(p);
	say_settled(p);
}

/* ---- probes ------------------------------------------------------------------------------------------ */

/* The chain again, as far as it still means something. False: it does not fit any more. */
static bool repeat(struct dg_packet *p, uint32_t first)
{
	for (uint32_t i = first; i != DG_NONE;) {
		const struct dg_item *item = dg_pool_at(&p->ep->items, i);

		if (dg_packet_put_again(p, item) == DG_PUT_NO_ROOM)
			return false;
		i = item->next;
	}
	return true;
}

/* Where several probes in a row drew nothing, the peer may have room for one message and not for all of a
 * packet. */
static bool is_alone(const struct dg_packet *p, const struct dg_item *head)
{
	return !p->single || head->next == DG_NONE;
}

void dg_packet_probe(struct dg_packet *p)
{
	const struct dg_sent *oldest = dg_recovery_oldest(&p->a->recovery);
	struct dg_item *head =
	        oldest && oldest->count > 0 ? dg_pool_at(&p->ep->items, oldest->first) : NULL;
	struct dg_packet empty;
	const struct dg_frame ping = {.type = DG_PING};

	add_ack(p);
	empty = *p;
	if (head && !head->settled && head->refs < UINT16_MAX && p->a->repeated != oldest->number) {
		p->a->repeated = oldest->number;
		if (!is_alone(p, head) || !repeat(p, oldest->first)) {
			*p = empty;
			dg_item_requeue(p->ep, p->s, oldest->first, p->now);
		} else if (p->asking) {
			p->shared = true;
			p->first = oldest->first;
			head->refs++;
		}
	}
	if (!p->shared)
		dg_packet_fill(p);
	if (!p->asking)
		dg_packet_add(p, &ping, NULL);
}

void dg_packet_probe_size(struct dg_packet *p, uint16_t size)
{
	const struct dg_frame ping = {.type = DG_PING};
	const struct dg_item item = {.message = DG_NONE, .type = DG_PADDING, .len = size};
	struct dg_frame padding = {.type = DG_PADDING};

	p->w.cap = (size_t)size - DG_CRC_SIZE;
	dg_packet_add(p, &ping, &item);
	padding.len = p->w.cap - p->w.len - 1;
	dg_packet_add(p, &padding, NULL);
}

/* ---- finished ---------------------------------------------------------------------------------------- */

static void count_kinds(struct dg_packet *p)
{
	struct dg_active *a = p->a;

	if (p->acks != DG_NO_ACK)
		dg_window_ack_sent(&a->window);
	if (p->asking)
		a->unasked = 0;
	else if (a->unasked < UINT8_MAX)
		a->unasked++;
}

static void record(struct dg_packet *p, size_t bytes)
{
	struct dg_active *a = p->a;
	uint64_t rate = dg_congestion_rate(&a->congestion, dg_rtt_smoothed(&p->s->rtt));
	struct dg_sent sent = {
	        .at = p->now,
	        .acks = p->acks,
	        .first = p->asking ? p->first : p->pulled,
	        .count = (p->asking ? p->first : p->pulled) != DG_NONE,
	        .bytes = (uint16_t)bytes,
	        .asking = p->asking,
	};

	if (a->untaken >= PATIENT_AFTER && p->asking && p->first != DG_NONE)
		a->again_at = p->now + dg_rtt_wait(&p->s->rtt, a->untaken - PATIENT_AFTER, rate);
	dg_recovery_sent(&a->recovery, &sent);
	dg_pacer_sent(&a->pacer, rate, bytes, p->now);
	count_kinds(p);
}

bool dg_packet_finish(struct dg_packet *p, struct dgram_datagram *out)
{
	if (!p->worth)
		return false;
	if (p->asks) {
		struct dg_writer flags = dg_writer(p->w.data + FLAGS_AT, 2);

		dg_write_u16(&flags, DG_FLAG_ASKS);
	}
	p->w.cap += DG_CRC_SIZE;
	dg_crc_append(&p->w, dg_session_id(p->ep, p->s));
	out->len = p->w.len;
	dg_address(out, &p->s->peer, &p->s->local, p->s->interface);
	record(p, p->w.len);
	return true;
}
