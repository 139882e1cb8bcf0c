/* Connections that come to nothing: each has an end, and the end a name; and who speaks the protocol is answered
 * meanwhile. */
#include "side.h"

#include <stdlib.h>

#define INIT_FRAME 260 /* bytes */
#define TYPE_AT    9   /* bytes into a frame */

/* The clock can be put forward. */
static uint64_t ahead;

uint64_t __real_dgram_clock(void);
uint64_t __wrap_dgram_clock(void);

uint64_t __wrap_dgram_clock(void)
{
	return __real_dgram_clock() + ahead;
}

/* What the kernel takes of what is sent to a port. */
static uint16_t limited_port;
static uint64_t budget;

int __real_dgram_stream_send(struct dgram_stream *s, const void *data, size_t len);
int __wrap_dgram_stream_send(struct dgram_stream *s, const void *data, size_t len);

int __wrap_dgram_stream_send(struct dgram_stream *s, const void *data, size_t len)
{
	struct dgram_addr peer;
	int n;

	if (limited_port == 0 || dgram_stream_getpeername(s, &peer) < 0 || peer.port != limited_port)
		return __real_dgram_stream_send(s, data, len);
	if (budget == 0)
		return DGRAM_ERR_AGAIN;
	n = __real_dgram_stream_send(s, data, len < budget ? len : (size_t)budget);
	budget -= n > 0 ? (uint64_t)n : 0;
	return n;
}

static void connect_raw(struct dgram_stream *s, const struct side *server)
{
	assert_int_equal(dgram_stream_connect(s, &server->party.here, NULL), 0);
}

/* Until the server has ended one more connection for this reason. */
static void until_ended(struct side *server, enum dgram_hangup_reason why, uint64_t count)
{
	uint64_t end = dgram_clock() + PATIENCE;
	struct dgram_hangup hangup = {.reason = DGRAM_HANGUP_COUNT};

	while (connections_of(server).ended[why] < count) {
		assert_true(dgram_clock() < end);
		party_turn(&server->party);
		sides_sleep(server, server, NULL);
	}
	while (dgram_loop_next_hangup(server->party.loop, &hangup) == 1)
		;
	if (why != DGRAM_HANGUP_ENDED)
		assert_int_equal(hangup.reason, why);
	assert_true(strlen(dgram_hangup_text(why)) > 5 && strlen(dgram_hangup_name(why)) > 2);
}

/* The INIT of a client, as it is framed. */
static void init_frame(uint8_t frame[INIT_FRAME])
{
	struct side client;
	struct dgram_stream listener, s;
	struct dgram_addr here = address("127.0.0.1:0");

	assert_int_equal(dgram_stream_listen(&listener, &here, NULL), 0);
	assert_int_equal(dgram_stream_getsockname(&listener, &here), 0);
	side_open(&client, NULL, NULL);
	request(&client.party, &here, "never");
	party_turn(&client.party);
	assert_int_equal(dgram_stream_accept(&listener, &s, NULL), 0);
	party_turn(&client.party);
	for (int have = 0; have < INIT_FRAME;)
		have += dgram_stream_recv(&s, frame + have, (size_t)(INIT_FRAME - have));
	side_close(&client);
	dgram_stream_close(&s);
	dgram_stream_close(&listener);
}

static void never(struct party *p, const struct dgram_event *request)
{
	(void)p;
	(void)request;
}

static void asks_and_is_answered(struct side *server)
{
	struct side client;

	side_open(&client, NULL, NULL);
	request(&client.party, &server->party.here, "hello");
	sides_run(&client, server, NULL, &client.party.done, 1);
	assert_int_equal(client.party.last.outcome, DGRAM_ANSWERED);
	side_close(&client);
}

/* ---- what comes to who listens ------------------------------------------------------------------ */

