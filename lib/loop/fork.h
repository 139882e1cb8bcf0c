/* fork.h - are we still the process that made this, or its child? fork_linux.c or fork_posix.c, as CMake chose.
 *
 * A child that went on with its parent's sessions would number its packets as the parent does: the peer
 * could not tell them apart, and what runs once for each number would run for the wrong one.
 */
#ifndef DG_LOOP_FORK_H
#define DG_LOOP_FORK_H

#include <stdbool.h>
#include <sys/types.h>

/* Zeroed: not marked. */
struct dg_fork {
	volatile unsigned char *page; /* 1 here, 0 in every child; NULL: the system has no such page */
	pid_t maker;                  /* where there is no page */
};

void dg_fork_mark(struct dg_fork *mark);

/* Whether this is another process than that which marked. */
bool dg_fork_happened(const struct dg_fork *mark);

void dg_fork_forget(struct dg_fork *mark);

#endif
