/* Section 6 of docs/WIRE.md, requests and messages of ours: how long they are asked about, what ends
 * them, and what may be said then. */
#include "endpoint/bench.h"

/* A session that the endpoint began, with nothing unfinished in it. */
static void open_session(struct bench *b, struct hand *h, const struct dg_hello *says)
{
	struct dgram_message message;

	hand_open(h, b, NULL);
	if (says) {
		h->hello.credit = says->credit;
		h->hello.idle_ms = says->idle_ms ? says->idle_ms : h->hello.idle_ms;
	}
	message = bench_message(DGRAM_POST, &h->addr, "hello");
	bench_submit(b, &message);
	hand_accept(h);
	hand_settle(h);
	assert_int_equal(bench_stats(b).opened, 1);
}

static uint64_t submit(struct hand *h, enum dgram_kind kind, uint64_t deadline)
{
	struct dgram_message message = bench_message(kind, &h->addr, "question");

	message.deadline = deadline;
	message.user = 4711;
	return bench_submit(h->bench, &message);
}

/* Takes the REQUEST or SEND that was submitted. */
static struct dg_frame take(struct hand *h, enum dg_frame_type type)
{
	const struct dg_frame *frame = hand_find(h, type, 0);

	assert_non_null(frame);
	assert_memory_equal(frame->data, "question", 8);
	return *frame;
}

static void a_request_says_what_it_must(void **state)
{
	struct dgram_message message;
	struct dg_frame frame;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	message = bench_message(DGRAM_REQUEST, &h.addr, "question");
	message.deadline = b.now + 7 * S;
	message.name = "door.front";
	message.name_len = 10;
	message.hops = 2;
	message.idempotent = true;
	bench_submit(&b, &message);
	frame = take(&h, DG_REQUEST);
	assert_int_equal(frame.id, 0);
	assert_int_equal(frame.flags, DG_WHOLE | DG_NAMED | DG_HOPS | DG_IDEMPOTENT);
	assert_int_equal(frame.hops, 2);
	assert_memory_equal(frame.name, "door.front", 10);
	assert_true(frame.grant > 0);
	assert_in_range(frame.deadline, hand_time(&h, b.now + 7 * S) - 1,
	                hand_time(&h, b.now + 7 * S) + 1);
	assert_int_equal(h.got.parts.header.flags, DG_FLAG_ASKS);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	frame = take(&h, DG_REQUEST);
	assert_int_equal(frame.id, 1);
	assert_int_equal(frame.deadline, 0);
	assert_int_equal(frame.flags, DG_WHOLE);
	bench_close(&b);
}

static void a_reply_ends_a_request(void **state)
{
	struct dg_frame reply = hand_reply(0, "answer");
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	open_session(&b, &h, NULL);
	id = submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	take(&h, DG_REQUEST);
	b.now += 3 * MS;
	reply.status = 9;
	reply.service = 1234;
	assert_int_equal(hand_say(&h, hand_ack(&h), reply), DGRAM_FATE_TAKEN);
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.id, id);
	assert_int_equal(done.kind, DGRAM_REQUEST);
	assert_int_equal(done.outcome, DGRAM_ANSWERED);
	assert_int_equal(done.reason, DGRAM_REASON_NONE);
	assert_int_equal(done.status, 9);
	assert_int_equal(done.service, 1234 * DGRAM_US);
	assert_int_equal(done.elapsed, 3 * MS);
	assert_int_equal(done.user, 4711);
	assert_int_equal(done.number, 0);
	assert_int_equal(done.tries, 1);
	assert_int_equal(done.len, 6);
	assert_memory_equal(done.data, "answer", 6);
	assert_int_not_equal(done.session, 0);
	bench_no_event(&b);
	bench_close(&b);
}

static void an_ack_does_not_end_a_request(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	take(&h, DG_REQUEST);
	hand_say(&h, hand_ack(&h));
	for (int i = 0; i < 4;
	     i++) { /* it is asked about: PULL, as all of it is known to be there */
		const struct dg_frame *pull = hand_find(&h, DG_PULL, 3 * S);

		assert_non_null(pull);
		assert_int_equal(pull->id, 0);
		assert_null(hand_got(&h, DG_REQUEST));
		hand_say(&h, hand_ack(&h));
	}
	bench_no_event(&b);
	hand_say(&h, hand_reply(0, "x"));
	bench_event(&b, DGRAM_EVENT_DONE);
	hand_settle(&h);
	hand_expect_no(&h, DG_PULL, 5 * S);
	bench_close(&b);
}

static void without_an_ack_the_request_goes_again(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	take(&h, DG_REQUEST);
	for (int i = 0; i < 4; i++) {
		const struct dg_frame *again = hand_find(&h, DG_REQUEST, 3 * S);

		assert_non_null(again);
		assert_int_equal(again->id, 0);
		assert_null(hand_got(&h, DG_PULL));
	}
	bench_close(&b);
}

