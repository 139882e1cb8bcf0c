#define _GNU_SOURCE
#include <dgram/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

#define SHORT (100 * DGRAM_MS) /* a wait that is meant to pass */
#define LONG  (20 * DGRAM_S)   /* one that is not */

static const struct dgram_stream_options within_long = {.timeout = LONG};
static const struct dgram_stream_options within_short = {.timeout = SHORT};

static char directory[] = "/tmp/dgram-test-XXXXXX";

static struct dgram_addr addr(const char *text)
{
	struct dgram_addr a;

	assert_int_equal(dgram_addr_parse(&a, text), 0);
	return a;
}

static struct dgram_addr path_addr(const char *name, char path[64])
{
	char text[80];

	snprintf(path, 64, "%s/%s", directory, name);
	snprintf(text, sizeof text, "unix://%s", path);
	return addr(text);
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

/* A listener and where to connect to. */
static struct dgram_addr listen_on(struct dgram_stream *listener, const char *text)
{
	struct dgram_addr local = addr(text);

	assert_int_equal(dgram_stream_listen(listener, &local, &within_long), 0);
	assert_int_equal(dgram_stream_getsockname(listener, &local), 0);
	return local;
}

/* Two ends of one connection. */
struct pair {
	struct dgram_stream listener, a, b; /* a connected, b accepted */
};

static struct pair pair_on(const char *text)
{
	struct pair p;
	struct dgram_addr local = listen_on(&p.listener, text);

	assert_int_equal(dgram_stream_connect(&p.a, &local, &within_long), 0);
	assert_int_equal(dgram_stream_accept(&p.listener, &p.b, NULL), 0);
	return p;
}

static void pair_close(struct pair *p)
{
	dgram_stream_close(&p->a);
	dgram_stream_close(&p->b);
	dgram_stream_close(&p->listener);
}

/* Closes so that the peer gets a reset. */
static void reset(struct dgram_stream *s)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	dgram_stream_close(s);
}

static bool has_ipv6(void)
{
	struct dgram_stream s;
	struct dgram_addr local = addr("[::1]:0");
	bool works = dgram_stream_listen(&s, &local, NULL) == 0;

	dgram_stream_close(&s);
	return works;
}

