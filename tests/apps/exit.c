/* Every error of the library has an exit code, and every code is in the table. */
#include "test.h"
#include "common/exit.h"
#include <dgram/error.h>
#include <stdbool.h>
#include <string.h>

static bool is_in_table(int code)
{
	for (size_t i = 0; i < exit_row_count; i++)
		if (exit_rows[i].code == code)
			return true;
	return false;
}

static void every_error_has_a_code_of_the_table(void **state)
{
	(void)state;
#define ROW(name, lower, value, text) \
	assert_true(is_in_table(exit_of(value))); \
	assert_int_not_equal(exit_of(value), CODE_OK);
	DGRAM_ERRORS(ROW)
#undef ROW
	assert_int_equal(exit_of(0), CODE_OK);
	assert_int_equal(exit_of(7), CODE_OK);
}

static void outcomes_of_a_question_have_the_documented_numbers(void **state)
{
	static const struct {
		int error, code;
		const char *name;
	} rows[] = {
		{DGRAM_ERR_RESOLVE, 6, "resolve"},    {DGRAM_ERR_REFUSED, 7, "refused"},
		{DGRAM_ERR_UNREACHABLE, 7, "refused"}, {DGRAM_ERR_FORMAT, 8, "malformed"},
		{DGRAM_ERR_TRUNCATED, 8, "malformed"}, {DGRAM_ERR_TIMEOUT, 28, "timeout"},
		{DGRAM_ERR_IN_USE, 45, "bind"},        {DGRAM_ERR_NOT_LOCAL, 45, "bind"},
		{DGRAM_ERR_INTERFACE, 45, "bind"},     {DGRAM_ERR_UNKNOWN, 52, "unknown"},
		{DGRAM_ERR_BROKEN, 56, "broken"},      {DGRAM_ERR_SIZE, 63, "size"},
		{DGRAM_ERR_FULL, 75, "busy"},          {DGRAM_ERR_ADDRESS, 2, "usage"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(exit_of(rows[i].error), rows[i].code);
		assert_string_equal(exit_name(rows[i].code), rows[i].name);
	}
}

static void the_table_rises_and_every_row_says_something(void **state)
{
	(void)state;
	for (size_t i = 0; i < exit_row_count; i++) {
		assert_true(strlen(exit_rows[i].text) > 0);
		assert_string_equal(exit_name(exit_rows[i].code), exit_rows[i].name);
		assert_true(i == 0 || exit_rows[i - 1].code < exit_rows[i].code);
	}
	assert_string_equal(exit_name(99), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_a_code_of_the_table),
		cmocka_unit_test(outcomes_of_a_question_have_the_documented_numbers),
		cmocka_unit_test(the_table_rises_and_every_row_says_something),
	};
	return cmocka_run_group_tests_name("exit", tests, NULL, NULL);
}
