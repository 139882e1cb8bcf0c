/* One event at a time: the earliest of what the links hold, the copies that are late, the nodes'
 * deadlines, the mishaps, and the end of the phase. Found by looking at all of them: there are few,
 * and the order among equals is then the order of the search, the same in every run. */
#include "world.h"

#include "base/hash.h"
#include "mishaps.h"

#include <dgram/error.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX  10000000 /* of one run; more is a loop without an end */
#define AT_ONCE_MAX 10000   /* datagrams that one call may draw */
#define TRACE_BYTES 16      /* of a datagram are shown */

#define HEAL_LENGTH  (120 * DGRAM_S)
#define DRAIN_LENGTH (SIM_LATE_MAX + 300 * DGRAM_S) /* then it must be silent */

/* ---- what is told of a run ------------------------------------------------------------------ */

void sim_world_fail(struct sim_world *world, const char *format, ...)
{
	va_list args;

	if (world->failure[0])
		return;
	va_start(args, format);
	vsnprintf(world->failure, sizeof world->failure, format, args);
	va_end(args);
}

static uint64_t mixed(uint64_t hash, uint64_t value)
{
	return ((hash ^ value) * UINT64_C(0x9e3779b97f4a7c15)) ^ (hash >> 29);
}

static void print(const struct sim_world *world, unsigned node, const char *what, int64_t number,
		  const uint8_t *data, size_t len)
{
	uint64_t us = (world->now - world->start) / DGRAM_US;

	fprintf(world->trace, "%9llu.%03llu ms  node %u  %s %lld", (unsigned long long)us / 1000,
		(unsigned long long)us % 1000, node, what, (long long)number);
	if (data) {
		fprintf(world->trace, "  %zu bytes ", len);
		for (size_t i = 0; i < len && i < TRACE_BYTES; i++)
			fprintf(world->trace, "%02x", data[i]);
		if (len > TRACE_BYTES)
			fprintf(world->trace, "...");
	}
	fputc('\n', world->trace);
}

void sim_world_note(struct sim_world *world, unsigned node, const char *what, int64_t number,
		    const void *data, size_t len)
{
	static const uint8_t key[DG_HASH_KEY] = {0};

	world->hash = mixed(world->hash, world->now);
	world->hash = mixed(world->hash, (uint64_t)number << 8 | node);
	world->hash = mixed(world->hash, dg_hash_fast(key, what, strlen(what)));
	if (len)
		world->hash = mixed(world->hash, dg_hash_fast(key, data, len));
	if (world->trace)
		print(world, node, what, number, data, len);
}

/* ---- nodes ---------------------------------------------------------------------------------- */

uint64_t sim_world_clock(const struct sim_world *world, unsigned node)
{
	return sim_clock_local(&world->nodes[node].clock, world->now);
}

bool sim_world_is_awake(const struct sim_world *world, unsigned node)
{
	return !world->nodes[node].paused_until && !world->nodes[node].down_until;
}

static void tell(struct sim_world *world, unsigned i, const struct sim_datagram *about, int error,
		 bool at_once)
{
	struct sim_node *node = &world->nodes[i];

	if (error)
		sim_world_note(world, i, at_once ? "the kernel says" : "the network says", error,
			       NULL, 0);
	if (node->machine->told)
		node->machine->told(node->self, about, error, at_once, sim_world_clock(world, i));
}

static void hand_over(struct sim_world *world, const struct sim_datagram *d, int error)
{
	struct sim_node *node = &world->nodes[error ? d->from : d->to];

	if (error) {
		tell(world, d->from, d, error, false);
		return;
	}
	sim_world_note(world, d->to, d->copy ? "receives a copy from" : "receives from", d->from,
		       d->data, d->len);
	node->machine->receive(node->self, d, sim_world_clock(world, d->to));
}

/* ---- the way of a datagram ------------------------------------------------------------------ */

static bool rough(const struct sim_world *world)
{
	return world->phase == SIM_FAULTS;
}

static struct sim_link *link_of(struct sim_world *world, const struct sim_datagram *d, int error)
{
	return error ? &world->links[d->to][d->from] : &world->links[d->from][d->to];
}

