#include "base/crc32c.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

typedef uint32_t checksum(uint32_t crc, const void *data, size_t len);

/* By the definition, a bit at a time. */
static uint32_t bit_by_bit(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

static void check_vectors(checksum *sum)
{
	/* RFC 3720, appendix B.4 */
	static const uint8_t read_command[48] = {
		0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, 0x28, [40] = 0x02,
	};
	uint8_t data[32];

	memset(data, 0, 32);
	assert_int_equal(sum(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, 32);
	assert_int_equal(sum(0, data, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t)i;
	assert_int_equal(sum(0, data, 32), 0x46dd794e);
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t)(31 - i);
	assert_int_equal(sum(0, data, 32), 0x113fdb5c);
	assert_int_equal(sum(0, read_command, 48), 0xd9963a56);
	/* the check value of the catalogues of checksums */
	assert_int_equal(sum(0, "123456789", 9), 0xe3069283);
	assert_int_equal(sum(0, "", 0), 0);
}

static void all_ways_give_the_known_answers(void **state)
{
	(void)state;
	check_vectors(bit_by_bit);
	check_vectors(dg_crc32c_portable);
	check_vectors(dg_crc32c);
	if (dg_crc32c_has_hardware())
		check_vectors(dg_crc32c_hardware);
	else
		print_message("this processor has no instruction for it\n");
}

/* Every length up to some words, every alignment, every start; memory that ends with the data. */
static void all_ways_agree(void **state)
{
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 3);
	for (size_t i = 0; i < 4000; i++) {
		size_t offset = i % 8, len = i < 1600 ? i / 8 : dg_random_below(&r, 3000);
		uint8_t *block = malloc(offset + len + (offset + len == 0));
		uint32_t start = (uint32_t)dg_random_next(&r), sum;

		assert_non_null(block);
		for (size_t k = 0; k < offset + len; k++)
			block[k] = (uint8_t)dg_random_next(&r);
		sum = bit_by_bit(start, block + offset, len);
		assert_int_equal(dg_crc32c_portable(start, block + offset, len), sum);
		assert_int_equal(dg_crc32c(start, block + offset, len), sum);
		if (dg_crc32c_has_hardware())
			assert_int_equal(dg_crc32c_hardware(start, block + offset, len), sum);
		free(block);
	}
}

static void parts_add_up_to_the_whole(void **state)
{
	static const char text[] = "a datagram that is summed in two parts, wherever it is cut";
	uint32_t whole = dg_crc32c(0, text, sizeof text);

	(void)state;
	for (size_t cut = 0; cut <= sizeof text; cut++)
		assert_int_equal(dg_crc32c(dg_crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ways_give_the_known_answers),
		cmocka_unit_test(all_ways_agree),
		cmocka_unit_test(parts_add_up_to_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
