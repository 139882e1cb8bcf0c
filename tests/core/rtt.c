#include "core/rtt.h"

#include "base/random.h"

#include <dgram/time.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define TICK         256

static void assert_near(uint64_t value, uint64_t expected, uint64_t slack)
{
	if (value + slack < expected || value > expected + slack)
		fail_msg("%llu ns, but %llu +- %llu expected", (unsigned long long)value,
		         (unsigned long long)expected, (unsigned long long)slack);
}

static struct dg_rtt fresh(enum dgram_profile profile)
{
	struct dg_rtt rtt;

	dg_rtt_init(&rtt, profile, 25);
	return rtt;
}

static void an_estimate_is_16_bytes(void **state)
{
	(void)state;
	assert_true(sizeof(struct dg_rtt) <= 16);
}

static void the_first_sample_is_the_estimate_and_half_of_it_the_variation(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_WAN);

	(void)state;
	assert_false(dg_rtt_is_measured(&rtt));
	assert_int_equal(dg_rtt_smoothed(&rtt), 0);
	dg_rtt_sample(&rtt, 80 * DGRAM_MS, 20 * DGRAM_MS);
	assert_true(dg_rtt_is_measured(&rtt));
	assert_near(dg_rtt_smoothed(&rtt), 80 * DGRAM_MS, TICK);
	assert_near(dg_rtt_pto(&rtt), (80 + 4 * 40 + 25) * DGRAM_MS, 8 * TICK);
}

/* Each row: a second sample after one of 100 ms without delay, what the peer says it held back (it
 * announced 25 ms), and what is left of the sample. */
static void only_a_believable_delay_is_taken_off(void **state)
{
	static const struct {
		uint64_t sample, delay, adjusted; /* ms */
	} rows[] = {
	        {150, 20, 130}, {150, 25, 125}, {150, 26, 125}, {150, 100000, 125},
	        {124, 25, 124}, {125, 25, 100}, {126, 25, 101}, {90, 25, 90},
	        {100, 0, 100},  {101, 1, 100},  {100, 1, 100},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_rtt rtt = fresh(DGRAM_PROFILE_WAN);
		uint64_t expected = (7 * 100 + rows[i].adjusted) * DGRAM_MS / 8;

		dg_rtt_sample(&rtt, 100 * DGRAM_MS, 0);
		dg_rtt_sample(&rtt, rows[i].sample * DGRAM_MS, rows[i].delay * DGRAM_MS);
		assert_near(dg_rtt_smoothed(&rtt), expected, 4 * TICK);
	}
}

static void after_persistent_congestion_the_next_sample_is_the_least(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_WAN);

	(void)state;
	dg_rtt_sample(&rtt, 10 * DGRAM_MS, 0);
	dg_rtt_forget_minimum(&rtt);
	dg_rtt_sample(&rtt, 100 * DGRAM_MS, 20 * DGRAM_MS); /* below the least: not taken off */
	assert_near(dg_rtt_smoothed(&rtt), (7 * 10 + 100) * DGRAM_MS / 8, 4 * TICK);
	dg_rtt_sample(&rtt, 120 * DGRAM_MS, 20 * DGRAM_MS);
	assert_near(dg_rtt_smoothed(&rtt), (7 * (7 * 10 + 100) + 8 * 100) * DGRAM_MS / 64,
	            4 * TICK);
}

static void samples_of_any_size_neither_vanish_nor_overflow(void **state)
{
	static const uint64_t samples[] = {0, 1, TICK, TICK * (UINT64_C(1) << 32), UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		for (size_t k = 0; k < COUNT(samples); k++) {
			struct dg_rtt rtt = fresh(DGRAM_PROFILE_LAN);

			dg_rtt_sample(&rtt, samples[i], 0);
			dg_rtt_sample(&rtt, samples[k], samples[i]);
			assert_true(dg_rtt_is_measured(&rtt));
			assert_true(dg_rtt_smoothed(&rtt) <= TICK * (UINT64_C(1) << 32));
			assert_true(dg_rtt_pto(&rtt) >= dg_rtt_smoothed(&rtt) + 26 * DGRAM_MS);
			assert_true(dg_rtt_wait(&rtt, UINT32_MAX, 0) >= dg_rtt_pto(&rtt));
		}
	}
}

