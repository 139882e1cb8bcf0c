/* Exhaustive: every byte, every code point below U+3000 and some above, and every place where a
 * piece may be cut. The oracle below is written anew, from the rule's text. */
#include "test.h"
#include "common/escape.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t encode(uint32_t point, uint8_t *out)
{
	if (point < 0x80) {
		out[0] = (uint8_t)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (uint8_t)(0xC0 | point >> 6);
		out[1] = (uint8_t)(0x80 | (point & 63));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (uint8_t)(0xE0 | point >> 12);
		out[1] = (uint8_t)(0x80 | (point >> 6 & 63));
		out[2] = (uint8_t)(0x80 | (point & 63));
		return 3;
	}
	out[0] = (uint8_t)(0xF0 | point >> 18);
	out[1] = (uint8_t)(0x80 | (point >> 12 & 63));
	out[2] = (uint8_t)(0x80 | (point >> 6 & 63));
	out[3] = (uint8_t)(0x80 | (point & 63));
	return 4;
}

static bool is_an_order(uint32_t point)
{
	static const uint32_t bidi[] = {0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C,
	                                0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069};
	for (size_t i = 0; i < sizeof(bidi) / sizeof(bidi[0]); i++)
		if (point == bidi[i])
			return true;
	bool c0 = point < 0x20 && point != '\n' && point != '\t';
	return c0 || point == 0x7F || (point >= 0x80 && point <= 0x9F) ||
	       (point >= 0xD800 && point <= 0xDFFF);
}

/* All of in, cut before byte cut (len: in one piece). Terminates out. */
static void escape_cut(const uint8_t *in, size_t len, size_t cut, char *out)
{
	struct escape e = {.count = 0};
	size_t n = escape_piece(&e, in, cut, out);
	n += escape_piece(&e, in + cut, len - cut, out + n);
	n += escape_end(&e, out + n);
	out[n] = '\0';
}

static void hex_of(const uint8_t *in, size_t len, char *out)
{
	*out = '\0';
	for (size_t i = 0; i < len; i++)
		sprintf(out + 4 * i, "\\x%02X", in[i]);
}

/* Between two letters, so that what must not be swallowed is there. */
static void check_everywhere(const uint8_t *middle, size_t len, const char *expected)
{
	uint8_t in[16] = {'a'};
	char want[80], got[ESCAPE_ROOM(16) + 16];
	memcpy(in + 1, middle, len);
	in[len + 1] = 'z';
	snprintf(want, sizeof(want), "a%sz", expected);
	for (size_t cut = 0; cut <= len + 2; cut++) {
		escape_cut(in, len + 2, cut, got);
		if (strcmp(got, want) != 0)
			fail_msg("cut %zu: want %s, got %s", cut, want, got);
	}
}

static void every_code_point_below_U3000_is_text_or_escaped(void **state)
{
	(void)state;
	for (uint32_t point = 1; point < 0x3000; point++) {
		uint8_t bytes[5] = {0};
		char expected[32];
		size_t len = encode(point, bytes);
		if (is_an_order(point))
			hex_of(bytes, len, expected);
		else
			memcpy(expected, bytes, sizeof(bytes));
		check_everywhere(bytes, len, expected);
	}
}

static void nul_is_escaped(void **state)
{
	(void)state;
	check_everywhere((const uint8_t *)"", 1, "\\x00");
}

static void every_lone_byte_above_7F_is_escaped(void **state)
{
	(void)state;
	for (unsigned byte = 0x80; byte <= 0xFF; byte++) {
		uint8_t b = (uint8_t)byte;
		char expected[8];
		hex_of(&b, 1, expected);
		check_everywhere(&b, 1, expected);
	}
}

static void every_pair_of_bytes_is_one_character_or_escaped(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		uint8_t in[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
		char expected[16] = "";
		uint32_t point = (in[0] & 0x1Fu) << 6 | (in[1] & 0x3Fu);
		bool is_character = in[0] >= 0xC2 && in[0] <= 0xDF && (in[1] & 0xC0) == 0x80;
		for (size_t i = 0; i < 2; i++) {
			bool keep = is_character ? !is_an_order(point)
			                         : in[i] < 0x80 && !is_an_order(in[i]);
			size_t n = strlen(expected);
			if (keep)
				expected[n] = (char)in[i];
			else
				hex_of(in + i, 1, expected + n);
		}
		check_everywhere(in, 2, expected);
	}
}

