/* The tag is a Feistel network (Luby and Rackoff, "How to construct pseudorandom permutations",
 * 1988): whatever the round function is, each round can be undone, so the whole is a permutation.
 * Halves of 16 bits are small, hence eight rounds where four would do for large ones; they run once
 * in a session's life, because the tag is kept beside the slot. */
#include "core/ids.h"

#include "base/hash.h"

#include <assert.h>
#include <string.h>

#define ROUNDS  8
#define RETIRED (UINT32_MAX - 1) /* uses: even, and not one more is possible */

size_t dg_ids_size(uint32_t slots)
{
	return slots * sizeof(struct dg_id_slot);
}

void dg_ids_init(struct dg_ids *ids, void *memory, uint32_t slots, uint8_t worker,
                 const uint8_t key[16])
{
	assert(slots <= DG_SLOTS_MAX);
	*ids = (struct dg_ids){.slots = memory, .count = slots, .worker = worker};
	memcpy(ids->key, key, sizeof ids->key);
}

/* What is not permuted, slot and round, makes each slot and round a function of its own. */
static uint16_t round_function(const struct dg_ids *ids, uint32_t slot, uint8_t round,
                               uint16_t half)
{
	uint8_t in[] = {(uint8_t)slot, (uint8_t)(slot >> 8), (uint8_t)(slot >> 16),
	                round,         (uint8_t)half,        (uint8_t)(half >> 8)};

	return (uint16_t)dg_hash(ids->key, in, sizeof in);
}

static uint32_t permute(const struct dg_ids *ids, uint32_t slot, uint32_t value)
{
	uint16_t left = (uint16_t)(value >> 16), right = (uint16_t)value;

	for (uint8_t round = 0; round < ROUNDS; round++) {
		uint16_t next = left ^ round_function(ids, slot, round, right);

		left = right;
		right = next;
	}
	return (uint32_t)left << 16 | right;
}

static bool is_used(const struct dg_id_slot *s)
{
	return s->uses % 2 == 1;
}

static uint64_t compose(const struct dg_ids *ids, uint32_t slot)
{
	return (uint64_t)ids->worker << 56 | (uint64_t)slot << 32 | ids->slots[slot].tag;
}

uint64_t dg_ids_begin(struct dg_ids *ids, uint32_t slot)
{
	struct dg_id_slot *s = &ids->slots[slot];

	assert(slot < ids->count && !is_used(s));
	while (s->uses != RETIRED) {
		s->uses++;
		s->tag = permute(ids, slot, s->uses);
		if (compose(ids, slot) != 0)
			return compose(ids, slot);
		s->uses++; /* the one id that means nobody is passed over */
	}
	return 0;
}

bool dg_ids_end(struct dg_ids *ids, uint32_t slot)
{
	struct dg_id_slot *s = &ids->slots[slot];

	assert(slot < ids->count && is_used(s));
	s->uses++;
	return s->uses != RETIRED;
}

uint64_t dg_ids_of(const struct dg_ids *ids, uint32_t slot)
{
	return slot < ids->count && is_used(&ids->slots[slot]) ? compose(ids, slot) : 0;
}

bool dg_ids_find(const struct dg_ids *ids, uint64_t id, uint32_t *slot)
{
	uint32_t at = (uint32_t)(id >> 32) % DG_SLOTS_MAX;

	if (id == 0 || dg_ids_of(ids, at) != id)
		return false;
	*slot = at;
	return true;
}
