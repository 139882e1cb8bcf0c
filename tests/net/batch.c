#include "net.h"

#define MANY 200

struct ends {
	struct dgram_socket server, client;
	struct dgram_addr to;
};

static const struct {
	const char *listen;
	enum dgram_family family;
} kinds[] = {
        {"127.0.0.1:0", DGRAM_IPV4},
        {"[::1]:0", DGRAM_IPV6},
        {"127.0.0.1:0", DGRAM_IPV6},
        {NULL, DGRAM_UNIX},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static bool open_ends(struct ends *e, size_t kind, const struct dgram_socket_options *opt)
{
	if (kinds[kind].family == DGRAM_IPV6 && !have_ipv6())
		return false;
	if (kinds[kind].listen != NULL)
		open_bound(&e->server, kinds[kind].listen, opt);
	else
		open_unbound(&e->server, DGRAM_UNIX);
	open_unbound(&e->client, kinds[kind].family);
	e->to = name_of(&e->server);
	return true;
}

static void close_ends(struct ends *e)
{
	dgram_socket_close(&e->server);
	dgram_socket_close(&e->client);
}

/* Sends datagrams of 0 to 6 bytes, numbered by their first byte where they have one. */
static void fill(struct dgram_datagram *v, uint8_t bufs[][8], size_t n, const struct dgram_addr *to)
{
	for (size_t i = 0; i < n; i++) {
		memset(bufs[i], (int)i, sizeof bufs[i]);
		v[i] = (struct dgram_datagram){.peer = *to, .data = bufs[i], .len = i % 7};
	}
}

static void a_batch_arrives_whole_and_in_order(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct dgram_datagram out[8], in[8];
		uint8_t out_bufs[8][8], in_bufs[8][8];
		struct ends e;
		int got = 0;

		if (!open_ends(&e, kind, NULL))
			continue;
		fill(out, out_bufs, 8, &e.to);
		fill(in, in_bufs, 8, &e.to);
		for (size_t i = 0; i < 8; i++)
			in[i].size = sizeof in_bufs[i];
		assert_int_equal(dgram_socket_send_batch(&e.client, out, 8), 8);
		while (got < 8) {
			int n = dgram_socket_recv_batch(&e.server, in + got, (size_t)(8 - got));

			assert_true(n > 0);
			got += n;
		}
		for (size_t i = 0; i < 8; i++) {
			assert_int_equal(in[i].len, i % 7);
			assert_memory_equal(in[i].data, out[i].data, in[i].len);
			assert_int_equal(in[i].segment, 0);
		}
		assert_int_equal(e.client.stats.sent, 8);
		assert_int_equal(e.server.stats.received, 8);
		close_ends(&e);
	}
}

static void a_batch_waits_for_its_first_datagram_only(void **state)
{
	static const uint64_t timeouts[] = {DGRAM_NEVER, PATIENCE, 0};
	struct dgram_datagram v[4];
	uint8_t bufs[4][8];
	struct ends e;

	(void)state;
	open_ends(&e, 0, NULL);
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		send_text(&e.client, "one", &e.to);
		dgram_socket_settimeout(&e.server, timeouts[i]);
		fill(v, bufs, 4, &e.to);
		for (size_t k = 0; k < 4; k++)
			v[k].size = sizeof bufs[k];
		assert_int_equal(dgram_socket_recv_batch(&e.server, v, 4), 1);
	}
	assert_int_equal(dgram_socket_recv_batch(&e.server, v, 4), DGRAM_ERR_AGAIN);
	assert_int_equal(dgram_socket_recv_batch(&e.server, v, 0), DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_socket_send_batch(&e.client, v, 0), DGRAM_ERR_ARGUMENT);
	close_ends(&e);
}

static void one_call_moves_no_more_than_the_limit(void **state)
{
	static struct dgram_datagram v[MANY];
	static uint8_t bufs[MANY][8];
	struct ends e;

	(void)state;
	open_ends(&e, 0, NULL);
	fill(v, bufs, MANY, &e.to);
	for (size_t i = 0; i < MANY; i++)
		v[i].size = sizeof bufs[i];
	assert_int_equal(dgram_socket_send_batch(&e.client, v, MANY), DGRAM_BATCH_MAX);
	assert_int_equal(dgram_socket_send_batch(&e.client, v, MANY), DGRAM_BATCH_MAX);
	assert_int_equal(dgram_socket_recv_batch(&e.server, v, MANY), DGRAM_BATCH_MAX);
	close_ends(&e);
}

static void a_batch_stops_before_what_cannot_be_sent(void **state)
{
	struct dgram_datagram v[3];
	uint8_t bufs[3][8];
	struct ends e;

	(void)state;
	open_ends(&e, 0, NULL);
	fill(v, bufs, 3, &e.to);
	v[1].peer.port = 0;
	assert_int_equal(dgram_socket_send_batch(&e.client, v, 3), 1);
	assert_int_equal(dgram_socket_send_batch(&e.client, v + 1, 2), DGRAM_ERR_PORT);
	assert_int_equal(dgram_socket_send_batch(&e.client, v + 2, 1), 1);
	expect_text(&e.server, "");
	assert_int_equal(dgram_socket_recvfrom(&e.server, bufs, sizeof bufs, NULL), 2);
	expect_nothing(&e.server);
	close_ends(&e);
}

