/* stream.h - the small TCP path: what a socket tutorial does with SOCK_STREAM, over TCP and UNIX
 * sockets.
 *
 *   timeouts     cover the whole call, whatever signals arrive in it
 *   the end      dgram_stream_recv returns 0 once the peer has sent all it had; a connection that
 *                breaks is DGRAM_ERR_BROKEN and never looks like an end
 *   small sends  leave at once (TCP_NODELAY), but a stream knows no messages: see frame.h for those
 *
 * A stream is used by one thread at a time. It is close-on-exec and never raises SIGPIPE.
 */
#ifndef DGRAM_STREAM_H
#define DGRAM_STREAM_H

#include <dgram/addr.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed: the defaults. */
struct dgram_stream_options {
	struct dgram_addr local; /* connect: leave from here; unset: the kernel's choice */
	const char *interface; /* name: use this interface only; NULL: any. Borrowed for the call */
	uint64_t timeout;      /* ns, for connect and every later call; 0: DGRAM_NEVER */
	int backlog; /* listen: connections that wait to be accepted; 0: what the system allows */
	bool ipv6_only; /* listen: an IPv6 wildcard takes no IPv4 */
};

/* Plain so that it needs no allocation; read the fields, change them through the functions. connect,
 * listen or accept fills it in; before that it must not be closed. */
struct dgram_stream {
	int fd;         /* -1: closed. Non-blocking; may be polled */
	int spare;      /* listening: a descriptor kept back for the day when there is none left */
	uint8_t family; /* enum dgram_family */
	uint64_t timeout; /* ns; DGRAM_NEVER: wait, 0: never wait */
	char path[DGRAM_UNIX_PATH_MAX + 1]; /* UNIX, listening: what close removes; "" for nothing */
};

/* Connects to a TCP or UNIX stream socket. 0, or with *s closed:
 *   DGRAM_ERR_REFUSED      nobody listens there (UNIX: no such path, too)
 *   DGRAM_ERR_UNREACHABLE  no way to there
 *   DGRAM_ERR_TIMEOUT      no answer in opt->timeout
 *   DGRAM_ERR_PORT, _ZONE  to needs a port other than 0, a zone
 * or what else dgram_error_from_errno makes of errno, which is kept. opt NULL: the defaults. */
DGRAM_API int dgram_stream_connect(struct dgram_stream *s, const struct dgram_addr *to,
                                   const struct dgram_stream_options *opt);

/* The same for those who try and see: the errno value, 0 when connected, never negative. Time that
 * ran out is ETIMEDOUT. */
DGRAM_API int dgram_stream_connect_ex(struct dgram_stream *s, const struct dgram_addr *to,
                                      const struct dgram_stream_options *opt);

/* Listens on local. Port 0 picks one; IPv6 "::" takes both families (IPv4 where the system has no
 * IPv6). A UNIX path nobody is bound to is replaced, one in use is DGRAM_ERR_IN_USE; close removes
 * it. 0, or DGRAM_ERR_* with *s closed; errno is kept. */
DGRAM_API int dgram_stream_listen(struct dgram_stream *s, const struct dgram_addr *local,
                                  const struct dgram_stream_options *opt);

/* Takes the next connection: 0 with *out open and *from (may be NULL) set; *out has the listener's
 * timeout. DGRAM_ERR_TIMEOUT and DGRAM_ERR_AGAIN (timeout 0): nobody came. DGRAM_ERR_FULL: somebody
 * came, but the process or the system has no descriptor left; that connection was closed so that
 * the peer knows, and the next call waits for the next one. A connection that broke while it waited
 * is passed over. */
DGRAM_API int dgram_stream_accept(struct dgram_stream *listener, struct dgram_stream *out,
                                  struct dgram_addr *from);

/* Closes; twice is fine. Of a listener, removes its socket file. */
DGRAM_API void dgram_stream_close(struct dgram_stream *s);

/* How long a call may wait: ns, DGRAM_NEVER, or 0 for not at all. */
DGRAM_API void dgram_stream_settimeout(struct dgram_stream *s, uint64_t timeout);

/* 0; DGRAM_ERR_BROKEN: the peer is gone; DGRAM_ERR_SYSTEM with errno: it is closed (EBADF). */
DGRAM_API int dgram_stream_getsockname(const struct dgram_stream *s, struct dgram_addr *out);
DGRAM_API int dgram_stream_getpeername(const struct dgram_stream *s, struct dgram_addr *out);

/* Hands bytes to the kernel: how many it took, 1 to len (0 for len 0). DGRAM_ERR_TIMEOUT or
 * DGRAM_ERR_AGAIN: none, the peer does not read. DGRAM_ERR_BROKEN: the connection is gone. */
DGRAM_API int dgram_stream_send(struct dgram_stream *s, const void *data, size_t len);

/* All of them: 0, or the error of send. The timeout covers the whole; after an error how many bytes
 * went is not known, so close. */
DGRAM_API int dgram_stream_sendall(struct dgram_stream *s, const void *data, size_t len);

/* Waits for bytes: how many came, at most size, which is not 0. 0: the peer has sent all it had (it
 * may still read). DGRAM_ERR_TIMEOUT, DGRAM_ERR_AGAIN: none yet. DGRAM_ERR_BROKEN: the connection
 * broke; what came before was handed out first. */
DGRAM_API int dgram_stream_recv(struct dgram_stream *s, void *buf, size_t size);

/* Ends one direction, or both, and keeps the descriptor. WRITE is how the peer learns that nothing
 * follows. */
enum dgram_stream_way {
	DGRAM_STREAM_READ = 1,
	DGRAM_STREAM_WRITE = 2,
	DGRAM_STREAM_BOTH = 3,
};
DGRAM_API int dgram_stream_shutdown(struct dgram_stream *s, enum dgram_stream_way way);

#ifdef __cplusplus
}
#endif
#endif
