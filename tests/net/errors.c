/* ICMP errors. On loopback the kernel delivers a refusal before sendto returns, so nothing here
 * waits for one. The tests that need the error queue skip themselves where the system has none. */
#include "net.h"

#include <errno.h>

struct scene {
	struct dgram_socket live, client;
	struct dgram_addr live_addr, dead;
};

/* The client speaks to two hosts: one that is there and one that is not. */
static void open_scene(struct scene *n, enum dgram_family family, const char *live,
                       const char *dead)
{
	open_bound(&n->live, live, NULL);
	open_unbound(&n->client, family);
	n->live_addr = name_of(&n->live);
	n->dead = address(dead);
}

static void close_scene(struct scene *n)
{
	dgram_socket_close(&n->live);
	dgram_socket_close(&n->client);
}

static const struct {
	const char *name, *live, *dead;
	enum dgram_family family;
} scenes[] = {
        {"IPv4", "127.0.0.1:0", DEAD4, DGRAM_IPV4},
        {"IPv6", "[::1]:0", DEAD6, DGRAM_IPV6},
        {"IPv4 from an IPv6 socket", "127.0.0.1:0", DEAD4, DGRAM_IPV6},
        {"IPv6 refuses, IPv4 lives", "127.0.0.1:0", DEAD6, DGRAM_IPV6},
        {"IPv4 refuses, IPv6 lives", "[::1]:0", DEAD4, DGRAM_IPV6},
};

static void a_dead_peer_never_fails_a_send_to_a_live_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		struct scene n;

		if (scenes[i].family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s\n", scenes[i].name);
		open_scene(&n, scenes[i].family, scenes[i].live, scenes[i].dead);
		for (int round = 0; round < 100; round++) {
			send_text(&n.client, "dead", &n.dead);
			send_text(&n.client, "live", &n.live_addr);
			expect_text(&n.live, "live");
		}
		assert_int_equal(n.client.stats.sent, 200);
		close_scene(&n);
	}
}

static void a_refusal_names_the_destination_that_caused_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		struct dgram_socket_error e;
		struct scene n;

		if (scenes[i].family == DGRAM_IPV6 && !have_ipv6())
			continue;
		open_scene(&n, scenes[i].family, scenes[i].live, scenes[i].dead);
		if (!n.client.error_queue) {
			close_scene(&n);
			continue;
		}
		print_message("%s\n", scenes[i].name);
		send_text(&n.client, "dead", &n.dead);
		for (int again = 0; again < 2; again++)
			assert_int_equal(dgram_socket_wait(&n.client, DGRAM_NEVER),
			                 DGRAM_ERROR_WAITS);
		send_text(&n.client, "live", &n.live_addr);
		assert_int_equal(dgram_socket_next_error(&n.client, &e), 1);
		assert_true(dgram_addr_equal(&e.to, &n.dead));
		assert_int_equal(e.error, DGRAM_ERR_REFUSED);
		assert_int_equal(e.from.family, n.dead.family);
		assert_int_equal(dgram_socket_next_error(&n.client, &e), 0);
		assert_int_equal(dgram_socket_wait(&n.client, 0), 0);
		assert_int_equal(n.client.stats.errors, 1);
		close_scene(&n);
	}
}

static void a_refusal_does_not_end_a_receive_from_others(void **state)
{
	static const uint64_t timeouts[] = {DGRAM_NEVER, PATIENCE, 0};
	struct scene n;

	(void)state;
	open_scene(&n, DGRAM_IPV4, "127.0.0.1:0", DEAD4);
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		struct dgram_addr from;

		send_text(&n.client, "ask", &n.live_addr);
		from = expect_text(&n.live, "ask");
		send_text(&n.client, "dead", &n.dead);
		send_text(&n.live, "answer", &from);
		dgram_socket_settimeout(&n.client, timeouts[i]);
		expect_text(&n.client, "answer");
	}
	close_scene(&n);
}

static void a_refusal_does_not_shorten_a_timeout_nor_keep_it_busy(void **state)
{
	struct scene n;
	uint64_t start;
	char buf[4];

	(void)state;
	open_scene(&n, DGRAM_IPV4, "127.0.0.1:0", DEAD4);
	send_text(&n.client, "dead", &n.dead);
	dgram_socket_settimeout(&n.client, 30 * DGRAM_MS);
	start = dgram_clock();
	assert_int_equal(dgram_socket_recvfrom(&n.client, buf, sizeof buf, NULL),
	                 DGRAM_ERR_TIMEOUT);
	assert_true(dgram_clock() - start >= 30 * DGRAM_MS);
	assert_int_equal(n.client.errors_count, n.client.error_queue ? 1 : 0);
	close_scene(&n);
}

static void a_datagram_and_an_error_that_wait_are_both_told(void **state)
{
	struct scene n;
	struct dgram_addr from;

	(void)state;
	NEED_ERRORS();
	open_scene(&n, DGRAM_IPV4, "127.0.0.1:0", DEAD4);
	send_text(&n.client, "ask", &n.live_addr);
	from = expect_text(&n.live, "ask");
	send_text(&n.live, "answer", &from);
	send_text(&n.client, "dead", &n.dead);
	assert_int_equal(dgram_socket_wait(&n.client, PATIENCE),
	                 DGRAM_READABLE | DGRAM_ERROR_WAITS);
	assert_int_equal(dgram_socket_wait(&n.client, PATIENCE),
	                 DGRAM_READABLE | DGRAM_ERROR_WAITS);
	close_scene(&n);
}

