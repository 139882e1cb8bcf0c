/* outcome.h - what the end of a handler means to who asked and to who reads the log. */
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

#include "procs.h"

#include <dgram/addr.h>

/* The status that goes with the answer: 0, or the failure's code as a shell would have it (its exit code, 128 and the signal,
 * 124 for a timeout, 126 where it could not be started; 125: it wrote too much). */
int outcome_status(const struct process_end *end);

/* Whether it did not start for want of descriptors, memory or processes: later it may. */
bool outcome_is_shortage(const struct process_end *end);

/* What follows "the handler": "failed: exit 3". Returns buf. */
char *outcome_describe(const struct procs_config *limits, const struct process_end *end, char *buf, size_t size);

/* For the log: that it ended and how, where somebody waits for it; then is what becomes of a failed one's answer. */
void outcome_tell(const struct procs_config *limits, const struct dgram_addr *peer, const struct process_end *end,
		  const char *then);

/* A line that it wrote to its stderr. */
void outcome_log(const struct dgram_addr *peer, const char *line, size_t len);

#endif
