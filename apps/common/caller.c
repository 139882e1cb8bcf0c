#include "caller.h"
#include "pace.h"
#include "signals.h"
#include "wait.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_PAUSE_MIN (10 * DGRAM_MS)
#define ROOM_PAUSE (5 * DGRAM_MS)   /* until a message that found no room is tried again */
#define MESSAGES (2 * CALLS_MAX)    /* those, and the round trips that look for an address */
#define IDLE_MS 16000 /* who waits pings in a quarter of it: so soon a peer's restart is known, and our session forgotten */
#define POOL_SPARE (1u << 20)       /* bytes */

__attribute__((format(printf, 3, 4))) static void explain(const struct caller *c, const struct call *call,
							  const char *format, ...)
{
	char span[32], text[256], line[32] = "";
	va_list args;

	if (!c->explain)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (call->line > 0)
		snprintf(line, sizeof line, "line %llu: ", call->line);
	say("%9s  %s%s", target_span(dgram_clock() - call->start, span, sizeof span), line, text);
}

/* A line of the session's, on the time of the oldest call. */
static void explain_session(const struct caller *c, const char *text, uint64_t at)
{
	const struct call *oldest = NULL;
	char span[32];

	for (size_t i = 0; i < CALLS_MAX; i++)
		if (c->calls[i] != NULL && (oldest == NULL || c->calls[i]->number < oldest->number))
			oldest = c->calls[i];
	if (oldest != NULL)
		say("%9s  %s", target_span(at > oldest->start ? at - oldest->start : 0, span, sizeof span), text);
}

/* What passed: into the trace, and into the time line. */
static void look(struct caller *c)
{
	struct dgram_endpoint_stats stats;
	struct dgram_passed p;
	char text[256];

	while (trace_next(&c->trace, &p))
		if (c->explain && timeline_passed(&c->timeline, &p, text, sizeof text))
			explain_session(c, text, p.at);
	if (!c->explain)
		return;
	dgram_endpoint_stats(dgram_loop_endpoint(c->loop), &stats);
	if (timeline_recovery(&c->timeline, &stats, text, sizeof text))
		explain_session(c, text, dgram_clock());
}

/* -- the way out -- */

/* Room for requests and their replies at once, each as long as it may be: a request that is answered makes room, but not
 * one whose answer finds none. */
static uint64_t pool_for(const struct caller *c)
{
	uint64_t each = (uint64_t)c->request_max + c->reply_max;

	return c->at_full * (each + each / 16) + POOL_SPARE;
}

static void close_socket(struct caller *c)
{
	if (!c->tcp)
		dgram_socket_close(&c->socket);
}

/* What connections, or datagrams, leave from. */
static int open_socket(struct caller *c)
{
	const struct options *o = c->options;

	if (!c->tcp)
		return target_socket(&c->socket, c->target, o);
	c->way = (struct dgram_stream_options){.interface = o->interface};
	return o->bind != NULL ? target_bind_address(&c->way.local, c->target, o) : 0;
}

static int open_loop(struct caller *c)
{
	const struct dgram_endpoint_config config = {
		.answers_nobody = true,
		.sessions = 2 * DGRAM_RESOLVE_MAX,
		.sessions_each = 2 * DGRAM_RESOLVE_MAX,
		.half_open = 1,
		.half_open_each = 1,
		.busy = 2 * DGRAM_RESOLVE_MAX,
		.messages = MESSAGES,
		.requests = 2,
		.idle_ms = IDLE_MS,
		.message_max = (uint32_t)(c->reply_max > 0 ? c->reply_max : 1),
		.pool = pool_for(c),
	};

	if (c->tcp)
		c->loop = dgram_loop_new_connected(NULL, &c->way, &config);
	else
		c->loop = dgram_loop_new(&c->socket, &config);
	if (c->loop != NULL)
		return 0;
	close_socket(c);
	return fail(CODE_BUSY, "%s: cannot prepare a session: %s", c->target->text, strerror(errno));
}

static int trace_from_here(struct caller *c)
{
	struct dgram_addr local;
	bool known = !c->tcp && dgram_socket_getsockname(&c->socket, &local) == 0;

	c->trace.watched = c->explain;
	c->timeline = (struct timeline){.inits = 0};
	return trace_loop(&c->trace, c->loop, known ? &local : NULL, c->options->command->name);
}

