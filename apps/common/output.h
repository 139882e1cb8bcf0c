/* output.h - stdout is data: escaped on a terminal, exact in a pipe.
 *
 * Functions return 0 or the exit code to end with: CODE_PIPE when the reader has gone (say nothing,
 * clean up, return it), CODE_WRITE after a sentence that says what failed.
 */
#ifndef COMMON_OUTPUT_H
#define COMMON_OUTPUT_H

#include "escape.h"
#include <stdbool.h>
#include <stddef.h>

enum print {
	PRINT_TEXT, /* as it is; escaped on a terminal */
	PRINT_HEX,  /* two digits a byte, a line for each message */
	PRINT_RAW,  /* exact, on a terminal too */
	PRINT_NONE,
};

struct output {
	enum print print;
	bool terminal;
	bool at_line_start;
	struct escape escape; /* of output_bytes */
};

/* Of stdout. Ignores SIGPIPE, so that a reader who goes is an answer of write and no death. */
void output_open(struct output *out, enum print print);

/* One message. newline: it ends with one, added if it is missing (listen, --lines); false: only on
 * a terminal. */
int output_message(struct output *out, const void *data, size_t len, bool newline);

/* The next piece of a stream: no newline is added, a character may go on in the next piece. */
int output_bytes(struct output *out, const void *data, size_t len);

/* The end of a stream: what was held back, and on a terminal the missing newline. */
int output_end(struct output *out);

/* A line of ours (JSON, help), which gets its newline here. */
int output_line(const char *text);

/* The beginning of such a line. */
int output_part(const char *text, size_t len);

/* Until output_flush, what is written waits in a buffer: between messages that are there already.
 * Without it every message is written at once. */
void output_hold(void);
int output_flush(void);

/* Not 0: stdout is gone, and this is the code to end with. Error lines of --json may have found that out, whose fail()
 * has a code of its own to return: a loop over many asks here. */
int output_gone(void);

/* For loops that must not wait for the reader of stdout: what is held, and once poll says that
 * stdout takes something, one write that does not block (what is held stays held). */
size_t output_pending(void);
int output_flush_some(void);

/* The end of what a command wrote with stdio (help, completions): the same outcomes. */
int output_stdio(void);

#endif