static void accepted_stops_the_timer(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	for (int with_ack = 0; with_ack < 2; with_ack++) {
		struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_QUEUED};

		open_session(&b, &h, NULL);
		submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
		take(&h, DG_REQUEST);
		if (with_ack)
			hand_say(&h, hand_ack(&h), accepted);
		else
			hand_say(&h, accepted);
		hand_settle(&h);
		accepted.code = DG_ACCEPTED_RUNNING;
		hand_say(&h, accepted);
		hand_settle(&h);
		bench_expect_silence(&b, 20 * S); /* until a keepalive */
		bench_no_event(&b);
		bench_close(&b);
	}
}

static void a_no_says_how_it_ended(void **state)
{
	static const struct {
		enum dg_no code;
		enum dgram_outcome outcome;
		enum dgram_reason reason;
	} rows[] = {
	        {DG_NO_BUSY, DGRAM_REFUSED, DGRAM_REASON_BUSY},
	        {DG_NO_SUCH_NAME, DGRAM_REFUSED, DGRAM_REASON_NO_SUCH_NAME},
	        {DG_NO_NOT_ALLOWED, DGRAM_REFUSED, DGRAM_REASON_NOT_ALLOWED},
	        {DG_NO_EXPIRED, DGRAM_REFUSED, DGRAM_REASON_EXPIRED},
	        {DG_NO_CANCELLED, DGRAM_REFUSED, DGRAM_REASON_CANCELLED},
	        {DG_NO_GONE, DGRAM_UNKNOWN, DGRAM_REASON_GONE},
	        {DG_NO_ROOM, DGRAM_REFUSED, DGRAM_REASON_TOO_LONG},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_frame no = {.type = DG_NO, .code = (uint8_t)rows[i].code};
		struct dgram_event done;

		open_session(&b, &h, NULL);
		submit(&h, DGRAM_REQUEST, b.now + 40 * MS);
		take(&h, DG_REQUEST);
		b.now += 30 * MS;
		no.value = rows[i].code == DG_NO_BUSY ? 2500 : 0;
		no.flags = i % 2 ? DG_PUSHED : 0;
		assert_int_equal(hand_say(&h, no), DGRAM_FATE_TAKEN);
		done = bench_event(&b, DGRAM_EVENT_DONE);
		assert_int_equal(done.outcome, rows[i].outcome);
		assert_int_equal(done.reason, rows[i].reason);
		assert_int_equal(done.retry_after, rows[i].code == DG_NO_BUSY ? 2500 * MS : 0);
		hand_say(&h, hand_reply(0, "after all"));
		bench_no_event(&b);
		bench_close(&b);
	}
}

/* The two clocks do not agree: it did not run, and in a new session they do. */
static void what_expired_too_early_is_asked_once_more(void **state)
{
	struct dg_frame no = {.type = DG_NO, .code = DG_NO_EXPIRED};
	struct dgram_event done;
	struct dg_parts parts;
	struct packet p;
	struct bench b;
	struct hand h, again;
	uint64_t id;

	(void)state;
	open_session(&b, &h, NULL);
	id = submit(&h, DGRAM_REQUEST, b.now + 5 * S);
	take(&h, DG_REQUEST);
	hand_say(&h, hand_ack(&h), no);
	bench_no_event(&b);
	again = h;
	again.hello.session += 2;
	again.next = 0;
	memset(again.numbers, 0, sizeof again.numbers);
	again.heard = again.owes = false;
	hand_accept(&again);
	bench_turn(&b);
	while (dg_parts_decode(&parts, b.sent[b.first].data, b.sent[b.first].len) &&
	       parts.header.receiver == h.hello.session) /* the old session ends */
		assert_true(bench_take(&b, NULL, &p));
	take(&again, DG_REQUEST);
	hand_say(&again, no);
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.id, id);
	assert_int_equal(done.outcome, DGRAM_REFUSED);
	assert_int_equal(done.reason, DGRAM_REASON_EXPIRED);
	bench_close(&b);
}

