/* The asker (dgram_asker_*) as clients, against responders that count what they execute.
 *
 * A plain datagram carries no id, so less can be promised than in the message protocol. Exactly:
 *
 *   answered   A datagram came from an address that was asked, after the first try, to the socket
 *              of this question. Where each question has a socket of its own and the datagram was
 *              not damaged, it is the answer to this question, which ran at least once.
 *   refused    (also unreachable, too large, ...) After each try, and before the next one to that
 *              address, the client was told no. Where the network doubled nothing of this question,
 *              it did not run, and never will. Where it did, one copy may have run and the other
 *              been refused: nobody can know. "Sometimes" counts these.
 *   unknown    There was a refusal, and a try that nobody refused.
 *   timeout    There was a try that nobody refused, or nothing was ever said.
 *
 * And of all: one end, which nothing changes later; not after the deadline and the lateness of a
 * timer, or the end of what kept the client from acting; waits as the header says; no more re-sends
 * than allowed; and on the healed network every question is answered. */
#include <dgram/ask.h>

#include "ask_table.h"
#include "run.h"

#include <string.h>

#define RESPONDERS_MAX 3
#define CLIENTS_MAX    4
#define QUESTIONS_MAX  160 /* of all clients */
#define REPLIES_MAX    64
#define SHARED_CHANNEL UINT32_C(1000000)

/* clang-format off */
#define MARKS(ROW) \
	ROW(FIRST_TRY,    "the first try was answered") \
	ROW(LATER_TRY,    "a later try was answered") \
	ROW(OTHER_ADDR,   "another address than the first answered") \
	ROW(REFUSED,      "refused") \
	ROW(UNREACHABLE,  "unreachable") \
	ROW(TOO_LARGE,    "too large") \
	ROW(NOT_SENT,     "never left: no buffer, or a firewall") \
	ROW(UNKNOWN,      "unknown, and it had run") \
	ROW(UNKNOWN_NOT,  "unknown, and it had not") \
	ROW(TIMEOUT,      "timeout, and it had run") \
	ROW(TIMEOUT_NOT,  "timeout, and it had not") \
	ROW(RAN_REFUSED,  "a doubled try ran and was refused") \
	ROW(RAN_TWICE,    "one try ran twice") \
	ROW(RAN_AFTER,    "it ran after its end") \
	ROW(DAMAGED,      "a damaged answer was taken") \
	ROW(STRAY,        "on a shared socket, an older answer was taken") \
	ROW(CLOSED,       "an answer came to a closed socket") \
	ROW(AFTER_END,    "news after the end changed nothing") \
	ROW(RESENT_MANY,  "more than ten tries") \
	ROW(CAPPED,       "waits reached the longest") \
	ROW(LATE_END,     "paused or jumped beyond the deadline") \
	ROW(CLIENT_DIED,  "a client died with its question") \
	ROW(HEALED,       "asked and answered after the heal")
/* clang-format on */

enum mark {
#define MARK_ROW(name, text) MARK_##name,
	MARKS(MARK_ROW)
#undef MARK_ROW
	MARK_COUNT,
};

static const char *const mark_names[] = {
#define MARK_ROW(name, text) text,
	MARKS(MARK_ROW)
#undef MARK_ROW
};

/* All that is known of one question, by the client and by whoever sees everything. */
struct question {
	uint64_t deadline; /* client's clock; DGRAM_NEVER: none */
	uint64_t last_send;
	uint64_t wait; /* the next one is at least this long, less the jitter; ns */
	uint32_t sends, hurried;
	bool news; /* a refusal since the last send */
	bool refused, lost;
	struct {
		bool asked, tried; /* whose turn it was; to which a datagram left */
		bool open, silent; /* nobody refused its last try; an earlier one */
	} addrs[RESPONDERS_MAX];
	bool healed; /* asked after the heal */

