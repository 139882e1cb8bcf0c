/* dgram_ask() over real sockets on loopback. Each test has a client, two peers a and b, and one
 * that refuses; what the peers do runs in a thread. */
#include <dgram/ask.h>

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

#define PATIENCE (20 * DGRAM_S) /* more than any machine needs; only a broken test waits for it */

struct scene {
	struct dgram_socket client, a, b, refuser;
	struct dgram_addr at_a, at_b, at_refuser;
	struct dgram_ask_options opt;
	struct dgram_ask_report report;
	char answer[100];
	pthread_t thread;
};

static void open_at(struct dgram_socket *s, struct dgram_addr *at, const char *text)
{
	struct dgram_addr wanted;

	assert_int_equal(dgram_addr_parse(&wanted, text), 0);
	assert_int_equal(dgram_socket_bind(s, &wanted, NULL), 0);
	assert_int_equal(dgram_socket_getsockname(s, at), 0);
	dgram_socket_settimeout(s, PATIENCE);
}

/* From now on s takes nothing but datagrams from this peer's port and refuses all others. A
 * refusing port that is taken is one that nobody else gets. */
static void hear_only(struct dgram_socket *s, const struct dgram_socket *peer)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct dgram_addr at;

	dgram_socket_getsockname(peer, &at);
	to.sin_port = htons(at.port);
	if (connect(s->fd, (struct sockaddr *)&to, sizeof to) < 0)
		perror("connect");
}

static int set_up(void **state)
{
	struct scene *t = calloc(1, sizeof *t);

	assert_int_equal(dgram_socket_open(&t->client, DGRAM_FAMILY_NONE, NULL), 0);
	open_at(&t->a, &t->at_a, "127.0.0.1:0");
	open_at(&t->b, &t->at_b, "127.0.0.1:0");
	open_at(&t->refuser, &t->at_refuser, "127.0.0.1:0");
	hear_only(&t->refuser, &t->b);
	t->opt.deadline = PATIENCE;
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *t = *state;

	dgram_socket_close(&t->client);
	dgram_socket_close(&t->a);
	dgram_socket_close(&t->b);
	dgram_socket_close(&t->refuser);
	free(t);
	return 0;
}

static void meanwhile(struct scene *t, void *(*what)(void *))
{
	assert_int_equal(pthread_create(&t->thread, NULL, what, t), 0);
}

static int ask(struct scene *t, const struct dgram_addr *to, size_t to_count)
{
	struct dgram_question q = {to, to_count, "hi", 2, t->answer, sizeof t->answer};

	return dgram_ask(&t->client, &q, &t->opt, &t->report);
}

/* Asks a, then ends the thread. */
static int ask_a(struct scene *t)
{
	int rc = ask(t, &t->at_a, 1);

	pthread_join(t->thread, NULL);
	return rc;
}

static void expect_answer(struct scene *t, int rc, const char *text, const struct dgram_addr *from)
{
	assert_int_equal(rc, strlen(text));
	assert_memory_equal(t->answer, text, strlen(text));
	assert_true(dgram_addr_equal(&t->report.from, from));
}

/* ---- what peers do ----------------------------------------------------------------------------
 */

static void *a_echoes(void *arg)
{
	struct scene *t = arg;
	static char buf[DGRAM_DATAGRAM_MAX];
	struct dgram_addr from;
	int n = dgram_socket_recvfrom(&t->a, buf, sizeof buf, &from);

	if (n >= 0)
		dgram_socket_sendto(&t->a, buf, (size_t)n, &from);
	return NULL;
}

/* One datagram of a's is dropped, the next one answered. */
static void *a_echoes_the_second(void *arg)
{
	struct scene *t = arg;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, NULL);
	return a_echoes(t);
}

/* The answer to the first try leaves when the second try has come. */
static void *a_answers_when_b_was_asked(void *arg)
{
	struct scene *t = arg;
	struct dgram_addr from;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, &from);
	dgram_socket_recvfrom(&t->b, (char[9]){0}, 9, NULL);
	dgram_socket_sendto(&t->a, "late", 4, &from);
	return NULL;
}

static void *b_interrupts(void *arg)
{
	struct scene *t = arg;
	struct dgram_addr from;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, &from);
	dgram_socket_sendto(&t->b, "forged", 6, &from);
	dgram_socket_sendto(&t->b, "", 0, &from);
	dgram_socket_sendto(&t->a, "true", 4, &from);
	return NULL;
}

