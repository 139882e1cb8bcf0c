#include "clients.h"

#include <stdlib.h>
#include <string.h>

/* A tag is the running number of the client with its place in the low bits. */
#define PLACE_BITS 16

int clients_init(struct clients *c, size_t max)
{
	*c = (struct clients){
	        .places = calloc(max, sizeof *c->places),
	        .hashes = calloc(max, sizeof *c->hashes),
	        .max = max,
	};
	int error = c->places && c->hashes ? dgram_random_seed(c->key) : DGRAM_ERR_NOMEM;
	if (error < 0)
		clients_close(c);
	return error;
}

/* The same peer at another address of ours is another client: its answers leave from elsewhere. */
struct client *clients_find(const struct clients *c, const struct dgram_datagram *d)
{
	uint64_t hash = dgram_addr_hash(&d->peer, c->key);

	for (size_t i = 0; i < c->count; i++)
		if (c->hashes[i] == hash && dgram_addr_equal(&c->places[i].peer, &d->peer) &&
		    dgram_addr_equal(&c->places[i].local, &d->local))
			return &c->places[i];
	return NULL;
}

struct client *clients_of_tag(const struct clients *c, uint64_t tag)
{
	struct client *client = &c->places[tag & ((1U << PLACE_BITS) - 1)];

	return client->tag == tag ? client : NULL;
}

static size_t idle_for_longest(const struct clients *c)
{
	size_t oldest = 0;

	for (size_t i = 1; i < c->count; i++)
		if (c->places[i].last_used < c->places[oldest].last_used)
			oldest = i;
	return oldest;
}

struct client *clients_add(struct clients *c, const struct dgram_datagram *d)
{
	size_t place = c->count;

	if (place < c->max) {
		c->count++;
	} else {
		place = idle_for_longest(c);
		clients_disconnect(c, &c->places[place]);
		c->replaced++;
	}
	c->hashes[place] = dgram_addr_hash(&d->peer, c->key);
	c->places[place] = (struct client){
	        .tag = ++c->total << PLACE_BITS | place,
	        .peer = d->peer,
	        .local = d->local,
	        .interface = d->interface,
	        .upstream = {.fd = -1},
	};
	return &c->places[place];
}

void clients_disconnect(struct clients *c, struct client *client)
{
	if (client->upstream.fd < 0)
		return;
	c->kernel_dropped += dgram_socket_count_drops(&client->upstream);
	dgram_socket_close(&client->upstream);
}

void clients_close(struct clients *c)
{
	for (size_t i = 0; i < c->count; i++)
		clients_disconnect(c, &c->places[i]);
	free(c->places);
	free(c->hashes);
	c->places = NULL;
	c->hashes = NULL;
	c->count = 0;
}
