/* Whose port it is: a second binder must never get datagrams that are meant for the first. */
#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_port_that_is_taken_is_in_use_for_everyone_else(void **state)
{
	static const struct {
		const char *first, *second;
	} row[] = {
	        {"127.0.0.1:0", "127.0.0.1:0"}, {"0.0.0.0:0", "127.0.0.1:0"},
	        {"0.0.0.0:0", "0.0.0.0:0"},     {"[::]:0", "[::]:0"},
	        {"[::]:0", "0.0.0.0:0"},        {"[::]:0", "127.0.0.1:0"},
	        {"[::]:0", "[::1]:0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_socket first, second;
		struct dgram_addr again;

		if (row[i].first[0] == '[' && !have_ipv6())
			continue;
		print_message("%s then %s\n", row[i].first, row[i].second);
		open_bound(&first, row[i].first, NULL);
		again = with_port(row[i].second, port_of(&first));
		assert_int_equal(dgram_socket_bind(&second, &again, NULL), DGRAM_ERR_IN_USE);
		assert_int_equal(second.fd, -1);
		dgram_socket_close(&first);
	}
}

/* A thief sets whatever it likes on its own socket. */
static int steal(uint16_t port, int option)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
	                           .sin_port = htons(port),
	                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int result;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &(int){1}, sizeof(int)), 0);
	result = bind(fd, (struct sockaddr *)&name, sizeof name);
	close(fd);
	return result;
}

static void no_option_of_a_second_binder_steals_a_port(void **state)
{
	static const char *const listeners[] = {"127.0.0.1:0", "0.0.0.0:0", "[::]:0"};

	(void)state;
	for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
		struct dgram_socket s;

		if (listeners[i][0] == '[' && !have_ipv6())
			continue;
		open_bound(&s, listeners[i], NULL);
		assert_int_equal(steal(port_of(&s), SO_REUSEADDR), -1);
		assert_int_equal(steal(port_of(&s), SO_REUSEPORT), -1);
		dgram_socket_close(&s);
	}
}

static void a_unicast_port_is_never_shared_by_address(void **state)
{
	static const char *const unicast[] = {"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"};
	const struct dgram_socket_options opt = {.group_port = true};

	(void)state;
	for (size_t i = 0; i < sizeof unicast / sizeof unicast[0]; i++) {
		struct dgram_addr local = address(unicast[i]);
		struct dgram_socket s;

		if (unicast[i][0] == '[' && !have_ipv6())
			continue;
		assert_int_equal(dgram_socket_bind(&s, &local, &opt), DGRAM_ERR_ARGUMENT);
		assert_int_equal(s.fd, -1);
	}
}

static void workers_that_agree_share_a_port(void **state)
{
	const struct dgram_socket_options opt = {.reuse_port = true};
	struct dgram_socket first, second;
	struct dgram_addr again;

	(void)state;
	open_bound(&first, "127.0.0.1:0", &opt);
	again = name_of(&first);
	assert_int_equal(dgram_socket_bind(&second, &again, &opt), 0);
	dgram_socket_close(&second);
	assert_int_equal(dgram_socket_bind(&second, &again, NULL), DGRAM_ERR_IN_USE);
	dgram_socket_close(&first);
}

static void an_address_of_another_machine_cannot_be_bound(void **state)
{
	struct dgram_addr local = address("192.0.2.77:0");
	struct dgram_socket s;

	(void)state;
	assert_int_equal(dgram_socket_bind(&s, &local, NULL), DGRAM_ERR_NOT_LOCAL);
	assert_int_equal(s.fd, -1);
	NEED_IPV6();
	local = address("[fe80::77]:0");
	assert_int_equal(dgram_socket_bind(&s, &local, NULL), DGRAM_ERR_ZONE);
}

/* As a user who may not: the exit status of the child is the outcome. */
static void a_low_port_is_denied_to_those_who_may_not(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct dgram_addr local = address("127.0.0.1:7");
		struct dgram_socket s;

		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(255);
		_exit(-dgram_socket_bind(&s, &local, NULL));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 0) {
		print_message("everyone may bind low ports here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), -DGRAM_ERR_DENIED);
}

static unsigned count_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void sockets_that_cannot_be_made_leave_no_descriptor(void **state)
{
	const struct dgram_socket_options bad = {.interface = "no-such-if"};
	struct dgram_addr elsewhere = address("192.0.2.77:0"), taken;
	struct dgram_socket holder, s;
	unsigned before;

	(void)state;
	open_bound(&holder, "127.0.0.1:0", NULL);
	taken = name_of(&holder);
	before = count_descriptors();
	for (int i = 0; i < 100; i++) {
		assert_true(dgram_socket_bind(&s, &taken, NULL) < 0);
		assert_true(dgram_socket_bind(&s, &elsewhere, NULL) < 0);
		assert_true(dgram_socket_bind(&s, &taken, &bad) < 0);
		assert_true(dgram_socket_open(&s, DGRAM_IPV4, &bad) < 0);
		assert_true(dgram_socket_connect(&s, &elsewhere, NULL) < 0);
	}
	assert_int_equal(count_descriptors(), before);
	dgram_socket_close(&holder);
}

static void descriptors_close_on_exec(void **state)
{
	struct dgram_socket s;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	assert_true(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
	dgram_socket_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_port_that_is_taken_is_in_use_for_everyone_else),
	        cmocka_unit_test(no_option_of_a_second_binder_steals_a_port),
	        cmocka_unit_test(a_unicast_port_is_never_shared_by_address),
	        cmocka_unit_test(workers_that_agree_share_a_port),
	        cmocka_unit_test(an_address_of_another_machine_cannot_be_bound),
	        cmocka_unit_test(a_low_port_is_denied_to_those_who_may_not),
	        cmocka_unit_test(sockets_that_cannot_be_made_leave_no_descriptor),
	        cmocka_unit_test(descriptors_close_on_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
