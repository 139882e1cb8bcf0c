/* endpoint.h - the dgram protocol as a machine: datagrams and times go in; datagrams, events and a
 * deadline come out. docs/WIRE.md is what it speaks.
 *
 * One endpoint speaks with all peers of one UDP port. It knows neither socket nor clock, takes no
 * memory after _new, and never calls back: the same seed, calls and times give the same bytes.
 * dgram/loop.h joins one to a socket; where a program does that itself, each turn is:
 *
 *	for each datagram that came:
 *		dgram_endpoint_receive(ep, &in, now)
 *		while (dgram_endpoint_next_event(ep, &event, now)) ...
 *	while (dgram_endpoint_transmit(ep, &out, now)) send it
 *	while (dgram_endpoint_next_event(ep, &event, now)) ...
 *	sleep until dgram_endpoint_deadline(ep), or until a datagram comes
 *
 * Calling late is safe, calling early does nothing. Times are ns of one clock that goes on while the
 * machine sleeps (dgram_clock()).
 *
 * What the outcome of a request means:
 *
 *   DGRAM_ANSWERED  the reply of its one execution; status 0 is success, else the handler said no
 *   DGRAM_REFUSED   it certainly was not executed and never will be
 *   DGRAM_UNKNOWN   it was given to the network and no word came back: it may have run, once
 *
 * and of a reliable message: the peer's library has it whole; certainly not, now or later; or nobody
 * knows. Each ends exactly once. Only a request marked idempotent may run more than once.
 */
#ifndef DGRAM_ENDPOINT_H
#define DGRAM_ENDPOINT_H

#include <dgram/addr.h>
#include <dgram/datagram.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/profile.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_PORT 24726       /* where endpoints listen unless told otherwise */
#define DGRAM_NAME_MAX 64      /* bytes of a message's name */
#define DGRAM_POST_MAX 1024    /* bytes of a POST: one datagram on every path, name included */
#define DGRAM_MESSAGE_MAX (UINT32_C(1) << 30)

/* Zeroed but for the seed: the defaults, which are for hosts. Every limit is reserved in _new, but
 * pages of memory that are never used cost nothing. */
struct dgram_endpoint_config {
	uint8_t seed[32];      /* never used before: dgram_random_seed(). Whoever knows it can forge */
	uint64_t boot;         /* id of this process, shared by its workers; 0: from the seed */
	uint8_t worker;        /* first byte of the session ids, to steer datagrams by */
	uint8_t profile;       /* enum dgram_profile; AUTO: by each destination */
	bool answers_nobody;   /* takes no INIT: for a client, whose port is nobody's business */
	bool connected;        /* each session has a connection of its own, on which nothing is lost: see the end */
	uint32_t sessions;     /* open at once; 0: 1,024 */
	uint32_t sessions_each; /* of these with one address (IPv4) or /64; 0: an eighth, 2 at least */
	uint32_t half_open, half_open_each; /* begun by others and not confirmed, and of these with one address without a cookie; 0: 256, 4 */
	uint32_t busy;         /* sessions with anything unfinished at once; 0: 1,024 or sessions */
	uint32_t window;       /* datagrams in flight in one session, 8 to 65,536; 0: 1,024 */
	uint32_t messages;     /* ours and the peers' that have not ended; 0: 16,384 */
	uint32_t requests;     /* of the peers that wait or run, half of them in one session; 0: 1,024 */
	uint64_t pool;         /* bytes for what messages carry; 0: 64 MiB */
	uint32_t block;        /* bytes, a power of two: what is taken from the pool at once; 0: 2,048 */
	uint32_t message_max;  /* bytes of a message that is taken, and of a reply; 0: 4 MiB */
	uint32_t credit;       /* bytes of messages that a peer may begin unasked; 0: 16 KiB */
	uint32_t idle_ms;      /* a session unheard for so long ends, 1,000 at least; 0: 120,000 */
	uint16_t datagram_max; /* bytes of UDP payload sent and taken, 508 to 65,507; 0: 1,472 */
};

struct dgram_endpoint; /* opaque */

/* Bytes of memory that _new takes; 0: a field has a value that it cannot have. */
DGRAM_API size_t dgram_endpoint_size(const struct dgram_endpoint_config *config);

/* config is copied. memory: dgram_endpoint_size() bytes, aligned to 16, all zero, which must outlive
 * the endpoint; NULL: it is taken from the heap. NULL: a value that cannot be (a seed of zeros is
 * one), or no memory. */
DGRAM_API struct dgram_endpoint *dgram_endpoint_new(const struct dgram_endpoint_config *config,
						    void *memory);

/* Sends nothing: _close first, and transmit, where peers are to know. NULL is fine. */
DGRAM_API void dgram_endpoint_free(struct dgram_endpoint *ep);

