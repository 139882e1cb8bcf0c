#include "common/handler.h"
#include "common/json.h"
#include "common/options.h"
#include "common/payload.h"
#include "common/responder.h"
#include "common/service.h"
#include "common/signals.h"
#include "common/target.h"
#include "common/values.h"
#include <dgram/dgram.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCS_DEFAULT 8
#define PROCS_MAX 256 /* three descriptors each, of the 1024 that a process usually has */
#define QUEUE 64
#define MESSAGE_DEFAULT (UINT64_C(4) << 20)
#define UNIX_DATAGRAM_MAX (256 * 1024) /* bytes: Linux lets about 208 KiB through unless told otherwise */
#define UDP_DATAGRAM_MAX 65536

struct respond {
	struct options common;
	struct dgram_uri uri; /* where it listens */
	enum answer_form form;
	struct trace trace;
	bool several; /* forms were given */
	char *text;
	char **exec; /* the command's own vector */
	bool shell, plain, insecure_open, low_ports;
	uint64_t max_procs, exec_timeout, max_request, max_reply;
	struct handler_env env;
};

enum {
	OPT_ECHO = OPT_OWN,
	OPT_REPLY,
	OPT_EXEC,
	OPT_SHELL,
	OPT_ENV,
	OPT_PROCS,
	OPT_EXEC_TIMEOUT,
	OPT_REQUEST_MAX,
	OPT_REPLY_MAX,
	OPT_INSECURE,
	OPT_LOW_PORTS,
	OPT_PLAIN,
};

static const struct argp_option table[] = {
	{"echo",  OPT_ECHO,  NULL,   0, "answer with the request itself", 0},
	{"reply", OPT_REPLY, "TEXT", 0, "answer with these bytes", 0},
	{"exec",  OPT_EXEC,  NULL,   0, "answer with what a command prints; everything after it is the command", 0},
	{"escapes", 'e', NULL, 0, "--reply TEXT has C escapes: \\n \\t \\r \\0 \\\\ \\xNN", 0},
	{"hex",     'x', NULL, OPTION_IN_HELP_ONLY, "--reply TEXT is hexadecimal", 0},
	{"max-procs", OPT_PROCS, "N", 0, "commands at once (8); 64 requests more wait, the rest is told to try later", 0},
	{"exec-timeout", OPT_EXEC_TIMEOUT, "DUR", 0, "a command that runs longer is ended (10s)", 0},
	{"sh",  OPT_SHELL, NULL,   0, "the command's first word is a script for /bin/sh, the others are its $1, $2 ...", 0},
	{"env", OPT_ENV,   "NAME", OPTION_IN_HELP_ONLY, "pass this variable on to the command (may be repeated)", 0},
	{"max-request", OPT_REQUEST_MAX, "SIZE", OPTION_IN_HELP_ONLY, "longer requests are not answered (4MiB)", 0},
	{"max-reply",   OPT_REPLY_MAX,   "SIZE", OPTION_IN_HELP_ONLY, "a command that prints more is killed (a datagram: 65507 bytes)", 0},
	{"plain", OPT_PLAIN, NULL, OPTION_IN_HELP_ONLY, "answer plain datagrams too, at the same port; plain endpoints take nothing else", 0},
	{"insecure-open", OPT_INSECURE, NULL, OPTION_IN_HELP_ONLY, "beyond loopback: whoever asks runs the command, and gets any length", 0},
	{"allow-low-ports", OPT_LOW_PORTS, NULL, OPTION_IN_HELP_ONLY, "answer source ports below 1024 too", 0},
	{0},
};

static error_t set_form(struct respond *r, enum answer_form form)
{
	r->several = r->form != ANSWER_NONE;
	r->form = form;
	return 0;
}

/* argp reorders argv as it goes on: the command gets a vector of its own, and nothing after --exec is an option. */
static error_t take_command(struct respond *r, struct argp_state *state)
{
	size_t count = (size_t)(state->argc - state->next);

	r->exec = calloc(count + 1, sizeof *r->exec);
	if (r->exec == NULL)
		return ENOMEM;
	memcpy(r->exec, state->argv + state->next, count * sizeof *r->exec);
	state->next = state->argc;
	return set_form(r, ANSWER_EXEC);
}

