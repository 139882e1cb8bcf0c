/* arena.h - buffers of any length for messages, from one pool that all sessions share.
 *
 * Credit is a promise: what a peer was allowed to begin must find room, whatever else comes and
 * goes. With buffers in one piece that cannot be kept: they are freed in any order, and what is
 * free falls into pieces. Whoever serves lengths of 1 to n from one space without moving anything
 * may need about log2(n)/2 times the space that is in use (Robson, "Bounds for some functions
 * concerning dynamic storage allocation", 1974); a power-of-two buddy twice that. So a buffer is
 * made of blocks of one size, and there is room exactly when enough blocks are free. A buffer costs
 * at most one block more than its bytes, and one for each table.
 *
 * A buffer of one block is that block. A longer one is a table of blocks, or of tables: the depth
 * depends on the length alone. So each byte is found in a few steps, where a chain would have to be
 * walked. With 2 KiB, the size for hosts, a datagram's worth is one block, 1 MiB has one table, and
 * 4 MiB are 2,048 blocks and 5 tables.
 *
 * A buffer in one block lies in one piece and can be shown as it is (dg_arena_at); a longer one is
 * copied out.
 */
#ifndef DG_CORE_ARENA_H
#define DG_CORE_ARENA_H

#include "core/pool.h"

#define DG_ARENA_BLOCK       2048 /* bytes; a good size for hosts */
#define DG_ARENA_BLOCK_LEAST 64
#define DG_BUFFER_MAX        (UINT32_C(1) << 31) /* bytes */

struct dg_arena {
	struct dg_pool pool;
	uint8_t shift; /* a block is 1 << shift bytes */
};

/* A handle: copy it freely, but give it back once. */
struct dg_buffer {
	uint32_t root; /* the block, or the topmost table */
	uint32_t size; /* bytes; an empty one has no block */
};

/* Bytes of memory for so many blocks. */
size_t dg_arena_size(uint32_t block, uint32_t count);

/* block: a power of two, at least DG_ARENA_BLOCK_LEAST. memory: dg_arena_size() bytes, aligned to
 * DG_POOL_ALIGN. */
void dg_arena_init(struct dg_arena *arena, void *memory, uint32_t block, uint32_t count);

/* How many blocks a buffer of size bytes takes: what to reckon with when credit is granted. */
uint32_t dg_arena_blocks(const struct dg_arena *arena, uint32_t size);

/* Blocks that are free: a buffer that takes no more than this finds room. */
uint32_t dg_arena_free(const struct dg_arena *arena);

/* A buffer of size (at most DG_BUFFER_MAX) bytes; what is in it is left from before. False: too few
 * blocks, none taken. The work is one step for each block. */
bool dg_arena_take(struct dg_arena *arena, struct dg_buffer *out, uint32_t size);

void dg_arena_give(struct dg_arena *arena, const struct dg_buffer *buffer);

/* Where byte offset (below size) of a buffer is. *len: how many bytes are wanted; then, how many of
 * them lie there in one piece. */
void *dg_arena_at(const struct dg_arena *arena, const struct dg_buffer *buffer, uint32_t offset,
                  size_t *len);

/* len bytes from offset on, all of them inside the buffer. */
void dg_arena_write(struct dg_arena *arena, const struct dg_buffer *buffer, uint32_t offset,
                    const void *data, size_t len);
void dg_arena_read(const struct dg_arena *arena, const struct dg_buffer *buffer, uint32_t offset,
                   void *data, size_t len);

#endif