static void garbage_is_named_and_harms_nobody(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum dgram_hangup_reason why;
	} row[] = {
	        {"GET / HTTP/1.1\r\n\r\n", 18, DGRAM_HANGUP_LENGTH},
	        {"\xff\xff\xff\xff", 4, DGRAM_HANGUP_LENGTH},
	        {"\0\0\4\xb1", 4, DGRAM_HANGUP_LENGTH}, /* 1,201 */
	        {"\0\0\0\0", 4, DGRAM_HANGUP_LENGTH},
	        {"\0\0\0\x17" "23 bytes of no datagram", 27, DGRAM_HANGUP_LENGTH},
	        {"\0\0\0\x18" "24 bytes of no datagram.", 28, DGRAM_HANGUP_FOREIGN},
	        {"\0\0", 2, DGRAM_HANGUP_CUT},
	        {"\0\0\0\x20" "half a datagram", 19, DGRAM_HANGUP_CUT},
	        {"", 0, DGRAM_HANGUP_GONE},
	};
	struct side server;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		uint64_t before = connections_of(&server).ended[row[i].why];
		struct dgram_stream s;

		connect_raw(&s, &server);
		assert_int_equal(dgram_stream_sendall(&s, row[i].bytes, row[i].len), 0);
		if (row[i].why == DGRAM_HANGUP_CUT || row[i].why == DGRAM_HANGUP_GONE)
			dgram_stream_shutdown(&s, DGRAM_STREAM_WRITE);
		until_ended(&server, row[i].why, before + 1);
		dgram_stream_close(&s);
	}
	assert_int_equal(connections_of(&server).open, 0);
	assert_int_equal(server.party.requests, 0);
	asks_and_is_answered(&server);
	side_close(&server);
}

static void an_init_that_is_damaged_or_comes_twice_ends_the_connection(void **state)
{
	uint8_t frame[INIT_FRAME];
	struct dgram_stream s;
	struct side server;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	init_frame(frame);
	frame[40] ^= 1;
	connect_raw(&s, &server);
	assert_int_equal(dgram_stream_sendall(&s, frame, sizeof frame), 0);
	until_ended(&server, DGRAM_HANGUP_RULE, 1);
	dgram_stream_close(&s);
	frame[40] ^= 1;

	connect_raw(&s, &server);
	assert_int_equal(dgram_stream_sendall(&s, frame, sizeof frame), 0);
	assert_int_equal(dgram_stream_sendall(&s, frame, sizeof frame), 0);
	until_ended(&server, DGRAM_HANGUP_FOREIGN, 1);
	dgram_stream_close(&s);

	frame[TYPE_AT] = 2; /* ACCEPT, where INIT is to come */
	connect_raw(&s, &server);
	assert_int_equal(dgram_stream_sendall(&s, frame, sizeof frame), 0);
	until_ended(&server, DGRAM_HANGUP_FOREIGN, 2);
	dgram_stream_close(&s);
	asks_and_is_answered(&server);
	side_close(&server);
}

/* A byte now and then, or an INIT and nothing more: 10 s. */
static void who_is_slow_is_ended(void **state)
{
	uint8_t frame[INIT_FRAME];
	struct dgram_stream slow, opened;
	struct side server;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	init_frame(frame);
	connect_raw(&slow, &server);
	connect_raw(&opened, &server);
	assert_int_equal(dgram_stream_sendall(&opened, frame, sizeof frame), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(dgram_stream_sendall(&slow, frame + i, 1), 0);
		party_turn(&server.party);
		assert_int_equal(connections_of(&server).open, 2);
		ahead += 2 * DGRAM_S;
	}
	ahead += DGRAM_S;
	until_ended(&server, DGRAM_HANGUP_SLOW, 2);
	dgram_stream_close(&slow);
	dgram_stream_close(&opened);
	asks_and_is_answered(&server);
	side_close(&server);
}

/* Where every place is taken by who says nothing, the oldest of these makes room. */
static void who_says_nothing_makes_room(void **state)
{
	const struct dgram_endpoint_config few = {.sessions = 2, .half_open = 2};
	struct dgram_stream idle[10];
	struct side server;

	(void)state;
	side_open(&server, "127.0.0.1:0", &few);
	assert_int_equal(connections_of(&server).most, 4);
	for (size_t i = 0; i < 10; i++) {
		connect_raw(&idle[i], &server);
		party_turn(&server.party);
	}
	assert_int_equal(connections_of(&server).open, 4);
	until_ended(&server, DGRAM_HANGUP_FULL, 6);
	asks_and_is_answered(&server);
	for (size_t i = 0; i < 10; i++)
		dgram_stream_close(&idle[i]);
	side_close(&server);
}

