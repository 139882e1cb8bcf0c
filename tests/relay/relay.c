#include <dgram/relay.h>

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define ALWAYS DGRAM_RELAY_ALWAYS

static struct dgram_relay *new_relay(const struct dgram_relay_options *opt)
{
	struct dgram_relay *relay = NULL;

	assert_int_equal(dgram_relay_new(&relay, opt), 0);
	return relay;
}

static enum dgram_relay_verdict push(struct dgram_relay *relay, uint64_t now, const char *text)
{
	return dgram_relay_push(relay, now, 0, text, strlen(text));
}

/* Pops what is due at now: the first letters of each, copies in lower case. */
static const char *pop_all(struct dgram_relay *relay, uint64_t now)
{
	static char seen[256];
	struct dgram_relay_datagram out;
	size_t n = 0;

	while (dgram_relay_pop(relay, now, &out))
		seen[n++] = (char)(out.copy ? out.data[0] | 0x20 : out.data[0]);
	seen[n] = '\0';
	return seen;
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

static void a_perfect_link_passes_all_at_once_and_in_order(void **state)
{
	struct dgram_relay *relay = new_relay(&(struct dgram_relay_options){0});
	struct dgram_relay_datagram out;

	(void)state;
	assert_true(dgram_relay_deadline(relay) == DGRAM_NEVER);
	assert_int_equal(dgram_relay_push(relay, 5, 77, "first", 5), DGRAM_RELAY_TAKEN);
	assert_int_equal(dgram_relay_push(relay, 5, 78, NULL, 0), DGRAM_RELAY_TAKEN);
	assert_true(dgram_relay_deadline(relay) == 5);
	assert_true(dgram_relay_pop(relay, 5, &out));
	assert_true(out.tag == 77 && out.number == 0 && out.arrived == 5 && out.len == 5);
	assert_memory_equal(out.data, "first", 5);
	assert_false(out.copy || out.corrupted || out.reordered);
	assert_true(dgram_relay_pop(relay, 5, &out));
	assert_true(out.tag == 78 && out.number == 1 && out.len == 0);
	assert_false(dgram_relay_pop(relay, 5, &out));
	assert_true(dgram_relay_deadline(relay) == DGRAM_NEVER);
	dgram_relay_free(relay);
}

static void a_delay_is_exact(void **state)
{
	struct dgram_relay *relay =
	        new_relay(&(struct dgram_relay_options){.delay = 20 * DGRAM_MS});

	(void)state;
	push(relay, 100, "A");
	push(relay, 200, "B");
	assert_true(dgram_relay_deadline(relay) == 100 + 20 * DGRAM_MS);
	assert_string_equal(pop_all(relay, 99 + 20 * DGRAM_MS), "");
	assert_string_equal(pop_all(relay, 100 + 20 * DGRAM_MS), "A");
	assert_true(dgram_relay_deadline(relay) == 200 + 20 * DGRAM_MS);
	assert_string_equal(pop_all(relay, 300 + 20 * DGRAM_MS), "B");

	struct dgram_relay_stats stats = dgram_relay_stats(relay);
	assert_true(stats.delay_max == 100 + 20 * DGRAM_MS &&
	            stats.delay_sum == 100 + 40 * DGRAM_MS);
	dgram_relay_free(relay);
}

static void jitter_adds_up_to_its_maximum_and_lets_datagrams_overtake(void **state)
{
	struct dgram_relay *relay = new_relay(
	        &(struct dgram_relay_options){.delay = 10 * DGRAM_MS, .jitter = 4 * DGRAM_MS});
	struct dgram_relay_datagram out;
	uint64_t least = DGRAM_NEVER, most = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		push(relay, 0, "x");
	for (uint64_t now; (now = dgram_relay_deadline(relay)) != DGRAM_NEVER;) {
		assert_true(dgram_relay_pop(relay, now, &out));
		least = now < least ? now : least;
		most = now;
	}
	assert_true(least >= 10 * DGRAM_MS && least < 10 * DGRAM_MS + 50 * DGRAM_US);
	assert_true(most <= 14 * DGRAM_MS && most > 14 * DGRAM_MS - 50 * DGRAM_US);
	assert_in_range(dgram_relay_stats(relay).reordered, 900, 999);
	dgram_relay_free(relay);
}

static void a_rate_spaces_datagrams_by_their_bits(void **state)
{
	static const struct {
		uint64_t rate;
		size_t len;
		uint64_t each;
	} row[] = {
	        {8000, 1, DGRAM_MS}, {1000000, 125, DGRAM_MS},         {10000000, 1250, DGRAM_MS},
	        {3, 1, 2666666667},  {1, 100, 800 * DGRAM_S},          {1000000000000, 1, 1},
	        {1000000, 0, 0},     {64000, 1500, 187500 * DGRAM_US},
	};
	static const uint8_t bytes[1500];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_relay *relay = new_relay(&(struct dgram_relay_options){
		        .rate = row[i].rate, .delay = 7, .queue = DGRAM_RELAY_DELAY_MAX});
		struct dgram_relay_datagram out;
		for (int n = 0; n < 3; n++)
			assert_int_equal(dgram_relay_push(relay, 1000, 0, bytes, row[i].len),
			                 DGRAM_RELAY_TAKEN);
		for (uint64_t n = 1; n <= 3; n++) {
			uint64_t due = 1000 + n * row[i].each + 7;
			assert_true(dgram_relay_deadline(relay) == due);
			assert_true(dgram_relay_pop(relay, due, &out));
		}
		/* An idle line saves nothing up. */
		dgram_relay_push(relay, 3000 * DGRAM_S, 0, bytes, row[i].len);
		assert_true(dgram_relay_deadline(relay) == 3000 * DGRAM_S + row[i].each + 7);
		dgram_relay_free(relay);
	}
}

