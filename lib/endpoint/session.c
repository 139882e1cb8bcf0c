/* The life of a session: begun, busy or quiet, ended. */
#include "endpoint/endpoint.h"

#include <string.h>

#define OF_READY offsetof(struct dg_session, of_ready)
#define OF_QUIET offsetof(struct dg_active, of_quiet)

struct dg_session *dg_session_at(const struct dgram_endpoint *ep, uint32_t slot)
{
	return dg_pool_at(&ep->sessions, slot);
}

struct dg_active *dg_session_active(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return s->active == DG_NONE ? NULL : dg_pool_at(&ep->actives, s->active);
}

uint64_t dg_session_id(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	return dg_ids_of(&ep->ids, s->slot);
}

const struct dg_profile *dg_session_profile(const struct dg_session *s)
{
	return dg_profile(s->profile);
}

/* A connection has a window and a pace of its own. */
const struct dg_congestion_operations *dg_session_controller(const struct dg_session *s)
{
	return s->connected ? &dg_unhindered : &dg_newreno;
}

uint64_t dg_session_time(const struct dg_session *s, uint64_t now)
{
	return now > s->origin ? (now - s->origin) / DGRAM_US : 0;
}

/* ---- found ------------------------------------------------------------------------------------ */

static uint64_t init_key(const struct dgram_endpoint *ep, const struct dg_place *place, uint64_t id)
{
	return dg_place_hash(place, id, ep->key);
}

struct dg_session *dg_session_of_peer(const struct dgram_endpoint *ep, const struct dg_place *place,
                                      uint64_t peer_id)
{
	uint32_t slot = dg_index_first(&ep->by_init, init_key(ep, place, peer_id));

	for (; slot != DG_INDEX_NONE; slot = dg_index_next(&ep->by_init, slot)) {
		struct dg_session *s = dg_session_at(ep, slot);

		if (s->peer_id == peer_id && dg_place_equal(&s->peer, place))
			return s;
	}
	return NULL;
}

struct dg_session *dg_session_by_id(const struct dgram_endpoint *ep, uint64_t id)
{
	uint32_t slot;

	return dg_ids_find(&ep->ids, id, &slot) ? dg_session_at(ep, slot) : NULL;
}

bool dg_session_enter_by_init(struct dgram_endpoint *ep, struct dg_session *s)
{
	s->in_by_init = dg_index_add(&ep->by_init, s->slot, init_key(ep, &s->peer, s->peer_id));
	return s->in_by_init;
}

/* ---- begun ------------------------------------------------------------------------------------ */

static enum dgram_profile profile_of(const struct dgram_endpoint *ep, const struct dg_place *place)
{
	struct dgram_addr addr = dg_place_addr(place);

	return ep->config.profile != DGRAM_PROFILE_AUTO ? (enum dgram_profile)ep->config.profile
	                                                : dgram_profile_of(&addr);
}

/* That may be used before the first CREDIT. */
static uint64_t first_ids(const struct dgram_endpoint *ep)
{
	uint64_t end = ep->first_id + DG_FIRST_IDS;

	return end < DG_VARINT_MAX ? end : DG_VARINT_MAX;
}

/* A path is searched from the usual size on; a connection carries every size. */
static uint16_t first_size(const struct dgram_endpoint *ep)
{
	bool all = ep->config.connected || ep->config.datagram_max < DG_DATAGRAM_START;

	return all ? ep->config.datagram_max : DG_DATAGRAM_START;
}

struct dg_session *dg_session_take(struct dgram_endpoint *ep, const struct dg_place *peer)
{
	uint32_t slot = dg_pool_take(&ep->sessions);
	struct dg_session *s;

	if (slot == DG_POOL_NONE)
		return NULL;
	s = dg_session_at(ep, slot);
	*s = (struct dg_session){
	        .slot = slot,
	        .peer = *peer,
	        .last_ordered = DG_NO_ID,
	        .next_number = ep->first_number,
	        .next_id = ep->first_id,
	        .ended_below = ep->first_id,
	        .seen.below = ep->first_id,
	        .begun_below = ep->first_id,
	        .settled = ep->first_id,
	        .allowed_ids = first_ids(ep),
	        .granted_ids = first_ids(ep),
	        .due = DGRAM_NEVER,
	        .of_place = DG_NO_LINK,
	        .active = DG_NONE,
	        .all = DG_EMPTY_LIST,
	        .kept = DG_EMPTY_LIST,
	        .probe = DG_NONE,
	        .idle_ms = ep->config.idle_ms,
	        .profile = (uint8_t)profile_of(ep, peer),
	        .connected = ep->config.connected,
	        .datagram = first_size(ep),
	};
	dg_rtt_init(&s->rtt, s->profile, dg_session_profile(s)->ack_delay_ms);
	dg_ids_begin(&ep->ids, slot);
	return s;
}

