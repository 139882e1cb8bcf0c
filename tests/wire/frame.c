#include "base/random.h"
#include "wire/wire.h"

#include <string.h>

#include "test.h"

#define TEN_ZEROS  "\0\0\0\0\0\0\0\0\0\0"
#define MANY_ZEROS /* 130 */                                                                       \
	TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS  \
	        TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS

static const uint8_t payload[4096] = "payload";

static size_t encode(uint8_t *out, size_t cap, const struct dg_frame *frame)
{
	struct dg_writer w = dg_writer(out, cap);

	dg_frame_encode(&w, frame);
	return w.failed ? 0 : w.len;
}

/* clang-format off */
static const struct {
	struct dg_frame frame;
	const char *bytes;
	size_t len;
} vectors[] = {
	{{.type = DG_PADDING, .len = 2}, "\0\0\0", 3},
	{{.type = DG_PING}, "\x01", 1},
	{{.type = DG_ACK, .id = 9, .value = 300, .first = 3}, "\x02\x09\x41\x2c\x00\x03", 6},
	{{.type = DG_ACK, .id = 9, .first = 3, .ranges = 1,
	  .data = (const uint8_t *)"\x02\x01", .len = 2},
	 "\x02\x09\x00\x01\x03\x02\x01", 7},
	{{.type = DG_POST, .id = 64, .flags = DG_NAMED, .name = (const uint8_t *)"a.b", .name_len = 3,
	  .data = payload, .len = 2, .total = 2},
	 "\x03\x02\x40\x40\x03" "a.b\x02pa", 11},
	{{.type = DG_SEND, .flags = DG_WHOLE}, "\x04\x01\x00\x00", 4},
	{{.type = DG_SEND, .flags = DG_WHOLE | DG_ORDERED, .id = 3, .order = 2, .data = payload, .len = 1, .total = 1},
	 "\x04\x09\x03\x02\x01p", 6},
	{{.type = DG_REQUEST, .flags = DG_WHOLE | DG_HOPS | DG_IDEMPOTENT, .hops = 1,
	  .deadline = 5, .grant = 6, .data = payload, .len = 1, .total = 1},
	 "\x05\x15\x00\x01\x05\x06\x01p", 8},
	{{.type = DG_REPLY, .flags = DG_WHOLE, .id = 1, .status = 3, .service = 7, .data = payload, .len = 1, .total = 1},
	 "\x06\x01\x01\x03\x07\x01p", 7},
	{{.type = DG_ACCEPTED, .id = 1, .code = DG_ACCEPTED_RUNNING}, "\x07\x01\x02", 3},
	{{.type = DG_NO, .id = 1, .code = DG_NO_BUSY, .value = 100}, "\x08\x00\x01\x01\x40\x64", 6},
	{{.type = DG_NO, .flags = DG_PUSHED, .id = 1, .code = DG_NO_GONE}, "\x08\x20\x01\x06", 4},
	{{.type = DG_PULL, .id = 1}, "\x09\x01", 2},
	{{.type = DG_CANCEL, .id = 1, .total = 7}, "\x0a\x01\x07", 3},
	{{.type = DG_RESET, .id = 1, .total = 7}, "\x0b\x01\x07", 3},
	{{.type = DG_SETTLED, .id = 16384}, "\x0c\x80\x00\x40\x00", 5},
	{{.type = DG_CREDIT, .value = 1, .id = 2}, "\x0d\x01\x02", 3},
	{{.type = DG_GRANT, .id = 1, .value = 2}, "\x0e\x01\x02", 3},
	{{.type = DG_CLOSE, .id = 1, .code = DG_CLOSE_IDLE}, "\x0f\x01\x02", 3},
	{{.type = DG_ECHO, .id = 1}, "\x10\x01", 2},
	{{.type = DG_ECHOED, .id = 1, .value = DG_VARINT_MAX},
	 "\x11\x01\xff\xff\xff\xff\xff\xff\xff\xff", 10},
	{{.type = DG_CHALLENGE, .id = UINT64_MAX}, "\x12\xff\xff\xff\xff\xff\xff\xff\xff", 9},
	{{.type = DG_RESPONSE, .id = 1}, "\x13\0\0\0\0\0\0\0\x01", 9},
	{{.type = DG_NEED, .id = 1, .total = 2}, "\x14\x01\x02", 3},
};
/* clang-format on */
#define VECTORS (sizeof vectors / sizeof vectors[0])

