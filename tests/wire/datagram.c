#include "wire/wire.h"

#include <string.h>

#include "test.h"

static const struct dg_hello a_hello = {
        .session = UINT64_C(0x1112131415161718),
        .boot = UINT64_C(0x2122232425262728),
        .endpoint = UINT64_C(0x3132333435363738),
        .time = 5000,
        .idle_ms = 120000,
        .credit = 16384,
        .datagram_max = 65507,
        .ack_delay_ms = 5,
        .versions = {DG_VERSION},
};

static size_t build(uint8_t *out, size_t cap, const struct dg_header *header,
                    const struct dg_hello *hello)
{
	struct dg_writer w = dg_writer(out, cap);

	dg_hello_encode(&w, header, hello);
	dg_crc_append(&w, 0);
	return w.failed ? 0 : w.len;
}

static const struct dg_header init_header = {.version = DG_VERSION, .type = DG_INIT};
static const struct dg_header accept_header = {
        .version = DG_VERSION, .type = DG_ACCEPT, .receiver = 7};

/* Up to the last field: what the compiler left free behind it is nobody's. */
static void assert_hello_equal(const struct dg_hello *one, const struct dg_hello *other)
{
	assert_memory_equal(one, other, offsetof(struct dg_hello, sealed) + sizeof one->sealed);
}

static void hellos_come_back_as_they_went(void **state)
{
	static const struct {
		const struct dg_header *header;
		size_t size;
	} row[] = {{&init_header, 256}, {&accept_header, 148}};
	uint8_t datagram[512];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct dg_parts parts;
		struct dg_hello back;
		size_t len = build(datagram, sizeof datagram, row[i].header, &a_hello);

		assert_int_equal(len, row[i].size);
		assert_true(dg_parts_decode(&parts, datagram, len));
		assert_true(dg_crc_check(&parts, datagram, 0));
		assert_true(dg_hello_decode(&back, &parts));
		assert_hello_equal(&back, &a_hello);
	}
}

static void every_flipped_bit_of_a_datagram_is_noticed(void **state)
{
	uint8_t datagram[512];
	size_t len = build(datagram, sizeof datagram, &init_header, &a_hello);

	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct dg_parts parts;

		datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(dg_parts_decode(&parts, datagram, len) &&
		             dg_crc_check(&parts, datagram, 0));
		datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void every_shortened_datagram_is_refused(void **state)
{
	uint8_t datagram[512];
	size_t len = build(datagram, sizeof datagram, &init_header, &a_hello);
	struct dg_parts parts;

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_false(dg_parts_decode(&parts, datagram, n));
}

static void data_is_summed_with_the_id_of_its_sender(void **state)
{
	static const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_DATA, .receiver = 9};
	uint8_t datagram[64];
	struct dg_writer w = dg_writer(datagram, sizeof datagram);
	struct dg_parts parts;

	(void)state;
	dg_header_encode(&w, &header);
	dg_write_u64(&w, 3);
	dg_write_u8(&w, DG_PING);
	dg_crc_append(&w, 4711);
	assert_int_equal(w.len, 29);
	assert_true(dg_parts_decode(&parts, datagram, w.len));
	assert_true(dg_crc_check(&parts, datagram, 4711));
	assert_false(dg_crc_check(&parts, datagram, 4712));
	assert_false(dg_crc_check(&parts, datagram, 0));
}

