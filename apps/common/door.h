/* door.h - where what a listening command takes comes in: a socket, or a listener of connections. */
#ifndef COMMON_DOOR_H
#define COMMON_DOOR_H

#include "options.h"
#include <dgram/loop.h>
#include <dgram/uri.h>

struct door {
	enum dgram_scheme scheme;
	struct dgram_socket socket;   /* unless scheme is DGRAM_SCHEME_TCP */
	struct dgram_stream listener; /* if it is */
};

/* Opens the one that was read from text. 0, or an exit code after a sentence. */
int door_open(struct door *d, const struct dgram_uri *u, const char *text, const struct options *o);
void door_close(struct door *d);

/* Its address, with its real port; false: unknown. */
bool door_address(const struct door *d, struct dgram_addr *out);

/* That as an endpoint: "udp://127.0.0.1:43210". Returns buf, TARGET_TEXT_MAX + 6 bytes to hold all. */
char *door_local(const struct door *d, char *buf, size_t size);

/* Datagrams that the kernel dropped because nobody read them in time. */
uint64_t door_drops(struct door *d);

#endif
