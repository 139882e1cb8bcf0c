/* message.h - the endpoint (dgram_endpoint_*) in the simulated network: who is there, and what is known of each message by
 * whoever sees everything.
 *
 *   message.c          one run: who is there, the checks at each event and at the end
 *   message_peer.c     a node: an endpoint, called in the order that endpoint.h gives
 *   message_client.c   what its program sends and asks, cancels and closes
 *   message_handler.c  what its program does with what comes
 *   message_check.c    what must hold of each message
 *   message_wire.c     what must hold of each datagram that goes by
 *   message_attacker.c who copies, delays and forges
 *   message_table.c    how long an exchange takes (--table)
 */
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include "message_marks.h"
#include "run.h"

#include <dgram/endpoint.h>

#define PEERS_MAX    6
#define RECORDS_MAX  320                 /* messages of a run */
#define JOBS_MAX     480                 /* requests that reached a program */
#define BYTES_MAX    ((size_t)512 << 10) /* of a message or a reply */
#define SESSIONS_MAX 8                   /* that a program remembers */
#define ACCOUNTS_MAX 96
#define FLOWS_MAX    64
#define INITS_MAX    16
#define STOPPED_MAX  32
#define LIVE_MAX     64 /* messages of a peer that have not ended */
#define LAST_NUMBERS ((UINT64_C(1) << 62) - 4097) /* packets from here on are for what has begun already */
#define NOBODY       UINT32_MAX
#define PORT         4000 /* of everybody at first; each time a NAT forgets, the next one */

/* A message that somebody submitted. Its number is in its bytes, or in its name where it has fewer than four. */
struct record {
	/* what its sender knows */
	uint8_t kind;
	uint8_t hops;
	bool ordered, idempotent;
	uint32_t from, from_boot, to; /* peers; to: NOBODY where no peer lives */
	struct dgram_addr addr;
	uint64_t handle, submitted, deadline; /* sender's clock */
	uint64_t cancel_at;                   /* DGRAM_NEVER: not */
	bool cancelled;
	uint64_t cancelled_at; /* world time */
	size_t len;
	size_t name_len;
	char name[DGRAM_NAME_MAX + 1];
	bool healed; /* submitted when all was well: it must be answered */
	bool orphan; /* its sender died before its end */
	bool ended;
	uint8_t outcome, reason;
	uint64_t ended_at; /* world time */

	/* what happened to it */
	uint32_t given;           /* times that it was given to a program */
	uint32_t runs;            /* of these, times that a handler began */
	uint32_t jobs;            /* the newest one of it; NOBODY: none */
	uint32_t to_boot;         /* of the receiver, when it was given last */
	uint64_t session, peer_session, number; /* at the receiver */
};

enum job_state {
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_REPLIED,
	JOB_REFUSED,
	JOB_STOPPED,
	JOB_CLOSED,
	JOB_DIED
};

/* A request that reached a program. */
struct job {
	uint32_t record, peer, boot;
	uint32_t next; /* older job of the same record; NOBODY */
	uint64_t handle, session;
	uint64_t due, deadline; /* the peer's clock */
	enum job_state state;
	uint8_t refusal; /* enum dgram_refusal; 0: it will be answered */
	uint8_t status;
	size_t len; /* of the reply */
	unsigned tries;
};

/* Bytes to and from one address, for one boot of a peer. */
struct account {
	struct dgram_addr addr;
	uint64_t in, out;
	bool proved, doubted; /* doubted: NOSESSION came from it */
	uint64_t refused_at;  /* the last NOSESSION to it; 0: none */
};

/* What one boot of a peer sent into one session. */
struct flow {
	uint64_t receiver, own; /* ids; own: 0 where not known */
	struct dgram_addr addr;
	bool responder, heard, closed, large;
	uint64_t next; /* packet number */
	uint64_t burst_at, last_heard;
	uint32_t burst, unheard;       /* asking datagrams sent at once; since something came */
	uint64_t asked, asked_before;  /* bytes of them in all; before those of this instant */
	uint64_t stopped[STOPPED_MAX]; /* ids that CANCEL or RESET ended */
	uint32_t stopped_count;
	uint64_t pulled; /* the newest id that a pulled reply left for, and one */
};

/* An INIT that is being repeated. */
struct attempt {
	uint64_t own, sent_at, wait;
	uint32_t sends;
	bool excused; /* a COOKIE, BUSY or a jump of the clock came between */
};

struct scene;

struct peer {
	struct scene *scene;
	unsigned node; /* in the world; peers are the first ones, so also its index */
	uint32_t boot; /* how often it was restarted */
	struct dg_random random;
	struct dgram_endpoint_config config;
	struct dgram_endpoint *ep;
	struct dgram_endpoint_stats stats; /* as they were last */
	uint64_t given;                    /* datagrams, since its start */
	uint16_t port;                     /* as the others see it */
	bool asks, answers, moves, cramped, lazy;

	/* between two calls */
	bool touched; /* something was done: it may have something to send */
	bool hushed;  /* everything was closed, and nothing came since */
	uint64_t due; /* its deadline() when it was silent last */
	uint64_t silent_at;

