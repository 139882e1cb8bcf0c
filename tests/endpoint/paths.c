/* Sections 5 and 6 of docs/WIRE.md: round trips, challenges, and how large a datagram may be. */
#include "endpoint/bench.h"

static void an_echo_draws_its_number_and_what_was_received(void **state)
{
	const struct dg_frame *echoed;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	for (uint64_t i = 0; i < 3; i++) {
		hand_say(&h, {.type = DG_ECHO, .id = 1000 + i});
		echoed = hand_find(&h, DG_ECHOED, 0);
		assert_non_null(echoed);
		assert_int_equal(echoed->id, 1000 + i);
		assert_int_equal(echoed->value, h.next);
		hand_give(&h); /* a copy is no datagram of the session */
	}
	bench_close(&b);
}

static void a_challenge_draws_its_bytes(void **state)
{
	const struct dg_frame *response;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	hand_say(&h, {.type = DG_CHALLENGE, .id = UINT64_C(0xfedcba9876543210)});
	response = hand_find(&h, DG_RESPONSE, 50 * MS);
	assert_non_null(response);
	assert_int_equal(response->id, UINT64_C(0xfedcba9876543210));
	bench_close(&b);
}

static void our_echo_ends_with_its_answer(void **state)
{
	struct dgram_message message;
	struct dgram_event done;
	struct dg_frame echo;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	message = bench_message(DGRAM_ECHO, &h.addr, "");
	message.deadline = b.now + 1 * S;
	message.user = 5;
	id = bench_submit(&b, &message);
	assert_non_null(hand_find(&h, DG_ECHO, 0));
	echo = *hand_got(&h, DG_ECHO);
	b.now += 2 * MS;
	hand_say(&h, {.type = DG_ECHOED, .id = echo.id + 1, .value = 9}); /* of another one */
	bench_no_event(&b);
	hand_say(&h, hand_ack(&h), {.type = DG_ECHOED, .id = echo.id, .value = 77});
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.id, id);
	assert_int_equal(done.kind, DGRAM_ECHO);
	assert_int_equal(done.outcome, DGRAM_ANSWERED);
	assert_int_equal(done.received, 77);
	assert_int_equal(done.sent, h.highest + 1);
	assert_true(done.arrived);
	assert_int_equal(done.elapsed, 2 * MS);
	assert_int_equal(done.user, 5);
	bench_close(&b);
}

static void a_lost_echo_is_not_sent_again(void **state)
{
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	message = bench_message(DGRAM_ECHO, &h.addr, "");
	message.deadline = b.now + 2 * S;
	id = bench_submit(&b, &message);
	assert_non_null(hand_find(&h, DG_ECHO, 0));
	hand_expect_no(&h, DG_ECHO, 1900 * MS);
	done = bench_done(&b, 200 * MS);
	assert_int_equal(done.id, id);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	assert_int_equal(done.reason, DGRAM_REASON_DEADLINE);

	message.deadline = DGRAM_NEVER;
	id = bench_submit(&b, &message);
	bench_turn(&b);
	assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), 0);
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.reason, DGRAM_REASON_CANCELLED);
	bench_close(&b);
}

static void an_echo_whose_answer_is_lost_is_known_to_have_arrived(void **state)
{
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	message = bench_message(DGRAM_ECHO, &h.addr, "");
	for (int arrived = 0; arrived < 2; arrived++) {
		message.deadline = b.now + 100 * MS;
		bench_submit(&b, &message);
		assert_non_null(hand_find(&h, DG_ECHO, 0));
		if (arrived)
			hand_say(&h, hand_ack(&h));
		done = bench_done(&b, 200 * MS);
		assert_int_equal(done.outcome, DGRAM_UNKNOWN);
		assert_int_equal(done.arrived, arrived);
		assert_in_range(done.sent, 1, h.highest + 1);
	}
	bench_close(&b);
}

/* ---- sizes ------------------------------------------------------------------------------------- */