	bool ended;
	int outcome;
	unsigned runs;
	uint32_t ran[RESPONDERS_MAX]; /* bit n: try n, to tell two runs of one try */
	bool doubled;
};

struct scene;

struct client {
	struct scene *scene;
	unsigned node;
	struct dg_random random;
	struct dgram_asker asker;
	struct dgram_ask_options opt; /* of the question, defaults filled in */
	unsigned addrs[RESPONDERS_MAX];
	unsigned addr_count;
	unsigned id;        /* of its question; only where asking */
	bool asking;        /* the asker is set up: it may have ended */
	bool shared;        /* all questions on one socket */
	bool calm;          /* has asked its questions of the heal */
	uint64_t next_ask;  /* own clock */
	uint8_t data[1500]; /* question 4, address 1, try 1, filler */
};

struct responder {
	struct scene *scene;
	unsigned node;
	struct dg_random random;
	uint64_t slow; /* a handler takes up to this long */
	struct reply {
		uint64_t due;
		unsigned to;
		uint32_t channel, question;
	} replies[REPLIES_MAX];
	unsigned reply_count;
	uint32_t sending;
};

struct scene {
	struct sim_world *world;
	uint64_t *marks;
	struct responder responders[RESPONDERS_MAX];
	struct client clients[CLIENTS_MAX];
	unsigned responder_count, client_count;
	struct question questions[QUESTIONS_MAX];
	unsigned question_count;
};

/* ---- the responder: runs whatever comes, after some time says so ------------------------------ */

static bool says_it_did_not_run(const struct question *q)
{
	return q->ended && q->outcome && q->outcome != DGRAM_ERR_TIMEOUT &&
	       q->outcome != DGRAM_ERR_UNKNOWN;
}

static void check_refusal(struct scene *s, unsigned id)
{
	struct question *q = &s->questions[id];

	if (!says_it_did_not_run(q) || !q->runs)
		return;
	if (q->doubled)
		s->marks[MARK_RAN_REFUSED]++;
	else
		sim_world_fail(s->world, "question %u ended with \"%s\" and ran", id,
			       dgram_strerror(q->outcome));
}

static void run_question(struct responder *r, const struct sim_datagram *in)
{
	struct question *q;
	uint32_t id, bit = UINT32_C(1) << (in->data[5] & 31);

	memcpy(&id, in->data, sizeof id);
	q = &r->scene->questions[id];
	q->doubled |= in->copy;
	r->scene->marks[MARK_RAN_TWICE] += (q->ran[in->data[4]] & bit) != 0;
	r->scene->marks[MARK_RAN_AFTER] += q->ended;
	q->ran[in->data[4]] |= bit;
	q->runs++;
	check_refusal(r->scene, id);
}

static void responder_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct responder *r = self;
	struct reply *reply = &r->replies[r->reply_count];

	if (in->damaged) /* it runs as something else, if at all */
		return;
	run_question(r, in);
	if (r->reply_count == REPLIES_MAX)
		return;
	*reply = (struct reply){.due = now + dg_random_below(&r->random, r->slow + 1),
				.to = in->from,
				.channel = in->channel};
	memcpy(&reply->question, in->data, sizeof reply->question);
	r->reply_count++;
}

static bool responder_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct responder *r = self;

	for (unsigned i = 0; i < r->reply_count; i++) {
		struct reply *reply = &r->replies[i];
		if (reply->due > now)
			continue;
		r->sending = reply->question;
		*out = (struct sim_datagram){.to = reply->to,
					     .channel = reply->channel,
					     .data = (const uint8_t *)&r->sending,
					     .len = sizeof r->sending};
		*reply = r->replies[--r->reply_count];
		return true;
	}
	return false;
}

static uint64_t responder_deadline(const void *self)
{
	const struct responder *r = self;
	uint64_t first = DGRAM_NEVER;

	for (unsigned i = 0; i < r->reply_count; i++)
		if (r->replies[i].due < first)
			first = r->replies[i].due;
	return first;
}

