#include "common/admit.h"

#include <dgram/time.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static const uint8_t key[16] = "0123456789abcde";

static struct dgram_addr at(const char *text)
{
	struct dgram_addr a = {.family = DGRAM_FAMILY_NONE};

	if (*text != '\0')
		assert_int_equal(dgram_addr_parse(&a, text), 0);
	return a;
}

static struct dgram_datagram from(const char *peer, const char *local)
{
	struct dgram_datagram d = {.peer = at(peer), .local = at(local), .len = 1};

	d.local.port = 0;
	return d;
}

static struct admission *open_admission(const char *own)
{
	struct admission *a = malloc(sizeof *a);
	struct dgram_addr addr = at(own);

	assert_non_null(a);
	admit_init(a, &addr, key);
	return a;
}

/* clang-format off */
static const struct {
	const char *own, *peer, *local;
	bool group, low_ports;
	enum admit verdict;
} row[] = {
	/* we                    who asks                 whom it asked     group  low    answered? */
	{"127.0.0.1:7000",       "127.0.0.1:5000",        "127.0.0.1:0",    false, false, ADMIT_YES},
	{"127.0.0.1:7000",       "127.0.0.1:1024",        "127.0.0.1:0",    false, false, ADMIT_YES},
	{"127.0.0.1:7000",       "127.0.0.1:1023",        "127.0.0.1:0",    false, false, ADMIT_LOW_PORT},
	{"127.0.0.1:7000",       "127.0.0.1:7",           "127.0.0.1:0",    false, false, ADMIT_LOW_PORT},
	{"127.0.0.1:7000",       "127.0.0.1:7",           "127.0.0.1:0",    false, true,  ADMIT_YES},
	{"127.0.0.1:7000",       "127.0.0.1:0",           "127.0.0.1:0",    false, false, ADMIT_NOBODY},
	{"127.0.0.1:7000",       "127.0.0.1:0",           "127.0.0.1:0",    false, true,  ADMIT_NOBODY},
	{"127.0.0.1:7000",       "127.0.0.1:7000",        "127.0.0.1:0",    false, false, ADMIT_SELF},
	{"127.0.0.1:7000",       "127.0.0.2:7000",        "127.0.0.1:0",    false, false, ADMIT_YES},
	{"0.0.0.0:7000",         "127.0.0.2:7000",        "127.0.0.1:0",    false, false, ADMIT_SELF},
	{"0.0.0.0:7000",         "192.0.2.1:7000",        "192.0.2.1:0",    false, false, ADMIT_SELF},
	{"0.0.0.0:7000",         "192.0.2.2:7000",        "192.0.2.1:0",    false, false, ADMIT_YES},
	{"[::]:7000",            "192.0.2.1:7000",        "192.0.2.1:0",    false, false, ADMIT_SELF},
	{"[::]:7000",            "[2001:db8::1]:7000",    "[2001:db8::1]:0", false, false, ADMIT_SELF},
	{"[::]:7000",            "[2001:db8::1]:7001",    "[2001:db8::1]:0", false, false, ADMIT_YES},
	{"[::1]:7000",           "[::1]:53",              "[::1]:0",        false, false, ADMIT_LOW_PORT},
	{"0.0.0.0:7000",         "192.0.2.2:5000",        "192.0.2.255:0",  true,  false, ADMIT_GROUP},
	{"0.0.0.0:7000",         "192.0.2.2:5000",        "",               false, false, ADMIT_YES},
	{"unix:///tmp/a",        "unix:///tmp/b",         "",               false, false, ADMIT_YES},
	{"unix:///tmp/a",        "unix://@b",             "",               false, false, ADMIT_YES},
	{"unix:///tmp/a",        "unix:///tmp/a",         "",               false, false, ADMIT_SELF},
};
/* clang-format on */

static void who_is_answered_is_decided_by_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct admission *a = open_admission(row[i].own);
		struct dgram_datagram d = from(row[i].peer, row[i].local);

		d.group = row[i].group;
		a->low_ports = row[i].low_ports;
		assert_int_equal(admit_request(a, &d, DGRAM_S), row[i].verdict);
		free(a);
	}
}

static void a_sender_without_a_name_and_a_cut_datagram_are_not_answered(void **state)
{
	struct admission *a = open_admission("unix:///tmp/a");
	struct dgram_datagram d = {.peer = {.family = DGRAM_UNIX}};

	(void)state;
	assert_int_equal(admit_request(a, &d, DGRAM_S), ADMIT_NOBODY);
	d = from("unix:///tmp/b", "");
	d.status = DGRAM_ERR_TRUNCATED;
	assert_int_equal(admit_request(a, &d, DGRAM_S), ADMIT_TRUNCATED);
	free(a);
}

static uint32_t answered_of_1000(struct admission *a, const char *peer)
{
	struct dgram_datagram d = from(peer, "192.0.2.1:0");
	uint32_t count = 0;

	for (int i = 0; i < 1000; i++)
		count += admit_request(a, &d, DGRAM_S) == ADMIT_YES;
	return count;
}

static void beyond_loopback_an_address_gets_100_answers_in_a_second(void **state)
{
	struct admission *a = open_admission("0.0.0.0:7000");

	(void)state;
	assert_int_equal(answered_of_1000(a, "192.0.2.2:5000"), 100);
	assert_int_equal(answered_of_1000(a, "192.0.2.2:5001"), 0);
	assert_int_equal(answered_of_1000(a, "192.0.2.3:5000"), 100);
	assert_int_equal(answered_of_1000(a, "192.0.2.4:53"), 0);
	assert_int_equal(answered_of_1000(a, "127.0.0.1:5000"), 1000);
	free(a);
}

static void beyond_loopback_an_answer_is_at_most_three_times_its_request(void **state)
{
	struct admission *a = open_admission("0.0.0.0:7000");
	struct dgram_addr far = at("192.0.2.2:5000"), near = at("127.0.0.1:5000");

	(void)state;
	assert_int_equal(admit_answer(a, &far, 5, 15), ADMIT_YES);
	assert_int_equal(admit_answer(a, &far, 5, 16), ADMIT_GROWTH);
	assert_int_equal(admit_answer(a, &far, 0, 0), ADMIT_YES);
	assert_int_equal(admit_answer(a, &far, 0, 1), ADMIT_GROWTH);
	assert_int_equal(admit_answer(a, &near, 0, 65507), ADMIT_YES);
	a->growth = true;
	assert_int_equal(admit_answer(a, &far, 5, 65507), ADMIT_YES);
	free(a);
}

static void every_refusal_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (enum admit i = ADMIT_YES + 1; i < ADMIT_COUNT; i++) {
		assert_true(strlen(admit_name(i)) > 0);
		assert_true(strlen(admit_reason(i)) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_answered_is_decided_by_rule),
		cmocka_unit_test(a_sender_without_a_name_and_a_cut_datagram_are_not_answered),
		cmocka_unit_test(beyond_loopback_an_address_gets_100_answers_in_a_second),
		cmocka_unit_test(beyond_loopback_an_answer_is_at_most_three_times_its_request),
		cmocka_unit_test(every_refusal_has_a_name_and_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
