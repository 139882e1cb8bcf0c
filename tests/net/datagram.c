#include "net.h"

#include <errno.h>

/* A listener, and who writes to it. */
struct pair {
	const char *name, *listen;
	enum dgram_family family;
};

static const struct pair pairs[] = {
        {"IPv4", "127.0.0.1:0", DGRAM_IPV4},
        {"IPv6", "[::1]:0", DGRAM_IPV6},
        {"IPv6 socket to IPv4", "127.0.0.1:0", DGRAM_IPV6},
        {"any family to IPv4", "127.0.0.1:0", DGRAM_FAMILY_NONE},
        {"abstract UNIX name", NULL, DGRAM_UNIX},
};

#define PAIRS (sizeof pairs / sizeof pairs[0])

static void open_pair(const struct pair *p, struct dgram_socket *a, struct dgram_socket *b)
{
	static unsigned number;
	char name[64];

	snprintf(name, sizeof name, "unix://@dgram-test-%llu-%u", (unsigned long long)dgram_clock(),
	         number++);
	open_bound(a, p->listen != NULL ? p->listen : name, NULL);
	open_unbound(b, p->family);
}

static bool usable(const struct pair *p)
{
	return p->family == DGRAM_IPV4 || p->family == DGRAM_UNIX || have_ipv6();
}

static void a_datagram_and_its_answer_arrive_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		struct dgram_socket server, client;
		struct dgram_addr to, from;

		if (!usable(&pairs[i]))
			continue;
		print_message("%s\n", pairs[i].name);
		open_pair(&pairs[i], &server, &client);
		to = name_of(&server);
		send_text(&client, "hello", &to);
		from = expect_text(&server, "hello");
		send_text(&server, "answer", &from);
		from = expect_text(&client, "answer");
		assert_true(dgram_addr_equal(&from, &to));
		assert_int_equal(client.stats.sent, 1);
		assert_int_equal(client.stats.received, 1);
		dgram_socket_close(&server);
		dgram_socket_close(&client);
	}
}

static void an_empty_datagram_is_a_datagram(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		struct dgram_socket server, client;
		struct dgram_addr to;

		if (!usable(&pairs[i]))
			continue;
		open_pair(&pairs[i], &server, &client);
		to = name_of(&server);
		send_text(&client, "", &to);
		send_text(&client, "after", &to);
		expect_text(&server, "");
		expect_text(&server, "after");
		assert_int_equal(server.stats.received, 2);
		dgram_socket_close(&server);
		dgram_socket_close(&client);
	}
}

static void a_truncated_datagram_is_an_error_and_never_data(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		struct dgram_socket server, client;
		struct dgram_addr to, from = {0};
		char small[4] = "";

		if (!usable(&pairs[i]))
			continue;
		open_pair(&pairs[i], &server, &client);
		to = name_of(&server);
		send_text(&client, "12345", &to);
		send_text(&client, "1234", &to);
		assert_int_equal(dgram_socket_recvfrom(&server, small, sizeof small, &from),
		                 DGRAM_ERR_TRUNCATED);
		assert_int_equal(from.family, to.family);
		assert_int_equal(dgram_socket_recvfrom(&server, small, sizeof small, NULL), 4);
		assert_memory_equal(small, "1234", 4);
		assert_int_equal(server.stats.truncated, 1);
		assert_int_equal(server.stats.received, 1);
		dgram_socket_close(&server);
		dgram_socket_close(&client);
	}
}

