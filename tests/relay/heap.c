#include "relay/heap.h"

#include <dgram/time.h>

#include "test.h"

#define MANY 2000

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

static void an_empty_heap_is_never_due(void **state)
{
	struct dg_heap heap = {0};

	(void)state;
	assert_true(dg_heap_due(&heap) == DGRAM_NEVER);
}

static void the_soonest_comes_first_and_equals_in_their_order(void **state)
{
	static struct dg_heap_item items[MANY];
	static uint64_t due[MANY];
	struct dg_heap heap = {.items = items};
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		due[i] = next_random(&random) % 50;
		dg_heap_add(&heap, due[i], i);
	}
	for (size_t i = 0, last = 0; i < MANY; i++) {
		uint64_t soonest = dg_heap_due(&heap);
		size_t value = dg_heap_take(&heap);
		assert_true(due[value] == soonest);
		if (i > 0)
			assert_true(due[value] > due[last] ||
			            (due[value] == due[last] && value > last));
		last = value;
	}
	assert_int_equal(heap.count, 0);
}

static void taking_between_adding_keeps_the_order(void **state)
{
	static struct dg_heap_item items[MANY];
	struct dg_heap heap = {.items = items};
	uint64_t random = 2, now = 0;

	(void)state;
	for (size_t step = 0; step < 20 * MANY; step++) {
		if (heap.count == MANY || (heap.count > 0 && next_random(&random) % 2)) {
			assert_true(dg_heap_due(&heap) >= now);
			now = dg_heap_due(&heap);
			dg_heap_take(&heap);
		} else {
			dg_heap_add(&heap, now + next_random(&random) % 1000, step);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_heap_is_never_due),
	        cmocka_unit_test(the_soonest_comes_first_and_equals_in_their_order),
	        cmocka_unit_test(taking_between_adding_keeps_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
