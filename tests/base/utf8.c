#include "base/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* The encoding of a code point, by the definition and without its limits. */
static size_t encode(uint8_t out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static void every_code_point_is_taken_or_not(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x1fffff; c++) {
		uint8_t bytes[4];
		size_t len = encode(bytes, c);
		bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);

		if (dg_utf8_length(bytes, len) != (valid ? len : 0) ||
		    dg_utf8_shown(bytes, len) != (valid && !control ? len : 0))
			fail_msg("U+%04X", c);
	}
}

/* All sequences of up to four bytes from where the rules change, against the set of all
 * encodings. */
static void whatever_is_no_encoding_is_refused(void **state)
{
	static const uint8_t edge[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
				       0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
	const size_t n = sizeof edge;

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		uint8_t bytes[4] = {edge[i % n], edge[i / n % n], edge[i / n / n % n], edge[i / n / n / n]};
		uint8_t again[4];
		size_t len = dg_utf8_length(bytes, 4);
		uint32_t c = bytes[0];

		if (len == 0)
			continue; /* that no encoding is refused is the test above */
		for (size_t k = 1; k < len; k++)
			c = (k == 1 ? c & (0x7fu >> len) : c) << 6 | (bytes[k] & 0x3f);
		assert_int_equal(encode(again, c), len);
		assert_memory_equal(again, bytes, len);
	}
}

static void a_character_that_is_cut_is_none(void **state)
{
	static const char *const text[] = {"\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t len = 1; len < strlen(text[i]); len++) {
			uint8_t *cut = malloc(len);

			assert_non_null(cut);
			memcpy(cut, text[i], len);
			assert_int_equal(dg_utf8_length(cut, len), 0);
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_is_taken_or_not),
		cmocka_unit_test(whatever_is_no_encoding_is_refused),
		cmocka_unit_test(a_character_that_is_cut_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
