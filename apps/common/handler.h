/* handler.h - a command that answers requests: its words, its program file and the environment it starts with. */
#ifndef COMMON_HANDLER_H
#define COMMON_HANDLER_H

#include <stdbool.h>
#include <stddef.h>

#define HANDLER_ENV_MAX 64   /* variables passed on */
#define HANDLER_PATH_MAX 4096

struct handler {
	char *const *argv;           /* ends with NULL; borrowed */
	char path[HANDLER_PATH_MAX]; /* the program: argv[0], looked up once in PATH */
};

enum handler_error {
	HANDLER_OK = 0,
	HANDLER_MISSING,    /* no such program, there or in PATH */
	HANDLER_FORBIDDEN,  /* there is a file, but it is not a program we may run */
	HANDLER_LONG,       /* the name does not fit a path */
};

/* Looks the program up, so that a wrong name is told before anything listens. argv is borrowed for the handler's life. */
enum handler_error handler_find(struct handler *h, char *const *argv);

/* Why, without the program's name and a full stop: "no such program". */
const char *handler_strerror(enum handler_error error);

/* The words of a command for /bin/sh: argv[0] is the text it runs, what follows is $1, $2 ... A vector that ends with
 * NULL, in one block that the caller frees; NULL: no memory. */
char **handler_shell(char *const *argv);

/* What every handler's environment begins with: PATH, HOME, USER, LANG, LC_*, TZ as far as they are set here, and
 * the names asked for. Borrowed strings of environ. */
struct handler_env {
	char *var[HANDLER_ENV_MAX];
	size_t count;
};

void handler_env_init(struct handler_env *env);

/* Passes one more variable on; an unset one is none. False: name is no name of a variable, or one of DGRAM_*, or the
 * table is full. */
bool handler_env_pass(struct handler_env *env, const char *name);

#endif
