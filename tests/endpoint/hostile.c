/* Peers that are greedy, or say what nobody should: they get what the rules say and cost nobody else
 * anything. */
#include "endpoint/bench.h"

static void open_called(struct bench *b, struct hand *h, const struct dgram_endpoint_config *config)
{
	hand_open(h, b, config);
	hand_call(h);
}

static struct dg_frame ordered_request(uint64_t id, uint64_t deadline)
{
	struct dg_frame f = hand_part(DG_REQUEST, id, 128, 0, 64);

	f.flags = DG_ORDERED;
	f.order = id;
	f.deadline = deadline;
	return f;
}

/* The second frame of an id is held against the first one though both are in one packet. */
static void one_packet_cannot_say_two_things_of_an_id(void **state)
{
	struct dg_frame rows[][2] = {
	        {hand_part(DG_SEND, 1, 128, 64, 64), ordered_request(1, 1)},
	        {hand_part(DG_SEND, 1, 128, 64, 64), hand_part(DG_REQUEST, 1, 128, 0, 64)},
	        {hand_part(DG_SEND, 1, 128, 64, 64), hand_part(DG_SEND, 1, 129, 0, 64)},
	        {hand_part(DG_SEND, 1, 128, 64, 64), hand_send(1, "whole")},
	        {hand_send(1, "whole"), hand_part(DG_SEND, 1, 128, 64, 64)},
	        {hand_send(1, "whole"), hand_request(1, "whole")},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h, NULL);
		assert_int_equal(hand_frames(&h, rows[i], 2), DGRAM_FATE_RULE);
		bench_no_event(&b);
		bench_expect_silence(&b, 1 * S);
		bench_close(&b);
	}
}

static void a_datagram_is_not_longer_than_our_hello_says(void **state)
{
	static const struct {
		size_t len;
		bool good;
	} rows[] = {{1000, true}, {1400, true}, {1473 - 28, false}, {1900, false}};
	struct dgram_endpoint_config config = bench_config();
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	config.message_max = 600; /* of a POST nothing is said by that */
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_frame post = {.type = DG_POST,
		                        .data = bench_bytes(),
		                        .len = rows[i].len,
		                        .total = rows[i].len};

		open_called(&b, &h, &config);
		assert_int_equal(hand_say(&h, post) == DGRAM_FATE_TAKEN, rows[i].good);
		if (rows[i].good) {
			event = bench_event(&b, DGRAM_EVENT_MESSAGE);
			assert_int_equal(event.len, rows[i].len);
			assert_memory_equal(event.data, bench_bytes(), event.len);
		}
		bench_no_event(&b);
		bench_close(&b);
	}
}

static void what_is_said_of_ids_that_nobody_has_breaks_a_rule(void **state)
{
	const uint64_t far = UINT64_C(1) << 40; /* beyond what was promised */
	struct dg_frame rows[] = {
	        hand_reply(0, "x"), /* of ours: none was used */
	        {.type = DG_ACCEPTED, .id = 0, .code = DG_ACCEPTED_QUEUED},
	        {.type = DG_NO, .id = 0, .code = DG_NO_GONE},
	        hand_send(far, "x"),
	        hand_request(far, "x"),
	        {.type = DG_PULL, .id = far},
	        {.type = DG_GRANT, .id = far, .value = 5},
	        {.type = DG_CANCEL, .id = far},
	        {.type = DG_RESET, .id = far},
	        {.type = DG_NEED, .id = far, .total = 5},
	        {.type = DG_SETTLED, .id = far},
	        hand_ack_of(far, far),
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h, NULL);
		assert_int_equal(hand_say(&h, hand_send(0, "with it"), rows[i]), DGRAM_FATE_RULE);
		bench_no_event(&b);
		bench_close(&b);
	}
}

/* Message 0 is a SEND of ours, 1 a REQUEST, 2 a REQUEST that waits for credit. */
static void replies_that_cannot_be_break_a_rule(void **state)
{
	static const struct {
		uint64_t id, total;
		enum dgram_fate fate;
	} rows[] = {
	        {0, 128, DGRAM_FATE_RULE},  {2, 128, DGRAM_FATE_RULE}, {3, 128, DGRAM_FATE_RULE},
	        {1, 128, DGRAM_FATE_TAKEN}, {1, 129, DGRAM_FATE_RULE}, {1, 128, DGRAM_FATE_TAKEN},
	};
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.credit = 2;
	for (int i = 0; i < 3; i++) {
		message = bench_message(i == 0 ? DGRAM_SEND : DGRAM_REQUEST, &h.addr, "x");
		bench_submit(&b, &message);
	}
	hand_accept(&h);
	assert_non_null(hand_find(&h, DG_NEED, 10 * MS));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
		        hand_say(&h, hand_part(DG_REPLY, rows[i].id, rows[i].total, 0, 64)),
		        rows[i].fate);
	bench_no_event(&b);
	bench_close(&b);
}

static void a_cancel_of_a_send_breaks_a_rule(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h, NULL);
	hand_say(&h, hand_send(0, "taken"));
	assert_int_equal(hand_say(&h, {.type = DG_CANCEL, .id = 0, .total = 5}), DGRAM_FATE_RULE);
	assert_memory_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).data, "taken", 5);
	bench_close(&b);
}