/* Nothing of the first session speaks of it any more: neither a probe nor an ACK. */
static void what_is_asked_once_more_runs_in_one_session(void **state)
{
	struct dg_frame no = {.type = DG_NO, .code = DG_NO_EXPIRED};
	struct dg_parts parts;
	struct dg_data data;
	struct dg_frame frame;
	struct packet p;
	struct bench b;
	struct hand h, again;

	(void)state;
	for (int acked = 0; acked < 2; acked++) {
		unsigned requests = 0;

		open_session(&b, &h, NULL);
		submit(&h, DGRAM_SEND, b.now + 60 * S);
		take(&h, DG_SEND);
		hand_say(&h, hand_ack(&h));
		bench_event(&b, DGRAM_EVENT_DONE);
		submit(&h, DGRAM_REQUEST, b.now + 60 * S);
		take(&h, DG_REQUEST);
		no.id = 1;
		hand_say(&h, no); /* no ACK: the packet is in flight */
		again = h;
		again.hello.session += 2;
		again.next = 0;
		hand_accept(&again);
		bench_wait(&b, 2 * MS);
		if (acked)
			hand_say(&h, hand_ack_of(0, h.highest));
		bench_wait(&b, 3 * S);
		while (bench_take(&b, NULL, &p)) {
			assert_true(dg_parts_decode(&parts, p.data, p.len) &&
			            dg_data_decode(&data, &parts));
			while (data.frames.left > 0) {
				assert_true(dg_frame_decode(&frame, &data.frames));
				if (frame.type != DG_REQUEST && frame.type != DG_PULL)
					continue;
				assert_int_equal(parts.header.receiver, again.hello.session);
				requests += frame.type == DG_REQUEST;
			}
		}
		assert_true(requests > 1); /* nothing of it was acknowledged in the new one */
		bench_no_event(&b);
		bench_close(&b);
	}
}

static void what_has_ended_is_taken_and_has_no_effect(void **state)
{
	struct dg_frame rows[] = {
	        hand_reply(0, "x"),
	        {.type = DG_NO, .code = DG_NO_CANCELLED, .flags = DG_PUSHED},
	        {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING},
	};
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_REQUEST, b.now + 500 * MS);
	take(&h, DG_REQUEST);
	done = bench_done(&b, 600 * MS);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	assert_int_equal(done.reason, DGRAM_REASON_DEADLINE);
	rows[0].flags |= DG_PUSHED;
	for (size_t i = 0; i < COUNT(rows); i++) {
		hand_settle(&h);
		assert_int_equal(hand_say(&h, rows[i]), DGRAM_FATE_TAKEN);
		bench_no_event(&b);
		assert_true(hand_is_acked(&h, h.next - 1, 50 * MS));
	}
	bench_close(&b);
}

static void a_long_reply_is_put_together(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	take(&h, DG_REQUEST);
	for (uint64_t at = 4096; at < 6000; at += 960)
		hand_say(&h, hand_part(DG_REPLY, 0, 6000, at, at + 960 > 6000 ? 6000 - at : 960));
	for (uint64_t at = 0; at < 4096; at += 1024) {
		bench_no_event(&b);
		hand_say(&h, hand_part(DG_REPLY, 0, 6000, at, 1024));
	}
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.outcome, DGRAM_ANSWERED);
	assert_int_equal(done.len, 6000);
	assert_memory_equal(done.data, bench_bytes(), 6000);
	bench_close(&b);
}

static void a_reply_beyond_the_grant_is_granted(void **state)
{
	const struct dg_frame *grant;
	struct dg_frame request;
	struct bench b;
	struct hand h;
	uint64_t total;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	request = take(&h, DG_REQUEST);
	total = request.grant < 1 << 20 ? 1 << 20 : 4 << 20;
	assert_true(request.grant < total);
	hand_say(&h, hand_ack(&h), hand_part(DG_REPLY, 0, total, 0, 64));
	grant = hand_find(&h, DG_GRANT, 100 * MS);
	assert_non_null(grant);
	assert_int_equal(grant->id, 0);
	assert_true(grant->value > request.grant);
	bench_close(&b);
}

static void a_reply_that_is_too_long_ends_the_request(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	take(&h, DG_REQUEST);
	hand_say(&h, hand_part(DG_REPLY, 0, (4 << 20) + 1, 0, 64));
	done = bench_done(&b, 1 * S);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	assert_int_equal(done.reason, DGRAM_REASON_TOO_LONG);
	bench_close(&b);
}

static void a_reply_to_nothing_breaks_no_session(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	hand_say(&h, hand_reply(50, "x")); /* never asked */
	bench_no_event(&b);
	bench_close(&b);
}

/* ---- SEND -------------------------------------------------------------------------------------- */

static void a_send_is_delivered_when_it_is_acknowledged(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_SEND, DGRAM_NEVER);
	take(&h, DG_SEND);
	bench_wait(&b, 10 * MS);
	bench_no_event(&b);
	hand_say(&h, hand_ack(&h));
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.kind, DGRAM_SEND);
	assert_int_equal(done.outcome, DGRAM_ANSWERED);
	assert_int_equal(done.user, 4711);
	bench_close(&b);
}

