/* profile.h - what is taken for granted of a path before anything was measured on it. */
#ifndef DGRAM_PROFILE_H
#define DGRAM_PROFILE_H

#include <dgram/addr.h>
#include <dgram/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* First wait, its growth, the longest wait, the deadline. */
enum dgram_profile {
	DGRAM_PROFILE_AUTO = 0, /* by destination; of several the slowest */
	DGRAM_PROFILE_LOOPBACK, /* 50 ms, x1.5, 500 ms, 5 s */
	DGRAM_PROFILE_LAN,      /* 100 ms, x1.5, 1 s, 5 s */
	DGRAM_PROFILE_WAN,      /* 1 s (RFC 8085 section 3.1.1), x2, 8 s, 30 s */
};

/* Loopback, UNIX and the unspecified address, which is this machine; private, link-local, multicast
 * and broadcast; everything else. Never AUTO. */
DGRAM_API enum dgram_profile dgram_profile_of(const struct dgram_addr *to);

#ifdef __cplusplus
}
#endif
#endif
