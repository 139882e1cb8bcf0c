/* cells.h - one message put together from fragments, in cells of 64 bytes.
 *
 * Fragments begin at multiples of 64 bytes and end at one or with the message, so whether a cell is
 * there is one bit. They may be cut anew when the path changes, overlap, and come in any order and
 * twice. The first copy of a cell wins: bytes that were taken never change, whatever comes later. A
 * fragment that claims another total is said and not taken.
 *
 * The message and, behind it, its map are one buffer of an arena: who has room for the message can
 * put it together.
 */
#ifndef DG_CORE_CELLS_H
#define DG_CORE_CELLS_H

#include "core/arena.h"

#define DG_CELLS_MAX (UINT32_C(1) << 30) /* bytes of a message */

struct dg_cells {
	struct dg_buffer
	        buffer;   /* its first total bytes are the message; the owner gives it back */
	uint32_t total;   /* bytes */
	uint32_t missing; /* cells */
};

enum dg_cells_result {
	DG_CELLS_COMPLETE,    /* with this fragment; said once */
	DG_CELLS_TAKEN,       /* some of it was new */
	DG_CELLS_COPY,        /* nothing of it was new */
	DG_CELLS_OTHER_TOTAL, /* not taken: it is of a message of another length */
	DG_CELLS_MISFIT,      /* not taken: empty, beyond the total, or not at the edges of cells */
};

/* Bytes of buffer for a message of total (at most DG_CELLS_MAX) bytes: dg_arena_blocks() of this is
 * its price. */
uint32_t dg_cells_buffer(uint32_t total);

/* Reserves all that a message will need. False: too long, or no room in the arena. A message of 0
 * bytes is complete. */
bool dg_cells_begin(struct dg_cells *cells, struct dg_arena *arena, uint64_t total);

/* A fragment: len bytes of data at offset in a message of total bytes. */
struct dg_fragment {
	const uint8_t *data;
	size_t len;
	uint64_t offset, total;
};

enum dg_cells_result dg_cells_put(struct dg_cells *cells, struct dg_arena *arena,
                                  const struct dg_fragment *fragment);

/* The same machine for a message that goes out: the owner writes its bytes into the buffer, and a cell
 * counts as there once it was sent. Each gives how many cells changed. offset and len (not 0) are at the
 * edges of cells. */
uint32_t dg_cells_mark(struct dg_cells *cells, struct dg_arena *arena, uint32_t offset,
                       uint32_t len);
uint32_t dg_cells_unmark(struct dg_cells *cells, struct dg_arena *arena, uint32_t offset,
                         uint32_t len);

/* The cells that so many bytes take. */
uint32_t dg_cells_count(uint32_t bytes);

/* The first missing bytes at or after *offset, which becomes theirs, and *len. False: none is
 * missing from there on, and both are as before. */
bool dg_cells_missing(const struct dg_cells *cells, const struct dg_arena *arena, uint32_t *offset,
                      uint32_t *len);

/* The same, looking no further than most (not 0) bytes, rounded up to cells: what a datagram has room for. */
bool dg_cells_next(const struct dg_cells *cells, const struct dg_arena *arena, uint32_t *offset,
                   uint32_t *len, uint32_t most);

#endif
