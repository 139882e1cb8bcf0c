#include "core/index.h"

#include "base/hash.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define COUNT 200

static struct dg_index fresh(uint32_t count)
{
	void *memory = calloc(1, dg_index_size(count));
	struct dg_index index;

	assert_non_null(memory);
	dg_index_init(&index, memory, count);
	return index;
}

static void drop(struct dg_index *index)
{
	free(index->buckets);
}

static bool has(const struct dg_index *index, uint32_t number, uint64_t hash)
{
	uint32_t at = dg_index_first(index, hash);

	while (at != DG_INDEX_NONE && at != number)
		at = dg_index_next(index, at);
	return at == number;
}

static void who_is_entered_is_found_until_it_is_taken_out(void **state)
{
	struct dg_index index = fresh(4);

	(void)state;
	assert_int_equal(dg_index_first(&index, 5), DG_INDEX_NONE);
	assert_true(dg_index_add(&index, 3, 5));
	assert_int_equal(dg_index_first(&index, 5), 3);
	assert_int_equal(dg_index_next(&index, 3), DG_INDEX_NONE);
	assert_int_equal(dg_index_first(&index, 6), DG_INDEX_NONE);
	assert_int_equal(dg_index_first(&index, 5 | UINT64_C(1) << 32), DG_INDEX_NONE);
	dg_index_remove(&index, 3, 5);
	assert_int_equal(dg_index_first(&index, 5), DG_INDEX_NONE);
	drop(&index);
}

static void the_same_hash_gives_every_candidate(void **state)
{
	struct dg_index index = fresh(8);

	(void)state;
	for (uint32_t i = 0; i < 6; i++) /* all in one bucket; three of each hash */
		assert_true(dg_index_add(&index, i, (uint64_t)(i % 2) << 40));
	for (uint32_t i = 0; i < 6; i++) {
		assert_true(has(&index, i, (uint64_t)(i % 2) << 40));
		assert_false(has(&index, i, (uint64_t)((i + 1) % 2) << 40));
	}
	dg_index_remove(&index, 2, 0); /* from the middle */
	assert_true(has(&index, 0, 0) && !has(&index, 2, 0) && has(&index, 4, 0));
	dg_index_remove(&index, 0, 0); /* the end */
	dg_index_remove(&index, 4, 0); /* the beginning */
	assert_int_equal(dg_index_first(&index, 0), DG_INDEX_NONE);
	assert_true(has(&index, 5, UINT64_C(1) << 40));
	drop(&index);
}

static void a_chain_has_an_end(void **state)
{
	struct dg_index index = fresh(2 * DG_INDEX_CHAIN);

	(void)state;
	for (uint32_t i = 0; i < DG_INDEX_CHAIN; i++)
		assert_true(dg_index_add(&index, i, 7));
	assert_false(dg_index_add(&index, 40, 7));
	assert_false(has(&index, 40, 7));
	assert_true(dg_index_add(&index, 40, 8));
	dg_index_remove(&index, 12, 7);
	assert_true(dg_index_add(&index, 12, 7));
	drop(&index);
}

#ifdef NDEBUG /* else an assertion fails */
static void taking_out_who_is_not_in_does_no_harm(void **state)
{
	struct dg_index index = fresh(4);

	(void)state;
	assert_true(dg_index_add(&index, 3, 5));
	assert_true(dg_index_add(&index, 2, 5));
	for (uint64_t hash = 5; hash < 7; hash++) {
		dg_index_remove(&index, 2, hash);
		dg_index_remove(&index, 2, hash);
	}
	assert_int_equal(dg_index_first(&index, 5), 3);
	assert_int_equal(dg_index_first(&index, 6), DG_INDEX_NONE);
	drop(&index);
}
#endif

static void it_agrees_with_a_naive_model(void **state)
{
	struct dg_index index = fresh(COUNT);
	uint64_t model[COUNT] = {0}; /* the hash; 0: not in it */
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 1);
	for (unsigned step = 0; step < 50000; step++) {
		uint32_t i = (uint32_t)dg_random_below(&r, COUNT), found = 0, expected = 0;
		/* few buckets and few hashes, so that everything meets */
		uint64_t hash = 1 + dg_random_below(&r, 40) + (dg_random_below(&r, 3) << 32);

		if (model[i]) {
			dg_index_remove(&index, i, model[i]);
			model[i] = 0;
		} else if (dg_index_add(&index, i, hash)) {
			model[i] = hash;
		}
		for (uint32_t at = dg_index_first(&index, hash); at != DG_INDEX_NONE;
		     at = dg_index_next(&index, at)) {
			assert_true(model[at] == hash);
			found++;
		}
		for (uint32_t n = 0; n < COUNT; n++)
			expected += model[n] == hash;
		assert_int_equal(found, expected);
	}
	drop(&index);
}

static void a_full_table_has_short_chains(void **state)
{
	static const uint8_t key[DG_HASH_KEY] = "a key for tests";
	uint32_t count = 100000, longest = 0;
	struct dg_index index = fresh(count);

	(void)state;
	for (uint32_t i = 0; i < count; i++)
		assert_true(dg_index_add(&index, i, dg_hash_fast(key, &i, sizeof i)));
	for (uint32_t b = 0; b <= index.mask; b++) {
		uint32_t length = 0;

		for (uint32_t at = index.buckets[b]; at > 0; at = index.entries[at - 1].next)
			length++;
		longest = length > longest ? length : longest;
	}
	printf("index: %zu bytes for 100,000; the longest chain has %u\n", dg_index_size(count),
	       longest);
	assert_in_range(longest, 2, 14);
	assert_true(dg_index_size(count) <= 16 * (size_t)count);
	drop(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(who_is_entered_is_found_until_it_is_taken_out),
	        cmocka_unit_test(the_same_hash_gives_every_candidate),
	        cmocka_unit_test(a_chain_has_an_end),
#ifdef NDEBUG
	        cmocka_unit_test(taking_out_who_is_not_in_does_no_harm),
#endif
	        cmocka_unit_test(it_agrees_with_a_naive_model),
	        cmocka_unit_test(a_full_table_has_short_chains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
