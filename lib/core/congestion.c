#include "core/congestion.h"

#include <string.h>

#define LEAST 2 /* datagrams */

uint64_t dg_congestion_least(const struct dg_congestion *c)
{
	return LEAST * c->datagram;
}

void dg_congestion_init(struct dg_congestion *c, const struct dg_congestion_operations *operations,
                        uint32_t datagram, uint32_t initial)
{
	memset(c, 0, sizeof *c);
	c->operations = operations;
	c->datagram = datagram;
	c->window = (uint64_t)datagram * initial;
	operations->start(c);
}

void dg_congestion_resize(struct dg_congestion *c, uint32_t datagram)
{
	c->datagram = datagram;
	if (c->window < dg_congestion_least(c))
		c->window = dg_congestion_least(c);
}

void dg_congestion_acked(struct dg_congestion *c, const struct dg_congestion_ack *ack)
{
	c->operations->acked(c, ack);
}

void dg_congestion_lost(struct dg_congestion *c, uint64_t sent_at, uint64_t now)
{
	c->operations->lost(c, sent_at, now);
}

void dg_congestion_collapse(struct dg_congestion *c)
{
	c->operations->collapse(c);
}

uint64_t dg_congestion_rate(const struct dg_congestion *c, uint64_t smoothed)
{
	return c->operations->rate(c, smoothed);
}
