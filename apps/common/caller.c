#include "caller.h"
#include <dgram/profile.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RESOLVE_TIMEOUT (30 * DGRAM_S)
#define BUSY_PAUSE_MIN (10 * DGRAM_MS)
#define MESSAGES 64            /* one at a time, and the round trips that look for an address */
#define POOL_SPARE (1u << 20)  /* bytes, beside the longest request and reply */

/* What dgram/profile.h says of a destination. */
static const struct pace {
	uint64_t first;
	uint32_t growth_milli;
	uint64_t max, deadline;
} paces[] = {
	[DGRAM_PROFILE_LOOPBACK] = {50 * DGRAM_MS, 1500, 500 * DGRAM_MS, 5 * DGRAM_S},
	[DGRAM_PROFILE_LAN] = {100 * DGRAM_MS, 1500, DGRAM_S, 5 * DGRAM_S},
	[DGRAM_PROFILE_WAN] = {DGRAM_S, 2000, 8 * DGRAM_S, 30 * DGRAM_S},
};

/* That of the slowest address, and what -t and --backoff make of it. */
static struct pace pace_of(const struct caller *c)
{
	const struct options *o = c->options;
	enum dgram_profile slowest = DGRAM_PROFILE_LOOPBACK;
	struct pace pace;

	for (size_t i = 0; i < c->target->count; i++)
		if (dgram_profile_of(&c->target->addrs[i]) > slowest)
			slowest = dgram_profile_of(&c->target->addrs[i]);
	pace = paces[slowest];
	if (o->timeout != 0)
		pace.first = o->timeout;
	if (o->backoff_milli != 0)
		pace.growth_milli = o->backoff_milli;
	if (pace.max < pace.first)
		pace.max = pace.first;
	return pace;
}

static uint64_t longer(const struct pace *pace, uint64_t wait)
{
	uint64_t grown = wait > DGRAM_NEVER / pace->growth_milli ? pace->max : wait * pace->growth_milli / 1000;

	return grown < pace->max ? grown : pace->max;
}

/* How long a message may take. A session knows best when to send again; -r bounds it all the same, by the time that
 * so many tries would take. */
static uint64_t allowance(const struct caller *c, const struct pace *pace)
{
	uint64_t deadline = c->options->deadline != 0 ? c->options->deadline : pace->deadline;
	uint64_t sum = 0, wait = pace->first;

	if (!c->options->limit_retries)
		return deadline;
	for (uint64_t i = 0; i <= c->options->retries && sum < deadline; i++) {
		sum += wait;
		wait = longer(pace, wait);
	}
	return sum < deadline ? sum : deadline;
}

uint64_t caller_span(const struct caller *c)
{
	uint64_t now = dgram_clock();

	return (now < c->end ? now : c->end) - c->start;
}

__attribute__((format(printf, 2, 3))) static void explain(const struct caller *c, const char *format, ...)
{
	char span[32], text[256];
	va_list args;

	if (!c->explain)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	say("%9s  %s", target_span(dgram_clock() - c->start, span, sizeof span), text);
}

/* -- the way out -- */

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
		.message_max = (uint32_t)(c->reply_max > 0 ? c->reply_max : 1),
		.pool = 2 * (uint64_t)(c->request_max + c->reply_max) + POOL_SPARE,
	};

	c->loop = dgram_loop_new(&c->socket, &config);
	if (c->loop != NULL)
		return 0;
	dgram_socket_close(&c->socket);
	return fail(CODE_BUSY, "%s: cannot prepare a session: %s", c->target->text, strerror(errno));
}

static int open_way(struct caller *c)
{
	const struct options *o = c->options;
	int code = target_resolve(c->target, o, o->deadline != 0 ? o->deadline : RESOLVE_TIMEOUT);

	if (code == 0 && target_is_group(&c->target->addrs[0]))
		return fail_usage(o->command->name,
				  "%s is a group, and group:// is not in this version yet; for a plain group datagram "
				  "write udp://%s", c->target->text, c->target->text);
	if (code == 0)
		code = target_socket(&c->socket, c->target, o);
	return code == 0 ? open_loop(c) : code;
}

void caller_close(struct caller *c)
{
	if (c->loop == NULL)
		return;
	dgram_loop_close(c->loop);
	dgram_loop_free(c->loop);
	dgram_socket_close(&c->socket);
	c->loop = NULL;
}

