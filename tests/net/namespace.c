/* A network of the test's own: two interfaces that are each other's cable, and routes that forbid.
 * Needs Linux's network namespaces (as root, or with user namespaces) and ip(8); skipped without.
 */
#define _GNU_SOURCE
#include "net.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Root makes a network right away; everyone else becomes root of a user namespace first. */
static bool enter_namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof map, "0 %u 1", gid);
	return write_file("/proc/self/gid_map", map);
}

static bool run(const char *command)
{
	return system(command) == 0; /* NOLINT(cert-env33-c): constant commands, of this file */
}

static bool make_network(void)
{
	static const char *const commands[] = {
	        "ip link set lo up",
	        "ip link add v0 type veth peer name v1",
	        "ip link set v0 addrgenmode none && ip link set v1 addrgenmode none || true",
	        "ip link set v0 up && ip link set v1 up",
	        "ip addr add 10.3.0.1/24 brd + dev v0",
	        "ip route add unreachable 10.4.0.0/16",
	        "ip route add prohibit 10.5.0.0/16",
	};

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!run(commands[i]))
			return false;
	return true;
}

/* IPv6 may be missing: its tests skip themselves then. */
static void add_ipv6(void)
{
	run("ip -6 addr add fe80::1/64 dev v0 nodad 2>/dev/null");
	run("ip -6 addr add fe80::2/64 dev v1 nodad 2>/dev/null");
	run("ip -6 route add prohibit 2001:db8:5::/48 2>/dev/null");
}

/* An interface takes a moment until IPv6 works on it: tries until a datagram to itself arrives. */
static bool comes_alive(const char *host, const char *interface)
{
	struct dgram_addr any = address("[::]:0"), to = address(host);
	struct dgram_socket s;
	bool alive = false;

	if (dgram_socket_bind(&s, &any, NULL) < 0)
		return false;
	to.port = port_of(&s);
	to.zone = if_nametoindex(interface);
	for (int tries = 0; !alive && tries < 1000; tries++) {
		dgram_socket_sendto(&s, "x", 1, &to);
		alive = dgram_socket_wait(&s, 10 * DGRAM_MS) & DGRAM_READABLE;
	}
	dgram_socket_close(&s);
	return alive;
}