static int open_way(struct caller *c)
{
	const struct options *o = c->options;
	int code = target_resolve(c->target, o);

	if (code == 0)
		code = target_check_one(c->target, o);
	if (code == 0)
		code = open_socket(c);
	if (code == 0)
		code = trace_open(&c->trace, o);
	if (code == 0)
		code = open_loop(c);
	if (code == 0)
		code = trace_from_here(c);
	return code == 0 ? signals_catch_unignored() : code; /* who interrupts us means what runs at the peer, too */
}

static void leave(struct caller *c)
{
	if (c->loop == NULL)
		return;
	dgram_loop_close(c->loop);
	trace_take(&c->trace);
	dgram_loop_free(c->loop);
	close_socket(c);
	c->loop = NULL;
}

void caller_close(struct caller *c)
{
	leave(c);
	trace_close(&c->trace);
}

/* -- from UDP to TCP -- */

#define FALLBACK_TRIES 3 /* over UDP, of the deadline's half at most */

static void search_begin(struct caller *c, uint64_t now);

static uint64_t patience_of(const struct caller *c, const struct call *call)
{
	struct pace pace = pace_of(c->options, c->target);
	uint64_t sum = 0, half = (call->until - call->start) / 2;

	for (int i = 0; i < FALLBACK_TRIES; i++) {
		sum += pace.first;
		pace.first = pace_longer(&pace, pace.first);
	}
	return call->start + (sum < half ? sum : half);
}

/* As long as no session came up nothing was exposed, and what was begun can be begun anew. */
static bool may_fall_back(const struct caller *c)
{
	struct dgram_endpoint_stats stats;

	if (!c->fallback || c->tcp)
		return false;
	dgram_endpoint_stats(dgram_loop_endpoint(c->loop), &stats);
	return stats.opened == 0;
}

/* The socket is closed: an ACCEPT that is on its way finds nobody. */
static void fall_back(struct caller *c, const char *why, uint64_t now)
{
	char text[TARGET_TEXT_MAX];

	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *call = c->calls[i];

		if (call == NULL)
			continue;
		explain(c, call, "over UDP %s: trying TCP", why);
		call->id = 0;
		call->again = now;
		call->tries = 0;
	}
	say_verbose("%s: over UDP %s: trying TCP", c->target->text, why);
	leave(c);
	c->tcp = true;
	c->found = c->target->count == 1;
	search_begin(c, now);
	snprintf(text, sizeof text, "tcp://%.*s", (int)sizeof text - 7, c->target->text);
	memcpy(c->target->text, text, sizeof text);
	c->code = open_socket(c);
	if (c->code == 0)
		c->code = open_loop(c);
	if (c->code == 0)
		c->code = trace_from_here(c);
}

/* -- calls -- */

static struct dgram_endpoint *endpoint(const struct caller *c)
{
	return dgram_loop_endpoint(c->loop);
}

static bool is_due(const struct call *call, uint64_t now)
{
	return call != NULL && call->id == 0 && call->again <= now;
}

/* The place of the first one that is due, in the order of their beginning, from that number on; CALLS_MAX: none is. */
static size_t first_due(const struct caller *c, uint64_t number, uint64_t now)
{
	size_t first = CALLS_MAX;

	for (size_t i = 0; i < CALLS_MAX; i++)
		if (is_due(c->calls[i], now) && c->calls[i]->number >= number &&
		    (first == CALLS_MAX || c->calls[i]->number < c->calls[first]->number))
			first = i;
	return first;
}

/* The call is over: *call->end says how. */
static void finish(struct caller *c, struct call *call)
{
	uint64_t now = dgram_clock();

	call->elapsed = (now < call->until ? now : call->until) - call->start;
	call->done = true;
	c->news = true;
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (c->calls[i] == call)
			c->calls[i] = NULL;
}

static void keep_reply(struct caller *c, struct call *call, const struct dgram_event *e)
{
	call->end = *e;
	call->end.data = (const uint8_t *)"";
	if (e->len == 0)
		return;
	if (e->len > call->reply_room) {
		free(call->reply);
		call->reply = malloc(e->len);
		call->reply_room = call->reply != NULL ? e->len : 0;
	}
	if (call->reply == NULL) {
		c->code = fail(CODE_BUSY, "out of memory");
		return;
	}
	memcpy(call->reply, e->data, e->len);
	call->end.data = call->reply;
}

