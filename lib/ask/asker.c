/* The machine of timeout and retry.
 *
 * One wait runs at a time. It starts when a datagram leaves, grows with each re-send, and its end
 * is the turn of the next address that is not out. A refusal ends it early only where that brings
 * an address its first turn: addresses that keep silent are never hurried by what another one says.
 *
 * What may be said at the end follows from what each address left open:
 *
 *   open     nobody refused its last try     } either: the request may have run there
 *   silent   an earlier try was left open    }
 *   neither  every try was refused: it did not
 *
 * A refusal does not say which try it means. It is counted for the last one, so that one that comes
 * after the second try leaves the first open: the doubt is kept, never lost. */
#include <dgram/ask.h>

#include "ask/options.h"
#include "base/random.h"

static uint64_t later(uint64_t at, uint64_t wait)
{
	return at > DGRAM_NEVER - wait ? DGRAM_NEVER : at + wait;
}

static void tick(struct dgram_asker *a, uint64_t now)
{
	if (now > a->now)
		a->now = now;
}

int dgram_asker_init(struct dgram_asker *a, const struct dgram_addr *to, size_t to_count,
		     const struct dgram_ask_options *opt, uint64_t now)
{
	if (!to_count || to_count > DGRAM_ASK_ADDRS_MAX || (opt && opt->profile > DGRAM_PROFILE_WAN))
		return DGRAM_ERR_ARGUMENT;
	*a = (struct dgram_asker){
		.opt = dg_ask_options(opt, to, to_count),
		.addr_count = (uint8_t)to_count,
		.current = (uint8_t)(to_count - 1), /* the next one is to[0] */
		.moving = true,
		.outcome = DGRAM_ERR_AGAIN,
		.now = now,
		.start = now,
		.due = now,
	};
	if (a->opt.backoff_milli < 1000 ||
	    (a->opt.deadline == DGRAM_NEVER && !a->opt.limit_retries))
		return DGRAM_ERR_ARGUMENT;
	a->opt.deadline = later(now, a->opt.deadline);
	a->wait = a->opt.timeout;
	for (size_t i = 0; i < to_count; i++)
		a->addrs[i] = (struct dgram_asker_addr){.to = to[i], .sent_at = now};
	return 0;
}

/* The address whose turn is next, or NULL: all are out. */
static struct dgram_asker_addr *next_addr(struct dgram_asker *a)
{
	for (size_t step = 1; step <= a->addr_count; step++) {
		struct dgram_asker_addr *at = &a->addrs[(a->current + step) % a->addr_count];
		if (!at->out)
			return at;
	}
	return NULL;
}

/* A datagram to the unspecified address reaches this machine, which answers as loopback. */
static bool same_place(const struct dgram_addr *asked, const struct dgram_addr *from)
{
	if (dgram_addr_is_any(asked))
		return asked->family == from->family && asked->port == from->port &&
		       dgram_addr_is_loopback(from);
	return dgram_addr_equal(asked, from);
}

/* The current one first, should an address be there twice. */
static struct dgram_asker_addr *find_addr(struct dgram_asker *a, const struct dgram_addr *from)
{
	for (size_t step = 0; step < a->addr_count; step++) {
		struct dgram_asker_addr *at = &a->addrs[(a->current + step) % a->addr_count];
		if (same_place(&at->to, from))
			return at;
	}
	return NULL;
}

static void end(struct dgram_asker *a, int outcome)
{
	a->ended = true;
	a->sending = false;
	a->outcome = outcome;
}

/* Ends without an answer: doubtful is what to say when some try was left open. */
static void give_up(struct dgram_asker *a, int doubtful)
{
	int outcome = a->refusal ? a->refusal : a->loss ? a->loss : DGRAM_ERR_TIMEOUT;

	for (size_t i = 0; i < a->addr_count; i++)
		if (a->addrs[i].open || a->addrs[i].silent)
			outcome = doubtful;
	end(a, outcome);
}

/* Divides first, so that no product is larger than the cap: a wait is a million ns or more. */
static uint64_t grown(uint64_t wait, const struct dgram_ask_options *opt)
{
	if (wait > opt->timeout_max / opt->backoff_milli * 1000)
		return opt->timeout_max;
	return wait / 1000 * opt->backoff_milli;
}

/* Who waits for a responder to start asks until the end: the nearer it is, the sooner again. */
static void start_wait(struct dgram_asker *a)
{
	struct dg_random random;
	uint64_t half = (a->opt.deadline - a->now) / 2;
	uint64_t wait = a->opt.retry_refused && a->refusals && half < a->wait ? half : a->wait;

	dg_random_init(&random, a->opt.seed + a->resends);
	a->due = later(a->now, wait - wait / 10 + dg_random_below(&random, wait / 5 + 1));
}

