#include "common/values.h"

#include <string.h>

#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NS_PER_S UINT64_C(1000000000)

/* What no value may look like, whatever its unit. */
static const char *const junk[] = {
	"", " ", "x", "-1", "+1", " 1", "1 ", "1,5", "1.", ".", "..5", "1..5", "1.5.5", "0x10", "1e3",
	"inf", "nan", "00", "010", "00.5", "1\n", "\xd9\xa1" /* a digit, but an Arabic one */,
	"1\xc2\xb5s", "%", "1 %", "5%%", "s", "ms", "kbit", "k",
};

struct row {
	const char *text;
	uint64_t value;
};

typedef const char *parser(const char *text, uint64_t *out);

static void check_rows(parser *parse, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 99;

		if (parse(row[i].text, &value))
			fail_msg("%s: refused", row[i].text);
		if (value != row[i].value)
			fail_msg("%s: %llu", row[i].text, (unsigned long long)value);
	}
}

/* Each is refused with the same sentence, and leaves the value alone. */
static void check_refused(parser *parse, const char *sentence, const char *const *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 99;
		const char *wrong = parse(text[i], &value);

		if (!wrong)
			fail_msg("'%s': taken as %llu", text[i], (unsigned long long)value);
		if (strncmp(wrong, sentence, strlen(sentence)) != 0)
			fail_msg("'%s' is %s", text[i], wrong);
		assert_int_equal(value, 99);
	}
}

static void durations_are_nanoseconds(void **state)
{
	static const struct row row[] = {
		{"0", 0},
		{"0.0", 0},
		{"0ms", 0},
		{"2", 2 * NS_PER_S},
		{"0.5", NS_PER_S / 2},
		{".5", NS_PER_S / 2},
		{"250us", 250000},
		{"300ms", 300000000},
		{"1.5s", 1500000000},
		{"1s", NS_PER_S},
		{"2m", 120 * NS_PER_S},
		{"1h", 3600 * NS_PER_S},
		{"1.5h", 5400 * NS_PER_S},
		{"0.25m", 15 * NS_PER_S},
		{"0.001us", 1},
		{"1.123456789", 1123456789},
		{"0.1", 100000000},
		{"1.0000000009", NS_PER_S},
		{"0.99999999999999999999999999999999s", NS_PER_S - 1},
		{"9223372036", UINT64_C(9223372036000000000)},
		{"9223372036.854775807s", INT64_MAX},
	};
	static const char *const wrong[] = {
		"5sec",    "5S",           "5MS",      "5 s", "1min", "1d",
		"1s500ms", "0.0000000001", "0.0001us", "5%",  "1.s",  "10mbit",
	};
	static const char *const large[] = {
		"9223372036.854775808", "9223372037", "18446744073709551616", "18446744074",
		"99999999999999999999", "2562048h",   "153722868m",
	};

	(void)state;
	check_rows(values_duration, row, COUNT(row));
	check_refused(values_duration, "no duration", junk, COUNT(junk));
	check_refused(values_duration, "no duration", wrong, COUNT(wrong));
	check_refused(values_duration, "too long", large, COUNT(large));
}

static void sizes_are_bytes(void **state)
{
	static const struct row row[] = {
		{"0", 0},
		{"512", 512},
		{"512B", 512},
		{"64k", 65536},
		{"64K", 65536},
		{"64KiB", 65536},
		{"64kB", 64000},
		{"64KB", 64000},
		{"1m", 1 << 20},
		{"1M", 1 << 20},
		{"1MiB", 1 << 20},
		{"1MB", 1000000},
		{"2G", UINT64_C(2) << 30},
		{"2g", UINT64_C(2) << 30},
		{"4GiB", UINT64_C(4) << 30},
		{"1GB", 1000000000},
		{"1.5k", 1536},
		{"0.5M", 1 << 19},
		{"9223372036854775807", INT64_MAX},
	};
	static const char *const wrong[] = {"1kib", "1Mib", "1mib",    "1T",  "1b",
					    "1bit", "0.1",  "0.0001k", "1ms", "k"};
	static const char *const large[] = {"9223372036854775808", "18446744073709551617",
					    "8589934592G", "9007199254740992k"};

	(void)state;
	check_rows(values_size, row, COUNT(row));
	check_refused(values_size, "no size", junk, COUNT(junk));
	check_refused(values_size, "no size", wrong, COUNT(wrong));
	check_refused(values_size, "too large", large, COUNT(large));
}

