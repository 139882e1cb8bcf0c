/* What the program of a peer does with requests: answers, refuses, or forgets about them. */
#include "message.h"

#include <dgram/error.h>
#include <string.h>

static bool is_calm(const struct peer *p)
{
	return p->scene->world->phase != SIM_FAULTS;
}

static struct job *job_of(const struct peer *p, uint64_t handle)
{
	struct scene *s = p->scene;

	for (uint32_t i = s->job_count; i > 0; i--) {
		struct job *j = &s->jobs[i - 1];
		if (j->peer == p->node && j->boot == p->boot && j->handle == handle)
			return j;
	}
	return NULL;
}

/* It is neither queued nor running any more. */
static void forget(struct peer *p, const struct job *j)
{
	uint16_t number = (uint16_t)(j - p->scene->jobs);

	for (uint32_t i = 0; i < p->open_count; i++)
		if (p->open[i] == number) {
			p->open[i] = p->open[--p->open_count];
			return;
		}
}

/* From at once to long after the deadline; NEVER: its handler crashed. */
static uint64_t any_due(struct peer *p, uint64_t now)
{
	uint64_t kind = dg_random_below(&p->random, 100);

	if (is_calm(p) || kind < 45)
		return now;
	if (kind < 70)
		return now + sim_between(&p->random, 10 * DGRAM_US, 20 * DGRAM_MS);
	if (kind < 97)
		return now + sim_between(&p->random, DGRAM_MS, 20 * DGRAM_S);
	return DGRAM_NEVER;
}

static size_t any_reply(struct peer *p)
{
	struct scene *s = p->scene;
	uint64_t kind = dg_random_below(&p->random, 100);
	size_t len = (size_t)dg_random_below(&p->random, 100);

	if (kind < 15)
		len = (size_t)dg_random_below(&p->random, 1500);
	else if (kind < 23)
		len = (size_t)dg_random_below(&p->random, 20000);
	else if (kind < 25)
		len = (size_t)dg_random_below(&p->random, 300000);
	if (len > s->budget)
		len = 32;
	s->budget -= len < s->budget ? len : s->budget;
	return len;
}

static void plan(struct peer *p, struct job *j, const struct record *r, uint64_t now)
{
	j->due = any_due(p, now);
	/* What will be cancelled had better not be done by then. */
	if (!is_calm(p) && r->cancel_at != DGRAM_NEVER && sim_chance(&p->random, 500000))
		j->due = DGRAM_NEVER;
	if (!is_calm(p) && sim_chance(&p->random, 80000)) {
		j->refusal = (uint8_t)(1 + dg_random_below(&p->random, 3));
		if (j->due == DGRAM_NEVER)
			j->due = now;
		return;
	}
	j->len = r->healed ? 64 : any_reply(p);
	if (sim_chance(&p->random, 100000) && !r->healed)
		j->status = (uint8_t)(1 + dg_random_below(&p->random, 255));
}

void handler_request(struct peer *p, const struct dgram_event *event, uint64_t now)
{
	struct scene *s = p->scene;
	struct record *r = check_given(p, event, now);
	struct job *j = &s->jobs[s->job_count];

	if (!r)
		return;
	if (s->job_count >= JOBS_MAX - (r->healed ? 0 : 100)) {
		/* As many as a run can take: nobody must see more than a refusal of it. */
		dgram_endpoint_refuse(p->ep, event->id, DGRAM_BUSY, DGRAM_S, now);
		return;
	}
	*j = (struct job){.record = (uint32_t)(r - s->records),
	                  .peer = p->node,
	                  .boot = p->boot,
	                  .next = r->jobs,
	                  .handle = event->id,
	                  .session = event->session,
	                  .deadline = event->deadline};
	p->open[p->open_count++] = (uint16_t)s->job_count;
	r->jobs = s->job_count++;
	plan(p, j, r, now);
	if (j->refusal)
		return;
	j->state = JOB_RUNNING;
	check_began(p, r, j);
}

