/* target.h - from the endpoint on the command line to addresses and a socket. */
#ifndef COMMON_TARGET_H
#define COMMON_TARGET_H

#include "options.h"
#include <dgram/resolve.h>
#include <dgram/socket.h>
#include <dgram/uri.h>

#define TARGET_TEXT_MAX DGRAM_ADDR_TEXT_MAX

struct target {
	struct dgram_uri uri;
	char text[TARGET_TEXT_MAX]; /* for sentences: "127.0.0.1:7499", "[::1]:9", "unix:///run/x"
	                             */
	struct dgram_addr addrs[DGRAM_RESOLVE_MAX];
	size_t count;
};

/* udp:// and unix://: datagrams as they are. Else they carry messages. */
bool target_is_plain(const struct dgram_uri *u);

/* Reads an endpoint to talk to: plain (udp:// or unix://), or HOST:PORT or tcp:// where the command speaks the dgram
 * protocol. 0, or CODE_USAGE after a sentence that shows the endpoint as it should be. */
int target_parse(struct target *t, const char *text, const struct options *o);

/* The same for a byte stream (tcp:// or unix://), to talk to or to listen on. */
int target_parse_stream(struct target *t, const char *text, enum dgram_uri_use use,
                        const struct options *o);

/* Finds its addresses, within -T. 0 or an exit code after a sentence. */
int target_resolve(struct target *t, const struct options *o);

/* A socket to talk to them from, with -b, -i, -4 and -6; addresses that -b cannot reach are taken out
 * of t. 0 or an exit code after a sentence. A UNIX
 * socket's file is removed by close, and by a signal that ends the command before signals_catch. */
int target_socket(struct dgram_socket *s, struct target *t, const struct options *o);

/* Closes it; from before that on a signal removes no file: what is then at its path is somebody else's. */
void target_close(struct dgram_socket *s);

/* Reads an endpoint to listen on, likewise. */
int target_parse_listen(struct dgram_uri *u, const char *text, const struct options *o);

/* A socket bound to the endpoint that was read from text, joined to the group where it is one. 0 or an
 * exit code after a sentence. */
int target_listen(struct dgram_socket *s, const struct dgram_uri *u, const char *text,
                  const struct options *o);

/* A UDP socket bound where -b says, to nobody in particular. 0 or an exit code after a sentence. */
int target_listen_bind(struct dgram_socket *s, const struct options *o);

/* Where a bound socket is, as an endpoint of that scheme with its real port: "udp://127.0.0.1:43210".
 * Returns buf (at least TARGET_TEXT_MAX + 6 bytes to hold all). */
char *target_local(const struct dgram_socket *s, enum dgram_scheme scheme, char *buf, size_t size);

/* dgram_strerror in words that fit the kind of endpoint. Static memory. */
const char *target_strerror(const struct target *t, int error);

/* The parts of target_socket and target_listen, for sockets that are no struct dgram_socket: the
 * address that -b asks for, the one that an endpoint to listen on means, and the sentence when it
 * cannot be had. 0 or an exit code after a sentence; the last one always an exit code. */
int target_bind_address(struct dgram_addr *out, struct target *t, const struct options *o);
int target_resolve_local(struct dgram_addr *out, const struct dgram_uri *u, const char *text,
                         const struct options *o);
int target_bind_failed(const char *text, int error, int errno_value);

/* Whether a datagram to this address goes to many: a multicast address, a broadcast address, or the
 * last address of a network that this machine is in. */
bool target_is_group(const struct dgram_addr *addr);

/* On the dgram protocol: 0 where the target is one peer, CODE_USAGE after a sentence where it is a group or no address
 * to send to. */
int target_check_one(const struct target *t, const struct options *o);

/* A span of time for a sentence: "1 s", "250 ms", "1.5 s". Returns buf. */
char *target_span(uint64_t ns, char *buf, size_t size);

#endif
