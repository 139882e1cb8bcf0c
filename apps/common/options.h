/* options.h - the common options: the same letter means the same everywhere.
 *
 * A command has a struct that begins with struct options, and an argp whose children are the groups
 * it takes:
 *
 *     struct request {
 *             struct options common;
 *             bool explain;
 *     };
 *     static const struct argp_child children[] = {OPTIONS_TIMING, OPTIONS_GENERAL, {0}};
 *     static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};
 *
 *     struct request r = {.common.deadline = 0};
 *     int code = options_parse(self, argc, argv, &r.common);
 *     if (code != OPTIONS_GO_ON)
 *             return code;
 *
 * Its own parser gets that struct as state->input, answers ARGP_ERR_UNKNOWN for what is not its
 * own, and says a wrong value with options_refuse. The words that are no options stand in words
 * afterwards.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include "command.h"
#include "exit.h"
#include "output.h"
#include "say.h"
#include <dgram/addr.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
	const struct command *command;
	char **words; /* what is no option, in order; not terminated */
	size_t word_count;

	/* OPTIONS_PAYLOAD */
	bool hex, escapes, lines, nul;
	const char *file; /* NULL: none; "-": stdin */

	/* OPTIONS_PRINT */
	enum print print;
	bool json;

	/* OPTIONS_BIND */
	const char *bind;      /* [ADDR][:PORT] as written, or NULL */
	const char *interface; /* or NULL */
	enum dgram_family family;

	/* OPTIONS_OUT */
	bool retry_refused;
	uint64_t max_request; /* bytes; its default is set before */
	bool idempotent;

	/* OPTIONS_TIMING, OPTIONS_DEADLINE */
	uint64_t timeout;       /* ns; 0: the profile's */
	uint32_t backoff_milli; /* 0: the profile's */
	uint32_t retries;
	bool limit_retries;
	uint64_t deadline; /* ns; 0: not given */

	/* OPTIONS_COUNT */
	uint64_t count; /* 0: not given */

	/* OPTIONS_PROTOCOL */
	bool open;

	/* OPTIONS_EXPLAIN */
	bool explain;

	/* OPTIONS_TRACE */
	const char *trace; /* or NULL */
	bool trace_payload;

	/* OPTIONS_GENERAL */
	int verbosity; /* -1, 0, 1 or more */
	bool color;    /* of stdout; that of sentences is known to say.h */
};

/* Rows for an argp's children. */
extern const struct argp options_payload, options_out, options_print, options_json, options_bind, options_listen,
        options_timing, options_deadline, options_count, options_protocol, options_explain, options_trace,
        options_general;

/* clang-format off */
#define OPTIONS_PAYLOAD  {&options_payload, 0, NULL, 0}  /* -x -f -e --lines -0 */
#define OPTIONS_PRINT    {&options_print, 0, NULL, 0}    /* -p -j */
#define OPTIONS_JSON     {&options_json, 0, NULL, 0}     /* -j alone */
#define OPTIONS_LISTEN   {&options_listen, 0, NULL, 0}   /* -i -4 -6, where the endpoint is what -b would be */
#define OPTIONS_BIND     {&options_bind, 0, NULL, 0}     /* -b -i -4 -6 */
#define OPTIONS_OUT      {&options_out, 0, NULL, 0}      /* --retry-refused --max-request --idempotent */
#define OPTIONS_TIMING   {&options_timing, 0, NULL, 0}   /* -t -r -T --backoff */
#define OPTIONS_DEADLINE {&options_deadline, 0, NULL, 0} /* -T alone */
#define OPTIONS_COUNT    {&options_count, 0, NULL, 0}    /* -n */
#define OPTIONS_PROTOCOL {&options_protocol, 0, NULL, 0} /* -k --key-fd --open */
#define OPTIONS_EXPLAIN  {&options_explain, 0, NULL, 0}  /* --explain */
#define OPTIONS_TRACE    {&options_trace, 0, NULL, 0}    /* --trace --trace-payload */
#define OPTIONS_GENERAL  {&options_general, 0, NULL, 0}  /* -q -v --color -h --help --version; always the last */
/* clang-format on */

/* Keys of long options without a letter. A command's own begin at OPT_OWN. */
enum {
	OPT_LINES = 0x100,
	OPT_RETRY_REFUSED,
	OPT_MAX_REQUEST,
	OPT_BACKOFF,
	OPT_COLOR,
	OPT_HELP,
	OPT_VERSION,
	OPT_KEY_FD,
	OPT_OPEN,
	OPT_IDEMPOTENT,
	OPT_EXPLAIN,
	OPT_TRACE,
	OPT_TRACE_PAYLOAD,
	OPT_OWN = 0x200,
};

/* In argp_option.flags: shown by --help, not among the few lines of -h. (argp's own --usage is not
 * used.) */
#define OPTION_IN_HELP_ONLY OPTION_NO_USAGE

#define OUT_MAX_DEFAULT (4u << 20) /* --max-request, and --max-reply where there is one */

#define OPTIONS_GO_ON (-1)

/* Parses argv into options and sets up say. OPTIONS_GO_ON, or the exit code to end with (help was
 * printed, or a sentence was said). */
int options_parse(const struct command *self, int argc, char **argv, struct options *options);

/* Says that the value of an option is wrong, and what is taken: "-p: 'html' is none of text, hex,
 * raw, none". Returns what a parser returns then. */
int options_refuse(const char *option, const char *value, const char *wanted);

/* The same for what a function of values.h said: 0 where wrong is NULL.
 * `return options_check("--rate", arg, values_rate(arg, &r->rate));` */
int options_check(const char *option, const char *value, const char *wrong);

/* Calls each(option, arg) for every option of argp and its children that is not hidden, in order.
 */
void options_walk(const struct argp *argp,
                  void (*each)(const struct argp_option *option, void *arg), void *arg);

#endif