/* The slot goes back, unless its ids are used up: then it is retired for good. */
void dg_session_give(struct dgram_endpoint *ep, struct dg_session *s)
{
	if (dg_ids_end(&ep->ids, s->slot))
		dg_pool_give(&ep->sessions, s->slot);
}

/* Room for one more session of ours; somebody idle may have to go. */
static bool join(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	uint64_t party = dg_place_party(&s->peer, ep->key);
	uint32_t victim;

	if (ep->admission.confirmed >= ep->config.sessions &&
	    dg_admission_room(&ep->admission, party, &victim) == DG_ROOM_AFTER)
		dg_session_evict(ep, victim, now);
	return dg_admission_join(&ep->admission, s->slot, party);
}

struct dg_session *dg_session_initiate(struct dgram_endpoint *ep, const struct dg_place *peer,
                                       uint64_t now)
{
	struct dg_session *s = dg_session_take(ep, peer);

	if (!s && ep->admission.half_open >
	                  0) { /* a half-open one may have to go, a confirmed one need not */
		dg_session_forget(ep, dg_session_at(ep, dg_admission_oldest(&ep->admission)), now);
		s = dg_session_take(ep, peer);
	}
	if (!s)
		return NULL;
	s->initiator = true;
	s->state = DG_OPENING;
	s->say = DG_SAY_INIT;
	if (!join(ep, s, now)) {
		dg_session_give(ep, s);
		return NULL;
	}
	if (!dg_session_wake(ep, s, now)) {
		dg_admission_leave(&ep->admission, s->slot);
		dg_session_give(ep, s);
		return NULL;
	}
	dg_session_touch(ep, s);
	return s;
}

/* ---- busy and quiet --------------------------------------------------------------------------- */

static void sleep_active(struct dgram_endpoint *ep, struct dg_session *s)
{
	struct dg_active *a = dg_session_active(ep, s);

	s->next_number = a->recovery.next;
	if (a->is_quiet)
		dg_list_remove(&ep->quiet, &ep->actives, OF_QUIET, s->active);
	dg_pool_give(&ep->actives, s->active);
	s->active = DG_NONE;
}

/* Takes the block of the session that has been quiet for longest. */
static void rob_quiet(struct dgram_endpoint *ep)
{
	struct dg_active *a = dg_pool_at(&ep->actives, ep->quiet.first);
	struct dg_session *s = dg_session_at(ep, a->session);

	dg_seen_narrow(&s->seen);
	sleep_active(ep, s);
}

static void begin_active(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	memset(a, 0, sizeof *a);
	a->session = s->slot;
	a->pinged_at = now;
	a->assured_from = DG_NO_ID;
	for (int i = 0; i < DG_QUEUES - 1; i++)
		a->queues[i] = DG_EMPTY_LIST;
	dg_window_wake(&s->window, &a->window, dg_session_profile(s)->ack_delay_ms * DGRAM_MS, now);
	dg_recovery_init(&a->recovery, a->ring, ep->config.window, s->next_number,
	                 dg_rtt_is_measured(&s->rtt));
	dg_congestion_init(&a->congestion, dg_session_controller(s), s->datagram,
	                   dg_session_profile(s)->initial_window);
	dg_seen_widen(&s->seen, a->wide, DG_WIDE_WORDS);
}

bool dg_session_wake(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	if (a) {
		if (a->is_quiet)
			dg_list_remove(&ep->quiet, &ep->actives, OF_QUIET, s->active);
		a->is_quiet = false;
		return true;
	}
	s->active = dg_pool_take(&ep->actives);
	if (s->active == DG_POOL_NONE && ep->quiet.first != DG_NONE) {
		rob_quiet(ep);
		s->active = dg_pool_take(&ep->actives);
	}
	if (s->active == DG_POOL_NONE)
		return false;
	begin_active(ep, s, now);
	return true;
}

void dg_session_touch(struct dgram_endpoint *ep, struct dg_session *s)
{
	if (s->state == DG_OPEN)
		dg_admission_busy(&ep->admission, s->slot);
	if (s->ready || s->state == 0)
		return;
	s->ready = true;
	dg_list_append(&ep->ready, &ep->sessions, OF_READY, s->slot);
}

void dg_session_untouch(struct dgram_endpoint *ep, struct dg_session *s)
{
	if (s->ready)
		dg_list_remove(&ep->ready, &ep->sessions, OF_READY, s->slot);
	s->ready = false;
}

