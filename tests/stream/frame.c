#include <dgram/frame.h>

#include <stdbool.h>
#include <string.h>

#include "test.h"

#define SIZE 300

/* Three messages: of 5 bytes, of none, and of 300, the most that fits. */
struct sample {
	uint8_t bytes[3 * DGRAM_FRAME_HEADER + 5 + SIZE];
	uint8_t large[SIZE];
	size_t len;
};

static void put(struct sample *s, const void *message, size_t len)
{
	assert_int_equal(dgram_frame_header(s->bytes + s->len, len), 0);
	s->len += DGRAM_FRAME_HEADER;
	memcpy(s->bytes + s->len, message, len);
	s->len += len;
}

static struct sample sample(void)
{
	struct sample s = {.len = 0};

	for (size_t i = 0; i < SIZE; i++)
		s.large[i] = (uint8_t)(i * 7);
	put(&s, "hello", 5);
	put(&s, "", 0);
	put(&s, s.large, SIZE);
	assert_int_equal(s.len, sizeof s.bytes);
	return s;
}

/* Feeds all bytes and checks each message that comes out against the sample's; count goes on from
 * call to call. */
static void feed(struct dgram_frame_reader *r, const struct sample *s, size_t from, size_t to,
                 int *count)
{
	const uint8_t *message;
	size_t len;

	while (from < to) {
		int taken = dgram_frame_feed(r, s->bytes + from, to - from);

		assert_in_range(taken, 1, to - from);
		from += (size_t)taken;
		while (dgram_frame_next(r, &message, &len) == 1) {
			switch ((*count)++) {
			case 0:
				assert_int_equal(len, 5);
				assert_memory_equal(message, "hello", 5);
				break;
			case 1:
				assert_int_equal(len, 0);
				break;
			default:
				assert_int_equal(len, SIZE);
				assert_memory_equal(message, s->large, SIZE);
			}
		}
	}
}

static void messages_come_out_whole_at_every_pair_of_split_positions(void **state)
{
	struct sample s = sample();
	uint8_t buf[SIZE];

	(void)state;
	for (size_t first = 0; first <= s.len; first++) {
		for (size_t second = first; second <= s.len; second++) {
			struct dgram_frame_reader r;
			int count = 0;

			dgram_frame_init(&r, buf, sizeof buf);
			feed(&r, &s, 0, first, &count);
			feed(&r, &s, first, second, &count);
			feed(&r, &s, second, s.len, &count);
			assert_int_equal(count, 3);
			assert_int_equal(dgram_frame_end(&r), 0);
		}
	}
}

static void messages_come_out_whole_one_byte_at_a_time(void **state)
{
	struct sample s = sample();
	struct dgram_frame_reader r;
	uint8_t buf[SIZE];
	int count = 0;

	(void)state;
	dgram_frame_init(&r, buf, sizeof buf);
	for (size_t i = 0; i < s.len; i++)
		feed(&r, &s, i, i + 1, &count);
	assert_int_equal(count, 3);
}

static void a_message_waits_until_it_is_taken(void **state)
{
	struct sample s = sample();
	struct dgram_frame_reader r;
	uint8_t buf[SIZE];
	const uint8_t *message;
	size_t len;

	(void)state;
	dgram_frame_init(&r, buf, sizeof buf);
	assert_int_equal(dgram_frame_feed(&r, s.bytes, s.len), DGRAM_FRAME_HEADER + 5);
	assert_int_equal(dgram_frame_feed(&r, s.bytes + 9, s.len - 9), 0);
	assert_int_equal(dgram_frame_wanted(&r), 0);
	assert_int_equal(dgram_frame_end(&r), 0);
	assert_int_equal(dgram_frame_next(&r, &message, &len), 1);
	assert_memory_equal(message, "hello", 5);
	assert_int_equal(dgram_frame_next(&r, &message, &len), 0);
	assert_int_equal(dgram_frame_wanted(&r), DGRAM_FRAME_HEADER);
}

