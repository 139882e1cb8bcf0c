/* Two real endpoints: what they need of each other, and what it costs. */
#include "endpoint/pair.h"

/* A session is up and nothing is unfinished. */
static void warm(struct pair *p, int from)
{
	pair_submit(p, from, DGRAM_REQUEST, 5);
	pair_run_until_done(p, from, 1, 5 * S);
	pair_run(p, 1 * S);
}

static void a_question_is_answered_in_two_round_trips(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 1);
	p.delay = 1 * MS;
	p.reply_len = 7;
	pair_submit(&p, 0, DGRAM_REQUEST, 5);
	pair_run_until_done(&p, 0, 1, 1 * S);
	assert_int_equal(p.ends[0].answered, 1);
	assert_int_equal(p.ends[0].last.elapsed, 4 * MS);
	assert_int_equal(p.ends[1].requests, 1);
	assert_true(p.ends[0].right && p.ends[1].right);
	pair_run(&p, 10 * S);
	assert_int_equal(p.ends[1].requests, 1);
	pair_close(&p);
}

/* One datagram each way, as the answer carries the ACK. */
static void a_steady_exchange_costs_one_datagram_each_way(void **state)
{
	uint64_t ours, theirs;
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 2);
	p.reply_len = 100;
	warm(&p, 0);
	ours = p.ends[0].sent;
	theirs = p.ends[1].sent;
	for (uint64_t i = 0; i < 1000; i++) {
		pair_submit(&p, 0, DGRAM_REQUEST, 50);
		pair_run_until_done(&p, 0, i + 2, 1 * S);
		assert_true(p.ends[0].sent - ours <= i + 2 + i / 50);
		assert_true(p.ends[1].sent - theirs <= i + 2 + i / 50);
	}
	print_message("1,000 exchanges: %llu datagrams there, %llu back\n",
	              (unsigned long long)(p.ends[0].sent - ours),
	              (unsigned long long)(p.ends[1].sent - theirs));
	assert_int_equal(p.ends[0].answered, 1001);
	assert_true(p.ends[0].sent - ours <= 1020);
	assert_true(p.ends[1].sent - theirs <= 1020);
	pair_close(&p);
}

/* It answers, so its ACKs tell at once that nothing else was taken; that is no reason to ask at once. */
static void a_peer_without_room_is_asked_a_few_times_a_second(void **state)
{
	struct dgram_endpoint_config configs[2] = {bench_config(), bench_config()};
	struct pair p;
	uint64_t sent;

	(void)state;
	configs[1].messages = 8;
	pair_open(&p, configs, 12);
	p.delay = 2 * MS;
	p.handling = DGRAM_NEVER;
	for (int i = 0; i < 20; i++)
		pair_submit(&p, 0, DGRAM_REQUEST, 20);
	pair_run(&p, 10 * S);
	assert_in_range(p.ends[1].requests, 1, 8);
	sent = p.ends[0].sent;
	pair_run(&p, 100 * S);
	assert_in_range(p.ends[0].sent - sent, 100, 1000);
	pair_close(&p);
}

static void it_is_silent_after_the_last_message(void **state)
{
	struct pair p;
	uint64_t sent;

	(void)state;
	pair_open(&p, NULL, 3);
	p.reply_len = 20;
	for (int i = 0; i < 10; i++) {
		pair_submit(&p, i % 2, DGRAM_REQUEST, 50);
		pair_submit(&p, i % 2, DGRAM_SEND, 500);
		pair_submit(&p, i % 2, DGRAM_POST, 50);
	}
	pair_run(&p, 60 * S); /* the path may be searched */
	assert_int_equal(p.ends[0].answered, 10);
	assert_int_equal(p.ends[1].answered, 10);
	sent = p.ends[0].sent + p.ends[1].sent;
	pair_run(&p, 50 * S);
	assert_int_equal(p.ends[0].sent + p.ends[1].sent, sent);
	pair_run(&p, 24 * 3600 * S);
	assert_true(p.ends[0].sent + p.ends[1].sent <= sent + 4); /* a CLOSE for each session */
	assert_int_equal(dgram_endpoint_deadline(p.ends[0].ep), DGRAM_NEVER);
	assert_int_equal(dgram_endpoint_deadline(p.ends[1].ep), DGRAM_NEVER);
	pair_close(&p);
}

