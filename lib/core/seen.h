/* seen.h - which messages of one direction were taken: the heart of "at most once".
 *
 * Ids are consecutive, but come in any order and several times. All ids below the watermark are
 * seen; for a window above it there is a bit each. The watermark rises over seen ids only, never
 * past one that is unseen: an id is forgotten by being below it, and that means seen for ever. Who
 * gives up on an id has to mark it (RESET).
 *
 * Narrow, the window is 64 ids and the machine 24 bytes: an idle session. Wide, it is up to 16,384
 * ids in memory that the owner lends. An id beyond the window is not taken, whatever was promised:
 * the owner widens first, or drops the packet unacknowledged.
 */
#ifndef DG_CORE_SEEN_H
#define DG_CORE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#define DG_SEEN_NARROW 64    /* ids */
#define DG_SEEN_WIDEST 16384 /* ids: 256 words, 2 KiB */

/* All zero is a direction in which nothing was seen. */
struct dg_seen {
	uint64_t below; /* the watermark: the lowest unseen id */
	union {
		uint64_t narrow;
		uint64_t *wide; /* the owner's */
	} bits; /* of id: bit id % 64 of word id / 64 % words; those outside the window are 0 */
	uint32_t words; /* 0: narrow */
};

enum dg_seen_state {
	DG_SEEN_NEW,
	DG_SEEN_BEFORE,
	DG_SEEN_BEYOND, /* not below dg_seen_end() */
};

enum dg_seen_state dg_seen_state(const struct dg_seen *seen, uint64_t id);

/* What id was until now; if that is DG_SEEN_NEW it is seen from here on, else nothing changes. */
enum dg_seen_state dg_seen_mark(struct dg_seen *seen, uint64_t id);

/* The lowest id above all that are seen. */
uint64_t dg_seen_top(const struct dg_seen *seen);

/* The first id that the window has no room for; never above 2^62 - 1, the last number that the wire
 * can carry. */
uint64_t dg_seen_end(const struct dg_seen *seen);

/* Takes words (1 to DG_SEEN_WIDEST / 64) of memory, whatever is in them, for the window of a narrow
 * one. */
void dg_seen_widen(struct dg_seen *seen, uint64_t *memory, uint32_t words);

/* Gives the memory of a wide one back. False, and stays wide: an id that is 64 or more above the
 * watermark is seen. */
bool dg_seen_narrow(struct dg_seen *seen);

#endif
