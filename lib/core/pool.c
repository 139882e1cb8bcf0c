#include "core/pool.h"

#include <assert.h>
#include <string.h>

static size_t rounded(uint32_t size)
{
	size_t aligned = ((size_t)size + DG_POOL_ALIGN - 1) / DG_POOL_ALIGN * DG_POOL_ALIGN;

	return aligned > 0 ? aligned : DG_POOL_ALIGN;
}

static size_t bits_size(uint32_t count)
{
	return ((size_t)count + 63) / 64 * sizeof(uint64_t);
}

size_t dg_pool_size(uint32_t size, uint32_t count)
{
	return rounded(size) * count + bits_size(count);
}

void dg_pool_init(struct dg_pool *pool, void *memory, uint32_t size, uint32_t count)
{
	uint8_t *blocks = memory;
	void *bits = blocks + rounded(size) * count;

	assert((uintptr_t)memory % DG_POOL_ALIGN == 0 && count < DG_POOL_NONE);
	*pool = (struct dg_pool){.blocks = blocks,
	                         .taken = bits,
	                         .size = (uint32_t)rounded(size),
	                         .count = count,
	                         .free = DG_POOL_NONE};
	memset(bits, 0, bits_size(count));
}

static uint64_t bit_of(uint32_t block)
{
	return UINT64_C(1) << block % 64;
}

bool dg_pool_is_taken(const struct dg_pool *pool, uint32_t block)
{
	return block < pool->count && pool->taken[block / 64] & bit_of(block);
}

void *dg_pool_at(const struct dg_pool *pool, uint32_t block)
{
	return pool->blocks + (size_t)block * pool->size;
}

uint32_t dg_pool_take(struct dg_pool *pool)
{
	uint32_t block = pool->free;

	if (block != DG_POOL_NONE)
		memcpy(&pool->free, dg_pool_at(pool, block), sizeof pool->free);
	else if (pool->fresh < pool->count)
		block = pool->fresh++;
	else
		return DG_POOL_NONE;
	pool->taken[block / 64] |= bit_of(block);
	pool->used++;
	return block;
}

void dg_pool_give(struct dg_pool *pool, uint32_t block)
{
	bool taken = dg_pool_is_taken(pool, block);

	assert(taken);
	if (!taken)
		return;
	memcpy(dg_pool_at(pool, block), &pool->free, sizeof pool->free);
	pool->free = block;
	pool->taken[block / 64] &= ~bit_of(block);
	pool->used--;
}
