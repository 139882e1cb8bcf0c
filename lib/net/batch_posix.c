#define _GNU_SOURCE /* MSG_DONTWAIT, which POSIX has only since 2024 */
#include "net/batch.h"
#include "net/message.h"

static int receive_one(struct dgram_socket *s, struct dgram_datagram *d, int flags)
{
	struct dg_message m;
	struct msghdr h;
	ssize_t len;

	dg_message_receive(&h, &m, s, d);
	len = recvmsg(s->fd, &h, flags);
	if (len < 0)
		return -1;
	dg_message_received(s, &h, (size_t)len, d);
	return 0;
}

int dg_batch_receive(struct dgram_socket *s, struct dgram_datagram *v, size_t n, int flags)
{
	if (receive_one(s, &v[0], flags) < 0)
		return -1;
	for (size_t i = 1; i < n; i++)
		if (receive_one(s, &v[i], flags | MSG_DONTWAIT) < 0)
			return (int)i;
	return (int)n;
}

int dg_batch_send(struct dgram_socket *s, const struct dgram_datagram *v, size_t n, int flags)
{
	for (size_t i = 0; i < n; i++)
		if (dg_batch_send_each(s, &v[i], flags) < 0)
			return i > 0 ? (int)i : -1;
	return (int)n;
}