static void *b_answers_for_a(void *arg)
{
	struct scene *t = arg;
	struct dgram_addr from;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, &from);
	dgram_socket_sendto(&t->b, "member", 6, &from);
	return NULL;
}

static void *a_answers_200_bytes(void *arg)
{
	struct scene *t = arg;
	struct dgram_addr from;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, &from);
	dgram_socket_sendto(&t->a, (char[200]){0}, 200, &from);
	return NULL;
}

static void *a_answers_nothing(void *arg)
{
	struct scene *t = arg;
	struct dgram_addr from;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, &from);
	dgram_socket_sendto(&t->a, "", 0, &from);
	return NULL;
}

static void *a_takes_one_and_refuses(void *arg)
{
	struct scene *t = arg;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, NULL);
	hear_only(&t->a, &t->b);
	return NULL;
}

static void *a_takes_one_and_dies(void *arg)
{
	struct scene *t = arg;

	dgram_socket_recvfrom(&t->a, (char[9]){0}, 9, NULL);
	dgram_socket_close(&t->a);
	return NULL;
}

static void *refuser_echoes(void *arg)
{
	struct scene *t = arg;
	struct dgram_addr from;
	char buf[9];
	int n = dgram_socket_recvfrom(&t->refuser, buf, sizeof buf, &from);

	if (n >= 0)
		dgram_socket_sendto(&t->refuser, buf, (size_t)n, &from);
	return NULL;
}

