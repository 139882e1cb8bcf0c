#define _GNU_SOURCE
#include "net/errors.h"
#include "net/sockaddr.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* An IPv6 socket that carries IPv4 gets ICMP only with the IPv4 option set as well. */
bool dg_errors_enable(const struct dgram_socket *s)
{
	int on = 1;
	bool four = setsockopt(s->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0;

	if (s->family != DGRAM_IPV6)
		return four;
	return setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0;
}

/* A queue's entry: what happened, and the host that said so (without a port). */
struct report {
	struct sock_extended_err what;
	union dg_sockaddr from;
};

static bool find(struct report *out, struct msghdr *h)
{
	*out = (struct report){.from.any.sa_family = AF_UNSPEC};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		bool four = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
		bool six = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (!four && !six)
			continue;
		memcpy(out, CMSG_DATA(c), len < sizeof *out ? len : sizeof *out);
		return true;
	}
	return false;
}

static bool from_network(const struct report *r)
{
	return r->what.ee_origin == SO_EE_ORIGIN_ICMP || r->what.ee_origin == SO_EE_ORIGIN_ICMP6;
}

static struct dgram_socket_error describe(const struct report *r)
{
	int errno_value = (int)r->what.ee_errno;
	struct dgram_socket_error e = {
	        .error = dgram_error_from_errno(errno_value),
	        .errno_value = errno_value,
	        .mtu = errno_value == EMSGSIZE ? r->what.ee_info : 0,
	};

	if (from_network(r))
		dg_sockaddr_get(&e.from, &r->from, sizeof r->from);
	e.from.port = 0;
	return e;
}

/* The oldest entry of the queue: 1, and 0 for one that is no error; -1 when it is empty. */
static int next(const struct dgram_socket *s, struct report *r, struct dgram_addr *to)
{
	_Alignas(struct cmsghdr) char control[512];
	union dg_sockaddr name = {.any.sa_family = AF_UNSPEC};
	struct msghdr h = {
	        .msg_name = &name,
	        .msg_namelen = sizeof name,
	        .msg_control = control,
	        .msg_controllen = sizeof control,
	};

	if (recvmsg(s->fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	dg_sockaddr_get(to, &name, h.msg_namelen);
	return find(r, &h);
}

size_t dg_errors_drain(struct dgram_socket *s, const struct dgram_addr *to)
{
	bool has_name = to != NULL && to->family != DGRAM_FAMILY_NONE;
	size_t from_outside = 0;
	int kept = errno;
	struct dgram_addr subject;
	struct report r;
	int found;

	while (s->error_queue && (found = next(s, &r, &subject)) >= 0) {
		struct dgram_socket_error e = describe(&r);

		if (found == 0)
			continue;
		e.to = !from_network(&r) && has_name ? *to : subject;
		from_outside += from_network(&r);
		dg_errors_push(s, &e);
	}
	errno = kept;
	return from_outside;
}
