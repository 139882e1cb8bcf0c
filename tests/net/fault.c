/* What the kernel says when something is wrong with it or around it, one system call at a time.
 * The calls of the library come here first (the linker's --wrap); a real socket is behind them. */
#define _GNU_SOURCE
#include "net.h"

#include <errno.h>
#include <sys/socket.h>

/* The next calls that fail after so many that do not, how, and how many came. */
static struct {
	int after, times, errno_value, calls;
} sending, receiving;

static int without_family; /* AF_*: this kernel does not know it */

static bool fails(int after, int *times, int errno_value, int *calls)
{
	if (++*calls <= after || *times == 0)
		return false;
	--*times;
	errno = errno_value;
	return true;
}

#define FAILS(way) fails((way).after, &(way).times, (way).errno_value, &(way).calls)

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
ssize_t __real_sendmsg(int fd, const struct msghdr *h, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *h, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *h, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *h, unsigned n, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *h, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *h, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *h, unsigned n, int flags, struct timespec *t);
int __wrap_recvmmsg(int fd, struct mmsghdr *h, unsigned n, int flags, struct timespec *t);

int __wrap_socket(int domain, int type, int protocol)
{
	if (domain == without_family) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *h, int flags)
{
	return FAILS(sending) ? -1 : __real_sendmsg(fd, h, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *h, unsigned n, int flags)
{
	return FAILS(sending) ? -1 : __real_sendmmsg(fd, h, n, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *h, int flags)
{
	if (flags & MSG_ERRQUEUE)
		return __real_recvmsg(fd, h, flags);
	return FAILS(receiving) ? -1 : __real_recvmsg(fd, h, flags);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *h, unsigned n, int flags, struct timespec *t)
{
	return FAILS(receiving) ? -1 : __real_recvmmsg(fd, h, n, flags, t);
}

static int healthy(void **state)
{
	(void)state;
	memset(&sending, 0, sizeof sending);
	memset(&receiving, 0, sizeof receiving);
	without_family = -1;
	return 0;
}

/* What sendto makes of an error that comes so many times in a row. */
static void a_failing_send_has_a_clear_outcome(void **state)
{
	static const struct {
		int errno_value, times, want, calls_max;
	} row[] = {
	        {EINTR, 1000, 0, 1001},
	        {ENOBUFS, 1, DGRAM_ERR_NOBUFS, 1},
	        {ENOMEM, 1, DGRAM_ERR_NOMEM, 1},
	        {EAGAIN, 1, DGRAM_ERR_AGAIN, 1},
	        {EPERM, 1, DGRAM_ERR_DENIED, 1},
	        {EINVAL, 1, DGRAM_ERR_SYSTEM, 1},
	        {EMSGSIZE, 1, DGRAM_ERR_SIZE, 1},
	        {EACCES, 2, DGRAM_ERR_DENIED, 2},
	        {ENETDOWN, 2, DGRAM_ERR_UNREACHABLE, 2},
	        {ENETUNREACH, 2, DGRAM_ERR_UNREACHABLE, 2},
	        {EHOSTUNREACH, 2, DGRAM_ERR_UNREACHABLE, 2},
	        /* Once, they may be the late echo of another datagram's error. */
	        {EHOSTUNREACH, 1, 0, 2},
	        {ECONNREFUSED, 1, 0, 2},
	        {ECONNREFUSED, 5, 0, 6},
	        /* Without end it cannot be that: not now, and no spinning. */
	        {ECONNREFUSED, 100000, DGRAM_ERR_AGAIN, 100},
	};
	struct dgram_socket server;
	struct dgram_addr to;

	open_bound(&server, "127.0.0.1:0", NULL);
	to = name_of(&server);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_socket s;

		print_message("%s, %d times\n", strerror(row[i].errno_value), row[i].times);
		open_unbound(&s, DGRAM_IPV4);
		dgram_socket_settimeout(&s, 0);
		sending.errno_value = row[i].errno_value;
		sending.times = row[i].times;
		assert_int_equal(dgram_socket_sendto(&s, "x", 1, &to), row[i].want);
		assert_true(sending.calls <= row[i].calls_max);
		if (row[i].want < 0 && row[i].want != DGRAM_ERR_AGAIN)
			assert_int_equal(errno, row[i].errno_value);
		assert_int_equal(s.stats.sent, row[i].want == 0);
		healthy(state);
		if (row[i].want == 0)
			expect_text(&server, "x");
		expect_nothing(&server);
		dgram_socket_close(&s);
	}
	dgram_socket_close(&server);
}

static void a_failing_receive_goes_on_where_it_can(void **state)
{
	static const struct {
		int errno_value, times, want;
	} row[] = {
	        {EINTR, 1000, 1}, {ECONNREFUSED, 3, 1},         {EHOSTUNREACH, 3, 1},
	        {EMSGSIZE, 3, 1}, {ENOMEM, 1, DGRAM_ERR_NOMEM}, {EBADF, 1, DGRAM_ERR_SYSTEM},
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr self;
		struct dgram_socket s;
		char buf[4];

		open_bound(&s, "127.0.0.1:0", NULL);
		self = name_of(&s);
		send_text(&s, "x", &self);
		receiving.errno_value = row[i].errno_value;
		receiving.times = row[i].times;
		assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), row[i].want);
		healthy(state);
		dgram_socket_close(&s);
	}
}

