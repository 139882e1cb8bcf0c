#include "base/utf8.h"

/* The table of RFC 3629, section 4: by its first byte, how long a character is and what its second
 * byte may be; the rest are 80 to BF. */
static const struct {
	uint8_t first_min, first_max, second_min, second_max, length;
} row[] = {
	{0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t dg_utf8_length(const uint8_t *data, size_t len)
{
	size_t r = 0;

	while (data[0] > row[r].first_max)
		if (++r == sizeof row / sizeof row[0])
			return 0;
	if (data[0] < row[r].first_min || row[r].length > len)
		return 0;
	if (row[r].length > 1 && (data[1] < row[r].second_min || data[1] > row[r].second_max))
		return 0;
	for (size_t i = 2; i < row[r].length; i++)
		if (data[i] < 0x80 || data[i] > 0xbf)
			return 0;
	return row[r].length;
}

size_t dg_utf8_shown(const uint8_t *data, size_t len)
{
	size_t n = dg_utf8_length(data, len);

	if (n == 1 && (data[0] < 0x20 || data[0] == 0x7f))
		return 0;
	if (n == 2 && data[0] == 0xc2 && data[1] < 0xa0)
		return 0;
	return n;
}