static void a_send_in_parts_is_delivered_with_the_last_of_them(void **state)
{
	struct dgram_message message;
	uint64_t first;
	struct bench b;
	struct hand h;
	size_t came = 0;

	(void)state;
	open_session(&b, &h, NULL);
	message = bench_message(DGRAM_SEND, &h.addr, "");
	message.data = bench_bytes();
	message.len = 10000;
	bench_submit(&b, &message);
	hand_next(&h);
	first = h.got.number;
	do {
		const struct dg_frame *f = hand_got(&h, DG_SEND);

		assert_non_null(f);
		assert_int_equal(f->total, 10000);
		assert_int_equal(f->offset, came);
		assert_memory_equal(f->data, bench_bytes() + came, f->len);
		assert_true(h.got.packet.len <= DG_DATAGRAM_START);
		came += f->len;
	} while (came < 10000 && (bench_wait_sent(&b, NULL, 50 * MS), hand_take(&h)));
	assert_int_equal(came, 10000);
	hand_say(&h, hand_ack_of(first, h.got.number - 1));
	bench_turn(&b);
	bench_no_event(&b);
	hand_say(&h, hand_ack_of(h.got.number, h.got.number));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).outcome, DGRAM_ANSWERED);
	bench_close(&b);
}

static void a_no_refuses_a_send(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_SEND, DGRAM_NEVER);
	take(&h, DG_SEND);
	hand_say(&h, {.type = DG_NO, .id = 0, .code = DG_NO_ROOM});
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.outcome, DGRAM_REFUSED);
	assert_int_equal(done.reason, DGRAM_REASON_TOO_LONG);
	hand_expect_no(&h, DG_SEND, 3 * S);
	bench_close(&b);
}

static void a_send_that_left_is_unknown_at_its_deadline(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	submit(&h, DGRAM_SEND, b.now + 300 * MS);
	take(&h, DG_SEND);
	done = bench_done(&b, 400 * MS);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	assert_int_equal(done.reason, DGRAM_REASON_DEADLINE);
	hand_settle(&h);
	hand_expect_no(&h, DG_SEND, 3 * S);
	bench_no_event(&b);
	bench_close(&b);
}

static void what_is_given_up_before_it_left_is_reset(void **state)
{
	static const struct {
		bool cancel;
		enum dgram_reason reason;
	} rows[] = {{true, DGRAM_REASON_CANCELLED}, {false, DGRAM_REASON_DEADLINE}};
	const struct dg_frame *reset;
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_session(&b, &h, NULL);
		message = bench_message(DGRAM_SEND, &h.addr, "");
		message.data = bench_bytes();
		message.len = 900000; /* much more than the window */
		message.deadline = rows[i].cancel ? DGRAM_NEVER : b.now + 20 * MS;
		id = bench_submit(&b, &message);
		bench_turn(&b);
		if (rows[i].cancel)
			assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), 0);
		done = bench_done(&b, 20 * MS);
		assert_int_equal(done.outcome, DGRAM_REFUSED);
		assert_int_equal(done.reason, rows[i].reason);
		assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), DGRAM_ERR_CLOSED);
		reset = hand_find(&h, DG_RESET, 3 * S);
		assert_non_null(reset);
		assert_int_equal(reset->id, 0);
		assert_int_equal(reset->total, 900000);
		hand_settle(&h);
		bench_expect_silence(&b, 3 * S);
		bench_no_event(&b);
		bench_close(&b);
	}
}

static void a_send_that_left_is_unknown_when_it_is_cancelled(void **state)
{
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	open_session(&b, &h, NULL);
	id = submit(&h, DGRAM_SEND, DGRAM_NEVER);
	take(&h, DG_SEND);
	assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), 0);
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	assert_int_equal(done.reason, DGRAM_REASON_CANCELLED);
	assert_non_null(hand_find(&h, DG_RESET, 1 * S)); /* the peer need not wait for it */
	assert_null(hand_got(&h, DG_SEND));
	bench_close(&b);
}

/* ---- cancelled --------------------------------------------------------------------------------- */

static void a_cancel_before_exposure_ends_it_at_once(void **state)
{
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	hand_open(&h, &b, NULL);
	message = bench_message(DGRAM_REQUEST, &h.addr, "question");
	id = bench_submit(&b, &message);
	bench_turn(&b);
	assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), 0);
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.id, id);
	assert_int_equal(done.outcome, DGRAM_REFUSED);
	assert_int_equal(done.reason, DGRAM_REASON_CANCELLED);
	assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), DGRAM_ERR_CLOSED);
	bench_close(&b);
}

