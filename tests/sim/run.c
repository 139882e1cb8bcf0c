#include "run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TWICE   100 /* one seed in so many is run twice and must leave the same trace */
#define SECONDS 60  /* of the machine's time for one seed: thousands of times what it takes */

struct options {
	const char *program;
	uint64_t first, last;
	bool trace, every_mark, first_only, table;
};

struct totals {
	uint64_t marks[SIM_MARK_COUNT];
	uint64_t play_marks[SIM_PLAY_MARKS_MAX];
	uint64_t events, seconds, hash;
	unsigned failures;
};

static const char *const network_marks[] = {
#define SIM_MARK_ROW(name, text) text,
	SIM_MARKS(SIM_MARK_ROW)
#undef SIM_MARK_ROW
};

static void print_faults(const struct sim_faults *f)
{
	const struct dgram_relay_options *r = &f->relay;

	printf("per million: lost %u, bursts %u, doubled %u, reordered %u, flipped %u, late %u, mangled %u,"
	       " not sent %u\n",
	       r->loss, r->burst_enter, r->duplicate, r->reorder, r->corrupt, f->late, f->mangle,
	       f->send_error);
	printf("ms: one way %.3f + %.3f, timers late by %.3f; bit/s: %" PRIu64 "\n",
	       (double)r->delay / 1e6, (double)r->jitter / 1e6, (double)f->granule / 1e6, r->rate);
}

static char hang[64]; /* what to say of a seed that does not come to its end */

static void too_long(int signal)
{
	(void)signal;
	if (write(STDOUT_FILENO, hang, strlen(hang)) < 0)
		_exit(2);
	_exit(1);
}

static void watch(uint64_t seed)
{
	snprintf(hang, sizeof hang, "seed %" PRIu64 " failed after 0 s: it does not end\n", seed);
	signal(SIGALRM, too_long);
	alarm(SECONDS);
}

static uint64_t run_seed(const struct sim_play *play, const struct options *o, uint64_t seed,
			 struct totals *totals)
{
	struct sim_world *world = malloc(sizeof *world);

	if (!world)
		abort();
	sim_world_init(world, seed, NULL);
	world->marks = totals->marks;
	world->trace = o->trace ? stdout : NULL;
	if (o->trace)
		print_faults(&world->faults);
	watch(seed);
	play->run(world, totals->play_marks);
	alarm(0);
	if (world->failure[0]) {
		totals->failures++;
		printf("seed %" PRIu64 " failed after %.3f s: %s\nreplay: %s --seed %" PRIu64
		       " --trace\n",
		       seed, (double)(world->now - world->start) / 1e9, world->failure, o->program,
		       seed);
	}
	totals->events += world->events;
	totals->seconds += (world->now - world->start) / DGRAM_S;

	uint64_t hash = world->hash;

	sim_world_free(world);
	free(world);
	return hash;
}

static void run_twice(const struct sim_play *play, const struct options *o, uint64_t seed,
		      uint64_t hash, struct totals *totals)
{
	static struct totals unused;

	if (run_seed(play, o, seed, &unused) == hash)
		return;
	totals->failures++;
	printf("seed %" PRIu64 " left two different traces\n", seed);
}

static unsigned report(const char *const *names, const uint64_t *counts, unsigned count)
{
	unsigned never = 0;

	for (unsigned i = 0; i < count; i++) {
		printf("%10" PRIu64 "  %s%s\n", counts[i], names[i], counts[i] ? "" : "  <-- never");
		never += counts[i] == 0;
	}
	return never;
}

static int run_all(const struct sim_play *play, const struct options *o)
{
	struct totals totals = {0};
	unsigned never;

	for (uint64_t seed = o->first; seed <= o->last; seed++) {
		uint64_t hash = run_seed(play, o, seed, &totals);
		totals.hash = totals.hash * UINT64_C(0x9e3779b97f4a7c15) + hash;
		if (!o->trace && seed % TWICE == 0)
			run_twice(play, o, seed, hash, &totals);
		if (o->first_only && totals.failures)
			return 1;
	}
	printf("sometimes:\n");
	never = report(network_marks, totals.marks, SIM_MARK_COUNT);
	never += report(play->marks, totals.play_marks, play->mark_count);
	printf("seeds %" PRIu64 "..%" PRIu64 ": %u failed; %" PRIu64 " events, %.1f days of virtual time,"
	       " %u situations never met; trace %016" PRIx64 "\n",
	       o->first, o->last, totals.failures, totals.events, (double)totals.seconds / 86400, never,
	       totals.hash);
	return totals.failures || (o->every_mark && never) ? 1 : 0;
}

static bool parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--trace"))
			o->trace = true;
		else if (!strcmp(argv[i], "--every-mark"))
			o->every_mark = true;
		else if (!strcmp(argv[i], "--first"))
			o->first_only = true;
		else if (!strcmp(argv[i], "--table"))
			o->table = true;
		else if (i + 1 < argc && !strcmp(argv[i], "--seed") &&
			 sscanf(argv[i + 1], "%" SCNu64, &o->first) == 1)
			o->last = o->first, i++;
		else if (i + 1 < argc && !strcmp(argv[i], "--seeds") &&
			 sscanf(argv[i + 1], "%" SCNu64 "..%" SCNu64, &o->first, &o->last) == 2)
			i++;
		else
			return false;
	}
	return true;
}

int sim_run(int argc, char **argv, const struct sim_play *play)
{
	struct options o = {.program = argv[0], .first = 1, .last = 2000};

	if (!parse(&o, argc, argv) || (o.table && !play->table)) {
		fprintf(stderr,
			"usage: %s [--seeds A..B | --seed N] [--trace] [--first] [--every-mark]"
			" [--table]\n",
			argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* of a run that crashes all is seen */
	return o.table ? play->table() : run_all(play, &o);
}