static void four_mebibytes_arrive_whole(void **state)
{
	struct pair p;

	(void)state;
	for (int lossy = 0; lossy < 2; lossy++) {
		pair_open(&p, NULL, 4);
		p.loss = lossy ? 20 : 0;
		p.delay = 200 * DGRAM_US;
		pair_submit(&p, 0, DGRAM_SEND, 4 << 20);
		pair_run_until_done(&p, 0, 1, 60 * S);
		assert_int_equal(p.ends[0].answered, 1);
		pair_run(&p, 1 * S);
		assert_int_equal(p.ends[1].messages, 1);
		assert_int_equal(p.ends[1].bytes, 4 << 20);
		assert_true(p.ends[1].right);
		print_message("4 MiB in %llu datagrams\n", (unsigned long long)p.ends[0].sent);
		pair_close(&p);
	}
}

static void a_request_and_a_reply_of_four_mebibytes(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 5);
	p.reply_len = 4 << 20;
	pair_submit(&p, 0, DGRAM_REQUEST, 4 << 20);
	pair_run_until_done(&p, 0, 1, 60 * S);
	assert_int_equal(p.ends[0].answered, 1);
	assert_int_equal(p.ends[0].last.len, 4 << 20);
	assert_true(p.ends[0].right && p.ends[1].right);
	pair_close(&p);
}

static void a_message_that_is_too_long_is_refused(void **state)
{
	static const enum dgram_kind kinds[] = {DGRAM_SEND, DGRAM_REQUEST};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		pair_open(&p, NULL, 6);
		pair_submit(&p, 0, kinds[i], (4 << 20) + 1);
		pair_run_until_done(&p, 0, 1, 10 * S);
		assert_int_equal(p.ends[0].refused, 1);
		assert_int_equal(p.ends[0].last.reason, DGRAM_REASON_TOO_LONG);
		assert_int_equal(p.ends[1].messages + p.ends[1].requests, 0);
		pair_close(&p);
	}
}

static void small_messages_share_datagrams(void **state)
{
	struct dgram_endpoint_stats stats;
	struct pair p;
	uint64_t before;

	(void)state;
	pair_open(&p, NULL, 7);
	p.delay = 100 * DGRAM_US;
	warm(&p, 0);
	before = p.ends[0].sent;
	for (int i = 0; i < 10000; i++)
		pair_submit(&p, 0, DGRAM_SEND, 20);
	pair_run_until_done(&p, 0, 10001, 30 * S);
	dgram_endpoint_stats(p.ends[0].ep, &stats);
	assert_int_equal(p.ends[0].answered, 10001);
	assert_int_equal(p.ends[1].messages, 10000);
	print_message("10,000 messages in %llu datagrams, %llu lost\n",
	              (unsigned long long)(p.ends[0].sent - before),
	              (unsigned long long)stats.lost);
	assert_true(p.ends[0].sent - before < 2000);
	pair_close(&p);
}

static void everything_arrives_through_a_lossy_link(void **state)
{
	struct pair p;

	(void)state;
	for (uint8_t seed = 0; seed < 20; seed++) {
		pair_open(&p, NULL, seed);
		p.loss = 200;
		p.delay = 1 * MS;
		p.reply_len = 3000;
		for (int i = 0; i < 40; i++)
			pair_submit(&p, i % 3 == 0, i % 2 ? DGRAM_SEND : DGRAM_REQUEST,
			            (size_t)i * 97);
		pair_run(&p, 60 * S);
		assert_int_equal(p.ends[0].answered + p.ends[1].answered, 40);
		assert_int_equal(p.ends[0].messages + p.ends[1].messages, 20);
		assert_int_equal(p.ends[0].requests + p.ends[1].requests, 20);
		assert_true(p.ends[0].right && p.ends[1].right);
		pair_close(&p);
	}
}

