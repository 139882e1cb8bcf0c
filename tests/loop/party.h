/* party.h - loops on sockets of this machine, in one thread: all have their turn, then all sleep in one poll()
 * until there is something to do for one of them. */
#ifndef DGRAM_TEST_PARTY_H
#define DGRAM_TEST_PARTY_H

#include "net/net.h"

#include <poll.h>

struct party {
	struct dgram_socket socket;
	struct dgram_loop *loop;
	struct dgram_endpoint *endpoint;
	struct dgram_addr here;
	void (*answer)(struct party *p, const struct dgram_event *request); /* NULL: with what it said */
	const uint64_t *answer_when_done; /* a request that is answered with why ours has ended */
	bool patterned;                /* messages and replies are pattern(), however long */
	uint32_t requests, messages, done; /* events of each kind */
	struct dgram_event last;       /* name and data are not kept, but for this: */
	char text[256];
};

static inline void pattern(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

static inline bool is_pattern(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != (uint8_t)(i ^ i >> 8 ^ i >> 16))
			return false;
	return true;
}

static inline void party_open(struct party *p, const char *local,
                              const struct dgram_endpoint_config *config)
{
	*p = (struct party){.loop = NULL};
	open_bound(&p->socket, local, NULL);
	p->here = name_of(&p->socket);
	p->loop = dgram_loop_new(&p->socket, config);
	assert_non_null(p->loop);
	p->endpoint = dgram_loop_endpoint(p->loop);
}

static inline void party_close(struct party *p)
{
	dgram_loop_close(p->loop);
	dgram_loop_free(p->loop);
	dgram_socket_close(&p->socket);
}

static inline void reply(struct party *p, uint64_t id, const void *data, size_t len)
{
	assert_int_equal(dgram_endpoint_reply(p->endpoint, id, 0, data, len, dgram_clock()), 0);
}

static inline void party_note(struct party *p, const struct dgram_event *event)
{
	size_t kept = event->len < sizeof p->text - 1 ? event->len : sizeof p->text - 1;

	p->last = *event;
	memcpy(p->text, event->data, kept);
	p->text[kept] = '\0';
	if (p->patterned && event->len > 0)
		assert_true(is_pattern(event->data, event->len));
	p->requests += event->type == DGRAM_EVENT_REQUEST;
	p->messages += event->type == DGRAM_EVENT_MESSAGE;
	p->done += event->type == DGRAM_EVENT_DONE;
	if (event->type == DGRAM_EVENT_DONE && p->answer_when_done != NULL)
		reply(p, *p->answer_when_done, event->reason == DGRAM_REASON_NO_SUCH_NAME ? "no such name" : "?",
		      event->reason == DGRAM_REASON_NO_SUCH_NAME ? 12 : 1);
	if (event->type == DGRAM_EVENT_REQUEST && p->answer == NULL)
		reply(p, event->id, event->data, event->len);
	else if (event->type == DGRAM_EVENT_REQUEST)
		p->answer(p, event);
}

/* Everything that can be done now. */
static inline void party_turn(struct party *p)
{
	struct dgram_event event;
	int n;

	while ((n = dgram_loop_wait(p->loop, &event, 0)) == 1)
		party_note(p, &event);
	assert_int_equal(n, 0);
}

/* How long its loop may sleep, as poll() counts; a second at most. */
static inline int party_nap(const struct party *p)
{
	uint64_t ns = dgram_loop_timeout(p->loop);

	return ns > DGRAM_S ? 1000 : (int)((ns + DGRAM_MS - 1) / DGRAM_MS);
}

static inline void parties_sleep(struct party *a, struct party *b)
{
	struct pollfd fds[] = {
	        {.fd = dgram_loop_fd(a->loop), .events = POLLIN},
	        {.fd = dgram_loop_fd(b->loop), .events = POLLIN},
	};
	int first = party_nap(a), second = party_nap(b);

	assert_true(poll(fds, 2, first < second ? first : second) >= 0);
}

/* Until *counter is count; a and b may be the same one. */
static inline void parties_run(struct party *a, struct party *b, const uint32_t *counter, uint32_t count)
{
	uint64_t end = dgram_clock() + PATIENCE;

	for (;;) {
		party_turn(a);
		party_turn(b);
		if (*counter >= count)
			break;
		assert_true(dgram_clock() < end);
		parties_sleep(a, b);
	}
	assert_int_equal(*counter, count);
}

static inline uint64_t submit(struct party *p, enum dgram_kind kind, const struct dgram_addr *to,
                              const void *data, size_t len)
{
	const struct dgram_message m = {
	        .kind = (uint8_t)kind,
	        .to = *to,
	        .data = data,
	        .len = len,
	        .deadline = dgram_clock() + PATIENCE,
	};
	uint64_t id = 0;

	assert_int_equal(dgram_endpoint_submit(p->endpoint, &m, dgram_clock(), &id), 0);
	return id;
}

static inline uint64_t request(struct party *p, const struct dgram_addr *to, const char *text)
{
	return submit(p, DGRAM_REQUEST, to, text, strlen(text));
}

/* A whole request from a to b. */
static inline void ask(struct party *a, struct party *b, const struct dgram_addr *to, const char *text)
{
	request(a, to, text);
	parties_run(a, b, &a->done, a->done + 1);
	assert_int_equal(a->last.outcome, DGRAM_ANSWERED);
	assert_int_equal(a->last.status, 0);
	assert_string_equal(a->text, text);
}

static inline struct dgram_endpoint_stats stats_of(const struct party *p)
{
	struct dgram_endpoint_stats stats;

	dgram_endpoint_stats(p->endpoint, &stats);
	return stats;
}

static inline uint64_t received_by(const struct party *p)
{
	struct dgram_endpoint_stats stats = stats_of(p);
	uint64_t sum = 0;

	for (size_t i = 0; i < DGRAM_FATE_COUNT; i++)
		sum += stats.received[i];
	return sum;
}

#endif
