/* say.h - sentences for people, on stderr: "dgram: 127.0.0.1:7499: refused (no one listens on this
 * port)".
 *
 * Whatever a sentence quotes, its control bytes are escaped, newlines too: one call is one line.
 */
#ifndef COMMON_SAY_H
#define COMMON_SAY_H

#include <stdbool.h>

#define SAY_LIKE_PRINTF __attribute__((format(printf, 1, 2)))

/* How much is said: -1 (-q) errors alone, 0, 1 (-v); and whether fail() writes a JSON line
 * too. */
void say_setup(int verbosity, bool json, bool color);

SAY_LIKE_PRINTF void say(const char *format, ...); /* start line, summary, hints; not with -q */
SAY_LIKE_PRINTF void say_verbose(const char *format, ...); /* only with -v */
SAY_LIKE_PRINTF void say_error(const char *format, ...);   /* always */

/* What a word ends with that follows this number: "s", or nothing after 1. Static memory. */
const char *plural(unsigned long long number);

/* At most 10 in a second, then one that counts what was left out; not with -q. */
SAY_LIKE_PRINTF void say_warning(const char *format, ...);

/* The same for lines that handlers write, counted apart: neither flood hides the other. */
SAY_LIKE_PRINTF void say_logged(const char *format, ...);

/* What these two still have to count; before the summary. */
void say_left_out(void);

/* say_error, and with --json the error line on stdout. Returns code, so that a command can end with
 * `return fail(CODE_BIND, ...)`. */
__attribute__((format(printf, 2, 3))) int fail(int code, const char *format, ...);

/* The same about one line of --lines or -0 (counted from 1). */
__attribute__((format(printf, 3, 4))) int fail_line(unsigned long long line, int code,
                                                    const char *format, ...);

/* Takes part in the sentences of exit code 2: says it and adds "try: dgram CMD -h". Returns
 * CODE_USAGE. */
__attribute__((format(printf, 2, 3))) int fail_usage(const char *command, const char *format, ...);

#endif
