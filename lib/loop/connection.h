/* connection.h - datagrams over TCP, each behind its length (docs/WIRE.md, section 8): one connection, and the table
 * of those of a loop.
 *
 * A connection has room for the datagram that comes, and for the rest of the one that the kernel did not take
 * whole: while there is such a rest its session is stalled, so that there is never a second one. That is also how
 * one knows what was not exposed when the connection is lost.
 */
#ifndef DG_LOOP_CONNECTION_H
#define DG_LOOP_CONNECTION_H

#include "core/index.h"
#include "loop/loop.h"
#include "loop/watch.h"

#include <dgram/frame.h>
#include <dgram/stream.h>

#define DG_CONNECTED_DATAGRAM 16384 /* bytes: of a configuration that does not say */
#define DG_HANGUPS            64    /* that are remembered until somebody asks */

enum dg_connection_state {
	DG_FREE,
	DG_CONNECTING,
	DG_CARRYING,
	DG_LEAVING, /* the last word was said: what still comes is thrown away */
};

struct dg_connection {
	struct dgram_stream stream;
	struct dgram_addr peer;
	struct dgram_frame_reader reader;
	const uint8_t *datagram; /* whole, and waits for room; NULL: none */
	size_t datagram_len;
	uint8_t *out;            /* what the kernel did not take */
	size_t out_at, out_len;
	uint64_t session, peer_session; /* ids; 0: not known yet */
	uint64_t since;    /* ns: when it began, or began to leave */
	uint64_t stuck_at; /* ns: since when out waits */
	uint64_t waits_at; /* ns: and datagram */
	uint32_t next;     /* free ones */
	uint8_t state, row; /* row: datagrams given since it had news */
	bool ours;         /* we connected */
	bool greeted;      /* ACCEPT, BUSY or INIT came */
	bool up;           /* its session is confirmed */
	bool queued;       /* in the queue; of the place, not of the connection */
	bool broken;       /* what is written is lost, and some was; what came before can still be read */
};

struct dg_connections {
	struct dgram_stream *listener; /* NULL: nobody connects to us */
	struct dgram_stream_options options;
	struct dg_watch watch; /* by place; behind them the listener */
	struct dg_index by_peer;
	uint8_t key[16];
	struct dg_connection *all;
	uint32_t count, used, free; /* free: the first one */
	uint32_t *queue;            /* a ring of places that may have something to give */
	uint32_t queue_at, queue_len;
	uint32_t waiting;           /* for room */
	uint8_t *scratch;           /* a datagram that is sent, behind its length; bytes that come */
	uint8_t *buffers;
	size_t datagram_max;
	uint64_t sweep_at; /* ns */
	struct dgram_connection_stats stats;
	struct dgram_hangup hangups[DG_HANGUPS];
	uint32_t hangups_at, hangups_len;
};

/* 1: *datagram, c->datagram_len bytes, is whole; 0: not yet; negative: DGRAM_ERR_SIZE for a length that cannot be, DGRAM_ERR_CLOSED at the
 * end of the stream, DGRAM_ERR_FORMAT where that is within a datagram, DGRAM_ERR_BROKEN. */
int dg_connection_read(struct dg_connections *all, struct dg_connection *c,
                       const uint8_t **datagram);

/* Sends scratch, which holds len bytes behind their length. What the kernel does not take waits in c->out. False:
 * it is broken. */
bool dg_connection_write(struct dg_connections *all, struct dg_connection *c, size_t len,
                         uint64_t now);

/* Goes on with that. False: it is broken. */
bool dg_connection_flush(struct dg_connection *c, uint64_t now);

/* What it has to be watched for. */
int dg_connection_wants(const struct dg_connection *c);

/* ---- the table (connections.c) ---------------------------------------------------------------- */

uint32_t dg_connection_place(const struct dg_connections *all, const struct dg_connection *c);

/* A place for a connection with peer, over s, which is its own from here on. NULL: there is none, and s is closed.
 * Where ours is false the oldest one that came to nothing yet may have made room. */
struct dg_connection *dg_connection_begin(struct dgram_loop *loop, struct dgram_stream *s,
                                          const struct dgram_addr *peer, bool ours);

/* With this peer, for its session with this id; NULL: there is none. */
struct dg_connection *dg_connection_find(const struct dg_connections *all,
                                         const struct dgram_addr *peer, uint64_t peer_session);

/* It says nothing more: ended once the other side has read that. */
void dg_connection_leave(struct dgram_loop *loop, struct dg_connection *c);

/* It is over, and the endpoint is told: error as in dgram_endpoint_cut. */
void dg_connection_end(struct dgram_loop *loop, struct dg_connection *c,
                       enum dgram_hangup_reason why, int error);

/* Counted, and remembered until somebody asks. */
void dg_connection_note(struct dg_connections *all, const struct dgram_addr *peer,
                        enum dgram_hangup_reason why);

/* It has to be watched for other things now. */
void dg_connection_watch(struct dg_connections *all, const struct dg_connection *c);

/* It may have something to give. */
void dg_connection_queue(struct dg_connections *all, struct dg_connection *c);
struct dg_connection *dg_connection_unqueue(struct dg_connections *all); /* NULL: nobody has */

void dg_connections_free(struct dgram_loop *loop);

#endif