/* In ms, without jitter: random is such that the middle comes out. */
static void waits_without_a_sample_grow_up_to_the_profiles_cap(void **state)
{
	static const struct {
		enum dgram_profile profile;
		double waits[8];
	} rows[] = {
	        {DGRAM_PROFILE_LOOPBACK, {50, 75, 112.5, 168.75, 253.125, 379.6875, 500, 500}},
	        {DGRAM_PROFILE_LAN, {100, 150, 225, 337.5, 506.25, 759.375, 1000, 1000}},
	        {DGRAM_PROFILE_WAN, {1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_rtt rtt = fresh(rows[i].profile);

		for (uint32_t probes = 0; probes < 8; probes++) {
			uint64_t wait = (uint64_t)(rows[i].waits[probes] * 1e6);

			assert_near(dg_rtt_wait(&rtt, probes, wait / 10), wait, 1);
			assert_near(dg_rtt_wait(&rtt, probes, 0), wait - wait / 10, 1);
			assert_near(dg_rtt_wait(&rtt, probes, wait / 5), wait + wait / 10, 1);
		}
		assert_true(dg_rtt_wait(&rtt, UINT32_MAX, 0) <=
		            dg_profile(rows[i].profile)->wait_max);
	}
}

static void jitter_stays_within_a_tenth_and_reaches_both_ends(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_LAN);
	uint64_t low = UINT64_MAX, high = 0;
	struct dg_random random;

	(void)state;
	dg_random_init(&random, 1);
	for (int i = 0; i < 10000; i++) {
		uint64_t wait = dg_rtt_wait(&rtt, 0, dg_random_next(&random));

		low = wait < low ? wait : low;
		high = wait > high ? wait : high;
	}
	assert_true(low >= 90 * DGRAM_MS && low < 91 * DGRAM_MS);
	assert_true(high <= 110 * DGRAM_MS && high > 109 * DGRAM_MS);
}

static void measured_waits_begin_at_the_pto_and_have_no_jitter(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_LOOPBACK);

	(void)state;
	for (int i = 0; i < 100; i++)
		dg_rtt_sample(&rtt, 10 * DGRAM_MS, 0);
	assert_near(dg_rtt_pto(&rtt), 36 * DGRAM_MS,
	            100 * TICK); /* 10, 1 of granularity, 25 of ACK delay */
	assert_int_equal(dg_rtt_wait(&rtt, 0, 12345), dg_rtt_pto(&rtt));
	assert_int_equal(dg_rtt_wait(&rtt, 1, 54321), dg_rtt_pto(&rtt) * 3 / 2);
	assert_int_equal(dg_rtt_wait(&rtt, 100, 1), 500 * DGRAM_MS);
}

static void a_path_slower_than_the_cap_is_waited_for(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_LOOPBACK);

	(void)state;
	dg_rtt_sample(&rtt, 600 * DGRAM_S, 0);
	assert_true(dg_rtt_pto(&rtt) > 600 * DGRAM_S);
	assert_int_equal(dg_rtt_wait(&rtt, 7, 0), dg_rtt_pto(&rtt));
}

static void loss_takes_nine_eighths_of_the_longer_time_and_a_millisecond_at_least(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_WAN);

	(void)state;
	dg_rtt_sample(&rtt, 80 * DGRAM_MS, 0);
	assert_near(dg_rtt_loss_delay(&rtt, 40 * DGRAM_MS), 90 * DGRAM_MS, 2 * TICK);
	assert_int_equal(dg_rtt_loss_delay(&rtt, 160 * DGRAM_MS), 180 * DGRAM_MS);
	rtt = fresh(DGRAM_PROFILE_LOOPBACK);
	dg_rtt_sample(&rtt, 20 * DGRAM_US, 0);
	assert_int_equal(dg_rtt_loss_delay(&rtt, 20 * DGRAM_US), DGRAM_MS);
}

static void persistent_congestion_takes_three_ptos(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_WAN);

	(void)state;
	dg_rtt_sample(&rtt, 100 * DGRAM_MS, 0);
	assert_int_equal(dg_rtt_persistent(&rtt), 3 * dg_rtt_pto(&rtt));
}

/* The same in floating point, straight from the RFC's text. */
static void ten_thousand_samples_agree_with_the_formula(void **state)
{
	struct dg_rtt rtt = fresh(DGRAM_PROFILE_WAN);
	double smoothed = 0, variation = 0, minimum = 1e18;
	struct dg_random random;

	(void)state;
	dg_random_init(&random, 2);
	for (int i = 0; i < 10000; i++) {
		double sample = (double)(DGRAM_MS + dg_random_below(&random, 100 * DGRAM_MS));
		double delay = (double)dg_random_below(&random, 40 * DGRAM_MS);
		double held = delay < 25e6 ? delay : 25e6;

		minimum = sample < minimum ? sample : minimum;
		double adjusted = sample >= minimum + held ? sample - held : sample;
		double distance = adjusted > smoothed ? adjusted - smoothed : smoothed - adjusted;
		variation = i ? 0.75 * variation + 0.25 * distance : sample / 2;
		smoothed = i ? 0.875 * smoothed + 0.125 * adjusted : sample;
		dg_rtt_sample(&rtt, (uint64_t)sample, (uint64_t)delay);
		assert_near(dg_rtt_smoothed(&rtt), (uint64_t)smoothed, 64 * TICK);
		assert_near(dg_rtt_pto(&rtt), (uint64_t)(smoothed + 4 * variation + 25e6),
		            256 * TICK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_estimate_is_16_bytes),
	        cmocka_unit_test(the_first_sample_is_the_estimate_and_half_of_it_the_variation),
	        cmocka_unit_test(only_a_believable_delay_is_taken_off),
	        cmocka_unit_test(after_persistent_congestion_the_next_sample_is_the_least),
	        cmocka_unit_test(samples_of_any_size_neither_vanish_nor_overflow),
	        cmocka_unit_test(waits_without_a_sample_grow_up_to_the_profiles_cap),
	        cmocka_unit_test(jitter_stays_within_a_tenth_and_reaches_both_ends),
	        cmocka_unit_test(measured_waits_begin_at_the_pto_and_have_no_jitter),
	        cmocka_unit_test(a_path_slower_than_the_cap_is_waited_for),
	        cmocka_unit_test(
	                loss_takes_nine_eighths_of_the_longer_time_and_a_millisecond_at_least),
	        cmocka_unit_test(persistent_congestion_takes_three_ptos),
	        cmocka_unit_test(ten_thousand_samples_agree_with_the_formula),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
