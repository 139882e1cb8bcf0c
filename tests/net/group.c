/* Groups, on the loopback interface only. */
#define _GNU_SOURCE
#include "net.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Groups of this process alone: where the system delivers the groups of others too, tests that run
 * at the same time must not hear each other. */
static char group_text[32], other_group_text[32];

static void choose_groups(void)
{
	unsigned pid = (unsigned)getpid();
	const unsigned high = pid >> 8 & 0xff, low = pid & 0xff;

	snprintf(group_text, sizeof group_text, "239.255.%u.%u:0", high, low);
	snprintf(other_group_text, sizeof other_group_text, "239.254.%u.%u:0", high, low);
}

static uint32_t loopback(void)
{
	return if_nametoindex("lo") != 0 ? if_nametoindex("lo") : if_nametoindex("lo0");
}

static struct dgram_datagram to_group(const char *group, uint16_t port)
{
	static uint8_t data[] = "all";

	return (struct dgram_datagram){
	        .peer = with_port(group, port),
	        .interface = loopback(),
	        .data = data,
	        .len = 3,
	};
}

static void a_member_hears_its_group_until_it_leaves(void **state)
{
	static const char *const listeners[] = {"0.0.0.0:0", "[::]:0"};
	struct dgram_addr group = address(group_text);

	(void)state;
	for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
		struct dgram_socket member, sender;
		struct dgram_datagram d;

		if (listeners[i][0] == '[' && !have_ipv6())
			continue;
		open_bound(&member, listeners[i], NULL);
		open_unbound(&sender, DGRAM_IPV4);
		assert_int_equal(dgram_socket_join(&member, &group, loopback()), 1);
		assert_int_equal(dgram_socket_join(&member, &group, loopback()), 1);
		d = to_group(group_text, port_of(&member));
		assert_int_equal(dgram_socket_send_batch(&sender, &d, 1), 1);
		d = expect_datagram(&member, "all");
		assert_true(d.group);
		assert_address(&d.local, group_text);
		assert_int_equal(d.interface, loopback());
		assert_int_equal(dgram_socket_leave(&member, &group, loopback()), 1);
		d = to_group(group_text, port_of(&member));
		assert_int_equal(dgram_socket_send_batch(&sender, &d, 1), 1);
		expect_nothing(&member);
		dgram_socket_close(&member);
		dgram_socket_close(&sender);
	}
}

static void an_answer_to_a_group_s_datagram_leaves_from_a_host_s_address(void **state)
{
	struct dgram_addr group = address(group_text), from;
	struct dgram_socket member, sender;
	struct dgram_datagram d;

	(void)state;
	open_bound(&member, "0.0.0.0:0", NULL);
	open_unbound(&sender, DGRAM_IPV4);
	assert_int_equal(dgram_socket_join(&member, &group, loopback()), 1);
	d = to_group(group_text, port_of(&member));
	assert_int_equal(dgram_socket_send_batch(&sender, &d, 1), 1);
	d = expect_datagram(&member, "all");
	assert_int_equal(dgram_socket_send_batch(&member, &d, 1), 1);
	from = expect_text(&sender, "all");
	assert_false(dgram_addr_is_multicast(&from));
	assert_int_equal(from.port, port_of(&member));
	dgram_socket_close(&member);
	dgram_socket_close(&sender);
}

static void joining_every_interface_includes_loopback(void **state)
{
	struct dgram_addr group = address(group_text);
	struct dgram_socket member, sender;
	struct dgram_datagram d;

	(void)state;
	open_bound(&member, "0.0.0.0:0", NULL);
	open_unbound(&sender, DGRAM_IPV4);
	assert_true(dgram_socket_join(&member, &group, 0) >= 1);
	d = to_group(group_text, port_of(&member));
	assert_int_equal(dgram_socket_send_batch(&sender, &d, 1), 1);
	expect_text(&member, "all");
	assert_true(dgram_socket_leave(&member, &group, 0) >= 1);
	dgram_socket_close(&member);
	dgram_socket_close(&sender);
}

static void a_group_that_only_another_socket_joined_is_not_heard(void **state)
{
	struct dgram_addr group = address(group_text), other = address(other_group_text);
	struct dgram_socket member, bystander, sender;
	struct dgram_datagram d;

	(void)state;
	open_bound(&bystander, "0.0.0.0:0", NULL);
	if (!bystander.error_queue) {
		print_message("this build cannot keep groups of others away\n");
		dgram_socket_close(&bystander);
		skip();
	}
	open_bound(&member, "0.0.0.0:0", NULL);
	open_unbound(&sender, DGRAM_IPV4);
	assert_int_equal(dgram_socket_join(&member, &group, loopback()), 1);
	assert_int_equal(dgram_socket_join(&bystander, &other, loopback()), 1);
	d = to_group(group_text, port_of(&bystander));
	assert_int_equal(dgram_socket_send_batch(&sender, &d, 1), 1);
	expect_nothing(&bystander);
	dgram_socket_close(&member);
	dgram_socket_close(&bystander);
	dgram_socket_close(&sender);
}

static void members_bound_to_the_group_share_its_port(void **state)
{
	const struct dgram_socket_options share = {.group_port = true};
	struct dgram_addr group = address(group_text), again;
	struct dgram_socket first, second, sender;
	struct dgram_datagram d;

	(void)state;
	open_bound(&first, group_text, &share);
	again = name_of(&first);
	assert_int_equal(dgram_socket_bind(&second, &again, &share), 0);
	dgram_socket_settimeout(&second, PATIENCE);
	assert_int_equal(dgram_socket_join(&first, &group, loopback()), 1);
	assert_int_equal(dgram_socket_join(&second, &group, loopback()), 1);
	open_unbound(&sender, DGRAM_IPV4);
	d = to_group(group_text, again.port);
	assert_int_equal(dgram_socket_send_batch(&sender, &d, 1), 1);
	expect_text(&first, "all");
	expect_text(&second, "all");
	dgram_socket_close(&first);
	dgram_socket_close(&second);
	dgram_socket_close(&sender);
}

