/* What the program of a peer sends and asks. */
#include "message.h"

#include <dgram/error.h>
#include <stdio.h>
#include <string.h>

#define HEALED_BOUND (30 * DGRAM_S)

static bool is_hurried(const struct peer *p)
{
	return p->scene->world->phase == SIM_FAULTS;
}

/* ---- one message ------------------------------------------------------------------------------ */

/* Another peer that takes INITs, responders first of all. */
static uint32_t any_peer(struct peer *p)
{
	struct scene *s = p->scene;

	for (unsigned i = 0; i < 8; i++) {
		uint32_t to = (uint32_t)dg_random_below(&p->random, s->peer_count);
		if (to != p->node && (s->peers[to].answers || sim_chance(&p->random, 100000)))
			return to;
	}
	return p->node == 0 && s->peer_count > 1 ? 1 : 0; /* the first one always answers */
}

static size_t any_length(struct peer *p)
{
	static const struct {
		uint32_t ppm;
		size_t low, high;
	} rows[] = {
	        {80000, 0, 3},         {600000, 4, 100},       {150000, 100, 1100},
	        {120000, 1000, 12000}, {40000, 10000, 100000}, {10000, 100000, 400000},
	};
	uint64_t left = dg_random_below(&p->random, 1000000);
	size_t i = 0;

	while (left >= rows[i].ppm)
		left -= rows[i++].ppm;

	size_t len =
	        rows[i].low + (size_t)dg_random_below(&p->random, rows[i].high - rows[i].low + 1);

	return len > p->scene->budget ? 16 : len;
}

static uint8_t any_kind(struct peer *p)
{
	static const uint8_t kinds[] = {DGRAM_POST,    DGRAM_SEND,    DGRAM_SEND,    DGRAM_REQUEST,
	                                DGRAM_REQUEST, DGRAM_REQUEST, DGRAM_REQUEST, DGRAM_ECHO};

	return kinds[dg_random_below(&p->random, sizeof kinds)];
}

static void name_it(struct peer *p, struct record *r, uint32_t number)
{
	static const char *const names[] = {
	        "a", "sensor.temperature", "x-1_2.y",
	        "0123456789.0123456789.0123456789.0123456789.0123456789.012345678"};

	if (r->kind == DGRAM_ECHO)
		return;
	if (r->len < sizeof number)
		snprintf(r->name, sizeof r->name, "m.%u", number);
	else if (sim_chance(&p->random, 250000))
		snprintf(r->name, sizeof r->name, "%s", names[dg_random_below(&p->random, 4)]);
	r->name_len = strlen(r->name);
}

static void draw(struct peer *p, struct record *r, uint32_t number, uint64_t now)
{
	*r = (struct record){
	        .kind = any_kind(p), .from = p->node, .from_boot = p->boot, .jobs = NOBODY};
	r->to = any_peer(p);
	r->addr = addr_of(p->scene, r->to, p->scene->peers[r->to].port);
	r->len = r->kind == DGRAM_ECHO ? 0 : any_length(p);
	name_it(p, r, number);
	if (r->kind == DGRAM_POST && r->len + r->name_len > DGRAM_POST_MAX)
		r->len = DGRAM_POST_MAX - 64;
	r->hops = r->kind != DGRAM_ECHO && sim_chance(&p->random, 100000) ? 3 : 0;
	r->ordered = (r->kind == DGRAM_SEND || r->kind == DGRAM_REQUEST) &&
	             sim_chance(&p->random, 300000);
	r->idempotent = r->kind == DGRAM_REQUEST && sim_chance(&p->random, 300000);
	r->submitted = now;
	/* A POST cannot be given up, so it has to have an end. */
	r->deadline = r->kind != DGRAM_POST && sim_chance(&p->random, 300000)
	                      ? DGRAM_NEVER
	                      : now + sim_between(&p->random, DGRAM_MS, 60 * DGRAM_S);
	r->cancel_at = DGRAM_NEVER;
	if (r->kind != DGRAM_POST && sim_chance(&p->random, 80000)) {
		uint64_t later = sim_between(&p->random, DGRAM_US, 3 * DGRAM_S);
		r->cancel_at = now + dg_random_below(&p->random, 2) * later;
	}
}

/* A small request that nothing may hinder. */
static void draw_healed(struct peer *p, struct record *r, uint32_t to, uint64_t now)
{
	*r = (struct record){.kind = DGRAM_REQUEST,
	                     .from = p->node,
	                     .from_boot = p->boot,
	                     .jobs = NOBODY,
	                     .to = to,
	                     .len = 64,
	                     .healed = true,
	                     .submitted = now,
	                     .cancel_at = DGRAM_NEVER};
	r->addr = addr_of(p->scene, to, p->scene->peers[to].port);
	r->ordered = sim_chance(&p->random, 300000);
	r->deadline = now + HEALED_BOUND;
}

