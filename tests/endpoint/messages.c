/* Section 6 of docs/WIRE.md, messages that a peer sends us: taken once, in order where that was
 * asked for, within the credit. */
#include "endpoint/bench.h"

static void open_called(struct bench *b, struct hand *h)
{
	hand_open(h, b, NULL);
	hand_call(h);
}

static void assert_text(const struct dgram_event *event, const char *text)
{
	assert_int_equal(event->len, strlen(text));
	assert_memory_equal(event->data, text, event->len);
}

static void a_message_comes_with_all_that_was_said_of_it(void **state)
{
	struct dg_frame rows[] = {
	        {.type = DG_POST, .id = 5},
	        {.type = DG_POST, .id = 6, .flags = DG_NAMED | DG_HOPS},
	        {.type = DG_SEND, .id = 0, .flags = DG_WHOLE},
	        {.type = DG_SEND,
	         .id = 1,
	         .flags = DG_WHOLE | DG_NAMED | DG_HOPS | DG_ORDERED,
	         .order = 1},
	};
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool full = rows[i].flags & DG_NAMED;

		rows[i].data = (const uint8_t *)"data";
		rows[i].len = rows[i].total = 4;
		rows[i].name = full ? (const uint8_t *)"a.b-c_9" : NULL;
		rows[i].name_len = full ? 7 : 0;
		rows[i].hops = full ? 3 : 0;
		if (rows[i].flags & DG_ORDERED)
			rows[i].order = 0; /* the first one */
		assert_int_equal(hand_say(&h, rows[i]), DGRAM_FATE_TAKEN);
		event = bench_event(&b, DGRAM_EVENT_MESSAGE);
		assert_text(&event, "data");
		assert_int_equal(event.kind, rows[i].type == DG_POST ? DGRAM_POST : DGRAM_SEND);
		assert_int_equal(event.number, rows[i].id);
		assert_int_equal(event.session, h.theirs.session);
		assert_true(dgram_addr_equal(&event.peer, &h.addr));
		assert_int_equal(event.hops, rows[i].hops);
		assert_int_equal(event.name_len, rows[i].name_len);
		if (full)
			assert_memory_equal(event.name, "a.b-c_9", 7);
		else
			assert_null(event.name);
		assert_int_equal(event.ordered, (rows[i].flags & DG_ORDERED) != 0);
	}
	bench_no_event(&b);
	bench_close(&b);
}

static void empty_messages_are_messages(void **state)
{
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, hand_send(0, ""), hand_request(1, ""));
	event = bench_event(&b, DGRAM_EVENT_MESSAGE);
	assert_text(&event, "");
	event = bench_event(&b, DGRAM_EVENT_REQUEST);
	assert_text(&event, "");
	bench_close(&b);
}

static void an_id_is_taken_once(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, hand_send(0, "x")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(hand_say(&h, hand_send(0, "x")),
		                 DGRAM_FATE_TAKEN); /* acknowledged */
		assert_true(hand_is_acked(&h, h.next - 1, 50 * MS));
	}
	bench_no_event(&b);
	bench_close(&b);
}

/* Ids come in any order, and each once: the watermark never passes an unseen one. */
static void each_of_64_ids_is_taken_in_any_order(void **state)
{
	bool came[64] = {false};
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (unsigned round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 64; i++) {
			struct dgram_event event;
			uint64_t id = (i * 37 + 63) % 64;

			assert_int_equal(hand_say(&h, hand_send(id, "x")), DGRAM_FATE_TAKEN);
			if (dgram_endpoint_next_event(b.ep, &event, b.now)) {
				assert_int_equal(event.number, id);
				assert_false(came[id]);
				came[id] = true;
			}
			bench_turn(&b);
		}
	}
	for (unsigned id = 0; id < 64; id++)
		assert_true(came[id]);
	bench_close(&b);
}