/* Nothing is under way; then its block can be taken away. */
static bool is_quiet(const struct dg_session *s, const struct dg_active *a)
{
	if (s->all.first != DG_NONE || (s->say & (uint8_t)~DG_SAY_SETTLED) || s->doubted ||
	    s->checking)
		return false;
	return !a || (a->probes == 0 && a->needed == 0 && dg_recovery_is_quiet(&a->recovery) &&
	              dg_window_ack_due(&a->window) == DGRAM_NEVER &&
	              dg_seen_top(&s->seen) <= s->seen.below + DG_SEEN_NARROW);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t dg_session_silence(const struct dg_session *s)
{
	uint64_t quarter = s->idle_ms * DGRAM_MS / 4;

	return sooner(5 * DGRAM_S, quarter);
}

/* It waits for something, and neither heard nor said anything. */
uint64_t dg_session_keepalive_due(const struct dgram_endpoint *ep, const struct dg_session *s)
{
	const struct dg_active *a = dg_session_active(ep, s);
	uint64_t since = a ? a->pinged_at : s->heard_at;

	return s->waiting_out > 0 ? since + sooner(25 * DGRAM_S, s->idle_ms * DGRAM_MS / 4)
	                          : DGRAM_NEVER;
}

static uint64_t due_of(const struct dgram_endpoint *ep, const struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);
	uint64_t due = s->due;

	if (s->state != DG_OPEN || s->spare)
		return due;
	due = sooner(due, s->heard_at + s->idle_ms * DGRAM_MS);
	due = sooner(due, dg_session_keepalive_due(ep, s));
	if (!a)
		return due;
	if (a->needed > 0)
		due = sooner(due, a->need_at);
	if (s->stalled)
		return due;
	due = sooner(due, dg_recovery_deadline(&a->recovery, dg_session_wait(s, a)));
	due = sooner(due, dg_window_ack_due(&a->window));
	return sooner(due, dg_transmit_due(ep, s, a, now));
}

/* A probe that a connection carries arrives, sooner or later: there is no need for a second one. */
uint64_t dg_session_wait(const struct dg_session *s, const struct dg_active *a)
{
	if (s->connected && a->recovery.probes > 0)
		return DGRAM_NEVER / 2;
	return dg_rtt_wait(&s->rtt, a->recovery.probes, a->recovery.next);
}

void dg_session_heard(struct dg_session *s, uint64_t now)
{
	s->heard_at = now;
	s->heard_of = true;
	s->pings = 0;
	s->received++;
}

void dg_session_plan(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_active *a = dg_session_active(ep, s);

	if (s->state == DG_OPEN && is_quiet(s, a)) {
		if (s->replaced && s->kept.first == DG_NONE) {
			/* Idle, and not done: what crosses it on the way may go into another session. */
			dg_session_quit(ep, s, DG_CLOSE_IDLE, now);
			return;
		}
		if (s->kept.first == DG_NONE)
			dg_admission_idle(&ep->admission, s->slot);
		if (a && !a->is_quiet) {
			a->is_quiet = true;
			dg_list_append(&ep->quiet, &ep->actives, OF_QUIET, s->active);
		}
	}
	dg_timers_set(&ep->session_timers, s->slot, due_of(ep, s, now));
}

/* ---- ended ------------------------------------------------------------------------------------ */

/* Takes the two out of each other's mind; the other one, or NULL. */
static struct dg_session *part(struct dgram_endpoint *ep, struct dg_session *s)
{
	struct dg_session *other = s->probe == DG_NONE ? NULL : dg_session_at(ep, s->probe);

	s->probe = DG_NONE;
	if (other)
		other->probe = DG_NONE;
	return other;
}

/* Who takes over the messages that have not begun. */
static struct dg_session *successor(struct dgram_endpoint *ep, const struct dg_place *place,
                                    struct dg_session *spare, uint64_t now)
{
	struct dg_session *s;

	if (spare) {
		spare->spare = false;
		spare->say |= spare->state == DG_OPEN ? DG_SAY_PING : 0;
		dg_current_offer(ep, spare, now);
		if (spare->current)
			return dg_session_wake(ep, spare, now) ? spare : NULL;
		dg_session_forget(ep, spare, now); /* another one took the place meanwhile */
	}
	s = dg_current(ep, place);
	if (s)
		return dg_session_wake(ep, s, now) ? s : NULL;
	s = dg_session_initiate(ep, place, now);
	if (s)
		dg_current_offer(ep, s, now);
	return s;
}

