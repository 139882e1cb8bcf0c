/* endpoint.h - what the files of this floor share: the tables of an endpoint, its sessions, its
 * messages, and who may call whom.
 *
 *   new        one block of memory for everything
 *   receive    a datagram comes in: by type to hello, or as DATA to frames
 *   hello      INIT, ACCEPT, COOKIE, BUSY, NOSESSION: how sessions begin and come into doubt
 *   frames     what the frames of a packet do: first all are judged, then all are applied
 *   session    the life of a session: found, opened, woken, planned, ended
 *   current    which session new messages to a place use, and whom it has to wait for
 *   doubt      a session whose peer may be gone
 *   outgoing   messages of ours, from submit to their end
 *   incoming   messages of the peers, from the first fragment to the forgotten answer
 *   transmit   a datagram goes out: whose turn it is, and what fits
 *   packet     one DATA datagram being filled with frames
 *   parcel     what one message has to send, a frame at a time
 *   path       the largest datagram that a path carries
 *   settle     what became of the packets that were sent
 *   timeout    what is due
 *   note       answers outside a session, encoded and waiting
 *   event      what the program is told
 *   message    what both directions have in common: places, queues, memory, promises
 *   connection what becomes of the connection of a session, where sessions have such
 *   list       numbers of a pool, linked
 *
 * Everything is known by number: a session by its slot, a message by its place in a pool. Lists are
 * linked by number.
 */
#ifndef DG_ENDPOINT_ENDPOINT_H
#define DG_ENDPOINT_ENDPOINT_H

#include "base/profile.h"
#include "base/random.h"
#include "core/admission.h"
#include "core/arena.h"
#include "core/cells.h"
#include "core/congestion.h"
#include "core/cookie.h"
#include "core/ids.h"
#include "core/pacer.h"
#include "core/place.h"
#include "core/pool.h"
#include "core/ratelimit.h"
#include "core/recovery.h"
#include "core/rtt.h"
#include "core/seen.h"
#include "core/timers.h"
#include "core/window.h"
#include "wire/wire.h"

#include <dgram/endpoint.h>

#define DG_NONE  UINT32_MAX
#define DG_NO_ID UINT64_MAX

#define DG_ACK_BYTES   64 /* of an ACK's ranges: RFC 9000, 13.2.3 */
#define DG_WIDE_WORDS  64 /* a busy session's window of message ids: 4,096 */
#define DG_FIRST_IDS   64 /* that a peer may use before the first CREDIT */
#define DG_REPLY_AROUND 160 /* bytes: header, trailer, an ACK and what stands before the data of a reply */
#define DG_NOTE_BYTES  160
#define DG_NOTES       64
#define DG_STRANGERS   256 /* buckets for NOSESSION, by address and port */
#define DG_INIT_TIMES  32  /* INITs that are remembered: more than leave in DG_ACCEPT_LIFE */
#define DG_ACCEPT_LIFE (10 * DGRAM_S)

/* ---- items: what is aboard of a packet in flight ---------------------------------------------- */

/* One asking frame; the frames of a packet are a chain. A probe carries the same frames again, and
 * shares their chain: it is settled once, by whichever packet is acknowledged first, and lost with
 * the last one. */
struct dg_item {
	uint32_t next;
	uint32_t message;    /* DG_NONE: it is the session's */
	uint32_t generation; /* of the message, for the place may be another one's by then */
	uint32_t offset, len;
	uint8_t type;  /* enum dg_frame_type */
	bool settled;  /* first of the chain */
	uint16_t refs; /* likewise: packets that carry it */
};

/* ---- messages --------------------------------------------------------------------------------- */

enum dg_message_state {
	DG_WAITING,   /* ours, not begun: no id yet, it can still go into another session */
	DG_BEGUN,     /* ours, some of it was never given to transmit */
	DG_EXPOSED,   /* ours, all of it was */
	DG_ANSWERING, /* ours, some of its reply is here */
	DG_PARTIAL,   /* theirs, some of it is here */
	DG_QUEUED,    /* theirs, whole, and waits to be given to the program */
	DG_RUNNING,   /* theirs, given; its answer is awaited */
	DG_ANSWERED,  /* theirs, the answer is kept */
	DG_ENDED,     /* nothing is left of it but an event, or a RESET that is not acknowledged */
};

