/* dgram_call() against a responder in a thread. */
#include "party.h"

#include <dgram/call.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

struct server {
	struct party party;
	pthread_t thread;
	int stop[2]; /* a pipe: its end is the word */
	struct dgram_socket
	        *other; /* NULL, or what must have received something before it begins */
};

static void *serve(void *argument)
{
	struct server *s = argument;
	struct pollfd fds[] = {
	        {.fd = dgram_loop_fd(s->party.loop), .events = POLLIN},
	        {.fd = s->stop[0]},
	};

	if (s->other != NULL)
		dgram_socket_wait(s->other, PATIENCE);
	while (fds[1].revents == 0) {
		party_turn(&s->party);
		poll(fds, 2, party_nap(&s->party));
	}
	party_turn(&s->party);
	return NULL;
}

/* Signals are for the one that calls. */
static void run_thread(struct server *s)
{
	sigset_t all, before;

	assert_int_equal(pipe(s->stop), 0);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void start(struct server *s, const char *local, const struct dgram_endpoint_config *config,
                  void (*answer)(struct party *, const struct dgram_event *))
{
	party_open(&s->party, local, config);
	s->party.answer = answer;
	s->other = NULL;
	run_thread(s);
}

static void stop(struct server *s)
{
	close(s->stop[1]);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->stop[0]);
}

static char text[2000];

static struct dgram_call question(const struct dgram_addr *to, const char *said)
{
	memset(text, 0, sizeof text);
	return (struct dgram_call){
	        .to = to,
	        .to_count = 1,
	        .data = said,
	        .len = strlen(said),
	        .reply = text,
	        .size = sizeof text - 1,
	        .timeout = PATIENCE,
	};
}

static void a_call_is_answered(void **state)
{
	static const char *const places[] = {"127.0.0.1:0", "[::1]:0"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct server s;
		struct dgram_call call;

		if (places[i][0] == '[' && !have_ipv6())
			continue;
		start(&s, places[i], NULL, NULL);
		call = question(&s.party.here, "hello");
		call.name = "greeter.one";
		assert_int_equal(dgram_call(&call), 5);
		assert_string_equal(text, "hello");
		assert_int_equal(call.outcome, DGRAM_ANSWERED);
		assert_int_equal(call.reason, DGRAM_REASON_NONE);
		assert_int_equal(call.status, 0);
		assert_int_equal(call.requests, 1);
		assert_true(call.tries >= 1);
		assert_true(call.rtt > 0);
		assert_true(call.elapsed >= call.rtt);
		assert_true(dgram_addr_equal(&call.from, &s.party.here));
		call = question(&s.party.here, "");
		assert_int_equal(dgram_call(&call), 0);
		stop(&s);
		assert_int_equal(s.party.requests, 2);
		assert_int_equal(stats_of(&s.party).ended, 2);
		party_close(&s.party);
	}
}

static void say_no(struct party *p, const struct dgram_event *request)
{
	dgram_endpoint_reply(p->endpoint, request->id, 42, "no", 2, dgram_clock());
}

static void a_failure_is_an_answer(void **state)
{
	struct server s;
	struct dgram_call call;

	(void)state;
	start(&s, "127.0.0.1:0", NULL, say_no);
	call = question(&s.party.here, "please");
	assert_int_equal(dgram_call(&call), 2);
	assert_string_equal(text, "no");
	assert_int_equal(call.outcome, DGRAM_ANSWERED);
	assert_int_equal(call.status, 42);
	stop(&s);
	party_close(&s.party);
}

static void large_calls_are_answered(void **state)
{
	static uint8_t data[UINT32_C(1) << 20], answer[sizeof data];
	struct server s;
	struct dgram_call call;

	(void)state;
	pattern(data, sizeof data);
	start(&s, "127.0.0.1:0", NULL, NULL);
	s.party.patterned = true;
	call = question(&s.party.here, "");
	call.data = data;
	call.len = sizeof data;
	call.reply = answer;
	call.size = sizeof answer;
	assert_int_equal(dgram_call(&call), (int)sizeof answer);
	assert_true(is_pattern(answer, sizeof answer));
	stop(&s);
	party_close(&s.party);
}

