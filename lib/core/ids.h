/* ids.h - the ids that an endpoint gives its sessions: unique by construction, hard to guess, and
 * the way back to the session without a search.
 *
 *   worker 8 | slot 24 | tag 32
 *
 * The slot is the session's place in the endpoint's table. The tag is a permutation, under a key,
 * of how often the slot has been used: so no two sessions of a slot ever have the same tag, and who
 * has seen many cannot tell the next. A slot that has had DG_IDS_PER_SLOT sessions is retired.
 * Nobody's session has the id 0.
 *
 * Which endpoint of several that share a port a datagram is for can be read from its first byte.
 */
#ifndef DG_CORE_IDS_H
#define DG_CORE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DG_SLOTS_MAX    (UINT32_C(1) << 24)
#define DG_IDS_PER_SLOT INT32_MAX

struct dg_id_slot {
	uint32_t uses; /* odd: a session has it; even: none. Zeroed memory is a fresh slot */
	uint32_t tag;  /* of the session that has it */
};

struct dg_ids {
	uint8_t key[16];
	struct dg_id_slot *slots;
	uint32_t count;
	uint8_t worker;
};

/* Bytes of memory for so many slots (at most DG_SLOTS_MAX). */
size_t dg_ids_size(uint32_t slots);

/* memory: dg_ids_size() bytes, aligned for uint32_t, all zero; untouched until a slot is used. key:
 * 16 bytes that were never used before, else ids of an earlier life come again. */
void dg_ids_init(struct dg_ids *ids, void *memory, uint32_t slots, uint8_t worker,
                 const uint8_t key[16]);

/* An id for the next session in this slot, which has none now. 0: the slot is retired. */
uint64_t dg_ids_begin(struct dg_ids *ids, uint32_t slot);

/* The session in this slot has ended: its id finds nothing any more. False: the slot is retired,
 * use it no more. */
bool dg_ids_end(struct dg_ids *ids, uint32_t slot);

/* The id of the session in this slot; 0: there is none. */
uint64_t dg_ids_of(const struct dg_ids *ids, uint32_t slot);

/* The slot of the session with this id; false: nobody has it. */
bool dg_ids_find(const struct dg_ids *ids, uint64_t id, uint32_t *slot);

/* The worker that gave an id. */
static inline uint8_t dg_id_worker(uint64_t id)
{
	return (uint8_t)(id >> 56);
}

#endif
