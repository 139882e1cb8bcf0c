/* drops.h - datagrams the kernel dropped, from its running 32-bit count. */
#ifndef DG_NET_DROPS_H
#define DG_NET_DROPS_H

#include <dgram/socket.h>

/* The count may have wrapped since the last look: only the step counts. A step back is no step: a
 * datagram that waited carries the count of its arrival. */
static inline void dg_drops_step(struct dgram_socket *s, uint32_t count)
{
	uint32_t step = count - s->last_drops;

	if (step > INT32_MAX)
		return;
	s->stats.kernel_dropped += step;
	s->last_drops = count;
}

#endif