static void every_kind_of_frame_has_its_bytes(void **state)
{
	uint8_t out[64];
	bool seen[DG_FRAME_TYPES] = {false};

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		assert_int_equal(encode(out, sizeof out, &vectors[i].frame), vectors[i].len);
		assert_memory_equal(out, vectors[i].bytes, vectors[i].len);
		seen[vectors[i].frame.type] = true;
	}
	for (size_t i = 0; i < DG_FRAME_TYPES; i++)
		assert_true(seen[i]);
}

static void frames_come_back_as_they_went(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct dg_reader r = dg_reader(vectors[i].bytes, vectors[i].len);
		struct dg_frame back;
		uint8_t again[64];

		assert_true(dg_frame_decode(&back, &r));
		assert_true(dg_read_all(&r));
		assert_int_equal(encode(again, sizeof again, &back), vectors[i].len);
		assert_memory_equal(again, vectors[i].bytes, vectors[i].len);
	}
}

static void a_frame_that_is_cut_short_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		if (vectors[i].frame.type == DG_PADDING) /* what is left of it is padding too */
			continue;
		for (size_t n = 0; n < vectors[i].len; n++) {
			struct dg_reader r = dg_reader(vectors[i].bytes, n);
			struct dg_frame frame;

			assert_false(dg_frame_decode(&frame, &r));
		}
	}
}

static void a_frame_that_does_not_fit_is_not_written_in_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++)
		for (size_t cap = 0; cap < vectors[i].len; cap++) {
			uint8_t out[64];
			struct dg_writer w = dg_writer(out, cap);

			dg_frame_encode(&w, &vectors[i].frame);
			assert_true(w.failed);
			assert_int_equal(w.len, 0);
		}
}

static void what_has_another_spelling_or_no_sense_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *why, *bytes;
		size_t len;
	} row[] = {
		{"unknown type",                        "\x15", 1},
		{"padding that is not zero",            "\0\0\x01", 3},
		{"varint in two bytes for one",         "\x09\x40\x01", 3},
		{"varint in four bytes for two",        "\x09\x80\x00\x00\x40", 5},
		{"varint in eight bytes for four",      "\x09\xc0\0\0\0\0\0\x40\0", 9},
		{"ack range below 0",                   "\x02\x02\x00\x00\x03", 5},
		{"second ack range below 0",            "\x02\x05\x00\x01\x01\x03\x00", 7},
		{"second ack range longer than it can", "\x02\x09\x00\x01\x01\x02\x05", 7},
		{"65 more ack ranges",                  "\x02\x40\xc8\x00\x40\x41\x00" MANY_ZEROS, 7 + 130},
		{"unknown flag of a POST",              "\x03\x01\x00\x00", 4},
		{"unknown flag of a SEND",              "\x04\x11\x00\x00", 4},
		{"unknown flag of a REPLY",             "\x06\x03\x00\x00\x00\x00", 6},
		{"empty name",                          "\x04\x03\x00\x00\x00", 5},
		{"name in capitals",                    "\x04\x03\x00\x01" "A\x00", 6},
		{"name that ends with a point",         "\x04\x03\x00\x02" "a.\x00", 7},
		{"no hops although it says so",         "\x04\x05\x00\x00\x00", 5},
		{"ordered behind one before the first", "\x04\x09\x01\x02\x00", 5},
		{"fragment that is the whole",          "\x04\x00\x00\x02\x00\x02pp", 8},
		{"empty fragment",                      "\x04\x00\x00\x02\x00\x00", 6},
		{"fragment beyond the total",           "\x04\x00\x00\x02\x01\x01p", 7},
		{"fragment over the total",             "\x04\x00\x00\x02\x00\x03ppp", 9},
		{"fragment that ends inside a cell",    "\x04\x00\x00\x0a\x00\x02pp", 8},
		{"fragment that ends in half a cell",   "\x04\x00\x00\x40\xc8\x00\x40\x60" MANY_ZEROS, 8 + 96},
		{"place that wraps to the beginning",   "\x04\x00\x00\x40\x64\xc4\0\0\0\0\0\0\0\x40\x40" MANY_ZEROS, 15 + 64},
		{"place that wraps",                    "\x04\x00\x00\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x01p", 15},
		{"length beyond the datagram",          "\x04\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff", 11},
		{"fragmented reply that is not pushed", "\x06\x00\x00\x40\x41\x01\x01p", 8},
		{"status above 255",                    "\x06\x01\x01\x41\x00\x07\x01p", 8},
		{"accepted, state 0",                   "\x07\x01\x00", 3},
		{"accepted, state 3",                   "\x07\x01\x03", 3},
		{"no, code 0",                          "\x08\x00\x01\x00", 4},
		{"no, code 8",                          "\x08\x00\x01\x08", 4},
		{"no, another flag than pushed",        "\x08\x01\x01\x02", 4},
		{"close, reason 0",                     "\x0f\x01\x00", 3},
		{"close, reason 6",                     "\x0f\x01\x06", 3},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dg_reader r = dg_reader(row[i].bytes, row[i].len);
		struct dg_frame frame;

		if (dg_frame_decode(&frame, &r))
			fail_msg("taken: %s", row[i].why);
	}
}

