/* What must hold of each message, of a peer's counters, and at the end. */
#include "message.h"

#include <dgram/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fail(const struct peer *p, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	sim_world_fail(p->scene->world, "peer %u: %s", p->node, text);
}

static unsigned number_of(const struct scene *s, const struct record *r)
{
	return (unsigned)(r - s->records);
}

/* ---- what a program is given ------------------------------------------------------------------- */

/* The message that these bytes, or this name, are. */
static struct record *record_of(struct scene *s, const struct dgram_event *e)
{
	char name[16] = "";
	uint32_t number = NOBODY;

	if (e->len >= sizeof number) {
		memcpy(&number, e->data, sizeof number);
	} else if (e->name_len < sizeof name) {
		memcpy(name, e->name ? e->name : "", e->name_len);
		if (sscanf(name, "m.%u", &number) != 1)
			return NULL;
	}
	return number < s->record_count ? &s->records[number] : NULL;
}

/* Why this is not the message that was submitted; NULL: it is. */
static const char *difference(const struct peer *p, const struct record *r,
                              const struct dgram_event *e)
{
	unsigned host = host_of(&e->peer);

	if (r->to != p->node)
		return "was for another peer";
	if (host != r->from || e->peer.port < PORT || e->peer.port > p->scene->peers[host].port)
		return "came from an address that its sender never had";
	if (r->kind != e->kind || (r->kind == DGRAM_REQUEST) != (e->type == DGRAM_EVENT_REQUEST))
		return "has another kind";
	if (r->len != e->len || !is_filled(e->data, e->len, number_of(p->scene, r)))
		return "has other bytes";
	if (r->name_len != e->name_len ||
	    (e->name_len && memcmp(r->name, e->name, e->name_len) != 0))
		return "has another name";
	if (r->hops != e->hops || r->ordered != e->ordered || r->idempotent != e->idempotent)
		return "has other flags";
	if (!e->session || (e->type == DGRAM_EVENT_REQUEST && !e->id))
		return "has no session or no id";
	return NULL;
}

/* Ordered ones come as they were submitted, in each session. */
static void check_order(struct peer *p, const struct record *r, const struct dgram_event *e)
{
	uint32_t size = sizeof p->ordered / sizeof p->ordered[0];
	uint64_t number = number_of(p->scene, r) + 1U;
	uint32_t at = 0, count = p->ordered_count < size ? p->ordered_count : size;

	while (at < count && p->ordered[at][0] != e->session)
		at++;
	if (at == count) {
		at = p->ordered_count++ % size;
		p->ordered[at][0] = e->session;
	} else if (p->ordered[at][1] > number && !r->idempotent) {
		/* One that is idempotent may come again, into a session of later ones. */
		fail(p, "ordered message %u came after number %u", (unsigned)number - 1,
		     (unsigned)p->ordered[at][1] - 1);
	}
	p->ordered[at][1] = number;
}

/* What the receiver takes for the deadline is the sender's, as well as the best INIT told it of the other's clock. A node that
 * stands still reads INITs late, and one whose clock jumps is lost. */
static void check_deadline_told(const struct peer *p, const struct record *r, uint64_t deadline)
{
	const struct sim_world *w = p->scene->world;
	const struct dgram_relay_options *relay = &w->faults.relay;
	/* The INIT that was answered may be a copy, 10 s old at most. */
	bool copies = w->faults.late || p->scene->attacker;
	uint64_t slack = 2 * (relay->delay + relay->jitter) + (copies ? 11 : 1) * DGRAM_S;
	uint64_t at = sim_clock_world(&w->nodes[p->node].clock, deadline, w->now);
	uint64_t theirs = sim_clock_local(&w->nodes[r->from].clock, at);
	uint64_t error = theirs > r->deadline ? theirs - r->deadline : r->deadline - theirs;

	if (w->faults.every[SIM_MISHAP_PAUSE] || w->faults.every[SIM_MISHAP_JUMP] || relay->rate)
		return;
	if (error > slack)
		fail(p, "the deadline of request %u is told %.3f s wrong", number_of(p->scene, r),
		     (double)error / 1e9);
}

static void check_request_time(struct peer *p, const struct record *r, const struct dgram_event *e,
                               uint64_t now)
{
	const struct scene *s = p->scene;

	if (e->deadline <= now)
		fail(p, "request %u was given after its deadline", number_of(s, r));
	if (r->deadline == DGRAM_NEVER && e->deadline != DGRAM_NEVER)
		fail(p, "request %u was given a deadline", number_of(s, r));
	if (r->deadline != DGRAM_NEVER && e->deadline != DGRAM_NEVER)
		check_deadline_told(p, r, e->deadline);
}

