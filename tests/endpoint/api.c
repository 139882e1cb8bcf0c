/* What dgram/endpoint.h says of its functions, beside the protocol. */
#include "endpoint/bench.h"

#include <stdlib.h>

static struct dgram_message request_to(const char *address)
{
	struct dgram_addr to = bench_addr(address);

	return bench_message(DGRAM_REQUEST, &to, "question");
}

static void what_cannot_be_sent_is_refused(void **state)
{
	static const struct {
		uint8_t kind;
		const char *to, *name;
		size_t len;
		bool no_data;
		int rc;
	} rows[] = {
	        {DGRAM_REQUEST, "10.0.0.1:9", NULL, 5, false, 0},
	        {DGRAM_REQUEST, "[2001:db8::1]:9", NULL, 0, true, 0},
	        {DGRAM_SEND, "10.0.0.1:9", "a.b", 5, false, 0},
	        {DGRAM_SEND, "10.0.0.1:9", "", 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_SEND, "10.0.0.1:9", "A", 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_SEND, "10.0.0.1:9", "a..b", 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_SEND, "10.0.0.1:9", ".a", 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_SEND, "10.0.0.1:9", "a b", 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_SEND, "10.0.0.1:9",
	         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 5, false,
	         DGRAM_ERR_ARGUMENT},
	        {0, "10.0.0.1:9", NULL, 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_ECHO + 1, "10.0.0.1:9", NULL, 5, false, DGRAM_ERR_ARGUMENT},
	        {DGRAM_POST, "10.0.0.1:9", NULL, 1024, false, 0},
	        {DGRAM_POST, "10.0.0.1:9", NULL, 1025, false, DGRAM_ERR_SIZE},
	        {DGRAM_POST, "10.0.0.1:9", "ab", 1022, false, 0},
	        {DGRAM_POST, "10.0.0.1:9", "ab", 1024, false, DGRAM_ERR_SIZE},
	        {DGRAM_SEND, "10.0.0.1:9", NULL, (size_t)DGRAM_MESSAGE_MAX + 1, false,
	         DGRAM_ERR_SIZE},
	        {DGRAM_REQUEST, "10.0.0.1:0", NULL, 5, false, DGRAM_ERR_ADDRESS},
	        {DGRAM_REQUEST, "0.0.0.0:9", NULL, 5, false, DGRAM_ERR_ADDRESS},
	        {DGRAM_REQUEST, "[::]:9", NULL, 5, false, DGRAM_ERR_ADDRESS},
	        {DGRAM_REQUEST, "224.0.0.1:9", NULL, 5, false, DGRAM_ERR_ADDRESS},
	        {DGRAM_POST, "255.255.255.255:9", NULL, 5, false, DGRAM_ERR_ADDRESS},
	        {DGRAM_REQUEST, "[ff02::1%2]:9", NULL, 5, false, DGRAM_ERR_ADDRESS},
	        {DGRAM_REQUEST, "unix:///tmp/x", NULL, 5, false, DGRAM_ERR_ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dgram_message m = request_to(rows[i].to);
		uint64_t id = 0;
		struct bench b;

		bench_open(&b, NULL);
		m.kind = rows[i].kind;
		m.data = rows[i].no_data ? NULL : bench_bytes();
		m.len = rows[i].len;
		m.name = rows[i].name;
		m.name_len = rows[i].name ? strlen(rows[i].name) : 0;
		assert_int_equal(dgram_endpoint_submit(b.ep, &m, b.now, &id), rows[i].rc);
		assert_int_equal(id != 0, rows[i].rc == 0);
		if (rows[i].rc)
			bench_expect_silence(&b, 1 * S);
		bench_no_event(&b);
		bench_close(&b);
	}
}

static void an_unset_address_is_none(void **state)
{
	struct dgram_message m = request_to("10.0.0.1:9");
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	memset(&m.to, 0, sizeof m.to);
	assert_int_equal(dgram_endpoint_submit(b.ep, &m, b.now, NULL), DGRAM_ERR_ADDRESS);
	bench_close(&b);
}

static void a_message_into_a_session_goes_into_no_other(void **state)
{
	struct dgram_message m = request_to("10.0.0.1:1000");
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_call(&h);
	m.session = h.theirs.session;
	memset(&m.to, 0, sizeof m.to);
	bench_submit(&b, &m);
	assert_non_null(hand_find(&h, DG_REQUEST, 0));
	hand_say(&h, {.type = DG_CLOSE, .code = DG_CLOSE_DONE});
	bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(dgram_endpoint_submit(b.ep, &m, b.now, NULL), DGRAM_ERR_CLOSED);
	m.session = 12345;
	assert_int_equal(dgram_endpoint_submit(b.ep, &m, b.now, NULL), DGRAM_ERR_CLOSED);
	bench_expect_silence(&b, 1 * S);
	bench_close(&b);
}

/* Messages and sessions have limits; what ends makes room again. */
static void full_is_said_and_passes(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message m = request_to("10.0.0.1:1000");
	struct dgram_event event;
	struct bench b;
	unsigned count = 0;
	uint64_t id;

	(void)state;
	config.messages = 16;
	bench_open(&b, &config);
	while (count < 17 && dgram_endpoint_submit(b.ep, &m, b.now, &id) == 0)
		count++;
	assert_in_range(count, 12, 16); /* some may be kept for what the peers send */
	assert_int_equal(bench_stats(&b).messages, count);
	assert_int_equal(dgram_endpoint_submit(b.ep, &m, b.now, NULL), DGRAM_ERR_FULL);
	assert_int_equal(dgram_endpoint_cancel(b.ep, id, b.now), 0);
	event = bench_event(&b, DGRAM_EVENT_DONE);
	assert_int_equal(event.id, id);
	bench_no_event(&b);
	assert_int_equal(dgram_endpoint_submit(b.ep, &m, b.now, NULL), 0);
	bench_close(&b);
}

static void sessions_have_a_limit(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message m;
	char address[32];
	struct bench b;
	unsigned count = 0;

	(void)state;
	config.sessions = 4;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(address, sizeof address, "10.0.0.%u:1000", i + 1);
		m = request_to(address);
		count += dgram_endpoint_submit(b.ep, &m, b.now, NULL) == 0;
	}
	assert_int_equal(count, 4);
	bench_turn(&b);
	assert_int_equal(b.count, 4);
	assert_int_equal(bench_stats(&b).sessions <= 4, true);
	bench_close(&b);
}