void call_free(struct call *call)
{
	free(call->reply);
	*call = (struct call){0};
}

static void submit(struct caller *c, size_t i, uint64_t now)
{
	struct call *call = c->calls[i];
	const char *name = c->target->uri.name;
	const struct dgram_message m = {
		.kind = (uint8_t)call->kind,
		.to = c->target->addrs[c->at],
		.data = call->data,
		.len = call->len,
		.name = *name != '\0' ? name : NULL,
		.name_len = strlen(name),
		.deadline = call->until,
		.user = i,
		.ordered = call->ordered,
		.idempotent = call->kind == DGRAM_REQUEST && c->options->idempotent,
	};
	int error = dgram_endpoint_submit(endpoint(c), &m, now, &call->id);
	char who[DGRAM_ADDR_TEXT_MAX];

	if (error == DGRAM_ERR_FULL) {
		call->again = now + ROOM_PAUSE;
	} else if (error < 0) {
		c->code = fail_line(call->line, exit_of(error), "%s: cannot send %zu byte%s: %s", c->target->text, call->len,
				    plural(call->len), dgram_strerror(error));
	} else {
		call->tries++;
		explain(c, call, "try %u to %s", call->tries, dgram_addr_display(&m.to, who, sizeof who));
	}
}

/* Who waits for a responder to start asks until the end: the nearer it is, the sooner again. */
static uint64_t pause_at_refusal(const struct caller *c, const struct call *call, uint64_t wait, uint64_t now)
{
	uint64_t left = call->until > now ? call->until - now : 0;

	if (left < pace_of(c->options, c->target).first / 4)
		return left;
	return wait < left / 2 ? wait : left / 2;
}

/* How long to wait before it is sent again; DGRAM_NEVER: this is the end. */
static uint64_t pause_after(const struct caller *c, const struct call *call, uint64_t now)
{
	if (call->end.outcome != DGRAM_REFUSED)
		return DGRAM_NEVER;
	switch ((enum dgram_reason)call->end.reason) {
	case DGRAM_REASON_BUSY:
		return call->end.retry_after > BUSY_PAUSE_MIN ? call->end.retry_after : BUSY_PAUSE_MIN;
	case DGRAM_REASON_CLOSED:
	case DGRAM_REASON_LOST:
		return call->wait;
	case DGRAM_REASON_UNHEARD:
	case DGRAM_REASON_UNREACHABLE:
		return c->options->retry_refused ? pause_at_refusal(c, call, call->wait, now) : DGRAM_NEVER;
	case DGRAM_REASON_NONE:
	case DGRAM_REASON_NO_SESSION:
	case DGRAM_REASON_DEADLINE:
	case DGRAM_REASON_CANCELLED:
	case DGRAM_REASON_NO_SUCH_NAME:
	case DGRAM_REASON_NOT_ALLOWED:
	case DGRAM_REASON_EXPIRED:
	case DGRAM_REASON_GONE:
	case DGRAM_REASON_TOO_LONG:
	case DGRAM_REASON_ECHOED:
	case DGRAM_REASON_FOREIGN:
	case DGRAM_REASON_HERE:
	case DGRAM_REASON_COUNT:
		break;
	}
	return DGRAM_NEVER;
}

static void explain_end(const struct caller *c, const struct call *call)
{
	const struct dgram_event *e = &call->end;
	char who[DGRAM_ADDR_TEXT_MAX], span[32];

	dgram_addr_display(&e->peer, who, sizeof who);
	if (e->outcome != DGRAM_ANSWERED)
		explain(c, call, "end: %s%s", dgram_reason_text((enum dgram_reason)e->reason),
			e->outcome == DGRAM_UNKNOWN ? "; it was sent" : "");
	else if (e->kind == DGRAM_SEND)
		explain(c, call, "%s has it", who);
	else
		explain(c, call, "answer from %s, %zu byte%s; %s of it there", who, e->len, plural(e->len),
			target_span(e->service, span, sizeof span));
}

