/* Section 3 of docs/WIRE.md, the initiator's half: which INITs leave, and what is taken for an
 * answer to them. */
#include "endpoint/bench.h"

/* A bench and a hand to which the endpoint asks a question. */
static uint64_t open_asking(struct bench *b, struct hand *h, const char *address, uint64_t deadline)
{
	struct dgram_message message;

	bench_open(b, NULL);
	hand_init(h, b, address);
	message = bench_message(DGRAM_REQUEST, &h->addr, "question");
	message.deadline = deadline;
	return bench_submit(b, &message);
}

static void take_init(struct hand *h)
{
	hand_take_hello(h, DG_INIT, &h->theirs);
}

static void an_init_says_what_it_must(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	bench_turn(&b);
	take_init(&h);
	assert_int_equal(h.got.packet.len, 256);
	assert_int_equal(h.theirs.time, 0);
	assert_int_equal(h.theirs.capabilities, 0);
	assert_int_equal(h.theirs.versions[0], 1);
	assert_int_equal(h.theirs.credit, 16384);
	assert_memory_equal(h.theirs.cookie, (uint8_t[16]){0}, 16);
	assert_int_equal(b.count, 0); /* one, and nothing else */
	bench_close(&b);
}

static void inits_come_again_as_the_profile_says(void **state)
{
	static const struct {
		const char *address;
		uint64_t first, most; /* ms */
		unsigned growth;      /* tenths */
	} rows[] = {
	        {"127.0.0.1:1000", 50, 500, 15},
	        {"10.0.0.1:1000", 100, 1000, 15},
	        {"198.51.100.1:1000", 1000, 8000, 20},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		double wait = (double)rows[i].first * 1e6;
		uint8_t first[BENCH_DATAGRAM];
		uint64_t before;

		open_asking(&b, &h, rows[i].address, DGRAM_NEVER);
		bench_turn(&b);
		take_init(&h);
		before = h.got.packet.at;
		memcpy(first, h.got.packet.data, h.got.packet.len);
		for (int n = 0; n < 10; n++) {
			double gap;

			assert_true(bench_wait_sent(&b, NULL, 10 * S));
			take_init(&h);
			gap = (double)(h.got.packet.at - before);
			assert_true(gap > wait * 0.899 && gap < wait * 1.101);
			assert_int_equal(h.theirs.time, (h.got.packet.at - BENCH_START) / DGRAM_US);
			assert_memory_equal(first, h.got.packet.data, 40);
			assert_memory_equal(first + 48, h.got.packet.data + 48, 252 - 48);
			before = h.got.packet.at;
			wait = wait * rows[i].growth / 10;
			wait = wait > (double)rows[i].most * 1e6 ? (double)rows[i].most * 1e6
			                                         : wait;
		}
		bench_close(&b);
	}
}

static void two_questions_open_one_session(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	message = bench_message(DGRAM_SEND, &h.addr, "more");
	bench_submit(&b, &message);
	hand_accept(&h);
	bench_turn(&b);
	assert_int_equal(b.count, 1); /* both aboard of one datagram */
	hand_next(&h);
	assert_non_null(hand_got(&h, DG_REQUEST));
	assert_non_null(hand_got(&h, DG_SEND));
	assert_int_equal(h.got.number, 0);
	assert_true(h.got.parts.header.flags == DG_FLAG_ASKS);
	bench_close(&b);
}

/* Fields of an ACCEPT that nobody may take. */
enum wrong {
	RIGHT,
	FROM_ELSEWHERE,
	FROM_ANOTHER_PORT,
	TIME_NEVER_SENT,
	TIME_OF_LATER,
	VERSION,
	TWO_VERSIONS,
	CAPABILITIES,
	RECEIVER,
	SESSION_ZERO,
	COOKIE,
	KEY_HINT,
	DAMAGED,
};

static enum dgram_fate give_wrong(struct hand *h, enum wrong wrong)
{
	uint64_t receiver = h->theirs.session;
	struct dg_hello good = h->hello;
	enum dgram_fate fate;
	struct dg_writer w;

