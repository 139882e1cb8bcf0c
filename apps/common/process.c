#define _GNU_SOURCE
#include "process.h"

#include <dgram/time.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_READS 16 /* of stderr after the exit: 64 KiB, all that a pipe holds */

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* False: errno says why, or less was taken. */
static bool write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* A pipe with the request in it and nobody to write more; -1: it does not hold that much, or there is none. */
static int open_filled_pipe(const struct process *p)
{
	int end[2];
	bool filled;

	if (pipe2(end, O_CLOEXEC) != 0)
		return -1;
	filled = fcntl(end[1], F_SETFL, O_NONBLOCK) == 0 && write_all(end[1], p->request, p->request_len);
	close(end[1]);
	if (!filled)
		close_end(&end[0]);
	return end[0];
}

/* A file without a name; in memory, unless that is forbidden here (seccomp). */
static int open_file(const struct process *p)
{
	int error, fd = memfd_create("dgram-request", MFD_CLOEXEC);

	if (fd < 0)
		fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || (write_all(fd, p->request, p->request_len) && lseek(fd, 0, SEEK_SET) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool open_pipe(int *ours, int *theirs)
{
	int end[2];

	if (pipe2(end, O_CLOEXEC) != 0)
		return false;
	*ours = end[0];
	*theirs = end[1];
	return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

/* theirs are those that the process gets. Our ends never block. */
static bool open_all(struct process *p, int theirs[3])
{
	theirs[0] = open_filled_pipe(p);
	if (theirs[0] < 0)
		theirs[0] = open_file(p);
	return theirs[0] >= 0 && open_pipe(&p->out, &theirs[1]) && open_pipe(&p->err, &theirs[2]);
}

static void not_started(struct process *p, int error)
{
	close_end(&p->out);
	close_end(&p->err);
	*p->group = 0;
	p->state = PROCESS_ENDED;
	p->end = (struct process_end){.outcome = PROCESS_NO_START, .code = error};
}

void process_start(struct process *p, const char *path, char *const *argv, char *const *env)
{
	struct spawn s = {.path = path, .argv = argv, .env = env, .fd = {-1, -1, -1}, .group = p->group};
	int error = 0;

	p->out = p->err = -1;
	p->reply_len = p->line_len = 0;
	p->line_cut = false;
	p->end = (struct process_end){.outcome = PROCESS_OK};
	p->pid = open_all(p, s.fd) ? spawn(&s) : -1;
	if (p->pid < 0)
		error = errno;
	for (int i = 0; i < 3; i++)
		close_end(&s.fd[i]);
	if (p->pid < 0) {
		not_started(p, error);
		return;
	}
	p->state = PROCESS_RUNS;
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

	if (p->out < 0)
		return false;
	do
		n = read(p->out, p->reply + p->reply_len, p->reply_max + 1 - p->reply_len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0)
		p->reply_len += (size_t)n;
	if (n > 0 && p->reply_len <= p->reply_max)
		return true;
	close_end(&p->out);
	if (p->reply_len > p->reply_max && p->end.outcome == PROCESS_OK)
		p->end.outcome = PROCESS_FLOOD;
	return false;
}

/* What poll said may be old: the process may have been reaped since, and its number be another's. */
void process_read(struct process *p)
{
	bool open = p->out >= 0;

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

	if (p->err < 0)
		return false;
	do
		n = read(p->err, chunk, sizeof chunk);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0)
		split_lines(p, sink, chunk, (size_t)n);
	else
		close_end(&p->err);
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
	p->end.closed_early = p->out < 0;
	kill(-p->pid, SIGTERM);
	p->state = PROCESS_ASKED;
	p->due = now + p->grace;
}

void process_overdue(struct process *p, uint64_t now)
{
	if (p->state == PROCESS_RUNS)
		process_stop(p, p->overdue, now);
	else if (p->state == PROCESS_ASKED)
		kill_group(p);
}

/* What is left in the pipes is the process's own word; what others of its group would still write is not, so the
 * reads are bounded. */
void process_exited(struct process *p, const struct process_sink *sink)
{
	while (read_some(p))
		;
	for (int i = 0; i < LAST_READS && log_some(p, sink); i++)
		;
	if (p->line_len > 0)
		end_line(p, sink);
	kill_group(p);
	close_end(&p->out);
	close_end(&p->err);
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
