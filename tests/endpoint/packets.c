/* Section 6 of docs/WIRE.md, packets and their acknowledgement. */
#include "endpoint/bench.h"

#define ACK_DELAY (25 * MS) /* no profile's is longer */

static void open_called(struct bench *b, struct hand *h)
{
	hand_open(h, b, NULL);
	hand_call(h);
}

static void the_checksum_has_the_senders_id_in_it(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	open_called(&b, &h);
	id = h.hello.session;
	for (unsigned bit = 0; bit < 64; bit++) {
		h.hello.session = id ^ UINT64_C(1) << bit;
		assert_int_equal(hand_say(&h, hand_send(0, "forged")), DGRAM_FATE_CHECKSUM);
		h.next--;
	}
	h.hello.session = h.theirs.session; /* what everybody on the way has seen */
	assert_int_equal(hand_say(&h, hand_send(0, "forged")), DGRAM_FATE_CHECKSUM);
	h.next--;
	bench_expect_silence(&b, 1 * S);
	bench_no_event(&b);
	h.hello.session = id;
	assert_int_equal(hand_say(&h, hand_send(0, "true")), DGRAM_FATE_TAKEN);
	assert_memory_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).data, "true", 4);
	bench_close(&b);
}

static void every_flipped_bit_of_data_is_noticed(void **state)
{
	struct dgram_endpoint_stats stats;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_write(&h, (struct dg_frame[]){hand_request(0, "run"), {.type = DG_PING}}, 2);
	for (size_t bit = 0; bit < 8 * h.last_len; bit++) {
		h.last[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(hand_give(&h), DGRAM_FATE_TAKEN);
		h.last[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	bench_no_event(&b);
	stats = bench_stats(&b);
	assert_true(stats.received[DGRAM_FATE_CHECKSUM] > 0 &&
	            stats.received[DGRAM_FATE_STRANGER] > 0 &&
	            stats.received[DGRAM_FATE_FOREIGN] > 0 &&
	            stats.received[DGRAM_FATE_MALFORMED] > 0);
	assert_int_equal(stats.messages, 0);
	bench_drop(&b);
	assert_int_equal(hand_give(&h), DGRAM_FATE_TAKEN);
	bench_close(&b);
}

static void a_number_is_taken_once(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, hand_send(0, "x")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	hand_settle(&h);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(hand_give(&h), DGRAM_FATE_COPY);
		bench_expect_silence(&b, 1 * S); /* not acknowledged */
	}
	h.next--; /* other content does not make it another packet */
	assert_int_equal(hand_say(&h, hand_send(1, "y")), DGRAM_FATE_COPY);
	bench_no_event(&b);
	bench_close(&b);
}

static void numbers_may_come_late_but_not_too_late(void **state)
{
	static const struct {
		uint64_t number;
		enum dgram_fate fate;
	} rows[] = {
	        {5000, DGRAM_FATE_TAKEN},
	        {4999, DGRAM_FATE_TAKEN},
	        {4999, DGRAM_FATE_COPY},
	        {4937, DGRAM_FATE_TAKEN},
	        {4936, DGRAM_FATE_TAKEN},
	        {5000, DGRAM_FATE_COPY},
	        {100, DGRAM_FATE_COPY},
	        {0, DGRAM_FATE_COPY},
	        {6000, DGRAM_FATE_TAKEN},
	        {5999, DGRAM_FATE_TAKEN},
	        {4999, DGRAM_FATE_COPY},
	        {DG_VARINT_MAX, DGRAM_FATE_TAKEN},
	        {DG_VARINT_MAX, DGRAM_FATE_COPY},
	        {6001, DGRAM_FATE_COPY},
	        {DG_VARINT_MAX + 1, DGRAM_FATE_MALFORMED},
	        {UINT64_MAX, DGRAM_FATE_MALFORMED},
	};
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		h.next = rows[i].number;
		assert_int_equal(hand_say(&h, {.type = DG_PING}), rows[i].fate);
	}
	bench_close(&b);
}

/* One bad frame, and nothing of the datagram happened. */
static void an_unknown_frame_drops_all(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
	        {"\x15", 1},
	        {"\xff", 1},
	        {"\x40\x01", 2}, /* types */
	        {"\x07\x01\x03", 3},
	        {"\x08\x00\x01\x08", 4},
	        {"\x0f\x00\x06", 3},                   /* a state, code, reason */
	        {"\x00\x01", 2},                       /* PADDING that is not zeros */
	        {"\x0f\x00\x01\x01", 4},               /* something behind CLOSE */
	        {"\x02\x00\x00\x00\x01", 5},           /* an ACK below 0 */
	        {"\x09\x40\x01", 3},                   /* a varint that could be shorter */
	        {"\x04\x00\x05\x05\x00\x05hello", 11}, /* all of it, and not WHOLE */
	        {"\x04\x21\x05\x05hello", 9},          /* a flag that SEND has not */
	        {"\x04\x01\x05\x09hello", 9},          /* longer than the datagram */
	};
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_writer w;

		hand_write(&h, (struct dg_frame[]){hand_send(0, "x")}, 1);
		w = dg_writer(h.last, sizeof h.last);
		w.len = h.last_len - DG_CRC_SIZE;
		dg_write_bytes(&w, rows[i].bytes, rows[i].len);
		dg_crc_append(&w, h.hello.session);
		h.last_len = w.len;
		assert_int_equal(hand_give(&h), DGRAM_FATE_MALFORMED);
		h.next--;
	}
	bench_no_event(&b);
	bench_expect_silence(&b, 1 * S);
	assert_int_equal(hand_say(&h, hand_send(0, "x")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	bench_close(&b);
}

static void asks_is_set_exactly_where_a_frame_asks(void **state)
{
	struct dg_frame rows[] = {{.type = DG_PING}, {.type = DG_SETTLED}};
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_writer w = dg_writer(h.last, sizeof h.last);

		hand_write(&h, &rows[i], 1);
		h.last[6] ^= DG_FLAG_ASKS >> 8;
		w.len = h.last_len - DG_CRC_SIZE;
		dg_crc_append(&w, h.hello.session);
		assert_int_equal(hand_give(&h), DGRAM_FATE_MALFORMED);
	}
	bench_close(&b);
}