static void posts_have_a_counter_of_their_own(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (uint64_t i = 0; i < 5; i++) {
		struct dg_frame post = {.type = DG_POST,
		                        .id = i,
		                        .data = (const uint8_t *)"p",
		                        .len = 1,
		                        .total = 1};

		assert_int_equal(hand_say(&h, post, hand_send(i, "s")), DGRAM_FATE_TAKEN);
		assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).kind, DGRAM_POST);
		assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).kind, DGRAM_SEND);
	}
	bench_close(&b);
}

static void fragments_come_in_any_order_and_overlap(void **state)
{
	static const struct {
		uint64_t offset;
		size_t len;
	} rows[] = {{3008, 192}, {64, 1088},   {1152, 64}, {64, 64},
	            {0, 128},    {1216, 1024}, {2176, 896}};
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bench_no_event(&b);
		assert_int_equal(
		        hand_say(&h, hand_part(DG_SEND, 0, 3200, rows[i].offset, rows[i].len)),
		        DGRAM_FATE_TAKEN);
		bench_turn(&b);
	}
	event = bench_event(&b, DGRAM_EVENT_MESSAGE);
	assert_int_equal(event.len, 3200);
	assert_memory_equal(event.data, bench_bytes(), 3200);
	hand_say(&h, hand_part(DG_SEND, 0, 3200, 0, 1088));
	bench_no_event(&b);
	bench_close(&b);
}

static void the_first_bytes_of_a_cell_count(void **state)
{
	struct dg_frame early = hand_part(DG_SEND, 0, 192, 64, 64),
	                late = hand_part(DG_SEND, 0, 192, 0, 128);
	struct dgram_event event;
	uint8_t wrong[128];
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, early);
	memcpy(wrong, bench_bytes(), 64);
	memset(wrong + 64, 0x55, 64);
	late.data = wrong;
	hand_say(&h, late, hand_part(DG_SEND, 0, 192, 128, 64));
	event = bench_event(&b, DGRAM_EVENT_MESSAGE);
	assert_memory_equal(event.data, bench_bytes(), 192);
	bench_close(&b);
}

static void another_total_or_type_breaks_a_rule(void **state)
{
	struct dg_frame rows[] = {
	        hand_part(DG_SEND, 0, 201, 0, 64),    hand_part(DG_SEND, 0, 199, 64, 64),
	        hand_part(DG_REQUEST, 0, 200, 0, 64), {.type = DG_RESET, .total = 100},
	        {.type = DG_CANCEL, .total = 100},    hand_send(0, "all of it, but shorter"),
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		hand_say(&h, hand_part(DG_SEND, 0, 200, 64, 64));
		assert_int_equal(hand_say(&h, rows[i]), DGRAM_FATE_RULE);
		bench_no_event(&b);
		bench_close(&b);
	}
}

/* ---- order ------------------------------------------------------------------------------------- */

static struct dg_frame ordered(uint64_t id, uint64_t order)
{
	struct dg_frame frame = hand_send(id, "x");

	frame.flags |= DG_ORDERED;
	frame.order = order;
	return frame;
}

static void expect_numbers(struct bench *b, const char *numbers)
{
	for (; *numbers; numbers++)
		assert_int_equal(bench_event(b, DGRAM_EVENT_MESSAGE).number, *numbers - '0');
	bench_no_event(b);
}

static void ordered_messages_wait_for_each_other_and_for_nobody_else(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, ordered(5, 2));
	hand_say(&h, ordered(3, 3));
	expect_numbers(&b, "");
	hand_say(&h, hand_send(4, "not ordered"));
	expect_numbers(&b, "4");
	hand_say(&h, hand_send(1, "not ordered"));
	expect_numbers(&b, "1");
	hand_say(&h, ordered(0, 0));
	expect_numbers(&b, "035");
	hand_say(&h, ordered(6, 1), ordered(7, 1));
	expect_numbers(&b, "67");
	bench_close(&b);
}

