/* Section 6 of docs/WIRE.md, silence and the end of a session. */
#include "endpoint/bench.h"

static void open_session(struct bench *b, struct hand *h, uint32_t idle_ms)
{
	struct dgram_message message;

	hand_open(h, b, NULL);
	h->hello.idle_ms = idle_ms;
	message = bench_message(DGRAM_POST, &h->addr, "hello");
	bench_submit(b, &message);
	hand_accept(h);
	hand_settle(h);
}

static uint64_t submit(struct hand *h, enum dgram_kind kind)
{
	struct dgram_message message = bench_message(kind, &h->addr, "question");

	message.deadline = h->bench->now + 1000 * S;
	return bench_submit(h->bench, &message);
}

/* ---- before something is exposed --------------------------------------------------------------- */

static void after_a_silence_a_request_waits_for_a_ping(void **state)
{
	static const struct {
		uint32_t idle_ms;
		uint64_t silence;
		bool waits;
	} rows[] = {
	        {120000, 4900 * MS, false}, {120000, 5100 * MS, true}, {120000, 100 * S, true},
	        {8000, 1900 * MS, false},   {8000, 2100 * MS, true},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_session(&b, &h, rows[i].idle_ms);
		hand_say(&h, {.type = DG_SETTLED}); /* the last thing that is heard */
		bench_expect_silence(&b, rows[i].silence);
		submit(&h, DGRAM_REQUEST);
		hand_next(&h);
		assert_int_equal(hand_got(&h, DG_REQUEST) == NULL, rows[i].waits);
		if (rows[i].waits) {
			assert_non_null(hand_got(&h, DG_PING));
			hand_say(&h, hand_ack(&h));
			assert_non_null(hand_find(&h, DG_REQUEST, 0));
		}
		bench_close(&b);
	}
}

static void what_may_run_twice_does_not_wait(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, 120000);
	bench_expect_silence(&b, 20 * S);
	message = bench_message(DGRAM_REQUEST, &h.addr, "question");
	message.idempotent = true;
	bench_submit(&b, &message);
	hand_next(&h);
	assert_non_null(hand_got(&h, DG_REQUEST));
	bench_close(&b);
}

/* The peer was restarted meanwhile: nothing was exposed, so nothing is unknown. */
static void a_request_that_waited_in_vain_goes_into_a_new_session(void **state)
{
	struct dg_hello init;
	struct dg_parts parts;
	struct packet p;
	struct bench b;
	struct hand h, again;

	(void)state;
	open_session(&b, &h, 120000);
	bench_expect_silence(&b, 20 * S);
	submit(&h, DGRAM_REQUEST);
	hand_next(&h);
	assert_non_null(hand_got(&h, DG_PING));
	assert_int_equal(hand_say_nosession(&h, h.got.number), DGRAM_FATE_TAKEN);
	memset(&init, 0, sizeof init);
	while (init.session == 0 && bench_wait_sent(&b, NULL, 5 * S)) {
		assert_true(bench_take(&b, NULL, &p));
		assert_true(dg_parts_decode(&parts, p.data, p.len));
		if (parts.header.type == DG_INIT)
			assert_true(dg_hello_decode(&init, &parts));
	}
	assert_int_not_equal(init.session, 0);
	hand_init(&again, &b, "10.0.0.1:1000");
	again.hello.session += 2;
	again.hello.boot += 2;
	again.theirs = init;
	hand_say_accept(&again, init.time);
	for (bool found = false; !found;) {
		assert_true(bench_wait_sent(&b, NULL, 5 * S));
		assert_true(bench_take(&b, NULL, &p));
		assert_true(dg_parts_decode(&parts, p.data, p.len));
		if (parts.header.type == DG_INIT && dg_hello_decode(&again.theirs, &parts))
			hand_say_accept(&again, again.theirs.time);
		found = parts.header.receiver == again.hello.session && p.len > 40;
	}
	bench_no_event(&b);
	hand_say(&again, hand_reply(0, "x"));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).outcome, DGRAM_ANSWERED);
	bench_close(&b);
}

