/* socket.h - SOCK_DGRAM done right: sendto and recvfrom whose results can be believed.
 *
 *   truncation   a datagram longer than the buffer is an error, never data
 *   length 0     an empty datagram is a datagram
 *   source       a received datagram knows which local address it was sent to; an answer leaves from there
 *   errors       an ICMP error belongs to the destination that caused it (dgram_socket_next_error) and never
 *                fails an innocent send
 *   drops        what the kernel dropped because the receive buffer was full is counted
 *
 * A socket is used by one thread at a time. It is close-on-exec, never sets SO_REUSEADDR on a unicast address
 * (no other socket can take its port), and never raises SIGPIPE. EINTR is retried everywhere but in
 * dgram_socket_wait.
 */
#ifndef DGRAM_SOCKET_H
#define DGRAM_SOCKET_H

#include <dgram/addr.h>
#include <dgram/datagram.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_DATAGRAM_MAX 65507 /* bytes of payload in one UDP datagram over IPv4 (65535 - 8 - 20) */
#define DGRAM_BATCH_MAX 64       /* datagrams that one call moves at most */
#define DGRAM_SOCKET_ERRORS_MAX 8 /* ICMP errors that wait in a socket; a ninth replaces the oldest */

/* Zeroed: the defaults. */
struct dgram_socket_options {
	const char *interface; /* name: bind to this interface and send groups through it; NULL: any.
				* Borrowed for the call. DGRAM_ERR_INTERFACE: there is none; DGRAM_ERR_DENIED: not
				* without privilege; DGRAM_ERR_UNSUPPORTED: not on this system */
	uint64_t timeout;      /* ns, of every call (see settimeout); 0: DGRAM_NEVER */
	uint32_t receive_buffer, send_buffer; /* bytes asked for; 0: the system's default */
	uint8_t hops;         /* hop limit (TTL) of unicast; 0: the system's default */
	uint8_t group_hops;   /* hop limit of multicast; 0: 1, this link only */
	bool broadcast;       /* may send to broadcast addresses */
	bool no_group_loop;   /* multicast does not come back to this machine */
	bool ipv6_only;       /* an IPv6 socket carries no IPv4 */
	bool reuse_port;      /* share the port with this user's other workers (SO_REUSEPORT) */
	bool group_port;      /* share the port with other members of the group it is bound to (SO_REUSEADDR).
			       * DGRAM_ERR_ARGUMENT when bound to anything but a multicast address */
	bool no_fragments;    /* a datagram longer than the path takes is DGRAM_ERR_SIZE, not cut into fragments */
	bool coalesce;        /* recv_batch may give several datagrams of one peer in one entry (its segment says the
			       * size of each) where the system can (UDP_GRO). Needs buffers of DGRAM_DATAGRAM_MAX
			       * and no recvfrom */
};

struct dgram_socket_stats {
	uint64_t received, sent; /* datagrams; truncated ones are not in received */
	uint64_t truncated;      /* longer than their buffer: dropped */
	uint64_t kernel_dropped; /* lost because the receive buffer was full, as far as the system has told: it
				  * tells with the next datagram, and dgram_socket_count_drops asks */
	uint64_t errors;         /* that came for next_error */
	uint64_t errors_lost;    /* of these, replaced by newer ones before anyone asked */
};

/* What the network said about a datagram that was sent. A hint: anyone can forge ICMP. */
struct dgram_socket_error {
	struct dgram_addr to;   /* the destination that caused it */
	struct dgram_addr from; /* the host that says so; unset: this machine, or not known */
	int error;              /* DGRAM_ERR_REFUSED, _UNREACHABLE, _SIZE, _DENIED or _SYSTEM */
	int errno_value;
	uint32_t mtu;           /* DGRAM_ERR_SIZE: what the path takes, bytes of IP packet; else 0 */
};

/* Plain so that it needs no allocation; read the fields, change them through the functions. One of the three
 * openers fills it in; before that it must not be closed. */
struct dgram_socket {
	int fd;                  /* -1: closed. May be polled: errors may wait in the socket too, so ask next_error
				  * until it says 0 before sleeping. Stays blocking: timeouts are ours */
	uint8_t family;          /* enum dgram_family; an IPv6 socket that is not ipv6_only carries IPv4 too */
	bool connected;
	bool error_queue;        /* the system keeps errors apart (IP_RECVERR). Without, an unconnected socket
				  * hears of no refusal: it is silence */
	bool owns_directory;     /* UNIX: close removes the directory of path too */
	uint64_t timeout;        /* ns; DGRAM_NEVER: block, 0: non-blocking */
	uint32_t receive_buffer; /* bytes granted: compare with what was asked for. Each datagram takes more of */
	uint32_t send_buffer;    /* them than its length; on Linux the kernel adds as much again for that */
	uint32_t interface;      /* index of the interface it is bound to; 0: any */
	uint32_t last_drops;     /* the kernel's running count, to see its steps */
	struct dgram_socket_stats stats;
	struct dgram_socket_error errors[DGRAM_SOCKET_ERRORS_MAX]; /* met by a call, not yet asked for */
	uint8_t errors_first, errors_count;
	char path[DGRAM_UNIX_PATH_MAX + 1]; /* UNIX: what close removes; "" for nothing */
};

