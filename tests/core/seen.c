#include "core/seen.h"

#include "base/random.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define LAST_ID ((UINT64_C(1) << 62) - 2)
#define WORDS   (DG_SEEN_WIDEST / 64)

static void ids_are_new_once_in_any_order(void **state)
{
	static const struct {
		uint64_t id;
		enum dg_seen_state was;
		uint64_t below; /* then */
	} rows[] = {
	        {0, DG_SEEN_NEW, 1},    {0, DG_SEEN_BEFORE, 1},  {2, DG_SEEN_NEW, 1},
	        {2, DG_SEEN_BEFORE, 1}, {64, DG_SEEN_NEW, 1},    {65, DG_SEEN_BEYOND, 1},
	        {1, DG_SEEN_NEW, 3},    {1, DG_SEEN_BEFORE, 3},  {65, DG_SEEN_NEW, 3},
	        {66, DG_SEEN_NEW, 3},   {67, DG_SEEN_BEYOND, 3}, {UINT64_MAX, DG_SEEN_BEYOND, 3},
	};
	struct dg_seen seen = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(dg_seen_state(&seen, rows[i].id), rows[i].was);
		assert_int_equal(dg_seen_mark(&seen, rows[i].id), rows[i].was);
		assert_true(seen.below == rows[i].below);
	}
}

static void the_watermark_waits_for_the_lowest_id_however_many_are_seen_above(void **state)
{
	uint64_t memory[WORDS];
	struct dg_seen seen = {.below = 1000003};

	(void)state;
	dg_seen_widen(&seen, memory, WORDS);
	for (uint64_t i = 1; i < DG_SEEN_WIDEST; i++)
		assert_int_equal(dg_seen_mark(&seen, 1000003 + i), DG_SEEN_NEW);
	assert_int_equal(dg_seen_mark(&seen, 1000003 + DG_SEEN_WIDEST), DG_SEEN_BEYOND);
	assert_true(seen.below == 1000003);
	assert_false(dg_seen_narrow(&seen));
	assert_int_equal(dg_seen_mark(&seen, 1000003), DG_SEEN_NEW);
	assert_true(seen.below == 1000003 + DG_SEEN_WIDEST);
	for (size_t i = 0; i < WORDS; i++)
		assert_true(memory[i] == 0);
	assert_true(dg_seen_narrow(&seen));
}

static void ids_end_where_the_wire_does(void **state)
{
	uint64_t memory[WORDS];

	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		struct dg_seen seen = {.below = LAST_ID - 1};

		if (wide)
			dg_seen_widen(&seen, memory, WORDS);
		assert_true(dg_seen_end(&seen) == LAST_ID + 1);
		assert_int_equal(dg_seen_mark(&seen, LAST_ID), DG_SEEN_NEW);
		assert_int_equal(dg_seen_mark(&seen, LAST_ID + 1), DG_SEEN_BEYOND);
		assert_int_equal(dg_seen_mark(&seen, LAST_ID + 2), DG_SEEN_BEYOND);
		assert_int_equal(dg_seen_mark(&seen, UINT64_MAX), DG_SEEN_BEYOND);
		assert_int_equal(dg_seen_mark(&seen, LAST_ID - 1), DG_SEEN_NEW);
		assert_true(seen.below == LAST_ID + 1);
		assert_int_equal(dg_seen_mark(&seen, LAST_ID + 1), DG_SEEN_BEYOND);
		assert_int_equal(dg_seen_mark(&seen, 0), DG_SEEN_BEFORE);
	}
}

