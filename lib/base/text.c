#include "base/text.h"

size_t dg_text_until(const char *text, size_t len, char stop)
{
	size_t n = 0;

	while (n < len && text[n] != stop)
		n++;
	return n;
}

int dg_text_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool dg_text_number(uint32_t *out, const char *text, size_t len, uint32_t max)
{
	uint64_t value = 0;

	if (len == 0 || len > DG_TEXT_DIGITS_MAX || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

size_t dg_text_digits(char *out, uint32_t value)
{
	uint32_t unit = 1;
	size_t n = 0;

	while (value / unit >= 10)
		unit *= 10;
	for (; unit > 0; unit /= 10)
		out[n++] = (char)('0' + value / unit % 10);
	return n;
}
