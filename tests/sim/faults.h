/* faults.h - what may go wrong in one run, and how badly. A swarm: each seed draws a subset, because
 * a run with every fault at once hides what two of them do together. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "base/random.h"

#include <dgram/relay.h>

/* What happens to a node or a link now and then. */
enum sim_mishap {
	SIM_MISHAP_CUT,     /* a link carries nothing for a while, one way or both */
	SIM_MISHAP_RESIZE,  /* a link's size limit changes */
	SIM_MISHAP_PAUSE,   /* a node stands still, its clock does not */
	SIM_MISHAP_RESTART, /* a node forgets everything; its port is closed meanwhile */
	SIM_MISHAP_JUMP,    /* a node's clock jumps forward */
	SIM_MISHAP_POKE,    /* a node is called though nothing is due */
	SIM_MISHAPS,
};

/* Zeroed: nothing ever goes wrong. */
struct sim_faults {
	struct dgram_relay_options relay; /* of every link; seed and number are the world's */
	uint32_t late;                    /* ppm: a copy comes up to SIM_LATE_MAX later */
	uint32_t mangle;                  /* ppm: cut short, made longer, or spliced with another */
	uint32_t send_error;              /* ppm: the kernel does not take it */
	uint64_t every[SIM_MISHAPS];      /* ns between two of them, in the mean; 0: never */
	uint64_t granule;                 /* ns that a timer may be late */
	bool skewed, near_wrap;           /* clocks */
};

#define SIM_LATE_MAX (300 * DGRAM_S)

void sim_faults_draw(struct sim_faults *faults, struct dg_random *random);

/* True ppm times in a million. */
bool sim_chance(struct dg_random *random, uint32_t ppm);

/* From low to high, each order of magnitude as likely as the next. 0 < low <= high. */
uint64_t sim_between(struct dg_random *random, uint64_t low, uint64_t high);

#endif