struct record *check_given(struct peer *p, const struct dgram_event *e, uint64_t now)
{
	struct scene *s = p->scene;
	struct record *r = record_of(s, e);
	const char *why = r ? difference(p, r, e) : "was never submitted";

	if (why) {
		fail(p, "message %u, which it is given, %s", r ? number_of(s, r) : NOBODY, why);
		return NULL;
	}
	sim_world_note(s->world, p->node, "is given message", number_of(s, r), NULL, 0);
	if (r->given && !r->idempotent)
		fail(p, "message %u is given twice", number_of(s, r));
	if (r->given && r->to_boot == p->boot && r->session == e->session)
		fail(p, "message %u is given twice in one session", number_of(s, r));
	if (r->ended && r->outcome == DGRAM_REFUSED)
		fail(p, "message %u is given after it had ended as refused", number_of(s, r));
	if (r->ordered)
		check_order(p, r, e);
	if (r->kind == DGRAM_REQUEST)
		check_request_time(p, r, e, now);
	if (r->kind == DGRAM_SEND && r->len > 20000)
		MARK(s, SEND_CHUNKS);
	r->given++;
	r->to_boot = p->boot;
	r->session = e->session;
	r->peer_session = e->peer_session;
	r->number = e->number;
	return r;
}

void check_began(struct peer *p, struct record *r, const struct job *j)
{
	struct scene *s = p->scene;

	(void)j;
	r->runs++;
	if (r->runs > 1 && !r->idempotent)
		fail(p, "request %u runs twice", number_of(s, r));
	if (r->ended && r->outcome == DGRAM_ANSWERED && !r->idempotent)
		fail(p, "request %u runs after it was answered", number_of(s, r));
	if (r->ended && r->outcome == DGRAM_UNKNOWN)
		MARK(s, RAN_AFTER);
}

/* ---- how a message ends ------------------------------------------------------------------------ */

static const struct job *refused_job(const struct scene *s, const struct record *r, uint8_t refusal)
{
	for (uint32_t i = r->jobs; i != NOBODY; i = s->jobs[i].next)
		if (s->jobs[i].state == JOB_REFUSED && s->jobs[i].refusal == refusal)
			return &s->jobs[i];
	return NULL;
}

/* The run whose answer this is. */
static const struct job *answering_job(const struct scene *s, const struct record *r,
                                       const struct dgram_event *e)
{
	for (uint32_t i = r->jobs; i != NOBODY; i = s->jobs[i].next) {
		const struct job *j = &s->jobs[i];
		/* One that died may have answered before. */
		if (j->state == JOB_REPLIED && j->status == e->status && j->len == e->len &&
		    is_filled(e->data, e->len, REPLY_KEY | i))
			return j;
	}
	return NULL;
}

static bool has_long_reply(const struct scene *s, const struct record *r, size_t limit)
{
	for (uint32_t i = r->jobs; i != NOBODY; i = s->jobs[i].next)
		if (s->jobs[i].len > limit)
			return true;
	return false;
}

static const char *answered_lie(const struct peer *p, const struct record *r,
                                const struct dgram_event *e)
{
	const struct scene *s = p->scene;
	const struct peer *to = &s->peers[r->to];

	if (e->reason != DGRAM_REASON_NONE)
		return "has a reason";
	if (r->kind == DGRAM_SEND && !r->given && !r->ordered && !to->lazy)
		return "was not given to the peer";
	if (r->kind == DGRAM_REQUEST && !answering_job(s, r, e))
		return "is no run's answer";
	if (r->kind == DGRAM_ECHO && e->received == 0)
		return "nothing was received";
	if (!e->tries)
		return "never left";
	if (r->given && !r->idempotent &&
	    (r->session != e->peer_session || r->peer_session != e->session ||
	     r->number != e->number))
		return "has another id than where it was given";
	return NULL;
}

