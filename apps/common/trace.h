/* trace.h - --trace FILE: every event of a question as a JSON line, without payloads unless they
 * are asked for.
 */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include "target.h"
#include <dgram/ask.h>
#include <stdbool.h>

struct trace {
	int fd; /* -1: nothing is traced */
	bool payload;
};

/* Begins FILE anew, readable by its owner alone; a symbolic link is not followed. NULL: no trace. 0
 * or CODE_WRITE after a sentence. */
int trace_open(struct trace *t, const char *file, bool payload);
void trace_close(struct trace *t);

/* One question: each try, each refusal, how it ended. outcome is what dgram_ask() gave of q. */
void trace_question(const struct trace *t, const struct dgram_question *q,
                    const struct dgram_ask_report *report, int outcome);

#endif
