/* clock.h - a node's own clock: it starts where it likes, runs up to 500 ppm fast or slow, and may
 * jump forward. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

#define SIM_SKEW_MAX 500 /* ppm */

struct sim_clock {
	uint64_t world, local; /* the same moment on both, ns */
	int32_t skew;          /* ppm */
};

/* Where a clock may start: anywhere, or up to a minute before 2^31 or 2^32 ms or us, or 2^63 ns. */
uint64_t sim_clock_draw(struct dg_random *random, bool near_wrap);

/* Whether it went over one of these between the two times. */
bool sim_clock_wrapped(uint64_t before, uint64_t after);

uint64_t sim_clock_local(const struct sim_clock *clock, uint64_t world);

/* The first moment of the world, now or later, at which the clock shows local; DGRAM_NEVER for
 * DGRAM_NEVER. */
uint64_t sim_clock_world(const struct sim_clock *clock, uint64_t local, uint64_t now);

void sim_clock_jump(struct sim_clock *clock, uint64_t now, uint64_t by);

#endif
