/* Handlers do what may be done in one. That of long-running commands notes the signal and writes a
 * byte to a pipe, so that a poll that starts just after the check still wakes; that of one-shot
 * commands unlinks, and dies. */
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

/* HUP: the terminal was closed. The last two are no way to end in order, but leave no path behind. */
static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM};
#define ORDERLY 3
#define DEADLY  (sizeof(deadly) / sizeof(deadly[0]))

/* nohup has HUP ignored; who ignores INT for a command in the background does not mean ours. */
static bool is_wanted(int sig)
{
	struct sigaction before;
	if (sig == SIGINT || sig == SIGTERM)
		return true;
	return sigaction(sig, NULL, &before) < 0 || before.sa_handler != SIG_IGN;
}

static void on_signals(void (*handler)(int), size_t count)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < count; i++)
		if (is_wanted(deadly[i]))
			sigaction(deadly[i], &action, NULL);
}

static int open_pipe(void)
{
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(CODE_REFUSED, "cannot prepare for signals: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int signals_catch(void)
{
	int code = open_pipe();
	if (code == 0)
		on_signals(note, ORDERLY);
	return code;
}

int signals_catch_unignored(void)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND}, before;
	int code = open_pipe();
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ORDERLY && code == 0; i++)
		if (sigaction(deadly[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	return code;
}

int signals_fd(void)
{
	return pipe_fds[0];
}

int signals_caught(void)
{
	return caught;
}

int signals_code(void)
{
	return caught == SIGINT ? CODE_INTERRUPTED : caught == SIGHUP ? CODE_HUNG_UP : CODE_TERMINATED;
}

#define PATH_ROOM 128 /* bytes; a UNIX socket's path has 107 */

static char own_path[PATH_ROOM], own_directory[PATH_ROOM];

static void remove_and_die(int sig)
{
	unlink(own_path);
	if (own_directory[0] != '\0')
		rmdir(own_directory);
	raise(sig); /* the default action, once we return: SA_RESETHAND */
}

void signals_remove_first(const char *path, bool directory)
{
	on_signals(SIG_DFL, DEADLY); /* the names are not changed under the handler */
	if (path == NULL || strlen(path) >= PATH_ROOM)
		return;
	const char *slash = strrchr(path, '/');
	size_t len = directory && slash != NULL ? (size_t)(slash - path) : 0;
	memcpy(own_path, path, strlen(path) + 1);
	memcpy(own_directory, path, len);
	own_directory[len] = '\0';
	on_signals(remove_and_die, DEADLY);
}
