/* Messages over connections, between two loops in one thread; and what becomes of them when the connection does not
 * last. */
#include "side.h"

#include <stdlib.h>

#define MIB (UINT32_C(1) << 20)

/* What the kernel still takes of what is sent to a port. */
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

/* ---- what is asked and sent --------------------------------------------------------------------- */

static void requests_are_answered_over_both_families(void **state)
{
	static const struct {
		const char *bound, *asked;
	} row[] = {
	        {"127.0.0.1:0", "127.0.0.1:0"},
	        {"[::1]:0", "[::1]:0"},
	        {"[::]:0", "127.0.0.1:0"},
	        {"[::]:0", "[::1]:0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = address(row[i].asked);
		struct side client, server;

		if (to.family == DGRAM_IPV6 && !have_ipv6())
			continue;
		print_message("%s at %s\n", row[i].asked, row[i].bound);
		side_open(&server, row[i].bound, NULL);
		side_open(&client, NULL, NULL);
		to.port = server.party.here.port;
		for (uint32_t done = 1; done <= 3; done++) {
			request(&client.party, &to, done == 2 ? "" : "hello");
			sides_run(&client, &server, NULL, &client.party.done, done);
			assert_int_equal(client.party.last.outcome, DGRAM_ANSWERED);
			assert_string_equal(client.party.text, done == 2 ? "" : "hello");
		}
		assert_int_equal(server.party.requests, 3);
		assert_int_equal(connections_of(&client).begun, 1);
		assert_int_equal(connections_of(&server).taken, 1);
		side_close(&client);
		side_close(&server);
	}
}

static void long_messages_arrive_whole_both_ways(void **state)
{
	static const uint32_t lengths[] = {1, 16383, 16384, 16385, MIB, 4 * MIB};
	uint8_t *data = malloc(4 * MIB);
	struct side client, server;
	uint32_t done = 0;

	(void)state;
	assert_non_null(data);
	pattern(data, 4 * MIB);
	side_open(&server, "127.0.0.1:0", NULL);
	side_open(&client, NULL, NULL);
	client.party.patterned = server.party.patterned = true;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		submit(&client.party, DGRAM_REQUEST, &server.party.here, data, lengths[i]);
		sides_run(&client, &server, NULL, &client.party.done, ++done);
		assert_int_equal(client.party.last.outcome, DGRAM_ANSWERED);
		assert_int_equal(client.party.last.len, lengths[i]);
	}
	assert_int_equal(stats_of(&client.party).lost, 0);
	assert_int_equal(connections_of(&client).begun, 1);
	side_close(&client);
	side_close(&server);
	free(data);
}

/* The receiver has room for few, and takes none of them twice and none out of order. */
static void a_receiver_without_room_slows_its_sender_down(void **state)
{
	const struct dgram_endpoint_config small = {.messages = 16, .pool = 1u << 18, .message_max = 1u << 14,
	                                            .requests = 4};
	struct side client, server;
	char text[32];

	(void)state;
	side_open(&server, "127.0.0.1:0", &small);
	side_open(&client, NULL, NULL);
	for (uint32_t i = 0; i < 500; i++) {
		const struct dgram_message m = {
		        .kind = DGRAM_SEND,
		        .to = server.party.here,
		        .data = text,
		        .len = (size_t)snprintf(text, sizeof text, "%u", i),
		        .deadline = dgram_clock() + PATIENCE,
		        .ordered = true,
		};

		assert_int_equal(dgram_endpoint_submit(client.party.endpoint, &m, dgram_clock(), NULL), 0);
	}
	sides_run(&client, &server, NULL, &client.party.done, 500);
	assert_int_equal(client.party.last.outcome, DGRAM_ANSWERED);
	assert_int_equal(server.party.messages, 500);
	assert_string_equal(server.party.text, "499");
	assert_int_equal(connections_of(&client).begun, 1);
	side_close(&client);
	side_close(&server);
}

/* Who listens can ask back, over the connection that there is. */
static void both_sides_ask_over_one_connection(void **state)
{
	struct side client, server;

	(void)state;
	side_open(&server, "127.0.0.1:0", NULL);
	side_open(&client, NULL, NULL);
	request(&client.party, &server.party.here, "there");
	sides_run(&client, &server, NULL, &client.party.done, 1);
	request(&server.party, &server.party.last.peer, "and back");
	sides_run(&client, &server, NULL, &server.party.done, 1);
	assert_int_equal(server.party.last.outcome, DGRAM_ANSWERED);
	assert_string_equal(server.party.text, "and back");
	assert_int_equal(connections_of(&server).begun, 0);
	side_close(&client);
	side_close(&server);
}

/* ---- what is lost ------------------------------------------------------------------------------- */

/* Hundreds of endpoints come and go. */
static const struct dgram_endpoint_config little = {
        .sessions = 4, .half_open = 4, .messages = 64, .requests = 8, .window = 64, .pool = 1u << 19, .message_max = 1u << 17};

struct tally {
	uint32_t answered, refused, unknown, unknown_ran;
};

/* The outcome of a request agrees with what ran. */
static void judge(struct tally *t, const struct side *client, const struct side *server)
{
	uint32_t ran = server->party.requests;

	switch (client->party.last.outcome) {
	case DGRAM_ANSWERED:
		assert_int_equal(ran, 1);
		t->answered++;
		break;
	case DGRAM_REFUSED:
		assert_int_equal(ran, 0);
		t->refused++;
		break;
	case DGRAM_UNKNOWN:
		assert_true(ran <= 1);
		t->unknown++;
		t->unknown_ran += ran;
		break;
	default:
		fail();
	}
}

