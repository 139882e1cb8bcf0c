/* responder.h - answering the datagrams of a plain socket until told to stop. */
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
	const uint8_t *text; /* ANSWER_TEXT */
	size_t text_len;
	struct handler handler;    /* ANSWER_EXEC */
	struct names names;        /* ANSWER_NAMES */
	struct procs_config procs; /* its sink and request_max are the responder's */
	size_t request_max;        /* bytes; longer ones are refused */
	bool low_ports, insecure_open;
	uint64_t count; /* requests to take; 0: no end */
	bool json;
};

struct responder_counts {
	uint64_t requests;            /* taken */
	uint64_t answers;             /* sent */
	uint64_t failed;              /* handlers that gave no answer */
	uint64_t unsent;              /* answers that the system did not take */
	uint64_t forgotten;           /* requests that waited in the queue when we were told to stop */
	uint64_t refused[ADMIT_COUNT]; /* by reason */
};

/* Answers what comes to s until SIGINT or SIGTERM (after signals_catch) or count; then what runs is ended in order. 0 or
 * an exit code after a sentence. */
int responder_run(struct dgram_socket *s, const struct responder_config *config, struct responder_counts *counts);

#endif
