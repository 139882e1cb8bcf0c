/* system.h - what one kernel has beyond POSIX and RFC 3542. system_linux.c or system_posix.c, as
 * CMake chose. */
#ifndef DG_NET_SYSTEM_H
#define DG_NET_SYSTEM_H

#include <dgram/socket.h>
#include <sys/socket.h>

/* For a socket of any type: 0 and *index, or an errno value that is DGRAM_ERR_INTERFACE, _DENIED or
 * _UNSUPPORTED. */
int dg_system_bind_interface(int fd, const char *name, uint32_t *index);

/* Whatever makes results more truthful and may silently be missing. */
void dg_system_prepare(const struct dgram_socket *s);

/* 0 or DGRAM_ERR_UNSUPPORTED. */
int dg_system_no_fragments(const struct dgram_socket *s);

/* Several datagrams in one buffer on receive, if there is such a thing: whether they came so before. */
bool dg_system_coalesce(const struct dgram_socket *s, bool on);

/* Usable bytes of SO_RCVBUF or SO_SNDBUF. */
uint32_t dg_system_buffer(int fd, int option);

/* A control message of a received datagram that no standard describes. */
void dg_system_control(struct dgram_socket *s, struct dgram_datagram *d, struct cmsghdr *c);

/* The kernel's running count of dropped datagrams, modulo 2^32; false: it does not tell. */
bool dg_system_drops(const struct dgram_socket *s, uint32_t *count);

#endif
