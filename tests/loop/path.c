/* A path that is narrower than what a session begins with: a network namespace of its own, whose loopback takes
 * packets of 700 bytes, and less later. */
#define _GNU_SOURCE
#include "party.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define IPV4_AND_UDP 28 /* bytes of headers */

static bool set_mtu(int mtu)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool set = ioctl(fd, SIOCSIFMTU, &lo) == 0;

	lo.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	set = ioctl(fd, SIOCSIFFLAGS, &lo) == 0 && set;
	close(fd);
	return set;
}

static bool can_do_without_fragments(void)
{
	const struct dgram_socket_options whole = {.no_fragments = true};
	struct dgram_socket s;

	if (dgram_socket_open(&s, DGRAM_IPV4, &whole) < 0)
		return false;
	dgram_socket_close(&s);
	return true;
}

static uint16_t datagram_of(const struct party *p)
{
	struct dgram_session_info info;

	assert_int_equal(dgram_endpoint_session(p->endpoint, p->last.session, &info), 0);
	return info.datagram;
}

static void a_large_message_finds_its_way(void **state)
{
	static uint8_t data[100000];
	static const int mtus[] = {700, 1100, 600};
	struct party a, b;

	(void)state;
	if (!can_do_without_fragments()) {
		print_message("datagrams are cut into fragments here\n");
		skip();
	}
	pattern(data, sizeof data);
	assert_true(set_mtu(mtus[0]));
	party_open(&a, "127.0.0.1:0", NULL);
	party_open(&b, "127.0.0.1:0", NULL);
	a.patterned = b.patterned = true;
	for (uint32_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
		assert_true(set_mtu(mtus[i]));
		submit(&a, DGRAM_SEND, &b.here, data, sizeof data);
		parties_run(&a, &b, &a.done, i + 1);
		assert_int_equal(a.last.outcome, DGRAM_ANSWERED);
		print_message("mtu %d: %d bytes\n", mtus[i], datagram_of(&a));
		assert_true(datagram_of(&a) <= mtus[i] - IPV4_AND_UDP);
	}
	assert_int_equal(b.messages, 3);
	party_close(&a);
	party_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_large_message_finds_its_way),
	};

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