static void a_send_waits_until_the_kernel_has_room(void **state)
{
	static const uint64_t timeouts[] = {PATIENCE, DGRAM_NEVER};

	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		struct dgram_addr self;
		struct dgram_socket s;

		open_bound(&s, "127.0.0.1:0", NULL);
		self = name_of(&s);
		dgram_socket_settimeout(&s, timeouts[i]);
		sending.errno_value = EAGAIN;
		sending.times = 3;
		assert_int_equal(dgram_socket_sendto(&s, "x", 1, &self), 0);
		healthy(state);
		expect_text(&s, "x");
		dgram_socket_close(&s);
	}
}

/* A kernel, or a device, that cannot cut a buffer into its datagrams. */
static void several_datagrams_are_sent_one_by_one_when_the_kernel_cannot_cut(void **state)
{
	static const int refusals[] = {EINVAL, EIO, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP};
	uint8_t data[25] = {0};

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		struct dgram_datagram d = {.data = data, .len = sizeof data, .segment = 10};
		struct dgram_socket s;
		char buf[16];

		open_bound(&s, "127.0.0.1:0", NULL);
		if (!s.error_queue) {
			print_message("this build never asks the kernel to cut\n");
			dgram_socket_close(&s);
			skip();
		}
		d.peer = name_of(&s);
		sending.errno_value = refusals[i];
		sending.times = 1;
		assert_int_equal(dgram_socket_send_batch(&s, &d, 1), 1);
		healthy(state);
		assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), 10);
		assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), 10);
		assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), 5);
		assert_int_equal(s.stats.sent, 3);
		dgram_socket_close(&s);
	}
}

/* Sent one by one: what comes after a failure is lost, as datagrams may be; a signal is no failure.
 */
static void several_datagrams_that_stop_halfway_count_as_sent(void **state)
{
	static const struct {
		int after, errno_value, want;
		uint64_t sent;
	} row[] = {
	        {0, EINTR, 1, 3},   {1, EINTR, 1, 3},   {0, ENOBUFS, DGRAM_ERR_NOBUFS, 0},
	        {1, ENOBUFS, 1, 1}, {2, ENOBUFS, 1, 2},
	};
	uint8_t data[25] = {0};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_datagram d = {.data = data, .len = sizeof data, .segment = 10};
		struct dgram_socket s, peer;
		char buf[16];

		open_unbound(&s, DGRAM_UNIX);
		open_unbound(&peer, DGRAM_UNIX);
		d.peer = name_of(&peer);
		sending.after = row[i].after;
		sending.errno_value = row[i].errno_value;
		sending.times = 1;
		assert_int_equal(dgram_socket_send_batch(&s, &d, 1), row[i].want);
		healthy(state);
		assert_int_equal(s.stats.sent, row[i].sent);
		for (uint64_t k = 0; k < row[i].sent; k++)
			assert_int_equal(dgram_socket_recvfrom(&peer, buf, sizeof buf, NULL),
			                 k < 2 ? 10 : 5);
		expect_nothing(&peer);
		dgram_socket_close(&s);
		dgram_socket_close(&peer);
	}
}

static void a_machine_without_ipv6_gets_ipv4_where_every_address_is_meant(void **state)
{
	const struct dgram_socket_options only = {.ipv6_only = true};
	struct dgram_addr any = address("[::]:0"), one = address("[::1]:0");
	struct dgram_socket s;

	(void)state;
	without_family = AF_INET6;
	open_bound(&s, "[::]:0", NULL);
	assert_int_equal(s.family, DGRAM_IPV4);
	assert_int_equal(name_of(&s).family, DGRAM_IPV4);
	dgram_socket_close(&s);
	open_unbound(&s, DGRAM_FAMILY_NONE);
	assert_int_equal(s.family, DGRAM_IPV4);
	dgram_socket_close(&s);

	assert_int_equal(dgram_socket_bind(&s, &any, &only), DGRAM_ERR_UNSUPPORTED);
	assert_int_equal(dgram_socket_bind(&s, &one, NULL), DGRAM_ERR_UNSUPPORTED);
	assert_int_equal(dgram_socket_open(&s, DGRAM_IPV6, NULL), DGRAM_ERR_UNSUPPORTED);
	one.port = 9;
	assert_int_equal(dgram_socket_connect(&s, &one, NULL), DGRAM_ERR_UNSUPPORTED);
	assert_int_equal(s.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(a_failing_send_has_a_clear_outcome, healthy),
	        cmocka_unit_test_setup(a_failing_receive_goes_on_where_it_can, healthy),
	        cmocka_unit_test_setup(a_send_waits_until_the_kernel_has_room, healthy),
	        cmocka_unit_test_setup(
	                several_datagrams_are_sent_one_by_one_when_the_kernel_cannot_cut, healthy),
	        cmocka_unit_test_setup(several_datagrams_that_stop_halfway_count_as_sent, healthy),
	        cmocka_unit_test_setup(
	                a_machine_without_ipv6_gets_ipv4_where_every_address_is_meant, healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