/* Whether a limit of the path stops it; the sender may hear of it from near by. */
static bool is_stopped(struct sim_world *world, const struct sim_link *link,
		       const struct sim_datagram *d, int error)
{
	int why = 0;

	if (link->cut_until > world->now) {
		world->marks[link->cut_both ? SIM_MARK_CUT_BOTH_WAYS : SIM_MARK_CUT_ONE_WAY]++;
		world->marks[SIM_MARK_UNREACHABLE] += link->cut_told && !error;
		why = link->cut_told ? DGRAM_ERR_UNREACHABLE : 0;
	} else if (link->size_max && d->len > link->size_max) {
		bool told = link->size_how == SIM_SIZE_TOLD;
		world->marks[told ? SIM_MARK_SIZE_TOLD : SIM_MARK_TOO_LARGE]++;
		why = told ? DGRAM_ERR_SIZE : 0;
	} else {
		return false;
	}
	sim_world_note(world, error ? d->to : d->from, "stopped by a cut or a size limit", error, NULL,
		       0);
	if (why && !error)
		tell(world, d->from, d, why, false);
	return true;
}

static void keep_late_copy(struct sim_world *world, const struct sim_datagram *d, int error)
{
	uint64_t due = world->now + 1 + dg_random_below(&world->random, SIM_LATE_MAX);
	struct sim_parcel *parcel = sim_parcel_new(d, error, due);

	parcel->datagram.copy = true;
	parcel->next = world->late;
	world->late = parcel;
}

/* Onto the link: d, or the report that it was refused, which goes the other way. */
static void push(struct sim_world *world, const struct sim_datagram *d, int error)
{
	struct dgram_relay_options opt = world->faults.relay;
	struct sim_link *link = link_of(world, d, error);

	if (is_stopped(world, link, d, error))
		return;
	if (rough(world) && sim_chance(&world->random, world->faults.late))
		keep_late_copy(world, d, error);
	opt.seed = world->seed;
	opt.link = error ? d->to * SIM_NODES_MAX + d->from : d->from * SIM_NODES_MAX + d->to;

	enum dgram_relay_verdict verdict =
		sim_link_push(link, &opt, !rough(world), world->now, d, error);

	if (verdict != DGRAM_RELAY_TAKEN)
		sim_world_note(world, error ? d->to : d->from, dgram_relay_verdict_text(verdict), error,
			       NULL, 0);
}

static int kernel_error(struct sim_world *world, const struct sim_link *link, size_t len)
{
	static const int errors[] = {DGRAM_ERR_NOBUFS, DGRAM_ERR_AGAIN, DGRAM_ERR_DENIED,
				     DGRAM_ERR_REFUSED, DGRAM_ERR_UNREACHABLE};

	if (link->size_max && len > link->size_max && link->size_how == SIM_SIZE_AT_ONCE) {
		world->marks[SIM_MARK_SIZE_AT_ONCE]++;
		return DGRAM_ERR_SIZE;
	}
	if (!rough(world) || !sim_chance(&world->random, world->faults.send_error))
		return 0;
	world->marks[SIM_MARK_SEND_ERROR]++;
	return errors[dg_random_below(&world->random, sizeof errors / sizeof errors[0])];
}

static void send_one(struct sim_world *world, unsigned from, struct sim_datagram *d)
{
	d->from = from;
	sim_world_note(world, from, "sends to", d->to, d->data, d->len);
	if (d->to >= world->node_count || d->to == from || d->len > SIM_DATAGRAM_MAX) {
		sim_world_fail(world, "node %u sends %zu bytes to node %u", from, d->len, d->to);
		return;
	}

	int error = kernel_error(world, &world->links[from][d->to], d->len);

	tell(world, from, d, error, true);
	if (!error)
		push(world, d, 0);
}

/* After every call of a node: it sends what it has and says when it wants to be called again. */
static void pump(struct sim_world *world, unsigned i)
{
	struct sim_node *node = &world->nodes[i];
	uint64_t now = sim_world_clock(world, i);
	struct sim_datagram out = {0};

	for (unsigned n = 0; node->machine->transmit(node->self, &out, now); n++) {
		if (n == AT_ONCE_MAX)
			sim_world_fail(world, "node %u does not stop sending", i);
		if (world->failure[0])
			return;
		send_one(world, i, &out);
		out = (struct sim_datagram){0};
	}

	uint64_t deadline = node->machine->deadline(node->self);

	if (deadline <= now)
		sim_world_fail(world, "node %u has nothing to send and wants to be called at once", i);
	node->wake = sim_clock_world(&node->clock, deadline, world->now);
	if (node->wake != DGRAM_NEVER && rough(world) && world->faults.granule)
		node->wake += dg_random_below(&world->random, world->faults.granule + 1);
}