/* ---- while something is unfinished ------------------------------------------------------------- */

static void a_requester_sends_pings_while_it_waits(void **state)
{
	static const struct {
		uint32_t idle_ms;
		uint64_t every;
	} rows[] = {{120000, 25 * S}, {40000, 10 * S}, {1000, 250 * MS}};
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t before;

		open_session(&b, &h, rows[i].idle_ms);
		submit(&h, DGRAM_REQUEST);
		hand_next(&h);
		hand_say(&h, hand_ack(&h), accepted);
		while (bench_wait_sent(&b, NULL, 10 * MS))
			hand_next(&h);
		before = b.now;
		for (int n = 0; n < 5; n++) {
			assert_non_null(hand_find(&h, DG_PING, rows[i].every + 50 * MS));
			assert_true(b.now - before >= rows[i].every - 100 * MS);
			before = b.now;
			hand_say(&h, hand_ack(&h));
		}
		bench_no_event(&b);
		assert_int_equal(bench_stats(&b).sessions, 1);
		bench_close(&b);
	}
}

/* That is what keeps the peer's handler running, whatever the peer says meanwhile. */
static void a_requester_sends_pings_while_the_peer_talks(void **state)
{
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	struct dg_frame post = {
	        .type = DG_POST, .data = (const uint8_t *)"x", .len = 1, .total = 1};
	struct bench b;
	struct hand h;
	uint64_t heard;

	(void)state;
	open_session(&b, &h, 120000);
	submit(&h, DGRAM_REQUEST);
	hand_next(&h);
	hand_say(&h, hand_ack(&h), accepted);
	hand_settle(&h);
	heard = b.now;
	for (int i = 0; i < 60; i++) {
		post.id = (uint64_t)i;
		hand_say(&h, post);
		bench_event(&b, DGRAM_EVENT_MESSAGE);
		if (bench_wait_sent(&b, NULL, 4 * S)) {
			heard = b.now;
			hand_settle(&h);
		}
		assert_true(b.now - heard < 30 * S);
	}
	bench_close(&b);
}

/* The peer may still ask for the answer there, though our own messages go into another session. */
static void a_session_that_is_replaced_keeps_its_answers(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t ping;

	(void)state;
	open_session(&b, &h, 120000);
	hand_say(&h, hand_request(0, "x"));
	assert_int_equal(dgram_endpoint_reply(b.ep, bench_event(&b, DGRAM_EVENT_REQUEST).id, 0,
	                                      "kept", 4, b.now),
	                 0);
	assert_non_null(hand_find(&h, DG_REPLY, 0));
	bench_wait(&b, 20 * S);
	bench_drop(&b);
	submit(&h, DGRAM_REQUEST); /* its PING is acknowledged late: a new session was begun */
	assert_non_null(hand_find(&h, DG_PING, 0));
	ping = h.got.number;
	bench_wait(&b, 5 * S);
	bench_drop(&b);
	hand_say(&h, hand_ack_of(ping, ping));
	bench_wait(&b, 100 * MS);
	bench_drop(&b);
	assert_int_equal(hand_say(&h, hand_request(0, "x")), DGRAM_FATE_TAKEN);
	bench_no_event(&b);
	bench_close(&b);
}

static void three_pings_in_vain_end_the_session(void **state)
{
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t at;

	(void)state;
	open_session(&b, &h, 120000);
	submit(&h, DGRAM_REQUEST);
	hand_next(&h);
	hand_say(&h, hand_ack(&h), accepted);
	at = b.now;
	done = bench_done(&b, 110 * S);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	assert_int_equal(done.reason, DGRAM_REASON_LOST);
	assert_true(b.now - at > 25 * S);
	assert_int_equal(bench_stats(&b).ended, 1);
	bench_close(&b);
}

