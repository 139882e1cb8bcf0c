/* Section 3 of docs/WIRE.md, the responder's half: what an INIT draws, and what it does not. */
#include "endpoint/bench.h"

#include <stdlib.h>

#define ASK UINT32_C(16) /* offset of the first field of a hello */

static void an_accept_says_what_it_must(void **state)
{
	struct dg_hello a;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	h.hello.capabilities = UINT64_C(0xff00ff00ff00ff00); /* unknown ones are passed over */
	b.now += 77 * MS;
	assert_int_equal(hand_say_init(&h), DGRAM_FATE_TAKEN);
	bench_turn(&b);
	hand_take_hello(&h, DG_ACCEPT, &a);
	assert_int_equal(h.got.packet.len, 148);
	assert_int_not_equal(a.session, 0);
	assert_int_equal(a.time, 77000);
	assert_int_equal(a.capabilities, 0);
	assert_int_equal(a.credit, 16384);
	assert_int_equal(a.idle_ms, 120000);
	assert_int_equal(a.datagram_max, 1472);
	assert_true(a.ack_delay_ms > 0 && a.ack_delay_ms <= 1000);
	assert_memory_equal(a.versions, "\1\0\0\0\0\0\0\0", 8);
	assert_int_equal(a.key_hint, 0);
	assert_memory_equal(a.cookie, (uint8_t[16]){0}, 16);
	bench_close(&b);
}

static void boot_and_worker_are_the_configured_ones(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dg_hello a;
	struct bench b;
	struct hand h;

	(void)state;
	config.boot = 4711;
	config.worker = 0xa5;
	config.idle_ms = 7000;
	config.credit = 12345;
	config.datagram_max = 600;
	hand_open(&h, &b, &config);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &a);
	assert_int_equal(a.boot, 4711);
	assert_int_equal(a.session >> 56, 0xa5);
	assert_int_equal(a.idle_ms, 7000);
	assert_int_equal(a.credit, 12345);
	assert_int_equal(a.datagram_max, 600);
	bench_close(&b);
}

/* An INIT of any size: the writer of the library makes none under 256 bytes. */
static void write_init(struct hand *h, size_t size)
{
	struct dg_writer w;

	hand_write_hello(h, DG_INIT, size > DG_INIT_SIZE_MIN ? size : DG_INIT_SIZE_MIN);
	w = dg_writer(h->last, sizeof h->last);
	w.len = size - DG_CRC_SIZE;
	dg_crc_append(&w, 0);
	h->last_len = w.len;
}

static void an_init_has_256_to_1200_bytes(void **state)
{
	static const struct {
		size_t size;
		bool good;
	} rows[] = {{148, false}, {255, false}, {256, true},
	            {257, true},  {1200, true}, {1201, false}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		hand_open(&h, &b, NULL);
		write_init(&h, rows[i].size);
		assert_int_equal(hand_give(&h),
		                 rows[i].good ? DGRAM_FATE_TAKEN : DGRAM_FATE_MALFORMED);
		bench_turn(&b);
		assert_int_equal(b.count, rows[i].good);
		bench_close(&b);
	}
}

static void what_an_init_cannot_say_draws_nothing(void **state)
{
	static const struct {
		uint32_t at;     /* offset in the datagram */
		uint8_t len;     /* bytes that are replaced */
		uint8_t with[8]; /* by these */
	} rows[] = {
	        {ASK, 8, {0}},                    /* session 0 */
	        {56, 4, {0, 0, 0x03, 0xe7}},      /* idle time 999 ms */
	        {64, 2, {0x01, 0xfb}},            /* datagrams of 507 bytes */
	        {64, 2, {0xff, 0xe4}},            /* and of 65,508 */
	        {66, 2, {0x03, 0xe9}},            /* ACK delay 1,001 ms */
	        {68, 8, {0}},                     /* no version */
	        {68, 8, {2, 3}},                  /* none that is spoken here */
	        {68, 8, {1, 1}},                  /* one twice */
	        {68, 8, {0, 1}},                  /* zeros first */
	        {78, 2, {0, 1}},                  /* reserved */
	        {150, 1, {1}},                    /* padding */
	        {8, 8, {0, 0, 0, 0, 0, 0, 0, 1}}, /* a receiver */
	        {6, 2, {0x40, 0}},                /* ASKS */
	        {6, 2, {0, 1}},                   /* a flag that is none */
	        {4, 1, {2}},                      /* another version */
	        {0, 1, {0x64}},                   /* text */
	};
	struct bench b;
	struct hand h;

	(void)state;
	bench_open(&b, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_writer w;

		hand_init(&h, &b, "10.0.0.1:1000");
		hand_write_hello(&h, DG_INIT, DG_INIT_SIZE_MIN);
		memcpy(h.last + rows[i].at, rows[i].with, rows[i].len);
		w = dg_writer(h.last, sizeof h.last);
		w.len = h.last_len - DG_CRC_SIZE;
		dg_crc_append(&w, 0);
		assert_int_not_equal(hand_give(&h), DGRAM_FATE_TAKEN);
		bench_turn(&b);
		assert_int_equal(b.count, 0);
		assert_int_equal(bench_stats(&b).half_open, 0);
	}
	bench_close(&b);
}