/* Cut short, longer, or with the start of the one before it. At most buffer's size. */
static void mangle(struct sim_world *world, struct sim_link *link, struct sim_datagram *d,
		   uint8_t *buffer)
{
	uint64_t how = dg_random_below(&world->random, 3);
	size_t extra = 1 + (size_t)dg_random_below(&world->random, 64);

	if (d->len == 0 || d->len + extra > SIM_DATAGRAM_MAX)
		return;
	memcpy(buffer, d->data, d->len);
	memset(buffer + d->len, 0xa5, extra);
	if (how == 0)
		d->len = (size_t)dg_random_below(&world->random, d->len);
	else if (how == 1)
		d->len += extra;
	else /* its end, a checksum, stays its own, or it might be one that was sent before */
		memcpy(buffer, link->last, link->last_len + 8 < d->len ? link->last_len : d->len > 8 ? d->len - 8 : 0);
	world->marks[how == 0 ? SIM_MARK_TRUNCATED : how == 1 ? SIM_MARK_EXTENDED : SIM_MARK_SPLICED]++;
	/* Spliced with one that begins like it, it is what it was. */
	d->damaged |= how != 2 || memcmp(buffer, d->data, d->len) != 0;
	d->data = buffer;
}

/* A datagram, or the report of a refusal, is at its node. */
static void arrive(struct sim_world *world, const struct sim_datagram *d, int error)
{
	unsigned at = error ? d->from : d->to;
	struct sim_node *node = &world->nodes[at];

	if (node->down_until) {
		if (error || node->silent)
			return;
		world->marks[SIM_MARK_PORT_CLOSED]++;
		sim_world_note(world, at, "its port is closed to", d->from, NULL, 0);
		push(world, d, DGRAM_ERR_REFUSED);
	} else if (node->paused_until) {
		if (!sim_inbox_put(&node->inbox, d, error))
			world->marks[SIM_MARK_INBOX_FULL]++;
	} else {
		hand_over(world, d, error);
		pump(world, at);
	}
}

static void link_event(struct sim_world *world, unsigned from, unsigned to)
{
	static uint8_t buffer[SIM_DATAGRAM_MAX];
	struct sim_link *link = &world->links[from][to];
	struct sim_datagram d;
	int error;

	if (!sim_link_pop(link, world->now, &d, &error))
		return;
	if (error && d.damaged)
		return; /* no system believes a report that is damaged, or quotes what nobody sent */
	d.from = error ? to : from;
	d.to = error ? from : to;
	/* Not what is damaged already: the start of the one before it might mend it. */
	if (!error && !d.damaged && rough(world) && sim_chance(&world->random, world->faults.mangle))
		mangle(world, link, &d, buffer);
	link->last_len = d.len < sizeof link->last ? d.len : sizeof link->last;
	if (d.len)
		memcpy(link->last, d.data, link->last_len);
	arrive(world, &d, error);
}

static void late_event(struct sim_world *world, struct sim_parcel **at)
{
	struct sim_parcel *parcel = *at;

	*at = parcel->next;
	world->marks[SIM_MARK_LATE_COPY]++;
	arrive(world, &parcel->datagram, parcel->error);
	free(parcel);
}

/* Its deadline, or the end of what kept it from acting. */
static void node_event(struct sim_world *world, unsigned i)
{
	struct sim_node *node = &world->nodes[i];
	struct sim_parcel *parcel;

	if (node->down_until) {
		node->down_until = 0;
		node->excused = sim_world_clock(world, i);
		sim_world_note(world, i, "starts again", 0, NULL, 0);
		node->machine->restart(node->self, node->excused);
	} else if (node->paused_until) {
		node->paused_until = 0;
		node->excused = sim_world_clock(world, i);
		sim_world_note(world, i, "goes on", node->inbox.count, NULL, 0);
		/* Its timers before its socket, or after it: both are right. */
		if (dg_random_below(&world->random, 2))
			pump(world, i);
		while ((parcel = sim_inbox_take(&node->inbox))) {
			hand_over(world, &parcel->datagram, parcel->error);
			free(parcel);
		}
	}
	pump(world, i);
}

/* ---- the loop ------------------------------------------------------------------------------- */

struct event {
	enum { PHASE, LINK, LATE, NODE, MISHAP } kind;
	uint64_t at;
	unsigned from, to; /* node or mishap: from */
	struct sim_parcel **parcel;
};

static uint64_t node_due(const struct sim_node *node)
{
	if (node->down_until)
		return node->down_until;
	return node->paused_until ? node->paused_until : node->wake;
}

static void sooner(struct event *best, struct event other)
{
	if (other.at < best->at)
		*best = other;
}

static struct event next_event(struct sim_world *world)
{
	struct event best = {.kind = PHASE, .at = DGRAM_NEVER};

	if (world->phase != SIM_DRAIN)
		best.at = world->phase_ends[world->phase];