static void a_cancel_goes_until_the_peers_word(void **state)
{
	static const struct {
		int code; /* of NO; 0: a reply */
		enum dgram_outcome outcome;
		enum dgram_reason reason;
	} rows[] = {
	        {DG_NO_CANCELLED, DGRAM_REFUSED, DGRAM_REASON_CANCELLED},
	        {DG_NO_GONE, DGRAM_UNKNOWN, DGRAM_REASON_NONE}, /* of either reason */
	        {0, DGRAM_ANSWERED, DGRAM_REASON_NONE},
	};
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	struct dgram_event done;
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_frame no = {.type = DG_NO, .code = (uint8_t)rows[i].code};

		open_session(&b, &h, NULL);
		id = submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
		take(&h, DG_REQUEST);
		assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), 0);
		for (int n = 0; n < 5; n++) { /* neither ACCEPTED nor an ACK ends it */
			const struct dg_frame *cancel = hand_find(&h, DG_CANCEL, 3 * S);

			assert_non_null(cancel);
			assert_int_equal(cancel->id, 0);
			assert_int_equal(cancel->total, 8);
			assert_null(hand_got(&h, DG_REQUEST));
			hand_say(&h, hand_ack(&h), accepted);
			bench_no_event(&b);
		}
		if (rows[i].code)
			hand_say(&h, no);
		else
			hand_say(&h, hand_reply(0, "too late"));
		done = bench_event(&b, DGRAM_EVENT_DONE);
		assert_int_equal(done.id, id);
		assert_int_equal(done.outcome, rows[i].outcome);
		if (rows[i].code != DG_NO_GONE)
			assert_int_equal(done.reason, rows[i].reason);
		hand_settle(&h);
		hand_expect_no(&h, DG_CANCEL, 3 * S);
		bench_no_event(&b);
		bench_close(&b);
	}
}

static void after_a_cancel_no_byte_of_the_request_leaves(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t id;

	(void)state;
	open_session(&b, &h, NULL);
	id = submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	take(&h, DG_REQUEST);
	dgram_endpoint_cancel(b.ep, id, b.now);
	hand_expect_no(&h, DG_REQUEST, 10 * S); /* never acknowledged, and still not sent again */
	bench_close(&b);
}

/* ---- deadlines --------------------------------------------------------------------------------- */

static void a_deadline_passes_at_its_time(void **state)
{
	static const struct {
		uint64_t deadline; /* ns from now */
		bool exposed;
		enum dgram_outcome outcome;
	} rows[] = {{1 * MS, true, DGRAM_UNKNOWN},
	            {10 * S, true, DGRAM_UNKNOWN},
	            {0, false, DGRAM_REFUSED}};
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t at;

		open_session(&b, &h, NULL);
		at = b.now + rows[i].deadline;
		submit(&h, DGRAM_REQUEST, at);
		done = bench_done(&b, rows[i].deadline + 1 * MS);
		assert_true(b.now >= at);
		assert_int_equal(done.outcome, rows[i].outcome);
		assert_int_equal(done.reason, DGRAM_REASON_DEADLINE);
		assert_int_equal(done.tries > 0, rows[i].exposed);
		bench_close(&b);
	}
}

static void what_ended_is_settled_in_time(void **state)
{
	const struct dg_frame *settled;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	for (uint64_t id = 0; id < 4; id++) {
		submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
		take(&h, DG_REQUEST);
		hand_say(&h, hand_reply(id, "x"));
		bench_event(&b, DGRAM_EVENT_DONE);
		settled = hand_got(&h, DG_SETTLED);
		assert_false(settled && settled->id > id);
	}
	bench_close(&b);
}

/* ---- credit ------------------------------------------------------------------------------------ */

static void without_credit_a_message_is_announced(void **state)
{
	static const struct dg_hello none = {.credit = 0};
	struct dgram_message message;
	const struct dg_frame *need;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, &none);
	submit(&h, DGRAM_SEND, DGRAM_NEVER);
	for (int i = 0; i < 3; i++) {
		need = hand_find(&h, DG_NEED, 3 * S);
		assert_non_null(need);
		assert_int_equal(need->id, 0);
		assert_int_equal(need->total, 8);
	}
	hand_settle(&h); /* it is known there: not said again */
	message = bench_message(DGRAM_POST, &h.addr, "by the way");
	bench_submit(&b, &message);
	hand_expect_no(&h, DG_NEED, 1 * S);
	hand_say(&h, {.type = DG_CREDIT, .value = 7, .id = 64}); /* not enough */
	hand_expect_no(&h, DG_SEND, 2 * S);
	hand_say(&h, {.type = DG_CREDIT, .value = 8, .id = 64});
	take(&h, DG_SEND);
	hand_say(&h, hand_ack(&h));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).outcome, DGRAM_ANSWERED);
	bench_close(&b);
}

static void credit_never_goes_down(void **state)
{
	static const struct dg_hello little = {.credit = 16};
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, &little);
	hand_say(&h, {.type = DG_CREDIT, .value = 3, .id = 1});
	submit(&h, DGRAM_SEND, DGRAM_NEVER);
	submit(&h, DGRAM_SEND, DGRAM_NEVER);
	bench_turn(&b);
	assert_int_equal(b.count, 1);
	hand_next(&h);
	assert_int_equal(h.got.frames[h.got.count - 1].id, 1);
	bench_close(&b);
}

