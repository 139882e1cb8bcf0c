/* Every descriptor is non-blocking. A call tries first and waits only where there is nothing to be
 * had, until a deadline that was set when it began: a signal in between costs no time and gains
 * none.
 *
 * connect is the odd one. TCP goes on in the background and poll tells when it is decided. A UNIX
 * socket never does that: the peer's queue has room or not, and only a blocking connect waits for
 * room.
 */
#define _GNU_SOURCE
#include <dgram/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/stream.h"

#include "net/path.h"
#include "net/sockaddr.h"
#include "net/system.h"
#include "net/wait.h"

static const struct dgram_stream closed = {.fd = -1, .spare = -1};
static const struct dgram_stream_options defaults;

static uint64_t deadline_of(uint64_t timeout)
{
	return timeout == DGRAM_NEVER ? DGRAM_NEVER : dg_deadline(dgram_clock(), timeout);
}

/* Waits for events, an error or a hang-up, which the next call then meets: 0 or an errno value,
 * ETIMEDOUT. */
static int wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd entry = {.fd = fd, .events = events};

	for (;;) {
		uint64_t left = dg_time_left(deadline);
		struct timespec limit = dg_timespec(left);
		int n = ppoll(&entry, 1, left == DGRAM_NEVER ? NULL : &limit, NULL);

		if (n > 0)
			return 0;
		if (n == 0)
			return ETIMEDOUT;
		if (errno != EINTR)
			return errno;
	}
}

/* After a call that said it would block: 0 to try again, or why not. */
static int wait_or_give_up(const struct dgram_stream *s, short events, uint64_t deadline)
{
	int error = s->timeout == 0 ? EAGAIN : wait_for(s->fd, events, deadline);

	return error == 0 ? 0 : dgram_error_from_errno(error);
}

/* What an errno value of a connection that was up means: whatever the network says there, it is
 * broken. */
static int error_of_connection(int errno_value)
{
	switch (errno_value) {
	case ETIMEDOUT:
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case ENOTCONN:
		return DGRAM_ERR_BROKEN;
	default:
		return dgram_error_from_errno(errno_value);
	}
}

/* A path that is not there is, like one that is and has no owner, nobody who listens. */
static int error_of_connect(int errno_value, const struct dgram_addr *to)
{
	if (errno_value == 0)
		return 0;
	if (errno_value == ENOENT)
		return DGRAM_ERR_REFUSED;
	if (errno_value == EINVAL && to->family != DGRAM_UNIX && to->port == 0)
		return DGRAM_ERR_PORT;
	if (errno_value == EINVAL && dg_sockaddr_lacks_zone(to))
		return DGRAM_ERR_ZONE;
	return dgram_error_from_errno(errno_value);
}

static int set_flag(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) < 0 ? errno : 0;
}

static int domain_of(enum dgram_family family)
{
	return family == DGRAM_UNIX ? AF_UNIX : family == DGRAM_IPV6 ? AF_INET6 : AF_INET;
}