	for (unsigned i = 0; i < world->node_count; i++) {
		sooner(&best, (struct event){NODE, node_due(&world->nodes[i]), i, 0, NULL});
		for (unsigned to = 0; to < world->node_count; to++)
			sooner(&best, (struct event){LINK, sim_link_deadline(&world->links[i][to]), i,
						     to, NULL});
	}
	for (struct sim_parcel **p = &world->late; *p; p = &(*p)->next)
		sooner(&best, (struct event){LATE, (*p)->due, 0, 0, p});
	for (unsigned kind = 0; kind < SIM_MISHAPS; kind++)
		sooner(&best, (struct event){MISHAP, world->mishaps[kind], kind, 0, NULL});
	return best;
}

static void next_phase(struct sim_world *world)
{
	world->phase++;
	world->phase_ends[world->phase] =
		world->now + (world->phase == SIM_HEAL ? HEAL_LENGTH : DRAIN_LENGTH);
	sim_world_note(world, 0, "-------- phase", world->phase, NULL, 0);
	if (world->phase == SIM_HEAL)
		sim_mishaps_end(world);
	/* Whoever is awake may have other plans now. */
	for (unsigned i = 0; i < world->node_count && !world->failure[0]; i++)
		if (sim_world_is_awake(world, i))
			pump(world, i);
}

static void act(struct sim_world *world, const struct event *event)
{
	int touched;

	switch (event->kind) {
	case PHASE:
		next_phase(world);
		break;
	case LINK:
		link_event(world, event->from, event->to);
		break;
	case LATE:
		late_event(world, event->parcel);
		break;
	case NODE:
		node_event(world, event->from);
		break;
	case MISHAP:
		touched = sim_mishaps_strike(world, (enum sim_mishap)event->from);
		if (touched >= 0 && sim_world_is_awake(world, (unsigned)touched))
			pump(world, (unsigned)touched);
		break;
	}
}

static bool is_over(struct sim_world *world, const struct event *event)
{
	if (world->failure[0])
		return true;
	if (world->phase == SIM_DRAIN && event->at > world->phase_ends[SIM_DRAIN]) {
		if (event->kind != PHASE)
			sim_world_fail(world, "the network does not fall silent");
		return true;
	}
	if (world->events++ == EVENTS_MAX)
		sim_world_fail(world, "more than %d events", EVENTS_MAX);
	return false;
}

void sim_world_run(struct sim_world *world)
{
	uint64_t began[SIM_NODES_MAX];

	sim_mishaps_plan(world);
	for (unsigned i = 0; i < world->node_count; i++) {
		began[i] = sim_world_clock(world, i);
		pump(world, i);
	}
	for (;;) {
		struct event event = next_event(world);
		if (is_over(world, &event))
			break;
		world->now = event.at > world->now ? event.at : world->now;
		act(world, &event);
		if (world->check)
			world->check(world, world->context);
	}
	for (unsigned i = 0; i < world->node_count; i++)
		world->marks[SIM_MARK_CLOCK_WRAPPED] +=
			sim_clock_wrapped(began[i], sim_world_clock(world, i));
}

void sim_world_init(struct sim_world *world, uint64_t seed, const struct sim_faults *faults)
{
	*world = (struct sim_world){.seed = seed};
	dg_random_init(&world->random, seed);
	if (faults)
		world->faults = *faults;
	else
		sim_faults_draw(&world->faults, &world->random);
	world->faults.relay.entries_max = 512;
	world->faults.relay.bytes_max = (size_t)256 << 10;
	world->start = sim_clock_draw(&world->random, world->faults.near_wrap);
	world->now = world->start;
	world->phase_ends[SIM_FAULTS] =
		world->now + 10 * DGRAM_S + dg_random_below(&world->random, 50 * DGRAM_S);
}

unsigned sim_world_add(struct sim_world *world, const struct sim_machine *machine, void *self)
{
	struct sim_node *node = &world->nodes[world->node_count];

	*node = (struct sim_node){.machine = machine, .self = self};
	node->clock.world = world->now;
	node->clock.local = sim_clock_draw(&world->random, world->faults.near_wrap);
	if (world->faults.skewed)
		node->clock.skew = (int32_t)dg_random_below(&world->random, 2 * SIM_SKEW_MAX + 1) -
				   SIM_SKEW_MAX;
	return world->node_count++;
}

void sim_world_free(struct sim_world *world)
{
	struct sim_parcel *parcel;

	while ((parcel = world->late)) {
		world->late = parcel->next;
		free(parcel);
	}
	for (unsigned i = 0; i < world->node_count; i++) {
		while ((parcel = sim_inbox_take(&world->nodes[i].inbox)))
			free(parcel);
		for (unsigned to = 0; to < world->node_count; to++)
			sim_link_free(&world->links[i][to]);
	}
}
