/* look.h - what a datagram of the dgram protocol says, for tools and for people: traces, counters, pictures. Pure.
 *
 *	if (dgram_look(&look, datagram, len) == 0)
 *		while (dgram_look_next(&look, &frame) == 1)
 *			print(frame.name, ...);
 *
 * Nothing is checked here but the form: neither a session nor a checksum is known. docs/WIRE.md explains the words.
 */
#ifndef DGRAM_LOOK_H
#define DGRAM_LOOK_H

#include <dgram/error.h>
#include <dgram/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_LOOK_TYPES 8 /* types of datagrams are below it */
#define DGRAM_LOOK_FIELDS 10

struct dgram_look {
	uint8_t type;      /* 1 INIT to 7 GROUP */
	const char *name;  /* of the type; static memory */
	bool sealed;       /* with a key: what it says cannot be seen */
	uint64_t receiver; /* the receiver's session id; 0: INIT, GROUP */
	uint64_t sender;   /* INIT, ACCEPT: the sender's */
	uint64_t number;   /* DATA, NOSESSION: the packet's; BUSY: ms */
	const uint8_t *rest; /* what dgram_look_next has not read yet */
	size_t left;
};

/* data is borrowed until the last dgram_look_next. 0; DGRAM_ERR_FOREIGN: it is not of this protocol and version;
 * DGRAM_ERR_FORMAT: it begins like one that is, and is none. */
DGRAM_API int dgram_look(struct dgram_look *out, const void *data, size_t len);

/* The name of a type, "INIT"; NULL: there is none. Static memory. */
DGRAM_API const char *dgram_look_type(unsigned type);

struct dgram_look_frame {
	const char *name;  /* "REQUEST" */
	const char *word;  /* what its code, state or reason says: "BUSY"; NULL: it has none */
	struct {
		const char *key;
		uint64_t value;
	} field[DGRAM_LOOK_FIELDS]; /* those that it has and that say something */
	size_t fields;
	const char *message;  /* a message's name, not terminated; NULL: none */
	size_t message_len;
	const uint8_t *data;  /* a message's bytes that are in it; NULL: it carries none */
	size_t len;
};

/* The next frame of DATA: 1, or 0: that was all. */
DGRAM_API int dgram_look_next(struct dgram_look *look, struct dgram_look_frame *out);

#ifdef __cplusplus
}
#endif
#endif