static void what_is_wanted_shrinks_byte_by_byte(void **state)
{
	static const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c'};
	static const size_t wanted[] = {4, 3, 2, 1, 3, 2, 1, 0};
	struct dgram_frame_reader r;
	uint8_t buf[3];

	(void)state;
	dgram_frame_init(&r, buf, sizeof buf);
	for (size_t i = 0; i < sizeof bytes; i++) {
		assert_int_equal(dgram_frame_wanted(&r), wanted[i]);
		assert_int_equal(dgram_frame_feed(&r, bytes + i, 1), 1);
	}
	assert_int_equal(dgram_frame_wanted(&r), wanted[sizeof bytes]);
}

static void an_end_within_a_message_is_told_from_one_between_two(void **state)
{
	static const uint8_t bytes[] = {0, 0, 0, 2, 'a', 'b'};
	uint8_t buf[2];

	(void)state;
	for (size_t n = 0; n <= sizeof bytes; n++) {
		struct dgram_frame_reader r;
		bool whole = n == 0 || n == sizeof bytes;

		dgram_frame_init(&r, buf, sizeof buf);
		dgram_frame_feed(&r, bytes, n);
		assert_int_equal(dgram_frame_end(&r), whole ? 0 : DGRAM_ERR_FORMAT);
	}
}

static void a_length_beyond_the_buffer_is_refused_at_its_last_header_byte_and_for_ever(void **state)
{
	static const struct {
		uint8_t header[DGRAM_FRAME_HEADER];
		size_t size;
		bool fits;
	} row[] = {
	        {{0xff, 0xff, 0xff, 0xff}, 16, false}, /* 4 GiB - 1 */
	        {{0x80, 0, 0, 0}, 16, false},          /* negative, if it were an int */
	        {{0x01, 0, 0, 0}, 16, false},
	        {{0, 0, 1, 0}, 16, false},
	        {{0, 0, 0, 17}, 16, false},
	        {{0, 0, 0, 16}, 16, true},
	        {{0, 0, 0, 1}, 0, false},
	        {{0, 0, 0, 0}, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_frame_reader r;
		uint8_t buf[16];
		const uint8_t *message;
		size_t len;
		int expected = row[i].fits ? 1 : DGRAM_ERR_SIZE;

		dgram_frame_init(&r, buf, row[i].size);
		assert_int_equal(dgram_frame_feed(&r, row[i].header, 3), 3);
		assert_int_equal(dgram_frame_feed(&r, row[i].header + 3, 1), expected);
		if (row[i].fits)
			continue;
		assert_int_equal(dgram_frame_feed(&r, "\0\0\0\0", 4), DGRAM_ERR_SIZE);
		assert_int_equal(dgram_frame_next(&r, &message, &len), DGRAM_ERR_SIZE);
		assert_int_equal(dgram_frame_end(&r), DGRAM_ERR_SIZE);
		assert_int_equal(dgram_frame_wanted(&r), 0);
	}
}

static void a_header_holds_32_bits(void **state)
{
	static const struct {
		uint64_t len;
		uint8_t bytes[DGRAM_FRAME_HEADER];
	} row[] = {
	        {0, {0, 0, 0, 0}},
	        {1, {0, 0, 0, 1}},
	        {0x01020304, {1, 2, 3, 4}},
	        {UINT32_MAX, {0xff, 0xff, 0xff, 0xff}},
	};
	uint8_t out[DGRAM_FRAME_HEADER];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_int_equal(dgram_frame_header(out, (size_t)row[i].len), 0);
		assert_memory_equal(out, row[i].bytes, sizeof out);
	}
	if (SIZE_MAX > UINT32_MAX)
		assert_int_equal(dgram_frame_header(out, (size_t)UINT32_MAX + 1), DGRAM_ERR_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(messages_come_out_whole_at_every_pair_of_split_positions),
	        cmocka_unit_test(messages_come_out_whole_one_byte_at_a_time),
	        cmocka_unit_test(a_message_waits_until_it_is_taken),
	        cmocka_unit_test(what_is_wanted_shrinks_byte_by_byte),
	        cmocka_unit_test(an_end_within_a_message_is_told_from_one_between_two),
	        cmocka_unit_test(
	                a_length_beyond_the_buffer_is_refused_at_its_last_header_byte_and_for_ever),
	        cmocka_unit_test(a_header_holds_32_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