static void a_datagram_has_a_frame(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_write(&h, NULL, 0);
	assert_int_equal(h.last_len, 28);
	assert_int_equal(hand_give(&h), DGRAM_FATE_MALFORMED);
	bench_close(&b);
}

static void an_ack_of_what_was_never_sent_breaks_a_rule(void **state)
{
	struct dg_frame ack;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	ack = hand_ack_of(0, h.highest + 1);
	assert_int_equal(hand_say(&h, hand_send(0, "x"), ack), DGRAM_FATE_RULE);
	bench_no_event(&b);
	bench_turn(&b);
	if (hand_take(&h)) { /* the session may be ended */
		assert_non_null(hand_got(&h, DG_CLOSE));
		assert_int_equal(hand_got(&h, DG_CLOSE)->code, DG_CLOSE_RULE);
	}
	bench_close(&b);
}

static void the_first_asking_packet_is_acknowledged_within_the_delay(void **state)
{
	uint64_t at;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	at = b.now;
	hand_say(&h, {.type = DG_PING});
	bench_turn(&b);
	assert_true(hand_is_acked(&h, h.next - 1, ACK_DELAY));
	assert_true(b.now - at <= h.theirs.ack_delay_ms * MS);
	assert_false(h.got.asking);
	bench_expect_silence(&b, 1 * S);
	bench_close(&b);
}

static void the_second_asking_packet_is_acknowledged_at_once(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (int i = 0; i < 5; i++) {
		hand_say(&h, {.type = DG_PING});
		hand_say(&h, {.type = DG_PING});
		assert_true(hand_is_acked(&h, h.next - 1, 0));
	}
	bench_expect_silence(&b, 1 * S);
	bench_close(&b);
}

