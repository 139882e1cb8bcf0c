/* Where a datagram was sent to, and where an answer shall leave from, travels beside it in a
 * control message: IPV6_PKTINFO (RFC 3542, section 6) and its IPv4 twin IP_PKTINFO. An IPv6 socket
 * that carries IPv4 gets both for an IPv4 datagram; they agree, and the IPv4 one also tells a
 * broadcast of the subnet. */
#define _GNU_SOURCE
#include "net/message.h"
#include "net/system.h"

#include <string.h>

_Static_assert(DG_CONTROL_MAX >= CMSG_SPACE(sizeof(struct in_pktinfo)) +
                                         CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                                         2 * CMSG_SPACE(sizeof(uint32_t)),
               "control messages must fit");

void dg_message_receive(struct msghdr *h, struct dg_message *m, const struct dgram_socket *s,
                        const struct dgram_datagram *d)
{
	m->iov = (struct iovec){.iov_base = d->data, .iov_len = d->size};
	*h = (struct msghdr){
	        .msg_name = &m->name,
	        .msg_namelen = sizeof m->name,
	        .msg_iov = &m->iov,
	        .msg_iovlen = 1,
	};
	/* Without room for them, descriptors that a UNIX peer sends along stay outside. */
	if (s->family == DGRAM_UNIX)
		return;
	h->msg_control = m->control;
	h->msg_controllen = sizeof m->control;
}

static void get_pktinfo4(struct dgram_datagram *d, const struct cmsghdr *c)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof info);
	dg_sockaddr_get_ip4(&d->local, &info.ipi_addr);
	d->interface = (uint32_t)info.ipi_ifindex;
	d->group = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
}

static void get_pktinfo6(struct dgram_datagram *d, const struct cmsghdr *c)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof info);
	dg_sockaddr_get_ip6(&d->local, &info.ipi6_addr, (uint32_t)info.ipi6_ifindex);
	d->interface = (uint32_t)info.ipi6_ifindex;
}

static void get_control(struct dgram_socket *s, struct dgram_datagram *d, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			get_pktinfo4(d, c);
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			get_pktinfo6(d, c);
		else
			dg_system_control(s, d, c);
	}
	d->group = d->group || dgram_addr_is_multicast(&d->local) ||
	           dgram_addr_is_broadcast(&d->local);
}

void dg_message_received(struct dgram_socket *s, struct msghdr *h, size_t len,
                         struct dgram_datagram *d)
{
	bool cut = (h->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;

	d->local = (struct dgram_addr){.family = DGRAM_FAMILY_NONE};
	d->interface = 0;
	d->group = false;
	d->segment = 0;
	dg_sockaddr_get(&d->peer, h->msg_name, h->msg_namelen);
	if (s->family == DGRAM_UNIX)
		d->peer.family = DGRAM_UNIX; /* of a sender without a name nothing is told */
	get_control(s, d, h);
	d->status = cut ? DGRAM_ERR_TRUNCATED : 0;
	d->len = cut ? 0 : len;
	if (cut)
		s->stats.truncated++;
	else
		s->stats.received += dg_message_segments(d);
}

bool dg_message_is_own(const struct dgram_datagram *d, const struct dgram_addr *own)
{
	struct dgram_addr here = d->local;

	here.port = own->port;
	return dgram_addr_equal(&d->peer, here.family == DGRAM_FAMILY_NONE ? own : &here);
}

size_t dg_message_segments(const struct dgram_datagram *d)
{
	if (d->segment == 0 || d->len <= d->segment)
		return 1;
	return (d->len + d->segment - 1) / d->segment;
}

int dg_message_check(const struct dgram_socket *s, const struct dgram_datagram *d)
{
	union dg_sockaddr name;

	if (d->peer.family == DGRAM_FAMILY_NONE)
		return s->connected ? 0 : DGRAM_ERR_ARGUMENT;
	if (dg_sockaddr_set(&name, &d->peer, s->family) == 0)
		return DGRAM_ERR_ARGUMENT;
	if (dg_is_ip(d->peer.family) && d->peer.port == 0)
		return DGRAM_ERR_PORT;
	if (dg_sockaddr_lacks_zone(&d->peer) && s->interface == 0 && d->interface == 0)
		return DGRAM_ERR_ZONE;
	return 0;
}

/* The routing table knows best, except where an address means something only on its link. */
static uint32_t interface_out(const struct dgram_datagram *d)
{
	if (!dgram_addr_is_multicast(&d->peer) && !dgram_addr_is_broadcast(&d->peer) &&
	    !dgram_addr_is_link_local(&d->peer))
		return d->local.zone;
	return d->peer.zone != 0 ? d->peer.zone : d->interface;
}

static void put_pktinfo4(struct msghdr *h, const struct dgram_addr *source, uint32_t interface)
{
	struct in_pktinfo info = {.ipi_ifindex = (int)interface};

	if (source != NULL)
		memcpy(&info.ipi_spec_dst, source->u.ip4, sizeof source->u.ip4);
	dg_message_control(h, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
}

static void put_pktinfo6(struct msghdr *h, const struct dgram_addr *source, uint32_t interface,
                         bool mapped)
{
	struct in6_pktinfo info = {.ipi6_ifindex = interface};
	struct dgram_addr any = {.family = mapped ? DGRAM_IPV4 : DGRAM_IPV6};

	info.ipi6_addr = dg_sockaddr_ip6(source != NULL ? source : &any);
	dg_message_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

static void put_source(struct msghdr *h, const struct dgram_socket *s,
                       const struct dgram_datagram *d)
{
	const struct dgram_addr *source = &d->local;
	uint32_t interface = interface_out(d);

	if (d->group || source->family != d->peer.family || dgram_addr_is_any(source) ||
	    dgram_addr_is_multicast(source) || dgram_addr_is_broadcast(source))
		source = NULL;
	if (source == NULL && interface == 0)
		return;
	if (s->family == DGRAM_IPV6)
		put_pktinfo6(h, source, interface, d->peer.family == DGRAM_IPV4);
	else
		put_pktinfo4(h, source, interface);
}

void dg_message_send(struct msghdr *h, struct dg_message *m, const struct dgram_socket *s,
                     const struct dgram_datagram *d)
{
	m->iov = (struct iovec){.iov_base = d->data, .iov_len = d->len};
	*h = (struct msghdr){.msg_iov = &m->iov, .msg_iovlen = 1, .msg_control = m->control};
	if (d->peer.family == DGRAM_FAMILY_NONE)
		return;
	h->msg_name = &m->name;
	h->msg_namelen = dg_sockaddr_set(&m->name, &d->peer, s->family);
	if (dg_is_ip(d->peer.family))
		put_source(h, s, d);
}

void dg_message_control(struct msghdr *h, int level, int type, const void *data, size_t len)
{
	uint8_t *start = (uint8_t *)h->msg_control + h->msg_controllen;
	struct cmsghdr header = {
	        .cmsg_len = CMSG_LEN(len),
	        .cmsg_level = level,
	        .cmsg_type = type,
	};

	memset(start, 0, CMSG_SPACE(len));
	memcpy(start, &header, sizeof header);
	memcpy(start + CMSG_LEN(0), data, len);
	h->msg_controllen += CMSG_SPACE(len);
}
