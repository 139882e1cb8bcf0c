/* admission.h - who gets one of the places for sessions, and who has to go when they are all taken.
 *
 * A stranger can send any number of INITs, from any number of addresses while it only claims them,
 * and from as many as it has once it must answer. So (docs/WIRE.md, section 3):
 *
 *   - a session begins half-open. Half-open ones have places of their own and never cost a confirmed
 *     session its place. Without a cookie an address has few of them. With one (it is proved) it
 *     has as many as could be confirmed in its share, for it may have many callers. Where there are
 *     no more, one without a cookie makes room, else the oldest of who has most. They end after
 *     DG_HALF_OPEN_LIFE: the owner asks for the oldest.
 *   - a confirmed session takes one of the limited places, and one party at most a share of them.
 *   - a busy session is never ended for another one. An idle one may be: of a party at its share
 *     its own idlest; else, when the table is full, the idlest of the party that has the most idle
 *     ones. So who crowds the table loses first.
 *
 * "The most idle ones", not "the most": who is busy with all that it has cannot give any.
 * Everything is done in a constant number of steps (a list of the idle sessions of each party, and
 * for each number a list of the parties with so many), but for the search among the half-open ones.
 *
 * What a session or a party is, nobody here knows: sessions are slots, a party is a number
 * (dg_place_party()). No clock.
 */
#ifndef DG_CORE_ADMISSION_H
#define DG_CORE_ADMISSION_H

#include "core/index.h"
#include "core/pool.h"

#define DG_HALF_OPEN_MAX  256
#define DG_HALF_OPEN_EACH 4                     /* for one party without a cookie */
#define DG_HALF_OPEN_LIFE UINT64_C(15000000000) /* ns */
#define DG_SHARE_OF       8                     /* a party has at most an eighth of the places */
#define DG_SLOT_NONE      UINT32_MAX

struct dg_admission_limits {
	uint32_t sessions;       /* confirmed ones */
	uint32_t half_open;      /* DG_HALF_OPEN_MAX */
	uint32_t half_open_each; /* DG_HALF_OPEN_EACH */
	uint32_t share;          /* confirmed and proved ones of one party; at least 1 */
};

/* The usual ones for so many sessions. */
struct dg_admission_limits dg_admission_usual(uint32_t sessions);

struct dg_list {
	uint32_t first, last;
};

struct dg_link {
	uint32_t before, after;
};

struct dg_admission_session;

struct dg_admission {
	struct dg_admission_limits limits;
	uint32_t confirmed, half_open; /* sessions now */
	uint32_t most;                 /* idle sessions of the party that has most, as a rank */
	struct dg_list knocking;       /* the half-open ones, the oldest first */
	struct dg_list *ranks; /* parties by how many idle sessions they have, up to the share */
	struct dg_admission_session *sessions;
	struct dg_link *session_links, *party_links;
	struct dg_pool parties;
	struct dg_index index; /* of the parties */
};

/* Slots: from 0 to limits.sessions + limits.half_open less one. */
uint32_t dg_admission_slots(const struct dg_admission_limits *limits);

size_t dg_admission_size(const struct dg_admission_limits *limits);

/* memory: dg_admission_size() bytes, aligned to DG_POOL_ALIGN, all zero. */
void dg_admission_init(struct dg_admission *a, void *memory,
                       const struct dg_admission_limits *limits);

enum dg_room {
	DG_ROOM,       /* there is room */
	DG_ROOM_AFTER, /* there is, once the session in *victim has left */
	DG_ROOM_NONE,  /* nobody can be sent away */
};

/* Is there room for one more confirmed session of this party? */
enum dg_room dg_admission_room(const struct dg_admission *a, uint64_t party, uint32_t *victim);

/* A half-open session in a slot that is unused; proved: with a cookie. False, and nothing has changed: there are
 * too many. */
bool dg_admission_knock(struct dg_admission *a, uint32_t slot, uint64_t party, bool proved);

/* The half-open session is confirmed, and busy. False, and it is still half-open:
 * dg_admission_room() is not DG_ROOM. */
bool dg_admission_enter(struct dg_admission *a, uint32_t slot);

/* A session that we began, confirmed and busy from the start; the share of a party does not count
 * here. False: the table is full. */
bool dg_admission_join(struct dg_admission *a, uint32_t slot, uint64_t party);

/* The confirmed session was used just now, and is busy with nothing any more: of all that are idle
 * it is the last. */
void dg_admission_idle(struct dg_admission *a, uint32_t slot);

/* The confirmed session has something unfinished: it stays. */
void dg_admission_busy(struct dg_admission *a, uint32_t slot);

/* The session in this slot has ended, whatever it was. */
void dg_admission_leave(struct dg_admission *a, uint32_t slot);

/* The half-open session that knocked first; DG_SLOT_NONE: there is none. */
uint32_t dg_admission_oldest(const struct dg_admission *a);

/* The half-open session that has to end before this party, proved, can knock; DG_SLOT_NONE: there is room. It is the
 * party's own where no other has two more. */
uint32_t dg_admission_in_the_way(const struct dg_admission *a, uint64_t party);

/* Half of the half-open places are taken, or this party has all that it may without a cookie. */
bool dg_admission_is_loaded(const struct dg_admission *a, uint64_t party);

#endif