static void where_no_route_leads_is_told_at_once(void **state)
{
	static const struct {
		const char *to;
		int want;
	} row[] = {
	        {"10.9.9.9:9", DGRAM_ERR_UNREACHABLE},   {"10.4.0.1:9", DGRAM_ERR_UNREACHABLE},
	        {"10.5.0.1:9", DGRAM_ERR_DENIED},        {"[2001:db8::1]:9", DGRAM_ERR_UNREACHABLE},
	        {"[2001:db8:5::1]:9", DGRAM_ERR_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = address(row[i].to), self;
		struct dgram_socket s, connected;

		if (to.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s\n", row[i].to);
		open_bound(&s, to.family == DGRAM_IPV4 ? "0.0.0.0:0" : "[::]:0", NULL);
		assert_int_equal(dgram_socket_sendto(&s, "x", 1, &to), row[i].want);
		assert_int_equal(dgram_socket_connect(&connected, &to, NULL), row[i].want);
		self = with_port("127.0.0.1:0", port_of(&s));
		send_text(&s, "still works", &self);
		expect_text(&s, "still works");
		dgram_socket_close(&s);
	}
}

/* With two ports to pick from, every other pick would be the peer's. */
static void a_connected_socket_is_never_its_own_peer(void **state)
{
	struct dgram_addr peer = address("127.0.0.1:50000"), here;
	struct dgram_socket s;

	(void)state;
	assert_true(write_file("/proc/sys/net/ipv4/ip_local_port_range", "50000 50001"));
	for (int i = 0; i < 64; i++) {
		assert_int_equal(dgram_socket_connect(&s, &peer, NULL), 0);
		assert_int_equal(dgram_socket_getsockname(&s, &here), 0);
		assert_int_equal(here.port, 50001);
		dgram_socket_close(&s);
	}
	assert_true(write_file("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999"));
}

/* Nobody answers ARP for it: the kernel finds out later, and says so through the queue only. */
static void a_host_that_is_not_there_is_told_when_the_kernel_knows(void **state)
{
	struct dgram_addr absent = address("10.3.0.77:9"), self;
	struct dgram_socket_error e = {0};
	struct dgram_socket s;

	(void)state;
	NEED_ERRORS();
	write_file("/proc/sys/net/ipv4/neigh/v0/mcast_solicit", "1");
	write_file("/proc/sys/net/ipv4/neigh/v0/retrans_time_ms", "10");
	open_bound(&s, "0.0.0.0:0", NULL);
	send_text(&s, "x", &absent);
	assert_int_equal(dgram_socket_wait(&s, PATIENCE), DGRAM_ERROR_WAITS);
	assert_int_equal(dgram_socket_next_error(&s, &e), 1);
	assert_int_equal(e.error, DGRAM_ERR_UNREACHABLE);
	assert_true(dgram_addr_equal(&e.to, &absent));
	self = with_port("127.0.0.1:0", port_of(&s));
	send_text(&s, "still works", &self);
	expect_text(&s, "still works");
	dgram_socket_close(&s);
}

static void a_link_that_goes_down_and_comes_back_needs_no_new_socket(void **state)
{
	struct dgram_addr self, beyond = address("10.3.0.9:9");
	struct dgram_socket s;

	(void)state;
	open_bound(&s, "0.0.0.0:0", NULL);
	assert_true(run("ip link set v0 down"));
	assert_int_equal(dgram_socket_sendto(&s, "x", 1, &beyond), DGRAM_ERR_UNREACHABLE);
	assert_int_equal(dgram_socket_wait(&s, 0), 0);
	assert_true(run("ip link set v0 up"));
	self = with_port("10.3.0.1:0", port_of(&s));
	send_text(&s, "back", &self);
	expect_text(&s, "back");
	assert_int_equal(dgram_socket_sendto(&s, "x", 1, &beyond), 0);
	dgram_socket_close(&s);
}

static void longer_than_the_path_is_an_error_only_without_fragments(void **state)
{
	static const char *const listeners[] = {"127.0.0.1:0", "[::1]:0"};
	const struct dgram_socket_options whole = {.no_fragments = true};
	static uint8_t data[4000], buf[4000];

	(void)state;
	assert_true(run("ip link set lo mtu 1500"));
	for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
		struct dgram_addr to = address(listeners[i]);
		struct dgram_socket server, cutting, s;
		struct dgram_socket_error e;

		if (to.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		open_bound(&server, listeners[i], NULL);
		to = name_of(&server);
		open_unbound(&cutting, (enum dgram_family)to.family);
		assert_int_equal(dgram_socket_sendto(&cutting, data, sizeof data, &to), 0);
		assert_int_equal(dgram_socket_recvfrom(&server, buf, sizeof buf, NULL),
		                 (int)sizeof data);
		dgram_socket_close(&cutting);
		if (dgram_socket_open(&s, (enum dgram_family)to.family, &whole) == 0) {
			assert_int_equal(dgram_socket_sendto(&s, data, sizeof data, &to),
			                 DGRAM_ERR_SIZE);
			assert_int_equal(dgram_socket_next_error(&s, &e), 1);
			assert_int_equal(e.error, DGRAM_ERR_SIZE);
			assert_int_equal(e.mtu, 1500);
			assert_true(dgram_addr_equal(&e.to, &to));
			assert_int_equal(dgram_socket_next_error(&s, &e), 0);
			assert_int_equal(dgram_socket_sendto(&s, data, 1400, &to), 0);
			dgram_socket_close(&s);
		}
		if (dgram_socket_connect(&s, &to, &whole) == 0) {
			assert_int_equal(dgram_socket_sendto(&s, data, sizeof data, NULL),
			                 DGRAM_ERR_SIZE);
			assert_int_equal(dgram_socket_next_error(&s, &e), 1);
			assert_true(dgram_addr_equal(&e.to, &to));
			dgram_socket_close(&s);
		}
		dgram_socket_close(&server);
	}
	assert_true(run("ip link set lo mtu 65536"));
}

static void a_link_local_host_is_reached_and_answered_by_its_zone(void **state)
{
	const struct dgram_socket_options on_v0 = {.interface = "v0"};
	struct dgram_socket server, client;
	struct dgram_addr to = address("[fe80::1]:0");
	struct dgram_datagram d;

	(void)state;
	NEED_IPV6();
	open_bound(&server, "[::]:0", NULL);
	open_unbound(&client, DGRAM_IPV6);
	to.port = port_of(&server);
	assert_int_equal(dgram_socket_sendto(&client, "x", 1, &to), DGRAM_ERR_ZONE);
	to.zone = if_nametoindex("v0");
	send_text(&client, "near", &to);
	d = expect_datagram(&server, "near");
	assert_int_equal(d.local.zone, to.zone);
	assert_int_equal(d.peer.zone, to.zone);
	assert_int_equal(dgram_socket_send_batch(&server, &d, 1), 1);
	to = expect_text(&client, "near");
	assert_int_equal(to.zone, if_nametoindex("v0"));
	dgram_socket_close(&client);

	/* The interface that a socket is bound to stands for the zone. */
	if (dgram_socket_open(&client, DGRAM_IPV6, &on_v0) == 0) {
		to.zone = 0;
		assert_int_equal(dgram_socket_sendto(&client, "x", 1, &to), 0);
		dgram_socket_close(&client);
	}
	dgram_socket_close(&server);
}

static void the_candidates_for_a_zone_are_named(void **state)
{
	char text[64];

	(void)state;
	NEED_IPV6();
	dgram_interface_candidates(text, sizeof text);
	assert_int_equal(strlen(text), strlen("%v0 %v1"));
	assert_non_null(strstr(text, "%v0"));
	assert_non_null(strstr(text, "%v1"));
	assert_int_equal(strlen(dgram_interface_candidates(text, 5)), strlen("%v0"));
	assert_string_equal(dgram_interface_candidates(text, 3), "");
}

/* Sends to the group through an interface: whether a member hears it through the same one. */
static bool heard(struct dgram_socket *member, struct dgram_socket *sender, const char *group,
                  const char *interface)
{
	static uint8_t data[] = "all", buf[16];
	struct dgram_datagram out = {.peer = with_port(group, port_of(member)),
	                             .interface = if_nametoindex(interface),
	                             .data = data,
	                             .len = 3};
	struct dgram_datagram in = {.data = buf, .size = sizeof buf};
	bool here = false;

	assert_int_equal(dgram_socket_send_batch(sender, &out, 1), 1);
	dgram_socket_settimeout(member, 0);
	while (dgram_socket_recv_batch(member, &in, 1) == 1)
		here |= in.interface == out.interface && in.group;
	return here;
}

static void a_group_joined_everywhere_is_heard_through_every_interface(void **state)
{
	static const struct {
		const char *listen, *group;
	} row[] = {{"0.0.0.0:0", "239.255.24.72:0"},
	           {"[::]:0", "239.255.24.72:0"},
	           {"[::]:0", "[ff12::2472]:0"}};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr group = address(row[i].group);
		struct dgram_socket member, sender;

		if (row[i].listen[0] == '[' && !have_ipv6())
			continue;
		print_message("%s on %s\n", row[i].group, row[i].listen);
		open_bound(&member, row[i].listen, NULL);
		open_unbound(&sender, (enum dgram_family)group.family);
		assert_int_equal(dgram_socket_join(&member, &group, 0), 3);
		assert_true(heard(&member, &sender, row[i].group, "v0"));
		assert_true(heard(&member, &sender, row[i].group, "v1"));
		assert_int_equal(dgram_socket_leave(&member, &group, 0), 3);
		assert_false(heard(&member, &sender, row[i].group, "v0"));
		assert_int_equal(dgram_socket_join(&member, &group, if_nametoindex("v0")), 1);
		assert_true(heard(&member, &sender, row[i].group, "v0"));
		assert_false(heard(&member, &sender, row[i].group, "v1"));
		dgram_socket_close(&member);
		dgram_socket_close(&sender);
	}
}

static void the_zone_of_a_group_chooses_the_interface(void **state)
{
	static const char *const groups[] = {"[ff12::2472]:0", "[ff15::2472]:0"};
	static const char *const interfaces[] = {"v0", "v1"};

	(void)state;
	NEED_IPV6();
	for (size_t i = 0; i < 4; i++) {
		struct dgram_addr group = address(groups[i / 2]);
		struct dgram_socket member, sender;
		struct dgram_datagram d;

		open_bound(&member, "[::]:0", NULL);
		open_unbound(&sender, DGRAM_IPV6);
		group.zone = if_nametoindex(interfaces[i % 2]);
		assert_int_equal(dgram_socket_join(&member, &group, 0), 1);
		group.port = port_of(&member);
		send_text(&sender, "zone", &group);
		d = expect_datagram(&member, "zone");
		assert_int_equal(d.interface, group.zone);
		assert_int_equal(d.local.zone, dgram_addr_is_link_local(&group) ? group.zone : 0);
		assert_int_equal(d.peer.u.ip6[15], i % 2 + 1); /* it left there, too */
		dgram_socket_close(&member);
		dgram_socket_close(&sender);
	}
}

static void no_loop_keeps_a_group_s_datagrams_off_this_machine(void **state)
{
	const struct dgram_socket_options quiet = {.no_group_loop = true};
	static const char *const groups[] = {"239.255.24.72:0", "[ff12::2472]:0"};

	(void)state;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		struct dgram_addr group = address(groups[i]);
		struct dgram_socket member, sender;

		if (group.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		open_bound(&member, group.family == DGRAM_IPV6 ? "[::]:0" : "0.0.0.0:0", NULL);
		assert_int_equal(
		        dgram_socket_open(&sender, (enum dgram_family)group.family, &quiet), 0);
		assert_int_equal(dgram_socket_join(&member, &group, if_nametoindex("v0")), 1);
		assert_false(heard(&member, &sender, groups[i], "v0"));
		dgram_socket_close(&member);
		dgram_socket_close(&sender);
	}
}

static void a_broadcast_of_the_subnet_is_told_apart_from_a_host_s_address(void **state)
{
	const struct dgram_socket_options may = {.broadcast = true};
	static const char *const listeners[] = {"0.0.0.0:0", "[::]:0"};

	(void)state;
	for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
		struct dgram_socket listener, sender;
		struct dgram_datagram d;
		struct dgram_addr to;

		if (listeners[i][0] == '[' && !have_ipv6())
			continue;
		open_bound(&listener, listeners[i], NULL);
		assert_int_equal(dgram_socket_open(&sender, DGRAM_IPV4, &may), 0);
		to = with_port("10.3.0.255:0", port_of(&listener));
		send_text(&sender, "everyone", &to);
		d = expect_datagram(&listener, "everyone");
		assert_true(d.group);
		assert_address(&d.local, "10.3.0.255:0");
		dgram_socket_close(&listener);
		dgram_socket_close(&sender);
	}
}

