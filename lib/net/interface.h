/* interface.h - the network interfaces of this machine. */
#ifndef DG_NET_INTERFACE_H
#define DG_NET_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#define DG_INTERFACES_MAX 64

/* Indexes of the interfaces that are up and can do multicast, and loopback; how many, or
 * DGRAM_ERR_SYSTEM. */
int dg_interface_multicast(uint32_t index[DG_INTERFACES_MAX]);

#endif
