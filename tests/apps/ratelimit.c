#include "common/ratelimit.h"

#include <dgram/time.h>

#include "test.h"

static const uint8_t key[16] = "0123456789abcde";
static struct ratelimit limit; /* 200 KB: not for the stack */

static struct dgram_addr host(uint32_t n, uint16_t port)
{
	return (struct dgram_addr){
		.family = DGRAM_IPV4,
		.port = port,
		.u.ip4 = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
	};
}

static uint32_t taken(const struct dgram_addr *from, uint32_t tries, uint64_t now)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < tries; i++)
		count += ratelimit_take(&limit, from, now);
	return count;
}

static void a_source_gets_its_rate_and_not_more(void **state)
{
	struct dgram_addr a = host(1, 5000);
	uint64_t start = DGRAM_S, count = 0;

	(void)state;
	ratelimit_init(&limit, 100, key);
	assert_int_equal(taken(&a, 1000, start), 100);
	assert_int_equal(taken(&a, 10, start + 9 * DGRAM_MS), 0);
	assert_int_equal(taken(&a, 10, start + 10 * DGRAM_MS), 1);
	assert_int_equal(taken(&a, 10, start + 60 * DGRAM_MS), 5);
	for (uint64_t ms = 60; ms < 10060; ms++) /* 1000 tries a second for 10 s */
		count += ratelimit_take(&limit, &a, start + ms * DGRAM_MS);
	assert_in_range(count, 999, 1001);
	assert_int_equal(taken(&a, 1000, start + 3600 * DGRAM_S), 100);
}

static void a_source_is_an_address_whatever_its_port(void **state)
{
	struct dgram_addr a = host(1, 5000), other_port = host(1, 5001), b = host(2, 5000);

	(void)state;
	ratelimit_init(&limit, 100, key);
	assert_int_equal(taken(&a, 60, DGRAM_S), 60);
	assert_int_equal(taken(&other_port, 60, DGRAM_S), 40);
	assert_int_equal(taken(&b, 200, DGRAM_S), 100);
}

static void a_flood_of_addresses_does_not_free_a_busy_one_for_long(void **state)
{
	struct dgram_addr a = host(1, 5000);

	(void)state;
	ratelimit_init(&limit, 100, key);
	assert_int_equal(taken(&a, 200, DGRAM_S), 100);
	for (uint32_t i = 2; i < 100000; i++) { /* each asks once: its bucket is fuller than ours */
		struct dgram_addr b = host(i, 5000);

		assert_true(ratelimit_take(&limit, &b, DGRAM_S));
	}
	assert_int_equal(taken(&a, 200, DGRAM_S), 0);
}

static void a_clock_that_steps_back_gives_nothing_away(void **state)
{
	struct dgram_addr a = host(1, 5000);

	(void)state;
	ratelimit_init(&limit, 100, key);
	assert_int_equal(taken(&a, 200, 10 * DGRAM_S), 100);
	assert_int_equal(taken(&a, 200, 9 * DGRAM_S), 0);
	assert_int_equal(taken(&a, 200, 10 * DGRAM_S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_gets_its_rate_and_not_more),
		cmocka_unit_test(a_source_is_an_address_whatever_its_port),
		cmocka_unit_test(a_flood_of_addresses_does_not_free_a_busy_one_for_long),
		cmocka_unit_test(a_clock_that_steps_back_gives_nothing_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
