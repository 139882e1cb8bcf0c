/* After _new an endpoint takes no memory. This program is linked so that every malloc, calloc,
 * realloc and free of the library passes here first. */
#include "endpoint/pair.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

static unsigned long calls;
static bool fails;

void *__wrap_malloc(size_t size)
{
	calls++;
	return fails ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	calls++;
	return fails ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	calls++;
	return fails ? NULL : __real_realloc(old, size);
}

void __wrap_free(void *old)
{
	calls++;
	__real_free(old);
}

static void no_memory_is_taken_after_new(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 1);
	assert_true(calls > 0); /* they do pass here */
	calls = 0;
	p.loss = 50;
	p.delay = 1 * MS;
	p.reply_len = 20000;
	for (int i = 0; i < 300; i++) {
		pair_submit(&p, i % 2, (enum dgram_kind)(i % 4 + DGRAM_POST),
		            i % 4 == 3 ? 0 : (size_t)i * 3);
		if (i % 50 == 1)
			pair_submit(&p, i % 2, DGRAM_SEND, 1 << 20);
		pair_run(&p, 5 * MS);
	}
	pair_run(&p, 300 * S);
	assert_true(p.ends[0].answered > 50 && p.ends[1].answered > 50);
	assert_int_equal(calls, 0);
	pair_close(&p);
}

static void without_memory_there_is_no_endpoint(void **state)
{
	struct dgram_endpoint_config config = bench_config();

	(void)state;
	fails = true;
	assert_null(dgram_endpoint_new(&config, NULL));
	fails = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_memory_is_taken_after_new),
	        cmocka_unit_test(without_memory_there_is_no_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
