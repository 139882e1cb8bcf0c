/* What connections carry: datagrams in, each in its turn, and out; and what ends a connection. */
#define _GNU_SOURCE
#include "loop/connection.h"

#include "base/bytes.h"
#include "net/wait.h"
#include "stream/stream.h"
#include "wire/wire.h"

#include <errno.h>

#define TAKEN_AT_ONCE 16
#define NEWS_AT_ONCE  64
#define IN_A_ROW      16 /* datagrams of one connection, before the others have their turn */
#define SWEEP_EVERY   DGRAM_S
#define ROOM_EVERY    (5 * DGRAM_MS)  /* between looks whether there is room for what waits */
#define ROOM_WITHIN   (50 * DGRAM_MS) /* then it is dropped: there may never be room for all of it */
#define GREET_WITHIN  (10 * DGRAM_S)
#define STUCK_FOR     (30 * DGRAM_S)
#define LEAVE_WITHIN  DGRAM_S

#define TYPE_AT     5 /* bytes into a datagram */
#define RECEIVER_AT 8
#define SESSION_AT  16 /* of INIT and ACCEPT: the sender's id */

static uint64_t number_at(const uint8_t *datagram, size_t at)
{
	struct dg_reader r = dg_reader(datagram + at, 8);

	return dg_read_u64(&r);
}

static bool has_ended(const struct dgram_loop *loop, const struct dg_connection *c)
{
	struct dgram_session_info info;

	return dgram_endpoint_session(loop->endpoint, c->session, &info) < 0;
}

/* ---- in ----------------------------------------------------------------------------------------- */

/* Its turn: docs/WIRE.md, section 8. An INIT of ours that comes back is the endpoint's to name. */
static bool may_come(const struct dg_connection *c, const uint8_t *datagram)
{
	uint64_t receiver = number_at(datagram, RECEIVER_AT);

	switch (datagram[TYPE_AT]) {
	case DG_INIT:
		return !c->greeted && (!c->ours || number_at(datagram, SESSION_AT) == c->session);
	case DG_ACCEPT:
	case DG_BUSY:
		return c->ours && !c->greeted && receiver == c->session;
	case DG_DATA:
		return c->greeted && c->session != 0 && receiver == c->session;
	default:
		return false;
	}
}

/* What was taken, and what follows from it for the connection. */
static void taken(struct dgram_loop *loop, struct dg_connection *c, const uint8_t *datagram)
{
	struct dg_connections *all = loop->connections;
	bool first = !c->greeted;

	c->greeted = true;
	switch (datagram[TYPE_AT]) {
	case DG_INIT:
	case DG_ACCEPT:
		c->peer_session = number_at(datagram, SESSION_AT);
		break;
	case DG_BUSY:
		dg_connection_end(loop, c, DGRAM_HANGUP_ENDED, DGRAM_ERR_BROKEN);
		return;
	default:
		break;
	}
	c->up = c->up || datagram[TYPE_AT] != DG_INIT;
	if (first)
		dgram_frame_init(&c->reader, c->reader.buf, all->datagram_max);
	if (c->up && has_ended(loop, c))
		dg_connection_end(loop, c, DGRAM_HANGUP_ENDED, DGRAM_ERR_BROKEN);
}

static void is_foreign(struct dgram_loop *loop, struct dg_connection *c)
{
	dg_connection_end(loop, c, DGRAM_HANGUP_FOREIGN,
	                  c->greeted ? DGRAM_ERR_BROKEN : DGRAM_ERR_FOREIGN);
}

static void wait_for_room(struct dgram_loop *loop, struct dg_connection *c, const uint8_t *datagram)
{
	c->datagram = datagram;
	c->waits_at = loop->now;
	loop->connections->waiting++;
	dg_connection_watch(loop->connections, c);
}

static void stop_waiting(struct dg_connections *all, struct dg_connection *c)
{
	all->waiting--;
	c->datagram = NULL;
	dg_connection_watch(all, c);
}

