#include "core/ids.h"

#include "base/hash.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define SLOTS 16
#define LAST  (UINT32_MAX - 2) /* the last use of a slot there is */

static const uint8_t key[16] = "a key for tests";

struct table {
	struct dg_id_slot memory[SLOTS];
	struct dg_ids ids;
};

static struct dg_ids *fresh(struct table *t, uint8_t worker)
{
	*t = (struct table){0};
	assert_true(dg_ids_size(SLOTS) <= sizeof t->memory);
	dg_ids_init(&t->ids, t->memory, SLOTS, worker, key);
	return &t->ids;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Chance would give about 18 pairs among so many tags of 32 bits, a permutation none. */
static void a_slot_never_has_the_same_id_twice(void **state)
{
	static const uint32_t starts[] = {0, UINT32_C(0x7fff0000), LAST - 1 - 2 * 50000};
	size_t n = 400000, made = 0;
	uint64_t *all = calloc(n, sizeof *all);
	struct table t;
	struct dg_ids *ids = fresh(&t, 0);

	(void)state;
	assert_non_null(all);
	for (size_t s = 0; s < 3; s++) {
		t.memory[3].uses = starts[s];
		for (size_t i = 0; i < (s < 2 ? 175000 : 50000); i++) {
			all[made++] = dg_ids_begin(ids, 3);
			assert_true(dg_ids_end(ids, 3));
		}
	}
	assert_int_equal(made, n);
	qsort(all, n, sizeof *all, ascending);
	assert_true(all[0] != 0);
	for (size_t i = 1; i < n; i++)
		assert_true(all[i - 1] != all[i]);
	free(all);
}

static void an_id_says_worker_and_slot(void **state)
{
	struct table t;
	struct dg_ids *ids = fresh(&t, 0xab);
	uint32_t slot;

	(void)state;
	for (uint32_t i = 0; i < SLOTS; i++) {
		uint64_t id = dg_ids_begin(ids, i);

		assert_int_equal(dg_id_worker(id), 0xab);
		assert_int_equal(id >> 32 & 0xffffff, i);
		assert_true(dg_ids_find(ids, id, &slot));
		assert_int_equal(slot, i);
		assert_true(dg_ids_of(ids, i) == id);
	}
}

static void one_wrong_bit_finds_nobody(void **state)
{
	struct table t;
	struct dg_ids *ids = fresh(&t, 1);
	uint32_t slot = 99;

	(void)state;
	for (uint32_t i = 0; i < SLOTS; i++)
		dg_ids_begin(ids, i);
	for (uint32_t i = 0; i < SLOTS; i++) {
		for (int bit = 0; bit < 64; bit++)
			assert_false(
			        dg_ids_find(ids, dg_ids_of(ids, i) ^ UINT64_C(1) << bit, &slot));
	}
	assert_int_equal(slot, 99);
}

static void an_ended_session_is_not_found_nor_is_one_that_never_was(void **state)
{
	struct table t;
	struct dg_ids *ids = fresh(&t, 0);
	uint64_t first = dg_ids_begin(ids, 5), second;
	uint32_t slot;

	(void)state;
	assert_true(dg_ids_end(ids, 5));
	assert_false(dg_ids_find(ids, first, &slot));
	assert_true(dg_ids_of(ids, 5) == 0);
	second = dg_ids_begin(ids, 5);
	assert_true(second != first);
	assert_false(dg_ids_find(ids, first, &slot));
	assert_true(dg_ids_find(ids, second, &slot));

	assert_false(dg_ids_find(ids, 0, &slot));
	assert_false(dg_ids_find(ids, UINT64_C(6) << 32, &slot)); /* a fresh slot, whose tag is 0 */
	assert_false(dg_ids_find(ids, UINT64_MAX, &slot));
	assert_false(dg_ids_find(ids, (uint64_t)SLOTS << 32 | 1, &slot)); /* beyond the table */
	assert_true(dg_ids_of(ids, SLOTS) == 0);
}

static void a_slot_whose_uses_are_over_is_retired(void **state)
{
	struct table t;
	struct dg_ids *ids = fresh(&t, 0);
	uint32_t slot;
	uint64_t last;

	(void)state;
	t.memory[2].uses = LAST - 3;
	assert_true(dg_ids_begin(ids, 2) != 0);
	assert_true(dg_ids_end(ids, 2));
	last = dg_ids_begin(ids, 2);
	assert_true(dg_ids_find(ids, last, &slot));
	assert_int_equal(t.memory[2].uses, LAST);
	assert_false(dg_ids_end(ids, 2));
	assert_false(dg_ids_find(ids, last, &slot));
	for (int i = 0; i < 3; i++)
		assert_true(dg_ids_begin(ids, 2) == 0);
	assert_true(dg_ids_of(ids, 2) == 0);
	assert_true(dg_ids_begin(ids, 1) != 0); /* its neighbours live on */
}

/* Flip one bit of what is permuted: half of the tag's bits change, whichever bit it was. */
static void successive_tags_have_nothing_to_do_with_each_other(void **state)
{
	struct table t;
	struct dg_ids *ids = fresh(&t, 0);
	uint64_t before = 0;
	unsigned changed = 0, rounds = 20000;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t id = dg_ids_begin(ids, 0);

		changed += (unsigned)__builtin_popcountll(id ^ before);
		before = id;
		dg_ids_end(ids, 0);
	}
	assert_in_range(changed, rounds * 16 - 2000, rounds * 16 + 2000);
}