#define NEED_IPV6()                                                                                \
	do {                                                                                       \
		if (!has_ipv6()) {                                                                 \
			print_message("no IPv6 on this machine: skipped\n");                       \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static void check_exchange(const char *text)
{
	struct pair p = pair_on(text);
	char buf[16];

	assert_int_equal(dgram_stream_send(&p.a, "ping", 4), 4);
	assert_int_equal(dgram_stream_recv(&p.b, buf, sizeof buf), 4);
	assert_memory_equal(buf, "ping", 4);
	assert_int_equal(dgram_stream_sendall(&p.b, "pong!", 5), 0);
	assert_int_equal(dgram_stream_recv(&p.a, buf, 4), 4);
	assert_int_equal(dgram_stream_recv(&p.a, buf, 4), 1);
	assert_int_equal(buf[0], '!');
	dgram_stream_close(&p.a);
	assert_int_equal(dgram_stream_recv(&p.b, buf, sizeof buf), 0);
	assert_int_equal(dgram_stream_recv(&p.b, buf, sizeof buf), 0);
	pair_close(&p);
}

static void bytes_go_both_ways_and_the_end_is_0(void **state)
{
	char path[64], text[80];

	(void)state;
	check_exchange("127.0.0.1:0");
	path_addr("exchange", path);
	snprintf(text, sizeof text, "unix://%s", path);
	check_exchange(text);
	snprintf(text, sizeof text, "unix://@dgram-test-%ld", (long)getpid());
	check_exchange(text);
}

static void bytes_go_both_ways_over_ipv6(void **state)
{
	(void)state;
	NEED_IPV6();
	check_exchange("[::1]:0");
}

static void both_ends_agree_on_their_names(void **state)
{
	struct pair p = pair_on("127.0.0.1:0");
	struct dgram_addr a, b, listener, from;
	struct dgram_stream second;

	(void)state;
	assert_int_equal(dgram_stream_getsockname(&p.a, &a), 0);
	assert_int_equal(dgram_stream_getpeername(&p.b, &b), 0);
	assert_true(dgram_addr_equal(&a, &b));
	assert_int_equal(dgram_stream_getpeername(&p.a, &a), 0);
	assert_int_equal(dgram_stream_getsockname(&p.listener, &listener), 0);
	assert_true(dgram_addr_equal(&a, &listener));
	assert_int_not_equal(listener.port, 0);

	dgram_stream_close(&p.a);
	dgram_stream_close(&p.b);
	assert_int_equal(dgram_stream_connect(&p.a, &listener, &within_long), 0);
	assert_int_equal(dgram_stream_accept(&p.listener, &second, &from), 0);
	assert_int_equal(dgram_stream_getsockname(&p.a, &a), 0);
	assert_true(dgram_addr_equal(&from, &a));
	dgram_stream_close(&second);
	pair_close(&p);
}

static void an_ipv6_wildcard_takes_ipv4_too_unless_told_otherwise(void **state)
{
	struct dgram_addr any = addr("[::]:0"), v4 = addr("127.0.0.1:1"), from;
	struct dgram_stream_options only6 = {.ipv6_only = true, .timeout = LONG};
	struct dgram_stream listener, a, b;

	(void)state;
	NEED_IPV6();
	v4.port = listen_on(&listener, "[::]:0").port;
	assert_int_equal(dgram_stream_connect(&a, &v4, &within_long), 0);
	assert_int_equal(dgram_stream_accept(&listener, &b, &from), 0);
	assert_int_equal(from.family, DGRAM_IPV4);
	dgram_stream_close(&a);
	dgram_stream_close(&b);
	dgram_stream_close(&listener);

	assert_int_equal(dgram_stream_listen(&listener, &any, &only6), 0);
	assert_int_equal(dgram_stream_getsockname(&listener, &any), 0);
	v4.port = any.port;
	assert_int_equal(dgram_stream_connect(&a, &v4, &within_long), DGRAM_ERR_REFUSED);
	dgram_stream_close(&listener);
}

static void where_nobody_listens_connect_is_refused_and_connect_ex_says_errno(void **state)
{
	struct dgram_stream s;
	struct dgram_addr gone = listen_on(&s, "127.0.0.1:0"), nowhere;
	char path[64];

	(void)state;
	dgram_stream_close(&s);
	assert_int_equal(dgram_stream_connect(&s, &gone, &within_long), DGRAM_ERR_REFUSED);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(s.fd, -1);
	assert_int_equal(dgram_stream_connect_ex(&s, &gone, &within_long), ECONNREFUSED);
	assert_int_equal(s.fd, -1);

	nowhere = path_addr("nowhere", path);
	assert_int_equal(dgram_stream_connect(&s, &nowhere, NULL), DGRAM_ERR_REFUSED);
	assert_int_equal(dgram_stream_connect_ex(&s, &nowhere, NULL), ENOENT);

	listen_on(&s, "127.0.0.1:0");
	assert_int_equal(dgram_stream_getsockname(&s, &gone), 0);
	struct dgram_stream c;
	assert_int_equal(dgram_stream_connect_ex(&c, &gone, &within_long), 0);
	dgram_stream_close(&c);
	dgram_stream_close(&s);
}

static void addresses_that_name_nobody_are_refused_before_the_network_is_asked(void **state)
{
	struct dgram_addr no_port = addr("127.0.0.1:0"), no_zone = addr("[fe80::1]:9");
	struct dgram_addr unset = {.family = DGRAM_FAMILY_NONE};
	struct dgram_stream s;

	(void)state;
	assert_int_equal(dgram_stream_connect(&s, &no_port, NULL), DGRAM_ERR_PORT);
	assert_int_equal(dgram_stream_connect(&s, &no_zone, NULL), DGRAM_ERR_ZONE);
	assert_int_equal(dgram_stream_connect(&s, &unset, NULL), DGRAM_ERR_UNSUPPORTED);
	assert_int_equal(dgram_stream_connect_ex(&s, &no_port, NULL), EINVAL);
	assert_int_equal(dgram_stream_listen(&s, &unset, NULL), DGRAM_ERR_UNSUPPORTED);
	assert_int_equal(s.fd, -1);
}

static void a_socket_never_connects_to_itself(void **state)
{
	struct dgram_stream s;
	struct dgram_addr free_port = listen_on(&s, "127.0.0.1:0");
	struct dgram_stream_options opt = {.local = free_port, .timeout = LONG};

	(void)state;
	dgram_stream_close(&s);
	assert_int_equal(dgram_stream_connect(&s, &free_port, &opt), DGRAM_ERR_REFUSED);
}

static void connect_leaves_from_the_address_and_interface_that_were_chosen(void **state)
{
	struct dgram_stream listener, a, b;
	struct dgram_addr to = listen_on(&listener, "127.0.0.1:0"), from;
	struct dgram_stream_options opt = {
	        .local = addr("127.0.0.2:0"), .interface = "lo", .timeout = LONG};
	int rc = dgram_stream_connect(&a, &to, &opt);
	bool binds = rc != DGRAM_ERR_UNSUPPORTED; /* POSIX has no socket option for it */

	(void)state;
	if (!binds) {
		opt.interface = NULL;
		rc = dgram_stream_connect(&a, &to, &opt);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(dgram_stream_accept(&listener, &b, &from), 0);
	assert_int_equal(from.u.ip4[3], 2);
	dgram_stream_close(&a);
	dgram_stream_close(&b);

	opt.interface = "nosuchif0";
	assert_int_equal(dgram_stream_connect(&a, &to, &opt),
	                 binds ? DGRAM_ERR_INTERFACE : DGRAM_ERR_UNSUPPORTED);
	opt = (struct dgram_stream_options){.local = addr("192.0.2.1:0"), .timeout = LONG};
	assert_int_equal(dgram_stream_connect(&a, &to, &opt), DGRAM_ERR_NOT_LOCAL);
	opt.local = addr("[::1]:0");
	assert_int_equal(dgram_stream_connect(&a, &to, &opt), DGRAM_ERR_UNSUPPORTED);
	dgram_stream_close(&listener);
}

/* Fills the queue of a listener that accepts nothing, until one more connection has to wait. */
static void check_connect_timeout(struct dgram_addr *local)
{
	struct dgram_stream_options small = {.backlog = 1, .timeout = LONG};
	struct dgram_stream listener, s[8];
	int error = 0, count = 0;
	uint64_t before;

	assert_int_equal(dgram_stream_listen(&listener, local, &small), 0);
	assert_int_equal(dgram_stream_getsockname(&listener, local), 0);
	while (error == 0 && count < 8) {
		before = dgram_clock();
		error = dgram_stream_connect(&s[count++], local, &within_short);
	}
	assert_int_equal(error, DGRAM_ERR_TIMEOUT);
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(dgram_clock() - before >= SHORT);
	while (count > 0)
		dgram_stream_close(&s[--count]);
	dgram_stream_close(&listener);
}

static void the_timeout_covers_connect(void **state)
{
	struct dgram_addr tcp = addr("127.0.0.1:0");
	char path[64];
	struct dgram_addr local = path_addr("full", path);

	(void)state;
	check_connect_timeout(&tcp);
	check_connect_timeout(&local);
}

static void accept_and_recv_wait_as_long_as_told(void **state)
{
	struct pair p = pair_on("127.0.0.1:0");
	struct dgram_stream none;
	char buf[4];
	uint64_t before = dgram_clock();

	(void)state;
	dgram_stream_settimeout(&p.a, SHORT);
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), DGRAM_ERR_TIMEOUT);
	dgram_stream_settimeout(&p.listener, SHORT);
	assert_int_equal(dgram_stream_accept(&p.listener, &none, NULL), DGRAM_ERR_TIMEOUT);
	assert_true(dgram_clock() - before >= 2 * SHORT);
	assert_int_equal(none.fd, -1);

	dgram_stream_settimeout(&p.a, 0);
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), DGRAM_ERR_AGAIN);
	dgram_stream_settimeout(&p.listener, 0);
	assert_int_equal(dgram_stream_accept(&p.listener, &none, NULL), DGRAM_ERR_AGAIN);
	assert_int_equal(dgram_stream_recv(&p.a, buf, 0), DGRAM_ERR_ARGUMENT);
	pair_close(&p);
}

