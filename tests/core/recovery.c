#include "core/recovery.h"

#include "base/random.h"

#include <dgram/error.h>
#include <dgram/time.h>
#include <string.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define MS           DGRAM_MS
#define NEVER        DGRAM_NEVER
#define WAIT         (300 * MS)
#define LOSS_DELAY   (90 * MS)
#define PERSISTENT   (900 * MS)
#define BYTES        1000
#define CAPACITY     64

static struct dg_sent ring[2048];

static struct dg_recovery fresh(uint32_t capacity, uint64_t next)
{
	struct dg_recovery r;

	dg_recovery_init(&r, ring, capacity, next, false);
	return r;
}

static int send_one(struct dg_recovery *r, bool asking, uint64_t now)
{
	const struct dg_sent packet = {.at = now,
	                               .acks = DG_NO_ACK,
	                               .first = (uint32_t)r->next,
	                               .count = 1,
	                               .bytes = BYTES,
	                               .asking = asking};

	return dg_recovery_sent(r, &packet);
}

/* An ACK of what is set in received, whose index 0 is the number base. */
struct ack {
	struct dg_frame frame;
	uint8_t data[2048];
};

static bool make_ack(struct ack *ack, const bool *received, size_t count, uint64_t base)
{
	struct dg_writer w = dg_writer(ack->data, sizeof ack->data);
	uint64_t lowest = 0;
	size_t end = count;

	ack->frame = (struct dg_frame){.type = DG_ACK};
	while (ack->frame.ranges < DG_ACK_RANGES_MAX) {
		size_t begin;

		while (end > 0 && !received[end - 1])
			end--;
		if (end == 0)
			break;
		for (begin = end; begin > 0 && received[begin - 1];)
			begin--;
		if (lowest == 0) {
			ack->frame.id = base + end - 1;
			ack->frame.first = end - 1 - begin;
		} else {
			dg_ack_append(&w, lowest, base + begin, base + end - 1);
			ack->frame.ranges++;
		}
		lowest = base + begin;
		end = begin;
		if (lowest == 0)
			break;
	}
	ack->frame.data = w.data;
	ack->frame.len = w.len;
	return count > 0 && (lowest > 0 || received[0]);
}

/* In marks, 'a' stands for a number that is acknowledged. */
static int acknowledge(struct dg_recovery *r, const char *marks, uint64_t base, uint64_t now,
                       uint64_t *sample)
{
	bool received[256] = {0};
	struct ack ack;
	size_t count = strlen(marks);

	for (size_t i = 0; i < count; i++)
		received[i] = marks[i] == 'a';
	assert_true(make_ack(&ack, received, count, base));
	return dg_recovery_ack(r, &ack.frame, now, sample);
}

/* Each row: packets a millisecond apart ('P' asks, 'p' does not), which of them the ACK names, then
 * the fates that are pulled: 'a' acknowledged, 'l' lost, '-' neither. */
static void packets_three_behind_an_acknowledged_one_are_lost(void **state)
{
	static const struct {
		const char *sent, *ack, *fates;
		size_t in_flight;
	} rows[] = {
	        {"P", "a", "a", 0},
	        {"PPP", "--a", "--a", 2},
	        {"PPPP", "---a", "l--a", 2},
	        {"PPPPP", "----a", "ll--a", 2},
	        {"PPPPPP", "-a--a", "la--a-", 3},
	        {"PPPPPP", "aaaaaa", "aaaaaa", 0},
	        {"PPPPPP", "a-----", "a-----", 5},
	        {"ppppP", "----a", "ll--a", 0},
	        {"PpPpP", "aaa--", "aaa--", 1},
	        {"pPpPp", "a-a-a", "ala-a", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_recovery r = fresh(CAPACITY, 0);
		char fates[16] = {0};
		struct dg_sent out;
		uint64_t sample, now = 0;

		for (const char *p = rows[i].sent; *p; p++)
			assert_int_equal(send_one(&r, *p == 'P', now += MS), 1);
		memset(fates, '-', strlen(rows[i].sent));
		acknowledge(&r, rows[i].ack, 0, 20 * MS, &sample);
		assert_false(dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, 20 * MS));
		while (dg_recovery_next_lost(&r, &out))
			fates[out.first] = 'l';
		while (dg_recovery_next_acked(&r, &out))
			fates[out.first] = 'a';
		if (strcmp(fates, rows[i].fates) != 0)
			fail_msg("row %zu: %s, not %s", i, fates, rows[i].fates);
		assert_int_equal(r.in_flight, rows[i].in_flight * BYTES);
	}
}