/* Opens the descriptor with what connect and listen have in common: 0 or an errno value. */
static int open_socket(struct dgram_stream *s, enum dgram_family family,
                       const struct dgram_stream_options *opt)
{
	uint32_t index;

	*s = closed;
	s->family = (uint8_t)family;
	s->timeout = opt->timeout == 0 ? DGRAM_NEVER : opt->timeout;
	s->fd = socket(domain_of(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return errno;
	if (opt->interface == NULL || family == DGRAM_UNIX)
		return 0;
	return dg_system_bind_interface(s->fd, opt->interface, &index);
}

static int bind_to(int fd, enum dgram_family family, const struct dgram_addr *local)
{
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, local, family);

	if (len == 0)
		return EAFNOSUPPORT;
	return bind(fd, &name.any, len) < 0 ? errno : 0;
}

/* A socket that is connected to itself: where nobody listens on a port of the ephemeral range, the
 * kernel may pick just that one for us, and the two ends of a simultaneous open are the same. */
static bool is_own_peer(const struct dgram_stream *s)
{
	struct dgram_addr here, there;

	return dgram_stream_getsockname(s, &here) == 0 &&
	       dgram_stream_getpeername(s, &there) == 0 && dgram_addr_equal(&here, &there);
}

int dg_stream_decided(struct dgram_stream *s)
{
	int error = 0;
	socklen_t size = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error != 0)
		return error;
	return is_own_peer(s) ? ECONNREFUSED : set_flag(s->fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int connect_tcp(struct dgram_stream *s, const union dg_sockaddr *to, socklen_t len,
                       bool waits)
{
	uint64_t deadline = deadline_of(s->timeout);
	int error = 0;

	if (connect(s->fd, &to->any, len) < 0) {
		if (errno != EINPROGRESS && errno != EINTR)
			return errno;
		error = waits ? wait_for(s->fd, POLLOUT, deadline) : EINPROGRESS;
	}
	return error != 0 ? error : dg_stream_decided(s);
}

static int set_blocking(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return errno;
	flags = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? errno : 0;
}

static int connect_unix(struct dgram_stream *s, const union dg_sockaddr *to, socklen_t len)
{
	uint64_t deadline = deadline_of(s->timeout);
	int error = set_blocking(s->fd, true);

	while (error == 0) {
		uint64_t left = dg_time_left(deadline);

		error = left == 0 ? ETIMEDOUT : dg_limit_send(s->fd, left);
		if (error != 0)
			return error;
		if (connect(s->fd, &to->any, len) == 0)
			break;
		if (errno != EINTR)
			return errno == EAGAIN ? ETIMEDOUT : errno;
	}
	return error != 0 ? error : set_blocking(s->fd, false);
}

static int connect_socket(struct dgram_stream *s, const struct dgram_addr *to,
                          const struct dgram_stream_options *opt, bool waits)
{
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, to, to->family);
	int error = len == 0 ? EAFNOSUPPORT : open_socket(s, to->family, opt);

	if (error == 0 && opt->local.family != DGRAM_FAMILY_NONE)
		error = bind_to(s->fd, s->family, &opt->local);
	if (error != 0)
		return error;
	return to->family == DGRAM_UNIX ? connect_unix(s, &name, len)
	                                : connect_tcp(s, &name, len, waits);
}

static int connect_to(struct dgram_stream *s, const struct dgram_addr *to,
                      const struct dgram_stream_options *opt, bool waits)
{
	int error;

	if (opt == NULL)
		opt = &defaults;
	*s = closed;
	if (to->family == DGRAM_FAMILY_NONE)
		return EAFNOSUPPORT;
	if (to->family != DGRAM_UNIX && to->port == 0)
		return EINVAL;
	if (dg_sockaddr_lacks_zone(to) && opt->interface == NULL)
		return EINVAL;
	error = connect_socket(s, to, opt, waits);
	if (error != 0 && (waits || error != EINPROGRESS))
		dgram_stream_close(s);
	return error;
}

int dgram_stream_connect_ex(struct dgram_stream *s, const struct dgram_addr *to,
                            const struct dgram_stream_options *opt)
{
	return connect_to(s, to, opt, true);
}

int dg_stream_begin(struct dgram_stream *s, const struct dgram_addr *to,
                    const struct dgram_stream_options *opt)
{
	return connect_to(s, to, opt, false);
}

int dgram_stream_connect(struct dgram_stream *s, const struct dgram_addr *to,
                         const struct dgram_stream_options *opt)
{
	int error = dgram_stream_connect_ex(s, to, opt);

	errno = error;
	return error_of_connect(error, to);
}

/* An address of TCP may be taken again while old connections of it linger: nobody else can listen
 * on it meanwhile, so nothing is stolen. */
static int bind_listener(struct dgram_stream *s, const struct dgram_addr *local,
                         const struct dgram_stream_options *opt)
{
	int error;

	if (local->family == DGRAM_UNIX)
		return dg_path_bind(s->fd, local, s->path);
	error = set_flag(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (error == 0 && local->family == DGRAM_IPV6)
		error = set_flag(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, opt->ipv6_only);
	return error != 0 ? error : bind_to(s->fd, s->family, local);
}

static int open_spare(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_listener(struct dgram_stream *s, const struct dgram_addr *local,
                         const struct dgram_stream_options *opt)
{
	int error = open_socket(s, local->family, opt);

	if (error == 0)
		error = bind_listener(s, local, opt);
	if (error != 0)
		return error;
	if (listen(s->fd, opt->backlog > 0 ? opt->backlog : SOMAXCONN) < 0)
		return errno;
	s->spare = open_spare();
	return s->spare < 0 ? errno : 0;
}

int dgram_stream_listen(struct dgram_stream *s, const struct dgram_addr *local,
                        const struct dgram_stream_options *opt)
{
	struct dgram_addr any4 = {.family = DGRAM_IPV4, .port = local->port};
	int error;

	if (opt == NULL)
		opt = &defaults;
	error = open_listener(s, local, opt);
	if (error == EAFNOSUPPORT && dgram_addr_is_any(local) && !opt->ipv6_only)
		error = open_listener(s, &any4, opt);
	if (error != 0)
		dgram_stream_close(s);
	errno = error;
	return error == 0 ? 0 : dgram_error_from_errno(error);
}

/* No descriptor is left. A connection that stayed in the queue would keep the listener readable and
 * its owner spinning, so the spare one is given for it and the peer sees it closed: DGRAM_ERR_FULL.
 * 0: nobody is in the queue, which accept does not even look into before it has a descriptor.
 * Without the spare the pause is all that keeps a caller who asks again at once from spinning. */
static int turn_away(struct dgram_stream *listener)
{
	int fd, error;

	if (listener->spare < 0)
		listener->spare = open_spare();
	if (listener->spare < 0) {
		if (listener->timeout != 0)
			poll(NULL, 0, 100);
		return DGRAM_ERR_FULL;
	}
	close(listener->spare);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	error = errno;
	if (fd >= 0)
		close(fd);
	listener->spare = open_spare();
	return fd < 0 && error == EAGAIN ? 0 : DGRAM_ERR_FULL;
}

static bool is_shortage(int errno_value)
{
	return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOMEM ||
	       errno_value == ENOBUFS;
}

/* Whether an error of accept is that of the one connection, which is gone: Linux hands out what
 * happened to it while it waited. */
static bool is_of_the_connection(int errno_value)
{
	switch (errno_value) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPERM:
		return true;
	default:
		return false;
	}
}

/* The next connection's descriptor, or DGRAM_ERR_*. */
static int accept_descriptor(struct dgram_stream *listener, union dg_sockaddr *name, socklen_t *len)
{
	uint64_t deadline = deadline_of(listener->timeout);

	for (;;) {
		int fd, error = 0;

		*len = sizeof *name;
		fd = accept4(listener->fd, &name->any, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (is_of_the_connection(errno))
			continue;
		if (is_shortage(errno))
			error = turn_away(listener);
		else if (errno != EAGAIN)
			error = dgram_error_from_errno(errno);
		if (error == 0)
			error = wait_or_give_up(listener, POLLIN, deadline);
		if (error != 0)
			return error;
	}
}

int dgram_stream_accept(struct dgram_stream *listener, struct dgram_stream *out,
                        struct dgram_addr *from)
{
	union dg_sockaddr name;
	socklen_t len;
	int fd;

	*out = closed;
	fd = accept_descriptor(listener, &name, &len);
	if (fd < 0)
		return fd;
	out->fd = fd;
	out->family = listener->family;
	out->timeout = listener->timeout;
	if (out->family != DGRAM_UNIX)
		set_flag(fd, IPPROTO_TCP, TCP_NODELAY,
		         1); /* fails only for one that is reset already */
	if (from != NULL)
		dg_sockaddr_get(from, &name, len);
	return 0;
}

void dgram_stream_close(struct dgram_stream *s)
{
	int kept = errno;

	if (s->spare >= 0)
		close(s->spare);
	if (s->fd >= 0)
		close(s->fd);
	dg_path_remove(s->path);
	*s = closed;
	errno = kept;
}

void dgram_stream_settimeout(struct dgram_stream *s, uint64_t timeout)
{
	s->timeout = timeout;
}

int dgram_stream_getsockname(const struct dgram_stream *s, struct dgram_addr *out)
{
	int error = dg_sockaddr_of(out, s->fd, getsockname);

	return error == 0 ? 0 : dgram_error_from_errno(error);
}

int dgram_stream_getpeername(const struct dgram_stream *s, struct dgram_addr *out)
{
	int error = dg_sockaddr_of(out, s->fd, getpeername);

	return error == 0 ? 0 : error_of_connection(error);
}

static size_t at_most_int(size_t len)
{
	return len < INT_MAX ? len : INT_MAX;
}

static int send_until(struct dgram_stream *s, const void *data, size_t len, uint64_t deadline)
{
	for (;;) {
		ssize_t n = send(s->fd, data, at_most_int(len), MSG_NOSIGNAL);
		int error;

		if (n >= 0)
			return (int)n;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return error_of_connection(errno);
		error = wait_or_give_up(s, POLLOUT, deadline);
		if (error != 0)
			return error;
	}
}

int dgram_stream_send(struct dgram_stream *s, const void *data, size_t len)
{
	return send_until(s, data, len, deadline_of(s->timeout));
}

int dgram_stream_sendall(struct dgram_stream *s, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t deadline = deadline_of(s->timeout);

	while (len > 0) {
		int n = send_until(s, bytes, len, deadline);

		if (n < 0)
			return n;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int dgram_stream_recv(struct dgram_stream *s, void *buf, size_t size)
{
	uint64_t deadline = deadline_of(s->timeout);

	if (size == 0)
		return DGRAM_ERR_ARGUMENT;
	for (;;) {
		ssize_t n = recv(s->fd, buf, at_most_int(size), 0);
		int error;

		if (n >= 0)
			return (int)n;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return error_of_connection(errno);
		error = wait_or_give_up(s, POLLIN, deadline);
		if (error != 0)
			return error;
	}
}

int dgram_stream_shutdown(struct dgram_stream *s, enum dgram_stream_way way)
{
	int how = way == DGRAM_STREAM_READ    ? SHUT_RD
	          : way == DGRAM_STREAM_WRITE ? SHUT_WR
	                                      : SHUT_RDWR;

	return shutdown(s->fd, how) < 0 ? error_of_connection(errno) : 0;
}