/* Control frames of a message that are to be sent. */
enum dg_due {
	DG_DUE_EMPTY = 1 << 0,    /* the only fragment of a message of 0 bytes */
	DG_DUE_PULL = 1 << 1,
	DG_DUE_CANCEL = 1 << 2,
	DG_DUE_RESET = 1 << 3,
	DG_DUE_GRANT = 1 << 4,
	DG_DUE_ACCEPTED = 1 << 5,
	DG_DUE_ANSWER = 1 << 6, /* a NO, or a REPLY that is one datagram and pulled */
};

/* Which list of its session a message stands in, beside the list of all. */
enum dg_queue {
	DG_QUEUE_NONE,
	DG_QUEUE_WAITING, /* not begun, in the order of submit */
	DG_QUEUE_WORK,    /* has something to send that asks for an ACK */
	DG_QUEUE_FREE,    /* has something to send that does not: POST, pulled answers */
	DG_QUEUE_HELD,    /* not begun, ordered, behind one in an earlier session */
	DG_QUEUES,
};

struct dg_message {
	uint32_t number;     /* its place in the pool */
	uint32_t session;    /* slot; DG_NONE: its session has ended */
	uint32_t generation; /* how often this place was used; outlives the message */
	struct dg_place peer;
	struct dg_link of_session, of_queue, of_events;
	uint64_t session_id, peer_session_id; /* the latter from its id on */
	uint64_t id;       /* in its session; ECHO: its number; DG_NO_ID: not begun */
	uint64_t deadline; /* ns; DGRAM_NEVER */
	uint64_t since;    /* ns: submitted; theirs: whole */
	uint64_t wake;     /* ns: ours, the next PULL or CANCEL; theirs, ACCEPTED, or when the answer is forgotten */
	uint64_t user;
	uint64_t order;    /* the ordered message before it; DG_NO_ID: none */
	uint64_t grant;    /* bytes of reply that may be sent */
	uint64_t needed_at; /* what its session had begun when it asked for credit; DG_NO_ID: it did not */
	uint64_t packet;   /* number of the last packet with its pulled answer */
	uint64_t post_number; /* theirs, POST */
	uint64_t service;  /* ns; of a NO BUSY: retry after */
	struct dg_cells cells; /* theirs: the bytes that are here; to send: those that were sent and not lost */
	struct dg_cells reply; /* ours, REQUEST: the bytes of the reply that are here */
	uint32_t cursor;       /* ours: below it everything was sent */
	uint32_t unacked;      /* ours: cells that are not acknowledged */
	uint32_t in_packet;    /* the next pulled answer in the same packet */
	uint32_t tries;
	uint64_t serial;       /* ours: the order of submit */
	uint32_t pulls;        /* PULLs, or CANCELs, in a row */
	uint32_t promised;     /* blocks of the arena that are kept for its reply */
	uint32_t reset_total;  /* what its RESET says */
	uint32_t due;          /* enum dg_due */
	uint8_t kind;          /* enum dgram_kind */
	uint8_t state, queue, event;
	uint8_t flags;         /* DG_NAMED, DG_HOPS, DG_ORDERED, DG_IDEMPOTENT */
	uint8_t outcome, reason, status, code, hops, name_len;
	bool ours;             /* not a peer's */
	bool is_indexed;       /* found by its id */
	bool is_kept;          /* theirs: in its session's list of kept answers */
	bool has_cells, has_reply; /* their buffers are taken */
	bool pinned;           /* to this session */
	bool accepted;         /* theirs: ACCEPTED was said, so the answer is pushed; ours: it was heard */
	bool cancelling;       /* ours: the program wants no answer any more */
	bool exposed_before;   /* ours: in an earlier session */
	bool closed_before;    /* ours: an earlier session was closed before it could run */
	bool resetting;        /* until its RESET is acknowledged */
	bool is_saying;        /* theirs: ACCEPTED is on its way */
	bool transient;        /* theirs: an answer without a memory, forgotten once sent */
	bool has_head;         /* theirs: the first fragment was here */
	bool uncounted;        /* theirs: refused before it began, so its total is not heard of yet */
	bool is_held;          /* theirs: whole, and waits for its turn in the order */
	char name[DGRAM_NAME_MAX];
};

