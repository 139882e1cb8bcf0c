/* Section 6 of docs/WIRE.md, requests that a peer sends us: run once, answered for good. */
#include "endpoint/bench.h"

#define ID 1 /* of the first request: 0 was a SEND, which draws the CREDIT for more ids */

static void call(struct bench *b, struct hand *h, const char *address)
{
	hand_init(h, b, address);
	hand_call(h);
	hand_say(h, hand_send(0, "first"));
	bench_event(b, DGRAM_EVENT_MESSAGE);
	hand_settle(h);
}

static void open_called(struct bench *b, struct hand *h)
{
	bench_open(b, NULL);
	call(b, h, "10.0.0.1:1000");
}

/* Asks, and takes the event. */
static uint64_t ask(struct hand *h, uint64_t id)
{
	struct dgram_event event;

	assert_int_equal(hand_say(h, hand_request(id, "question")), DGRAM_FATE_TAKEN);
	event = bench_event(h->bench, DGRAM_EVENT_REQUEST);
	assert_int_equal(event.number, id);
	assert_memory_equal(event.data, "question", 8);
	return event.id;
}

static void answer(struct hand *h, uint64_t handle, const char *text)
{
	struct bench *b = h->bench;

	assert_int_equal(dgram_endpoint_reply(b->ep, handle, 0, text, strlen(text), b->now), 0);
}

/* The answer in the next datagram. */
static const struct dg_frame *take_reply(struct hand *h, uint64_t ns)
{
	const struct dg_frame *reply = hand_find(h, DG_REPLY, ns);

	assert_non_null(reply);
	return reply;
}

static void a_request_comes_with_all_that_was_said_of_it(void **state)
{
	struct dg_frame request = hand_request(ID, "data");
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	request.flags |= DG_NAMED | DG_HOPS | DG_IDEMPOTENT;
	request.name = (const uint8_t *)"door";
	request.name_len = 4;
	request.hops = 9;
	request.deadline = hand_time(&h, b.now + 3 * S);
	assert_int_equal(hand_say(&h, request), DGRAM_FATE_TAKEN);
	event = bench_event(&b, DGRAM_EVENT_REQUEST);
	assert_int_equal(event.kind, DGRAM_REQUEST);
	assert_int_equal(event.hops, 9);
	assert_true(event.idempotent && !event.ordered);
	assert_int_equal(event.name_len, 4);
	assert_memory_equal(event.name, "door", 4);
	assert_int_equal(event.session, h.theirs.session);
	assert_int_equal(event.peer_session, h.hello.session);
	assert_true(event.deadline <= b.now + 3 * S && event.deadline > b.now + 3 * S - 1 * MS);
	assert_int_equal(bench_stats(&b).requests, 1);
	bench_close(&b);
}

static void a_quick_short_reply_is_pulled(void **state)
{
	const struct dg_frame *reply;
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	open_called(&b, &h);
	handle = ask(&h, ID);
	b.now += 1 * MS;
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 17, "answer", 6, b.now), 0);
	bench_turn(&b);
	assert_int_equal(b.count, 1); /* one datagram, with the ACK aboard */
	reply = take_reply(&h, 0);
	assert_int_equal(reply->flags, DG_WHOLE);
	assert_int_equal(reply->id, ID);
	assert_int_equal(reply->status, 17);
	assert_int_equal(reply->service, 1000);
	assert_memory_equal(reply->data, "answer", 6);
	assert_true(hand_acks(hand_got(&h, DG_ACK), h.next - 1));
	assert_false(h.got.asking);
	bench_expect_silence(&b, 10 * S); /* nobody but the requester has a timer */
	bench_close(&b);
}

static void a_lost_reply_is_drawn_again_and_runs_nothing(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	answer(&h, ask(&h, ID), "once");
	take_reply(&h, 0);
	for (int i = 0; i < 6; i++) {
		const struct dg_frame *reply;

		bench_wait(&b, 500 * MS);
		if (i % 2)
			hand_say(&h, {.type = DG_PULL, .id = ID});
		else
			hand_say(&h, hand_request(ID, "question"));
		bench_no_event(&b);
		reply = take_reply(&h, 30 * MS);
		assert_memory_equal(reply->data, "once", 4);
		assert_int_equal(reply->id, ID);
	}
	bench_close(&b);
}