/* Both initiate: both sessions stay, and new messages go into the one of the lower boot id. */
static void when_both_begin_new_messages_share_one_session(void **state)
{
	static const uint64_t boots[][2] = {{1, 2}, {2, 1}, {7, 7}};
	struct dgram_endpoint_stats stats;
	uint64_t sessions[2];
	struct pair p;

	(void)state;
	for (size_t i = 0; i < COUNT(boots); i++) {
		struct dgram_endpoint_config configs[2] = {bench_config(), bench_config()};
		struct dgram_session_info info;
		unsigned begun = 0;

		configs[0].boot = boots[i][0];
		configs[1].boot = boots[i][1];
		pair_open(&p, configs, 8);
		p.delay = 1 * MS;
		pair_submit(&p, 0, DGRAM_REQUEST, 5);
		pair_submit(&p, 1, DGRAM_REQUEST, 5);
		pair_run(&p, 1 * S);
		for (int side = 0; side < 2; side++) {
			assert_int_equal(p.ends[side].answered, 1);
			assert_int_equal(p.ends[side].requests, 1);
			dgram_endpoint_stats(p.ends[side].ep, &stats);
			assert_int_equal(stats.sessions, 2);
			assert_true(stats.opened == 1 && stats.accepted == 1);
		}
		pair_submit(&p, 0, DGRAM_REQUEST, 5);
		pair_submit(&p, 1, DGRAM_REQUEST, 5);
		pair_run(&p, 1 * S);
		for (int side = 0; side < 2; side++) {
			sessions[side] = p.ends[side].last.session;
			assert_int_equal(
			        dgram_endpoint_session(p.ends[side].ep, sessions[side], &info), 0);
			begun += info.initiator;
			if (boots[i][0] != boots[i][1])
				assert_int_equal(info.initiator, boots[i][side] == 1);
		}
		assert_int_equal(begun, 1); /* whichever it is, both use the same one */
		pair_close(&p);
	}
}

static bool drops_first_of_a_size(struct pair *p, int from, const struct packet *packet)
{
	return from == 0 && packet->len > 1000 && p->dropped == 0;
}

/* The first of thousands of ids are late, so that all that may be used are: then more are promised. */
static void a_burst_goes_on_after_its_beginning_was_lost(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 14);
	p.delay = 1 * MS;
	p.drops = drops_first_of_a_size;
	for (int i = 0; i < 8000; i++)
		pair_submit(&p, 0, DGRAM_SEND, 1);
	pair_run_until_done(&p, 0, 8000, 30 * S);
	assert_int_equal(p.dropped, 1);
	assert_int_equal(p.ends[0].answered, 8000);
	assert_int_equal(p.ends[1].messages, 8000);
	pair_close(&p);
}

/* ---- a storm: every kind of message, answer and end, through a bad link ----------------------- */

static struct {
	uint64_t handles[64];
	int sides[64];
	unsigned count;
} late; /* requests that are answered later */

static void answer(struct pair *p, int side, uint64_t handle, uint64_t how)
{
	static const size_t lengths[] = {0, 10, 700, 3000, 20000};
	struct dgram_endpoint *ep = p->ends[side].ep;
	int rc;

	if (how % 4 == 0)
		rc = dgram_endpoint_refuse(ep, handle, DGRAM_BUSY, 5 * MS, p->now);
	else
		rc = dgram_endpoint_reply(ep, handle, 3, bench_bytes(), lengths[how % 5], p->now);
	assert_true(rc == 0 || rc == DGRAM_ERR_CLOSED || rc == DGRAM_ERR_FULL);
}

