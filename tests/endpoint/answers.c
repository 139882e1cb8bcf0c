/* Section 4 of docs/WIRE.md: what draws an answer outside a session. */
#include "endpoint/bench.h"

#define LONG_AGO (UINT64_C(1) << 40) /* an id that nobody has */

/* DATA to a session that nobody has. */
static void write_stray(struct hand *h, const struct dg_frame *frame, uint64_t number)
{
	h->theirs.session = LONG_AGO;
	h->next = number;
	hand_write(h, frame, 1);
}

static void only_data_that_asks_draws_nosession(void **state)
{
	struct dg_frame rows[] = {
	        {.type = DG_PING},
	        hand_send(0, "x"),
	        hand_request(0, "x"),
	        {.type = DG_PULL},
	        {.type = DG_CANCEL},
	        {.type = DG_ECHO},
	        hand_reply(0, "x"),
	        hand_ack_of(0, 0),
	        {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING},
	        {.type = DG_NO, .code = DG_NO_GONE},
	        {.type = DG_RESET},
	        {.type = DG_SETTLED},
	        {.type = DG_CREDIT},
	        {.type = DG_GRANT},
	        {.type = DG_NEED},
	        {.type = DG_CLOSE, .code = DG_CLOSE_DONE},
	        {.type = DG_ECHOED},
	        {.type = DG_CHALLENGE},
	        {.type = DG_RESPONSE},
	        {.type = DG_PADDING, .len = 8},
	        {.type = DG_POST, .data = (const uint8_t *)"x", .len = 1, .total = 1},
	};
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		b.now += 2 * S;
		write_stray(&h, &rows[i], 77 + i);
		assert_int_equal(hand_give(&h), DGRAM_FATE_STRANGER);
		bench_turn(&b);
		assert_int_equal(b.count, dg_frame_asks(&rows[i]));
		if (b.count == 0)
			continue;
		h.hello.session = LONG_AGO; /* "as in the datagram that caused it" */
		hand_take_raw(&h, DG_NOSESSION, 28);
		assert_true(h.got.packet.len <= h.last_len);
		assert_memory_equal(h.got.parts.body, h.last + DG_HEADER_SIZE, 8);
	}
	bench_expect_silence(&b, 10 * S);
	bench_close(&b);
}

/* Who does not know the session cannot check the trailer. */
static void nosession_is_drawn_by_the_header_alone(void **state)
{
	struct dg_frame ping = {.type = DG_PING};
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	write_stray(&h, &ping, 5);
	h.last[h.last_len - 1] ^= 1;
	hand_give(&h);
	bench_turn(&b);
	assert_int_equal(b.count, 1);
	bench_close(&b);
}

static void nosession_is_sent_once_a_second_to_an_address_and_port(void **state)
{
	static const struct {
		const char *address;
		uint64_t after; /* ms since the one before */
		bool drawn;
	} rows[] = {
	        {"10.0.0.1:1000", 0, true},    {"10.0.0.1:1000", 0, false},
	        {"10.0.0.1:1000", 500, false}, {"10.0.0.2:1000", 0, true},
	        {"10.0.0.1:1001", 0, true},    {"10.0.0.1:1001", 0, false},
	        {"[2001:db8::1]:1", 0, true},  {"10.0.0.1:1000", 501, true},
	        {"10.0.0.1:1000", 999, false}, {"10.0.0.1:1000", 1001, true},
	};
	struct dg_frame ping = {.type = DG_PING};
	struct packet p;
	struct bench b;
	struct hand h;

	(void)state;
	bench_open(&b, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		b.now += rows[i].after * MS;
		hand_init(&h, &b, rows[i].address);
		write_stray(&h, &ping, i);
		hand_give(&h);
		bench_turn(&b);
		assert_int_equal(bench_take(&b, NULL, &p), rows[i].drawn);
	}
	bench_close(&b);
}

static void data_from_another_address_draws_nosession_and_no_more(void **state)
{
	struct bench b;
	struct hand h, other;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	hand_init(&other, &b, "10.0.0.9:1000");
	other.theirs = h.theirs;
	other.hello = h.hello;
	other.next = h.next;
	assert_int_equal(hand_say(&other, hand_request(0, "run")), DGRAM_FATE_STRANGER);
	bench_no_event(&b);
	bench_turn(&b);
	other.hello.session = h.theirs.session;
	hand_take_raw(&other, DG_NOSESSION, 28);
	assert_int_equal(hand_say(&h, hand_request(0, "run")),
	                 DGRAM_FATE_TAKEN); /* the same number */
	bench_event(&b, DGRAM_EVENT_REQUEST);
	bench_close(&b);
}

