/* store.h - the datagrams inside a relay: their bytes and what is known of them, in two rings of
 * fixed size. */
#ifndef DG_RELAY_STORE_H
#define DG_RELAY_STORE_H

#include <dgram/relay.h>

struct dg_parcel {
	struct dgram_relay_datagram datagram;
	uint8_t *bytes; /* datagram.data, to write to */
	uint64_t due;   /* when it leaves, unless it is held longer */
	size_t taken;   /* bytes of the ring: len, and the gap before it where it did not fit at the
	                   end */
	unsigned leavings; /* how often it is still to leave: 2 with a copy */
};

/* Given back in the order in which they were taken: delays are alike, so little waits behind a late
 * one. */
struct dg_store {
	struct dg_parcel *parcels; /* the owner's memory */
	uint8_t *bytes;
	size_t parcels_max, bytes_max;
	size_t first, count; /* parcels, from the oldest that is still to leave */
	size_t head, used;   /* bytes: where the next one goes, and how many are taken */
};

/* A new parcel: datagram with a copy of its bytes. NULL: no room. */
struct dg_parcel *dg_store_put(struct dg_store *store, const struct dgram_relay_datagram *datagram);

/* Gives back the memory of the oldest ones that have left, for the next put. */
void dg_store_sweep(struct dg_store *store);

#endif
