/* dgram_ask() where there is no way: a network namespace of its own, with every interface down. */
#define _GNU_SOURCE
#include <dgram/ask.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static int ask(const struct dgram_ask_options *opt, struct dgram_ask_report *report)
{
	struct dgram_socket s;
	struct dgram_addr to;
	char answer[9];
	struct dgram_question q = {&to, 1, "hi", 2, answer, sizeof answer};
	int rc;

	assert_int_equal(dgram_addr_parse(&to, "127.0.0.1:9"), 0);
	assert_int_equal(dgram_socket_open(&s, DGRAM_IPV4, NULL), 0);
	rc = dgram_ask(&s, &q, opt, report);
	dgram_socket_close(&s);
	return rc;
}

static void no_way_is_unreachable_at_once(void **state)
{
	struct dgram_ask_report report;

	(void)state;
	assert_int_equal(ask(NULL, &report), DGRAM_ERR_UNREACHABLE);
	assert_int_equal(report.tries, 0);
	assert_int_equal(report.refusals, 1);
	assert_int_equal(report.last_error.error, DGRAM_ERR_UNREACHABLE);
	assert_int_not_equal(report.last_error.errno_value, 0);
}

static void no_way_until_the_deadline_is_unreachable(void **state)
{
	struct dgram_ask_options opt = {.retry_refused = true, .deadline = 120 * DGRAM_MS};
	struct dgram_ask_report report;

	(void)state;
	assert_int_equal(ask(&opt, &report), DGRAM_ERR_UNREACHABLE);
	assert_true(report.refusals >= 2);
	assert_true(report.elapsed >= 120 * DGRAM_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_way_is_unreachable_at_once),
		cmocka_unit_test(no_way_until_the_deadline_is_unreachable),
	};

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace can be made: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
