/* Names, with a name service that does what each test wants: getaddrinfo() is the one below (the
 * linker's --wrap). */
#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

int __wrap_getaddrinfo(const char *host, const char *name, const struct addrinfo *hints,
                       struct addrinfo **found);
void __wrap_freeaddrinfo(struct addrinfo *found);

static struct {
	const char *const *answer; /* numeric addresses, NULL at the end */
	int status;                /* not 0: what goes wrong */
	bool hangs;                /* until go */
	int calls, flags, family;
	bool signals_blocked;
	sem_t go, returned;
} service;

struct answer {
	struct addrinfo info; /* first: the list is freed by it */
	struct sockaddr_in6 room;
};

static struct addrinfo *make_answer(const char *text)
{
	struct answer *a = calloc(1, sizeof *a);
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&a->room;
	bool is_six = strchr(text, ':') != NULL;

	a->info.ai_family = is_six ? AF_INET6 : AF_INET;
	a->info.ai_addrlen = is_six ? sizeof a->room : sizeof *four;
	a->info.ai_addr = (struct sockaddr *)&a->room;
	a->room.sin6_family = (sa_family_t)a->info.ai_family;
	inet_pton(a->info.ai_family, text,
	          is_six ? (void *)&a->room.sin6_addr : (void *)&four->sin_addr);
	return &a->info;
}

void __wrap_freeaddrinfo(struct addrinfo *found)
{
	while (found != NULL) {
		struct addrinfo *next = found->ai_next;

		free(found);
		found = next;
	}
}

int __wrap_getaddrinfo(const char *host, const char *name, const struct addrinfo *hints,
                       struct addrinfo **found)
{
	sigset_t blocked;
	int status = service.status;

	(void)host;
	(void)name;
	service.calls++;
	service.flags = hints->ai_flags;
	service.family = hints->ai_family;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	service.signals_blocked = sigismember(&blocked, SIGINT) == 1;
	if (service.hangs)
		while (sem_wait(&service.go) != 0)
			continue;
	for (const char *const *text = service.answer; status == 0 && *text != NULL; text++) {
		*found = make_answer(*text);
		found = &(*found)->ai_next;
	}
	sem_post(&service.returned);
	return status;
}

static int fresh(void **state)
{
	(void)state;
	memset(&service, 0, sizeof service);
	return sem_init(&service.go, 0, 0) | sem_init(&service.returned, 0, 0);
}

static struct dgram_uri target(const char *text)
{
	struct dgram_uri uri;
	const char *why = "";

	if (dgram_uri_parse(&uri, text, DGRAM_URI_TARGET, &why) < 0)
		fail_msg("%s: %s", text, why);
	return uri;
}

static void a_numeric_address_asks_nobody(void **state)
{
	static const struct {
		const char *uri;
		enum dgram_family family;
		int count;
		const char *want;
	} row[] = {
	        {"udp://127.0.0.1:9", DGRAM_FAMILY_NONE, 1, "127.0.0.1:9"},
	        {"udp://127.0.0.1:9", DGRAM_IPV4, 1, "127.0.0.1:9"},
	        {"udp://127.0.0.1:9", DGRAM_IPV6, DGRAM_ERR_RESOLVE, NULL},
	        {"udp://[2001:db8::1]:9", DGRAM_FAMILY_NONE, 1, "[2001:db8::1]:9"},
	        {"udp://[2001:db8::1]:9", DGRAM_IPV4, DGRAM_ERR_RESOLVE, NULL},
	        {"udp://[::ffff:192.0.2.1]:9", DGRAM_FAMILY_NONE, 1, "192.0.2.1:9"},
	        {"udp://[fe80::1]:9", DGRAM_FAMILY_NONE, DGRAM_ERR_ZONE, NULL},
	        {"udp://[fe80::1%no-such-if]:9", DGRAM_FAMILY_NONE, DGRAM_ERR_INTERFACE, NULL},
	        {"udp://[fe80::1%999999]:9", DGRAM_FAMILY_NONE, DGRAM_ERR_INTERFACE, NULL},
	        {"udp://[fe80::1%1]:9", DGRAM_FAMILY_NONE, 1, "[fe80::1%1]:9"},
	        {"udp://[ff12::1]:9", DGRAM_FAMILY_NONE, 1, "[ff12::1]:9"},
	        {"udp://[ff12::1%1]:9", DGRAM_FAMILY_NONE, 1, "[ff12::1%1]:9"},
	        {"unix:///tmp/x", DGRAM_FAMILY_NONE, 1, "unix:///tmp/x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_uri uri = target(row[i].uri);
		struct dgram_addr out[DGRAM_RESOLVE_MAX];

		print_message("%s\n", row[i].uri);
		assert_int_equal(dgram_resolve(out, DGRAM_RESOLVE_MAX, &uri, row[i].family, 0),
		                 row[i].count);
		if (row[i].count == 1)
			assert_address(&out[0], row[i].want);
	}
	assert_int_equal(service.calls, 0);
}

static void localhost_is_this_machine_and_asks_nobody(void **state)
{
	static const char *const names[] = {"udp://localhost:9", "udp://LocalHost:9",
	                                    "udp://localhost.:9", "udp://my.localhost:9"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct dgram_uri uri = target(names[i]);
		struct dgram_addr out[DGRAM_RESOLVE_MAX];

		assert_int_equal(dgram_resolve(out, DGRAM_RESOLVE_MAX, &uri, DGRAM_FAMILY_NONE, 0),
		                 2);
		assert_address(&out[0], "127.0.0.1:9");
		assert_address(&out[1], "[::1]:9");
		assert_int_equal(dgram_resolve(out, 1, &uri, DGRAM_FAMILY_NONE, 0), 1);
		assert_int_equal(dgram_resolve(out, 2, &uri, DGRAM_IPV6, 0), 1);
		assert_address(&out[0], "[::1]:9");
	}
	assert_int_equal(service.calls, 0);
}

static void a_name_that_only_looks_like_localhost_is_asked_for(void **state)
{
	static const char *const one[] = {"192.0.2.1", NULL};
	static const char *const names[] = {"udp://notlocalhost:9", "udp://localhost.example:9"};

	(void)state;
	service.answer = one;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct dgram_uri uri = target(names[i]);
		struct dgram_addr out[DGRAM_RESOLVE_MAX];

		assert_int_equal(
		        dgram_resolve(out, DGRAM_RESOLVE_MAX, &uri, DGRAM_FAMILY_NONE, PATIENCE),
		        1);
		assert_address(&out[0], "192.0.2.1:9");
	}
	assert_int_equal(service.calls, 2);
	assert_int_equal(service.flags & AI_ADDRCONFIG, AI_ADDRCONFIG);
	assert_true(service.signals_blocked);
}