static void who_waits_for_credit_sends_pings_too(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t at;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.credit = 0;
	submit(&h, DGRAM_SEND);
	hand_accept(&h);
	hand_settle(&h);
	at = b.now;
	for (int i = 0; i < 4; i++) {
		assert_true(bench_wait_sent(&b, NULL, 26 * S));
		hand_settle(&h);
	}
	assert_true(b.now - at > 50 * S);
	bench_no_event(&b);
	bench_close(&b);
}

/* ---- age --------------------------------------------------------------------------------------- */

/* Deadlines are told in session time, and the two clocks behind it drift. */
static void after_an_hour_the_initiator_begins_another_session(void **state)
{
	static const struct {
		bool initiator;
		uint64_t age;
		bool another;
	} rows[] = {{true, 3590 * S, false}, {true, 3601 * S, true}, {false, 3601 * S, false}};
	struct dgram_endpoint_config config = bench_config();
	struct dg_hello init;
	struct bench b;
	struct hand h;

	(void)state;
	config.idle_ms = 7200000;
	for (size_t i = 0; i < COUNT(rows); i++) {
		hand_open(&h, &b, &config);
		h.hello.idle_ms = config.idle_ms;
		if (rows[i].initiator) {
			submit(&h, DGRAM_POST);
			hand_accept(&h);
			hand_settle(&h);
		} else {
			hand_call(&h);
		}
		bench_expect_silence(&b, rows[i].age);
		hand_say(&h,
		         {.type = DG_SETTLED}); /* so that it need not ask whether we are there */
		submit(&h, DGRAM_REQUEST);
		bench_turn(&b);
		if (rows[i].another) {
			hand_take_hello(&h, DG_INIT, &init);
			assert_int_equal(init.time, 0);
		} else {
			hand_next(&h);
			assert_non_null(hand_got(&h, DG_REQUEST));
		}
		bench_close(&b);
	}
}

/* ---- idle -------------------------------------------------------------------------------------- */

static void an_idle_session_is_silent_and_then_ends(void **state)
{
	struct dgram_session_info info;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.idle_ms = 30000;
	hand_call(&h);
	hand_say(&h, {.type = DG_SETTLED});
	bench_expect_silence(&b, 30 * S - 1 * MS);
	assert_int_equal(dgram_endpoint_session(b.ep, h.theirs.session, &info), 0);
	assert_int_equal(info.heard_at, b.now - (30 * S - 1 * MS));
	assert_true(info.up && !info.initiator);
	bench_wait(&b, 2 * MS);
	assert_int_equal(dgram_endpoint_session(b.ep, h.theirs.session, &info), DGRAM_ERR_CLOSED);
	if (hand_take(&h))
		assert_int_equal(hand_got(&h, DG_CLOSE)->code, DG_CLOSE_IDLE);
	assert_int_equal(bench_stats(&b).ended, 1);
	assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_STRANGER);
	bench_close(&b);
}

static void whatever_is_heard_keeps_a_session(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.idle_ms = 2000;
	hand_call(&h);
	for (int i = 0; i < 10; i++) {
		bench_expect_silence(&b, 1900 * MS);
		assert_int_equal(hand_say(&h, {.type = DG_SETTLED}), DGRAM_FATE_TAKEN);
	}
	bench_close(&b);
}

/* Who still waited for something would have sent PING. */
static void unheard_a_session_ends_whatever_it_holds(void **state)
{
	struct dgram_event stop;
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.idle_ms = 10000;
	hand_call(&h);
	hand_say(&h, hand_request(0, "x"));
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	bench_wait(&b, 9 * S);
	bench_no_event(&b);
	bench_wait(&b, 2 * S);
	stop = bench_event(&b, DGRAM_EVENT_STOP);
	assert_int_equal(stop.id, handle);
	assert_int_equal(stop.reason, DGRAM_REASON_LOST);
	assert_int_equal(bench_stats(&b).sessions, 0);
	bench_drop(&b);
	bench_expect_silence(&b, 100 * S);
	bench_close(&b);
}

