/* command.h - what a command is: a row of the table in dgram.c. */
#ifndef COMMON_COMMAND_H
#define COMMON_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

struct command {
	const char *name;  /* the word after dgram */
	const char *group; /* the row of the list it stands in: talk, answer, look, tcp, test, set up */
	const char *synopsis; /* what follows the options: "EP [TEXT]" */
	const char *summary;  /* one line, for the list */
	const char *about; /* paragraphs for --help; a line starts a new one only after "\n"; NULL:
	                      none */
	const char *examples; /* whole lines, shown as they are; NULL: none */
	const struct argp *argp;
	bool messages; /* its endpoint may be HOST:PORT, the dgram protocol */
	int (*run)(const struct command *self, int argc,
	           char **argv); /* argv[0] is "dgram"; an exit code */
};

extern const struct command request_command;
extern const struct command send_command;
extern const struct command ping_command;
extern const struct command peer_command;
extern const struct command respond_command;
extern const struct command listen_command;
extern const struct command stream_command;
extern const struct command relay_command;
extern const struct command trace_command;
extern const struct command completion_command;
extern const struct command help_command;
extern const struct command version_command;

/* Every command, in the order of the list; ends with NULL. */
extern const struct command *const commands[];

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

#endif