static void rates_are_bits_per_second(void **state)
{
	static const struct row row[] = {
		{"1bit", 1},
		{"64kbit", 64000},
		{"64Kbit", 64000},
		{"10mbit", 10000000},
		{"10Mbit", 10000000},
		{"1gbit", 1000000000},
		{"2.5Gbit", 2500000000},
		{"0.5mbit", 500000},
	};
	static const char *const wrong[] = {"10",     "10m",   "10mb", "10mbps",   "10kbps",
					    "10MBIT", "1tbit", "0bit", "0.0kbit", "0.1bit"};
	static const char *const large[] = {"9223372036854775808bit", "99999999999gbit"};

	(void)state;
	check_rows(values_rate, row, COUNT(row));
	check_refused(values_rate, "no rate", junk, COUNT(junk));
	check_refused(values_rate, "no rate", wrong, COUNT(wrong));
	check_refused(values_rate, "too fast", large, COUNT(large));
}

static const char *percent(const char *text, uint64_t *out)
{
	uint32_t ppm = (uint32_t)*out;
	const char *wrong = values_percent(text, &ppm);

	*out = ppm;
	return wrong;
}

static void percentages_are_parts_per_million(void **state)
{
	static const struct row row[] = {
		{"0%", 0},           {"5%", 50000},          {"30%", 300000},
		{"0.1%", 1000},      {"0.0001%", 1},         {"33.3333%", 333333},
		{".5%", 5000},       {"99.99999%", 999999},  {"100%", 1000000},
		{"100.0%", 1000000}, {"99.9999%", 999999},
	};
	static const char *const wrong[] = {"5", "0.05", "1/20", "0.00001%", "5%5%", "5percent"};
	static const char *const large[] = {"100.0001%", "101%", "1000000%", "18446744073709551616%"};

	(void)state;
	check_rows(percent, row, COUNT(row));
	check_refused(percent, "no percentage", junk, COUNT(junk));
	check_refused(percent, "no percentage", wrong, COUNT(wrong));
	check_refused(percent, "too much", large, COUNT(large));
}

static void a_pair_of_percentages_is_both_or_nothing(void **state)
{
	static const char *const wrong[] = {"",         ",",      "1%",     "1%,",     ",1%",    "1%,2",
					    "1%,2%,3%", "1%, 2%", "1%;2%",  "1%,101%", "101%,1%"};
	uint32_t first = 7, second = 8;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_non_null(values_percent_pair(wrong[i], &first, &second));
		assert_int_equal(first, 7);
		assert_int_equal(second, 8);
	}
	assert_null(values_percent_pair("1%,25.5%", &first, &second));
	assert_int_equal(first, 10000);
	assert_int_equal(second, 255000);
}

static const char *factor(const char *text, uint64_t *out)
{
	uint32_t thousandths = (uint32_t)*out;
	const char *wrong = values_factor(text, &thousandths);

	*out = thousandths;
	return wrong;
}

static void factors_are_thousandths(void **state)
{
	static const struct row row[] = {
		{"1", 1000}, {"1.5", 1500}, {"2", 2000}, {"0", 0}, {"1.0009", 1000}, {"1000", 1000000},
	};
	static const char *const wrong[] = {"1x", "2%", "0.0001"};
	static const char *const large[] = {"1001", "1000.001", "18446744073709552"};

	(void)state;
	check_rows(factor, row, COUNT(row));
	check_refused(factor, "no factor", junk, COUNT(junk));
	check_refused(factor, "no factor", wrong, COUNT(wrong));
	check_refused(factor, "too large", large, COUNT(large));
}

static const char *count_to_255(const char *text, uint64_t *out)
{
	return values_count(text, 255, out);
}

static void counts_are_whole_numbers_up_to_a_limit(void **state)
{
	static const struct row row[] = {{"0", 0}, {"1", 1}, {"254", 254}, {"255", 255}};
	static const char *const wrong[] = {"1.0", "1k", "0.5", ".5"};
	static const char *const large[] = {"256", "260", "1000", "18446744073709551616",
					    "18446744073709551617"};
	uint64_t value;

	(void)state;
	check_rows(count_to_255, row, COUNT(row));
	check_refused(count_to_255, "no whole number", junk, COUNT(junk));
	check_refused(count_to_255, "no whole number", wrong, COUNT(wrong));
	check_refused(count_to_255, "too large", large, COUNT(large));
	assert_null(values_count("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_non_null(values_count("18446744073709551616", UINT64_MAX, &value));
	assert_non_null(values_count("5", 4, &value));
	assert_non_null(values_count("1", 0, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_nanoseconds),
		cmocka_unit_test(sizes_are_bytes),
		cmocka_unit_test(rates_are_bits_per_second),
		cmocka_unit_test(percentages_are_parts_per_million),
		cmocka_unit_test(a_pair_of_percentages_is_both_or_nothing),
		cmocka_unit_test(factors_are_thousandths),
		cmocka_unit_test(counts_are_whole_numbers_up_to_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