static void answer_some_late(struct pair *p, int side, const struct dgram_event *event)
{
	uint64_t how = dg_random_next(&p->random) >> 8;

	if (how % 3 != 0 || late.count == COUNT(late.handles)) {
		answer(p, side, event->id, how / 3);
		return;
	}
	late.handles[late.count] = event->id;
	late.sides[late.count++] = side;
}

static void do_something(struct pair *p, uint64_t *last)
{
	uint64_t how = dg_random_next(&p->random) >> 8;
	int from = (int)(how % 2);
	struct dgram_message message = bench_message((enum dgram_kind)(how / 2 % 4 + DGRAM_POST),
	                                             &p->ends[!from].addr, "");
	uint64_t id = 0;

	message.data = bench_bytes();
	message.len = message.kind == DGRAM_ECHO   ? 0
	              : message.kind == DGRAM_POST ? how % 1000
	              : how / 8 % 9 == 0           ? how % 60000
	                                           : how % 300;
	message.deadline = how / 128 % 3 == 0 ? p->now + how % 3000 * MS : p->now + 200 * S;
	message.ordered = how / 512 % 4 == 0;
	message.idempotent = how / 2048 % 4 == 0;
	assert_int_equal(dgram_endpoint_submit(p->ends[from].ep, &message, p->now, &id), 0);
	if (how / 8192 % 6 == 0)
		dgram_endpoint_cancel(p->ends[from].ep, id, p->now);
	else if (how / 8192 % 6 == 1 && last[from])
		dgram_endpoint_cancel(p->ends[from].ep, last[from], p->now);
	if (message.kind != DGRAM_POST)
		last[from] = id;
	if (late.count > 0 && how / 65536 % 2) {
		late.count--;
		answer(p, late.sides[late.count], late.handles[late.count], how / 131072);
	}
}

static void everything_ends_in_a_storm(void **state)
{
	uint64_t submitted[2], last[2];
	struct dgram_endpoint_stats stats;
	struct pair p;

	(void)state;
	for (uint8_t seed = 0; seed < 40; seed++) {
		memset(&late, 0, sizeof late);
		last[0] = last[1] = 0;
		pair_open(&p, NULL, seed);
		p.loss = 50 + seed * 10u;
		p.delay = (1 + seed % 5) * MS;
		p.asked = answer_some_late;
		for (int i = 0; i < 150; i++) {
			do_something(&p, last);
			pair_run(&p, 10 * MS);
		}
		pair_run(&p, 400 * S);
		p.loss = 0;
		pair_run(&p, 400 * S);
		for (int side = 0; side < 2; side++) {
			dgram_endpoint_stats(p.ends[side].ep, &stats);
			assert_int_equal(stats.messages, 0);
			assert_int_equal(stats.pool_used, 0);
			submitted[side] = p.ends[side].done;
			assert_true(p.ends[side].right && submitted[side] > 20);
		}
		pair_close(&p);
	}
}

/* The loss is told by the ACKs of what came after, long before a timer. */
static void a_lost_datagram_costs_a_round_trip(void **state)
{
	struct pair p;
	uint64_t before;

	(void)state;
	pair_open(&p, NULL, 9);
	p.delay = 5 * MS;
	warm(&p, 0);
	p.drops = drops_first_of_a_size;
	before = p.now;
	pair_submit(&p, 0, DGRAM_SEND, 15000);
	pair_run_until_done(&p, 0, 2, 1 * S);
	assert_int_equal(p.dropped, 1);
	assert_true(p.now - before < 50 * MS);
	pair_close(&p);
}

static uint64_t sum_of_a_run(uint8_t seed)
{
	struct pair p;
	uint64_t sum;

	pair_open(&p, NULL, seed);
	p.loss = 100;
	p.delay = 3 * MS;
	p.reply_len = 4000;
	for (int i = 0; i < 30; i++) {
		pair_submit(&p, i % 2, (enum dgram_kind)(i % 3 + DGRAM_POST), (size_t)i * 33);
		pair_run(&p, 20 * MS);
	}
	pair_run(&p, 30 * S);
	sum = p.ends[0].sum ^ p.ends[1].sum << 1;
	pair_close(&p);
	return sum;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
	(void)state;
	assert_int_equal(sum_of_a_run(1), sum_of_a_run(1));
	assert_int_not_equal(sum_of_a_run(1), sum_of_a_run(2));
}

