/* trace.h - --trace FILE: what passed on the wire and what was decided, a JSON line each, without payloads unless they
 * are asked for. `dgram trace` draws them.
 *
 * A file that cannot be written any more (a full disk) is said once, and ends at its last whole line; the command goes
 * on, and its exit code is that of what it was asked for.
 */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include "options.h"
#include <dgram/ask.h>
#include <dgram/loop.h>
#include <stdbool.h>
#include <sys/types.h>

struct trace {
	int fd; /* -1: nothing is traced */
	bool payload;
	bool watched;   /* somebody else wants to know what passes: trace_next */
	const char *file;
	uint64_t start; /* ns: what at_us counts from */
	off_t whole;    /* bytes of whole lines */
	struct dgram_loop *loop;
	void *memory;   /* for what passes */
	struct dgram_endpoint_stats told;
};

/* Begins the file of --trace anew, readable by its owner alone; a symbolic link is not followed. Without the option
 * nothing is traced. 0 or CODE_WRITE after a sentence. */
int trace_open(struct trace *t, const struct options *o);
void trace_close(struct trace *t);

/* At a plain endpoint of a command that traces none: CODE_USAGE after a sentence; 0 without the option. */
int trace_check_plain(const struct options *o);

/* From here on what passes through loop is traced, each time that trace_take is called: after every dgram_loop_wait and
 * dgram_loop_close. local: our address, or NULL. 0 or an exit code after a sentence. */
int trace_loop(struct trace *t, struct dgram_loop *loop, const struct dgram_addr *local, const char *command);
void trace_take(struct trace *t);
/* The same for who looks at each: the next one, its data borrowed until the next dgram_loop_wait; false: that was all. */
bool trace_next(struct trace *t, struct dgram_passed *p);
void trace_event(struct trace *t, const struct dgram_event *e);

/* One plain question: each try, each refusal, how it ended. outcome is what dgram_ask() gave of q. */
void trace_question(struct trace *t, const struct dgram_question *q,
                    const struct dgram_ask_report *report, int outcome);

#endif
