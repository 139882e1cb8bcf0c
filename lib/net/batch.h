/* batch.h - the system calls that move datagrams, several at once where the system can.
 * batch_linux.c or batch_posix.c, as CMake chose.
 *
 * Neither waits for more than the first datagram, retries or explains: that is datagram.c's.
 */
#ifndef DG_NET_BATCH_H
#define DG_NET_BATCH_H

#include <dgram/socket.h>

/* n is 1 to DGRAM_BATCH_MAX; flags is MSG_DONTWAIT or 0. How many arrived, or -1 with errno. */
int dg_batch_receive(struct dgram_socket *s, struct dgram_datagram *v, size_t n, int flags);

/* Every entry was checked (message.h). How many went out, or -1 with errno: not even the first. */
int dg_batch_send(struct dgram_socket *s, const struct dgram_datagram *v, size_t n, int flags);

/* One entry, a datagram or several, by a system call for each datagram: 1, or -1 with errno when
 * not even the first went out. What follows a failure is lost, as datagrams may be. */
int dg_batch_send_each(struct dgram_socket *s, const struct dgram_datagram *d, int flags);

#endif
