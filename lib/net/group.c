/* Multicast membership, by RFC 3678's calls that are the same for both families and name the
 * interface by index. */
#define _GNU_SOURCE
#include "net/interface.h"
#include "net/sockaddr.h"

#include <dgram/socket.h>
#include <errno.h>
#include <string.h>

static bool change(const struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface,
                   int option)
{
	enum dgram_family family = (enum dgram_family)group->family;
	struct group_req request = {.gr_interface = interface};
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, group, family);

	memcpy(&request.gr_group, &name, len);
	if (setsockopt(s->fd, family == DGRAM_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP, option, &request,
	               sizeof request) == 0)
		return true;
	return option == MCAST_JOIN_GROUP && errno == EADDRINUSE;
}

static int change_all(const struct dgram_socket *s, const struct dgram_addr *group, int option)
{
	uint32_t index[DG_INTERFACES_MAX];
	int count = dg_interface_multicast(index);
	int changed = 0;

	for (int i = 0; i < count; i++)
		changed += change(s, group, index[i], option);
	return changed;
}

static int change_membership(const struct dgram_socket *s, const struct dgram_addr *group,
                             uint32_t interface, int option)
{
	int changed;

	if (!dgram_addr_is_multicast(group) ||
	    (group->family == DGRAM_IPV6 && s->family != DGRAM_IPV6))
		return DGRAM_ERR_ARGUMENT;
	if (group->zone != 0)
		interface = group->zone;
	if (interface == 0)
		interface = s->interface;
	if (interface != 0)
		changed = change(s, group, interface, option);
	else
		changed = change_all(s, group, option);
	return changed > 0 ? changed : DGRAM_ERR_INTERFACE;
}

int dgram_socket_join(struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface)
{
	return change_membership(s, group, interface, MCAST_JOIN_GROUP);
}

int dgram_socket_leave(struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface)
{
	return change_membership(s, group, interface, MCAST_LEAVE_GROUP);
}
