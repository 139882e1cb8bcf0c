#define _GNU_SOURCE
#include "net/batch.h"
#include "net/message.h"

#include <errno.h>

static int send_one(struct dgram_socket *s, const struct dgram_datagram *d, int flags)
{
	struct dg_message m;
	struct msghdr h;

	dg_message_send(&h, &m, s, d);
	if (sendmsg(s->fd, &h, flags) < 0)
		return -1;
	s->stats.sent++;
	return 0;
}

int dg_batch_send_each(struct dgram_socket *s, const struct dgram_datagram *d, int flags)
{
	struct dgram_datagram part = *d;
	size_t count = dg_message_segments(d);

	for (size_t i = 0; i < count; i++) {
		size_t at = i * d->segment;
		int err;

		part.data = d->data + at;
		part.len = i + 1 < count ? d->segment : d->len - at;
		do
			err = send_one(s, &part, flags);
		while (err < 0 && errno == EINTR && i > 0);
		if (err < 0)
			return i > 0 ? 1 : -1;
	}
	return 1;
}