static void characters_of_the_upper_planes_pass(void **state)
{
	static const uint32_t points[] = {0x3000, 0x4E2D,  0xD7FF,  0xE000,
	                                  0xFFFD, 0x10000, 0x1F600, 0x10FFFF};
	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		uint8_t bytes[5] = {0};
		size_t len = encode(points[i], bytes);
		check_everywhere(bytes, len, (const char *)bytes);
	}
}

static void broken_utf8_is_escaped_byte_by_byte(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	        {"\xC0\xAF", "\\xC0\\xAF"},          /* overlong / */
	        {"\xC1\x9B", "\\xC1\\x9B"},          /* overlong [ */
	        {"\xE0\x82\x9B", "\\xE0\\x82\\x9B"}, /* overlong C1 */
	        {"\xF0\x80\x82\x9B", "\\xF0\\x80\\x82\\x9B"},
	        {"\xED\xA0\x80", "\\xED\\xA0\\x80"},          /* surrogate */
	        {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"}, /* above U+10FFFF */
	        {"\xF5\x80\x80\x80", "\\xF5\\x80\\x80\\x80"},
	        {"\xE4\xB8", "\\xE4\\xB8"},          /* cut short */
	        {"\xE4\xB8\x1B", "\\xE4\\xB8\\x1B"}, /* ESC inside a character */
	        {"\xE4\xB8\xE4\xB8\xAD",
	         "\\xE4\\xB8\xE4\xB8\xAD"}, /* a whole one after a cut one */
	        {"\xF0\x9F\x98\xC3\xA9", "\\xF0\\x9F\\x98\xC3\xA9"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_everywhere((const uint8_t *)rows[i].in, strlen(rows[i].in), rows[i].out);
}

static void the_end_writes_what_was_never_finished(void **state)
{
	struct escape e = {.count = 0};
	char out[ESCAPE_ROOM(2)];
	(void)state;
	assert_int_equal(escape_piece(&e, (const uint8_t *)"\xE4\xB8", 2, out), 0);
	assert_int_equal(escape_end(&e, out), 8);
	assert_memory_equal(out, "\\xE4\\xB8", 8);
	assert_int_equal(escape_end(&e, out), 0);
}

static void a_line_has_no_newline_and_fits(void **state)
{
	char out[64], small[9];
	(void)state;
	assert_string_equal(escape_line("a\nb\t\xE4\xB8\xAD", 7, out, sizeof(out)),
	                    "a\\x0Ab\\x09\xE4\xB8\xAD");
	assert_string_equal(escape_line("a\xE4", 2, out, sizeof(out)), "a\\xE4");
	assert_string_equal(escape_line("\xE4\n", 2, out, sizeof(out)), "\\xE4\\x0A");
	assert_string_equal(escape_line("ab\033\033\033", 5, small, sizeof(small)), "ab\\x1B");
}

/* Every piece of every character, and every pair of bytes that is none. */
static void the_tail_is_what_can_still_become_a_character(void **state)
{
	static bool starts[256], starts_pair[65536];
	uint8_t c[8] = {'a'};
	(void)state;
	for (uint32_t point = 0x80; point < 0x110000; point++) {
		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		size_t len = encode(point, c + 1);
		starts[c[1]] = true;
		starts_pair[c[1] << 8 | c[2]] |= len > 2;
		for (size_t n = 0; n < len; n++)
			assert_int_equal(escape_tail(c, 1 + n), n);
		assert_int_equal(escape_tail(c, 1 + len), 0);
	}
	for (unsigned pair = 0; pair < 65536; pair++) {
		uint8_t two[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
		assert_int_equal(escape_tail(two, 2), starts_pair[pair] ? 2
		                                      : starts[two[1]]  ? 1
		                                                        : 0);
	}
	assert_int_equal(escape_tail(c, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_code_point_below_U3000_is_text_or_escaped),
	        cmocka_unit_test(nul_is_escaped),
	        cmocka_unit_test(every_lone_byte_above_7F_is_escaped),
	        cmocka_unit_test(every_pair_of_bytes_is_one_character_or_escaped),
	        cmocka_unit_test(characters_of_the_upper_planes_pass),
	        cmocka_unit_test(broken_utf8_is_escaped_byte_by_byte),
	        cmocka_unit_test(the_end_writes_what_was_never_finished),
	        cmocka_unit_test(a_line_has_no_newline_and_fits),
	        cmocka_unit_test(the_tail_is_what_can_still_become_a_character),
	};
	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
