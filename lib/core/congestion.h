/* congestion.h - how many bytes may be in flight, and how fast they may leave: the interface that a
 * controller has, and the controllers there are.
 *
 * NewReno (RFC 9002, section 7): double the window each round trip until something is lost, then
 * halve it once for each round trip with loss, and add a datagram for each one without. Persistent
 * congestion takes it down to the least. ECN is not used.
 *
 * All controllers have one state struct, so that its owner needs not know which one it holds.
 * Probes are sent whatever the window says, packets that do not ask for an ACK as well.
 */
#ifndef DG_CORE_CONGESTION_H
#define DG_CORE_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

struct dg_congestion;

/* An asking packet that was acknowledged, and had not counted as lost before. */
struct dg_congestion_ack {
	uint64_t sent_at;   /* ns */
	uint64_t bytes;     /* of the packet */
	uint64_t in_flight; /* bytes, just before the ACK came */
};

struct dg_congestion_operations {
	void (*start)(struct dg_congestion *c); /* window and datagram are set */
	void (*acked)(struct dg_congestion *c, const struct dg_congestion_ack *ack);
	void (*lost)(struct dg_congestion *c, uint64_t sent_at,
	             uint64_t now);                /* an asking packet */
	void (*collapse)(struct dg_congestion *c); /* persistent congestion, after the losses */
	uint64_t (*rate)(const struct dg_congestion *c, uint64_t smoothed); /* below */
};

extern const struct dg_congestion_operations dg_newreno;
extern const struct dg_congestion_operations dg_unhindered; /* no limit at all: for what others hold back */

struct dg_newreno {
	uint64_t threshold;  /* bytes: below it the window doubles; UINT64_MAX: nothing was lost yet
	                      */
	uint64_t reduced_at; /* ns: losses of packets from before are part of the same event */
	uint64_t progress;   /* bytes acknowledged towards the next datagram of window */
	bool was_reduced;
};

/* Needed only while something is in flight: 56 bytes. */
struct dg_congestion {
	const struct dg_congestion_operations *operations;
	uint64_t window;   /* bytes that may be in flight */
	uint64_t datagram; /* bytes of the largest one that is sent: RFC 9002's max_datagram_size */
	union {
		struct dg_newreno newreno;
	} of;
};

/* Bytes; no controller goes below it (RFC 9002, 7.2: kMinimumWindow, two datagrams). */
uint64_t dg_congestion_least(const struct dg_congestion *c);

/* datagram: bytes; initial: the first window, in datagrams, from the profile. */
void dg_congestion_init(struct dg_congestion *c, const struct dg_congestion_operations *operations,
                        uint32_t datagram, uint32_t initial);

/* The path carries datagrams of another size (RFC 9002, 7.2). */
void dg_congestion_resize(struct dg_congestion *c, uint32_t datagram);

void dg_congestion_acked(struct dg_congestion *c, const struct dg_congestion_ack *ack);
void dg_congestion_lost(struct dg_congestion *c, uint64_t sent_at, uint64_t now);
void dg_congestion_collapse(struct dg_congestion *c);

/* Bytes/s for the pacer; smoothed: the RTT in ns. 0: as fast as one likes. */
uint64_t dg_congestion_rate(const struct dg_congestion *c, uint64_t smoothed);

#endif