void handler_stop(struct peer *p, const struct dgram_event *event, uint64_t now)
{
	struct job *j = job_of(p, event->id);

	if (!j || (j->state != JOB_RUNNING && j->state != JOB_QUEUED && j->state != JOB_CLOSED)) {
		fail(p, "STOP for a request that it does not run");
		return;
	}
	MARK(p->scene, STOPPED);
	if (j->state != JOB_CLOSED)
		forget(p, j);
	j->state = JOB_STOPPED;
	sim_world_note(p->scene->world, p->node, "stops request", j->record, NULL, 0);
	if (!sim_chance(&p->random, 300000))
		return;
	if (dgram_endpoint_reply(p->ep, event->id, 0, "late", 4, now) != DGRAM_ERR_CLOSED)
		fail(p, "a reply after its STOP was taken");
	MARK(p->scene, REPLY_STOPPED);
}

void handler_died(struct peer *p)
{
	struct scene *s = p->scene;

	for (uint32_t i = 0; i < s->job_count; i++) {
		struct job *j = &s->jobs[i];
		if (j->peer == p->node && j->boot == p->boot &&
		    (j->state == JOB_RUNNING || j->state == JOB_QUEUED || j->state == JOB_CLOSED))
			j->state = JOB_DIED;
	}
	p->open_count = 0;
}

/* 0, or what the endpoint said. */
static int answer(struct peer *p, struct job *j, uint64_t now)
{
	static uint8_t bytes[BYTES_MAX];
	uint32_t number = (uint32_t)(j - p->scene->jobs);

	if (j->refusal) {
		uint64_t retry = j->refusal == DGRAM_BUSY ? DGRAM_S : 0;
		sim_world_note(p->scene->world, p->node, "refuses request", j->record, NULL, 0);
		return dgram_endpoint_refuse(p->ep, j->handle, (enum dgram_refusal)j->refusal,
		                             retry, now);
	}
	fill(bytes, j->len, REPLY_KEY | number);
	sim_world_note(p->scene->world, p->node, "replies to request", j->record, &j->len,
	               sizeof j->len);
	return dgram_endpoint_reply(p->ep, j->handle, j->status, bytes, j->len, now);
}

static void act(struct peer *p, struct job *j, uint64_t now)
{
	int error = answer(p, j, now);

	peer_touch(p);
	switch (error) {
	case 0:
		j->state = j->refusal ? JOB_REFUSED : JOB_REPLIED;
		forget(p, j);
		return;
	case DGRAM_ERR_CLOSED: /* its STOP is on the way */
		j->state = JOB_CLOSED;
		forget(p, j);
		return;
	case DGRAM_ERR_FULL:
		MARK(p->scene, REPLY_FULL);
		j->due = now + 10 * DGRAM_MS;
		if (++j->tries < 20)
			return;
		break;
	case DGRAM_ERR_SIZE:
		break;
	default:
		fail(p, "a reply says \"%s\"", dgram_strerror(error));
	}
	if (j->len == 0 && j->tries > 2000)
		fail(p, "there is no room for an empty reply");
	/* A failure is shorter. */
	j->len = 0;
	j->status = 1;
	j->due = now + 10 * DGRAM_MS;
}

uint64_t handler_due(const struct peer *p)
{
	uint64_t due = DGRAM_NEVER;

	for (uint32_t i = 0; i < p->open_count; i++)
		if (p->scene->jobs[p->open[i]].due < due)
			due = p->scene->jobs[p->open[i]].due;
	return due;
}

static bool is_left_to_cancel(const struct peer *p, const struct job *j)
{
	return p->scene->world->phase == SIM_HEAL && j->due == DGRAM_NEVER &&
	       p->scene->records[j->record].cancelled;
}

void handler_act(struct peer *p, uint64_t now)
{
	for (uint32_t i = 0; i < p->open_count;) {
		struct job *j = &p->scene->jobs[p->open[i]];
		uint16_t number = p->open[i];
		/* Slow ones hurry, and who crashed is found; but what was cancelled has to end by that. */
		if (is_calm(p) && j->due > now + DGRAM_S && !is_left_to_cancel(p, j))
			j->due = now + dg_random_below(&p->random, DGRAM_S);
		if (j->due <= now)
			act(p, j, now);
		if (i < p->open_count && p->open[i] == number)
			i++;
	}
}