static void count_bytes(struct party *p, const struct dgram_event *request)
{
	char said[20];
	int len = snprintf(said, sizeof said, "%zu", request->len);

	reply(p, request->id, said, (size_t)len);
}

static void very_large_calls_are_answered(void **state)
{
	static uint8_t data[UINT32_C(24) << 20];
	const struct dgram_endpoint_config config = {.message_max = sizeof data,
	                                             .pool = UINT64_C(4) * sizeof data};
	struct server s;
	struct dgram_call call;

	(void)state;
	pattern(data, sizeof data);
	start(&s, "127.0.0.1:0", &config, count_bytes);
	s.party.patterned = true;
	call = question(&s.party.here, "");
	call.data = data;
	call.len = sizeof data;
	call.timeout = 6 * PATIENCE;
	assert_int_equal(dgram_call(&call), 8);
	assert_string_equal(text, "25165824");
	stop(&s);
	party_close(&s.party);
}

static void say_what_came(struct party *p, const struct dgram_event *request)
{
	char said[100];
	int len = snprintf(said, sizeof said, "%.*s %d", (int)request->name_len, request->name,
	                   request->idempotent);

	reply(p, request->id, said, (size_t)len);
}

static void name_and_mark_come_along(void **state)
{
	struct server s;
	struct dgram_call call;

	(void)state;
	start(&s, "127.0.0.1:0", NULL, say_what_came);
	call = question(&s.party.here, "x");
	call.name = "lamp.kitchen";
	assert_int_equal(dgram_call(&call), (int)strlen("lamp.kitchen 0"));
	assert_string_equal(text, "lamp.kitchen 0");
	call.idempotent = true;
	assert_true(dgram_call(&call) > 0);
	assert_string_equal(text, "lamp.kitchen 1");
	stop(&s);
	party_close(&s.party);
}

static uint64_t first_request;

/* Asks who asks, and answers when that has ended. */
static void ask_back(struct party *p, const struct dgram_event *request)
{
	const struct dgram_message m = {
	        .kind = DGRAM_REQUEST, .session = request->session, .deadline = DGRAM_NEVER};

	first_request = request->id;
	assert_int_equal(dgram_endpoint_submit(p->endpoint, &m, dgram_clock(), NULL), 0);
}

static void what_the_peer_asks_is_refused(void **state)
{
	struct server s;
	struct dgram_call call;

	(void)state;
	start(&s, "127.0.0.1:0", NULL, ask_back);
	s.party.answer_when_done = &first_request;
	call = question(&s.party.here, "who are you?");
	assert_int_equal(dgram_call(&call), (int)strlen("no such name"));
	assert_string_equal(text, "no such name");
	stop(&s);
	party_close(&s.party);
}

/* ---- several addresses ------------------------------------------------------------------------ */

static void nobody_there_is_refused_at_once(void **state)
{
	struct dgram_addr to[] = {address(DEAD4), address("127.8.8.8:1")};
	struct dgram_call call = question(to, "anybody?");

	(void)state;
	NEED_ERRORS();
	assert_int_equal(dgram_call(&call), DGRAM_ERR_REFUSED);
	assert_int_equal(call.outcome, DGRAM_REFUSED);
	assert_int_equal(call.reason, DGRAM_REASON_UNHEARD);
	call.to_count = 2;
	assert_int_equal(dgram_call(&call), DGRAM_ERR_REFUSED);
	assert_int_equal(call.requests, 2);
	assert_true(call.elapsed < PATIENCE / 2);
	assert_true(dgram_addr_equal(&call.from, &to[1]));
}

static void the_next_address_is_asked_after_a_refusal_or_silence(void **state)
{
	struct dgram_addr to[3] = {address(DEAD4)};
	struct dgram_socket silent;
	struct dgram_call call;
	struct server s;

	(void)state;
	open_bound(&silent, "127.0.0.1:0", NULL);
	start(&s, "127.0.0.1:0", NULL, NULL);
	to[1] = name_of(&silent);
	to[2] = s.party.here;
	call = question(to, "found");
	call.to_count = 3;
	assert_int_equal(dgram_call(&call), 5);
	assert_string_equal(text, "found");
	assert_int_equal(call.requests, 3);
	assert_true(dgram_addr_equal(&call.from, &to[2]));
	stop(&s);
	assert_int_equal(s.party.requests, 1);
	party_close(&s.party);
	dgram_socket_close(&silent);
}

