/* frame.h - messages on a byte stream: a 4-byte big-endian length, then that many bytes.
 *
 * Pure: bytes go in as they arrive, in pieces of any size, and messages come out. No socket, no
 * memory of its own.
 *
 *	while (len > 0) {
 *		int taken = dgram_frame_feed(&reader, data, len);
 *		if (taken < 0)
 *			return taken;               // the connection is of no more use
 *		data += taken, len -= (size_t)taken;
 *		if (dgram_frame_next(&reader, &message, &message_len) == 1)
 *			handle(message, message_len);
 *	}
 */
#ifndef DGRAM_FRAME_H
#define DGRAM_FRAME_H

#include <dgram/error.h>
#include <dgram/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_FRAME_HEADER 4 /* bytes of length before each message */

/* Plain so that it needs no allocation; use it through the functions. */
struct dgram_frame_reader {
	uint8_t *buf;  /* the caller's */
	size_t size;   /* of buf, and so the longest message that is taken */
	size_t have;   /* bytes of the message in buf */
	size_t length; /* of the message, once the header is whole */
	uint8_t header[DGRAM_FRAME_HEADER];
	uint8_t header_have;
	bool failed; /* the peer announced a longer message than size */
};

/* buf must outlive the reader; size 0 takes empty messages only. */
DGRAM_API void dgram_frame_init(struct dgram_frame_reader *r, void *buf, size_t size);

/* Takes bytes up to the end of the current message: how many (0 while a message waits for next), or
 * DGRAM_ERR_SIZE as soon as a header announces more than fits; then for ever. */
DGRAM_API int dgram_frame_feed(struct dgram_frame_reader *r, const void *data, size_t len);

/* 1: *message and *len are the message that is complete (len 0 is a message), in buf until the next
 * feed. 0: bytes are missing. DGRAM_ERR_SIZE: as feed. */
DGRAM_API int dgram_frame_next(struct dgram_frame_reader *r, const uint8_t **message, size_t *len);

/* Bytes to the end of the current header or message, so to be read without fear of waiting in vain;
 * 0 while a message waits for next and after a failure. */
DGRAM_API size_t dgram_frame_wanted(const struct dgram_frame_reader *r);

/* To be asked when the stream has ended: 0 between two messages, DGRAM_ERR_FORMAT within one: it
 * was cut off. */
DGRAM_API int dgram_frame_end(const struct dgram_frame_reader *r);

/* The header of a message of len bytes: 0, or DGRAM_ERR_SIZE when 32 bits do not hold len. */
DGRAM_API int dgram_frame_header(uint8_t out[DGRAM_FRAME_HEADER], size_t len);

#ifdef __cplusplus
}
#endif
#endif
