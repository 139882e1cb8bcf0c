/* Requests are jobs, places for processes are seats. A job waits in a ring until a seat is free; its ticket is
 * its index and stays taken until its result has been handed out and the next one is asked for. */
#define _GNU_SOURCE
#include "procs.h"

#include "guard.h"
#include "strays.h"

#include <dgram/addr.h>
#include <dgram/time.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MAX (2 * DGRAM_S)   /* from TERM to KILL */
#define FAREWELL_MS 1000          /* procs_free: as long as a killed process may take to vanish */
#define NAME_ROOM 96
#define VARIABLES 5               /* DGRAM_* */
#define SIGNALS UINT64_MAX        /* epoll's tag of the signalfd; others are seat << 1, + 1 for its stderr */
#define EVENTS 64

struct job {
	const struct handler *handler; /* NULL: the ticket is free */
	uint8_t *data;
	size_t len;
	uint64_t deadline;
	char peer[DGRAM_ADDR_TEXT_MAX + NAME_ROOM], name[NAME_ROOM], id[NAME_ROOM], key_id[NAME_ROOM];
};

struct procs {
	struct procs_config config;
	uint32_t job_count;
	struct job *job;
	struct process *seat;
	struct guard guard;
	pid_t *kept;     /* groups that run; filled for each search for strays */
	uint32_t *queue; /* a ring of tickets */
	uint32_t queue_first, queue_len;
	struct process *given; /* the seat whose result is out */
	bool stopping, adopts;
	int epoll, signals;
	uint8_t *bytes; /* the buffers of jobs and seats, one block: pages nobody touched cost nothing */
};

static int watch(struct procs *p, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event e = {.events = events, .data.u64 = tag};

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* Descriptors 0, 1 and 2 exist (else a pipe would get their numbers), SIGPIPE and SIGXFSZ are errors of write, and SIGCHLD
 * comes as something to read: ignored, as we may have inherited it, it would make children vanish unseen. */
static int take_signals(struct procs *p)
{
	sigset_t child;
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) != 0)
		return -1;
	p->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? -1 : watch(p, p->signals, EPOLLIN, SIGNALS);
}

static void lay_out(struct procs *p)
{
	const struct procs_config *c = &p->config;
	uint8_t *at = p->bytes;

	for (uint32_t i = 0; i < p->job_count; i++, at += c->request_max)
		p->job[i].data = at;
	for (uint32_t i = 0; i < c->running_max; i++, at += c->reply_max + 1) {
		p->seat[i].group = &p->guard.groups[i];
		p->seat[i].reply = at;
		p->seat[i].reply_max = c->reply_max;
		p->seat[i].grace = c->timeout < GRACE_MAX ? c->timeout : GRACE_MAX;
	}
}

struct procs *procs_new(const struct procs_config *config)
{
	struct procs *p = calloc(1, sizeof *p);
	uint32_t jobs = config->running_max + config->queue_max;

	if (!p)
		return NULL;
	p->config = *config;
	p->job_count = jobs;
	p->signals = -1;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->job = calloc(jobs, sizeof *p->job);
	p->queue = calloc(config->queue_max + 1, sizeof *p->queue);
	p->seat = calloc(config->running_max, sizeof *p->seat);
	p->kept = calloc(config->running_max, sizeof *p->kept);
	p->bytes = malloc(jobs * config->request_max + config->running_max * (config->reply_max + 1));
	if (p->epoll < 0 || !p->job || !p->queue || !p->seat || !p->kept || !p->bytes || take_signals(p) != 0 ||
	    !guard_open(&p->guard, config->running_max)) {
		procs_free(p);
		return NULL;
	}
	lay_out(p);
	p->adopts = strays_adopt();
	return p;
}

static void keep_text(char *out, size_t size, const char *variable, const char *value)
{
	snprintf(out, size, "%s=%s", variable, value ? value : "");
}

static uint64_t time_for(const struct procs *p, const struct job *job, uint64_t now)
{
	uint64_t left = job->deadline > now ? job->deadline - now : 0;

	return left < p->config.timeout ? left : p->config.timeout;
}