/* Into a session that the peer remembers, its peer's or its own. */
static uint64_t into_session(struct peer *p, struct record *r)
{
	uint32_t at = (uint32_t)dg_random_below(&p->random, SESSIONS_MAX);
	unsigned host = host_of(&p->session_peers[at]);

	if (r->healed || !p->sessions[at] || host >= p->scene->peer_count ||
	    !sim_chance(&p->random, 200000))
		return 0;
	r->to = host;
	r->addr = p->session_peers[at];
	return p->sessions[at];
}

/* Submits the record that is ready behind the last one. False: it was not taken. */
static bool submit(struct peer *p, uint64_t now)
{
	static uint8_t bytes[BYTES_MAX];
	struct scene *s = p->scene;
	struct record *r = &s->records[s->record_count];
	struct dgram_message m = {.kind = r->kind,
	                          .len = r->len,
	                          .data = bytes,
	                          .deadline = r->deadline,
	                          .user = s->record_count,
	                          .hops = r->hops,
	                          .ordered = r->ordered,
	                          .idempotent = r->idempotent};
	int error;

	m.session = into_session(p, r);
	m.to = r->addr;
	if (r->name_len) {
		m.name = r->name;
		m.name_len = r->name_len;
	}
	fill(bytes, r->len, s->record_count);
	error = dgram_endpoint_submit(p->ep, &m, now, &r->handle);
	sim_world_note(s->world, p->node, "submits message", s->record_count, &r->len,
	               sizeof r->len);
	peer_touch(p);
	if (s->world->trace)
		fprintf(s->world->trace,
		        "              %s of %zu to %u%s%s, deadline in %.3f ms, handle %llx: %s\n",
		        (const char *[]){"?", "POST", "SEND", "REQUEST", "ECHO"}[r->kind], r->len,
		        r->to, r->ordered ? ", ordered" : "", r->idempotent ? ", idempotent" : "",
		        r->deadline == DGRAM_NEVER ? -1.0 : (double)(r->deadline - now) / 1e6,
		        (unsigned long long)r->handle, dgram_strerror(error));
	if (error == 0) {
		if (r->kind != DGRAM_POST && r->handle == 0)
			fail(p, "message %u has the handle 0", s->record_count);
		s->budget -= r->len < s->budget ? r->len : s->budget;
		if (r->kind != DGRAM_POST)
			p->live[p->live_count++] = (uint16_t)s->record_count;
		s->record_count++;
		return true;
	}
	if (error == DGRAM_ERR_FULL)
		MARK(s, FULL);
	else if (error != DGRAM_ERR_SIZE && !(error == DGRAM_ERR_CLOSED && m.session))
		fail(p, "submit says \"%s\"", dgram_strerror(error));
	return false;
}

/* ---- when -------------------------------------------------------------------------------------- */

/* The last ones are for the healed network. */
static bool has_place(const struct peer *p)
{
	return p->scene->record_count < RECORDS_MAX - 60 && p->live_count < LIVE_MAX - 8;
}

static void submit_some(struct peer *p, uint64_t now)
{
	struct scene *s = p->scene;
	uint64_t count = sim_chance(&p->random, 200000) ? 2 + dg_random_below(&p->random, 8) : 1;

	while (count-- > 0 && has_place(p)) {
		draw(p, &s->records[s->record_count], s->record_count, now);
		if (!submit(p, now))
			break;
	}
	p->next_submit = now + sim_between(&p->random, DGRAM_MS, 4 * DGRAM_S);
}

static uint64_t heal_due(const struct peer *p)
{
	const struct scene *s = p->scene;

	if (!p->asks || s->world->phase != SIM_HEAL || p->next_healed >= s->peer_count)
		return DGRAM_NEVER;
	return p->next_submit;
}

/* One to each responder in turn. Who has no room tries again, as long as there is time. */
static void submit_healed(struct peer *p, uint64_t now)
{
	struct scene *s = p->scene;
	uint32_t to = p->next_healed;

	p->next_submit = now + 200 * DGRAM_MS;
	if (to == p->node || !s->peers[to].answers) {
		p->next_healed++;
		p->next_submit = now;
		return;
	}
	if (s->record_count == RECORDS_MAX) {
		p->next_healed = s->peer_count;
		return;
	}
	draw_healed(p, &s->records[s->record_count], to, now);
	if (submit(p, now))
		p->next_healed++;
	else if (!p->cramped &&
	         s->world->now > s->world->phase_ends[SIM_HEAL] - HEALED_BOUND - 5 * DGRAM_S)
		fail(p, "on the healed network there is no room to ask");
}