static void a_running_handler_keeps_its_session_while_the_peer_is_heard(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.idle_ms = 4000;
	hand_call(&h);
	hand_say(&h, hand_request(0, "x"));
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	for (int i = 0; i < 20; i++) {
		bench_wait(&b, 1 * S);
		hand_settle(&h);
		hand_say(&h, {.type = DG_PING});
	}
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "done", 4, b.now), 0);
	assert_non_null(hand_find(&h, DG_REPLY, 0));
	bench_close(&b);
}

/* ---- CLOSE ------------------------------------------------------------------------------------- */

static void a_close_says_what_will_never_run(void **state)
{
	static const struct {
		uint64_t first;
		enum dgram_outcome zero, one; /* of requests 0 and 1 */
	} rows[] = {
	        {0, DGRAM_REFUSED, DGRAM_REFUSED},
	        {1, DGRAM_UNKNOWN, DGRAM_REFUSED},
	        {2, DGRAM_UNKNOWN, DGRAM_UNKNOWN},
	};
	struct bench b;
	struct hand h;
	uint64_t zero, one;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		enum dgram_kind kind = i < COUNT(rows) ? DGRAM_REQUEST : DGRAM_SEND;
		size_t row = i % COUNT(rows);

		open_session(&b, &h, 120000);
		zero = submit(&h, kind);
		one = submit(&h, kind);
		bench_turn(&b);
		bench_drop(&b);
		assert_int_equal(hand_say(&h, {.type = DG_CLOSE,
		                               .id = rows[row].first,
		                               .code = DG_CLOSE_SHUTDOWN}),
		                 DGRAM_FATE_TAKEN);
		for (int n = 0; n < 2; n++) {
			struct dgram_event done = bench_event(&b, DGRAM_EVENT_DONE);

			assert_true(done.id == zero || done.id == one);
			assert_int_equal(done.outcome,
			                 done.id == zero ? rows[row].zero : rows[row].one);
			assert_int_equal(done.reason, DGRAM_REASON_CLOSED);
		}
		bench_no_event(&b);
		bench_expect_silence(&b, 10 * S); /* a CLOSE draws nothing */
		assert_int_equal(bench_stats(&b).sessions, 0);
		bench_close(&b);
	}
}

static void our_close_says_what_will_never_run(void **state)
{
	const struct dg_frame *close;
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	hand_say(&h, hand_request(0, "runs"), hand_request(1, "waits"));
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	hand_settle(&h);
	dgram_endpoint_close(b.ep, h.theirs.session, b.now);
	close = hand_find(&h, DG_CLOSE, 0);
	assert_non_null(close);
	assert_int_equal(close->id, 1);
	assert_true(close->code == DG_CLOSE_DONE || close->code == DG_CLOSE_SHUTDOWN);
	assert_false(h.got.asking);
	assert_int_equal(bench_event(&b, DGRAM_EVENT_STOP).id, handle);
	bench_no_event(&b);
	bench_expect_silence(&b, 10 * S); /* once */
	assert_int_equal(hand_say(&h, hand_request(2, "late")), DGRAM_FATE_STRANGER);
	bench_no_event(&b);
	bench_close(&b);
}

static void a_close_of_one_session_touches_no_other(void **state)
{
	struct bench b;
	struct hand one, two;

	(void)state;
	hand_open(&one, &b, NULL);
	hand_call(&one);
	hand_init(&two, &b, "10.0.0.2:1000");
	hand_call(&two);
	dgram_endpoint_close(b.ep, one.theirs.session, b.now);
	assert_non_null(hand_find(&one, DG_CLOSE, 0));
	assert_int_equal(hand_say(&one, hand_send(0, "x")), DGRAM_FATE_STRANGER);
	assert_int_equal(hand_say(&two, hand_send(0, "x")), DGRAM_FATE_TAKEN);
	dgram_endpoint_close(b.ep, 0, b.now);
	assert_non_null(hand_find(&two, DG_CLOSE, 0));
	bench_close(&b);
}