/* The next event before that time; false: there is none. */
static bool hear(struct caller *c, struct dgram_event *event, uint64_t until)
{
	for (;;) {
		uint64_t now = dgram_clock();
		int n = dgram_loop_wait(c->loop, event, until == DGRAM_NEVER ? until : until > now ? until - now : 0);

		if (n > 0)
			return true;
		if (n < 0)
			c->code = fail(exit_of(n), "%s: cannot receive: %s", c->target->text,
				       n == DGRAM_ERR_SYSTEM ? strerror(errno) : dgram_strerror(n));
		if (n < 0 || now >= until)
			return false;
	}
}

static int submit_failed(struct caller *c, int error, size_t len)
{
	if (error == DGRAM_ERR_SIZE)
		return fail(CODE_SIZE, "%s: %zu bytes are too large for a message; nothing was sent", c->target->text, len);
	return fail(exit_of(error), "%s: cannot send: %s", c->target->text, dgram_strerror(error));
}

/* -- which address -- */

/* A round trip to each address in turn says which one is alive, and the message goes to that one alone: two copies of
 * it in two sessions would be two messages. Silence moves on when the wait is over, a refusal at once, and an answer to
 * any try counts. */
struct search {
	struct pace pace;
	uint64_t wait, next; /* ns: the length of this wait, and its end */
	size_t at, left;     /* left: addresses that did not refuse */
	bool out[DGRAM_RESOLVE_MAX];
};

static void probe(struct caller *c, struct search *s, uint64_t now)
{
	char who[DGRAM_ADDR_TEXT_MAX];
	uint64_t patience = 2 * c->target->count * s->wait;
	struct dgram_message m = {.kind = DGRAM_ECHO};

	while (s->out[s->at % c->target->count])
		s->at++;
	s->at %= c->target->count;
	m.to = c->target->addrs[s->at];
	m.user = s->at++;
	m.deadline = c->end - now > patience ? now + patience : c->end;
	explain(c, "looking for %s", dgram_addr_display(&m.to, who, sizeof who));
	dgram_endpoint_submit(dgram_loop_endpoint(c->loop), &m, now, NULL); /* no room: the next one may have some */
	s->next = now + s->wait;
	s->wait = longer(&s->pace, s->wait);
}

static bool is_refusal(const struct dgram_event *e)
{
	return e->outcome == DGRAM_REFUSED &&
	       (e->reason == DGRAM_REASON_UNHEARD || e->reason == DGRAM_REASON_UNREACHABLE || e->reason == DGRAM_REASON_ECHOED);
}

/* What became of a round trip: whether its address is the one. */
static bool probed(struct caller *c, struct search *s, const struct dgram_event *e, uint64_t now)
{
	size_t i = (size_t)e->user;

	if (e->outcome == DGRAM_ANSWERED || e->reason == DGRAM_REASON_BUSY)
		return true;
	if (!is_refusal(e) || c->retry_refused || s->out[i])
		return false;
	explain(c, "%s", dgram_reason_text((enum dgram_reason)e->reason));
	s->out[i] = true;
	s->left--;
	s->next = now;
	return false;
}

/* True: c->at is the address that answers. False: none does, and *done says why. */
static bool find(struct caller *c, struct dgram_event *done)
{
	struct search s = {.pace = pace_of(c), .left = c->target->count};
	uint64_t now = dgram_clock();
	struct dgram_event e;

	*done = (struct dgram_event){.outcome = DGRAM_REFUSED, .reason = DGRAM_REASON_NO_SESSION};
	for (s.wait = s.pace.first; now < c->end && s.left > 0 && c->code == 0; now = dgram_clock()) {
		if (now >= s.next)
			probe(c, &s, now);
		if (!hear(c, &e, s.next < c->end ? s.next : c->end))
			continue;
		if (e.type != DGRAM_EVENT_DONE || e.kind != DGRAM_ECHO)
			continue;
		if (probed(c, &s, &e, dgram_clock())) {
			c->found = true;
			c->at = (size_t)e.user;
			return true;
		}
		if (is_refusal(&e))
			*done = e;
	}
	if (s.left > 0)
		done->reason = DGRAM_REASON_NO_SESSION;
	return false;
}

