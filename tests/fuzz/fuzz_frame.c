/* The frame reader: a stream cut anywhere gives the messages that it gives uncut, those that a
 * plain walk over all of its bytes finds; nothing is written beyond the caller's buffer (which lies
 * on the heap, for the sanitizer).
 *
 * Input: the size of the buffer, a seed for the cuts, the stream. */
#include "fuzz.h"

#include <dgram/frame.h>

struct walk {
	const uint8_t *data;
	size_t size; /* of data */
	size_t at;
	size_t max; /* longest message */
};

/* What a reader should say next: 1 with a message, 0 when bytes are missing, DGRAM_ERR_SIZE. */
static int walk_next(struct walk *w, const uint8_t **message, size_t *len)
{
	const uint8_t *h = w->data + w->at;

	if (w->size - w->at < DGRAM_FRAME_HEADER)
		return 0;
	*len = (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
	if (*len > w->max)
		return DGRAM_ERR_SIZE;
	if (w->size - w->at - DGRAM_FRAME_HEADER < *len)
		return 0;
	*message = h + DGRAM_FRAME_HEADER;
	w->at += DGRAM_FRAME_HEADER + *len;
	return 1;
}

/* One message from both, and the same. */
static int check_next(struct dgram_frame_reader *r, struct walk *w)
{
	const uint8_t *message = NULL, *expected = NULL;
	size_t len = 0, expected_len = 0;
	int rc = dgram_frame_next(r, &message, &len);

	if (rc != 1)
		return rc;
	FUZZ_CHECK(walk_next(w, &expected, &expected_len) == 1);
	FUZZ_CHECK(len == expected_len);
	FUZZ_CHECK(len == 0 || memcmp(message, expected, len) == 0);
	return rc;
}

/* All of data in pieces; the reader's last word. */
static int feed_cut(struct dgram_frame_reader *r, struct walk *w, uint32_t seed)
{
	size_t at = 0;

	while (at < w->size) {
		size_t piece, wanted = dgram_frame_wanted(r);
		int taken;

		seed = seed * 1664525u + 1013904223u;
		piece = 1 + (seed >> 16) % 9;
		if (piece > w->size - at)
			piece = w->size - at;
		taken = dgram_frame_feed(r, w->data + at, piece);
		if (taken < 0)
			return taken;
		FUZZ_CHECK(taken > 0 && (size_t)taken <= piece && wanted > 0);
		at += (size_t)taken;
		while (check_next(r, w) == 1)
			;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dgram_frame_reader r;
	struct walk w;
	const uint8_t *message;
	uint8_t *buf;
	size_t len;
	int rc;

	if (size < 2)
		return 0;
	w = (struct walk){.data = data + 2, .size = size - 2, .max = data[0]};
	buf = malloc(w.max > 0 ? w.max : 1);
	FUZZ_CHECK(buf != NULL);
	dgram_frame_init(&r, buf, w.max);
	rc = feed_cut(&r, &w, data[1]);
	FUZZ_CHECK(walk_next(&w, &message, &len) == rc);
	FUZZ_CHECK(rc != 0 || dgram_frame_end(&r) == (w.at == w.size ? 0 : DGRAM_ERR_FORMAT));
	free(buf);
	return 0;
}