static void an_init_with_a_version_we_speak_is_taken(void **state)
{
	struct dg_hello a;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	memcpy(h.hello.versions, "\7\1\3\0\0\0\0\0", 8);
	assert_int_equal(hand_say_init(&h), DGRAM_FATE_TAKEN);
	bench_turn(&b);
	hand_take_hello(&h, DG_ACCEPT, &a);
	assert_memory_equal(a.versions, "\1\0\0\0\0\0\0\0", 8);
	bench_close(&b);
}

static void every_flipped_bit_of_an_init_is_noticed(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_write_hello(&h, DG_INIT, DG_INIT_SIZE_MIN);
	for (size_t bit = 0; bit < 8 * h.last_len; bit++) {
		h.last[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(hand_give(&h), DGRAM_FATE_TAKEN);
		h.last[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	bench_turn(&b);
	assert_int_equal(b.count, 0);
	bench_close(&b);
}

static void own_inits_are_known(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &h.theirs);
	h.hello.endpoint = h.theirs.endpoint;
	h.hello.session++;
	assert_int_equal(hand_say_init(&h), DGRAM_FATE_OWN);
	bench_turn(&b);
	assert_int_equal(b.count, 0);
	bench_close(&b);
}

static void a_client_takes_no_init(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h;

	(void)state;
	config.answers_nobody = true;
	hand_open(&h, &b, &config);
	assert_int_not_equal(hand_say_init(&h), DGRAM_FATE_TAKEN);
	bench_expect_silence(&b, 1 * S);
	assert_int_equal(bench_stats(&b).half_open, 0);
	bench_close(&b);
}

static void groups_and_strange_addresses_draw_nothing(void **state)
{
	static const char *const from[] = {"224.0.0.1:9", "255.255.255.255:9", "[ff02::1%3]:9",
	                                   "0.0.0.0:9", "10.0.0.1:0"};
	struct dgram_datagram d = {.group = true};
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_write_hello(&h, DG_INIT, DG_INIT_SIZE_MIN);
	for (size_t i = 0; i < COUNT(from); i++)
		assert_int_not_equal(hand_give_from(&h, from[i]), DGRAM_FATE_TAKEN);
	d.peer = h.addr;
	d.data = h.last;
	d.len = d.size = h.last_len;
	b.given++;
	assert_int_equal(dgram_endpoint_receive(b.ep, &d, b.now), DGRAM_FATE_MODE);
	assert_int_equal(bench_fate_count(&b, DGRAM_FATE_MODE) >= 4, true);
	bench_expect_silence(&b, 1 * S);
	bench_close(&b);
}

/* All but the echoed time and the trailer. */
static void assert_same_accept(const uint8_t *one, const uint8_t *other)
{
	assert_memory_equal(one, other, 40);
	assert_memory_equal(one + 48, other + 48, 144 - 48);
}

static void a_copy_of_an_init_draws_the_same_accept(void **state)
{
	uint8_t first[148];
	struct dg_hello a;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &h.theirs);
	memcpy(first, h.got.packet.data, sizeof first);
	for (int i = 0; i < 6; i++) { /* three times half-open, three times confirmed */
		b.now += 1 * S;
		h.hello.credit = 99; /* what the first one said holds */
		assert_int_equal(hand_say_init(&h), DGRAM_FATE_TAKEN);
		bench_turn(&b);
		hand_take_hello(&h, DG_ACCEPT, &a);
		assert_int_equal(a.time, hand_time(&h, b.now));
		assert_same_accept(first, h.got.packet.data);
		if (i == 2) {
			assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
			hand_settle(&h);
		}
	}
	assert_int_equal(bench_stats(&b).accepted, 1);
	assert_int_equal(bench_stats(&b).sessions, 1);
	bench_close(&b);
}

static void another_port_or_id_is_another_session(void **state)
{
	struct dg_hello one, two, three;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &one);
	h.hello.session++;
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &two);
	h.addr.port++;
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &three);
	assert_true(one.session != two.session && two.session != three.session &&
	            one.session != three.session);
	assert_int_equal(bench_stats(&b).half_open, 3);
	bench_close(&b);
}