static error_t parse_procs(const char *arg, uint64_t *out)
{
	const char *wrong = values_count(arg, PROCS_MAX, out);

	if (wrong == NULL && *out == 0)
		wrong = "too few: 1 or more";
	return options_check("--max-procs", arg, wrong);
}

static error_t parse_timeout(const char *arg, uint64_t *ns)
{
	const char *wrong = values_duration(arg, ns);

	if (wrong == NULL && *ns == 0)
		wrong = "no time at all: it must be above 0";
	return options_check("--exec-timeout", arg, wrong);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct respond *r = state->input;

	switch (key) {
	case OPT_ECHO:
		return set_form(r, ANSWER_ECHO);
	case OPT_REPLY:
		r->text = arg;
		return set_form(r, ANSWER_TEXT);
	case OPT_EXEC:
		return take_command(r, state);
	case 'e':
		r->common.escapes = true;
		return 0;
	case 'x':
		r->common.hex = true;
		return 0;
	case OPT_PROCS:
		return parse_procs(arg, &r->max_procs);
	case OPT_EXEC_TIMEOUT:
		return parse_timeout(arg, &r->exec_timeout);
	case OPT_SHELL:
		r->shell = true;
		return 0;
	case OPT_ENV:
		return handler_env_pass(&r->env, arg) ? 0 : options_refuse("--env", arg, "no variable that can be passed on");
	case OPT_REQUEST_MAX:
		return options_check("--max-request", arg, values_size(arg, &r->max_request));
	case OPT_REPLY_MAX:
		return options_check("--max-reply", arg, values_size(arg, &r->max_reply));
	case OPT_INSECURE:
		r->insecure_open = true;
		return 0;
	case OPT_LOW_PORTS:
		r->low_ports = true;
		return 0;
	case OPT_PLAIN:
		r->plain = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	OPTIONS_COUNT, OPTIONS_JSON, OPTIONS_LISTEN, OPTIONS_PROTOCOL, OPTIONS_TRACE, OPTIONS_GENERAL,
	{0},
};
static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};

/* -- what was asked for, checked before anything listens -- */

static bool is_plain(const struct respond *r)
{
	return target_is_plain(&r->uri);
}

static bool runs_commands(const struct respond *r)
{
	return r->form == ANSWER_EXEC || r->form == ANSWER_NAMES;
}

/* NAME=CMD, or a word that should not be there. */
static int refuse_word(const struct respond *r, const char *word)
{
	const char *name = r->common.command->name, *equals = strchr(word, '=');
	struct words w;
	enum words_error error;

	if (equals == NULL || equals == word)
		return fail_usage(name, "'%s': one endpoint, and no word more (a command comes after --exec)", word);
	error = words_split(equals + 1, &w);
	if (error != WORDS_OK)
		return fail_usage(name, "'%s': %s", word, words_strerror(error));
	words_free(&w);
	return fail_usage(name, "'%s': a plain endpoint carries no names to tell commands apart; for one command: --exec %s",
			  word, equals + 1);
}

static int check_words(struct respond *r)
{
	const struct options *o = &r->common;
	int code;

	if (o->word_count == 0 && r->form == ANSWER_EXEC)
		return fail_usage(o->command->name, "no endpoint before --exec, and everything after it is the command: "
				  "write 127.0.0.1:7400 --exec CMD");
	if (o->word_count == 0)
		return fail_usage(o->command->name, "no endpoint: where shall it listen? 127.0.0.1:7400, or udp://127.0.0.1:7400");
	code = target_parse_listen(&r->uri, o->words[0], o);
	if (code != 0)
		return code;
	if (is_plain(r) && o->word_count > 1)
		return refuse_word(r, o->words[1]);
	if (o->word_count > 1)
		set_form(r, ANSWER_NAMES);
	return 0;
}

static int check_plain(const struct respond *r)
{
	const struct options *o = &r->common;

	if (r->uri.scheme == DGRAM_SCHEME_TCP)
		return fail_usage(o->command->name, "--plain: over TCP there are no plain datagrams");
	if (r->form == ANSWER_NAMES)
		return fail_usage(o->command->name, "--plain: plain datagrams carry no name to tell commands apart; one answer for "
				  "all: --echo, --reply TEXT or --exec CMD");
	return 0;
}