static void a_need_may_be_refused(void **state)
{
	static const struct dg_hello none = {.credit = 0};
	struct dgram_event done;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, &none);
	submit(&h, DGRAM_REQUEST, DGRAM_NEVER);
	assert_non_null(hand_find(&h, DG_NEED, 0));
	hand_say(&h, hand_ack(&h), {.type = DG_NO, .id = 0, .code = DG_NO_ROOM});
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.outcome, DGRAM_REFUSED);
	assert_int_equal(done.reason, DGRAM_REASON_TOO_LONG);
	assert_int_equal(done.tries, 0);
	hand_settle(&h);
	hand_expect_no(&h, DG_NEED, 3 * S);
	bench_close(&b);
}

static void no_id_is_used_that_was_not_promised(void **state)
{
	uint64_t highest = 0, count = 0;
	struct bench b;
	struct hand h;

	(void)state;
	open_session(&b, &h, NULL);
	for (int i = 0; i < 100; i++)
		submit(&h, DGRAM_SEND, DGRAM_NEVER);
	for (bench_turn(&b); hand_take(&h); bench_wait(&b, 50 * MS)) {
		for (size_t i = 0; i < h.got.count; i++) {
			if (h.got.frames[i].type != DG_SEND)
				continue;
			count++;
			highest = h.got.frames[i].id > highest ? h.got.frames[i].id : highest;
		}
		hand_say(&h, hand_ack(&h));
	}
	assert_int_equal(highest, 63);
	assert_int_equal(count, 64);
	hand_say(&h, {.type = DG_CREDIT, .value = 1 << 20, .id = 80});
	bench_wait(&b, 50 * MS);
	for (bench_turn(&b); hand_take(&h); bench_wait(&b, 50 * MS)) {
		for (size_t i = 0; i < h.got.count; i++)
			if (h.got.frames[i].type == DG_SEND && h.got.frames[i].id > highest)
				highest = h.got.frames[i].id;
		hand_say(&h, hand_ack(&h));
	}
	assert_int_equal(highest, 79);
	bench_close(&b);
}

static void ordered_messages_name_the_one_before(void **state)
{
	static const struct {
		bool ordered;
		uint64_t order;
	} rows[] = {{false, 0}, {true, 0}, {true, 1}, {false, 0}, {false, 0}, {true, 3}, {true, 1}};
	struct dgram_message message;
	struct bench b;
	struct hand h;
	uint64_t id = 0;

	(void)state;
	open_session(&b, &h, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		message = bench_message(i % 2 ? DGRAM_SEND : DGRAM_REQUEST, &h.addr, "x");
		message.ordered = rows[i].ordered;
		bench_submit(&b, &message);
	}
	hand_next(&h);
	for (size_t i = 0; i < h.got.count; i++) {
		const struct dg_frame *f = &h.got.frames[i];

		if (f->type != DG_SEND && f->type != DG_REQUEST)
			continue;
		assert_true(f->id == id && f->order == rows[id].order);
		assert_int_equal((f->flags & DG_ORDERED) != 0, rows[id].ordered);
		id++;
	}
	assert_int_equal(id, COUNT(rows));
	bench_close(&b);
}

/* ---- order from one session to the next -------------------------------------------------------- */

struct line {
	struct hand hands[4]; /* of the same address, one for each session */
	unsigned accepted;
	int requests[4]; /* REQUESTs that came in each */
	int needs[4];    /* and NEEDs */
	bool credit_is_none;
};

/* Takes what was sent for so long, and accepts each INIT as the next of the hands. */
static void serve(struct bench *b, struct line *l, uint64_t ns)
{
	uint64_t end = b->now + ns;
	struct dg_parts parts;
	struct dg_frame frame;
	struct dg_data data;
	struct packet p;

	while (bench_wait_sent(b, NULL, end - b->now)) {
		assert_true(bench_take(b, NULL, &p) && dg_parts_decode(&parts, p.data, p.len));
		if (parts.header.type == DG_INIT) {
			struct hand *h = &l->hands[l->accepted++];

			assert_true(l->accepted <= COUNT(l->hands));
			hand_init(h, b, "10.0.0.1:1000");
			h->hello.session += 2 * l->accepted;
			h->hello.credit = l->credit_is_none ? 0 : h->hello.credit;
			assert_true(dg_hello_decode(&h->theirs, &parts));
			hand_say_accept(h, h->theirs.time);
			continue;
		}
		assert_true(dg_data_decode(&data, &parts));
		while (data.frames.left > 0) {
			assert_true(dg_frame_decode(&frame, &data.frames));
			for (unsigned i = 0; i < l->accepted; i++)
				if (l->hands[i].hello.session == parts.header.receiver) {
					l->requests[i] += frame.type == DG_REQUEST;
					l->needs[i] += frame.type == DG_NEED;
				}
		}
	}
}

