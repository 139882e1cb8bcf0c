/* How long an exchange of the message protocol takes, in a network that only loses: 10 ms one way, 64 bytes each way, the
 * LAN profile, a handler that answers at once; over a session that has to be opened first, and over one that lives
 * (after eight exchanges under the same loss). And how many datagrams a steady exchange costs. */
#include "message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RUNS     10000
#define ONE_WAY  (10 * DGRAM_MS)
#define DEADLINE (60 * DGRAM_S)
#define LENGTH   64
#define WARM     8
#define STEADY   100 /* exchanges that are counted */

/* An endpoint that asks, or one that answers. */
struct end {
	struct dgram_endpoint *ep;
	unsigned to; /* node */
	bool asks, over;
	unsigned left;        /* requests that are still to be asked */
	uint64_t began, took; /* of the last one; took: 0 while it is not answered */
	bool failed;
	uint64_t sent;
	uint8_t buffer[1500];
};

static const struct dgram_addr addrs[2] = {
        {.family = DGRAM_IPV4, .port = PORT, .u.ip4 = {10, 0, 0, 1}},
        {.family = DGRAM_IPV4, .port = PORT, .u.ip4 = {10, 0, 0, 2}},
};

static void ask(struct end *e, uint64_t now)
{
	static const uint8_t bytes[LENGTH];
	const struct dgram_message m = {.kind = DGRAM_REQUEST,
	                                .to = addrs[e->to],
	                                .data = bytes,
	                                .len = LENGTH,
	                                .deadline = now + DEADLINE};

	e->left--;
	e->began = now;
	e->took = 0;
	if (dgram_endpoint_submit(e->ep, &m, now, NULL) < 0)
		abort();
}

static void take(struct end *e, uint64_t now)
{
	struct dgram_event event;
	uint8_t answer[LENGTH] = {0};

	while (dgram_endpoint_next_event(e->ep, &event, now)) {
		if (event.type == DGRAM_EVENT_REQUEST) {
			dgram_endpoint_reply(e->ep, event.id, 0, answer, sizeof answer, now);
		} else if (event.type == DGRAM_EVENT_DONE) {
			e->failed |= event.outcome != DGRAM_ANSWERED;
			e->took = now - e->began;
			e->over = e->left == 0 || e->failed;
			if (!e->over)
				ask(e, now);
		}
	}
}

static void end_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct end *e = self;
	struct dgram_datagram d = {
	        .peer = addrs[e->to], .len = in->len, .size = in->len, .data = e->buffer};

	memcpy(e->buffer, in->data, in->len);
	dgram_endpoint_receive(e->ep, &d, now);
	take(e, now);
}

static bool end_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct end *e = self;
	struct dgram_datagram d = {.data = e->buffer, .size = sizeof e->buffer};

	if (e->over)
		return false;
	if (!dgram_endpoint_transmit(e->ep, &d, now)) {
		take(e, now);
		if (e->over || !dgram_endpoint_transmit(e->ep, &d, now))
			return false;
	}
	e->sent++;
	*out = (struct sim_datagram){.to = e->to, .data = e->buffer, .len = d.len};
	return true;
}

static uint64_t end_deadline(const void *self)
{
	const struct end *e = self;

	return e->over ? DGRAM_NEVER : dgram_endpoint_deadline(e->ep);
}

static const struct sim_machine end_machine = {end_receive, end_transmit, end_deadline, NULL, NULL};

static struct dgram_endpoint *endpoint(uint64_t seed)
{
	struct dgram_endpoint_config c = {.profile = DGRAM_PROFILE_LAN,
	                                  .sessions = 8,
	                                  .sessions_each = 8,
	                                  .half_open = 8,
	                                  .half_open_each = 8,
	                                  .busy = 4,
	                                  .window = 64,
	                                  .messages = 64,
	                                  .requests = 16,
	                                  .pool = 64 << 10,
	                                  .block = 256,
	                                  .message_max = 4096,
	                                  .datagram_max = 1472};

	memcpy(c.seed, &seed, sizeof seed);
	return dgram_endpoint_new(&c, NULL);
}

/* Asks count times in a row; the result is of the last one. */
static void exchange(struct end ends[2], uint32_t loss, unsigned count, uint64_t seed)
{
	static struct sim_world world;
	static uint64_t marks[SIM_MARK_COUNT];
	const struct sim_faults faults = {.relay = {.loss = loss, .delay = ONE_WAY}};

	memset(ends, 0, 2 * sizeof ends[0]);
	for (unsigned i = 0; i < 2; i++) {
		ends[i].ep = endpoint(2 * seed + i + 1);
		ends[i].to = 1 - i;
		if (!ends[i].ep)
			abort();
	}
	sim_world_init(&world, seed, &faults);
	world.marks = marks;
	world.phase_ends[SIM_FAULTS] = world.now + 3600 * DGRAM_S;
	sim_world_add(&world, &end_machine, &ends[0]);
	sim_world_add(&world, &end_machine, &ends[1]);
	ends[0].asks = true;
	ends[0].left = count;
	ask(&ends[0], sim_world_clock(&world, 0));
	sim_world_run(&world);
	if (world.failure[0]) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, world.failure);
		exit(1);
	}
	sim_world_free(&world);
	for (unsigned i = 0; i < 2; i++)
		dgram_endpoint_free(ends[i].ep);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(uint32_t loss, unsigned count)
{
	static double times[RUNS];
	static struct end ends[2];
	double sum = 0, squares = 0;
	size_t answered = 0;

	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		exchange(ends, loss, count, seed);
		if (ends[0].failed || !ends[0].over)
			continue;
		double ms = (double)ends[0].took / 1e6;
		times[answered++] = ms;
		sum += ms;
		squares += ms * ms;
	}
	qsort(times, answered, sizeof times[0], compare);

	double n = (double)answered, mean = sum / n;
	double error = 1.96 * sqrt((squares / n - mean * mean) / n);

	printf(" %.0f ±%.1f; %.0f; %.0f", mean, error, times[answered * 9 / 10],
	       times[answered * 99 / 100]);
	if (answered < RUNS)
		printf(" (%zu without)", RUNS - answered);
	printf(" |");
	fflush(stdout);
}

/* What STEADY exchanges cost beyond the WARM ones before them. */
static int count_datagrams(void)
{
	static struct end few[2], many[2];
	uint64_t asked, answered;

	exchange(few, 0, WARM, 1);
	exchange(many, 0, WARM + STEADY, 1);
	asked = many[0].sent - few[0].sent;
	answered = many[1].sent - few[1].sent;
	printf("\n%d exchanges in a row: %llu datagrams there, %llu back\n", STEADY,
	       (unsigned long long)asked, (unsigned long long)answered);
	return asked == STEADY && answered == STEADY ? 0 : 1;
}

int message_table(void)
{
	static const struct {
		uint32_t loss; /* ppm */
		const char *fresh, *live;
	} rows[] = {
	        {16000, "50; 45", "25; 90"},           {50000, "65; 150", "30; 180"},
	        {100000, "95; 170", "42; 200"},        {250000, "260; 580", "105; 900"},
	        {500000, "2400; 6800", "1000; 12000"},
	};

	printf("| loss each way | fresh session | goal: mean; 90th | live session | goal: mean; "
	       "99th |\n|---|---|---|---|---|");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		printf("\n| %.1f %% |", rows[i].loss / 10000.0);
		measure(rows[i].loss, 1);
		printf(" %s |", rows[i].fresh);
		measure(rows[i].loss, WARM + 1);
		printf(" %s |", rows[i].live);
	}
	return count_datagrams();
}