/* A new socket, in one of three ways: 0, or DGRAM_ERR_* with *s closed; errno is kept for
 * DGRAM_ERR_SYSTEM. opt NULL: the defaults.
 *   open       to send from: the kernel picks the port with the first send. DGRAM_FAMILY_NONE carries both
 *              families. UNIX: bound to a random name in a new directory under $TMPDIR (or /tmp) that others can
 *              pass but not list, so that answers can come; close removes both
 *   bind       to receive on. Port 0 picks one. "::" takes both families unless ipv6_only, and becomes 0.0.0.0 on a
 *              machine without IPv6. UNIX: a socket's path that nobody is bound to is replaced, everything else
 *              that exists there is DGRAM_ERR_IN_USE; close removes the path if it is still ours
 *   connect    one peer only: the kernel drops datagrams of others, refusals come at once. Never its own peer. UNIX:
 *              bound as by open
 * DGRAM_ERR_IN_USE, DGRAM_ERR_NOT_LOCAL, DGRAM_ERR_DENIED (a port below 1024), DGRAM_ERR_ZONE (link-local without
 * zone or interface), DGRAM_ERR_PORT (connect to port 0), DGRAM_ERR_UNREACHABLE (connect without a route),
 * DGRAM_ERR_UNSUPPORTED (no such family here). */
DGRAM_API int dgram_socket_open(struct dgram_socket *s, enum dgram_family family,
				   const struct dgram_socket_options *opt);
DGRAM_API int dgram_socket_bind(struct dgram_socket *s, const struct dgram_addr *local,
				 const struct dgram_socket_options *opt);
DGRAM_API int dgram_socket_connect(struct dgram_socket *s, const struct dgram_addr *peer,
				     const struct dgram_socket_options *opt);

/* A closed socket may be closed again. errno stays as it was. */
DGRAM_API void dgram_socket_close(struct dgram_socket *s);

/* How long a call may wait: ns, DGRAM_NEVER, or 0 for not at all. */
DGRAM_API void dgram_socket_settimeout(struct dgram_socket *s, uint64_t timeout);

/* The address that the socket is bound to, and its peer's: 0, or DGRAM_ERR_SYSTEM with errno: it is closed (EBADF), or
 * has no peer (ENOTCONN). */
DGRAM_API int dgram_socket_getsockname(const struct dgram_socket *s, struct dgram_addr *out);
DGRAM_API int dgram_socket_getpeername(const struct dgram_socket *s, struct dgram_addr *out);

/* One datagram out: 0 or why not. to NULL or unset: the connected peer.
 *   DGRAM_ERR_SIZE         longer than a datagram can be, or with no_fragments than the path takes
 *   DGRAM_ERR_AGAIN        the timeout is 0 and there is no room now; DGRAM_ERR_TIMEOUT: nor was there in time
 *   DGRAM_ERR_NOBUFS       the kernel dropped it before it left
 *   DGRAM_ERR_PORT         port 0
 *   DGRAM_ERR_ZONE         link-local without zone, on a socket that is not bound to an interface
 *   DGRAM_ERR_UNREACHABLE  no route
 *   DGRAM_ERR_DENIED       firewall or route forbids it, or broadcast is not enabled
 *   DGRAM_ERR_REFUSED      UNIX: nobody is bound to the path
 *   DGRAM_ERR_ARGUMENT     the socket does not carry this family, or has no peer */
DGRAM_API int dgram_socket_sendto(struct dgram_socket *s, const void *data, size_t len,
				  const struct dgram_addr *to);

/* One datagram in: its length (0 is a datagram). DGRAM_ERR_TIMEOUT when the timeout passed, DGRAM_ERR_AGAIN when it
 * is 0; DGRAM_ERR_TRUNCATED: it was longer than size and is gone (over UNIX also: it carried descriptors). from
 * may be NULL; it is filled in for a truncated one too. Only on a connected socket an error that waits is
 * returned, with its errno, and so taken, once no datagram is left: DGRAM_ERR_REFUSED is the peer's. On others
 * errors wait for dgram_socket_next_error. */
DGRAM_API int dgram_socket_recvfrom(struct dgram_socket *s, void *buf, size_t size,
				    struct dgram_addr *from);

/* How many arrived (1 to n, at most DGRAM_BATCH_MAX); waits as recvfrom does for the first, for no other. */
DGRAM_API int dgram_socket_recv_batch(struct dgram_socket *s, struct dgram_datagram *v, size_t n);

/* How many the kernel took (1 to n, at most DGRAM_BATCH_MAX), in order; when it took none, why the first was
 * refused (as sendto). */
DGRAM_API int dgram_socket_send_batch(struct dgram_socket *s, const struct dgram_datagram *v, size_t n);

/* 1: *out is the oldest error that waits; 0: none. Never blocks. */
DGRAM_API int dgram_socket_next_error(struct dgram_socket *s, struct dgram_socket_error *out);

/* Waits until something can be read (1), an error waits (2) or both (3); 0: timeout ns passed. A signal
 * handler that ran is 0 too, before its time. DGRAM_ERR_ARGUMENT: the socket is closed; DGRAM_ERR_SYSTEM. */
#define DGRAM_READABLE 1
#define DGRAM_ERROR_WAITS 2
DGRAM_API int dgram_socket_wait(struct dgram_socket *s, uint64_t timeout);

/* Brings stats.kernel_dropped up to date where the system can tell; returns it. */
DGRAM_API uint64_t dgram_socket_count_drops(struct dgram_socket *s);

/* Multicast membership (the group's port is not looked at). interface: an index, or 0 for every interface
 * that is up and can do multicast, and loopback; the zone of an IPv6 group goes before it. The number of
 * interfaces joined or left (a second join of the same counts), or DGRAM_ERR_INTERFACE when there was none;
 * DGRAM_ERR_ARGUMENT: not a multicast address. Call again when interfaces have come. */
DGRAM_API int dgram_socket_join(struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface);
DGRAM_API int dgram_socket_leave(struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface);

#ifdef __cplusplus
}
#endif
#endif
