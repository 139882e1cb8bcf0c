/* socket.h - SOCK_DGRAM done right: sendto and recvfrom whose results can be believed.
 *
 *   truncation   a datagram longer than the buffer is an error, never data
 *   length 0     an empty datagram is a datagram
 *   source       every received datagram knows which local address it was sent to; an answer leaves from there
 *   errors       an ICMP error belongs to the destination that caused it (dgram_socket_next_error) and never
 *                fails an innocent send
 *   drops        what the kernel dropped because the receive buffer was full is counted
 *
 * A socket is used by one thread at a time. It is close-on-exec, never sets SO_REUSEADDR on a unicast address
 * (no other socket can take its port), and never raises SIGPIPE.
 */
#ifndef DGRAM_SOCKET_H
#define DGRAM_SOCKET_H

#include <dgram/addr.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_DATAGRAM_MAX 65507 /* bytes of payload in one UDP datagram over IPv4 (65535 - 8 - 20) */
#define DGRAM_BATCH_MAX 64       /* datagrams that one call moves at most */

/* Zeroed: the defaults. */
struct dgram_socket_options {
	const char *interface; /* name: bind to this interface and send groups through it; NULL: any. Borrowed for the call */
	uint32_t receive_buffer, send_buffer; /* bytes asked for; 0: the system's default */
	uint8_t hops;          /* hop limit (TTL) of unicast; 0: the system's default */
	uint8_t group_hops;    /* hop limit of multicast; 0: 1, this link only */
	bool broadcast;        /* may send to broadcast addresses */
	bool no_group_loop;    /* multicast does not come back to this machine */
	bool ipv6_only;        /* an IPv6 wildcard socket takes no IPv4 */
	bool reuse_port;       /* share the port with this process's other workers (SO_REUSEPORT) */
	bool group_port;       /* share the port with other members of a multicast group (SO_REUSEADDR); not for unicast */
	bool nonblocking;      /* starts with timeout 0 */
};

struct dgram_socket_stats {
	uint64_t received, sent;  /* datagrams */
	uint64_t truncated;       /* received ones that were longer than their buffer: dropped */
	uint64_t kernel_dropped;  /* lost because the receive buffer was full (SO_RXQ_OVFL; 0 where the system cannot tell) */
	uint64_t errors;          /* ICMP errors taken from the error queue */
};

/* Plain so that it needs no allocation; read the fields, change them through the functions. */
struct dgram_socket {
	int fd;                  /* -1: closed. May be polled */
	uint8_t family;          /* enum dgram_family; an IPv6 socket that is not ipv6_only carries IPv4 too */
	bool connected;
	bool error_queue;        /* the system keeps errors apart (IP_RECVERR) */
	uint64_t timeout;        /* ns; DGRAM_NEVER: block, 0: non-blocking */
	uint32_t receive_buffer, send_buffer; /* bytes granted: compare with what was asked for */
	uint32_t last_drops;     /* the kernel's running count, to see its steps */
	struct dgram_socket_stats stats;
	char path[DGRAM_UNIX_PATH_MAX + 1]; /* UNIX: what close removes; "" for nothing */
};

/* How the descriptor is made. All three: 0, or DGRAM_ERR_* with *s closed; errno is kept for
 * DGRAM_ERR_SYSTEM. opt NULL: the defaults.
 *   unbound    to send from: the kernel picks the port with the first send. UNIX: autobound, so that answers come
 *   bound      to receive on. Port 0 picks one; IPv6 "::" takes both families. UNIX: a path nobody is bound to is
 *              replaced, one in use is DGRAM_ERR_IN_USE; removed again by close
 *   connected  one peer only: the kernel drops datagrams of others, refusals come at once */
DGRAM_API int dgram_socket_unbound(struct dgram_socket *s, enum dgram_family family,
				   const struct dgram_socket_options *opt);
DGRAM_API int dgram_socket_bound(struct dgram_socket *s, const struct dgram_addr *local,
				 const struct dgram_socket_options *opt);
DGRAM_API int dgram_socket_connected(struct dgram_socket *s, const struct dgram_addr *peer,
				     const struct dgram_socket_options *opt);
DGRAM_API void dgram_socket_close(struct dgram_socket *s);

