/* heap.h - what is due next: a binary heap of times that is fair, the first in being the first out
 * among equals. */
#ifndef DG_RELAY_HEAP_H
#define DG_RELAY_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct dg_heap_item {
	uint64_t due;
	uint64_t order;
	size_t value;
};

struct dg_heap {
	struct dg_heap_item *items; /* the owner's memory, with room for all it will ever add */
	size_t count;
	uint64_t next_order;
};

void dg_heap_add(struct dg_heap *heap, uint64_t due, size_t value);

/* The value with the least due, taken out. The heap is not empty. */
size_t dg_heap_take(struct dg_heap *heap);

/* DGRAM_NEVER when it is empty. */
uint64_t dg_heap_due(const struct dg_heap *heap);

#endif