/* Gives the endpoint the datagram that is whole. */
static void offer(struct dgram_loop *loop, struct dg_connection *c, const uint8_t *datagram)
{
	const struct dgram_datagram in = {
	        .peer = c->peer, .data = (uint8_t *)(uintptr_t)datagram, .len = c->datagram_len};
	bool waited = c->datagram == datagram;
	enum dgram_fate fate;
	bool no_room;

	if (!may_come(c, datagram)) {
		is_foreign(loop, c);
		return;
	}
	fate = dgram_endpoint_receive(loop->endpoint, &in, loop->now);
	no_room = fate == DGRAM_FATE_ROOM;
	if (!no_room || !waited)
		dg_tap_note(loop, DGRAM_WAY_IN, &in, (int)fate);
	if (no_room && !waited)
		wait_for_room(loop, c, datagram);
	if (no_room && loop->now - c->waits_at < ROOM_WITHIN)
		return;
	if (c->datagram != NULL)
		stop_waiting(loop->connections, c);
	if (fate == DGRAM_FATE_TAKEN)
		taken(loop, c, datagram);
	else if ((no_room || fate == DGRAM_FATE_LIMITED) && datagram[TYPE_AT] == DG_INIT)
		dg_connection_end(loop, c, DGRAM_HANGUP_FULL, DGRAM_ERR_BROKEN);
	else if (fate == DGRAM_FATE_FOREIGN || fate == DGRAM_FATE_MALFORMED ||
	         fate == DGRAM_FATE_OWN)
		is_foreign(loop, c);
	else if (!no_room && fate != DGRAM_FATE_LIMITED)
		dg_connection_end(loop, c, DGRAM_HANGUP_RULE, DGRAM_ERR_BROKEN);
}

static void read_failed(struct dgram_loop *loop, struct dg_connection *c, int error)
{
	if (error == DGRAM_ERR_SIZE)
		dg_connection_end(loop, c, DGRAM_HANGUP_LENGTH,
		                  c->greeted ? DGRAM_ERR_BROKEN : DGRAM_ERR_FOREIGN);
	else
		dg_connection_end(loop, c,
		                  error == DGRAM_ERR_FORMAT ? DGRAM_HANGUP_CUT : DGRAM_HANGUP_GONE,
		                  DGRAM_ERR_BROKEN);
}

/* Nobody reads what comes after the last word; but what lies unread would take that back. */
static void throw_away(struct dgram_loop *loop, struct dg_connection *c)
{
	struct dg_connections *all = loop->connections;
	int n = dgram_stream_recv(&c->stream, all->scratch, all->datagram_max);

	if (n <= 0 && n != DGRAM_ERR_AGAIN)
		dg_connection_end(loop, c, DGRAM_HANGUP_ENDED, DGRAM_ERR_BROKEN);
}

/* True: a datagram was given. */
static bool turn_of(struct dgram_loop *loop, struct dg_connection *c)
{
	struct dg_connections *all = loop->connections;
	const uint8_t *datagram = NULL;
	int n;

	if (c->state == DG_LEAVING)
		throw_away(loop, c);
	if (c->state != DG_CARRYING)
		return false;
	if (c->datagram != NULL) {
		offer(loop, c, c->datagram);
		return true;
	}
	n = dg_connection_read(all, c, &datagram);
	if (n < 0)
		read_failed(loop, c, n);
	if (n <= 0 || datagram == NULL)
		return false;
	if (++c->row < IN_A_ROW)
		dg_connection_queue(all, c);
	offer(loop, c, datagram);
	return true;
}

static bool give(struct dgram_loop *loop)
{
	struct dg_connection *c;

	while ((c = dg_connection_unqueue(loop->connections)) != NULL)
		if (turn_of(loop, c))
			return true;
	return false;
}

/* ---- out ---------------------------------------------------------------------------------------- */

static int error_of(int errno_value)
{
	return errno_value == ECONNREFUSED ? DGRAM_ERR_REFUSED : DGRAM_ERR_UNREACHABLE;
}

/* What was written did not leave whole. What came before can still be read: it may be the answer. */
static void broke(struct dgram_loop *loop, struct dg_connection *c)
{
	c->broken = true;
	c->stuck_at = loop->now;
	dgram_endpoint_stall(loop->endpoint, c->session, true);
	dg_connection_watch(loop->connections, c);
	dg_connection_queue(loop->connections, c);
}

