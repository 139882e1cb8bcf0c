/* A child after fork() has its parent's loop before it, and must not touch it. */
#include "party.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct party client, server;

/* In the child: 0 when all is as it should be. */
static int misbehave(void)
{
	struct dgram_event event;

	if (dgram_loop_timeout(client.loop) !=
	    0) /* or a loop of one's own would sleep and never know */
		return 1;
	request(&client, &server.here, "from the child");
	for (int i = 0; i < 2; i++)
		if (dgram_loop_wait(client.loop, &event, 0) != DGRAM_ERR_CLOSED || event.type != 0)
			return 2;
	dgram_loop_close(client.loop);
	if (dgram_loop_wait(client.loop, &event, DGRAM_NEVER) != DGRAM_ERR_CLOSED)
		return 3;
	dgram_loop_free(client.loop);
	return 0;
}

static void a_child_does_not_go_on_with_its_parents_sessions(void **state)
{
	struct dgram_endpoint_stats before;
	int status;
	pid_t child;

	(void)state;
	party_open(&server, "127.0.0.1:0", NULL);
	party_open(&client, "127.0.0.1:0", NULL);
	ask(&client, &server, &server.here, "before");
	party_turn(&server);
	before = stats_of(&server);
	child = fork();
	if (child == 0)
		_exit(misbehave());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	party_turn(&server);
	assert_int_equal(received_by(&server), before.received[DGRAM_FATE_TAKEN]);
	ask(&client, &server, &server.here, "after");
	assert_int_equal(server.requests, 2);
	assert_int_equal(stats_of(&client).opened, 1);
	assert_int_equal(stats_of(&server).ended, 0);
	party_close(&client);
	party_close(&server);
}

/* What the child of a child sees is no different. */
static void a_loop_made_in_a_child_works_there(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		party_open(&server, "127.0.0.1:0", NULL);
		party_open(&client, "127.0.0.1:0", NULL);
		ask(&client, &server, &server.here, "in the child");
		child = fork();
		if (child == 0)
			_exit(misbehave());
		_exit(child < 0 || waitpid(child, &status, 0) != child || status != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_child_does_not_go_on_with_its_parents_sessions),
	        cmocka_unit_test(a_loop_made_in_a_child_works_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