/* Of a message that did not end well: whether what it says can be. */
static const char *reason_lie(const struct peer *p, const struct record *r,
                              const struct dgram_event *e, uint64_t now)
{
	const struct scene *s = p->scene;
	bool refused = e->outcome == DGRAM_REFUSED;
	bool again = r->idempotent; /* the words of a second session, the outcome of both */

	switch ((enum dgram_reason)e->reason) {
	case DGRAM_REASON_DEADLINE:
		return now < r->deadline ? "its deadline is not over" : NULL;
	case DGRAM_REASON_EXPIRED:
		if (!refused && !again)
			return "EXPIRED is a refusal";
		if (r->deadline == DGRAM_NEVER)
			return "it has no deadline";
		/* The two know each other's clock as well as the INIT did that was answered, 10 s at worst; and not at
		 * all where one jumped. */
		return !s->world->faults.every[SIM_MISHAP_JUMP] && now + 11 * DGRAM_S < r->deadline
		               ? "its deadline is not near"
		               : NULL;
	case DGRAM_REASON_CANCELLED:
		return r->cancelled ? NULL : "nobody cancelled it";
	case DGRAM_REASON_GONE:
		return refused                                      ? "GONE is no refusal"
		       : r->cancelled || r->deadline != DGRAM_NEVER ? NULL
		                                                    : "its answer was not kept";
	case DGRAM_REASON_NO_SUCH_NAME:
		return refused && refused_job(s, r, DGRAM_NO_SUCH_NAME) ? NULL
		       : again                                          ? NULL
		                                                        : "nobody said so";
	case DGRAM_REASON_NOT_ALLOWED:
		return refused && refused_job(s, r, DGRAM_NOT_ALLOWED) ? NULL
		       : again                                         ? NULL
		                                                       : "nobody said so";
	case DGRAM_REASON_TOO_LONG:
		if (refused)
			return r->len > 1000 ? NULL : "it is not long";
		return has_long_reply(s, r, 1000) || (again && r->len > 1000)
		               ? NULL
		               : "its reply is not long";
	case DGRAM_REASON_HERE:
		return p->closes ? NULL : "nothing was closed";
	case DGRAM_REASON_BUSY:
	case DGRAM_REASON_NO_SESSION:
	case DGRAM_REASON_UNHEARD:
	case DGRAM_REASON_UNREACHABLE:
		return refused || again ? NULL : "it never left";
	case DGRAM_REASON_CLOSED:
	case DGRAM_REASON_LOST:
		return NULL;
	case DGRAM_REASON_NONE:
	case DGRAM_REASON_ECHOED:
	case DGRAM_REASON_FOREIGN:
	case DGRAM_REASON_COUNT:
		break;
	}
	return "that reason cannot be";
}

static const char *lie(const struct peer *p, const struct record *r, const struct dgram_event *e,
                       uint64_t now)
{
	if (r->ended)
		return "it had ended before";
	if (e->kind != r->kind || !dgram_addr_equal(&e->peer, &r->addr))
		return "its kind or address is another's";
	/* The clock of a peer never runs back, and an event may wait. */
	if (e->elapsed > now - r->submitted)
		return "it took longer than there was time";
	switch (e->outcome) {
	case DGRAM_ANSWERED:
		return answered_lie(p, r, e);
	case DGRAM_REFUSED:
		if (r->runs)
			return "it ran";
		if (r->kind == DGRAM_SEND && r->given)
			return "it was delivered";
		break;
	case DGRAM_UNKNOWN:
		break;
	default:
		return "that is no outcome";
	}
	return r->kind == DGRAM_ECHO ? NULL : reason_lie(p, r, e, now);
}

static void mark_reason(struct scene *s, const struct record *r, const struct dgram_event *e)
{
	bool refused = e->outcome == DGRAM_REFUSED;

	switch ((enum dgram_reason)e->reason) {
	/* clang-format off */
	case DGRAM_REASON_BUSY:         s->marks[MARK_BUSY] += refused_job(s, r, DGRAM_BUSY) != NULL; break;
	case DGRAM_REASON_NO_SUCH_NAME: MARK(s, NO_SUCH_NAME); break;
	case DGRAM_REASON_NOT_ALLOWED:  MARK(s, NOT_ALLOWED); break;
	case DGRAM_REASON_EXPIRED:      MARK(s, EXPIRED); break;
	case DGRAM_REASON_GONE:         MARK(s, GONE); break;
	case DGRAM_REASON_NO_SESSION:   MARK(s, NO_SESSION); break;
	case DGRAM_REASON_UNHEARD:      MARK(s, UNHEARD); break;
	case DGRAM_REASON_UNREACHABLE:  MARK(s, UNREACHABLE); break;
	case DGRAM_REASON_CLOSED:       MARK(s, CLOSED); break;
	case DGRAM_REASON_LOST:         MARK(s, LOST); break;
	case DGRAM_REASON_HERE:         MARK(s, HERE); break;
	/* clang-format on */
	case DGRAM_REASON_TOO_LONG:
		s->marks[refused ? MARK_TOO_LONG : MARK_REPLY_LONG]++;
		break;
	case DGRAM_REASON_DEADLINE:
		s->marks[MARK_DEADLINE_NOT] += refused;
		break;
	case DGRAM_REASON_CANCELLED:
		s->marks[MARK_CANCEL_UNSENT] += refused && !e->tries;
		s->marks[MARK_CANCEL_PEER] += refused && e->tries;
		break;
	case DGRAM_REASON_NONE:
	case DGRAM_REASON_ECHOED:
	case DGRAM_REASON_FOREIGN:
	case DGRAM_REASON_COUNT:
		break;
	}
	s->marks[MARK_CANCEL_RAN] += r->cancelled && !refused && r->runs;
	if (!refused && r->kind == DGRAM_REQUEST)
		s->marks[r->runs ? MARK_UNKNOWN_RAN : MARK_UNKNOWN_NOT]++;
}