static void headers_that_nobody_may_send_are_refused(void **state)
{
	static const struct dg_header row[] = {
	        {.version = 1, .type = 0},
	        {.version = 1, .type = DG_GROUP + 1},
	        {.version = 2, .type = DG_INIT},
	        {.version = 1, .type = DG_INIT, .receiver = 1},
	        {.version = 1, .type = DG_GROUP, .receiver = 1},
	        {.version = 1, .type = DG_DATA},
	        {.version = 1, .type = DG_ACCEPT},
	        {.version = 1, .type = DG_INIT, .flags = DG_FLAG_ASKS},
	        {.version = 1, .type = DG_DATA, .receiver = 1, .flags = DG_FLAG_PHASE},
	        {.version = 1, .type = DG_DATA, .receiver = 1, .flags = 1},
	        {.version = 1,
	         .type = DG_DATA,
	         .receiver = 1,
	         .flags = DG_FLAG_KEYED | DG_FLAG_ASKS},
	        {.version = 1, .type = DG_NOSESSION, .receiver = 1, .flags = DG_FLAG_KEYED},
	        {.version = 1, .type = DG_BUSY, .receiver = 1, .flags = DG_FLAG_KEYED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		uint8_t datagram[300] = {0xe4,
		                         'g',
		                         'r',
		                         'm',
		                         row[i].version,
		                         row[i].type,
		                         (uint8_t)(row[i].flags >> 8),
		                         (uint8_t)row[i].flags};
		struct dg_writer w = dg_writer(datagram + 100, 16);
		struct dg_parts parts;

		datagram[15] = (uint8_t)row[i].receiver;
		for (size_t len = 16; len <= sizeof datagram; len++)
			assert_false(dg_parts_decode(&parts, datagram, len));
		dg_header_encode(&w, &row[i]);
		assert_true(w.failed);
		assert_int_equal(w.len, 0);
	}
}

/* One field of a good hello spoilt in each row. */
static void hellos_with_a_value_out_of_range_are_refused(void **state)
{
	struct dg_hello bad[11];
	uint8_t datagram[512];

	(void)state;
	for (size_t i = 0; i < 11; i++)
		bad[i] = a_hello;
	bad[0].session = 0;
	bad[1].versions[0] = 0;
	bad[2].versions[2] = 2; /* behind a zero */
	bad[3].versions[1] = DG_VERSION;
	bad[4].idle_ms = 999;
	bad[5].datagram_max = DG_DATAGRAM_LEAST - 1;
	bad[6].datagram_max = 65508;
	bad[7].ack_delay_ms = 1001;
	bad[8].key_hint = 1; /* open mode has no key */
	bad[9].ephemeral[31] = 1;
	bad[10].sealed[0] = 1;
	for (size_t i = 0; i < 11; i++)
		assert_int_equal(build(datagram, sizeof datagram, &init_header, &bad[i]), 0);
}

static void what_encoding_refuses_decoding_refuses_too(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} row[] = {
	        {68, 0},   /* no version */
	        {70, 2},   /* one behind a zero */
	        {58, 0},   /* idle time, see below */
	        {76, 1},   /* key hint in open mode */
	        {78, 1},   /* reserved */
	        {79, 1},   /* reserved */
	        {127, 1},  /* ephemeral key in open mode */
	        {143, 1},  /* sealed in open mode */
	        {144, 1},  /* padding */
	        {251, 1},  /* padding */
	        {64, 1},   /* largest datagram 65507 becomes 483 */
	        {66, 200}, /* ACK delay */
	};
	uint8_t datagram[512];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		size_t len = build(datagram, sizeof datagram, &init_header, &a_hello);
		struct dg_parts parts;
		struct dg_hello back;

		datagram[row[i].at] = row[i].value;
		if (row[i].at == 58)
			memset(datagram + 56, 0, 3); /* idle time: 192 ms */
		assert_true(dg_parts_decode(&parts, datagram, len));
		assert_false(dg_hello_decode(&back, &parts));
	}
}

static void keyed_hellos_have_their_own_fields(void **state)
{
	struct dg_header init = init_header, accept = accept_header;
	struct dg_hello hello = a_hello, back;
	uint8_t datagram[512];
	struct dg_writer w = dg_writer(datagram, sizeof datagram);
	struct dg_parts parts;

	(void)state;
	init.flags = accept.flags = DG_FLAG_KEYED;
	hello.key_hint = 1;
	hello.ephemeral[0] = hello.sealed[0] = 1;
	dg_hello_encode(&w, &init, &hello);
	dg_write_bytes(&w, a_hello.ephemeral, DG_TAG_SIZE);
	assert_int_equal(w.len, DG_INIT_SIZE_MIN);
	assert_true(dg_parts_decode(&parts, datagram, w.len));
	assert_false(dg_crc_check(&parts, datagram, 0));
	assert_true(dg_hello_decode(&back, &parts));
	assert_hello_equal(&back, &hello);
	w = dg_writer(datagram, sizeof datagram);
	dg_hello_encode(&w, &accept, &hello);
	assert_true(w.failed); /* the key hint is INIT's */
}

/* A datagram of these frames, without its trailer, taken apart. */
static bool decode_data(struct dg_data *out, const char *frames, size_t len, uint16_t flags)
{
	struct dg_parts parts = {.header = {.type = DG_DATA, .flags = flags}};
	uint8_t body[64] = {0};

	memcpy(body + 8, frames, len);
	parts.body = body;
	parts.body_len = 8 + len;
	return dg_data_decode(out, &parts);
}