/* ---- sessions --------------------------------------------------------------------------------- */

enum dg_session_state {
	DG_OPENING = 1, /* we sent INIT, or will */
	DG_HALF_OPEN,   /* we got INIT */
	DG_OPEN,
};

/* What a session has beside messages to say. */
enum dg_say {
	DG_SAY_PING = 1 << 0,
	DG_SAY_CREDIT = 1 << 1,
	DG_SAY_RESPONSE = 1 << 2,
	DG_SAY_SETTLED = 1 << 3,
	DG_SAY_INIT = 1 << 4,
	DG_SAY_NEED = 1 << 5, /* for the first message that waits */
};
#define DG_SAY_ASKING (DG_SAY_PING | DG_SAY_CREDIT | DG_SAY_NEED)
#define DG_ECHO_IDS   (UINT64_C(1) << 61) /* numbers of ECHOs begin here, above all ids of messages */

struct dg_session {
	uint32_t slot;
	struct dg_place peer, local; /* local: port 0; nowhere where it is not known */
	uint64_t peer_id;            /* OPENING: 0 */
	uint64_t peer_boot, peer_endpoint;
	uint64_t origin;             /* ns: our clock when session time was 0 */
	uint64_t next_number;        /* packets; while it is active recovery has it */
	uint64_t next_id;            /* reliable messages of ours */
	uint64_t last_ordered;       /* id, DG_NO_ID: none */
	uint64_t heard_at;           /* ns */
	struct dg_window window;
	struct dg_rtt rtt;
	struct dg_seen seen;
	uint64_t allowed, begun;     /* bytes of our messages: what the peer lets us begin, and what we did */
	uint64_t allowed_ids;
	uint64_t granted, heard;     /* bytes of the peer's: what we let it begin, and what it did */
	uint64_t granted_ids;
	uint64_t settled;            /* below it the peer waits for no answer */
	uint64_t skipped;            /* from here on every id of the peer's that ended was given to the program before */
	uint64_t begun_below;        /* no id of the peer's from here on was given to the program, or will be */
	uint64_t ended_below;        /* our ids that have all ended */
	uint64_t due;                /* ns; OPENING, HALF_OPEN: the next INIT, the end; OPEN: the end of doubt or of the check */
	uint32_t received, next_post, next_echo;
	uint32_t interface, idle_ms, active;
	uint32_t promised; /* blocks of the arena that are kept for the peer's credit */
	uint32_t credit_window; /* bytes: what the peer was let begin ahead, when that was last raised */
	uint32_t held;     /* ordered messages of the peer's that wait for others */
	struct dg_list all;      /* messages of both directions that are not kept */
	struct dg_list kept;     /* answers that were pulled, in case they are asked for again */
	struct dg_link of_ready;
	struct dg_link of_place; /* the sessions that were current at its place, before and after it */
	uint32_t serial;         /* when its first INIT came or left, in the order of all */
	uint32_t theirs;         /* messages of the peer's, kept answers too */
	uint32_t ordered_out;    /* ordered messages of ours that have begun and not ended */
	uint32_t probe;  /* of a session in doubt: the one that asks; of that one: whom it is for; or DG_NONE */
	uint32_t waiting_out; /* messages of ours that have not ended */
	uint16_t datagram, peer_datagram_max, running; /* running: requests of the peer that wait or run */
	uint8_t state, profile, say, pings;
	bool initiator;
	bool heard_of;   /* a packet of the peer's came */
	bool doubted;    /* NOSESSION: nothing new is exposed */
	bool checking;   /* silent for long: one PING first */
	bool spare;      /* a probe's session that is not used unless the other one ends */
	bool current;    /* new messages to its place go here */
	bool in_by_place; /* it is the newest that was current */
	bool in_by_init;
	bool no_credit;  /* its hello said 0 */
	bool ready;      /* it is in the list of those that may have something to send */
	bool replaced;   /* another one took its place: it ends when it has nothing left */
	bool connected;  /* nothing of it is lost on the way */
	bool stalled;    /* its connection takes nothing for now */
	uint8_t why;     /* enum dgram_reason: what was said instead of ACCEPT */
};

