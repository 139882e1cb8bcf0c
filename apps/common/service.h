/* service.h - answering the requests of the dgram protocol until told to stop.
 *
 * What plain endpoints cannot have (responder.h): a request runs once however often it comes, its answer carries whether
 * it failed, and who asked says when it is no longer wanted.
 */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include "door.h"
#include "responder.h"
#include <dgram/loop.h>

struct service_counts {
	uint64_t requests;    /* taken */
	uint64_t answers;     /* given, failures too */
	uint64_t failed;      /* of these */
	uint64_t busy;        /* refused: every handler runs and the queue is full */
	uint64_t unknown;     /* refused: nobody answers that name */
	uint64_t stopped;     /* no longer wanted before they were answered */
	uint64_t forgotten;   /* waited in the queue when we were told to stop, and were refused */
	uint64_t messages;    /* that were no requests; they are passed over */
	uint64_t passed_over; /* datagrams */
};

/* Answers what comes to door until SIGINT or SIGTERM (after signals_catch) or count; then what runs is ended in order. 0 or
 * an exit code after a sentence. */
int service_run(struct door *door, const struct responder_config *config, struct service_counts *counts);

#endif
