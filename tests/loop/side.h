/* side.h - a party on connections, and a middleman between two: it forwards bytes until it was told to stop. */
#ifndef DGRAM_TEST_SIDE_H
#define DGRAM_TEST_SIDE_H

#include "party.h"

#include <dgram/stream.h>

struct side {
	struct party party;
	struct dgram_stream listener;
};

/* local NULL: nobody can connect to it. */
static inline void side_open(struct side *s, const char *local, const struct dgram_endpoint_config *config)
{
	struct dgram_addr addr;

	*s = (struct side){.listener = {.fd = -1, .spare = -1}};
	if (local != NULL) {
		addr = address(local);
		assert_int_equal(dgram_stream_listen(&s->listener, &addr, NULL), 0);
		assert_int_equal(dgram_stream_getsockname(&s->listener, &s->party.here), 0);
	}
	s->party.loop = dgram_loop_new_connected(local != NULL ? &s->listener : NULL, NULL, config);
	assert_non_null(s->party.loop);
	s->party.endpoint = dgram_loop_endpoint(s->party.loop);
}

static inline void side_close(struct side *s)
{
	dgram_loop_close(s->party.loop);
	dgram_loop_free(s->party.loop);
	dgram_stream_close(&s->listener);
}

static inline struct dgram_connection_stats connections_of(const struct side *s)
{
	struct dgram_connection_stats stats;

	dgram_loop_connections(s->party.loop, &stats);
	return stats;
}

/* One way through a middleman. */
struct way {
	struct dgram_stream *from, *to;
	uint64_t passed, limit; /* bytes */
	uint64_t damaged;       /* the place of a byte that arrives as another one */
};

struct middleman {
	struct dgram_stream listener, ends[2]; /* of who connects, and of whom it is for */
	struct dgram_addr here, target;
	struct way ways[2]; /* there, and back */
	bool up, cut;
};

static inline void middleman_open(struct middleman *m, const struct dgram_addr *target)
{
	const struct dgram_addr any = address("127.0.0.1:0");

	*m = (struct middleman){.target = *target};
	m->ways[0] = (struct way){.from = &m->ends[0], .to = &m->ends[1], .limit = UINT64_MAX, .damaged = UINT64_MAX};
	m->ways[1] = (struct way){.from = &m->ends[1], .to = &m->ends[0], .limit = UINT64_MAX, .damaged = UINT64_MAX};
	assert_int_equal(dgram_stream_listen(&m->listener, &any, NULL), 0);
	assert_int_equal(dgram_stream_getsockname(&m->listener, &m->here), 0);
	dgram_stream_settimeout(&m->listener, 0);
}

static inline void middleman_cut(struct middleman *m)
{
	if (m->up) {
		dgram_stream_close(&m->ends[0]);
		dgram_stream_close(&m->ends[1]);
	}
	m->up = false;
	m->cut = true;
	dgram_stream_close(&m->listener); /* who comes again is refused */
}

/* Both connections end when one side has, or when a limit is reached. */
static inline bool way_turn(struct way *w)
{
	uint8_t bytes[4096];
	uint64_t left = w->limit - w->passed;
	size_t size = left < sizeof bytes ? (size_t)left : sizeof bytes;
	int n = size > 0 ? dgram_stream_recv(w->from, bytes, size) : DGRAM_ERR_CLOSED;

	if (n == DGRAM_ERR_AGAIN)
		return true;
	if (n <= 0)
		return false;
	if (w->damaged >= w->passed && w->damaged - w->passed < (uint64_t)n)
		bytes[w->damaged - w->passed] ^= 0x80;
	if (dgram_stream_sendall(w->to, bytes, (size_t)n) < 0)
		return false;
	w->passed += (uint64_t)n;
	return w->passed < w->limit;
}

static inline void middleman_turn(struct middleman *m)
{
	if (!m->up && !m->cut && dgram_stream_accept(&m->listener, &m->ends[0], NULL) == 0) {
		assert_int_equal(dgram_stream_connect(&m->ends[1], &m->target, NULL), 0);
		dgram_stream_settimeout(&m->ends[1], 0);
		m->up = true;
	}
	for (int i = 0; i < 2 && m->up; i++)
		if (!way_turn(&m->ways[i]))
			middleman_cut(m);
}

static inline void sides_sleep(const struct side *a, const struct side *b, const struct middleman *m)
{
	struct pollfd fds[] = {
	        {.fd = dgram_loop_fd(a->party.loop), .events = POLLIN},
	        {.fd = dgram_loop_fd(b->party.loop), .events = POLLIN},
	        {.fd = m != NULL ? m->listener.fd : -1, .events = POLLIN},
	        {.fd = m != NULL && m->up ? m->ends[0].fd : -1, .events = POLLIN},
	        {.fd = m != NULL && m->up ? m->ends[1].fd : -1, .events = POLLIN},
	};

	assert_true(poll(fds, 5, 2) >= 0); /* ms: the middleman, and who watches counts, have no deadline */
}

/* Until *counter is count. m may be NULL. */
static inline void sides_run(struct side *a, struct side *b, struct middleman *m, const uint32_t *counter,
                             uint32_t count)
{
	uint64_t end = dgram_clock() + PATIENCE;

	for (;;) {
		party_turn(&a->party);
		if (m != NULL)
			middleman_turn(m);
		party_turn(&b->party);
		if (*counter >= count)
			break;
		assert_true(dgram_clock() < end);
		sides_sleep(a, b, m);
	}
	assert_int_equal(*counter, count);
}

#endif