static void data_knows_what_is_aboard(void **state)
{
	static const struct {
		const char *frames;
		size_t len;
		bool elicits_ack, asks;
	} row[] = {
	        {"\x01", 1, true, true},                          /* PING */
	        {"\x0c\x05", 2, false, false},                    /* SETTLED */
	        {"\x0c\x05\x01", 3, true, true},                  /* SETTLED, PING */
	        {"\x07\x05\x01", 3, true, false},                 /* ACCEPTED */
	        {"\x06\x01\x05\x00\x00\x00", 6, false, false},    /* pulled REPLY */
	        {"\x06\x21\x05\x00\x00\x00", 6, true, false},     /* pushed REPLY */
	        {"\x08\x20\x05\x04\x0f\x00\x01", 7, true, false}, /* pushed NO, CLOSE */
	};
	struct dg_data data;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_true(decode_data(&data, row[i].frames, row[i].len,
		                        row[i].asks ? DG_FLAG_ASKS : 0));
		assert_int_equal(data.elicits_ack, row[i].elicits_ack);
		assert_int_equal(data.frames.left, row[i].len);
		assert_false(decode_data(&data, row[i].frames, row[i].len,
		                         row[i].asks ? 0 : DG_FLAG_ASKS));
		/* who is not meant to know what is aboard is not told */
		assert_true(decode_data(&data, row[i].frames, row[i].len, DG_FLAG_KEYED));
	}
	assert_false(decode_data(&data, "\x01\x15", 2, DG_FLAG_ASKS)); /* the second one is bad */
}

static void groups_come_back_as_they_went(void **state)
{
	static const struct dg_group row[] = {
	        {.kind = DG_GROUP_POST,
	         .counter = UINT64_MAX,
	         .data = (const uint8_t *)"hi",
	         .len = 2},
	        {.kind = DG_GROUP_HELLO,
	         .boot = 1,
	         .flags = DG_NAMED | DG_HOPS,
	         .hops = 2,
	         .name = (const uint8_t *)"a.b",
	         .name_len = 3,
	         .data = (const uint8_t *)"\x60\x96\x00\004time",
	         .len = 8},
	        {.kind = DG_GROUP_GOODBYE, .data = (const uint8_t *)"", .len = 0},
	        {.kind = DG_GROUP_SURVEY,
	         .endpoint = 1,
	         .nonce = 7,
	         .data = (const uint8_t *)"?",
	         .len = 1,
	         .padding = 100},
	        {.kind = DG_GROUP_SURVEY_REPLY, .nonce = 7, .data = (const uint8_t *)"!", .len = 1},
	        {.kind = DG_GROUP_SURVEY_REPLY,
	         .nonce = 7,
	         .flags = DG_TOO_LONG,
	         .data = (const uint8_t *)"",
	         .len = 0},
	};
	uint8_t body[256], again[256];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dg_writer w = dg_writer(body, sizeof body),
		                 second = dg_writer(again, sizeof again);
		struct dg_group back;

		dg_group_encode(&w, &row[i]);
		assert_true(dg_group_decode(&back, body, w.len));
		assert_int_equal(back.len, row[i].len);
		assert_int_equal(back.padding, row[i].padding);
		assert_int_equal(back.nonce, row[i].nonce);
		dg_group_encode(&second, &back);
		assert_int_equal(second.len, w.len);
		assert_memory_equal(again, body, w.len);
	}
}

