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

/* A PING is to be acknowledged within three PTOs, and is repeated as if it were the first. */
static void assure_from_now(const struct dgram_endpoint *ep, struct dg_session *s)
{
	struct dg_active *a = dg_session_active(ep, s);

	a->assured_from = a->recovery.next;
	a->recovery.probes = 0;
	s->say |= DG_SAY_PING;
}

static uint64_t three_ptos(const struct dg_session *s)
{
	return dg_rtt_wait(&s->rtt, 0, 0) + dg_rtt_wait(&s->rtt, 1, 0) + dg_rtt_wait(&s->rtt, 2, 0);
}

void dg_doubt(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	if (s->state != DG_OPEN || s->doubted || !dg_session_wake(ep, s, now))
		return;
	s->doubted = true;
	assure_from_now(ep, s);
	s->due = now + three_ptos(s);
	dg_session_touch(ep, s); /* first: busy, it is not what makes room for its own probe */
	if (s->probe == DG_NONE)
		probe(ep, s, now);
}

void dg_doubt_hasten(struct dgram_endpoint *ep, struct dg_session *s,
                     const struct dg_session *probe, uint64_t now)
{
	if (now + three_ptos(probe) < s->due)
		s->due = now + three_ptos(probe);
	dg_session_touch(ep, s);
}

void dg_doubt_check(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	if (s->checking || s->doubted || !dg_session_wake(ep, s, now))
		return;
	assure_from_now(ep, s);
	s->checking = true;
	s->due = now + three_ptos(s);
	dg_session_touch(ep, s);
}

/* What was sent before the doubt may be acknowledged by packets that are old: it ends nothing. */
void dg_doubt_assured(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	dg_session_active(ep, s)->assured_from = DG_NO_ID;
	s->doubted = s->checking = false;
	s->due = DGRAM_NEVER;
	if (s->probe != DG_NONE && !s->spare)
		dg_session_forget(ep, dg_session_at(ep, s->probe), now);
	for (uint32_t i = s->all.first; i != DG_NONE; i = dg_message_at(ep, i)->of_session.after)
		if (dg_message_at(ep, i)->ours && dg_message_at(ep, i)->state == DG_BEGUN)
			dg_message_queue(ep, dg_message_at(ep, i), DG_QUEUE_WORK);
}