static void mark_answered(struct scene *s, const struct record *r, const struct dgram_event *e)
{
	s->marks[MARK_ECHO] += r->kind == DGRAM_ECHO;
	s->marks[MARK_ORDERED] += r->kind == DGRAM_SEND && r->ordered && !r->given;
	if (r->kind != DGRAM_REQUEST)
		return;
	s->marks[e->tries == 1 ? MARK_FIRST_TRY : MARK_LATER_TRY]++;
	s->marks[MARK_FAILED] += e->status != 0;
	s->marks[MARK_CANCEL_LATE] += r->cancelled;
	s->marks[MARK_RAN_TWICE] += r->runs > 1;
	s->marks[MARK_REPLY_CHUNKS] += e->len > 20000;
	s->marks[MARK_HEALED] += r->healed;
}

/* One that its receiver has no room for while parts of others lie there, whose sessions have ended at the other end and are
 * not idle yet: a large one, or many. */
static bool waits_behind_parts(const struct peer *p, const struct record *r)
{
	const struct scene *s = p->scene;
	struct dgram_endpoint_stats stats;

	dgram_endpoint_stats(s->peers[r->to].ep, &stats);
	if (stats.pool_used > stats.pool_size / 4)
		return true;
	for (uint32_t i = 0; i < p->live_count; i++) {
		const struct record *other = &s->records[p->live[i]];

		if (other->to == r->to && other->len > s->peers[r->to].config.pool / 8)
			return true;
	}
	return false;
}

static void check_healed(struct peer *p, const struct record *r, const struct dgram_event *e)
{
	const struct scene *s = p->scene;

	/* Who has fewer places than there are peers may have none for this one. */
	if (e->outcome == DGRAM_ANSWERED || p->cramped || s->peers[r->to].cramped)
		return;
	if (e->reason == DGRAM_REASON_DEADLINE && e->tries == 0 && waits_behind_parts(p, r))
		return;
	/* A report of the network's, about a datagram from before the heal. */
	if (e->reason == DGRAM_REASON_UNHEARD && e->tries == 0)
		return;
	/* A copy that was seen first now makes a session look alive that its peer has forgotten. */
	if (e->outcome == DGRAM_UNKNOWN && e->reason == DGRAM_REASON_LOST &&
	    s->world->faults.every[SIM_MISHAP_RESTART] && (s->world->faults.late || s->attacker))
		return;
	/* A clock that jumped in a session makes its deadlines wrong to its end. */
	if (e->reason == DGRAM_REASON_EXPIRED && s->world->faults.every[SIM_MISHAP_JUMP])
		return;
	/* A round trip that was measured while one of them stood still makes it slow to find out. */
	if (e->reason == DGRAM_REASON_DEADLINE &&
	    (s->world->faults.every[SIM_MISHAP_PAUSE] || s->world->faults.every[SIM_MISHAP_JUMP]))
		return;
	fail(p, "on the healed network request %u ended with \"%s\"", number_of(s, r),
	     dgram_reason_text((enum dgram_reason)e->reason));
}