static void launch(struct procs *p, struct process *seat, uint32_t ticket, uint64_t now)
{
	struct job *job = &p->job[ticket];
	char deadline[48], *env[HANDLER_ENV_MAX + VARIABLES + 1];
	size_t n = p->config.env.count;
	uint64_t timeout = time_for(p, job, now), tag = (uint64_t)(seat - p->seat) << 1;

	memcpy(env, p->config.env.var, n * sizeof *env);
	snprintf(deadline, sizeof deadline, "DGRAM_DEADLINE_MS=%" PRIu64, timeout / DGRAM_MS);
	env[n++] = job->peer;
	env[n++] = job->name;
	env[n++] = job->id;
	env[n++] = job->key_id;
	env[n++] = deadline;
	env[n] = NULL;
	seat->ticket = ticket;
	seat->request = job->data;
	seat->request_len = job->len;
	seat->started = now;
	seat->overdue = timeout < p->config.timeout ? PROCESS_LATE : PROCESS_TIMEOUT;
	seat->due = timeout > DGRAM_NEVER - now ? DGRAM_NEVER : now + timeout;
	if (timeout == 0) {
		seat->end = (struct process_end){.outcome = PROCESS_STOPPED};
		seat->state = PROCESS_ENDED;
		return;
	}
	process_start(seat, job->handler->path, job->handler->argv, env);
	if (seat->state == PROCESS_ENDED)
		return;
	watch(p, seat->out, EPOLLIN, tag);
	watch(p, seat->err, EPOLLIN, tag + 1);
}

static struct process *free_seat(struct procs *p)
{
	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (p->seat[i].state == PROCESS_FREE)
			return &p->seat[i];
	return NULL;
}

static void launch_waiting(struct procs *p, uint64_t now)
{
	struct process *seat;

	while (p->queue_len > 0 && (seat = free_seat(p)) != NULL) {
		uint32_t ticket = p->queue[p->queue_first];

		p->queue_first = (p->queue_first + 1) % p->config.queue_max;
		p->queue_len--;
		launch(p, seat, ticket, now);
	}
}

static int free_ticket(const struct procs *p)
{
	for (uint32_t i = 0; i < p->job_count; i++)
		if (!p->job[i].handler)
			return (int)i;
	return -1;
}

int procs_submit(struct procs *p, const struct procs_request *r, uint64_t now)
{
	struct process *seat = p->queue_len == 0 ? free_seat(p) : NULL;
	int ticket = free_ticket(p);
	struct job *job;

	if (p->stopping || r->len > p->config.request_max || ticket < 0)
		return -1;
	if (!seat && p->queue_len == p->config.queue_max)
		return -1;
	job = &p->job[ticket];
	job->handler = r->handler;
	job->len = r->len;
	job->deadline = r->deadline != 0 ? r->deadline : DGRAM_NEVER;
	if (r->len > 0)
		memcpy(job->data, r->data, r->len);
	keep_text(job->peer, sizeof job->peer, "DGRAM_PEER", r->peer);
	keep_text(job->name, sizeof job->name, "DGRAM_NAME", r->name);
	keep_text(job->id, sizeof job->id, "DGRAM_ID", r->id);
	keep_text(job->key_id, sizeof job->key_id, "DGRAM_KEY_ID", r->key_id);
	if (seat)
		launch(p, seat, (uint32_t)ticket, now);
	else
		p->queue[(p->queue_first + p->queue_len++) % p->config.queue_max] = (uint32_t)ticket;
	return ticket;
}

/* Takes a ticket out of the ring; those behind it move up. */
static bool leave_queue(struct procs *p, uint32_t ticket)
{
	uint32_t max = p->config.queue_max, kept = 0;

	for (uint32_t i = 0; i < p->queue_len; i++) {
		uint32_t other = p->queue[(p->queue_first + i) % max];

		if (other != ticket)
			p->queue[(p->queue_first + kept++) % max] = other;
	}
	if (kept == p->queue_len)
		return false;
	p->queue_len = kept;
	p->job[ticket].handler = NULL;
	return true;
}

bool procs_cancel(struct procs *p, uint32_t ticket, uint64_t now)
{
	if (leave_queue(p, ticket))
		return true;
	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (p->seat[i].ticket == ticket)
			process_stop(&p->seat[i], PROCESS_STOPPED, now);
	return false;
}

int procs_fd(const struct procs *p)
{
	return p->epoll;
}

static bool is_alive(const struct process *seat)
{
	return seat->state == PROCESS_RUNS || seat->state == PROCESS_ASKED || seat->state == PROCESS_KILLED;
}

uint64_t procs_deadline(const struct procs *p)
{
	uint64_t due = DGRAM_NEVER;

	for (uint32_t i = 0; i < p->config.running_max; i++) {
		if (is_alive(&p->seat[i]) && p->seat[i].due < due)
			due = p->seat[i].due;
		if (p->seat[i].state == PROCESS_ENDED && &p->seat[i] != p->given)
			due = 0; /* its deadline had passed when its turn came */
	}
	return due;
}

static struct process *seat_of(struct procs *p, pid_t pid)
{
	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (is_alive(&p->seat[i]) && p->seat[i].pid == pid)
			return &p->seat[i];
	return NULL;
}