/* ---- what the program wants: queued, and sent by the next transmit -------------------------- */

enum dgram_kind {
	DGRAM_POST = 1, /* best effort, one datagram, no event at its end */
	DGRAM_SEND,     /* reliable, once */
	DGRAM_REQUEST,  /* reliable, answered, at most once */
	DGRAM_ECHO,     /* a round trip: no data, no name; lost ones are not sent again */
};

/* All borrowed for the call. */
struct dgram_message {
	uint8_t kind;                /* enum dgram_kind */
	struct dgram_addr to;        /* IPv4 or IPv6; a session is opened where there is none */
	uint64_t session;            /* instead: into this one, and no other (event.session); 0: by to */
	const void *data;
	size_t len;                  /* up to DGRAM_MESSAGE_MAX; the peer says no to what is too long for it */
	const char *name;            /* service, subject or topic: parts [a-z0-9_-]+ joined by dots; NULL: none */
	size_t name_len;             /* bytes, DGRAM_NAME_MAX at most */
	uint64_t deadline;           /* ns on the clock of now: when it ends at the latest; DGRAM_NEVER: not */
	uint64_t user;               /* given back in its event */
	uint8_t hops;                /* gateways passed; 0: not said */
	bool ordered;                /* given to the peer's program in order with the other ordered ones; not a POST */
	bool idempotent;             /* a REQUEST that may run more than once: sent again after the peer's restart */
};

/* Queues a message. *id (may be NULL): its handle, never 0, valid until its DONE event was taken. 0, or
 *
 *   DGRAM_ERR_SIZE         too long (a POST: for one datagram); nothing was sent
 *   DGRAM_ERR_FULL         no room for one more message or session now
 *   DGRAM_ERR_ADDRESS      to is no unicast IP address with a port
 *   DGRAM_ERR_CLOSED       the session is not there any more
 *   DGRAM_ERR_ARGUMENT     no such kind, or a name that is none
 *
 * A REQUEST's or SEND's id appears in exactly one DONE event. */
DGRAM_API int dgram_endpoint_submit(struct dgram_endpoint *ep, const struct dgram_message *message,
				    uint64_t now, uint64_t *id);

/* Ends a message of ours: a SEND, REQUEST or ECHO. Its DONE comes at once where that is certain; a
 * REQUEST that may have arrived is cancelled at the peer, and its DONE comes with the peer's word, the
 * deadline or the end of the session. DGRAM_ERR_CLOSED: it has ended. */
DGRAM_API int dgram_endpoint_cancel(struct dgram_endpoint *ep, uint64_t id, uint64_t now);

/* What a peer can be told instead of a reply: the request was not run and never will be. */
enum dgram_refusal {
	DGRAM_BUSY = 1, /* try again after retry_after */
	DGRAM_NO_SUCH_NAME,
	DGRAM_NOT_ALLOWED,
};

/* Answers a request that an event brought, once, at any time until its STOP event. status: 0, or 1 to
 * 255 for a failure. DGRAM_ERR_CLOSED: it was answered before, or is no longer wanted;
 * DGRAM_ERR_SIZE; DGRAM_ERR_FULL: no room for the reply now, try again. */
DGRAM_API int dgram_endpoint_reply(struct dgram_endpoint *ep, uint64_t id, uint8_t status, const void *data,
				   size_t len, uint64_t now);

/* Refuses one that has not been begun. retry_after: ns, with DGRAM_BUSY. */
DGRAM_API int dgram_endpoint_refuse(struct dgram_endpoint *ep, uint64_t id, enum dgram_refusal why,
				    uint64_t retry_after, uint64_t now);

/* Ends a session, or with 0 all of them. The peers are told once. Our messages in it end, requests of
 * the peer that run are STOPped. */
DGRAM_API void dgram_endpoint_close(struct dgram_endpoint *ep, uint64_t session, uint64_t now);

/* In a child after fork(): forgets every session without a word. Events of what ends are dropped. */
DGRAM_API void dgram_endpoint_abandon(struct dgram_endpoint *ep);

/* ---- the network ----------------------------------------------------------------------------- */

/* What became of a datagram that was received: counted in dgram_endpoint_stats.received. */
/* clang-format off */
#define DGRAM_FATES(ROW) \
	ROW(TAKEN,      taken,      "taken") \
	ROW(FOREIGN,    foreign,    "not of this protocol or version") \
	ROW(MALFORMED,  malformed,  "malformed") \
	ROW(CHECKSUM,   checksum,   "damaged, or forged") \
	ROW(MODE,       mode,       "sealed with a key, or from or to a group") \
	ROW(OWN,        own,        "our own") \
	ROW(COPY,       copy,       "a copy, or too old to tell") \
	ROW(STRANGER,   stranger,   "of no session that lives here, or from another address than its session's") \
	ROW(UNEXPECTED, unexpected, "an answer that nobody waits for") \
	ROW(RULE,       rule,       "breaks a rule of the protocol") \
	ROW(ROOM,       room,       "no room now: not acknowledged, so that it will come again") \
	ROW(LIMITED,    limited,    "over the limit for its address, or for all")