static void a_responder_is_silent_before_it_is_confirmed(void **state)
{
	struct dgram_message message;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &h.theirs);
	bench_expect_silence(&b, 14 * S);
	message = bench_message(DGRAM_SEND, &h.addr, "x");
	message.session = h.theirs.session;
	dgram_endpoint_submit(b.ep, &message, b.now, NULL);
	bench_expect_silence(&b, 500 * MS);
	bench_close(&b);
}

static void half_open_ends_after_15_s(void **state)
{
	struct dg_hello later;
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &h.theirs);
	bench_expect_silence(&b, 15 * S - 1);
	assert_int_equal(bench_stats(&b).half_open, 1);
	bench_expect_silence(&b, 2);
	assert_int_equal(bench_stats(&b).half_open, 0);
	assert_int_equal(hand_say(&h, {.type = DG_ACK, .id = 0}), DGRAM_FATE_STRANGER);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &later);
	assert_int_not_equal(later.session, h.theirs.session);
	bench_close(&b);
}

static void only_the_address_of_the_init_confirms(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &h.theirs);
	hand_write(&h, (struct dg_frame[]){hand_request(0, "run")}, 1);
	assert_int_equal(hand_give_from(&h, "10.0.0.1:1001"), DGRAM_FATE_STRANGER);
	assert_int_equal(hand_give_from(&h, "10.0.0.2:1000"), DGRAM_FATE_STRANGER);
	bench_no_event(&b);
	assert_int_equal(bench_stats(&b).accepted, 0);
	bench_wait(&b, 100 * MS);
	bench_drop(&b); /* NOSESSION, perhaps */
	assert_int_equal(hand_give(&h), DGRAM_FATE_TAKEN);
	assert_int_equal(bench_stats(&b).accepted, 1);
	bench_event(&b, DGRAM_EVENT_REQUEST);
	bench_close(&b);
}

static void data_that_is_damaged_confirms_nothing(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	hand_open(&h, &b, NULL);
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &h.theirs);
	hand_write(&h, (struct dg_frame[]){{.type = DG_PING}}, 1);
	h.last[h.last_len - 1] ^= 1;
	assert_int_equal(hand_give(&h), DGRAM_FATE_CHECKSUM);
	assert_int_equal(bench_stats(&b).accepted, 0);
	assert_int_equal(bench_stats(&b).half_open, 1);
	bench_close(&b);
}

/* INITs of so many sessions from one address; how many drew ACCEPT. */
static unsigned knock(struct bench *b, const char *address, unsigned count)
{
	unsigned accepted = 0;
	struct packet p;
	struct hand h;

	hand_init(&h, b, address);
	for (unsigned i = 0; i < count; i++) {
		h.hello.session += 2;
		h.addr.port++;
		hand_knock(&h);
		while (bench_take(b, NULL, &p))
			accepted += p.data[5] == DG_ACCEPT;
	}
	return accepted;
}

/* Before it proves itself. */
static void an_address_has_four_half_open_sessions(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, NULL);
	assert_int_equal(knock(&b, "10.0.0.1:1000", 20), 4);
	assert_int_equal(knock(&b, "10.0.0.2:1000", 20), 4);
	assert_int_equal(knock(&b, "[2001:db8::1]:1000", 3), 3);
	assert_int_equal(knock(&b, "[2001:db8::2]:2000", 3), 1); /* the same /64 */
	assert_int_equal(knock(&b, "[2001:db8:0:1::2]:1000", 9), 4);
	assert_int_equal(bench_stats(&b).half_open, 16);
	bench_wait(&b, 16 * S);
	assert_int_equal(knock(&b, "10.0.0.1:5000", 20), 4);
	bench_close(&b);
}

static void flood(struct bench *b, unsigned count, unsigned from)
{
	char address[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(address, sizeof address, "10.%u.%u.1:1000", from + i / 256, i % 256);
		knock(b, address, 1);
	}
}