static void a_reset_message_holds_up_no_other(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, ordered(2, 1));
	hand_say(&h, ordered(0, 0));
	expect_numbers(&b, "0");
	assert_int_equal(hand_say(&h, {.type = DG_RESET, .id = 1}), DGRAM_FATE_TAKEN);
	expect_numbers(&b, "2");
	assert_int_equal(hand_say(&h, ordered(1, 1)), DGRAM_FATE_TAKEN); /* it counts as seen */
	expect_numbers(&b, "");
	bench_close(&b);
}

static void an_ordered_request_that_was_refused_holds_up_no_other(void **state)
{
	struct dg_frame request = hand_request(1, "x");
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	request.flags |= DG_ORDERED;
	request.order = 1;
	hand_say(&h, ordered(2, 1));
	hand_say(&h, request);
	expect_numbers(&b, "");
	hand_say(&h, ordered(0, 0));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).number, 0);
	event = bench_event(&b, DGRAM_EVENT_REQUEST);
	assert_true(event.ordered);
	expect_numbers(&b, "2"); /* given is enough */
	assert_int_equal(dgram_endpoint_refuse(b.ep, event.id, DGRAM_NOT_ALLOWED, 0, b.now), 0);
	bench_close(&b);
}

/* 3 names 2, which ends without being given: 1 is still before it. */
static void what_is_given_up_lets_nobody_overtake(void **state)
{
	struct dg_frame rows[] = {
	        {.type = DG_RESET, .id = 2},
	        {.type = DG_CANCEL, .id = 2},
	        {.type = DG_NEED, .id = 2, .total = (4 << 20) + 1}, /* NO NO_ROOM */
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		hand_say(&h, ordered(3, 1));
		hand_say(&h, rows[i]);
		expect_numbers(&b, "");
		hand_say(&h, ordered(0, 0));
		expect_numbers(&b, "0");
		hand_say(&h, ordered(1, 1));
		expect_numbers(&b, "13");
		hand_say(&h, ordered(4, 1));
		expect_numbers(&b, "4");
		bench_close(&b);
	}
}

/* It waits for 1 and is past its deadline: it is not started, and 3 does not overtake 1. */
static void what_expires_in_the_order_lets_nobody_overtake(void **state)
{
	struct dg_frame request = hand_request(2, "x");
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	request.flags |= DG_ORDERED;
	request.order = 1;
	request.deadline = hand_time(&h, b.now + 50 * MS);
	hand_say(&h, request, ordered(3, 1), ordered(0, 0));
	expect_numbers(&b, "0");
	bench_wait(&b, 60 * MS);
	expect_numbers(&b, "");
	hand_say(&h, ordered(1, 1));
	expect_numbers(&b, "13");
	bench_close(&b);
}

static void a_cancelled_request_holds_up_no_other(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, ordered(2, 1));
	hand_say(&h, ordered(0, 0));
	expect_numbers(&b, "0");
	hand_say(&h, {.type = DG_CANCEL, .id = 1});
	expect_numbers(&b, "2");
	bench_close(&b);
}

/* It was acknowledged, so it is the program's, though what it waited for will never come. */
static void what_waited_is_given_when_the_session_ends(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	for (int here = 0; here < 2; here++) {
		open_called(&b, &h);
		hand_say(&h, ordered(5, 1), ordered(4, 2), ordered(2, 1), hand_send(3, "whole"));
		expect_numbers(&b, "3");
		hand_say(&h, hand_part(DG_SEND, 0, 200, 0, 64)); /* a part is nothing */
		if (here)
			dgram_endpoint_close(b.ep, h.theirs.session, b.now);
		else
			hand_say(&h, {.type = DG_CLOSE, .code = DG_CLOSE_DONE});
		expect_numbers(&b, "245");
		assert_int_equal(bench_stats(&b).messages, 0);
		bench_close(&b);
	}
}

/* ---- given up ---------------------------------------------------------------------------------- */

