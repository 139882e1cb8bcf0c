#include "core/window.h"

#include "base/random.h"

#include <dgram/time.h>
#include <string.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define DELAY        (25 * DGRAM_MS)
#define LAST         DG_VARINT_MAX /* the highest packet number there is */

static void an_idle_window_is_16_bytes_and_a_busy_one_312_more(void **state)
{
	(void)state;
	assert_true(sizeof(struct dg_window) == 16);
	assert_true(sizeof(struct dg_window_busy) <= 312);
}

/* Each row: what came first (all of it), then the number that is asked about. */
static void numbers_are_new_seen_old_or_beyond(void **state)
{
	static const struct {
		uint64_t number[3];
		size_t count;
		uint64_t asked;
		enum dg_window_verdict idle, busy;
	} rows[] = {
	        {{0}, 0, 0, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{0}, 0, LAST, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{0}, 0, LAST + 1, DG_WINDOW_BEYOND, DG_WINDOW_BEYOND},
	        {{0}, 0, UINT64_MAX, DG_WINDOW_BEYOND, DG_WINDOW_BEYOND},
	        {{0}, 1, 0, DG_WINDOW_SEEN, DG_WINDOW_SEEN},
	        {{0}, 1, 1, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{5}, 1, 0, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{0, 63}, 2, 0, DG_WINDOW_SEEN, DG_WINDOW_SEEN},
	        {{0, 63}, 2, 1, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{0, 64}, 2, 0, DG_WINDOW_OLD, DG_WINDOW_SEEN},
	        {{1, 64}, 2, 0, DG_WINDOW_OLD, DG_WINDOW_NEW},
	        {{1, 64, 2}, 3, 2, DG_WINDOW_SEEN, DG_WINDOW_SEEN},
	        {{0, 2047}, 2, 0, DG_WINDOW_OLD, DG_WINDOW_SEEN},
	        {{0, 2048}, 2, 0, DG_WINDOW_OLD, DG_WINDOW_OLD},
	        {{0, 2048}, 2, 1, DG_WINDOW_OLD, DG_WINDOW_NEW},
	        {{0, 2047, 2049}, 3, 2048, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{0, 5000}, 2, 2953, DG_WINDOW_OLD, DG_WINDOW_NEW},
	        {{0, 5000}, 2, 2952, DG_WINDOW_OLD, DG_WINDOW_OLD},
	        {{0, LAST}, 2, LAST, DG_WINDOW_SEEN, DG_WINDOW_SEEN},
	        {{0, LAST}, 2, LAST - 63, DG_WINDOW_NEW, DG_WINDOW_NEW},
	        {{0, LAST}, 2, 0, DG_WINDOW_OLD, DG_WINDOW_OLD},
	        {{LAST}, 1, UINT64_MAX, DG_WINDOW_BEYOND, DG_WINDOW_BEYOND},
	        {{LAST - 1, LAST}, 2, LAST - 1, DG_WINDOW_SEEN, DG_WINDOW_SEEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_window idle = {0}, awake = {0};
		struct dg_window_busy busy;

		dg_window_wake(&awake, &busy, DELAY, 0);
		for (size_t k = 0; k < rows[i].count; k++) {
			dg_window_mark(&idle, NULL, rows[i].number[k], false, 0);
			dg_window_mark(&awake, &busy, rows[i].number[k], false, 0);
		}
		if (dg_window_check(&idle, NULL, rows[i].asked) != rows[i].idle ||
		    dg_window_check(&awake, &busy, rows[i].asked) != rows[i].busy)
			fail_msg("row %zu", i);
	}
}

static void checking_changes_nothing(void **state)
{
	struct dg_window w = {0}, before;
	struct dg_window_busy busy, busy_before;

	(void)state;
	dg_window_wake(&w, &busy, DELAY, 0);
	dg_window_mark(&w, &busy, 100, true, 1);
	before = w;
	busy_before = busy;
	for (uint64_t n = 0; n < 5000; n++)
		dg_window_check(&w, &busy, n);
	assert_memory_equal(&w, &before, sizeof w);
	assert_memory_equal(&busy, &busy_before, sizeof busy);
}

static void who_wakes_knows_the_recent_numbers_and_no_older_ones(void **state)
{
	struct dg_window w = {0};
	struct dg_window_busy busy;

	(void)state;
	for (uint64_t n = 0; n <= 1000; n += 2)
		dg_window_mark(&w, NULL, n, false, 0);
	dg_window_wake(&w, &busy, DELAY, 0);
	assert_int_equal(dg_window_check(&w, &busy, 938), DG_WINDOW_SEEN);
	assert_int_equal(dg_window_check(&w, &busy, 937), DG_WINDOW_NEW);
	assert_int_equal(dg_window_check(&w, &busy, 936), DG_WINDOW_OLD);
	dg_window_mark(&w, &busy, 1500, false, 0);
	assert_int_equal(dg_window_check(&w, &busy, 937), DG_WINDOW_NEW);
	assert_int_equal(dg_window_check(&w, &busy, 936), DG_WINDOW_OLD);
	assert_int_equal(dg_window_check(&w, &busy, 938), DG_WINDOW_SEEN);
	assert_int_equal(dg_window_check(&w, NULL, 938), DG_WINDOW_OLD);
}

/* All around the word and the window boundaries: what a block that begins at highest can tell. */
static void waking_forgets_what_the_idle_form_does_not_hold(void **state)
{
	(void)state;
	for (uint64_t highest = 0; highest < 200; highest++) {
		struct dg_window w = {0};
		struct dg_window_busy busy;

		for (uint64_t n = 0; n <= highest; n++)
			dg_window_mark(&w, NULL, n, false, 0);
		dg_window_wake(&w, &busy, DELAY, 0);
		for (uint64_t n = 0; n <= highest; n++)
			assert_int_equal(dg_window_check(&w, &busy, n),
			                 highest - n < 64 ? DG_WINDOW_SEEN : DG_WINDOW_OLD);
	}
}

/* Packets one millisecond apart: those in capitals ask for an ACK. due: in ms after the last
 * one, -1: none. A space stands for a number that is left out; 'x' and 'X' bring the last one of
 * these. */
static void an_ack_is_due_for_the_second_and_at_once_when_a_number_is_missing(void **state)
{
	static const struct {
		const char *packets;
		int due;
	} rows[] = {
	        {"", -1},     {"p", -1},    {"pppp", -1}, {"P", 25},    {"PP", 0},
	        {"Pp", 24},   {"pP", 25},   {"pPp", 24},  {"PppP", 0},  {" P", 0},
	        {"p P", 0},   {"p pP", 0},  {"p p", -1},  {"p pp", -1}, {"p pX", 0},
	        {"p px", -1}, {"p pxP", 0}, {"P p", 24},  {"   p", -1}, {"pppP", 25},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_window w = {0};
		struct dg_window_busy busy;
		uint64_t now = 0, number = 0, missing = 0;

		dg_window_wake(&w, &busy, DELAY, now);
		for (const char *p = rows[i].packets; *p; p++) {
			bool late = *p == 'x' || *p == 'X', asking = *p == 'P' || *p == 'X';

			if (*p == ' ') {
				missing = number++;
				continue;
			}
			now += DGRAM_MS;
			dg_window_mark(&w, &busy, late ? missing : number++, asking, now);
		}
		if (dg_window_ack_due(&busy) !=
		    (rows[i].due < 0 ? DGRAM_NEVER : now + (uint64_t)rows[i].due * DGRAM_MS))
			fail_msg("row %zu: %s", i, rows[i].packets);
	}
}

static void sending_the_ack_settles_what_was_owed(void **state)
{
	struct dg_window w = {0};
	struct dg_window_busy busy;

	(void)state;
	dg_window_wake(&w, &busy, DELAY, 0);
	assert_false(dg_window_has_news(&busy));
	dg_window_mark(&w, &busy, 3, true, 7);
	assert_int_equal(dg_window_ack_due(&busy), 7);
	assert_true(dg_window_has_news(&busy));
	dg_window_ack_sent(&busy);
	assert_true(dg_window_ack_due(&busy) == DGRAM_NEVER);
	assert_false(dg_window_has_news(&busy));
	dg_window_mark(&w, &busy, 4, true, 8);
	assert_int_equal(dg_window_ack_due(&busy), 8 + DELAY);
	dg_window_mark(&w, &busy, 5, false, 9);
	assert_int_equal(dg_window_ack_due(&busy), 8 + DELAY);
	assert_true(dg_window_has_news(&busy));
}

static void the_ack_tells_how_long_the_highest_number_waited(void **state)
{
	struct dg_window w = {0};
	struct dg_window_busy busy;
	struct dg_writer ranges = dg_writer(NULL, 0);
	struct dg_frame frame;

	(void)state;
	dg_window_wake(&w, &busy, DELAY, 0);
	assert_false(dg_window_ack(&w, &busy, 0, &frame, &ranges));
	dg_window_mark(&w, &busy, 9, true, 1 * DGRAM_MS);
	dg_window_mark(&w, &busy, 8, true, 2 * DGRAM_MS);
	assert_true(dg_window_ack(&w, &busy, 5 * DGRAM_MS, &frame, &ranges));
	assert_int_equal(frame.type, DG_ACK);
	assert_int_equal(frame.id, 9);
	assert_int_equal(frame.first, 1);
	assert_int_equal(frame.ranges, 0);
	assert_int_equal(frame.value, 4000);
}

static void what_the_peer_knows_that_we_know_is_not_said_again(void **state)
{
	struct dg_window w = {0};
	struct dg_window_busy busy;
	uint8_t data[64];
	struct dg_writer ranges = dg_writer(data, sizeof data);
	struct dg_frame frame;

	(void)state;
	dg_window_wake(&w, &busy, DELAY, 0);
	for (uint64_t n = 0; n < 20; n += 2)
		dg_window_mark(&w, &busy, n, true, 0);
	dg_window_ack_sent(&busy);
	dg_window_ack_arrived(&busy, 12);
	dg_window_ack_arrived(&busy, 6);
	assert_true(dg_window_ack(&w, &busy, 0, &frame, &ranges));
	assert_int_equal(frame.ranges, 2); /* 18; 16, 14 */
	dg_window_ack_arrived(&busy, 18);
	assert_false(dg_window_ack(&w, &busy, 0, &frame, &ranges));
	dg_window_mark(&w, &busy, 9, true, 0); /* late: it has to be named, and 10 to 18 with it */
	ranges = dg_writer(data, sizeof data);
	assert_true(dg_window_ack(&w, &busy, 0, &frame, &ranges));
	assert_int_equal(frame.id, 18);
	assert_int_equal(frame.ranges, 4); /* 18; 16, 14, 12, 10 with 9 */
}

/* Every place of the first number to report, against words that are all ones or all zeros. */
/* It came after that ACK left, maybe in the very datagram that acknowledges it. */
static void what_came_since_is_said_though_higher_numbers_are_known(void **state)
{
	struct dg_window w = {0};
	struct dg_window_busy busy;
	struct dg_frame frame;
	uint8_t bytes[64];
	struct dg_writer ranges = dg_writer(bytes, sizeof bytes);

	(void)state;
	dg_window_wake(&w, &busy, DGRAM_MS, DGRAM_S);
	dg_window_mark(&w, &busy, 0, true, DGRAM_S);
	dg_window_mark(&w, &busy, 5, true, DGRAM_S);
	dg_window_ack_sent(&busy);
	dg_window_mark(&w, &busy, 3, true, 2 * DGRAM_S);
	assert_int_equal(dg_window_ack_due(&busy), 2 * DGRAM_S);
	dg_window_ack_arrived(&busy, 5);
	assert_true(dg_window_ack(&w, &busy, 2 * DGRAM_S, &frame, &ranges));
	assert_int_equal(frame.id, 5);
	assert_int_equal(frame.ranges, 1); /* 3 */
	dg_window_ack_sent(&busy);
	dg_window_ack_arrived(&busy, 5);
	ranges = dg_writer(bytes, sizeof bytes);
	assert_false(dg_window_ack(&w, &busy, 2 * DGRAM_S, &frame, &ranges));
}

static void ranges_end_exactly_where_they_should(void **state)
{
	(void)state;
	for (uint64_t known = 0; known < 260; known++) {
		struct dg_window full = {0}, hollow = {0};
		struct dg_window_busy busy;
		uint8_t data[8];
		struct dg_writer ranges = dg_writer(data, sizeof data);
		struct dg_frame frame;

		dg_window_wake(&full, &busy, DELAY, 0);
		for (uint64_t n = 0; n < 256; n++)
			dg_window_mark(&full, &busy, n, true, 0);
		dg_window_ack_sent(&busy);
		dg_window_ack_arrived(&busy, known);
		assert_int_equal(dg_window_ack(&full, &busy, 0, &frame, &ranges), known < 255);
		if (known < 255)
			assert_int_equal(frame.first, 254 - known);
		dg_window_wake(&hollow, &busy, DELAY, 0);
		dg_window_mark(&hollow, &busy, 5, true, 0);
		dg_window_mark(&hollow, &busy, 256, true, 0);
		dg_window_ack_sent(&busy);
		dg_window_ack_arrived(&busy, known);
		if (!dg_window_ack(&hollow, &busy, 0, &frame, &ranges))
			continue;
		assert_int_equal(frame.first, 0);
		assert_int_equal(frame.ranges, known < 5);
		ranges.len = 0;
	}
}

static void a_number_at_the_far_end_is_not_taken_for_the_one_in_its_place(void **state)
{
	struct dg_window w = {0};
	struct dg_window_busy busy;
	struct dg_writer ranges = dg_writer(NULL, 0);
	struct dg_frame frame;

	(void)state;
	dg_window_wake(&w, &busy, DELAY, 0);
	for (uint64_t n = 1; n <= DG_WINDOW_BUSY; n++)
		dg_window_mark(&w, &busy, n, true, 0);
	assert_true(dg_window_ack(&w, &busy, 0, &frame, &ranges));
	assert_int_equal(frame.first, DG_WINDOW_BUSY - 1);
}

static void full_ranges_leave_the_oldest_numbers_out(void **state)
{
	(void)state;
	for (size_t room = 0; room <= 200; room++) {
		struct dg_window w = {0};
		struct dg_window_busy busy;
		uint8_t data[200];
		struct dg_writer ranges = dg_writer(data, room);
		struct dg_frame frame;

		dg_window_wake(&w, &busy, DELAY, 0);
		for (uint64_t n = 0; n < 300; n += 2)
			dg_window_mark(&w, &busy, n, true, 0);
		assert_true(dg_window_ack(&w, &busy, 0, &frame, &ranges));
		assert_int_equal(frame.ranges,
		                 room / 2 < DG_ACK_RANGES_MAX ? room / 2 : DG_ACK_RANGES_MAX);
		assert_int_equal(frame.len, 2 * frame.ranges);
		assert_false(ranges.failed);
	}
}

/* The same, with a set of which everything is remembered. */
#define SPAN 20000

struct model {
	uint64_t base;
	bool received[SPAN], any;
	uint64_t highest, since, report_from;
	bool busy;
};

static enum dg_window_verdict model_check(const struct model *m, uint64_t number)
{
	if (number > LAST)
		return DG_WINDOW_BEYOND;
	if (!m->any || number > m->highest)
		return DG_WINDOW_NEW;
	if (m->highest - number >= (m->busy ? DG_WINDOW_BUSY : DG_WINDOW_IDLE) ||
	    (m->busy && number < m->since))
		return DG_WINDOW_OLD;
	return m->received[number - m->base] ? DG_WINDOW_SEEN : DG_WINDOW_NEW;
}

static void model_mark(struct model *m, uint64_t number)
{
	m->received[number - m->base] = true;
	if (!m->any || number > m->highest)
		m->highest = number;
	if (number < m->report_from)
		m->report_from = number;
	m->any = true;
}

/* What the frame says, after a way over the wire, is what the model has, as far as the frame
 * reaches. */
static void compare_ack(const struct model *m, const struct dg_window *w,
                        const struct dg_window_busy *busy)
{
	uint8_t data[1024], bytes[1100];
	struct dg_writer ranges = dg_writer(data, sizeof data),
	                 out = dg_writer(bytes, sizeof bytes);
	struct dg_frame frame;
	struct dg_ack_walk walk = {.frame = &frame};
	struct dg_reader in;
	uint64_t low, high, n, kept = m->highest;

	if (!dg_window_ack(w, busy, 0, &frame, &ranges)) {
		assert_true(!m->any || m->report_from > m->highest);
		return;
	}
	dg_frame_encode(&out, &frame);
	assert_false(out.failed);
	in = dg_reader(bytes, out.len);
	assert_true(dg_frame_decode(&frame, &in) && dg_read_all(&in));
	n = m->highest;
	while (dg_ack_next(&walk, &low, &high)) {
		for (; n > high; n--)
			assert_false(m->received[n - m->base]);
		for (; n >= low && n <= high; n--)
			assert_true(m->received[n - m->base]);
	}
	kept = kept - m->base >= DG_WINDOW_BUSY ? kept - (DG_WINDOW_BUSY - 1) : m->base;
	kept = kept > m->since ? kept : m->since;
	kept = kept > m->report_from ? kept : m->report_from;
	if (frame.ranges < DG_ACK_RANGES_MAX)
		for (; n >= kept && n <= m->highest; n--)
			assert_false(m->received[n - m->base]);
}

static uint64_t pick(struct dg_random *random, const struct model *m)
{
	uint64_t top = m->any ? m->highest : m->base;
	uint64_t far = dg_random_below(random, 200) ? 80 : 3000;
	uint64_t step = dg_random_below(random, far);

	if (dg_random_below(random, 4))
		return top + 1 + (dg_random_below(random, 8) ? 0 : step % 300);
	return top - m->base > step ? top - step : m->base;
}

static void rest_or_wake(struct model *m, const struct dg_window *w, struct dg_window_busy *busy)
{
	m->busy = !m->busy;
	if (!m->busy)
		return;
	dg_window_wake(w, busy, DELAY, 0);
	m->since = m->any && m->highest >= DG_WINDOW_IDLE ? m->highest - DG_WINDOW_IDLE + 1 : 0;
	m->report_from = m->since;
}

static void run_against_model(uint64_t base, uint64_t seed)
{
	static struct model m;
	struct dg_window w = {0};
	struct dg_window_busy busy;
	struct dg_random random;

	memset(&m, 0, sizeof m);
	m.base = base;
	dg_random_init(&random, seed);
	for (int step = 0; step < 4000; step++) {
		uint64_t number = pick(&random, &m);
		enum dg_window_verdict verdict = model_check(&m, number);

		if (number - base >= SPAN)
			break;
		assert_int_equal(dg_window_check(&w, m.busy ? &busy : NULL, number), verdict);
		if (verdict == DG_WINDOW_NEW) {
			dg_window_mark(&w, m.busy ? &busy : NULL, number, true, 0);
			model_mark(&m, number);
			assert_int_equal(w.highest, m.highest);
		}
		if (dg_random_below(&random, 500) == 0)
			rest_or_wake(&m, &w, &busy);
		if (m.busy && dg_random_below(&random, 50) == 0) {
			uint64_t known =
			        m.any ? m.highest - dg_random_below(&random, m.highest - base + 1)
			              : 0;

			compare_ack(&m, &w, &busy);
			dg_window_ack_sent(&busy);
			dg_window_ack_arrived(&busy, known);
			if (m.report_from <= known)
				m.report_from = known + 1;
		}
	}
}

static void it_agrees_with_a_set_that_forgets_nothing(void **state)
{
	static const uint64_t bases[] = {0,           1,        63, (UINT64_C(1) << 32) - 1000,
	                                 LAST - 3000, LAST - 10};

	(void)state;
	for (size_t i = 0; i < COUNT(bases); i++)
		for (uint64_t seed = 0; seed < 40; seed++)
			run_against_model(bases[i], seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_idle_window_is_16_bytes_and_a_busy_one_312_more),
	        cmocka_unit_test(numbers_are_new_seen_old_or_beyond),
	        cmocka_unit_test(checking_changes_nothing),
	        cmocka_unit_test(who_wakes_knows_the_recent_numbers_and_no_older_ones),
	        cmocka_unit_test(waking_forgets_what_the_idle_form_does_not_hold),
	        cmocka_unit_test(an_ack_is_due_for_the_second_and_at_once_when_a_number_is_missing),
	        cmocka_unit_test(sending_the_ack_settles_what_was_owed),
	        cmocka_unit_test(the_ack_tells_how_long_the_highest_number_waited),
	        cmocka_unit_test(what_the_peer_knows_that_we_know_is_not_said_again),
	        cmocka_unit_test(what_came_since_is_said_though_higher_numbers_are_known),
	        cmocka_unit_test(ranges_end_exactly_where_they_should),
	        cmocka_unit_test(a_number_at_the_far_end_is_not_taken_for_the_one_in_its_place),
	        cmocka_unit_test(full_ranges_leave_the_oldest_numbers_out),
	        cmocka_unit_test(it_agrees_with_a_set_that_forgets_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
