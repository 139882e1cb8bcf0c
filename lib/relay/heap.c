#include "relay/heap.h"

#include <dgram/time.h>
#include <stdbool.h>

static bool before(const struct dg_heap_item *a, const struct dg_heap_item *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

void dg_heap_add(struct dg_heap *heap, uint64_t due, size_t value)
{
	struct dg_heap_item item = {.due = due, .order = heap->next_order++, .value = value};
	size_t hole = heap->count++;

	while (hole > 0 && before(&item, &heap->items[(hole - 1) / 2])) {
		heap->items[hole] = heap->items[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	heap->items[hole] = item;
}

size_t dg_heap_take(struct dg_heap *heap)
{
	size_t value = heap->items[0].value;
	struct dg_heap_item last = heap->items[--heap->count];
	size_t hole = 0;

	for (;;) {
		size_t child = 2 * hole + 1;
		if (child + 1 < heap->count && before(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (child >= heap->count || !before(&heap->items[child], &last))
			break;
		heap->items[hole] = heap->items[child];
		hole = child;
	}
	heap->items[hole] = last;
	return value;
}

uint64_t dg_heap_due(const struct dg_heap *heap)
{
	return heap->count > 0 ? heap->items[0].due : DGRAM_NEVER;
}
