/* One request over a socket, an endpoint and a session of its own.
 *
 * Addresses are asked one after the other, never two at once: what may have reached one must not be sent to
 * another. Moving on is safe after a refusal, and while no session has come up; all sessions are closed then,
 * so that the one which comes up is always that of the address in hand.
 */
#include "base/profile.h"
#include "net/wait.h"

#include <dgram/call.h>
#include <dgram/loop.h>

#include <string.h>

#define AGAIN DGRAM_ERR_AGAIN /* inside: ask once more */

#define SESSIONS DGRAM_CALL_ADDRS_MAX /* one at a time; ended ones may take a moment */
#define MESSAGES 64
#define REQUESTS 2                   /* of the peer: they are refused */
#define POOL     (UINT64_C(1) << 18) /* bytes beside the request, its reply, and a map of their cells */

struct calling {
	struct dgram_call *call;
	struct dgram_socket socket;
	struct dgram_loop *loop;
	struct dgram_endpoint *endpoint;
	struct dgram_event event;
	bool out[DGRAM_CALL_ADDRS_MAX]; /* said no, through the network */
	size_t at;                      /* the address in hand */
	uint64_t opened;                /* sessions that came up before it had its turn */
	uint64_t deadline;
	uint64_t patience, pause; /* ns: with silence, and after a peer closed; they grow */
	int length;               /* of the reply */
};

static const struct dg_profile *profile_at(const struct calling *c, size_t at)
{
	return dg_profile(dgram_profile_of(&c->call->to[at]));
}

/* *wait, and *wait longer the next time. */
static uint64_t back_off(const struct calling *c, uint64_t *wait)
{
	const struct dg_profile *profile = profile_at(c, c->at);
	uint64_t now = *wait > profile->first_wait ? *wait : profile->first_wait;
	uint64_t next = now * profile->growth_milli / 1000;

	*wait = next < profile->wait_max ? next : profile->wait_max;
	return now;
}

static uint64_t opened(const struct calling *c)
{
	struct dgram_endpoint_stats stats;

	dgram_endpoint_stats(c->endpoint, &stats);
	return stats.opened;
}

/* The next address in turn that is not out; c->at itself where it is the only one, or all are out. */
static size_t next_address(const struct calling *c)
{
	for (size_t step = 1; step < c->call->to_count; step++) {
		size_t at = (c->at + step) % c->call->to_count;

		if (!c->out[at])
			return at;
	}
	return c->at;
}

/* ---- asking once ------------------------------------------------------------------------------ */

/* The reply is borrowed: it is copied now. */
static void take(struct calling *c)
{
	struct dgram_call *call = c->call;
	const struct dgram_event *e = &c->event;
	struct dgram_session_info info;

	call->outcome = e->outcome;
	call->reason = e->reason;
	call->status = e->status;
	call->service = e->service;
	call->retry_after = e->retry_after;
	call->tries = e->tries;
	c->length = e->len <= call->size ? (int)e->len : DGRAM_ERR_TRUNCATED;
	if (e->outcome == DGRAM_ANSWERED && c->length > 0)
		memcpy(call->reply, e->data, e->len);
	if (dgram_endpoint_session(c->endpoint, e->session, &info) == 0)
		call->rtt = info.rtt;
}

/* 1: our request has ended; 0: the time has come. What the peer asks in our session nobody here answers. */
static int wait_until(struct calling *c, uint64_t end)
{
	uint64_t left;
	int n;

	do {
		left = dg_time_left(end);
		n = dgram_loop_wait(c->loop, &c->event, left);
		if (n < 0)
			return n;
		if (c->event.type == DGRAM_EVENT_REQUEST)
			dgram_endpoint_refuse(c->endpoint, c->event.id, DGRAM_NO_SUCH_NAME, 0,
			                      dgram_clock());
		if (c->event.type == DGRAM_EVENT_DONE) {
			take(c);
			return 1;
		}
	} while (left > 0);
	return 0;
}