static void a_host_left_out_is_every_address(void **state)
{
	const char *why;
	struct dgram_uri uri;
	struct dgram_addr out;

	(void)state;
	assert_int_equal(dgram_uri_parse(&uri, "udp://:9", DGRAM_URI_LISTEN, &why), 0);
	assert_int_equal(dgram_resolve(&out, 1, &uri, DGRAM_FAMILY_NONE, 0), 1);
	assert_address(&out, "[::]:9");
	assert_int_equal(dgram_resolve(&out, 1, &uri, DGRAM_IPV4, 0), 1);
	assert_address(&out, "0.0.0.0:9");
	assert_int_equal(service.calls, 0);
}

static void a_name_service_that_hangs_costs_the_timeout_and_no_more(void **state)
{
	static const char *const one[] = {"192.0.2.1", NULL};
	struct dgram_uri uri = target("udp://slow.example:9");
	struct dgram_addr out[DGRAM_RESOLVE_MAX];
	uint64_t start = dgram_clock();

	(void)state;
	service.answer = one;
	service.hangs = true;
	assert_int_equal(
	        dgram_resolve(out, DGRAM_RESOLVE_MAX, &uri, DGRAM_FAMILY_NONE, 30 * DGRAM_MS),
	        DGRAM_ERR_TIMEOUT);
	assert_true(dgram_clock() - start >= 30 * DGRAM_MS);
	assert_int_equal(dgram_resolve(out, DGRAM_RESOLVE_MAX, &uri, DGRAM_FAMILY_NONE, 0),
	                 DGRAM_ERR_TIMEOUT);
	/* The answers that come too late are freed by those who bring them. */
	sem_post(&service.go);
	sem_post(&service.go);
	sem_wait(&service.returned);
	sem_wait(&service.returned);
}

static void many_addresses_are_cut_and_the_families_take_turns(void **state)
{
	static const char *const six_first[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3",
	                                        "192.0.2.1",   "192.0.2.2",   NULL};
	static const char *const four_only[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
	                                        "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8",
	                                        "192.0.2.9", NULL};
	static const char *const turns[] = {"[2001:db8::1]:9", "192.0.2.1:9", "[2001:db8::2]:9",
	                                    "192.0.2.2:9", "[2001:db8::3]:9"};
	struct dgram_uri uri = target("udp://many.example:9");
	struct dgram_addr out[40];

	(void)state;
	service.answer = six_first;
	assert_int_equal(dgram_resolve(out, 40, &uri, DGRAM_FAMILY_NONE, PATIENCE), 5);
	for (size_t i = 0; i < 5; i++)
		assert_address(&out[i], turns[i]);
	assert_int_equal(dgram_resolve(out, 2, &uri, DGRAM_FAMILY_NONE, PATIENCE), 2);
	assert_address(&out[1], turns[1]);
	service.answer = four_only;
	assert_int_equal(dgram_resolve(out, 40, &uri, DGRAM_FAMILY_NONE, DGRAM_NEVER),
	                 DGRAM_RESOLVE_MAX);
	assert_address(&out[DGRAM_RESOLVE_MAX - 1], "192.0.2.8:9");
}