static void a_reset_ends_what_was_begun(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t used;

	(void)state;
	open_called(&b, &h);
	used = bench_stats(&b).pool_used;
	hand_say(&h, hand_part(DG_SEND, 0, 10000, 64, 64));
	assert_true(bench_stats(&b).pool_used > used);
	assert_int_equal(hand_say(&h, {.type = DG_RESET, .id = 0, .total = 10000}),
	                 DGRAM_FATE_TAKEN);
	assert_true(hand_is_acked(&h, h.next - 1, 50 * MS));
	hand_settle(&h);
	assert_int_equal(bench_stats(&b).pool_used, used);
	for (uint64_t at = 0; at < 10000; at += 1000 / 64 * 64)
		hand_say(&h, hand_part(DG_SEND, 0, 10000, at, at + 960 > 10000 ? 10000 - at : 960));
	bench_no_event(&b);
	bench_close(&b);
}

static void what_was_whole_before_a_reset_stays(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, hand_send(0, "whole"));
	hand_say(&h, {.type = DG_RESET, .id = 0, .total = 5});
	assert_memory_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).data, "whole", 5);
	bench_close(&b);
}

/* ---- credit ------------------------------------------------------------------------------------ */

static void more_than_the_credit_breaks_a_rule(void **state)
{
	struct dg_frame rows[] = {
	        hand_part(DG_SEND, 0, 16385, 0, 64),
	        hand_part(DG_REQUEST, 0, 16385, 0, 64),
	        hand_part(DG_SEND, 0, UINT64_C(1) << 40, 0, 64),
	        {.type = DG_RESET, .id = 0, .total = 16385},
	        {.type = DG_CANCEL, .id = 0, .total = 16385},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		assert_int_equal(h.theirs.credit, 16384);
		assert_int_equal(hand_say(&h, rows[i]), DGRAM_FATE_RULE);
		bench_no_event(&b);
		bench_close(&b);
	}
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, hand_part(DG_SEND, 0, 16384, 0, 64)), DGRAM_FATE_TAKEN);
	bench_close(&b);

	open_called(&b, &h); /* two in one packet */
	assert_int_equal(hand_say(&h, hand_part(DG_SEND, 0, 8193, 0, 64),
	                          hand_part(DG_SEND, 1, 8192, 0, 64)),
	                 DGRAM_FATE_RULE);
	bench_close(&b);
}

static void an_id_beyond_the_promised_ones_breaks_a_rule(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, hand_send(63, "x")), DGRAM_FATE_TAKEN);
	assert_int_equal(hand_say(&h, hand_send(100000, "x")), DGRAM_FATE_RULE);
	bench_close(&b);
}

/* Credit and ids are raised while messages come, so that a peer that keeps to them never stops. */
static void credit_and_ids_are_raised(void **state)
{
	uint64_t begun = 0, ids = 64, credit;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	credit = h.theirs.credit;
	for (uint64_t id = 0; id < 500; id++) {
		if (begun + 1000 > credit || id >= ids) {
			assert_int_equal(hand_say(&h, {.type = DG_NEED, .id = id, .total = 1000}),
			                 DGRAM_FATE_TAKEN);
			bench_wait(&b, 100 * MS);
		}
		assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
		for (bench_turn(&b); hand_take(&h); bench_turn(&b)) {
			const struct dg_frame *frame = hand_got(&h, DG_CREDIT);

			if (frame) {
				credit = frame->value > credit ? frame->value : credit;
				ids = frame->id > ids ? frame->id : ids;
			}
			if (h.got.asking)
				hand_say(&h, hand_ack(&h));
		}
		assert_true(begun + 1000 <= credit && id < ids);
		begun += 1000;
		assert_int_equal(hand_say(&h, hand_part(DG_SEND, id, 1000, 0, 512),
		                          hand_part(DG_SEND, id, 1000, 512, 488)),
		                 DGRAM_FATE_TAKEN);
		assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).number, id);
	}
	bench_close(&b);
}