/* Where every place is taken by sessions, a new one is told so, and comes again. */
static void who_comes_when_all_are_busy_is_told_so(void **state)
{
	const struct dgram_endpoint_config one = {.sessions = 1, .sessions_each = 1, .half_open = 2};
	struct side server, first, second;
	uint64_t end = dgram_clock() + PATIENCE;

	(void)state;
	side_open(&server, "127.0.0.1:0", &one);
	side_open(&first, NULL, NULL);
	side_open(&second, NULL, NULL);
	server.party.answer = never;
	request(&first.party, &server.party.here, "first");
	sides_run(&first, &server, NULL, &server.party.requests, 1);
	server.party.answer = NULL;
	request(&second.party, &server.party.here, "second");
	while (connections_of(&second).ended[DGRAM_HANGUP_ENDED] == 0) {
		assert_true(dgram_clock() < end);
		party_turn(&second.party);
		party_turn(&server.party);
		sides_sleep(&second, &server, NULL);
	}
	assert_int_equal(second.party.done, 0);
	side_close(&first);
	ahead += 2 * DGRAM_S; /* what it was told to wait */
	sides_run(&second, &server, NULL, &second.party.done, 1);
	assert_int_equal(second.party.last.outcome, DGRAM_ANSWERED);
	assert_int_equal(connections_of(&second).begun, 2);
	side_close(&second);
	side_close(&server);
}

/* A client that asks for much and reads nothing. */
static void who_does_not_read_is_ended(void **state)
{
	uint8_t *data = calloc(1, 1u << 18);
	struct side server, client;
	struct dgram_addr to;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	side_open(&client, NULL, NULL);
	server.party.answer = never;
	submit(&client.party, DGRAM_REQUEST, &server.party.here, data, 1u << 18);
	sides_run(&client, &server, NULL, &server.party.requests, 1);
	to = server.party.last.peer;
	limited_port = to.port;
	budget = 20000;
	assert_int_equal(dgram_endpoint_reply(server.party.endpoint, server.party.last.id, 0, data, 1u << 18,
	                                      dgram_clock()),
	                 0);
	for (int i = 0; i < 10; i++) {
		party_turn(&server.party);
		party_turn(&client.party);
	}
	assert_int_equal(budget, 0);
	assert_int_equal(connections_of(&server).open, 1);
	ahead += 31 * DGRAM_S;
	until_ended(&server, DGRAM_HANGUP_STUCK, 1);
	limited_port = 0;
	sides_run(&client, &server, NULL, &client.party.done, 1);
	assert_int_equal(client.party.last.outcome, DGRAM_UNKNOWN);
	side_close(&client);
	server.party.answer = NULL;
	asks_and_is_answered(&server);
	side_close(&server);
	free(data);
}

static uint32_t stops;

static void note_stop(struct side *s)
{
	stops += s->party.last.type == DGRAM_EVENT_STOP && s->party.last.reason == DGRAM_REASON_LOST;
}

static void a_request_whose_connection_is_lost_is_to_be_stopped(void **state)
{
	struct side server, client;
	struct middleman m;
	uint64_t end = dgram_clock() + PATIENCE;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	side_open(&client, NULL, NULL);
	middleman_open(&m, &server.party.here);
	server.party.answer = never;
	request(&client.party, &m.here, "wait");
	sides_run(&client, &server, &m, &server.party.requests, 1);
	middleman_cut(&m);
	stops = 0;
	while (stops == 0) {
		assert_true(dgram_clock() < end);
		party_turn(&server.party);
		note_stop(&server);
		sides_sleep(&server, &server, NULL);
	}
	sides_run(&client, &server, NULL, &client.party.done, 1);
	assert_int_equal(client.party.last.outcome, DGRAM_UNKNOWN);
	side_close(&client);
	side_close(&server);
}

/* ---- whom a client meets ------------------------------------------------------------------------ */

