/* What an endpoint does where something has come to its end: room, places, numbers. Every limit is an
 * outcome with a name, and when there is room again the work goes on. */
#include "endpoint/bench.h"

#include "endpoint/endpoint.h" /* to begin a session near the end of its numbers */

static void open_with(struct bench *b, struct hand *h, const struct dgram_endpoint_config *config)
{
	hand_open(h, b, config);
	hand_call(h);
}

/* ---- blocks for what is busy --------------------------------------------------------------------- */

static void more_sessions_live_than_are_busy(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h[4];

	(void)state;
	config.sessions = 4;
	config.sessions_each = 4;
	config.busy = 2;
	bench_open(&b, &config);
	for (uint64_t round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 4; i++) {
			char address[32];

			snprintf(address, sizeof address, "10.0.0.%u:1000", i + 1);
			if (round == 0) {
				hand_init(&h[i], &b, address);
				hand_call(&h[i]);
			}
			assert_int_equal(hand_say(&h[i], hand_send(round, "x")), DGRAM_FATE_TAKEN);
			assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).number, round);
			hand_settle(&h[i]);
			assert_int_equal(hand_give(&h[i]), DGRAM_FATE_COPY);
			assert_int_equal(hand_say(&h[i], hand_send(round, "x")), DGRAM_FATE_TAKEN);
			bench_no_event(&b); /* what was seen is remembered without a block too */
			hand_settle(&h[i]);
			assert_true(bench_stats(&b).busy <= 2);
		}
	}
	bench_close(&b);
}

static void who_finds_no_block_is_not_acknowledged(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message message;
	struct bench b;
	struct hand one, two;
	uint64_t handle;

	(void)state;
	config.sessions = 4;
	config.sessions_each = 4;
	config.busy = 1;
	hand_open(&one, &b, &config);
	hand_call(&one);
	hand_init(&two, &b, "10.0.0.2:1000");
	hand_call(&two);
	assert_int_equal(hand_say(&one, hand_request(0, "work")), DGRAM_FATE_TAKEN);
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	hand_settle(&one);
	assert_int_equal(hand_say(&two, hand_request(0, "more")), DGRAM_FATE_ROOM);
	assert_int_equal(hand_say(&two, {.type = DG_PING}), DGRAM_FATE_ROOM);
	assert_false(hand_is_acked(&two, 1, 200 * MS));
	message = bench_message(DGRAM_SEND, &two.addr, "x");
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), DGRAM_ERR_FULL);
	message.to = bench_addr("10.0.0.3:1000");
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), DGRAM_ERR_FULL);
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "done", 4, b.now), 0);
	hand_settle(&one);
	assert_int_equal(hand_say(&two, hand_request(0, "more")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_REQUEST);
	bench_close(&b);
}

/* ---- sessions ------------------------------------------------------------------------------------ */

static void an_idle_session_makes_room_for_ours(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message message;
	struct bench b;
	struct hand one, two;

	(void)state;
	config.sessions = 1;
	config.sessions_each = 1;
	open_with(&b, &one, &config);
	hand_init(&two, &b, "10.0.0.2:1000");
	message = bench_message(DGRAM_SEND, &two.addr, "x");
	bench_submit(&b, &message);
	assert_non_null(hand_find(&one, DG_CLOSE, 0));
	assert_int_equal(hand_got(&one, DG_CLOSE)->code, DG_CLOSE_EVICTED);
	hand_accept(&two);
	assert_non_null(hand_find(&two, DG_SEND, 0));
	assert_int_equal(bench_stats(&b).evicted, 1);
	message.to = bench_addr("10.0.0.3:1000"); /* ours is busy, and stays */
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), DGRAM_ERR_FULL);
	bench_close(&b);
}

/* A reply that the peer may still ask for is unfinished work. */
static void a_kept_answer_keeps_its_session(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h, other;

	(void)state;
	config.sessions = 1;
	config.sessions_each = 1;
	open_with(&b, &h, &config);
	hand_say(&h, hand_send(0, "draws CREDIT"));
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	hand_settle(&h);
	hand_say(&h, hand_request(1, "x"));
	assert_int_equal(dgram_endpoint_reply(b.ep, bench_event(&b, DGRAM_EVENT_REQUEST).id, 0, "y",
	                                      1, b.now),
	                 0);
	assert_non_null(hand_find(&h, DG_REPLY, 0));
	bench_wait(&b, 1 * S);
	hand_init(&other, &b, "10.0.0.2:1000");
	for (int i = 0; i < 2; i++) {
		hand_knock(&other);
		hand_take_raw(&other, i == 0 ? DG_COOKIE : DG_BUSY, i == 0 ? 60 : 24);
		if (i == 0)
			assert_true(dg_cookie_decode(other.hello.cookie, &other.got.parts));
	}
	hand_say(&h, {.type = DG_SETTLED, .id = 2}); /* it wants it no more */
	bench_turn(&b);
	hand_knock(&other);
	hand_take_hello(&other, DG_ACCEPT, &other.theirs);
	bench_close(&b);
}