static void a_slow_reply_is_announced_and_pushed(void **state)
{
	const struct dg_frame *accepted, *reply;
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	open_called(&b, &h);
	handle = ask(&h, ID);
	accepted = hand_find(&h, DG_ACCEPTED, h.theirs.ack_delay_ms * MS);
	assert_non_null(accepted);
	assert_int_equal(accepted->id, ID);
	assert_int_equal(accepted->code, DG_ACCEPTED_RUNNING);
	hand_settle(&h);
	bench_expect_silence(&b, 5 * S);
	answer(&h, handle, "late");
	for (int i = 0; i < 4; i++) { /* until it is acknowledged */
		reply = take_reply(&h, 3 * S);
		assert_int_equal(reply->flags, DG_WHOLE | DG_PUSHED);
		assert_memory_equal(reply->data, "late", 4);
		assert_true(h.got.asking);
	}
	hand_say(&h, hand_ack(&h));
	hand_expect_no(&h, DG_REPLY, 10 * S);
	bench_close(&b);
}

static void what_waits_in_the_queue_is_said_to_be_queued(void **state)
{
	const struct dg_frame *accepted;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, hand_request(ID, "x")); /* the program does not look */
	accepted = hand_find(&h, DG_ACCEPTED, h.theirs.ack_delay_ms * MS);
	assert_non_null(accepted);
	assert_int_equal(accepted->code, DG_ACCEPTED_QUEUED);
	bench_close(&b);
}

static void a_copy_of_what_runs_draws_accepted(void **state)
{
	const struct dg_frame *accepted;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	ask(&h, ID);
	hand_settle(&h);
	for (int i = 0; i < 4; i++) {
		if (i % 2)
			hand_say(&h, {.type = DG_PULL, .id = ID});
		else
			hand_say(&h, hand_request(ID, "question"));
		accepted = hand_find(&h, DG_ACCEPTED, 30 * MS);
		assert_non_null(accepted);
		assert_int_equal(accepted->code, DG_ACCEPTED_RUNNING);
		hand_settle(&h);
	}
	bench_no_event(&b);
	bench_close(&b);
}

static void an_answer_that_was_acknowledged_is_gone(void **state)
{
	const struct dg_frame *no;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	answer(&h, ask(&h, ID), "once");
	take_reply(&h, 0);
	hand_say(&h, hand_ack(&h)); /* nobody asked for it, but it means taken */
	bench_wait(&b, 10 * MS);
	hand_say(&h, hand_request(ID, "question"));
	bench_no_event(&b);
	no = hand_find(&h, DG_NO, 30 * MS);
	assert_non_null(no);
	assert_int_equal(no->code, DG_NO_GONE);
	bench_close(&b);
}

static void an_answer_that_was_settled_is_gone(void **state)
{
	static const struct {
		uint64_t below;
		bool gone;
	} rows[] = {{0, false}, {ID, false}, {ID + 1, false}, {ID + 2, true}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		answer(&h, ask(&h, ID + 1), "once");
		take_reply(&h, 0);
		hand_say(&h, {.type = DG_SETTLED, .id = rows[i].below});
		hand_say(&h, hand_request(ID + 1, "question"));
		bench_no_event(&b);
		if (rows[i].gone)
			hand_expect_no(&h, DG_REPLY, 30 * MS);
		else
			take_reply(&h, 30 * MS);
		bench_close(&b);
	}
}

static void an_answer_is_kept_until_after_its_deadline(void **state)
{
	static const struct {
		uint64_t after; /* ns after the deadline */
		bool gone;
	} rows[] = {{0, false}, {10 * S, true}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_frame request = hand_request(ID, "question");

		open_called(&b, &h);
		request.deadline = hand_time(&h, b.now + 2 * S);
		hand_say(&h, request);
		answer(&h, bench_event(&b, DGRAM_EVENT_REQUEST).id, "once");
		take_reply(&h, 0);
		bench_wait(&b, 2 * S + rows[i].after);
		hand_say(&h, request);
		bench_no_event(&b);
		if (rows[i].gone)
			assert_int_equal(hand_find(&h, DG_NO, 30 * MS)->code, DG_NO_GONE);
		else
			take_reply(&h, 30 * MS);
		bench_close(&b);
	}
}