static void a_peer_that_does_not_read_stops_send_in_time(void **state)
{
	static char huge[64 << 20], block[1 << 20];
	struct pair p = pair_on("127.0.0.1:0");
	uint64_t before = dgram_clock();
	int n = 1;

	(void)state;
	dgram_stream_settimeout(&p.a, SHORT);
	assert_int_equal(dgram_stream_sendall(&p.a, block, 0), 0);
	assert_int_equal(dgram_stream_sendall(&p.a, huge, sizeof huge), DGRAM_ERR_TIMEOUT);
	assert_true(dgram_clock() - before >= SHORT);
	while (n > 0)
		n = dgram_stream_send(&p.a, block, sizeof block);
	assert_int_equal(n, DGRAM_ERR_TIMEOUT);
	dgram_stream_settimeout(&p.a, 0);
	assert_int_equal(dgram_stream_send(&p.a, block, sizeof block), DGRAM_ERR_AGAIN);
	pair_close(&p);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void signals_neither_fail_a_call_nor_lengthen_it(void **state)
{
	struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
	struct pair p = pair_on("127.0.0.1:0");
	char path[64], buf[4];
	struct dgram_addr local = path_addr("alarm", path);
	uint64_t before;

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	dgram_stream_settimeout(&p.a, SHORT);
	setitimer(ITIMER_REAL, &often, NULL);
	before = dgram_clock();
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), DGRAM_ERR_TIMEOUT);
	assert_true(dgram_clock() - before >= SHORT);
	check_connect_timeout(&local);
	setitimer(ITIMER_REAL, &never, NULL);
	pair_close(&p);
}