/* It is in no table any more. */
static void leave(struct dgram_endpoint *ep, struct dg_session *s)
{
	dg_current_leave(ep, s);
	if (s->in_by_init)
		dg_index_remove(&ep->by_init, s->slot, init_key(ep, &s->peer, s->peer_id));
	s->in_by_init = false;
	dg_session_untouch(ep, s);
	dg_timers_set(&ep->session_timers, s->slot, DGRAM_NEVER);
	dg_admission_leave(&ep->admission, s->slot);
	dg_promise_drop(ep, &s->promised);
	s->state = 0;
}

/* Nothing of it will be sent any more. Its block may be the one that the next session needs. */
static void fall_silent(struct dgram_endpoint *ep, struct dg_session *s)
{
	uint32_t i = s->all.first;

	dg_in_release_held(ep, s);
	while (i != DG_NONE) {
		struct dg_message *m = dg_message_at(ep, i);

		i = m->of_session.after;
		dg_message_queue(ep, m, DG_QUEUE_NONE);
	}
	if (s->active == DG_NONE)
		return;
	dg_settle_forget(ep, dg_session_active(ep, s));
	sleep_active(ep, s);
}

/* Whatever is in it ends, or goes into the next one. */
static void empty(struct dgram_endpoint *ep, struct dg_session *s, struct dg_session *next,
                  const struct dg_ending *how, uint64_t now)
{
	while (s->all.first != DG_NONE)
		dg_message_lose(ep, dg_message_at(ep, s->all.first), next, how, now);
	while (s->kept.first != DG_NONE)
		dg_message_lose(ep, dg_message_at(ep, s->kept.first), next, how, now);
}

static bool has_movable(const struct dgram_endpoint *ep, const struct dg_session *s,
                        const struct dg_ending *how)
{
	for (uint32_t i = s->all.first; i != DG_NONE; i = dg_message_at(ep, i)->of_session.after)
		if (dg_out_can_move(dg_message_at(ep, i), how))
			return true;
	return false;
}

void dg_session_end(struct dgram_endpoint *ep, struct dg_session *s, struct dg_ending how,
                    uint64_t now)
{
	struct dg_session *other = part(ep, s), *next = NULL;
	bool moves = how.moves && has_movable(ep, s, &how);

	if (s->state == DG_OPEN && how.close != 0 && !s->spare)
		dg_note_close(ep, s, (uint8_t)how.close, now);
	if (s->state == DG_OPEN)
		ep->stats.ended++;
	leave(ep, s);
	fall_silent(ep, s);
	if (other && other->spare && !moves)
		dg_session_forget(ep, other, now);
	else if (moves)
		next = successor(ep, &s->peer, other && other->spare ? other : NULL, now);
	empty(ep, s, next, &how, now);
	dg_session_give(ep, s);
	if (next && next->state == DG_OPENING && next->waiting_out == 0)
		dg_session_forget(ep, next, now); /* what was to move met its deadline just now */
	else if (next)
		dg_session_touch(ep, next);
}

void dg_session_lost(struct dgram_endpoint *ep, struct dg_session *s, int close, uint64_t now)
{
	const struct dg_ending how = {
	        .reason = DGRAM_REASON_LOST, .close = close, .moves = true, .first = DG_NO_ID};

	dg_session_end(ep, s, how, now);
}

void dg_session_fail(struct dgram_endpoint *ep, struct dg_session *s, enum dgram_reason reason,
                     uint64_t now)
{
	const struct dg_ending how = {.reason = reason, .first = DG_NO_ID};

	dg_session_end(ep, s, how, now);
}

void dg_session_quit(struct dgram_endpoint *ep, struct dg_session *s, int close, uint64_t now)
{
	const struct dg_ending how = {
	        .reason = DGRAM_REASON_HERE, .close = close, .first = DG_NO_ID};

	dg_session_end(ep, s, how, now);
}

void dg_session_forget(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	dg_session_fail(ep, s, DGRAM_REASON_NO_SESSION, now);
}

void dg_session_evict(struct dgram_endpoint *ep, uint32_t slot, uint64_t now)
{
	ep->stats.evicted++;
	dg_session_quit(ep, dg_session_at(ep, slot), DG_CLOSE_EVICTED, now);
}

/* The old one may live, but nobody will wait for it: what has not begun goes to a new session, and
 * the rest of it ends by itself. */
bool dg_session_replace(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	struct dg_session *next;

	if (s->doubted || !s->current) /* a doubt ends by itself */
		return false;
	dg_session_touch(ep, s); /* busy, it is not what makes room for its successor */
	next = dg_session_initiate(ep, &s->peer, now);
	if (!next)
		return false;
	s->checking = false;
	s->due = DGRAM_NEVER;
	dg_session_active(ep, s)->assured_from = DG_NO_ID;
	dg_current_follow(ep, next);
	s->replaced = true;
	dg_session_touch(ep, next);
	return true;
}