/* What reached the server before its connection ended is done. */
static void run_out(struct side *client, struct side *server)
{
	uint64_t end = dgram_clock() + PATIENCE;

	while (connections_of(server).open > 0) {
		assert_true(dgram_clock() < end);
		party_turn(&client->party);
		party_turn(&server->party);
		sides_sleep(client, server, NULL);
	}
}

/* A request of len bytes; the middleman cuts after so many bytes of one way. How many passed in it. */
static uint64_t ask_and_harm(struct tally *t, size_t len, int way, uint64_t limit, uint64_t damaged)
{
	struct side client, server;
	struct middleman m;
	uint64_t passed;
	uint8_t *data = calloc(1, len + 1);

	side_open(&server, "127.0.0.1:0", &little);
	side_open(&client, NULL, &little);
	middleman_open(&m, &server.party.here);
	m.ways[way].limit = limit;
	m.ways[way].damaged = damaged;
	submit(&client.party, DGRAM_REQUEST, &m.here, data, len);
	sides_run(&client, &server, &m, &client.party.done, 1);
	passed = m.ways[way].passed;
	middleman_cut(&m);
	run_out(&client, &server);
	judge(t, &client, &server);
	side_close(&client);
	side_close(&server);
	free(data);
	return passed;
}

static uint64_t ask_and_cut(struct tally *t, size_t len, int way, uint64_t limit)
{
	return ask_and_harm(t, len, way, limit, UINT64_MAX);
}

/* Of a length only the upper half: a datagram that seems longer is waited for. */
static bool is_low_length(int way, uint64_t at)
{
	uint64_t second = way == 0 ? 260 : 152;

	return (at & ~UINT64_C(1)) == 2 || (at & ~UINT64_C(1)) == second + 2;
}

/* TCP lets one damaged segment in some thousands of them pass; the checksum of a datagram does not. */
static void a_byte_that_is_damaged_leaves_the_truth(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		struct tally t = {.answered = 0};
		uint64_t all = ask_and_cut(&t, 5, way, UINT64_MAX);

		for (uint64_t at = 0; at < (way == 0 ? all : 190); at++)
			if (!is_low_length(way, at))
				ask_and_harm(&t, 5, way, UINT64_MAX, at);
		print_message("way %d: %u answered, %u refused, %u unknown, %u of them ran\n", way, t.answered,
		              t.refused, t.unknown, t.unknown_ran);
		assert_int_equal(t.answered, 1);
	}
}

static void a_connection_cut_at_every_byte_leaves_the_truth(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		struct tally t = {.answered = 0};
		uint64_t all = ask_and_cut(&t, 5, way, UINT64_MAX);

		for (uint64_t limit = 1; limit < all; limit++)
			ask_and_cut(&t, 5, way, limit);
		print_message("way %d, %u bytes: %u answered, %u refused, %u unknown, %u of them ran\n", way,
		              (unsigned)all, t.answered, t.refused, t.unknown, t.unknown_ran);
		assert_true(t.answered > 0 && t.refused > 0 && t.unknown > t.unknown_ran * (way == 0));
		assert_true(way == 0 || t.unknown_ran > 0);
	}
}

/* The kernel takes so many bytes and no more, and then the connection is lost: exposed is what it has whole. */
static void ask_and_stall(struct tally *t, size_t len, uint64_t bytes)
{
	uint8_t *data = calloc(1, len);
	struct side client, server;
	struct middleman m;
	uint64_t end = dgram_clock() + PATIENCE;

	side_open(&server, "127.0.0.1:0", &little);
	side_open(&client, NULL, &little);
	middleman_open(&m, &server.party.here);
	limited_port = m.here.port;
	budget = bytes;
	submit(&client.party, DGRAM_REQUEST, &m.here, data, len);
	while (client.party.done == 0 && m.ways[0].passed < bytes) {
		assert_true(dgram_clock() < end);
		party_turn(&client.party);
		middleman_turn(&m);
		party_turn(&server.party);
		sides_sleep(&client, &server, &m);
	}
	middleman_cut(&m);
	sides_run(&client, &server, NULL, &client.party.done, 1);
	limited_port = 0;
	run_out(&client, &server);
	judge(t, &client, &server);
	side_close(&client);
	side_close(&server);
	free(data);
}

/* Not one byte too early, and none too late. */
static void check_exposure(size_t len, uint64_t from, uint64_t step)
{
	struct tally t = {.answered = 0};
	uint64_t all = ask_and_cut(&t, len, 0, UINT64_MAX), exposed = 0, refused = 0;

	for (uint64_t bytes = from; bytes <= all; bytes += step) {
		ask_and_stall(&t, len, bytes);
		refused += exposed == 0 && t.refused > refused;
		if (exposed == 0 && t.answered + t.unknown > 1)
			exposed = bytes;
	}
	print_message("%u bytes, exposed with %u: %u answered, %u refused, %u unknown, %u of them ran\n",
	              (unsigned)all, (unsigned)exposed, t.answered, t.refused, t.unknown, t.unknown_ran);
	assert_true(exposed > len && exposed <= all);
	assert_true(step > 1 || exposed == all); /* a short one's last byte is the last of all */
	assert_int_equal(t.refused, refused);
}

static void exposed_is_what_the_kernel_has_whole(void **state)
{
	(void)state;
	check_exposure(5, 262, 1);
	check_exposure(60000, 59000, 199);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(requests_are_answered_over_both_families),
	        cmocka_unit_test(long_messages_arrive_whole_both_ways),
	        cmocka_unit_test(a_receiver_without_room_slows_its_sender_down),
	        cmocka_unit_test(both_sides_ask_over_one_connection),
	        cmocka_unit_test(a_connection_cut_at_every_byte_leaves_the_truth),
	        cmocka_unit_test(a_byte_that_is_damaged_leaves_the_truth),
	        cmocka_unit_test(exposed_is_what_the_kernel_has_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
