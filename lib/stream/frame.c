#include <dgram/frame.h>

#include <limits.h>
#include <string.h>

void dgram_frame_init(struct dgram_frame_reader *r, void *buf, size_t size)
{
	*r = (struct dgram_frame_reader){.buf = buf, .size = size};
}

/* A message is complete as soon as its header is, when it is empty. */
static bool complete(const struct dgram_frame_reader *r)
{
	return r->header_have == DGRAM_FRAME_HEADER && r->have == r->length;
}

size_t dgram_frame_wanted(const struct dgram_frame_reader *r)
{
	if (r->failed)
		return 0;
	if (r->header_have < DGRAM_FRAME_HEADER)
		return DGRAM_FRAME_HEADER - (size_t)r->header_have;
	return r->length - r->have;
}

/* The header is whole: its length is believed only if the caller's buffer holds that much. */
static int read_length(struct dgram_frame_reader *r)
{
	const uint8_t *h = r->header;
	uint32_t length = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];

	if (length > r->size) {
		r->failed = true;
		return DGRAM_ERR_SIZE;
	}
	r->length = length;
	return 0;
}

/* One piece of what is wanted: of the header, or of the message. */
static size_t take(struct dgram_frame_reader *r, const uint8_t *data, size_t len)
{
	size_t n = dgram_frame_wanted(r);

	if (n > len)
		n = len;
	if (n == 0)
		return 0;
	if (r->header_have < DGRAM_FRAME_HEADER) {
		memcpy(r->header + r->header_have, data, n);
		r->header_have = (uint8_t)(r->header_have + n);
	} else {
		memcpy(r->buf + r->have, data, n);
		r->have += n;
	}
	return n;
}

int dgram_frame_feed(struct dgram_frame_reader *r, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t taken = 0;

	if (r->failed)
		return DGRAM_ERR_SIZE;
	if (len > INT_MAX)
		len = INT_MAX;
	if (r->header_have < DGRAM_FRAME_HEADER) {
		taken = take(r, bytes, len);
		if (r->header_have < DGRAM_FRAME_HEADER)
			return (int)taken;
		if (read_length(r) != 0)
			return DGRAM_ERR_SIZE;
	}
	taken += take(r, bytes + taken, len - taken);
	return (int)taken;
}

int dgram_frame_next(struct dgram_frame_reader *r, const uint8_t **message, size_t *len)
{
	if (r->failed)
		return DGRAM_ERR_SIZE;
	if (!complete(r))
		return 0;
	*message = r->buf;
	*len = r->length;
	r->have = 0;
	r->length = 0;
	r->header_have = 0;
	return 1;
}

int dgram_frame_end(const struct dgram_frame_reader *r)
{
	if (r->failed)
		return DGRAM_ERR_SIZE;
	return r->header_have == 0 || complete(r) ? 0 : DGRAM_ERR_FORMAT;
}

int dgram_frame_header(uint8_t out[DGRAM_FRAME_HEADER], size_t len)
{
	if ((uint64_t)len > UINT32_MAX)
		return DGRAM_ERR_SIZE;
	out[0] = (uint8_t)(len >> 24);
	out[1] = (uint8_t)(len >> 16);
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	return 0;
}
