#include "core/place.h"

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static struct dg_place at(const char *text)
{
	struct dgram_addr addr;
	struct dg_place place;

	assert_int_equal(dgram_addr_parse(&addr, text), 0);
	assert_true(dg_place_from(&place, &addr));
	return place;
}

static void an_address_becomes_a_place_and_an_address_again(void **state)
{
	static const char *const texts[] = {"192.0.2.1:9",
	                                    "0.0.0.0:0",
	                                    "255.255.255.255:65535",
	                                    "[2001:db8::1]:9",
	                                    "[fe80::1%4294967295]:9",
	                                    "[::]:1"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct dg_place place = at(texts[i]);
		struct dgram_addr addr = dg_place_addr(&place);
		char text[DGRAM_ADDR_TEXT_MAX];

		assert_string_equal(dgram_addr_format(&addr, text, sizeof text), texts[i]);
	}
}

static void what_is_not_ip_is_nowhere(void **state)
{
	struct dgram_addr addr = {.family = DGRAM_FAMILY_NONE};
	struct dg_place place;

	(void)state;
	assert_false(dg_place_from(&place, &addr));
	assert_int_equal(dgram_addr_parse(&addr, "unix:///tmp/x"), 0);
	assert_false(dg_place_from(&place, &addr));
	addr = dg_place_addr(&place);
	assert_int_equal(addr.family, DGRAM_FAMILY_NONE);
}

static void each_part_makes_another_place(void **state)
{
	static const char *const texts[] = {"192.0.2.1:9",      "192.0.2.2:9",   "192.0.2.1:10",
	                                    "[c000:201::]:9",   "[fe80::1]:9",   "[fe80::2]:9",
	                                    "[fe80::1%1]:9",    "[fe80::1%2]:9", "[fe80::1]:10",
	                                    "[fe80:0:0:1::1]:9"};
	static const uint8_t key[16] = {1};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct dg_place a = at(texts[i]);

		assert_true(dg_place_hash(&a, 7, key) != dg_place_hash(&a, 8, key));
		for (size_t j = 0; j < COUNT(texts); j++) {
			struct dg_place b = at(texts[j]);

			assert_int_equal(dg_place_equal(&a, &b), i == j);
			assert_int_equal(dg_place_hash(&a, 7, key) == dg_place_hash(&b, 7, key),
			                 i == j);
		}
	}
}

static void a_party_is_an_ipv4_address_or_64_bits_of_ipv6(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
	        {"192.0.2.1:9", "192.0.2.1:10", true},
	        {"192.0.2.1:9", "192.0.2.2:9", false},
	        {"[2001:db8::1]:9", "[2001:db8::ffff:2]:10", true},
	        {"[2001:db8::1]:9", "[2001:db8:0:1::1]:9", false},
	        {"192.0.2.1:9", "[c000:201::]:9", false},
	};
	static const uint8_t key[16] = {1}, other[16] = {2};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dg_place a = at(rows[i].a), b = at(rows[i].b);

		assert_int_equal(dg_place_party(&a, key) == dg_place_party(&b, key), rows[i].same);
		assert_true(dg_place_party(&a, key) != dg_place_party(&a, other));
	}
}

static void a_place_is_24_bytes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct dg_place), 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_address_becomes_a_place_and_an_address_again),
	        cmocka_unit_test(what_is_not_ip_is_nowhere),
	        cmocka_unit_test(each_part_makes_another_place),
	        cmocka_unit_test(a_party_is_an_ipv4_address_or_64_bits_of_ipv6),
	        cmocka_unit_test(a_place_is_24_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