static void responder_restart(void *self, uint64_t now)
{
	(void)now;
	((struct responder *)self)->reply_count = 0;
}

static const struct sim_machine responder_machine = {
	responder_receive, responder_transmit, responder_deadline, responder_restart, NULL};

/* ---- the client: what it asks ----------------------------------------------------------------- */

static struct dgram_addr addr_of(unsigned node)
{
	return (struct dgram_addr){
		.family = DGRAM_IPV4, .port = 7, .u.ip4 = {10, 0, 0, (uint8_t)(node + 1)}};
}

static struct question *question_of(const struct client *c)
{
	return &c->scene->questions[c->id];
}

static uint32_t channel_of(const struct client *c)
{
	return c->shared ? SHARED_CHANNEL + c->node : c->id;
}

/* What the header says of each profile, to hold the machine to. */
static struct dgram_ask_options with_defaults(const struct dgram_ask_options *opt)
{
	static const struct dgram_ask_options profiles[] = {
		{.timeout = 50 * DGRAM_MS, .backoff_milli = 1500, .timeout_max = 500 * DGRAM_MS, .deadline = 5 * DGRAM_S},
		{.timeout = 100 * DGRAM_MS, .backoff_milli = 1500, .timeout_max = DGRAM_S, .deadline = 5 * DGRAM_S},
		{.timeout = DGRAM_S, .backoff_milli = 2000, .timeout_max = 8 * DGRAM_S, .deadline = 30 * DGRAM_S},
	};
	struct dgram_ask_options o = *opt;
	const struct dgram_ask_options *p = &profiles[o.profile - DGRAM_PROFILE_LOOPBACK];

	o.timeout = o.timeout ? o.timeout : p->timeout;
	o.backoff_milli = o.backoff_milli ? o.backoff_milli : p->backoff_milli;
	o.deadline = o.deadline ? o.deadline : p->deadline;
	if (!o.timeout_max)
		o.timeout_max = o.timeout > p->timeout_max ? o.timeout : p->timeout_max;
	return o;
}

static struct dgram_ask_options draw_options(struct dg_random *random, bool plain)
{
	struct dgram_ask_options o = {
		.profile = DGRAM_PROFILE_LOOPBACK + (enum dgram_profile)dg_random_below(random, 3),
		.seed = dg_random_next(random)};

	if (plain)
		return o;
	if (sim_chance(random, 300000))
		o.timeout = sim_between(random, 5 * DGRAM_MS, 2 * DGRAM_S);
	if (sim_chance(random, 300000))
		o.backoff_milli = 1000 + (uint32_t)dg_random_below(random, 2000);
	if (o.timeout && sim_chance(random, 300000))
		o.timeout_max = o.timeout * (1 + dg_random_below(random, 8));
	if (sim_chance(random, 300000))
		o.deadline = sim_between(random, DGRAM_MS, 60 * DGRAM_S);
	o.retry_refused = sim_chance(random, 300000);
	o.limit_retries = sim_chance(random, 300000);
	o.retries = (uint32_t)dg_random_below(random, 6);
	if (o.limit_retries && sim_chance(random, 300000))
		o.deadline = DGRAM_NEVER;
	return o;
}

static void draw_addrs(struct client *c, struct dgram_addr *to)
{
	unsigned count = c->scene->responder_count;
	unsigned first = (unsigned)dg_random_below(&c->random, count);

	c->addr_count = 1 + (unsigned)dg_random_below(&c->random, count);
	for (unsigned i = 0; i < c->addr_count; i++) {
		c->addrs[i] = c->scene->responders[(first + i) % count].node;
		to[i] = addr_of(c->addrs[i]);
	}
}

