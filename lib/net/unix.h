/* unix.h - the paths of UNIX sockets: made, taken over when nobody is there any more, removed. */
#ifndef DG_NET_UNIX_H
#define DG_NET_UNIX_H

#include <dgram/socket.h>

/* Binds s to a path or an abstract name; 0 or DGRAM_ERR_*. */
int dg_unix_bind(struct dgram_socket *s, const struct dgram_addr *local);

/* Binds s to a new random name that others can answer to. */
int dg_unix_bind_anywhere(struct dgram_socket *s);

/* Removes the path of a socket that is closed by now, unless somebody is bound to it again. */
void dg_unix_remove(struct dgram_socket *s);

#endif
