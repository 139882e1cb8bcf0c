#include "loop/loop.h"

#include "net/message.h"
#include "net/system.h"
#include "wire/wire.h"

#include <errno.h>

#define ERRORS_A_TURN 64 /* who forges them as fast as we read shall not hold us up */

/* ---- in --------------------------------------------------------------------------------------- */

/* Takes what is in the socket, at most a batch. All of the last one was given. 0 or DGRAM_ERR_SYSTEM. */
static int receive(struct dgram_loop *loop)
{
	int got;

	for (size_t i = 0; i < DG_LOOP_IN; i++) {
		loop->in[i].data = loop->in_data + i * DG_LOOP_BUNDLE;
		loop->in[i].size = DG_LOOP_BUNDLE;
	}
	got = dgram_socket_recv_batch(loop->socket, loop->in, DG_LOOP_IN);
	loop->received = got > 0 ? (uint32_t)got : 0;
	loop->given = 0;
	loop->offset = 0;
	return got < 0 && got != DGRAM_ERR_AGAIN ? DGRAM_ERR_SYSTEM : 0;
}

/* The next one of the batch: a bundle's next part, or a datagram. */
static struct dgram_datagram next(struct dgram_loop *loop)
{
	const struct dgram_datagram *bundle = &loop->in[loop->given];
	struct dgram_datagram one = *bundle;

	one.data += loop->offset;
	one.len -= loop->offset;
	one.segment = 0;
	if (bundle->segment > 0 && one.len > bundle->segment)
		one.len = bundle->segment;
	loop->offset += one.len;
	if (loop->offset >= bundle->len) {
		loop->given++;
		loop->offset = 0;
	}
	return one;
}

static bool is_own(struct dgram_loop *loop, const struct dgram_datagram *d)
{
	if (loop->own.port == 0 && dgram_socket_getsockname(loop->socket, &loop->own) < 0)
		return false;
	return dg_message_is_own(d, &loop->own);
}

/* ---- what the network said -------------------------------------------------------------------- */

/* Bytes of UDP payload in an IP packet of mtu bytes. */
static uint32_t payload_of(const struct dgram_addr *to, uint32_t mtu)
{
	uint32_t headers = to->family == DGRAM_IPV4 ? 20 + 8 : 40 + 8;

	return mtu > headers ? mtu - headers : 0;
}

/* What it is to the endpoint; 0: the datagram was lost, as any may be. EPERM is a firewall or a full table of
 * connections, and may pass. */
static int meaning(int error, int errno_value)
{
	switch (error) {
	case DGRAM_ERR_SIZE:
	case DGRAM_ERR_REFUSED:
	case DGRAM_ERR_UNREACHABLE:
		return error;
	case DGRAM_ERR_DENIED:
		return errno_value == EPERM ? 0 : DGRAM_ERR_UNREACHABLE;
	case DGRAM_ERR_ARGUMENT: /* a family that this socket does not carry */
	case DGRAM_ERR_ZONE:
		return DGRAM_ERR_UNREACHABLE;
	default:
		return 0;
	}
}

static void tell(struct dgram_loop *loop, const struct dgram_socket_error *e)
{
	int error = meaning(e->error, e->errno_value);

	if (error == 0)
		return;
	dg_tap_error(loop, &e->to, error);
	dgram_endpoint_told(loop->endpoint, &e->to, error, payload_of(&e->to, e->mtu), loop->now);
}

static void tell_all(struct dgram_loop *loop)
{
	struct dgram_socket_error e;

	for (size_t i = 0; i < ERRORS_A_TURN && dgram_socket_next_error(loop->socket, &e) == 1; i++)
		tell(loop, &e);
}

/* ---- what came -------------------------------------------------------------------------------- */

/* Our own that comes back is a refusal, too: the port that was asked is ours, so nobody else listens there. One that
 * is longer than we said we take is given as an empty one: it is counted, and harmless. */
static bool give(struct dgram_loop *loop)
{
	struct dgram_datagram one;

	if (loop->given == loop->received)
		return false;
	one = next(loop);
	if (is_own(loop, &one))
		tell(loop,
		     &(struct dgram_socket_error){.to = one.peer, .error = DGRAM_ERR_REFUSED});
	if (loop->takes_plain && one.status == 0 && !dg_is_ours(one.data, one.len)) {
		loop->plain = one;
		loop->has_plain = true;
		dg_tap_note(loop, DGRAM_WAY_IN, &one, DGRAM_FATE_FOREIGN);
		return true;
	}
	if (one.len > loop->datagram_max) {
		one.status = DGRAM_ERR_TRUNCATED;
		one.len = 0;
	}
	dg_tap_note(loop, DGRAM_WAY_IN, &one,
	            (int)dgram_endpoint_receive(loop->endpoint, &one, loop->now));
	return true;
}