/* clang-format on */

enum dgram_fate {
#define DGRAM_FATE_ROW(name, lower, text) DGRAM_FATE_##name,
	DGRAM_FATES(DGRAM_FATE_ROW)
#undef DGRAM_FATE_ROW
	DGRAM_FATE_COUNT,
};

/* The sentence and the name of a fate; never NULL. Static memory. */
DGRAM_API const char *dgram_fate_text(enum dgram_fate fate);
DGRAM_API const char *dgram_fate_name(enum dgram_fate fate);

/* One datagram came. in->data is borrowed for the call. The return value is information, not an error. */
DGRAM_API enum dgram_fate dgram_endpoint_receive(struct dgram_endpoint *ep, const struct dgram_datagram *in,
						 uint64_t now);

/* 1: *out is to be sent, with the don't-fragment bit (peer, local, interface and len are set; data and
 * size, at least config.datagram_max bytes, are the caller's). 0: nothing is due. */
DGRAM_API int dgram_endpoint_transmit(struct dgram_endpoint *ep, struct dgram_datagram *out, uint64_t now);

/* What the system said of a datagram to this address: DGRAM_ERR_SIZE with the path's mtu (bytes of
 * payload, 0: not known), DGRAM_ERR_REFUSED or DGRAM_ERR_UNREACHABLE. A hint, for anyone can forge it: it
 * ends only a session that has never been heard of. */
DGRAM_API void dgram_endpoint_told(struct dgram_endpoint *ep, const struct dgram_addr *to, int error,
				   uint32_t mtu, uint64_t now);

/* When to call transmit though nothing came: in the past or 0 for at once, DGRAM_NEVER for not at all. */
DGRAM_API uint64_t dgram_endpoint_deadline(const struct dgram_endpoint *ep);

/* ---- what happened ---------------------------------------------------------------------------- */

enum dgram_event_type {
	DGRAM_EVENT_MESSAGE = 1, /* a POST or SEND came */
	DGRAM_EVENT_REQUEST,     /* a REQUEST came: _reply or _refuse it by its id */
	DGRAM_EVENT_STOP,        /* the reply to request id is no longer wanted: stop working on it */
	DGRAM_EVENT_DONE,        /* our SEND, REQUEST or ECHO id has ended */
};

enum dgram_outcome {
	DGRAM_ANSWERED = 1, /* delivered, or answered */
	DGRAM_REFUSED,      /* certainly not delivered or executed */
	DGRAM_UNKNOWN,      /* nobody knows */
};

/* Why an outcome is what it is, or why a request is to be stopped. */
/* clang-format off */
#define DGRAM_REASONS(ROW) \
	ROW(NONE,         none,         "as it should") \
	ROW(NO_SESSION,   no_session,   "no session came up in time") \
	ROW(DEADLINE,     deadline,     "the deadline passed") \
	ROW(CANCELLED,    cancelled,    "cancelled") \
	ROW(BUSY,         busy,         "the peer is busy") \
	ROW(NO_SUCH_NAME, no_such_name, "the peer has no such name") \
	ROW(NOT_ALLOWED,  not_allowed,  "the peer does not allow it") \
	ROW(EXPIRED,      expired,      "it reached the peer after its deadline") \
	ROW(GONE,         gone,         "the peer no longer has the answer") \
	ROW(TOO_LONG,     too_long,     "too long for the peer, or its reply for us") \
	ROW(CLOSED,       closed,       "the peer closed the session") \
	ROW(LOST,         lost,         "the session was lost: the peer was restarted, or is silent") \
	ROW(UNHEARD,      unheard,      "no one listens there, says the network") \
	ROW(UNREACHABLE,  unreachable,  "the network cannot reach it") \
	ROW(ECHOED,       echoed,       "our own datagrams come back: the peer does not speak this protocol") \
	ROW(FOREIGN,      foreign,      "what comes from there is not of this protocol") \
	ROW(HERE,         here,         "the session was closed on this side")
/* clang-format on */

enum dgram_reason {
#define DGRAM_REASON_ROW(name, lower, text) DGRAM_REASON_##name,
	DGRAM_REASONS(DGRAM_REASON_ROW)
#undef DGRAM_REASON_ROW
	DGRAM_REASON_COUNT,
};

/* The sentence and the name of a reason; never NULL. Static memory. */
DGRAM_API const char *dgram_reason_text(enum dgram_reason reason);
DGRAM_API const char *dgram_reason_name(enum dgram_reason reason);

/* name and data are borrowed until the next call of a function with this endpoint, but for those that only tell:
 * _deadline, _stats and _session. */