static void the_queue_of_a_rate_is_bounded_in_time(void **state)
{
	/* 1 ms for each datagram. One on the line and, with a queue of k ms, k more that wait; then
	 * one for each that left. */
	static const struct {
		uint64_t queue;
		int taken;
	} row[] = {{1, 1}, {DGRAM_MS - 1, 1}, {DGRAM_MS, 2}, {5 * DGRAM_MS, 6}, {0, 21}};
	static const uint8_t bytes[125];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_relay *relay = new_relay(
		        &(struct dgram_relay_options){.rate = 1000000, .queue = row[i].queue});
		int taken = 0;
		for (int n = 0; n < 50; n++)
			taken += dgram_relay_push(relay, 0, 0, bytes, sizeof bytes) ==
			         DGRAM_RELAY_TAKEN;
		assert_int_equal(taken, row[i].taken);
		assert_int_equal(dgram_relay_stats(relay).verdict[DGRAM_RELAY_QUEUE_FULL],
		                 50 - taken);
		assert_int_equal(dgram_relay_push(relay, DGRAM_MS, 0, bytes, sizeof bytes),
		                 DGRAM_RELAY_TAKEN);
		assert_int_equal(dgram_relay_push(relay, DGRAM_MS, 0, bytes, sizeof bytes),
		                 DGRAM_RELAY_QUEUE_FULL);
		dgram_relay_free(relay);
	}
}

static void larger_ones_than_the_limit_are_dropped(void **state)
{
	struct dgram_relay *relay = new_relay(&(struct dgram_relay_options){.size_max = 4});

	(void)state;
	assert_int_equal(push(relay, 0, "Four"), DGRAM_RELAY_TAKEN);
	assert_int_equal(push(relay, 0, "Fives"), DGRAM_RELAY_TOO_LARGE);
	assert_int_equal(push(relay, 0, ""), DGRAM_RELAY_TAKEN);
	assert_int_equal(dgram_relay_stats(relay).verdict[DGRAM_RELAY_TOO_LARGE], 1);
	dgram_relay_free(relay);
}