static void both_families_are_tried(void **state)
{
	struct dgram_addr to[2] = {address(DEAD6)};
	struct dgram_call call;
	struct server s;

	(void)state;
	NEED_IPV6();
	start(&s, "127.0.0.1:0", NULL, NULL);
	to[1] = s.party.here;
	call = question(to, "found");
	call.to_count = 2;
	assert_int_equal(dgram_call(&call), 5);
	stop(&s);
	party_close(&s.party);
}

static void keep(struct party *p, const struct dgram_event *request)
{
	(void)p;
	(void)request;
}

/* Once a session is up nothing moves on: the request may be running there. */
static void an_address_that_was_heard_is_not_left(void **state)
{
	struct dgram_addr to[2];
	struct dgram_socket silent;
	struct dgram_call call;
	struct server slow;

	(void)state;
	open_bound(&silent, "127.0.0.1:0", NULL);
	start(&slow, "127.0.0.1:0", NULL, keep);
	to[0] = slow.party.here;
	to[1] = name_of(&silent);
	call = question(to, "job");
	call.to_count = 2;
	call.timeout = DGRAM_S;
	assert_int_equal(dgram_call(&call), DGRAM_ERR_UNKNOWN);
	assert_int_equal(call.outcome, DGRAM_UNKNOWN);
	assert_true(dgram_addr_equal(&call.from, &to[0]));
	assert_true(call.elapsed >= DGRAM_S);
	stop(&slow);
	assert_int_equal(slow.party.requests, 1);
	party_close(&slow.party);
	dgram_socket_close(&silent);
}

/* An ACCEPT that comes when the next address has its turn is not the next address's. */
static void an_address_that_answers_late_is_asked_again(void **state)
{
	struct dgram_addr to[2];
	struct dgram_socket silent;
	struct dgram_call call;
	struct server late;

	(void)state;
	open_bound(&silent, "127.0.0.1:0", NULL);
	party_open(&late.party, "127.0.0.1:0", NULL);
	late.other = &silent;
	to[0] = late.party.here;
	to[1] = name_of(&silent);
	run_thread(&late);
	call = question(to, "late");
	call.to_count = 2;
	assert_int_equal(dgram_call(&call), 4);
	assert_true(dgram_addr_equal(&call.from, &to[0]));
	assert_true(call.requests >= 3);
	stop(&late);
	assert_int_equal(late.party.requests, 1);
	party_close(&late.party);
	dgram_socket_close(&silent);
}

static void silence_everywhere_ends_with_the_timeout(void **state)
{
	struct dgram_socket silent[2];
	struct dgram_addr to[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_bound(&silent[i], "127.0.0.1:0", NULL);
		to[i] = name_of(&silent[i]);
	}
	for (size_t count = 1; count <= 2; count++) {
		struct dgram_call call = question(to, "anybody?");

		call.to_count = count;
		call.timeout = 200 * DGRAM_MS;
		assert_int_equal(dgram_call(&call), DGRAM_ERR_TIMEOUT);
		assert_int_equal(call.outcome, DGRAM_REFUSED);
		assert_true(call.elapsed >= 200 * DGRAM_MS);
		assert_true(call.requests >= count);
	}
	for (size_t i = 0; i < 2; i++)
		dgram_socket_close(&silent[i]);
}

/* ---- a peer that says no ---------------------------------------------------------------------- */

static void busy_at_first(struct party *p, const struct dgram_event *request)
{
	if (p->requests <= 2)
		dgram_endpoint_refuse(p->endpoint, request->id, DGRAM_BUSY, 20 * DGRAM_MS,
		                      dgram_clock());
	else
		reply(p, request->id, "now", 3);
}

