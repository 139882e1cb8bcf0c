/* world.h - a network in virtual time, for machines that know neither clock nor socket.
 *
 * Nodes are machines behind five functions. Between each two of them run two links, one a way, each
 * a dgram_relay with what that has not: cuts, late copies, size limits that change, mangling.
 * What a link carries means nothing to it. Time is a 64-bit number that goes from event to event;
 * after each one the inhabitants' check is called. A run has three phases: faults; heal, in which
 * the network is perfect, everybody is up, and what must succeed can be asked to; and drain, in
 * which the inhabitants start nothing and the network must fall silent.
 *
 * The same seed gives the same run: sim_world.hash is over every event.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "clock.h"
#include "faults.h"
#include "link.h"

#include <stdio.h>

#define SIM_NODES_MAX    8
#define SIM_DATAGRAM_MAX 65507

/* The times are those of the node's own clock, ns. */
struct sim_machine {
	/* *in is borrowed for the call. */
	void (*receive)(void *self, const struct sim_datagram *in, uint64_t now);
	/* True: *out (to, channel, data, len) is to be sent; data is borrowed until the next call.
	 * It is called again until false, after each other call and when the deadline is over. */
	bool (*transmit)(void *self, struct sim_datagram *out, uint64_t now);
	uint64_t (*deadline)(const void *self);
	/* All memory is lost. */
	void (*restart)(void *self, uint64_t now);
	/* What the kernel says of the datagram that transmit just gave (at_once; 0: it took it), or
	 * the network of an earlier one: its port is closed, it is unreachable, it is too large.
	 * May be NULL. */
	void (*told)(void *self, const struct sim_datagram *about, int error, bool at_once,
		     uint64_t now);
};

struct sim_node {
	const struct sim_machine *machine;
	void *self;
	struct sim_clock clock;
	uint64_t wake;         /* world time, as all that follow but excused */
	uint64_t paused_until; /* 0: it is not */
	uint64_t down_until;   /* 0: it is up */
	bool silent;           /* down with its host, so that no closed port answers */
	struct sim_inbox inbox; /* what came while it was paused */
	uint64_t excused; /* its clock when it last stood still, restarted or jumped: before that it
			     could not act */
};

enum sim_phase { SIM_FAULTS, SIM_HEAL, SIM_DRAIN, SIM_PHASES };

/* Rare situations of the network that a test of many seeds should have met. */
/* clang-format off */
#define SIM_MARKS(ROW) \
	ROW(LATE_COPY,     "a copy came long after the original") \
	ROW(CUT_ONE_WAY,   "a datagram met a one-way cut") \
	ROW(CUT_BOTH_WAYS, "a datagram met a two-way cut") \
	ROW(UNREACHABLE,   "a cut was reported as unreachable") \
	ROW(TOO_LARGE,     "a datagram was too large, silently") \
	ROW(SIZE_TOLD,     "a datagram was too large, and the path said so") \
	ROW(SIZE_AT_ONCE,  "a datagram was too large for the kernel") \
	ROW(TRUNCATED,     "a datagram was cut short") \
	ROW(EXTENDED,      "a datagram was made longer") \
	ROW(SPLICED,       "two datagrams were spliced") \
	ROW(SEND_ERROR,    "the kernel did not take a datagram") \
	ROW(PORT_CLOSED,   "a closed port refused a datagram") \
	ROW(PAUSED_HOUR,   "a node stood still for more than an hour") \
	ROW(INBOX_FULL,    "a paused node's buffer was full") \
	ROW(DIED_PAUSED,   "a paused node was restarted") \
	ROW(JUMPED_MINUTE, "a clock jumped by more than a minute") \
	ROW(CLOCK_WRAPPED, "a node acted before and after a wrap of its clock")
/* clang-format on */

enum sim_mark {
#define SIM_MARK_ROW(name, text) SIM_MARK_##name,
	SIM_MARKS(SIM_MARK_ROW)
#undef SIM_MARK_ROW
	SIM_MARK_COUNT,
};

struct sim_world {
	struct sim_faults faults;
	uint64_t start, now;
	enum sim_phase phase;
	uint64_t phase_ends[SIM_PHASES]; /* drain: when it must be silent at the latest */
	struct sim_node nodes[SIM_NODES_MAX];
	unsigned node_count;
	struct sim_link links[SIM_NODES_MAX][SIM_NODES_MAX]; /* from, to */
	struct sim_parcel *late;
	uint64_t mishaps[SIM_MISHAPS]; /* when the next one comes */
	bool long_pause;               /* there was one, and it alone goes on to its end */
	struct dg_random random;       /* of the network; inhabitants split theirs off */
	uint64_t seed;

	void (*check)(struct sim_world *world, void *context); /* after each event */
	void *context;
	uint64_t *marks; /* SIM_MARK_COUNT counters of the caller */
	FILE *trace;     /* NULL: none */

	uint64_t events, hash;
	char failure[256]; /* "": none. The first one ends the run */
};

/* faults NULL: drawn from the seed. */
void sim_world_init(struct sim_world *world, uint64_t seed, const struct sim_faults *faults);
void sim_world_free(struct sim_world *world);

/* The number of the new node. */
unsigned sim_world_add(struct sim_world *world, const struct sim_machine *machine, void *self);

/* All three phases, or until something fails. */
void sim_world_run(struct sim_world *world);

/* The node's clock. */
uint64_t sim_world_clock(const struct sim_world *world, unsigned node);

/* Whether it can act: neither paused nor down. */
bool sim_world_is_awake(const struct sim_world *world, unsigned node);

/* For checks: the run fails for this reason. */
void sim_world_fail(struct sim_world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A line of the trace, and part of the hash. data may be NULL. */
void sim_world_note(struct sim_world *world, unsigned node, const char *what, int64_t number,
		    const void *data, size_t len);

#endif
