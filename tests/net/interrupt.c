/* A signal every half millisecond, without SA_RESTART: every system call that waits ends with
 * EINTR. What a call waits for is done by the signal handler itself, when the call has been
 * interrupted often enough. */
#define _GNU_SOURCE
#include "net.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ENOUGH 50

static volatile sig_atomic_t interrupts;
static volatile int act_on = -1; /* the descriptor on which the handler acts */
static void (*volatile act)(int fd);

static void on_alarm(int signal_number)
{
	(void)signal_number;
	interrupts++;
	if (interrupts == ENOUGH && act != NULL)
		act(act_on);
}

static void start_storm(void (*what)(int), int fd)
{
	const struct itimerval often = {.it_interval.tv_usec = 500, .it_value.tv_usec = 500};

	interrupts = 0;
	act = what;
	act_on = fd;
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void stop_storm(void)
{
	const struct itimerval off = {0};

	setitimer(ITIMER_REAL, &off, NULL);
}

static void write_one(int fd)
{
	(void)!send(fd, "late", 4, MSG_DONTWAIT);
}

static void read_one(int fd)
{
	char buf[4096];

	(void)!recv(fd, buf, sizeof buf, MSG_DONTWAIT);
}

static void a_receive_survives_a_storm_of_signals(void **state)
{
	static const uint64_t timeouts[] = {DGRAM_NEVER, 20 * PATIENCE};

	(void)state;
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		struct dgram_socket s, writer;
		struct dgram_addr to;

		open_bound(&s, "127.0.0.1:0", NULL);
		to = name_of(&s);
		open_connected(&writer, &to);
		dgram_socket_settimeout(&s, timeouts[i]);
		start_storm(write_one, writer.fd);
		expect_text(&s, "late");
		stop_storm();
		assert_true(interrupts >= ENOUGH);
		dgram_socket_close(&s);
		dgram_socket_close(&writer);
	}
}

static void signals_neither_shorten_nor_stretch_a_timeout(void **state)
{
	struct dgram_socket s;
	uint64_t start;
	char buf[4];

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	dgram_socket_settimeout(&s, 50 * DGRAM_MS);
	start_storm(NULL, -1);
	start = dgram_clock();
	assert_int_equal(dgram_socket_recvfrom(&s, buf, sizeof buf, NULL), DGRAM_ERR_TIMEOUT);
	stop_storm();
	assert_true(dgram_clock() - start >= 50 * DGRAM_MS);
	assert_true(interrupts > 0);
	dgram_socket_close(&s);
}

/* A UNIX peer that does not read: its queue fills, and a send has to wait. */
static void fill(struct dgram_socket *s)
{
	int err;

	dgram_socket_settimeout(s, 0);
	do
		err = dgram_socket_sendto(s, "x", 1, NULL);
	while (err == 0);
	assert_int_equal(err, DGRAM_ERR_AGAIN);
}

static void a_send_survives_a_storm_of_signals(void **state)
{
	static const uint64_t timeouts[] = {DGRAM_NEVER, 20 * PATIENCE};

	(void)state;
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		struct dgram_socket reader, writer;
		struct dgram_addr to;

		open_unbound(&reader, DGRAM_UNIX);
		to = name_of(&reader);
		open_connected(&writer, &to);
		fill(&writer);
		dgram_socket_settimeout(&writer, timeouts[i]);
		start_storm(read_one, reader.fd);
		assert_int_equal(dgram_socket_sendto(&writer, "y", 1, NULL), 0);
		stop_storm();
		assert_true(interrupts >= ENOUGH);
		dgram_socket_close(&reader);
		dgram_socket_close(&writer);
	}
}

static void a_send_without_room_ends_with_its_timeout(void **state)
{
	struct dgram_socket reader, writer;
	struct dgram_addr to;
	uint64_t start;

	(void)state;
	open_unbound(&reader, DGRAM_UNIX);
	to = name_of(&reader);
	open_connected(&writer, &to);
	fill(&writer);
	for (int storm = 0; storm < 2; storm++) {
		dgram_socket_settimeout(&writer, 30 * DGRAM_MS);
		if (storm)
			start_storm(NULL, -1);
		start = dgram_clock();
		assert_int_equal(dgram_socket_sendto(&writer, "y", 1, NULL), DGRAM_ERR_TIMEOUT);
		stop_storm();
		assert_true(dgram_clock() - start >= 30 * DGRAM_MS);
	}
	read_one(reader.fd);
	assert_int_equal(dgram_socket_sendto(&writer, "y", 1, NULL), 0);
	dgram_socket_close(&reader);
	dgram_socket_close(&writer);
}

static void only_wait_tells_of_a_signal(void **state)
{
	struct dgram_socket s;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	start_storm(NULL, -1);
	assert_int_equal(dgram_socket_wait(&s, DGRAM_NEVER), 0);
	stop_storm();
	assert_true(interrupts > 0);
	dgram_socket_close(&s);
}

int main(void)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_receive_survives_a_storm_of_signals),
	        cmocka_unit_test(signals_neither_shorten_nor_stretch_a_timeout),
	        cmocka_unit_test(a_send_survives_a_storm_of_signals),
	        cmocka_unit_test(a_send_without_room_ends_with_its_timeout),
	        cmocka_unit_test(only_wait_tells_of_a_signal),
	};

	sigaction(SIGALRM, &action, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