static void an_address_has_its_share_of_sessions(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_session_info info;
	struct bench b;
	struct hand h[3];

	(void)state;
	config.sessions = 16;
	config.sessions_each = 2;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 3; i++) {
		char address[32];

		snprintf(address, sizeof address, "10.0.0.1:%u", 1000 + i);
		hand_init(&h[i], &b, address);
		hand_call(&h[i]);
		bench_wait(&b, 100 * MS);
	}
	assert_int_equal(bench_stats(&b).sessions, 2);
	assert_int_equal(bench_stats(&b).evicted, 1);
	assert_int_equal(dgram_endpoint_session(b.ep, h[0].theirs.session, &info),
	                 DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_session(b.ep, h[2].theirs.session, &info), 0);
	bench_close(&b);
}

/* Slots are used again and ids are not. */
static void no_session_id_is_given_twice(void **state)
{
	static uint64_t ids[500];
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h;

	(void)state;
	config.sessions = 1;
	config.sessions_each = 1;
	config.half_open = config.half_open_each = 1;
	bench_open(&b, &config);
	for (unsigned i = 0; i < COUNT(ids); i++) {
		hand_init(&h, &b, "10.0.0.1:1000");
		h.hello.session += 2 * i;
		hand_knock(&h);
		hand_take_hello(&h, DG_ACCEPT, &h.theirs);
		ids[i] = h.theirs.session;
		for (unsigned before = 0; before < i; before++)
			assert_int_not_equal(ids[before], ids[i]);
		hand_say(&h, {.type = DG_CLOSE, .code = DG_CLOSE_DONE});
	}
	bench_close(&b);
}

/* ---- room for bytes ------------------------------------------------------------------------------ */

static struct dgram_endpoint_config small_pool(void)
{
	struct dgram_endpoint_config config = bench_config();

	config.pool = 64 << 10;
	config.block = 256;
	config.message_max = 40 << 10;
	config.credit = 1024;
	config.sessions = 4;
	config.sessions_each = 4;
	return config;
}

static void a_need_waits_for_room(void **state)
{
	struct dgram_endpoint_config config = small_pool();
	const struct dg_frame *credit;
	struct bench b;
	struct hand h;

	(void)state;
	open_with(&b, &h, &config);
	hand_say(&h, {.type = DG_NEED, .id = 0, .total = 40 << 10});
	assert_non_null(hand_find(&h, DG_CREDIT, 0));
	hand_settle(&h);
	hand_say(&h, hand_part(DG_SEND, 0, 40 << 10, 0, 64)); /* and the rest does not come */
	hand_settle(&h);
	hand_say(&h, {.type = DG_NEED, .id = 1, .total = 30 << 10});
	for (;;) {
		credit = hand_find(&h, DG_CREDIT, 500 * MS);
		if (!credit)
			break;
		assert_true(credit->value < (70 << 10));
		hand_say(&h, hand_ack(&h));
	}
	hand_say(&h, {.type = DG_RESET, .id = 0, .total = 40 << 10});
	credit = hand_find(&h, DG_CREDIT, 100 * MS);
	while (credit && credit->value < (70 << 10))
		credit = hand_find(&h, DG_CREDIT, 100 * MS);
	assert_non_null(credit);
	bench_close(&b);
}

/* What a peer was promised is there, however full the pool is with our own. */
static void a_promise_is_kept(void **state)
{
	struct dgram_endpoint_config config = small_pool();
	struct dgram_message message;
	struct bench b;
	struct hand h;
	unsigned count = 0;

	(void)state;
	open_with(&b, &h, &config);
	message = bench_message(DGRAM_SEND, &h.addr, "");
	message.data = bench_bytes();
	message.len = 900;
	while (dgram_endpoint_submit(b.ep, &message, b.now, NULL) == 0)
		assert_true(++count < 1000);
	assert_true(count > 10);
	assert_int_equal(hand_say(&h, hand_part(DG_SEND, 0, 1000, 0, 512),
	                          hand_part(DG_SEND, 0, 1000, 512, 488)),
	                 DGRAM_FATE_TAKEN);
	assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).len, 1000);
	bench_close(&b);
}

