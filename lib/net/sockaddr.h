/* sockaddr.h - addresses as the system wants them.
 *
 * IPv4-mapped IPv6 addresses exist on this side only: they become IPv4 on the way in, and IPv4
 * becomes mapped on the way out of an IPv6 socket.
 */
#ifndef DG_NET_SOCKADDR_H
#define DG_NET_SOCKADDR_H

#include <dgram/addr.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

union dg_sockaddr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* Fills *out for a socket of this family; its length, or 0 when the socket cannot carry addr. */
socklen_t dg_sockaddr_set(union dg_sockaddr *out, const struct dgram_addr *addr,
                          enum dgram_family family);

/* An address family that is not ours makes *out unset. */
void dg_sockaddr_get(struct dgram_addr *out, const union dg_sockaddr *in, socklen_t len);

/* What ask, getsockname or getpeername, says of fd: 0 or an errno value. */
int dg_sockaddr_of(struct dgram_addr *out, int fd, int (*ask)(int, struct sockaddr *, socklen_t *));

/* The host part alone: an IPv4 address, or an IPv6 one that may be IPv4-mapped. */
void dg_sockaddr_get_ip4(struct dgram_addr *out, const struct in_addr *ip);
void dg_sockaddr_get_ip6(struct dgram_addr *out, const struct in6_addr *ip, uint32_t zone);

/* A host's link-local address that does not say on which link. Groups are left to the routing
 * table. */
bool dg_sockaddr_lacks_zone(const struct dgram_addr *addr);

static inline bool dg_is_ip(uint8_t family)
{
	return family == DGRAM_IPV4 || family == DGRAM_IPV6;
}

/* IPv6 form of an IPv4 or IPv6 address. */
struct in6_addr dg_sockaddr_ip6(const struct dgram_addr *addr);

#endif