static void a_truncated_datagram_in_a_batch_spoils_no_other(void **state)
{
	struct dgram_datagram v[3];
	struct dgram_socket server, client;
	struct dgram_addr to;
	uint8_t bufs[3][4];

	(void)state;
	open_bound(&server, "127.0.0.1:0", NULL);
	open_unbound(&client, DGRAM_IPV4);
	to = name_of(&server);
	send_text(&client, "one", &to);
	send_text(&client, "too long", &to);
	send_text(&client, "two", &to);
	for (size_t i = 0; i < 3; i++)
		v[i] = (struct dgram_datagram){.data = bufs[i], .size = sizeof bufs[i]};
	assert_int_equal(dgram_socket_recv_batch(&server, v, 3), 3);
	assert_int_equal(v[0].len, 3);
	assert_int_equal(v[1].status, DGRAM_ERR_TRUNCATED);
	assert_int_equal(v[1].len, 0);
	assert_int_equal(v[2].status, 0);
	assert_memory_equal(v[2].data, "two", 3);
	dgram_socket_close(&server);
	dgram_socket_close(&client);
}

static void the_largest_datagram_goes_and_one_byte_more_is_an_error(void **state)
{
	static uint8_t out[DGRAM_DATAGRAM_MAX + 1], in[DGRAM_DATAGRAM_MAX + 1];
	struct dgram_socket server, client;
	struct dgram_addr to;

	(void)state;
	open_bound(&server, "127.0.0.1:0", NULL);
	open_unbound(&client, DGRAM_IPV4);
	to = name_of(&server);
	memset(out, 7, sizeof out);
	assert_int_equal(dgram_socket_sendto(&client, out, sizeof out, &to), DGRAM_ERR_SIZE);
	assert_int_equal(dgram_socket_sendto(&client, out, DGRAM_DATAGRAM_MAX, &to), 0);
	assert_int_equal(dgram_socket_recvfrom(&server, in, sizeof in, NULL), DGRAM_DATAGRAM_MAX);
	assert_memory_equal(in, out, DGRAM_DATAGRAM_MAX);
	dgram_socket_close(&server);
	dgram_socket_close(&client);
}