static void a_missing_number_is_told_at_once(void **state)
{
	const struct dg_frame *ack;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	h.next += 2;
	hand_say(&h, {.type = DG_PING});
	ack = hand_find(&h, DG_ACK, 0);
	assert_non_null(ack);
	assert_true(hand_acks(ack, h.next - 1) && !hand_acks(ack, h.next - 2) &&
	            !hand_acks(ack, h.next - 3));
	assert_true(hand_acks(ack, h.next - 4));
	bench_close(&b);
}

static void an_ack_says_how_long_it_was_held_back(void **state)
{
	const struct dg_frame *ack;
	struct bench b;
	struct hand h;
	uint64_t at;

	(void)state;
	open_called(&b, &h);
	at = b.now;
	hand_say(&h, {.type = DG_PING});
	ack = hand_find(&h, DG_ACK, ACK_DELAY);
	assert_non_null(ack);
	assert_int_equal(ack->value, (b.now - at) / DGRAM_US);
	bench_close(&b);
}

static void what_does_not_ask_is_not_acknowledged_by_itself(void **state)
{
	struct dg_frame rows[] = {
	        {.type = DG_POST, .data = (const uint8_t *)"x", .len = 1, .total = 1},
	        {.type = DG_SETTLED},
	        {.type = DG_PADDING, .len = 5},
	        {.type = DG_RESPONSE, .id = 1},
	        {.type = DG_ECHOED, .id = 1},
	};
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t number = h.next;

		hand_say(&h, rows[i]);
		bench_expect_silence(&b, 1 * S);
		hand_say(&h, {.type = DG_PING});
		assert_true(hand_is_acked(&h, number, ACK_DELAY)); /* but rides along */
		hand_settle(&h);
	}
	bench_close(&b);
}

static void an_ack_rides_with_what_is_sent_anyway(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, {.type = DG_PING});
	message = bench_message(DGRAM_POST, &h.addr, "x");
	bench_submit(&b, &message);
	bench_turn(&b);
	assert_int_equal(b.count, 1);
	hand_next(&h);
	assert_non_null(hand_got(&h, DG_POST));
	assert_non_null(hand_got(&h, DG_ACK));
	bench_expect_silence(&b, 1 * S);
	bench_close(&b);
}

/* As long as the peer does not know that it arrived: the packet with the ACK may be lost. */
static void an_ack_rides_until_it_is_known_to_have_arrived(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;
	uint64_t number;

	(void)state;
	open_called(&b, &h);
	number = h.next;
	hand_say(&h, {.type = DG_SETTLED}); /* asks for nothing */
	for (int i = 0; i < 3; i++) {
		message = bench_message(DGRAM_POST, &h.addr, "x");
		bench_submit(&b, &message);
		hand_next(&h);
		assert_non_null(hand_got(&h, DG_POST));
		assert_true(hand_acks(hand_got(&h, DG_ACK), number));
		bench_wait(&b, 100 * MS);
	}
	bench_close(&b);
}

/* Old ranges are dropped once the peer has acknowledged an ACK of them, and never more than 64. */
static void acks_stay_within_their_limits(void **state)
{
	const struct dg_frame *ack;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	for (int i = 0; i < 300; i++) {
		h.next++; /* each second number never comes */
		assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
		ack = hand_find(&h, DG_ACK, 0);
		assert_non_null(ack);
		assert_true(hand_acks(ack, h.next - 1));
		assert_true(ack->ranges <= DG_ACK_RANGES_MAX);
	}
	bench_close(&b);
}

