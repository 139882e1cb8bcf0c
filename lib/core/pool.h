/* pool.h - blocks of one size from memory that the owner gives, taken and given back one at a time
 * in constant time.
 *
 * Blocks are known by their number, so that a session's slot and a handle of four bytes are the
 * same thing. What was given back last is taken first: it is still in the cache. A block that was
 * never taken is not touched, so pages of a large pool cost nothing until they are used. One bit
 * for each block says whether it is taken; giving back one that is not is an error in the program:
 * an assertion fails, and where those are off nothing happens.
 */
#ifndef DG_CORE_POOL_H
#define DG_CORE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DG_POOL_NONE  UINT32_MAX
#define DG_POOL_ALIGN 16 /* bytes: of the memory, and of each block */

struct dg_pool {
	uint8_t *blocks;
	uint64_t *taken; /* a bit for each block, behind the blocks */
	uint32_t size;   /* bytes of a block, rounded up to DG_POOL_ALIGN */
	uint32_t count;  /* blocks there are */
	uint32_t fresh;  /* blocks from here on were never taken */
	uint32_t free;   /* given back last; its first bytes name the one before. Or DG_POOL_NONE */
	uint32_t used;   /* blocks taken now */
};

/* Bytes of memory for so many blocks. */
size_t dg_pool_size(uint32_t size, uint32_t count);

void dg_pool_init(struct dg_pool *pool, void *memory, uint32_t size, uint32_t count);

/* A block's number; what is in it is left from before. DG_POOL_NONE: all are taken. */
uint32_t dg_pool_take(struct dg_pool *pool);

void dg_pool_give(struct dg_pool *pool, uint32_t block);

bool dg_pool_is_taken(const struct dg_pool *pool, uint32_t block);

void *dg_pool_at(const struct dg_pool *pool, uint32_t block);

#endif
