/* dgram_ask() where every send is EPERM, as behind a firewall that drops what leaves: a seccomp
 * filter says so. */
#define _GNU_SOURCE
#include <dgram/ask.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test.h"

static int forbid_sending(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmmsg, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void what_a_firewall_drops_is_tried_again_and_was_never_sent(void **state)
{
	struct dgram_ask_options opt = {.deadline = 150 * DGRAM_MS};
	struct dgram_ask_report report;
	struct dgram_socket s;
	struct dgram_addr to;
	char answer[9];
	struct dgram_question q = {&to, 1, "hi", 2, answer, sizeof answer};

	(void)state;
	assert_int_equal(dgram_addr_parse(&to, "127.0.0.1:9"), 0);
	assert_int_equal(dgram_socket_open(&s, DGRAM_IPV4, NULL), 0);
	assert_int_equal(dgram_ask(&s, &q, &opt, &report), DGRAM_ERR_DENIED);
	dgram_socket_close(&s);
	assert_int_equal(report.tries, 0);
	assert_true(report.event_count >= 2);
	assert_true(report.elapsed >= 150 * DGRAM_MS);
	assert_int_equal(report.last_error.errno_value, EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_firewall_drops_is_tried_again_and_was_never_sent),
	};

	if (forbid_sending() < 0) {
		printf("skipped: no seccomp filter can be set: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
