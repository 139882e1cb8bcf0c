#include "net.h"

#include "net/wait.h"

static void the_clock_never_goes_back(void **state)
{
	uint64_t last = dgram_clock();

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 100000; i++) {
		uint64_t now = dgram_clock();

		assert_true(now >= last);
		last = now;
	}
}

static void a_deadline_beyond_the_end_of_time_is_none(void **state)
{
	static const struct {
		uint64_t now, timeout, want;
	} row[] = {
	        {0, 0, 0},
	        {5, 7, 12},
	        {UINT32_MAX, 1, UINT64_C(1) << 32},
	        {5, DGRAM_NEVER, DGRAM_NEVER},
	        {0, DGRAM_NEVER, DGRAM_NEVER},
	        {DGRAM_NEVER - 10, 9, DGRAM_NEVER - 1},
	        {DGRAM_NEVER - 10, 10, DGRAM_NEVER},
	        {DGRAM_NEVER - 10, 11, DGRAM_NEVER},
	        {DGRAM_NEVER - 10, DGRAM_NEVER - 1, DGRAM_NEVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(dg_deadline(row[i].now, row[i].timeout), row[i].want);
}

static void a_deadline_that_passed_leaves_no_time_and_never_less(void **state)
{
	(void)state;
	assert_int_equal(dg_time_left(0), 0);
	assert_int_equal(dg_time_left(1), 0);
	assert_int_equal(dg_time_left(DGRAM_NEVER), DGRAM_NEVER);
	assert_true(dg_time_left(dgram_clock() + DGRAM_S) <= DGRAM_S);
	assert_true(dg_time_left(dgram_clock() + 3600 * DGRAM_S) > 0);
}

static void a_timeout_of_centuries_waits_like_any_other(void **state)
{
	static const uint64_t timeouts[] = {DGRAM_NEVER - 1, DGRAM_NEVER / 2, UINT64_C(1) << 62};
	struct dgram_socket s;
	struct dgram_addr self;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	self = name_of(&s);
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		dgram_socket_settimeout(&s, timeouts[i]);
		send_text(&s, "x", &self);
		assert_int_equal(dgram_socket_wait(&s, timeouts[i]), DGRAM_READABLE);
		expect_text(&s, "x");
	}
	dgram_socket_close(&s);
}

static void no_two_seeds_are_alike(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_int_equal(dgram_random_seed(a), 0);
	assert_int_equal(dgram_random_seed(b), 0);
	assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_clock_never_goes_back),
	        cmocka_unit_test(a_deadline_beyond_the_end_of_time_is_none),
	        cmocka_unit_test(a_deadline_that_passed_leaves_no_time_and_never_less),
	        cmocka_unit_test(a_timeout_of_centuries_waits_like_any_other),
	        cmocka_unit_test(no_two_seeds_are_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