/* The wait is over in silence. */
static enum dgram_ask_step resend(struct dgram_asker *a)
{
	if (a->opt.limit_retries && a->resends == a->opt.retries) {
		give_up(a, DGRAM_ERR_TIMEOUT);
		return DGRAM_ASK_END;
	}
	if (a->opt.deadline - a->now < a->opt.timeout / 4) {
		a->due = a->opt.deadline;
		return DGRAM_ASK_WAIT;
	}
	a->resends++;
	a->wait = grown(a->wait, &a->opt);
	return DGRAM_ASK_SEND;
}

static enum dgram_ask_step next_step(struct dgram_asker *a)
{
	if (!a->ended && a->now >= a->opt.deadline)
		give_up(a, DGRAM_ERR_TIMEOUT);
	if (a->ended)
		return DGRAM_ASK_END;
	if (a->sending)
		return DGRAM_ASK_SEND;
	if (a->now < a->due)
		return DGRAM_ASK_WAIT;
	return a->moving ? DGRAM_ASK_SEND : resend(a);
}

enum dgram_ask_step dgram_asker_next(struct dgram_asker *a, uint64_t now,
				     const struct dgram_addr **to)
{
	tick(a, now);

	enum dgram_ask_step step = next_step(a);

	if (step != DGRAM_ASK_SEND)
		return step;
	if (!a->sending)
		a->current = (uint8_t)(next_addr(a) - a->addrs);
	a->sending = true;
	if (to)
		*to = &a->addrs[a->current].to;
	return step;
}

/* Ends the send in progress. */
static struct dgram_asker_addr *take_turn(struct dgram_asker *a)
{
	struct dgram_asker_addr *at = &a->addrs[a->current];

	a->sending = false;
	a->moving = false;
	at->asked = true;
	return at;
}

void dgram_asker_sent(struct dgram_asker *a, uint64_t now)
{
	if (!a->sending)
		return;
	tick(a, now);

	struct dgram_asker_addr *at = take_turn(a);

	a->tries++;
	at->tries++;
	at->silent |= at->open;
	at->open = true;
	at->sent_at = a->now;
	start_wait(a);
}

void dgram_asker_lost(struct dgram_asker *a, int error, uint64_t now)
{
	if (!a->sending)
		return;
	tick(a, now);
	take_turn(a);
	a->loss = error;
	start_wait(a);
}

/* Of several refusals the one that says most: a host that is there before a way that is not. */
static int clearer(int a, int b)
{
	if (!a || b == DGRAM_ERR_REFUSED || (b == DGRAM_ERR_UNREACHABLE && a != DGRAM_ERR_REFUSED))
		return b;
	return a;
}

static bool takes_out(const struct dgram_asker *a, int error, bool unsent)
{
	switch (error) {
	case DGRAM_ERR_REFUSED:
	case DGRAM_ERR_UNREACHABLE:
		return !a->opt.retry_refused;
	case DGRAM_ERR_SIZE:
		return unsent;
	default:
		return true;
	}
}

/* After the current address said no. unsent: to the kernel's face, so that no wait is running. */
static void move_on(struct dgram_asker *a, const struct dgram_asker_addr *at, bool unsent)
{
	const struct dgram_asker_addr *next = next_addr(a);

	if (!next->asked || (unsent && at->out)) {
		a->moving = true;
		a->due = a->now;
	} else if (unsent) {
		start_wait(a);
	}
}

int dgram_asker_failed(struct dgram_asker *a, const struct dgram_addr *to, int error, uint64_t now)
{
	struct dgram_asker_addr *at = find_addr(a, to);
	bool current = at == &a->addrs[a->current];
	bool unsent = current && a->sending;

	if (a->ended || !at || at->out || (!unsent && !at->tries))
		return DGRAM_ERR_ADDRESS;
	tick(a, now);
	a->refusals++;
	a->refusal = clearer(a->refusal, error);
	if (unsent)
		take_turn(a);
	else
		at->open = false;
	if (takes_out(a, error, unsent))
		at->out = true;
	if (!next_addr(a))
		give_up(a, DGRAM_ERR_UNKNOWN);
	else if (current)
		move_on(a, at, unsent);
	return (int)(at - a->addrs);
}

bool dgram_asker_answered(struct dgram_asker *a, const struct dgram_addr *from, uint64_t now)
{
	const struct dgram_asker_addr *at = find_addr(a, from);

	if (a->ended || !a->tries)
		return false;
	if (!at || !at->tries) {
		if (!a->opt.any_source)
			return false;
		at = &a->addrs[a->current];
	}
	tick(a, now);
	a->rtt = a->now - at->sent_at;
	end(a, 0);
	return true;
}

uint64_t dgram_asker_deadline(const struct dgram_asker *a)
{
	if (a->ended)
		return DGRAM_NEVER;
	if (a->sending)
		return a->now;
	return a->due < a->opt.deadline ? a->due : a->opt.deadline;
}

int dgram_asker_outcome(const struct dgram_asker *a)
{
	return a->outcome;
}
