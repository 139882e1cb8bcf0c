#define _GNU_SOURCE
#include "strays.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

bool strays_adopt(void)
{
	siginfo_t info;
	bool childless = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;

	return childless && getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

static bool is_kept(pid_t child, const pid_t *kept, size_t count)
{
	pid_t group = getpgid(child);

	for (size_t i = 0; i < count; i++)
		if (kept[i] == group)
			return true;
	return false;
}

static bool is_new(pid_t child, pid_t leader)
{
	return getpgid(child) == leader || getsid(child) != getsid(0);
}

static bool has_ended(pid_t child)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child;
}

/* A list longer than the buffer is cut; whoever is not on it today is found when the next process ends. */
uint32_t strays_kill(const pid_t *kept, size_t count, pid_t leader)
{
	char text[4096], *at = text, *end;
	uint32_t found = 0;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (pid_t child; (child = (pid_t)strtol(at, &end, 10)) > 0 && *end == ' '; at = end) {
		if (is_kept(child, kept, count) || has_ended(child))
			continue;
		found += is_new(child, leader);
		kill(child, SIGKILL);
	}
	return found;
}
