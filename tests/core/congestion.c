#include "core/congestion.h"

#include "base/random.h"

#include <dgram/time.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define SIZE         1200

static struct dg_congestion fresh(uint32_t initial)
{
	struct dg_congestion c;

	dg_congestion_init(&c, &dg_newreno, SIZE, initial);
	return c;
}

/* A round trip with a full window, acknowledged datagram by datagram. */
static void round_trip(struct dg_congestion *c, uint64_t sent_at)
{
	uint64_t in_flight = c->window;

	for (uint64_t bytes = 0; bytes + SIZE <= in_flight; bytes += SIZE) {
		const struct dg_congestion_ack ack = {sent_at, SIZE, in_flight};

		dg_congestion_acked(c, &ack);
	}
}

static void it_begins_with_the_window_it_is_told(void **state)
{
	(void)state;
	assert_int_equal(fresh(10).window, 12000);
	assert_int_equal(fresh(64).window, 76800);
	assert_true(sizeof(struct dg_congestion) <= 64);
}

static void the_window_doubles_each_round_trip_until_a_loss(void **state)
{
	struct dg_congestion c = fresh(10);

	(void)state;
	round_trip(&c, 1);
	assert_int_equal(c.window, 24000);
	round_trip(&c, 2);
	assert_int_equal(c.window, 48000);
}

static void a_loss_halves_it_once_for_each_round_trip(void **state)
{
	struct dg_congestion c = fresh(64);

	(void)state;
	dg_congestion_lost(&c, 0, 100); /* a packet of time 0 too */
	assert_int_equal(c.window, 38400);
	dg_congestion_lost(&c, 50, 101);
	dg_congestion_lost(&c, 100, 102);
	assert_int_equal(c.window, 38400);
	dg_congestion_lost(&c, 101, 200);
	assert_int_equal(c.window, 19200);
}

static void it_never_falls_below_two_datagrams(void **state)
{
	struct dg_congestion c = fresh(10);

	(void)state;
	for (uint64_t i = 1; i < 20; i++)
		dg_congestion_lost(&c, 10 * i, 10 * i + 5);
	assert_int_equal(c.window, 2 * SIZE);
	round_trip(&c, 1000); /* and grows from there */
	round_trip(&c, 1000);
	assert_true(c.window > 2 * SIZE);
}

static void after_a_loss_it_grows_by_a_datagram_each_round_trip(void **state)
{
	struct dg_congestion c = fresh(64);

	(void)state;
	dg_congestion_lost(&c, 1, 100);
	round_trip(&c, 100); /* left before the reduction: no growth */
	assert_int_equal(c.window, 38400);
	dg_congestion_acked(&c, &(struct dg_congestion_ack){101, SIZE, 38400});
	assert_int_equal(c.window, 38400); /* it does not double any more */
	for (uint64_t i = 1; i <= 10; i++) {
		round_trip(&c, 100 + i);
		assert_int_equal(c.window, 38400 + i * SIZE);
	}
}

