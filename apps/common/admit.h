/* admit.h - which datagrams a plain responder answers. Anyone can send it a datagram in somebody else's name, so it
 * must be no good for loops, for floods or for growing them. Pure.
 */
#ifndef COMMON_ADMIT_H
#define COMMON_ADMIT_H

#include "ratelimit.h"
#include <dgram/socket.h>

#define ADMIT_RATE_MAX 100  /* answers/s to one address beyond loopback */
#define ADMIT_GROWTH_MAX 3  /* an answer beyond loopback is at most this many times its request (RFC 9000, section 8.1) */
#define ADMIT_PORT_MIN 1024 /* below are services that answer too (echo, chargen, DNS): a forged source makes a loop */

/* clang-format off */
/*  ADMIT_  name       why not */
#define ADMIT_ROWS(ROW) \
	ROW(TRUNCATED, truncated, "longer than a request may be (--max-request)") \
	ROW(GROUP,     group,     "sent to a multicast or broadcast address") \
	ROW(NOBODY,    nobody,    "its sender has no port or path to answer to") \
	ROW(LOW_PORT,  low_port,  "its source port is below 1024 (--allow-low-ports)") \
	ROW(SELF,      self,      "it comes from our own address") \
	ROW(RATE,      rate,      "its sender gets 100 answers in a second already") \
	ROW(BUSY,      busy,      "every handler runs and the queue is full (--max-procs)") \
	ROW(GROWTH,    growth,    "the answer is more than 3 times the request (--insecure-open)")
/* clang-format on */

enum admit {
	ADMIT_YES = 0,
#define ADMIT_ROW(name, lower, text) ADMIT_##name,
	ADMIT_ROWS(ADMIT_ROW)
#undef ADMIT_ROW
	ADMIT_COUNT,
};

struct admission {
	bool low_ports;       /* answer ports below 1024 */
	bool growth;          /* answer with any length */
	struct dgram_addr own; /* where we listen */
	struct ratelimit limit;
};

/* key: 16 bytes of chance. */
void admit_init(struct admission *a, const struct dgram_addr *own, const uint8_t key[16]);

/* ADMIT_YES, or why a datagram is not answered; now: ns. */
enum admit admit_request(struct admission *a, const struct dgram_datagram *d, uint64_t now);

/* ADMIT_YES or ADMIT_GROWTH. */
enum admit admit_answer(const struct admission *a, const struct dgram_addr *peer, size_t request, size_t answer);

const char *admit_reason(enum admit why); /* the sentence; "" for ADMIT_YES */
const char *admit_name(enum admit why);   /* for JSON: "low_port" */

#endif
