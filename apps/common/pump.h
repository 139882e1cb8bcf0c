/* pump.h - a byte stream between stdin and stdout and a connection, both ways at once.
 *
 * Nothing in it waits for one thing alone: a reader of stdout that is slow stops what comes, a peer
 * that does not read stops what goes, and neither stops the other way. Its memory is what stands
 * here.
 */
#ifndef COMMON_PUMP_H
#define COMMON_PUMP_H

#include "options.h"
#include "output.h"
#include <dgram/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUMP_INPUT 65536 /* bytes of stdin on their way; a longer line goes in pieces */
#define PUMP_CHUNK                                                                                 \
	8192 /* bytes received at a time: what they become fits in output.h's buffer in every form \
	      */

struct pump {
	const struct options *options;
	struct output output;
	bool terminal; /* stdin is one */

	/* stdin: goes on from connection to connection */
	uint8_t input[PUMP_INPUT];
	size_t start, end; /* of what is not sent yet */
	bool input_ended;

	/* the connection */
	struct dgram_stream *stream;
	struct dgram_addr peer;
	bool sending, receiving; /* that direction is open */
	int broken;              /* errno of what broke it, or 0 */
	bool hung_up;            /* the peer is gone altogether */
	uint8_t chunk[PUMP_CHUNK];
	size_t held;             /* bytes at its start that begin a character */
	bool after_cr;           /* the line printed last ended with a CR */
	uint64_t sent, received; /* bytes */
};

/* Once, before the first connection. */
void pump_open(struct pump *p, const struct options *options);

/* Serves one connection until both directions have ended (or, with a terminal on stdin, until the
 * peer has), or a signal was caught. All that came is printed by then. 0; CODE_BROKEN after a
 * sentence; CODE_READ, CODE_WRITE, CODE_PIPE: there is no stdin or stdout to go on with. The stream
 * is still to be closed. */
int pump_run(struct pump *p, struct dgram_stream *stream, const struct dgram_addr *peer);

#endif