static void time_alone_makes_a_loss_when_a_later_packet_was_acknowledged(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 0);
	struct dg_sent out;
	uint64_t sample;

	(void)state;
	send_one(&r, true, 0);
	send_one(&r, true, 10 * MS);
	acknowledge(&r, "-a", 0, 80 * MS, &sample);
	dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, 80 * MS);
	assert_false(dg_recovery_next_lost(&r, &out));
	assert_int_equal(dg_recovery_deadline(&r, WAIT), LOSS_DELAY);
	assert_int_equal(dg_recovery_timeout(&r, WAIT, LOSS_DELAY - 1), DG_RECOVERY_NOTHING);
	assert_int_equal(dg_recovery_timeout(&r, WAIT, LOSS_DELAY), DG_RECOVERY_LOSS);
	dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, LOSS_DELAY);
	assert_true(dg_recovery_next_lost(&r, &out));
	assert_int_equal(out.number, 0);
	assert_int_equal(out.bytes, BYTES);
	assert_false(dg_recovery_next_lost(&r, &out));
	assert_true(dg_recovery_deadline(&r, WAIT) == NEVER);
	assert_int_equal(r.probes, 0);
}

static void silence_alone_loses_nothing_but_asks_for_probes(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 0);
	struct dg_sent out;
	uint64_t sample;

	(void)state;
	assert_true(dg_recovery_deadline(&r, WAIT) == NEVER);
	send_one(&r, false, 0);
	assert_true(dg_recovery_deadline(&r, WAIT) == NEVER);
	assert_null(dg_recovery_oldest(&r));
	send_one(&r, true, MS);
	send_one(&r, true, 2 * MS);
	assert_int_equal(dg_recovery_deadline(&r, WAIT), 2 * MS + WAIT);
	assert_int_equal(dg_recovery_timeout(&r, WAIT, 2 * MS + WAIT), DG_RECOVERY_PROBE);
	dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, DGRAM_S);
	assert_false(dg_recovery_next_lost(&r, &out));
	assert_int_equal(r.probes, 1);
	assert_int_equal(dg_recovery_oldest(&r)->number, 1);
	send_one(&r, true, WAIT + 3 * MS);
	assert_int_equal(dg_recovery_deadline(&r, 2 * WAIT), 3 * WAIT + 3 * MS);
	assert_int_equal(dg_recovery_timeout(&r, 2 * WAIT, 3 * WAIT + 3 * MS), DG_RECOVERY_PROBE);
	assert_int_equal(r.probes, 2);
	assert_int_equal(acknowledge(&r, "-a--", 0, 4 * WAIT, &sample), 1);
	assert_int_equal(r.probes, 0);
	assert_int_equal(dg_recovery_timeout(&r, WAIT, 5 * WAIT), DG_RECOVERY_PROBE);
	assert_int_equal(acknowledge(&r, "-a--", 0, 5 * WAIT, &sample), 0);
	assert_int_equal(r.probes, 1); /* nothing new: as good as silence */
	assert_true(sample == 0 && r.latest == 4 * WAIT - MS);
	assert_false(dg_recovery_is_quiet(&r));
}