static void what_is_gone_is_gone_for_pull_and_cancel_too(void **state)
{
	struct dg_frame rows[] = {{.type = DG_PULL, .id = ID},
	                          {.type = DG_CANCEL, .id = ID, .total = 8}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct dg_frame *no;

		open_called(&b, &h);
		answer(&h, ask(&h, ID), "once");
		take_reply(&h, 0);
		hand_say(&h, hand_ack(&h));
		hand_say(&h, rows[i]);
		no = hand_find(&h, DG_NO, 30 * MS);
		assert_non_null(no);
		assert_int_equal(no->code, DG_NO_GONE);
		bench_close(&b);
	}
}

static void a_request_is_answered_once(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	open_called(&b, &h);
	handle = ask(&h, ID);
	answer(&h, handle, "x");
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "y", 1, b.now), DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_refuse(b.ep, handle, DGRAM_BUSY, 0, b.now),
	                 DGRAM_ERR_CLOSED);
	handle = ask(&h, ID + 1);
	assert_int_equal(dgram_endpoint_refuse(b.ep, handle, DGRAM_BUSY, 0, b.now), 0);
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "y", 1, b.now), DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_reply(b.ep, handle + 1, 0, "y", 1, b.now),
	                 DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_reply(b.ep, 0, 0, "y", 1, b.now), DGRAM_ERR_CLOSED);
	bench_close(&b);
}

static void a_reply_has_a_limit(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	open_called(&b, &h);
	handle = ask(&h, ID);
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, bench_bytes(),
	                                      (size_t)DGRAM_MESSAGE_MAX + 1, b.now),
	                 DGRAM_ERR_SIZE);
	answer(&h, handle, "short");
	bench_close(&b);
}

/* ---- refused ----------------------------------------------------------------------------------- */

static void a_refusal_says_why(void **state)
{
	static const struct {
		enum dgram_refusal why;
		enum dg_no code;
		uint64_t retry; /* ns */
	} rows[] = {
	        {DGRAM_BUSY, DG_NO_BUSY, 1500 * MS},
	        {DGRAM_NO_SUCH_NAME, DG_NO_SUCH_NAME, 0},
	        {DGRAM_NOT_ALLOWED, DG_NO_NOT_ALLOWED, 0},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t handle;

		open_called(&b, &h);
		handle = ask(&h, ID);
		assert_int_equal(
		        dgram_endpoint_refuse(b.ep, handle, rows[i].why, rows[i].retry, b.now), 0);
		for (int n = 0; n < 3;
		     n++) { /* final: each copy draws the same, and runs nothing */
			const struct dg_frame *no = hand_find(&h, DG_NO, 30 * MS);

			assert_non_null(no);
			assert_int_equal(no->code, rows[i].code);
			assert_int_equal(no->value, rows[i].retry / MS);
			assert_false(no->flags & DG_PUSHED);
			assert_false(h.got.asking);
			assert_false(n == 0 && !hand_acks(hand_got(&h, DG_ACK), h.next - 1));
			bench_expect_silence(&b, 2 * S); /* pulled */
			hand_say(&h, hand_request(ID, "question"));
			bench_no_event(&b);
		}
		bench_close(&b);
	}
}

static void a_refusal_after_accepted_is_pushed(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	open_called(&b, &h);
	handle = ask(&h, ID);
	assert_non_null(hand_find(&h, DG_ACCEPTED, 30 * MS));
	hand_settle(&h);
	assert_int_equal(dgram_endpoint_refuse(b.ep, handle, DGRAM_NOT_ALLOWED, 0, b.now), 0);
	for (int i = 0; i < 4; i++) {
		const struct dg_frame *no = hand_find(&h, DG_NO, 3 * S);

		assert_non_null(no);
		assert_true(no->flags & DG_PUSHED);
		assert_true(h.got.asking);
	}
	hand_say(&h, hand_ack(&h));
	hand_expect_no(&h, DG_NO, 5 * S);
	bench_close(&b);
}

/* ---- too late ---------------------------------------------------------------------------------- */

