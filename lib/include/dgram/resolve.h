/* resolve.h - from what a person wrote to addresses: names of hosts and of interfaces. */
#ifndef DGRAM_RESOLVE_H
#define DGRAM_RESOLVE_H

#include <dgram/addr.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>
#include <dgram/uri.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_RESOLVE_MAX 8 /* addresses of a name that are looked at */

/* The addresses of uri, in the order to try them: how many (1 to max, at most DGRAM_RESOLVE_MAX; the families take
 * turns), or
 *   DGRAM_ERR_RESOLVE     no such name, none of this family, or a @peer
 *   DGRAM_ERR_ZONE        a bare link-local address
 *   DGRAM_ERR_INTERFACE   its zone is no interface here
 *   DGRAM_ERR_TIMEOUT     the name service did not answer in time
 *   DGRAM_ERR_NOMEM
 * family narrows the choice (DGRAM_FAMILY_NONE: both). A numeric or UNIX address asks nobody, nor does localhost; a
 * host left out is every address: "::", which dgram_socket_bind opens for both families, or 0.0.0.0 for
 * DGRAM_IPV4. The name service is asked in a thread of its own, which ends by itself when the timeout (ns)
 * passed first. */
DGRAM_API int dgram_resolve(struct dgram_addr *out, size_t max, const struct dgram_uri *uri,
			    enum dgram_family family, uint64_t timeout);

/* Index of an interface from its name or decimal number; 0: there is none. */
DGRAM_API uint32_t dgram_interface_index(const char *name);

/* The interfaces that are up and have an IPv6 link-local address, as "%eth0 %wlan0", for a message. Returns buf. */
DGRAM_API char *dgram_interface_candidates(char *buf, size_t size);

/* Like dgram_addr_format, with the zone by its name: "[fe80::1%eth0]:9". */
DGRAM_API char *dgram_addr_display(const struct dgram_addr *addr, char *buf, size_t size);

#ifdef __cplusplus
}
#endif
#endif