static int option(const struct dgram_socket *s, int level, int name)
{
	int value = -1;

	assert_int_equal(getsockopt(s->fd, level, name, &value, &(socklen_t){sizeof value}), 0);
	return value;
}

static void groups_stay_on_the_link_unless_told_otherwise(void **state)
{
	const struct dgram_socket_options far = {.group_hops = 9, .hops = 33};
	struct dgram_socket s;

	(void)state;
	open_unbound(&s, DGRAM_IPV4);
	assert_int_equal(option(&s, IPPROTO_IP, IP_MULTICAST_TTL), 1);
	dgram_socket_close(&s);
	open_bound(&s, "0.0.0.0:0", &far);
	assert_int_equal(option(&s, IPPROTO_IP, IP_MULTICAST_TTL), 9);
	assert_int_equal(option(&s, IPPROTO_IP, IP_TTL), 33);
	dgram_socket_close(&s);
	NEED_IPV6();
	open_bound(&s, "[::]:0", &far);
	assert_int_equal(option(&s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 9);
	assert_int_equal(option(&s, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 33);
	dgram_socket_close(&s);
}

static void what_is_no_group_or_no_interface_cannot_be_joined(void **state)
{
	static const struct {
		const char *listen, *group;
		uint32_t interface;
		int want;
	} row[] = {
	        {"0.0.0.0:0", "127.0.0.1:0", 0, DGRAM_ERR_ARGUMENT},
	        {"0.0.0.0:0", "255.255.255.255:0", 0, DGRAM_ERR_ARGUMENT},
	        {"0.0.0.0:0", "[ff12::1]:0", 0, DGRAM_ERR_ARGUMENT},
	        {"0.0.0.0:0", "239.255.77.1:0", 999999, DGRAM_ERR_INTERFACE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr group = address(row[i].group);
		struct dgram_socket s;

		open_bound(&s, row[i].listen, NULL);
		assert_int_equal(dgram_socket_join(&s, &group, row[i].interface), row[i].want);
		assert_int_equal(dgram_socket_leave(&s, &group, row[i].interface), row[i].want);
		dgram_socket_close(&s);
	}
}

static void a_broadcast_needs_leave_and_is_told_apart(void **state)
{
	static const char *const listeners[] = {"0.0.0.0:0", "[::]:0"};
	const struct dgram_socket_options may = {.broadcast = true};

	(void)state;
	for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
		struct dgram_socket listener, sender;
		struct dgram_datagram d;
		struct dgram_addr to, from;

		if (listeners[i][0] == '[' && !have_ipv6())
			continue;
		open_bound(&listener, listeners[i], NULL);
		assert_int_equal(dgram_socket_open(&sender, DGRAM_IPV4, &may), 0);
		dgram_socket_settimeout(&sender, PATIENCE);
		to = with_port("127.255.255.255:0", port_of(&listener));
		send_text(&sender, "everyone", &to);
		d = expect_datagram(&listener, "everyone");
		assert_true(d.group);
		assert_address(&d.local, "127.255.255.255:0");
		assert_int_equal(dgram_socket_send_batch(&listener, &d, 1), 1);
		from = expect_text(&sender, "everyone");
		assert_int_equal(from.port, port_of(&listener));
		dgram_socket_close(&listener);
		dgram_socket_close(&sender);
	}
}

static void a_socket_binds_to_an_interface_that_is_there(void **state)
{
	const struct dgram_socket_options lo = {.interface = "lo"};
	const struct dgram_socket_options none = {.interface = "no-such-if"};
	const struct dgram_socket_options too_long = {
	        .interface = "a name that is longer than any interface's"};
	struct dgram_addr any = address("0.0.0.0:0"), to;
	struct dgram_socket s, client;
	int err = dgram_socket_bind(&s, &any, &lo);

	(void)state;
	if (err == DGRAM_ERR_UNSUPPORTED || err == DGRAM_ERR_DENIED) {
		print_message("binding to an interface: %s\n", dgram_strerror(err));
		skip();
	}
	assert_int_equal(err, 0);
	assert_int_equal(s.interface, loopback());
	dgram_socket_settimeout(&s, PATIENCE);
	open_unbound(&client, DGRAM_IPV4);
	to = with_port("127.0.0.1:0", port_of(&s));
	send_text(&client, "x", &to);
	expect_text(&s, "x");
	dgram_socket_close(&s);
	dgram_socket_close(&client);
	assert_int_equal(dgram_socket_bind(&s, &any, &none), DGRAM_ERR_INTERFACE);
	assert_int_equal(dgram_socket_bind(&s, &any, &too_long), DGRAM_ERR_INTERFACE);
	assert_int_equal(s.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_member_hears_its_group_until_it_leaves),
	        cmocka_unit_test(an_answer_to_a_group_s_datagram_leaves_from_a_host_s_address),
	        cmocka_unit_test(joining_every_interface_includes_loopback),
	        cmocka_unit_test(a_group_that_only_another_socket_joined_is_not_heard),
	        cmocka_unit_test(members_bound_to_the_group_share_its_port),
	        cmocka_unit_test(groups_stay_on_the_link_unless_told_otherwise),
	        cmocka_unit_test(what_is_no_group_or_no_interface_cannot_be_joined),
	        cmocka_unit_test(a_broadcast_needs_leave_and_is_told_apart),
	        cmocka_unit_test(a_socket_binds_to_an_interface_that_is_there),
	};

	choose_groups();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
