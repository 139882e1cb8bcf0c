/* All memory is taken by _new: whatever passes between two loops then, malloc() is not called. */
#include "party.h"

#include <stdlib.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

static uint64_t taken; /* how often memory was taken */

void *__wrap_malloc(size_t size)
{
	taken++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	taken++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	taken++;
	return __real_realloc(old, size);
}

static void nothing_is_taken_after_new(void **state)
{
	static uint8_t data[UINT32_C(1) << 20];
	struct dgram_socket silent;
	struct dgram_addr nobody;
	struct party a, b;
	uint64_t at_first;

	(void)state;
	open_bound(&silent, "127.0.0.1:0", NULL);
	nobody = name_of(&silent);
	at_first = taken;
	party_open(&a, "127.0.0.1:0", NULL);
	party_open(&b, "127.0.0.1:0", NULL);
	assert_true(taken > at_first); /* the counter counts */

	taken = 0;
	ask(&a, &b, &b.here, "hello");
	submit(&a, DGRAM_POST, &b.here, "post", 4);
	submit(&b, DGRAM_SEND, &a.here, data, sizeof data);
	for (int i = 0; i < 200; i++)
		request(&a, &b.here, "many");
	parties_run(&a, &b, &a.done, 201);
	parties_run(&a, &b, &b.done, 1);
	request(&a, &nobody, "in vain");
	party_turn(&a);
	dgram_loop_close(a.loop);
	parties_run(&a, &b, &a.done, 202);
	assert_int_equal(taken, 0);
	party_close(&a);
	party_close(&b);
	dgram_socket_close(&silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_is_taken_after_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
