/* What dgram_look says of datagrams that the encoder made. */
#include "wire/wire.h"

#include <dgram/look.h>

#include <string.h>

#include "test.h"

static size_t build(uint8_t *out, size_t cap, const struct dg_frame *frames, size_t count)
{
	struct dg_writer w = dg_writer(out, cap);
	struct dg_header header = {.version = DG_VERSION, .type = DG_DATA, .receiver = 77};

	for (size_t i = 0; i < count; i++)
		if (dg_frame_asks(&frames[i]))
			header.flags |= DG_FLAG_ASKS;
	dg_header_encode(&w, &header);
	dg_write_u64(&w, 9);
	for (size_t i = 0; i < count; i++)
		dg_frame_encode(&w, &frames[i]);
	dg_crc_append(&w, 5);
	assert_false(w.failed);
	return w.len;
}

static uint64_t field(const struct dgram_look_frame *f, const char *key)
{
	for (size_t i = 0; i < f->fields; i++)
		if (strcmp(f->field[i].key, key) == 0)
			return f->field[i].value;
	return UINT64_MAX;
}

static void every_frame_has_its_words(void **state)
{
	static const struct {
		struct dg_frame frame;
		const char *name, *word, *key;
		uint64_t value;
	} row[] = {
	        {{.type = DG_PING}, "PING", NULL, NULL, 0},
	        {{.type = DG_ACK, .id = 9, .first = 4, .value = 30}, "ACK", NULL, "down_to", 5},
	        {{.type = DG_ACCEPTED, .id = 3, .code = DG_ACCEPTED_RUNNING},
	         "ACCEPTED",
	         "running",
	         "id",
	         3},
	        {{.type = DG_NO, .id = 3, .code = DG_NO_BUSY, .value = 250},
	         "NO",
	         "BUSY",
	         "retry_ms",
	         250},
	        {{.type = DG_NO, .id = 3, .code = DG_NO_ROOM}, "NO", "NO_ROOM", "id", 3},
	        {{.type = DG_PULL, .id = 8}, "PULL", NULL, "id", 8},
	        {{.type = DG_CANCEL, .id = 8, .total = 6}, "CANCEL", NULL, "total", 6},
	        {{.type = DG_RESET, .id = 8, .total = 6}, "RESET", NULL, "total", 6},
	        {{.type = DG_NEED, .id = 8, .total = 6}, "NEED", NULL, "total", 6},
	        {{.type = DG_SETTLED, .id = 2}, "SETTLED", NULL, "below", 2},
	        {{.type = DG_CREDIT, .id = 2, .value = 5}, "CREDIT", NULL, "bytes", 5},
	        {{.type = DG_GRANT, .id = 2, .value = 5}, "GRANT", NULL, "bytes", 5},
	        {{.type = DG_ECHO, .id = 2}, "ECHO", NULL, "number", 2},
	        {{.type = DG_ECHOED, .id = 2, .value = 4}, "ECHOED", NULL, "received", 4},
	        {{.type = DG_CHALLENGE, .id = 2}, "CHALLENGE", NULL, NULL, 0},
	        {{.type = DG_RESPONSE, .id = 2}, "RESPONSE", NULL, NULL, 0},
	        {{.type = DG_CLOSE, .id = 2, .code = DG_CLOSE_IDLE}, "CLOSE", "idle", "first", 2},
	        {{.type = DG_PADDING, .len = 12}, "PADDING", NULL, "bytes", 12},
	};
	uint8_t datagram[1024];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_look look;
		struct dgram_look_frame f;
		size_t len = build(datagram, sizeof datagram, &row[i].frame, 1);

		assert_int_equal(dgram_look(&look, datagram, len), 0);
		assert_string_equal(look.name, "DATA");
		assert_int_equal(look.receiver, 77);
		assert_int_equal(look.number, 9);
		assert_int_equal(dgram_look_next(&look, &f), 1);
		assert_string_equal(f.name, row[i].name);
		if (row[i].word)
			assert_string_equal(f.word, row[i].word);
		else
			assert_null(f.word);
		if (row[i].key)
			assert_int_equal(field(&f, row[i].key), row[i].value);
		assert_null(f.data);
		assert_int_equal(dgram_look_next(&look, &f), 0);
	}
}