static void past_its_deadline_a_request_is_not_started(void **state)
{
	struct dg_frame request = hand_request(ID, "x");
	const struct dg_frame *no;
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	bench_wait(&b, 1 * S);
	request.deadline = hand_time(&h, b.now) - 1;
	hand_say(&h, request);
	bench_no_event(&b);
	no = hand_find(&h, DG_NO, 30 * MS);
	assert_non_null(no);
	assert_int_equal(no->code, DG_NO_EXPIRED);
	bench_close(&b);
}

static void what_waited_past_its_deadline_is_not_started(void **state)
{
	struct dg_frame request = hand_request(ID, "x");
	const struct dg_frame *no;
	struct bench b;
	struct hand h;

	(void)state;
	for (int looked = 0; looked < 2; looked++) { /* the timer, or the program's late look */
		uint64_t at;

		open_called(&b, &h);
		at = b.now + 500 * MS;
		request.deadline = hand_time(&h, at);
		hand_say(&h, request);
		assert_non_null(hand_find(&h, DG_ACCEPTED, 30 * MS));
		hand_settle(&h);
		if (looked)
			b.now = at;
		else
			bench_wait(&b, at - b.now);
		bench_no_event(&b);
		no = hand_find(&h, DG_NO, 30 * MS);
		assert_non_null(no);
		assert_int_equal(no->code, DG_NO_EXPIRED);
		assert_true(no->flags & DG_PUSHED);
		bench_close(&b);
	}
}

static void what_runs_at_its_deadline_is_stopped(void **state)
{
	struct dg_frame request = hand_request(ID, "x");
	struct dgram_event stop;
	struct bench b;
	struct hand h;
	uint64_t handle, at;

	(void)state;
	open_called(&b, &h);
	at = b.now + 500 * MS;
	request.deadline = hand_time(&h, at);
	hand_say(&h, request);
	handle = bench_event(&b, DGRAM_EVENT_REQUEST).id;
	hand_settle(&h);
	bench_wait(&b, at - b.now - 1 * MS);
	bench_no_event(&b);
	bench_wait(&b, 10 * S);
	stop = bench_event(&b, DGRAM_EVENT_STOP);
	assert_int_equal(stop.id, handle);
	assert_int_equal(stop.reason, DGRAM_REASON_DEADLINE);
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "x", 1, b.now), DGRAM_ERR_CLOSED);
	bench_close(&b);
}

/* ---- cancelled --------------------------------------------------------------------------------- */

static void a_cancel_of_what_was_never_seen_keeps_it_from_running(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, {.type = DG_CANCEL, .id = ID, .total = 8});
	for (int i = 0; i < 4; i++) {
		const struct dg_frame *no = hand_find(&h, DG_NO, 30 * MS);

		assert_non_null(no);
		assert_int_equal(no->code, DG_NO_CANCELLED);
		if (i % 2)
			hand_say(&h, {.type = DG_CANCEL, .id = ID, .total = 8});
		else
			hand_say(&h, hand_request(ID, "question"));
		bench_no_event(&b);
	}
	bench_close(&b);
}

static void a_cancel_of_what_came_in_part_frees_it(void **state)
{
	struct bench b;
	struct hand h;
	uint64_t used;

	(void)state;
	open_called(&b, &h);
	used = bench_stats(&b).pool_used;
	hand_say(&h, hand_part(DG_REQUEST, ID, 10000, 0, 64));
	hand_say(&h, {.type = DG_CANCEL, .id = ID, .total = 10000});
	assert_int_equal(hand_find(&h, DG_NO, 30 * MS)->code, DG_NO_CANCELLED);
	assert_int_equal(bench_stats(&b).pool_used, used);
	bench_close(&b);
}

static void a_cancel_of_what_is_queued_keeps_it_from_running(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	hand_say(&h, hand_request(ID, "question"));
	hand_say(&h, {.type = DG_CANCEL, .id = ID, .total = 8});
	assert_int_equal(hand_find(&h, DG_NO, 30 * MS)->code, DG_NO_CANCELLED);
	bench_no_event(&b);
	bench_close(&b);
}