static void the_oldest_is_in_flight_and_quiet_is_when_all_is_pulled(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 0);
	struct dg_sent out;
	uint64_t sample;

	(void)state;
	assert_true(dg_recovery_is_quiet(&r));
	send_one(&r, false, MS);
	assert_true(dg_recovery_is_quiet(&r));
	for (int i = 0; i < 5; i++)
		send_one(&r, true, MS);
	assert_int_equal(dg_recovery_oldest(&r)->number, 1);
	acknowledge(&r, "-a----", 0, 2 * MS, &sample);
	assert_int_equal(dg_recovery_oldest(&r)->number, 2);
	acknowledge(&r, "-a-aaa", 0, 3 * MS, &sample);
	dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, 3 * MS);
	assert_null(dg_recovery_oldest(&r));
	assert_false(dg_recovery_is_quiet(&r));
	while (dg_recovery_next_acked(&r, &out))
		assert_false(dg_recovery_is_quiet(&r)); /* there are losses to pull */
	while (dg_recovery_next_lost(&r, &out))
		continue;
	assert_true(dg_recovery_is_quiet(&r));
}

/* A sample needs the highest number of the ACK, new, and an asking packet among the new ones. */
static void samples_are_taken_where_they_mean_something(void **state)
{
	static const struct {
		const char *sent, *before, *ack;
		uint64_t sample; /* ms */
	} rows[] = {
	        {"P", "", "a", 49},       {"PPP", "", "--a", 47},   {"PPP", "", "a--", 49},
	        {"PPP", "--a", "aaa", 0}, {"PPp", "", "-aa", 47},   {"PPp", "", "--a", 0},
	        {"ppp", "", "aaa", 0},    {"PpP", "a--", "aa-", 0}, {"pP", "", "aa", 48},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_recovery r = fresh(CAPACITY, 0);
		uint64_t sample, now = 0;

		for (const char *p = rows[i].sent; *p; p++)
			send_one(&r, *p == 'P', now += MS);
		if (rows[i].before[0])
			acknowledge(&r, rows[i].before, 0, 10 * MS, &sample);
		acknowledge(&r, rows[i].ack, 0, 50 * MS, &sample);
		if (sample != rows[i].sample * MS || (sample > 0 && r.latest != sample))
			fail_msg("row %zu: %llu", i, (unsigned long long)sample);
	}
}

static void a_sample_without_delay_is_a_sample(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 0);
	uint64_t sample;

	(void)state;
	send_one(&r, true, 5);
	acknowledge(&r, "a", 0, 5, &sample);
	assert_int_equal(sample, 1);
	assert_int_equal(r.latest, 1);
}

static void an_ack_of_something_never_sent_breaks_a_rule_and_changes_nothing(void **state)
{
	static const uint64_t starts[] = {0, 1000, DG_VARINT_MAX - 10};

	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		struct dg_recovery r = fresh(CAPACITY, starts[i]), before;
		uint64_t sample;

		send_one(&r, true, 0);
		send_one(&r, true, 0);
		before = r;
		assert_int_equal(acknowledge(&r, "aaa", starts[i], MS, &sample), DGRAM_ERR_FORMAT);
		assert_memory_equal(&before, &r, sizeof r);
		assert_int_equal(sample, 0);
		assert_int_equal(acknowledge(&r, "aa", starts[i], MS, &sample), 2);
	}
}

static void numbers_end_where_an_ack_cannot_name_them(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, DG_VARINT_MAX);
	uint64_t sample;

	(void)state;
	assert_true(dg_recovery_has_room(&r));
	assert_int_equal(send_one(&r, true, 0), 1);
	assert_false(dg_recovery_has_room(&r));
	assert_int_equal(send_one(&r, true, 0), DGRAM_ERR_FULL);
	assert_int_equal(send_one(&r, false, 0), DGRAM_ERR_FULL);
	assert_int_equal(acknowledge(&r, "a", DG_VARINT_MAX, MS, &sample), 1);
}

static void the_machine_is_144_bytes_and_a_record_40(void **state)
{
	(void)state;
	assert_true(sizeof(struct dg_recovery) <= 144 && sizeof(struct dg_sent) <= 40);
}

static void what_was_sent_before_the_ring_was_there_is_no_news(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 10);
	uint64_t sample;

	(void)state;
	send_one(&r, true, 0);
	assert_int_equal(acknowledge(&r, "aaaaaaaaaa", 0, MS, &sample), 0);
	assert_int_equal(acknowledge(&r, "aaaaaaaaaaa", 0, MS, &sample), 1);
}

