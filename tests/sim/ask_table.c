/* How long one question takes, in a network that only loses: 10 ms one way, no handler time.
 *
 * "then 60 ms" is two questions in a row, the second with a first wait of 60 ms, and no deadline:
 * what an exchange takes that opens a session and then knows the round trip. */
#include "ask_table.h"

#include "world.h"

#include <dgram/ask.h>
#include <math.h>
#include <stdlib.h>

#define RUNS    10000
#define ONE_WAY (10 * DGRAM_MS)
#define ENOUGH  (3600 * DGRAM_S) /* a deadline that nothing comes near */

struct column {
	const char *name;
	enum dgram_profile profile;
	uint64_t deadline;
	uint64_t then; /* the first wait of a second question; 0: there is none */
};

static const struct column columns[] = {
	{"loopback", DGRAM_PROFILE_LOOPBACK, 60 * DGRAM_S, 0},
	{"LAN", DGRAM_PROFILE_LAN, 60 * DGRAM_S, 0},
	{"WAN", DGRAM_PROFILE_WAN, 60 * DGRAM_S, 0},
	{"LAN, then 60 ms", DGRAM_PROFILE_LAN, ENOUGH, 60 * DGRAM_MS},
	{"WAN, then 60 ms", DGRAM_PROFILE_WAN, ENOUGH, 60 * DGRAM_MS},
};

static const uint32_t losses[] = {16000, 50000, 100000, 250000, 500000}; /* ppm, each way */

#define COLUMNS (sizeof columns / sizeof columns[0])
#define LOSSES  (sizeof losses / sizeof losses[0])

/* Asks once, or once more. An answer to the first question that comes late is no answer to the
 * second: each has a channel. */
struct asker {
	struct dgram_asker machine;
	struct dgram_ask_options second;
	uint32_t channel; /* 1 or 2 */
	uint64_t began, ended; /* 0: not yet */
	uint8_t byte;
};

static const struct dgram_addr peer = {.family = DGRAM_IPV4, .port = 7, .u.ip4 = {10, 0, 0, 1}};

static void asker_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct asker *a = self;

	if (in->channel != a->channel || !dgram_asker_answered(&a->machine, &peer, now))
		return;
	if (a->channel == 1 && a->second.timeout) {
		a->channel = 2;
		dgram_asker_init(&a->machine, &peer, 1, &a->second, now);
	} else {
		a->ended = now;
	}
}

static bool asker_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct asker *a = self;

	if (dgram_asker_next(&a->machine, now, NULL) != DGRAM_ASK_SEND)
		return false;
	*out = (struct sim_datagram){.channel = a->channel, .data = &a->byte, .len = 1};
	return true;
}

static uint64_t asker_deadline(const void *self)
{
	return dgram_asker_deadline(&((const struct asker *)self)->machine);
}

static void asker_told(void *self, const struct sim_datagram *about, int error, bool at_once,
		       uint64_t now)
{
	(void)about, (void)error, (void)at_once;
	dgram_asker_sent(&((struct asker *)self)->machine, now);
}

/* Answers each datagram at once. */
struct echo {
	uint32_t channel;
	bool full;
	uint8_t byte;
};

static void echo_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct echo *e = self;

	(void)now;
	e->channel = in->channel;
	e->full = true;
}

static bool echo_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct echo *e = self;
	bool full = e->full;

	(void)now;
	*out = (struct sim_datagram){.to = 1, .channel = e->channel, .data = &e->byte, .len = 1};
	e->full = false;
	return full;
}

static uint64_t echo_deadline(const void *self)
{
	(void)self;
	return DGRAM_NEVER;
}

static const struct sim_machine asker_machine = {asker_receive, asker_transmit, asker_deadline,
						 NULL, asker_told};
static const struct sim_machine echo_machine = {echo_receive, echo_transmit, echo_deadline, NULL,
						NULL};

/* ms, or -1: no answer within the deadline. */
static double ask_once(const struct column *column, uint32_t loss, uint64_t seed)
{
	static struct sim_world world;
	static uint64_t marks[SIM_MARK_COUNT];
	const struct sim_faults faults = {.relay = {.loss = loss, .delay = ONE_WAY}};
	struct echo echo = {0};
	struct dgram_ask_options opt = {.profile = column->profile, .deadline = column->deadline};
	struct asker asker = {.channel = 1, .second = opt};

	sim_world_init(&world, seed, &faults);
	world.marks = marks;
	world.phase_ends[SIM_FAULTS] = world.now + 3 * ENOUGH;
	sim_world_add(&world, &echo_machine, &echo);
	sim_world_add(&world, &asker_machine, &asker);
	opt.seed = dg_random_next(&world.random);
	asker.second.seed = dg_random_next(&world.random);
	asker.second.timeout = column->then;
	asker.began = sim_world_clock(&world, 1);
	dgram_asker_init(&asker.machine, &peer, 1, &opt, asker.began);
	sim_world_run(&world);
	sim_world_free(&world);
	return asker.ended ? (double)(asker.ended - asker.began) / 1e6 : -1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct column *column, uint32_t loss)
{
	static double times[RUNS];
	double sum = 0, squares = 0;
	size_t count = 0;

	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		double ms = ask_once(column, loss, seed);
		if (ms < 0)
			continue;
		times[count++] = ms;
		sum += ms;
		squares += ms * ms;
	}
	qsort(times, count, sizeof times[0], compare);

	double n = (double)count, mean = sum / n;
	double error = 1.96 * sqrt((squares / n - mean * mean) / n);

	printf(" %.0f +-%.0f; %.0f; %.0f", mean, error, times[count * 9 / 10], times[count * 99 / 100]);
	if (count < RUNS)
		printf(" (%zu without)", RUNS - count);
	printf(" |");
}

int ask_table(void)
{
	printf("| loss each way |");
	for (size_t i = 0; i < COLUMNS; i++)
		printf(" %s |", columns[i].name);
	printf("\n|---|");
	for (size_t i = 0; i < COLUMNS; i++)
		printf("---|");
	for (size_t l = 0; l < LOSSES; l++) {
		printf("\n| %.1f %% |", losses[l] / 10000.0);
		for (size_t i = 0; i < COLUMNS; i++)
			measure(&columns[i], losses[l]);
	}
	printf("\n");
	return 0;
}