static void the_family_asked_for_narrows_the_question(void **state)
{
	static const char *const one[] = {"192.0.2.1", NULL};
	struct dgram_uri uri = target("udp://some.example:9");
	struct dgram_addr out;

	(void)state;
	service.answer = one;
	dgram_resolve(&out, 1, &uri, DGRAM_IPV4, PATIENCE);
	assert_int_equal(service.family, AF_INET);
	dgram_resolve(&out, 1, &uri, DGRAM_IPV6, PATIENCE);
	assert_int_equal(service.family, AF_INET6);
	dgram_resolve(&out, 1, &uri, DGRAM_FAMILY_NONE, PATIENCE);
	assert_int_equal(service.family, AF_UNSPEC);
}

static void a_name_without_an_address_does_not_resolve(void **state)
{
	static const struct {
		int status, want;
	} row[] = {
	        {EAI_NONAME, DGRAM_ERR_RESOLVE},
	        {EAI_AGAIN, DGRAM_ERR_RESOLVE},
	        {EAI_FAIL, DGRAM_ERR_RESOLVE},
	        {EAI_MEMORY, DGRAM_ERR_NOMEM},
	};
	struct dgram_uri uri = target("udp://none.example:9");
	struct dgram_addr out;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		service.status = row[i].status;
		assert_int_equal(dgram_resolve(&out, 1, &uri, DGRAM_FAMILY_NONE, PATIENCE),
		                 row[i].want);
	}
	assert_int_equal(dgram_resolve(&out, 0, &uri, DGRAM_FAMILY_NONE, PATIENCE),
	                 DGRAM_ERR_ARGUMENT);
}

static void an_interface_has_a_name_and_a_number(void **state)
{
	char name[IF_NAMESIZE], text[DGRAM_ADDR_TEXT_MAX], want[64];
	struct dgram_addr addr = address("[fe80::1%1]:9");

	(void)state;
	if (if_indextoname(1, name) == NULL) {
		print_message("no interface has number 1\n");
		skip();
	}
	assert_int_equal(dgram_interface_index(name), 1);
	assert_int_equal(dgram_interface_index("1"), 1);
	assert_int_equal(dgram_interface_index("0"), 0);
	assert_int_equal(dgram_interface_index(""), 0);
	assert_int_equal(dgram_interface_index("1x"), 0);
	assert_int_equal(dgram_interface_index("4294967297"), 0);
	assert_int_equal(dgram_interface_index("no-such-if"), 0);
	snprintf(want, sizeof want, "[fe80::1%%%s]:9", name);
	assert_string_equal(dgram_addr_display(&addr, text, sizeof text), want);
	addr.zone = 999999;
	assert_string_equal(dgram_addr_display(&addr, text, sizeof text), "[fe80::1%999999]:9");
	addr = address("127.0.0.1:9");
	assert_string_equal(dgram_addr_display(&addr, text, sizeof text), "127.0.0.1:9");
}

static void the_candidates_for_a_zone_fit_the_buffer(void **state)
{
	char all[256], buf[256];
	size_t len = strlen(dgram_interface_candidates(all, sizeof all));

	(void)state;
	for (size_t size = 1; size <= len + 1; size++) {
		memset(buf, 'x', sizeof buf);
		dgram_interface_candidates(buf, size);
		assert_true(strlen(buf) < size);
		assert_true(buf[0] == '\0' || buf[0] == '%');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(a_numeric_address_asks_nobody, fresh),
	        cmocka_unit_test_setup(localhost_is_this_machine_and_asks_nobody, fresh),
	        cmocka_unit_test_setup(a_name_that_only_looks_like_localhost_is_asked_for, fresh),
	        cmocka_unit_test_setup(a_host_left_out_is_every_address, fresh),
	        cmocka_unit_test_setup(a_name_service_that_hangs_costs_the_timeout_and_no_more,
	                               fresh),
	        cmocka_unit_test_setup(many_addresses_are_cut_and_the_families_take_turns, fresh),
	        cmocka_unit_test_setup(the_family_asked_for_narrows_the_question, fresh),
	        cmocka_unit_test_setup(a_name_without_an_address_does_not_resolve, fresh),
	        cmocka_unit_test(an_interface_has_a_name_and_a_number),
	        cmocka_unit_test(the_candidates_for_a_zone_fit_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
