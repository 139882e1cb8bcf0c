/* wire.h - the datagrams of docs/WIRE.md as structs, and the way there and back. Pure.
 *
 * Decoding accepts exactly what encoding can produce: each meaning has one encoding. What is decoded borrows from the
 * datagram.
 */
#ifndef DG_WIRE_WIRE_H
#define DG_WIRE_WIRE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DG_VERSION 1
#define DG_HEADER_SIZE 16
#define DG_INIT_SIZE_MIN 256
#define DG_HELLO_SIZE 144      /* header and hello, without padding and trailer */
#define DG_DATAGRAM_START 1200 /* bytes of payload that every path is taken to carry */
#define DG_DATAGRAM_LEAST 508  /* and that it carries when it does not */
#define DG_CRC_SIZE 4
#define DG_TAG_SIZE 16
#define DG_COOKIE_SIZE 16
#define DG_CELL 64             /* bytes: fragments begin and end at multiples of this */
#define DG_NAME_MAX 64
#define DG_ACK_RANGES_MAX 64   /* beside the first one */
#define DG_STATUS_MAX 255

enum dg_type {
	DG_INIT = 1,
	DG_ACCEPT,
	DG_COOKIE,
	DG_DATA,
	DG_NOSESSION,
	DG_BUSY,
	DG_GROUP,
};

#define DG_FLAG_KEYED 0x8000 /* the trailer is keyed mode's */
#define DG_FLAG_ASKS 0x4000  /* DATA, open: a frame aboard wants an answer even from who does not know the session */
#define DG_FLAG_PHASE 0x2000 /* DATA, keyed: which of two successive keys */

struct dg_header {
	uint8_t version; /* DG_VERSION */
	uint8_t type;    /* enum dg_type */
	uint16_t flags;
	uint64_t receiver; /* id of the receiver's session; 0: INIT and GROUP */
};

/* A datagram taken apart: body is what stands between header and trailer. */
struct dg_parts {
	struct dg_header header;
	const uint8_t *body, *trailer;
	size_t body_len, trailer_len;
};

/* False: not ours, an unknown version or type, a flag or a size that its type cannot have. The trailer is not looked
 * at. */
bool dg_parts_decode(struct dg_parts *out, const void *datagram, size_t len);
/* It begins as a datagram of this protocol and version, whatever follows. */
bool dg_is_ours(const void *datagram, size_t len);
void dg_header_encode(struct dg_writer *w, const struct dg_header *header);
size_t dg_trailer_size(const struct dg_header *header);

/* Open mode's trailer; w holds the datagram and nothing else. sender: for DATA the sender's own session id, for all others 0. */
void dg_crc_append(struct dg_writer *w, uint64_t sender);
bool dg_crc_check(const struct dg_parts *parts, const void *datagram, uint64_t sender);

/* The body of INIT and ACCEPT. */
struct dg_hello {
	uint64_t session, boot, endpoint;
	uint64_t time; /* session time, us */
	uint64_t capabilities;
	uint32_t idle_ms, credit;
	uint16_t datagram_max, ack_delay_ms;
	uint8_t versions[8]; /* zeros behind the last one */
	uint16_t key_hint;
	uint8_t cookie[DG_COOKIE_SIZE], ephemeral[32], sealed[16];
};

/* type: DG_INIT (the rest of the body is padding) or DG_ACCEPT. False: a field has a value that it cannot have. */
bool dg_hello_decode(struct dg_hello *out, const struct dg_parts *parts);
/* Header, hello and, for INIT, padding up to DG_INIT_SIZE_MIN less the trailer. The writer fails for values that
 * decode refuses. */
void dg_hello_encode(struct dg_writer *w, const struct dg_header *header, const struct dg_hello *hello);

/* The body of COOKIE, open mode. Encoding writes the header too. */
bool dg_cookie_decode(uint8_t out[DG_COOKIE_SIZE], const struct dg_parts *parts);
void dg_cookie_encode(struct dg_writer *w, uint64_t receiver, const uint8_t cookie[DG_COOKIE_SIZE]);

/* The body of DATA. */
struct dg_data {
	uint64_t number;
	struct dg_reader frames; /* each is known to be good: dg_frame_decode does not fail */
	bool elicits_ack;
};

/* Looks at every frame. False: one is malformed, the number is out of range, or DG_FLAG_ASKS is set
 * wrongly. */
bool dg_data_decode(struct dg_data *out, const struct dg_parts *parts);

enum dg_group_kind {
	DG_GROUP_POST = 1,
	DG_GROUP_SURVEY,
	DG_GROUP_HELLO,
	DG_GROUP_GOODBYE,
	DG_GROUP_SURVEY_REPLY,
};

/* The body of GROUP, in keyed mode once it is opened. */
struct dg_group {
	uint64_t boot, endpoint, counter;
	uint8_t kind;  /* enum dg_group_kind */
	uint8_t flags; /* DG_NAMED, DG_HOPS, DG_TOO_LONG */
	uint8_t hops, name_len;
	uint64_t nonce; /* SURVEY, SURVEY_REPLY */
	const uint8_t *name, *data;
	size_t len, padding; /* of data; zeros behind it (SURVEY) */
};