static void the_pool_has_a_limit(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message m = request_to("10.0.0.1:1000");
	struct dgram_endpoint_stats stats;
	struct dgram_event event;
	struct bench b;
	unsigned count = 0;
	int rc;

	(void)state;
	config.pool = 256 << 10;
	config.message_max = 64 << 10;
	bench_open(&b, &config);
	m.data = bench_bytes();
	m.len = 60000;
	while ((rc = dgram_endpoint_submit(b.ep, &m, b.now, NULL)) == 0)
		assert_true(count++ < 10);
	assert_int_equal(rc, DGRAM_ERR_FULL);
	assert_true(count >= 2);
	stats = bench_stats(&b);
	assert_true(stats.pool_used >= 60000 * count && stats.pool_used <= stats.pool_size);
	dgram_endpoint_close(b.ep, 0, b.now);
	while (dgram_endpoint_next_event(b.ep, &event, b.now))
		count--;
	assert_int_equal(count, 0);
	bench_no_event(&b);
	assert_int_equal(bench_stats(&b).pool_used, 0);
	bench_close(&b);
}

/* ---- _size and _new ---------------------------------------------------------------------------- */

static void a_value_that_cannot_be_makes_no_endpoint(void **state)
{
	struct dgram_endpoint_config good = bench_config(), bad[16];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	memset(bad[count++].seed, 0, sizeof good.seed);
	bad[count++].window = 7;
	bad[count++].window = 65537;
	bad[count++].datagram_max = 507;
	bad[count++].datagram_max = 65508;
	bad[count++].idle_ms = 999;
	bad[count++].block = 3000;
	bad[count++].profile = DGRAM_PROFILE_WAN + 1;
	bad[count++].message_max = DGRAM_MESSAGE_MAX + 1;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			assert_int_equal(dgram_endpoint_size(&bad[i]), 0);
		assert_null(dgram_endpoint_new(&bad[i], NULL));
	}
	assert_true(dgram_endpoint_size(&good) > 0);
	dgram_endpoint_free(NULL);
}

static void the_ends_of_every_range_are_taken(void **state)
{
	struct dgram_endpoint_config good = bench_config(), rows[16];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = good;
	rows[count++].window = 8;
	rows[count++].window = 65536;
	rows[count++].datagram_max = 508;
	rows[count++].datagram_max = 65507;
	rows[count++].idle_ms = 1000;
	rows[count++].idle_ms = UINT32_MAX;
	rows[count++].block = 64;
	rows[count++].profile = DGRAM_PROFILE_WAN;
	rows[count++].sessions = 1;
	rows[count++].messages = 1;
	rows[count++].requests = 1;
	rows[count++].busy = 1;
	rows[count++].half_open = 1;
	for (size_t i = 0; i < count; i++) {
		struct dgram_endpoint *ep = dgram_endpoint_new(&rows[i], NULL);

		assert_true(dgram_endpoint_size(&rows[i]) > 0);
		assert_non_null(ep);
		dgram_endpoint_free(ep);
	}
}