static void cancel_due(struct peer *p, uint64_t now)
{
	struct scene *s = p->scene;

	for (uint32_t i = 0; i < p->live_count; i++) {
		struct record *r = &s->records[p->live[i]];
		if (r->cancel_at > now)
			continue;
		int error = dgram_endpoint_cancel(p->ep, r->handle, now);
		sim_world_note(s->world, p->node, "cancels message", p->live[i], NULL, 0);
		peer_touch(p);
		r->cancelled = true;
		r->cancelled_at = s->world->now;
		r->cancel_at = DGRAM_NEVER;
		if (error && (error != DGRAM_ERR_CLOSED || !p->lazy))
			fail(p, "cancel of message %u says \"%s\", and it had not ended",
			     p->live[i], dgram_strerror(error));
	}
}

/* Everything, or a session that it remembers. */
static void close_some(struct peer *p, uint64_t now)
{
	uint64_t session = p->sessions[dg_random_below(&p->random, SESSIONS_MAX)];
	bool all = sim_chance(&p->random, 300000);

	p->next_close = now + sim_between(&p->random, 2 * DGRAM_S, 60 * DGRAM_S);
	if (!all && !session)
		return;
	sim_world_note(p->scene->world, p->node, all ? "closes everything" : "closes a session", 0,
	               NULL, 0);
	p->next_take = now;
	peer_take(p, now); /* what came before is still given */
	dgram_endpoint_close(p->ep, all ? 0 : session, now);
	peer_touch(p);
	p->closes++;
	if (!all)
		return;
	MARK(p->scene, SHUT);
	p->hushed = true;
	p->next_take = now;
	peer_take(p, now);
	if (p->live_count)
		fail(p, "everything was closed, and message %u has not ended", p->live[0]);
}

static void move(struct peer *p, uint64_t now)
{
	p->next_move = now + sim_between(&p->random, 5 * DGRAM_S, 60 * DGRAM_S);
	if (p->port == PORT + 12)
		return;
	p->port++;
	MARK(p->scene, MOVED);
	sim_world_note(p->scene->world, p->node, "its NAT gives it port", p->port, NULL, 0);
}

static uint64_t cancel_next(const struct peer *p)
{
	const struct scene *s = p->scene;
	uint64_t due = DGRAM_NEVER;

	for (uint32_t i = 0; i < p->live_count; i++)
		if (s->records[p->live[i]].cancel_at < due)
			due = s->records[p->live[i]].cancel_at;
	return due;
}

static uint64_t submit_due(const struct peer *p)
{
	return p->asks && is_hurried(p) && has_place(p) ? p->next_submit : heal_due(p);
}

uint64_t client_due(const struct peer *p)
{
	uint64_t due = cancel_next(p);
	uint64_t submits = submit_due(p);

	if (submits < due)
		due = submits;
	if (is_hurried(p) && p->next_close < due)
		due = p->next_close;
	if (is_hurried(p) && p->moves && p->next_move < due)
		due = p->next_move;
	return due;
}

/* On the first turn after the heal: when it asks. What waits for ever is given up before the end. */
static void change_plans(struct peer *p, uint64_t now)
{
	struct scene *s = p->scene;

	if (s->world->phase == SIM_HEAL && p->next_healed == NOBODY) {
		p->next_healed = 0;
		p->next_submit = now + s->settle + dg_random_below(&p->random, 10 * DGRAM_S);
	}
	if (s->world->phase != SIM_DRAIN || p->next_healed == NOBODY)
		return;
	p->next_healed = NOBODY;
	for (uint32_t i = 0; i < p->live_count; i++)
		s->records[p->live[i]].cancel_at = now + 60 * DGRAM_S;
}

void client_act(struct peer *p, uint64_t now)
{
	change_plans(p, now);
	if (is_hurried(p) && p->moves && p->next_move <= now)
		move(p, now);
	if (cancel_next(p) <= now)
		cancel_due(p, now);
	if (submit_due(p) <= now && is_hurried(p))
		submit_some(p, now);
	else if (submit_due(p) <= now)
		submit_healed(p, now);
	if (is_hurried(p) && p->next_close <= now)
		close_some(p, now);
}

void client_done(struct peer *p, const struct dgram_event *event, uint64_t now)
{
	struct scene *s = p->scene;
	struct record *r = event->user < s->record_count ? &s->records[event->user] : NULL;

	if (!r || r->from != p->node || r->from_boot != p->boot || r->handle != event->id) {
		fail(p, "the end of a message that it never submitted");
		return;
	}
	check_done(p, r, event, now);
	for (uint32_t i = 0; i < p->live_count; i++)
		if (p->live[i] == event->user) {
			p->live[i] = p->live[--p->live_count];
			break;
		}
}