static void a_refused_entry_fails_no_other_of_the_batch(void **state)
{
	struct dgram_datagram v[4];
	uint8_t bufs[4][8];
	size_t done = 0;
	struct ends e;

	(void)state;
	open_ends(&e, 0, NULL);
	fill(v, bufs, 4, &e.to);
	v[0].peer = v[2].peer = address(DEAD4);
	while (done < 4) {
		int n = dgram_socket_send_batch(&e.client, v + done, 4 - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_int_equal(dgram_socket_recvfrom(&e.server, bufs, sizeof bufs, NULL), 1);
	assert_int_equal(dgram_socket_recvfrom(&e.server, bufs, sizeof bufs, NULL), 3);
	close_ends(&e);
}

static uint8_t big[3 * 30000];

/* Reads datagrams until count came; each must be the next piece of big. */
static void expect_pieces(struct dgram_socket *s, size_t len, size_t segment, size_t count)
{
	static uint8_t buf[DGRAM_DATAGRAM_MAX];

	for (size_t i = 0; i < count; i++) {
		size_t want = len - i * segment < segment ? len - i * segment : segment;

		assert_int_equal(dgram_socket_recvfrom(s, buf, sizeof buf, NULL), (int)want);
		assert_memory_equal(buf, big + i * segment, want);
	}
	expect_nothing(s);
}

static void several_datagrams_in_one_buffer_arrive_as_several(void **state)
{
	static const struct {
		size_t len, segment, count;
	} row[] = {
	        {1050, 100, 11}, {1000, 100, 10}, {101, 100, 2}, {100, 100, 1},
	        {99, 100, 1},    {0, 100, 1},     {9, 1, 9},     {3 * 30000, 30000, 3},
	        {750, 10, 75}, /* more than one system call cuts */
	};

	(void)state;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	for (size_t i = 0; i < sizeof row / sizeof row[0] * KINDS; i++) {
		size_t kind = i % KINDS, r = i / KINDS;
		struct dgram_datagram d = {
		        .data = big, .len = row[r].len, .segment = row[r].segment};
		struct ends e;

		/* The queue of a UNIX socket may be as short as 10. */
		if (kinds[kind].family == DGRAM_UNIX && row[r].count > 9)
			continue;
		if (!open_ends(&e, kind, NULL))
			continue;
		d.peer = e.to;
		assert_int_equal(dgram_socket_send_batch(&e.client, &d, 1), 1);
		assert_int_equal(e.client.stats.sent, row[r].count);
		expect_pieces(&e.server, row[r].len, row[r].segment, row[r].count);
		assert_int_equal(e.server.stats.received, row[r].count);
		close_ends(&e);
	}
}

static void single_and_several_mix_in_one_batch(void **state)
{
	static const int want[] = {10, 10, 10, 5, 7};
	struct dgram_datagram v[3];
	uint8_t buf[16];
	struct ends e;

	(void)state;
	open_ends(&e, 0, NULL);
	v[0] = (struct dgram_datagram){.peer = e.to, .data = big, .len = 10};
	v[1] = (struct dgram_datagram){.peer = e.to, .data = big + 10, .len = 25, .segment = 10};
	v[2] = (struct dgram_datagram){.peer = e.to, .data = big + 40, .len = 7};
	assert_int_equal(dgram_socket_send_batch(&e.client, v, 3), 3);
	assert_int_equal(e.client.stats.sent, 5);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_int_equal(dgram_socket_recvfrom(&e.server, buf, sizeof buf, NULL), want[i]);
	expect_nothing(&e.server);
	close_ends(&e);
}

/* With coalescing the kernel may join what belongs together, or not: what counts is the sum of the
 * pieces. */
static void coalesced_datagrams_keep_their_borders(void **state)
{
	const struct dgram_socket_options opt = {.coalesce = true};
	struct dgram_datagram out = {.data = big, .len = 1050, .segment = 100};
	static uint8_t bufs[4][DGRAM_DATAGRAM_MAX];
	size_t count = 0, bytes = 0;
	struct ends e;

	(void)state;
	open_ends(&e, 0, &opt);
	out.peer = e.to;
	assert_int_equal(dgram_socket_send_batch(&e.client, &out, 1), 1);
	while (bytes < 1050) {
		struct dgram_datagram in[4];
		int n;

		for (size_t i = 0; i < 4; i++)
			in[i] = (struct dgram_datagram){.data = bufs[i], .size = sizeof bufs[i]};
		n = dgram_socket_recv_batch(&e.server, in, 4);
		assert_true(n > 0);
		for (int i = 0; i < n; i++) {
			size_t segment = in[i].segment > 0 ? in[i].segment : in[i].len;

			assert_int_equal(in[i].status, 0);
			assert_memory_equal(in[i].data, big + bytes, in[i].len);
			count += (in[i].len + segment - 1) / segment;
			bytes += in[i].len;
		}
	}
	assert_int_equal(bytes, 1050);
	assert_int_equal(count, 11);
	assert_int_equal(e.server.stats.received, 11);
	close_ends(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_batch_arrives_whole_and_in_order),
	        cmocka_unit_test(a_batch_waits_for_its_first_datagram_only),
	        cmocka_unit_test(one_call_moves_no_more_than_the_limit),
	        cmocka_unit_test(a_batch_stops_before_what_cannot_be_sent),
	        cmocka_unit_test(a_refused_entry_fails_no_other_of_the_batch),
	        cmocka_unit_test(several_datagrams_in_one_buffer_arrive_as_several),
	        cmocka_unit_test(single_and_several_mix_in_one_batch),
	        cmocka_unit_test(coalesced_datagrams_keep_their_borders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