static void half_open_sessions_never_cost_a_confirmed_one_its_place(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct bench b;
	struct hand h;

	(void)state;
	config.sessions = 2;
	config.sessions_each = 2;
	bench_open(&b, &config);
	hand_init(&h, &b, "192.168.0.1:1000");
	hand_call(&h);
	flood(&b, 1000, 1);
	assert_true(bench_stats(&b).half_open <= 256);
	assert_int_equal(bench_stats(&b).sessions, 1);
	assert_int_equal(hand_say(&h, hand_send(0, "still here")), DGRAM_FATE_TAKEN);
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	bench_close(&b);
}

/* Half of the half-open places are taken. */
static void open_loaded(struct bench *b)
{
	bench_open(b, NULL);
	flood(b, 128, 1);
	assert_int_equal(bench_stats(b).half_open, 128);
}

static void take_cookie(struct hand *h, uint8_t cookie[DG_COOKIE_SIZE])
{
	hand_take_raw(h, DG_COOKIE, 60);
	assert_true(dg_cookie_decode(cookie, &h->got.parts));
}

static void under_load_an_init_draws_a_cookie(void **state)
{
	struct dg_hello a;
	struct bench b;
	struct hand h;

	(void)state;
	open_loaded(&b);
	hand_init(&h, &b, "192.168.0.1:1000");
	hand_knock(&h);
	assert_int_equal(bench_stats(&b).half_open, 128); /* no state is kept */
	take_cookie(&h, h.hello.cookie);
	h.hello.cookie[3] ^= 1;
	hand_knock(&h);
	take_cookie(&h, h.hello.cookie); /* it did not verify */
	hand_knock(&h);
	hand_take_hello(&h, DG_ACCEPT, &a);
	assert_int_equal(bench_stats(&b).half_open, 129);
	bench_close(&b);
}

static void a_cookie_is_bound_to_its_address_and_port(void **state)
{
	static const char *const others[] = {"192.168.0.1:1001", "192.168.0.2:1000",
	                                     "[2001:db8::1]:1000"};
	struct bench b;
	struct hand h;

	(void)state;
	open_loaded(&b);
	hand_init(&h, &b, "192.168.0.1:1000");
	hand_knock(&h);
	take_cookie(&h, h.hello.cookie);
	for (size_t i = 0; i < COUNT(others); i++) {
		struct hand other;
		uint8_t cookie[DG_COOKIE_SIZE];

		hand_init(&other, &b, others[i]);
		memcpy(other.hello.cookie, h.hello.cookie, DG_COOKIE_SIZE);
		hand_knock(&other);
		take_cookie(&other, cookie);
	}
	bench_close(&b);
}

static void a_cookie_is_bound_to_the_boot(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	uint8_t cookie[DG_COOKIE_SIZE], other[DG_COOKIE_SIZE];
	struct bench b;
	struct hand h;

	(void)state;
	for (uint64_t boot = 1; boot <= 2; boot++) {
		config.boot = boot;
		bench_open(&b, &config);
		flood(&b, 128, 1);
		hand_init(&h, &b, "192.168.0.1:1000");
		hand_knock(&h);
		take_cookie(&h, boot == 1 ? cookie : other);
		bench_close(&b);
	}
	assert_memory_not_equal(cookie, other, sizeof cookie);
}

static void a_cookie_lives_for_two_periods_at_most(void **state)
{
	static const struct {
		uint64_t age;
		bool good;
	} rows[] = {
	        {0, true}, {119 * S, true}, {120 * S, true}, {240 * S, false}, {3600 * S, false}};
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_loaded(&b);
		hand_init(&h, &b, "192.168.0.1:1000");
		hand_knock(&h);
		take_cookie(&h, h.hello.cookie);
		bench_wait(&b, rows[i].age);
		flood(&b, 128, 3); /* the load of before has gone */
		bench_drop(&b);
		h.init_at = b.now;
		hand_knock(&h);
		hand_take_raw(&h, rows[i].good ? DG_ACCEPT : DG_COOKIE, rows[i].good ? 148 : 60);
		bench_close(&b);
	}
}