static const uint8_t sixty_four[64] = "0123456789";

static void messages_have_their_name_and_bytes(void **state)
{
	static const struct dg_frame frames[] = {
	        {.type = DG_POST, .id = 1, .total = 1, .data = (const uint8_t *)"p", .len = 1},
	        {.type = DG_REQUEST,
	         .flags = DG_NAMED | DG_IDEMPOTENT,
	         .id = 4,
	         .total = 200,
	         .name = (const uint8_t *)"up",
	         .name_len = 2,
	         .deadline = 7,
	         .grant = 8,
	         .data = sixty_four,
	         .len = 64},
	        {.type = DG_REPLY,
	         .flags = DG_WHOLE | DG_PUSHED,
	         .id = 5,
	         .total = 2,
	         .status = 3,
	         .service = 6,
	         .data = (const uint8_t *)"no",
	         .len = 2},
	};
	uint8_t datagram[1024];
	struct dgram_look look;
	struct dgram_look_frame f;

	(void)state;
	assert_int_equal(dgram_look(&look, datagram, build(datagram, sizeof datagram, frames, 3)),
	                 0);
	assert_int_equal(dgram_look_next(&look, &f), 1);
	assert_int_equal(field(&f, "counter"), 1);
	assert_memory_equal(f.data, "p", f.len);
	assert_null(f.message);
	assert_int_equal(dgram_look_next(&look, &f), 1);
	assert_int_equal(f.message_len, 2);
	assert_memory_equal(f.message, "up", 2);
	assert_int_equal(field(&f, "total"), 200);
	assert_int_equal(field(&f, "offset"), 0);
	assert_int_equal(field(&f, "idempotent"), 1);
	assert_int_equal(field(&f, "deadline_us"), 7);
	assert_int_equal(f.len, 64);
	assert_int_equal(dgram_look_next(&look, &f), 1);
	assert_int_equal(field(&f, "status"), 3);
	assert_int_equal(field(&f, "service_us"), 6);
	assert_int_equal(field(&f, "pushed"), 1);
	assert_int_equal(field(&f, "total"), UINT64_MAX);
	assert_memory_equal(f.data, "no", 2);
	assert_int_equal(dgram_look_next(&look, &f), 0);
}

static void hellos_have_their_sessions(void **state)
{
	static const struct dg_hello hello = {.session = 5,
	                                      .boot = 1,
	                                      .endpoint = 2,
	                                      .idle_ms = 2000,
	                                      .datagram_max = 1472,
	                                      .versions = {DG_VERSION}};
	static const struct dg_header header = {.version = DG_VERSION, .type = DG_INIT};
	uint8_t datagram[512];
	struct dg_writer w = dg_writer(datagram, sizeof datagram);
	struct dgram_look look;
	struct dgram_look_frame f;

	(void)state;
	dg_hello_encode(&w, &header, &hello);
	dg_crc_append(&w, 0);
	assert_int_equal(dgram_look(&look, datagram, w.len), 0);
	assert_string_equal(look.name, "INIT");
	assert_int_equal(look.sender, 5);
	assert_int_equal(look.receiver, 0);
	assert_int_equal(dgram_look_next(&look, &f), 0);
	datagram[30] ^= 1; /* the checksum is not looked at */
	assert_int_equal(dgram_look(&look, datagram, w.len), 0);
	assert_int_equal(dgram_look(&look, datagram, w.len - 1), DGRAM_ERR_FORMAT);
	assert_int_equal(dgram_look(&look, datagram, 4), DGRAM_ERR_FOREIGN);
	assert_int_equal(dgram_look(&look, "hello", 5), DGRAM_ERR_FOREIGN);
	assert_int_equal(dgram_look(&look, "", 0), DGRAM_ERR_FOREIGN);
}

static void types_have_names(void **state)
{
	(void)state;
	assert_null(dgram_look_type(0));
	assert_string_equal(dgram_look_type(1), "INIT");
	assert_string_equal(dgram_look_type(DGRAM_LOOK_TYPES - 1), "GROUP");
	assert_null(dgram_look_type(DGRAM_LOOK_TYPES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_frame_has_its_words),
	        cmocka_unit_test(messages_have_their_name_and_bytes),
	        cmocka_unit_test(hellos_have_their_sessions),
	        cmocka_unit_test(types_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