static int submit(struct calling *c, uint64_t *id)
{
	const struct dgram_call *call = c->call;
	const struct dgram_message m = {
	        .kind = DGRAM_REQUEST,
	        .to = call->to[c->at],
	        .data = call->data,
	        .len = call->len,
	        .name = call->name,
	        .name_len = call->name != NULL ? strlen(call->name) : 0,
	        .deadline = c->deadline,
	        .idempotent = call->idempotent,
	};

	return dgram_endpoint_submit(c->endpoint, &m, dgram_clock(), id);
}

/* Until it has ended. Where there is another address, one that is silent is given up in time to ask that. */
static int ask(struct calling *c)
{
	uint64_t end = DGRAM_NEVER, id;
	int n = submit(c, &id);

	if (n < 0)
		return n;
	c->call->from = c->call->to[c->at];
	c->call->requests++;
	if (next_address(c) != c->at)
		end = dg_deadline(dgram_clock(), back_off(c, &c->patience));
	n = wait_until(c, end);
	if (n == 0 && opened(c) == c->opened)
		dgram_endpoint_cancel(c->endpoint, id, dgram_clock());
	while (n == 0)
		n = wait_until(c, DGRAM_NEVER);
	if (n > 0)
		return n;
	c->call->outcome = DGRAM_UNKNOWN; /* the socket broke */
	return DGRAM_ERR_UNKNOWN;
}

/* ---- and again -------------------------------------------------------------------------------- */

static int move_on(struct calling *c)
{
	dgram_loop_close(c->loop);
	c->opened = opened(c);
	c->at = next_address(c);
	return AGAIN;
}

static int refused(struct calling *c, int error)
{
	c->out[c->at] = true;
	return next_address(c) != c->at ? move_on(c) : error;
}

/* Asks again after a pause of so many ns, if there is time for that. */
static int later(struct calling *c, uint64_t pause, int error)
{
	uint64_t end = dg_deadline(dgram_clock(), pause);
	int n;

	if (end >= c->deadline)
		return error;
	n = wait_until(c, end);
	return n < 0 ? n : AGAIN;
}

/* It certainly did not run. What now? */
static int after_refusal(struct calling *c)
{
	switch ((enum dgram_reason)c->call->reason) {
	case DGRAM_REASON_UNHEARD:
		return refused(c, DGRAM_ERR_REFUSED);
	case DGRAM_REASON_UNREACHABLE:
		return refused(c, DGRAM_ERR_UNREACHABLE);
	case DGRAM_REASON_ECHOED:
	case DGRAM_REASON_FOREIGN:
		return refused(c, DGRAM_ERR_FOREIGN);
	case DGRAM_REASON_CANCELLED:
		return move_on(c);
	case DGRAM_REASON_BUSY:
		return later(
		        c, c->call->retry_after > 0 ? c->call->retry_after : back_off(c, &c->pause),
		        DGRAM_ERR_BUSY);
	case DGRAM_REASON_NO_SUCH_NAME:
		return DGRAM_ERR_NO_NAME;
	case DGRAM_REASON_NOT_ALLOWED:
		return DGRAM_ERR_FORBIDDEN;
	case DGRAM_REASON_TOO_LONG:
		return DGRAM_ERR_SIZE;
	case DGRAM_REASON_CLOSED:
	case DGRAM_REASON_LOST:
	case DGRAM_REASON_GONE:
	case DGRAM_REASON_HERE:
		c->opened = opened(c);
		return later(c, back_off(c, &c->pause), DGRAM_ERR_CLOSED);
	case DGRAM_REASON_NO_SESSION:
	case DGRAM_REASON_DEADLINE:
	case DGRAM_REASON_EXPIRED:
	case DGRAM_REASON_NONE:
	case DGRAM_REASON_COUNT:
		break;
	}
	return DGRAM_ERR_TIMEOUT;
}