static void a_reset_is_broken_after_what_came_before_it_and_no_signal_is_raised(void **state)
{
	struct pair p = pair_on("127.0.0.1:0");
	char buf[8];

	(void)state;
	signal(SIGPIPE, SIG_DFL); /* whoever started us may have had it ignored */
	assert_int_equal(dgram_stream_send(&p.b, "last", 4), 4);
	reset(&p.b);
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), 4);
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), DGRAM_ERR_BROKEN);
	assert_int_equal(dgram_stream_send(&p.a, "x", 1), DGRAM_ERR_BROKEN);
	assert_int_equal(dgram_stream_sendall(&p.a, "x", 1), DGRAM_ERR_BROKEN);
	assert_int_equal(dgram_stream_shutdown(&p.a, DGRAM_STREAM_WRITE), DGRAM_ERR_BROKEN);
	pair_close(&p);
}

static void half_a_shutdown_ends_one_direction_only(void **state)
{
	struct pair p = pair_on("127.0.0.1:0");
	char buf[8];

	(void)state;
	assert_int_equal(dgram_stream_shutdown(&p.a, DGRAM_STREAM_WRITE), 0);
	assert_int_equal(dgram_stream_recv(&p.b, buf, sizeof buf), 0);
	assert_int_equal(dgram_stream_send(&p.b, "still", 5), 5);
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), 5);
	assert_int_equal(dgram_stream_send(&p.a, "x", 1), DGRAM_ERR_BROKEN);
	assert_int_equal(dgram_stream_shutdown(&p.b, DGRAM_STREAM_BOTH), 0);
	assert_int_equal(dgram_stream_recv(&p.a, buf, sizeof buf), 0);
	pair_close(&p);
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 >> 8);
}

struct drain {
	struct dgram_stream *from;
	size_t total; /* bytes that came and were right */
	int end;      /* what recv said last */
};

static void *drain(void *arg)
{
	struct drain *d = arg;
	static uint8_t buf[5000];

	while ((d->end = dgram_stream_recv(d->from, buf, sizeof buf)) > 0)
		for (int i = 0; i < d->end; i++)
			d->total += buf[i] == pattern(d->total);
	return NULL;
}

static void sendall_sends_all_that_no_buffer_holds_at_once(void **state)
{
	static uint8_t data[8 << 20];
	struct pair p = pair_on("127.0.0.1:0");
	struct drain d = {.from = &p.b};
	pthread_t reader;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = pattern(i);
	assert_int_equal(pthread_create(&reader, NULL, drain, &d), 0);
	assert_int_equal(dgram_stream_sendall(&p.a, data, sizeof data), 0);
	assert_int_equal(dgram_stream_shutdown(&p.a, DGRAM_STREAM_WRITE), 0);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(d.end, 0);
	assert_int_equal(d.total, sizeof data);
	pair_close(&p);
}

static void a_port_cannot_be_stolen_but_is_free_again_at_once(void **state)
{
	struct pair p = pair_on("127.0.0.1:0");
	struct dgram_addr local;
	struct dgram_stream second;

	(void)state;
	assert_int_equal(dgram_stream_getsockname(&p.listener, &local), 0);
	assert_int_equal(dgram_stream_listen(&second, &local, NULL), DGRAM_ERR_IN_USE);
	assert_int_equal(second.fd, -1);

	dgram_stream_close(&p.b); /* who closes first keeps the port in TIME_WAIT */
	pair_close(&p);
	assert_int_equal(dgram_stream_listen(&second, &local, NULL), 0);
	dgram_stream_close(&second);
}