static void a_reordered_datagram_lets_its_successor_pass(void **state)
{
	struct dgram_relay *relay =
	        new_relay(&(struct dgram_relay_options){.reorder = ALWAYS, .delay = DGRAM_MS});

	(void)state;
	for (const char *c = "ABCDE"; *c; c++)
		dgram_relay_push(relay, 0, 0, c, 1);
	assert_true(dgram_relay_deadline(relay) == DGRAM_MS);
	assert_string_equal(pop_all(relay, DGRAM_MS),
	                    "BADC"); /* E waits for one that never comes */
	assert_true(dgram_relay_deadline(relay) == DGRAM_MS + DGRAM_RELAY_HOLD);
	assert_string_equal(pop_all(relay, DGRAM_MS + DGRAM_RELAY_HOLD - 1), "");
	assert_string_equal(pop_all(relay, DGRAM_MS + DGRAM_RELAY_HOLD), "E");
	assert_int_equal(dgram_relay_stats(relay).reordered, 2);
	dgram_relay_free(relay);
}

static void a_held_datagram_waits_no_longer_than_allowed(void **state)
{
	/* The successor comes this much later; what is seen then, and when both should be through.
	 */
	static const struct {
		uint64_t after;
		const char *order;
	} row[] = {{0, "BA"},
	           {DGRAM_RELAY_HOLD - 1, "BA"},
	           {DGRAM_RELAY_HOLD, "BA"},
	           {DGRAM_RELAY_HOLD + 1, "AB"}};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_relay *relay =
		        new_relay(&(struct dgram_relay_options){.reorder = ALWAYS});
		push(relay, 0, "A");
		push(relay, row[i].after, "B");
		assert_string_equal(pop_all(relay, row[i].after + DGRAM_RELAY_HOLD), row[i].order);
		dgram_relay_free(relay);
	}
}

static void a_refused_datagram_frees_no_held_one(void **state)
{
	struct dgram_relay *relay =
	        new_relay(&(struct dgram_relay_options){.reorder = ALWAYS, .size_max = 1});

	(void)state;
	push(relay, 0, "A");
	push(relay, 1, "too large");
	assert_string_equal(pop_all(relay, 1), "");
	push(relay, 2, "C");
	assert_string_equal(pop_all(relay, 2), "CA");
	dgram_relay_free(relay);
}

static void a_duplicate_is_the_same_bytes_again(void **state)
{
	struct dgram_relay *relay = new_relay(&(struct dgram_relay_options){.duplicate = ALWAYS});
	struct dgram_relay_stats stats;

	(void)state;
	push(relay, 0, "A");
	push(relay, 0, "B");
	assert_string_equal(pop_all(relay, 0), "AaBb");
	stats = dgram_relay_stats(relay);
	assert_true(stats.passed == 2 && stats.duplicated == 2 && stats.reordered == 0 &&
	            stats.waiting == 0);
	assert_true(stats.passed_bytes == 2);
	dgram_relay_free(relay);
}

static void a_corrupt_datagram_differs_in_one_bit_and_keeps_its_length(void **state)
{
	struct dgram_relay *relay =
	        new_relay(&(struct dgram_relay_options){.corrupt = ALWAYS, .duplicate = ALWAYS});
	static const uint8_t zero[70];
	struct dgram_relay_datagram out;
	int seen[8 * sizeof zero] = {0};

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		size_t len = i % sizeof zero, ones = 0;
		dgram_relay_push(relay, i, i, zero, len);
		for (int copy = 0; copy < 2; copy++) {
			assert_true(dgram_relay_pop(relay, i, &out));
			assert_true(out.len == len && out.tag == i && out.corrupted == (len > 0));
		}
		for (size_t bit = 0; bit < 8 * len; bit++) {
			size_t one = out.data[bit / 8] >> bit % 8 & 1;
			ones += one;
			seen[bit] += (int)one;
		}
		assert_int_equal(ones, len > 0);
	}
	for (size_t bit = 0; bit < 8 * sizeof zero / 2; bit++)
		assert_int_not_equal(seen[bit],
		                     0); /* no bit is spared; those further back are rarely there */
	dgram_relay_free(relay);
}