static void frames_of_a_datagram_take_effect_in_their_order(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	assert_int_equal(hand_say(&h, hand_send(0, "a"), {.type = DG_PING}, hand_send(1, "b"),
	                          hand_send(2, "c")),
	                 DGRAM_FATE_TAKEN);
	assert_memory_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).data, "a", 1);
	assert_memory_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).data, "b", 1);
	assert_memory_equal(bench_event(&b, DGRAM_EVENT_MESSAGE).data, "c", 1);
	bench_close(&b);
}

static void what_is_lost_goes_again_in_a_new_packet(void **state)
{
	struct dgram_message message;
	struct dgram_event event;
	struct bench b;
	struct hand h;
	uint64_t first;

	(void)state;
	open_called(&b, &h);
	message = bench_message(DGRAM_SEND, &h.addr, "reliable");
	bench_submit(&b, &message);
	hand_next(&h);
	assert_non_null(hand_got(&h, DG_SEND));
	first = h.got.number;
	for (int i = 0; i < 5; i++) {
		const struct dg_frame *again = hand_find(&h, DG_SEND, 3 * S);

		assert_non_null(again);
		assert_true(h.got.number > first);
		assert_int_equal(again->id, 0);
		assert_memory_equal(again->data, "reliable", 8);
		bench_no_event(&b);
	}
	assert_int_equal(hand_say(&h, hand_ack_of(first, first)),
	                 DGRAM_FATE_TAKEN); /* any of them */
	event = bench_done(&b, 0);
	assert_int_equal(event.outcome, DGRAM_ANSWERED);
	assert_int_equal(event.tries, 6);
	hand_settle(&h);
	bench_close(&b);
}

static void three_later_numbers_tell_a_loss(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;
	uint64_t number;

	(void)state;
	open_called(&b, &h);
	for (int i = 0; i < 4; i++) {
		message = bench_message(DGRAM_SEND, &h.addr, i == 0 ? "first" : "later");
		bench_submit(&b, &message);
		hand_next(&h);
		assert_non_null(hand_got(&h, DG_SEND));
	}
	number = h.got.number - 3;
	hand_say(&h, hand_ack_of(number + 1, number + 3));
	bench_turn(&b);
	hand_next(&h); /* at once */
	assert_non_null(hand_got(&h, DG_SEND));
	assert_memory_equal(hand_got(&h, DG_SEND)->data, "first", 5);
	assert_int_equal(bench_stats(&b).lost, 1);
	hand_say(&h, hand_ack_of(number, h.got.number)); /* it was only late */
	assert_int_equal(bench_stats(&b).late, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).outcome, DGRAM_ANSWERED);
	bench_no_event(&b);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_checksum_has_the_senders_id_in_it),
	        cmocka_unit_test(every_flipped_bit_of_data_is_noticed),
	        cmocka_unit_test(a_number_is_taken_once),
	        cmocka_unit_test(numbers_may_come_late_but_not_too_late),
	        cmocka_unit_test(an_unknown_frame_drops_all),
	        cmocka_unit_test(asks_is_set_exactly_where_a_frame_asks),
	        cmocka_unit_test(a_datagram_has_a_frame),
	        cmocka_unit_test(an_ack_of_what_was_never_sent_breaks_a_rule),
	        cmocka_unit_test(the_first_asking_packet_is_acknowledged_within_the_delay),
	        cmocka_unit_test(the_second_asking_packet_is_acknowledged_at_once),
	        cmocka_unit_test(a_missing_number_is_told_at_once),
	        cmocka_unit_test(an_ack_says_how_long_it_was_held_back),
	        cmocka_unit_test(what_does_not_ask_is_not_acknowledged_by_itself),
	        cmocka_unit_test(an_ack_rides_with_what_is_sent_anyway),
	        cmocka_unit_test(an_ack_rides_until_it_is_known_to_have_arrived),
	        cmocka_unit_test(acks_stay_within_their_limits),
	        cmocka_unit_test(frames_of_a_datagram_take_effect_in_their_order),
	        cmocka_unit_test(what_is_lost_goes_again_in_a_new_packet),
	        cmocka_unit_test(three_later_numbers_tell_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
