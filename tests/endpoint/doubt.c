/* Section 4 of docs/WIRE.md: what becomes of a session that is said not to be there. */
#include "endpoint/bench.h"

/* The endpoint has sent request 0 in packet 0 of a session, and nothing came back. */
static uint64_t open_asked(struct bench *b, struct hand *h, bool idempotent)
{
	struct dgram_message message;
	uint64_t id;

	hand_open(h, b, NULL);
	message = bench_message(DGRAM_REQUEST, &h->addr, "question");
	message.idempotent = idempotent;
	message.deadline = BENCH_START + 60 * S;
	id = bench_submit(b, &message);
	hand_accept(h);
	hand_next(h);
	assert_int_equal(h->got.number, 0);
	return id;
}

/* What was sent in the old session and beside it. */
struct seen {
	unsigned data, requests, pings, probes;
	uint64_t number;       /* of the last packet in the session */
	struct dg_hello probe; /* the last one */
	uint64_t ended_at;     /* 0, or when the DONE event came */
	struct dgram_event event;
};

static void look_at(struct hand *h, struct seen *seen)
{
	struct dg_parts parts;
	struct dg_frame frame;
	struct dg_data data;
	struct packet p;

	while (bench_take(h->bench, &h->addr, &p)) {
		assert_true(dg_parts_decode(&parts, p.data, p.len));
		if (parts.header.type == DG_INIT) {
			seen->probes++;
			assert_true(dg_hello_decode(&seen->probe, &parts));
			assert_int_not_equal(seen->probe.session, h->theirs.session);
			continue;
		}
		assert_true(dg_data_decode(&data, &parts));
		if (parts.header.receiver != h->hello.session)
			continue;
		seen->data++;
		seen->number = data.number;
		while (data.frames.left > 0) {
			assert_true(dg_frame_decode(&frame, &data.frames));
			seen->requests += frame.type == DG_REQUEST && frame.id > 0;
			seen->pings += frame.type == DG_PING;
		}
	}
}

static void look(struct hand *h, struct seen *seen, uint64_t ns)
{
	struct bench *b = h->bench;
	uint64_t end = b->now + ns;

	do {
		bench_turn(b);
		look_at(h, seen);
		if (seen->ended_at == 0 && dgram_endpoint_next_event(b->ep, &seen->event, b->now))
			seen->ended_at = b->now;
		if (!bench_wait_sent(b, &h->addr, end - b->now < 5 * MS ? end - b->now : 5 * MS))
			look_at(h, seen);
	} while (b->now < end);
}

static void nosession_counts_for_a_packet_in_flight_only(void **state)
{
	struct seen seen = {0};
	struct bench b;
	struct hand h;

	(void)state;
	open_asked(&b, &h, false);
	assert_int_equal(hand_say_nosession(&h, 1), DGRAM_FATE_UNEXPECTED); /* never sent */
	hand_say(&h, hand_ack_of(0, 0), {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING});
	hand_settle(&h);
	assert_int_equal(hand_say_nosession(&h, 0), DGRAM_FATE_UNEXPECTED); /* acknowledged */
	look(&h, &seen, 5 * S);
	assert_int_equal(seen.probes, 0);
	assert_int_equal(seen.ended_at, 0);
	bench_close(&b);
}

static void nosession_counts_from_the_peers_address_only(void **state)
{
	struct seen seen = {0};
	struct bench b;
	struct hand h;

	(void)state;
	open_asked(&b, &h, false);
	h.addr.port++;
	assert_int_not_equal(hand_say_nosession(&h, 0), DGRAM_FATE_TAKEN);
	h.addr.port--;
	h.hello.session++;
	assert_int_not_equal(hand_say_nosession(&h, 0), DGRAM_FATE_TAKEN);
	h.hello.session--;
	bench_turn(&b);
	assert_int_equal(b.count, 0);
	look(&h, &seen, 900 * MS);
	assert_int_equal(seen.probes, 0);
	assert_int_equal(seen.ended_at, 0);
	bench_close(&b);
}

