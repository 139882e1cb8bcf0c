#include "core/arena.h"

#include <assert.h>
#include <string.h>

/* How far an offset is shifted to be the number of an entry in a table at this depth (1: a table of
 * blocks): a block, and below each table entries of 4 bytes in a whole block. */
static unsigned table_shift(const struct dg_arena *arena, unsigned depth)
{
	return arena->shift + (depth - 1) * (arena->shift - 2U);
}

/* What lies below one entry of a table at this depth, in bytes. */
static uint64_t entry_size(const struct dg_arena *arena, unsigned depth)
{
	return UINT64_C(1) << table_shift(arena, depth);
}

/* Tables above the blocks. */
static unsigned depth_of(const struct dg_arena *arena, uint32_t size)
{
	unsigned depth = 0;

	while (entry_size(arena, depth + 1) < size)
		depth++;
	return depth;
}

size_t dg_arena_size(uint32_t block, uint32_t count)
{
	return dg_pool_size(block, count);
}

void dg_arena_init(struct dg_arena *arena, void *memory, uint32_t block, uint32_t count)
{
	arena->shift = 0;
	while (UINT32_C(1) << arena->shift < block)
		arena->shift++;
	assert(block >= DG_ARENA_BLOCK_LEAST && block == UINT32_C(1) << arena->shift);
	dg_pool_init(&arena->pool, memory, block, count);
}

uint32_t dg_arena_blocks(const struct dg_arena *arena, uint32_t size)
{
	uint64_t blocks = 0;

	for (unsigned depth = depth_of(arena, size) + 1; depth > 0; depth--)
		blocks += (size + entry_size(arena, depth) - 1) >> table_shift(arena, depth);
	return (uint32_t)blocks;
}

uint32_t dg_arena_free(const struct dg_arena *arena)
{
	return arena->pool.count - arena->pool.used;
}

/* A tree for size (more than 0) bytes, for which there are blocks. */
static uint32_t grow(struct dg_arena *arena, unsigned depth, uint64_t size)
{
	uint32_t block = dg_pool_take(&arena->pool), *table = dg_pool_at(&arena->pool, block);
	uint64_t each;

	if (depth == 0)
		return block;
	each = entry_size(arena, depth);
	for (uint32_t i = 0; i * each < size; i++) {
		uint64_t left = size - i * each;

		table[i] = grow(arena, depth - 1, left < each ? left : each);
	}
	return block;
}

static void fell(struct dg_arena *arena, uint32_t block, unsigned depth, uint64_t size)
{
	const uint32_t *table = dg_pool_at(&arena->pool, block);
	uint64_t each = depth > 0 ? entry_size(arena, depth) : size;

	for (uint32_t i = 0; depth > 0 && i * each < size; i++) {
		uint64_t left = size - i * each;

		fell(arena, table[i], depth - 1, left < each ? left : each);
	}
	dg_pool_give(&arena->pool, block);
}

bool dg_arena_take(struct dg_arena *arena, struct dg_buffer *out, uint32_t size)
{
	if (size > DG_BUFFER_MAX || dg_arena_blocks(arena, size) > dg_arena_free(arena))
		return false;
	*out = (struct dg_buffer){.root = DG_POOL_NONE, .size = size};
	if (size > 0)
		out->root = grow(arena, depth_of(arena, size), size);
	return true;
}

void dg_arena_give(struct dg_arena *arena, const struct dg_buffer *buffer)
{
	if (buffer->size > 0)
		fell(arena, buffer->root, depth_of(arena, buffer->size), buffer->size);
}

void *dg_arena_at(const struct dg_arena *arena, const struct dg_buffer *buffer, uint32_t offset,
                  size_t *len)
{
	uint32_t block = buffer->root, within = offset;
	size_t rest;

	assert(offset < buffer->size);
	for (unsigned depth = depth_of(arena, buffer->size); depth > 0; depth--) {
		const uint32_t *table = dg_pool_at(&arena->pool, block);

		block = table[within >> table_shift(arena, depth)];
		within &= (uint32_t)(entry_size(arena, depth) - 1);
	}
	rest = (size_t)entry_size(arena, 1) - within;
	*len = *len < rest ? *len : rest;
	return (uint8_t *)dg_pool_at(&arena->pool, block) + within;
}

void dg_arena_write(struct dg_arena *arena, const struct dg_buffer *buffer, uint32_t offset,
                    const void *data, size_t len)
{
	const uint8_t *from = data;

	for (size_t done = 0, piece; done < len; done += piece) {
		piece = len - done;
		void *to = dg_arena_at(arena, buffer, offset + (uint32_t)done, &piece);
		memcpy(to, from + done, piece);
	}
}

void dg_arena_read(const struct dg_arena *arena, const struct dg_buffer *buffer, uint32_t offset,
                   void *data, size_t len)
{
	uint8_t *to = data;

	for (size_t done = 0, piece; done < len; done += piece) {
		piece = len - done;
		const void *from = dg_arena_at(arena, buffer, offset + (uint32_t)done, &piece);
		memcpy(to + done, from, piece);
	}
}
