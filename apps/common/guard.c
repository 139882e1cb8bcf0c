#define _GNU_SOURCE
#include "guard.h"

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* It holds nothing of ours, or our port and the reader of our output would wait for it; and it is in a session of its own,
 * where no Ctrl-C reaches it and no kill of our group. */
_Noreturn static void keep_watch(const struct guard *g, int life, int gone)
{
	const char ready = 1;
	sigset_t all;
	char nothing;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "dgram-guard");
	if (dup2(life, 0) < 0 || dup2(gone, 1) < 0)
		_exit(1);
	spawn_close_from(2);
	if (write(1, &ready, 1) != 1)
		_exit(1);
	while (read(0, &nothing, 1) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < g->count; i++)
		if (g->groups[i] > 0)
			kill(-g->groups[i], SIGKILL);
	_exit(0);
}

/* Its parent ends at once, so that it is a child of process 1 and not one of ours: those are handlers and strays. */
static bool start(const struct guard *g, int life, int gone)
{
	pid_t middle;

	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	middle = fork();
	if (middle == 0) {
		if (fork() == 0)
			keep_watch(g, life, gone);
		_exit(0);
	}
	while (middle > 0 && waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		;
	return middle > 0;
}

static ssize_t hear(const struct guard *g)
{
	char byte;
	ssize_t n;

	do
		n = read(g->gone, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n;
}

bool guard_open(struct guard *g, size_t count)
{
	int life[2] = {-1, -1}, gone[2] = {-1, -1};
	void *table = mmap(NULL, count * sizeof *g->groups, PROT_READ | PROT_WRITE,
	                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool needed = getpid() != 1; /* else all others of its container end with us anyway */
	bool ok;

	if (table == MAP_FAILED)
		return false;
	*g = (struct guard){.groups = table, .count = count};
	ok = pipe2(life, O_CLOEXEC) == 0 && pipe2(gone, O_CLOEXEC) == 0;
	if (ok && needed)
		ok = start(g, life[0], gone[1]);
	close(life[0]);
	close(gone[1]);
	g->life = life[1];
	g->gone = gone[0];
	if (ok && needed && hear(g) != 1) { /* from now on it holds nothing of ours */
		errno = EAGAIN;
		ok = false;
	}
	return ok;
}

void guard_close(struct guard *g)
{
	if (!g->groups)
		return;
	close(g->life);
	hear(g);
	close(g->gone);
	munmap(g->groups, g->count * sizeof *g->groups);
	*g = (struct guard){0};
}
