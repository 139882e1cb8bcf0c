#include "link.h"

#include <stdlib.h>
#include <string.h>

struct sim_parcel *sim_parcel_new(const struct sim_datagram *datagram, int error, uint64_t due)
{
	struct sim_parcel *parcel = malloc(sizeof *parcel + datagram->len);

	if (!parcel)
		abort();
	*parcel = (struct sim_parcel){.due = due, .datagram = *datagram, .error = error};
	parcel->datagram.data = parcel->bytes;
	if (datagram->len)
		memcpy(parcel->bytes, datagram->data, datagram->len);
	return parcel;
}

bool sim_inbox_put(struct sim_inbox *inbox, const struct sim_datagram *datagram, int error)
{
	if (inbox->count == SIM_INBOX_MAX)
		return false;
	if (!inbox->first)
		inbox->end = &inbox->first;
	*inbox->end = sim_parcel_new(datagram, error, 0);
	inbox->end = &(*inbox->end)->next;
	inbox->count++;
	return true;
}

struct sim_parcel *sim_inbox_take(struct sim_inbox *inbox)
{
	struct sim_parcel *parcel = inbox->first;

	if (parcel) {
		inbox->first = parcel->next;
		inbox->count--;
	}
	return parcel;
}

void sim_link_free(struct sim_link *link)
{
	dgram_relay_free(link->bad);
	dgram_relay_free(link->good);
}

/* The relay's tag carries what is not bytes: channel 32 | error 8 | copy 1 | damaged 1. */
static uint64_t tag_of(const struct sim_datagram *d, int error)
{
	return d->channel | (uint64_t)(uint8_t)-error << 32 | (uint64_t)d->copy << 40 |
	       (uint64_t)d->damaged << 41;
}

static struct dgram_relay *made(struct dgram_relay **relay, const struct dgram_relay_options *opt)
{
	if (!*relay && dgram_relay_new(relay, opt) < 0)
		abort();
	return *relay;
}

static uint64_t due_of(const struct sim_link *link)
{
	uint64_t bad = link->bad ? dgram_relay_deadline(link->bad) : DGRAM_NEVER;
	uint64_t good = link->good ? dgram_relay_deadline(link->good) : DGRAM_NEVER;

	return bad < good ? bad : good;
}

enum dgram_relay_verdict sim_link_push(struct sim_link *link, const struct dgram_relay_options *opt,
				       bool healed, uint64_t now,
				       const struct sim_datagram *datagram, int error)
{
	struct dgram_relay_options perfect = {
		.delay = opt->delay, .entries_max = opt->entries_max, .bytes_max = opt->bytes_max};
	struct dgram_relay *relay =
		healed ? made(&link->good, &perfect) : made(&link->bad, opt);

	enum dgram_relay_verdict verdict =
		dgram_relay_push(relay, now, tag_of(datagram, error), datagram->data, datagram->len);

	link->due = due_of(link);
	return verdict;
}

bool sim_link_pop(struct sim_link *link, uint64_t now, struct sim_datagram *out, int *error)
{
	struct dgram_relay_datagram d;
	bool popped = (link->bad && dgram_relay_pop(link->bad, now, &d)) ||
		      (link->good && dgram_relay_pop(link->good, now, &d));

	link->due = due_of(link);
	if (!popped)
		return false;
	out->channel = (uint32_t)d.tag;
	out->copy = d.copy || (d.tag >> 40 & 1);
	out->damaged = d.corrupted || (d.tag >> 41 & 1);
	out->data = d.data;
	out->len = d.len;
	*error = -(int)(d.tag >> 32 & 0xff);
	return true;
}
