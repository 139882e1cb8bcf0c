/* addr.h - addresses as plain values: IPv4, IPv6 with its zone, a UNIX socket's path.
 *
 * Pure: no system call. Names of hosts and interfaces are resolve.h's business.
 */
#ifndef DGRAM_ADDR_H
#define DGRAM_ADDR_H

#include <dgram/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dgram_family {
	DGRAM_FAMILY_NONE = 0, /* unset; where a socket is opened: any */
	DGRAM_IPV4,
	DGRAM_IPV6,
	DGRAM_UNIX,
};

#define DGRAM_UNIX_PATH_MAX 107 /* bytes; sun_path of POSIX systems less one */

/* A value: copy it freely. An all-zero one is unset. IPv4-mapped IPv6 addresses do not occur: every
 * function here and in socket.h turns them into IPv4. */
struct dgram_addr {
	uint8_t family;   /* enum dgram_family */
	uint8_t path_len; /* UNIX: bytes of path; 0 is an unnamed socket */
	uint16_t port;    /* IPv4, IPv6: host byte order */
	uint32_t zone;    /* IPv6 link-local: interface index, else 0 */
	union {
		uint8_t ip4[4];  /* network byte order */
		uint8_t ip6[16]; /* network byte order */
		/* not terminated; a leading NUL is Linux's abstract namespace */
		char path[DGRAM_UNIX_PATH_MAX + 1];
	} u;
};

/* "192.0.2.1:9", "[2001:db8::1]:9", "[fe80::1%2]:9" (a zone is a number here, and only link-local
 * and multicast addresses have one), "unix://PATH", "unix://@ABSTRACT"; \xNN in a path is that
 * byte. Decimal dotted quads only: 010.0.0.1 and 1.2.3 are refused. DGRAM_ERR_ADDRESS,
 * DGRAM_ERR_PORT (missing or above 65535; 0 is taken) or DGRAM_ERR_SIZE (path); *out is untouched
 * then. */
DGRAM_API int dgram_addr_parse(struct dgram_addr *out, const char *text);

#define DGRAM_ADDR_TEXT_MAX 448 /* bytes: a path of which every byte is escaped, and its prefix */

/* The inverse of parse. IPv6 as in RFC 5952; in a path, control bytes, backslashes and bytes that
 * are no UTF-8 are written \xNN. What parse does not take: an unset address is "-", an unnamed UNIX
 * socket "unix://". Returns buf, always terminated; cut when size (bytes) is below
 * DGRAM_ADDR_TEXT_MAX and it does not fit. */
DGRAM_API char *dgram_addr_format(const struct dgram_addr *addr, char *buf, size_t size);

/* Same family, host, zone and port (or path). */
DGRAM_API bool dgram_addr_equal(const struct dgram_addr *a, const struct dgram_addr *b);

/* SipHash-1-3 under key: for tables whose keys a stranger chooses. Equal addresses hash alike. */
DGRAM_API uint64_t dgram_addr_hash(const struct dgram_addr *addr, const uint8_t key[16]);

/* What an address is, port and zone apart:
 *
 *   any         0.0.0.0, ::
 *   loopback    127/8, ::1; every UNIX address
 *   multicast   224/4, ff00::/8
 *   broadcast   255.255.255.255 (that an address is the broadcast of its network, only a socket knows)
 *   link_local  169.254/16, fe80::/10, multicast of link-local scope (ff02::, ff12:: and the like)
 *   private     RFC 1918, fc00::/7, link_local, multicast
 */
DGRAM_API bool dgram_addr_is_any(const struct dgram_addr *addr);
DGRAM_API bool dgram_addr_is_loopback(const struct dgram_addr *addr);
DGRAM_API bool dgram_addr_is_multicast(const struct dgram_addr *addr);
DGRAM_API bool dgram_addr_is_broadcast(const struct dgram_addr *addr);
DGRAM_API bool dgram_addr_is_link_local(const struct dgram_addr *addr);
DGRAM_API bool dgram_addr_is_private(const struct dgram_addr *addr);

#ifdef __cplusplus
}
#endif
#endif