/* It ended at the endpoint: that was all, or it is sent again. */
static void ended(struct caller *c, struct call *call, const struct dgram_event *e, uint64_t now)
{
	const struct pace pace = pace_of(c->options, c->target);
	uint64_t pause;

	call->id = 0;
	keep_reply(c, call, e);
	explain_end(c, call);
	c->found = c->found && (c->target->count == 1 || e->outcome == DGRAM_ANSWERED); /* else the others may be alive */
	pause = pause_after(c, call, now);
	if (pause == DGRAM_NEVER && e->outcome == DGRAM_REFUSED && now < call->until && may_fall_back(c)) {
		fall_back(c, dgram_reason_text((enum dgram_reason)e->reason), now);
		return;
	}
	if (now >= call->until || pause >= call->until - now) {
		finish(c, call);
		return;
	}
	call->again = now + pause;
	call->wait = pace_longer(&pace, call->wait);
}

/* -- which address -- */

static void search_begin(struct caller *c, uint64_t now)
{
	c->search = (struct search){
		.runs = true,
		.wait = pace_of(c->options, c->target).first,
		.next = now,
		.left = c->target->count,
		.refusal = DGRAM_REASON_NO_SESSION,
		.refused = DGRAM_REASON_NO_SESSION,
	};
}

static void search_next(struct caller *c, const struct call *call, uint64_t now)
{
	struct search *s = &c->search;
	const struct pace pace = pace_of(c->options, c->target);
	char who[DGRAM_ADDR_TEXT_MAX];
	struct dgram_message m = {.kind = DGRAM_ECHO, .deadline = now + 2 * c->target->count * s->wait};

	while (s->out[s->at % c->target->count])
		s->at++;
	s->at %= c->target->count;
	m.to = c->target->addrs[s->at];
	m.user = s->at++;
	explain(c, call, "looking for %s", dgram_addr_display(&m.to, who, sizeof who));
	dgram_endpoint_submit(endpoint(c), &m, now, NULL); /* no room: the next one may have some */
	s->next = now + s->wait;
	s->wait = pace_longer(&pace, s->wait);
}

/* What became of a round trip. */
static void search_heard(struct caller *c, const struct dgram_event *e, uint64_t now)
{
	struct search *s = &c->search;
	size_t i = (size_t)e->user;

	if (!s->runs)
		return;
	if (e->outcome == DGRAM_ANSWERED || e->reason == DGRAM_REASON_BUSY) {
		s->runs = false;
		c->found = true;
		c->at = i;
		return;
	}
	if (e->outcome != DGRAM_REFUSED || s->out[i])
		return;
	if (e->reason != DGRAM_REASON_UNHEARD && e->reason != DGRAM_REASON_UNREACHABLE && e->reason != DGRAM_REASON_ECHOED &&
	    e->reason != DGRAM_REASON_FOREIGN)
		return;
	s->refusal = (enum dgram_reason)e->reason;
	s->out[i] = true;
	s->left--;
	s->next = now;
}

/* All addresses refused, and are asked again. */
static void search_again(struct caller *c, const struct call *call, uint64_t now)
{
	struct search *s = &c->search;
	const struct pace pace = pace_of(c->options, c->target);

	s->refused = s->refusal;
	s->left = c->target->count;
	memset(s->out, 0, sizeof s->out);
	s->next = now + pause_at_refusal(c, call, s->wait, now);
	s->wait = pace_longer(&pace, s->wait);
}

/* No address is alive, or time is up for this one. */
static void give_up(struct caller *c, struct call *call, enum dgram_reason reason)
{
	if (call->tries == 0)
		call->end = (struct dgram_event){
			.kind = (uint8_t)call->kind,
			.outcome = DGRAM_REFUSED,
			.reason = (uint8_t)reason,
			.data = (const uint8_t *)"",
		};
	explain_end(c, call);
	finish(c, call);
}

/* -- the loop -- */

static void work_on(struct caller *c, size_t i, uint64_t now)
{
	struct call *call = c->calls[i];

	if (now >= call->until) {
		give_up(c, call, c->search.runs ? c->search.refused : DGRAM_REASON_NO_SESSION);
	} else if (c->found) {
		submit(c, i, now);
	} else {
		if (!c->search.runs)
			search_begin(c, now);
		if (c->search.left == 0 && c->options->retry_refused)
			search_again(c, call, now);
		else if (c->search.left == 0 && may_fall_back(c))
			fall_back(c, dgram_reason_text(c->search.refusal), now);
		else if (c->search.left == 0)
			give_up(c, call, c->search.refusal);
		else if (now >= c->search.next)
			search_next(c, call, now);
	}
}