static void write_out(struct dgram_loop *loop, struct dg_connection *c, size_t len)
{
	if (!dg_connection_write(loop->connections, c, len, loop->now)) {
		broke(loop, c);
	} else if (c->out_len > 0) {
		dgram_endpoint_stall(loop->endpoint, c->session, true);
		dg_connection_watch(loop->connections, c);
	}
}

/* An INIT begins a connection. */
static void connect_for(struct dgram_loop *loop, const struct dgram_datagram *d)
{
	struct dg_connections *all = loop->connections;
	uint64_t session = number_at(d->data, SESSION_AT);
	struct dgram_stream s;
	struct dg_connection *c;
	int error = dg_stream_begin(&s, &d->peer, &all->options);

	all->stats.begun++;
	if (error != 0 && error != EINPROGRESS) {
		dg_connection_note(all, &d->peer, DGRAM_HANGUP_UNMADE);
		dg_tap_error(loop, &d->peer, error_of(error));
		dgram_endpoint_cut(loop->endpoint, session, error_of(error), 0, loop->now);
		return;
	}
	dgram_stream_settimeout(&s, 0);
	c = dg_connection_begin(loop, &s, &d->peer, true);
	if (c == NULL) {
		dgram_endpoint_cut(loop->endpoint, session, DGRAM_ERR_BROKEN, 0, loop->now);
		return;
	}
	c->session = session;
	write_out(loop, c, d->len);
}

static void send_one(struct dgram_loop *loop, const struct dgram_datagram *d)
{
	uint8_t type = d->data[TYPE_AT];
	struct dg_connection *c;
	bool last;

	if (type == DG_INIT) {
		connect_for(loop, d);
		return;
	}
	c = dg_connection_find(loop->connections, &d->peer, number_at(d->data, RECEIVER_AT));
	if (c == NULL || c->state != DG_CARRYING)
		return;
	if (type == DG_ACCEPT)
		c->session = number_at(d->data, SESSION_AT);
	last = type == DG_BUSY || (type == DG_DATA && has_ended(loop, c));
	if (c->broken || c->out_len > 0) { /* only a last word comes to this */
		dg_connection_end(loop, c, DGRAM_HANGUP_ENDED, DGRAM_ERR_BROKEN);
		return;
	}
	write_out(loop, c, d->len);
	if (last)
		dg_connection_leave(loop, c);
}

static void send_all(struct dgram_loop *loop)
{
	struct dg_connections *all = loop->connections;
	struct dgram_datagram d = {.data = all->scratch + DGRAM_FRAME_HEADER,
	                           .size = all->datagram_max};

	while (dgram_endpoint_transmit(loop->endpoint, &d, loop->now) == 1) {
		dg_tap_note(loop, DGRAM_WAY_OUT, &d, 0);
		send_one(loop, &d);
	}
	loop->fresh_at = loop->now;
}

/* ---- news ----------------------------------------------------------------------------------------- */

static void decided(struct dgram_loop *loop, struct dg_connection *c)
{
	int error = dg_stream_decided(&c->stream);

	if (error != 0)
		dg_connection_end(loop, c, DGRAM_HANGUP_UNMADE, error_of(error));
	else
		c->state = DG_CARRYING;
}

static void can_write(struct dgram_loop *loop, struct dg_connection *c)
{
	if (c->state == DG_CONNECTING)
		decided(loop, c);
	if (c->state == DG_FREE || c->state == DG_CONNECTING || c->out_len == 0 || c->broken)
		return;
	if (!dg_connection_flush(c, loop->now)) {
		broke(loop, c);
		return;
	}
	if (c->out_len == 0 && c->state == DG_LEAVING)
		dgram_stream_shutdown(&c->stream, DGRAM_STREAM_WRITE);
	if (c->out_len == 0)
		dgram_endpoint_stall(loop->endpoint, c->session, false);
	dg_connection_watch(loop->connections, c);
}