/* What cannot be sent, and why. */
static void a_destination_that_cannot_be_is_a_clear_error(void **state)
{
	static const struct {
		enum dgram_family family;
		const char *to;
		int want;
	} row[] = {
	        {DGRAM_IPV4, "127.0.0.1:0", DGRAM_ERR_PORT},
	        {DGRAM_IPV6, "[::1]:0", DGRAM_ERR_PORT},
	        {DGRAM_IPV6, "127.0.0.1:0", DGRAM_ERR_PORT},
	        {DGRAM_IPV6, "[fe80::1]:9", DGRAM_ERR_ZONE},
	        {DGRAM_IPV4, "255.255.255.255:9", DGRAM_ERR_DENIED},
	        {DGRAM_IPV4, "127.255.255.255:9", DGRAM_ERR_DENIED},
	        {DGRAM_IPV4, "[::1]:9", DGRAM_ERR_ARGUMENT},
	        {DGRAM_IPV4, "unix:///nowhere", DGRAM_ERR_ARGUMENT},
	        {DGRAM_IPV4, "-", DGRAM_ERR_ARGUMENT},
	        {DGRAM_UNIX, "127.0.0.1:9", DGRAM_ERR_ARGUMENT},
	        {DGRAM_UNIX, "unix:///nowhere/at/all", DGRAM_ERR_REFUSED},
	        {DGRAM_UNIX, "unix://@dgram-test-nobody", DGRAM_ERR_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = {0};
		struct dgram_socket s;

		if (row[i].family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s\n", row[i].to);
		if (row[i].to[0] != '-')
			to = address(row[i].to);
		open_unbound(&s, row[i].family);
		assert_int_equal(dgram_socket_sendto(&s, "x", 1, &to), row[i].want);
		assert_int_equal(s.stats.sent, 0);
		dgram_socket_close(&s);
	}
}

static void a_connection_that_cannot_be_is_a_clear_error_and_leaves_no_descriptor(void **state)
{
	static const struct {
		const char *to;
		int want;
	} row[] = {
	        {"127.0.0.1:0", DGRAM_ERR_PORT},
	        {"[fe80::1]:9", DGRAM_ERR_ZONE},
	        {"255.255.255.255:9", DGRAM_ERR_DENIED},
	        {"unix:///nowhere/at/all", DGRAM_ERR_REFUSED},
	        {"unix://@dgram-test-nobody", DGRAM_ERR_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = address(row[i].to);
		struct dgram_socket s;

		if (to.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s\n", row[i].to);
		assert_int_equal(dgram_socket_connect(&s, &to, NULL), row[i].want);
		assert_int_equal(s.fd, -1);
	}
}

static void an_answer_leaves_from_the_address_that_was_asked(void **state)
{
	static const struct {
		const char *listen, *ask, *local;
		enum dgram_family family;
	} row[] = {
	        {"0.0.0.0:0", "127.0.0.2:0", "127.0.0.2:0", DGRAM_IPV4},
	        {"0.0.0.0:0", "127.0.0.1:0", "127.0.0.1:0", DGRAM_IPV4},
	        {"[::]:0", "127.0.0.2:0", "127.0.0.2:0", DGRAM_IPV4},
	        {"[::]:0", "127.0.0.3:0", "127.0.0.3:0", DGRAM_IPV6},
	        {"[::]:0", "[::1]:0", "[::1]:0", DGRAM_IPV6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_socket server, client;
		struct dgram_datagram d;
		struct dgram_addr to, from;

		if (row[i].family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s asked at %s\n", row[i].listen, row[i].ask);
		open_bound(&server, row[i].listen, NULL);
		open_unbound(&client, row[i].family);
		to = with_port(row[i].ask, port_of(&server));
		send_text(&client, "who are you", &to);
		d = expect_datagram(&server, "who are you");
		assert_address(&d.local, row[i].local);
		assert_true(d.interface > 0);
		assert_false(d.group);
		assert_int_equal(dgram_socket_send_batch(&server, &d, 1), 1);
		from = expect_text(&client, "who are you");
		assert_true(dgram_addr_equal(&from, &to));
		dgram_socket_close(&server);
		dgram_socket_close(&client);
	}
}

static void a_wildcard_ipv6_socket_carries_ipv4_only_when_it_may(void **state)
{
	const struct dgram_socket_options only = {.ipv6_only = true};
	struct dgram_socket both, six, client;
	struct dgram_addr to;

	(void)state;
	NEED_IPV6();
	open_bound(&both, "[::]:0", NULL);
	open_bound(&six, "[::]:0", &only);
	open_unbound(&client, DGRAM_IPV4);
	to = with_port("127.0.0.1:0", port_of(&both));
	send_text(&client, "four", &to);
	assert_int_equal(expect_text(&both, "four").family, DGRAM_IPV4);
	to.port = port_of(&six);
	send_text(&client, "four", &to);
	expect_nothing(&six);
	dgram_socket_close(&both);
	dgram_socket_close(&six);
	dgram_socket_close(&client);
}

static void a_socket_hears_itself_and_can_tell_by_the_address(void **state)
{
	struct dgram_socket s;
	struct dgram_addr self, from;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	self = name_of(&s);
	send_text(&s, "echo", &self);
	from = expect_text(&s, "echo");
	assert_true(dgram_addr_equal(&from, &self));
	dgram_socket_close(&s);
}

static void a_connected_socket_hears_only_its_peer(void **state)
{
	struct dgram_socket peer, stranger, s;
	struct dgram_addr to, got;

	(void)state;
	open_bound(&peer, "127.0.0.1:0", NULL);
	open_unbound(&stranger, DGRAM_IPV4);
	to = name_of(&peer);
	open_connected(&s, &to);
	assert_int_equal(dgram_socket_getpeername(&s, &got), 0);
	assert_true(dgram_addr_equal(&got, &to));
	to = name_of(&s);
	send_text(&stranger, "stranger", &to);
	send_text(&peer, "peer", &to);
	expect_text(&s, "peer");
	expect_nothing(&s);
	send_text(&s, "no address", NULL);
	expect_text(&peer, "no address");
	dgram_socket_close(&peer);
	dgram_socket_close(&stranger);
	dgram_socket_close(&s);
}

static void a_timeout_ends_after_its_time_and_not_before(void **state)
{
	static const uint64_t timeouts[] = {1, 300 * DGRAM_US, 20 * DGRAM_MS};
	struct dgram_socket s;
	char buf[4];

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		uint64_t start = dgram_clock();

		dgram_socket_settimeout(&s, timeouts[i]);
		assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL),
		                 DGRAM_ERR_TIMEOUT);
		assert_true(dgram_clock() - start >= timeouts[i]);
		start = dgram_clock();
		assert_int_equal(dgram_socket_wait(&s, timeouts[i]), 0);
		assert_true(dgram_clock() - start >= timeouts[i]);
	}
	dgram_socket_settimeout(&s, 0);
	assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), DGRAM_ERR_AGAIN);
	dgram_socket_close(&s);
}

static void the_timeout_of_the_options_is_that_of_every_call(void **state)
{
	const struct dgram_socket_options opt = {.timeout = 5 * DGRAM_MS};
	struct dgram_addr any = address("127.0.0.1:0");
	struct dgram_socket s;
	char buf[4];

	(void)state;
	assert_int_equal(dgram_socket_bind(&s, &any, &opt), 0);
	assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), DGRAM_ERR_TIMEOUT);
	dgram_socket_close(&s);
}

