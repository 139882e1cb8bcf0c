/* responder.h - answering what comes in until told to stop: what is configured and counted, and the loop of a plain
 * socket. That of the dgram protocol is service.h. */
#ifndef COMMON_RESPONDER_H
#define COMMON_RESPONDER_H

#include "admit.h"
#include "names.h"
#include "procs.h"
#include "trace.h"
#include <dgram/socket.h>

enum answer_form {
	ANSWER_NONE,
	ANSWER_ECHO, /* the request itself */
	ANSWER_TEXT, /* the same bytes every time */
	ANSWER_EXEC, /* what a command prints */
	ANSWER_NAMES, /* what the command of that name prints; on the dgram protocol */
};

struct responder_config {
	enum answer_form form;
	struct trace *trace;       /* of the dgram protocol */
	const uint8_t *text;       /* ANSWER_TEXT */
	size_t text_len;
	struct handler handler;    /* ANSWER_EXEC */
	struct names names;        /* ANSWER_NAMES */
	struct procs_config procs; /* its sink and request_max are the responder's */
	size_t request_max;        /* bytes; longer ones are refused */
	bool plain;                /* on the dgram protocol: plain datagrams are answered too */
	bool low_ports, insecure_open;
	uint64_t count; /* requests to take; 0: no end */
	bool json;
};

struct responder_counts {
	uint64_t requests;  /* taken */
	uint64_t answers;   /* given; on the dgram protocol failures too */
	uint64_t failed;    /* handlers that did not do it */
	uint64_t forgotten; /* waited in the queue when we were told to stop */

	/* Of plain datagrams. */
	uint64_t unsent;               /* answers that the system did not take */
	uint64_t refused[ADMIT_COUNT]; /* by reason */

	/* Of the dgram protocol. */
	uint64_t busy;        /* refused: every handler runs and the queue is full */
	uint64_t unknown;     /* refused: nobody answers that name */
	uint64_t stopped;     /* no longer wanted before they were answered */
	uint64_t messages;    /* that were no requests; they are passed over */
	uint64_t passed_over; /* datagrams */
};

/* Whether as many requests came as are to be taken. */
static inline bool responder_has_enough(const struct responder_config *config, const struct responder_counts *counts)
{
	return config->count != 0 && counts->requests >= config->count;
}

/* Answers what comes to s until SIGINT or SIGTERM (after signals_catch) or count; then what runs is ended in order. 0 or
 * an exit code after a sentence. */
int responder_run(struct dgram_socket *s, const struct responder_config *config, struct responder_counts *counts);

#endif
