#include "base/bytes.h"

#include <stdlib.h>

#include "test.h"

/* One of each: 1 + 2 + 4 + 8 bytes, then three of a string. */
static const uint8_t image[] = {
	0x01, 0x02, 0x03, 0x84, 0x85, 0x86, 0x87, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 'a', 'b', 'c',
};
static const size_t ends[] = {1, 3, 7, 15, 18}; /* where each field of it ends */

struct fields {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	const uint8_t *bytes;
};

static struct fields read_fields(struct dg_reader *r)
{
	struct fields f;

	f.u8 = dg_read_u8(r);
	f.u16 = dg_read_u16(r);
	f.u32 = dg_read_u32(r);
	f.u64 = dg_read_u64(r);
	f.bytes = dg_read_bytes(r, 3);
	return f;
}

static void write_fields(struct dg_writer *w)
{
	dg_write_u8(w, 0x01);
	dg_write_u16(w, 0x0203);
	dg_write_u32(w, UINT32_C(0x84858687));
	dg_write_u64(w, UINT64_C(0x98999a9b9c9d9e9f));
	dg_write_bytes(w, "abc", 3);
}

/* A field is there when all of it is; those behind the first that is not are not looked at, even
 * where they would fit. */
static void every_prefix_reads_as_far_as_it_goes(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof image; len++) {
		uint8_t *data = malloc(len + (len == 0)); /* exactly: a sanitizer sees a byte too many */
		struct dg_reader r;
		struct fields f;

		assert_non_null(data);
		memcpy(data, image, len);
		r = dg_reader(data, len);
		f = read_fields(&r);
		assert_int_equal(f.u8, len >= ends[0] ? 0x01 : 0);
		assert_int_equal(f.u16, len >= ends[1] ? 0x0203 : 0);
		assert_int_equal(f.u32, len >= ends[2] ? UINT32_C(0x84858687) : 0);
		assert_true(f.u64 == (len >= ends[3] ? UINT64_C(0x98999a9b9c9d9e9f) : 0));
		assert_ptr_equal(f.bytes, len >= ends[4] ? data + ends[3] : NULL);
		assert_int_equal(r.failed, len < sizeof image);
		assert_int_equal(dg_read_all(&r), len == sizeof image);
		assert_int_equal(r.left, 0);
		free(data);
	}
}

static void every_room_is_written_as_far_as_it_goes(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= sizeof image + 1; cap++) {
		uint8_t *data = malloc(cap + (cap == 0));
		struct dg_writer w;
		size_t whole = 0; /* bytes of the fields that fit */

		assert_non_null(data);
		for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
			if (ends[i] <= cap)
				whole = ends[i];
		w = dg_writer(data, cap);
		write_fields(&w);
		assert_int_equal(w.len, whole);
		assert_memory_equal(data, image, whole);
		assert_int_equal(w.failed, cap < sizeof image);
		free(data);
	}
}

static void a_failed_reader_stays_failed(void **state)
{
	struct dg_reader r = dg_reader(image, sizeof image);

	(void)state;
	assert_null(dg_read_bytes(&r, sizeof image + 1));
	assert_true(r.failed);
	assert_int_equal(dg_read_u8(&r), 0);
	assert_null(dg_read_bytes(&r, 0));
	assert_false(dg_read_all(&r));
}

static void a_failed_writer_stays_failed(void **state)
{
	uint8_t data[2] = {7, 7};
	struct dg_writer w = dg_writer(data, sizeof data);

	(void)state;
	dg_write_u32(&w, 1);
	dg_write_u8(&w, 1);
	assert_null(dg_write_room(&w, 1));
	assert_true(w.failed);
	assert_int_equal(w.len, 0);
	assert_int_equal(data[0], 7);
}

static void lengths_that_lie_do_not_wrap(void **state)
{
	uint8_t data[4] = {0};
	struct dg_reader r = dg_reader(data, sizeof data);
	struct dg_writer w = dg_writer(data, sizeof data);

	(void)state;
	dg_read_u8(&r);
	assert_null(dg_read_bytes(&r, SIZE_MAX));
	dg_write_u8(&w, 1);
	assert_null(dg_write_room(&w, SIZE_MAX));
	assert_int_equal(w.len, 1);
}

static void nothing_can_be_read_and_written(void **state)
{
	struct dg_reader r = dg_reader(NULL, 0);
	struct dg_writer w = dg_writer(NULL, 0);

	(void)state;
	dg_read_bytes(&r, 0);
	assert_true(dg_read_all(&r));
	dg_write_bytes(&w, NULL, 0);
	assert_false(w.failed);
	dg_read_u8(&r);
	dg_write_u8(&w, 1);
	assert_true(r.failed && w.failed);
}

static void odd_sizes_are_big_endian_too(void **state)
{
	uint8_t data[6];
	struct dg_writer w = dg_writer(data, sizeof data);
	struct dg_reader r = dg_reader(data, sizeof data);

	(void)state;
	dg_write_number(&w, UINT64_C(0x1122334455667788), 6); /* the low six */
	assert_memory_equal(data, "\x33\x44\x55\x66\x77\x88", 6);
	assert_int_equal(dg_read_number(&r, 3), 0x334455);
	assert_int_equal(dg_read_number(&r, 3), 0x667788);
	assert_true(dg_read_all(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_reads_as_far_as_it_goes),
		cmocka_unit_test(every_room_is_written_as_far_as_it_goes),
		cmocka_unit_test(a_failed_reader_stays_failed),
		cmocka_unit_test(a_failed_writer_stays_failed),
		cmocka_unit_test(lengths_that_lie_do_not_wrap),
		cmocka_unit_test(nothing_can_be_read_and_written),
		cmocka_unit_test(odd_sizes_are_big_endian_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