static void a_need_is_answered_with_credit(void **state)
{
	const struct dg_frame *credit;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, {.type = DG_NEED, .id = 0, .total = 1 << 20}),
	                 DGRAM_FATE_TAKEN);
	credit = hand_find(&h, DG_CREDIT, 50 * MS);
	assert_non_null(credit);
	assert_true(credit->value >= 1 << 20);
	assert_true(credit->id >= 64);
	assert_non_null(hand_find(&h, DG_CREDIT, 3 * S)); /* until it is acknowledged */
	hand_settle(&h);
	hand_expect_no(&h, DG_CREDIT, 3 * S);
	bench_close(&b);
}

static void a_need_that_can_never_be_met_draws_no_room(void **state)
{
	const struct dg_frame *no;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, {.type = DG_NEED, .id = 0, .total = (4 << 20) + 1}),
	                 DGRAM_FATE_TAKEN);
	no = hand_find(&h, DG_NO, 50 * MS);
	assert_non_null(no);
	assert_int_equal(no->id, 0);
	assert_int_equal(no->code, DG_NO_ROOM);
	bench_close(&b);
}

/* What was refused before it was begun counts when it is begun after all, once. */
static void what_is_begun_after_no_room_counts(void **state)
{
	struct dg_frame rows[] = {
	        {.type = DG_RESET, .id = 0, .total = 10000},
	        {.type = DG_CANCEL, .id = 0, .total = 10000},
	        hand_part(DG_REQUEST, 0, 10000, 0, 64),
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		for (int n = 0; n < 2; n++) { /* each NEED draws NO again */
			hand_say(&h, {.type = DG_NEED, .id = 0, .total = (4 << 20) + 1});
			assert_int_equal(hand_find(&h, DG_NO, 3 * S)->code, DG_NO_ROOM);
		}
		assert_int_equal(hand_say(&h, rows[i]), DGRAM_FATE_TAKEN);
		assert_int_equal(hand_say(&h, rows[i]), DGRAM_FATE_TAKEN); /* a copy */
		bench_no_event(&b);
		hand_settle(&h);
		assert_int_equal(hand_say(&h, {.type = DG_NEED, .id = 0, .total = 5}),
		                 DGRAM_FATE_TAKEN);
		hand_expect_no(&h, DG_CREDIT, 100 * MS);
		bench_close(&b);
	}
}

/* A SEND that is longer than what is taken, though there would be credit for it. */
static void open_small(struct bench *b, struct hand *h)
{
	struct dgram_endpoint_config config = bench_config();

	config.message_max = 1000;
	hand_open(h, b, &config);
	hand_call(h);
}

static void a_packet_with_a_refused_send_is_not_acknowledged(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_small(&b, &h);
	for (int i = 0; i < 3; i++) { /* each copy draws NO again */
		const struct dg_frame *no;

		hand_say(&h, hand_part(DG_SEND, 0, 1001, 0, 64), {.type = DG_PING});
		bench_no_event(&b);
		no = hand_find(&h, DG_NO, 100 * MS);
		assert_non_null(no);
		assert_int_equal(no->id, 0);
		assert_int_equal(no->code, DG_NO_ROOM);
		assert_false(hand_got(&h, DG_ACK) && hand_acks(hand_got(&h, DG_ACK), h.next - 1));
		assert_false(hand_is_acked(&h, h.next - 1, 300 * MS));
	}
	bench_close(&b);
}

static void nothing_else_of_a_packet_with_a_refused_send_is_taken(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_small(&b, &h);
	hand_say(&h, hand_send(1, "before"), hand_part(DG_SEND, 0, 1001, 0, 64),
	         hand_send(2, "behind"));
	bench_no_event(&b);
	hand_say(&h, {.type = DG_RESET, .id = 0, .total = 1001}, hand_send(1, "again"),
	         hand_send(2, "again"));
	expect_numbers(&b, "12");
	bench_close(&b);
}

