/* The machine of asker.c run over a socket: it is told what send, receive and the error queue say.
 *
 * Datagrams are read before refusals: an answer wins over an ICMP message, which anyone can forge.
 * What lies in the socket before the first try cannot be the answer and is thrown away.
 *
 * Our own datagram that comes back is no answer but a refusal: the port that was asked is ours, so nobody
 * else listens there. The kernel may pick just that one for us. */
#include <dgram/ask.h>

#include "net/message.h"

#include <errno.h>
#include <string.h>

#define LEFTOVERS_MAX 1000 /* a stranger who sends as fast as we read shall not hold us up */

struct asking {
	struct dgram_asker asker;
	struct dgram_socket *socket;
	const struct dgram_question *question;
	struct dgram_ask_report *report;
};

static int start(struct asking *q, const struct dgram_ask_options *opt)
{
	struct dgram_ask_options o = opt ? *opt : (struct dgram_ask_options){0};
	const struct dgram_addr *to = q->question->to;
	size_t to_count = q->question->to_count;
	struct dgram_addr peer;
	uint8_t seed[32];
	int rc;

	if (q->socket->connected && !to_count) {
		rc = dgram_socket_getpeername(q->socket, &peer);
		if (rc < 0)
			return rc;
		to = &peer;
		to_count = 1;
	}
	if (q->socket->connected && to_count != 1)
		return DGRAM_ERR_ARGUMENT;
	if (!o.seed) {
		rc = dgram_random_seed(seed);
		if (rc < 0)
			return rc;
		memcpy(&o.seed, seed, sizeof o.seed);
	}
	return dgram_asker_init(&q->asker, to, to_count, &o, dgram_clock());
}

static void note(struct asking *q, size_t to, int error)
{
	struct dgram_ask_report *r = q->report;

	if (r->event_count < DGRAM_ASK_EVENTS_MAX)
		r->events[r->event_count] = (struct dgram_ask_event){
			.at = q->asker.now - q->asker.start,
			.to = (uint8_t)to,
			.error = error,
		};
	r->event_count++;
}

/* False: no send of ours. */
static bool refused(struct asking *q, const struct dgram_socket_error *e)
{
	int index = dgram_asker_failed(&q->asker, &e->to, e->error, dgram_clock());

	if (index < 0)
		return false;
	q->report->last_error = *e;
	note(q, (size_t)index, e->error);
	return true;
}

/* Whether the same send may work in a moment. EPERM is a firewall, or its table of connections is
 * full; EACCES is for good: broadcast not enabled, a path of somebody else's. */
static bool may_pass(int error, int errno_value)
{
	return error == DGRAM_ERR_AGAIN || error == DGRAM_ERR_NOBUFS ||
	       (error == DGRAM_ERR_DENIED && errno_value == EPERM);
}

static void send_try(struct asking *q, const struct dgram_addr *to)
{
	struct dgram_socket *s = q->socket;
	uint64_t before = dgram_clock(); /* the answer may be there before sendto returns */
	int rc = dgram_socket_sendto(s, q->question->data, q->question->len, s->connected ? NULL : to);
	struct dgram_socket_error e = {.to = *to, .error = rc, .errno_value = errno};

	if (rc == 0) {
		dgram_asker_sent(&q->asker, before);
		note(q, q->asker.current, 0);
	} else if (may_pass(rc, e.errno_value)) {
		dgram_asker_lost(&q->asker, rc, dgram_clock());
		q->report->last_error = e;
		note(q, q->asker.current, rc);
	} else {
		refused(q, &e);
	}
}

/* Our own datagram came back: whether that refused a try. */
static bool refused_by_own(struct asking *q, const struct dgram_addr *to)
{
	struct dgram_socket_error e = {
		.to = *to, .error = DGRAM_ERR_REFUSED, .errno_value = ECONNREFUSED};

	return refused(q, &e);
}

