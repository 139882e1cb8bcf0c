#include "relay/relay.h"

#include <stdlib.h>

static bool is_valid(const struct dgram_relay_options *opt)
{
	const uint32_t chances[] = {opt->loss,      opt->burst_enter, opt->burst_leave,
	                            opt->duplicate, opt->reorder,     opt->corrupt};
	const uint64_t times[] = {opt->delay, opt->jitter, opt->queue};

	for (size_t i = 0; i < sizeof chances / sizeof chances[0]; i++)
		if (chances[i] > DGRAM_RELAY_ALWAYS)
			return false;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		if (times[i] > DGRAM_RELAY_DELAY_MAX)
			return false;
	return opt->rate <= DGRAM_RELAY_RATE_MAX;
}

static struct dgram_relay_options with_defaults(const struct dgram_relay_options *opt)
{
	struct dgram_relay_options full = opt ? *opt : (struct dgram_relay_options){0};

	if (full.queue == 0)
		full.queue = 20 * DGRAM_MS;
	if (full.size_max == 0)
		full.size_max = SIZE_MAX;
	if (full.entries_max == 0)
		full.entries_max = 8192;
	if (full.bytes_max == 0)
		full.bytes_max = (size_t)16 << 20;
	return full;
}

/* What each datagram inside needs beside its bytes: a parcel, and a place in the heap for it and
 * for its copy. */
#define PER_ENTRY (sizeof(struct dg_parcel) + 2 * sizeof(struct dg_heap_item))

int dgram_relay_new(struct dgram_relay **out, const struct dgram_relay_options *opt)
{
	struct dgram_relay_options full = with_defaults(opt);
	if (!is_valid(&full))
		return DGRAM_ERR_ARGUMENT;

	size_t room = SIZE_MAX - sizeof(struct dgram_relay);
	if (full.bytes_max > room || full.entries_max > (room - full.bytes_max) / PER_ENTRY)
		return DGRAM_ERR_NOMEM;

	struct dgram_relay *relay =
	        malloc(sizeof *relay + full.entries_max * PER_ENTRY + full.bytes_max);
	if (!relay)
		return DGRAM_ERR_NOMEM;

	struct dg_parcel *parcels = (struct dg_parcel *)(relay + 1);
	struct dg_heap_item *items = (struct dg_heap_item *)(parcels + full.entries_max);
	*relay = (struct dgram_relay){
	        .opt = full,
	        .heap = {.items = items},
	        .store = {.parcels = parcels,
	                  .parcels_max = full.entries_max,
	                  .bytes = (uint8_t *)(items + 2 * full.entries_max),
	                  .bytes_max = full.bytes_max},
	};
	dg_fates_init(&relay->fates, full.seed, full.link);
	*out = relay;
	return 0;
}

void dgram_relay_free(struct dgram_relay *relay)
{
	free(relay);
}