static void ask(struct client *c, uint64_t now)
{
	struct scene *s = c->scene;
	struct dgram_addr to[RESPONDERS_MAX];
	bool healed = s->world->phase == SIM_HEAL;
	struct dgram_ask_options opt = draw_options(&c->random, healed);

	draw_addrs(c, to);
	c->opt = with_defaults(&opt);
	c->id = s->question_count++;
	c->asking = true;
	c->calm = healed;
	*question_of(c) = (struct question){
		.healed = healed,
		.deadline = c->opt.deadline == DGRAM_NEVER ? DGRAM_NEVER : now + c->opt.deadline,
		.wait = c->opt.timeout};
	sim_world_note(s->world, c->node, "asks question", c->id, NULL, 0);
	if (dgram_asker_init(&c->asker, to, c->addr_count, &opt, now) < 0)
		sim_world_fail(s->world, "question %u was not taken", c->id);
}

static bool is_busy(const struct client *c)
{
	return c->asking && !question_of(c)->ended;
}

static uint64_t wants_to_ask(const struct client *c)
{
	switch (c->scene->world->phase) {
	case SIM_FAULTS:
		return c->scene->question_count < QUESTIONS_MAX - CLIENTS_MAX ? c->next_ask
									      : DGRAM_NEVER;
	case SIM_HEAL:
		return c->calm ? DGRAM_NEVER : c->next_ask;
	case SIM_DRAIN:
	case SIM_PHASES:
		break;
	}
	return DGRAM_NEVER;
}

/* ---- the client: what must hold --------------------------------------------------------------- */

static bool has_doubt(const struct client *c)
{
	const struct question *q = question_of(c);

	for (unsigned i = 0; i < c->addr_count; i++)
		if (q->addrs[i].open || q->addrs[i].silent)
			return true;
	return false;
}

static void mark_end(const struct client *c)
{
	const struct question *q = question_of(c);
	uint64_t *marks = c->scene->marks;

	switch (q->outcome) {
	case 0:
		marks[q->sends == 1 ? MARK_FIRST_TRY : MARK_LATER_TRY]++;
		marks[MARK_HEALED] += q->healed;
		break;
	case DGRAM_ERR_TIMEOUT:
		marks[q->runs ? MARK_TIMEOUT : MARK_TIMEOUT_NOT]++;
		break;
	case DGRAM_ERR_UNKNOWN:
		marks[q->runs ? MARK_UNKNOWN : MARK_UNKNOWN_NOT]++;
		break;
	case DGRAM_ERR_REFUSED:
		marks[MARK_REFUSED]++;
		break;
	case DGRAM_ERR_UNREACHABLE:
		marks[MARK_UNREACHABLE]++;
		break;
	case DGRAM_ERR_SIZE:
		marks[MARK_TOO_LARGE]++;
		break;
	default:
		marks[MARK_NOT_SENT]++;
	}
	marks[MARK_RESENT_MANY] += q->sends > 10;
	marks[MARK_CAPPED] += q->wait == c->opt.timeout_max;
}

/* Why this outcome is a lie, or NULL. */
static const char *lie(const struct client *c)
{
	const struct question *q = question_of(c);
	bool doubt = has_doubt(c);

	if (q->healed && q->outcome && !c->shared)
		return "the network was whole";
	switch (q->outcome) {
	case 0:
		return NULL; /* see client_receive() */
	case DGRAM_ERR_TIMEOUT:
		return doubt || (!q->refused && !q->lost) ? NULL : "every try was refused or lost";
	case DGRAM_ERR_UNKNOWN:
		return !doubt	    ? "every try was refused"
		       : !q->refused ? "nobody refused anything"
				     : NULL;
	case DGRAM_ERR_AGAIN:
	case DGRAM_ERR_NOBUFS:
	case DGRAM_ERR_DENIED:
		return doubt || !q->lost ? "a try had left" : NULL;
	default:
		return doubt || !q->refused ? "a try is open" : NULL;
	}
}

