/* window.h - the packet numbers that were received: what is a copy, and what is still to be
 * acknowledged. One structure, because both are the same set of numbers.
 *
 * Idle, a session keeps the highest number and 64 bits, 16 bytes in all, and can still tell a copy
 * from news. While it is busy a block of memory reaches 2,048 numbers back and says what an ACK has
 * to. The idle form is always up to date: to become idle, the block is just given back.
 *
 * Checking changes nothing: it is for before the checksum was looked at. Marking is for after, when
 * all of the packet was taken: an ACK means taken. Numbers are compared by subtracting the smaller
 * one, so that nothing happens near the ends of their range.
 *
 * An ACK is owed for asking packets only (RFC 9000, 13.2.1): for the second one, at once where a
 * number is missing or came late, else after max_ack_delay. It names everything received since the
 * number below which the peer knows that we know (13.2.4), newest first, as far as there is room.
 */
#ifndef DG_CORE_WINDOW_H
#define DG_CORE_WINDOW_H

#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define DG_WINDOW_IDLE 64
#define DG_WINDOW_BUSY 2048

/* Idle: 16 bytes. All zeros: nothing was received yet. */
struct dg_window {
	uint64_t highest;
	uint64_t recent; /* bit i: highest - i was received */
};

/* Busy: 312 bytes more. */
struct dg_window_busy {
	uint64_t bits[DG_WINDOW_BUSY / 64]; /* number n is bit n % DG_WINDOW_BUSY */
	uint64_t since;                     /* lower numbers were too old when this began */
	uint64_t report_from;               /* lower ones are not in our ACKs any more */
	uint64_t unsaid_from; /* the lowest that came since our last ACK left; UINT64_MAX: none */
	uint64_t highest_at;  /* ns: when the highest number came, or when this began */
	uint64_t due;         /* ns: when an ACK is to leave */
	uint64_t delay;       /* ns: max_ack_delay */
	uint32_t asking;      /* asking packets since our last ACK */
	bool missing;         /* since then a number was left out, or came late */
	bool news;            /* since then anything was received */
};

enum dg_window_verdict {
	DG_WINDOW_NEW,
	DG_WINDOW_SEEN,
	DG_WINDOW_OLD,    /* older than what is kept: it may be a copy */
	DG_WINDOW_BEYOND, /* over 2^62 - 1: no ACK can name it (RFC 9000, 12.3) */
};

/* Begins to use busy. delay: our own max_ack_delay in ns. */
void dg_window_wake(const struct dg_window *w, struct dg_window_busy *busy, uint64_t delay,
                    uint64_t now);

/* busy: NULL while idle. Only a number that is NEW is to be processed and marked. */
enum dg_window_verdict dg_window_check(const struct dg_window *w, const struct dg_window_busy *busy,
                                       uint64_t number);

/* number is NEW. asking: a frame aboard asks for an ACK; without busy nothing will be owed. */
void dg_window_mark(struct dg_window *w, struct dg_window_busy *busy, uint64_t number, bool asking,
                    uint64_t now);

/* When an ACK is to leave by itself; DGRAM_NEVER: none is owed. */
uint64_t dg_window_ack_due(const struct dg_window_busy *busy);

/* Whether an ACK, riding along with something else, would say anything new. */
bool dg_window_has_news(const struct dg_window_busy *busy);

/* The ACK frame of this moment; its data is what was written to ranges, which must stay where it is
 * until the frame was encoded. When ranges is full, the oldest numbers are left out: as every ACK
 * repeats them, 64 bytes are plenty (RFC 9000, 13.2.3). False: there is nothing to report. */
bool dg_window_ack(const struct dg_window *w, const struct dg_window_busy *busy, uint64_t now,
                   struct dg_frame *frame, struct dg_writer *ranges);

/* That frame is on its way. */
void dg_window_ack_sent(struct dg_window_busy *busy);

/* An ACK of ours whose highest number was this one has been acknowledged. */
void dg_window_ack_arrived(struct dg_window_busy *busy, uint64_t highest);

#endif