static void credit_counts_what_was_refused_before(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h, NULL);
	hand_say(&h, {.type = DG_NEED, .id = 0, .total = (4 << 20) + 1});
	assert_int_equal(hand_say(&h, hand_part(DG_SEND, 1, 16384, 0, 64),
	                          hand_part(DG_REQUEST, 0, 100, 0, 64)),
	                 DGRAM_FATE_RULE);
	bench_close(&b);
}

/* Each peer asks for as much as it may; the endpoint's own messages still find room. */
static void credit_leaves_room_for_our_own(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message message;
	struct bench b;
	struct hand first, h;
	uint64_t handle;

	(void)state;
	config.pool = 1 << 20;
	config.block = 256;
	config.message_max = 64 << 10;
	config.credit = 1024;
	config.sessions = 64;
	config.sessions_each = 64;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 40; i++) {
		char address[32];

		snprintf(address, sizeof address, "10.0.0.%u:1000", i + 1);
		hand_init(&h, &b, address);
		hand_call(&h);
		hand_say(&h, {.type = DG_NEED, .id = 0, .total = 64 << 10});
		hand_settle(&h);
		if (i == 0)
			first = h;
	}
	hand_say(&first, hand_request(1, "x"));
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, bench_bytes(), 60000, b.now), 0);
	message = bench_message(DGRAM_SEND, &h.addr, "");
	message.data = bench_bytes();
	message.len = 60000;
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), 0);
	bench_close(&b);
}

static void strangers_take_no_room_before_they_are_proved(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	config.pool = 32 << 10;
	config.block = 256;
	config.message_max = 16 << 10;
	config.credit = 4 << 10;
	config.sessions = 8;
	config.sessions_each = 8;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 100; i++) {
		char address[32];

		snprintf(address, sizeof address, "10.0.%u.1:1000", i);
		hand_init(&h, &b, address);
		hand_knock(&h);
	}
	message = bench_message(DGRAM_SEND, &h.addr, "");
	message.data = bench_bytes();
	message.len = 12 << 10;
	message.to = bench_addr("10.1.0.1:1000");
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), 0);
	bench_close(&b);
}

/* Answers that a peer never acknowledges are its own loss. */
static void kept_answers_of_one_peer_leave_places_for_others(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message message;
	struct dgram_event event;
	struct bench b;
	struct hand h, other;

	(void)state;
	config.messages = 64;
	config.requests = 64;
	hand_open(&h, &b, &config);
	hand_call(&h);
	hand_init(&other, &b, "10.0.0.2:1000");
	hand_call(&other);
	for (uint64_t id = 0; id < 200; id++) {
		hand_say(&h, hand_request(id, "x"));
		while (dgram_endpoint_next_event(b.ep, &event, b.now))
			assert_int_equal(dgram_endpoint_reply(b.ep, event.id, 0, "y", 1, b.now), 0);
		bench_turn(&b);
		bench_drop(&b);
	}
	assert_int_equal(hand_say(&other, hand_send(0, "x")), DGRAM_FATE_TAKEN);
	assert_int_equal(hand_say(&other, hand_request(1, "x")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	event = bench_event(&b, DGRAM_EVENT_REQUEST);
	assert_int_equal(dgram_endpoint_reply(b.ep, event.id, 0, "y", 1, b.now), 0);
	message = bench_message(DGRAM_SEND, &other.addr, "x");
	assert_int_equal(dgram_endpoint_submit(b.ep, &message, b.now, NULL), 0);
	bench_close(&b);
}

/* First pieces of requests that never become whole. */
static void pieces_of_requests_take_no_handler(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h[2], other;

	(void)state;
	config.requests = 8;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 2; i++) {
		hand_init(&h[i], &b, i == 0 ? "10.0.0.1:1000" : "10.0.0.1:1001");
		hand_call(&h[i]);
		for (uint64_t id = 0; id < 20; id++) {
			hand_say(&h[i], hand_part(DG_REQUEST, id, 128, 0, 64));
			hand_settle(&h[i]);
		}
	}
	hand_init(&other, &b, "10.0.0.2:1000");
	hand_call(&other);
	assert_int_equal(hand_say(&other, hand_request(0, "x")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_REQUEST);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_packet_cannot_say_two_things_of_an_id),
	        cmocka_unit_test(a_datagram_is_not_longer_than_our_hello_says),
	        cmocka_unit_test(what_is_said_of_ids_that_nobody_has_breaks_a_rule),
	        cmocka_unit_test(replies_that_cannot_be_break_a_rule),
	        cmocka_unit_test(a_cancel_of_a_send_breaks_a_rule),
	        cmocka_unit_test(credit_counts_what_was_refused_before),
	        cmocka_unit_test(credit_leaves_room_for_our_own),
	        cmocka_unit_test(strangers_take_no_room_before_they_are_proved),
	        cmocka_unit_test(kept_answers_of_one_peer_leave_places_for_others),
	        cmocka_unit_test(pieces_of_requests_take_no_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