/* A small device: memory of its own, little of everything; it still does the whole protocol. */
static void an_endpoint_lives_in_the_memory_it_is_given(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_event event;
	uint8_t *memory, *guarded;
	struct bench b;
	struct hand h;
	size_t size;

	(void)state;
	config.sessions = 4;
	config.half_open = 4;
	config.messages = 32;
	config.requests = 4;
	config.pool = 32 << 10;
	config.block = 256;
	config.window = 16;
	config.message_max = 4096;
	config.credit = 4096;
	size = dgram_endpoint_size(&config);
	assert_true(size > 0 && size < 200000);
	guarded = aligned_alloc(16, (size + 64 + 15) / 16 * 16);
	assert_non_null(guarded);
	memset(guarded, 0xa5, size + 64);
	memory = guarded + 16;
	memset(memory, 0, size);
	bench_open(&b, NULL);
	dgram_endpoint_free(b.ep);
	b.ep = dgram_endpoint_new(&config, memory);
	assert_non_null(b.ep);
	hand_init(&h, &b, "10.0.0.1:1000");
	hand_call(&h);
	for (uint64_t id = 0; id < 40; id++) {
		hand_say(&h, hand_request(id, "x"), {.type = DG_SETTLED, .id = id});
		event = bench_event(&b, DGRAM_EVENT_REQUEST);
		assert_int_equal(dgram_endpoint_reply(b.ep, event.id, 0, "y", 1, b.now), 0);
		assert_non_null(hand_find(&h, DG_REPLY, 0));
	}
	bench_close(&b);
	for (size_t i = 0; i < 16; i++)
		assert_true(guarded[i] == 0xa5 && guarded[16 + size + i] == 0xa5);
	free(guarded);
}

static void the_profile_may_be_told(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_message m = request_to("127.0.0.1:1000");
	struct packet p;
	struct bench b;

	(void)state;
	config.profile = DGRAM_PROFILE_WAN;
	bench_open(&b, &config);
	bench_submit(&b, &m);
	bench_turn(&b);
	assert_true(bench_take(&b, NULL, &p));
	bench_expect_silence(&b, 899 * MS);
	bench_close(&b);
}

/* ---- stats ------------------------------------------------------------------------------------- */

static void what_happens_is_counted(void **state)
{
	struct dgram_endpoint_stats stats;
	uint64_t in = 0, out = 0;
	struct packet p;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_say_init(&h);
	in += h.last_len;
	bench_turn(&b);
	assert_int_equal(bench_stats(&b).half_open, 1);
	assert_int_equal(bench_stats(&b).accepted, 0);
	assert_true(bench_take(&b, NULL, &p));
	out += p.len;
	h.theirs.session = 0;
	for (int i = 0; i < 8; i++)
		h.theirs.session = h.theirs.session << 8 | p.data[16 + i];
	hand_say(&h, hand_request(0, "x"));
	in += h.last_len;
	bench_event(&b, DGRAM_EVENT_REQUEST);
	bench_wait(&b, 30 * MS);
	while (bench_take(&b, NULL, &p))
		out += p.len;
	bench_give(&b, &h.addr, "noise", 5);
	in += 5;
	stats = bench_stats(&b);
	assert_int_equal(stats.accepted, 1);
	assert_int_equal(stats.opened, 0);
	assert_int_equal(stats.half_open, 0);
	assert_int_equal(stats.sessions, 1);
	assert_int_equal(stats.busy, 1);
	assert_int_equal(stats.requests, 1);
	assert_int_equal(stats.bytes_received, in);
	assert_int_equal(stats.bytes_sent, out);
	assert_int_equal(stats.received[DGRAM_FATE_TAKEN], 2);
	assert_int_equal(stats.received[DGRAM_FATE_FOREIGN], 1);
	assert_int_equal(stats.pool_size, 64 << 20);
	bench_close(&b);
}

/* One datagram for each fate; what a fate is, its sentence says. */
static void every_fate_is_counted(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dgram_endpoint_stats before, stats;
	struct bench b;
	struct hand h, other;

	(void)state;
	config.message_max = 1000;
	hand_open(&h, &b, &config);
	hand_call(&h);
	before = bench_stats(&b);
	hand_init(&other, &b, "10.0.0.2:1000");

	assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
	assert_int_equal(hand_give(&h), DGRAM_FATE_COPY);
	assert_int_equal(hand_give_from(&h, "10.0.0.3:1000"), DGRAM_FATE_STRANGER);
	assert_int_equal(hand_give_from(&h, "10.0.0.3:1000"), DGRAM_FATE_LIMITED);
	assert_int_equal(hand_give_from(&h, "224.0.0.1:1000"), DGRAM_FATE_MODE);
	assert_int_equal(hand_say(&h, hand_part(DG_SEND, 0, 1001, 0, 64)), DGRAM_FATE_ROOM);
	assert_int_equal(hand_say(&h, hand_ack_of(0, 4000)), DGRAM_FATE_RULE);
	assert_int_equal(hand_say_busy(&h, 5), DGRAM_FATE_UNEXPECTED);
	assert_int_equal(bench_give(&b, &h.addr, "noise", 5), DGRAM_FATE_FOREIGN);
	hand_write(&h, (struct dg_frame[]){{.type = DG_PING}}, 1);
	h.last[h.last_len - 1] ^= 1;
	assert_int_equal(hand_give(&h), DGRAM_FATE_CHECKSUM);
	h.last[5] = 77;
	assert_int_equal(hand_give(&h), DGRAM_FATE_MALFORMED);
	other.hello.endpoint = h.theirs.endpoint;
	assert_int_equal(hand_say_init(&other), DGRAM_FATE_OWN);

	stats = bench_stats(&b);
	for (int fate = 0; fate < DGRAM_FATE_COUNT; fate++)
		assert_int_equal(stats.received[fate] - before.received[fate], 1);
	bench_close(&b);
}

