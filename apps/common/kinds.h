/* kinds.h - what became of datagrams, by what they are in the dgram protocol. */
#ifndef COMMON_KINDS_H
#define COMMON_KINDS_H

#include <dgram/look.h>
#include <dgram/relay.h>
#include <stddef.h>
#include <stdint.h>

#define KIND_OTHER 0 /* not of the protocol; the others are the types of dgram/look.h */

struct kind_counts {
	uint64_t arrived, dropped; /* as they came */
	uint64_t passed, duplicated, reordered, corrupted; /* as they went: damaged ones may be KIND_OTHER */
};

/* Zeroed: nothing was seen. */
struct kinds {
	struct kind_counts of[DGRAM_LOOK_TYPES];
};

void kinds_came(struct kinds *k, const void *data, size_t len, enum dgram_relay_verdict verdict);
void kinds_went(struct kinds *k, const struct dgram_relay_datagram *d);

/* "INIT"; "other". Static memory. */
const char *kind_name(unsigned kind);

#endif
