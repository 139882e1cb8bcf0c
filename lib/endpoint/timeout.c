/* What is due. A timer says only that something may be: each function looks for itself. */
#include "endpoint/endpoint.h"

#define PINGS_MAX 3 /* keep-alives in a row without a word, and so many PTOs: the peer is gone */

/* A keep-alive is due. False: there were enough, and the session has ended. */
static bool keep_alive(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	if (s->pings >= PINGS_MAX && now - s->heard_at >= PINGS_MAX * dg_rtt_pto(&s->rtt)) {
		dg_session_lost(ep, s, 0, now);
		return false;
	}
	if (!dg_session_wake(ep, s, now))
		return true;
	s->pings++;
	dg_session_active(ep, s)->pinged_at = now;
	s->say |= DG_SAY_PING;
	if (s->ended_below >
	    ep->first_id) /* it may have been lost, and the peer keeps what it settles */
		s->say |= DG_SAY_SETTLED;
	return true;
}

/* The end of doubt, or of the check before something is exposed. False: the session has ended. */
static bool give_up(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	bool doubted = s->doubted;

	s->due = DGRAM_NEVER;
	if (doubted) {
		dg_session_lost(ep, s, 0, now);
		return false;
	}
	s->checking = false;
	if (dg_current_has_movable(ep, s))
		dg_session_replace(ep, s, now); /* where there is no room, it is asked again */
	return true;
}

static void look_for_room(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	const struct dg_active *a = dg_session_active(ep, s);

	if (a && a->needed > 0 && now >= a->need_at)
		dg_in_look_for_room(ep, s, now);
}

static void open_session(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	if (now >= s->due && !give_up(ep, s, now))
		return;
	if (now - s->heard_at >= s->idle_ms * DGRAM_MS) {
		dg_session_lost(ep, s, DG_CLOSE_IDLE, now);
		return;
	}
	if (now >= dg_session_keepalive_due(ep, s) && !keep_alive(ep, s, now))
		return;
	look_for_room(ep, s, now);
	if (s->active != DG_NONE)
		dg_settle_timeout(ep, s, now);
	dg_session_touch(ep, s);
}

static void session_due(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	switch (s->state) {
	case DG_OPENING:
		if (now >= s->due)
			s->say |= DG_SAY_INIT;
		dg_session_touch(ep, s);
		break;
	case DG_HALF_OPEN:
		dg_session_forget(ep, s, now);
		break;
	default:
		open_session(ep, s, now);
		break;
	}
}

void dg_timeouts(struct dgram_endpoint *ep, uint64_t now)
{
	while (dg_timers_due(&ep->message_timers) <= now) {
		struct dg_message *m = dg_message_at(ep, dg_timers_take(&ep->message_timers));

		if (m->ours)
			dg_out_timeout(ep, m, now);
		else
			dg_in_timeout(ep, m, now);
	}
	while (dg_timers_due(&ep->session_timers) <= now)
		session_due(ep, dg_session_at(ep, dg_timers_take(&ep->session_timers)), now);
}
