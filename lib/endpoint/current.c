/* The sessions of one place that new messages used one after another.
 *
 * The newest of them is entered under the place and is mostly the current one: it takes what is new. Those
 * before it still have something to end, in the order in which they were current, and an ordered message
 * begins only in a session before which no ordered one is under way. So when the current one ends, the one
 * before it is entered again: it takes nothing new, but whatever comes next has to wait for it. */
#include "endpoint/endpoint.h"

static uint64_t key_of(const struct dgram_endpoint *ep, const struct dg_place *place)
{
	return dg_place_hash(place, 0, ep->key);
}

static struct dg_session *newest(const struct dgram_endpoint *ep, const struct dg_place *place)
{
	uint32_t slot = dg_index_first(&ep->by_place, key_of(ep, place));

	for (; slot != DG_INDEX_NONE; slot = dg_index_next(&ep->by_place, slot))
		if (dg_place_equal(&dg_session_at(ep, slot)->peer, place))
			return dg_session_at(ep, slot);
	return NULL;
}

struct dg_session *dg_current(const struct dgram_endpoint *ep, const struct dg_place *place)
{
	struct dg_session *s = newest(ep, place);

	return s && s->current ? s : NULL;
}

/* ---- one after another ------------------------------------------------------------------------ */

static void enter(struct dgram_endpoint *ep, struct dg_session *s)
{
	s->in_by_place = dg_index_add(&ep->by_place, s->slot, key_of(ep, &s->peer));
}

static void withdraw(struct dgram_endpoint *ep, struct dg_session *s)
{
	if (s->in_by_place)
		dg_index_remove(&ep->by_place, s->slot, key_of(ep, &s->peer));
	s->in_by_place = s->current = false;
}

/* What had to wait for earlier sessions stands in line again, and may begin if nothing else is in its way. */
static void let_try(struct dgram_endpoint *ep, const struct dg_session *s)
{
	struct dg_message *m;

	while ((m = dg_message_first(ep, s, DG_QUEUE_HELD)))
		dg_message_queue(ep, m, DG_QUEUE_WAITING);
}

static void let_later_try(struct dgram_endpoint *ep, const struct dg_session *s)
{
	for (uint32_t i = s->of_place.after; i != DG_NONE; i = dg_session_at(ep, i)->of_place.after)
		let_try(ep, dg_session_at(ep, i));
}

void dg_current_leave(struct dgram_endpoint *ep, struct dg_session *s)
{
	const struct dg_link of_place = s->of_place;
	bool was_newest = s->in_by_place;

	withdraw(ep, s);
	let_later_try(ep, s);
	s->of_place = DG_NO_LINK;
	if (of_place.after != DG_NONE)
		dg_session_at(ep, of_place.after)->of_place.before = of_place.before;
	if (of_place.before == DG_NONE)
		return;
	dg_session_at(ep, of_place.before)->of_place.after = of_place.after;
	if (was_newest)
		enter(ep, dg_session_at(ep, of_place.before));
}

bool dg_current_is_in_order(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	for (uint32_t i = s->of_place.before; i != DG_NONE;
	     i = dg_session_at(ep, i)->of_place.before)
		if (dg_session_at(ep, i)->ordered_out > 0)
			return false;
	return true;
}

void dg_current_ordered_ended(struct dgram_endpoint *ep, struct dg_session *s)
{
	if (--s->ordered_out == 0)
		let_later_try(ep, s);
}

/* ---- which one -------------------------------------------------------------------------------- */

/* Both sides initiated: the session whose initiator has the lower boot id is used, or if these are
 * equal the lower endpoint id (docs/WIRE.md, section 6). */
static bool is_initiators(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	bool ours =
	        ep->boot < s->peer_boot || (ep->boot == s->peer_boot && ep->id < s->peer_endpoint);

	return s->initiator == ours;
}

/* Of two open sessions with one place: whether the newer one is to be used. */
static bool is_better(const struct dgram_endpoint *ep, const struct dg_session *newer,
                      const struct dg_session *older)
{
	if (older->state != DG_OPEN)
		return true;
	/* Another process is there now: the one that was heard of last, for a late copy may confirm a
	 * half-open session of the one before. */
	if (older->peer_boot != newer->peer_boot || older->initiator == newer->initiator)
		return newer->serial - older->serial < UINT32_MAX / 2;
	return is_initiators(ep, newer);
}

static bool is_movable(const struct dg_message *m)
{
	return !m->pinned && m->id == DG_NO_ID; /* a named one is waited for where it is */
}

static bool has_movable_in(const struct dgram_endpoint *ep, const struct dg_session *s,
                           enum dg_queue queue)
{
	const struct dg_message *m = dg_message_first(ep, s, queue);

	while (m && !is_movable(m))
		m = m->of_queue.after == DG_NONE ? NULL : dg_message_at(ep, m->of_queue.after);
	return m != NULL;
}

bool dg_current_has_movable(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return has_movable_in(ep, s, DG_QUEUE_WAITING) || has_movable_in(ep, s, DG_QUEUE_HELD);
}

/* What waits in s goes where new messages go, so that they do not overtake it. */
static void move_waiting(struct dgram_endpoint *ep, struct dg_session *s, struct dg_session *to)
{
	struct dg_message *m, *after;

	let_try(ep, s);
	for (m = dg_message_first(ep, s, DG_QUEUE_WAITING); m; m = after) {
		after = m->of_queue.after == DG_NONE ? NULL : dg_message_at(ep, m->of_queue.after);
		if (is_movable(m))
			dg_out_move(ep, m, to);
	}
}

void dg_current_follow(struct dgram_endpoint *ep, struct dg_session *s)
{
	struct dg_session *older;

	dg_current_leave(ep, s); /* it may have been the current one before */
	older = newest(ep, &s->peer);
	if (older) {
		withdraw(ep, older);
		s->of_place.before = older->slot;
		older->of_place.after = s->slot;
	}
	enter(ep, s);
	s->current = s->in_by_place;
	let_try(ep, s);
	if (older)
		move_waiting(ep, older, s);
}

void dg_current_offer(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_session *older = dg_current(ep, &s->peer);

	if (older == s || (older && !is_better(ep, s, older)))
		return;
	if (older && dg_current_has_movable(ep, older) && !dg_session_wake(ep, s, now))
		return; /* it could not take over what waits */
	dg_current_follow(ep, s);
	if (older && older->state == DG_OPENING && older->waiting_out == 0)
		dg_session_forget(ep, older, now);
}
