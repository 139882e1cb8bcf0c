#define _GNU_SOURCE
#include "net/drops.h"
#include "net/sockaddr.h"
#include "net/system.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

int dg_system_bind_interface(int fd, const char *name, uint32_t *index)
{
	*index = if_nametoindex(name);
	if (*index == 0)
		return ENODEV;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0)
		return EPERM;
	return 0;
}

/* A kernel too old for one of these loses the count of drops, or hands us datagrams for groups that
 * another process joined. IPv4 options work on an IPv6 socket too, for the IPv4 that it carries. */
void dg_system_prepare(const struct dgram_socket *s)
{
	if (!dg_is_ip(s->family))
		return;
	set(s->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	if (s->family == DGRAM_IPV6)
		set(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
}

int dg_system_no_fragments(const struct dgram_socket *s)
{
	int err = set(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);

	if (s->family == DGRAM_IPV6)
		err = set(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	return err < 0 ? DGRAM_ERR_UNSUPPORTED : 0;
}

bool dg_system_coalesce(const struct dgram_socket *s, bool on)
{
	int before = 0;

	getsockopt(s->fd, IPPROTO_UDP, UDP_GRO, &before, &(socklen_t){sizeof before});
	set(s->fd, IPPROTO_UDP, UDP_GRO, on);
	return before != 0;
}

/* The kernel doubles what is asked for, to pay for its own bookkeeping, and reports the double. */
uint32_t dg_system_buffer(int fd, int option)
{
	int bytes = 0;

	if (getsockopt(fd, SOL_SOCKET, option, &bytes, &(socklen_t){sizeof bytes}) < 0 || bytes < 0)
		return 0;
	return (uint32_t)bytes / 2;
}

void dg_system_control(struct dgram_socket *s, struct dgram_datagram *d, struct cmsghdr *c)
{
	uint32_t drops;
	int segment;

	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
		memcpy(&drops, CMSG_DATA(c), sizeof drops);
		dg_drops_step(s, drops);
	} else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
		memcpy(&segment, CMSG_DATA(c), sizeof segment);
		d->segment = segment > 0 ? (size_t)segment : 0;
	}
}

bool dg_system_drops(const struct dgram_socket *s, uint32_t *count)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof info;

	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ||
	    len < (SK_MEMINFO_DROPS + 1) * sizeof info[0])
		return false;
	*count = info[SK_MEMINFO_DROPS];
	return true;
}
