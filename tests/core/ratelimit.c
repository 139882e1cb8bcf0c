#include "core/ratelimit.h"

#include "base/random.h"

#include <dgram/time.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void a_full_bucket_gives_its_burst_and_then_its_rate(void **state)
{
	static const struct dg_rate rates[] = {
	        {1, 1}, {10, 1}, {1, 10}, {100, 25}, {1000000000, 3}};

	(void)state;
	for (size_t i = 0; i < COUNT(rates); i++) {
		struct dg_bucket bucket = {0};
		uint64_t now = 1000 * DGRAM_S, interval = DGRAM_S / rates[i].per_second;

		for (uint64_t k = 0; k < rates[i].burst; k++)
			assert_true(dg_bucket_take(&bucket, &rates[i], now));
		assert_false(dg_bucket_take(&bucket, &rates[i], now));
		assert_int_equal(dg_bucket_due(&bucket, &rates[i]), now + interval);
		assert_false(dg_bucket_take(&bucket, &rates[i], now + interval - 1));
		assert_true(dg_bucket_take(&bucket, &rates[i], now + interval));
		assert_false(dg_bucket_take(&bucket, &rates[i], now + interval));
	}
}

static void it_works_from_the_beginning_of_time(void **state)
{
	const struct dg_rate rate = {1, 3};
	struct dg_bucket bucket = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(dg_bucket_take(&bucket, &rate, 0));
	assert_false(dg_bucket_take(&bucket, &rate, 0));
	assert_true(dg_bucket_take(&bucket, &rate, DGRAM_S));
}

/* The same with a number of tokens that is filled up as time goes by. */
static void it_agrees_with_a_count_of_tokens(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct dg_random random;
		struct dg_bucket bucket = {0};
		struct dg_rate rate;
		uint64_t now = 0, tokens; /* in billionths */

		dg_random_init(&random, seed);
		rate.per_second = UINT64_C(1)
		                  << dg_random_below(&random, 10); /* its interval is whole */
		rate.burst = 1 + dg_random_below(&random, 50);
		tokens = rate.burst * DGRAM_S;
		for (int i = 0; i < 2000; i++) {
			uint64_t pause = dg_random_below(&random, 2 * DGRAM_S / rate.per_second);

			now += pause;
			tokens += pause * rate.per_second;
			if (tokens > rate.burst * DGRAM_S)
				tokens = rate.burst * DGRAM_S;
			assert_int_equal(dg_bucket_take(&bucket, &rate, now), tokens >= DGRAM_S);
			if (tokens >= DGRAM_S)
				tokens -= DGRAM_S;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_full_bucket_gives_its_burst_and_then_its_rate),
	        cmocka_unit_test(it_works_from_the_beginning_of_time),
	        cmocka_unit_test(it_agrees_with_a_count_of_tokens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
