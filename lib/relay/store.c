#include "relay/store.h"

#include <string.h>

/* Where len bytes go in one piece, or NULL. *taken is what this takes of the ring. */
static uint8_t *place(struct dg_store *store, size_t len, size_t *taken)
{
	if (len > store->bytes_max)
		return NULL;

	bool fits_before_the_end = len <= store->bytes_max - store->head;
	size_t gap = fits_before_the_end ? 0 : store->bytes_max - store->head;
	if (gap + len > store->bytes_max - store->used)
		return NULL;
	*taken = gap + len;
	return fits_before_the_end ? store->bytes + store->head : store->bytes;
}

struct dg_parcel *dg_store_put(struct dg_store *store, const struct dgram_relay_datagram *datagram)
{
	size_t taken;
	uint8_t *bytes = place(store, datagram->len, &taken);

	if (store->count == store->parcels_max || !bytes)
		return NULL;
	store->head = (size_t)(bytes - store->bytes) + datagram->len;
	store->used += taken;

	struct dg_parcel *parcel =
	        &store->parcels[(store->first + store->count++) % store->parcels_max];
	*parcel = (struct dg_parcel){
	        .datagram = *datagram, .bytes = bytes, .taken = taken, .leavings = 1};
	parcel->datagram.data =
	        datagram->len > 0 ? memcpy(bytes, datagram->data, datagram->len) : NULL;
	return parcel;
}

void dg_store_sweep(struct dg_store *store)
{
	while (store->count > 0 && store->parcels[store->first].leavings == 0) {
		store->used -= store->parcels[store->first].taken;
		store->first = (store->first + 1) % store->parcels_max;
		store->count--;
	}
	/* Back to the start whenever it is empty, so that a quiet relay touches few pages. */
	if (store->count == 0)
		store->head = 0;
}