struct dgram_event {
	uint8_t type;              /* enum dgram_event_type */
	uint8_t kind;              /* enum dgram_kind: of the message that came or ended */
	uint8_t outcome;           /* DONE: enum dgram_outcome */
	uint8_t reason;            /* DONE, STOP: enum dgram_reason */
	uint8_t status;            /* DONE, answered: 0, or the failure's code */
	uint8_t hops;              /* that a message came with */
	bool ordered, idempotent;  /* likewise */
	bool arrived;              /* DONE, ECHO: the peer acknowledged it: what is missing is its answer */
	uint64_t id;               /* handle: REQUEST and STOP the request's, DONE ours */
	uint64_t session;          /* it came in or ended in; 0: none was ever up */
	uint64_t peer_session;     /* the peer's id of it: with both, both ends speak of the same, and it never comes twice */
	uint64_t number;           /* of the message in its session and direction, the same at both ends */
	uint64_t user;             /* DONE: the message's */
	struct dgram_addr peer;
	const char *name;          /* not terminated; NULL: none */
	size_t name_len;
	const uint8_t *data;       /* of the message, or of the reply; never NULL */
	size_t len;
	uint64_t deadline;         /* REQUEST: ns on our clock; DGRAM_NEVER: none */
	uint64_t elapsed;          /* DONE: ns since submit; ECHO: since it left */
	uint64_t service;          /* DONE, answered REQUEST: ns it took at the peer */
	uint64_t retry_after;      /* DONE, BUSY: ns */
	uint64_t sent;             /* DONE, ECHO that left: datagrams we sent in this session, up to its own */
	uint64_t received;         /* DONE, answered ECHO: of these, and of later ones, the peer had received */
	uint32_t tries;            /* DONE: datagrams that carried any of it */
};

/* 1: *event is the oldest one; 0: there is none. now decides whether a request that waited is still
 * within its deadline. */
DGRAM_API int dgram_endpoint_next_event(struct dgram_endpoint *ep, struct dgram_event *event, uint64_t now);

/* Running totals, and how much is in use. Every datagram received is in exactly one of received[]. */
struct dgram_endpoint_stats {
	uint64_t received[DGRAM_FATE_COUNT];
	uint64_t sent, bytes_received, bytes_sent;
	uint64_t opened, accepted, ended;  /* sessions: ours that came up, others' that were confirmed, and all that ended */
	uint64_t evicted;                  /* of these, idle ones that made room */
	uint64_t lost, late, probes;       /* packets that counted as lost; of these not lost after all; timeouts */
	uint64_t unsaid;                   /* answers outside a session that found no room to wait */
	uint32_t sessions, half_open, busy, messages, requests; /* now */
	uint64_t pool_used, pool_size;     /* bytes */
};

DGRAM_API void dgram_endpoint_stats(const struct dgram_endpoint *ep, struct dgram_endpoint_stats *out);

/* One session, as it is now. */
struct dgram_session_info {
	struct dgram_addr peer;
	bool initiator;          /* we began it */
	bool up;                 /* false: ACCEPT, or its confirmation, is still awaited */
	uint64_t rtt;            /* ns, smoothed; 0: not measured */
	uint64_t received, sent; /* DATA datagrams */
	uint64_t heard_at;       /* ns: when the last one came */
	uint16_t datagram;       /* bytes of the largest that is sent */
};

/* 0, or DGRAM_ERR_CLOSED: there is no such session. */
DGRAM_API int dgram_endpoint_session(const struct dgram_endpoint *ep, uint64_t session,
				     struct dgram_session_info *out);

/* ---- over connections (config.connected) -------------------------------------------------------- */

/* docs/WIRE.md, section 8: an INIT that _transmit gives begins a connection, and its session lives as long
 * as that. Nothing is sent twice, and nothing waits for a window or a pacer. What becomes of the connection
 * of a session (the id in its INIT, or in our ACCEPT) is told here; an id of no session changes nothing. */

/* The connection takes no more for now, or takes some again: meanwhile _transmit gives nothing for it but
 * its last word. */
DGRAM_API void dgram_endpoint_stall(struct dgram_endpoint *ep, uint64_t session, bool stalled);

/* The connection is gone, or never came up: DGRAM_ERR_REFUSED, DGRAM_ERR_UNREACHABLE, DGRAM_ERR_FOREIGN (who
 * is there speaks something else), or DGRAM_ERR_BROKEN. unsent: so many of the last datagrams that _transmit
 * gave for it did not leave whole; a message that they were to expose was not. The session ends, but for one
 * that was told BUSY, and asks again when it was told to, and one that asks again for an idempotent request. */
DGRAM_API void dgram_endpoint_cut(struct dgram_endpoint *ep, uint64_t session, int error, uint32_t unsent,
				  uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