static void a_session_in_doubt_is_probed_inside_and_outside(void **state)
{
	struct seen seen = {0};
	struct bench b;
	struct hand h;

	(void)state;
	open_asked(&b, &h, false);
	assert_int_equal(hand_say_nosession(&h, 0), DGRAM_FATE_TAKEN);
	look(&h, &seen, 1 * MS);
	assert_int_equal(seen.probes, 1);
	assert_int_equal(seen.pings, 1);
	for (int i = 0; i < 20; i++) { /* one at a time */
		hand_say_nosession(&h, 0);
		look(&h, &seen, 10 * MS);
	}
	assert_int_equal(seen.probes, 1);
	bench_close(&b);
}

/* Other packets may have been on the way for long. */
static void an_ack_of_what_was_sent_since_ends_the_doubt(void **state)
{
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_QUEUED};
	struct seen seen = {0};
	struct bench b;
	struct hand h;

	(void)state;
	open_asked(&b, &h, false);
	hand_say_nosession(&h, 0);
	look(&h, &seen, 1 * MS);
	assert_int_equal(hand_say(&h, hand_ack_of(0, 0), accepted), DGRAM_FATE_TAKEN);
	look(&h, &seen, 3 * S);
	assert_int_equal(seen.event.outcome, DGRAM_UNKNOWN);
	bench_close(&b);

	seen = (struct seen){0};
	open_asked(&b, &h, false);
	hand_say_nosession(&h, 0);
	look(&h, &seen, 1 * MS);
	assert_int_equal(hand_say(&h, hand_ack_of(0, seen.number), accepted), DGRAM_FATE_TAKEN);
	look(&h, &seen, 3 * S);
	assert_int_equal(seen.ended_at, 0);
	assert_int_equal(hand_say(&h, hand_reply(0, "yes")), DGRAM_FATE_TAKEN);
	look(&h, &seen, 1 * MS);
	assert_int_equal(seen.event.outcome, DGRAM_ANSWERED);
	bench_close(&b);
}

static void an_accept_with_another_boot_id_ends_it(void **state)
{
	struct seen seen = {0};
	struct bench b;
	struct hand h, again;

	(void)state;
	open_asked(&b, &h, false);
	hand_say_nosession(&h, 0);
	look(&h, &seen, 1 * MS);
	again = h;
	again.hello.session += 2;
	again.hello.boot++;
	again.theirs = seen.probe;
	assert_int_equal(hand_say_accept(&again, seen.probe.time), DGRAM_FATE_TAKEN);
	look(&h, &seen, 1 * MS);
	assert_int_not_equal(seen.ended_at, 0);
	assert_int_equal(seen.event.type, DGRAM_EVENT_DONE);
	assert_int_equal(seen.event.outcome, DGRAM_UNKNOWN);
	assert_int_equal(seen.event.reason, DGRAM_REASON_LOST);
	assert_int_not_equal(hand_say(&h, hand_reply(0, "late")), DGRAM_FATE_TAKEN);
	bench_no_event(&b);
	bench_close(&b);
}

static void three_ptos_in_doubt_end_it(void **state)
{
	struct bench b;
	struct hand h, again;

	(void)state;
	for (int answered = 0; answered < 2; answered++) { /* also if the same process still runs */
		struct seen seen = {0};

		open_asked(&b, &h, false);
		hand_say_nosession(&h, 0);
		look(&h, &seen, 1 * MS);
		if (answered) {
			again = h;
			again.hello.session += 2;
			again.theirs = seen.probe;
			hand_say_accept(&again, seen.probe.time);
			look(&h, &seen, 1 * MS);
		}
		assert_int_equal(seen.ended_at, 0);
		look(&h, &seen, 3 * S);
		assert_int_not_equal(seen.ended_at, 0);
		assert_int_equal(seen.event.outcome, DGRAM_UNKNOWN);
		assert_int_equal(seen.event.reason, DGRAM_REASON_LOST);
		bench_close(&b);
	}
}

