/* The way of a datagram: its fate is drawn (fate.c); it may be refused; it waits for the line if
 * there is a rate; its bytes are kept (store.c) until they are due (heap.c). One that is to be
 * reordered is kept apart until the next one is in the heap and goes in behind it, or until the
 * time it may be held is over.
 */
#include "relay/relay.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the last bit of len bytes that arrive now has left the line; rounded up, so the rate is
 * never exceeded. */
static uint64_t line_free_after(const struct dgram_relay *relay, uint64_t now, size_t len)
{
	uint64_t rate = relay->opt.rate;

	if (rate == 0)
		return now;
	return later(now, relay->line_free) + ((uint64_t)len * 8 * DGRAM_S + rate - 1) / rate;
}

static enum dgram_relay_verdict judge(const struct dgram_relay *relay, const struct dg_fate *fate,
                                      uint64_t now, size_t len)
{
	if (len > relay->opt.size_max)
		return DGRAM_RELAY_TOO_LARGE;
	if (fate->lost)
		return DGRAM_RELAY_LOST;
	if (relay->opt.rate > 0 && relay->line_free > now &&
	    relay->line_free - now > relay->opt.queue)
		return DGRAM_RELAY_QUEUE_FULL;
	return DGRAM_RELAY_TAKEN;
}

static void enqueue(struct dgram_relay *relay, struct dg_parcel *parcel, uint64_t due)
{
	dg_heap_add(&relay->heap, due, (size_t)(parcel - relay->store.parcels));
}

static uint64_t held_until(const struct dgram_relay *relay)
{
	return relay->held ? relay->held->due + DGRAM_RELAY_HOLD : DGRAM_NEVER;
}

static void release_held(struct dgram_relay *relay, uint64_t due)
{
	enqueue(relay, relay->held, sooner(due, held_until(relay)));
	relay->held = NULL;
}

static void corrupt(struct dg_parcel *parcel, uint64_t bit)
{
	size_t len = parcel->datagram.len;

	if (len == 0)
		return;
	parcel->bytes[bit / 8 % len] ^= (uint8_t)(1U << bit % 8);
	parcel->datagram.corrupted = true;
}

static void schedule(struct dgram_relay *relay, struct dg_parcel *parcel,
                     const struct dg_fate *fate)
{
	uint64_t base = relay->line_free + relay->opt.delay;

	parcel->due = base + fate->jitter;
	if (fate->duplicated) {
		parcel->leavings = 2;
		enqueue(relay, parcel, base + fate->copy_jitter);
	}
	if (fate->reordered && !relay->held) {
		relay->held = parcel;
		return;
	}
	enqueue(relay, parcel, parcel->due);
	if (relay->held)
		release_held(relay, later(parcel->due, relay->held->due));
}

static enum dgram_relay_verdict take(struct dgram_relay *relay,
                                     const struct dgram_relay_datagram *datagram,
                                     const struct dg_fate *fate)
{
	uint64_t now = datagram->arrived;
	enum dgram_relay_verdict verdict = judge(relay, fate, now, datagram->len);
	if (verdict != DGRAM_RELAY_TAKEN)
		return verdict;

	struct dg_parcel *parcel = dg_store_put(&relay->store, datagram);
	if (!parcel)
		return DGRAM_RELAY_OVERFLOW;
	if (fate->corrupted)
		corrupt(parcel, fate->bit);
	relay->line_free = line_free_after(relay, now, datagram->len);
	schedule(relay, parcel, fate);
	return DGRAM_RELAY_TAKEN;
}

enum dgram_relay_verdict dgram_relay_push(struct dgram_relay *relay, uint64_t now, uint64_t tag,
                                          const void *data, size_t len)
{
	struct dgram_relay_datagram datagram = {.tag = tag,
	                                        .number = relay->stats.arrived,
	                                        .arrived = now,
	                                        .data = data,
	                                        .len = len};
	struct dg_fate fate = dg_fates_next(&relay->fates, &relay->opt);

	dg_store_sweep(&relay->store);
	enum dgram_relay_verdict verdict = take(relay, &datagram, &fate);
	relay->stats.arrived++;
	relay->stats.arrived_bytes += len;
	relay->stats.verdict[verdict]++;
	return verdict;
}

static void count_passed(struct dgram_relay_stats *stats,
                         const struct dgram_relay_datagram *datagram, uint64_t now)
{
	if (datagram->copy) {
		stats->duplicated++;
		return;
	}
	uint64_t delay = now - datagram->arrived;
	stats->passed++;
	stats->passed_bytes += datagram->len;
	stats->corrupted += datagram->corrupted;
	stats->reordered += datagram->reordered;
	stats->delay_sum += delay;
	stats->delay_max = later(stats->delay_max, delay);
}

bool dgram_relay_pop(struct dgram_relay *relay, uint64_t now, struct dgram_relay_datagram *out)
{
	if (held_until(relay) <= now)
		release_held(relay, DGRAM_NEVER);
	if (dg_heap_due(&relay->heap) > now)
		return false;

	struct dg_parcel *parcel = &relay->store.parcels[dg_heap_take(&relay->heap)];
	*out = parcel->datagram;
	out->reordered = !out->copy && out->number < relay->next_unpassed;
	relay->next_unpassed = later(relay->next_unpassed, out->number + 1);
	count_passed(&relay->stats, out, now);
	parcel->datagram.copy = true;
	parcel->leavings--;
	return true;
}

uint64_t dgram_relay_deadline(const struct dgram_relay *relay)
{
	return sooner(dg_heap_due(&relay->heap), held_until(relay));
}

struct dgram_relay_stats dgram_relay_stats(const struct dgram_relay *relay)
{
	struct dgram_relay_stats stats = relay->stats;

	stats.waiting = stats.verdict[DGRAM_RELAY_TAKEN] - stats.passed;
	return stats;
}

const char *dgram_relay_verdict_text(enum dgram_relay_verdict verdict)
{
	static const char *const text[DGRAM_RELAY_VERDICTS] = {
	        [DGRAM_RELAY_TAKEN] = "taken",         [DGRAM_RELAY_LOST] = "lost",
	        [DGRAM_RELAY_TOO_LARGE] = "too large", [DGRAM_RELAY_QUEUE_FULL] = "queue full",
	        [DGRAM_RELAY_OVERFLOW] = "overflow",
	};

	return verdict < DGRAM_RELAY_VERDICTS ? text[verdict] : "unknown";
}
