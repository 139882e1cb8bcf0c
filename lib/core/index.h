/* index.h - from a key to the numbers of those who have it: a hash table that keeps no keys.
 *
 * Whoever is numbered (a session by its slot) is entered under a hash of its key, and found by it:
 * the table offers candidates, the owner compares keys, which it keeps anyway. The hash has to be
 * one that strangers cannot foresee (SipHash under a secret); then chains are short whatever they
 * send. A chain is never longer than DG_INDEX_CHAIN, so the work is bounded, and with as many
 * buckets as numbers that limit is met less than once in 2^100 entries.
 *
 * 12 to 16 bytes for each number; a chained table because it has neither tombstones nor entries
 * that move.
 */
#ifndef DG_CORE_INDEX_H
#define DG_CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DG_INDEX_NONE  UINT32_MAX
#define DG_INDEX_CHAIN 32

struct dg_index_entry {
	uint32_t hash; /* the upper half */
	uint32_t next; /* of the same bucket: a number plus one; 0: none */
};

struct dg_index {
	uint32_t *buckets; /* likewise, the first one */
	struct dg_index_entry *entries;
	uint32_t mask; /* buckets less one, a power of two */
};

/* Bytes of memory for the numbers from 0 to count (at least 1, at most 2^31) less one. */
size_t dg_index_size(uint32_t count);

/* memory: dg_index_size() bytes, aligned for uint32_t, all zero. */
void dg_index_init(struct dg_index *index, void *memory, uint32_t count);

/* Enters a number, which is not in it. False: its chain is full. */
bool dg_index_add(struct dg_index *index, uint32_t number, uint64_t hash);

/* Takes out a number, which is in it, under the hash it was entered with. */
void dg_index_remove(struct dg_index *index, uint32_t number, uint64_t hash);

/* The first candidate for this hash, and the next one after that: everybody who was entered with
 * it, and by rare chance somebody else. DG_INDEX_NONE: there are no more. */
uint32_t dg_index_first(const struct dg_index *index, uint64_t hash);
uint32_t dg_index_next(const struct dg_index *index, uint32_t number);

#endif
