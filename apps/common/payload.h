/* payload.h - what is to be sent: TEXT, a file, stdin; whole, or a message per line. */
#ifndef COMMON_PAYLOAD_H
#define COMMON_PAYLOAD_H

#include "options.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload {
	/* the message after payload_next; valid until the next call */
	const uint8_t *data;
	size_t len;
	unsigned long long line; /* its number, from 1; 0 where the input is one message */
	int code;                /* exit code of the first failure (its sentence is said), else 0 */

	const struct options *options;
	size_t max;
	int fd; /* -1: everything is in buffer */
	uint8_t *buffer;
	size_t start, end, cap;
	size_t seen; /* from start: bytes that end no message */
	bool eof, done, skipping;
};

/* words are what stands after the endpoint: no word or one. max: bytes of a message. 0, or an exit
 * code after a sentence: too many words, nothing to send, a file that cannot be opened. */
int payload_open(struct payload *p, const struct options *options, char **words, size_t count,
                 size_t max);

/* The next message, read when it is asked for. false: there is none, or reading failed (code says).
 * A line that is too long or no hexadecimal is said, kept in code and passed over. */
bool payload_next(struct payload *p);

/* Whether the next one is there without waiting for more input; of a whole input always. Else payload_feed reads what there
 * is, once fd can be read. */
bool payload_ready(struct payload *p);
void payload_feed(struct payload *p);

void payload_close(struct payload *p);

#endif