/* What a session has while it begins, or while anything in it is unfinished. */
struct dg_active {
	struct dg_link of_quiet; /* blocks that can be taken away, the longest unused first */
	uint32_t session;
	bool is_quiet;
	bool unassured;     /* doubted or checked, and since then no ACK ended it */
	uint64_t repeated;  /* number of the packet that the last probe repeated; the second of two says something else */
	uint8_t refusals;   /* packets with several frames that were lost in a row: the peer may have no room for all */
	uint8_t untaken;    /* packets with messages that were lost since one was acknowledged: there may be no room for any */
	uint64_t again_at;  /* ns: no message before, because of that */
	uint8_t probes;     /* packets to send whatever the window says */
	uint8_t unasked;    /* packets without asking frames since the last one with, or since an ACK of ours was
			     * known to have arrived */
	uint8_t size_tries; /* path MTU: probes of one size */
	bool size_asked;    /* one is in flight */
	uint64_t size_at;   /* ns: not before */
	uint64_t pinged_at; /* ns: the last keep-alive */
	uint64_t need_at;   /* ns: when to look for the room that the peer asked for */
	uint64_t assured_from; /* doubted, checking: an ACK of a packet from here on ends it */
	uint64_t response;  /* to CHALLENGE */
	uint32_t needed;    /* bytes that the peer asked for; 0: none */
	struct dg_list queues[DG_QUEUES - 1];
	struct dg_window_busy window;
	struct dg_recovery recovery;
	struct dg_congestion congestion;
	struct dg_pacer pacer;
	uint64_t wide[DG_WIDE_WORDS];
	struct {
		uint64_t times[DG_INIT_TIMES]; /* ns: when the last INITs left; 0: none */
		uint32_t tries;
		uint8_t cookie[DG_COOKIE_SIZE];
		bool has_cookie, cookie_used;
	} opening;
	struct dg_sent ring[];
};

struct dg_note {
	struct dg_place to, local;
	uint32_t interface;
	uint16_t len;
	uint8_t bytes[DG_NOTE_BYTES];
};

struct dgram_endpoint {
	struct dgram_endpoint_config config; /* every default filled in */
	struct dgram_endpoint_stats stats;
	uint8_t key[16];   /* of tables */
	uint64_t boot, id;
	struct dg_random random;
	struct dg_cookies cookies;
	struct dg_ids ids;
	struct dg_admission admission;
	struct dg_pool sessions;                       /* struct dg_session by slot */
	struct dg_pool actives;                        /* struct dg_active */
	struct dg_pool messages;                       /* struct dg_message */
	struct dg_pool items;                          /* struct dg_item */
	struct dg_arena arena;
	uint32_t promised;                             /* blocks of the arena that are promised */
	struct dg_index by_place, by_init;             /* slots */
	struct dg_index by_id;                         /* messages */
	struct dg_index by_order;                      /* those that are held, by the message that they wait for */
	struct dg_timers session_timers, message_timers;
	struct dg_list ready, quiet, events;           /* slots, actives, messages */
	struct dg_bucket strangers[DG_STRANGERS];
	struct dg_note *notes;                         /* DG_NOTES and one for each session, for the last words of all */
	uint32_t notes_size, notes_first, notes_count;
	uint32_t lent;                                 /* message whose data the program looks at, or DG_NONE */
	uint32_t requests;                             /* of the peers that wait or run */
	uint32_t serial;                               /* of sessions */
	uint32_t spare_places;                         /* beyond what the packet at hand must have */
	uint64_t spare_blocks;
	uint64_t submitted;                            /* messages */
	uint64_t first_id, first_number;               /* of a session's messages and packets: 0, but in tests of the last ones */
	bool dead;                                     /* abandoned: nothing is said or taken any more */
	uint8_t *scratch;                              /* message_max bytes: a message in one piece */
	uint8_t *gather;                               /* a fragment, or a POST, in one piece */
	void *heap;                                    /* what _free frees; NULL: the memory is the caller's */
};