static void a_cancel_of_what_runs_stops_it(void **state)
{
	struct dgram_event stop;
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	open_called(&b, &h);
	handle = ask(&h, ID);
	hand_say(&h, {.type = DG_CANCEL, .id = ID, .total = 8});
	stop = bench_event(&b, DGRAM_EVENT_STOP);
	assert_int_equal(stop.id, handle);
	assert_int_equal(stop.reason, DGRAM_REASON_CANCELLED);
	assert_int_equal(hand_find(&h, DG_NO, 30 * MS)->code, DG_NO_GONE);
	assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "x", 1, b.now), DGRAM_ERR_CLOSED);
	hand_say(&h, hand_request(ID, "question"));
	bench_no_event(&b);
	bench_close(&b);
}

static void a_cancel_of_what_is_answered_draws_the_answer(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	answer(&h, ask(&h, ID), "too late");
	take_reply(&h, 0);
	hand_say(&h, {.type = DG_CANCEL, .id = ID, .total = 8});
	assert_memory_equal(take_reply(&h, 30 * MS)->data, "too late", 8);
	bench_no_event(&b);
	bench_close(&b);
}

/* ---- long replies ------------------------------------------------------------------------------ */

/* Asks with a grant, and the answer is total bytes of the pattern. */
static void ask_long(struct hand *h, uint64_t grant, size_t total)
{
	struct dg_frame request = hand_request(ID, "question");
	struct bench *b = h->bench;
	uint64_t handle;

	request.grant = grant;
	hand_say(h, request);
	handle = bench_event(b, DGRAM_EVENT_REQUEST).id;
	assert_int_equal(dgram_endpoint_reply(b->ep, handle, 0, bench_bytes(), total, b->now), 0);
}

/* Takes and acknowledges for so long; the bytes of the reply from the start that came. */
static size_t collect(struct hand *h, size_t total, uint64_t ns)
{
	static bool cells[4096];
	uint64_t end = h->bench->now + ns;
	size_t whole = 0;

	memset(cells, 0, sizeof cells);
	while (bench_wait_sent(h->bench, &h->addr, end - h->bench->now)) {
		while (hand_take(h)) {
			for (size_t i = 0; i < h->got.count; i++) {
				const struct dg_frame *f = &h->got.frames[i];

				if (f->type != DG_REPLY)
					continue;
				assert_int_equal(f->total, total);
				assert_true(f->flags & DG_PUSHED && !(f->flags & DG_WHOLE));
				assert_memory_equal(f->data, bench_bytes() + f->offset, f->len);
				for (size_t at = 0; at < f->len; at += 64)
					cells[(f->offset + at) / 64] = true;
			}
		}
		hand_say(h, hand_ack(h));
	}
	while (cells[whole])
		whole++;
	return whole * 64 < total ? whole * 64 : total;
}

static void a_long_reply_is_pushed_within_its_grant(void **state)
{
	static const struct {
		uint64_t grant;
		size_t total, sent;
	} rows[] = {
	        {1 << 20, 5000, 5000}, {5000, 5000, 5000}, {4992, 5000, 4992}, {3000, 5000, 2944},
	        {1000, 5000, 960},     {64, 5000, 64},     {0, 5000, 64},      {10, 100, 64},
	};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		ask_long(&h, rows[i].grant, rows[i].total);
		assert_int_equal(collect(&h, rows[i].total, 2 * S), rows[i].sent);
		bench_expect_silence(&b, 2 * S);
		bench_close(&b);
	}
}

static void a_grant_lets_the_rest_come(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	open_called(&b, &h);
	ask_long(&h, 0, 5000);
	assert_int_equal(collect(&h, 5000, 1 * S), 64);
	hand_say(&h, {.type = DG_GRANT, .id = ID, .value = 2000});
	collect(&h, 5000, 1 * S);
	hand_say(&h, {.type = DG_GRANT, .id = ID, .value = 1000}); /* old, and means nothing */
	bench_wait(&b, 50 * MS);
	hand_settle(&h);
	hand_say(&h, {.type = DG_GRANT, .id = ID, .value = 5000});
	assert_non_null(hand_find(&h, DG_REPLY, 0));
	assert_true(hand_got(&h, DG_REPLY)->offset >= 1984);
	hand_settle(&h);
	bench_expect_silence(&b, 2 * S);
	bench_close(&b);
}

/* ---- limits ------------------------------------------------------------------------------------ */