static void a_lost_packet_that_is_acknowledged_was_late(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 0);
	struct dg_sent out;
	uint64_t sample;

	(void)state;
	for (int i = 0; i < 5; i++)
		send_one(&r, true, MS);
	acknowledge(&r, "----a", 0, 2 * MS, &sample);
	dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, 2 * MS);
	assert_true(dg_recovery_next_lost(&r, &out)); /* 0; 1 is not pulled as lost any more */
	assert_int_equal(acknowledge(&r, "aa--a", 0, 3 * MS, &sample), 2);
	assert_false(dg_recovery_next_lost(&r, &out));
	assert_int_equal(r.late, 2);
	assert_int_equal(r.in_flight, 2 * BYTES);
	for (uint64_t number = 0; number <= 4; number += number == 1 ? 3 : 1) {
		assert_true(dg_recovery_next_acked(&r, &out));
		assert_int_equal(out.number, number);
		assert_int_equal(out.late, number < 2);
	}
	assert_false(dg_recovery_next_acked(&r, &out));
}

/* Each row: packets and when they left (ms); an ACK of the last one, at its time + 50. The first
 * sample is taken at 0. */
static void persistent_congestion_is_a_long_stretch_of_nothing_but_loss(void **state)
{
	static const struct {
		uint64_t at[6];
		const char *packets, *ack;
		bool measured, persistent;
	} rows[] = {
	        {{1, 901, 2000, 2001, 2002}, "PPPPP", "----a", true, false},
	        {{1, 902, 2000, 2001, 2002}, "PPPPP", "----a", true, true},
	        {{1, 902, 2000, 2001, 2002}, "PPPPP", "----a", false, false},
	        {{1, 902, 2000, 2200, 2201}, "PpPPP", "----a", true, true},
	        {{1, 902, 903, 904, 905}, "PpPPP", "----a", true, false},
	        {{1, 500, 902, 2001, 2002}, "PPPPP", "-a--a", true, false},
	        {{1, 500, 902, 2001, 2002, 2003}, "PPPPPP", "-----a", true, true},
	        {{1, 902, 903, 904, 2000, 2001}, "PPPPPP", "--a--a", true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_recovery r;
		uint64_t sample, last = 0;

		dg_recovery_init(&r, ring, CAPACITY, 0, rows[i].measured);
		for (size_t k = 0; rows[i].packets[k]; k++) {
			last = rows[i].at[k] * MS;
			send_one(&r, rows[i].packets[k] == 'P', last);
		}
		acknowledge(&r, rows[i].ack, 0, last + 50 * MS, &sample);
		if (dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, last + 50 * MS) !=
		    rows[i].persistent)
			fail_msg("row %zu", i);
	}
}

static void loss_before_the_first_sample_is_not_persistent(void **state)
{
	struct dg_recovery r = fresh(CAPACITY, 0);
	uint64_t sample;

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		send_one(&r, true, i * DGRAM_S);
	acknowledge(&r, "----a", 0, 5 * DGRAM_S, &sample);
	assert_false(dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, 5 * DGRAM_S));
	assert_int_equal(r.measured_at, 5 * DGRAM_S);
	for (uint64_t i = 6; i < 11; i++)
		send_one(&r, true, i * DGRAM_S);
	acknowledge(&r, "---------a", 0, 12 * DGRAM_S, &sample);
	assert_true(dg_recovery_detect(&r, LOSS_DELAY, PERSISTENT, 12 * DGRAM_S));
}