static void take_new(struct dgram_loop *loop)
{
	struct dg_connections *all = loop->connections;
	struct dgram_addr peer;
	struct dgram_stream s;

	for (int i = 0; i < TAKEN_AT_ONCE; i++) {
		int error = dgram_stream_accept(all->listener, &s, &peer);

		if (error == DGRAM_ERR_FULL)
			dg_connection_note(all, &(struct dgram_addr){.family = DGRAM_FAMILY_NONE},
			                   DGRAM_HANGUP_FULL);
		else if (error < 0)
			return;
		else if (dg_connection_begin(loop, &s, &peer, false) != NULL)
			all->stats.taken++;
	}
}

static void sweep_one(struct dgram_loop *loop, struct dg_connection *c)
{
	uint64_t age = loop->now - c->since;

	if (c->state == DG_FREE)
		return;
	if (c->state == DG_LEAVING) {
		if (age > LEAVE_WITHIN)
			dg_connection_end(loop, c, DGRAM_HANGUP_ENDED, DGRAM_ERR_BROKEN);
	} else if (c->session != 0 && has_ended(loop, c)) {
		dg_connection_end(loop, c, DGRAM_HANGUP_ENDED, DGRAM_ERR_BROKEN);
	} else if (!c->up && age > GREET_WITHIN) {
		dg_connection_end(loop, c, DGRAM_HANGUP_SLOW,
		                  c->state == DG_CONNECTING ? DGRAM_ERR_UNREACHABLE
		                                            : DGRAM_ERR_BROKEN);
	} else if ((c->out_len > 0 || c->broken) && loop->now - c->stuck_at > STUCK_FOR) {
		dg_connection_end(loop, c, DGRAM_HANGUP_STUCK, DGRAM_ERR_BROKEN);
	}
}

static void sweep(struct dgram_loop *loop)
{
	struct dg_connections *all = loop->connections;

	if (loop->now < all->sweep_at)
		return;
	all->sweep_at = loop->now + SWEEP_EVERY;
	for (uint32_t i = 0; all->stats.open > 0 && i < all->count; i++)
		sweep_one(loop, &all->all[i]);
}

/* Who waits for room gets another turn. */
static void ask_again(struct dg_connections *all)
{
	for (uint32_t i = 0; all->waiting > 0 && i < all->count; i++)
		if (all->all[i].state == DG_CARRYING && all->all[i].datagram != NULL)
			dg_connection_queue(all, &all->all[i]);
}

static void take_news(struct dgram_loop *loop, const struct dg_news *news)
{
	struct dg_connection *c = &loop->connections->all[news->tag];

	if (news->events & DG_WATCH_WRITE)
		can_write(loop, c);
	if (c->state == DG_FREE || c->state == DG_CONNECTING || !(news->events & DG_WATCH_READ))
		return;
	c->row = 0;
	dg_connection_queue(loop->connections, c);
}

static int wait_for_news(struct dgram_loop *loop, uint64_t ns, bool *woken)
{
	struct dg_connections *all = loop->connections;
	struct dg_news news[NEWS_AT_ONCE];
	bool knocked = false;
	int n = dg_watch_wait(&all->watch, news, NEWS_AT_ONCE, ns);

	*woken = n < 0 && errno == EINTR;
	loop->now = dgram_clock();
	if (n < 0 && !*woken)
		return DGRAM_ERR_SYSTEM;
	for (int i = 0; i < n; i++)
		if (news[i].tag == all->count)
			knocked = true;
		else
			take_news(loop, &news[i]);
	if (knocked) /* last: a place that is taken anew has no news yet */
		take_new(loop);
	ask_again(all);
	sweep(loop);
	return 0;
}

/* ---- the carrier ------------------------------------------------------------------------------------ */

static bool has_more(const struct dgram_loop *loop)
{
	return loop->connections->queue_len > 0;
}

static uint64_t due(const struct dgram_loop *loop)
{
	const struct dg_connections *all = loop->connections;

	if (all->waiting > 0 || all->watch.fd < 0)
		return loop->now + ROOM_EVERY;
	return all->stats.open > 0 ? all->sweep_at : DGRAM_NEVER;
}

static int fd_of(const struct dgram_loop *loop)
{
	return loop->connections->watch.fd;
}

const struct dg_carrier dg_connected = {
        .wait = wait_for_news,
        .give = give,
        .send = send_all,
        .has_more = has_more,
        .due = due,
        .fd = fd_of,
        .free = dg_connections_free,
};
