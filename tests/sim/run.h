/* run.h - the face of a simulation: seeds from the command line, failures and marks on the screen.
 *
 *	sim_NAME                     seeds 1..2000
 *	sim_NAME --seeds A..B        these
 *	sim_NAME --seed N [--trace]  one, with every event in a line
 *	sim_NAME --first             no more seeds after the first that fails
 *	sim_NAME --every-mark        fails where a rare situation was never met
 *	sim_NAME --table             what the play measures
 *
 * Exit 0: nothing failed; 1: something did; 2: usage.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "world.h"

struct sim_play {
	const char *const *marks; /* its own rare situations */
	unsigned mark_count;      /* at most SIM_PLAY_MARKS_MAX */
	/* One run: adds the nodes to a world that is ready, sets its check, runs it, and says in
	 * world->failure what is wrong at the end. marks are counted up. */
	void (*run)(struct sim_world *world, uint64_t *marks);
	int (*table)(void); /* NULL: it has none */
};

#define SIM_PLAY_MARKS_MAX 96

int sim_run(int argc, char **argv, const struct sim_play *play);

#endif
