#include "options.h"
#include "json.h"
#include "usage.h"
#include "values.h"
#include <dgram/time.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* argp hands a group of children no input unless every command's parser takes care of it: one parse
 * at a time runs in a process, and its groups look here. */
static struct {
	struct options *options;
	int color;
	int done; /* the exit code of -h and the like, or OPTIONS_GO_ON */
} parsing;

int options_refuse(const char *option, const char *value, const char *wanted)
{
	struct options *o = parsing.options;
	fail_usage(o->command->name, "%s: '%s' is %s", option, value, wanted);
	return ECANCELED;
}

int options_check(const char *option, const char *value, const char *wrong)
{
	return wrong == NULL ? 0 : options_refuse(option, value, wrong);
}

/* -- payload -- */

/* clang-format off */
static const struct argp_option payload_table[] = {
	{"hex",     'x', NULL,   0, "the payload is hexadecimal; blanks between the bytes are skipped", 0},
	{"escapes", 'e', NULL,   OPTION_IN_HELP_ONLY, "the payload has C escapes: \\n \\t \\r \\0 \\e \\\\ \\xNN", 0},
	{"file",    'f', "FILE", 0, "the payload is this file's bytes (-: stdin)", 0},
	{"lines", OPT_LINES, NULL, 0, "each line is a message; its newline is no part of it", 0},
	{"null",    '0', NULL,   OPTION_IN_HELP_ONLY, "the same, but each ends with a NUL", 0},
	{0},
};
/* clang-format on */

static error_t payload_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	switch (key) {
	case 'x':
		o->hex = true;
		return 0;
	case 'e':
		o->escapes = true;
		return 0;
	case 'f':
		o->file = arg;
		return 0;
	case OPT_LINES:
		o->lines = true;
		return 0;
	case '0':
		o->nul = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_payload = {payload_table, payload_parse, NULL, NULL, NULL, NULL, NULL};

/* -- print -- */

/* clang-format off */
static const struct argp_option print_table[] = {
	{"print", 'p', "HOW", 0, "text, hex, raw or none; text is the default, raw is exact on a terminal too", 0},
	{"json",  'j', NULL,  0, "one JSON object per line, failures too (dgram help json)", 0},
	{0},
};

static const struct argp_option json_table[] = {
	{"json", 'j', NULL, 0, "one JSON object per line, failures too (dgram help json)", 0},
	{0},
};
/* clang-format on */

static const char *const print_names[] = {
        [PRINT_TEXT] = "text",
        [PRINT_HEX] = "hex",
        [PRINT_RAW] = "raw",
        [PRINT_NONE] = "none",
};

static error_t print_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	if (key == 'j') {
		o->json = true;
		say_setup(o->verbosity, true, false); /* so that what follows fails in JSON too */
		return 0;
	}
	if (key != 'p')
		return ARGP_ERR_UNKNOWN;
	for (size_t i = 0; i < sizeof(print_names) / sizeof(print_names[0]); i++)
		if (strcmp(arg, print_names[i]) == 0) {
			o->print = (enum print)i;
			return 0;
		}
	return options_refuse("-p", arg, "none of text, hex, raw, none");
}

const struct argp options_json = {json_table, print_parse, NULL, NULL, NULL, NULL, NULL};
const struct argp options_print = {print_table, print_parse, NULL, NULL, NULL, NULL, NULL};

/* -- bind -- */

/* clang-format off */
static const struct argp_option bind_table[] = {
	{"bind",  'b', "[ADDR][:PORT]", 0, "leave from this address, port", 0},
	{"iface", 'i', "IF", OPTION_IN_HELP_ONLY, "use this interface alone", 0},
	{"ipv4",  '4', NULL, OPTION_IN_HELP_ONLY, "IPv4 alone", 0},
	{"ipv6",  '6', NULL, OPTION_IN_HELP_ONLY, "IPv6 alone", 0},
	{0},
};

static const struct argp_option listen_table[] = {
	{"iface", 'i', "IF", OPTION_IN_HELP_ONLY, "use this interface alone", 0},
	{"ipv4",  '4', NULL, OPTION_IN_HELP_ONLY, "IPv4 alone", 0},
	{"ipv6",  '6', NULL, OPTION_IN_HELP_ONLY, "IPv6 alone", 0},
	{0},
};
/* clang-format on */

