#include "endpoint/bench.h"

#include <stdlib.h>

const uint8_t *bench_bytes(void)
{
	static uint8_t bytes[BENCH_BYTES];

	if (bytes[1] == 0)
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)(i * 31 ^ i >> 6 ^ i >> 13);
	return bytes;
}

struct dgram_endpoint_config bench_config(void)
{
	struct dgram_endpoint_config config = {.boot = 0};

	for (size_t i = 0; i < sizeof config.seed; i++)
		config.seed[i] = (uint8_t)(i * 7 + 1);
	return config;
}

struct dgram_addr bench_addr(const char *text)
{
	struct dgram_addr addr;

	assert_int_equal(dgram_addr_parse(&addr, text), 0);
	return addr;
}

void bench_open(struct bench *b, const struct dgram_endpoint_config *config)
{
	struct dgram_endpoint_config usual = bench_config();

	memset(b, 0, sizeof *b);
	b->now = BENCH_START;
	b->ep = dgram_endpoint_new(config ? config : &usual, NULL);
	b->sent = calloc(BENCH_SENT, sizeof *b->sent);
	assert_non_null(b->ep);
	assert_non_null(b->sent);
}

struct dgram_endpoint_stats bench_stats(const struct bench *b)
{
	struct dgram_endpoint_stats stats;

	dgram_endpoint_stats(b->ep, &stats);
	return stats;
}

uint64_t bench_fate_count(const struct bench *b, enum dgram_fate fate)
{
	return bench_stats(b).received[fate];
}

void bench_close(struct bench *b)
{
	struct dgram_endpoint_stats stats = bench_stats(b);
	uint64_t sum = 0;

	for (int fate = 0; fate < DGRAM_FATE_COUNT; fate++)
		sum += stats.received[fate];
	assert_int_equal(sum, b->given);
	assert_int_equal(stats.sent, b->taken_all);
	dgram_endpoint_free(b->ep);
	free(b->sent);
}

static void keep(struct bench *b, const struct dgram_datagram *d)
{
	struct packet *p = &b->sent[(b->first + b->count) % BENCH_SENT];

	assert_true(b->count < BENCH_SENT);
	p->at = b->now;
	p->to = d->peer;
	p->len = d->len;
	memcpy(p->data, d->data, d->len);
	b->count++;
}

void bench_turn(struct bench *b)
{
	uint8_t data[BENCH_DATAGRAM];
	struct dgram_datagram d = {.data = data, .size = sizeof data};
	uint64_t more = 0;

	while (dgram_endpoint_transmit(b->ep, &d, b->now)) {
		assert_true(d.len > 0 && d.len <= sizeof data && d.data == data);
		assert_true(more++ < 100000);
		b->taken_all++;
		if (b->mtu == 0 || d.len <= b->mtu)
			keep(b, &d);
		else if (!b->mtu_is_dark)
			dgram_endpoint_told(b->ep, &d.peer, DGRAM_ERR_SIZE, 0, b->now);
		d = (struct dgram_datagram){.data = data, .size = sizeof data};
	}
	assert_true(dgram_endpoint_deadline(b->ep) > b->now);
}

/* Whoever calls early gets nothing; so nothing can be due before the deadline. */
static void call_early(struct bench *b, uint64_t at)
{
	uint8_t data[BENCH_DATAGRAM];
	struct dgram_datagram d = {.data = data, .size = sizeof data};

	assert_int_equal(dgram_endpoint_transmit(b->ep, &d, at), 0);
}

/* To the next deadline, or to end. */
static void step(struct bench *b, uint64_t end)
{
	uint64_t due = dgram_endpoint_deadline(b->ep);

	if (due > end)
		due = end;
	if (due > b->now + 1)
		call_early(b, due - 1);
	if (due > b->now)
		b->now = due;
	bench_turn(b);
}

void bench_wait(struct bench *b, uint64_t ns)
{
	uint64_t end = b->now + ns;

	bench_turn(b);
	while (b->now < end)
		step(b, end);
}

static struct packet *at(const struct bench *b, size_t place)
{
	return &b->sent[(b->first + place) % BENCH_SENT];
}

/* The place of the first one to this address; b->count: there is none. */
static size_t find(const struct bench *b, const struct dgram_addr *to)
{
	size_t place = 0;

	while (place < b->count && to && !dgram_addr_equal(&at(b, place)->to, to))
		place++;
	return place;
}

bool bench_wait_sent(struct bench *b, const struct dgram_addr *to, uint64_t ns)
{
	uint64_t end = b->now + ns;

	bench_turn(b);
	while (b->now < end && find(b, to) == b->count)
		step(b, end);
	return find(b, to) < b->count;
}

enum dgram_fate bench_give(struct bench *b, const struct dgram_addr *from, const void *data,
                           size_t len)
{
	struct dgram_datagram d = {.peer = *from, .len = len, .size = len};
	enum dgram_fate fate;

	d.data = malloc(len + (len == 0)); /* a block of just its length, for a sanitizer */
	assert_non_null(d.data);
	memcpy(d.data, data, len);
	b->given++;
	fate = dgram_endpoint_receive(b->ep, &d, b->now);
	assert_true(fate < DGRAM_FATE_COUNT);
	free(d.data);
	return fate;
}

bool bench_take(struct bench *b, const struct dgram_addr *to, struct packet *out)
{
	size_t place = find(b, to);

	if (place == b->count)
		return false;
	*out = *at(b, place);
	for (; place > 0; place--) /* those before it move up */
		*at(b, place) = *at(b, place - 1);
	b->first = (b->first + 1) % BENCH_SENT;
	b->count--;
	return true;
}

void bench_drop(struct bench *b)
{
	b->count = 0;
}

void bench_expect_silence(struct bench *b, uint64_t ns)
{
	bench_wait(b, ns);
	assert_int_equal(b->count, 0);
}

struct dgram_event bench_event(struct bench *b, enum dgram_event_type type)
{
	struct dgram_event event;

	assert_int_equal(dgram_endpoint_next_event(b->ep, &event, b->now), 1);
	assert_int_equal(event.type, type);
	assert_non_null(event.data);
	return event;
}

void bench_no_event(struct bench *b)
{
	struct dgram_event event;

	assert_int_equal(dgram_endpoint_next_event(b->ep, &event, b->now), 0);
}

struct dgram_event bench_done(struct bench *b, uint64_t ns)
{
	uint64_t end = b->now + ns;
	struct dgram_event event;

	bench_turn(b);
	while (!dgram_endpoint_next_event(b->ep, &event, b->now)) {
		assert_true(b->now < end);
		step(b, end);
	}
	assert_int_equal(event.type, DGRAM_EVENT_DONE);
	return event;
}

struct dgram_message bench_message(enum dgram_kind kind, const struct dgram_addr *to,
                                   const char *text)
{
	return (struct dgram_message){
	        .kind = (uint8_t)kind,
	        .to = *to,
	        .data = text,
	        .len = strlen(text),
	        .deadline = DGRAM_NEVER,
	};
}

uint64_t bench_submit(struct bench *b, const struct dgram_message *message)
{
	uint64_t id = 0;

	assert_int_equal(dgram_endpoint_submit(b->ep, message, b->now, &id), 0);
	if (message->kind != DGRAM_POST)
		assert_int_not_equal(id, 0);
	return id;
}