static void what_is_no_question_draws_nothing(void **state)
{
	static const enum dg_type types[] = {DG_ACCEPT, DG_COOKIE, DG_NOSESSION, DG_BUSY};
	struct dg_header group = {.version = DG_VERSION, .type = DG_GROUP};
	struct dg_group post = {.boot = 1, .endpoint = 2, .kind = DG_GROUP_POST, .counter = 1};
	struct dg_writer w;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.theirs.session = LONG_AGO;
	for (size_t i = 0; i < COUNT(types); i++) {
		if (types[i] == DG_ACCEPT)
			hand_say_accept(&h, 5);
		else if (types[i] == DG_COOKIE)
			hand_say_cookie(&h, 1);
		else if (types[i] == DG_NOSESSION)
			hand_say_nosession(&h, 1);
		else
			hand_say_busy(&h, 1000);
	}
	assert_int_equal(bench_fate_count(&b, DGRAM_FATE_UNEXPECTED) +
	                         bench_fate_count(&b, DGRAM_FATE_STRANGER),
	                 COUNT(types));
	w = dg_writer(h.last, sizeof h.last);
	dg_header_encode(&w, &group);
	dg_group_encode(&w, &post);
	dg_crc_append(&w, 0);
	assert_false(w.failed);
	h.last_len = w.len;
	assert_int_not_equal(hand_give(&h), DGRAM_FATE_TAKEN);
	bench_expect_silence(&b, 10 * S);
	bench_close(&b);
}

static void garbage_draws_nothing(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum dgram_fate fate;
	} rows[] = {
	        {"", 0, DGRAM_FATE_FOREIGN},
	        {"hello", 5, DGRAM_FATE_FOREIGN},
	        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, DGRAM_FATE_FOREIGN},
	        {"\xe4grm\1\4\x40\0\1\2\3\4\5\6\7\10", 16, DGRAM_FATE_MALFORMED},
	        {"\xe4grm\2\4\x40\0\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0\1\0\0\0\0", 29,
	         DGRAM_FATE_FOREIGN},
	        {"\xe4grm\1\x9\x40\0\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0\1\0\0\0\0", 29,
	         DGRAM_FATE_MALFORMED},
	        {"\xe4grm\1\4\x80\0\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0\1\0\0\0\0"
	         "\0\0\0\0\0\0\0\0\0\0\0\0",
	         41, DGRAM_FATE_MODE},
	};
	struct dgram_addr from = bench_addr("10.0.0.1:1000");
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(bench_give(&b, &from, rows[i].bytes, rows[i].len), rows[i].fate);
	bench_expect_silence(&b, 5 * S);
	bench_close(&b);
}

static void what_was_cut_by_the_system_is_malformed(void **state)
{
	struct dgram_datagram d = {.status = DGRAM_ERR_TRUNCATED};
	uint8_t nothing[1] = {0};
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	d.peer = bench_addr("10.0.0.1:1000");
	d.data = nothing;
	b.given++;
	assert_int_equal(dgram_endpoint_receive(b.ep, &d, b.now), DGRAM_FATE_MALFORMED);
	bench_close(&b);
}

static void every_fate_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (int i = -1; i <= DGRAM_FATE_COUNT; i++) {
		assert_non_null(dgram_fate_name((enum dgram_fate)i));
		assert_non_null(dgram_fate_text((enum dgram_fate)i));
	}
	for (int i = -1; i <= DGRAM_REASON_COUNT; i++) {
		assert_non_null(dgram_reason_name((enum dgram_reason)i));
		assert_non_null(dgram_reason_text((enum dgram_reason)i));
	}
	assert_string_equal(dgram_fate_name(DGRAM_FATE_COPY), "copy");
	assert_string_equal(dgram_reason_name(DGRAM_REASON_GONE), "gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(only_data_that_asks_draws_nosession),
	        cmocka_unit_test(nosession_is_drawn_by_the_header_alone),
	        cmocka_unit_test(nosession_is_sent_once_a_second_to_an_address_and_port),
	        cmocka_unit_test(data_from_another_address_draws_nosession_and_no_more),
	        cmocka_unit_test(what_is_no_question_draws_nothing),
	        cmocka_unit_test(garbage_draws_nothing),
	        cmocka_unit_test(what_was_cut_by_the_system_is_malformed),
	        cmocka_unit_test(every_fate_has_a_name_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