	h->hello.time =
	        h->theirs.time + (wrong == TIME_NEVER_SENT) + (wrong == TIME_OF_LATER ? 500000 : 0);
	h->hello.capabilities = wrong == CAPABILITIES;
	h->theirs.session ^= (uint64_t)(wrong == RECEIVER);
	hand_write_hello(h, DG_ACCEPT, 0);
	h->last[68] = (uint8_t)(wrong == VERSION ? 2 : 1);
	h->last[69] = (uint8_t)(wrong == TWO_VERSIONS ? 2 : 0);
	h->last[77] = wrong == KEY_HINT;
	h->last[80] = wrong == COOKIE;
	if (wrong == SESSION_ZERO)
		memset(h->last + 16, 0, 8);
	w = dg_writer(h->last, sizeof h->last);
	w.len = h->last_len - DG_CRC_SIZE;
	dg_crc_append(&w, 0);
	h->last[h->last_len - 1] ^= (uint8_t)(wrong == DAMAGED);
	fate = wrong == FROM_ELSEWHERE      ? hand_give_from(h, "10.0.0.2:1000")
	       : wrong == FROM_ANOTHER_PORT ? hand_give_from(h, "10.0.0.1:1001")
	                                    : hand_give(h);
	h->hello = good;
	h->theirs.session = receiver;
	return fate;
}

static void an_accept_that_does_not_fit_is_not_taken(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	b.now += 1 * MS;
	bench_turn(&b);
	take_init(&h);
	for (int wrong = RIGHT + 1; wrong <= DAMAGED; wrong++) {
		assert_int_not_equal(give_wrong(&h, (enum wrong)wrong), DGRAM_FATE_TAKEN);
		bench_turn(&b);
		assert_int_equal(b.count, 0);
	}
	assert_int_equal(bench_stats(&b).opened, 0);
	assert_int_equal(give_wrong(&h, RIGHT), DGRAM_FATE_TAKEN);
	assert_int_equal(bench_stats(&b).opened, 1);
	assert_non_null(hand_find(&h, DG_REQUEST, 0));
	bench_close(&b);
}

static void an_accept_is_taken_once(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	hand_accept(&h);
	bench_turn(&b);
	assert_int_equal(hand_give(&h), DGRAM_FATE_UNEXPECTED);
	h.hello.session++; /* of somebody who answers the same INIT again */
	h.hello.boot++;
	assert_int_equal(hand_say_accept(&h, h.theirs.time), DGRAM_FATE_UNEXPECTED);
	h.hello.session--;
	hand_next(&h);
	assert_int_equal(h.got.parts.header.receiver, h.hello.session);
	assert_int_equal(hand_say(&h, hand_ack(&h), hand_reply(0, "yes")), DGRAM_FATE_TAKEN);
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).outcome, DGRAM_ANSWERED);
	bench_close(&b);
}

static void an_accept_is_taken_for_ten_seconds(void **state)
{
	static const struct {
		uint64_t age;
		bool good;
	} rows[] = {{0, true},
	            {9999 * MS, true},
	            {10 * S, true},
	            {10 * S + 1 * MS, false},
	            {15 * S, false}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
		bench_turn(&b);
		take_init(&h);
		bench_wait(&b, rows[i].age);
		bench_drop(&b);
		assert_int_equal(hand_say_accept(&h, 0) == DGRAM_FATE_TAKEN, rows[i].good);
		assert_int_equal(bench_stats(&b).opened, rows[i].good);
		bench_close(&b);
	}
}

static void an_accept_may_answer_an_earlier_init(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	bench_wait(&b, 800 * MS);
	take_init(&h);
	take_init(&h);
	assert_int_equal(hand_say_accept(&h, h.theirs.time),
	                 DGRAM_FATE_TAKEN); /* of the second one */
	assert_int_equal(bench_stats(&b).opened, 1);
	bench_close(&b);
}

