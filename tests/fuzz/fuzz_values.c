/* Values of options: a refusal has a sentence and changes nothing; a value stays in its limits, and
 * a zero more behind the point changes nothing either. The first byte picks the kind. */
#include "fuzz.h"

#include "common/values.h"

static const char *percent(const char *text, uint64_t *out)
{
	uint32_t ppm = (uint32_t)*out;
	const char *wrong = values_percent(text, &ppm);

	*out = ppm;
	return wrong;
}

static const char *percent_pair(const char *text, uint64_t *out)
{
	uint32_t first = (uint32_t)*out, second = (uint32_t)*out;
	const char *wrong = values_percent_pair(text, &first, &second);

	*out = first > second ? first : second;
	return wrong;
}

static const char *factor(const char *text, uint64_t *out)
{
	uint32_t thousandths = (uint32_t)*out;
	const char *wrong = values_factor(text, &thousandths);

	*out = thousandths;
	return wrong;
}

static const char *count(const char *text, uint64_t *out)
{
	return values_count(text, 1000, out);
}

static const struct {
	const char *(*parse)(const char *text, uint64_t *out);
	uint64_t min, max;
	int fractions; /* may have them */
} kinds[] = {
	{values_duration, 0, INT64_MAX, 1},
	{values_size, 0, INT64_MAX, 1},
	{values_rate, 1, INT64_MAX, 1},
	{percent, 0, 1000000, 1},
	{percent_pair, 0, 1000000, 0},
	{factor, 0, 1000000, 1},
	{count, 0, 1000, 0},
};

/* The same number, with another zero behind its point. */
static char *with_a_zero_more(const char *text)
{
	size_t digits = strspn(text, "0123456789.");
	const char *zero = memchr(text, '.', digits) ? "0" : ".0";
	size_t size = strlen(text) + 3;
	char *more = malloc(size);

	FUZZ_CHECK(more);
	snprintf(more, size, "%.*s%s%s", (int)digits, text, zero, text + digits);
	return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t value = 12345, again;
	const char *wrong;
	char *text, *more;
	size_t kind;

	if (size == 0)
		return 0;
	kind = data[0] % (sizeof kinds / sizeof kinds[0]);
	text = fuzz_text(data + 1, size - 1);
	wrong = kinds[kind].parse(text, &value);
	if (wrong) {
		FUZZ_CHECK(wrong[0] && value == 12345);
	} else {
		FUZZ_CHECK(value >= kinds[kind].min && value <= kinds[kind].max);
	}
	if (!wrong && kinds[kind].fractions) {
		more = with_a_zero_more(text);
		FUZZ_CHECK(!kinds[kind].parse(more, &again) && again == value);
		free(more);
	}
	free(text);
	return 0;
}