/* ---- lists by number --------------------------------------------------------------------------- */

#define DG_EMPTY_LIST ((struct dg_list){DG_NONE, DG_NONE})
#define DG_NO_LINK    ((struct dg_link){DG_NONE, DG_NONE})

/* Numbers of a pool, linked through a struct dg_link at this offset of their blocks. */
void dg_list_append(struct dg_list *list, const struct dg_pool *pool, size_t offset,
                    uint32_t number);
void dg_list_insert(struct dg_list *list, const struct dg_pool *pool, size_t offset, uint32_t number,
                    uint32_t behind); /* DG_NONE: first */
void dg_list_remove(struct dg_list *list, const struct dg_pool *pool, size_t offset,
                    uint32_t number);

/* ---- session ----------------------------------------------------------------------------------- */

/* How a session ends. */
struct dg_ending {
	enum dgram_reason reason;
	int close;      /* enum dg_close to tell the peer, 0: it is told nothing */
	bool moves;     /* what was never exposed goes into another session */
	bool again;     /* and so does what the peer said it will never run */
	uint64_t first; /* of our ids the first that the peer will never run; DG_NO_ID: it did not say */
};

struct dg_session *dg_session_at(const struct dgram_endpoint *ep, uint32_t slot);
struct dg_active *dg_session_active(const struct dgram_endpoint *ep, const struct dg_session *s);
uint64_t dg_session_id(const struct dgram_endpoint *ep, const struct dg_session *s);
const struct dg_profile *dg_session_profile(const struct dg_session *s);
const struct dg_congestion_operations *dg_session_controller(const struct dg_session *s);
uint64_t dg_session_time(const struct dg_session *s, uint64_t now); /* us */

/* The one with this id of the peer's; by our own id. NULL: none. */
struct dg_session *dg_session_of_peer(const struct dgram_endpoint *ep, const struct dg_place *place,
                                      uint64_t peer_id);
struct dg_session *dg_session_by_id(const struct dgram_endpoint *ep, uint64_t id);
bool dg_session_enter_by_init(struct dgram_endpoint *ep, struct dg_session *s);

/* A slot with nothing in it but defaults, in no table yet; and back. */
struct dg_session *dg_session_take(struct dgram_endpoint *ep, const struct dg_place *peer);
void dg_session_give(struct dgram_endpoint *ep, struct dg_session *s);

/* One that sends INIT. NULL: no room. */
struct dg_session *dg_session_initiate(struct dgram_endpoint *ep, const struct dg_place *peer,
                                       uint64_t now);

/* Makes it active. False: no block is free. */
bool dg_session_wake(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);

/* It may have something to send: transmit will ask it. And the opposite. */
void dg_session_touch(struct dgram_endpoint *ep, struct dg_session *s);
void dg_session_untouch(struct dgram_endpoint *ep, struct dg_session *s);

/* It has nothing to send now: when it is due, and whether it is quiet. It may end. */
void dg_session_plan(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);

/* A packet of the peer's came. */
void dg_session_heard(struct dg_session *s, uint64_t now);

uint64_t dg_session_wait(const struct dg_session *s, const struct dg_active *a); /* the PTO, ns */
uint64_t dg_session_silence(const struct dg_session *s);   /* ns after which a PING goes first */
uint64_t dg_session_keepalive_due(const struct dgram_endpoint *ep, const struct dg_session *s);

/* All of these end it, and s is nobody's then: in general; because the peer is gone; because it never came
 * up; because we want it; without a word. close: enum dg_close to tell the peer, or 0. */
void dg_session_end(struct dgram_endpoint *ep, struct dg_session *s, struct dg_ending how,
                    uint64_t now);