/* The permutation of ids.c, backwards. */
static uint32_t unpermute(const uint8_t *k, uint32_t slot, uint32_t tag)
{
	uint16_t left = (uint16_t)(tag >> 16), right = (uint16_t)tag;

	for (int round = 7; round >= 0; round--) {
		uint8_t in[] = {(uint8_t)slot,  (uint8_t)(slot >> 8), (uint8_t)(slot >> 16),
		                (uint8_t)round, (uint8_t)left,        (uint8_t)(left >> 8)};
		uint16_t before = right ^ (uint16_t)dg_hash(k, in, sizeof in);

		right = left;
		left = before;
	}
	return (uint32_t)left << 16 | right;
}

/* Of worker 0 and slot 0, with the tag 0; under about every second key a session would get it. */
static void nobody_gets_the_id_0(void **state)
{
	unsigned tried = 0;
	struct table t;
	struct dg_ids *ids = fresh(&t, 0);

	(void)state;
	for (ids->key[0] = 0; ids->key[0] < 64; ids->key[0]++) {
		uint32_t uses = unpermute(ids->key, 0, 0);
		uint64_t id;

		if (uses % 2 == 0 || uses > LAST)
			continue;
		t.memory[0].uses = uses - 1;
		id = dg_ids_begin(ids, 0);
		assert_true(id != 0 && id >> 32 == 0);
		assert_int_equal(t.memory[0].uses, uses + 2);
		assert_true(dg_ids_find(ids, id, &(uint32_t){0}));
		tried++;
	}
	assert_in_range(tried, 10, 54);
}

static void slots_and_keys_have_tags_of_their_own(void **state)
{
	struct table t, u;
	struct dg_ids *ids = fresh(&t, 0), *others = fresh(&u, 0);
	unsigned same = 0;

	(void)state;
	others->key[15] ^= 1;
	for (uint32_t i = 0; i < SLOTS; i++)
		same += (uint32_t)dg_ids_begin(ids, i) == (uint32_t)dg_ids_begin(others, i);
	for (uint32_t i = 1; i < SLOTS; i++)
		same += t.memory[i].tag == t.memory[0].tag;
	assert_int_equal(same, 0);
}

static void ids_come_and_go_as_in_a_naive_table(void **state)
{
	uint64_t model[SLOTS] = {0}, old[64] = {0};
	struct dg_random r;
	struct table t;
	struct dg_ids *ids = fresh(&t, 255);

	(void)state;
	dg_random_init(&r, 1);
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t i = (uint32_t)dg_random_below(&r, SLOTS), slot;

		if (model[i]) {
			old[step % 64] = model[i];
			assert_true(dg_ids_end(ids, i));
			model[i] = 0;
		} else {
			model[i] = dg_ids_begin(ids, i);
		}
		assert_true(dg_ids_of(ids, i) == model[i]);
		i = (uint32_t)dg_random_below(&r, SLOTS);
		assert_int_equal(dg_ids_find(ids, model[i], &slot), model[i] != 0);
		assert_false(dg_ids_find(ids, old[dg_random_below(&r, 64)], &slot));
	}
}

static void the_sizes_are_known(void **state)
{
	(void)state;
	printf("ids: %zu bytes, and %zu for each slot\n", sizeof(struct dg_ids), dg_ids_size(1));
	assert_int_equal(dg_ids_size(1), 8);
	assert_true(dg_ids_size(DG_SLOTS_MAX) == (size_t)8 << 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_slot_never_has_the_same_id_twice),
	        cmocka_unit_test(an_id_says_worker_and_slot),
	        cmocka_unit_test(one_wrong_bit_finds_nobody),
	        cmocka_unit_test(an_ended_session_is_not_found_nor_is_one_that_never_was),
	        cmocka_unit_test(a_slot_whose_uses_are_over_is_retired),
	        cmocka_unit_test(successive_tags_have_nothing_to_do_with_each_other),
	        cmocka_unit_test(nobody_gets_the_id_0),
	        cmocka_unit_test(slots_and_keys_have_tags_of_their_own),
	        cmocka_unit_test(ids_come_and_go_as_in_a_naive_table),
	        cmocka_unit_test(the_sizes_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
