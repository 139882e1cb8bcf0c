/* One datagram or many, out and in: what batch.h's system calls say becomes an outcome here.
 *
 * A receive first takes what is there and waits only when nothing is; without a timeout it blocks
 * in the call itself, so that the fast path is one system call. Both directions may meet an error
 * that belongs to a datagram sent earlier (errors.h): it is put aside, and the call goes on at
 * once.
 */
#define _GNU_SOURCE
#include "net/batch.h"
#include "net/errors.h"
#include "net/message.h"
#include "net/wait.h"

#include <errno.h>

/* Errors of others that one send may meet: each takes an ICMP message in between. */
#define SEND_TRIES_MAX 16

static bool would_block(int errno_value)
{
	return errno_value == EAGAIN || errno_value == EWOULDBLOCK;
}

/* An empty connected socket tells its peer's errors, with their errno; *deadline is 0 until the first wait. */
static int wait_for_more(struct dgram_socket *s, uint64_t *deadline)
{
	struct dgram_socket_error e;
	uint64_t left;
	int events;

	if (s->connected && dg_errors_pop(s, &e)) {
		errno = e.errno_value;
		return e.error;
	}
	if (s->timeout == 0)
		return DGRAM_ERR_AGAIN;
	if (*deadline == 0)
		*deadline = dg_deadline(dgram_clock(), s->timeout);
	left = dg_time_left(*deadline);
	if (left == 0)
		return DGRAM_ERR_TIMEOUT;
	events = dg_wait_readable(s, left);
	return events < 0 ? events : 0;
}

static int receive(struct dgram_socket *s, struct dgram_datagram *v, size_t n)
{
	uint64_t deadline = 0;

	for (;;) {
		bool block = s->timeout == DGRAM_NEVER && !(s->connected && s->errors_count > 0);
		int got = dg_batch_receive(s, v, n, block ? 0 : MSG_DONTWAIT);
		int err;

		if (got > 0)
			return got;
		if (errno == EINTR)
			continue;
		if (dg_errors_pending(errno)) {
			dg_errors_collect(s, errno);
			continue;
		}
		if (!would_block(errno))
			return dgram_error_from_errno(errno);
		err = wait_for_more(s, &deadline);
		if (err < 0)
			return err;
	}
}

int dgram_socket_recv_batch(struct dgram_socket *s, struct dgram_datagram *v, size_t n)
{
	if (n == 0 || s->fd < 0)
		return DGRAM_ERR_ARGUMENT;
	return receive(s, v, n < DGRAM_BATCH_MAX ? n : DGRAM_BATCH_MAX);
}

int dgram_socket_recvfrom(struct dgram_socket *s, void *buf, size_t size, struct dgram_addr *from)
{
	struct dgram_datagram d = {.data = buf, .size = size};
	int got = dgram_socket_recv_batch(s, &d, 1);

	if (got < 0)
		return got;
	if (from != NULL)
		*from = d.peer;
	if (dg_message_segments(&d) > 1)
		return DGRAM_ERR_ARGUMENT;
	return d.status < 0 ? d.status : (int)d.len;
}

/* What may be sent of v, from its start; why not when that is nothing. */
static int count_sendable(const struct dgram_socket *s, const struct dgram_datagram *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = dg_message_check(s, &v[i]);

		if (err < 0)
			return i > 0 ? (int)i : err;
	}
	return (int)n;
}

/* Whether a failed send met the error of an earlier datagram. An error without evidence is believed
 * only when it comes twice: the nameless one may be seen a moment after its entry was read. */
static bool met_earlier_error(struct dgram_socket *s, const struct dgram_addr *to, int errno_value,
                              int tries)
{
	if (s->family == DGRAM_UNIX || !dg_errors_pending(errno_value))
		return false;
	if (errno_value == ECONNREFUSED) {
		dg_errors_collect(s, errno_value);
		return true;
	}
	return dg_errors_drain(s, to) > 0 || (tries == 0 && errno_value != EMSGSIZE);
}

/* There was no room at once: wait for it in the kernel, for poll() cannot tell when a UNIX peer's queue
 * has some. A limit that stays behind on the socket ends a call without timeout early: it comes here
 * then, and waits on. */
static int send_when_room(struct dgram_socket *s, const struct dgram_datagram *v, size_t n)
{
	uint64_t deadline = dg_deadline(dgram_clock(), s->timeout);
	uint64_t left = s->timeout;
	int sent;

	do {
		dg_limit_send(s->fd, left);
		sent = dg_batch_send(s, v, n, MSG_NOSIGNAL);
		left = dg_time_left(deadline);
	} while (sent < 0 && (would_block(errno) || errno == EINTR) && left > 0);
	if (sent < 0 && errno == EINTR)
		errno = EAGAIN;
	return sent;
}

static int send_in_time(struct dgram_socket *s, const struct dgram_datagram *v, size_t n)
{
	int flags = MSG_NOSIGNAL | (s->timeout == DGRAM_NEVER ? 0 : MSG_DONTWAIT);
	int sent;

	do
		sent = dg_batch_send(s, v, n, flags);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && would_block(errno) && s->timeout > 0)
		sent = send_when_room(s, v, n);
	return sent;
}

int dgram_socket_send_batch(struct dgram_socket *s, const struct dgram_datagram *v, size_t n)
{
	int ready;

	if (n == 0 || s->fd < 0)
		return DGRAM_ERR_ARGUMENT;
	ready = count_sendable(s, v, n < DGRAM_BATCH_MAX ? n : DGRAM_BATCH_MAX);
	if (ready < 0)
		return ready;
	for (int tries = 0; tries < SEND_TRIES_MAX; tries++) {
		int sent = send_in_time(s, v, (size_t)ready);
		int why = errno;

		if (sent > 0)
			return sent;
		if (would_block(why))
			return s->timeout == 0 ? DGRAM_ERR_AGAIN : DGRAM_ERR_TIMEOUT;
		if (!met_earlier_error(s, &v[0].peer, why, tries))
			return dg_errors_outcome(s, why);
	}
	return DGRAM_ERR_AGAIN;
}

int dgram_socket_sendto(struct dgram_socket *s, const void *data, size_t len,
                        const struct dgram_addr *to)
{
	/* Sending only reads it. */
	struct dgram_datagram d = {.data = (uint8_t *)(uintptr_t)data, .len = len};
	int sent;

	if (to != NULL)
		d.peer = *to;
	sent = dgram_socket_send_batch(s, &d, 1);
	return sent < 0 ? sent : 0;
}
