#include <dgram/addr.h>

#include <dgram/error.h>

#include "base/ip.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const uint8_t key[16] = {1, 2, 3};

static struct dgram_addr parsed(const char *text)
{
	struct dgram_addr addr;

	if (dgram_addr_parse(&addr, text) != 0)
		fail_msg("'%s': refused", text);
	return addr;
}

static const char *formatted(const struct dgram_addr *addr)
{
	static char text[DGRAM_ADDR_TEXT_MAX];

	return dgram_addr_format(addr, text, sizeof text);
}

static void one_address_has_one_text(void **state)
{
	/* NULL: the text is canonical already */
	static const struct {
		const char *in, *out;
	} row[] = {
		{"192.0.2.1:9", NULL},
		{"0.0.0.0:0", NULL},
		{"255.255.255.255:65535", NULL},
		{"[::]:0", NULL},
		{"[::1]:1", NULL},
		{"[2001:db8::1]:9", NULL},
		{"[fe80::1%2]:9", NULL},
		{"[fe80::1%4294967295]:9", NULL},
		{"[ff12::2472%3]:9", NULL},
		/* RFC 5952, section 4.1 to 4.3 and 2.2 */
		{"[2001:0db8::0001]:9", "[2001:db8::1]:9"},
		{"[2001:db8:0:0:0:0:2:1]:9", "[2001:db8::2:1]:9"},
		{"[2001:db8::1:1:1:1:1]:9", "[2001:db8:0:1:1:1:1:1]:9"},
		{"[2001:0:0:1:0:0:0:1]:9", "[2001:0:0:1::1]:9"},
		{"[2001:db8:0:0:1:0:0:1]:9", "[2001:db8::1:0:0:1]:9"},
		{"[2001:DB8::ABCD]:9", "[2001:db8::abcd]:9"},
		{"[1:2:3:4:5:6:7::]:9", "[1:2:3:4:5:6:7:0]:9"},
		{"[::2:3:4:5:6:7:8]:9", "[0:2:3:4:5:6:7:8]:9"},
		{"[1::]:9", NULL},
		{"[1:0:0:4:5:6::]:9", "[1::4:5:6:0:0]:9"},
		{"[::192.0.2.1]:9", "[::c000:201]:9"},
		{"[64:ff9b::192.0.2.1]:9", "[64:ff9b::c000:201]:9"},
		{"[1:2:3:4:5:6:192.0.2.1]:9", "[1:2:3:4:5:6:c000:201]:9"},
		/* IPv4-mapped is IPv4 */
		{"[::ffff:192.0.2.1]:9", "192.0.2.1:9"},
		{"[::FFFF:c000:201]:9", "192.0.2.1:9"},
		/* paths */
		{"unix:///run/x.sock", NULL},
		{"unix://relative", NULL},
		{"unix:///a b", NULL},
		{"unix:///tmp/\xe4\xb8\xad\xe6\x96\x87", NULL},
		{"unix://@abstract", NULL},
		{"unix://@a\\x00b", NULL},
		{"unix://\\x40file", NULL},
		{"unix:///a\\x0a\\x7f\\x1b", NULL},
		{"unix:///a\\b", "unix:///a\\x5cb"},
		{"unix:///a\\x4", "unix:///a\\x5cx4"},
		{"unix:///\\x41", "unix:///A"},
		{"unix:///\xc2\x9b\xff", "unix:///\\xc2\\x9b\\xff"},
		{"unix:///\xed\xa0\x80", "unix:///\\xed\\xa0\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct dgram_addr addr = parsed(row[i].in), again;
		const char *out = row[i].out ? row[i].out : row[i].in;

		assert_string_equal(formatted(&addr), out);
		again = parsed(out);
		assert_true(dgram_addr_equal(&addr, &again));
		assert_true(dgram_addr_hash(&addr, key) == dgram_addr_hash(&again, key));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} row[] = {
		{"", DGRAM_ERR_ADDRESS},
		{"-", DGRAM_ERR_ADDRESS},
		{":", DGRAM_ERR_ADDRESS},
		{":9", DGRAM_ERR_ADDRESS},
		{"localhost:9", DGRAM_ERR_ADDRESS},
		{"1.2.3:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.4.5:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.4.:9", DGRAM_ERR_ADDRESS},
		{".1.2.3.4:9", DGRAM_ERR_ADDRESS},
		{"1..3.4:9", DGRAM_ERR_ADDRESS},
		{"010.0.0.1:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.00:9", DGRAM_ERR_ADDRESS},
		{"0x7f.0.0.1:9", DGRAM_ERR_ADDRESS},
		{"256.0.0.1:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.4294967297:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.-4:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.4 :9", DGRAM_ERR_ADDRESS},
		{" 1.2.3.4:9", DGRAM_ERR_ADDRESS},
		{"2130706433:9", DGRAM_ERR_ADDRESS},
		{"[1.2.3.4]:9", DGRAM_ERR_ADDRESS},
		{"::1:9", DGRAM_ERR_ADDRESS},
		{"[", DGRAM_ERR_ADDRESS},
		{"[]", DGRAM_ERR_ADDRESS},
		{"[]:9", DGRAM_ERR_ADDRESS},
		{"[::1", DGRAM_ERR_ADDRESS},
		{"[:]:9", DGRAM_ERR_ADDRESS},
		{"[:::]:9", DGRAM_ERR_ADDRESS},
		{"[::1::]:9", DGRAM_ERR_ADDRESS},
		{"[1::2::3]:9", DGRAM_ERR_ADDRESS},
		{"[1:]:9", DGRAM_ERR_ADDRESS},
		{"[:1]:9", DGRAM_ERR_ADDRESS},
		{"[1:2:3:4:5:6:7]:9", DGRAM_ERR_ADDRESS},
		{"[1:2:3:4:5:6:7:8:9]:9", DGRAM_ERR_ADDRESS},
		{"[1:2:3:4:5:6:7:8::]:9", DGRAM_ERR_ADDRESS},
		{"[::1:2:3:4:5:6:7:8]:9", DGRAM_ERR_ADDRESS},
		{"[1:2:3:4::5:6:7:8]:9", DGRAM_ERR_ADDRESS},
		{"[12345::]:9", DGRAM_ERR_ADDRESS},
		{"[g::]:9", DGRAM_ERR_ADDRESS},
		{"[::1.2.3]:9", DGRAM_ERR_ADDRESS},
		{"[1.2.3.4::]:9", DGRAM_ERR_ADDRESS},
		{"[::1.2.3.4:5]:9", DGRAM_ERR_ADDRESS},
		{"[1:2:3:4:5:6:7:1.2.3.4]:9", DGRAM_ERR_ADDRESS},
		{"[fe80::1%]:9", DGRAM_ERR_ADDRESS},
		{"[fe80::1%0]:9", DGRAM_ERR_ADDRESS},
		{"[fe80::1%02]:9", DGRAM_ERR_ADDRESS},
		{"[fe80::1%eth0]:9", DGRAM_ERR_ADDRESS},
		{"[fe80::1%4294967296]:9", DGRAM_ERR_ADDRESS},
		{"[fe80::1%2%2]:9", DGRAM_ERR_ADDRESS},
		{"[::1%1]:9", DGRAM_ERR_ADDRESS},
		{"[2001:db8::1%1]:9", DGRAM_ERR_ADDRESS},
		{"[::ffff:169.254.0.1%2]:9", DGRAM_ERR_ADDRESS},
		{"[%2]:9", DGRAM_ERR_ADDRESS},
		{"1.2.3.4", DGRAM_ERR_PORT},
		{"1.2.3.4:", DGRAM_ERR_PORT},
		{"1.2.3.4:x", DGRAM_ERR_PORT},
		{"1.2.3.4:9x", DGRAM_ERR_PORT},
		{"1.2.3.4:9 ", DGRAM_ERR_PORT},
		{"1.2.3.4:09", DGRAM_ERR_PORT},
		{"1.2.3.4:+9", DGRAM_ERR_PORT},
		{"1.2.3.4:-9", DGRAM_ERR_PORT},
		{"1.2.3.4:65536", DGRAM_ERR_PORT},
		{"1.2.3.4:4294967305", DGRAM_ERR_PORT},
		{"1.2.3.4:18446744073709551625", DGRAM_ERR_PORT},
		{"1.2.3.4:9:9", DGRAM_ERR_PORT},
		{"1.2.3.4:9/", DGRAM_ERR_PORT},
		{"[::1]", DGRAM_ERR_PORT},
		{"[::1]9", DGRAM_ERR_PORT},
		{"[::1]x9", DGRAM_ERR_PORT},
		{"[::1]]:9", DGRAM_ERR_PORT},
		{"unix:", DGRAM_ERR_ADDRESS},
		{"unix:/x", DGRAM_ERR_ADDRESS},
		{"unix://", DGRAM_ERR_ADDRESS},
		{"unix://@", DGRAM_ERR_ADDRESS},
		{"unix:///a\\x00b", DGRAM_ERR_ADDRESS},
		{"unix:///a\nb", DGRAM_ERR_ADDRESS},
		{"unix:///a\x7f", DGRAM_ERR_ADDRESS},
		{"UNIX:///a", DGRAM_ERR_ADDRESS},
		{"udp://1.2.3.4:9", DGRAM_ERR_ADDRESS},
	};
	const struct dgram_addr before = parsed("192.0.2.9:99");

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct dgram_addr addr = before;
		int rc = dgram_addr_parse(&addr, row[i].text);

		if (rc != row[i].error)
			fail_msg("'%s': %d", row[i].text, rc);
		assert_memory_equal(&addr, &before, sizeof addr);
	}
}