static int check_options(const struct respond *r)
{
	const struct options *o = &r->common;
	const char *name = o->command->name;

	if (r->form == ANSWER_NONE)
		return fail_usage(name, "how shall it answer? --echo, --reply TEXT or --exec CMD [ARG...]%s",
				  is_plain(r) ? "" : ", or NAME=CMD for each name");
	if (r->several)
		return fail_usage(name, "--echo, --reply, --exec%s: one of them, once", is_plain(r) ? "" : " and NAME=CMD");
	if (r->form == ANSWER_EXEC && r->exec[0] == NULL)
		return fail_usage(name, "--exec: no command follows; it comes last, with its words");
	if (r->form != ANSWER_TEXT && (o->escapes || o->hex))
		return fail_usage(name, "-e and -x are for --reply");
	if (!runs_commands(r) && r->shell)
		return fail_usage(name, "--sh is for --exec, and comes before it");
	return r->plain ? check_plain(r) : 0;
}

static int find_handler(struct respond *r, struct handler *h)
{
	enum handler_error error;

	if (r->shell) {
		char **words = handler_shell(r->exec);

		if (words == NULL)
			return fail(CODE_BUSY, "out of memory");
		free(r->exec);
		r->exec = words;
	}
	error = handler_find(h, r->exec);
	return error == HANDLER_OK ? 0 : names_missing(&r->common, "--exec", r->exec[0], error);
}

static const char *scheme_of(const struct respond *r)
{
	if (r->uri.scheme == DGRAM_SCHEME_TCP)
		return "tcp://";
	return is_plain(r) ? "udp://" : "";
}

/* Who reaches the socket may run the command. */
static int check_exposure(const struct respond *r, const struct door *door, const char *local)
{
	struct dgram_addr own;

	if (!runs_commands(r) || r->insecure_open)
		return 0;
	if (door_address(door, &own) && dgram_addr_is_loopback(&own))
		return 0;
	return fail_usage(r->common.command->name,
			  "%s is more than loopback: everyone who reaches it could run the command. Listen on "
			  "%s127.0.0.1:PORT, or use a key (dgram protocol, a later version), or say --insecure-open%s", local,
			  scheme_of(r), r->form == ANSWER_EXEC ? " before --exec" : "");
}

static int check_group(const struct respond *r, const struct door *door, const char *local)
{
	struct dgram_addr own;

	if (!door_address(door, &own) || !target_is_group(&own))
		return 0;
	return fail_usage(r->common.command->name, "%s: what is sent to a group is not answered; 'dgram listen' shows it", local);
}

/* -- start and end -- */

static size_t least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

static void configure(const struct respond *r, const struct door *door, struct responder_config *c)
{
	const struct dgram_socket *s = &door->socket;
	uint64_t carries = s->family == DGRAM_UNIX ? UNIX_DATAGRAM_MAX : UDP_DATAGRAM_MAX;
	uint64_t takes = s->family == DGRAM_UNIX ? UNIX_DATAGRAM_MAX : DGRAM_DATAGRAM_MAX;

	if (!is_plain(r))
		carries = takes = DGRAM_MESSAGE_MAX;
	c->form = r->form;
	c->plain = r->plain;
	c->low_ports = r->low_ports;
	c->insecure_open = r->insecure_open;
	c->count = r->common.count;
	c->json = r->common.json;
	c->request_max = least(r->max_request, carries);
	c->procs = (struct procs_config){
		.running_max = (uint32_t)r->max_procs,
		.queue_max = QUEUE,
		.reply_max = least(r->max_reply, takes),
		.timeout = r->exec_timeout,
		.env = r->env,
	};
}

