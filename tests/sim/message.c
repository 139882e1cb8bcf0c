/* The message endpoint (dgram_endpoint_*) in the simulated network: programs that send, ask, answer, cancel, close, crash
 * and forget, and an attacker. What is promised (docs/WIRE.md and endpoint.h), held after every event:
 *
 *   at most once   no handler begins twice for a request that is not idempotent, over all lives of the peer
 *   true answers   an answered request got the bytes that its run gave; a delivered SEND is with the peer
 *   true refusals  what ended as refused never ran and was never given to a program, also not later
 *   one end        each message ends once, at its deadline at the latest, and says why
 *   whole          what is given is what was sent: bytes, name, flags; once; in order where that was asked
 *   no answer      that is larger than what came allows, for an address that did not prove itself
 *   limits         of the configuration are kept, every datagram is counted once
 *   silence        at the end nothing is left: no session, no byte of the pool, no timer
 *
 * and on the healed network every request is answered. */
#include "message.h"

#include <string.h>

static const char *const mark_names[] = {
#define MARK_ROW(name, text) text,
        MARKS(MARK_ROW)
#undef MARK_ROW
};
_Static_assert(MARK_COUNT <= SIM_PLAY_MARKS_MAX, "each situation has its counter");

/* ---- who is there ------------------------------------------------------------------------------- */

/* Room for all that a run does. */
static const struct dgram_endpoint_config roomy = {.sessions = 64,
                                                   .sessions_each = 16,
                                                   .half_open = 32,
                                                   .half_open_each = 8,
                                                   .busy = 32,
                                                   .window = 128,
                                                   .messages = 512,
                                                   .requests = 256,
                                                   .pool = 2 << 20,
                                                   .block = 1024,
                                                   .message_max = 512 << 10,
                                                   .credit = 16 << 10,
                                                   .datagram_max = 1472};

static uint32_t small(struct dg_random *random, uint32_t usual, uint32_t low, uint32_t high)
{
	uint32_t value = (uint32_t)sim_between(random, low, high);

	return sim_chance(random, 300000) ? value : usual;
}

/* Fewer places than there are peers: who comes too late is told so, and has to wait. */
static void make_cramped(struct dgram_endpoint_config *c, struct dg_random *random)
{
	c->sessions = small(random, c->sessions, 1, 6);
	c->sessions_each = small(random, c->sessions_each, 1, 3);
	c->half_open = small(random, c->half_open, 1, 6);
	c->half_open_each = small(random, c->half_open_each, 1, 2);
	c->busy = small(random, c->busy, 1, 4);
	c->messages = small(random, c->messages, 4, 24);
	c->requests = small(random, c->requests, 2, 8);
	c->pool = small(random, (uint32_t)c->pool, 64 << 10, 256 << 10);
	if (c->message_max > c->pool / 2)
		c->message_max = (uint32_t)c->pool / 2;
	if (c->sessions_each > c->sessions)
		c->sessions_each = c->sessions;
	if (c->half_open_each > c->half_open)
		c->half_open_each = c->half_open;
	if (c->busy > c->sessions)
		c->busy = c->sessions;
}

/* Everything goes in small pieces, and asks again and again. */
static void make_narrow(struct dgram_endpoint_config *c, struct dg_random *random)
{
	c->window = small(random, c->window, 8, 16);
	c->message_max = small(random, c->message_max, 1024, 32768);
	c->credit = small(random, c->credit, 1, 4096);
	c->block = sim_chance(random, 300000) ? 64U << dg_random_below(random, 5) : c->block;
}

static void draw_config(struct peer *p, struct dg_random *random)
{
	static const uint16_t sizes[] = {508, 1200, 1472, 9000};
	struct dgram_endpoint_config *c = &p->config;

	*c = roomy;
	if (sim_chance(random, 300000))
		make_narrow(c, random);
	if (p->cramped)
		make_cramped(c, random);
	c->profile = (uint8_t)dg_random_below(random, 4);
	c->idle_ms = sim_chance(random, 200000) ? 0 : (uint32_t)sim_between(random, 1000, 30000);
	if (sim_chance(random, 300000))
		c->datagram_max = sizes[dg_random_below(random, 4)];
}