static bool is_own(const struct asking *q, const struct dgram_datagram *d)
{
	struct dgram_addr own;

	return !q->socket->connected && dgram_socket_getsockname(q->socket, &own) == 0 &&
	       dg_message_is_own(d, &own);
}

/* The answer's length or DGRAM_ERR_TRUNCATED; DGRAM_ERR_AGAIN: it is none. */
static int take(struct asking *q, struct dgram_datagram *d)
{
	if (q->socket->connected)
		d->peer = q->asker.addrs[0].to;
	if (is_own(q, d)) {
		q->report->strangers += !refused_by_own(q, &d->peer);
		return DGRAM_ERR_AGAIN;
	}
	if (!dgram_asker_answered(&q->asker, &d->peer, dgram_clock())) {
		q->report->strangers++;
		return DGRAM_ERR_AGAIN;
	}
	q->report->from = d->peer;
	return d->status < 0 ? d->status : (int)d->len;
}

/* One datagram, if there is any; as take(). */
static int receive(struct asking *q)
{
	struct dgram_datagram d = {.data = q->question->answer, .size = q->question->size};
	int rc = dgram_socket_recv_batch(q->socket, &d, 1);

	if (rc > 0)
		return dg_message_segments(&d) > 1 ? DGRAM_ERR_ARGUMENT : take(q, &d);
	if (rc == DGRAM_ERR_AGAIN || !q->socket->connected)
		return rc;
	refused(q, &(struct dgram_socket_error){
			   .to = q->asker.addrs[0].to, .error = rc, .errno_value = errno});
	return DGRAM_ERR_AGAIN;
}

static void take_refusals(struct asking *q)
{
	struct dgram_socket_error e;

	while (dgram_socket_next_error(q->socket, &e) == 1)
		refused(q, &e);
}

/* The machine counts neither before its first try. */
static void clear_leftovers(struct asking *q)
{
	uint32_t before;

	for (size_t i = 0; i < LEFTOVERS_MAX; i++) {
		before = q->report->strangers;
		receive(q);
		if (q->report->strangers == before)
			break;
	}
	take_refusals(q);
}

static int wait_for_news(struct asking *q)
{
	uint64_t now = dgram_clock(), deadline = dgram_asker_deadline(&q->asker);
	int news = dgram_socket_wait(q->socket, deadline > now ? deadline - now : 0);
	int rc = DGRAM_ERR_AGAIN;

	if (news < 0)
		return news;
	if (news & DGRAM_READABLE)
		rc = receive(q);
	if (rc == DGRAM_ERR_AGAIN && (news & DGRAM_ERROR_WAITS))
		take_refusals(q);
	return rc;
}

static int run(struct asking *q)
{
	const struct dgram_addr *to;
	int rc = DGRAM_ERR_AGAIN;

	clear_leftovers(q);
	while (rc == DGRAM_ERR_AGAIN) {
		switch (dgram_asker_next(&q->asker, dgram_clock(), &to)) {
		case DGRAM_ASK_SEND:
			send_try(q, to);
			break;
		case DGRAM_ASK_WAIT:
			rc = wait_for_news(q);
			break;
		case DGRAM_ASK_END:
			return dgram_asker_outcome(&q->asker);
		}
	}
	return rc;
}

int dgram_ask(struct dgram_socket *s, const struct dgram_question *question,
	      const struct dgram_ask_options *opt, struct dgram_ask_report *report)
{
	struct dgram_ask_report unwanted;
	struct asking q = {
		.socket = s,
		.question = question,
		.report = report ? report : &unwanted,
	};
	uint64_t timeout = s->timeout;
	int rc;

	*q.report = (struct dgram_ask_report){0};
	rc = start(&q, opt);
	if (rc < 0)
		return rc;
	dgram_socket_settimeout(s, 0);
	rc = run(&q);
	dgram_socket_settimeout(s, timeout);
	q.report->tries = q.asker.tries;
	q.report->refusals = q.asker.refusals;
	q.report->elapsed = q.asker.now - q.asker.start;
	q.report->rtt = q.asker.rtt;
	return rc;
}
