/* A session whose peer may be gone: it is asked, and meanwhile nothing new is exposed. */
#include "endpoint/endpoint.h"

/* One INIT, from a session that is used only if this one ends. */
static void probe(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_session *spare = dg_session_initiate(ep, &s->peer, now);

	if (!spare)
		return;
	spare->spare = true;
	spare->local = s->local;
	spare->interface = s->interface;
	spare->probe = s->slot;
	s->probe = spare->slot;
}

static uint64_t three_ptos(const struct dg_session *s, uint32_t probes)
{
	uint64_t sum = 0;

	for (uint32_t i = probes; i < probes + 3; i++)
		sum += dg_rtt_wait(&s->rtt, i, 0);
	return sum;
}

/* A PING is to be acknowledged within three PTOs. It is repeated as if it were the first, unless the last one that
 * was to assure us drew nothing either: then the gaps go on growing. */
static void assure_from_now(const struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	if (!a->unassured)
		a->recovery.probes = 0;
	a->unassured = true;
	a->assured_from = a->recovery.next;
	s->say |= DG_SAY_PING;
	s->due = now + three_ptos(s, a->recovery.probes);
}

void dg_doubt(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	if (s->state != DG_OPEN || s->doubted || !dg_session_wake(ep, s, now))
		return;
	s->doubted = true;
	assure_from_now(ep, s, now);
	dg_session_touch(ep, s); /* first: busy, it is not what makes room for its own probe */
	if (s->probe == DG_NONE)
		probe(ep, s, now);
}

void dg_doubt_hasten(struct dgram_endpoint *ep, struct dg_session *s,
                     const struct dg_session *probe, uint64_t now)
{
	uint64_t due = now + three_ptos(probe, 0);

	if (due < s->due)
		s->due = due;
	dg_session_touch(ep, s);
}

void dg_doubt_check(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	if (s->checking || s->doubted || !dg_session_wake(ep, s, now))
		return;
	assure_from_now(ep, s, now);
	s->checking = true;
	dg_session_touch(ep, s);
}

/* What was sent before the doubt may be acknowledged by packets that are old: it ends nothing. */
void dg_doubt_assured(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	dg_session_active(ep, s)->assured_from = DG_NO_ID;
	dg_session_active(ep, s)->unassured = false;
	s->doubted = s->checking = false;
	s->due = DGRAM_NEVER;
	if (s->probe != DG_NONE && !s->spare)
		dg_session_forget(ep, dg_session_at(ep, s->probe), now);
	for (uint32_t i = s->all.first; i != DG_NONE; i = dg_message_at(ep, i)->of_session.after)
		if (dg_message_at(ep, i)->ours && dg_message_at(ep, i)->state == DG_BEGUN)
			dg_message_queue(ep, dg_message_at(ep, i), DG_QUEUE_WORK);
}
