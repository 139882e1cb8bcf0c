/* exit.h - the exit codes: curl's number for the same thing, where it has one. */
#ifndef COMMON_EXIT_H
#define COMMON_EXIT_H

#include <stddef.h>

/* clang-format off */
/*  CODE_   name          code  meaning */
#define EXIT_CODES(ROW) \
	ROW(OK,          ok,            0, "done: acknowledged, answered, whole") \
	ROW(NO,          no,            1, "the answer is no: the handler failed, no such name there, nobody found") \
	ROW(USAGE,       usage,         2, "usage, configuration, key file") \
	ROW(RESOLVE,     resolve,       6, "name or @peer not resolved") \
	ROW(REFUSED,     refused,       7, "refused or unreachable, at every address: not executed") \
	ROW(MALFORMED,   malformed,     8, "the answer is malformed") \
	ROW(PARTIAL,     partial,      18, "partial: some peers did not answer") \
	ROW(WRITE,       write,        23, "cannot write output") \
	ROW(READ,        read,         26, "cannot read input") \
	ROW(TIMEOUT,     timeout,      28, "no answer in time; dgram: certainly not executed; plain: nothing is known") \
	ROW(BIND,        bind,         45, "cannot bind the address, port or interface") \
	ROW(UNKNOWN,     unknown,      52, "sent, no answer: it may have run; plain: refused after an earlier try was not") \
	ROW(BROKEN,      broken,       56, "a stream broke while open") \
	ROW(SIZE,        size,         63, "too large; nothing was sent") \
	ROW(KEY,         key,          67, "the peer said no to our key, or a key is required and missing") \
	ROW(BUSY,        busy,         75, "busy: certainly not executed, try later") \
	ROW(INTERRUPTED, interrupted, 130, "interrupted (SIGINT): a command with one result dies by the signal") \
	ROW(TERMINATED,  terminated,  143, "terminated (SIGTERM): the same")
/* clang-format on */

enum exit_code {
#define EXIT_ROW(name, lower, code, text) CODE_##name = (code),
	EXIT_CODES(EXIT_ROW)
#undef EXIT_ROW
	        CODE_HUNG_UP = 129, /* we die by SIGHUP */
	        CODE_PIPE = 141, /* nobody reads stdout any more: we die by SIGPIPE, silently */
};

struct exit_row {
	int code;
	const char *name; /* what JSON error lines say */
	const char *text;
};

extern const struct exit_row exit_rows[];
extern const size_t exit_row_count;

/* The name of a code; "error" for a number that is none. */
const char *exit_name(int code);

/* The code for a library error (negative; 0 is CODE_OK). */
int exit_of(int error);

/* Ends the process with code; CODE_INTERRUPTED, _TERMINATED, _HUNG_UP and _PIPE by the signal itself, so
 * that a shell's loop stops too. */
_Noreturn void exit_with(int code);

#endif