/* Also by a reply that is longer than what was reserved for it. */
static void a_long_reply_breaks_no_promise(void **state)
{
	struct dgram_endpoint_config config = small_pool();
	struct dgram_message message;
	struct bench b;
	struct hand h, other;

	(void)state;
	open_with(&b, &h, &config);
	hand_say(&h, {.type = DG_NEED, .id = 0, .total = 40 << 10});
	assert_non_null(hand_find(&h, DG_CREDIT, 0));
	hand_settle(&h);
	hand_init(&other, &b, "10.0.0.2:1000");
	message = bench_message(DGRAM_REQUEST, &other.addr, "question");
	bench_submit(&b, &message);
	hand_accept(&other);
	assert_non_null(hand_find(&other, DG_REQUEST, 0));
	assert_int_equal(hand_say(&other, hand_part(DG_REPLY, 0, 30 << 10, 0, 64)),
	                 DGRAM_FATE_ROOM);
	assert_int_equal(hand_say(&h, hand_part(DG_SEND, 0, 40 << 10, 0, 64)), DGRAM_FATE_TAKEN);
	hand_say(&h, {.type = DG_RESET, .id = 0, .total = 40 << 10});
	assert_int_equal(hand_say(&other, hand_part(DG_REPLY, 0, 30 << 10, 0, 64)),
	                 DGRAM_FATE_TAKEN);
	bench_close(&b);
}

/* Without room to promise, the hello says so; what is sent then waits for NEED and CREDIT. */
static void without_room_a_hello_gives_no_credit(void **state)
{
	struct dgram_endpoint_config config = small_pool();
	struct dgram_message message;
	struct dg_hello a;
	struct bench b;
	struct hand h, other;

	(void)state;
	bench_open(&b, &config);
	hand_init(&other, &b, "10.0.0.9:1000");
	message = bench_message(DGRAM_SEND, &other.addr, "");
	message.data = bench_bytes();
	message.len = 900;
	while (dgram_endpoint_submit(b.ep, &message, b.now, NULL) == 0)
		;
	hand_init(&h, &b, "10.0.0.1:1000");
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &a);
	assert_int_equal(a.credit, 0);
	h.theirs = a;
	assert_int_equal(hand_say(&h, hand_send(0, "x")), DGRAM_FATE_RULE);
	bench_close(&b);
}

static void a_reply_without_room_can_be_tried_again(void **state)
{
	struct dgram_endpoint_config config = small_pool();
	struct dgram_message message;
	struct dgram_event event;
	struct bench b;
	struct hand h, other;
	uint64_t handle;

	(void)state;
	open_with(&b, &h, &config);
	hand_say(&h, hand_request(0, "x"));
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	hand_init(&other, &b, "10.0.0.9:1000");
	message = bench_message(DGRAM_SEND, &other.addr, "");
	message.data = bench_bytes();
	message.len = 20000;
	while (dgram_endpoint_submit(b.ep, &message, b.now, NULL) == 0)
		;
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, bench_bytes(), 30000, b.now),
	                 DGRAM_ERR_FULL);
	bench_wait(&b, 10 * MS);
	assert_int_equal(bench_stats(&b).requests, 1);
	while (bench_stats(&b).messages > 1) { /* the others give up */
		dgram_endpoint_told(b.ep, &other.addr, DGRAM_ERR_REFUSED, 0, b.now);
		while (dgram_endpoint_next_event(b.ep, &event, b.now))
			assert_int_equal(event.reason, DGRAM_REASON_UNHEARD);
	}
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, bench_bytes(), 30000, b.now), 0);
	assert_non_null(hand_find(&h, DG_REPLY, 0));
	bench_close(&b);
}

static void a_submit_that_fails_leaves_no_session(void **state)
{
	struct dgram_endpoint_config config = small_pool();
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, &config);
	message = bench_message(DGRAM_SEND, &h.addr, "");
	message.data = bench_bytes();
	message.len = 60000;
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), 0);
	message.to = bench_addr("10.0.0.2:1000");
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), DGRAM_ERR_FULL);
	assert_int_equal(bench_stats(&b).sessions, 1);
	bench_turn(&b);
	assert_int_equal(b.count, 1);
	message.len = 80000; /* never */
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), DGRAM_ERR_SIZE);
	bench_close(&b);
}

static void answers_outside_sessions_that_find_no_place_are_counted(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_endpoint_stats stats;
	struct bench b;
	struct hand h;

	(void)state;
	config.sessions = 1;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 300; i++) {
		char address[32];

		snprintf(address, sizeof address, "10.%u.%u.1:1000", i / 100, i % 100);
		hand_init(&h, &b, address);
		hand_say_init(&h);
		h.theirs.session = 77;
		hand_say(&h, {.type = DG_PING});
	}
	stats = bench_stats(&b);
	assert_true(stats.unsaid > 0);
	bench_turn(&b);
	assert_true(b.count > 0 && b.count + stats.unsaid <= 600);
	bench_close(&b);
}

