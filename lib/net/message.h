/* message.h - between struct dgram_datagram and the system's msghdr, for one datagram. */
#ifndef DG_NET_MESSAGE_H
#define DG_NET_MESSAGE_H

#include "net/sockaddr.h"

#include <dgram/socket.h>
#include <sys/uio.h>

#define DG_CONTROL_MAX 160 /* bytes: where it went for both families, drops, segment */

/* What a msghdr points to; must live as long as it. */
struct dg_message {
	union dg_sockaddr name;
	struct iovec iov;
	_Alignas(struct cmsghdr) uint8_t control[DG_CONTROL_MAX];
};

/* *h receives into d's buffer. */
void dg_message_receive(struct msghdr *h, struct dg_message *m, const struct dgram_socket *s,
                        const struct dgram_datagram *d);

/* len bytes arrived in *h: fills d and counts. */
void dg_message_received(struct dgram_socket *s, struct msghdr *h, size_t len,
                         struct dgram_datagram *d);

/* Whether d can be sent at all: 0, or DGRAM_ERR_ARGUMENT, _PORT, _ZONE. */
int dg_message_check(const struct dgram_socket *s, const struct dgram_datagram *d);

/* *h sends d, which was checked. There is room for one more control message of an int. */
void dg_message_send(struct msghdr *h, struct dg_message *m, const struct dgram_socket *s,
                     const struct dgram_datagram *d);

/* Appends a control message. */
void dg_message_control(struct msghdr *h, int level, int type, const void *data, size_t len);

/* Whether the socket that is bound to own, and received d, had sent it itself: it asked its own address. */
bool dg_message_is_own(const struct dgram_datagram *d, const struct dgram_addr *own);

/* Datagrams in d. */
size_t dg_message_segments(const struct dgram_datagram *d);

#endif
