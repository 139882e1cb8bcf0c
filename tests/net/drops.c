#include "net.h"

#include "net/drops.h"

static void datagrams_dropped_for_a_full_buffer_are_counted(void **state)
{
	const struct dgram_socket_options small = {.receive_buffer = 4096};
	struct dgram_socket server, client;
	struct dgram_addr to;
	uint64_t arrived = 0, dropped;
	char buf[1024];

	(void)state;
	open_bound(&server, "127.0.0.1:0", &small);
	open_unbound(&client, DGRAM_IPV4);
	if (!client.error_queue) {
		print_message("this build does not tell of drops\n");
		dgram_socket_close(&server);
		dgram_socket_close(&client);
		skip();
	}
	to = name_of(&server);
	send_text(&client, "first", &to); /* arrives before any drop, is read after all of them */
	memset(buf, 0, sizeof buf);
	for (int i = 0; i < 100; i++)
		assert_int_equal(dgram_socket_sendto(&client, buf, sizeof buf, &to), 0);
	dropped = dgram_socket_count_drops(&server);
	expect_text(&server, "first");
	dgram_socket_settimeout(&server, 0);
	while (dgram_socket_recvfrom(&server, buf, sizeof buf, NULL) >= 0)
		arrived++;
	assert_true(arrived < 100);
	assert_int_equal(dropped, 100 - arrived);
	assert_int_equal(server.stats.kernel_dropped, dropped);

	/* The next datagram tells it too, and tells it once. */
	server.stats.kernel_dropped = server.last_drops = 0;
	send_text(&client, "next", &to);
	expect_text(&server, "next");
	assert_int_equal(server.stats.kernel_dropped, dropped);
	assert_int_equal(dgram_socket_count_drops(&server), dropped);
	dgram_socket_close(&server);
	dgram_socket_close(&client);
}

static void the_kernel_s_count_of_drops_may_wrap(void **state)
{
	static const struct {
		uint32_t last, count, step;
	} row[] = {
	        {0, 0, 0},
	        {0, 5, 5},
	        {5, 5, 0},
	        {0xffffffff, 0, 1},
	        {0xfffffff0, 4, 20},
	        {0x7fffffff, 0x80000000, 1},
	        /* The count of an older datagram. */
	        {5, 4, 0},
	        {4, 0xfffffff0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_socket s = {.fd = -1, .last_drops = row[i].last};

		s.stats.kernel_dropped = UINT64_C(1) << 33;
		dg_drops_step(&s, row[i].count);
		assert_int_equal(s.stats.kernel_dropped, (UINT64_C(1) << 33) + row[i].step);
		assert_int_equal(s.last_drops, row[i].last + row[i].step);
	}
}

static void a_smaller_buffer_than_asked_for_is_reported(void **state)
{
	const struct dgram_socket_options modest = {.receive_buffer = 65536, .send_buffer = 32768};
	const struct dgram_socket_options greedy = {.receive_buffer = UINT32_MAX,
	                                            .send_buffer = UINT32_MAX};
	struct dgram_socket s;

	(void)state;
	open_bound(&s, "127.0.0.1:0", &modest);
	assert_true(s.receive_buffer >= modest.receive_buffer);
	assert_true(s.send_buffer >= modest.send_buffer);
	dgram_socket_close(&s);
	open_bound(&s, "127.0.0.1:0", &greedy);
	assert_true(s.receive_buffer > 0 && s.receive_buffer < greedy.receive_buffer);
	assert_true(s.send_buffer > 0 && s.send_buffer < greedy.send_buffer);
	dgram_socket_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(datagrams_dropped_for_a_full_buffer_are_counted),
	        cmocka_unit_test(the_kernel_s_count_of_drops_may_wrap),
	        cmocka_unit_test(a_smaller_buffer_than_asked_for_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