static void finish(struct client *c, uint64_t now)
{
	struct scene *s = c->scene;
	struct question *q = question_of(c);
	const char *why;

	if (q->ended)
		return;
	q->ended = true;
	q->outcome = dgram_asker_outcome(&c->asker);
	c->next_ask = now + sim_between(&c->random, DGRAM_MS, 5 * DGRAM_S);
	sim_world_note(s->world, c->node, dgram_strerror(q->outcome), c->id, NULL, 0);
	mark_end(c);
	check_refusal(s, c->id);
	why = lie(c);
	if (why)
		sim_world_fail(s->world, "question %u ended with \"%s\": %s", c->id,
			       dgram_strerror(q->outcome), why);
	if (dgram_asker_deadline(&c->asker) != DGRAM_NEVER)
		sim_world_fail(s->world, "question %u has ended and still wants to be called", c->id);
}

/* After news for a question that has ended. */
static void check_ended(struct client *c)
{
	c->scene->marks[MARK_AFTER_END]++;
	if (dgram_asker_outcome(&c->asker) != question_of(c)->outcome)
		sim_world_fail(c->scene->world, "question %u ended twice", c->id);
}

/* In whole us, as a wait grows. */
static uint64_t grown(uint64_t wait, const struct dgram_ask_options *opt)
{
	uint64_t longer = wait / DGRAM_US * opt->backoff_milli;

	return longer < opt->timeout_max ? longer : opt->timeout_max;
}

/* Who waits for a responder to start asks again after half of what is left. */
static bool nears_end(const struct client *c, const struct question *q, uint64_t gap)
{
	uint64_t half = (q->deadline - q->last_send) / 2;

	return c->opt.retry_refused && gap >= half - half / 10;
}

/* The waits between sends. One that a refusal may have cut short is counted apart: it is short, or
 * the address is a new one. */
static void check_send(struct client *c, unsigned index, uint64_t now)
{
	struct question *q = question_of(c);
	uint64_t gap = now - q->last_send;
	bool is_short = gap < q->wait - q->wait / 10 && !nears_end(c, q, gap);

	if (q->sends > 0 && (is_short || (q->news && !q->addrs[index].asked))) {
		q->hurried++;
		if (!q->news)
			sim_world_fail(c->scene->world, "question %u: %.3f ms between tries, not %.3f",
				       c->id, (double)gap / 1e6, (double)q->wait / 1e6);
	} else if (q->sends > 0 && !q->news) {
		q->wait = grown(q->wait, &c->opt);
	}
	q->sends++;
	q->addrs[index].asked = true;
	q->news = false;
	q->last_send = now;
	if (q->hurried > 2 * c->addr_count)
		sim_world_fail(c->scene->world, "question %u: refusals hurry it again and again", c->id);
	if (c->opt.limit_retries && q->sends - q->hurried > c->opt.retries + 1)
		sim_world_fail(c->scene->world, "question %u: more re-sends than allowed", c->id);
}

/* At most the longest wait and the jitter, which rounding may make 1 ns longer. */
static void check_wait(struct client *c, uint64_t now)
{
	uint64_t deadline = dgram_asker_deadline(&c->asker);

	if (deadline > now && deadline - now > c->opt.timeout_max + c->opt.timeout_max / 10 + 1)
		sim_world_fail(c->scene->world, "question %u waits %.3f ms, longer than it may", c->id,
			       (double)(deadline - now) / 1e6);
}

/* After every event: nobody is later than its deadline. */
static void check_deadlines(struct sim_world *world, void *context)
{
	struct scene *s = context;
	uint64_t slack = world->faults.granule + world->faults.granule / 1000 + 1000;

	for (unsigned i = 0; i < s->client_count; i++) {
		const struct client *c = &s->clients[i];
		uint64_t now = sim_world_clock(world, c->node);
		uint64_t excused = world->nodes[c->node].excused;
		if (!is_busy(c) || !sim_world_is_awake(world, c->node))
			continue;
		uint64_t deadline = question_of(c)->deadline;
		if (deadline != DGRAM_NEVER && now > deadline + slack && now > excused + slack)
			sim_world_fail(world, "question %u has not ended at its deadline", c->id);
	}
}

