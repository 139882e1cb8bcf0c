/* The handler does what may be done in one: it notes the signal and writes a byte to a pipe, so that a poll that
 * starts just after the check still wakes. */
#define _GNU_SOURCE
#include "signals.h"
#include "exit.h"
#include "say.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int pipe_fds[2] = {-1, -1};

static void note(int sig)
{
	int kept = errno;
	caught = sig;
	if (write(pipe_fds[1], "", 1) < 0)
		caught = sig; /* the pipe is full: it is readable already */
	errno = kept;
}

int signals_catch(void)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(CODE_REFUSED, "cannot prepare for signals: %s", strerror(errno));
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int signals_fd(void)
{
	return pipe_fds[0];
}

int signals_caught(void)
{
	return caught;
}