/* -- one message -- */

/* Once, to the address that was found, until it has ended. */
static void send_once(struct caller *c, const struct dgram_message *m, struct dgram_event *done)
{
	uint64_t id;
	char who[DGRAM_ADDR_TEXT_MAX];
	int error;

	c->tries++;
	explain(c, "try %u to %s", c->tries, dgram_addr_display(&m->to, who, sizeof who));
	error = dgram_endpoint_submit(dgram_loop_endpoint(c->loop), m, dgram_clock(), &id);
	if (error < 0) {
		c->code = submit_failed(c, error, m->len);
		return;
	}
	do {
		if (!hear(c, done, DGRAM_NEVER))
			return;
	} while (done->type != DGRAM_EVENT_DONE || done->id != id);
}

/* How long to wait before it is sent again; DGRAM_NEVER: this is the end. */
static uint64_t pause_after(const struct caller *c, const struct dgram_event *done)
{
	if (done->outcome != DGRAM_REFUSED)
		return DGRAM_NEVER;
	switch ((enum dgram_reason)done->reason) {
	case DGRAM_REASON_BUSY:
		return done->retry_after > BUSY_PAUSE_MIN ? done->retry_after : BUSY_PAUSE_MIN;
	case DGRAM_REASON_CLOSED:
	case DGRAM_REASON_LOST:
		return c->wait;
	case DGRAM_REASON_UNHEARD:
	case DGRAM_REASON_UNREACHABLE:
		return c->retry_refused ? c->wait : DGRAM_NEVER;
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
	case DGRAM_REASON_HERE:
	case DGRAM_REASON_COUNT:
		break;
	}
	return DGRAM_NEVER;
}

static void explain_end(const struct caller *c, const struct dgram_event *e)
{
	char who[DGRAM_ADDR_TEXT_MAX], span[32];

	dgram_addr_display(&e->peer, who, sizeof who);
	if (e->outcome != DGRAM_ANSWERED)
		explain(c, "end: %s%s", dgram_reason_text((enum dgram_reason)e->reason),
			e->outcome == DGRAM_UNKNOWN ? "; it was sent" : "");
	else if (e->kind == DGRAM_SEND)
		explain(c, "%s has it", who);
	else
		explain(c, "answer from %s, %zu bytes; %s of it there", who, e->len,
			target_span(e->service, span, sizeof span));
}

/* As long as sending it again can help. */
static void send_until(struct caller *c, struct dgram_message *m, struct dgram_event *done)
{
	struct pace pace = pace_of(c);
	struct dgram_event ignored;

	for (c->wait = pace.first; c->code == 0; c->wait = longer(&pace, c->wait)) {
		uint64_t now, pause;

		if (!c->found && !find(c, done)) {
			explain_end(c, done);
			return;
		}
		m->to = c->target->addrs[c->at];
		send_once(c, m, done);
		if (c->code != 0)
			return;
		explain_end(c, done);
		c->found = c->target->count == 1 || done->outcome == DGRAM_ANSWERED; /* else the others may be alive */
		now = dgram_clock();
		pause = pause_after(c, done);
		if (now >= c->end || pause >= c->end - now)
			return;
		while (hear(c, &ignored, now + pause))
			;
	}
}

int caller_send(struct caller *c, enum dgram_kind kind, const void *data, size_t len, struct dgram_event *done)
{
	const struct options *o = c->options;
	const char *name = c->target->uri.name;
	struct dgram_message m = {
		.kind = (uint8_t)kind,
		.data = data,
		.len = len,
		.name = *name != '\0' ? name : NULL,
		.name_len = strlen(name),
		.idempotent = kind == DGRAM_REQUEST && o->idempotent,
	};
	struct dgram_event old;
	struct pace pace;

	c->start = dgram_clock();
	c->tries = 0;
	if (c->loop == NULL)
		c->code = open_way(c);
	else
		while (hear(c, &old, 0)) /* since the last message: a peer that went away says so */
			;
	if (c->code != 0)
		return c->code;
	c->found = c->found || c->target->count == 1;
	pace = pace_of(c);
	c->end = c->start + allowance(c, &pace);
	m.deadline = c->end;
	send_until(c, &m, done);
	return c->code;
}
