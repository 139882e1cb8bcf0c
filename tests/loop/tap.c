/* What a loop notes of what passes. */
#include "party.h"

#include <dgram/look.h>

#define TAPE (64u << 10)

static _Alignas(16) uint8_t tape[TAPE];

/* Takes all; how many of each way, the last of each in last. */
static void take(struct dgram_loop *loop, size_t count[4], struct dgram_passed last[4])
{
	struct dgram_passed p;

	while (dgram_loop_next_passed(loop, &p) == 1) {
		assert_in_range(p.way, DGRAM_WAY_OUT, DGRAM_WAY_ERROR);
		count[p.way]++;
		last[p.way] = p;
	}
}

static void all_that_passes_is_noted(void **state)
{
	struct dgram_endpoint_stats stats;
	struct dgram_passed last[4];
	struct dgram_look look;
	struct party client, server;
	size_t count[4] = {0};
	uint64_t start = dgram_clock();

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	dgram_loop_tap(client.loop, tape, sizeof tape);
	ask(&client, &server, &server.here, "hello");
	take(client.loop, count, last);
	dgram_endpoint_stats(client.endpoint, &stats);
	assert_int_equal(count[DGRAM_WAY_OUT], stats.sent);
	assert_int_equal(count[DGRAM_WAY_IN], stats.received[DGRAM_FATE_TAKEN]);
	assert_int_equal(count[DGRAM_WAY_ERROR], 0);
	for (int way = DGRAM_WAY_OUT; way <= DGRAM_WAY_IN; way++) {
		assert_true(dgram_addr_equal(&last[way].peer, &server.here));
		assert_in_range(last[way].at, start, dgram_clock());
		assert_int_equal(dgram_look(&look, last[way].data, last[way].len), 0);
		assert_string_equal(look.name, "DATA");
		assert_int_equal(last[way].left_out, 0);
	}
	assert_int_equal(last[DGRAM_WAY_IN].fate, DGRAM_FATE_TAKEN);
	dgram_loop_tap(client.loop, NULL, 0);
	ask(&client, &server, &server.here, "unseen");
	assert_int_equal(dgram_loop_next_passed(client.loop, &last[0]), 0);
	party_close(&client);
	party_close(&server);
}

static void what_the_system_says_is_noted(void **state)
{
	struct dgram_passed last[4];
	struct party client, gone;
	size_t count[4] = {0};

	(void)state;
	NEED_ERRORS();
	party_open(&gone, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	party_close(&gone);
	dgram_loop_tap(client.loop, tape, sizeof tape);
	submit(&client, DGRAM_REQUEST, &gone.here, "x", 1);
	parties_run(&client, &client, &client.done, 1);
	take(client.loop, count, last);
	assert_int_equal(count[DGRAM_WAY_ERROR], 1);
	assert_int_equal(last[DGRAM_WAY_ERROR].error, DGRAM_ERR_REFUSED);
	assert_true(dgram_addr_equal(&last[DGRAM_WAY_ERROR].peer, &gone.here));
	party_close(&client);
}

static void what_has_no_room_is_counted(void **state)
{
	struct dgram_passed last[4], p;
	struct party client, server;
	size_t count[4] = {0}, all;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	dgram_loop_tap(client.loop, tape, 600); /* an INIT, and little more */
	ask(&client, &server, &server.here, "hello");
	take(client.loop, count, last);
	all = count[DGRAM_WAY_OUT] + count[DGRAM_WAY_IN];
	assert_in_range(all, 1, 2);
	ask(&client, &server, &server.here, "again");
	assert_int_equal(dgram_loop_next_passed(client.loop, &p), 1);
	assert_in_range(p.left_out, 1, 20);
	party_close(&client);
	party_close(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_that_passes_is_noted),
	        cmocka_unit_test(what_the_system_says_is_noted),
	        cmocka_unit_test(what_has_no_room_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