	/* its program's plans, own clock */
	uint64_t next_submit, next_close, next_move, next_take;
	uint32_t next_healed; /* whom it asks next on the healed network */
	uint64_t sessions[SESSIONS_MAX];
	struct dgram_addr session_peers[SESSIONS_MAX];
	uint32_t session_count;
	uint16_t live[LIVE_MAX]; /* records that have not ended */
	uint16_t open[JOBS_MAX]; /* jobs that are queued or run */
	uint32_t live_count, open_count;
	uint32_t closes; /* sessions that it closed, all boots */

	struct account accounts[ACCOUNTS_MAX];
	struct flow flows[FLOWS_MAX];
	struct attempt inits[INITS_MAX];
	uint32_t account_count, flow_count, init_count;
	uint64_t heard_inits, heard_asking, said_accept, said_nosession;
	uint64_t ordered[SESSIONS_MAX * 4]
	                [2]; /* session, number and one of the newest ordered message given */
	uint32_t ordered_count;
};

struct attacker;

struct scene {
	struct sim_world *world;
	uint64_t *marks;
	bool ip6, lame;  /* lame: handlers are slow */
	uint64_t first_id, first_number; /* of each session's messages and packets */
	uint64_t settle; /* after the heal: when all must work again, ns */
	struct peer peers[PEERS_MAX];
	uint32_t peer_count;
	struct attacker *attacker; /* NULL: none */
	struct record records[RECORDS_MAX];
	uint32_t record_count;
	struct job jobs[JOBS_MAX];
	uint32_t job_count;
	size_t budget; /* bytes that may still be submitted or answered */
};

#define MARK(scene, name) ((scene)->marks[MARK_##name]++)

/* ---- addresses: node i is 10.0.0.(i+1) or fd00::(i+1); hosts from HOST_FORGED on are nobody ------ */

#define HOST_FORGED 200

struct dgram_addr addr_of(const struct scene *s, unsigned host, uint16_t port);
unsigned host_of(const struct dgram_addr *addr);
/* The channel of the network carries the ports, and the host that a forger claims (0: the true one). */
uint32_t channel_of(unsigned claimed, uint16_t from, uint16_t to);
struct dgram_addr source_of(const struct scene *s, const struct sim_datagram *d);
uint16_t port_to(uint32_t channel);
uint16_t port_from(uint32_t channel);

/* ---- bytes --------------------------------------------------------------------------------------- */

/* The bytes of message or reply number key. */
void fill(uint8_t *out, size_t len, uint32_t key);
bool is_filled(const uint8_t *bytes, size_t len, uint32_t key);

#define REPLY_KEY UINT32_C(0x80000000)

/* ---- peers --------------------------------------------------------------------------------------- */

extern const struct sim_machine peer_machine;

void peer_init(struct peer *p, uint64_t now);
/* Takes the events that there are. */
void peer_take(struct peer *p, uint64_t now);
/* After calls of the program: it has to be asked for datagrams. */
void peer_touch(struct peer *p);
void peer_remember(struct peer *p, uint64_t session, const struct dgram_addr *addr);

/* The program of a peer: what is due at now, and when something is. */
void client_act(struct peer *p, uint64_t now);
uint64_t client_due(const struct peer *p);
void client_done(struct peer *p, const struct dgram_event *event, uint64_t now);
void handler_act(struct peer *p, uint64_t now);
uint64_t handler_due(const struct peer *p);
void handler_request(struct peer *p, const struct dgram_event *event, uint64_t now);
void handler_stop(struct peer *p, const struct dgram_event *event, uint64_t now);
void handler_died(struct peer *p);

/* ---- what must hold ------------------------------------------------------------------------------ */

void fail(const struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A message or request was given to a program; its record, or NULL after a failure. */
struct record *check_given(struct peer *p, const struct dgram_event *event, uint64_t now);
void check_began(struct peer *p, struct record *r, const struct job *j);
void check_done(struct peer *p, struct record *r, const struct dgram_event *event, uint64_t now);
void check_stats(struct peer *p);
void check_fate(struct peer *p, const struct sim_datagram *in, enum dgram_fate fate);
void check_deadlines(const struct peer *p);
void check_end(struct scene *s);

void wire_sent(struct peer *p, const struct dgram_datagram *out, uint64_t now);
void wire_received(struct peer *p, const struct sim_datagram *in, const struct dgram_addr *from,
                   enum dgram_fate fate, uint64_t now);
void wire_restart(struct peer *p);
/* The system said that nobody is at this address: a session may be in doubt. */
void wire_doubt(struct peer *p, const struct dgram_addr *addr);
/* One line for people. */
void wire_print(FILE *to, const uint8_t *data, size_t len);

/* ---- the attacker -------------------------------------------------------------------------------- */

void attacker_add(struct scene *s, struct dg_random *random);
void attacker_sees(struct scene *s, const struct peer *from, unsigned to,
                   const struct dgram_datagram *out);

int message_table(void);

#endif