static void the_echoed_time_is_the_first_sample(void **state)
{
	struct dgram_session_info info;
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "198.51.100.1:1000", DGRAM_NEVER);
	bench_turn(&b);
	take_init(&h);
	b.now += 30 * MS;
	assert_int_equal(hand_say_accept(&h, h.theirs.time), DGRAM_FATE_TAKEN);
	hand_next(&h);
	hand_say(&h, hand_reply(0, "x")); /* without ACK: no other sample */
	event = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(dgram_endpoint_session(b.ep, event.session, &info), 0);
	assert_true(info.rtt > 29 * MS && info.rtt < 31 * MS);
	assert_true(info.initiator && info.up);
	assert_true(dgram_addr_equal(&info.peer, &h.addr));
	bench_close(&b);
}

static void data_goes_until_some_of_it_is_acknowledged(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	message = bench_message(DGRAM_POST, &h.addr, "by the way");
	bench_submit(&b, &message);
	hand_accept(&h);
	for (int i = 0; i < 4; i++) { /* a POST asks for nothing: PING goes with it, and again */
		assert_true(bench_wait_sent(&b, NULL, 2 * S));
		hand_next(&h);
		assert_true(h.got.asking);
		if (i == 0)
			assert_non_null(hand_got(&h, DG_POST));
		else
			assert_null(hand_got(&h, DG_POST));
	}
	hand_settle(&h);
	bench_expect_silence(&b, 20 * S);
	bench_close(&b);
}

static void a_cookie_goes_back_at_once(void **state)
{
	uint8_t cookie[DG_COOKIE_SIZE];
	uint8_t before[BENCH_DATAGRAM];
	uint64_t at;
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	bench_turn(&b);
	take_init(&h);
	memcpy(before, h.got.packet.data, h.got.packet.len);
	b.now += 1 * MS;
	assert_int_equal(hand_say_cookie(&h, 0xaa), DGRAM_FATE_TAKEN);
	bench_turn(&b);
	take_init(&h);
	at = b.now;
	memset(cookie, 0xaa, sizeof cookie);
	assert_memory_equal(h.theirs.cookie, cookie, sizeof cookie);
	assert_int_equal(h.theirs.time, 1000);
	assert_memory_equal(before, h.got.packet.data, 40);
	assert_memory_equal(before + 48, h.got.packet.data + 48, 80 - 48);
	assert_memory_equal(before + 96, h.got.packet.data + 96, 252 - 96);
	b.now += 1 * MS;
	hand_say_cookie(&h, 0xbb); /* a further one: when the timer sends INIT anyway */
	bench_turn(&b);
	assert_int_equal(b.count, 0);
	assert_true(bench_wait_sent(&b, NULL, 1 * S));
	assert_true(b.now - at > 50 * MS);
	take_init(&h);
	memset(cookie, 0xbb, sizeof cookie);
	assert_memory_equal(h.theirs.cookie, cookie, sizeof cookie);
	assert_int_equal(hand_say_accept(&h, h.theirs.time), DGRAM_FATE_TAKEN);
	assert_int_equal(hand_say_cookie(&h, 0xcc), DGRAM_FATE_UNEXPECTED);
	bench_close(&b);
}

static void cookie_and_busy_come_from_where_init_went(void **state)
{
	struct bench b;
	struct hand h, other;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	bench_turn(&b);
	take_init(&h);
	hand_init(&other, &b, "10.0.0.2:1000");
	other.theirs = h.theirs;
	assert_int_not_equal(hand_say_cookie(&other, 1), DGRAM_FATE_TAKEN);
	assert_int_not_equal(hand_say_busy(&other, 5000), DGRAM_FATE_TAKEN);
	other.addr = h.addr;
	other.theirs.session++;
	assert_int_equal(hand_say_cookie(&other, 1), DGRAM_FATE_UNEXPECTED);
	assert_int_equal(hand_say_busy(&other, 5000), DGRAM_FATE_UNEXPECTED);
	bench_turn(&b);
	assert_int_equal(b.count, 0);
	assert_true(bench_wait_sent(&b, NULL, 111 * MS)); /* as if nothing had come */
	take_init(&h);
	assert_memory_equal(h.theirs.cookie, (uint8_t[16]){0}, 16);
	bench_close(&b);
}

