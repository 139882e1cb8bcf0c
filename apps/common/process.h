/* process.h - one process that answers one request: the request on its stdin (it may leave it unread), its stdout
 * the answer, its stderr lines for the log.
 *
 * Its stdin has the whole request before it starts. Nothing is fed to it later: were we killed in the middle, it would
 * take the part that came for the request.
 *
 * It has ended when the process has exited and nothing else: a child that keeps the pipe open holds nobody up, and
 * a stdout that is closed early is not yet an answer.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include "spawn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_LINE_MAX 240 /* bytes of one line of stderr; of a longer one the rest is left out */

enum process_outcome {
	PROCESS_OK,       /* exit 0 */
	PROCESS_EXIT,     /* another exit: code is it */
	PROCESS_SIGNAL,   /* died by a signal that we did not send: code is its number */
	PROCESS_TIMEOUT,  /* ran longer than it may, and was ended */
	PROCESS_LATE,     /* nobody waits for it any longer: its request's deadline came, and it was ended */
	PROCESS_FLOOD,    /* wrote more than it may, and was killed */
	PROCESS_NO_START, /* could not be started: code is the errno */
	PROCESS_STOPPED,  /* ended because we end, or nobody wants it any more */
};

struct process_end {
	enum process_outcome outcome;
	int code;
	bool closed_early;  /* PROCESS_TIMEOUT, _LATE: its stdout was closed, and still it ran on */
	uint32_t left_over; /* processes it left behind when it ended by itself; they were killed */
	uint64_t elapsed;   /* ns from start to end */
};

struct process_sink {
	void (*line)(void *context, uint32_t ticket, const char *line, size_t len); /* any bytes, no newline */
	void *context;
};

enum process_state {
	PROCESS_FREE,
	PROCESS_RUNS,
	PROCESS_ASKED, /* TERM was sent */
	PROCESS_KILLED,
	PROCESS_ENDED, /* end is filled in */
};

struct process {
	enum process_state state;
	pid_t pid; /* of the process and of its group */
	pid_t *group; /* where that stands for the guard, while it is so; 0: none */
	int out, err; /* our ends of its stdout and stderr; -1: closed */
	uint32_t ticket;
	uint64_t started, due; /* ns; due: when it is ended, or killed */
	enum process_outcome overdue; /* why it is ended then */
	uint64_t grace;        /* ns from TERM to KILL */
	const uint8_t *request;
	size_t request_len;
	uint8_t *reply; /* room for reply_max + 1 bytes */
	size_t reply_len, reply_max;
	char line[PROCESS_LINE_MAX];
	size_t line_len;
	bool line_cut;
	struct process_end end;
};

/* Starts it; request, reply, times and ticket are set by the caller. Where that fails it has ended already,
 * PROCESS_NO_START. */
void process_start(struct process *p, const char *path, char *const *argv, char *const *env);

/* What poll said about one of its descriptors. */
void process_read(struct process *p);
void process_log(struct process *p, const struct process_sink *sink);

/* now has reached due: TERM, later KILL. */
void process_overdue(struct process *p, uint64_t now);
/* TERM with KILL after the grace, for a reason of ours. */
void process_stop(struct process *p, enum process_outcome why, uint64_t now);

/* It has exited and is not yet reaped (so that its group's number cannot be another's): reads what is there, kills
 * what is left of its group. reaped() takes what waitpid said. */
void process_exited(struct process *p, const struct process_sink *sink);
void process_reaped(struct process *p, int status, uint64_t now);

#endif