/* Exposed in the first of three sessions, it can not be called refused in the last one. */
static void what_was_exposed_is_never_refused_later(void **state)
{
	struct dg_frame no = {.type = DG_NO, .code = DG_NO_NOT_ALLOWED};
	struct dg_frame evicted = {.type = DG_CLOSE, .code = DG_CLOSE_EVICTED, .id = 1};
	struct line l = {.accepted = 0};
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	message = bench_message(DGRAM_REQUEST, &(struct dgram_addr){0}, "x");
	message.to = bench_addr("10.0.0.1:1000");
	message.idempotent = true;
	bench_submit(&b, &message);
	serve(&b, &l, 1 * MS);
	assert_true(l.requests[0] > 0);
	hand_say(&l.hands[0], evicted); /* it may have run */
	l.credit_is_none = true;
	serve(&b, &l, 1 * MS);
	assert_int_equal(l.accepted, 2);
	assert_int_equal(l.requests[1], 0);
	evicted.id = 0;
	hand_say(&l.hands[1], evicted);
	l.credit_is_none = false;
	serve(&b, &l, 1 * MS);
	assert_int_equal(l.accepted, 3);
	assert_true(l.requests[2] > 0);
	hand_say(&l.hands[2], no);
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.outcome, DGRAM_UNKNOWN);
	bench_close(&b);
}

/* A peer without a place for it says twice that it will never run: once more would be a circle. */
static void what_is_sent_away_twice_is_refused(void **state)
{
	struct dg_frame evicted = {.type = DG_CLOSE, .code = DG_CLOSE_EVICTED, .id = 0};
	struct line l = {.accepted = 0};
	struct dgram_message message;
	struct dgram_event done;
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	message = bench_message(DGRAM_REQUEST, &(struct dgram_addr){0}, "x");
	message.to = bench_addr("10.0.0.1:1000");
	bench_submit(&b, &message);
	for (unsigned i = 0; i < 2; i++) {
		bench_no_event(&b);
		serve(&b, &l, 1 * MS);
		assert_int_equal(l.accepted, i + 1);
		assert_true(l.requests[i] > 0);
		hand_say(&l.hands[i], evicted);
	}
	done = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(done.outcome, DGRAM_REFUSED);
	assert_int_equal(done.reason, DGRAM_REASON_CLOSED);
	bench_close(&b);
}

/* An ordered request that still runs in the first session holds up the next one, in whichever session
 * that will be. */
static void order_holds_from_session_to_session(void **state)
{
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	struct line l = {.accepted = 0};
	struct dgram_message message;
	struct bench b;
	uint64_t first;

	(void)state;
	bench_open(&b, NULL);
	message = bench_message(DGRAM_REQUEST, &(struct dgram_addr){0}, "x");
	message.to = bench_addr("10.0.0.1:1000");
	message.ordered = true;
	first = bench_submit(&b, &message);
	serve(&b, &l, 1 * MS);
	assert_int_equal(l.accepted, 1);
	hand_say(&l.hands[0], hand_ack_of(0, 0), accepted);
	serve(&b, &l, 10 * S);
	bench_submit(&b, &message);
	serve(&b, &l, 3 * S); /* a PING is not acknowledged: the second session */
	assert_int_equal(l.accepted, 2);
	assert_int_equal(l.requests[1], 0);
	hand_say(&l.hands[1], {.type = DG_CLOSE, .code = DG_CLOSE_EVICTED});
	serve(&b, &l, 1 * S);
	assert_int_equal(l.accepted, 3);
	assert_int_equal(l.requests[2], 0);
	bench_no_event(&b);
	hand_say(&l.hands[0], hand_reply(0, "done"));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).id, first);
	serve(&b, &l, 1 * MS);
	assert_true(l.requests[2] > 0); /* at once */
	bench_close(&b);
}

/* Also when the session between the two ended before it had anything; who is not ordered does not wait. */
static void order_outlives_a_session_that_had_nothing(void **state)
{
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	struct line l = {.accepted = 0};
	struct dgram_message message;
	struct bench b;
	uint64_t first, second;

	(void)state;
	bench_open(&b, NULL);
	message = bench_message(DGRAM_REQUEST, &(struct dgram_addr){0}, "x");
	message.to = bench_addr("10.0.0.1:1000");
	message.ordered = true;
	first = bench_submit(&b, &message);
	serve(&b, &l, 1 * MS);
	hand_say(&l.hands[0], hand_ack_of(0, 0), accepted);
	serve(&b, &l, 10 * S);
	second = bench_submit(&b, &message);
	serve(&b, &l, 3 * S); /* a PING is not acknowledged: the second session */
	assert_int_equal(l.accepted, 2);
	assert_int_equal(dgram_endpoint_cancel(b.ep, second, b.now), 0);
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).id, second);
	hand_say(&l.hands[1], {.type = DG_CLOSE, .code = DG_CLOSE_EVICTED});
	bench_submit(&b, &message);
	serve(&b, &l, 1 * S);
	assert_int_equal(l.accepted, 3);
	assert_int_equal(l.requests[2], 0);
	message.ordered = false;
	bench_submit(&b, &message);
	serve(&b, &l, 1 * MS);
	assert_int_equal(l.requests[2], 1);
	hand_say(&l.hands[0], hand_reply(0, "done"));
	assert_int_equal(bench_event(&b, DGRAM_EVENT_DONE).id, first);
	serve(&b, &l, 1 * MS);
	assert_int_equal(l.requests[2], 2);
	bench_close(&b);
}