static void a_socket_of_one_interface_hears_no_other(void **state)
{
	const struct dgram_socket_options on_v0 = {.interface = "v0"};
	struct dgram_addr any = address("0.0.0.0:0"), to;
	struct dgram_socket s, sender;
	int err = dgram_socket_bind(&s, &any, &on_v0);

	(void)state;
	if (err == DGRAM_ERR_UNSUPPORTED) {
		print_message("this build cannot bind to an interface\n");
		skip();
	}
	assert_int_equal(err, 0);
	open_unbound(&sender, DGRAM_IPV4);
	to = with_port("127.0.0.1:0", port_of(&s));
	send_text(&sender, "x", &to);
	expect_nothing(&s);
	dgram_socket_close(&s);
	dgram_socket_close(&sender);
}

/* Not the same as a kernel without it: sockets can be made, addresses are gone. */
static void switched_off_ipv6_leaves_every_address_to_ipv4(void **state)
{
	struct dgram_socket s, client;
	struct dgram_addr to;

	(void)state;
	if (!write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")) {
		print_message("IPv6 cannot be switched off here\n");
		skip();
	}
	open_bound(&s, "[::]:0", NULL);
	open_unbound(&client, DGRAM_FAMILY_NONE);
	to = with_port("127.0.0.1:0", port_of(&s));
	send_text(&client, "four", &to);
	expect_text(&s, "four");
	to = address("[::1]:9");
	assert_int_equal(dgram_socket_sendto(&client, "x", 1, &to), DGRAM_ERR_UNREACHABLE);
	dgram_socket_close(&s);
	assert_int_equal(dgram_socket_connect(&s, &to, NULL), DGRAM_ERR_UNREACHABLE);
	dgram_socket_close(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(where_no_route_leads_is_told_at_once),
	        cmocka_unit_test(a_connected_socket_is_never_its_own_peer),
	        cmocka_unit_test(a_host_that_is_not_there_is_told_when_the_kernel_knows),
	        cmocka_unit_test(longer_than_the_path_is_an_error_only_without_fragments),
	        cmocka_unit_test(a_link_local_host_is_reached_and_answered_by_its_zone),
	        cmocka_unit_test(the_candidates_for_a_zone_are_named),
	        cmocka_unit_test(a_group_joined_everywhere_is_heard_through_every_interface),
	        cmocka_unit_test(the_zone_of_a_group_chooses_the_interface),
	        cmocka_unit_test(no_loop_keeps_a_group_s_datagrams_off_this_machine),
	        cmocka_unit_test(a_broadcast_of_the_subnet_is_told_apart_from_a_host_s_address),
	        cmocka_unit_test(a_socket_of_one_interface_hears_no_other),
	        /* These two leave no IPv6 behind. */
	        cmocka_unit_test(a_link_that_goes_down_and_comes_back_needs_no_new_socket),
	        cmocka_unit_test(switched_off_ipv6_leaves_every_address_to_ipv4),
	};

	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	if (!run("ip -V >/dev/null 2>&1")) {
		puts("skipped: no ip(8) here");
		return 77;
	}
	if (!enter_namespace()) {
		puts("skipped: no network namespaces for this user");
		return 77;
	}
	if (!make_network()) {
		puts("skipped: this kernel has no veth");
		return 77;
	}
	add_ipv6();
	if (have_ipv6() &&
	    !(comes_alive("[fe80::1]:0", "v0") && comes_alive("[fe80::2]:0", "v1"))) {
		puts("skipped: IPv6 does not come up in a namespace");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