/* Somebody starts to listen where nobody did. */
static void *refuser_gives_in(void *arg)
{
	struct scene *t = arg;

	usleep(150000); /* no event tells that the first refusals have come */
	hear_only(&t->refuser, &t->client);
	return refuser_echoes(arg);
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void the_answer_to_the_first_try_comes(void **state)
{
	struct scene *t = *state;

	meanwhile(t, a_echoes);
	expect_answer(t, ask_a(t), "hi", &t->at_a);
	assert_int_equal(t->report.event_count, t->report.tries);
	assert_int_equal(t->report.events[0].error, 0);
	assert_int_equal(t->report.last_error.error, 0);
	assert_true(t->report.rtt > 0 && t->report.rtt <= t->report.elapsed);
}

static void a_lost_request_is_sent_again(void **state)
{
	struct scene *t = *state;

	meanwhile(t, a_echoes_the_second);
	expect_answer(t, ask_a(t), "hi", &t->at_a);
	assert_true(t->report.tries >= 2);
	assert_true(t->report.events[1].at >= 45 * DGRAM_MS);
}

static void a_late_answer_to_the_first_try_counts(void **state)
{
	struct scene *t = *state;

	meanwhile(t, a_answers_when_b_was_asked);
	expect_answer(t, ask(t, (struct dgram_addr[]){t->at_a, t->at_b}, 2), "late", &t->at_a);
	pthread_join(t->thread, NULL);
	assert_int_equal(t->report.events[1].to, 1);
	assert_true(t->report.rtt >= 45 * DGRAM_MS);
}

static void datagrams_of_strangers_are_counted_and_ignored(void **state)
{
	struct scene *t = *state;

	meanwhile(t, b_interrupts);
	expect_answer(t, ask_a(t), "true", &t->at_a);
	assert_int_equal(t->report.strangers, 2);
}

static void in_a_group_anyone_may_answer(void **state)
{
	struct scene *t = *state;

	t->opt.any_source = true;
	meanwhile(t, b_answers_for_a);
	expect_answer(t, ask_a(t), "member", &t->at_b);
}

static void what_came_before_the_question_is_no_answer(void **state)
{
	struct scene *t = *state;
	struct dgram_addr at;

	dgram_socket_close(&t->client);
	open_at(&t->client, &at, "127.0.0.1:0");
	for (int i = 0; i < 3; i++)
		assert_int_equal(dgram_socket_sendto(&t->a, "old", 3, &at), 0);
	meanwhile(t, a_echoes);
	expect_answer(t, ask_a(t), "hi", &t->at_a);
	assert_int_equal(t->report.strangers, 3);
	assert_int_equal(t->client.timeout, PATIENCE);
}

static void an_answer_longer_than_the_buffer_is_truncated(void **state)
{
	struct scene *t = *state;

	meanwhile(t, a_answers_200_bytes);
	assert_int_equal(ask_a(t), DGRAM_ERR_TRUNCATED);
	assert_true(dgram_addr_equal(&t->report.from, &t->at_a));
}

static void an_empty_answer_is_an_answer(void **state)
{
	struct scene *t = *state;

	meanwhile(t, a_answers_nothing);
	expect_answer(t, ask_a(t), "", &t->at_a);
}

static void an_empty_request_is_sent(void **state)
{
	struct scene *t = *state;
	struct dgram_question q = {.to = &t->at_a, .to_count = 1};

	meanwhile(t, a_echoes);
	assert_int_equal(dgram_ask(&t->client, &q, &t->opt, NULL), 0);
	pthread_join(t->thread, NULL);
}

static void the_largest_datagram_goes_both_ways(void **state)
{
	static char request[DGRAM_DATAGRAM_MAX], answer[DGRAM_DATAGRAM_MAX];
	struct scene *t = *state;
	struct dgram_question q = {&t->at_a, 1, request, sizeof request, answer, sizeof answer};

	for (size_t i = 0; i < sizeof request; i++)
		request[i] = (char)(i * 31);
	meanwhile(t, a_echoes);
	assert_int_equal(dgram_ask(&t->client, &q, &t->opt, &t->report), DGRAM_DATAGRAM_MAX);
	pthread_join(t->thread, NULL);
	assert_memory_equal(request, answer, sizeof answer);
}

/* ---- no answer --------------------------------------------------------------------------------
 */

static void silence_is_a_timeout_at_the_deadline(void **state)
{
	struct scene *t = *state;

	t->opt.deadline = DGRAM_S;
	assert_int_equal(ask(t, &t->at_a, 1), DGRAM_ERR_TIMEOUT);
	assert_true(t->report.elapsed >= DGRAM_S);
	assert_true(t->report.tries >= 2);
	assert_int_equal(t->report.from.family, DGRAM_FAMILY_NONE);
}

static void as_many_retries_as_asked_for_are_sent(void **state)
{
	struct scene *t = *state;
	char buf[9];

	t->opt = (struct dgram_ask_options){.timeout = 5 * DGRAM_MS,
					    .limit_retries = true,
					    .retries = 2,
					    .deadline = DGRAM_NEVER};
	assert_int_equal(ask(t, &t->at_a, 1), DGRAM_ERR_TIMEOUT);
	assert_int_equal(t->report.tries, 3);
	dgram_socket_settimeout(&t->a, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dgram_socket_recvfrom(&t->a, buf, sizeof buf, NULL), 2);
	assert_int_equal(dgram_socket_recvfrom(&t->a, buf, sizeof buf, NULL), DGRAM_ERR_AGAIN);
}

static void the_first_events_are_kept_and_all_are_counted(void **state)
{
	struct scene *t = *state;

	t->opt = (struct dgram_ask_options){.timeout = DGRAM_MS,
					    .backoff_milli = 1000,
					    .limit_retries = true,
					    .retries = DGRAM_ASK_EVENTS_MAX + 5,
					    .deadline = DGRAM_NEVER};
	assert_int_equal(ask(t, &t->at_a, 1), DGRAM_ERR_TIMEOUT);
	assert_int_equal(t->report.event_count, DGRAM_ASK_EVENTS_MAX + 6);
	for (size_t i = 1; i < DGRAM_ASK_EVENTS_MAX; i++)
		assert_true(t->report.events[i].at > t->report.events[i - 1].at);
}

static void wake(int signal)
{
	(void)signal;
}

static void signals_do_not_end_the_wait(void **state)
{
	struct scene *t = *state;
	struct sigaction old, action = {.sa_handler = wake};
	struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};

	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &often, NULL);
	t->opt.deadline = 100 * DGRAM_MS;
	int rc = ask(t, &t->at_a, 1);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_int_equal(rc, DGRAM_ERR_TIMEOUT);
	assert_true(t->report.elapsed >= 100 * DGRAM_MS);
}

/* ---- refusals ---------------------------------------------------------------------------------
 */