/* A session with a peer that takes any size, and a long message in it. */
static void open_long(struct bench *b, struct hand *h, size_t mtu, bool dark)
{
	struct dgram_message message;

	hand_open(h, b, NULL);
	h->hello.datagram_max = 65507;
	h->hello.credit = 8 << 20;
	message = bench_message(DGRAM_SEND, &h->addr, "first");
	bench_submit(b, &message);
	hand_accept(h);
	b->mtu = mtu;
	b->mtu_is_dark = dark;
	message.data = bench_bytes();
	message.len = 200000;
	bench_submit(b, &message);
}

/* Acknowledges whatever comes until both messages have been delivered; the largest datagram. */
static size_t deliver(struct bench *b, struct hand *h, uint64_t ns)
{
	uint64_t end = b->now + ns;
	struct dgram_event event;
	unsigned done = 0;
	size_t largest = 0;

	while (done < 2) {
		assert_true(bench_wait_sent(b, NULL, end - b->now));
		while (hand_take(h))
			largest = h->got.packet.len > largest ? h->got.packet.len : largest;
		b->now += 1 * MS;
		hand_say(h, hand_ack(h));
		while (dgram_endpoint_next_event(b->ep, &event, b->now))
			done += event.outcome == DGRAM_ANSWERED;
	}
	return largest;
}

static void datagrams_begin_at_1200_and_grow(void **state)
{
	struct dgram_session_info info;
	struct bench b;
	struct hand h;
	uint64_t session;

	(void)state;
	open_long(&b, &h, 0, false);
	bench_turn(&b);
	for (size_t i = 0; i < b.count; i++)
		assert_true(b.sent[(b.first + i) % BENCH_SENT].len <= DG_DATAGRAM_START);
	assert_true(deliver(&b, &h, 20 * S) > DG_DATAGRAM_START);
	hand_settle(&h);
	bench_wait(&b, 30 * S);
	hand_settle(&h);
	session = h.theirs.session;
	assert_int_equal(dgram_endpoint_session(b.ep, session, &info), 0);
	assert_true(info.datagram > DG_DATAGRAM_START && info.datagram <= 1472);
	bench_close(&b);
}

static void the_peers_largest_datagram_is_kept_to(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.datagram_max = 600;
	message = bench_message(DGRAM_SEND, &h.addr, "first");
	bench_submit(&b, &message);
	hand_accept(&h);
	message.data = bench_bytes();
	message.len = 200000;
	bench_submit(&b, &message);
	assert_true(deliver(&b, &h, 20 * S) <= 600);
	bench_close(&b);
}

static void what_is_too_large_for_the_path_becomes_508(void **state)
{
	static const struct {
		size_t mtu;
		bool dark; /* the path says nothing */
	} rows[] = {{508, false}, {900, false},  {1199, false}, {508, true},
	            {900, true},  {1300, false}, {1300, true}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t largest;

		open_long(&b, &h, rows[i].mtu, rows[i].dark);
		largest = deliver(&b, &h, 60 * S);
		assert_true(largest <= rows[i].mtu);
		assert_true(largest > 400);
		bench_close(&b);
	}
}

static void a_path_that_widens_is_found_again(void **state)
{
	struct dgram_session_info info;
	struct dgram_message message;
	struct bench b;
	struct hand h;
	uint64_t session;

	(void)state;
	open_long(&b, &h, 600, false);
	deliver(&b, &h, 60 * S);
	session = h.theirs.session;
	hand_say(&h, {.type = DG_CREDIT, .value = 64 << 20, .id = 1000});
	b.mtu = 0;
	for (int i = 0; i < 100; i++) {
		bench_wait(&b, 10 * S);
		message = bench_message(DGRAM_SEND, &h.addr, "");
		message.data = bench_bytes();
		message.len = 20000;
		bench_submit(&b, &message);
		hand_settle(&h);
		bench_event(&b, DGRAM_EVENT_DONE);
	}
	assert_int_equal(dgram_endpoint_session(b.ep, session, &info), 0);
	assert_true(info.datagram > DG_DATAGRAM_START);
	bench_close(&b);
}

