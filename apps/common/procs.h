/* procs.h - the pool of processes that answer requests.
 *
 *   bounded   running_max processes, queue_max requests that wait, fixed buffers: all memory is taken by _new
 *   limited   a process has a time limit (TERM, then KILL, always to its whole group) and an output limit
 *   clean     when a process ends, whatever it started ends too: no zombie, no orphan, no descriptor stays
 *
 * One pool a process: it takes SIGCHLD for itself and reaps every child. It works when it is called: poll
 * procs_fd() for reading until procs_deadline(), call procs_work(), then procs_next() until it says no. No thread,
 * no signal handler.
 */
#ifndef COMMON_PROCS_H
#define COMMON_PROCS_H

#include "handler.h"
#include "process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct procs_config {
	uint32_t running_max;   /* processes at once; 1 at least */
	uint32_t queue_max;     /* requests that may wait for one */
	size_t request_max;     /* bytes */
	size_t reply_max;       /* bytes of output; one more is PROCESS_FLOOD */
	uint64_t timeout;       /* ns from the start of a process to TERM; KILL follows after 2 s, or timeout where less */
	struct handler_env env; /* strings borrowed for the pool's life */

	struct process_sink sink; /* what processes write to their stderr */
};

/* Strings are copied, and cut where they are very long; NULL is "". They become environment: plain ASCII only. */
struct procs_request {
	const struct handler *handler; /* borrowed until the end */
	const void *data;
	size_t len;
	uint64_t deadline; /* ns: it is not started later, and ended then; 0: none */
	const char *peer, *name, *id, *key_id; /* DGRAM_PEER, DGRAM_NAME, DGRAM_ID, DGRAM_KEY_ID */
};

struct procs_result {
	uint32_t ticket;
	const struct handler *handler;
	struct process_end end;
	const uint8_t *data; /* its output, as far as it came; until the next procs_next() */
	size_t len;
};

struct procs;

/* NULL: errno says why. */
struct procs *procs_new(const struct procs_config *config);

/* Kills what runs, waits until it is gone, and gives everything back. */
void procs_free(struct procs *p);

/* A ticket from 0 to running_max + queue_max - 1, free again when procs_next() has given its result; or -1: every place
 * in the queue is taken (or len is over request_max, or the pool is stopping). */
int procs_submit(struct procs *p, const struct procs_request *request, uint64_t now);

/* Nobody wants that one any more. True: it waited, will never run, and its ticket is free; false: what runs is ended, and
 * its result is still to come. */
bool procs_cancel(struct procs *p, uint32_t ticket, uint64_t now);

int procs_fd(const struct procs *p);
uint64_t procs_deadline(const struct procs *p); /* ns, or DGRAM_NEVER */
void procs_work(struct procs *p, uint64_t now);

/* 1: *out is how one request ended; 0: none did since. One whose deadline passed in the queue has ended as
 * PROCESS_STOPPED. */
int procs_next(struct procs *p, struct procs_result *out, uint64_t now);

/* Ends what runs (TERM, then KILL) and takes nothing more; go on until procs_busy() is 0. The number of requests
 * that waited and are forgotten: their tickets have no result. */
uint32_t procs_stop(struct procs *p, uint64_t now);
uint32_t procs_busy(const struct procs *p); /* requests whose result is still to come */

#endif
