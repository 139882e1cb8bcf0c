/* drops.h - datagrams the kernel dropped, from its running 32-bit count. */
#ifndef DG_NET_DROPS_H
#define DG_NET_DROPS_H

#include <dgram/socket.h>

/* The count may have wrapped since the last look: only the step counts. */
static inline void dg_drops_step(struct dgram_socket *s, uint32_t count)
{
	s->stats.kernel_dropped += (uint32_t)(count - s->last_drops);
	s->last_drops = count;
}

#endif
