/* ask.h - timeout and retry over plain datagrams: send, wait, send again, and say truly how it ended.
 *
 * Two layers. struct dgram_asker is the machine: pure arithmetic over times, addresses and refusals. dgram_ask()
 * runs it over a socket.
 */
#ifndef DGRAM_ASK_H
#define DGRAM_ASK_H

#include <dgram/addr.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/socket.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_ASK_ADDRS_MAX 8

enum dgram_profile {
	DGRAM_PROFILE_AUTO = 0, /* by destination */
	DGRAM_PROFILE_LOOPBACK, /* first wait 50 ms, x1.5, cap 500 ms, deadline 5 s */
	DGRAM_PROFILE_LAN,      /* 100 ms, x1.5, 1 s, 5 s */
	DGRAM_PROFILE_WAN,      /* 1 s, x2, 8 s, 30 s (RFC 8085 section 3.1.1: 1 s before the RTT is known) */
};

/* Loopback and UNIX; private, link-local and multicast; everything else. */
DGRAM_API enum dgram_profile dgram_profile_of(const struct dgram_addr *to);

/* Zeroed: the destination's profile, until its deadline. */
struct dgram_ask_options {
	enum dgram_profile profile;
	uint64_t timeout;       /* first wait, ns; 0: the profile's */
	uint32_t backoff_milli; /* each wait is the last one times this / 1000; 0: the profile's; 1000: fixed */
	uint64_t timeout_max;   /* no wait is longer, ns; 0: the profile's, or timeout where that is longer */
	uint32_t retries;       /* re-sends at most, with limit_retries; then one last wait */
	bool limit_retries;     /* false: re-send until the deadline */
	bool retry_refused;     /* a refusal does not end an address: it is asked again when the wait is over */
	bool any_source;        /* answers may come from an address that was not asked (multicast, broadcast) */
	uint64_t deadline;      /* ns from the start; 0: the profile's; DGRAM_NEVER: none (then retries must be limited) */
};

/* What happened, filled in whatever the outcome. */
struct dgram_ask_report {
	struct dgram_addr from;     /* who answered */
	uint32_t tries;             /* datagrams the kernel took */
	uint32_t refusals;
	uint64_t elapsed;           /* ns from the start to the end */
	uint64_t rtt;               /* ns from the last send to the answer */
	struct dgram_socket_error last_error; /* the last refusal, error 0: there was none */
};

/* Sends request to to[0], waits, sends again (silence moves on to the next address, a refusal does so at once) until
 * an answer to any try is there. The answer's length (0 is an answer), or
 *   DGRAM_ERR_TIMEOUT      silence until the deadline or after the last try: nothing is known
 *   DGRAM_ERR_REFUSED, DGRAM_ERR_UNREACHABLE   at every address, at the first try: not executed
 *   DGRAM_ERR_UNKNOWN      refused after an earlier try was not: it may have run
 *   DGRAM_ERR_SIZE         the request is too large; nothing was sent
 *   DGRAM_ERR_TRUNCATED    an answer came that is longer than size
 * or what opening up the way says: DGRAM_ERR_DENIED, _PORT, _ZONE, _SYSTEM. s is an unbound, bound or connected socket
 * that carries the families of to; its timeout is not looked at. opt and report may be NULL. */
DGRAM_API int dgram_ask(struct dgram_socket *s, const struct dgram_addr *to, size_t to_count,
			const void *request, size_t len, void *answer, size_t size,
			const struct dgram_ask_options *opt, struct dgram_ask_report *report);

#ifdef __cplusplus
}
#endif
#endif
