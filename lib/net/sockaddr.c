#define _GNU_SOURCE
#include "net/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, section 2.5.5.2 */

struct in6_addr dg_sockaddr_ip6(const struct dgram_addr *addr)
{
	struct in6_addr ip;

	if (addr->family == DGRAM_IPV6) {
		memcpy(ip.s6_addr, addr->u.ip6, sizeof addr->u.ip6);
	} else {
		memcpy(ip.s6_addr, mapped_prefix, sizeof mapped_prefix);
		memcpy(ip.s6_addr + sizeof mapped_prefix, addr->u.ip4, sizeof addr->u.ip4);
	}
	return ip;
}

static socklen_t set_ip4(struct sockaddr_in *out, const struct dgram_addr *addr)
{
	*out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(addr->port)};
	memcpy(&out->sin_addr, addr->u.ip4, sizeof addr->u.ip4);
	return sizeof *out;
}

static socklen_t set_ip6(struct sockaddr_in6 *out, const struct dgram_addr *addr)
{
	*out = (struct sockaddr_in6){
	        .sin6_family = AF_INET6,
	        .sin6_port = htons(addr->port),
	        .sin6_addr = dg_sockaddr_ip6(addr),
	        .sin6_scope_id = addr->family == DGRAM_IPV6 ? addr->zone : 0,
	};
	return sizeof *out;
}

/* A path is terminated, an abstract name (it starts with NUL) is not: its length tells where it
 * ends. */
static socklen_t set_path(struct sockaddr_un *out, const struct dgram_addr *addr)
{
	size_t len = addr->path_len;
	bool is_path = len > 0 && addr->u.path[0] != '\0';

	if (len + is_path > sizeof out->sun_path)
		return 0;
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(out->sun_path, addr->u.path, len);
	return (socklen_t)(PATH_OFFSET + len + is_path);
}

socklen_t dg_sockaddr_set(union dg_sockaddr *out, const struct dgram_addr *addr,
                          enum dgram_family family)
{
	if (family == DGRAM_IPV6 && dg_is_ip(addr->family))
		return set_ip6(&out->in6, addr);
	if (family == DGRAM_IPV4 && addr->family == DGRAM_IPV4)
		return set_ip4(&out->in, addr);
	if (family == DGRAM_UNIX && addr->family == DGRAM_UNIX)
		return set_path(&out->un, addr);
	return 0;
}

bool dg_sockaddr_lacks_zone(const struct dgram_addr *addr)
{
	return addr->family == DGRAM_IPV6 && addr->zone == 0 && dgram_addr_is_link_local(addr) &&
	       !dgram_addr_is_multicast(addr);
}

void dg_sockaddr_get_ip4(struct dgram_addr *out, const struct in_addr *ip)
{
	*out = (struct dgram_addr){.family = DGRAM_IPV4};
	memcpy(out->u.ip4, ip, sizeof out->u.ip4);
}

void dg_sockaddr_get_ip6(struct dgram_addr *out, const struct in6_addr *ip, uint32_t zone)
{
	if (memcmp(ip->s6_addr, mapped_prefix, sizeof mapped_prefix) == 0) {
		*out = (struct dgram_addr){.family = DGRAM_IPV4};
		memcpy(out->u.ip4, ip->s6_addr + sizeof mapped_prefix, sizeof out->u.ip4);
		return;
	}
	*out = (struct dgram_addr){.family = DGRAM_IPV6};
	memcpy(out->u.ip6, ip->s6_addr, sizeof out->u.ip6);
	out->zone = dgram_addr_is_link_local(out) ? zone : 0;
}

static void get_path(struct dgram_addr *out, const struct sockaddr_un *in, socklen_t len)
{
	size_t n = len > PATH_OFFSET ? len - PATH_OFFSET : 0;

	if (n > sizeof in->sun_path)
		n = sizeof in->sun_path;
	if (n > 0 && in->sun_path[0] != '\0')
		n = strnlen(in->sun_path, n);
	*out = (struct dgram_addr){.family = DGRAM_UNIX, .path_len = (uint8_t)n};
	memcpy(out->u.path, in->sun_path, n);
}

void dg_sockaddr_get(struct dgram_addr *out, const union dg_sockaddr *in, socklen_t len)
{
	*out = (struct dgram_addr){.family = DGRAM_FAMILY_NONE};
	if (len < sizeof in->any.sa_family)
		return;
	if (in->any.sa_family == AF_INET && len >= sizeof in->in) {
		dg_sockaddr_get_ip4(out, &in->in.sin_addr);
		out->port = ntohs(in->in.sin_port);
	} else if (in->any.sa_family == AF_INET6 && len >= sizeof in->in6) {
		dg_sockaddr_get_ip6(out, &in->in6.sin6_addr, in->in6.sin6_scope_id);
		out->port = ntohs(in->in6.sin6_port);
	} else if (in->any.sa_family == AF_UNIX) {
		get_path(out, &in->un, len);
	}
}

int dg_sockaddr_of(struct dgram_addr *out, int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
	union dg_sockaddr name = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof name;

	if (ask(fd, &name.any, &len) < 0)
		return errno;
	dg_sockaddr_get(out, &name, len);
	return 0;
}