void check_done(struct peer *p, struct record *r, const struct dgram_event *e, uint64_t now)
{
	static const char *const outcomes[] = {"nothing", "answered", "refused", "unknown"};
	struct scene *s = p->scene;
	const char *why = lie(p, r, e, now);
	const char *reason = dgram_reason_text((enum dgram_reason)e->reason);

	sim_world_note(s->world, p->node, "message ends:", number_of(s, r), NULL, 0);
	if (s->world->trace)
		fprintf(s->world->trace, "              %s, %s, %u tries\n",
		        outcomes[e->outcome & 3], reason, e->tries);
	if (why)
		fail(p, "message %u ended as %s, \"%s\": %s", number_of(s, r),
		     outcomes[e->outcome & 3], reason, why);
	r->ended = true;
	r->outcome = e->outcome;
	r->reason = e->reason;
	r->ended_at = s->world->now;
	if (e->outcome == DGRAM_ANSWERED)
		mark_answered(s, r, e);
	else
		mark_reason(s, r, e);
	if (r->healed)
		check_healed(p, r, e);
}

/* On the healed network what was cancelled has ended, also where its handler never answers. */
static void check_cancelled(const struct peer *p, const struct record *r)
{
	const struct scene *s = p->scene;
	const struct sim_world *w = s->world;
	uint64_t healed = w->phase_ends[SIM_FAULTS];

	if (w->phase != SIM_HEAL || !r->cancelled || r->cancelled_at > healed ||
	    w->now < healed + s->settle)
		return;
	if (w->faults.every[SIM_MISHAP_PAUSE] || w->faults.every[SIM_MISHAP_JUMP] || p->cramped ||
	    s->peers[r->to].cramped)
		return;
	if (s->peers[r->to].port != PORT) /* nobody is where it went: the keep-alive finds out */
		return;
	fail(p, "message %u was cancelled before the heal, and has not ended", number_of(s, r));
}

/* After every event: nobody is later than its deadline, and no handler runs on. */
void check_deadlines(const struct peer *p)
{
	const struct scene *s = p->scene;
	const struct sim_world *w = s->world;
	uint64_t slack = w->faults.granule + w->faults.granule / 1000 + 1000;
	uint64_t now = sim_world_clock(w, p->node);

	if (!sim_world_is_awake(w, p->node) || p->lazy || now <= w->nodes[p->node].excused + slack)
		return;
	for (uint32_t i = 0; i < p->live_count; i++) {
		const struct record *r = &s->records[p->live[i]];
		if (r->deadline != DGRAM_NEVER && now > r->deadline + slack)
			fail(p, "message %u has not ended at its deadline", p->live[i]);
		check_cancelled(p, r);
	}
	for (uint32_t i = 0; i < p->open_count; i++) {
		const struct job *j = &s->jobs[p->open[i]];
		if (j->deadline != DGRAM_NEVER && now > j->deadline + slack)
			fail(p, "request %u still runs after its deadline", j->record);
	}
}

/* ---- counters ---------------------------------------------------------------------------------- */

/* Each datagram is in one counter: that of its fate. Nothing that was damaged is taken, and of what
 * was not nothing is malformed or breaks a rule. */
void check_fate(struct peer *p, const struct sim_datagram *in, enum dgram_fate fate)
{
	struct scene *s = p->scene;
	struct dgram_endpoint_stats now;

	dgram_endpoint_stats(p->ep, &now);
	if (fate >= DGRAM_FATE_COUNT || now.received[fate] != p->stats.received[fate] + 1)
		fail(p, "a datagram was \"%s\" and is not counted so", dgram_fate_text(fate));
	p->stats.received[fate < DGRAM_FATE_COUNT ? fate : 0]++;
	s->marks[MARK_ROOM] += fate == DGRAM_FATE_ROOM;
	if (in->damaged && fate == DGRAM_FATE_TAKEN)
		fail(p, "a damaged or forged datagram was taken");
	s->marks[MARK_REPLAYED] += fate == DGRAM_FATE_COPY && in->from >= s->peer_count;
	if (in->damaged || in->from >= s->peer_count)
		return;
	switch (fate) {
	case DGRAM_FATE_FOREIGN:
	case DGRAM_FATE_MALFORMED:
	case DGRAM_FATE_CHECKSUM:
	case DGRAM_FATE_MODE:
	case DGRAM_FATE_OWN:
	case DGRAM_FATE_RULE:
		fail(p, "a good datagram of peer %u was: %s", in->from, dgram_fate_text(fate));
		break;
	case DGRAM_FATE_TAKEN:
	case DGRAM_FATE_COPY:
	case DGRAM_FATE_STRANGER:
	case DGRAM_FATE_UNEXPECTED:
	case DGRAM_FATE_ROOM:
	case DGRAM_FATE_LIMITED:
	case DGRAM_FATE_COUNT:
		break;
	}
}