static void full_memory_is_a_counted_drop_and_passes(void **state)
{
	static const struct {
		struct dgram_relay_options opt;
		size_t len, taken;
	} row[] = {
	        {{.entries_max = 3}, 1, 3},
	        {{.entries_max = 3}, 0, 3},
	        {{.bytes_max = 100}, 10, 10},
	        {{.bytes_max = 100}, 33, 3},
	        {{.bytes_max = 100}, 100, 1},
	        {{.bytes_max = 100}, 101, 0},
	        {{.entries_max = 3, .duplicate = ALWAYS}, 1, 3},
	};
	static const uint8_t bytes[101];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_relay *relay = new_relay(&row[i].opt);
		for (uint64_t round = 0; round < 3; round++) {
			struct dgram_relay_datagram out;
			for (size_t n = 0; n < 12; n++)
				assert_int_equal(
				        dgram_relay_push(relay, round, 0, bytes, row[i].len),
				        n < row[i].taken ? DGRAM_RELAY_TAKEN
				                         : DGRAM_RELAY_OVERFLOW);
			while (dgram_relay_pop(relay, round, &out))
				;
		}
		struct dgram_relay_stats stats = dgram_relay_stats(relay);
		assert_int_equal(stats.verdict[DGRAM_RELAY_OVERFLOW], 3 * (12 - row[i].taken));
		dgram_relay_free(relay);
	}
}

/* What every run must keep, whatever the options. */
static void assert_sums(const struct dgram_relay *relay)
{
	struct dgram_relay_stats s = dgram_relay_stats(relay);
	uint64_t sum = 0;

	for (int v = 0; v < DGRAM_RELAY_VERDICTS; v++)
		sum += s.verdict[v];
	assert_true(sum == s.arrived);
	assert_true(s.passed + s.waiting == s.verdict[DGRAM_RELAY_TAKEN]);
	assert_true(s.corrupted <= s.passed && s.reordered <= s.passed &&
	            s.passed_bytes <= s.arrived_bytes);
}

static struct dgram_relay_options wild(uint64_t *random)
{
	return (struct dgram_relay_options){
	        .seed = next_random(random),
	        .loss = (uint32_t)(next_random(random) % 300000),
	        .burst_enter = (uint32_t)(next_random(random) % 50000),
	        .burst_leave = (uint32_t)(next_random(random) % ALWAYS),
	        .duplicate = (uint32_t)(next_random(random) % 500000),
	        .reorder = (uint32_t)(next_random(random) % 500000),
	        .corrupt = (uint32_t)(next_random(random) % 100000),
	        .delay = next_random(random) % (5 * DGRAM_MS),
	        .jitter = next_random(random) % (20 * DGRAM_MS),
	        .rate = next_random(random) % 2 ? 0 : 1000000 + next_random(random) % 10000000,
	        .size_max = next_random(random) % 2 ? 0 : 200,
	        .entries_max = 1 + next_random(random) % 60,
	        .bytes_max = 300 + next_random(random) % 3000,
	};
}

/* The bytes of datagram number, as far as no bit of them is flipped. */
static void fill(uint8_t *bytes, size_t len, uint64_t number)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number * 31 + i * 7);
}

static size_t bits_that_differ(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		for (unsigned x = a[i] ^ b[i]; x; x &= x - 1)
			n++;
	return n;
}

/* Pops what is due and checks it against what was pushed. A summary of all of it is the result. */
static uint64_t check_what_leaves(struct dgram_relay *relay, const struct dgram_relay_options *opt,
                                  uint64_t now)
{
	struct dgram_relay_datagram out;
	uint8_t bytes[300];
	uint64_t trace = 0;

	while (dgram_relay_pop(relay, now, &out)) {
		fill(bytes, out.len, out.number);
		assert_int_equal(bits_that_differ(out.data, bytes, out.len), out.corrupted);
		assert_true(out.tag == out.number && out.arrived + opt->delay <= now);
		trace = (trace ^ (out.number + out.copy)) * UINT64_C(0x100000001b3) +
		        (out.data ? out.data[0] : 0);
	}
	assert_true(dgram_relay_deadline(relay) > now);
	return trace;
}