static void waiting_ends_when_a_datagram_is_there(void **state)
{
	struct dgram_socket s;
	struct dgram_addr self;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	self = name_of(&s);
	assert_int_equal(dgram_socket_wait(&s, 0), 0);
	send_text(&s, "", &self);
	assert_int_equal(dgram_socket_wait(&s, DGRAM_NEVER), DGRAM_READABLE);
	expect_text(&s, "");
	dgram_socket_close(&s);
}

static void a_name_that_is_not_there_is_the_systems_error(void **state)
{
	struct dgram_addr name;
	struct dgram_socket s;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	assert_int_equal(dgram_socket_getpeername(&s, &name), DGRAM_ERR_SYSTEM);
	assert_int_equal(errno, ENOTCONN);
	dgram_socket_close(&s);
	assert_int_equal(dgram_socket_getsockname(&s, &name), DGRAM_ERR_SYSTEM);
	assert_int_equal(errno, EBADF);
}

static void a_closed_socket_is_an_error_and_can_be_closed_again(void **state)
{
	struct dgram_socket s;
	char buf[4];

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	dgram_socket_close(&s);
	dgram_socket_close(&s);
	assert_int_equal(s.fd, -1);
	assert_int_equal(dgram_socket_wait(&s, 0), DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_socket_sendto(&s, "x", 1, NULL), DGRAM_ERR_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_datagram_and_its_answer_arrive_whole),
	        cmocka_unit_test(an_empty_datagram_is_a_datagram),
	        cmocka_unit_test(a_truncated_datagram_is_an_error_and_never_data),
	        cmocka_unit_test(a_truncated_datagram_in_a_batch_spoils_no_other),
	        cmocka_unit_test(the_largest_datagram_goes_and_one_byte_more_is_an_error),
	        cmocka_unit_test(a_destination_that_cannot_be_is_a_clear_error),
	        cmocka_unit_test(
	                a_connection_that_cannot_be_is_a_clear_error_and_leaves_no_descriptor),
	        cmocka_unit_test(an_answer_leaves_from_the_address_that_was_asked),
	        cmocka_unit_test(a_wildcard_ipv6_socket_carries_ipv4_only_when_it_may),
	        cmocka_unit_test(a_socket_hears_itself_and_can_tell_by_the_address),
	        cmocka_unit_test(a_connected_socket_hears_only_its_peer),
	        cmocka_unit_test(a_timeout_ends_after_its_time_and_not_before),
	        cmocka_unit_test(the_timeout_of_the_options_is_that_of_every_call),
	        cmocka_unit_test(waiting_ends_when_a_datagram_is_there),
	        cmocka_unit_test(a_name_that_is_not_there_is_the_systems_error),
	        cmocka_unit_test(a_closed_socket_is_an_error_and_can_be_closed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