static void a_busy_peer_is_asked_again_when_it_said(void **state)
{
	struct dgram_call call;
	struct server s;

	(void)state;
	start(&s, "127.0.0.1:0", NULL, busy_at_first);
	call = question(&s.party.here, "job");
	assert_int_equal(dgram_call(&call), 3);
	assert_string_equal(text, "now");
	assert_int_equal(call.requests, 3);
	assert_true(call.elapsed >= 40 * DGRAM_MS);
	stop(&s);
	party_close(&s.party);
}

static void busy_for_long(struct party *p, const struct dgram_event *request)
{
	dgram_endpoint_refuse(p->endpoint, request->id, DGRAM_BUSY, 2 * PATIENCE, dgram_clock());
}

static void no_such_name(struct party *p, const struct dgram_event *request)
{
	dgram_endpoint_refuse(p->endpoint, request->id, DGRAM_NO_SUCH_NAME, 0, dgram_clock());
}

static void not_allowed(struct party *p, const struct dgram_event *request)
{
	dgram_endpoint_refuse(p->endpoint, request->id, DGRAM_NOT_ALLOWED, 0, dgram_clock());
}

static void answer_longer(struct party *p, const struct dgram_event *request)
{
	static const char longer[5000];

	reply(p, request->id, longer, sizeof longer);
}

static void each_no_has_an_error_of_its_own(void **state)
{
	static const struct {
		void (*answer)(struct party *, const struct dgram_event *);
		int error;
		enum dgram_outcome outcome;
	} row[] = {
	        {busy_for_long, DGRAM_ERR_BUSY, DGRAM_REFUSED},
	        {no_such_name, DGRAM_ERR_NO_NAME, DGRAM_REFUSED},
	        {not_allowed, DGRAM_ERR_FORBIDDEN, DGRAM_REFUSED},
	        {answer_longer, DGRAM_ERR_TRUNCATED, DGRAM_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_call call;
		struct server s;

		print_message("%s\n", dgram_strerror(row[i].error));
		start(&s, "127.0.0.1:0", NULL, row[i].answer);
		call = question(&s.party.here, "please");
		assert_int_equal(dgram_call(&call), row[i].error);
		assert_int_equal(call.outcome, row[i].outcome);
		assert_int_equal(call.requests, 1);
		assert_true(call.elapsed < PATIENCE / 2);
		stop(&s);
		assert_int_equal(s.party.requests, 1);
		party_close(&s.party);
	}
}

static void a_request_too_long_for_the_peer_is_refused(void **state)
{
	static const uint8_t data[5000];
	const struct dgram_endpoint_config config = {.message_max = 4000};
	struct dgram_call call;
	struct server s;

	(void)state;
	start(&s, "127.0.0.1:0", &config, NULL);
	call = question(&s.party.here, "");
	call.data = data;
	call.len = sizeof data;
	assert_int_equal(dgram_call(&call), DGRAM_ERR_SIZE);
	assert_int_equal(call.outcome, DGRAM_REFUSED);
	stop(&s);
	assert_int_equal(s.party.requests, 0);
	party_close(&s.party);
}

/* ---- others ----------------------------------------------------------------------------------- */

static void *echo(void *argument)
{
	struct dgram_socket *s = argument;
	uint8_t buffer[1500];
	struct dgram_datagram d = {.data = buffer, .size = sizeof buffer};

	while (dgram_socket_recv_batch(s, &d, 1) == 1 && d.len > 0)
		dgram_socket_send_batch(s, &d, 1);
	return NULL;
}

static void who_sends_our_bytes_back_speaks_another_protocol(void **state)
{
	struct dgram_socket s, waker;
	struct dgram_addr to;
	struct dgram_call call;
	pthread_t thread;

	(void)state;
	open_bound(&s, "127.0.0.1:0", NULL);
	to = name_of(&s);
	assert_int_equal(pthread_create(&thread, NULL, echo, &s), 0);
	call = question(&to, "hello");
	assert_int_equal(dgram_call(&call), DGRAM_ERR_FOREIGN);
	assert_int_equal(call.outcome, DGRAM_REFUSED);
	open_unbound(&waker, DGRAM_IPV4);
	send_text(&waker, "", &to);
	assert_int_equal(pthread_join(thread, NULL), 0);
	dgram_socket_close(&waker);
	dgram_socket_close(&s);
}

static void calls_that_cannot_be_send_nothing(void **state)
{
	struct dgram_addr to = address(DEAD4), group = address("239.1.2.3:9"),
	                  no_port = address("127.0.0.1:0");
	struct dgram_addr local = {.family = DGRAM_UNIX};
	struct dgram_call call = question(&to, "x");

	(void)state;
	call.to_count = 0;
	assert_int_equal(dgram_call(&call), DGRAM_ERR_ARGUMENT);
	call.to_count = DGRAM_CALL_ADDRS_MAX + 1;
	assert_int_equal(dgram_call(&call), DGRAM_ERR_ARGUMENT);
	call = question(&to, "x");
	call.name = "Not a name";
	assert_int_equal(dgram_call(&call), DGRAM_ERR_ARGUMENT);
	call = question(&local, "x");
	assert_int_equal(dgram_call(&call), DGRAM_ERR_ADDRESS);
	call = question(&group, "x");
	assert_int_equal(dgram_call(&call), DGRAM_ERR_ADDRESS);
	call = question(&no_port, "x");
	assert_int_equal(dgram_call(&call), DGRAM_ERR_ADDRESS);
	call = question(&to, "x");
	call.len = (size_t)DGRAM_MESSAGE_MAX + 1;
	assert_int_equal(dgram_call(&call), DGRAM_ERR_SIZE);
	assert_int_equal(call.outcome, 0);
	assert_int_equal(call.requests, 0);
}

static void on_alarm(int number)
{
	(void)number;
}

static void storm(long interval)
{
	const struct itimerval often = {.it_interval.tv_usec = interval,
	                                .it_value.tv_usec = interval};

	setitimer(ITIMER_REAL, &often, NULL);
}

static void signals_end_neither_a_call_nor_a_pause(void **state)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	struct dgram_socket silent;
	struct dgram_addr to;
	struct dgram_call call;
	struct server s;

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	open_bound(&silent, "127.0.0.1:0", NULL);
	to = name_of(&silent);
	call = question(&to, "anybody?");
	call.timeout = 100 * DGRAM_MS;
	storm(500);
	assert_int_equal(dgram_call(&call), DGRAM_ERR_TIMEOUT);
	storm(0);
	assert_true(call.elapsed >= 100 * DGRAM_MS);
	dgram_socket_close(&silent);

	start(&s, "127.0.0.1:0", NULL, busy_at_first);
	call = question(&s.party.here, "job");
	storm(500);
	assert_int_equal(dgram_call(&call), 3);
	storm(0);
	assert_true(call.elapsed >= 40 * DGRAM_MS);
	assert_int_equal(call.requests, 3);
	stop(&s);
	party_close(&s.party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_call_is_answered),
	        cmocka_unit_test(a_failure_is_an_answer),
	        cmocka_unit_test(large_calls_are_answered),
	        cmocka_unit_test(very_large_calls_are_answered),
	        cmocka_unit_test(name_and_mark_come_along),
	        cmocka_unit_test(what_the_peer_asks_is_refused),
	        cmocka_unit_test(nobody_there_is_refused_at_once),
	        cmocka_unit_test(the_next_address_is_asked_after_a_refusal_or_silence),
	        cmocka_unit_test(both_families_are_tried),
	        cmocka_unit_test(an_address_that_was_heard_is_not_left),
	        cmocka_unit_test(an_address_that_answers_late_is_asked_again),
	        cmocka_unit_test(silence_everywhere_ends_with_the_timeout),
	        cmocka_unit_test(a_busy_peer_is_asked_again_when_it_said),
	        cmocka_unit_test(each_no_has_an_error_of_its_own),
	        cmocka_unit_test(a_request_too_long_for_the_peer_is_refused),
	        cmocka_unit_test(who_sends_our_bytes_back_speaks_another_protocol),
	        cmocka_unit_test(calls_that_cannot_be_send_nothing),
	        cmocka_unit_test(signals_end_neither_a_call_nor_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
