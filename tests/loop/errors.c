/* What the system and the network say of datagrams that were sent. The test stands between the library and the
 * calls that send. */
#define _GNU_SOURCE
#include "party.h"

#include <errno.h>
#include <sys/select.h>
#include <sys/socket.h>

static int failures, failure; /* the next sends fail with this errno */

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);

static bool fails(void)
{
	if (failures == 0)
		return false;
	failures--;
	errno = failure;
	return true;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails() ? -1 : __real_sendmsg(fd, message, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	return fails() ? -1 : __real_sendmmsg(fd, v, n, flags);
}

static void a_closed_port_is_refused_at_once(void **state)
{
	static const char *const dead[] = {DEAD4, DEAD6};

	(void)state;
	NEED_ERRORS();
	for (size_t i = 0; i < 2; i++) {
		struct dgram_addr to = address(dead[i]);
		struct party p;

		if (to.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		party_open(&p, to.family == DGRAM_IPV4 ? "127.0.0.1:0" : "[::1]:0", NULL);
		request(&p, &to, "anybody?");
		parties_run(&p, &p, &p.done, 1);
		assert_int_equal(p.last.outcome, DGRAM_REFUSED);
		assert_int_equal(p.last.reason, DGRAM_REASON_UNHEARD);
		assert_true(p.last.elapsed < PATIENCE / 2);
		party_close(&p);
	}
}

static void our_own_port_is_refused_at_once(void **state)
{
	struct party p;

	(void)state;
	party_open(&p, "127.0.0.1:0", NULL);
	request(&p, &p.here, "anybody?");
	parties_run(&p, &p, &p.done, 1);
	assert_int_equal(p.last.outcome, DGRAM_REFUSED);
	assert_int_equal(p.last.reason, DGRAM_REASON_UNHEARD);
	assert_int_equal(stats_of(&p).received[DGRAM_FATE_OWN], 1);
	party_close(&p);
}

/* A foreign loop that watches for reading only. */
static void a_refusal_wakes_poll_and_select(void **state)
{
	struct dgram_addr to = address(DEAD4);
	struct party p;

	(void)state;
	NEED_ERRORS();
	for (int i = 0; i < 2; i++) {
		struct pollfd fd = {.events = POLLIN};
		struct timeval limit = {.tv_sec = (time_t)(PATIENCE / DGRAM_S)};
		fd_set reading;

		party_open(&p, "127.0.0.1:0", NULL);
		request(&p, &to, "anybody?");
		party_turn(&p);
		if (p.done == 0 && i == 0) {
			fd.fd = dgram_loop_fd(p.loop);
			assert_int_equal(poll(&fd, 1, (int)(PATIENCE / DGRAM_MS)), 1);
		} else if (p.done == 0) {
			FD_ZERO(&reading);
			FD_SET(dgram_loop_fd(p.loop), &reading);
			assert_int_equal(
			        select(dgram_loop_fd(p.loop) + 1, &reading, NULL, NULL, &limit), 1);
		}
		party_turn(&p);
		assert_int_equal(p.done, 1);
		assert_int_equal(p.last.reason, DGRAM_REASON_UNHEARD);
		party_close(&p);
	}
}

static void a_silent_port_ends_with_the_deadline(void **state)
{
	struct dgram_socket silent;
	struct dgram_message m = {.kind = DGRAM_REQUEST, .data = "", .len = 0};
	uint64_t start = dgram_clock();
	struct party p;

	(void)state;
	open_bound(&silent, "127.0.0.1:0", NULL);
	party_open(&p, "127.0.0.1:0", NULL);
	m.to = name_of(&silent);
	m.deadline = start + 120 * DGRAM_MS;
	assert_int_equal(dgram_endpoint_submit(p.endpoint, &m, start, NULL), 0);
	parties_run(&p, &p, &p.done, 1);
	assert_int_equal(p.last.outcome, DGRAM_REFUSED);
	assert_int_equal(p.last.reason, DGRAM_REASON_NO_SESSION);
	assert_true(dgram_clock() - start >= 120 * DGRAM_MS);
	party_close(&p);
	dgram_socket_close(&silent);
}

static void what_the_kernel_has_no_room_for_is_sent_again(void **state)
{
	static const int errors[] = {EAGAIN, ENOBUFS, EPERM, ENOMEM, EINVAL, EINTR};

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct party client, server;

		print_message("%s\n", strerror(errors[i]));
		party_open(&server, "127.0.0.1:0", NULL);
		party_open(&client, "127.0.0.1:0", NULL);
		for (int at = 0; at < 2; at++) {
			failure = errors[i];
			failures = 1;
			ask(&client, &server, &server.here, "through");
			assert_int_equal(failures, 0);
		}
		assert_int_equal(server.requests, 2);
		party_close(&client);
		party_close(&server);
	}
}

/* What the kernel says at once of a destination, and what it means to a request that has no session yet. */
static void what_can_never_leave_is_refused_at_once(void **state)
{
	static const struct {
		int error;
		enum dgram_reason reason;
	} row[] = {
	        {ENETUNREACH, DGRAM_REASON_UNREACHABLE},
	        {EHOSTUNREACH, DGRAM_REASON_UNREACHABLE},
	        {EACCES, DGRAM_REASON_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = address("127.0.0.1:9");
		struct party p;

		party_open(&p, "127.0.0.1:0", NULL);
		failure = row[i].error;
		failures = 100;
		request(&p, &to, "anybody?");
		parties_run(&p, &p, &p.done, 1);
		failures = 0;
		assert_int_equal(p.last.outcome, DGRAM_REFUSED);
		assert_int_equal(p.last.reason, row[i].reason);
		party_close(&p);
	}
}

static void a_family_that_the_socket_does_not_carry_is_unreachable(void **state)
{
	struct dgram_addr to = address("[::1]:9");
	struct party p;

	(void)state;
	party_open(&p, "127.0.0.1:0", NULL);
	request(&p, &to, "anybody?");
	parties_run(&p, &p, &p.done, 1);
	assert_int_equal(p.last.outcome, DGRAM_REFUSED);
	assert_int_equal(p.last.reason, DGRAM_REASON_UNREACHABLE);
	party_close(&p);
}

/* One peer that is gone says nothing of the others. */
static void a_refusal_does_not_touch_the_neighbours(void **state)
{
	struct dgram_addr dead = address(DEAD4);
	struct party client, server;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	for (uint32_t i = 0; i < 20; i++) {
		submit(&client, DGRAM_POST, &dead, "x", 1);
		ask(&client, &server, &server.here, "well");
	}
	assert_int_equal(stats_of(&client).opened, 1);
	party_close(&client);
	party_close(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_closed_port_is_refused_at_once),
	        cmocka_unit_test(our_own_port_is_refused_at_once),
	        cmocka_unit_test(a_refusal_wakes_poll_and_select),
	        cmocka_unit_test(a_silent_port_ends_with_the_deadline),
	        cmocka_unit_test(what_the_kernel_has_no_room_for_is_sent_again),
	        cmocka_unit_test(what_can_never_leave_is_refused_at_once),
	        cmocka_unit_test(a_family_that_the_socket_does_not_carry_is_unreachable),
	        cmocka_unit_test(a_refusal_does_not_touch_the_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
