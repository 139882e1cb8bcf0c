/* path.h - the socket file of a UNIX socket: bound in place of one nobody owns, removed when its
 * owner goes. */
#ifndef DG_NET_PATH_H
#define DG_NET_PATH_H

#include <dgram/addr.h>

#define DG_PATH_ROOM (DGRAM_UNIX_PATH_MAX + 1)

/* Binds fd (of any type) to local, a UNIX address. A socket file that nobody is bound to is
 * replaced. 0 or an errno value; EADDRINUSE: somebody is bound, or the file is no socket. path is
 * then what dg_path_remove takes, "" for an abstract name. */
int dg_path_bind(int fd, const struct dgram_addr *local, char path[DG_PATH_ROOM]);

/* To be called once the socket is closed: removes its file, unless somebody is bound to it (a
 * successor, or a child process that still has the descriptor), and forgets it. */
void dg_path_remove(char path[DG_PATH_ROOM]);

#endif
