/* loop.h - a socket and an endpoint joined: one call to wait for the next thing that happens.
 *
 *	struct dgram_loop *loop = dgram_loop_new(&socket, NULL);
 *	struct dgram_event event;
 *
 *	while (dgram_loop_wait(loop, &event, DGRAM_NEVER) >= 0)
 *		if (event.type == DGRAM_EVENT_REQUEST)
 *			dgram_endpoint_reply(dgram_loop_endpoint(loop), event.id, 0, event.data, event.len, dgram_clock());
 *
 * A program with a loop of its own watches dgram_loop_fd() for reading, sleeps no longer than
 * dgram_loop_timeout(), and then calls dgram_loop_wait() with a timeout of 0 until it says 0; likewise after
 * whatever it queued. docs/examples has that for poll(), for libuv and for threads.
 */
#ifndef DGRAM_LOOP_H
#define DGRAM_LOOP_H

#include <dgram/endpoint.h>
#include <dgram/socket.h>
#include <dgram/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dgram_loop; /* opaque */

/* Joins s and a new endpoint. s carries IPv4, IPv6 or both, is not connected, must outlive the loop and is not
 * used by anybody else: its timeout becomes 0, and where the system can, it sends no fragments and receives
 * in bundles. config NULL: the defaults; a seed of zeros is replaced by one from the system. All memory is
 * taken here. NULL: none is left, or a value that cannot be (errno is EINVAL). */
DGRAM_API struct dgram_loop *dgram_loop_new(struct dgram_socket *s, const struct dgram_endpoint_config *config);

/* From now on a datagram that does not begin as one of the protocol is not counted as foreign but given to the
 * program: as DGRAM_EVENT_MESSAGE of kind 0, with its peer and bytes, up to the longest of UDP. Nothing of it is proved,
 * not even who sent it, and it may come twice. */
DGRAM_API void dgram_loop_take_plain(struct dgram_loop *loop);

/* Of the last such event: the datagram whole, with where it was sent to, until the loop's next call. An answer goes
 * through the socket itself. */
DGRAM_API const struct dgram_datagram *dgram_loop_plain(const struct dgram_loop *loop);

/* ---- over TCP --------------------------------------------------------------------------------- */

/* The same over connections (docs/WIRE.md, section 8): one for each session, begun when a message goes to an address
 * that has none, and taken from listener, which must outlive the loop, is not used by anybody else, and becomes
 * non-blocking; NULL: nobody connects to us. options: what connections leave from; what it borrows, too, must
 * outlive the loop; NULL: the defaults. config as above, and connected is set; its datagram_max is 16,384 unless it says
 * something else. A connection takes two times that. As many are open as sessions and half-open ones fit, but at most
 * half of the descriptors that the process may have. */
DGRAM_API struct dgram_loop *dgram_loop_new_connected(struct dgram_stream *listener,
						      const struct dgram_stream_options *options,
						      const struct dgram_endpoint_config *config);

/* Why a connection ended. */
/* clang-format off */
#define DGRAM_HANGUPS(ROW) \
	ROW(ENDED,   ended,   "its session ended") \
	ROW(GONE,    gone,    "the other side closed it, or it broke") \
	ROW(CUT,     cut,     "it ended within a datagram") \
	ROW(UNMADE,  unmade,  "it did not come up") \
	ROW(LENGTH,  length,  "a length that no datagram has: not this protocol") \
	ROW(FOREIGN, foreign, "what came is no datagram of this protocol, or not its turn") \
	ROW(RULE,    rule,    "a datagram was damaged, or broke a rule") \
	ROW(SLOW,    slow,    "no session came up in 10 s") \
	ROW(STUCK,   stuck,   "one side did not take anything for 30 s") \
	ROW(FULL,    full,    "no room for one more connection")
/* clang-format on */

enum dgram_hangup_reason {
#define DGRAM_HANGUP_ROW(name, lower, text) DGRAM_HANGUP_##name,
	DGRAM_HANGUPS(DGRAM_HANGUP_ROW)
#undef DGRAM_HANGUP_ROW
	DGRAM_HANGUP_COUNT,
};

/* The sentence and the name of a reason; never NULL. Static memory. */
DGRAM_API const char *dgram_hangup_text(enum dgram_hangup_reason reason);
DGRAM_API const char *dgram_hangup_name(enum dgram_hangup_reason reason);