/* ---- the client: the machine's calls ---------------------------------------------------------- */

/* The index of an asked address, or addr_count. */
static unsigned index_of(const struct client *c, unsigned node)
{
	unsigned i = 0;

	while (i < c->addr_count && c->addrs[i] != node)
		i++;
	return i;
}

static void build(struct client *c, struct sim_datagram *out, unsigned index)
{
	static const size_t lengths[] = {6, 64, 300, 1000, 1420, 1500};
	uint32_t id = c->id;

	memcpy(c->data, &id, sizeof id);
	c->data[4] = (uint8_t)(c->addrs[index] - c->scene->responders[0].node);
	c->data[5] = (uint8_t)question_of(c)->sends;
	*out = (struct sim_datagram){.to = c->addrs[index],
				     .channel = channel_of(c),
				     .data = c->data,
				     .len = lengths[c->id % (sizeof lengths / sizeof lengths[0])]};
}

static bool client_transmit(void *self, struct sim_datagram *out, uint64_t now)
{
	struct client *c = self;
	const struct dgram_addr *to = NULL;
	bool late;

	if (!is_busy(c) && wants_to_ask(c) <= now)
		ask(c, now);
	if (!c->asking)
		return false;
	late = is_busy(c) && now > question_of(c)->deadline + DGRAM_S;
	switch (dgram_asker_next(&c->asker, now, &to)) {
	case DGRAM_ASK_SEND:
		if (now >= question_of(c)->deadline)
			sim_world_fail(c->scene->world, "question %u: sent at its deadline", c->id);
		check_send(c, index_of(c, to->u.ip4[3] - 1U), now);
		build(c, out, index_of(c, to->u.ip4[3] - 1U));
		return true;
	case DGRAM_ASK_WAIT:
		check_wait(c, now);
		return false;
	case DGRAM_ASK_END:
		c->scene->marks[MARK_LATE_END] += late;
		finish(c, now);
		break;
	}
	return false;
}

/* As dgram_ask() takes what a send returns: whether the same one may work in a moment. */
static bool may_pass(int error)
{
	return error == DGRAM_ERR_AGAIN || error == DGRAM_ERR_NOBUFS || error == DGRAM_ERR_DENIED;
}

static void told_at_once(struct client *c, unsigned to, int error, uint64_t now)
{
	struct question *q = question_of(c);
	unsigned i = index_of(c, to);
	struct dgram_addr addr = addr_of(to);

	if (!error) {
		q->addrs[i].silent |= q->addrs[i].open;
		q->addrs[i].open = q->addrs[i].tried = true;
		dgram_asker_sent(&c->asker, now);
	} else if (may_pass(error)) {
		q->lost = true;
		dgram_asker_lost(&c->asker, error, now);
	} else {
		q->refused = q->news = true;
		dgram_asker_failed(&c->asker, &addr, error, now);
	}
}

static void client_told(void *self, const struct sim_datagram *about, int error, bool at_once,
			uint64_t now)
{
	struct client *c = self;

	if (at_once) {
		told_at_once(c, about->to, error, now);
		return;
	}
	if (!c->asking || about->channel != channel_of(c))
		return;

	struct question *q = question_of(c);
	unsigned i = index_of(c, about->to);
	struct dgram_addr addr = addr_of(about->to);
	uint32_t id;

	memcpy(&id, about->data, sizeof id);
	if (about->copy || id != c->id) /* a doubled one, or another question's on this socket */
		q->doubled = true;
	if (!q->ended && i < c->addr_count && q->addrs[i].tried) {
		q->refused = q->news = true;
		q->addrs[i].open = false;
	}
	dgram_asker_failed(&c->asker, &addr, error, now);
	if (q->ended)
		check_ended(c);
	else if (dgram_asker_outcome(&c->asker) != DGRAM_ERR_AGAIN)
		finish(c, now);
}