static void a_full_ring_refuses_but_probes_get_their_places(void **state)
{
	struct dg_recovery r = fresh(8, 0);
	struct dg_sent out;
	uint64_t now = 0, lost = UINT64_MAX; /* the last that was given up; 6 did not ask */

	(void)state;
	while (dg_recovery_has_room(&r))
		send_one(&r, true, now);
	assert_int_equal(r.asking, 6);
	assert_int_equal(send_one(&r, false, now), 0);
	assert_int_equal(r.next, 7);
	for (int i = 0; i < 20; i++) {
		now = dg_recovery_deadline(&r, WAIT);
		assert_int_equal(dg_recovery_timeout(&r, WAIT, now), DG_RECOVERY_PROBE);
		while (dg_recovery_next_lost(&r, &out)) {
			lost = lost == 5 ? 7 : lost + 1;
			assert_int_equal(out.number, lost);
		}
		assert_int_equal(send_one(&r, true, now), 1);
		assert_int_equal(send_one(&r, true, now), 1);
		assert_false(dg_recovery_has_room(&r));
	}
	assert_int_equal(r.asking, 8);
	assert_int_equal(send_one(&r, true, now), DGRAM_ERR_FULL);
	assert_int_equal(r.in_flight, 8 * BYTES);
}

static void packets_that_do_not_ask_never_stand_in_the_way(void **state)
{
	struct dg_recovery r = fresh(16, 0);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(send_one(&r, false, 0), 1); /* in place of the oldest */
	assert_int_equal(send_one(&r, true, 0), 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send_one(&r, false, 0), i < 7);
	for (int i = 0; i < 6; i++) {
		assert_true(dg_recovery_has_room(&r));
		assert_int_equal(send_one(&r, true, 0), 1);
	}
	assert_false(dg_recovery_has_room(&r));
}

/* The same over everything that was ever sent, the rules read once more from the RFC. */
#define MANY 600

struct model {
	struct {
		uint64_t at;
		bool asking, acked, lost;
	} packet[MANY];
	size_t sent, highest;
	bool any, is_held, received[MANY];
	uint64_t in_flight;
	uint64_t loss_due;
};

static void model_detect(struct model *m, uint64_t now)
{
	m->in_flight = 0;
	m->loss_due = NEVER;
	for (size_t i = 0; i < m->sent; i++) {
		if (m->packet[i].acked || m->packet[i].lost)
			continue;
		if (m->any && i < m->highest &&
		    (i + 3 <= m->highest || m->packet[i].at + LOSS_DELAY <= now)) {
			m->packet[i].lost = true;
			continue;
		}
		if (!m->packet[i].asking)
			continue;
		m->in_flight += BYTES;
		if (m->any && i < m->highest && m->packet[i].at + LOSS_DELAY < m->loss_due)
			m->loss_due = m->packet[i].at + LOSS_DELAY;
	}
}

/* Every record that is pulled is one that the model has in the same state, and is pulled once. */
static size_t pull_all(struct dg_recovery *r, const struct model *m, uint64_t base, uint8_t *acked,
                       uint8_t *lost)
{
	struct dg_sent out;
	size_t pulled = 0;

	for (; dg_recovery_next_lost(r, &out); pulled++) {
		assert_true(m->packet[out.number - base].lost);
		assert_int_equal(lost[out.number - base]++, 0);
	}
	for (; dg_recovery_next_acked(r, &out); pulled++) {
		assert_true(m->packet[out.number - base].acked);
		assert_int_equal(out.late, m->packet[out.number - base].lost);
		assert_int_equal(acked[out.number - base]++, 0);
	}
	return pulled;
}

static void take_ack(struct model *m, struct dg_recovery *r, const struct ack *ack, uint64_t base,
                     uint64_t now)
{
	struct dg_ack_walk walk = {.frame = &ack->frame};
	uint64_t low, high, sample;
	int settled = 0;

	while (dg_ack_next(&walk, &low, &high)) {
		for (uint64_t n = low; n <= high; n++) {
			settled += !m->packet[n - base].acked;
			m->packet[n - base].acked = true;
		}
	}
	if (!m->any || ack->frame.id - base > m->highest)
		m->highest = ack->frame.id - base;
	m->any = true;
	assert_int_equal(dg_recovery_ack(r, &ack->frame, now, &sample), settled);
	dg_recovery_detect(r, LOSS_DELAY, NEVER, now);
	model_detect(m, now);
}