static void close_ends_what_we_asked(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t exposed, waiting;

	(void)state;
	open_session(&b, &h, 120000);
	exposed = submit(&h, DGRAM_REQUEST);
	hand_next(&h);
	waiting = submit(&h, DGRAM_REQUEST);
	dgram_endpoint_close(b.ep, 0, b.now);
	for (int n = 0; n < 2; n++) {
		done = bench_event(&b, DGRAM_EVENT_DONE);
		assert_true(done.id == exposed || done.id == waiting);
		assert_int_equal(done.outcome, done.id == exposed ? DGRAM_UNKNOWN : DGRAM_REFUSED);
		assert_int_equal(done.reason, DGRAM_REASON_HERE);
	}
	assert_non_null(hand_find(&h, DG_CLOSE, 0));
	assert_null(hand_got(&h, DG_REQUEST));
	assert_int_equal(bench_stats(&b).sessions, 0);
	assert_int_equal(bench_stats(&b).messages, 0);
	bench_close(&b);
}

static void an_abandoned_endpoint_says_nothing(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, 120000);
	submit(&h, DGRAM_REQUEST);
	submit(&h, DGRAM_SEND);
	dgram_endpoint_abandon(b.ep);
	bench_no_event(&b);
	bench_expect_silence(&b, 200 * S);
	assert_int_equal(bench_stats(&b).sessions, 0);
	assert_int_equal(bench_stats(&b).messages, 0);
	assert_int_equal(bench_stats(&b).pool_used, 0);
	assert_int_equal(dgram_endpoint_deadline(b.ep), DGRAM_NEVER);
	hand_say(&h, hand_reply(0, "x"));
	bench_no_event(&b);
	hand_init(&h, &b, "10.0.0.2:1000");
	assert_int_not_equal(hand_say_init(&h), DGRAM_FATE_TAKEN);
	message = bench_message(DGRAM_POST, &h.addr, "x");
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), DGRAM_ERR_CLOSED);
	bench_expect_silence(&b, 200 * S);
	bench_close(&b);
}

static void an_endpoint_that_was_never_used_is_silent(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	assert_int_equal(dgram_endpoint_deadline(b.ep), DGRAM_NEVER);
	bench_expect_silence(&b, 1000 * S);
	bench_no_event(&b);
	dgram_endpoint_close(b.ep, 0, b.now);
	bench_expect_silence(&b, 1000 * S);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(after_a_silence_a_request_waits_for_a_ping),
	        cmocka_unit_test(what_may_run_twice_does_not_wait),
	        cmocka_unit_test(a_request_that_waited_in_vain_goes_into_a_new_session),
	        cmocka_unit_test(a_requester_sends_pings_while_it_waits),
	        cmocka_unit_test(a_requester_sends_pings_while_the_peer_talks),
	        cmocka_unit_test(a_session_that_is_replaced_keeps_its_answers),
	        cmocka_unit_test(three_pings_in_vain_end_the_session),
	        cmocka_unit_test(who_waits_for_credit_sends_pings_too),
	        cmocka_unit_test(after_an_hour_the_initiator_begins_another_session),
	        cmocka_unit_test(an_idle_session_is_silent_and_then_ends),
	        cmocka_unit_test(whatever_is_heard_keeps_a_session),
	        cmocka_unit_test(unheard_a_session_ends_whatever_it_holds),
	        cmocka_unit_test(a_running_handler_keeps_its_session_while_the_peer_is_heard),
	        cmocka_unit_test(a_close_says_what_will_never_run),
	        cmocka_unit_test(our_close_says_what_will_never_run),
	        cmocka_unit_test(a_close_of_one_session_touches_no_other),
	        cmocka_unit_test(close_ends_what_we_asked),
	        cmocka_unit_test(an_abandoned_endpoint_says_nothing),
	        cmocka_unit_test(an_endpoint_that_was_never_used_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
