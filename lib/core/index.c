#include "core/index.h"

#include <assert.h>

static uint32_t buckets_for(uint32_t count)
{
	uint32_t buckets = 1;

	while (buckets < count)
		buckets *= 2;
	return buckets;
}

size_t dg_index_size(uint32_t count)
{
	return buckets_for(count) * sizeof(uint32_t) + count * sizeof(struct dg_index_entry);
}

void dg_index_init(struct dg_index *index, void *memory, uint32_t count)
{
	index->mask = buckets_for(count) - 1;
	index->buckets = memory;
	index->entries = (void *)(index->buckets + buckets_for(count));
}

static uint32_t *bucket_of(const struct dg_index *index, uint64_t hash)
{
	return &index->buckets[(uint32_t)hash & index->mask];
}

bool dg_index_add(struct dg_index *index, uint32_t number, uint64_t hash)
{
	uint32_t *bucket = bucket_of(index, hash), length = 0;

	for (uint32_t at = *bucket; at > 0; at = index->entries[at - 1].next)
		length++;
	if (length >= DG_INDEX_CHAIN)
		return false;
	index->entries[number] = (struct dg_index_entry){(uint32_t)(hash >> 32), *bucket};
	*bucket = number + 1;
	return true;
}

void dg_index_remove(struct dg_index *index, uint32_t number, uint64_t hash)
{
	uint32_t *link = bucket_of(index, hash);

	while (*link > 0 && *link != number + 1)
		link = &index->entries[*link - 1].next;
	assert(*link == number + 1);
	if (*link == number + 1)
		*link = index->entries[number].next;
}

/* The first one from this link on that has the hash. */
static uint32_t follow(const struct dg_index *index, uint32_t at, uint32_t hash)
{
	while (at > 0 && index->entries[at - 1].hash != hash)
		at = index->entries[at - 1].next;
	return at > 0 ? at - 1 : DG_INDEX_NONE;
}

uint32_t dg_index_first(const struct dg_index *index, uint64_t hash)
{
	return follow(index, *bucket_of(index, hash), (uint32_t)(hash >> 32));
}

uint32_t dg_index_next(const struct dg_index *index, uint32_t number)
{
	const struct dg_index_entry *entry = &index->entries[number];

	return follow(index, entry->next, entry->hash);
}