void dg_session_lost(struct dgram_endpoint *ep, struct dg_session *s, int close, uint64_t now);
void dg_session_fail(struct dgram_endpoint *ep, struct dg_session *s, enum dgram_reason reason,
                     uint64_t now);
void dg_session_quit(struct dgram_endpoint *ep, struct dg_session *s, int close, uint64_t now);
void dg_session_forget(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
void dg_session_evict(struct dgram_endpoint *ep, uint32_t slot, uint64_t now);
/* Another one takes its place, which has yet to come up: what has not begun goes there, and it ends when it has
 * nothing left. False: it is not the current one, or there is no room; nothing has changed. */
bool dg_session_replace(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);

/* ---- doubt ------------------------------------------------------------------------------------- */

/* The peer may not know it any more. It was silent for long. A packet that we sent since then was
 * acknowledged. */
void dg_doubt(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
void dg_doubt_check(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
/* The probe was answered: its round trip is newer than the one that the doubt is measured by. */
void dg_doubt_hasten(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_session *probe,
                       uint64_t now);
void dg_doubt_assured(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);

/* ---- current ----------------------------------------------------------------------------------- */

/* The one that new messages to a place use; NULL: none. */
struct dg_session *dg_current(const struct dgram_endpoint *ep, const struct dg_place *place);

/* It becomes the current one of its place: unless a better one is; in any case. What waits goes there: the
 * latter has to be active if something does. */
void dg_current_offer(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
void dg_current_follow(struct dgram_endpoint *ep, struct dg_session *s);

/* It has ended. */
void dg_current_leave(struct dgram_endpoint *ep, struct dg_session *s);

/* Something waits in it that may go into another one. */
bool dg_current_has_movable(const struct dgram_endpoint *ep, const struct dg_session *s);

/* An ordered message may begin in it: those before it, in earlier sessions with the peer, have ended. */
bool dg_current_is_in_order(const struct dgram_endpoint *ep, const struct dg_session *s);

/* An ordered message of ours in it has ended: who waits for that may begin. */
void dg_current_ordered_ended(struct dgram_endpoint *ep, struct dg_session *s);

/* ---- hello and note ---------------------------------------------------------------------------- */

enum dgram_fate dg_hello_init(struct dgram_endpoint *ep, const struct dg_place *from,
                              const struct dg_parts *parts, const struct dgram_datagram *in,
                              uint64_t now);
enum dgram_fate dg_hello_accept(struct dgram_endpoint *ep, const struct dg_place *from,
                                const struct dg_parts *parts, const struct dgram_datagram *in,
                                uint64_t now);
enum dgram_fate dg_hello_cookie(struct dgram_endpoint *ep, const struct dg_place *from,
                                const struct dg_parts *parts, const struct dgram_datagram *in);
enum dgram_fate dg_hello_busy(struct dgram_endpoint *ep, const struct dg_place *from,
                              const struct dg_parts *parts, const struct dgram_datagram *in,
                              uint64_t now);
enum dgram_fate dg_hello_nosession(struct dgram_endpoint *ep, const struct dg_place *from,
                                   const struct dg_parts *parts, const struct dgram_datagram *in,
                                   uint64_t now);
enum dgram_fate dg_hello_stranger(struct dgram_endpoint *ep, const struct dg_place *from,
                                  const struct dg_parts *parts, const struct dgram_datagram *in,
                                  uint64_t now);
void dg_hello_write(struct dgram_endpoint *ep, struct dg_session *s, struct dgram_datagram *out,
                    uint64_t now);
void dg_hello_of(const struct dgram_endpoint *ep, const struct dg_session *s, struct dg_hello *out);

void dg_note_accept(struct dgram_endpoint *ep, const struct dg_session *s, uint64_t time,
                    const struct dgram_datagram *in);
void dg_note_cookie(struct dgram_endpoint *ep, const struct dg_place *to, uint64_t receiver,
                    const struct dgram_datagram *in, uint64_t now);
void dg_note_busy(struct dgram_endpoint *ep, const struct dg_place *to, uint64_t receiver,
                  uint32_t retry_ms, const struct dgram_datagram *in);
void dg_note_nosession(struct dgram_endpoint *ep, const struct dg_place *to, uint64_t receiver,
                       uint64_t number, const struct dgram_datagram *in);
void dg_note_close(struct dgram_endpoint *ep, struct dg_session *s, uint8_t reason, uint64_t now);
bool dg_note_take(struct dgram_endpoint *ep, struct dgram_datagram *out); /* false: there is none */

/* ---- frames and settle ------------------------------------------------------------------------- */

/* Whether all of them can be taken. Where not, at most what they say of our own packets changes anything. */
enum dgram_fate dg_frames_judge(struct dgram_endpoint *ep, struct dg_session *s,
                                struct dg_reader frames, uint64_t now);
/* False: the session has ended. */
bool dg_frames_apply(struct dgram_endpoint *ep, struct dg_session *s, struct dg_reader frames,
                     uint64_t now);

/* An ACK came; a timer of recovery's is over; the session ends. */
void dg_settle_ack(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *ack,
                   uint64_t now);
void dg_settle_timeout(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
void dg_settle_forget(struct dgram_endpoint *ep, struct dg_active *a);
void dg_item_unref(struct dgram_endpoint *ep, uint32_t first);
void dg_item_requeue(struct dgram_endpoint *ep, struct dg_session *s, uint32_t first, uint64_t now);
struct dg_message *dg_item_message(const struct dgram_endpoint *ep, const struct dg_session *s,
                                   const struct dg_item *item);

/* ---- messages ---------------------------------------------------------------------------------- */

struct dg_message *dg_message_at(const struct dgram_endpoint *ep, uint32_t number);
uint64_t dg_message_handle(const struct dg_message *m);
struct dg_message *dg_message_by_handle(const struct dgram_endpoint *ep, uint64_t handle);
struct dg_message *dg_message_find(const struct dgram_endpoint *ep, const struct dg_session *s,
                                   uint64_t id, bool ours);
struct dg_message *dg_message_take(struct dgram_endpoint *ep, struct dg_session *s, bool ours);
bool dg_message_enter(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_leave_index(struct dgram_endpoint *ep, struct dg_message *m);
/* Among those that are held for the message with this id: one of them, NULL: none. */
struct dg_message *dg_message_waiter(const struct dgram_endpoint *ep, const struct dg_session *s,
                                     uint64_t order);
bool dg_message_hold_back(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_let_go(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_join(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *s);
void dg_message_part(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_release(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_free_cells(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_free_reply(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_queue(struct dgram_endpoint *ep, struct dg_message *m, enum dg_queue queue);
struct dg_message *dg_message_first(const struct dgram_endpoint *ep, const struct dg_session *s,
                                    enum dg_queue queue); /* NULL: none */
void dg_message_rotate(struct dgram_endpoint *ep, struct dg_message *m);
void dg_message_plan(struct dgram_endpoint *ep, const struct dg_message *m);
void dg_message_event(struct dgram_endpoint *ep, struct dg_message *m, enum dgram_event_type event);
void dg_message_no_event(struct dgram_endpoint *ep, struct dg_message *m);
bool dg_message_hold(struct dgram_endpoint *ep, struct dg_message *m, const void *data, size_t len,
                     uint32_t exchange);
uint32_t dg_message_blocks(const struct dgram_endpoint *ep, const struct dg_message *m);
const uint8_t *dg_message_bytes(const struct dgram_endpoint *ep, const struct dg_cells *cells,
                                uint32_t offset, size_t len, uint8_t *scratch);
void dg_message_lose(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *next,
                     const struct dg_ending *how, uint64_t now);

bool dg_promise(struct dgram_endpoint *ep, uint32_t *promised, uint64_t bytes);
void dg_promise_drop(struct dgram_endpoint *ep, uint32_t *promised);
bool dg_promise_first(struct dgram_endpoint *ep, struct dg_session *s);
void dg_promise_kept(struct dgram_endpoint *ep, struct dg_session *s, uint64_t bytes);
void dg_promise_ids(const struct dgram_endpoint *ep, struct dg_session *s);
void dg_promise_more(struct dgram_endpoint *ep, struct dg_session *s, uint64_t wanted);

/* Ours: what the peer said of them, what became of their packets, what is due. */
bool dg_out_can_move(const struct dg_message *m, const struct dg_ending *how);
void dg_out_move(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *to);
void dg_out_lose(struct dgram_endpoint *ep, struct dg_message *m, struct dg_session *next,
                 const struct dg_ending *how, uint64_t now);
void dg_out_ask_again(struct dgram_endpoint *ep, struct dg_session *s);
bool dg_out_is_used_up(const struct dg_session *s, const struct dg_active *a);
/* False: none that waits behind it may begin now either. */
bool dg_out_begin(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m, uint64_t now);
void dg_out_acked(struct dgram_endpoint *ep, struct dg_session *s, struct dg_message *m,
                  const struct dg_item *item, uint64_t now);
void dg_out_lost(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_item *item);
void dg_out_end(struct dgram_endpoint *ep, struct dg_message *m, enum dgram_outcome outcome,
                enum dgram_reason reason, uint64_t now);
void dg_out_timeout(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now);
void dg_out_reply(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f, uint64_t now);
void dg_out_no(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f, uint64_t now);
void dg_out_accepted(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id);
void dg_out_echoed(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f, uint64_t now);

/* Theirs. */
void dg_in_fragment(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f,
                    uint64_t now);
void dg_in_post(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f, uint64_t now);
void dg_in_echo(struct dgram_endpoint *ep, struct dg_session *s, uint64_t number);
void dg_in_pull(struct dgram_endpoint *ep, struct dg_session *s, uint64_t id, uint64_t now);
void dg_in_cancel(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f, uint64_t now);
void dg_in_reset(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f);
void dg_in_need(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f, uint64_t now);
void dg_in_look_for_room(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
void dg_in_grant(struct dgram_endpoint *ep, struct dg_session *s, const struct dg_frame *f);
void dg_in_settled(struct dgram_endpoint *ep, struct dg_session *s, uint64_t below);
void dg_in_acked(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_item *item);
void dg_in_lost(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_item *item);
void dg_in_timeout(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now);
void dg_in_lose(struct dgram_endpoint *ep, struct dg_message *m, const struct dg_ending *how);
void dg_in_forget(struct dgram_endpoint *ep, struct dg_message *m);
void dg_in_release_held(struct dgram_endpoint *ep, struct dg_session *s);
void dg_in_release_skipped(struct dgram_endpoint *ep, struct dg_session *s);
void dg_in_given(struct dgram_endpoint *ep, struct dg_message *m);
bool dg_in_is_expired(struct dgram_endpoint *ep, struct dg_message *m, uint64_t now);

/* ---- the way out ------------------------------------------------------------------------------- */

void dg_address(struct dgram_datagram *out, const struct dg_place *to, const struct dg_place *local,
                uint32_t interface);
uint64_t dg_transmit_due(const struct dgram_endpoint *ep, const struct dg_session *s,
                         struct dg_active *a, uint64_t now);
void dg_timeouts(struct dgram_endpoint *ep, uint64_t now);
void dg_event_release(struct dgram_endpoint *ep);

/* The largest datagram of a path: what was said, what was lost, what was found. */
void dg_path_told(struct dgram_endpoint *ep, struct dg_session *s, uint32_t mtu, uint64_t now);
void dg_path_timeout(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now);
bool dg_path_wants_probe(const struct dgram_endpoint *ep, const struct dg_session *s,
                         const struct dg_active *a, uint64_t now);
uint16_t dg_path_probe(const struct dgram_endpoint *ep, const struct dg_session *s, struct dg_active *a);
void dg_path_acked(struct dgram_endpoint *ep, struct dg_session *s, uint16_t size, uint64_t now);
void dg_path_lost(struct dgram_endpoint *ep, struct dg_session *s, uint16_t size, uint64_t now);

#endif
