#include "core/congestion.h"

#include <dgram/time.h>

#define SLACK                                                                                      \
	3 /* datagrams of window that may be free although it is in use: acknowledged two by two   \
	   */

static void start(struct dg_congestion *c)
{
	c->of.newreno.threshold = UINT64_MAX;
}

/* What left before the window was reduced says nothing of the reduced one (RFC 9002, 7.3.2). */
static bool is_from_before(const struct dg_newreno *n, uint64_t sent_at)
{
	return n->was_reduced && sent_at <= n->reduced_at;
}

/* A window that nobody fills was not tested by the network and must not grow (RFC 9002, 7.8). While
 * it doubles, or where a pacer spreads what is sent, it is seldom full to the brim. */
static bool is_in_use(const struct dg_congestion *c, uint64_t in_flight)
{
	if (c->window < c->of.newreno.threshold)
		return in_flight > c->window / 2;
	return in_flight + c->window / 8 + SLACK * c->datagram >= c->window;
}

static void acked(struct dg_congestion *c, const struct dg_congestion_ack *ack)
{
	struct dg_newreno *n = &c->of.newreno;

	if (is_from_before(n, ack->sent_at) || !is_in_use(c, ack->in_flight))
		return;
	if (c->window < n->threshold) { /* RFC 9002, 7.3.1: slow start */
		c->window += ack->bytes;
		return;
	}
	n->progress += ack->bytes; /* 7.3.3: congestion avoidance */
	if (n->progress >= c->window) {
		n->progress -= c->window;
		c->window += c->datagram;
	}
}

static void lost(struct dg_congestion *c, uint64_t sent_at, uint64_t now)
{
	struct dg_newreno *n = &c->of.newreno;
	uint64_t half = c->window / 2; /* RFC 9002, appendix B.1: kLossReductionFactor */

	if (is_from_before(n, sent_at))
		return;
	n->was_reduced = true;
	n->reduced_at = now;
	n->progress = 0;
	n->threshold = half;
	c->window = half > dg_congestion_least(c) ? half : dg_congestion_least(c);
}

/* RFC 9002, 7.6.2. Its appendix B.8 forgets as well when the window was reduced; here that stays:
 * the ACK that shows the losses may settle a whole window from before them, and would take the
 * window up again at once. */
static void collapse(struct dg_congestion *c)
{
	c->window = dg_congestion_least(c);
}

/* RFC 9002, 7.7: a quarter faster than the window alone would be, so that a pacer never is what
 * keeps it from being used. */
static uint64_t rate(const struct dg_congestion *c, uint64_t smoothed)
{
	return smoothed > 0 ? (c->window + c->window / 4) * DGRAM_S / smoothed : 0;
}

const struct dg_congestion_operations dg_newreno = {
        .start = start,
        .acked = acked,
        .lost = lost,
        .collapse = collapse,
        .rate = rate,
};
