#include "endpoint/pair.h"

#include <stdlib.h>

static void open_end(struct pair_end *end, const struct dgram_endpoint_config *config,
                     const char *addr)
{
	end->ep = dgram_endpoint_new(config, NULL);
	end->way = calloc(PAIR_ON_THE_WAY, sizeof *end->way);
	end->addr = bench_addr(addr);
	end->right = true;
	assert_non_null(end->ep);
	assert_non_null(end->way);
}

void pair_open(struct pair *p, const struct dgram_endpoint_config *configs, uint8_t seed)
{
	memset(p, 0, sizeof *p);
	p->now = BENCH_START;
	p->delay = 10 * DGRAM_US;
	dg_random_init(&p->random, seed);
	for (int i = 0; i < 2; i++) {
		struct dgram_endpoint_config config = configs ? configs[i] : bench_config();

		config.seed[30] = seed;
		config.seed[31] = (uint8_t)(i + 1);
		open_end(&p->ends[i], &config, i == 0 ? "10.0.0.1:1000" : "10.0.0.2:1000");
	}
}

void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		struct dgram_endpoint_stats stats;
		uint64_t sum = 0;

		dgram_endpoint_stats(p->ends[i].ep, &stats);
		for (int fate = 0; fate < DGRAM_FATE_COUNT; fate++)
			sum += stats.received[fate];
		assert_int_equal(sum, p->ends[i].given);
		assert_int_equal(stats.sent, p->ends[i].sent);
		assert_int_equal(stats.bytes_sent, p->ends[i].sent_bytes);
		dgram_endpoint_free(p->ends[i].ep);
		free(p->ends[i].way);
	}
}

static void put_on_way(struct pair *p, int from, const struct dgram_datagram *d)
{
	struct pair_end *to = &p->ends[!from];
	struct packet *packet = &to->way[(to->first + to->count) % PAIR_ON_THE_WAY];

	assert_true(dgram_addr_equal(&d->peer, &to->addr));
	assert_true(to->count < PAIR_ON_THE_WAY);
	packet->at = p->now + p->delay;
	packet->to = d->peer;
	packet->len = d->len;
	memcpy(packet->data, d->data, d->len);
	if (dg_random_below(&p->random, 1000) < p->loss)
		return;
	if (p->drops && p->drops(p, from, packet))
		p->dropped++;
	else
		to->count++;
}

static void transmit(struct pair *p, int side)
{
	struct pair_end *end = &p->ends[side];
	uint8_t data[BENCH_DATAGRAM];
	struct dgram_datagram d = {.data = data, .size = sizeof data};

	while (dgram_endpoint_transmit(end->ep, &d, p->now)) {
		end->sent++;
		end->sent_bytes += d.len;
		end->last_sent = p->now;
		for (size_t i = 0; i < d.len; i++)
			end->sum = end->sum * 31 + data[i];
		put_on_way(p, side, &d);
		d = (struct dgram_datagram){.data = data, .size = sizeof data};
	}
	assert_true(dgram_endpoint_deadline(end->ep) > p->now);
}

static void handle(struct pair *p, struct pair_end *end, const struct dgram_event *event)
{
	end->last = *event;
	end->bytes += event->len;
	end->right = end->right && memcmp(event->data, bench_bytes(), event->len) == 0;
	switch ((enum dgram_event_type)event->type) {
	case DGRAM_EVENT_MESSAGE:
		end->messages++;
		break;
	case DGRAM_EVENT_REQUEST:
		end->requests++;
		if (p->asked)
			p->asked(p, (int)(end - p->ends), event);
		else if (p->handling == 0)
			assert_int_equal(dgram_endpoint_reply(end->ep, event->id, 0, bench_bytes(),
			                                      p->reply_len, p->now),
			                 0);
		break;
	case DGRAM_EVENT_STOP:
		end->stops++;
		break;
	case DGRAM_EVENT_DONE:
		end->done++;
		end->answered += event->outcome == DGRAM_ANSWERED;
		end->refused += event->outcome == DGRAM_REFUSED;
		end->unknown += event->outcome == DGRAM_UNKNOWN;
		break;
	}
}

static void take_events(struct pair *p, struct pair_end *end)
{
	struct dgram_event event;

	while (dgram_endpoint_next_event(end->ep, &event, p->now))
		handle(p, end, &event);
}

static void turn(struct pair *p, int side)
{
	struct pair_end *end = &p->ends[side];

	while (end->count > 0 && end->way[end->first].at <= p->now) {
		struct packet *packet = &end->way[end->first];
		struct dgram_datagram d = {.peer = p->ends[!side].addr,
		                           .data = packet->data,
		                           .len = packet->len,
		                           .size = packet->len};

		end->first = (end->first + 1) % PAIR_ON_THE_WAY;
		end->count--;
		end->given++;
		dgram_endpoint_receive(end->ep, &d, p->now);
		take_events(p, end);
	}
	transmit(p, side);
	take_events(p, end);
}

/* When the next thing happens. */
static uint64_t next_time(const struct pair *p)
{
	uint64_t next = DGRAM_NEVER;

	for (int i = 0; i < 2; i++) {
		const struct pair_end *end = &p->ends[i];
		uint64_t due = dgram_endpoint_deadline(end->ep);

		if (end->count > 0 && end->way[end->first].at < due)
			due = end->way[end->first].at;
		next = due < next ? due : next;
	}
	return next;
}

static void step(struct pair *p, uint64_t end)
{
	uint64_t next = next_time(p);

	p->now = next > end ? end : next > p->now ? next : p->now;
	turn(p, 0);
	turn(p, 1);
}

void pair_run(struct pair *p, uint64_t ns)
{
	uint64_t end = p->now + ns;

	do
		step(p, end);
	while (p->now < end);
}

void pair_run_until_done(struct pair *p, int end, uint64_t done, uint64_t ns)
{
	uint64_t until = p->now + ns;

	while (p->ends[end].done < done) {
		assert_true(p->now < until);
		step(p, until);
	}
}

uint64_t pair_submit(struct pair *p, int from, enum dgram_kind kind, size_t len)
{
	struct dgram_message message = bench_message(kind, &p->ends[!from].addr, "");
	uint64_t id = 0;

	message.data = bench_bytes();
	message.len = len;
	assert_int_equal(dgram_endpoint_submit(p->ends[from].ep, &message, p->now, &id), 0);
	return id;
}