/* The ACK of now arrives, or is held back and arrives later, when others have overtaken it. */
static void model_ack(struct model *m, struct dg_recovery *r, struct dg_random *random,
                      uint64_t base, uint64_t now)
{
	static struct ack ack, held;

	if (!make_ack(&ack, m->received, m->sent, base))
		return;
	if (dg_random_below(random, 4) > 0) {
		take_ack(m, r, &ack, base, now);
	} else if (m->is_held) {
		take_ack(m, r, &held, base, now);
		m->is_held = false;
	} else {
		held = ack;
		held.frame.data = held.data;
		m->is_held = true;
	}
}

static void run_against_model(uint64_t base, uint64_t seed)
{
	static struct model m;
	static uint8_t acked[MANY], lost[MANY];
	struct dg_recovery r = fresh(COUNT(ring), base);
	struct dg_random random;
	uint64_t now = DGRAM_S, loss = seed % 5 * 10;

	memset(&m, 0, sizeof m);
	memset(acked, 0, sizeof acked);
	memset(lost, 0, sizeof lost);
	dg_random_init(&random, seed);
	while (m.sent < MANY) {
		bool asking = dg_random_below(&random, 4) > 0;

		now += dg_random_below(&random, 20 * MS);
		send_one(&r, asking, now);
		m.packet[m.sent].at = now;
		m.packet[m.sent].asking = asking;
		m.sent++;
		for (size_t k = 0; k < 2; k++) { /* some come late, in any order */
			size_t i = m.sent - 1 - dg_random_below(&random, m.sent < 9 ? m.sent : 9);
			m.received[i] |= dg_random_below(&random, 100) >= loss;
		}
		if (dg_random_below(&random, 4) == 0)
			model_ack(&m, &r, &random, base, now);
		if (dg_recovery_timeout(&r, NEVER / 2, now) == DG_RECOVERY_LOSS) {
			model_detect(&m, now);
			dg_recovery_detect(&r, LOSS_DELAY, NEVER, now);
		}
		pull_all(&r, &m, base, acked, lost);
		model_detect(&m, 0);
		assert_int_equal(r.in_flight, m.in_flight);
		assert_true(r.loss_due == m.loss_due);
	}
	for (size_t i = 0; i < m.sent; i++) {
		assert_int_equal(acked[i], m.packet[i].acked);
		assert_int_equal(lost[i], m.packet[i].lost);
	}
}

static void it_agrees_with_a_list_of_everything_ever_sent(void **state)
{
	static const uint64_t bases[] = {0, 1, UINT32_MAX - 100, DG_VARINT_MAX - MANY};

	(void)state;
	for (size_t i = 0; i < COUNT(bases); i++)
		for (uint64_t seed = 0; seed < 25; seed++)
			run_against_model(bases[i], seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(packets_three_behind_an_acknowledged_one_are_lost),
	        cmocka_unit_test(time_alone_makes_a_loss_when_a_later_packet_was_acknowledged),
	        cmocka_unit_test(silence_alone_loses_nothing_but_asks_for_probes),
	        cmocka_unit_test(the_oldest_is_in_flight_and_quiet_is_when_all_is_pulled),
	        cmocka_unit_test(samples_are_taken_where_they_mean_something),
	        cmocka_unit_test(a_sample_without_delay_is_a_sample),
	        cmocka_unit_test(an_ack_of_something_never_sent_breaks_a_rule_and_changes_nothing),
	        cmocka_unit_test(numbers_end_where_an_ack_cannot_name_them),
	        cmocka_unit_test(the_machine_is_144_bytes_and_a_record_40),
	        cmocka_unit_test(what_was_sent_before_the_ring_was_there_is_no_news),
	        cmocka_unit_test(a_lost_packet_that_is_acknowledged_was_late),
	        cmocka_unit_test(persistent_congestion_is_a_long_stretch_of_nothing_but_loss),
	        cmocka_unit_test(loss_before_the_first_sample_is_not_persistent),
	        cmocka_unit_test(a_full_ring_refuses_but_probes_get_their_places),
	        cmocka_unit_test(packets_that_do_not_ask_never_stand_in_the_way),
	        cmocka_unit_test(it_agrees_with_a_list_of_everything_ever_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
