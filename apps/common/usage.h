/* usage.h - help, made from the tables of commands and options. Functions print to stdout unless
 * they say otherwise and return an exit code.
 */
#ifndef COMMON_USAGE_H
#define COMMON_USAGE_H

#include "command.h"

int usage_brief(const struct command *command); /* -h: 25 lines at most */
int usage_full(const struct command *command);  /* --help */
int usage_version(void);

/* A row of a table, to stdout: on a terminal the text wraps in its column, behind left. */
void usage_row(const char *left, const char *text);

/* The grouped list of commands. */
int usage_list(int fd);

/* Of words, the one that looks most like what was written, or NULL. */
const char *usage_nearest(const char *written, const char *const *words, size_t count);

#endif
