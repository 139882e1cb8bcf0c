/* Sessions that have a connection each: what becomes of that. */
#include "endpoint/endpoint.h"

#include <dgram/error.h>

void dgram_endpoint_stall(struct dgram_endpoint *ep, uint64_t session, bool stalled)
{
	struct dg_session *s = dg_session_by_id(ep, session);

	if (!s || s->stalled == stalled)
		return;
	s->stalled = stalled;
	dg_session_touch(ep, s);
}

/* A packet with this chain did not leave: what it was to expose has only begun. */
static void unexpose(struct dgram_endpoint *ep, const struct dg_session *s, uint32_t first)
{
	const struct dg_item *item;

	for (uint32_t i = first; i != DG_NONE; i = item->next) {
		struct dg_message *m;

		item = dg_pool_at(&ep->items, i);
		m = dg_item_message(ep, s, item);
		if (m && m->ours && m->state == DG_EXPOSED &&
		    (item->type == DG_SEND || item->type == DG_REQUEST))
			m->state = DG_BEGUN;
	}
}

static void forget_unsent(struct dgram_endpoint *ep, const struct dg_session *s, uint32_t unsent)
{
	const struct dg_active *a = dg_session_active(ep, s);
	const struct dg_recovery *r = a ? &a->recovery : NULL;

	if (!r || unsent == 0)
		return;
	for (uint64_t place = r->end; place > r->begin; place--) {
		const struct dg_sent *sent = &a->ring[(place - 1) % r->capacity];

		if (r->next - sent->number > unsent)
			return;
		if (sent->asking && sent->count > 0 && dg_recovery_owes(sent))
			unexpose(ep, s, sent->first);
	}
}

/* A message of it may have run, and may run again: a peer that is being restarted is waited for. */
static bool waits_for_restart(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	for (uint32_t i = s->all.first; i != DG_NONE; i = dg_message_at(ep, i)->of_session.after)
		if (dg_message_at(ep, i)->exposed_before)
			return true;
	return false;
}

static void connect_again(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	uint32_t tries = dg_session_active(ep, s)->opening.tries;

	s->due = now + dg_rtt_wait(&s->rtt, tries, dg_random_next(&ep->random));
	dg_session_touch(ep, s);
}

/* A peer that takes every connection and drops it is not asked as fast as that goes. */
static void put_off(struct dgram_endpoint *ep, const struct dg_place *place, uint64_t now)
{
	struct dg_session *s = dg_current(ep, place);

	if (!s || s->state != DG_OPENING || !(s->say & DG_SAY_INIT))
		return;
	s->say &= (uint8_t)~DG_SAY_INIT;
	connect_again(ep, s, now);
}

static enum dgram_reason reason_of(int error)
{
	switch (error) {
	case DGRAM_ERR_REFUSED:
		return DGRAM_REASON_UNHEARD;
	case DGRAM_ERR_UNREACHABLE:
		return DGRAM_REASON_UNREACHABLE;
	case DGRAM_ERR_FOREIGN:
		return DGRAM_REASON_FOREIGN;
	default:
		return DGRAM_REASON_LOST;
	}
}

void dgram_endpoint_cut(struct dgram_endpoint *ep, uint64_t session, int error, uint32_t unsent,
                        uint64_t now)
{
	struct dg_session *s = dg_session_by_id(ep, session);
	struct dg_place place;

	dg_event_release(ep);
	if (!s || (s->state == DG_OPENING && s->why == DGRAM_REASON_BUSY))
		return;
	if (s->state == DG_OPENING && error != DGRAM_ERR_FOREIGN && waits_for_restart(ep, s)) {
		connect_again(ep, s, now);
		return;
	}
	if (s->state != DG_OPEN) {
		dg_session_fail(ep, s, reason_of(error), now);
		return;
	}
	place = s->peer;
	forget_unsent(ep, s, unsent);
	dg_session_lost(ep, s, 0, now);
	put_off(ep, &place, now);
}
