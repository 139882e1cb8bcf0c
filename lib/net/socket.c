/* Making a socket, and what is fixed when it is made. */
#define _GNU_SOURCE
#include "net/drops.h"
#include "net/errors.h"
#include "net/sockaddr.h"
#include "net/system.h"
#include "net/unix.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static const struct dgram_socket_options defaults;

static int set(const struct dgram_socket *s, int level, int option, int value)
{
	if (setsockopt(s->fd, level, option, &value, sizeof value) < 0)
		return dgram_error_from_errno(errno);
	return 0;
}

/* An option that each family has under a name of its own. An IPv6 socket takes IPv4's for the IPv4
 * that it carries where the system knows such a thing. */
static int set_ip(const struct dgram_socket *s, int option4, int option6, int value)
{
	int err = set(s, IPPROTO_IP, option4, value);

	return s->family == DGRAM_IPV6 ? set(s, IPPROTO_IPV6, option6, value) : err;
}

/* The kernel cuts what is too much; what it granted is read back in the end. */
static void ask_buffer(const struct dgram_socket *s, int option, uint32_t bytes)
{
	if (bytes > 0)
		set(s, SOL_SOCKET, option, bytes < INT_MAX / 2 ? (int)bytes : INT_MAX / 2);
}

static int set_reach(const struct dgram_socket *s, const struct dgram_socket_options *opt)
{
	int err = 0;

	if (opt->hops > 0)
		err = set_ip(s, IP_TTL, IPV6_UNICAST_HOPS, opt->hops);
	if (err == 0)
		err = set_ip(s, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS,
		             opt->group_hops > 0 ? opt->group_hops : 1);
	if (err == 0 && opt->no_group_loop)
		err = set_ip(s, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, 0);
	if (err == 0 && opt->broadcast)
		err = set(s, SOL_SOCKET, SO_BROADCAST, 1);
	if (err == 0 && opt->no_fragments)
		err = dg_system_no_fragments(s);
	return err;
}

static int set_sharing(const struct dgram_socket *s, const struct dgram_socket_options *opt)
{
	int err = 0;

	if (s->family == DGRAM_IPV6)
		err = set(s, IPPROTO_IPV6, IPV6_V6ONLY, opt->ipv6_only);
	if (err == 0 && opt->reuse_port)
		err = set(s, SOL_SOCKET, SO_REUSEPORT, 1);
	if (err == 0 && opt->group_port)
		err = set(s, SOL_SOCKET, SO_REUSEADDR, 1);
	return err;
}

static int bind_interface(struct dgram_socket *s, const char *name)
{
	int error = dg_system_bind_interface(s->fd, name, &s->interface);

	return error == 0 ? 0 : dgram_error_from_errno(error);
}

static int set_ip_options(struct dgram_socket *s, const struct dgram_socket_options *opt)
{
	int err = set_sharing(s, opt);

	if (err == 0)
		err = set_reach(s, opt);
	if (err == 0 && !s->connected)
		err = set_ip(s, IP_PKTINFO, IPV6_RECVPKTINFO, 1);
	if (err == 0 && opt->interface != NULL)
		err = bind_interface(s, opt->interface);
	if (err == 0 && opt->coalesce)
		dg_system_coalesce(s, true);
	dg_system_prepare(s);
	s->error_queue = dg_errors_enable(s);
	return err;
}

static int set_options(struct dgram_socket *s, const struct dgram_socket_options *opt)
{
	int err = dg_is_ip(s->family) ? set_ip_options(s, opt) : 0;

	ask_buffer(s, SO_RCVBUF, opt->receive_buffer);
	ask_buffer(s, SO_SNDBUF, opt->send_buffer);
	s->receive_buffer = dg_system_buffer(s->fd, SO_RCVBUF);
	s->send_buffer = dg_system_buffer(s->fd, SO_SNDBUF);
	s->timeout = opt->timeout == 0 ? DGRAM_NEVER : opt->timeout;
	return err;
}