static void groups_that_nobody_may_send_are_not_encoded(void **state)
{
	static const struct dg_group row[] = {
	        {.kind = 0},
	        {.kind = DG_GROUP_SURVEY_REPLY + 1},
	        {.kind = DG_GROUP_POST, .flags = DG_ORDERED},
	        {.kind = DG_GROUP_POST, .flags = DG_HOPS},
	        {.kind = DG_GROUP_POST,
	         .flags = DG_NAMED,
	         .name = (const uint8_t *)".",
	         .name_len = 1},
	        {.kind = DG_GROUP_POST, .padding = 1},
	        {.kind = DG_GROUP_POST, .flags = DG_TOO_LONG},
	        {.kind = DG_GROUP_SURVEY_REPLY,
	         .flags = DG_TOO_LONG,
	         .data = (const uint8_t *)"!",
	         .len = 1},
	        {.kind = DG_GROUP_HELLO, .data = (const uint8_t *)"\x60\x96\x00", .len = 3},
	        {.kind = DG_GROUP_HELLO,
	         .flags = DG_NAMED,
	         .name = (const uint8_t *)"me",
	         .name_len = 2,
	         .data = (const uint8_t *)"\x60\x96",
	         .len = 2},
	        {.kind = DG_GROUP_GOODBYE, .data = (const uint8_t *)"!", .len = 1},
	        {.kind = DG_GROUP_GOODBYE,
	         .flags = DG_NAMED,
	         .name = (const uint8_t *)"me",
	         .name_len = 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		uint8_t body[256];
		struct dg_writer w = dg_writer(body, sizeof body);

		dg_group_encode(&w, &row[i]);
		assert_true(w.failed);
	}
}

static void a_peer_says_its_services_in_order(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		bool good;
	} row[] = {
	        {"\x60\x96\x00", 3, true},
	        {"\x60\x96\x05\001a\002a-\003a.b\002aa\001b", 17, true},
	        {"\x00\x00\x00", 3, false}, /* port 0 */
	        {"\x60\x96", 2, false},
	        {"\x60\x96\x40\x05", 4, false}, /* a longer varint than it must be */
	        {"\x60\x96\x00\001b\001a", 7, false},
	        {"\x60\x96\x00\001a\001a", 7, false},
	        {"\x60\x96\x00\002aa\001a", 8, false},
	        {"\x60\x96\x00\000", 4, false},
	        {"\x60\x96\x00\002a", 5, false}, /* cut short */
	        {"\x60\x96\x00\001A", 5, false},
	};
	uint8_t again[64];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dg_writer w = dg_writer(again, sizeof again);
		struct dg_presence p;

		assert_int_equal(dg_presence_decode(&p, (const uint8_t *)row[i].data, row[i].len),
		                 row[i].good);
		if (!row[i].good)
			continue;
		dg_presence_encode(&w, &p);
		assert_int_equal(w.len, row[i].len);
		assert_memory_equal(again, row[i].data, row[i].len);
	}
}

static void what_no_peer_may_say_is_not_encoded(void **state)
{
	static const struct dg_presence row[] = {
	        {.services = (const uint8_t *)"\001a", .len = 2},
	        {.port = 1, .services = (const uint8_t *)"\001b\001a", .len = 4},
	        {.port = 1, .left_out = DG_VARINT_MAX + 1},
	};
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dg_writer w = dg_writer(data, sizeof data);

		dg_presence_encode(&w, &row[i]);
		assert_true(w.failed);
	}
}

static void services_come_one_by_one(void **state)
{
	struct dg_presence p;
	struct dg_reader r;
	const uint8_t *name;
	size_t len;

	(void)state;
	assert_true(dg_presence_decode(&p, (const uint8_t *)"\x60\x96\x07\001a\003a.b", 9));
	assert_int_equal(p.port, 24726);
	assert_int_equal(p.left_out, 7);
	r = dg_reader(p.services, p.len);
	assert_true(dg_presence_next(&r, &name, &len));
	assert_int_equal(len, 1);
	assert_true(dg_presence_next(&r, &name, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(name, "a.b", 3);
	assert_false(dg_presence_next(&r, &name, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(hellos_come_back_as_they_went),
	        cmocka_unit_test(every_flipped_bit_of_a_datagram_is_noticed),
	        cmocka_unit_test(every_shortened_datagram_is_refused),
	        cmocka_unit_test(data_is_summed_with_the_id_of_its_sender),
	        cmocka_unit_test(headers_that_nobody_may_send_are_refused),
	        cmocka_unit_test(hellos_with_a_value_out_of_range_are_refused),
	        cmocka_unit_test(what_encoding_refuses_decoding_refuses_too),
	        cmocka_unit_test(keyed_hellos_have_their_own_fields),
	        cmocka_unit_test(data_knows_what_is_aboard),
	        cmocka_unit_test(groups_come_back_as_they_went),
	        cmocka_unit_test(groups_that_nobody_may_send_are_not_encoded),
	        cmocka_unit_test(a_peer_says_its_services_in_order),
	        cmocka_unit_test(what_no_peer_may_say_is_not_encoded),
	        cmocka_unit_test(services_come_one_by_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
