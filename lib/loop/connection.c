#include "loop/connection.h"

#include <string.h>

#define LEAST 24 /* bytes of the shortest datagram, BUSY */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The end of the stream, or what it broke with. */
static int read_failed(const struct dg_connection *c, int n)
{
	if (n == DGRAM_ERR_AGAIN || n == DGRAM_ERR_TIMEOUT)
		return 0;
	if (n < 0)
		return DGRAM_ERR_BROKEN;
	return dgram_frame_end(&c->reader) == 0 ? DGRAM_ERR_CLOSED : DGRAM_ERR_FORMAT;
}

/* No byte more than the datagram at hand has: the program gets its events before the next one. */
int dg_connection_read(struct dg_connections *all, struct dg_connection *c,
                       const uint8_t **datagram)
{
	for (;;) {
		size_t wanted = smaller(dgram_frame_wanted(&c->reader), all->datagram_max);
		int n = dgram_stream_recv(&c->stream, all->scratch, wanted);

		if (n <= 0)
			return read_failed(c, n);
		if (dgram_frame_feed(&c->reader, all->scratch, (size_t)n) < 0)
			return DGRAM_ERR_SIZE;
		if (dgram_frame_next(&c->reader, datagram, &c->datagram_len) == 1)
			return c->datagram_len >= LEAST ? 1 : DGRAM_ERR_SIZE;
	}
}

/* How many bytes the kernel took; negative: it is broken. */
static int put(struct dg_connection *c, const uint8_t *data, size_t len)
{
	int n = dgram_stream_send(&c->stream, data, len);

	return n == DGRAM_ERR_AGAIN || n == DGRAM_ERR_TIMEOUT ? 0 : n;
}

bool dg_connection_write(struct dg_connections *all, struct dg_connection *c, size_t len,
                         uint64_t now)
{
	int n;

	dgram_frame_header(all->scratch, len);
	len += DGRAM_FRAME_HEADER;
	n = c->state == DG_CARRYING ? put(c, all->scratch, len) : 0;
	if (n < 0)
		return false;
	c->out_at = 0;
	c->out_len = len - (size_t)n;
	c->stuck_at = now;
	memcpy(c->out, all->scratch + n, c->out_len);
	return true;
}

bool dg_connection_flush(struct dg_connection *c, uint64_t now)
{
	int n = put(c, c->out + c->out_at, c->out_len);

	if (n < 0)
		return false;
	c->out_at += (size_t)n;
	c->out_len -= (size_t)n;
	if (n > 0)
		c->stuck_at = now;
	return true;
}

int dg_connection_wants(const struct dg_connection *c)
{
	int read = c->state != DG_CONNECTING && c->datagram == NULL ? DG_WATCH_READ : 0;

	return read | (c->out_len > 0 && !c->broken ? DG_WATCH_WRITE : 0);
}