static int make(struct dgram_socket *s, enum dgram_family family, bool connected)
{
	static const int domain[] = {
	        [DGRAM_IPV4] = AF_INET,
	        [DGRAM_IPV6] = AF_INET6,
	        [DGRAM_UNIX] = AF_UNIX,
	};

	*s = (struct dgram_socket){.fd = -1, .family = (uint8_t)family, .connected = connected};
	if (family < DGRAM_IPV4 || family > DGRAM_UNIX)
		return DGRAM_ERR_ARGUMENT;
	s->fd = socket(domain[family], SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return s->fd < 0 ? dgram_error_from_errno(errno) : 0;
}

static int finish(struct dgram_socket *s, int err)
{
	if (err < 0)
		dgram_socket_close(s);
	return err;
}

int dgram_socket_open(struct dgram_socket *s, enum dgram_family family,
                         const struct dgram_socket_options *opt)
{
	bool any = family == DGRAM_FAMILY_NONE;
	int err = make(s, any ? DGRAM_IPV6 : family, false);

	opt = opt != NULL ? opt : &defaults;
	if (err == DGRAM_ERR_UNSUPPORTED && any)
		err = make(s, DGRAM_IPV4, false);
	if (err == 0)
		err = set_options(s, opt);
	if (err == 0 && family == DGRAM_UNIX)
		err = dg_unix_bind_anywhere(s);
	return finish(s, err);
}

static int bind_to(struct dgram_socket *s, const struct dgram_addr *local)
{
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, local, (enum dgram_family)s->family);

	if (s->interface == 0 && dg_sockaddr_lacks_zone(local))
		return DGRAM_ERR_ZONE;
	if (len == 0)
		return DGRAM_ERR_ARGUMENT;
	if (bind(s->fd, &name.any, len) < 0)
		return dgram_error_from_errno(errno);
	return 0;
}

int dgram_socket_bind(struct dgram_socket *s, const struct dgram_addr *local,
                       const struct dgram_socket_options *opt)
{
	int err = make(s, (enum dgram_family)local->family, false);
	struct dgram_addr any4 = {.family = DGRAM_IPV4, .port = local->port};

	opt = opt != NULL ? opt : &defaults;
	if (err == DGRAM_ERR_UNSUPPORTED && dgram_addr_is_any(local) && !opt->ipv6_only) {
		local = &any4;
		err = make(s, DGRAM_IPV4, false);
	}
	if (err == 0 && opt->group_port && !dgram_addr_is_multicast(local))
		err = DGRAM_ERR_ARGUMENT;
	if (err == 0)
		err = set_options(s, opt);
	if (err == 0)
		err = local->family == DGRAM_UNIX ? dg_unix_bind(s, local) : bind_to(s, local);
	return finish(s, err);
}

static int connect_to(struct dgram_socket *s, const struct dgram_addr *peer)
{
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, peer, (enum dgram_family)s->family);

	if (len == 0)
		return DGRAM_ERR_ARGUMENT;
	if (dg_is_ip(s->family) && peer->port == 0)
		return DGRAM_ERR_PORT;
	if (s->interface == 0 && dg_sockaddr_lacks_zone(peer))
		return DGRAM_ERR_ZONE;
	return connect(s->fd, &name.any, len) == 0 ? 0 : dg_errors_outcome(s, errno);
}

static int connect_new(struct dgram_socket *s, const struct dgram_addr *peer,
                       const struct dgram_socket_options *opt)
{
	int err = make(s, (enum dgram_family)peer->family, true);

	if (err == 0)
		err = set_options(s, opt != NULL ? opt : &defaults);
	if (err == 0 && peer->family == DGRAM_UNIX)
		err = dg_unix_bind_anywhere(s);
	if (err == 0)
		err = connect_to(s, peer);
	return finish(s, err);
}

static bool is_own_peer(const struct dgram_socket *s)
{
	struct dgram_addr here, there;

	return dgram_socket_getsockname(s, &here) == 0 &&
	       dgram_socket_getpeername(s, &there) == 0 && dgram_addr_equal(&here, &there);
}

/* Where nobody listens on a port of the ephemeral range, the kernel may pick just that one for us: the
 * socket would answer itself. While that one is open the next gets another port. */
int dgram_socket_connect(struct dgram_socket *s, const struct dgram_addr *peer,
                         const struct dgram_socket_options *opt)
{
	struct dgram_socket own;
	int err = connect_new(s, peer, opt);

	if (err < 0 || !is_own_peer(s))
		return err;
	own = *s;
	err = connect_new(s, peer, opt);
	dgram_socket_close(&own);
	return err;
}

void dgram_socket_close(struct dgram_socket *s)
{
	int kept = errno;

	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	dg_unix_remove(s);
	errno = kept;
}

void dgram_socket_settimeout(struct dgram_socket *s, uint64_t timeout)
{
	s->timeout = timeout;
}

int dgram_socket_getsockname(const struct dgram_socket *s, struct dgram_addr *out)
{
	int error = dg_sockaddr_of(out, s->fd, getsockname);

	return error == 0 ? 0 : dgram_error_from_errno(error);
}

int dgram_socket_getpeername(const struct dgram_socket *s, struct dgram_addr *out)
{
	int error = dg_sockaddr_of(out, s->fd, getpeername);

	return error == 0 ? 0 : dgram_error_from_errno(error);
}

uint64_t dgram_socket_count_drops(struct dgram_socket *s)
{
	uint32_t count;

	if (dg_system_drops(s, &count))
		dg_drops_step(s, count);
	return s->stats.kernel_dropped;
}
