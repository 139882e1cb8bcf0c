#define _GNU_SOURCE
#include "net/errors.h"

#include <errno.h>
#include <sys/socket.h>

void dg_errors_push(struct dgram_socket *s, const struct dgram_socket_error *e)
{
	uint8_t at = (uint8_t)((s->errors_first + s->errors_count) % DGRAM_SOCKET_ERRORS_MAX);

	s->errors[at] = *e;
	s->stats.errors++;
	if (s->errors_count < DGRAM_SOCKET_ERRORS_MAX) {
		s->errors_count++;
	} else {
		s->errors_first = (uint8_t)((s->errors_first + 1) % DGRAM_SOCKET_ERRORS_MAX);
		s->stats.errors_lost++;
	}
}

bool dg_errors_pop(struct dgram_socket *s, struct dgram_socket_error *out)
{
	if (s->errors_count == 0)
		return false;
	*out = s->errors[s->errors_first];
	s->errors_first = (uint8_t)((s->errors_first + 1) % DGRAM_SOCKET_ERRORS_MAX);
	s->errors_count--;
	return true;
}

/* What ICMP messages become; RFC 1122, section 4.1.3.3, wants them to reach us. */
bool dg_errors_pending(int errno_value)
{
	switch (errno_value) {
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case EMSGSIZE:
	case EACCES:
	case EPROTO:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENONET:
		return true;
	default:
		return false;
	}
}

/* A path without a socket is nobody who listens, just as a port. IPv6 says "address not available"
 * when none of ours can reach the destination. */
int dg_errors_outcome(const struct dgram_socket *s, int errno_value)
{
	errno = errno_value;
	if (s->family == DGRAM_UNIX && errno_value == ENOENT)
		return DGRAM_ERR_REFUSED;
	if (errno_value == EADDRNOTAVAIL)
		return DGRAM_ERR_UNREACHABLE;
	return dgram_error_from_errno(errno_value);
}

static int take_pending(const struct dgram_socket *s)
{
	int pending = 0;

	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &pending, &(socklen_t){sizeof pending});
	return pending;
}

void dg_errors_collect(struct dgram_socket *s, int errno_value)
{
	size_t found = dg_errors_drain(s, NULL);
	int pending = errno_value != 0 ? errno_value : take_pending(s);
	struct dgram_socket_error e = {
	        .error = dgram_error_from_errno(pending),
	        .errno_value = pending,
	};

	if (found > 0 || pending == 0 || !s->connected)
		return;
	if (dgram_socket_getpeername(s, &e.to) == 0)
		dg_errors_push(s, &e);
}

int dgram_socket_next_error(struct dgram_socket *s, struct dgram_socket_error *out)
{
	if (s->errors_count == 0)
		dg_errors_collect(s, 0);
	return dg_errors_pop(s, out);
}