static uint64_t run_wild(uint64_t seed)
{
	uint64_t random = seed, now = 0, trace = 0;
	struct dgram_relay_options opt = wild(&random);
	struct dgram_relay *relay = new_relay(&opt);
	uint8_t bytes[300];

	for (uint64_t number = 0; number < 400; number++) {
		size_t len = next_random(&random) % sizeof bytes;
		fill(bytes, len, number);
		trace = trace * 31 + (uint64_t)dgram_relay_push(relay, now, number, bytes, len);
		now += next_random(&random) % DGRAM_MS;
		trace = trace * 31 + check_what_leaves(relay, &opt, now);
		assert_sums(relay);
	}
	while ((now = dgram_relay_deadline(relay)) != DGRAM_NEVER)
		trace = trace * 31 + check_what_leaves(relay, &opt, now);
	assert_sums(relay);
	assert_true(dgram_relay_stats(relay).waiting == 0);
	dgram_relay_free(relay);
	return trace;
}

static void wild_mixtures_keep_bytes_sums_and_times_and_repeat_exactly(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		uint64_t first = run_wild(seed);
		if (seed % 10 == 0)
			assert_true(run_wild(seed) == first);
	}
}

/* What chance did to each of the first datagrams: a bit mask of lost, duplicated, corrupted and
 * reordered. */
#define FATES 2000
static void fates_of(const struct dgram_relay_options *opt, size_t len, uint8_t fate[FATES])
{
	struct dgram_relay *relay = new_relay(opt);
	struct dgram_relay_datagram out;
	uint8_t bytes[300] = {0};

	memset(fate, 0, FATES);
	for (uint64_t n = 0; n < FATES; n++) {
		if (dgram_relay_push(relay, n * DGRAM_S, n, bytes, len ? len : n % sizeof bytes) ==
		    DGRAM_RELAY_LOST)
			fate[n] |= 1;
		while (dgram_relay_pop(relay, n * DGRAM_S + DGRAM_S / 2, &out))
			fate[out.number] |= (uint8_t)(out.copy << 1 | out.corrupted << 2);
	}
	dgram_relay_free(relay);
}

static void one_option_changes_nothing_about_another(void **state)
{
	struct dgram_relay_options all = {.seed = 42,
	                                  .loss = 200000,
	                                  .duplicate = 300000,
	                                  .corrupt = 250000,
	                                  .reorder = 500000,
	                                  .delay = DGRAM_MS,
	                                  .jitter = 5 * DGRAM_MS,
	                                  .rate = 10000000};
	struct dgram_relay_options only_loss = {.seed = 42, .loss = 200000};
	struct dgram_relay_options only_duplicate = {.seed = 42, .duplicate = 300000};
	struct dgram_relay_options only_corrupt = {.seed = 42, .corrupt = 250000};
	uint8_t mixed[FATES], loss[FATES], duplicate[FATES], corrupted[FATES];

	(void)state;
	fates_of(&all, 100, mixed);
	fates_of(&only_loss, 0, loss); /* other sizes too */
	fates_of(&only_duplicate, 100, duplicate);
	fates_of(&only_corrupt, 7, corrupted);
	for (int n = 0; n < FATES; n++) {
		assert_int_equal(mixed[n] & 1, loss[n]);
		assert_int_equal(mixed[n], loss[n] ? 1 : duplicate[n] | corrupted[n]);
	}
}

static void more_loss_loses_the_same_ones_and_more(void **state)
{
	uint8_t few[FATES], many[FATES];

	(void)state;
	fates_of(&(struct dgram_relay_options){.seed = 1, .loss = 50000}, 10, few);
	fates_of(&(struct dgram_relay_options){.seed = 1, .loss = 200000}, 10, many);
	for (int n = 0; n < FATES; n++)
		assert_true(few[n] <= many[n]);
}

static void seeds_and_links_are_different_runs(void **state)
{
	uint8_t first[FATES], again[FATES], seed[FATES], link[FATES];

	(void)state;
	fates_of(&(struct dgram_relay_options){.seed = 1, .loss = 500000}, 10, first);
	fates_of(&(struct dgram_relay_options){.seed = 1, .loss = 500000}, 10, again);
	fates_of(&(struct dgram_relay_options){.seed = 2, .loss = 500000}, 10, seed);
	fates_of(&(struct dgram_relay_options){.seed = 1, .link = 1, .loss = 500000}, 10, link);
	assert_memory_equal(first, again, FATES);
	assert_memory_not_equal(first, seed, FATES);
	assert_memory_not_equal(first, link, FATES);
	assert_memory_not_equal(seed, link, FATES);
}

