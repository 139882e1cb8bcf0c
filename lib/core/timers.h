/* timers.h - which of many is due next: one timer for each index from 0 on, in a binary heap that
 * knows where each of them stands, so that it can be moved and taken out in place.
 *
 * Among equal times the one that was set first comes first: the order never depends on the shape of
 * the heap.
 */
#ifndef DG_CORE_TIMERS_H
#define DG_CORE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct dg_timer {
	uint64_t due; /* ns */
	uint32_t who;
	uint32_t order; /* of setting; wraps */
};

struct dg_timers {
	struct dg_timer *heap;
	uint32_t *place; /* of who in the heap, from 1 on; 0: not set */
	uint32_t count;
	uint32_t next_order;
};

/* Bytes of memory that timers for the indices 0 to capacity - 1 need: 20 for each. */
size_t dg_timers_size(uint32_t capacity);

/* memory: aligned for a uint64_t; it stays the caller's and must live as long as t. */
void dg_timers_init(struct dg_timers *t, void *memory, uint32_t capacity);

/* Sets who's only timer, or moves it; DGRAM_NEVER: takes it out. The time it has already changes
 * nothing. */
void dg_timers_set(struct dg_timers *t, uint32_t who, uint64_t due);

/* When who is due; DGRAM_NEVER: it is not set. */
uint64_t dg_timers_of(const struct dg_timers *t, uint32_t who);

/* When the first one is due; DGRAM_NEVER: none is set. */
uint64_t dg_timers_due(const struct dg_timers *t);

/* Takes the first one out: its index. At least one is set. */
uint32_t dg_timers_take(struct dg_timers *t);

#endif
