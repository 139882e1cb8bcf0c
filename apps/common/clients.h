/* clients.h - who uses the relay: a bounded table. Each client has its own socket towards the
 * target, so that an answer finds its way back by the socket it comes in on.
 */
#ifndef COMMON_CLIENTS_H
#define COMMON_CLIENTS_H

#include <dgram/socket.h>
#include <stddef.h>

#define CLIENTS_MAX 4096

struct client {
	uint64_t tag;            /* names this client for ever; 0: the place is free */
	struct dgram_addr peer;  /* who asks */
	struct dgram_addr local; /* the address of ours that is asked, where answers leave from */
	uint32_t interface;
	uint64_t last_used;           /* ns */
	struct dgram_socket upstream; /* connected to the target */
	size_t target;                /* which of the target's addresses it is */
	bool answered;                /* that address has answered */
};

struct clients {
	struct client *places;
	uint64_t *hashes; /* of each place's peer: what a search looks at first */
	size_t max, count;
	uint64_t total,
	        replaced; /* clients there ever were; of these, lost their place to a newer one */
	uint64_t kernel_dropped; /* answers lost before we saw them, told by sockets since closed */
	uint8_t key[32];
};

/* 0, DGRAM_ERR_NOMEM or DGRAM_ERR_SYSTEM. max is 1 to CLIENTS_MAX. */
int clients_init(struct clients *c, size_t max);

/* The client that d came from, or NULL. */
struct client *clients_find(const struct clients *c, const struct dgram_datagram *d);

/* The one of that tag, or NULL when its place has another by now. */
struct client *clients_of_tag(const struct clients *c, uint64_t tag);

/* A client for whoever sent d, not connected yet (upstream.fd is -1). When the table is full it
 * takes the place of the one that is idle for longest. */
struct client *clients_add(struct clients *c, const struct dgram_datagram *d);

/* Closes its socket, if it has one, and keeps what that has counted. */
void clients_disconnect(struct clients *c, struct client *client);

/* Disconnects all and gives back the memory; the counts stay. */
void clients_close(struct clients *c);

#endif