static void a_restarted_peer_is_found_again(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 10);
	p.delay = 1 * MS;
	warm(&p, 0);
	dgram_endpoint_free(p.ends[1].ep);
	config.seed[0] = 77;
	p.ends[1].ep = dgram_endpoint_new(&config, NULL);
	assert_non_null(p.ends[1].ep);
	p.ends[1].given = p.ends[1].sent = p.ends[1].sent_bytes = 0;
	pair_run(&p, 10 * S); /* long enough for a round trip before anything is exposed */
	pair_submit(&p, 0, DGRAM_REQUEST, 5);
	pair_run_until_done(&p, 0, 2, 10 * S);
	assert_int_equal(p.ends[0].answered, 2);
	pair_close(&p);
}

static void a_peer_that_vanishes_is_noticed(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 11);
	warm(&p, 0);
	p.handling = DGRAM_NEVER;
	pair_submit(&p, 0, DGRAM_REQUEST, 5);
	pair_run(&p, 1 * S);
	p.loss = 1000;
	pair_run_until_done(&p, 0, 2, 200 * S);
	assert_int_equal(p.ends[0].unknown, 1);
	assert_int_equal(p.ends[0].last.reason, DGRAM_REASON_LOST);
	pair_run(&p, 200 * S);
	assert_int_equal(p.ends[1].stops, 1);
	pair_close(&p);
}

static void echoes_come_back(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 12);
	p.delay = 4 * MS;
	warm(&p, 0);
	pair_submit(&p, 0, DGRAM_ECHO, 0);
	pair_run_until_done(&p, 0, 2, 1 * S);
	assert_int_equal(p.ends[0].answered, 2);
	assert_int_equal(p.ends[0].last.elapsed, 8 * MS);
	assert_true(p.ends[0].last.received > 0);
	pair_close(&p);
}

/* A long message leaves room for a short one. */
static void a_short_message_passes_a_long_one(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, 13);
	p.delay = 1 * MS;
	warm(&p, 0);
	pair_submit(&p, 0, DGRAM_SEND, 4 << 20);
	pair_run(&p, 10 * MS);
	pair_submit(&p, 0, DGRAM_REQUEST, 10);
	pair_run_until_done(&p, 0, 2, 60 * S);
	assert_int_equal(p.ends[0].last.kind, DGRAM_REQUEST);
	pair_run_until_done(&p, 0, 3, 60 * S);
	assert_int_equal(p.ends[0].answered, 3);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_question_is_answered_in_two_round_trips),
	        cmocka_unit_test(a_steady_exchange_costs_one_datagram_each_way),
	        cmocka_unit_test(a_peer_without_room_is_asked_a_few_times_a_second),
	        cmocka_unit_test(it_is_silent_after_the_last_message),
	        cmocka_unit_test(four_mebibytes_arrive_whole),
	        cmocka_unit_test(a_request_and_a_reply_of_four_mebibytes),
	        cmocka_unit_test(a_message_that_is_too_long_is_refused),
	        cmocka_unit_test(small_messages_share_datagrams),
	        cmocka_unit_test(everything_arrives_through_a_lossy_link),
	        cmocka_unit_test(when_both_begin_new_messages_share_one_session),
	        cmocka_unit_test(a_burst_goes_on_after_its_beginning_was_lost),
	        cmocka_unit_test(everything_ends_in_a_storm),
	        cmocka_unit_test(a_lost_datagram_costs_a_round_trip),
	        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
	        cmocka_unit_test(a_restarted_peer_is_found_again),
	        cmocka_unit_test(a_peer_that_vanishes_is_noticed),
	        cmocka_unit_test(echoes_come_back),
	        cmocka_unit_test(a_short_message_passes_a_long_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