bool dg_group_decode(struct dg_group *out, const uint8_t *body, size_t len);
/* Body only: header before it, trailer behind it. The writer fails for values that decode refuses. */
void dg_group_encode(struct dg_writer *w, const struct dg_group *group);

/* What a peer says of itself: HELLO's data, and the answer to a survey that asks who is there. */
struct dg_presence {
	uint16_t port;           /* that takes INIT */
	uint64_t left_out;       /* services that did not fit */
	const uint8_t *services; /* for dg_presence_next() */
	size_t len;              /* of them: each has a byte for its length, then its name */
};

bool dg_presence_decode(struct dg_presence *out, const uint8_t *data, size_t len);
/* The writer fails for what decode refuses: port 0, services not in order or twice. */
void dg_presence_encode(struct dg_writer *w, const struct dg_presence *presence);
/* The next service; false: there are no more. */
bool dg_presence_next(struct dg_reader *services, const uint8_t **name, size_t *len);

enum dg_frame_type {
	DG_PADDING = 0x00,
	DG_PING,
	DG_ACK,
	DG_POST,
	DG_SEND,
	DG_REQUEST,
	DG_REPLY,
	DG_ACCEPTED,
	DG_NO,
	DG_PULL,
	DG_CANCEL,
	DG_RESET,
	DG_SETTLED,
	DG_CREDIT,
	DG_GRANT,
	DG_CLOSE,
	DG_ECHO,
	DG_ECHOED,
	DG_CHALLENGE,
	DG_RESPONSE,
	DG_NEED,
	DG_FRAME_TYPES,
};

#define DG_WHOLE 0x01
#define DG_NAMED 0x02
#define DG_HOPS 0x04
#define DG_ORDERED 0x08
#define DG_IDEMPOTENT 0x10
#define DG_PUSHED 0x20
#define DG_TOO_LONG 0x40 /* SURVEY_REPLY */

enum dg_no {
	DG_NO_BUSY = 1,
	DG_NO_SUCH_NAME,
	DG_NO_NOT_ALLOWED,
	DG_NO_EXPIRED,
	DG_NO_CANCELLED,
	DG_NO_GONE,
	DG_NO_ROOM,
	DG_NO_CODES,
};

enum dg_accepted {
	DG_ACCEPTED_QUEUED = 1,
	DG_ACCEPTED_RUNNING,
};

enum dg_close {
	DG_CLOSE_DONE = 1,
	DG_CLOSE_IDLE,
	DG_CLOSE_EVICTED,
	DG_CLOSE_SHUTDOWN,
	DG_CLOSE_RULE,
	DG_CLOSE_REASONS,
};

/* One frame, all kinds flat: fields that a kind has not are 0. */
struct dg_frame {
	uint8_t type;  /* enum dg_frame_type */
	uint8_t flags; /* POST, SEND, REQUEST, REPLY, NO */
	uint8_t code;  /* ACCEPTED: state, NO: code, CLOSE: reason */
	uint8_t hops;
	uint8_t name_len;
	uint64_t id;   /* messages and what is said of them; POST: counter, SETTLED: below, CREDIT: ids, CLOSE: first,
			* ECHO, ECHOED: number, ACK: largest, CHALLENGE, RESPONSE: the 8 bytes */
	uint64_t value; /* NO: retry-after in ms, CREDIT, GRANT: bytes, ECHOED: received, ACK: delay in us */
	uint64_t total, offset;           /* bytes; for a WHOLE message total is len and offset 0 */
	uint64_t order, deadline, grant;  /* first fragments */
	uint64_t status, service;         /* first fragments of REPLY; service in us */
	uint64_t first, ranges;           /* ACK: the first range; how many follow */
	const uint8_t *name, *data;       /* ACK: data is the encoded ranges; PADDING: len zeros, data is not used */
	size_t len;                       /* of data */
};

/* The next frame; false: malformed. Call while the reader has something left. */
bool dg_frame_decode(struct dg_frame *out, struct dg_reader *r);
/* Appends a frame; the writer fails, with nothing of it written, when it does not fit or is not valid. */
void dg_frame_encode(struct dg_writer *w, const struct dg_frame *frame);

bool dg_frame_elicits_ack(const struct dg_frame *frame);
bool dg_frame_asks(const struct dg_frame *frame); /* DG_FLAG_ASKS is set for it */

/* The ranges of an ACK, from the highest down. Start with {.frame = frame}; false: there are no more. */
struct dg_ack_walk {
	const struct dg_frame *frame;
	struct dg_reader rest;
	uint64_t done, lowest;
};
bool dg_ack_next(struct dg_ack_walk *walk, uint64_t *low, uint64_t *high);

/* One more range into data, below the lowest number of the one before; both ends included. */
void dg_ack_append(struct dg_writer *w, uint64_t lowest_before, uint64_t low, uint64_t high);

/* RFC 9000, section 16; only the shortest form is taken. */
#define DG_VARINT_MAX ((UINT64_C(1) << 62) - 1)
uint64_t dg_read_varint(struct dg_reader *r);
void dg_write_varint(struct dg_writer *w, uint64_t value);

bool dg_name_is_valid(const uint8_t *name, size_t len);

#endif
