/* link.h - one direction between two nodes. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "faults.h"

struct sim_datagram {
	unsigned from, to; /* nodes */
	uint32_t channel;  /* what ports are to UDP: never damaged */
	const uint8_t *data;
	size_t len;
	/* What only the network can know; for checks. */
	bool copy;    /* a duplicate */
	bool damaged; /* not as it was sent */
};

/* A datagram kept aside with its bytes. */
struct sim_parcel {
	struct sim_parcel *next;
	uint64_t due;
	struct sim_datagram datagram;
	int error; /* not 0: it was refused, and this is the report */
	uint8_t bytes[];
};

/* First in, first out, as a socket's buffer. Zeroed: empty. */
struct sim_inbox {
	struct sim_parcel *first, **end;
	unsigned count;
};

#define SIM_INBOX_MAX 64

/* Copies datagram and its bytes; free() returns it. */
struct sim_parcel *sim_parcel_new(const struct sim_datagram *datagram, int error, uint64_t due);

/* False: it is full. */
bool sim_inbox_put(struct sim_inbox *inbox, const struct sim_datagram *datagram, int error);
struct sim_parcel *sim_inbox_take(struct sim_inbox *inbox); /* NULL: empty */

/* Who says that a datagram is too large: nobody, the path, the kernel. */
enum sim_size { SIM_SIZE_SILENT, SIM_SIZE_TOLD, SIM_SIZE_AT_ONCE, SIM_SIZES };

/* Two relays, so that what is inside the bad one at the heal still comes out of it. Each is made
 * for the first datagram. */
struct sim_link {
	struct dgram_relay *bad, *good;
	uint64_t due; /* of what comes out of it next; nothing was ever in it where it has no relay */
	uint64_t cut_until; /* world time */
	bool cut_both, cut_told;
	size_t size_max; /* 0: no limit */
	enum sim_size size_how;
	uint8_t last[64]; /* the last datagram's start, to splice with */
	size_t last_len;
};

void sim_link_free(struct sim_link *link);

/* healed: through the good relay. error: not 0 for the report of a refusal. */
enum dgram_relay_verdict sim_link_push(struct sim_link *link, const struct dgram_relay_options *opt,
				       bool healed, uint64_t now,
				       const struct sim_datagram *datagram, int error);

/* The next one that is due, but for its nodes, which the caller knows. */
bool sim_link_pop(struct sim_link *link, uint64_t now, struct sim_datagram *out, int *error);

static inline uint64_t sim_link_deadline(const struct sim_link *link)
{
	return link->bad || link->good ? link->due : DGRAM_NEVER;
}

#endif