/* It is not used yet, and a responder is silent before that: who says something breaks the rule. */
static void a_probes_session_takes_nothing(void **state)
{
	struct seen seen = {0};
	struct bench b;
	struct hand h, again;

	(void)state;
	open_asked(&b, &h, false);
	hand_say_nosession(&h, 0);
	look(&h, &seen, 1 * MS);
	again = h;
	again.hello.session += 2;
	again.theirs = seen.probe;
	again.next = 0;
	assert_int_equal(hand_say_accept(&again, seen.probe.time), DGRAM_FATE_TAKEN);
	assert_int_equal(hand_say(&again, hand_request(0, "run")), DGRAM_FATE_UNEXPECTED);
	bench_no_event(&b);
	look(&h, &seen, 1 * MS);
	bench_close(&b);
}

static void nothing_is_exposed_in_doubt(void **state)
{
	struct seen seen = {0};
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	open_asked(&b, &h, false);
	hand_say_nosession(&h, 0);
	message = bench_message(DGRAM_REQUEST, &h.addr, "another");
	bench_submit(&b, &message);
	look(&h, &seen, 2 * MS);
	assert_int_equal(seen.requests, 0);
	hand_say(&h, hand_ack_of(0, seen.number));
	look(&h, &seen, 100 * MS);
	assert_int_equal(seen.requests > 0, true); /* the doubt has ended */
	bench_close(&b);
}

/* Also not the rest of what has begun: it may go elsewhere, as no one can have it whole. */
static void what_has_begun_is_not_exposed_in_doubt(void **state)
{
	struct dgram_message message;
	struct seen seen = {0};
	struct bench b;
	struct hand h;
	unsigned data;

	(void)state;
	hand_open(&h, &b, NULL);
	message = bench_message(DGRAM_REQUEST, &h.addr, "");
	message.data = bench_bytes();
	message.len = 40000;
	message.deadline = b.now + 60 * S;
	bench_submit(&b, &message);
	h.hello.credit = 1 << 20;
	bench_turn(&b);
	hand_take_hello(&h, DG_INIT, &h.theirs);
	b.now += 20 * MS; /* so that the window does not leave in one burst */
	hand_say_accept(&h, h.theirs.time);
	bench_turn(&b);
	assert_true(b.count > 0 && b.count < 30);
	hand_next(&h);
	assert_int_equal(hand_say_nosession(&h, h.got.number), DGRAM_FATE_TAKEN);
	bench_drop(&b);
	look(&h, &seen, 15 * MS);
	data = seen.data;
	look(&h, &seen, 500 * MS);
	assert_true(data <= 2 && seen.data < 8); /* PINGs */
	assert_int_equal(seen.ended_at, 0);
	bench_close(&b);
}

/* Answers INITs at the address of h as a restarted peer; the frame of the message, found in its
 * session. */
static bool serve_again(struct hand *h, struct hand *again, enum dg_frame_type type, uint64_t ns)
{
	struct bench *b = h->bench;
	uint64_t end = b->now + ns;
	struct dg_parts parts;
	struct dg_frame frame;
	struct dg_data data;
	struct packet p;

	while (bench_wait_sent(b, &h->addr, end - b->now)) {
		assert_true(bench_take(b, &h->addr, &p));
		assert_true(dg_parts_decode(&parts, p.data, p.len));
		if (parts.header.type == DG_INIT) {
			assert_true(dg_hello_decode(&again->theirs, &parts));
			again->init_at = p.at - again->theirs.time * DGRAM_US;
			hand_say_accept(again, again->theirs.time);
			continue;
		}
		assert_true(dg_data_decode(&data, &parts));
		while (parts.header.receiver == again->hello.session && data.frames.left > 0) {
			assert_true(dg_frame_decode(&frame, &data.frames));
			again->got.packet = p;
			again->got.frames[0] = frame;
			if (frame.type == type)
				return true;
		}
	}
	return false;
}