static void one_session_has_half_of_the_places_for_requests(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h, other;
	unsigned events = 0, busy = 0;
	struct dgram_event event;

	(void)state;
	config.requests = 8;
	bench_open(&b, &config);
	call(&b, &h, "10.0.0.1:1000");
	call(&b, &other, "10.0.0.2:1000");
	for (uint64_t id = ID; id < ID + 8; id++) {
		enum dgram_fate fate = hand_say(&h, hand_request(id, "x"));

		if (dgram_endpoint_next_event(b.ep, &event, b.now))
			events++;
		bench_wait(&b, 30 * MS);
		while (hand_take(&h))
			busy += hand_got(&h, DG_NO) && hand_got(&h, DG_NO)->code == DG_NO_BUSY;
		assert_true(fate == DGRAM_FATE_TAKEN || fate == DGRAM_FATE_ROOM);
	}
	assert_int_equal(events, 4);
	assert_true(busy == 4 || bench_fate_count(&b, DGRAM_FATE_ROOM) == 4);
	assert_int_equal(hand_say(&other, hand_request(ID, "x")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_REQUEST);
	assert_true(bench_stats(&b).requests <= 8);
	bench_close(&b);
}

static void requests_of_a_session_that_ends_are_stopped(void **state)
{
	static const struct {
		bool here; /* who ends it */
		enum dgram_reason reason;
	} rows[] = {{false, DGRAM_REASON_CLOSED}, {true, DGRAM_REASON_HERE}};
	struct dgram_event stop;
	struct bench b;
	struct hand h;
	uint64_t handle;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_called(&b, &h);
		handle = ask(&h, ID);
		hand_say(&h, hand_request(ID + 1, "still queued"));
		if (rows[i].here)
			dgram_endpoint_close(b.ep, h.theirs.session, b.now);
		else
			hand_say(&h, {.type = DG_CLOSE, .code = DG_CLOSE_DONE});
		stop = bench_event(&b, DGRAM_EVENT_STOP);
		assert_int_equal(stop.id, handle);
		assert_int_equal(stop.reason, rows[i].reason);
		bench_no_event(&b);
		assert_int_equal(dgram_endpoint_reply(b.ep, handle, 0, "x", 1, b.now),
		                 DGRAM_ERR_CLOSED);
		assert_int_equal(bench_stats(&b).requests, 0);
		assert_int_equal(bench_stats(&b).pool_used, 0);
		bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_request_comes_with_all_that_was_said_of_it),
	        cmocka_unit_test(a_quick_short_reply_is_pulled),
	        cmocka_unit_test(a_lost_reply_is_drawn_again_and_runs_nothing),
	        cmocka_unit_test(a_slow_reply_is_announced_and_pushed),
	        cmocka_unit_test(what_waits_in_the_queue_is_said_to_be_queued),
	        cmocka_unit_test(a_copy_of_what_runs_draws_accepted),
	        cmocka_unit_test(an_answer_that_was_acknowledged_is_gone),
	        cmocka_unit_test(an_answer_that_was_settled_is_gone),
	        cmocka_unit_test(an_answer_is_kept_until_after_its_deadline),
	        cmocka_unit_test(what_is_gone_is_gone_for_pull_and_cancel_too),
	        cmocka_unit_test(a_request_is_answered_once),
	        cmocka_unit_test(a_reply_has_a_limit),
	        cmocka_unit_test(a_refusal_says_why),
	        cmocka_unit_test(a_refusal_after_accepted_is_pushed),
	        cmocka_unit_test(past_its_deadline_a_request_is_not_started),
	        cmocka_unit_test(what_waited_past_its_deadline_is_not_started),
	        cmocka_unit_test(what_runs_at_its_deadline_is_stopped),
	        cmocka_unit_test(a_cancel_of_what_was_never_seen_keeps_it_from_running),
	        cmocka_unit_test(a_cancel_of_what_came_in_part_frees_it),
	        cmocka_unit_test(a_cancel_of_what_is_queued_keeps_it_from_running),
	        cmocka_unit_test(a_cancel_of_what_runs_stops_it),
	        cmocka_unit_test(a_cancel_of_what_is_answered_draws_the_answer),
	        cmocka_unit_test(a_long_reply_is_pushed_within_its_grant),
	        cmocka_unit_test(a_grant_lets_the_rest_come),
	        cmocka_unit_test(one_session_has_half_of_the_places_for_requests),
	        cmocka_unit_test(requests_of_a_session_that_ends_are_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
