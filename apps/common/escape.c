/* What passes is valid UTF-8 without C0 (but newline and tab), DEL, C1 and the characters of
 * Unicode's property Bidi_Control, which show a text in another order than it has. All else becomes
 * \xNN, so that no byte of a stranger reaches a terminal as an order. */
#include "escape.h"
#include <stdbool.h>
#include <string.h>

static size_t put_hex(uint8_t byte, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 15];
	return 4;
}

static bool is_bidi_control(uint32_t point)
{
	return point == 0x061C || point == 0x200E || point == 0x200F ||
	       (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

static bool is_printable(uint32_t point)
{
	if (point < 0x20)
		return point == '\n' || point == '\t';
	return !(point >= 0x7F && point <= 0x9F) && !is_bidi_control(point);
}

/* Bytes of the character that starts with lead; 0: none does. */
static size_t length_of(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

/* Whether byte may stand second: shuts out overlong forms, surrogates and what lies above U+10FFFF
 * (Unicode table 3-7). */
static bool may_be_second(uint8_t lead, uint8_t byte)
{
	uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	return byte >= low && byte <= high;
}

/* How many of the count bytes at s can belong to one character: all of them, or fewer and it is
 * broken. */
static size_t valid_prefix(const uint8_t *s, size_t count)
{
	if (length_of(s[0]) == 0)
		return 0;
	for (size_t i = 1; i < count; i++)
		if (i == 1 ? !may_be_second(s[0], s[1]) : (s[i] & 0xC0) != 0x80)
			return i;
	return count;
}

size_t escape_tail(const uint8_t *data, size_t len)
{
	for (size_t n = 1; n <= 3 && n <= len; n++) {
		const uint8_t *c = data + len - n;
		if ((*c & 0xC0) != 0x80)
			return length_of(*c) > n && valid_prefix(c, n) == n ? n : 0;
	}
	return 0;
}

static uint32_t decode(const uint8_t *s, size_t len)
{
	if (len == 1)
		return s[0];
	uint32_t point = s[0] & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++)
		point = point << 6 | (s[i] & 0x3Fu);
	return point;
}

static size_t put_escaped(const uint8_t *s, size_t len, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += put_hex(s[i], out + n);
	return n;
}

static size_t put_character(const uint8_t *s, size_t len, char *out)
{
	if (!is_printable(decode(s, len)))
		return put_escaped(s, len, out);
	memcpy(out, s, len);
	return len;
}

/* One byte further. The bytes held are always the valid start of a character. */
static size_t put_byte(struct escape *e, uint8_t byte, char *out)
{
	uint8_t c[4];
	size_t count = e->count;
	memcpy(c, e->held, count);
	c[count++] = byte;

	if (valid_prefix(c, count) < count) {
		if (count == 1)
			return put_hex(byte, out);
		size_t n = escape_end(e, out);
		return n + put_byte(e, byte, out + n);
	}
	if (count < length_of(c[0])) {
		memcpy(e->held, c, count);
		e->count = (uint8_t)count;
		return 0;
	}
	e->count = 0;
	return put_character(c, count, out);
}

size_t escape_piece(struct escape *e, const uint8_t *piece, size_t len, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += put_byte(e, piece[i], out + n);
	return n;
}

size_t escape_end(struct escape *e, char *out)
{
	size_t n = put_escaped(e->held, e->count, out);
	e->count = 0;
	return n;
}

char *escape_line(const char *text, size_t len, char *out, size_t size)
{
	struct escape e = {.count = 0};
	size_t used = 0;
	for (size_t i = 0; i <= len; i++) {
		char one[ESCAPE_ROOM(1)];
		uint8_t byte = i < len ? (uint8_t)text[i] : 0;
		size_t n = i == len ? escape_end(&e, one) : put_byte(&e, byte, one);
		if (n > 0 && (one[n - 1] == '\n' || one[n - 1] == '\t'))
			n = n - 1 + put_hex(byte, one + n - 1);
		if (used + n + 1 > size)
			break;
		memcpy(out + used, one, n);
		used += n;
	}
	out[used] = '\0';
	return out;
}
