/* What became of the packets that were sent: acknowledged, or lost. */
#include "endpoint/endpoint.h"

#include <dgram/error.h>

static struct dg_item *item_at(const struct dgram_endpoint *ep, uint32_t number)
{
	return dg_pool_at(&ep->items, number);
}

/* One packet less carries the chain; with the last one it is given back. */
void dg_item_unref(struct dgram_endpoint *ep, uint32_t first)
{
	if (--item_at(ep, first)->refs > 0)
		return;
	while (first != DG_NONE) {
		uint32_t next = item_at(ep, first)->next;

		dg_pool_give(&ep->items, first);
		first = next;
	}
}

/* The message of an item; NULL: it is gone, has moved to another session, or there is none. */
struct dg_message *dg_item_message(const struct dgram_endpoint *ep, const struct dg_session *s,
                                   const struct dg_item *item)
{
	struct dg_message *m;

	if (item->message == DG_NONE || !dg_pool_is_taken(&ep->messages, item->message))
		return NULL;
	m = dg_message_at(ep, item->message);
	return m->generation == item->generation && m->session == s->slot ? m : NULL;
}

static void item_acked(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_item *item,
                       uint64_t now)
{
	struct dg_message *m = dg_item_message(ep, s, item);

	if (item->message == DG_NONE && item->type == DG_PADDING)
		dg_path_acked(ep, s, (uint16_t)item->len, now);
	if (m && m->ours)
		dg_out_acked(ep, s, m, item, now);
	else if (m)
		dg_in_acked(ep, m, item);
}

static void item_lost(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_item *item,
                      uint64_t now)
{
	struct dg_message *m = dg_item_message(ep, s, item);

	if (item->message == DG_NONE && item->type == DG_PADDING)
		dg_path_lost(ep, s, (uint16_t)item->len, now);
	else if (item->message == DG_NONE && item->type == DG_CREDIT)
		s->say |= DG_SAY_CREDIT;
	else if (item->message == DG_NONE && item->type == DG_NEED)
		s->say |= dg_message_first(ep, s, DG_QUEUE_WAITING) ? DG_SAY_NEED : 0;
	if (m && m->ours)
		dg_out_lost(ep, m, item);
	else if (m)
		dg_in_lost(ep, m, item);
}

/* What a packet carried is sent anew, in other pieces: nothing that becomes of it counts any more. */
void dg_item_requeue(struct dgram_endpoint *ep, struct dg_session *s, uint32_t first, uint64_t now)
{
	for (uint32_t i = first; i != DG_NONE; i = item_at(ep, i)->next)
		item_lost(ep, s, item_at(ep, i), now);
	item_at(ep, first)->settled = true;
}

static void chain_acked(struct dgram_endpoint *ep, struct dg_session *s, uint32_t first,
                        uint64_t now)
{
	bool settled = item_at(ep, first)->settled;

	item_at(ep, first)->settled = true;
	if (item_at(ep, first)->message != DG_NONE) {
		struct dg_active *a = dg_session_active(ep, s);

		a->refusals = a->untaken = 0;
		a->again_at = 0;
	}
	for (uint32_t i = first; !settled && i != DG_NONE; i = item_at(ep, i)->next)
		item_acked(ep, s, item_at(ep, i), now);
	dg_item_unref(ep, first);
}

static void chain_lost(struct dgram_endpoint *ep, struct dg_session *s, uint32_t first,
                       uint64_t now)
{
	const struct dg_item *head = item_at(ep, first);
	bool last = head->refs == 1 && !head->settled;
	struct dg_active *a = dg_session_active(ep, s);

	if (last && head->next != DG_NONE && a->refusals < UINT8_MAX)
		a->refusals++;
	if (last && head->message != DG_NONE && a->untaken < UINT8_MAX)
		a->untaken++;
	for (uint32_t i = first; last && i != DG_NONE; i = item_at(ep, i)->next)
		item_lost(ep, s, item_at(ep, i), now);
	dg_item_unref(ep, first);
}

/* Pulled answers that were in a packet: who was sent again since is in another one. */
static void pulled_acked(struct dgram_endpoint *ep, const struct dg_session *s, uint32_t i,
                         uint64_t number)
{
	const struct dg_item answer = {.type = DG_NO};

	while (i != DG_NONE && dg_pool_is_taken(&ep->messages, i)) {
		struct dg_message *m = dg_message_at(ep, i);

		if (m->session != s->slot || m->ours || m->packet != number)
			return;
		i = m->in_packet;
		dg_in_acked(ep, m, &answer);
	}
}