static void a_window_becomes_narrow_when_what_is_seen_fits(void **state)
{
	uint64_t memory[4];
	struct dg_seen seen = {.below = 130};

	(void)state;
	dg_seen_mark(&seen, 131);
	dg_seen_mark(&seen, 193);
	memset(memory, 0xff, sizeof memory);
	dg_seen_widen(&seen, memory, 4);
	assert_true(dg_seen_end(&seen) == 130 + 256);
	assert_int_equal(dg_seen_state(&seen, 131), DG_SEEN_BEFORE);
	assert_int_equal(dg_seen_state(&seen, 132), DG_SEEN_NEW);
	assert_int_equal(dg_seen_state(&seen, 193), DG_SEEN_BEFORE);
	assert_int_equal(dg_seen_mark(&seen, 194), DG_SEEN_NEW);
	assert_false(dg_seen_narrow(&seen));
	assert_true(dg_seen_end(&seen) == 130 + 256);
	assert_int_equal(dg_seen_mark(&seen, 130), DG_SEEN_NEW);
	assert_true(dg_seen_narrow(&seen));
	assert_true(seen.below == 132 && dg_seen_end(&seen) == 196);
	assert_int_equal(dg_seen_state(&seen, 193), DG_SEEN_BEFORE);
	assert_int_equal(dg_seen_state(&seen, 194), DG_SEEN_BEFORE);
	assert_int_equal(dg_seen_state(&seen, 195), DG_SEEN_NEW);
}

/* A byte for each id there ever was. */
#define MODEL 40000
static uint8_t model[MODEL + 1]; /* nobody ever sees the last one */

static void model_check(const struct dg_seen *seen, uint64_t origin, uint64_t id)
{
	enum dg_seen_state expected = DG_SEEN_NEW;

	if (model[id])
		expected = DG_SEEN_BEFORE;
	else if (origin + id >= dg_seen_end(seen))
		expected = DG_SEEN_BEYOND;
	assert_int_equal(dg_seen_state(seen, origin + id), expected);
}

static void against_the_model(uint64_t origin, uint64_t seed, uint64_t spread)
{
	uint64_t memory[WORDS], lowest = 0;
	struct dg_seen seen = {.below = origin};
	struct dg_random r;

	dg_random_init(&r, seed);
	memset(model, 0, sizeof model);
	for (unsigned step = 0; step < 60000; step++) {
		uint64_t id = lowest + dg_random_below(&r, spread);

		if (dg_random_below(&r, 4) == 0)
			id = lowest; /* else the lowest one would hold up everything */
		if (dg_random_below(&r, 16) == 0)
			id = dg_random_below(&r, lowest + 1);
		if (id >= MODEL)
			break;
		model_check(&seen, origin, id);
		if (dg_seen_mark(&seen, origin + id) == DG_SEEN_NEW)
			model[id] = 1;
		model_check(&seen, origin, id);
		while (model[lowest])
			lowest++;
		assert_true(seen.below == origin + lowest);
		assert_true(dg_seen_end(&seen) - seen.below <= DG_SEEN_WIDEST);
		if (dg_random_below(&r, 8) > 0)
			continue;
		if (seen.words == 0)
			dg_seen_widen(&seen, memory, 1 + (uint32_t)dg_random_below(&r, WORDS));
		else
			dg_seen_narrow(&seen);
	}
	assert_true(lowest > 1000);
}

static void it_agrees_with_a_naive_model(void **state)
{
	static const uint64_t origins[] = {0, 63, UINT32_MAX - 500, LAST_ID - MODEL};

	(void)state;
	for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++)
		for (uint64_t spread = 2; spread < 6000; spread *= 8)
			against_the_model(origins[i], 100 * i + spread, spread);
}

static void an_idle_one_is_24_bytes(void **state)
{
	(void)state;
	printf("seen: %zu bytes idle, and %u busy\n", sizeof(struct dg_seen), DG_SEEN_WIDEST / 8);
	assert_true(sizeof(struct dg_seen) <= 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ids_are_new_once_in_any_order),
	        cmocka_unit_test(the_watermark_waits_for_the_lowest_id_however_many_are_seen_above),
	        cmocka_unit_test(ids_end_where_the_wire_does),
	        cmocka_unit_test(a_window_becomes_narrow_when_what_is_seen_fits),
	        cmocka_unit_test(it_agrees_with_a_naive_model),
	        cmocka_unit_test(an_idle_one_is_24_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