static void client_receive(void *self, const struct sim_datagram *in, uint64_t now)
{
	struct client *c = self;
	struct scene *s = c->scene;
	struct dgram_addr from = addr_of(in->from);
	uint32_t id = QUESTIONS_MAX;

	if (!c->asking || in->channel != channel_of(c)) {
		s->marks[MARK_CLOSED]++;
		return;
	}
	bool answer = dgram_asker_answered(&c->asker, &from, now);
	unsigned i = index_of(c, in->from);

	if (question_of(c)->ended) {
		check_ended(c);
		return;
	}
	if (answer != (i < c->addr_count && question_of(c)->addrs[i].tried)) {
		sim_world_fail(s->world, "question %u: an answer from a stranger, or none from a friend",
			       c->id);
		return;
	}
	if (!answer)
		return;
	if (!in->damaged && in->len == sizeof id)
		memcpy(&id, in->data, sizeof id);
	s->marks[MARK_DAMAGED] += in->damaged;
	s->marks[MARK_OTHER_ADDR] += i > 0;
	s->marks[MARK_STRAY] += id != c->id && !in->damaged;
	if (!c->shared && !in->damaged && (id != c->id || !question_of(c)->runs))
		sim_world_fail(s->world, "question %u took the answer to question %u", c->id, id);
	finish(c, now);
}

static uint64_t client_deadline(const void *self)
{
	const struct client *c = self;

	return is_busy(c) ? dgram_asker_deadline(&c->asker) : wants_to_ask(c);
}

static void client_restart(void *self, uint64_t now)
{
	struct client *c = self;

	c->scene->marks[MARK_CLIENT_DIED] += is_busy(c);
	c->asking = false;
	c->next_ask = now;
}

static const struct sim_machine client_machine = {client_receive, client_transmit, client_deadline,
						  client_restart, client_told};

/* ---- one run ---------------------------------------------------------------------------------- */

static void add_responder(struct scene *s, struct dg_random *random)
{
	struct responder *r = &s->responders[s->responder_count++];

	r->scene = s;
	r->slow = sim_between(random, DGRAM_US, 300 * DGRAM_MS);
	dg_random_split(random, &r->random);
	r->node = sim_world_add(s->world, &responder_machine, r);
}

static void add_client(struct scene *s, struct dg_random *random)
{
	struct client *c = &s->clients[s->client_count++];

	c->scene = s;
	c->shared = sim_chance(random, 250000);
	dg_random_split(random, &c->random);
	c->node = sim_world_add(s->world, &client_machine, c);
}

static void run(struct sim_world *world, uint64_t *marks)
{
	static struct scene scene;
	struct dg_random random;

	scene = (struct scene){.world = world, .marks = marks};
	dg_random_split(&world->random, &random);
	for (uint64_t n = 1 + dg_random_below(&random, RESPONDERS_MAX); n > 0; n--)
		add_responder(&scene, &random);
	for (uint64_t n = 1 + dg_random_below(&random, CLIENTS_MAX); n > 0; n--)
		add_client(&scene, &random);
	world->check = check_deadlines;
	world->context = &scene;
	sim_world_run(world);
	for (unsigned i = 0; i < scene.client_count && !world->failure[0]; i++)
		if (is_busy(&scene.clients[i]))
			sim_world_fail(world, "question %u never ended", scene.clients[i].id);
		else if (!scene.clients[i].calm)
			sim_world_fail(world, "client %u did not ask after the heal", i);
}

int main(int argc, char **argv)
{
	static const struct sim_play play = {
		.marks = mark_names, .mark_count = MARK_COUNT, .run = run, .table = ask_table};

	return sim_run(argc, argv, &play);
}