static void a_told_size_of_nobody_changes_nothing(void **state)
{
	struct dgram_addr nobody = bench_addr("10.0.0.77:1");
	struct dgram_session_info info;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	dgram_endpoint_told(b.ep, &nobody, DGRAM_ERR_SIZE, 100, b.now);
	dgram_endpoint_told(b.ep, &nobody, DGRAM_ERR_REFUSED, 0, b.now);
	dgram_endpoint_told(b.ep, &h.addr, DGRAM_ERR_REFUSED, 0, b.now);
	bench_turn(&b);
	assert_int_equal(dgram_endpoint_session(b.ep, h.theirs.session, &info), 0);
	assert_int_equal(info.datagram, DG_DATAGRAM_START);
	dgram_endpoint_told(b.ep, &h.addr, DGRAM_ERR_SIZE, 800, b.now);
	assert_int_equal(dgram_endpoint_session(b.ep, h.theirs.session, &info), 0);
	assert_true(info.datagram >= DG_DATAGRAM_LEAST && info.datagram <= 800);
	dgram_endpoint_told(b.ep, &h.addr, DGRAM_ERR_SIZE, 5, b.now); /* forged, or nonsense */
	assert_int_equal(dgram_endpoint_session(b.ep, h.theirs.session, &info), 0);
	assert_int_equal(info.datagram, DG_DATAGRAM_LEAST);
	bench_close(&b);
}

/* It was to be one datagram, and the path became too narrow before it left. */
static void a_reply_for_a_narrower_path_goes_in_pieces(void **state)
{
	struct dgram_event event;
	struct bench b;
	struct hand h;
	size_t came = 0;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	hand_say(&h, hand_request(0, "x"));
	event = bench_event(&b, DGRAM_EVENT_REQUEST);
	assert_int_equal(dgram_endpoint_reply(b.ep, event.id, 0, bench_bytes(), 900, b.now), 0);
	dgram_endpoint_told(b.ep, &h.addr, DGRAM_ERR_SIZE, 600, b.now);
	while (came < 900) {
		const struct dg_frame *f = hand_find(&h, DG_REPLY, 100 * MS);

		assert_non_null(f);
		assert_true(f->flags & DG_PUSHED && h.got.packet.len <= 600);
		assert_int_equal(f->offset, came);
		came += f->len;
		hand_say(&h, hand_ack(&h));
	}
	bench_close(&b);
}

/* A probe that is lost three times says that the path carries no more. */
static void a_lost_probe_is_no_congestion(void **state)
{
	struct dgram_session_info info;
	struct bench b;
	struct hand h;

	(void)state;
	open_long(&b, &h, 1200, true);
	assert_in_range(deliver(&b, &h, 60 * S), 1100, 1200);
	assert_int_equal(dgram_endpoint_session(b.ep, h.theirs.session, &info), 0);
	assert_int_equal(info.datagram, 1200);
	assert_int_equal(bench_stats(&b).probes, 0); /* nothing else was lost */
	bench_close(&b);
}

static void a_path_is_not_searched_before_it_is_confirmed(void **state)
{
	struct packet p;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.datagram_max = 65507;
	hand_say_init(&h);
	bench_wait(&b, 14 * S);
	assert_true(bench_take(&b, NULL, &p));
	assert_int_equal(b.count, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_echo_draws_its_number_and_what_was_received),
	        cmocka_unit_test(a_challenge_draws_its_bytes),
	        cmocka_unit_test(our_echo_ends_with_its_answer),
	        cmocka_unit_test(a_lost_echo_is_not_sent_again),
	        cmocka_unit_test(an_echo_whose_answer_is_lost_is_known_to_have_arrived),
	        cmocka_unit_test(datagrams_begin_at_1200_and_grow),
	        cmocka_unit_test(the_peers_largest_datagram_is_kept_to),
	        cmocka_unit_test(what_is_too_large_for_the_path_becomes_508),
	        cmocka_unit_test(a_path_that_widens_is_found_again),
	        cmocka_unit_test(a_told_size_of_nobody_changes_nothing),
	        cmocka_unit_test(a_reply_for_a_narrower_path_goes_in_pieces),
	        cmocka_unit_test(a_lost_probe_is_no_congestion),
	        cmocka_unit_test(a_path_is_not_searched_before_it_is_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