static void only_what_is_idempotent_goes_into_another_session(void **state)
{
	struct dgram_event event;
	struct bench b;
	struct hand h, again;
	uint64_t id;

	(void)state;
	for (int idempotent = 0; idempotent < 2; idempotent++) {
		id = open_asked(&b, &h, idempotent);
		hand_say_nosession(&h, 0);
		again = h;
		again.next = 0;
		again.hello.session += 2;
		again.hello.boot++;
		assert_int_equal(serve_again(&h, &again, DG_REQUEST, 4 * S), idempotent);
		if (idempotent) {
			const struct dg_frame *frame = &again.got.frames[0];

			bench_no_event(&b);
			assert_int_equal(frame->id, 0);
			assert_true(frame->flags & DG_IDEMPOTENT);
			assert_int_equal(frame->deadline, hand_time(&again, BENCH_START + 60 * S));
			hand_say(&again, hand_reply(0, "yes"));
		}
		event = bench_event(&b, DGRAM_EVENT_DONE);
		assert_int_equal(event.id, id);
		assert_int_equal(event.outcome, idempotent ? DGRAM_ANSWERED : DGRAM_UNKNOWN);
		bench_no_event(&b);
		bench_close(&b);
	}
}

/* Exposed once, it never ends as refused. */
static void what_was_exposed_before_ends_as_unknown(void **state)
{
	struct dgram_event event;
	struct bench b;
	struct hand h, again;

	(void)state;
	open_asked(&b, &h, true);
	hand_say_nosession(&h, 0);
	again = h;
	again.next = 0;
	again.hello.session += 2;
	again.hello.boot++;
	assert_true(serve_again(&h, &again, DG_REQUEST, 4 * S));
	hand_say(&again, {.type = DG_NO, .code = DG_NO_NOT_ALLOWED});
	event = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(event.outcome, DGRAM_UNKNOWN);
	bench_close(&b);
}

/* The peer opened a session of its own meanwhile, which new messages use: so does what has to leave this one. */
static void what_was_in_doubt_goes_where_new_messages_go(void **state)
{
	unsigned in_probe = 0, in_current = 0;
	struct seen seen = {0};
	struct dg_parts parts;
	struct dg_frame frame;
	struct dg_data data;
	struct hand h, again, other;
	struct packet packet;
	struct bench b;
	uint64_t end;

	(void)state;
	open_asked(&b, &h, true);
	hand_say_nosession(&h, 0);
	look(&h, &seen, 1 * MS);
	assert_int_equal(seen.probes, 1);
	again = other = h;
	other.hello.session += 4;
	other.hello.boot ^= 1;
	other.next = 0;
	hand_knock(&other);
	hand_take_hello(&other, DG_ACCEPT, &other.theirs);
	assert_int_equal(hand_say(&other, {.type = DG_PING}), DGRAM_FATE_TAKEN);
	again.hello.session += 2;
	again.theirs = seen.probe;
	again.next = 0;
	assert_int_equal(hand_say_accept(&again, seen.probe.time), DGRAM_FATE_TAKEN);
	for (end = b.now + 10 * S; bench_wait_sent(&b, &h.addr, end - b.now);) {
		assert_true(bench_take(&b, &h.addr, &packet));
		assert_true(dg_parts_decode(&parts, packet.data, packet.len));
		if (!dg_data_decode(&data, &parts))
			continue;
		while (data.frames.left > 0) {
			assert_true(dg_frame_decode(&frame, &data.frames));
			in_probe += frame.type == DG_REQUEST &&
			            parts.header.receiver == again.hello.session;
			in_current += frame.type == DG_REQUEST &&
			              parts.header.receiver == other.hello.session;
		}
	}
	assert_int_equal(in_probe, 0);
	assert_true(in_current > 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nosession_counts_for_a_packet_in_flight_only),
	        cmocka_unit_test(nosession_counts_from_the_peers_address_only),
	        cmocka_unit_test(a_session_in_doubt_is_probed_inside_and_outside),
	        cmocka_unit_test(an_ack_of_what_was_sent_since_ends_the_doubt),
	        cmocka_unit_test(an_accept_with_another_boot_id_ends_it),
	        cmocka_unit_test(three_ptos_in_doubt_end_it),
	        cmocka_unit_test(a_probes_session_takes_nothing),
	        cmocka_unit_test(what_was_in_doubt_goes_where_new_messages_go),
	        cmocka_unit_test(nothing_is_exposed_in_doubt),
	        cmocka_unit_test(what_has_begun_is_not_exposed_in_doubt),
	        cmocka_unit_test(only_what_is_idempotent_goes_into_another_session),
	        cmocka_unit_test(what_was_exposed_before_ends_as_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