/* A probe of the path's size is no sign of congestion (RFC 8899, 3). */
static bool is_size_probe(const struct dgram_endpoint *ep, const struct dg_sent *sent)
{
	return sent->count > 0 && sent->asking && item_at(ep, sent->first)->type == DG_PADDING;
}

static void pull_lost(struct dgram_endpoint *ep, struct dg_session *s, struct dg_active *a,
                      uint64_t now)
{
	struct dg_sent sent;

	while (dg_recovery_next_lost(&a->recovery, &sent)) {
		if (!sent.asking)
			continue;
		ep->stats.lost++;
		if (!is_size_probe(ep, &sent))
			dg_congestion_lost(&a->congestion, sent.at, now);
		if (sent.count > 0)
			chain_lost(ep, s, sent.first, now);
	}
}

static void pull_acked(struct dgram_endpoint *ep, struct dg_session *s, struct dg_active *a,
                       uint64_t in_flight, uint64_t now)
{
	struct dg_sent sent;

	while (dg_recovery_next_acked(&a->recovery, &sent)) {
		const struct dg_congestion_ack ack = {sent.at, sent.bytes, in_flight};

		if (sent.number >= a->assured_from)
			dg_doubt_assured(ep, s, now);
		if (sent.acks != DG_NO_ACK) {
			dg_window_ack_arrived(&a->window, sent.acks);
			a->unasked = 0;
		}
		ep->stats.late += sent.late;
		if (sent.late)
			continue;
		if (sent.asking)
			dg_congestion_acked(&a->congestion, &ack);
		if (sent.asking && sent.count > 0)
			chain_acked(ep, s, sent.first, now);
		else if (sent.count > 0)
			pulled_acked(ep, s, sent.first, sent.number);
	}
}

static void find_lost(struct dgram_endpoint *ep, struct dg_session *s, struct dg_active *a,
                      uint64_t now)
{
	uint64_t delay = dg_rtt_loss_delay(&s->rtt, a->recovery.latest);
	bool persistent = dg_recovery_detect(&a->recovery, delay, dg_rtt_persistent(&s->rtt), now);

	pull_lost(ep, s, a, now);
	if (persistent) {
		dg_congestion_collapse(&a->congestion);
		dg_rtt_forget_minimum(&s->rtt);
	}
}

void dg_settle_ack(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *ack,
                   uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);
	uint64_t sample, in_flight = a->recovery.in_flight;
	uint64_t delay = ack->value < UINT64_MAX / DGRAM_US ? ack->value * DGRAM_US : DGRAM_NEVER;

	if (dg_recovery_ack(&a->recovery, ack, now, &sample) < 0)
		return;
	if (sample > 0)
		dg_rtt_sample(&s->rtt, sample, delay);
	find_lost(ep, s, a, now);
	pull_acked(ep, s, a, in_flight, now);
	dg_session_touch(ep, s);
}

void dg_settle_timeout(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	switch (dg_recovery_timeout(&a->recovery, dg_session_wait(s, a), now)) {
	case DG_RECOVERY_NOTHING:
		break;
	case DG_RECOVERY_LOSS:
		find_lost(ep, s, a, now);
		break;
	case DG_RECOVERY_PROBE:
		pull_lost(ep, s, a, now);
		ep->stats.probes++;
		if (s->connected) { /* its ACK tells what the peer did not take */
			s->say |= DG_SAY_PING;
			break;
		}
		a->repeated = DG_NO_ID;
		a->probes = a->recovery.probes > 1 ? 2 : 1; /* RFC 9002, 6.2.4: one or two */
		dg_path_timeout(ep, s, now);
		break;
	}
}

/* The session ends: what its packets carried is given back. */
void dg_settle_forget(struct dgram_endpoint *ep, struct dg_active *a)
{
	struct dg_recovery *r = &a->recovery;

	for (uint64_t place = r->begin; place < r->end; place++) {
		const struct dg_sent *sent = &a->ring[place % r->capacity];

		if (sent->asking && sent->count > 0 && dg_recovery_owes(sent))
			dg_item_unref(ep, sent->first);
	}
}