/* The credit that comes for one is used by another that was submitted before it. */
static void who_was_robbed_of_its_credit_asks_again(void **state)
{
	struct dg_frame accepted = {.type = DG_ACCEPTED, .code = DG_ACCEPTED_RUNNING};
	static uint8_t bytes[20000];
	struct line l = {.accepted = 0};
	struct dgram_message small, large;
	struct bench b;
	int asked;

	(void)state;
	bench_open(&b, NULL);
	small = bench_message(DGRAM_REQUEST, &(struct dgram_addr){0}, "x");
	small.to = bench_addr("10.0.0.1:1000");
	small.ordered = true;
	bench_submit(&b, &small);
	serve(&b, &l, 1 * MS);
	hand_say(&l.hands[0], hand_ack_of(0, 0), accepted);
	serve(&b, &l, 10 * S);
	l.credit_is_none = true;
	bench_submit(&b, &small);
	large = small;
	large.ordered = false;
	large.data = bytes;
	large.len = sizeof bytes;
	bench_submit(&b, &large);
	serve(&b, &l, 3 * S); /* a PING is not acknowledged: the second session */
	assert_int_equal(l.accepted, 2);
	asked = l.needs[1];
	assert_true(asked > 0);
	hand_say(&l.hands[0], hand_reply(0, "done"));
	hand_say(&l.hands[1], {.type = DG_CREDIT, .value = sizeof bytes, .id = 64});
	serve(&b, &l, 1 * MS);
	assert_int_equal(l.requests[1], 1);
	assert_int_equal(l.needs[1], asked + 1);
	hand_say(&l.hands[1], {.type = DG_CREDIT, .value = sizeof bytes + 1, .id = 64});
	serve(&b, &l, 1 * MS);
	assert_true(l.requests[1] > 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_request_says_what_it_must),
	        cmocka_unit_test(a_reply_ends_a_request),
	        cmocka_unit_test(an_ack_does_not_end_a_request),
	        cmocka_unit_test(without_an_ack_the_request_goes_again),
	        cmocka_unit_test(accepted_stops_the_timer),
	        cmocka_unit_test(a_no_says_how_it_ended),
	        cmocka_unit_test(what_expired_too_early_is_asked_once_more),
	        cmocka_unit_test(what_is_asked_once_more_runs_in_one_session),
	        cmocka_unit_test(what_has_ended_is_taken_and_has_no_effect),
	        cmocka_unit_test(a_long_reply_is_put_together),
	        cmocka_unit_test(a_reply_beyond_the_grant_is_granted),
	        cmocka_unit_test(a_reply_that_is_too_long_ends_the_request),
	        cmocka_unit_test(a_reply_to_nothing_breaks_no_session),
	        cmocka_unit_test(a_send_is_delivered_when_it_is_acknowledged),
	        cmocka_unit_test(a_send_in_parts_is_delivered_with_the_last_of_them),
	        cmocka_unit_test(a_no_refuses_a_send),
	        cmocka_unit_test(a_send_that_left_is_unknown_at_its_deadline),
	        cmocka_unit_test(what_is_given_up_before_it_left_is_reset),
	        cmocka_unit_test(a_send_that_left_is_unknown_when_it_is_cancelled),
	        cmocka_unit_test(a_cancel_before_exposure_ends_it_at_once),
	        cmocka_unit_test(a_cancel_goes_until_the_peers_word),
	        cmocka_unit_test(after_a_cancel_no_byte_of_the_request_leaves),
	        cmocka_unit_test(a_deadline_passes_at_its_time),
	        cmocka_unit_test(what_ended_is_settled_in_time),
	        cmocka_unit_test(without_credit_a_message_is_announced),
	        cmocka_unit_test(credit_never_goes_down),
	        cmocka_unit_test(a_need_may_be_refused),
	        cmocka_unit_test(no_id_is_used_that_was_not_promised),
	        cmocka_unit_test(ordered_messages_name_the_one_before),
	        cmocka_unit_test(what_was_exposed_is_never_refused_later),
	        cmocka_unit_test(what_is_sent_away_twice_is_refused),
	        cmocka_unit_test(order_holds_from_session_to_session),
	        cmocka_unit_test(order_outlives_a_session_that_had_nothing),
	        cmocka_unit_test(who_was_robbed_of_its_credit_asks_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