static void after_busy_no_init_leaves(void **state)
{
	static const struct {
		uint32_t retry;  /* ms that BUSY says */
		uint64_t silent; /* ns */
	} rows[] = {{2000, 2 * S}, {20000, 20 * S}, {60000, 60 * S}, {UINT32_MAX, 60 * S}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 100 * S);
		bench_turn(&b);
		take_init(&h);
		assert_int_equal(hand_say_busy(&h, rows[i].retry), DGRAM_FATE_TAKEN);
		bench_expect_silence(&b, rows[i].silent - 1 * MS);
		bench_no_event(&b);
		assert_true(bench_wait_sent(&b, NULL, 2 * S));
		take_init(&h);
		assert_int_equal(hand_say_accept(&h, h.theirs.time), DGRAM_FATE_TAKEN);
		assert_non_null(hand_find(&h, DG_REQUEST, 0));
		bench_close(&b);
	}
}

static void a_cookie_after_busy_waits_too(void **state)
{
	uint8_t cookie[DG_COOKIE_SIZE];
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 100 * S);
	bench_turn(&b);
	take_init(&h);
	hand_say_busy(&h, 5000);
	hand_say_cookie(&h, 0xaa);
	bench_expect_silence(&b, 5 * S - 1 * MS);
	assert_true(bench_wait_sent(&b, NULL, 1 * S));
	take_init(&h);
	memset(cookie, 0xaa, sizeof cookie);
	assert_memory_equal(h.theirs.cookie, cookie, sizeof cookie);
	bench_close(&b);
}

static void a_deadline_within_busy_is_refused(void **state)
{
	struct dgram_event event;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	id = open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 5 * S);
	bench_turn(&b);
	take_init(&h);
	hand_say_busy(&h, 30000);
	event = bench_done(&b, 5 * S);
	assert_int_equal(event.id, id);
	assert_int_equal(event.outcome, DGRAM_REFUSED);
	assert_int_equal(event.reason, DGRAM_REASON_BUSY);
	bench_expect_silence(&b, 10 * S);
	bench_close(&b);
}

static void without_an_accept_the_deadline_refuses(void **state)
{
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 3 * S);
	event = bench_done(&b, 3 * S);
	assert_int_equal(b.now, BENCH_START + 3 * S);
	assert_int_equal(event.outcome, DGRAM_REFUSED);
	assert_int_equal(event.reason, DGRAM_REASON_NO_SESSION);
	assert_int_equal(event.session, 0);
	assert_int_equal(event.tries, 0);
	assert_int_equal(event.elapsed, 3 * S);
	bench_drop(&b);
	bench_expect_silence(&b, 100 * S); /* nobody wants the session any more */
	bench_close(&b);
}

static void who_hears_itself_says_so(void **state)
{
	struct dgram_event event;
	struct packet p;
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 3 * S);
	bench_turn(&b);
	assert_true(bench_take(&b, NULL, &p));
	assert_int_equal(bench_give(&b, &h.addr, p.data, p.len), DGRAM_FATE_OWN);
	event = bench_done(&b, 3 * S);
	assert_int_equal(event.outcome, DGRAM_REFUSED);
	assert_int_equal(event.reason, DGRAM_REASON_ECHOED);
	bench_close(&b);
}