static int after(struct calling *c)
{
	switch ((enum dgram_outcome)c->call->outcome) {
	case DGRAM_ANSWERED:
		return c->length;
	case DGRAM_REFUSED:
		return after_refusal(c);
	case DGRAM_UNKNOWN:
		break;
	}
	return c->call->reason == DGRAM_REASON_TOO_LONG ? DGRAM_ERR_TRUNCATED : DGRAM_ERR_UNKNOWN;
}

static int run(struct calling *c)
{
	int n;

	do {
		n = ask(c);
		if (n > 0)
			n = after(c);
	} while (n == AGAIN);
	return n;
}

/* ---- beginning and end ------------------------------------------------------------------------ */

static void forget(struct dgram_call *call)
{
	call->from = (struct dgram_addr){.family = DGRAM_FAMILY_NONE};
	call->outcome = call->reason = call->status = 0;
	call->elapsed = call->rtt = call->service = call->retry_after = 0;
	call->requests = call->tries = 0;
}

/* Addresses of one family need no socket that carries both. */
static enum dgram_family family_of(const struct dgram_call *call)
{
	enum dgram_family family = (enum dgram_family)call->to[0].family;

	for (size_t i = 1; i < call->to_count; i++)
		if (call->to[i].family != family)
			return DGRAM_FAMILY_NONE;
	return family;
}

static uint64_t timeout_of(const struct calling *c)
{
	uint64_t longest = 0;

	if (c->call->timeout > 0)
		return c->call->timeout;
	for (size_t i = 0; i < c->call->to_count; i++)
		if (profile_at(c, i)->deadline > longest)
			longest = profile_at(c, i)->deadline;
	return longest;
}

/* The socket and its loop, no larger than one request needs. */
static int begin(struct calling *c)
{
	const struct dgram_call *call = c->call;
	uint64_t bytes = call->len + call->size;
	const struct dgram_endpoint_config config = {
	        .answers_nobody = true,
	        .sessions = SESSIONS,
	        .sessions_each = SESSIONS,
	        .half_open = 1,
	        .half_open_each = 1,
	        .messages = MESSAGES,
	        .requests = REQUESTS,
	        .pool = POOL + bytes + bytes / 128,
	        .message_max = call->size > 0 ? (uint32_t)call->size : 1,
	};
	int err = dgram_socket_open(&c->socket, family_of(call), NULL);

	if (err < 0)
		return err;
	c->loop = dgram_loop_new(&c->socket, &config);
	if (c->loop != NULL) {
		c->endpoint = dgram_loop_endpoint(c->loop);
		return 0;
	}
	dgram_socket_close(&c->socket);
	return DGRAM_ERR_NOMEM;
}

static void end(struct calling *c)
{
	dgram_loop_close(c->loop);
	dgram_loop_free(c->loop);
	dgram_socket_close(&c->socket);
}

static int check(const struct dgram_call *call)
{
	if (call->to_count == 0 || call->to_count > DGRAM_CALL_ADDRS_MAX)
		return DGRAM_ERR_ARGUMENT;
	for (size_t i = 0; i < call->to_count; i++)
		if (call->to[i].family != DGRAM_IPV4 && call->to[i].family != DGRAM_IPV6)
			return DGRAM_ERR_ADDRESS;
	return call->len > DGRAM_MESSAGE_MAX || call->size > DGRAM_MESSAGE_MAX ? DGRAM_ERR_SIZE : 0;
}

int dgram_call(struct dgram_call *call)
{
	struct calling c = {.call = call};
	uint64_t start = dgram_clock();
	int n = check(call);

	forget(call);
	if (n < 0)
		return n;
	c.deadline = dg_deadline(start, timeout_of(&c));
	n = begin(&c);
	if (n == 0) {
		n = run(&c);
		end(&c);
	}
	call->elapsed = dgram_clock() - start;
	return n;
}
