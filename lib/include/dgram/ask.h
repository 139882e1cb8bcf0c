/* ask.h - timeout and retry over plain datagrams: send, wait, send again, and say truly how it
 * ended.
 *
 * Two layers. struct dgram_asker is the machine: pure arithmetic over times, addresses and
 * refusals. dgram_ask() runs it over a socket.
 *
 * A plain datagram carries no id: an answer is known by nothing but the address it comes from. Ask
 * each question on a socket of its own, or a late second answer to the last question may pass for
 * the answer to this one.
 */
#ifndef DGRAM_ASK_H
#define DGRAM_ASK_H

#include <dgram/addr.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/profile.h>
#include <dgram/socket.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_ASK_ADDRS_MAX 8

/* Zeroed: the destination's profile, until its deadline. Times are ns. */
struct dgram_ask_options {
	enum dgram_profile profile;
	uint64_t timeout;       /* first wait, 1 ms or more; 0: the profile's. Jitter: +-10 % */
	uint32_t backoff_milli; /* a wait is the last one times this / 1000; 0: the profile's */
	uint64_t timeout_max;   /* longest wait; 0: the profile's, or timeout if longer */
	uint32_t retries;       /* re-sends at most, with limit_retries; then one last wait */
	bool limit_retries;     /* false: re-send until the deadline */
	bool retry_refused;     /* ask a refusing address again when the wait is over, or half of what is left */
	bool any_source;        /* an answer may come from anywhere (multicast, broadcast) */
	uint64_t deadline;      /* from the start; 0: the profile's; DGRAM_NEVER: none */
	uint64_t seed;          /* of the jitter; 0: dgram_ask() draws one */
};

/* ---- the machine -------------------------------------------------------------------------
 *
 *	dgram_asker_init(&a, to, to_count, &opt, now);
 *	while ((step = dgram_asker_next(&a, now, &to)) != DGRAM_ASK_END)
 *		if (step == DGRAM_ASK_SEND)
 *			send to *to, then say how that went: _sent, _lost or _failed
 *		else
 *			wait until dgram_asker_deadline(&a), say what came: _answered, _failed
 *
 * Silence moves on to the next address with each re-send. A refusal takes its address out and moves
 * at once to one that was not asked yet; where all were, they keep their turn. A re-send is left
 * out when less than a quarter of the first wait remains for its answer. A clock that runs backwards is
 * taken to stand still.
 */
enum dgram_ask_step {
	DGRAM_ASK_WAIT, /* nothing to do until dgram_asker_deadline() or news */
	DGRAM_ASK_SEND, /* send to *to now and say how that went */
	DGRAM_ASK_END,  /* see dgram_asker_outcome() */
};

/* Plain so that it needs no allocation; the fields are the machine's own. */
struct dgram_asker {
	struct dgram_ask_options opt; /* every default filled in; the deadline is a point in time */
	struct dgram_asker_addr {
		struct dgram_addr to;
		uint64_t sent_at; /* its last try */
		uint32_t tries;
		bool asked;  /* had its turn, even if the datagram never left */
		bool open;   /* nobody refused its last try */
		bool silent; /* an earlier try was still open when the next one left */
		bool out;    /* not asked again */
	} addrs[DGRAM_ASK_ADDRS_MAX];
	uint8_t addr_count, current;
	bool sending; /* between SEND and what became of it */
	bool moving;  /* the next send is no re-send: the first one, or in place of a refused one */
	bool ended;
	int outcome;
	int refusal, loss; /* what to report when no try was left open; 0: none */
	uint32_t resends, tries, refusals;
	uint64_t now, start, due, wait, rtt;
};

/* Copies to and opt (NULL: the defaults). 0, or DGRAM_ERR_ARGUMENT: no address or too many, no
 * such profile, a backoff below 1000, neither a deadline nor a limit of retries. */
DGRAM_API int dgram_asker_init(struct dgram_asker *a, const struct dgram_addr *to, size_t to_count,
			       const struct dgram_ask_options *opt, uint64_t now);

/* What to do now. *to (may be NULL) is set with SEND and borrowed until the asker's end. */
DGRAM_API enum dgram_ask_step dgram_asker_next(struct dgram_asker *a, uint64_t now,
					       const struct dgram_addr **to);

/* What became of the send. sent: the kernel took it. lost: it did not, but may the next time (no
 * buffer free, a firewall): the address is asked again when the wait is over, and it was no try. */