/* The kernel may give us the very port that is asked, where nobody has it: then nobody listens there. */
static void our_own_datagram_is_a_refusal_and_no_answer(void **state)
{
	static const char *const row[][2] = {
		{"127.0.0.1:0", "127.0.0.1:0"},
		{"[::]:0", "127.0.0.1:0"},
		{"0.0.0.0:0", "0.0.0.0:0"},
	};
	struct scene *t = *state;
	struct dgram_addr here, to;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		print_message("%s at %s\n", row[i][1], row[i][0]);
		dgram_socket_close(&t->client);
		open_at(&t->client, &here, row[i][0]);
		assert_int_equal(dgram_addr_parse(&to, row[i][1]), 0);
		to.port = here.port;
		assert_int_equal(dgram_socket_sendto(&t->client, "old", 3, &to), 0);
		assert_int_equal(ask(t, &to, 1), DGRAM_ERR_REFUSED);
		assert_int_equal(t->report.tries, 1);
		assert_int_equal(t->report.refusals, 1);
		assert_int_equal(t->report.strangers, 1);
		assert_int_equal(t->report.last_error.errno_value, ECONNREFUSED);
	}
}

static void connect_client(struct scene *t, const struct dgram_addr *to)
{
	dgram_socket_close(&t->client);
	assert_int_equal(dgram_socket_connect(&t->client, to, NULL), 0);
}

/* A system without an error queue tells a refusal to connected sockets alone. */
static void make_refusals_heard(struct scene *t, const struct dgram_addr *to)
{
	if (!t->client.error_queue)
		connect_client(t, to);
}

static void refused_by_the_only_address_at_once(void **state)
{
	struct scene *t = *state;

	make_refusals_heard(t, &t->at_refuser);
	assert_int_equal(ask(t, &t->at_refuser, 1), DGRAM_ERR_REFUSED);
	assert_int_equal(t->report.tries, 1);
	assert_int_equal(t->report.refusals, 1);
	assert_int_equal(t->report.event_count, 2);
	assert_int_equal(t->report.events[1].error, DGRAM_ERR_REFUSED);
	assert_int_equal(t->report.last_error.error, DGRAM_ERR_REFUSED);
	assert_true(dgram_addr_equal(&t->report.last_error.to, &t->at_refuser));
}

static void a_refusal_moves_on_to_the_next_address(void **state)
{
	struct scene *t = *state;

	if (!t->client.error_queue) {
		puts("skipped: this system has no error queue");
		skip();
	}
	meanwhile(t, a_echoes);
	expect_answer(t, ask(t, (struct dgram_addr[]){t->at_refuser, t->at_a}, 2), "hi", &t->at_a);
	pthread_join(t->thread, NULL);
	assert_int_equal(t->report.refusals, 1);
	assert_int_equal(t->report.events[0].to, 0);
	assert_int_equal(t->report.events[1].error, DGRAM_ERR_REFUSED);
	assert_int_equal(t->report.events[2].to, 1);
}

static void refused_after_a_silent_try_is_unknown(void **state)
{
	struct scene *t = *state;

	make_refusals_heard(t, &t->at_a);
	meanwhile(t, a_takes_one_and_refuses);
	assert_int_equal(ask_a(t), DGRAM_ERR_UNKNOWN);
	assert_true(t->report.tries >= 2);
}

static void a_refusing_address_can_be_asked_until_it_answers(void **state)
{
	struct scene *t = *state;

	make_refusals_heard(t, &t->at_refuser);
	t->opt.retry_refused = true;
	meanwhile(t, refuser_gives_in);
	expect_answer(t, ask(t, &t->at_refuser, 1), "hi", &t->at_refuser);
	pthread_join(t->thread, NULL);
	assert_true(t->report.refusals >= 1);
}

static void refused_every_time_until_the_deadline_is_refused(void **state)
{
	struct scene *t = *state;

	make_refusals_heard(t, &t->at_refuser);
	t->opt.retry_refused = true;
	t->opt.deadline = 200 * DGRAM_MS;
	assert_int_equal(ask(t, &t->at_refuser, 1), DGRAM_ERR_REFUSED);
	assert_true(t->report.elapsed >= 200 * DGRAM_MS);
	assert_int_equal(t->report.refusals, t->report.tries);
}

static void a_refusal_by_somebody_else_is_not_ours(void **state)
{
	struct scene *t = *state;

	assert_int_equal(dgram_socket_sendto(&t->client, "x", 1, &t->at_refuser), 0);
	meanwhile(t, a_echoes);
	expect_answer(t, ask_a(t), "hi", &t->at_a);
	assert_int_equal(t->report.refusals, 0);
}