/* ---- out -------------------------------------------------------------------------------------- */

/* Appends next, which lies behind it in memory, to a bundle for the same peer: all of one size, but for the
 * last, which may be shorter. */
static bool join(struct dgram_datagram *bundle, const struct dgram_datagram *next)
{
	size_t segment = bundle->segment > 0 ? bundle->segment : bundle->len;

	if (bundle->len % segment != 0 || next->len > segment ||
	    bundle->len + next->len > DGRAM_DATAGRAM_MAX || bundle->interface != next->interface ||
	    !dgram_addr_equal(&bundle->peer, &next->peer) ||
	    !dgram_addr_equal(&bundle->local, &next->local))
		return false;
	bundle->segment = segment;
	bundle->len += next->len;
	return true;
}

/* Fills out; how many entries, and *all: nothing more is due. */
static size_t collect(struct dgram_loop *loop, bool *all)
{
	uint8_t *end = loop->out_data;
	size_t n = 0;

	*all = false;
	for (size_t count = 0; count < DGRAM_BATCH_MAX; count++) {
		struct dgram_datagram d = {.data = end, .size = loop->datagram_max};

		*all = dgram_endpoint_transmit(loop->endpoint, &d, loop->now) == 0;
		if (*all)
			break;
		dg_tap_note(loop, DGRAM_WAY_OUT, &d, 0);
		end += d.len;
		if (n == 0 || !join(&loop->out[n - 1], &d))
			loop->out[n++] = d;
	}
	return n;
}

/* A datagram did not leave. The socket knows more of one that was too long: the path's mtu. */
static void not_sent(struct dgram_loop *loop, const struct dgram_addr *to, int error,
                     int errno_value)
{
	const struct dgram_socket_error e = {.to = *to, .error = error, .errno_value = errno_value};

	if (error != DGRAM_ERR_SIZE || loop->socket->errors_count == 0)
		tell(loop, &e);
}

/* What the kernel has no room for is lost, and will be sent again, later: that is what slows us down. */
static void send_out(struct dgram_loop *loop, size_t count)
{
	for (size_t done = 0; done < count;) {
		const struct dgram_datagram *first = &loop->out[done];
		int sent = dgram_socket_send_batch(loop->socket, first, count - done);

		if (sent == DGRAM_ERR_AGAIN)
			return;
		if (sent < 0)
			not_sent(loop, &first->peer, sent, errno);
		done += sent > 0 ? (size_t)sent : 1;
	}
}

/* What the network said comes after the datagrams: anyone can forge it. */
static void send_all(struct dgram_loop *loop)
{
	bool all;

	if (loop->socket->errors_count > 0 && loop->given == loop->received)
		tell_all(loop);
	do
		send_out(loop, collect(loop, &all));
	while (!all);
	loop->fresh_at = loop->now;
	if (loop->socket->errors_count > 0)
		tell_all(loop);
}

/* ---- the carrier ------------------------------------------------------------------------------ */

static int wait_for_news(struct dgram_loop *loop, uint64_t ns, bool *woken)
{
	int news;

	errno = 0;
	news = dgram_socket_wait(loop->socket, ns);
	*woken = news == 0 && errno == EINTR;
	loop->now = dgram_clock();
	if (news < 0)
		return DGRAM_ERR_SYSTEM;
	return news & DGRAM_READABLE ? receive(loop) : 0;
}

static bool has_more(const struct dgram_loop *loop)
{
	return loop->given < loop->received;
}

static uint64_t never(const struct dgram_loop *loop)
{
	(void)loop;
	return DGRAM_NEVER;
}

static int fd_of(const struct dgram_loop *loop)
{
	return loop->socket->fd;
}

static void let_go(struct dgram_loop *loop)
{
	dgram_socket_settimeout(loop->socket, loop->socket_timeout);
	dg_system_coalesce(loop->socket, loop->coalesced);
}

const struct dg_carrier dg_datagrams = {
        .wait = wait_for_news,
        .give = give,
        .send = send_all,
        .has_more = has_more,
        .due = never,
        .fd = fd_of,
        .free = let_go,
};