DGRAM_API void dgram_asker_sent(struct dgram_asker *a, uint64_t now);
DGRAM_API void dgram_asker_lost(struct dgram_asker *a, int error, uint64_t now);

/* This address said no: the kernel to the send in progress, or the network to its last try. It is
 * out, but for DGRAM_ERR_SIZE from the network: the path is known better now. The address's index,
 * or DGRAM_ERR_ADDRESS: no send of ours. */
DGRAM_API int dgram_asker_failed(struct dgram_asker *a, const struct dgram_addr *to, int error,
				 uint64_t now);

/* A datagram came from there. true: it is the answer, to whichever try; false: a stranger's,
 * nothing changed. */
DGRAM_API bool dgram_asker_answered(struct dgram_asker *a, const struct dgram_addr *from,
				    uint64_t now);

/* When next() has something to do without news; after WAIT this is later than its now. DGRAM_NEVER
 * once ended. */
DGRAM_API uint64_t dgram_asker_deadline(const struct dgram_asker *a);

/* DGRAM_ERR_AGAIN before the end; then 0 for answered, or what dgram_ask() would say. */
DGRAM_API int dgram_asker_outcome(const struct dgram_asker *a);

/* ---- over a socket ------------------------------------------------------------------------ */

#define DGRAM_ASK_EVENTS_MAX 64

/* One line of a report: a try left, or why one will not be answered. */
struct dgram_ask_event {
	uint64_t at; /* ns since the start */
	uint8_t to;  /* index of the address */
	int error;   /* 0: sent; else DGRAM_ERR_*, from the kernel or the network */
};

/* What happened, filled in whatever the outcome. */
struct dgram_ask_report {
	struct dgram_addr from; /* who answered */
	uint32_t tries;         /* datagrams the kernel took */
	uint32_t refusals;      /* by the network, or by the kernel instead of a try */
	uint32_t strangers;     /* datagrams that came from elsewhere, or before the question */
	uint64_t elapsed;       /* ns from the start to the end */
	uint64_t rtt;           /* ns from the last try at that address to its answer */
	struct dgram_socket_error last_error; /* the last refusal or loss; error 0: none */
	uint32_t event_count;   /* of all; the first DGRAM_ASK_EVENTS_MAX are kept */
	struct dgram_ask_event events[DGRAM_ASK_EVENTS_MAX];
};

/* What is asked of whom, and where the answer goes. All borrowed for the call. */
struct dgram_question {
	const struct dgram_addr *to; /* 1 to DGRAM_ASK_ADDRS_MAX addresses of the same program, in the */
	size_t to_count;             /* order to try them; 0: the peer that the socket is connected to */
	const void *data;            /* the request */
	size_t len;                  /* its bytes */
	void *answer;                /* buffer */
	size_t size;                 /* bytes it has */
};

/* Sends the request to to[0], waits, sends again (silence moves on to the next address, a refusal does
 * so at once) until an answer to any try is there. The answer's length (0 is an answer), or
 *
 *   DGRAM_ERR_TIMEOUT      silence until the deadline or after the last try: nothing is known
 *   DGRAM_ERR_REFUSED,
 *   DGRAM_ERR_UNREACHABLE  by every address, and every try: not executed. The address of s itself, where our own
 *                          datagram comes back, refuses too: nobody else listens there
 *   DGRAM_ERR_UNKNOWN      refused after an earlier try was not: it may have run
 *   DGRAM_ERR_SIZE         the request is too large; nothing was sent
 *   DGRAM_ERR_TRUNCATED    the answer is longer than size
 *   DGRAM_ERR_DENIED, _NOBUFS, _AGAIN, _PORT, _ZONE, _KIND, _UNSUPPORTED,
 *   _SYSTEM                why nothing could be sent; errno is in the report
 *
 * s carries the families of to; a connected one has to[0] as its peer. Its timeout is not looked at,
 * and what lies in it unread is thrown away, as it came before the question. The further answers of
 * a group are received from s afterwards. A UNIX peer answers from the path as it bound it: where
 * that may be a relative one, connect s or set any_source. opt and report may be NULL. */
DGRAM_API int dgram_ask(struct dgram_socket *s, const struct dgram_question *question,
			const struct dgram_ask_options *opt, struct dgram_ask_report *report);

#ifdef __cplusplus
}
#endif
#endif