static void add_peer(struct scene *s, struct dg_random *random, bool answers, bool asks)
{
	struct peer *p = &s->peers[s->peer_count++];
	uint64_t now;

	memset(p, 0, sizeof *p);
	p->scene = s;
	p->answers = answers;
	p->asks = asks;
	p->moves = !answers && sim_chance(random, 150000);
	p->cramped = sim_chance(random, 200000);
	p->lazy = sim_chance(random, 100000);
	p->port = PORT;
	draw_config(p, random);
	p->config.answers_nobody = !answers && sim_chance(random, 300000);
	dg_random_split(random, &p->random);
	p->node = sim_world_add(s->world, &peer_machine, p);
	now = sim_world_clock(s->world, p->node);
	p->next_submit = now + sim_between(random, DGRAM_MS, DGRAM_S);
	p->next_close = sim_chance(random, 300000)
	                        ? now + sim_between(random, DGRAM_S, 30 * DGRAM_S)
	                        : DGRAM_NEVER;
	p->next_move = now + sim_between(random, DGRAM_S, 30 * DGRAM_S);
	p->next_healed = NOBODY;
	peer_init(p, now);
}

static void draw_scene(struct scene *s, struct dg_random *random)
{
	uint64_t idle = 0;
	uint64_t answering = 1 + dg_random_below(random, 3);
	uint64_t asking = 1 + dg_random_below(random, 4);

	/* Ids and numbers end at 2^62: a session that comes there has to be replaced. */
	s->first_id =
	        sim_chance(random, 100000) ? (UINT64_C(1) << 62) - sim_between(random, 66, 100) : 0;
	s->first_number =
	        sim_chance(random, 100000) ? LAST_NUMBERS - sim_between(random, 20, 2000) : 0;
	if (s->first_id)
		answering = asking = 1; /* or none of their sessions comes so far */
	if (answering + asking > PEERS_MAX)
		asking = PEERS_MAX - answering;
	s->ip6 = sim_chance(random, 200000);
	s->budget = (size_t)sim_between(random, 32 << 10, 1 << 20);
	while (answering-- > 0)
		add_peer(s, random, true, sim_chance(random, 300000));
	while (asking-- > 0)
		add_peer(s, random, false, true);
	if (sim_chance(random, 300000))
		attacker_add(s, random);
	for (uint32_t i = 0; i < s->peer_count; i++)
		if (s->peers[i].config.idle_ms * DGRAM_MS > idle)
			idle = s->peers[i].config.idle_ms * DGRAM_MS;
	s->settle = 15 * DGRAM_S + idle;
}

/* ---- one run ------------------------------------------------------------------------------------ */

static void check(struct sim_world *world, void *context)
{
	struct scene *s = context;

	(void)world;
	for (uint32_t i = 0; i < s->peer_count; i++)
		check_deadlines(&s->peers[i]);
}

static void run(struct sim_world *world, uint64_t *marks)
{
	static struct scene scene;
	struct dg_random random;

	scene.world = world;
	scene.marks = marks;
	scene.peer_count = scene.record_count = scene.job_count = 0;
	scene.attacker = NULL;
	dg_random_split(&world->random, &random);
	draw_scene(&scene, &random);
	world->check = check;
	world->context = &scene;
	if (!world->failure[0])
		sim_world_run(world);
	if (!world->failure[0])
		check_end(&scene);
	for (uint32_t i = 0; i < scene.peer_count; i++)
		dgram_endpoint_free(scene.peers[i].ep);
}

int main(int argc, char **argv)
{
	static const struct sim_play play = {
	        .marks = mark_names, .mark_count = MARK_COUNT, .run = run, .table = message_table};

	return sim_run(argc, argv, &play);
}
