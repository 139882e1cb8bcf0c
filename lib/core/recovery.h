/* recovery.h - what was sent and is not settled yet: acknowledged, lost, or to be asked about with
 * a probe; RFC 9002, section 6.
 *
 * Every packet takes the next number, and a record in a ring that the caller gave: when it left,
 * its size, and which run of the caller's items was aboard. An ACK settles records; whatever is
 * then three numbers or 9/8 of a round trip behind an acknowledged one is lost. The caller pulls
 * both kinds one by one and does with their items what is to be done. Silence proves nothing: after
 * the probe timeout (PTO) a probe is sent, which draws the ACK that does.
 *
 * The order of calls when an ACK came: _ack, then the sample into the RTT, then _detect with the
 * times that follow from it, then _next_lost and _next_acked until they have no more.
 *
 * Records that count as lost are kept for a while. If an ACK comes for one after all, it was late
 * and not lost: that is counted, and its items need not be sent again. Packets that do not ask for
 * an ACK are recorded while there is plenty of room, as an ACK may name them too; they are neither
 * in flight nor probed for.
 */
#ifndef DG_CORE_RECOVERY_H
#define DG_CORE_RECOVERY_H

#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define DG_NO_ACK UINT64_MAX

/* One packet: 40 bytes of the caller's ring. */
struct dg_sent {
	uint64_t number;
	uint64_t at;    /* ns: when it left */
	uint64_t acks;  /* the highest number that an ACK aboard names, or DG_NO_ACK */
	uint32_t first; /* the caller's: its first item, */
	uint16_t count; /* and how many */
	uint16_t bytes;
	bool asking;   /* a frame aboard asks for an ACK: it counts as in flight */
	bool late;     /* acknowledged after it had counted as lost */
	uint8_t state; /* of the machine */
};

/* Needed only while something is in flight: 144 bytes. Idle, a session keeps next. */
struct dg_recovery {
	struct dg_sent *ring; /* place p is ring[p % capacity] */
	uint64_t begin, end;  /* the places in use; the higher the place, the higher the number */
	uint64_t next;        /* packet number */
	uint64_t highest;     /* acknowledged */
	uint64_t run_from;    /* from this number to highest everything is */
	uint64_t flight_from; /* no packet in flight has a lower place */
	uint64_t asked_at;    /* ns: when the last asking packet left */
	uint64_t loss_due;    /* ns: when the next one is lost by time, or DGRAM_NEVER */
	uint64_t measured_at; /* ns: when the first RTT sample was taken, or DGRAM_NEVER */
	uint64_t latest;      /* ns: the newest RTT sample, 0: none */
	uint64_t in_flight;   /* bytes of asking packets */
	uint64_t acked_from;  /* no acknowledged record to pull has a lower place */
	uint64_t lost_from;   /* no lost one either */
	uint32_t capacity;    /* records */
	uint32_t asking;      /* packets in flight */
	uint32_t probes;      /* PTOs since the last ACK that settled something */
	uint32_t late;        /* packets that counted as lost and were not (RFC 9002, 6.1) */
	uint32_t acked_left;  /* records to pull */
	uint32_t lost_left;   /* likewise */
	bool has_highest;
};

/* capacity: at least 8 records, which the machine may not share. next: the first packet number.
 * measured: the path's RTT was measured before. */
void dg_recovery_init(struct dg_recovery *r, struct dg_sent *ring, uint32_t capacity, uint64_t next,
                      bool measured);

/* Whether one more asking packet can be recorded; two places more are kept for probes. */
bool dg_recovery_has_room(struct dg_recovery *r);

/* A packet with number r->next leaves; of it at, acks, first, count, bytes and asking are read. 1:
 * it was recorded; 0: it was not, which only happens to those that do not ask. DGRAM_ERR_FULL: it
 * must not be sent, as there is no place for it, or no number after 2^62 - 1 (RFC 9000, 12.3). */
int dg_recovery_sent(struct dg_recovery *r, const struct dg_sent *packet);

/* An ACK came. How many records it settled, or DGRAM_ERR_FORMAT if it names a packet that was never
 * sent (the peer broke a rule; nothing has changed: RFC 9000, 13.1). *sample: ns for the RTT
 * (RFC 9002, 5.1), 0: none. */
int dg_recovery_ack(struct dg_recovery *r, const struct dg_frame *ack, uint64_t now,
                    uint64_t *sample);

/* Finds what is lost by now. loss_delay and persistent: ns, from the RTT. True: this establishes
 * persistent congestion (RFC 9002, 7.6). */
bool dg_recovery_detect(struct dg_recovery *r, uint64_t loss_delay, uint64_t persistent,
                        uint64_t now);

/* The next settled record, the oldest first; false: there are no more. */
bool dg_recovery_next_acked(struct dg_recovery *r, struct dg_sent *out);
bool dg_recovery_next_lost(struct dg_recovery *r, struct dg_sent *out);

/* When dg_recovery_timeout is to be called; DGRAM_NEVER: not at all. wait: ns, the RTT's answer for
 * r->probes, the same until something is sent, acknowledged or timed out. */
uint64_t dg_recovery_deadline(const struct dg_recovery *r, uint64_t wait);

enum dg_recovery_due {
	DG_RECOVERY_NOTHING,
	DG_RECOVERY_LOSS,  /* call _detect */
	DG_RECOVERY_PROBE, /* send one or two asking packets whatever the window says (6.2.4) */
};

/* A full ring makes room for the probes by giving up its oldest packets: pull them as lost. */
enum dg_recovery_due dg_recovery_timeout(struct dg_recovery *r, uint64_t wait, uint64_t now);

/* The oldest asking packet that is in flight: what a probe best carries again. Its items are then in
 * two records, and each tells of them once. NULL: none. */
const struct dg_sent *dg_recovery_oldest(const struct dg_recovery *r);

/* A record of the ring that was not pulled, neither as acknowledged nor as lost. */
bool dg_recovery_owes(const struct dg_sent *record);

/* An asking packet with this number is in flight. */
bool dg_recovery_is_in_flight(const struct dg_recovery *r, uint64_t number);

/* Nothing is in flight and nothing is left to pull: the ring can be given back. */
bool dg_recovery_is_quiet(const struct dg_recovery *r);

#endif