static error_t bind_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	switch (key) {
	case 'b':
		o->bind = arg;
		return 0;
	case 'i':
		o->interface = arg;
		return 0;
	case '4':
		o->family = DGRAM_IPV4;
		return 0;
	case '6':
		o->family = DGRAM_IPV6;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_listen = {listen_table, bind_parse, NULL, NULL, NULL, NULL, NULL};
const struct argp options_bind = {bind_table, bind_parse, NULL, NULL, NULL, NULL, NULL};

/* -- out -- */

/* clang-format off */
static const struct argp_option out_table[] = {
	{"retry-refused", OPT_RETRY_REFUSED, NULL, 0, "keep asking an address that refuses; until the deadline", 0},
	{"max-request", OPT_MAX_REQUEST, "SIZE", OPTION_IN_HELP_ONLY, "a longer payload is not sent: exit 63 (default 4MiB)", 0},
	{"idempotent", OPT_IDEMPOTENT, NULL, OPTION_IN_HELP_ONLY, "may run twice: asked again when the peer was restarted", 0},
	{0},
};
/* clang-format on */

static error_t out_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	switch (key) {
	case OPT_RETRY_REFUSED:
		o->retry_refused = true;
		return 0;
	case OPT_MAX_REQUEST:
		return options_check("--max-request", arg, values_size(arg, &o->max_request));
	case OPT_IDEMPOTENT: /* of plain endpoints too: every request may run twice there */
		o->idempotent = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_out = {out_table, out_parse, NULL, NULL, NULL, NULL, NULL};

/* -- timing -- */

static int parse_backoff(const char *arg, uint32_t *milli)
{
	const char *wrong = values_factor(arg, milli);
	if (wrong == NULL && *milli < 1000)
		wrong = "too small: 1 keeps every wait the same, 2 doubles it";
	return options_check("--backoff", arg, wrong);
}

static int parse_time(const char *option, const char *arg, uint64_t *ns)
{
	const char *wrong = values_duration(arg, ns);
	if (wrong == NULL && *ns == 0)
		wrong = "no time at all: it must be above 0";
	return options_check(option, arg, wrong);
}

/* clang-format off */
static const struct argp_option timing_table[] = {
	{"timeout",  't', "DUR", 0,
	 "the first wait; the next ones grow (default by destination: 50 ms on loopback, 100 ms on a LAN, 1 s)", 0},
	{"retries",  'r', "N",   0, "send again at most N times (default: until the deadline)", 0},
	{"deadline", 'T', "DUR", 0, "the whole operation (default 5 s loopback and LAN, 30 s else)", 0},
	{"backoff", OPT_BACKOFF, "F", OPTION_IN_HELP_ONLY, "each wait is F times the one before (1.5; 2 beyond the LAN)", 0},
	{0},
};
/* clang-format on */

static error_t timing_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	uint64_t number = 0;
	int error;
	switch (key) {
	case 't':
		return parse_time("-t", arg, &o->timeout);
	case 'r':
		o->limit_retries = true;
		error = options_check("-r", arg, values_count(arg, UINT32_MAX, &number));
		o->retries = (uint32_t)number;
		return error;
	case 'T':
		return parse_time("-T", arg, &o->deadline);
	case OPT_BACKOFF:
		return parse_backoff(arg, &o->backoff_milli);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_timing = {timing_table, timing_parse, NULL, NULL, NULL, NULL, NULL};

/* clang-format off */
static const struct argp_option deadline_table[] = {
	{"deadline", 'T', "DUR", 0, "give up after this time", 0},
	{0},
};
/* clang-format on */

static error_t deadline_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	return key == 'T' ? parse_time("-T", arg, &o->deadline) : ARGP_ERR_UNKNOWN;
}

const struct argp options_deadline = {deadline_table, deadline_parse, NULL, NULL, NULL, NULL, NULL};

/* -- count -- */

/* clang-format off */
static const struct argp_option count_table[] = {
	{"count", 'n', "N", 0, "stop after N messages", 0},
	{0},
};
/* clang-format on */

static error_t count_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	if (key != 'n')
		return ARGP_ERR_UNKNOWN;
	const char *wrong = values_count(arg, UINT64_MAX, &o->count);
	if (wrong == NULL && o->count == 0)
		wrong = "too few: 1 or more";
	return options_check("-n", arg, wrong);
}

const struct argp options_count = {count_table, count_parse, NULL, NULL, NULL, NULL, NULL};

/* -- protocol -- */

/* clang-format off */
static const struct argp_option protocol_table[] = {
	{"key",    'k', "FILE", OPTION_IN_HELP_ONLY, "the key of both sides; refused until there are keys", 0},
	{"key-fd", OPT_KEY_FD, "N", OPTION_IN_HELP_ONLY, "the same from a file descriptor", 0},
	{"open",   OPT_OPEN, NULL, OPTION_IN_HELP_ONLY, "no key, whatever the environment names", 0},
	{0},
};
/* clang-format on */

/* A key that is silently not used would be a lie about secrecy. */
static error_t protocol_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	struct options *o = parsing.options;
	(void)arg;
	switch (key) {
	case 'k':
	case OPT_KEY_FD:
		fail_usage(o->command->name,
		           "%s: a plain endpoint carries no key, and the "
		           "dgram protocol has none in this version yet: everyone on the way can "
		           "read and change what is sent; leave it out if that is meant",
		           key == 'k' ? "-k" : "--key-fd");
		return ECANCELED;
	case OPT_OPEN:
		o->open = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_protocol = {protocol_table, protocol_parse, NULL, NULL, NULL, NULL, NULL};

/* -- explain -- */

static const struct argp_option explain_table[] = {
        {"explain", OPT_EXPLAIN, NULL, 0, "a time line on stderr: tries, what was acknowledged", 0},
        {0},
};

static error_t explain_parse(int key, char *arg, struct argp_state *state)
{
	(void)arg, (void)state;
	if (key != OPT_EXPLAIN)
		return ARGP_ERR_UNKNOWN;
	parsing.options->explain = true;
	return 0;
}

const struct argp options_explain = {explain_table, explain_parse, NULL, NULL, NULL, NULL, NULL};

/* -- trace -- */

/* clang-format off */
static const struct argp_option trace_table[] = {
	{"trace", OPT_TRACE, "FILE", OPTION_IN_HELP_ONLY, "every event as a JSON line in this file: dgram trace FILE draws them", 0},
	{"trace-payload", OPT_TRACE_PAYLOAD, NULL, OPTION_IN_HELP_ONLY, "with what was sent and received", 0},
	{0},
};
/* clang-format on */

static error_t trace_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case OPT_TRACE:
		parsing.options->trace = arg;
		return 0;
	case OPT_TRACE_PAYLOAD:
		parsing.options->trace_payload = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_trace = {trace_table, trace_parse, NULL, NULL, NULL, NULL, NULL};

/* -- general -- */

/* clang-format off */
static const struct argp_option general_table[] = {
	{"quiet",   'q', NULL, OPTION_IN_HELP_ONLY, "say errors alone", 0},
	{"verbose", 'v', NULL, OPTION_IN_HELP_ONLY, "say more", 0},
	{"color", OPT_COLOR, "WHEN", OPTION_IN_HELP_ONLY, "auto (default), always or never; NO_COLOR is honoured", 0},
	{NULL,      'h', NULL, OPTION_IN_HELP_ONLY, "the short help", 0},
	{"help", OPT_HELP, NULL, OPTION_IN_HELP_ONLY, "this", 0},
	{"version", OPT_VERSION, NULL, OPTION_IN_HELP_ONLY, "the version", 0},
	{0},
};
/* clang-format on */

static const char *const color_names[] = {"auto", "always", "never"};

static error_t general_parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = parsing.options;
	switch (key) {
	case ARGP_KEY_ARGS:
		o->words = state->argv + state->next;
		o->word_count = (size_t)(state->argc - state->next);
		return 0;
	case 'q':
		o->verbosity = -1;
		return 0;
	case 'v':
		o->verbosity = o->verbosity < 0 ? 1 : o->verbosity + 1;
		return 0;
	case OPT_COLOR:
		for (int i = 0; i < 3; i++)
			if (strcmp(arg, color_names[i]) == 0) {
				parsing.color = i;
				return 0;
			}
		return options_refuse("--color", arg, "none of auto, always, never");
	case 'h':
		parsing.done = usage_brief(o->command);
		return ECANCELED;
	case OPT_HELP:
		parsing.done = usage_full(o->command);
		return ECANCELED;
	case OPT_VERSION:
		parsing.done = usage_version();
		return ECANCELED;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp options_general = {general_table, general_parse, NULL, NULL, NULL, NULL, NULL};

/* -- the whole -- */

/* argp hands children their input only where the parser above them cares to; this one stands above
 * the command's. */
static error_t share_input(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	state->err_stream = NULL; /* getopt says what is wrong, we say where help is; argp's "Try"
	                             is left out */
	return 0;
}

static bool color_wanted(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	if (parsing.color != 0)
		return parsing.color == 1;
	return (no_color == NULL || *no_color == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0) && isatty(fd);
}

int options_parse(const struct command *self, int argc, char **argv, struct options *options)
{
	const struct argp_child child[] = {{self->argp, 0, NULL, 0}, {0}};
	const struct argp whole = {NULL, share_input, NULL, NULL, child, NULL, NULL};

	options->command = self;
	parsing.options = options;
	parsing.done = OPTIONS_GO_ON;
	parsing.color = 0;
	int error = argp_parse(&whole, argc, argv, ARGP_NO_HELP | ARGP_NO_EXIT, NULL, options);
	options->color = color_wanted(STDOUT_FILENO);
	say_setup(options->verbosity, options->json, color_wanted(STDERR_FILENO));
	if (parsing.done != OPTIONS_GO_ON)
		return parsing.done;
	if (error == EINVAL) {
		say("try: dgram %s -h", self->name);
		if (options->json)
			json_error_line(CODE_USAGE, 0, "an option that is none, or lacks its value");
	}
	return error == 0 ? OPTIONS_GO_ON : CODE_USAGE;
}

void options_walk(const struct argp *argp,
                  void (*each)(const struct argp_option *option, void *arg), void *arg)
{
	const struct argp_option *o = argp->options;
	for (; o != NULL && (o->name != NULL || o->key != 0); o++)
		if (!(o->flags & OPTION_HIDDEN))
			each(o, arg);
	for (const struct argp_child *c = argp->children; c != NULL && c->argp != NULL; c++)
		options_walk(c->argp, each, arg);
}
