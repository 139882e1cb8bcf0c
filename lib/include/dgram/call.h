/* call.h - one request in one call: ask, wait, have the answer.
 *
 *	struct dgram_call call = {.to = &to, .to_count = 1, .name = "time", .reply = text, .size = sizeof text};
 *	int n = dgram_call(&call);
 *
 * It opens a socket, and closes it: a program that asks more than now and then keeps a loop (dgram/loop.h),
 * in which a second request costs one round trip where the first costs two.
 */
#ifndef DGRAM_CALL_H
#define DGRAM_CALL_H

#include <dgram/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_CALL_ADDRS_MAX 8

struct dgram_call {
	/* The question. Borrowed for the call; zeroed where there is nothing to say. */
	const struct dgram_addr *to; /* 1 to DGRAM_CALL_ADDRS_MAX addresses of the same program, in the order */
	size_t to_count;             /* to try them (dgram_resolve gives such) */
	const char *name;            /* the service that is asked; NULL: none */
	const void *data;
	size_t len;
	void *reply;                 /* room for the answer, overwritten whatever the outcome */
	size_t size;                 /* bytes of it */
	uint64_t timeout;            /* ns, for everything; 0: 5 s, or 30 s beyond this machine and this link;
				      * DGRAM_NEVER: none */
	bool idempotent;             /* may run more than once: is asked again where the peer was restarted */

	/* What became of it. */
	struct dgram_addr from;      /* the address that was asked last */
	uint8_t outcome;             /* enum dgram_outcome; 0: nothing was sent */
	uint8_t reason;              /* enum dgram_reason, for dgram_reason_text() */
	uint8_t status;              /* answered: 0, or the failure's code */
	uint64_t elapsed;            /* ns, all in all */
	uint64_t rtt;                /* ns of a round trip; 0: not measured */
	uint64_t service;            /* answered: ns that it took at the peer */
	uint64_t retry_after;        /* DGRAM_ERR_BUSY: ns */
	uint32_t requests;           /* made: a refusal or BUSY draws the next one */
	uint32_t tries;              /* datagrams that carried any of the last one */
};

/* Asks to[0]; a refusal by the network moves on to the next address at once, silence after a while. A busy
 * peer is asked again when it said, with a new request. The reply's length (0 is a reply; a failure is one
 * too: look at status), or
 *
 *   DGRAM_ERR_TIMEOUT       no session came up in time, or it came too late: it did not run
 *   DGRAM_ERR_REFUSED,
 *   DGRAM_ERR_UNREACHABLE   says the network, of every address: it did not run
 *   DGRAM_ERR_BUSY          the peer is, for longer than there was time: it did not run
 *   DGRAM_ERR_NO_NAME,
 *   DGRAM_ERR_FORBIDDEN     the peer says no: it did not run
 *   DGRAM_ERR_FOREIGN       who is there sends our own bytes back
 *   DGRAM_ERR_CLOSED        the peer closed the session, and there was no time to ask again: it did not run
 *   DGRAM_ERR_UNKNOWN       it was sent, and no answer came: it may have run, once
 *   DGRAM_ERR_TRUNCATED     it ran, and the reply is longer than size
 *   DGRAM_ERR_SIZE          longer than the peer takes, or than DGRAM_MESSAGE_MAX: it did not run
 *   DGRAM_ERR_ARGUMENT      no address, too many, or a name that is none
 *   DGRAM_ERR_ADDRESS       no unicast IP address with a port
 *   DGRAM_ERR_NOMEM, DGRAM_ERR_SYSTEM and what dgram_socket_open() says
 *
 * Signals do not end it. */
DGRAM_API int dgram_call(struct dgram_call *call);

#ifdef __cplusplus
}
#endif
#endif