/* Each row: a window of ten datagrams, doubling or not, and how many of them are used. */
static void a_window_that_is_not_used_does_not_grow(void **state)
{
	static const struct {
		bool doubling;
		uint64_t in_flight; /* datagrams */
		bool grows;
	} rows[] = {
	        {true, 10, true},  {true, 6, true},  {true, 5, false},  {true, 1, false},
	        {false, 10, true}, {false, 6, true}, {false, 5, false}, {false, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_congestion c = fresh(rows[i].doubling ? 10 : 20);

		if (!rows[i].doubling)
			dg_congestion_lost(&c, 1, 2);
		for (int k = 0; k < 11; k++) {
			const struct dg_congestion_ack ack = {3, SIZE, rows[i].in_flight * SIZE};

			dg_congestion_acked(&c, &ack);
		}
		if (rows[i].grows != (c.window > 10 * (uint64_t)SIZE))
			fail_msg("row %zu", i);
	}
}

static void persistent_congestion_takes_it_to_the_least_and_it_doubles_again(void **state)
{
	struct dg_congestion c = fresh(64);

	(void)state;
	dg_congestion_lost(&c, 1, 100);
	dg_congestion_collapse(&c);
	assert_int_equal(c.window, 2 * SIZE);
	round_trip(&c, 50); /* what left before says nothing of the path as it is now */
	assert_int_equal(c.window, 2 * SIZE);
	round_trip(&c, 101);
	round_trip(&c, 102);
	assert_int_equal(c.window, 8 * SIZE);
	dg_congestion_lost(&c, 103, 200);
	assert_int_equal(c.window, 4 * SIZE);
}

static void another_datagram_size_keeps_the_window_but_for_the_least(void **state)
{
	struct dg_congestion c = fresh(10);

	(void)state;
	dg_congestion_resize(&c, 508);
	assert_int_equal(c.window, 12000);
	dg_congestion_resize(&c, 65000);
	assert_int_equal(c.window, 130000);
	assert_int_equal(dg_congestion_least(&c), 130000);
}

static void the_rate_is_five_quarters_of_a_window_each_round_trip(void **state)
{
	static const struct {
		uint32_t initial;
		uint64_t smoothed, rate;
	} rows[] = {
	        {10, 100 * DGRAM_MS, 150000},
	        {64, 20 * DGRAM_US, UINT64_C(4800000000)},
	        {10, 0, 0},
	        {1000000, 1000, UINT64_C(1500000000000000)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_congestion c = fresh(rows[i].initial);

		assert_int_equal(dg_congestion_rate(&c, rows[i].smoothed), rows[i].rate);
	}
}

/* The same in floating point, with the formulas of RFC 9002, appendix B, over random
 * acknowledgements and losses of a window that is always full. */
static void it_agrees_with_the_formulas_of_the_rfc(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct dg_congestion c = fresh(10);
		double window = 12000, threshold = 1e18, reduced_at = -1;
		struct dg_random random;

		dg_random_init(&random, seed);
		for (uint64_t now = 1000; now < 5000; now++) {
			uint64_t sent_at = now - 1 - dg_random_below(&random, 100);
			uint64_t roll = dg_random_below(&random, 400);
			const struct dg_congestion_ack ack = {sent_at, SIZE, c.window};

			if (roll <= 1)
				dg_congestion_lost(&c, sent_at, now);
			else
				dg_congestion_acked(&c, &ack);
			if (roll == 0)
				dg_congestion_collapse(&c);
			if ((double)sent_at > reduced_at && roll <= 1) {
				reduced_at = (double)now;
				threshold = window / 2;
				window = threshold > 2 * SIZE ? threshold : 2 * SIZE;
			} else if ((double)sent_at > reduced_at) {
				window += window < threshold ? SIZE : (double)SIZE * SIZE / window;
			}
			if (roll == 0)
				window = 2 * SIZE;
			if ((double)c.window < 0.8 * window - SIZE ||
			    (double)c.window > 1.2 * window + SIZE)
				fail_msg("seed %d at %d: %d, not %d", (int)seed, (int)now,
				         (int)c.window, (int)window);
		}
	}
}

/* Where others hold back, nothing that happens changes that all may leave. */
static void unhindered_has_no_limit(void **state)
{
	struct dg_congestion c;
	const struct dg_congestion_ack ack = {.sent_at = 1, .bytes = 1200, .in_flight = 1200};

	(void)state;
	dg_congestion_init(&c, &dg_unhindered, 1200, 10);
	dg_congestion_lost(&c, 1, 2);
	dg_congestion_collapse(&c);
	dg_congestion_acked(&c, &ack);
	dg_congestion_resize(&c, 65507);
	assert_true(c.window >= UINT64_MAX / 2);
	assert_int_equal(dg_congestion_rate(&c, DGRAM_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_begins_with_the_window_it_is_told),
	        cmocka_unit_test(the_window_doubles_each_round_trip_until_a_loss),
	        cmocka_unit_test(a_loss_halves_it_once_for_each_round_trip),
	        cmocka_unit_test(it_never_falls_below_two_datagrams),
	        cmocka_unit_test(after_a_loss_it_grows_by_a_datagram_each_round_trip),
	        cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
	        cmocka_unit_test(persistent_congestion_takes_it_to_the_least_and_it_doubles_again),
	        cmocka_unit_test(another_datagram_size_keeps_the_window_but_for_the_least),
	        cmocka_unit_test(the_rate_is_five_quarters_of_a_window_each_round_trip),
	        cmocka_unit_test(it_agrees_with_the_formulas_of_the_rfc),
	        cmocka_unit_test(unhindered_has_no_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