static void with_a_cookie_the_oldest_half_open_one_goes(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct dg_hello a;
	struct bench b;
	struct hand h;

	(void)state;
	config.half_open = 4;
	config.half_open_each = 4;
	bench_open(&b, &config);
	for (unsigned i = 0; i < 6; i++) {
		char address[32];

		snprintf(address, sizeof address, "192.168.0.%u:1000", i + 1);
		hand_init(&h, &b, address);
		hand_knock(&h);
		if (i >= 2) {
			take_cookie(&h, h.hello.cookie);
			hand_knock(&h);
		}
		hand_take_hello(&h, DG_ACCEPT, &a);
		assert_int_equal(bench_stats(&b).half_open, i < 4 ? i + 1 : 4);
		b.now += 1 * MS;
	}
	h.theirs = a; /* the newest one is there */
	assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
	assert_int_equal(bench_stats(&b).accepted, 1);
	bench_close(&b);
}

/* INIT until there is an answer to it that is none of COOKIE: its type. */
static uint8_t knock_with_cookie(struct hand *h)
{
	struct packet p;

	hand_knock(h);
	assert_true(bench_take(h->bench, &h->addr, &p));
	if (p.data[5] == DG_COOKIE) {
		assert_true(dg_parts_decode(&h->got.parts, p.data, p.len));
		assert_true(dg_cookie_decode(h->hello.cookie, &h->got.parts));
		hand_knock(h);
		assert_true(bench_take(h->bench, &h->addr, &p));
	}
	if (p.data[5] == DG_ACCEPT) {
		assert_true(dg_parts_decode(&h->got.parts, p.data, p.len));
		assert_true(dg_hello_decode(&h->theirs, &h->got.parts));
	}
	return p.data[5];
}

static void hands_of(struct hand *h, unsigned count, struct bench *b, const char *address)
{
	for (unsigned i = 0; i < count; i++) {
		char text[64];

		snprintf(text, sizeof text, "%s:%u", address, 1000 + i);
		hand_init(&h[i], b, text);
	}
}

/* A script, or many hosts behind one address: who was accepted is waited for. */
static void a_hundred_sessions_of_one_address_begin_at_once(void **state)
{
	enum { CALLERS = 100 };
	struct hand *h = calloc(CALLERS, sizeof *h);
	struct bench b;

	(void)state;
	assert_non_null(h);
	bench_open(&b, NULL);
	hands_of(h, CALLERS, &b, "192.168.0.1");
	for (unsigned i = 0; i < CALLERS; i++)
		assert_int_equal(knock_with_cookie(&h[i]), DG_ACCEPT);
	bench_wait(&b, 10 * MS);
	for (unsigned i = 0; i < CALLERS; i++) {
		assert_int_equal(hand_say(&h[i], hand_request(0, "x")), DGRAM_FATE_TAKEN);
		bench_event(&b, DGRAM_EVENT_REQUEST);
	}
	assert_int_equal(bench_stats(&b).accepted, CALLERS);
	bench_close(&b);
	free(h);
}

/* Who stays half-open for long keeps nobody of its address away, and those that were accepted just now stay. */
static void at_the_share_of_its_address_who_is_young_stays(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct hand h[8], next;
	struct bench b;

	(void)state;
	config.sessions_each = 6;
	bench_open(&b, &config);
	knock(&b, "192.168.0.7:1000", 1);
	hands_of(h, 8, &b, "192.168.0.1");
	for (unsigned i = 0; i < 8; i++) /* four of them without a cookie */
		assert_int_equal(knock_with_cookie(&h[i]), DG_ACCEPT);
	hand_init(&next, &b, "192.168.0.1:2000");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(knock_with_cookie(&next), i < 2 ? DG_ACCEPT : DG_BUSY);
		next.hello.session += 2;
	}
	assert_int_equal(bench_stats(&b).half_open, 11);
	bench_wait(&b, 1 * S);
	assert_int_equal(knock_with_cookie(&next), DG_ACCEPT);
	assert_int_equal(bench_stats(&b).half_open, 11);
	assert_int_equal(hand_say(&h[4], {.type = DG_PING}), DGRAM_FATE_STRANGER); /* the oldest */
	assert_int_equal(hand_say(&h[5], {.type = DG_PING}), DGRAM_FATE_TAKEN);
	assert_int_equal(hand_say(&next, {.type = DG_PING}), DGRAM_FATE_TAKEN);
	bench_close(&b);
}

