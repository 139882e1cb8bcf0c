/* uri.h - the textual form of an endpoint taken apart: scheme, host, zone, port, name, path.
 *
 *   127.0.0.1:7400/time   [fe80::1%eth0]:7400   host/time   @peer/time
 *   udp://HOST:PORT   tcp://HOST:PORT/NAME   group://ADDR%IF:PORT/NAME
 *   unix:///PATH   unix://@ABSTRACT
 *
 * Pure: nothing is looked up; a host may be a name.
 */
#ifndef DGRAM_URI_H
#define DGRAM_URI_H

#include <dgram/export.h>
#include <dgram/addr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_PORT 24726    /* where no port is given, dgram protocol only */
#define DGRAM_HOST_MAX 253  /* bytes of a host name (RFC 1035, section 2.3.4, as text) */
#define DGRAM_ZONE_MAX 15   /* bytes of an interface name (IFNAMSIZ - 1) */
#define DGRAM_PEER_MAX 63   /* bytes of a peer's name, UTF-8 */
#define DGRAM_NAME_MAX 64   /* bytes of a message's name: [a-z0-9_-]+ joined by '.' */

enum dgram_scheme {
	DGRAM_SCHEME_DGRAM = 1, /* HOST:PORT without a scheme */
	DGRAM_SCHEME_PEER,      /* @PEER: host holds the peer's name */
	DGRAM_SCHEME_UDP,
	DGRAM_SCHEME_TCP,
	DGRAM_SCHEME_UNIX,
	DGRAM_SCHEME_GROUP,
};

enum dgram_uri_use {
	DGRAM_URI_TARGET, /* to send to: a host and a port other than 0 are needed */
	DGRAM_URI_LISTEN, /* [ADDR]:PORT, no ADDR: every address, both families; port 0 picks one */
	DGRAM_URI_BIND,   /* [ADDR][:PORT] or unix://PATH to send from; left out: "" and 0 */
};

struct dgram_uri {
	enum dgram_scheme scheme;
	bool numeric;                   /* host is an IPv4 or IPv6 address */
	bool has_port;                  /* false: port is DGRAM_PORT (TARGET) or 0 (BIND) */
	uint16_t port;                  /* host byte order */
	char host[DGRAM_HOST_MAX + 1];  /* without brackets and zone; an address in its canonical
					 * form; a peer's name; "": LISTEN or BIND left it out */
	char zone[DGRAM_ZONE_MAX + 1];  /* "" for none */
	char name[DGRAM_NAME_MAX + 1];  /* "" for none */
	struct dgram_addr unix_addr;    /* UNIX: its address */
};

/* 0, or DGRAM_ERR_ADDRESS / DGRAM_ERR_PORT / DGRAM_ERR_SIZE with *why pointing to a static sentence
 * that says what is wrong and what to write instead (NULL after 0). *out is unspecified after an
 * error. */
DGRAM_API int dgram_uri_parse(struct dgram_uri *out, const char *text, enum dgram_uri_use use,
			      const char **why);

/* "udp" for DGRAM_SCHEME_UDP, "" for DGRAM_SCHEME_DGRAM, "@" for a peer. */
DGRAM_API const char *dgram_scheme_name(enum dgram_scheme scheme);

#ifdef __cplusplus
}
#endif
#endif
