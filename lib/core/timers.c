#include "core/timers.h"

#include <dgram/time.h>
#include <stdbool.h>
#include <string.h>

/* Orders are compared by their distance, so that they may wrap. */
static bool before(const struct dg_timer *a, const struct dg_timer *b)
{
	return a->due != b->due ? a->due < b->due : a->order - b->order > UINT32_MAX / 2;
}

static void put(struct dg_timers *t, uint32_t at, struct dg_timer timer)
{
	t->heap[at] = timer;
	t->place[timer.who] = at + 1;
}

static void rise(struct dg_timers *t, uint32_t at, struct dg_timer timer)
{
	while (at > 0 && before(&timer, &t->heap[(at - 1) / 2])) {
		put(t, at, t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(t, at, timer);
}

static void sink(struct dg_timers *t, uint32_t at, struct dg_timer timer)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < t->count && before(&t->heap[child + 1], &t->heap[child]))
			child++;
		if (child >= t->count || !before(&t->heap[child], &timer))
			break;
		put(t, at, t->heap[child]);
		at = child;
	}
	put(t, at, timer);
}

/* Where at stands, timer comes to stand; from there it finds its way. */
static void settle(struct dg_timers *t, uint32_t at, struct dg_timer timer)
{
	if (at > 0 && before(&timer, &t->heap[(at - 1) / 2]))
		rise(t, at, timer);
	else
		sink(t, at, timer);
}

static void take_out(struct dg_timers *t, uint32_t at)
{
	struct dg_timer last = t->heap[--t->count];

	t->place[t->heap[at].who] = 0;
	if (at < t->count)
		settle(t, at, last);
}

size_t dg_timers_size(uint32_t capacity)
{
	return capacity * (sizeof(struct dg_timer) + sizeof(uint32_t));
}

void dg_timers_init(struct dg_timers *t, void *memory, uint32_t capacity)
{
	struct dg_timer *heap = memory;

	*t = (struct dg_timers){.heap = heap, .place = (uint32_t *)(heap + capacity)};
	memset(t->place, 0, capacity * sizeof *t->place);
}

void dg_timers_set(struct dg_timers *t, uint32_t who, uint64_t due)
{
	struct dg_timer timer = {.due = due, .who = who};

	if (due == dg_timers_of(t, who))
		return;
	if (due == DGRAM_NEVER) {
		take_out(t, t->place[who] - 1);
		return;
	}
	timer.order = t->next_order++;
	if (t->place[who] > 0)
		settle(t, t->place[who] - 1, timer);
	else
		rise(t, t->count++, timer);
}

uint64_t dg_timers_of(const struct dg_timers *t, uint32_t who)
{
	return t->place[who] > 0 ? t->heap[t->place[who] - 1].due : DGRAM_NEVER;
}

uint64_t dg_timers_due(const struct dg_timers *t)
{
	return t->count > 0 ? t->heap[0].due : DGRAM_NEVER;
}

uint32_t dg_timers_take(struct dg_timers *t)
{
	uint32_t who = t->heap[0].who;

	take_out(t, 0);
	return who;
}
