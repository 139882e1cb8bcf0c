/* spawn.h - one process started quickly and cleanly: its own group, descriptors 0, 1, 2 and no other, default signals. */
#ifndef COMMON_SPAWN_H
#define COMMON_SPAWN_H

#include <sys/types.h>

struct spawn {
	const char *path;
	char *const *argv;
	char *const *env;
	int fd[3]; /* what becomes stdin, stdout, stderr; each above 2 */
	pid_t *group; /* the child enters itself there before it executes anything */
};

/* The process id, also that of its group; or -1 with errno, also when the program could not be executed. The process is
 * killed when the calling thread ends before it. */
pid_t spawn(const struct spawn *s);

/* Closes every descriptor from that one on. For a child before it executes anything. */
void spawn_close_from(int first);

#endif