static void what_the_network_says_ends_only_what_was_never_heard(void **state)
{
	static const struct {
		int error;
		enum dgram_reason reason;
	} rows[] = {{DGRAM_ERR_REFUSED, DGRAM_REASON_UNHEARD},
	            {DGRAM_ERR_UNREACHABLE, DGRAM_REASON_UNREACHABLE}};
	struct dgram_addr elsewhere = bench_addr("10.0.0.1:1001");
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 3 * S);
		bench_turn(&b);
		dgram_endpoint_told(b.ep, &elsewhere, rows[i].error, 0, b.now);
		bench_no_event(&b);
		dgram_endpoint_told(b.ep, &h.addr, rows[i].error, 0, b.now);
		event = bench_done(&b, 1 * MS);
		assert_int_equal(event.outcome, DGRAM_REFUSED);
		assert_int_equal(event.reason, rows[i].reason);
		bench_close(&b);

		open_asking(&b, &h, "10.0.0.1:1000", BENCH_START + 3 * S);
		hand_accept(&h);
		hand_next(&h);
		hand_say(&h, hand_ack(&h));
		dgram_endpoint_told(b.ep, &h.addr, rows[i].error, 0, b.now);
		bench_turn(&b);
		bench_no_event(&b);
		hand_say(&h, hand_reply(0, "here"));
		assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).outcome, DGRAM_ANSWERED);
		bench_close(&b);
	}
}

static void a_post_does_not_wait_for_ever(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	message = bench_message(DGRAM_POST, &h.addr, "x");
	bench_submit(&b, &message);
	bench_wait(&b, 6 * S); /* a local network's 5 s */
	bench_no_event(&b);
	assert_int_equal(bench_stats(&b).messages, 0);
	bench_drop(&b);
	bench_expect_silence(&b, 60 * S);
	bench_close(&b);
}

static void ours_may_be_the_smaller_idle_time(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h;

	(void)state;
	config.idle_ms = 3000;
	hand_open(&h, &b, &config);
	hand_call(&h);
	hand_say(&h, {.type = DG_SETTLED});
	bench_wait(&b, 2999 * MS);
	assert_int_equal(bench_stats(&b).sessions, 1);
	bench_wait(&b, 2 * MS);
	assert_int_equal(bench_stats(&b).sessions, 0);
	bench_close(&b);
}

static void the_smaller_idle_time_holds(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_asking(&b, &h, "10.0.0.1:1000", DGRAM_NEVER);
	h.hello.idle_ms = 2000;
	hand_accept(&h);
	hand_next(&h);
	hand_say(&h, hand_ack(&h), hand_reply(0, "x"));
	bench_event(&b, DGRAM_EVENT_DONE);
	hand_settle(&h);
	assert_int_equal(bench_stats(&b).sessions, 1);
	bench_wait(&b, 2 * S);
	assert_int_equal(bench_stats(&b).sessions, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_init_says_what_it_must),
	        cmocka_unit_test(inits_come_again_as_the_profile_says),
	        cmocka_unit_test(two_questions_open_one_session),
	        cmocka_unit_test(an_accept_that_does_not_fit_is_not_taken),
	        cmocka_unit_test(an_accept_is_taken_once),
	        cmocka_unit_test(an_accept_is_taken_for_ten_seconds),
	        cmocka_unit_test(an_accept_may_answer_an_earlier_init),
	        cmocka_unit_test(the_echoed_time_is_the_first_sample),
	        cmocka_unit_test(data_goes_until_some_of_it_is_acknowledged),
	        cmocka_unit_test(a_cookie_goes_back_at_once),
	        cmocka_unit_test(cookie_and_busy_come_from_where_init_went),
	        cmocka_unit_test(after_busy_no_init_leaves),
	        cmocka_unit_test(a_cookie_after_busy_waits_too),
	        cmocka_unit_test(a_deadline_within_busy_is_refused),
	        cmocka_unit_test(without_an_accept_the_deadline_refuses),
	        cmocka_unit_test(who_hears_itself_says_so),
	        cmocka_unit_test(what_the_network_says_ends_only_what_was_never_heard),
	        cmocka_unit_test(a_post_does_not_wait_for_ever),
	        cmocka_unit_test(ours_may_be_the_smaller_idle_time),
	        cmocka_unit_test(the_smaller_idle_time_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