static void check_grows(const struct peer *p, const char *what, uint64_t before, uint64_t after)
{
	if (after < before)
		fail(p, "its counter of %s fell from %llu to %llu", what,
		     (unsigned long long)before, (unsigned long long)after);
}

static void check_limit(const struct peer *p, const char *what, uint64_t used, uint64_t limit)
{
	if (used > limit)
		fail(p, "%llu %s, and the limit is %llu", (unsigned long long)used, what,
		     (unsigned long long)limit);
}

void check_stats(struct peer *p)
{
	const struct dgram_endpoint_config *c = &p->config;
	struct dgram_endpoint_stats *old = &p->stats, now;
	uint64_t sum = 0;

	dgram_endpoint_stats(p->ep, &now);
	for (int i = 0; i < DGRAM_FATE_COUNT; i++) {
		sum += now.received[i];
		if (now.received[i] != old->received[i])
			fail(p, "a counter of datagrams received moved by itself");
	}
	if (sum != p->given)
		fail(p, "it received %llu datagrams and counts %llu", (unsigned long long)p->given,
		     (unsigned long long)sum);
	check_grows(p, "datagrams sent", old->sent, now.sent);
	check_grows(p, "bytes received", old->bytes_received, now.bytes_received);
	check_grows(p, "bytes sent", old->bytes_sent, now.bytes_sent);
	check_grows(p, "sessions opened", old->opened, now.opened);
	check_grows(p, "sessions accepted", old->accepted, now.accepted);
	check_grows(p, "sessions ended", old->ended, now.ended);
	check_grows(p, "sessions evicted", old->evicted, now.evicted);
	check_grows(p, "packets lost", old->lost, now.lost);
	check_grows(p, "late packets", old->late, now.late);
	check_grows(p, "probes", old->probes, now.probes);
	check_grows(p, "answers unsaid", old->unsaid, now.unsaid);
	check_limit(p, "sessions", now.sessions, c->sessions);
	check_limit(p, "half-open sessions", now.half_open, c->half_open);
	check_limit(p, "busy sessions", now.busy, c->busy);
	check_limit(p, "messages", now.messages, c->messages);
	check_limit(p, "requests", now.requests, c->requests);
	check_limit(p, "bytes of the pool", now.pool_used, now.pool_size);
	p->scene->marks[MARK_EVICTED] += now.evicted > old->evicted;
	p->scene->marks[MARK_LATE_PACKET] += now.late > old->late;
	p->scene->marks[MARK_HALF_OPEN] += 2 * now.half_open >= c->half_open;
	*old = now;
}

/* ---- the end ----------------------------------------------------------------------------------- */

static void check_peer_end(const struct peer *p)
{
	struct dgram_endpoint_stats end;

	dgram_endpoint_stats(p->ep, &end);
	if (end.sessions || end.half_open || end.busy || end.messages || end.requests)
		fail(p,
		     "at the end there are %u sessions, %u half-open, %u busy; %u messages and %u "
		     "requests",
		     end.sessions, end.half_open, end.busy, end.messages, end.requests);
	if (end.pool_used)
		fail(p, "at the end %llu bytes of the pool are in use",
		     (unsigned long long)end.pool_used);
}

static void check_record_end(struct scene *s, struct record *r)
{
	const struct peer *p = &s->peers[r->from];

	if (r->kind == DGRAM_POST) {
		s->marks[MARK_POST_LOST] += r->given == 0;
		return;
	}
	if (!r->ended && !r->orphan)
		fail(p, "message %u never ended", number_of(s, r));
	/* What waits at its peer, for another message or the program, dies with it. */
	if (r->kind == DGRAM_SEND && r->ended && r->outcome == DGRAM_ANSWERED && !r->given &&
	    !s->peers[r->to].boot)
		fail(p, "message %u was reported as delivered, and never was", number_of(s, r));
}

void check_end(struct scene *s)
{
	for (uint32_t i = 0; i < s->record_count; i++)
		check_record_end(s, &s->records[i]);
	for (uint32_t i = 0; i < s->job_count; i++)
		if (s->jobs[i].state == JOB_RUNNING || s->jobs[i].state == JOB_QUEUED ||
		    s->jobs[i].state == JOB_CLOSED)
			fail(&s->peers[s->jobs[i].peer],
			     "request %u was never answered, and never stopped", s->jobs[i].record);
	for (uint32_t i = 0; i < s->peer_count; i++)
		check_peer_end(&s->peers[i]);
}
