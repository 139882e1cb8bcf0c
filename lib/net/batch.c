#define _GNU_SOURCE
#include "net/batch.h"
#include "net/message.h"

#include <errno.h>

static int send_one(struct dgram_socket *s, const struct dgram_datagram *d, int flags)
{
	struct dg_message m;
	struct msghdr h;
	ssize_t sent;

	dg_message_send(&h, &m, s, d);
	do
		sent = sendmsg(s->fd, &h, flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

int dg_batch_send_each(struct dgram_socket *s, const struct dgram_datagram *d, int flags)
{
	struct dgram_datagram part = *d;
	size_t count = dg_message_segments(d);

	for (size_t i = 0; i < count; i++) {
		size_t at = i * d->segment;

		part.data = d->data + at;
		part.len = count > 1 && d->len - at > d->segment ? d->segment : d->len - at;
		if (send_one(s, &part, flags) == 0)
			s->stats.sent++;
		else
			return i == 0 ? -1 : 1;
	}
	return 1;
}
