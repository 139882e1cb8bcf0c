/* What passes between two loops over real sockets. */
#include "party.h"

#include <errno.h>
#include <stdlib.h>

#define MIB (UINT32_C(1) << 20)

static void requests_are_answered_over_both_families(void **state)
{
	static const struct {
		const char *bound, *asked;
	} row[] = {
	        {"127.0.0.1:0", "127.0.0.1:0"}, {"[::1]:0", "[::1]:0"},
	        {"0.0.0.0:0", "127.0.0.1:0"},   {"[::]:0", "127.0.0.1:0"},
	        {"[::]:0", "[::1]:0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = address(row[i].asked);
		struct party client, server;

		if (to.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s at %s\n", row[i].asked, row[i].bound);
		party_open(&server, row[i].bound, NULL);
		party_open(&client, row[i].asked, NULL);
		to.port = server.here.port;
		ask(&client, &server, &to, "hello");
		ask(&client, &server, &to, "");
		assert_int_equal(server.requests, 2);
		assert_true(dgram_addr_equal(&client.last.peer, &to));
		party_close(&client);
		party_close(&server);
	}
}

static void an_unbound_socket_of_both_families_asks_both(void **state)
{
	static const char *const servers[] = {"127.0.0.1:0", "[::1]:0"};
	struct party client = {.loop = NULL};

	(void)state;
	NEED_IPV6();
	open_unbound(&client.socket, DGRAM_FAMILY_NONE);
	client.loop = dgram_loop_new(&client.socket, NULL);
	assert_non_null(client.loop);
	client.endpoint = dgram_loop_endpoint(client.loop);
	for (size_t i = 0; i < 2; i++) {
		struct party server;

		party_open(&server, servers[i], NULL);
		ask(&client, &server, &server.here, "both");
		party_close(&server);
	}
	party_close(&client);
}

/* What is not of the protocol is the program's, when it says so, with where it was sent to. */
static void plain_datagrams_come_between_messages(void **state)
{
	struct party client, server;
	struct dgram_addr to = address("127.0.0.2:0");
	const struct dgram_datagram *d;
	struct dgram_socket s;

	(void)state;
	party_open(&server, "0.0.0.0:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	open_bound(&s, "127.0.0.1:0", NULL);
	to.port = server.here.port;
	send_text(&s, "passed over", &to);
	ask(&client, &server, &to, "hello");
	assert_int_equal(stats_of(&server).received[DGRAM_FATE_FOREIGN], 1);
	dgram_loop_take_plain(server.loop);
	send_text(&s, "plain", &to);
	parties_run(&server, &server, &server.messages, 1);
	assert_int_equal(server.last.kind, 0);
	assert_string_equal(server.text, "plain");
	d = dgram_loop_plain(server.loop);
	assert_int_equal(d->len, 5);
	assert_memory_equal(d->data, "plain", 5);
	assert_int_equal(d->peer.port, port_of(&s));
	assert_int_equal(d->local.u.ip4[3], 2);
	ask(&client, &server, &to, "again");
	assert_int_equal(stats_of(&server).received[DGRAM_FATE_FOREIGN], 1);
	dgram_socket_close(&s);
	party_close(&client);
	party_close(&server);
}

static void posts_and_sends_arrive(void **state)
{
	struct party a, b;

	(void)state;
	party_open(&a, "127.0.0.1:0", NULL);
	party_open(&b, "127.0.0.1:0", NULL);
	submit(&a, DGRAM_POST, &b.here, "news", 4);
	parties_run(&a, &b, &b.messages, 1);
	assert_int_equal(b.last.kind, DGRAM_POST);
	assert_string_equal(b.text, "news");
	submit(&a, DGRAM_SEND, &b.here, "order", 5);
	parties_run(&a, &b, &b.messages, 2);
	assert_int_equal(b.last.kind, DGRAM_SEND);
	assert_string_equal(b.text, "order");
	parties_run(&a, &b, &a.done, 1);
	assert_int_equal(a.last.outcome, DGRAM_ANSWERED);
	party_close(&a);
	party_close(&b);
}

static void large_messages_arrive_whole(void **state)
{
	static uint8_t data[MIB];
	struct party a, b;

	(void)state;
	pattern(data, sizeof data);
	party_open(&a, "127.0.0.1:0", NULL);
	party_open(&b, "127.0.0.1:0", NULL);
	a.patterned = b.patterned = true;
	submit(&a, DGRAM_SEND, &b.here, data, sizeof data);
	parties_run(&a, &b, &b.messages, 1);
	assert_int_equal(b.last.len, sizeof data);
	parties_run(&a, &b, &a.done, 1);
	assert_int_equal(a.last.outcome, DGRAM_ANSWERED);
	party_close(&a);
	party_close(&b);
}

static void answer_large(struct party *p, const struct dgram_event *event)
{
	static uint8_t data[MIB];

	pattern(data, sizeof data);
	reply(p, event->id, data, sizeof data);
}

static void large_replies_arrive_whole(void **state)
{
	struct party a, b;

	(void)state;
	party_open(&a, "127.0.0.1:0", NULL);
	party_open(&b, "127.0.0.1:0", NULL);
	a.patterned = true;
	b.answer = answer_large;
	request(&a, &b.here, "all");
	parties_run(&a, &b, &a.done, 1);
	assert_int_equal(a.last.outcome, DGRAM_ANSWERED);
	assert_int_equal(a.last.len, MIB);
	party_close(&a);
	party_close(&b);
}

/* The acknowledgements ride along. A machine that is busy with something else may take longer than an
 * acknowledgement may wait, and has another chance. */
static void a_request_costs_one_datagram_each_way(void **state)
{
	const uint32_t count = 50;
	struct party client, server;
	uint64_t out = 0, in = 0;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	for (int tries = 0; tries < 50 && (out != count || in != count); tries++) {
		out = stats_of(&client).sent;
		in = received_by(&client);
		for (uint32_t i = 0; i < count; i++)
			ask(&client, &server, &server.here, "steady");
		out = stats_of(&client).sent - out;
		in = received_by(&client) - in;
	}
	assert_int_equal(out, count);
	assert_int_equal(in, count);
	party_close(&client);
	party_close(&server);
}

static void a_timeout_passes_and_one_of_0_does_not_wait(void **state)
{
	struct dgram_event event;
	struct party p;
	uint64_t start;

	(void)state;
	party_open(&p, "127.0.0.1:0", NULL);
	assert_int_equal(dgram_loop_timeout(p.loop), DGRAM_NEVER);
	event.type = DGRAM_EVENT_DONE;
	assert_int_equal(dgram_loop_wait(p.loop, &event, 0), 0);
	assert_int_equal(event.type, 0);
	start = dgram_clock();
	assert_int_equal(dgram_loop_wait(p.loop, &event, 20 * DGRAM_MS), 0);
	assert_true(dgram_clock() - start >= 20 * DGRAM_MS);
	party_close(&p);
}

/* The second request is in the program's hands, and the first one's reply with the client, before the program
 * has answered the second. */
static uint64_t held;

static void answer_slowly(struct party *p, const struct dgram_event *event)
{
	uint64_t end = dgram_clock() + 3 * DGRAM_MS;

	if (p->requests > 2)
		held = event->id;
	else
		reply(p, event->id, event->data, event->len);
	while (dgram_clock() < end)
		continue;
}

static void a_program_that_takes_its_time_holds_no_reply_back(void **state)
{
	struct party client, server;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	server.answer = answer_slowly;
	ask(&client, &server, &server.here, "warm");
	request(&client, &server.here, "first");
	request(&client, &server.here, "second");
	party_turn(&client);
	while (server.requests < 3) {
		struct dgram_event event;

		assert_int_equal(dgram_loop_wait(server.loop, &event, PATIENCE), 1);
		party_note(&server, &event);
	}
	party_turn(&client);
	assert_int_equal(client.done, 2);
	assert_string_equal(client.text, "first");
	reply(&server, held, "late", 4);
	parties_run(&client, &server, &client.done, 3);
	assert_string_equal(client.text, "late");
	party_close(&client);
	party_close(&server);
}

static void close_tells_the_peer(void **state)
{
	struct party client, server;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	ask(&client, &server, &server.here, "hello");
	assert_int_equal(stats_of(&server).sessions, 1);
	dgram_loop_close(client.loop);
	party_turn(&server);
	assert_int_equal(stats_of(&server).ended, 1);
	ask(&client, &server, &server.here, "again, in a session of its own");
	party_close(&client);
	party_close(&server);
}

static void what_is_no_datagram_of_ours_is_counted(void **state)
{
	static const uint8_t longer[4000] = {0xe4, 0x67, 0x72, 0x6d};
	struct dgram_socket stranger;
	struct party p;

	(void)state;
	party_open(&p, "127.0.0.1:0", NULL);
	open_unbound(&stranger, DGRAM_IPV4);
	send_text(&stranger, "hello", &p.here);
	assert_int_equal(dgram_socket_sendto(&stranger, longer, sizeof longer, &p.here), 0);
	party_turn(&p);
	assert_int_equal(stats_of(&p).received[DGRAM_FATE_FOREIGN], 1);
	assert_int_equal(stats_of(&p).received[DGRAM_FATE_MALFORMED], 1);
	assert_int_equal(received_by(&p), 2);
	dgram_socket_close(&stranger);
	party_close(&p);
}

static void sockets_and_values_that_cannot_be_are_refused(void **state)
{
	const struct dgram_endpoint_config bad = {.window = 1};
	struct dgram_addr peer = address("127.0.0.1:9");
	struct dgram_socket connected, local, closed = {.fd = -1, .family = DGRAM_IPV4}, fine;

	(void)state;
	open_connected(&connected, &peer);
	open_unbound(&local, DGRAM_UNIX);
	open_unbound(&fine, DGRAM_IPV4);
	errno = 0;
	assert_null(dgram_loop_new(&connected, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(dgram_loop_new(&local, NULL));
	assert_null(dgram_loop_new(&closed, NULL));
	errno = 0;
	assert_null(dgram_loop_new(&fine, &bad));
	assert_int_equal(errno, EINVAL);
	dgram_socket_close(&connected);
	dgram_socket_close(&local);
	dgram_socket_close(&fine);
	dgram_loop_free(NULL);
}

static void the_socket_is_given_back(void **state)
{
	struct dgram_socket s;
	struct dgram_loop *loop;

	(void)state;
	open_unbound(&s, DGRAM_IPV4);
	loop = dgram_loop_new(&s, NULL);
	assert_non_null(loop);
	assert_int_equal(dgram_loop_fd(loop), s.fd);
	assert_int_equal(s.timeout, 0);
	dgram_loop_free(loop);
	assert_int_equal(s.timeout, PATIENCE);
	dgram_socket_close(&s);
}

static void a_broken_socket_ends_the_loop(void **state)
{
	struct dgram_event event;
	struct party p;
	int fd;

	(void)state;
	party_open(&p, "127.0.0.1:0", NULL);
	fd = p.socket.fd;
	p.socket.fd = -1;
	assert_int_equal(dgram_loop_wait(p.loop, &event, DGRAM_NEVER), DGRAM_ERR_SYSTEM);
	assert_int_equal(event.type, 0);
	p.socket.fd = fd;
	party_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(requests_are_answered_over_both_families),
	        cmocka_unit_test(an_unbound_socket_of_both_families_asks_both),
	        cmocka_unit_test(plain_datagrams_come_between_messages),
	        cmocka_unit_test(posts_and_sends_arrive),
	        cmocka_unit_test(large_messages_arrive_whole),
	        cmocka_unit_test(large_replies_arrive_whole),
	        cmocka_unit_test(a_request_costs_one_datagram_each_way),
	        cmocka_unit_test(a_timeout_passes_and_one_of_0_does_not_wait),
	        cmocka_unit_test(a_program_that_takes_its_time_holds_no_reply_back),
	        cmocka_unit_test(close_tells_the_peer),
	        cmocka_unit_test(what_is_no_datagram_of_ours_is_counted),
	        cmocka_unit_test(sockets_and_values_that_cannot_be_are_refused),
	        cmocka_unit_test(the_socket_is_given_back),
	        cmocka_unit_test(a_broken_socket_ends_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
