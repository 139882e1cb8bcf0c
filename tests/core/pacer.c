#include "core/pacer.h"

#include "base/random.h"

#include <dgram/time.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define SIZE         1200

/* How many datagrams leave in duration if whoever sends sleeps until it may, and wakes up at whole
 * ticks. */
static uint64_t run(uint64_t rate, uint64_t tick, uint64_t begin, uint64_t duration)
{
	struct dg_pacer p = {0};
	uint64_t now = begin, sent = 0;

	while (now < begin + duration) {
		uint64_t due = dg_pacer_due(&p, rate, SIZE);

		if (due > now) {
			now = (due + tick - 1) / tick * tick;
			continue;
		}
		dg_pacer_sent(&p, rate, SIZE, now);
		sent++;
	}
	return sent;
}

static void the_first_ten_go_at_once_and_then_one_by_one(void **state)
{
	const uint64_t rate = 120000; /* a datagram each 10 ms */
	struct dg_pacer p = {0};

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_true(dg_pacer_due(&p, rate, SIZE) <= DGRAM_S);
		dg_pacer_sent(&p, rate, SIZE, DGRAM_S);
	}
	for (uint64_t i = 1; i < 100; i++) {
		uint64_t due = dg_pacer_due(&p, rate, SIZE);

		assert_int_equal(due, DGRAM_S + i * 10 * DGRAM_MS);
		dg_pacer_sent(&p, rate, SIZE, due);
	}
}

static void after_a_rest_there_is_one_burst_and_no_more(void **state)
{
	const uint64_t rate = 120000;
	struct dg_pacer p = {0};
	int burst = 0;

	(void)state;
	dg_pacer_sent(&p, rate, SIZE, DGRAM_S);
	while (dg_pacer_due(&p, rate, SIZE) <= 100 * DGRAM_S) {
		dg_pacer_sent(&p, rate, SIZE, 100 * DGRAM_S);
		burst++;
	}
	assert_int_equal(burst, 10);
}

/* Whatever the rate and the timer: within the burst of the rate, from slow radio to loopback. */
static void the_rate_is_kept_and_a_slow_timer_does_not_starve_it(void **state)
{
	static const uint64_t rates[] = {1200, 120000, 12500000, 125000000, UINT64_C(4800000000)};
	static const uint64_t ticks[] = {1, DGRAM_US, DGRAM_MS};

	(void)state;
	for (size_t i = 0; i < COUNT(rates); i++) {
		for (size_t k = 0; k < COUNT(ticks); k++) {
			uint64_t duration = rates[i] > 1000000 ? DGRAM_S / 10 : 100 * DGRAM_S;
			uint64_t whole = rates[i] / SIZE * (duration / DGRAM_MS) / 1000;
			uint64_t burst = rates[i] / SIZE / 500 + 11;
			uint64_t sent = run(rates[i], ticks[k], 5 * DGRAM_S + 1, duration);

			if (sent + whole / 50 + 1 < whole || sent > whole + burst + whole / 50)
				fail_msg("rate %zu tick %zu: %llu of %llu", i, k,
				         (unsigned long long)sent, (unsigned long long)whole);
		}
	}
}

static void without_a_rate_nothing_waits(void **state)
{
	struct dg_pacer p = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(dg_pacer_due(&p, 0, SIZE), 0);
		dg_pacer_sent(&p, 0, SIZE, DGRAM_S);
	}
	assert_true(dg_pacer_due(&p, 120000, SIZE) <= DGRAM_S);
}

/* As after a round trip that was measured across a suspend. */
static void a_rate_that_was_low_holds_nothing_up_when_it_rises(void **state)
{
	struct dg_pacer p = {0};

	(void)state;
	for (int i = 0; i < 11; i++)
		dg_pacer_sent(&p, 10, SIZE, DGRAM_S);
	assert_true(dg_pacer_due(&p, 10, SIZE) > 100 * DGRAM_S);
	assert_true(dg_pacer_due(&p, 120000, SIZE) <= DGRAM_S + 20 * DGRAM_MS);
	dg_pacer_sent(&p, 120000, SIZE, DGRAM_S + 20 * DGRAM_MS);
	assert_true(dg_pacer_due(&p, 120000, SIZE) <= DGRAM_S + 30 * DGRAM_MS);
}

/* Small ones, closer to each other than the time of a byte. */
static void time_that_is_less_than_a_byte_is_not_lost(void **state)
{
	const uint64_t rate = 100;
	struct dg_pacer p = {0};
	uint64_t now = DGRAM_S;

	(void)state;
	for (int i = 0; i < 20; i++)
		dg_pacer_sent(&p, rate, SIZE, now);
	for (int i = 0; i < 20000; i++)
		dg_pacer_sent(&p, rate, 0, now += 5 * DGRAM_MS);
	assert_in_range(p.ahead, 20 * SIZE - 100 * rate, 20 * SIZE - 99 * rate);
}

/* Over any stretch of time, of random sizes and pauses: never more than the rate and one burst. */
static void no_stretch_of_time_carries_more_than_the_rate_and_a_burst(void **state)
{
	const uint64_t rate = 1000000, count = 2000;
	static uint64_t at[2000], bytes[2000];

	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct dg_pacer p = {0};
		struct dg_random random;
		uint64_t now = DGRAM_S;

		dg_random_init(&random, seed);
		for (size_t i = 0; i < count; i++) {
			uint64_t due = dg_pacer_due(&p, rate, SIZE);

			now = due > now ? due : now;
			at[i] = now;
			bytes[i] = 1 + dg_random_below(&random, SIZE);
			dg_pacer_sent(&p, rate, bytes[i], now);
			if (dg_random_below(&random, 20) == 0)
				now += dg_random_below(&random, 50 * DGRAM_MS);
		}
		for (size_t i = 0; i < count; i += 7) {
			uint64_t sum = 0;

			for (size_t k = i; k < count; k++) {
				sum += bytes[k];
				assert_true(sum <= 10 * SIZE + (at[k] - at[i]) / 1000 + 1);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_ten_go_at_once_and_then_one_by_one),
	        cmocka_unit_test(after_a_rest_there_is_one_burst_and_no_more),
	        cmocka_unit_test(the_rate_is_kept_and_a_slow_timer_does_not_starve_it),
	        cmocka_unit_test(without_a_rate_nothing_waits),
	        cmocka_unit_test(a_rate_that_was_low_holds_nothing_up_when_it_rises),
	        cmocka_unit_test(time_that_is_less_than_a_byte_is_not_lost),
	        cmocka_unit_test(no_stretch_of_time_carries_more_than_the_rate_and_a_burst),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