static void metadata_travels_in_the_first_fragment_only(void **state)
{
	struct dg_frame first = {.type = DG_REQUEST,
	                         .flags = DG_NAMED,
	                         .id = 5,
	                         .total = 100,
	                         .name = (const uint8_t *)"x",
	                         .name_len = 1,
	                         .deadline = 1000,
	                         .grant = 2000,
	                         .data = payload,
	                         .len = 64};
	struct dg_frame second = {.type = DG_REQUEST,
	                          .id = 5,
	                          .total = 100,
	                          .offset = 64,
	                          .data = payload,
	                          .len = 36};
	uint8_t out[256];
	struct dg_writer w = dg_writer(out, sizeof out);
	struct dg_frame back;
	struct dg_reader r;

	(void)state;
	dg_frame_encode(&w, &first);
	dg_frame_encode(&w, &second);
	assert_false(w.failed);
	r = dg_reader(out, w.len);
	assert_true(dg_frame_decode(&back, &r));
	assert_int_equal(back.deadline, 1000);
	assert_int_equal(back.grant, 2000);
	assert_memory_equal(back.name, "x", 1);
	assert_true(dg_frame_decode(&back, &r));
	assert_int_equal(back.offset, 64);
	assert_int_equal(back.deadline, 0);
	assert_true(dg_read_all(&r));
	second.flags = DG_NAMED;
	second.name = first.name;
	second.name_len = 1;
	assert_int_equal(encode(out, sizeof out, &second), 0);
}

/* What encoding would have to bend before decoding takes it. */
static void what_has_no_bytes_is_not_encoded(void **state)
{
	static const struct dg_frame row[] = {
	        {.type = DG_SEND, .total = 100, .offset = 65, .data = payload, .len = 35},
	        {.type = DG_SEND, .flags = DG_WHOLE, .total = 2, .data = payload, .len = 1},
	        {.type = DG_ACK, .id = 9, .data = (const uint8_t *)"\x02\x01", .len = 2},
	        {.type = DG_ACK,
	         .id = 9,
	         .ranges = 1,
	         .data = (const uint8_t *)"\x02\x01\x01",
	         .len = 3},
	        {.type = DG_ACK,
	         .id = 9,
	         .ranges = 2,
	         .data = (const uint8_t *)"\x02\x01",
	         .len = 2},
	        {.type = DG_PADDING, .data = (const uint8_t *)"x", .len = 1},
	        {.type = DG_PULL, .id = DG_VARINT_MAX + 1},
	        {.type = DG_FRAME_TYPES},
	};
	uint8_t out[256];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(encode(out, sizeof out, &row[i]), 0);
}

