#include "core/pool.h"

#include "base/random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define COUNT 100

static struct dg_pool fresh(uint32_t size, uint32_t count)
{
	void *memory = calloc(1, dg_pool_size(size, count) + 1);
	struct dg_pool pool;

	assert_non_null(memory);
	dg_pool_init(&pool, memory, size, count);
	return pool;
}

static void every_block_is_given_once_and_lies_by_itself(void **state)
{
	static const uint32_t sizes[] = {0, 1, 4, 16, 17, 100, 2048};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct dg_pool pool = fresh(sizes[i], COUNT);

		for (uint32_t n = 0; n < COUNT; n++) {
			uint32_t block = dg_pool_take(&pool);

			assert_true(block < COUNT);
			assert_int_equal((uintptr_t)dg_pool_at(&pool, block) % DG_POOL_ALIGN, 0);
			memset(dg_pool_at(&pool, block), (int)block, sizes[i]);
		}
		assert_int_equal(dg_pool_take(&pool), DG_POOL_NONE);
		assert_int_equal(pool.used, COUNT);
		for (uint32_t n = 0; n < COUNT; n++) {
			const uint8_t *bytes = dg_pool_at(&pool, n);

			assert_true(dg_pool_is_taken(&pool, n));
			for (uint32_t b = 0; b < sizes[i]; b++)
				assert_int_equal(bytes[b], n);
		}
		free(pool.blocks);
	}
}

static void the_last_one_given_back_is_taken_first(void **state)
{
	struct dg_pool pool = fresh(64, 4);
	uint32_t a = dg_pool_take(&pool), b = dg_pool_take(&pool);

	(void)state;
	dg_pool_give(&pool, a);
	dg_pool_give(&pool, b);
	assert_int_equal(dg_pool_take(&pool), b);
	assert_int_equal(dg_pool_take(&pool), a);
	assert_int_equal(dg_pool_take(&pool), 2);
	free(pool.blocks);
}

static void a_pool_without_blocks_has_none(void **state)
{
	struct dg_pool pool = fresh(64, 0);

	(void)state;
	assert_int_equal(dg_pool_take(&pool), DG_POOL_NONE);
	assert_false(dg_pool_is_taken(&pool, 0));
	free(pool.blocks);
}

static void it_agrees_with_a_naive_model(void **state)
{
	struct dg_pool pool = fresh(24, COUNT);
	bool model[COUNT] = {false};
	uint32_t used = 0;
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 1);
	for (unsigned step = 0; step < 100000; step++) {
		uint32_t i = (uint32_t)dg_random_below(&r, COUNT);

		assert_int_equal(dg_pool_is_taken(&pool, i), model[i]);
		assert_int_equal(pool.used, used);
		if (model[i]) {
			dg_pool_give(&pool, i);
			model[i] = false;
			used--;
		} else {
			i = dg_pool_take(&pool);
			assert_true(i < COUNT && !model[i]);
			memset(dg_pool_at(&pool, i), 0xff, 24);
			model[i] = true;
			used++;
		}
	}
	free(pool.blocks);
}

#ifdef NDEBUG
static const bool asserts = false;
#else
static const bool asserts = true;
#endif

/* Does giving this back end in abort()? */
static bool aborts(struct dg_pool *pool, uint32_t block)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		dg_pool_give(pool, block);
		_exit(0);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void giving_back_what_is_not_taken_is_noticed_and_does_no_harm(void **state)
{
	struct dg_pool pool = fresh(16, 4);
	uint32_t a = dg_pool_take(&pool), b = dg_pool_take(&pool);
	const uint32_t wrong[] = {a, 2, 4, DG_POOL_NONE};

	(void)state;
	dg_pool_give(&pool, a);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(aborts(&pool, wrong[i]), asserts);
		if (!asserts)
			dg_pool_give(&pool, wrong[i]);
	}
	assert_int_equal(pool.used, 1);
	assert_int_equal(dg_pool_take(&pool), a);
	assert_int_equal(dg_pool_take(&pool), 2);
	assert_true(dg_pool_is_taken(&pool, b));
	free(pool.blocks);
}

/* Everything but what was taken keeps the bytes it had. */
static void blocks_never_taken_are_not_touched(void **state)
{
	size_t size = 4096, count = 64;
	uint8_t *memory = malloc(dg_pool_size((uint32_t)size, (uint32_t)count));
	struct dg_pool pool;

	(void)state;
	assert_non_null(memory);
	memset(memory, 0x5a, size * count);
	dg_pool_init(&pool, memory, (uint32_t)size, (uint32_t)count);
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t a = dg_pool_take(&pool), b = dg_pool_take(&pool);

		dg_pool_give(&pool, a);
		dg_pool_give(&pool, b);
	}
	for (size_t i = 2 * size; i < size * count; i++)
		assert_int_equal(memory[i], 0x5a);
	free(memory);
}

static void the_sizes_are_known(void **state)
{
	(void)state;
	printf("pool: %zu bytes, and %zu for 100,000 blocks of 384 bytes\n", sizeof(struct dg_pool),
	       dg_pool_size(384, 100000));
	assert_true(sizeof(struct dg_pool) <= 40);
	assert_int_equal(dg_pool_size(384, 100000), 384 * 100000 + 1563 * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_block_is_given_once_and_lies_by_itself),
	        cmocka_unit_test(the_last_one_given_back_is_taken_first),
	        cmocka_unit_test(a_pool_without_blocks_has_none),
	        cmocka_unit_test(it_agrees_with_a_naive_model),
	        cmocka_unit_test(giving_back_what_is_not_taken_is_noticed_and_does_no_harm),
	        cmocka_unit_test(blocks_never_taken_are_not_touched),
	        cmocka_unit_test(the_sizes_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
