/* packet.h - one DATA datagram while it is filled with frames. */
#ifndef DG_ENDPOINT_PACKET_H
#define DG_ENDPOINT_PACKET_H

#include "endpoint/endpoint.h"

struct dg_packet {
	struct dgram_endpoint *ep;
	struct dg_session *s;
	struct dg_active *a;
	struct dg_writer w; /* without room for the trailer */
	uint64_t now;
	bool may_ask;         /* frames that ask for an ACK may be added */
	bool asking, asks;    /* one was; one asks even those who do not know the session */
	bool worth;           /* it says something that cannot wait for another packet */
	bool single;          /* one frame of one message, and no more */
	bool full;            /* it has that */
	bool shared;          /* its items are another packet's too */
	uint64_t acks;        /* highest number of its ACK, DG_NO_ACK */
	uint32_t first, last; /* items */
	uint32_t pulled;      /* pulled answers aboard */
};

void dg_packet_begin(struct dg_packet *p, struct dgram_endpoint *ep, struct dg_session *s,
                     struct dgram_datagram *out, uint64_t now);

/* The frames that are due, as many as fit: of the session, then of its messages. */
void dg_packet_fill(struct dg_packet *p);

/* What the oldest packet in flight carried, once more, or whatever is due, or a PING. */
void dg_packet_probe(struct dg_packet *p);

/* PING and PADDING: a probe of the path's size. */
void dg_packet_probe_size(struct dg_packet *p, uint16_t size);

/* False, and nothing has happened: it says nothing that matters. */
bool dg_packet_finish(struct dg_packet *p, struct dgram_datagram *out);

/* So many packets asked for nothing that the next one has to: else our ACKs repeat themselves for ever. */
bool dg_packet_is_overdue(const struct dg_active *a);

/* Adds one frame, and, where item is not NULL and the frame asks, an item. False: no room, or it may
 * not ask. */
bool dg_packet_add(struct dg_packet *p, const struct dg_frame *frame, const struct dg_item *item);

/* One frame of what a message has to send; see parcel.c. */
enum dg_put {
	DG_PUT_NOTHING, /* there is nothing */
	DG_PUT_DONE,
	DG_PUT_NO_ROOM,
};
enum dg_put dg_packet_put(struct dg_packet *p, struct dg_message *m);
enum dg_put dg_packet_put_again(struct dg_packet *p, const struct dg_item *item);
bool dg_message_has_more(const struct dgram_endpoint *ep, const struct dg_message *m);

#endif
