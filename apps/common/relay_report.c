#include "relay_report.h"
#include "json.h"
#include "say.h"
#include <stdio.h>
#include <string.h>

/* Every count of a direction, from its engine's s and the forwarder's c. In sentences the first two
 * are always said and others when they are not 0; --report and --json have all of them. */
/* clang-format off */
/*  key             as said                          in sentences  value */
#define COUNTS(ROW) \
	ROW(arrived,        "arrived",                       true,  s.arrived) \
	ROW(passed,         "passed",                        true,  s.passed) \
	ROW(lost,           "lost",                          true,  s.verdict[DGRAM_RELAY_LOST]) \
	ROW(too_large,      "too large",                     true,  s.verdict[DGRAM_RELAY_TOO_LARGE]) \
	ROW(queue_full,     "dropped by a full queue",       true,  s.verdict[DGRAM_RELAY_QUEUE_FULL]) \
	ROW(overflow,       "dropped by full memory",        true,  s.verdict[DGRAM_RELAY_OVERFLOW]) \
	ROW(waiting,        "still waiting",                 true,  s.waiting) \
	ROW(duplicated,     "duplicated",                    true,  s.duplicated) \
	ROW(reordered,      "reordered",                     true,  s.reordered) \
	ROW(corrupted,      "corrupted",                     true,  s.corrupted) \
	ROW(refused,        "refused where they went",       true,  c->refused) \
	ROW(unsent,         "not taken by the kernel",       true,  c->unsent) \
	ROW(homeless,       "without their client",          true,  c->homeless) \
	ROW(kernel_dropped, "dropped before they arrived",   true,  c->kernel_dropped) \
	ROW(arrived_bytes,  "bytes arrived",                 false, s.arrived_bytes) \
	ROW(passed_bytes,   "bytes passed",                  false, s.passed_bytes) \
	ROW(delay_mean_us,  "mean delay in us",              false, s.passed ? s.delay_sum / s.passed / DGRAM_US : 0) \
	ROW(delay_max_us,   "longest delay in us",           false, s.delay_max / DGRAM_US)
/* clang-format on */

static const struct count {
	const char *key, *said;
	bool in_sentences;
} counts[] = {
#define DESCRIBE(key, said, in_sentences, value) {#key, said, in_sentences},
        COUNTS(DESCRIBE)
#undef DESCRIBE
};
#define COUNT (sizeof counts / sizeof counts[0])

static void read_counts(const struct forward *f, enum direction direction, uint64_t value[COUNT])
{
	const struct dgram_relay_stats s = dgram_relay_stats(f->engine[direction]);
	const struct direction_counts *c = &f->counts[direction];
	const uint64_t read[COUNT] = {
#define READ(key, said, in_sentences, value) value,
	        COUNTS(READ)
#undef READ
	};

	memcpy(value, read, sizeof read);
}

static void sentence(const struct forward *f, enum direction direction)
{
	char text[512];
	uint64_t value[COUNT];
	size_t used = 0;

	read_counts(f, direction, value);
	for (size_t i = 0; i < COUNT && used < sizeof text; i++)
		if (i < 2 || (counts[i].in_sentences && value[i] > 0))
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%llu %s",
			                         i > 0 ? ", " : "", (unsigned long long)value[i],
			                         counts[i].said);
	say("%s: %s", direction == OUT ? "out" : "back", text);
}

void report_sentences(const struct forward *f)
{
	sentence(f, OUT);
	sentence(f, BACK);
	if (f->clients.replaced > 0)
		say("%llu clients, of which %llu lost their place to a newer one (--clients %zu)",
		    (unsigned long long)f->clients.total, (unsigned long long)f->clients.replaced,
		    f->clients.max);
	if (f->unconnected > 0)
		say("%llu datagrams came when there was no socket towards the target",
		    (unsigned long long)f->unconnected);
}

/* Of each kind that was there. */
static void kinds_table(const struct forward *f, enum direction direction)
{
	fprintf(stderr, "%-10s %9s %9s %9s %10s %9s %9s\n", direction == OUT ? "out" : "back", "arrived", "dropped", "passed",
		"duplicated", "reordered", "corrupted");
	for (unsigned kind = 0; kind < DGRAM_LOOK_TYPES; kind++) {
		const struct kind_counts *c = &f->kinds[direction].of[kind];

		if (c->arrived + c->passed + c->duplicated > 0)
			fprintf(stderr, "%-10s %9llu %9llu %9llu %10llu %9llu %9llu\n", kind_name(kind),
				(unsigned long long)c->arrived, (unsigned long long)c->dropped,
				(unsigned long long)c->passed, (unsigned long long)c->duplicated,
				(unsigned long long)c->reordered, (unsigned long long)c->corrupted);
	}
}

void report_table(const struct forward *f)
{
	uint64_t out[COUNT], back[COUNT];

	read_counts(f, OUT, out);
	read_counts(f, BACK, back);
	fprintf(stderr, "%-30s %14s %14s\n", "", "out", "back");
	for (size_t i = 0; i < COUNT; i++)
		fprintf(stderr, "%-30s %14llu %14llu\n", counts[i].said, (unsigned long long)out[i],
		        (unsigned long long)back[i]);
	fprintf(stderr, "%-30s %14llu\n", "clients", (unsigned long long)f->clients.total);
	fprintf(stderr, "%-30s %14llu\n", "clients that lost their place",
	        (unsigned long long)f->clients.replaced);
	fprintf(stderr, "%-30s %14llu\n", "without a socket", (unsigned long long)f->unconnected);
	kinds_table(f, OUT);
	kinds_table(f, BACK);
}

static void add_count(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *kinds_object(const struct kinds *k)
{
	json_t *object = json_object();

	for (unsigned kind = 0; kind < DGRAM_LOOK_TYPES; kind++) {
		const struct kind_counts *c = &k->of[kind];
		json_t *one;

		if (c->arrived + c->passed + c->duplicated == 0)
			continue;
		one = json_object();
		add_count(one, "arrived", c->arrived);
		add_count(one, "dropped", c->dropped);
		add_count(one, "passed", c->passed);
		add_count(one, "duplicated", c->duplicated);
		add_count(one, "reordered", c->reordered);
		add_count(one, "corrupted", c->corrupted);
		json_object_set_new(object, kind_name(kind), one);
	}
	return object;
}

static json_t *direction_object(const struct forward *f, enum direction direction)
{
	json_t *object = json_object();
	uint64_t value[COUNT];

	read_counts(f, direction, value);
	for (size_t i = 0; i < COUNT; i++)
		add_count(object, counts[i].key, value[i]);
	json_object_set_new(object, "kinds", kinds_object(&f->kinds[direction]));
	return object;
}

int report_json(const struct forward *f, uint64_t seed)
{
	json_t *event = json_event("summary");

	add_count(event, "seed", seed);
	add_count(event, "clients", f->clients.total);
	add_count(event, "replaced", f->clients.replaced);
	add_count(event, "unconnected", f->unconnected);
	json_object_set_new(event, "out", direction_object(f, OUT));
	json_object_set_new(event, "back", direction_object(f, BACK));
	return json_write(event);
}