static void a_request_that_is_too_long_is_refused(void **state)
{
	const struct dg_frame *no;
	struct bench b;
	struct hand h;

	(void)state;
	open_small(&b, &h);
	hand_say(&h, hand_part(DG_REQUEST, 0, 1001, 0, 64));
	no = hand_find(&h, DG_NO, 100 * MS);
	assert_non_null(no);
	assert_int_equal(no->code, DG_NO_ROOM);
	bench_no_event(&b);
	hand_say(&h, hand_part(DG_REQUEST, 1, 1000, 0, 512),
	         hand_part(DG_REQUEST, 1, 1000, 512, 488));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_REQUEST).number, 1);
	bench_close(&b);
}

/* Who has no room for anything drops the packet whole, and takes it when there is some again. */
static void without_room_a_packet_is_dropped_whole(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_event event;
	enum dgram_fate fate = DGRAM_FATE_TAKEN;
	struct bench b;
	struct hand h;
	uint64_t id = 0;

	(void)state;
	config.messages = 8;
	config.busy = 4;
	config.sessions = 4;
	hand_open(&h, &b, &config);
	hand_call(&h);
	while (id < 60 && fate == DGRAM_FATE_TAKEN)
		fate = hand_say(&h, hand_send(id++, "x"));
	assert_int_equal(fate, DGRAM_FATE_ROOM);
	id--;
	assert_false(hand_is_acked(&h, h.next - 1, 300 * MS));
	while (dgram_endpoint_next_event(b.ep, &event, b.now))
		bench_turn(&b);
	assert_int_equal(hand_say(&h, hand_send(id, "x")), DGRAM_FATE_TAKEN);
	assert_int_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).number, id);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_message_comes_with_all_that_was_said_of_it),
	        cmocka_unit_test(empty_messages_are_messages),
	        cmocka_unit_test(an_id_is_taken_once),
	        cmocka_unit_test(each_of_64_ids_is_taken_in_any_order),
	        cmocka_unit_test(posts_have_a_counter_of_their_own),
	        cmocka_unit_test(fragments_come_in_any_order_and_overlap),
	        cmocka_unit_test(the_first_bytes_of_a_cell_count),
	        cmocka_unit_test(another_total_or_type_breaks_a_rule),
	        cmocka_unit_test(ordered_messages_wait_for_each_other_and_for_nobody_else),
	        cmocka_unit_test(a_reset_message_holds_up_no_other),
	        cmocka_unit_test(an_ordered_request_that_was_refused_holds_up_no_other),
	        cmocka_unit_test(what_is_given_up_lets_nobody_overtake),
	        cmocka_unit_test(what_expires_in_the_order_lets_nobody_overtake),
	        cmocka_unit_test(a_cancelled_request_holds_up_no_other),
	        cmocka_unit_test(what_waited_is_given_when_the_session_ends),
	        cmocka_unit_test(a_reset_ends_what_was_begun),
	        cmocka_unit_test(what_was_whole_before_a_reset_stays),
	        cmocka_unit_test(more_than_the_credit_breaks_a_rule),
	        cmocka_unit_test(an_id_beyond_the_promised_ones_breaks_a_rule),
	        cmocka_unit_test(credit_and_ids_are_raised),
	        cmocka_unit_test(a_need_is_answered_with_credit),
	        cmocka_unit_test(a_need_that_can_never_be_met_draws_no_room),
	        cmocka_unit_test(what_is_begun_after_no_room_counts),
	        cmocka_unit_test(a_packet_with_a_refused_send_is_not_acknowledged),
	        cmocka_unit_test(nothing_else_of_a_packet_with_a_refused_send_is_taken),
	        cmocka_unit_test(a_request_that_is_too_long_is_refused),
	        cmocka_unit_test(without_room_a_packet_is_dropped_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