/* The two columns of the table in WIRE.md. */
static void every_frame_knows_whether_it_asks(void **state)
{
	static const bool elicits[DG_FRAME_TYPES] = {
	        [DG_PING] = true,  [DG_SEND] = true,   [DG_REQUEST] = true,   [DG_ACCEPTED] = true,
	        [DG_PULL] = true,  [DG_CANCEL] = true, [DG_RESET] = true,     [DG_CREDIT] = true,
	        [DG_GRANT] = true, [DG_ECHO] = true,   [DG_CHALLENGE] = true, [DG_NEED] = true,
	};
	static const bool asks[DG_FRAME_TYPES] = {
	        [DG_PING] = true, [DG_SEND] = true,   [DG_REQUEST] = true,
	        [DG_PULL] = true, [DG_CANCEL] = true, [DG_ECHO] = true,
	};

	(void)state;
	for (uint8_t type = 0; type < DG_FRAME_TYPES; type++) {
		struct dg_frame frame = {.type = type}, pushed = {.type = type, .flags = DG_PUSHED};

		assert_int_equal(dg_frame_elicits_ack(&frame), elicits[type]);
		assert_int_equal(dg_frame_asks(&frame), asks[type]);
		if (type == DG_REPLY || type == DG_NO)
			assert_true(dg_frame_elicits_ack(&pushed));
	}
}

/* Ranges written from the top down and walked again. */
static void ack_ranges_are_what_was_appended(void **state)
{
	static const uint64_t range[][2] = {{90, 100}, {88, 88}, {10, 50}, {0, 8}};
	uint8_t ranges[64], out[128];
	struct dg_writer w = dg_writer(ranges, sizeof ranges);
	struct dg_frame ack = {.type = DG_ACK, .id = 100, .first = 10, .ranges = 3, .data = ranges},
	                back;
	struct dg_ack_walk walk = {.frame = &back};
	struct dg_reader r;
	uint64_t low, high;

	(void)state;
	for (size_t i = 1; i < 4; i++)
		dg_ack_append(&w, range[i - 1][0], range[i][0], range[i][1]);
	ack.len = w.len;
	r = dg_reader(out, encode(out, sizeof out, &ack));
	assert_true(dg_frame_decode(&back, &r));
	for (size_t i = 0; i < 4; i++) {
		assert_true(dg_ack_next(&walk, &low, &high));
		assert_int_equal(low, range[i][0]);
		assert_int_equal(high, range[i][1]);
	}
	assert_false(dg_ack_next(&walk, &low, &high));
}

/* What random bytes decode to encodes to the same bytes. */
static void whatever_is_taken_has_one_spelling(void **state)
{
	struct dg_random random;
	size_t taken = 0;

	(void)state;
	dg_random_init(&random, 1);
	for (int round = 0; round < 300000; round++) {
		uint8_t bytes[24], again[64];
		size_t len = 1 + (size_t)dg_random_below(&random, sizeof bytes);
		struct dg_reader r = dg_reader(bytes, len);
		struct dg_frame frame;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(dg_random_below(&random, 4)
			                             ? dg_random_below(&random, 24)
			                             : dg_random_below(&random, 256));
		if (!dg_frame_decode(&frame, &r))
			continue;
		taken++;
		assert_int_equal(encode(again, sizeof again, &frame), len - r.left);
		assert_memory_equal(again, bytes, len - r.left);
	}
	assert_true(taken > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_kind_of_frame_has_its_bytes),
	        cmocka_unit_test(frames_come_back_as_they_went),
	        cmocka_unit_test(a_frame_that_is_cut_short_is_refused),
	        cmocka_unit_test(a_frame_that_does_not_fit_is_not_written_in_part),
	        cmocka_unit_test(what_has_another_spelling_or_no_sense_is_refused),
	        cmocka_unit_test(metadata_travels_in_the_first_fragment_only),
	        cmocka_unit_test(what_has_no_bytes_is_not_encoded),
	        cmocka_unit_test(every_frame_knows_whether_it_asks),
	        cmocka_unit_test(ack_ranges_are_what_was_appended),
	        cmocka_unit_test(whatever_is_taken_has_one_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