/* INITs in its name, from whoever, take nothing from it but the first few that need no cookie. */
static void forged_inits_lock_no_address_out(void **state)
{
	struct bench b;
	struct hand h;

	(void)state;
	bench_open(&b, NULL);
	for (unsigned round = 0; round < 5; round++) {
		flood(&b, 300, 1);
		assert_true(knock(&b, "192.168.0.1:1000", 200) <= 4);
		assert_true(bench_stats(&b).half_open <= 132);
		hand_init(&h, &b, "192.168.0.1:5000");
		h.hello.session += 2 * round;
		assert_int_equal(knock_with_cookie(&h), DG_ACCEPT);
		assert_int_equal(hand_say(&h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
		bench_wait(&b, 5 * S);
		bench_drop(&b);
	}
	bench_close(&b);
}

/* One address that is proved and confirms nothing: what it has too much goes to the others. */
static void an_address_with_many_leaves_places_for_others(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct hand h[20], other[8];
	struct bench b;

	(void)state;
	config.half_open = 16;
	config.half_open_each = 2;
	config.sessions_each = 128;
	bench_open(&b, &config);
	hands_of(h, 20, &b, "192.168.0.1");
	hands_of(other, 8, &b, "192.168.0.2");
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(knock_with_cookie(&h[i]), i < 16 ? DG_ACCEPT : DG_BUSY);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(knock_with_cookie(&other[i]), DG_ACCEPT);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(hand_say(&other[i], {.type = DG_PING}), DGRAM_FATE_TAKEN);
	bench_close(&b);
}

/* An endpoint whose two places are taken by sessions in which a request runs. */
static void open_full(struct bench *b, struct hand *one, struct hand *two)
{
	struct dgram_endpoint_config config = bench_config();

	config.sessions = 2;
	config.sessions_each = 2;
	bench_open(b, &config);
	hand_init(one, b, "192.168.1.1:1000");
	hand_call(one);
	hand_init(two, b, "192.168.1.2:1000");
	hand_call(two);
	hand_say(one, hand_request(0, "work"));
	hand_say(two, hand_request(0, "work"));
	bench_event(b, DGRAM_EVENT_REQUEST);
	bench_event(b, DGRAM_EVENT_REQUEST);
	hand_find(one, DG_ACCEPTED, 0);
	bench_wait(b, 50 * MS);
	bench_drop(b);
}

static void a_full_table_is_busy_to_those_with_a_cookie(void **state)
{
	struct hand one, two, h;
	struct bench b;

	(void)state;
	open_full(&b, &one, &two);
	hand_init(&h, &b, "192.168.0.1:1000");
	hand_knock(&h);
	take_cookie(&h, h.hello.cookie);
	hand_knock(&h);
	hand_take_raw(&h, DG_BUSY, 24);
	assert_int_equal(bench_stats(&b).sessions, 2);
	bench_close(&b);
}

static void an_idle_session_makes_room(void **state)
{
	struct dgram_endpoint_config config = bench_config();
	struct hand one, two, three;
	struct bench b;

	(void)state;
	config.sessions = 2;
	config.sessions_each = 2;
	bench_open(&b, &config);
	hand_init(&one, &b, "192.168.1.1:1000");
	hand_call(&one);
	bench_wait(&b, 1 * S);
	hand_init(&two, &b, "192.168.1.2:1000");
	hand_call(&two);
	hand_init(&three, &b, "192.168.1.3:1000");
	hand_knock(&three);
	hand_take_hello(&three, DG_ACCEPT, &three.theirs);
	assert_int_equal(hand_say(&three, hand_send(0, "x")), DGRAM_FATE_TAKEN);
	bench_turn(&b);
	hand_next(&one); /* the idlest one is told */
	assert_non_null(hand_got(&one, DG_CLOSE));
	assert_int_equal(hand_got(&one, DG_CLOSE)->code, DG_CLOSE_EVICTED);
	assert_int_equal(bench_stats(&b).evicted, 1);
	assert_int_equal(bench_stats(&b).ended, 1);
	assert_int_equal(bench_stats(&b).sessions, 2);
	bench_event(&b, DGRAM_EVENT_MESSAGE);
	bench_close(&b);
}

/* The clock of a request's deadline starts at the earliest moment that any INIT implies. */
static void session_time_begins_at_the_earliest_init(void **state)
{
	static const struct {
		uint64_t first, second; /* us that two INITs, 1 s apart, say */
		uint64_t deadline;      /* us that a request says */
		uint64_t at;            /* ns after the first INIT came */
	} rows[] = {
	        {0, 1000000, 5000000, 5 * S},
	        {0, 3000000, 5000000, 3 * S}, /* the second one: 2 s before the first */
	        {2000000, 0, 5000000, 3 * S}, /* was delayed by more than the first */
	        {0, 1000000, 0, DGRAM_NEVER},
	        {0, 1000000, DG_VARINT_MAX, DGRAM_NEVER},
	};
	struct dgram_event event;
	struct bench b;
	struct hand h;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_frame request = hand_request(0, "x");
		uint64_t at;

		hand_open(&h, &b, NULL);
		at = b.now;
		h.hello.time = rows[i].first;
		hand_write_hello(&h, DG_INIT, 0);
		hand_give(&h);
		bench_turn(&b);
		hand_take_hello(&h, DG_ACCEPT, &h.theirs);
		b.now += 1 * S;
		h.hello.time = rows[i].second;
		hand_write_hello(&h, DG_INIT, 0);
		hand_give(&h);
		bench_turn(&b);
		bench_drop(&b);
		request.deadline = rows[i].deadline;
		assert_int_equal(hand_say(&h, request), DGRAM_FATE_TAKEN);
		event = bench_event(&b, DGRAM_EVENT_REQUEST);
		assert_int_equal(event.deadline,
		                 rows[i].at == DGRAM_NEVER ? rows[i].at : at + rows[i].at);
		bench_close(&b);
	}
}

static void not_more_than_an_init_goes_to_an_address_that_is_not_proved(void **state)
{
	struct bench b;
	struct hand h;
	struct packet p;
	size_t in = 0, out = 0;

	(void)state;
	hand_open(&h, &b, NULL);
	for (int i = 0; i < 300; i++) {
		h.hello.session += (uint64_t)(i % 3);
		memset(h.hello.cookie, i % 5, sizeof h.hello.cookie);
		hand_say_init(&h);
		in += h.last_len;
		bench_wait(&b, 100 * MS);
		while (bench_take(&b, NULL, &p)) {
			out += p.len;
			assert_true(p.len <= h.last_len);
		}
		assert_true(out <= in);
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_accept_says_what_it_must),
	        cmocka_unit_test(boot_and_worker_are_the_configured_ones),
	        cmocka_unit_test(an_init_has_256_to_1200_bytes),
	        cmocka_unit_test(what_an_init_cannot_say_draws_nothing),
	        cmocka_unit_test(an_init_with_a_version_we_speak_is_taken),
	        cmocka_unit_test(every_flipped_bit_of_an_init_is_noticed),
	        cmocka_unit_test(own_inits_are_known),
	        cmocka_unit_test(a_client_takes_no_init),
	        cmocka_unit_test(groups_and_strange_addresses_draw_nothing),
	        cmocka_unit_test(a_copy_of_an_init_draws_the_same_accept),
	        cmocka_unit_test(another_port_or_id_is_another_session),
	        cmocka_unit_test(a_responder_is_silent_before_it_is_confirmed),
	        cmocka_unit_test(half_open_ends_after_15_s),
	        cmocka_unit_test(only_the_address_of_the_init_confirms),
	        cmocka_unit_test(data_that_is_damaged_confirms_nothing),
	        cmocka_unit_test(an_address_has_four_half_open_sessions),
	        cmocka_unit_test(half_open_sessions_never_cost_a_confirmed_one_its_place),
	        cmocka_unit_test(under_load_an_init_draws_a_cookie),
	        cmocka_unit_test(a_cookie_is_bound_to_its_address_and_port),
	        cmocka_unit_test(a_cookie_is_bound_to_the_boot),
	        cmocka_unit_test(a_cookie_lives_for_two_periods_at_most),
	        cmocka_unit_test(with_a_cookie_the_oldest_half_open_one_goes),
	        cmocka_unit_test(at_the_share_of_its_address_who_is_young_stays),
	        cmocka_unit_test(forged_inits_lock_no_address_out),
	        cmocka_unit_test(an_address_with_many_leaves_places_for_others),
	        cmocka_unit_test(a_hundred_sessions_of_one_address_begin_at_once),
	        cmocka_unit_test(a_full_table_is_busy_to_those_with_a_cookie),
	        cmocka_unit_test(an_idle_session_makes_room),
	        cmocka_unit_test(session_time_begins_at_the_earliest_init),
	        cmocka_unit_test(not_more_than_an_init_goes_to_an_address_that_is_not_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