/* ---- numbers ------------------------------------------------------------------------------------- */

/* The peer's numbers may be anything; ours begin where a test says. */
static void open_near(struct bench *b, struct hand *h, uint64_t ids, uint64_t numbers)
{
	struct dgram_message message;

	bench_open(b, NULL);
	b->ep->first_id = ids;
	b->ep->first_number = numbers;
	hand_init(h, b, "10.0.0.1:1000");
	message = bench_message(DGRAM_POST, &h->addr, "x");
	bench_submit(b, &message);
	hand_accept(h);
	bench_turn(b);
}

/* Of packets to the hand and to whoever takes over from it, at the same address. */
static bool take_raw(struct bench *b, struct dg_parts *parts, struct packet *p)
{
	return bench_wait_sent(b, NULL, 1 * S) && bench_take(b, NULL, p) &&
	       dg_parts_decode(parts, p->data, p->len);
}

static void another_session_takes_over_where_numbers_end(void **state)
{
	static const struct {
		uint64_t ids, numbers;
	} rows[] = {{DG_VARINT_MAX - 2, 0}, {0, DG_VARINT_MAX - 4100}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dgram_message message;
		struct dg_parts parts;
		struct packet p;
		unsigned inits = 0;

		open_near(&b, &h, rows[i].ids, rows[i].numbers);
		for (unsigned n = 0; n < 20; n++) {
			message = bench_message(DGRAM_SEND, &h.addr, "x");
			bench_submit(&b, &message);
			for (unsigned k = 0; k < 3 && take_raw(&b, &parts, &p); k++)
				inits += parts.header.type == DG_INIT;
		}
		assert_true(inits > 0);
		bench_close(&b);
	}
}

/* Who wants this session and no other is told. */
static void a_message_into_a_session_without_numbers_is_refused(void **state)
{
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_near(&b, &h, DG_VARINT_MAX - 1, 0);
	hand_settle(&h);
	message = bench_message(DGRAM_SEND, &h.addr, "x");
	message.session = h.theirs.session;
	bench_submit(&b, &message);
	done = bench_done(&b, 1 * S);
	assert_int_equal(done.outcome, DGRAM_REFUSED);
	assert_int_equal(done.reason, DGRAM_REASON_LOST);
	bench_close(&b);
}

/* Whatever else has to be said in its datagram, in its longest form. */
static void a_reply_fits_beside_the_longest_words(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t len = 1000; len < 1090; len++) {
		struct dg_frame request;
		uint64_t id = UINT64_C(1) << 61;
		struct dgram_event event;

		bench_open(&b, NULL);
		b.ep->first_id = id;
		b.ep->first_number = UINT64_C(1) << 60;
		hand_init(&h, &b, "10.0.0.1:1000");
		h.next = UINT64_C(1) << 60;
		hand_call(&h);
		for (int i = 0; i < 60; i++) {
			h.next += 30;
			hand_say(&h, {.type = DG_SETTLED, .id = id});
		}
		request = hand_request(id, "x");
		assert_int_equal(hand_say(&h, request, {.type = DG_CHALLENGE, .id = 5}),
		                 DGRAM_FATE_TAKEN);
		event = bench_event(&b, DGRAM_EVENT_REQUEST);
		b.now += 1 * MS;
		assert_int_equal(
		        dgram_endpoint_reply(b.ep, event.id, 255, bench_bytes(), len, b.now), 0);
		assert_non_null(hand_find(&h, DG_REPLY, 0));
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(more_sessions_live_than_are_busy),
	        cmocka_unit_test(who_finds_no_block_is_not_acknowledged),
	        cmocka_unit_test(an_idle_session_makes_room_for_ours),
	        cmocka_unit_test(a_kept_answer_keeps_its_session),
	        cmocka_unit_test(an_address_has_its_share_of_sessions),
	        cmocka_unit_test(no_session_id_is_given_twice),
	        cmocka_unit_test(a_need_waits_for_room),
	        cmocka_unit_test(a_promise_is_kept),
	        cmocka_unit_test(a_long_reply_breaks_no_promise),
	        cmocka_unit_test(without_room_a_hello_gives_no_credit),
	        cmocka_unit_test(a_reply_without_room_can_be_tried_again),
	        cmocka_unit_test(a_submit_that_fails_leaves_no_session),
	        cmocka_unit_test(answers_outside_sessions_that_find_no_place_are_counted),
	        cmocka_unit_test(another_session_takes_over_where_numbers_end),
	        cmocka_unit_test(a_message_into_a_session_without_numbers_is_refused),
	        cmocka_unit_test(a_reply_fits_beside_the_longest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