/* Children that belong to no process still running, but for the one that has just exited and waits to be reaped. */
static uint32_t kill_strays(struct procs *p, const struct process *exited)
{
	size_t count = 0;

	if (!p->adopts)
		return 0;
	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (is_alive(&p->seat[i]) && &p->seat[i] != exited)
			p->kept[count++] = p->seat[i].pid;
	return strays_kill(p->kept, count, exited ? exited->pid : 0);
}

/* Every child that has ended: first looked at, then reaped, because the number of a group whose leader is not yet
 * reaped is nobody else's. A stray that dies may leave strays of its own. */
static void reap(struct procs *p, uint64_t now)
{
	struct signalfd_siginfo ignored[8];
	bool stray = false;
	siginfo_t info = {0};

	while (read(p->signals, ignored, sizeof ignored) > 0)
		;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
		struct process *seat = seat_of(p, info.si_pid);
		int status = 0;

		if (seat) {
			uint32_t strays = kill_strays(p, seat);

			seat->end.left_over = seat->end.outcome == PROCESS_OK ? strays : 0;
			process_exited(seat, &p->config.sink);
		}
		waitpid(info.si_pid, &status, 0);
		if (seat)
			process_reaped(seat, status, now);
		stray = stray || !seat;
		info.si_pid = 0;
	}
	if (stray)
		kill_strays(p, NULL);
}

static void handle(struct procs *p, uint64_t tag, uint64_t now)
{
	struct process *seat;

	if (tag == SIGNALS) {
		reap(p, now);
		return;
	}
	seat = &p->seat[tag >> 1];
	if (tag % 2 == 0)
		process_read(seat);
	else
		process_log(seat, &p->config.sink);
}

void procs_work(struct procs *p, uint64_t now)
{
	struct epoll_event event[EVENTS];
	int n = epoll_wait(p->epoll, event, EVENTS, 0);

	for (int i = 0; i < n; i++)
		handle(p, event[i].data.u64, now);
	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (is_alive(&p->seat[i]) && p->seat[i].due <= now)
			process_overdue(&p->seat[i], now);
}

static void take_back(struct procs *p)
{
	if (!p->given)
		return;
	p->job[p->given->ticket].handler = NULL;
	p->given->state = PROCESS_FREE;
	p->given = NULL;
}

int procs_next(struct procs *p, struct procs_result *out, uint64_t now)
{
	take_back(p);
	launch_waiting(p, now);
	for (uint32_t i = 0; i < p->config.running_max; i++) {
		struct process *seat = &p->seat[i];

		if (seat->state != PROCESS_ENDED)
			continue;
		*out = (struct procs_result){
			.ticket = seat->ticket,
			.handler = p->job[seat->ticket].handler,
			.end = seat->end,
			.data = seat->reply,
			.len = seat->reply_len < seat->reply_max ? seat->reply_len : seat->reply_max,
		};
		p->given = seat;
		return 1;
	}
	return 0;
}

uint32_t procs_busy(const struct procs *p)
{
	uint32_t busy = p->queue_len;

	for (uint32_t i = 0; i < p->config.running_max; i++)
		busy += p->seat[i].state != PROCESS_FREE && &p->seat[i] != p->given;
	return busy;
}

uint32_t procs_stop(struct procs *p, uint64_t now)
{
	uint32_t forgotten = p->queue_len;

	p->stopping = true;
	for (; p->queue_len > 0; p->queue_len--) {
		p->job[p->queue[p->queue_first]].handler = NULL;
		p->queue_first = (p->queue_first + 1) % p->config.queue_max;
	}
	for (uint32_t i = 0; i < p->config.running_max; i++)
		process_stop(&p->seat[i], PROCESS_STOPPED, now);
	return forgotten;
}

static bool any_alive(const struct procs *p)
{
	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (is_alive(&p->seat[i]))
			return true;
	return false;
}

static bool any_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Kills what is left and waits until it is gone, or until the time is over: a process that hangs in the kernel is not
 * worth hanging for. */
static void farewell(struct procs *p)
{
	uint64_t end = dgram_clock() + FAREWELL_MS * DGRAM_MS;
	struct pollfd child = {.fd = p->signals, .events = POLLIN};

	for (uint32_t i = 0; i < p->config.running_max; i++)
		if (is_alive(&p->seat[i]))
			kill(-p->seat[i].pid, SIGKILL);
	do {
		reap(p, dgram_clock());
		kill_strays(p, NULL);
		if (!any_alive(p) && !(p->adopts && any_child()))
			return;
		poll(&child, 1, 10);
	} while (dgram_clock() < end);
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	p->queue_len = 0;
	if (p->bytes && p->signals >= 0)
		farewell(p);
	guard_close(&p->guard);
	if (p->signals >= 0)
		close(p->signals);
	if (p->epoll >= 0)
		close(p->epoll);
	free(p->bytes);
	free(p->kept);
	free(p->seat);
	free(p->queue);
	free(p->job);
	free(p);
}
