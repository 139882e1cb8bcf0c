/* errors.h - what the network says about datagrams that were sent.
 *
 * The kernel tells twice: as an entry of the socket's error queue, which names the destination, and
 * as an error of whichever call comes next, which names nobody. We believe the queue. A call that
 * meets the nameless one moves the queue's entries into the socket, where dgram_socket_next_error
 * finds them, and goes on with its own work. The queue must be emptied in any case: its entries
 * take room of the receive buffer.
 *
 * errors_linux.c reads the queue. With errors_posix.c there is none: a connected socket has only
 * one destination, and no other socket is told anything.
 */
#ifndef DG_NET_ERRORS_H
#define DG_NET_ERRORS_H

#include <dgram/socket.h>

/* Asks the system for a queue: whether there is one. */
bool dg_errors_enable(const struct dgram_socket *s);

/* Moves what is queued into the socket; how many of them came from the network. to, if not NULL:
 * where the datagram went that this machine itself has just refused (unset: to the peer). errno stays as
 * it was. */
size_t dg_errors_drain(struct dgram_socket *s, const struct dgram_addr *to);

/* What errno_value means of a send or a connect; it stays in errno. */
int dg_errors_outcome(const struct dgram_socket *s, int errno_value);

/* Whether errno_value can be about another datagram than the one in hand. */
bool dg_errors_pending(int errno_value);

/* Drains, and takes the nameless error (errno_value; 0: the one that the socket has now, if any)
 * for the peer's where nothing was queued and the socket is connected. */
void dg_errors_collect(struct dgram_socket *s, int errno_value);

void dg_errors_push(struct dgram_socket *s, const struct dgram_socket_error *e);
bool dg_errors_pop(struct dgram_socket *s, struct dgram_socket_error *out);

#endif