static void a_probe_is_counted(void **state)
{
	struct dgram_message m = request_to("10.0.0.1:1000");
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	bench_submit(&b, &m);
	hand_accept(&h);
	bench_turn(&b);
	assert_int_equal(bench_stats(&b).probes, 0);
	bench_wait(&b, 1 * S);
	assert_true(bench_stats(&b).probes > 0);
	bench_close(&b);
}

/* Answers outside a session wait in few places; those that find none are counted. */
static void answers_that_find_no_place_are_counted(void **state)
{
	struct bench b;
	struct hand h;
	char address[32];

	(void)state;
	bench_open(&b, NULL);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(address, sizeof address, "10.1.%u.%u:1000", i / 250, i % 250 + 1);
		hand_init(&h, &b, address);
		h.theirs.session = 1 << 20;
		hand_say(&h, {.type = DG_PING});
	}
	bench_turn(&b);
	assert_true(b.count > 0);
	assert_int_equal(bench_stats(&b).sent, b.count);
	assert_true(b.count + bench_stats(&b).unsaid <= 2000);
	bench_drop(&b);
	bench_expect_silence(&b, 1 * S);
	bench_close(&b);
}

static void no_session_is_none(void **state)
{
	struct dgram_session_info info;
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	assert_int_equal(dgram_endpoint_session(b.ep, 0, &info), DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_session(b.ep, UINT64_MAX, &info), DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_cancel(b.ep, 0, b.now), DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_cancel(b.ep, UINT64_MAX, b.now), DGRAM_ERR_CLOSED);
	assert_int_equal(dgram_endpoint_refuse(b.ep, UINT64_MAX, DGRAM_BUSY, 0, b.now),
	                 DGRAM_ERR_CLOSED);
	dgram_endpoint_close(b.ep, UINT64_MAX, b.now);
	bench_close(&b);
}

static void an_answer_leaves_from_where_it_was_asked(void **state)
{
	struct dgram_datagram d = {.interface = 7};
	uint8_t data[BENCH_DATAGRAM];
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_write_hello(&h, DG_INIT, 0);
	d.peer = h.addr;
	d.local = bench_addr("10.0.0.254:0");
	d.data = h.last;
	d.len = d.size = h.last_len;
	b.given++;
	assert_int_equal(dgram_endpoint_receive(b.ep, &d, b.now), DGRAM_FATE_TAKEN);
	d = (struct dgram_datagram){.data = data, .size = sizeof data};
	assert_int_equal(dgram_endpoint_transmit(b.ep, &d, b.now), 1);
	b.taken_all++;
	assert_true(dgram_addr_equal(&d.peer, &h.addr));
	assert_int_equal(d.interface, 7);
	assert_true(d.local.family == DGRAM_IPV4 && d.local.u.ip4[3] == 254 && d.local.port == 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_cannot_be_sent_is_refused),
	        cmocka_unit_test(an_unset_address_is_none),
	        cmocka_unit_test(a_message_into_a_session_goes_into_no_other),
	        cmocka_unit_test(full_is_said_and_passes),
	        cmocka_unit_test(sessions_have_a_limit),
	        cmocka_unit_test(the_pool_has_a_limit),
	        cmocka_unit_test(a_value_that_cannot_be_makes_no_endpoint),
	        cmocka_unit_test(the_ends_of_every_range_are_taken),
	        cmocka_unit_test(an_endpoint_lives_in_the_memory_it_is_given),
	        cmocka_unit_test(the_profile_may_be_told),
	        cmocka_unit_test(what_happens_is_counted),
	        cmocka_unit_test(every_fate_is_counted),
	        cmocka_unit_test(a_probe_is_counted),
	        cmocka_unit_test(answers_that_find_no_place_are_counted),
	        cmocka_unit_test(no_session_is_none),
	        cmocka_unit_test(an_answer_leaves_from_where_it_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
