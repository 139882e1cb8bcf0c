#include "base/ip.h"

#include "base/text.h"

#include <string.h>

bool dg_ip4_parse(uint8_t out[4], const char *text, size_t len)
{
	uint32_t number;

	for (int i = 0; i < 4; i++) {
		size_t n = i < 3 ? dg_text_until(text, len, '.') : len;

		if (!dg_text_number(&number, text, n, 255))
			return false;
		out[i] = (uint8_t)number;
		if (i < 3 && n == len)
			return false;
		text += n + (i < 3);
		len -= n + (i < 3);
	}
	return true;
}

static bool group_parse(uint8_t out[2], const char *text, size_t len)
{
	unsigned int value = 0;

	if (len < 1 || len > 4)
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = dg_text_hex(text[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (unsigned int)digit;
	}
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return true;
}

/* The groups of text, separated by single colons, without "::". Returns how many bytes of out
 * (room) they fill, or -1. Only the end of an address may be written as IPv4. */
static int groups_parse(uint8_t *out, size_t room, const char *text, size_t len, bool at_end)
{
	size_t used = 0;

	for (;;) {
		size_t n = dg_text_until(text, len, ':');

		if (at_end && n == len && dg_text_until(text, len, '.') < len) {
			if (room - used < 4 || !dg_ip4_parse(out + used, text, len))
				return -1;
			return (int)used + 4;
		}
		if (room - used < 2 || !group_parse(out + used, text, n))
			return -1;
		used += 2;
		if (n == len)
			return (int)used;
		text += n + 1;
		len -= n + 1;
	}
}

static size_t find_gap(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (text[i] == ':' && text[i + 1] == ':')
			return i;
	return len;
}

bool dg_ip6_parse(uint8_t out[16], const char *text, size_t len)
{
	uint8_t tail[14];
	size_t gap = find_gap(text, len);
	int before = 0, after = 0;

	if (gap == len)
		return groups_parse(out, 16, text, len, true) == 16;
	memset(out, 0, 16);
	if (gap > 0)
		before = groups_parse(out, 14, text, gap, false);
	if (before < 0)
		return false;
	if (gap + 2 < len)
		after = groups_parse(tail, 14 - (size_t)before, text + gap + 2, len - gap - 2,
				     true);
	if (after < 0)
		return false;
	memcpy(out + 16 - after, tail, (size_t)after);
	return true;
}

bool dg_ip6_is_mapped(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip, prefix, sizeof prefix) == 0;
}

size_t dg_ip4_format(char out[DG_IP4_TEXT_MAX], const uint8_t ip[4])
{
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			out[n++] = '.';
		n += dg_text_digits(out + n, ip[i]);
	}
	return n;
}

static size_t group_format(char *out, const uint8_t group[2])
{
	unsigned int value = (unsigned int)group[0] << 8 | group[1];
	int shift = 12;
	size_t n = 0;

	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		out[n++] = "0123456789abcdef"[value >> shift & 15];
	return n;
}

/* The run of zero groups that "::" stands for: the longest, the first of equals, never one group
 * alone (RFC 5952, sections 4.2.2 and 4.2.3). Returns its length in groups, 0 for none. */
static int longest_zeros(const uint8_t ip[16], int *first)
{
	int best = 1, run = 0;

	*first = -1;
	for (int i = 0; i < 8; i++) {
		run = ip[2 * i] == 0 && ip[2 * i + 1] == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*first = i + 1 - run;
		}
	}
	return *first < 0 ? 0 : best;
}

size_t dg_ip6_format(char out[DG_IP6_TEXT_MAX], const uint8_t ip[16])
{
	int first, zeros = longest_zeros(ip, &first);
	size_t n = 0;

	for (int i = 0; i < 8; i++) {
		if (i == first) {
			out[n++] = ':';
			out[n++] = ':';
			i += zeros - 1;
			continue;
		}
		if (i > 0 && out[n - 1] != ':')
			out[n++] = ':';
		n += group_format(out + n, ip + 2 * i);
	}
	return n;
}
