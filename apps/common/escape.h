/* escape.h - bytes of a stranger made safe for a terminal. */
#ifndef COMMON_ESCAPE_H
#define COMMON_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/* What is left of a character that the last piece began; zeroed at the start. */
struct escape {
	uint8_t held[3];
	uint8_t count;
};

#define ESCAPE_ROOM(len) (4 * ((len) + 3)) /* bytes that a piece of len bytes becomes at most */

/* Writes piece to out (ESCAPE_ROOM(len) bytes): text as it is, everything a terminal could take as
 * an order as \xNN, byte by byte. A character cut at the end of a piece waits for the next one.
 * Returns the bytes written; nothing is terminated. */
size_t escape_piece(struct escape *e, const uint8_t *piece, size_t len, char *out);

/* How many bytes (0 to 3) at the end of data begin a character that goes on after it. */
size_t escape_tail(const uint8_t *data, size_t len);

/* The end: a character that was never finished is written as \xNN. out: 12 bytes. */
size_t escape_end(struct escape *e, char *out);

/* A whole string at once, cut where size ends, terminated. Newlines and tabs are escaped too: it is
 * to be one line. Returns out. */
char *escape_line(const char *text, size_t len, char *out, size_t size);

#endif