/* 0, or the exit code where nobody reads stdout any more. */
static int announce(const struct respond *r, const struct responder_config *c, const char *local)
{
	const char *everyone = r->insecure_open ? ", for everyone who reaches it" : "";
	const char *plain = r->plain && !is_plain(r) ? ", plain datagrams too" : "";
	char list[512];

	if (r->form == ANSWER_ECHO)
		say("echoing on %s%s", local, plain);
	else if (r->form == ANSWER_TEXT)
		say("answering with %zu bytes on %s%s", c->text_len, local, plain);
	else if (r->form == ANSWER_NAMES)
		say("answering %s on %s%s", names_list(&c->names, list, sizeof list), local, everyone);
	else
		say("running %s for each request on %s%s%s", r->shell ? "a shell" : r->exec[0], local, plain, everyone);
	if (!r->common.json)
		return 0;
	json_t *event = json_event("listening");
	json_object_set_new(event, "local", json_string(local));
	return json_write(event);
}

static uint64_t refused(const struct responder_counts *n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ADMIT_COUNT; i++)
		sum += n->refused[i];
	return sum;
}

static void add_rules(json_t *event, const struct responder_counts *n)
{
	for (enum admit why = ADMIT_YES + 1; why < ADMIT_COUNT; why++)
		if (why != ADMIT_BUSY)
			json_object_set_new(event, admit_name(why), json_integer((json_int_t)n->refused[why]));
}

static void summarize(const struct respond *r, struct door *door, const struct responder_counts *n)
{
	bool plain = is_plain(r) || r->plain, messages = !is_plain(r);
	uint64_t busy = n->busy + n->refused[ADMIT_BUSY];
	const struct {
		bool applies;
		uint64_t count;
		const char *key, *what;
	} also[] = {
		{true, n->failed, "failed", "failed"},
		{true, busy, "busy", messages ? "refused as busy" : "dropped as busy"},
		{messages, n->unknown, "no_such_name", "for no such name"},
		{messages, n->stopped, "stopped", "no longer wanted"},
		{true, n->forgotten, "forgotten", messages ? "refused because we end" : "forgotten in the queue"},
		{plain, n->unsent, "unsent", "not sent"},
		{plain, refused(n) - n->refused[ADMIT_BUSY], "not_answered", "not answered by rule"},
		{messages, n->messages, "messages", "sent as messages"},
		{messages, n->passed_over, "passed_over", "passed over unread"},
		{true, door_drops(door), "kernel_dropped", "dropped by the kernel"},
	};
	char line[512]; /* twelve counts of 20 digits and their words */
	int at = snprintf(line, sizeof line, "%llu request%s, %llu answer%s", (unsigned long long)n->requests,
			  n->requests == 1 ? "" : "s", (unsigned long long)n->answers, n->answers == 1 ? "" : "s");
	json_t *event = json_event("summary");

	json_object_set_new(event, "requests", json_integer((json_int_t)n->requests));
	json_object_set_new(event, "answers", json_integer((json_int_t)n->answers));
	for (size_t i = 0; i < sizeof also / sizeof also[0]; i++) {
		if (also[i].applies)
			json_object_set_new(event, also[i].key, json_integer((json_int_t)also[i].count));
		if (also[i].count > 0)
			at += snprintf(line + at, sizeof line - (size_t)at, ", %llu %s",
				       (unsigned long long)also[i].count, also[i].what);
	}
	if (plain)
		add_rules(event, n);
	say_left_out();
	say("%s", line);
	if (r->common.json)
		json_write(event);
	else
		json_decref(event);
}

static int serve(struct respond *r, struct responder_config *c, struct door *door)
{
	char local[TARGET_TEXT_MAX + 8];
	struct responder_counts counts;
	int code;

	door_local(door, local, sizeof local);
	code = check_group(r, door, local);
	if (code == 0)
		code = check_exposure(r, door, local);
	if (code == 0)
		code = signals_catch();
	if (code != 0)
		return code;
	configure(r, door, c);
	c->trace = &r->trace;
	code = is_plain(r) ? trace_check_plain(&r->common) : trace_open(&r->trace, &r->common);
	if (code == 0)
		code = announce(r, c, local);
	if (code != 0)
		return code;
	code = is_plain(r) ? responder_run(&door->socket, c, &counts) : service_run(door, c, &counts);
	summarize(r, door, &counts);
	return code;
}

static int open_and_serve(struct respond *r, struct responder_config *c)
{
	struct door door;
	int code = door_open(&door, &r->uri, r->common.words[0], &r->common);

	if (code != 0)
		return code;
	code = serve(r, c, &door);
	door_close(&door);
	return code;
}