static void a_socket_file_is_removed_by_its_owner(void **state)
{
	struct dgram_stream s, successor;
	char path[64];
	struct dgram_addr local = path_addr("owner", path);

	(void)state;
	assert_int_equal(dgram_stream_listen(&s, &local, NULL), 0);
	assert_true(exists(path));
	dgram_stream_close(&s);
	assert_false(exists(path));
	dgram_stream_close(&s);

	assert_int_equal(dgram_stream_listen(&s, &local, NULL), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(dgram_stream_listen(&successor, &local, NULL), 0);
	dgram_stream_close(&s);
	assert_true(exists(path));
	dgram_stream_close(&successor);
	assert_false(exists(path));
}

static void a_path_is_replaced_only_if_it_is_a_socket_nobody_is_bound_to(void **state)
{
	struct dgram_stream owner, s;
	char path[64];
	struct dgram_addr local = path_addr("stale", path);

	(void)state;
	assert_int_equal(dgram_stream_listen(&owner, &local, NULL), 0);
	assert_int_equal(dgram_stream_listen(&s, &local, NULL), DGRAM_ERR_IN_USE);
	dgram_stream_settimeout(&owner, 0);
	assert_int_equal(dgram_stream_accept(&owner, &s, NULL), DGRAM_ERR_AGAIN);
	close(owner.fd); /* as if its process had been killed */
	owner.fd = -1;
	assert_int_equal(dgram_stream_listen(&s, &local, NULL), 0);
	dgram_stream_close(&owner);
	assert_true(exists(path));
	dgram_stream_close(&s);
	assert_false(exists(path));

	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(dgram_stream_listen(&s, &local, NULL), DGRAM_ERR_IN_USE);
	assert_true(exists(path));
	unlink(path);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void without_descriptors_accept_turns_away_and_does_not_spin(void **state)
{
	struct dgram_stream listener, a, b;
	struct dgram_addr to = listen_on(&listener, "127.0.0.1:0");
	struct rlimit all, few;
	int before, fd, probe;
	char buf[4];

	(void)state;
	assert_int_equal(dgram_stream_connect(&a, &to, &within_long), 0);
	before = open_descriptors();
	probe = dup(0); /* the lowest free number: up to there and no further */
	close(probe);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = (struct rlimit){.rlim_cur = (rlim_t)probe, .rlim_max = all.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	fd = dgram_stream_accept(&listener, &b, NULL);
	assert_int_equal(fd, DGRAM_ERR_FULL);
	assert_int_equal(b.fd, -1);
	assert_in_range(dgram_stream_recv(&a, buf, sizeof buf) + 100, 100 + DGRAM_ERR_BROKEN, 100);
	dgram_stream_settimeout(&listener, 0);
	assert_int_equal(dgram_stream_accept(&listener, &b, NULL), DGRAM_ERR_AGAIN);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(open_descriptors(), before);
	dgram_stream_close(&a);

	dgram_stream_settimeout(&listener, LONG);
	assert_int_equal(dgram_stream_connect(&a, &to, &within_long), 0);
	assert_int_equal(dgram_stream_accept(&listener, &b, NULL), 0);
	dgram_stream_close(&a);
	dgram_stream_close(&b);
	dgram_stream_close(&listener);
	assert_int_equal(open_descriptors(), before - 3);
}

static void every_descriptor_is_closed_on_exec(void **state)
{
	struct pair p = pair_on("127.0.0.1:0");
	int fds[] = {p.listener.fd, p.listener.spare, p.a.fd, p.b.fd};

	(void)state;
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
	pair_close(&p);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory); /* fails when a test left a file behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(bytes_go_both_ways_and_the_end_is_0),
	        cmocka_unit_test(bytes_go_both_ways_over_ipv6),
	        cmocka_unit_test(both_ends_agree_on_their_names),
	        cmocka_unit_test(an_ipv6_wildcard_takes_ipv4_too_unless_told_otherwise),
	        cmocka_unit_test(where_nobody_listens_connect_is_refused_and_connect_ex_says_errno),
	        cmocka_unit_test(
	                addresses_that_name_nobody_are_refused_before_the_network_is_asked),
	        cmocka_unit_test(a_socket_never_connects_to_itself),
	        cmocka_unit_test(connect_leaves_from_the_address_and_interface_that_were_chosen),
	        cmocka_unit_test(the_timeout_covers_connect),
	        cmocka_unit_test(accept_and_recv_wait_as_long_as_told),
	        cmocka_unit_test(a_peer_that_does_not_read_stops_send_in_time),
	        cmocka_unit_test(signals_neither_fail_a_call_nor_lengthen_it),
	        cmocka_unit_test(
	                a_reset_is_broken_after_what_came_before_it_and_no_signal_is_raised),
	        cmocka_unit_test(half_a_shutdown_ends_one_direction_only),
	        cmocka_unit_test(sendall_sends_all_that_no_buffer_holds_at_once),
	        cmocka_unit_test(a_port_cannot_be_stolen_but_is_free_again_at_once),
	        cmocka_unit_test(a_socket_file_is_removed_by_its_owner),
	        cmocka_unit_test(a_path_is_replaced_only_if_it_is_a_socket_nobody_is_bound_to),
	        cmocka_unit_test(without_descriptors_accept_turns_away_and_does_not_spin),
	        cmocka_unit_test(every_descriptor_is_closed_on_exec),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