static void impossible_options_are_refused(void **state)
{
	static const struct {
		struct dgram_relay_options opt;
		int result;
	} row[] = {
	        {{.loss = ALWAYS + 1}, DGRAM_ERR_ARGUMENT},
	        {{.burst_enter = ALWAYS + 1}, DGRAM_ERR_ARGUMENT},
	        {{.burst_leave = ALWAYS + 1}, DGRAM_ERR_ARGUMENT},
	        {{.duplicate = ALWAYS + 1}, DGRAM_ERR_ARGUMENT},
	        {{.reorder = ALWAYS + 1}, DGRAM_ERR_ARGUMENT},
	        {{.corrupt = ALWAYS + 1}, DGRAM_ERR_ARGUMENT},
	        {{.delay = DGRAM_RELAY_DELAY_MAX + 1}, DGRAM_ERR_ARGUMENT},
	        {{.jitter = DGRAM_RELAY_DELAY_MAX + 1}, DGRAM_ERR_ARGUMENT},
	        {{.queue = DGRAM_RELAY_DELAY_MAX + 1}, DGRAM_ERR_ARGUMENT},
	        {{.rate = DGRAM_RELAY_RATE_MAX + 1}, DGRAM_ERR_ARGUMENT},
	        {{.entries_max = SIZE_MAX / 8}, DGRAM_ERR_NOMEM},
	        {{.bytes_max = SIZE_MAX}, DGRAM_ERR_NOMEM},
	};
	struct dgram_relay *relay;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(dgram_relay_new(&relay, &row[i].opt), row[i].result);
	dgram_relay_free(NULL);
}

static void without_options_a_link_is_perfect(void **state)
{
	struct dgram_relay *relay = new_relay(NULL);

	(void)state;
	assert_int_equal(dgram_relay_push(relay, 1, 0, "a", 1), DGRAM_RELAY_TAKEN);
	assert_true(dgram_relay_deadline(relay) == 1);
	dgram_relay_free(relay);
}

static void every_verdict_has_a_name(void **state)
{
	(void)state;
	for (int v = 0; v < DGRAM_RELAY_VERDICTS; v++)
		assert_string_not_equal(dgram_relay_verdict_text((enum dgram_relay_verdict)v),
		                        "unknown");
	assert_string_equal(dgram_relay_verdict_text(DGRAM_RELAY_VERDICTS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_perfect_link_passes_all_at_once_and_in_order),
	        cmocka_unit_test(a_delay_is_exact),
	        cmocka_unit_test(jitter_adds_up_to_its_maximum_and_lets_datagrams_overtake),
	        cmocka_unit_test(a_rate_spaces_datagrams_by_their_bits),
	        cmocka_unit_test(the_queue_of_a_rate_is_bounded_in_time),
	        cmocka_unit_test(larger_ones_than_the_limit_are_dropped),
	        cmocka_unit_test(a_reordered_datagram_lets_its_successor_pass),
	        cmocka_unit_test(a_held_datagram_waits_no_longer_than_allowed),
	        cmocka_unit_test(a_refused_datagram_frees_no_held_one),
	        cmocka_unit_test(a_duplicate_is_the_same_bytes_again),
	        cmocka_unit_test(a_corrupt_datagram_differs_in_one_bit_and_keeps_its_length),
	        cmocka_unit_test(full_memory_is_a_counted_drop_and_passes),
	        cmocka_unit_test(wild_mixtures_keep_bytes_sums_and_times_and_repeat_exactly),
	        cmocka_unit_test(one_option_changes_nothing_about_another),
	        cmocka_unit_test(more_loss_loses_the_same_ones_and_more),
	        cmocka_unit_test(seeds_and_links_are_different_runs),
	        cmocka_unit_test(impossible_options_are_refused),
	        cmocka_unit_test(without_options_a_link_is_perfect),
	        cmocka_unit_test(every_verdict_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
