/* guard.h - who ends our handlers when we are killed and cannot.
 *
 * PR_SET_PDEATHSIG ends a handler that loses its parent, but nothing that the handler started. The guard is a process that
 * waits for our end, however it comes, and then kills each group that stands in a table of shared memory. A handler
 * stands there before it executes anything, and until its group is gone.
 */
#ifndef COMMON_GUARD_H
#define COMMON_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct guard {
	pid_t *groups; /* 0: none */
	size_t count;
	int life, gone; /* pipes: we hold one, and it ends with us; the guard holds the other */
};

/* False: errno says why. Before strays_adopt(): the guard is to be nobody's stray. */
bool guard_open(struct guard *g, size_t count);

/* Waits until the guard is gone. A guard that was not opened, all zero, is fine. */
void guard_close(struct guard *g);

#endif
