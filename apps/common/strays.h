/* strays.h - processes that a handler left behind: children of ours that we never started.
 *
 * We make ourselves the reaper of our descendants, so one that lost its parent becomes our child even when it left
 * its group, and can be found. But not every such child is ours to kill: a script that ends in `exec dgram` leaves us
 * its own, and process 1 of a container inherits everybody's. There nothing is adopted.
 */
#ifndef COMMON_STRAYS_H
#define COMMON_STRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether strays are ours from now on. */
bool strays_adopt(void);

/* Kills every child of ours that is in none of the groups kept. How many of them were alive and in the group that was
 * led by leader, or in a session of their own: not those of earlier groups, which may still be dying. 0 where the
 * system does not list children. */
uint32_t strays_kill(const pid_t *kept, size_t count, pid_t leader);

#endif
