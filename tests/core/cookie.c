#include "core/cookie.h"

#include <string.h>

#include "test.h"

#define SECOND UINT64_C(1000000000)

static const struct dg_cookies maker = {.key = "a key for tests", .boot = 0x1122334455667788};

static struct dg_place somebody(void)
{
	return (struct dg_place){
	        .family = DGRAM_IPV6, .ip = {0xfe, 0x80, [15] = 1}, .zone = 2, .port = 4000};
}

static void a_cookie_is_taken_in_its_period_and_the_next(void **state)
{
	static const uint64_t starts[] = {0, 7 * DG_COOKIE_PERIOD,
	                                  (UINT64_MAX / DG_COOKIE_PERIOD - 10) * DG_COOKIE_PERIOD};
	static const struct {
		uint64_t made, checked; /* s */
		bool taken;
	} rows[] = {
	        {0, 0, true},      {0, 119, true},   {0, 120, true},    {0, 239, true},
	        {0, 240, false},   {119, 120, true}, {119, 239, true},  {119, 240, false},
	        {120, 119, false}, {120, 359, true}, {120, 360, false}, {0, 1000, false},
	};
	struct dg_place from = somebody();
	uint8_t cookie[DG_COOKIE_SIZE];

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			dg_cookie_make(&maker, cookie, &from, starts[s] + rows[i].made * SECOND);
			assert_int_equal(dg_cookie_check(&maker, cookie, &from,
			                                 starts[s] + rows[i].checked * SECOND),
			                 rows[i].taken);
		}
	}
}

static void periods_change_on_the_nanosecond(void **state)
{
	struct dg_place from = somebody();
	uint8_t cookie[DG_COOKIE_SIZE];

	(void)state;
	dg_cookie_make(&maker, cookie, &from, DG_COOKIE_PERIOD - 1);
	assert_true(dg_cookie_check(&maker, cookie, &from, 2 * DG_COOKIE_PERIOD - 1));
	assert_false(dg_cookie_check(&maker, cookie, &from, 2 * DG_COOKIE_PERIOD));
}

/* Each bit of the place, the boot id, the key and the cookie itself. */
static void every_bit_counts(void **state)
{
	struct dg_place from = somebody();
	struct dg_cookies c = maker;
	uint8_t cookie[DG_COOKIE_SIZE];
	struct {
		void *bytes;
		size_t len;
	} parts[] = {{&from, sizeof from},
	             {&c.boot, sizeof c.boot},
	             {c.key, sizeof c.key},
	             {cookie, sizeof cookie}};

	(void)state;
	dg_cookie_make(&maker, cookie, &from, 5 * SECOND);
	for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
		uint8_t *bytes = parts[p].bytes;

		for (size_t bit = 0; bit < 8 * parts[p].len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(dg_cookie_check(&c, cookie, &from, 6 * SECOND));
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_true(dg_cookie_check(&c, cookie, &from, 6 * SECOND));
}

static void no_cookie_is_a_wrong_one(void **state)
{
	static const uint8_t none[DG_COOKIE_SIZE];
	struct dg_place from = somebody();

	(void)state;
	assert_false(dg_cookie_check(&maker, none, &from, 0));
	assert_false(dg_cookie_check(&maker, none, &from, 500 * SECOND));
}

static void both_halves_are_hashes_of_their_own(void **state)
{
	struct dg_place from = somebody();
	uint8_t cookie[DG_COOKIE_SIZE];

	(void)state;
	dg_cookie_make(&maker, cookie, &from, 0);
	assert_memory_not_equal(cookie, cookie + 8, 8);
}

static void workers_that_share_the_secret_take_each_others_cookies(void **state)
{
	struct dg_place from = somebody();
	struct dg_cookies other = {.boot = maker.boot};
	uint8_t cookie[DG_COOKIE_SIZE];

	(void)state;
	memcpy(other.key, maker.key, sizeof other.key);
	dg_cookie_make(&maker, cookie, &from, 130 * SECOND);
	assert_true(dg_cookie_check(&other, cookie, &from, 250 * SECOND));
	assert_int_equal(sizeof other, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_cookie_is_taken_in_its_period_and_the_next),
	        cmocka_unit_test(periods_change_on_the_nanosecond),
	        cmocka_unit_test(every_bit_counts),
	        cmocka_unit_test(no_cookie_is_a_wrong_one),
	        cmocka_unit_test(both_halves_are_hashes_of_their_own),
	        cmocka_unit_test(workers_that_share_the_secret_take_each_others_cookies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
