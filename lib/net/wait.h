/* wait.h - waiting on a socket, in nanoseconds. */
#ifndef DG_NET_WAIT_H
#define DG_NET_WAIT_H

#include <dgram/socket.h>
#include <time.h>

/* now + timeout that never wraps into the past; DGRAM_NEVER stays what it is. */
uint64_t dg_deadline(uint64_t now, uint64_t timeout);

/* What is left until a deadline: 0 when it has passed, DGRAM_NEVER when there is none. */
uint64_t dg_time_left(uint64_t deadline);

struct timespec dg_timespec(uint64_t ns);

/* How long the kernel may wait in a send or a connect of fd: at least ns, DGRAM_NEVER for ever. 0 or an
 * errno value. */
int dg_limit_send(int fd, uint64_t ns);

/* poll() once, at most ns: the events, 0 when the time passed or a signal came. Errors of the
 * network that poll tells of are moved into the socket. */
int dg_wait_readable(struct dgram_socket *s, uint64_t ns);

#endif
