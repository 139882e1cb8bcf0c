#define _GNU_SOURCE
#include "process.h"

#include <dgram/time.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_READS 16 /* of stderr after the exit: 64 KiB, all that a pipe holds */

static void close_end(struct process *p, int which)
{
	if (p->fd[which] >= 0)
		close(p->fd[which]);
	p->fd[which] = -1;
}

/* Three pipes; theirs are the ends that the process gets. Our ends never block. */
static int open_pipes(struct process *p, int theirs[3])
{
	for (int i = 0; i < 3; i++) {
		int end[2], ours = i == 0 ? 1 : 0;

		if (pipe2(end, O_CLOEXEC) != 0)
			return -1;
		p->fd[i] = end[ours];
		theirs[i] = end[!ours];
		if (fcntl(p->fd[i], F_SETFL, O_NONBLOCK) != 0)
			return -1;
	}
	return 0;
}

static void not_started(struct process *p, int error)
{
	for (int i = 0; i < 3; i++)
		close_end(p, i);
	*p->group = 0;
	p->state = PROCESS_ENDED;
	p->end = (struct process_end){.outcome = PROCESS_NO_START, .code = error};
}

void process_start(struct process *p, const char *path, char *const *argv, char *const *env)
{
	struct spawn s = {.path = path, .argv = argv, .env = env, .fd = {-1, -1, -1}, .group = p->group};
	int error = 0;

	p->fd[0] = p->fd[1] = p->fd[2] = -1;
	p->written = p->reply_len = p->line_len = 0;
	p->line_cut = false;
	p->end = (struct process_end){.outcome = PROCESS_OK};
	p->pid = -1;
	if (open_pipes(p, s.fd) == 0) {
		process_feed(p); /* before it lives: if we are killed now it has all that fits, and not the end of a part */
		p->pid = spawn(&s);
	}
	if (p->pid < 0)
		error = errno;
	for (int i = 0; i < 3; i++)
		if (s.fd[i] >= 0)
			close(s.fd[i]);
	if (p->pid < 0) {
		not_started(p, error);
		return;
	}
	p->state = PROCESS_RUNS;
}

/* As much of the request as fits, until all is written or nobody is there to read it. */
void process_feed(struct process *p)
{
	while (p->fd[0] >= 0 && p->written < p->request_len) {
		ssize_t n = write(p->fd[0], p->request + p->written, p->request_len - p->written);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR)
			break; /* EPIPE: it does not want it, and may answer all the same */
		if (n > 0)
			p->written += (size_t)n;
	}
	close_end(p, 0);
}

static void kill_group(struct process *p)
{
	kill(-p->pid, SIGKILL);
	p->state = PROCESS_KILLED;
	p->due = DGRAM_NEVER;
}

/* One read. True: there may be more. */
static bool read_some(struct process *p)
{
	ssize_t n;

	if (p->fd[1] < 0)
		return false;
	do
		n = read(p->fd[1], p->reply + p->reply_len, p->reply_max + 1 - p->reply_len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0)
		p->reply_len += (size_t)n;
	if (n > 0 && p->reply_len <= p->reply_max)
		return true;
	close_end(p, 1);
	if (p->reply_len > p->reply_max && p->end.outcome == PROCESS_OK)
		p->end.outcome = PROCESS_FLOOD;
	return false;
}

/* What poll said may be old: the process may have been reaped since, and its number be another's. */
void process_read(struct process *p)
{
	bool open = p->fd[1] >= 0;

	read_some(p);
	if (open && p->end.outcome == PROCESS_FLOOD)
		kill_group(p);
}

static void end_line(struct process *p, const struct process_sink *sink)
{
	if (p->line_cut)
		memcpy(p->line + sizeof p->line - 3, "...", 3);
	sink->line(sink->context, p->ticket, p->line, p->line_len);
	p->line_len = 0;
	p->line_cut = false;
}

static void add_to_line(struct process *p, const char *text, size_t len)
{
	size_t room = sizeof p->line - p->line_len, take = len < room ? len : room;

	memcpy(p->line + p->line_len, text, take);
	p->line_len += take;
	p->line_cut = p->line_cut || take < len;
}

static void split_lines(struct process *p, const struct process_sink *sink, const char *text, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t part = newline ? (size_t)(newline - text) : len;

		add_to_line(p, text, part);
		if (!newline)
			return;
		end_line(p, sink);
		text += part + 1;
		len -= part + 1;
	}
}

/* One read. True: there may be more. */
static bool log_some(struct process *p, const struct process_sink *sink)
{
	char chunk[4096];
	ssize_t n;

	if (p->fd[2] < 0)
		return false;
	do
		n = read(p->fd[2], chunk, sizeof chunk);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0)
		split_lines(p, sink, chunk, (size_t)n);
	else
		close_end(p, 2);
	return n > 0;
}

void process_log(struct process *p, const struct process_sink *sink)
{
	log_some(p, sink);
}

void process_stop(struct process *p, enum process_outcome why, uint64_t now)
{
	if (p->state != PROCESS_RUNS)
		return;
	p->end.outcome = why;
	p->end.closed_early = p->fd[1] < 0;
	kill(-p->pid, SIGTERM);
	p->state = PROCESS_ASKED;
	p->due = now + p->grace;
}

void process_overdue(struct process *p, uint64_t now)
{
	if (p->state == PROCESS_RUNS)
		process_stop(p, PROCESS_TIMEOUT, now);
	else if (p->state == PROCESS_ASKED)
		kill_group(p);
}

/* What is left in the pipes is the process's own word; what others of its group would still write is not, so the
 * reads are bounded. */
void process_exited(struct process *p, const struct process_sink *sink)
{
	p->end.unread = p->request_len - p->written;
	while (read_some(p))
		;
	for (int i = 0; i < LAST_READS && log_some(p, sink); i++)
		;
	if (p->line_len > 0)
		end_line(p, sink);
	kill_group(p);
	for (int i = 0; i < 3; i++)
		close_end(p, i);
}

void process_reaped(struct process *p, int status, uint64_t now)
{
	*p->group = 0;
	p->state = PROCESS_ENDED;
	p->end.elapsed = now - p->started;
	if (p->end.outcome != PROCESS_OK)
		return;
	if (WIFSIGNALED(status)) {
		p->end.outcome = PROCESS_SIGNAL;
		p->end.code = WTERMSIG(status);
	} else if (WEXITSTATUS(status) != 0) {
		p->end.outcome = PROCESS_EXIT;
		p->end.code = WEXITSTATUS(status);
	}
}
