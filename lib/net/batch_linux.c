#define _GNU_SOURCE
#include "net/batch.h"
#include "net/message.h"

#include <errno.h>
#include <netinet/udp.h>

#define SEGMENTS_MAX 64 /* datagrams that every kernel with UDP_SEGMENT cuts from one buffer */

int dg_batch_receive(struct dgram_socket *s, struct dgram_datagram *v, size_t n, int flags)
{
	struct dg_message m[DGRAM_BATCH_MAX];
	struct mmsghdr h[DGRAM_BATCH_MAX];
	int got;

	for (size_t i = 0; i < n; i++)
		dg_message_receive(&h[i].msg_hdr, &m[i], s, &v[i]);
	got = recvmmsg(s->fd, h, (unsigned)n, flags | MSG_WAITFORONE, NULL);
	for (int i = 0; i < got; i++)
		dg_message_received(s, &h[i].msg_hdr, h[i].msg_len, &v[i]);
	return got;
}

/* Whether the kernel may be asked to cut d into its datagrams. */
static bool can_segment(const struct dgram_socket *s, const struct dgram_datagram *d)
{
	return s->family != DGRAM_UNIX && d->len <= DGRAM_DATAGRAM_MAX &&
	       dg_message_segments(d) <= SEGMENTS_MAX;
}

/* The kernel's ways to say that it, the device or the path cannot do it in one piece. */
static bool cannot_segment(int errno_value)
{
	return errno_value == EINVAL || errno_value == EMSGSIZE || errno_value == EIO ||
	       errno_value == ENOPROTOOPT || errno_value == EOPNOTSUPP;
}

int dg_batch_send(struct dgram_socket *s, const struct dgram_datagram *v, size_t n, int flags)
{
	struct dg_message m[DGRAM_BATCH_MAX];
	struct mmsghdr h[DGRAM_BATCH_MAX];
	bool first_is_several = dg_message_segments(&v[0]) > 1;
	size_t ready = 0;
	int sent;

	for (; ready < n; ready++) {
		uint16_t segment = (uint16_t)v[ready].segment;

		dg_message_send(&h[ready].msg_hdr, &m[ready], s, &v[ready]);
		if (dg_message_segments(&v[ready]) == 1)
			continue;
		if (!can_segment(s, &v[ready]))
			break;
		dg_message_control(&h[ready].msg_hdr, IPPROTO_UDP, UDP_SEGMENT, &segment,
		                   sizeof segment);
	}
	if (ready == 0)
		return dg_batch_send_each(s, &v[0], flags);
	sent = sendmmsg(s->fd, h, (unsigned)ready, flags);
	if (sent < 0 && first_is_several && cannot_segment(errno))
		return dg_batch_send_each(s, &v[0], flags);
	for (int i = 0; i < sent; i++)
		s->stats.sent += dg_message_segments(&v[i]);
	return sent;
}