struct dgram_hangup {
	struct dgram_addr peer;
	uint8_t reason; /* enum dgram_hangup_reason */
};

/* 1: *out is the oldest connection that ended and was not told yet, but for those whose session had ended; 0: there is
 * none. Of many in a row the last 64 are kept. */
DGRAM_API int dgram_loop_next_hangup(struct dgram_loop *loop, struct dgram_hangup *out);

/* Running totals. All zero where a socket carries. */
struct dgram_connection_stats {
	uint64_t begun, taken; /* by us, from others */
	uint64_t ended[DGRAM_HANGUP_COUNT];
	uint32_t open, most;   /* now; at once at most */
};

DGRAM_API void dgram_loop_connections(const struct dgram_loop *loop, struct dgram_connection_stats *out);

/* ---- both ------------------------------------------------------------------------------------- */

/* The socket stays open, as it was but for no_fragments (what came for the loop and lies in it unread may be several
 * datagrams as one). What waits to be sent is not: dgram_loop_close first. NULL is fine. */
DGRAM_API void dgram_loop_free(struct dgram_loop *loop);

/* Borrowed until the loop is freed. Calls that queue something are followed by dgram_loop_wait, which sends it. */
DGRAM_API struct dgram_endpoint *dgram_loop_endpoint(struct dgram_loop *loop);

/* Receives, sends and waits until there is an event (1; its name and data are borrowed until the next call), until
 * timeout ns have passed (0: does what can be done now and does not wait), or until a signal handler ran while it
 * slept (0, before its time). event->type is 0 with 0. DGRAM_ERR_SYSTEM: the socket is broken. In a child after
 * fork() DGRAM_ERR_CLOSED, always: its sessions belong to the parent.
 *
 * A datagram longer than the configuration's datagram_max is given to the endpoint as an empty one, which counts
 * it. One that the kernel has no room for is lost, and the protocol sends its contents again. */
DGRAM_API int dgram_loop_wait(struct dgram_loop *loop, struct dgram_event *event, uint64_t timeout);

/* Closes every session and sends what tells the peers so. */
DGRAM_API void dgram_loop_close(struct dgram_loop *loop);

/* ---- what passes ------------------------------------------------------------------------------ */

enum dgram_way {
	DGRAM_WAY_OUT = 1, /* sent */
	DGRAM_WAY_IN,      /* received */
	DGRAM_WAY_ERROR,   /* the system said something of one that was sent, or of its connection */
};

struct dgram_passed {
	uint64_t at;             /* ns: when, to the turn of the loop */
	uint8_t way;             /* enum dgram_way */
	uint8_t fate;            /* IN: enum dgram_fate */
	int error;               /* ERROR: enum dgram_error */
	struct dgram_addr peer;
	const uint8_t *data;     /* all of the datagram (dgram/look.h reads it) */
	size_t len;
	uint64_t left_out;       /* so many before it found no room in the memory */
};

/* For traces: from here on each datagram is noted in size bytes at memory (aligned to 16), which stay the caller's and
 * outlive the loop; NULL: no more. Who takes all after each dgram_loop_wait and dgram_loop_close has all where the
 * memory holds a window of datagrams, 4 MiB. */
DGRAM_API void dgram_loop_tap(struct dgram_loop *loop, void *memory, size_t size);

/* 1: *out is the oldest one that was not taken, its data borrowed until the next dgram_loop_wait or _close; 0: there is
 * none. */
DGRAM_API int dgram_loop_next_passed(struct dgram_loop *loop, struct dgram_passed *out);

/* For foreign loops: what to watch for reading (level-triggered; it is the socket's, and what the network says of
 * datagrams that were sent shows as an error of it: poll() tells of those unasked, select() calls them readable,
 * libuv stops watching and has to be told to go on; over TCP it stands for all connections, or is -1 where the
 * system has nothing like that, and then the timeout is short), and how long to sleep at most in ns (DGRAM_NEVER:
 * until something can be read, 0: not at all). */
DGRAM_API int dgram_loop_fd(const struct dgram_loop *loop);
DGRAM_API uint64_t dgram_loop_timeout(const struct dgram_loop *loop);

#ifdef __cplusplus
}
#endif
#endif