static void groups_that_are_left_out_are_zero(void **state)
{
	uint8_t ip[16], zero[16] = {0};

	(void)state;
	memset(ip, 0xee, sizeof ip);
	assert_true(dg_ip6_parse(ip, "::", 2));
	assert_memory_equal(ip, zero, sizeof ip);
}

static void a_path_has_a_longest_length(void **state)
{
	static const char *const prefix[] = {"/", "@"}; /* of the file system, abstract */

	(void)state;
	for (size_t i = 0; i < COUNT(prefix); i++) {
		char text[256];
		struct dgram_addr addr;

		snprintf(text, sizeof text, "unix://%s%0*d", prefix[i], DGRAM_UNIX_PATH_MAX - 1, 7);
		addr = parsed(text);
		assert_int_equal(addr.path_len, DGRAM_UNIX_PATH_MAX);
		assert_string_equal(formatted(&addr), text);
		snprintf(text, sizeof text, "unix://%s%0*d", prefix[i], DGRAM_UNIX_PATH_MAX, 7);
		assert_int_equal(dgram_addr_parse(&addr, text), DGRAM_ERR_SIZE);
	}
}

static void the_longest_texts_fit(void **state)
{
	struct dgram_addr worst = {.family = DGRAM_UNIX, .path_len = sizeof worst.u.path}, again;

	(void)state;
	memset(worst.u.path, 0x1b, sizeof worst.u.path);
	assert_int_equal(strlen(formatted(&worst)), 7 + 4 * sizeof worst.u.path);
	assert_true(strlen(formatted(&worst)) < DGRAM_ADDR_TEXT_MAX);
	again = parsed("[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	assert_string_equal(formatted(&again), "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	again = parsed("[fe80:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535");
	assert_string_equal(formatted(&again),
			    "[fe80:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535");
}

static void a_text_that_does_not_fit_is_cut_and_terminated(void **state)
{
	struct dgram_addr addr = parsed("192.0.2.1:9");
	const char *whole = "192.0.2.1:9";
	char untouched = 'x';

	(void)state;
	for (size_t size = 1; size <= strlen(whole) + 2; size++) {
		char *buf = malloc(size); /* exactly: a sanitizer sees a byte too many */
		size_t len = size - 1 < strlen(whole) ? size - 1 : strlen(whole);

		assert_non_null(buf);
		assert_ptr_equal(dgram_addr_format(&addr, buf, size), buf);
		assert_int_equal(strlen(buf), len);
		assert_memory_equal(buf, whole, len);
		free(buf);
	}
	dgram_addr_format(&addr, &untouched, 0);
	assert_int_equal(untouched, 'x');
}

static void what_parse_does_not_take_has_a_text_too(void **state)
{
	struct dgram_addr addr = {.family = DGRAM_FAMILY_NONE};

	(void)state;
	assert_string_equal(formatted(&addr), "-");
	addr.family = DGRAM_UNIX;
	assert_string_equal(formatted(&addr), "unix://");
}

static void equal_means_family_host_zone_and_port_and_nothing_else(void **state)
{
	static const char *const different[] = {
		"1.2.3.4:9",     "1.2.3.4:10",    "1.2.3.5:9",      "4.3.2.1:9",     "[::1]:9",
		"[::2]:9",       "[102:304::]:9", "[::1]:2304",     "[fe80::1]:9",   "[fe80::1%1]:9",
		"[fe80::1%2]:9", "unix:///a",     "unix:///b",      "unix:///aa",    "unix://@a",
		"unix://a",      "unix://\\x40a", "unix://@\\x00a", "unix://@a\\x00",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(different); i++) {
		for (size_t j = 0; j < COUNT(different); j++) {
			struct dgram_addr a = parsed(different[i]), b;

			memset(&b, 0xee, sizeof b); /* what lies in unused bytes does not count */
			assert_int_equal(dgram_addr_parse(&b, different[j]), 0);
			memset(b.u.path + 100, 0xee, 8);
			assert_int_equal(dgram_addr_equal(&a, &b), i == j);
			assert_int_equal(dgram_addr_hash(&a, key) == dgram_addr_hash(&b, key), i == j);
		}
	}
}

static void the_hash_depends_on_the_key(void **state)
{
	static const uint8_t other[16] = {1, 2, 4};
	struct dgram_addr addr = parsed("192.0.2.1:9");

	(void)state;
	assert_true(dgram_addr_hash(&addr, key) != dgram_addr_hash(&addr, other));
	/* the same on every machine: SipHash-1-3 of family, port and zone (little-endian),
	 * address */
	assert_true(dgram_addr_hash(&addr, key) == UINT64_C(0x37e1bf77208d9d83));
}

enum {
	ANY = 1,
	LOOPBACK = 2,
	MULTICAST = 4,
	BROADCAST = 8,
	LINK = 16,
	PRIVATE = 32,
};

static int properties(const struct dgram_addr *addr)
{
	return (dgram_addr_is_any(addr) ? ANY : 0) | (dgram_addr_is_loopback(addr) ? LOOPBACK : 0) |
	       (dgram_addr_is_multicast(addr) ? MULTICAST : 0) |
	       (dgram_addr_is_broadcast(addr) ? BROADCAST : 0) |
	       (dgram_addr_is_link_local(addr) ? LINK : 0) |
	       (dgram_addr_is_private(addr) ? PRIVATE : 0);
}

static void each_kind_ends_where_its_network_ends(void **state)
{
	static const struct {
		const char *text;
		int properties;
	} row[] = {
		{"0.0.0.0:1", ANY},
		{"0.0.0.1:1", 0},
		{"[::]:1", ANY},
		{"[::2]:1", 0},
		{"126.255.255.255:1", 0},
		{"127.0.0.0:1", LOOPBACK},
		{"127.255.255.255:1", LOOPBACK},
		{"128.0.0.0:1", 0},
		{"[::1]:1", LOOPBACK},
		{"[::ffff:127.0.0.1]:1", LOOPBACK},
		{"unix:///x", LOOPBACK},
		{"unix://@x", LOOPBACK},
		{"9.255.255.255:1", 0},
		{"10.0.0.0:1", PRIVATE},
		{"10.255.255.255:1", PRIVATE},
		{"11.0.0.0:1", 0},
		{"172.15.255.255:1", 0},
		{"172.16.0.0:1", PRIVATE},
		{"172.31.255.255:1", PRIVATE},
		{"172.32.0.0:1", 0},
		{"192.167.255.255:1", 0},
		{"192.168.0.0:1", PRIVATE},
		{"192.168.255.255:1", PRIVATE},
		{"192.169.0.0:1", 0},
		{"169.253.255.255:1", 0},
		{"169.254.0.0:1", LINK | PRIVATE},
		{"169.254.255.255:1", LINK | PRIVATE},
		{"169.255.0.0:1", 0},
		{"223.255.255.255:1", 0},
		{"224.0.0.0:1", MULTICAST | PRIVATE},
		{"239.255.255.255:1", MULTICAST | PRIVATE},
		{"240.0.0.0:1", 0},
		{"255.255.255.254:1", 0},
		{"255.255.255.255:1", BROADCAST},
		{"[fbff::1]:1", 0},
		{"[fc00::1]:1", PRIVATE},
		{"[fdff::1]:1", PRIVATE},
		{"[fe00::1]:1", 0},
		{"[fe7f::1]:1", 0},
		{"[fe80::1]:1", LINK | PRIVATE},
		{"[febf::1]:1", LINK | PRIVATE},
		{"[fec0::1]:1", 0},
		{"[feff::1]:1", 0},
		{"[ff01::1]:1", MULTICAST | PRIVATE},
		{"[ff02::1]:1", LINK | MULTICAST | PRIVATE},
		{"[ff12::2472]:1", LINK | MULTICAST | PRIVATE},
		{"[ff05::1]:1", MULTICAST | PRIVATE},
		{"[ff0e::1]:1", MULTICAST | PRIVATE},
		{"[2001:db8::1]:1", 0},
		{"192.0.2.1:1", 0},
	};
	const struct dgram_addr none = {.family = DGRAM_FAMILY_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct dgram_addr addr = parsed(row[i].text);

		if (properties(&addr) != row[i].properties)
			fail_msg("%s: %d", row[i].text, properties(&addr));
	}
	assert_int_equal(properties(&none), 0);
}

/* Few distinct groups, so that zeros and ties between runs of them are common. */
static struct dgram_addr random_addr(struct dg_random *r)
{
	struct dgram_addr addr = {.port = (uint16_t)dg_random_next(r)};

	addr.family = (uint8_t)(DGRAM_IPV4 + dg_random_below(r, 3));
	for (size_t i = 0; i < 16; i++)
		addr.u.ip6[i] = (uint8_t)(dg_random_below(r, 3) ? 0 : dg_random_next(r));
	if (addr.family == DGRAM_IPV6 && addr.u.ip6[0] == 0)
		addr.u.ip6[0] = 0x20; /* not IPv4-mapped */
	if (addr.family == DGRAM_IPV6 && dg_random_below(r, 2)) {
		addr.u.ip6[0] = 0xff;
		addr.zone = (uint32_t)dg_random_next(r);
	}
	if (addr.family == DGRAM_UNIX) {
		addr.port = 0;
		addr.path_len = (uint8_t)(2 + dg_random_below(r, DGRAM_UNIX_PATH_MAX - 1));
		for (size_t i = 0; i < addr.path_len; i++)
			addr.u.path[i] = (char)(1 + dg_random_below(r, 255));
		if (dg_random_below(r, 2))
			addr.u.path[0] = '\0';
	}
	return addr;
}

static void whatever_is_formatted_is_parsed_back(void **state)
{
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 2);
	for (int i = 0; i < 100000; i++) {
		struct dgram_addr addr = random_addr(&r), back = parsed(formatted(&addr));

		if (!dgram_addr_equal(&addr, &back))
			fail_msg("%s", formatted(&addr));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_has_one_text),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(groups_that_are_left_out_are_zero),
		cmocka_unit_test(a_path_has_a_longest_length),
		cmocka_unit_test(the_longest_texts_fit),
		cmocka_unit_test(a_text_that_does_not_fit_is_cut_and_terminated),
		cmocka_unit_test(what_parse_does_not_take_has_a_text_too),
		cmocka_unit_test(equal_means_family_host_zone_and_port_and_nothing_else),
		cmocka_unit_test(the_hash_depends_on_the_key),
		cmocka_unit_test(each_kind_ends_where_its_network_ends),
		cmocka_unit_test(whatever_is_formatted_is_parsed_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
