/* Signals while the loop sleeps: every half millisecond, without SA_RESTART. */
#define _GNU_SOURCE
#include "party.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t interrupts;

static void on_alarm(int number)
{
	(void)number;
	interrupts++;
}

static void storm(long interval)
{
	const struct itimerval often = {.it_interval.tv_usec = interval,
	                                .it_value.tv_usec = interval};

	if (interval > 0)
		interrupts = 0;
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void a_signal_ends_the_wait_early_and_no_other(void **state)
{
	struct dgram_event event;
	struct party p;

	(void)state;
	party_open(&p, "127.0.0.1:0", NULL);
	storm(500);
	for (int i = 0; i < 20; i++) {
		event.type = DGRAM_EVENT_DONE;
		assert_int_equal(dgram_loop_wait(p.loop, &event, DGRAM_NEVER), 0);
		assert_int_equal(event.type, 0);
	}
	storm(0);
	assert_true(interrupts >= 20);
	party_close(&p);
}

static void timers_of_the_protocol_do_not_end_the_wait(void **state)
{
	const struct dgram_endpoint_config config = {.profile = DGRAM_PROFILE_LOOPBACK};
	struct dgram_socket silent;
	struct dgram_event event;
	struct dgram_addr to;
	struct party p;
	uint64_t start;

	(void)state;
	open_bound(&silent, "127.0.0.1:0", NULL);
	to = name_of(&silent);
	party_open(&p, "127.0.0.1:0", &config);
	request(&p, &to, "nobody reads this");
	start = dgram_clock();
	assert_int_equal(dgram_loop_wait(p.loop, &event, 200 * DGRAM_MS), 0);
	assert_true(dgram_clock() - start >= 200 * DGRAM_MS);
	assert_true(stats_of(&p).sent >= 2);
	party_close(&p);
	dgram_socket_close(&silent);
}

static void requests_are_answered_in_a_storm(void **state)
{
	struct party client, server;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	storm(500);
	for (uint32_t done = 0; done < 200; done = client.done) {
		struct party *both[] = {&client, &server};

		request(&client, &server.here, "storm");
		while (client.done == done)
			for (size_t i = 0; i < 2; i++) {
				struct dgram_event event;
				int n = dgram_loop_wait(both[i]->loop, &event, DGRAM_MS);

				assert_true(n >= 0);
				if (n == 1)
					party_note(both[i], &event);
			}
		assert_string_equal(client.text, "storm");
	}
	storm(0);
	assert_int_equal(server.requests, 200);
	party_close(&client);
	party_close(&server);
}

int main(void)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_signal_ends_the_wait_early_and_no_other),
	        cmocka_unit_test(timers_of_the_protocol_do_not_end_the_wait),
	        cmocka_unit_test(requests_are_answered_in_a_storm),
	};

	sigaction(SIGALRM, &action, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