static void an_earlier_refusal_is_not_this_questions(void **state)
{
	struct scene *t = *state;

	assert_int_equal(dgram_socket_sendto(&t->client, "x", 1, &t->at_refuser), 0);
	hear_only(&t->refuser, &t->client);
	meanwhile(t, refuser_echoes);
	expect_answer(t, ask(t, &t->at_refuser, 1), "hi", &t->at_refuser);
	pthread_join(t->thread, NULL);
	assert_int_equal(t->report.refusals, 0);
}

static void what_is_forbidden_for_good_is_not_retried(void **state)
{
	struct scene *t = *state;

	/* A broadcast that was not enabled. */
	memset(&t->at_a.u.ip4[1], 255, 3);
	assert_int_equal(ask(t, &t->at_a, 1), DGRAM_ERR_DENIED);
	assert_int_equal(t->report.tries, 0);
	assert_int_equal(t->report.last_error.errno_value, EACCES);
}

static void too_large_a_request_is_never_sent(void **state)
{
	static char request[DGRAM_DATAGRAM_MAX + 1];
	struct scene *t = *state;
	struct dgram_question q = {
		&t->at_a, 1, request, sizeof request, t->answer, sizeof t->answer};

	assert_int_equal(dgram_ask(&t->client, &q, &t->opt, &t->report), DGRAM_ERR_SIZE);
	assert_int_equal(t->report.tries, 0);
	dgram_socket_settimeout(&t->a, 0);
	assert_int_equal(dgram_socket_recvfrom(&t->a, t->answer, 9, NULL), DGRAM_ERR_AGAIN);
}

static void port_0_is_no_destination(void **state)
{
	struct scene *t = *state;

	t->at_a.port = 0;
	assert_int_equal(ask(t, &t->at_a, 1), DGRAM_ERR_PORT);
	assert_int_equal(t->report.tries, 0);
}

/* ---- kinds of sockets -------------------------------------------------------------------------
 */

static void a_connected_socket_asks_its_peer(void **state)
{
	struct scene *t = *state;

	connect_client(t, &t->at_a);
	meanwhile(t, b_interrupts);
	expect_answer(t, ask_a(t), "true", &t->at_a);
	assert_int_equal(t->report.strangers, 0);
	meanwhile(t, a_echoes);
	expect_answer(t, ask(t, NULL, 0), "hi", &t->at_a);
	pthread_join(t->thread, NULL);
	assert_int_equal(ask(t, (struct dgram_addr[]){t->at_a, t->at_b}, 2), DGRAM_ERR_ARGUMENT);
}

static void a_connected_socket_is_refused(void **state)
{
	struct scene *t = *state;

	connect_client(t, &t->at_refuser);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(t, NULL, 0), DGRAM_ERR_REFUSED);
		assert_int_equal(t->report.tries, 1);
		assert_int_equal(t->report.refusals, 1);
	}
}

static void an_unconnected_socket_needs_an_address(void **state)
{
	struct scene *t = *state;

	assert_int_equal(ask(t, NULL, 0), DGRAM_ERR_ARGUMENT);
}

static void one_socket_asks_both_families(void **state)
{
	struct scene *t = *state;
	struct dgram_addr six;

	if (t->client.family != DGRAM_IPV6) {
		puts("skipped: no IPv6 here");
		skip();
	}
	dgram_socket_close(&t->a);
	open_at(&t->a, &six, "[::1]:0");
	meanwhile(t, a_echoes);
	expect_answer(t, ask(t, (struct dgram_addr[]){t->at_refuser, six}, 2), "hi", &six);
	pthread_join(t->thread, NULL);
	assert_int_equal(t->report.refusals, t->client.error_queue);
}

/* ---- UNIX -------------------------------------------------------------------------------------
 */

/* Makes dir; a is bound to a path in it. */
static void unix_scene(struct scene *t, char *dir)
{
	char text[64];

	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof text, "unix://%s/peer", dir);
	dgram_socket_close(&t->client);
	dgram_socket_close(&t->a);
	assert_int_equal(dgram_socket_open(&t->client, DGRAM_UNIX, NULL), 0);
	open_at(&t->a, &t->at_a, text);
}

static void a_unix_peer_answers(void **state)
{
	struct scene *t = *state;
	char dir[] = "/tmp/dgram-ask-XXXXXX";

	unix_scene(t, dir);
	meanwhile(t, a_echoes);
	expect_answer(t, ask_a(t), "hi", &t->at_a);
	dgram_socket_close(&t->a);
	assert_int_equal(rmdir(dir), 0);
}

