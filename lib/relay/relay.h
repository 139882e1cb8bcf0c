/* relay.h (internal) - what a relay is made of. new.c makes it, relay.c runs it. */
#ifndef DG_RELAY_RELAY_H
#define DG_RELAY_RELAY_H

#include "relay/fate.h"
#include "relay/heap.h"
#include "relay/store.h"

struct dgram_relay {
	struct dgram_relay_options opt; /* without zeros that stand for a default */
	struct dg_fates fates;
	struct dg_store store;
	struct dg_heap heap;    /* of indices into the store's parcels */
	struct dg_parcel *held; /* waits for its successor, outside the heap; NULL: none */
	uint64_t line_free;     /* when the rate limit has sent all that is queued, ns */
	uint64_t next_unpassed; /* one more than the highest number that has left */
	struct dgram_relay_stats stats;
};

#endif
