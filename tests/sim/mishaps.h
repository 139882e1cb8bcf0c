/* mishaps.h - what happens to nodes and links now and then, and the end of it. */
#ifndef SIM_MISHAPS_H
#define SIM_MISHAPS_H

#include "world.h"

/* Draws when each kind comes first. */
void sim_mishaps_plan(struct sim_world *world);

/* One of this kind comes now, and the next one is planned. The node it touched, which has to be
 * called; -1: none. */
int sim_mishaps_strike(struct sim_world *world, enum sim_mishap kind);

/* Nothing more will come; links carry everything, and paused and dead nodes are due now. */
void sim_mishaps_end(struct sim_world *world);

#endif