/* The peer answers from "peer", the client has asked the whole path. */
static void a_connected_unix_socket_knows_its_peer_by_any_name(void **state)
{
	struct scene *t = *state;
	struct dgram_addr relative = {.family = DGRAM_UNIX, .path_len = 4, .u.path = "peer"};
	char dir[] = "/tmp/dgram-ask-XXXXXX", here[4096];

	unix_scene(t, dir);
	dgram_socket_close(&t->a);
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(dgram_socket_bind(&t->a, &relative, NULL), 0);
	dgram_socket_settimeout(&t->a, PATIENCE);
	connect_client(t, &t->at_a);
	meanwhile(t, a_echoes);
	expect_answer(t, ask_a(t), "hi", &t->at_a);
	dgram_socket_close(&t->a);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_unix_path_without_a_peer_is_refused(void **state)
{
	struct scene *t = *state;
	char dir[] = "/tmp/dgram-ask-XXXXXX";

	unix_scene(t, dir);
	dgram_socket_close(&t->a);
	assert_int_equal(ask(t, &t->at_a, 1), DGRAM_ERR_REFUSED);
	assert_int_equal(t->report.tries, 0);
	assert_int_equal(t->report.refusals, 1);
	assert_int_equal(rmdir(dir), 0);
}

static void our_own_unix_path_is_refused(void **state)
{
	char dir[] = "/tmp/dgram-ask-XXXXXX";
	struct scene *t = *state;
	struct dgram_question q = {&t->at_a, 1, "hi", 2, t->answer, sizeof t->answer};

	unix_scene(t, dir);
	assert_int_equal(dgram_ask(&t->a, &q, &t->opt, &t->report), DGRAM_ERR_REFUSED);
	dgram_socket_close(&t->a);
	assert_int_equal(rmdir(dir), 0);
}

static void a_unix_peer_that_dies_leaves_doubt(void **state)
{
	struct scene *t = *state;
	char dir[] = "/tmp/dgram-ask-XXXXXX";

	unix_scene(t, dir);
	meanwhile(t, a_takes_one_and_dies);
	assert_int_equal(ask_a(t), DGRAM_ERR_UNKNOWN);
	assert_int_equal(rmdir(dir), 0);
}

#define scene_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(the_answer_to_the_first_try_comes),
		scene_test(a_lost_request_is_sent_again),
		scene_test(a_late_answer_to_the_first_try_counts),
		scene_test(datagrams_of_strangers_are_counted_and_ignored),
		scene_test(in_a_group_anyone_may_answer),
		scene_test(what_came_before_the_question_is_no_answer),
		scene_test(an_answer_longer_than_the_buffer_is_truncated),
		scene_test(an_empty_answer_is_an_answer),
		scene_test(an_empty_request_is_sent),
		scene_test(the_largest_datagram_goes_both_ways),
		scene_test(silence_is_a_timeout_at_the_deadline),
		scene_test(as_many_retries_as_asked_for_are_sent),
		scene_test(the_first_events_are_kept_and_all_are_counted),
		scene_test(signals_do_not_end_the_wait),
		scene_test(our_own_datagram_is_a_refusal_and_no_answer),
		scene_test(refused_by_the_only_address_at_once),
		scene_test(a_refusal_moves_on_to_the_next_address),
		scene_test(refused_after_a_silent_try_is_unknown),
		scene_test(a_refusing_address_can_be_asked_until_it_answers),
		scene_test(refused_every_time_until_the_deadline_is_refused),
		scene_test(a_refusal_by_somebody_else_is_not_ours),
		scene_test(an_earlier_refusal_is_not_this_questions),
		scene_test(what_is_forbidden_for_good_is_not_retried),
		scene_test(too_large_a_request_is_never_sent),
		scene_test(port_0_is_no_destination),
		scene_test(a_connected_socket_asks_its_peer),
		scene_test(a_connected_socket_is_refused),
		scene_test(an_unconnected_socket_needs_an_address),
		scene_test(one_socket_asks_both_families),
		scene_test(a_unix_peer_answers),
		scene_test(a_connected_unix_socket_knows_its_peer_by_any_name),
		scene_test(a_unix_path_without_a_peer_is_refused),
		scene_test(our_own_unix_path_is_refused),
		scene_test(a_unix_peer_that_dies_leaves_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