/* --reply TEXT is a payload as any other: -e and -x mean the same, and so do the sentences. */
static int with_text(struct respond *r, struct responder_config *c)
{
	struct payload p;
	uint64_t max = is_plain(r) ? DGRAM_DATAGRAM_MAX : least(r->max_reply, DGRAM_MESSAGE_MAX);
	int code = payload_open(&p, &r->common, &r->text, 1, max);

	if (code != 0)
		return code;
	if (payload_next(&p)) {
		c->text = p.data;
		c->text_len = p.len;
		code = open_and_serve(r, c);
	} else {
		code = p.code;
	}
	payload_close(&p);
	return code;
}

static int with_names(struct respond *r, struct responder_config *c)
{
	const struct options *o = &r->common;
	int code = names_read(&c->names, o, o->words + 1, o->word_count - 1, r->shell);

	if (code == 0)
		code = open_and_serve(r, c);
	names_free(&c->names);
	return code;
}

static int checked(struct respond *r)
{
	struct responder_config c = {0};
	int code = check_words(r);

	if (code == 0)
		code = check_options(r);
	if (code == 0 && r->form == ANSWER_EXEC)
		code = find_handler(r, &c.handler);
	if (code != 0)
		return code;
	if (r->form == ANSWER_NAMES)
		return with_names(r, &c);
	return r->form == ANSWER_TEXT ? with_text(r, &c) : open_and_serve(r, &c);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct respond r = {
		.max_procs = PROCS_DEFAULT,
		.exec_timeout = 10 * DGRAM_S,
		.max_request = MESSAGE_DEFAULT,
		.max_reply = MESSAGE_DEFAULT,
	};
	int code;

	handler_env_init(&r.env);
	code = options_parse(self, argc, argv, &r.common);
	if (code == OPTIONS_GO_ON)
		code = checked(&r);
	free(r.exec);
	return code;
}

const struct command respond_command = {
	.name = "respond",
	.group = "answer",
	.synopsis = "EP --echo | --reply TEXT | NAME=CMD... | --exec CMD [ARG...]",
	.summary = "answer what arrives",
	.about = "A request is on the command's stdin, all of it before the command starts; what it prints is the answer, its "
		 "stderr goes to the log.\n"
		 "On [ADDR]:PORT, the dgram protocol, a request runs once at most. With NAME=CMD each name has its "
		 "command: one string, split into words as a shell would, with no expansion. Another exit than 0 is a "
		 "failure answer that carries it, with what was printed; more requests than can wait are told to try "
		 "later; a command that nobody waits for any more is ended.\n"
		 "On tcp://[ADDR]:PORT it is the same over connections, where UDP does not get through.\n"
		 "On udp:// and unix:// each datagram that arrives is one run. It has no id, so a request that is sent "
		 "again runs again: let the command be one that may. A command that fails, takes too long or prints too "
		 "much sends nothing; who asked hears silence. With --plain a port of the dgram protocol answers both.\n"
		 "The command is started without a shell (unless --sh), with no argument from the request, and with "
		 "PATH, HOME, USER, LANG, LC_*, TZ, DGRAM_PEER, DGRAM_NAME, DGRAM_ID, DGRAM_KEY_ID and "
		 "DGRAM_DEADLINE_MS as its "
		 "environment. Whatever it leaves running ends with it.\n"
		 "Of plain datagrams not answered are those from source ports below 1024, those sent to a group, and, "
		 "beyond loopback, more than 100 requests a second of one address and answers of more than 3 times "
		 "their request.",
	.examples = "  dgram respond 127.0.0.1:24726 time='date +%s' load='cat /proc/loadavg'\n"
		    "  dgram respond 127.0.0.1:7400 --reply pong -n 1\n"
		    "  dgram respond udp://127.0.0.1:7400 --echo\n"
		    "  dgram respond 127.0.0.1:7400 --plain --echo\n"
		    "  dgram respond unix:///tmp/load.sock --exec cat /proc/loadavg\n"
		    "  dgram respond udp://127.0.0.1:7400 --sh --exec 'tr a-z A-Z | rev'\n",
	.messages = true,
	.argp = &argp,
	.run = run,
};
