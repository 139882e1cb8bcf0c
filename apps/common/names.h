/* names.h - NAME=CMD: which command answers which name. */
#ifndef COMMON_NAMES_H
#define COMMON_NAMES_H

#include "handler.h"
#include "options.h"
#include "words.h"
#include <stddef.h>

struct named {
	const char *name; /* not terminated */
	size_t name_len;
	char **argv;      /* --sh: the words for /bin/sh, of which the text is CMD; else NULL */
	struct words words;
	struct handler handler;
};

struct names {
	struct named *v;
	size_t count;
};

/* Reads NAME=CMD of each word: CMD is split as a shell would, without expansion; with shell it is a script. Words are
 * borrowed. 0, or an exit code after a sentence; names_free in any case. */
int names_read(struct names *n, const struct options *o, char **words, size_t count, bool shell);
void names_free(struct names *n);

/* NULL: nobody answers it. */
const struct handler *names_find(const struct names *n, const char *name, size_t len);

/* "time, load". Returns buf; cut where it does not fit. */
char *names_list(const struct names *n, char *buf, size_t size);

/* The sentence of a command whose program is not there; option says where it was given. CODE_USAGE. */
int names_missing(const struct options *o, const char *option, const char *program, enum handler_error error);

#endif