static void a_refusal_reaches_a_connected_socket_at_once(void **state)
{
	static const uint64_t timeouts[] = {DGRAM_NEVER, PATIENCE, 0};
	struct dgram_addr dead = address(DEAD4);
	char buf[4];

	(void)state;
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		struct dgram_socket s;

		open_connected(&s, &dead);
		send_text(&s, "x", NULL);
		dgram_socket_settimeout(&s, timeouts[i]);
		assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL),
		                 DGRAM_ERR_REFUSED);
		assert_int_equal(errno, ECONNREFUSED);
		expect_nothing(&s);
		dgram_socket_close(&s);
	}
}

static void a_connected_socket_goes_on_sending_to_a_peer_that_refused(void **state)
{
	struct dgram_addr dead = address(DEAD4);
	struct dgram_socket s;
	struct dgram_socket_error e;
	int refusals = 0;

	(void)state;
	open_connected(&s, &dead);
	for (int i = 0; i < 4; i++)
		send_text(&s, "x", NULL);
	assert_int_equal(s.stats.sent, 4);
	while (dgram_socket_next_error(&s, &e) == 1) {
		assert_int_equal(e.error, DGRAM_ERR_REFUSED);
		assert_true(dgram_addr_equal(&e.to, &dead));
		refusals++;
	}
	assert_int_equal(refusals, 4);
	dgram_socket_close(&s);
}

static void an_answer_that_is_there_comes_before_a_later_refusal(void **state)
{
	struct dgram_socket peer, s;
	struct dgram_addr to, back;
	char buf[4];

	(void)state;
	open_bound(&peer, "127.0.0.1:0", NULL);
	to = name_of(&peer);
	open_connected(&s, &to);
	send_text(&s, "ask", NULL);
	back = expect_text(&peer, "ask");
	send_text(&peer, "answer", &back);
	dgram_socket_close(&peer);
	send_text(&s, "again", NULL);
	expect_text(&s, "answer");
	assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), DGRAM_ERR_REFUSED);
	dgram_socket_close(&s);
}

/* Each queued error takes room of the receive buffer: unread, they would make the socket deaf. */
static void errors_that_nobody_asks_for_do_not_make_a_socket_deaf(void **state)
{
	const struct dgram_socket_options small = {.receive_buffer = 4096};
	struct dgram_addr self, dead = address(DEAD4);
	struct dgram_socket s;

	(void)state;
	NEED_ERRORS();
	open_bound(&s, "127.0.0.1:0", &small);
	self = name_of(&s);
	for (int i = 0; i < 1000; i++)
		send_text(&s, "dead", &dead);
	send_text(&s, "still here", &self);
	expect_text(&s, "still here");
	assert_int_equal(s.errors_count, DGRAM_SOCKET_ERRORS_MAX);
	assert_true(s.stats.errors >= 900);
	assert_int_equal(s.stats.errors_lost, s.stats.errors - DGRAM_SOCKET_ERRORS_MAX);
	dgram_socket_close(&s);
}

static void the_newest_errors_are_kept_in_order(void **state)
{
	struct dgram_socket s;
	struct dgram_socket_error e;

	(void)state;
	NEED_ERRORS();
	open_unbound(&s, DGRAM_IPV4);
	for (uint8_t i = 1; i <= DGRAM_SOCKET_ERRORS_MAX + 3; i++) {
		struct dgram_addr dead = address(DEAD4);

		dead.u.ip4[3] = i;
		send_text(&s, "dead", &dead);
	}
	assert_int_equal(dgram_socket_wait(&s, 0), DGRAM_ERROR_WAITS);
	for (uint8_t i = 4; i <= DGRAM_SOCKET_ERRORS_MAX + 3; i++) {
		assert_int_equal(dgram_socket_next_error(&s, &e), 1);
		assert_int_equal(e.to.u.ip4[3], i);
	}
	assert_int_equal(dgram_socket_next_error(&s, &e), 0);
	assert_int_equal(s.stats.errors_lost, 3);
	dgram_socket_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_dead_peer_never_fails_a_send_to_a_live_one),
	        cmocka_unit_test(a_refusal_names_the_destination_that_caused_it),
	        cmocka_unit_test(a_refusal_does_not_end_a_receive_from_others),
	        cmocka_unit_test(a_refusal_does_not_shorten_a_timeout_nor_keep_it_busy),
	        cmocka_unit_test(a_datagram_and_an_error_that_wait_are_both_told),
	        cmocka_unit_test(a_refusal_reaches_a_connected_socket_at_once),
	        cmocka_unit_test(a_connected_socket_goes_on_sending_to_a_peer_that_refused),
	        cmocka_unit_test(an_answer_that_is_there_comes_before_a_later_refusal),
	        cmocka_unit_test(errors_that_nobody_asks_for_do_not_make_a_socket_deaf),
	        cmocka_unit_test(the_newest_errors_are_kept_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