/* How long a call may wait: ns, DGRAM_NEVER, or 0 for not at all. */
DGRAM_API void dgram_socket_settimeout(struct dgram_socket *s, uint64_t timeout);
DGRAM_API int dgram_socket_getsockname(const struct dgram_socket *s, struct dgram_addr *out);
DGRAM_API int dgram_socket_getpeername(const struct dgram_socket *s, struct dgram_addr *out);

/* One datagram out: 0 or why not. to NULL: the connected peer. EINTR is retried. DGRAM_ERR_SIZE: longer than a
 * datagram can be or than the path takes; DGRAM_ERR_AGAIN / DGRAM_ERR_NOBUFS: not now; DGRAM_ERR_PORT: port 0;
 * DGRAM_ERR_ZONE: link-local without zone; DGRAM_ERR_DENIED: firewall, or broadcast not enabled. */
DGRAM_API int dgram_socket_sendto(struct dgram_socket *s, const void *data, size_t len,
				  const struct dgram_addr *to);

/* One datagram in: its length (0 is a datagram). DGRAM_ERR_TIMEOUT when the timeout passed, DGRAM_ERR_AGAIN when it
 * is 0; DGRAM_ERR_TRUNCATED: it was longer than size and is gone. from may be NULL. On a connected
 * socket DGRAM_ERR_REFUSED is the peer's; on others errors wait in the error queue. */
DGRAM_API int dgram_socket_recvfrom(struct dgram_socket *s, void *buf, size_t size,
				    struct dgram_addr *from);

/* One entry of a batch, in both directions. */
struct dgram_datagram {
	struct dgram_addr peer;  /* received from / send to (unset: the connected peer) */
	struct dgram_addr local; /* received on / send from; unset: unknown / the kernel's choice. Port is 0 */
	uint32_t interface;      /* index it came in on / goes out on; 0: unknown / any */
	int status;              /* received: 0, or DGRAM_ERR_TRUNCATED with len 0 */
	uint8_t *data;           /* the caller's buffer, until it says otherwise */
	size_t len;              /* bytes used */
	size_t cap;              /* bytes there are (receive) */
	size_t segment;          /* 0: data is one datagram; else data is several of this size, the last may be shorter */
};

/* How many arrived (1 to n, at most DGRAM_BATCH_MAX); waits as recvfrom does for the first, for no other. */
DGRAM_API int dgram_socket_recv_batch(struct dgram_socket *s, struct dgram_datagram *v, size_t n);

/* How many the kernel took (1 to n), in order; when it took none, why the first was refused. */
DGRAM_API int dgram_socket_send_batch(struct dgram_socket *s, const struct dgram_datagram *v, size_t n);

/* What the network said about a datagram that was sent. A hint: anyone can forge ICMP. */
struct dgram_socket_error {
	struct dgram_addr to;   /* the destination that caused it */
	struct dgram_addr from; /* the host that says so; unset: this machine */
	int error;              /* DGRAM_ERR_REFUSED, _UNREACHABLE, _SIZE, _DENIED or _SYSTEM */
	int errno_value;
	uint32_t mtu;           /* DGRAM_ERR_SIZE: what the path takes, bytes of IP packet; else 0 */
};

/* 1: *out is the oldest error that waits; 0: none. Never blocks. */
DGRAM_API int dgram_socket_next_error(struct dgram_socket *s, struct dgram_socket_error *out);

/* Waits until something can be read (1), an error waits (2) or both (3); 0: timeout ns passed. A signal
 * handler that ran is 0 too, before its time. */
#define DGRAM_READABLE 1
#define DGRAM_ERROR_WAITS 2
DGRAM_API int dgram_socket_wait(struct dgram_socket *s, uint64_t timeout);

/* Multicast membership (the group's port is not looked at). interface: an index, or 0 for every interface
 * that is up and can do multicast. The number of interfaces joined or left, or DGRAM_ERR_INTERFACE. */
DGRAM_API int dgram_socket_join(struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface);
DGRAM_API int dgram_socket_leave(struct dgram_socket *s, const struct dgram_addr *group, uint32_t interface);

#ifdef __cplusplus
}
#endif
#endif