/* Does what is due, and says when something will be. */
static uint64_t work(struct caller *c)
{
	uint64_t now = dgram_clock(), due = DGRAM_NEVER;
	bool waits = false;

	if (c->fallback && now >= c->patience && may_fall_back(c))
		fall_back(c, "no session came up", now);
	for (size_t i = first_due(c, 0, now); i < CALLS_MAX && c->code == 0;) {
		uint64_t number = c->calls[i]->number;

		work_on(c, i, now);
		i = first_due(c, number + 1, now);
	}
	for (size_t i = 0; i < CALLS_MAX; i++) {
		const struct call *call = c->calls[i];
		uint64_t at = call == NULL || call->id != 0 ? DGRAM_NEVER : call->again > now ? call->again : call->until;

		waits = waits || is_due(call, now);
		due = at < due ? at : due;
	}
	if (!waits && !c->found)
		c->search.runs = false; /* nobody is interested: the next call begins anew */
	if (c->patience > now && c->patience < due && may_fall_back(c))
		due = c->patience;
	return waits && c->search.runs && c->search.next < due ? c->search.next : due;
}

static void handle(struct caller *c, const struct dgram_event *e)
{
	struct call *call = e->user < CALLS_MAX ? c->calls[e->user] : NULL;
	uint64_t now = dgram_clock();

	trace_event(&c->trace, e);
	if (e->type == DGRAM_EVENT_REQUEST) /* of the peer's, in our session */
		dgram_endpoint_refuse(endpoint(c), e->id, DGRAM_NOT_ALLOWED, 0, now);
	if (e->type != DGRAM_EVENT_DONE)
		return;
	if (e->kind == DGRAM_ECHO)
		search_heard(c, e, now);
	else if (call != NULL && call->id == e->id)
		ended(c, call, e, now);
}

/* Sleeps; whether fd can be read. */
static bool sleep_until(struct caller *c, int fd, uint64_t due)
{
	struct pollfd fds[3] = {
		{.fd = dgram_loop_fd(c->loop), .events = POLLIN},
		{.fd = signals_fd(), .events = POLLIN},
		{.fd = fd, .events = POLLIN},
	};
	uint64_t timeout = dgram_loop_timeout(c->loop), now = dgram_clock();

	if (timeout < DGRAM_NEVER - now && now + timeout < due)
		due = now + timeout;
	wait_until(fds, 3, due);
	return fds[2].revents != 0;
}

enum caller_news caller_wait(struct caller *c, int fd)
{
	for (;;) {
		uint64_t due = work(c);
		struct dgram_event e;
		int n;

		if (c->code == 0 && signals_caught() != 0)
			c->code = signals_code();
		if (c->code != 0)
			return CALLER_BROKEN;
		if (c->news) {
			c->news = false;
			return CALLER_DONE;
		}
		n = dgram_loop_wait(c->loop, &e, 0);
		look(c);
		if (n < 0)
			c->code = fail(exit_of(n), "%s: cannot receive: %s", c->target->text,
				       n == DGRAM_ERR_SYSTEM ? strerror(errno) : dgram_strerror(n));
		else if (n > 0)
			handle(c, &e);
		else if (sleep_until(c, fd, due))
			return CALLER_INPUT;
	}
}

int caller_begin(struct caller *c, struct call *call)
{
	struct pace pace;
	size_t i = 0;

	call->start = dgram_clock();
	if (c->loop == NULL)
		c->code = open_way(c);
	if (c->code != 0)
		return c->code;
	c->found = c->found || c->target->count == 1;
	if (c->options->deadline == 0) /* the destination's counts from here: a slow name server uses nothing of it up */
		call->start = dgram_clock();
	pace = pace_of(c->options, c->target);
	call->done = false;
	call->number = c->begun++;
	call->until = call->start + pace_allowance(&pace, c->options);
	call->id = 0;
	call->again = call->start;
	call->wait = pace.first;
	call->tries = 0;
	c->patience = c->patience > 0 ? c->patience : patience_of(c, call);
	while (c->calls[i] != NULL)
		i++;
	c->calls[i] = call;
	return 0;
}
