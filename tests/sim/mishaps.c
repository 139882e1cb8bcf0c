#include "mishaps.h"

#include <stdlib.h>

static uint64_t below(struct sim_world *world, uint64_t n)
{
	return dg_random_below(&world->random, n);
}

static void plan(struct sim_world *world, enum sim_mishap kind)
{
	uint64_t every = world->faults.every[kind];

	world->mishaps[kind] = every && !world->long_pause ? world->now + below(world, 2 * every)
							   : DGRAM_NEVER;
}

void sim_mishaps_plan(struct sim_world *world)
{
	for (int kind = 0; kind < SIM_MISHAPS; kind++)
		plan(world, (enum sim_mishap)kind);
}

static struct sim_link *any_link(struct sim_world *world, unsigned *from, unsigned *to)
{
	*from = (unsigned)below(world, world->node_count);
	*to = (*from + 1 + (unsigned)below(world, world->node_count - 1)) % world->node_count;
	return &world->links[*from][*to];
}

static void cut(struct sim_world *world)
{
	unsigned from, to;
	struct sim_link *link = any_link(world, &from, &to);

	link->cut_until = world->now + sim_between(&world->random, DGRAM_MS, 60 * DGRAM_S);
	link->cut_both = below(world, 2);
	link->cut_told = below(world, 3) == 0;
	if (link->cut_both) {
		world->links[to][from].cut_until = link->cut_until;
		world->links[to][from].cut_both = true;
		world->links[to][from].cut_told = link->cut_told;
	}
	sim_world_note(world, from, link->cut_both ? "cut both ways, to node" : "cut, to node", to,
		       NULL, 0);
}

static void resize(struct sim_world *world)
{
	static const size_t sizes[] = {0, 200, 508, 1200, 1400, 1472};
	unsigned from, to;
	struct sim_link *link = any_link(world, &from, &to);

	link->size_max = sizes[below(world, sizeof sizes / sizeof sizes[0])];
	link->size_how = (enum sim_size)below(world, SIM_SIZES);
	sim_world_note(world, from, "size limit", (int64_t)link->size_max, NULL, 0);
}

/* Mostly short. One of hours is the last mishap of a run, and ends it. */
static void pause_node(struct sim_world *world, unsigned i)
{
	struct sim_node *node = &world->nodes[i];
	uint64_t length = sim_between(&world->random, DGRAM_MS, 60 * DGRAM_S);

	if (below(world, 40) == 0) {
		length = sim_between(&world->random, 1800 * DGRAM_S, 14400 * DGRAM_S);
		world->long_pause = true;
		world->phase_ends[SIM_FAULTS] = world->now + length + DGRAM_S;
	}
	node->paused_until = world->now + length;
	world->marks[SIM_MARK_PAUSED_HOUR] += length > 3600 * DGRAM_S;
	sim_world_note(world, i, "paused for ms", (int64_t)(length / DGRAM_MS), NULL, 0);
}

static void restart(struct sim_world *world, unsigned i)
{
	struct sim_node *node = &world->nodes[i];
	struct sim_parcel *parcel;

	world->marks[SIM_MARK_DIED_PAUSED] += node->paused_until > 0;
	while ((parcel = sim_inbox_take(&node->inbox)))
		free(parcel);
	node->paused_until = 0;
	node->down_until = world->now + sim_between(&world->random, DGRAM_MS, 10 * DGRAM_S);
	node->silent = below(world, 3) == 0;
	sim_world_note(world, i, node->silent ? "its host died" : "died", 0, NULL, 0);
}

static void jump(struct sim_world *world, unsigned i)
{
	struct sim_node *node = &world->nodes[i];
	uint64_t by = sim_between(&world->random, DGRAM_MS, 7200 * DGRAM_S);

	sim_clock_jump(&node->clock, world->now, by);
	node->excused = sim_world_clock(world, i);
	world->marks[SIM_MARK_JUMPED_MINUTE] += by > 60 * DGRAM_S;
	sim_world_note(world, i, "its clock jumps by ms", (int64_t)(by / DGRAM_MS), NULL, 0);
}

int sim_mishaps_strike(struct sim_world *world, enum sim_mishap kind)
{
	unsigned i = (unsigned)below(world, world->node_count);
	bool awake = sim_world_is_awake(world, i);

	plan(world, kind);
	switch (kind) {
	case SIM_MISHAP_CUT:
		cut(world);
		return -1;
	case SIM_MISHAP_RESIZE:
		resize(world);
		return -1;
	case SIM_MISHAP_PAUSE:
		if (awake)
			pause_node(world, i);
		return -1;
	case SIM_MISHAP_RESTART:
		if (!world->nodes[i].down_until)
			restart(world, i);
		return -1;
	case SIM_MISHAP_JUMP:
		jump(world, i);
		return (int)i;
	case SIM_MISHAP_POKE:
	case SIM_MISHAPS:
		break;
	}
	return (int)i;
}

void sim_mishaps_end(struct sim_world *world)
{
	for (int kind = 0; kind < SIM_MISHAPS; kind++)
		world->mishaps[kind] = DGRAM_NEVER;
	for (unsigned i = 0; i < world->node_count; i++) {
		struct sim_node *node = &world->nodes[i];
		if (node->paused_until)
			node->paused_until = world->now;
		if (node->down_until)
			node->down_until = world->now;
		for (unsigned to = 0; to < world->node_count; to++) {
			world->links[i][to].cut_until = 0;
			world->links[i][to].size_max = 0;
		}
	}
}