/* A server that answers what came with these bytes, or with what came, and hangs up. */
static void meet(const char *bytes, bool echoes, enum dgram_reason reason)
{
	struct dgram_addr here = address("127.0.0.1:0");
	struct dgram_stream listener, s = {.fd = -1, .spare = -1};
	uint8_t frame[INIT_FRAME];
	struct side client;
	uint64_t end = dgram_clock() + PATIENCE;
	int have = 0;

	assert_int_equal(dgram_stream_listen(&listener, &here, NULL), 0);
	assert_int_equal(dgram_stream_getsockname(&listener, &here), 0);
	side_open(&client, NULL, NULL);
	request(&client.party, &here, "hello");
	party_turn(&client.party);
	assert_int_equal(dgram_stream_accept(&listener, &s, NULL), 0);
	party_turn(&client.party);
	while (have < INIT_FRAME)
		have += dgram_stream_recv(&s, frame + have, (size_t)(INIT_FRAME - have));
	assert_int_equal(dgram_stream_sendall(&s, echoes ? (const void *)frame : bytes,
	                                      echoes ? sizeof frame : strlen(bytes)),
	                 0);
	dgram_stream_close(&s);
	while (client.party.done == 0) {
		assert_true(dgram_clock() < end);
		party_turn(&client.party);
		sides_sleep(&client, &client, NULL);
	}
	assert_int_equal(client.party.last.outcome, DGRAM_REFUSED);
	assert_int_equal(client.party.last.reason, reason);
	side_close(&client);
	dgram_stream_close(&listener);
}

static void who_is_no_peer_is_named(void **state)
{
	(void)state;
	meet("HTTP/1.1 400 Bad Request\r\n\r\n", false, DGRAM_REASON_FOREIGN);
	meet("", true, DGRAM_REASON_ECHOED);
	meet("", false, DGRAM_REASON_LOST);
	meet("\x01", false, DGRAM_REASON_LOST);
}

static void nobody_there_is_a_refusal(void **state)
{
	struct side server, client;
	struct dgram_addr to;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	to = server.party.here;
	side_close(&server);
	side_open(&client, NULL, NULL);
	request(&client.party, &to, "hello");
	sides_run(&client, &client, NULL, &client.party.done, 1);
	assert_int_equal(client.party.last.outcome, DGRAM_REFUSED);
	assert_int_equal(client.party.last.reason, DGRAM_REASON_UNHEARD);
	assert_int_equal(connections_of(&client).ended[DGRAM_HANGUP_UNMADE], 1);
	side_close(&client);
}

/* The server says goodbye, or its session has been idle for too long: the next request goes over a new connection. */
static void a_session_that_ended_takes_its_connection_along(void **state)
{
	struct side server, client;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	side_open(&client, NULL, NULL);
	for (uint32_t i = 1; i <= 3; i++) {
		request(&client.party, &server.party.here, "hello");
		sides_run(&client, &server, NULL, &client.party.done, i);
		assert_int_equal(client.party.last.outcome, DGRAM_ANSWERED);
		assert_int_equal(connections_of(&client).begun, i);
		if (i == 1)
			dgram_loop_close(server.party.loop);
		else
			ahead += 121 * DGRAM_S;
		until_ended(&client, DGRAM_HANGUP_ENDED, i);
		assert_int_equal(connections_of(&client).open, 0);
	}
	side_close(&client);
	side_close(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(garbage_is_named_and_harms_nobody),
	        cmocka_unit_test(an_init_that_is_damaged_or_comes_twice_ends_the_connection),
	        cmocka_unit_test(who_is_slow_is_ended),
	        cmocka_unit_test(who_says_nothing_makes_room),
	        cmocka_unit_test(who_comes_when_all_are_busy_is_told_so),
	        cmocka_unit_test(who_does_not_read_is_ended),
	        cmocka_unit_test(a_request_whose_connection_is_lost_is_to_be_stopped),
	        cmocka_unit_test(who_is_no_peer_is_named),
	        cmocka_unit_test(nobody_there_is_a_refusal),
	        cmocka_unit_test(a_session_that_ended_takes_its_connection_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
