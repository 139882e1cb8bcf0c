#include "core/timers.h"

#include "base/random.h"

#include <dgram/time.h>
#include <stdlib.h>

#include "test.h"

#define MANY 300

static struct dg_timers fresh(void **memory, uint32_t capacity)
{
	struct dg_timers t;

	*memory = malloc(dg_timers_size(capacity)); /* exactly: a sanitizer sees a byte too many */
	assert_non_null(*memory);
	dg_timers_init(&t, *memory, capacity);
	return t;
}

static void nobody_is_due_until_a_timer_is_set(void **state)
{
	void *memory;
	struct dg_timers t = fresh(&memory, 4);

	(void)state;
	assert_int_equal(dg_timers_size(100000), 2000000);
	assert_true(dg_timers_due(&t) == DGRAM_NEVER);
	dg_timers_set(&t, 3, DGRAM_NEVER);
	assert_true(dg_timers_due(&t) == DGRAM_NEVER);
	dg_timers_set(&t, 3, 7);
	assert_int_equal(dg_timers_due(&t), 7);
	assert_int_equal(dg_timers_of(&t, 3), 7);
	assert_true(dg_timers_of(&t, 0) == DGRAM_NEVER);
	dg_timers_set(&t, 3, DGRAM_NEVER);
	assert_true(dg_timers_due(&t) == DGRAM_NEVER);
	free(memory);
}

static void equals_come_in_the_order_in_which_they_were_set(void **state)
{
	void *memory;
	struct dg_timers t = fresh(&memory, MANY);

	(void)state;
	t.next_order = UINT32_MAX - MANY / 2; /* it wraps on the way */
	for (uint32_t i = 0; i < MANY; i++)
		dg_timers_set(&t, (i * 7) % MANY, 5);
	for (uint32_t i = 0; i < MANY; i++)
		dg_timers_set(&t, i, 5); /* the same time again: no new order */
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(dg_timers_take(&t), (i * 7) % MANY);
	assert_true(dg_timers_due(&t) == DGRAM_NEVER);
	free(memory);
}

/* The same with a list that is searched from end to end. */
struct model {
	uint64_t due[MANY], order[MANY], next_order;
};

static uint32_t model_first(const struct model *m)
{
	uint32_t first = 0;

	for (uint32_t i = 1; i < MANY; i++)
		if (m->due[i] < m->due[first] ||
		    (m->due[i] == m->due[first] && m->order[i] < m->order[first]))
			first = i;
	return first;
}

static void run_against_model(uint64_t seed, uint64_t span)
{
	static struct model m;
	void *memory;
	struct dg_timers t = fresh(&memory, MANY);
	struct dg_random random;

	t.next_order = UINT32_MAX - 500;
	for (size_t i = 0; i < MANY; i++)
		m.due[i] = DGRAM_NEVER;
	dg_random_init(&random, seed);
	for (int step = 0; step < 5000; step++) {
		uint32_t who = (uint32_t)dg_random_below(&random, MANY), first = model_first(&m);
		uint64_t due =
		        dg_random_below(&random, 6) ? dg_random_below(&random, span) : DGRAM_NEVER;

		assert_true(dg_timers_due(&t) == m.due[first]);
		assert_true(dg_timers_of(&t, who) == m.due[who]);
		if (m.due[first] != DGRAM_NEVER && dg_random_below(&random, 3) == 0) {
			assert_int_equal(dg_timers_take(&t), first);
			m.due[first] = DGRAM_NEVER;
			continue;
		}
		dg_timers_set(&t, who, due);
		if (due != m.due[who])
			m.order[who] = m.next_order++;
		m.due[who] = due;
	}
	free(memory);
}

static void it_agrees_with_a_list(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++)
		run_against_model(seed, seed % 2 ? 20 : UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nobody_is_due_until_a_timer_is_set),
	        cmocka_unit_test(equals_come_in_the_order_in_which_they_were_set),
	        cmocka_unit_test(it_agrees_with_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
