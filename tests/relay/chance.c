/* Frequencies of what chance decides. Seeds are fixed, so a count is either always right or always
 * wrong; the bounds are five standard deviations of a fair generator.
 */
#include "relay/fate.h"

#include <math.h>
#include <string.h>

#include "test.h"

#define DRAWS 400000

static void assert_near(double count, double n, double p)
{
	double sigma = sqrt(n * p * (1 - p));

	if (fabs(count - n * p) > 5 * sigma)
		fail_msg("%.0f of %.0f, but %.0f +- %.0f expected", count, n, n * p, 5 * sigma);
}

static void each_decision_has_the_probability_that_was_asked_for(void **state)
{
	static const uint32_t ppm[] = {0, 1, 1000, 50000, 300000, 500000, 999000, 1000000};

	(void)state;
	for (size_t i = 0; i < sizeof ppm / sizeof ppm[0]; i++) {
		struct dgram_relay_options opt = {
		        .loss = ppm[i], .duplicate = ppm[i], .reorder = ppm[i], .corrupt = ppm[i]};
		struct dg_fates fates;
		double lost = 0, duplicated = 0, reordered = 0, corrupted = 0, p = ppm[i] / 1e6;

		dg_fates_init(&fates, 7, i);
		for (int n = 0; n < DRAWS; n++) {
			struct dg_fate fate = dg_fates_next(&fates, &opt);
			lost += fate.lost;
			duplicated += fate.duplicated;
			reordered += fate.reordered;
			corrupted += fate.corrupted;
		}
		assert_near(lost, DRAWS, p);
		assert_near(duplicated, DRAWS, p);
		assert_near(reordered, DRAWS, p);
		assert_near(corrupted, DRAWS, p);
	}
}

static void decisions_and_neighbours_are_independent(void **state)
{
	struct dgram_relay_options opt = {
	        .loss = 300000, .duplicate = 300000, .reorder = 300000, .corrupt = 300000};
	struct dg_fates fates, other;
	double pairs[4][4] = {{0}}, after[4] = {0}, links = 0;
	bool last[4] = {0};

	(void)state;
	dg_fates_init(&fates, 11, 0);
	dg_fates_init(&other, 11, 1);
	for (int n = 0; n < DRAWS; n++) {
		struct dg_fate f = dg_fates_next(&fates, &opt);
		bool now[4] = {f.lost, f.duplicated, f.reordered, f.corrupted};
		links += f.lost && dg_fates_next(&other, &opt).lost;
		for (int i = 0; i < 4; i++) {
			after[i] += now[i] && last[i];
			for (int j = 0; j < i; j++)
				pairs[i][j] += now[i] && now[j];
		}
		memcpy(last, now, sizeof last);
	}
	assert_near(links, DRAWS, 0.09);
	for (int i = 0; i < 4; i++) {
		assert_near(after[i], DRAWS, 0.09);
		for (int j = 0; j < i; j++)
			assert_near(pairs[i][j], DRAWS, 0.09);
	}
}

static void bursts_have_their_share_and_their_mean_length(void **state)
{
	static const struct {
		uint32_t enter, leave;
	} row[] = {{10000, 250000},
	           {50000, 500000},
	           {1000, 100000},
	           {1000000, 1000000},
	           {200000, 1000000}};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_relay_options opt = {.burst_enter = row[i].enter,
		                                  .burst_leave = row[i].leave};
		double p = row[i].enter / 1e6, r = row[i].leave / 1e6, lost = 0, bursts = 0;
		struct dg_fates fates;
		bool last = false;

		dg_fates_init(&fates, 13, i);
		for (int n = 0; n < DRAWS; n++) {
			bool now = dg_fates_next(&fates, &opt).lost;
			lost += now;
			bursts += now && !last;
			last = now;
		}
		assert_true(fabs(lost / DRAWS * (p + r) / p - 1) < 5 / sqrt(bursts));
		assert_true(fabs(lost / bursts * r - 1) < 5 / sqrt(bursts));
	}
}

static void jitter_is_even_from_zero_to_its_maximum(void **state)
{
	enum { TOP = 9 };
	struct dgram_relay_options opt = {.jitter = TOP};
	double seen[TOP + 1] = {0}, copy[TOP + 1] = {0};
	struct dg_fates fates;

	(void)state;
	dg_fates_init(&fates, 17, 0);
	for (int n = 0; n < DRAWS; n++) {
		struct dg_fate fate = dg_fates_next(&fates, &opt);
		assert_true(fate.jitter <= TOP && fate.copy_jitter <= TOP);
		seen[fate.jitter]++;
		copy[fate.copy_jitter]++;
	}
	for (int i = 0; i <= TOP; i++) {
		assert_near(seen[i], DRAWS, 1.0 / (TOP + 1));
		assert_near(copy[i], DRAWS, 1.0 / (TOP + 1));
	}
}

/* Whoever wrote "seed 42" into a bug report counts on this. */
static void a_seed_means_the_same_for_ever(void **state)
{
	struct dgram_relay_options opt = {.loss = 300000};
	struct dg_fates fates;
	uint32_t lost = 0;

	(void)state;
	dg_fates_init(&fates, 42, 0);
	for (int n = 0; n < 32; n++)
		lost |= (uint32_t)dg_fates_next(&fates, &opt).lost << n;
	assert_int_equal(lost, 0x5003a10d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_decision_has_the_probability_that_was_asked_for),
	        cmocka_unit_test(decisions_and_neighbours_are_independent),
	        cmocka_unit_test(bursts_have_their_share_and_their_mean_length),
	        cmocka_unit_test(jitter_is_even_from_zero_to_its_maximum),
	        cmocka_unit_test(a_seed_means_the_same_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
