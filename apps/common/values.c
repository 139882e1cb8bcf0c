#include "values.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t size;
};

/* One sort of value: its units, the largest result, and what is said of a text that is none or too
 * large. */
struct kind {
	const struct unit *units;
	uint64_t max;
	const char *wrong;
	const char *too_large;
};

#define NS_PER_S UINT64_C(1000000000)

/* clang-format off */
static const struct kind duration = {
	.units = (const struct unit[]){
		{"us", 1000}, {"ms", 1000000}, {"s", NS_PER_S}, {"", NS_PER_S},
		{"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S},
		{NULL, 0},
	},
	.max = INT64_MAX,
	.wrong = "no duration: write 250us, 300ms, 1.5s, 2m, 1h, or seconds (2, 0.5)",
	.too_large = "too long: 292 years is the most",
};

static const struct kind size = {
	.units = (const struct unit[]){
		{"", 1},             {"B", 1},
		{"k", 1 << 10},      {"K", 1 << 10},      {"KiB", 1 << 10},
		{"m", 1 << 20},      {"M", 1 << 20},      {"MiB", 1 << 20},
		{"g", 1 << 30},      {"G", 1 << 30},      {"GiB", 1 << 30},
		{"kB", 1000},        {"KB", 1000},
		{"MB", 1000000},     {"GB", 1000000000},
		{NULL, 0},
	},
	.max = INT64_MAX,
	.wrong = "no size: write bytes (512) or 64k, 1M, 1MiB, 2G (of 1024), 64kB, 1MB (of 1000)",
	.too_large = "too large: 8 EiB is more than there can be",
};

static const struct kind rate = {
	.units = (const struct unit[]){
		{"bit", 1},
		{"kbit", 1000},       {"Kbit", 1000},
		{"mbit", 1000000},    {"Mbit", 1000000},
		{"gbit", 1000000000}, {"Gbit", 1000000000},
		{NULL, 0},
	},
	.max = INT64_MAX,
	.wrong = "no rate: write bits per second with their unit, 9600bit, 64kbit, 10mbit, 1gbit",
	.too_large = "too fast: no link has such a rate",
};

static const struct kind percent = {
	.units = (const struct unit[]){{"%", 10000}, {NULL, 0}},
	.max = 1000000,
	.wrong = "no percentage: write it with its sign, 5%, 0.1%",
	.too_large = "too much: 100% is the most",
};

static const struct kind factor = {
	.units = (const struct unit[]){{"", 1000}, {NULL, 0}},
	.max = 1000000,
	.wrong = "no factor: write a number, 2, 1.5",
	.too_large = "too large: 1000 is the most",
};
/* clang-format on */

static size_t count_digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] >= '0' && text[n] <= '9')
		n++;
	return n;
}

/* value * 10 + digit, if that is at most max. */
static bool append_digit(uint64_t *value, char c, uint64_t max)
{
	uint64_t digit = (uint64_t)(c - '0');

	if (digit > max || *value > (max - digit) / 10)
		return false;
	*value = *value * 10 + digit;
	return true;
}

/* The digits of text (len of them, all digits) as a number up to max. */
static bool whole_number(uint64_t *out, const char *text, size_t len, uint64_t max)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		if (!append_digit(&value, text[i], max))
			return false;
	*out = value;
	return true;
}

/* 0.DIGITS of a unit, cut off. From the last digit to the first, so that nothing but ten units has
 * to fit; cutting at each step is the same as cutting once at the end. */
static uint64_t fraction_of(uint64_t unit, const char *digits, size_t len)
{
	uint64_t value = 0;

	while (len-- > 0)
		value = (value + (uint64_t)(digits[len] - '0') * unit) / 10;
	return value;
}

static uint64_t unit_size(const struct unit *unit, const char *name, size_t len)
{
	for (; unit->name; unit++)
		if (strlen(unit->name) == len && memcmp(unit->name, name, len) == 0)
			return unit->size;
	return 0;
}

static bool all_zeros(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '0' || text[len - 1] == '.'))
		len--;
	return len == 0;
}

/* The whole of text (len bytes): DIGITS[.DIGITS]UNIT. */
static const char *parse(uint64_t *out, const char *text, size_t len, const struct kind *kind)
{
	size_t whole = count_digits(text, len), fraction = 0, number = whole;
	uint64_t unit, value, part;

	if (whole < len && text[whole] == '.') {
		fraction = count_digits(text + whole + 1, len - whole - 1);
		number += 1 + fraction;
		if (fraction == 0)
			return kind->wrong;
	}
	if (number == 0 || (whole > 1 && text[0] == '0'))
		return kind->wrong;
	unit = unit_size(kind->units, text + number, len - number);
	if (unit == 0)
		return kind->wrong;
	part = fraction ? fraction_of(unit, text + whole + 1, fraction) : 0;
	if (!whole_number(&value, text, whole, kind->max / unit) || kind->max - value * unit < part)
		return kind->too_large;
	value = value * unit + part;
	if (value == 0 && !all_zeros(text, number))
		return kind->wrong;
	*out = value;
	return NULL;
}

const char *values_duration(const char *text, uint64_t *ns)
{
	return parse(ns, text, strlen(text), &duration);
}

const char *values_size(const char *text, uint64_t *bytes)
{
	return parse(bytes, text, strlen(text), &size);
}

const char *values_rate(const char *text, uint64_t *bits)
{
	uint64_t value;
	const char *wrong = parse(&value, text, strlen(text), &rate);

	if (wrong)
		return wrong;
	if (value == 0)
		return "no rate: nothing would ever pass";
	*bits = value;
	return NULL;
}

static const char *parse_small(uint32_t *out, const char *text, size_t len, const struct kind *kind)
{
	uint64_t value;
	const char *wrong = parse(&value, text, len, kind);

	if (!wrong)
		*out = (uint32_t)value;
	return wrong;
}

const char *values_percent(const char *text, uint32_t *ppm)
{
	return parse_small(ppm, text, strlen(text), &percent);
}

const char *values_percent_pair(const char *text, uint32_t *first, uint32_t *second)
{
	const char *comma = strchr(text, ',');
	const char *wrong = "no pair of percentages: write two with a comma, 1%,25%";
	uint32_t one, two;

	if (!comma)
		return wrong;
	if (parse_small(&one, text, (size_t)(comma - text), &percent) ||
	    parse_small(&two, comma + 1, strlen(comma + 1), &percent))
		return wrong;
	*first = one;
	*second = two;
	return NULL;
}

const char *values_factor(const char *text, uint32_t *thousandths)
{
	return parse_small(thousandths, text, strlen(text), &factor);
}

const char *values_count(const char *text, uint64_t max, uint64_t *out)
{
	size_t len = strlen(text);

	if (len == 0 || count_digits(text, len) < len || (len > 1 && text[0] == '0'))
		return "no whole number: write digits alone, without a leading zero";
	return whole_number(out, text, len, max) ? NULL : "too large";
}
