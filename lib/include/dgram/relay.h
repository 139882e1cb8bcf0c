/* relay.h - what a bad network does to datagrams, decided from a seed, the options and the time.
 *
 * A struct dgram_relay is one direction of one link, because a rate limit, a queue and an order
 * belong to that. Push what arrives, pop what is due, sleep until the deadline. It keeps a copy of
 * the bytes in between, within the limits it was made with. No socket and no clock: the relay
 * command runs on it, and so does a simulation.
 *
 * Same seed, same fate: what happens to the n-th datagram depends on the seed, the link's number
 * and n. Each decision has its own random numbers, so no other option, no size and no other link
 * changes it. Only the tail drop of a rate limit and of full memory depend on the time, and the
 * damage of a flipped bit on the length.
 */
#ifndef DGRAM_RELAY_H
#define DGRAM_RELAY_H

#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_RELAY_ALWAYS    UINT32_C(1000000) /* a probability of 1: they are parts per million */
#define DGRAM_RELAY_DELAY_MAX (UINT64_C(3600) * DGRAM_S) /* for delay, jitter and queue */
#define DGRAM_RELAY_RATE_MAX  UINT64_C(1000000000000)    /* bit/s */
#define DGRAM_RELAY_HOLD      (UINT64_C(10) * DGRAM_MS)  /* the longest wait for a successor */

/* Zeroed: a perfect link. Burst loss is Gilbert's and Elliott's: in the bad state all is lost. */
struct dgram_relay_options {
	uint64_t seed;
	uint64_t link;        /* links of one seed with different numbers are independent */
	uint32_t loss;        /* ppm */
	uint32_t burst_enter; /* ppm: from the good state into the bad one */
	uint32_t burst_leave; /* ppm: and back; the mean burst is 1 / this long */
	uint32_t duplicate;   /* ppm */
	uint32_t reorder;     /* ppm: held until the next one passes, or for DGRAM_RELAY_HOLD */
	uint32_t corrupt;     /* ppm: one bit is flipped; an empty datagram stays as it is */
	uint64_t delay;       /* ns */
	uint64_t jitter;      /* ns: 0 to this is added to each delay, so datagrams can overtake */
	uint64_t rate;        /* bits of payload per second; 0: no limit */
	uint64_t queue;       /* ns a datagram may wait for the rate limit; 0: 20 ms */
	size_t size_max;      /* bytes of payload, larger ones are dropped; 0: no limit */
	size_t entries_max;   /* datagrams inside at once; 0: 8192 */
	size_t bytes_max; /* memory for their payloads; 0: 16 MiB, of which only used pages cost */
};

enum dgram_relay_verdict {
	DGRAM_RELAY_TAKEN = 0,
	DGRAM_RELAY_LOST,       /* loss or burst loss */
	DGRAM_RELAY_TOO_LARGE,  /* size_max */
	DGRAM_RELAY_QUEUE_FULL, /* would wait longer than queue for its turn */
	DGRAM_RELAY_OVERFLOW,   /* entries_max or bytes_max */
	DGRAM_RELAY_VERDICTS,
};

/* Each datagram that arrived is in exactly one of verdict[], which add up to arrived.
 * verdict[TAKEN] is passed + waiting. The other counts are properties of those that passed. */
struct dgram_relay_stats {
	uint64_t arrived, arrived_bytes;
	uint64_t verdict[DGRAM_RELAY_VERDICTS];
	uint64_t passed, passed_bytes; /* without copies */
	uint64_t waiting;              /* inside now, without copies */
	uint64_t duplicated;           /* copies that left */
	uint64_t corrupted;
	uint64_t reordered;            /* left after one that arrived later */
	uint64_t delay_sum, delay_max; /* ns from push to pop, without copies */
};

/* One that leaves. */
struct dgram_relay_datagram {
	uint64_t tag;        /* as it was pushed */
	uint64_t number;     /* the how many-th to arrive, from 0 */
	uint64_t arrived;    /* the time it was pushed, ns */
	const uint8_t *data; /* until the next push; NULL where len is 0 */
	size_t len;
	bool copy, corrupted, reordered;
};

struct dgram_relay;

/* opt NULL: the defaults. 0; DGRAM_ERR_ARGUMENT: a probability, a time or a rate over its maximum; DGRAM_ERR_NOMEM. The one
 * allocation there is, for _free to return. */
DGRAM_API int dgram_relay_new(struct dgram_relay **out, const struct dgram_relay_options *opt);
DGRAM_API void dgram_relay_free(struct dgram_relay *relay);

/* A datagram arrives at now (ns, never less than before). tag comes out again with it. data is
 * borrowed for the call. */
DGRAM_API enum dgram_relay_verdict dgram_relay_push(struct dgram_relay *relay, uint64_t now,
                                                    uint64_t tag, const void *data, size_t len);

/* True: *out is the next datagram that is due at now; call again until false. */
DGRAM_API bool dgram_relay_pop(struct dgram_relay *relay, uint64_t now,
                               struct dgram_relay_datagram *out);

/* When pop will have something, if nothing is pushed before: a time, or DGRAM_NEVER. */
DGRAM_API uint64_t dgram_relay_deadline(const struct dgram_relay *relay);

DGRAM_API struct dgram_relay_stats dgram_relay_stats(const struct dgram_relay *relay);

/* "taken", "lost", "too large", "queue full", "overflow"; never NULL. Static memory. */
DGRAM_API const char *dgram_relay_verdict_text(enum dgram_relay_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif
