#include "base/random.h"

#include <string.h>

#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void the_generator_gives_the_published_numbers(void **state)
{
	/* what the authors' xoshiro256** gives from the state 1, 2, 3, 4 */
	static const uint64_t expected[] = {
		11520,
		0,
		1509978240,
		UINT64_C(1215971899390074240),
		UINT64_C(1216172134540287360),
		UINT64_C(607988272756665600),
		UINT64_C(16172922978634559625),
		UINT64_C(8476171486693032832),
		UINT64_C(10595114339597558777),
		UINT64_C(2904607092377533576),
	};
	struct dg_random r = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++)
		assert_true(dg_random_next(&r) == expected[i]);
}

static void a_seed_is_spread_by_splitmix(void **state)
{
	/* what SplitMix64 gives from the state 1234567 */
	static const uint64_t expected[4] = {
		UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431),
	};
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 1234567);
	assert_memory_equal(r.s, expected, sizeof expected);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
	/* made with a program of our own in another language */
	static const struct {
		uint64_t seed, first;
	} row[] = {
		{0, UINT64_C(0x99ec5f36cb75f2b4)},
		{1, UINT64_C(0xb3f2af6d0fc710c5)},
		{UINT64_MAX, UINT64_C(0x8f5520d52a7ead08)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct dg_random r;

		dg_random_init(&r, row[i].seed);
		assert_true(dg_random_next(&r) == row[i].first);
	}
}

static void a_bounded_number_stays_below(void **state)
{
	static const uint64_t bound[] = {1, 2, 3, 10, 1000, UINT64_C(1) << 32, UINT64_MAX - 1, UINT64_MAX};
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 4);
	for (size_t i = 0; i < COUNT(bound); i++)
		for (int n = 0; n < 1000; n++)
			assert_true(dg_random_below(&r, bound[i]) < bound[i]);
}

/* With n = 3/4 of 2^64, a plain remainder would give the lowest third of the results half of the
 * time. */
static void a_bounded_number_is_even(void **state)
{
	const uint64_t n = UINT64_C(3) << 62;
	int low = 0, count[10] = {0};
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 5);
	for (int i = 0; i < 30000; i++)
		low += dg_random_below(&r, n) < n / 3;
	assert_in_range(low, 9500, 10500); /* six standard deviations to each side */
	for (int i = 0; i < 100000; i++)
		count[dg_random_below(&r, 10)]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(count[i], 9400, 10600);
}

/* A state whose first number is 0, the one that is drawn again first. */
static void a_number_is_drawn_again_only_where_it_must(void **state)
{
	const struct dg_random zero_first = {{1, 0, 3, 4}};
	struct dg_random once = zero_first, r = zero_first;

	(void)state;
	assert_true(dg_random_next(&once) == 0);
	assert_true(dg_random_below(&r, UINT64_C(1) << 63) == 0); /* divides 2^64 */
	assert_memory_equal(&r, &once, sizeof r);
	r = zero_first;
	assert_true(dg_random_below(&r, UINT64_MAX) != 0); /* leaves a remainder of 1 */
	assert_memory_not_equal(&r, &once, sizeof r);
}

static void what_a_part_draws_changes_nothing_for_the_others(void **state)
{
	struct dg_random a, b, part_a, part_b;

	(void)state;
	dg_random_init(&a, 6);
	dg_random_init(&b, 6);
	dg_random_split(&a, &part_a);
	dg_random_split(&b, &part_b);
	assert_true(dg_random_next(&part_a) == dg_random_next(&part_b));
	for (int i = 0; i < 100; i++)
		dg_random_next(&part_a);
	assert_memory_equal(&a, &b, sizeof a);
	dg_random_split(&a, &part_a); /* a second part is another one */
	dg_random_split(&b, &part_b);
	assert_memory_equal(&part_a, &part_b, sizeof part_a);
	dg_random_split(&a, &part_a);
	assert_memory_not_equal(&part_a, &part_b, sizeof part_a);
	assert_memory_not_equal(&part_a, &a, sizeof part_a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generator_gives_the_published_numbers),
		cmocka_unit_test(a_seed_is_spread_by_splitmix),
		cmocka_unit_test(the_same_seed_gives_the_same_numbers),
		cmocka_unit_test(a_bounded_number_stays_below),
		cmocka_unit_test(a_bounded_number_is_even),
		cmocka_unit_test(a_number_is_drawn_again_only_where_it_must),
		cmocka_unit_test(what_a_part_draws_changes_nothing_for_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
