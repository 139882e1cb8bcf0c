/* bytes.h - a cursor over bytes that never leaves them, to read and to write; big-endian.
 *
 * Failure is sticky: once something did not fit, every read gives 0 and every write does nothing,
 * so that a decoder reads all its fields and asks once, at the end. Inline because each packet
 * passes here.
 */
#ifndef DG_BASE_BYTES_H
#define DG_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dg_reader {
	const uint8_t *at; /* the next byte */
	size_t left;       /* how many there are from there on; 0 after a failure */
	bool failed;
};

static inline struct dg_reader dg_reader(const void *data, size_t len)
{
	return (struct dg_reader){.at = data, .left = len, .failed = false};
}

/* The next len bytes, borrowed from what is read; NULL when there are not so many. */
static inline const uint8_t *dg_read_bytes(struct dg_reader *r, size_t len)
{
	const uint8_t *bytes = r->at;

	if (r->failed || len > r->left) {
		r->failed = true;
		r->left = 0;
		return NULL;
	}
	r->left -= len;
	if (len > 0)
		r->at += len;
	return bytes;
}

/* A number of size (1 to 8) bytes. */
static inline uint64_t dg_read_number(struct dg_reader *r, size_t size)
{
	const uint8_t *bytes = dg_read_bytes(r, size);
	uint64_t value = 0;

	for (size_t i = 0; bytes && i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

static inline uint8_t dg_read_u8(struct dg_reader *r)
{
	return (uint8_t)dg_read_number(r, 1);
}

static inline uint16_t dg_read_u16(struct dg_reader *r)
{
	return (uint16_t)dg_read_number(r, 2);
}

static inline uint32_t dg_read_u32(struct dg_reader *r)
{
	return (uint32_t)dg_read_number(r, 4);
}

static inline uint64_t dg_read_u64(struct dg_reader *r)
{
	return dg_read_number(r, 8);
}

/* Everything was there, and nothing is left over. */
static inline bool dg_read_all(const struct dg_reader *r)
{
	return !r->failed && r->left == 0;
}

struct dg_writer {
	uint8_t *data;
	size_t cap; /* bytes there are */
	size_t len; /* bytes written; what did not fit is not in it */
	bool failed;
};

static inline struct dg_writer dg_writer(void *data, size_t cap)
{
	return (struct dg_writer){.data = data, .cap = cap, .len = 0, .failed = false};
}

/* Room for len bytes, which the caller fills; NULL when there is not so much. */
static inline uint8_t *dg_write_room(struct dg_writer *w, size_t len)
{
	if (w->failed || len > w->cap - w->len) {
		w->failed = true;
		return NULL;
	}
	w->len += len;
	return w->data + (w->len - len);
}

static inline void dg_write_bytes(struct dg_writer *w, const void *bytes, size_t len)
{
	uint8_t *room = len > 0 ? dg_write_room(w, len) : NULL;

	if (room)
		memcpy(room, bytes, len);
}

/* The low size (1 to 8) bytes of value. */
static inline void dg_write_number(struct dg_writer *w, uint64_t value, size_t size)
{
	uint8_t *room = dg_write_room(w, size);

	for (size_t i = size; room && i > 0; i--, value >>= 8)
		room[i - 1] = (uint8_t)value;
}

static inline void dg_write_u8(struct dg_writer *w, uint8_t value)
{
	dg_write_number(w, value, 1);
}

static inline void dg_write_u16(struct dg_writer *w, uint16_t value)
{
	dg_write_number(w, value, 2);
}

static inline void dg_write_u32(struct dg_writer *w, uint32_t value)
{
	dg_write_number(w, value, 4);
}

static inline void dg_write_u64(struct dg_writer *w, uint64_t value)
{
	dg_write_number(w, value, 8);
}

#endif
