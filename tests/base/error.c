#include <dgram/error.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "test.h"

static const int all[] = {
#define DGRAM_ERROR_ROW(name, lower, value, text) DGRAM_ERR_##name,
	DGRAM_ERRORS(DGRAM_ERROR_ROW)
#undef DGRAM_ERROR_ROW
};
#define COUNT (sizeof all / sizeof all[0])

static void every_error_has_its_own_number_name_and_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(all[i], -1 - (int)i); /* no gap: rows are only added */
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(dgram_error_name(all[i]), dgram_error_name(all[j]));
			assert_string_not_equal(dgram_strerror(all[i]), dgram_strerror(all[j]));
		}
		assert_string_not_equal(dgram_error_name(all[i]), "error");
		assert_int_not_equal(dgram_strerror(all[i])[strlen(dgram_strerror(all[i])) - 1], '.');
	}
	assert_string_equal(dgram_error_name(DGRAM_ERR_NOT_LOCAL), "not_local");
}

static void numbers_that_are_no_error_still_have_text(void **state)
{
	static const int none[] = {1, INT_MAX, INT_MIN, -1 - (int)COUNT};

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_string_equal(dgram_error_name(none[i]), "error");
		assert_string_equal(dgram_strerror(none[i]), "unknown error");
	}
	assert_string_equal(dgram_error_name(0), "ok");
	assert_string_equal(dgram_strerror(0), "success");
}

static void errno_values_become_outcomes(void **state)
{
	static const struct {
		int from, to;
	} row[] = {
		{ECONNREFUSED, DGRAM_ERR_REFUSED}, {EHOSTUNREACH, DGRAM_ERR_UNREACHABLE},
		{ENETUNREACH, DGRAM_ERR_UNREACHABLE}, {ENETDOWN, DGRAM_ERR_UNREACHABLE}, {EHOSTDOWN, DGRAM_ERR_UNREACHABLE},
		{EMSGSIZE, DGRAM_ERR_SIZE}, {EPERM, DGRAM_ERR_DENIED}, {EACCES, DGRAM_ERR_DENIED},
		{EPROTOTYPE, DGRAM_ERR_KIND}, {ENOBUFS, DGRAM_ERR_NOBUFS}, {EAGAIN, DGRAM_ERR_AGAIN}, {EADDRINUSE, DGRAM_ERR_IN_USE},
		{EADDRNOTAVAIL, DGRAM_ERR_NOT_LOCAL}, {ENODEV, DGRAM_ERR_INTERFACE}, {ETIMEDOUT, DGRAM_ERR_TIMEOUT},
		{ECONNRESET, DGRAM_ERR_BROKEN}, {EPIPE, DGRAM_ERR_BROKEN}, {ENOMEM, DGRAM_ERR_NOMEM},
		{EAFNOSUPPORT, DGRAM_ERR_UNSUPPORTED}, {EBADF, DGRAM_ERR_SYSTEM}, {EIO, DGRAM_ERR_SYSTEM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(dgram_error_from_errno(row[i].from), row[i].to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_its_own_number_name_and_sentence),
		cmocka_unit_test(numbers_that_are_no_error_still_have_text),
		cmocka_unit_test(errno_values_become_outcomes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
