/* request.c - ask, retry, print the answer.
 *
 * On the dgram protocol that is an exchange. A plain question is dgram_ask() with the words around it:
 * one socket carries all its tries, so that a late answer to the first one counts; the next question
 * (--lines) gets a new one, because a plain answer is known by nothing but where it comes from.
 */
#include "common/exchange.h"
#include "common/json.h"
#include "common/options.h"
#include "common/payload.h"
#include "common/target.h"
#include "common/trace.h"
#include "common/values.h"
#include <dgram/ask.h>
#include <stdlib.h>
#include <string.h>

#define UDP_ANSWER_MAX  65536 /* bytes; no UDP datagram is longer */
#define UDP4_MAX        65507 /* bytes: what one carries over IPv4 */
#define UDP6_MAX        65527
#define SEEN_MAX        256 /* answers of a group that are remembered, to know their repetitions */

_Static_assert(DGRAM_RESOLVE_MAX <= DGRAM_ASK_ADDRS_MAX, "every address of a name can be asked");

struct request {
	struct options common;
	bool all, fallback;
	uint64_t replies;
	uint64_t wait; /* ns; 0: not given */
	uint64_t max_reply;
};

enum {
	OPT_REPLIES = OPT_OWN,
	OPT_WAIT,
	OPT_MAX_REPLY,
	OPT_FALLBACK,
};

/* clang-format off */
static const struct argp_option table[] = {
	{"fallback", OPT_FALLBACK, "tcp", 0, "over TCP, where no session comes up over UDP", 0},
	{"replies", OPT_REPLIES, "N|all", 0, "collect N answers, or all that come in --wait", 0},
	{"wait", OPT_WAIT, "DUR", OPTION_IN_HELP_ONLY, "how long to collect (default 1 s)", 0},
	{"max-reply", OPT_MAX_REPLY, "SIZE", OPTION_IN_HELP_ONLY, "a longer answer is malformed: exit 8 (default 4MiB)", 0},
	{0},
};
/* clang-format on */

static int parse_replies(struct request *r, const char *arg)
{
	if (strcmp(arg, "all") == 0) {
		r->all = true;
		return 0;
	}
	const char *wrong = values_count(arg, UINT32_MAX, &r->replies);
	if (wrong == NULL && r->replies == 0)
		wrong = "too few: 1 or more, or all";
	return options_check("--replies", arg, wrong);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;
	switch (key) {
	case OPT_FALLBACK:
		r->fallback = true;
		return strcmp(arg, "tcp") == 0 ? 0 : options_refuse("--fallback", arg, "not tcp, and there is nothing else");
	case OPT_REPLIES:
		return parse_replies(r, arg);
	case OPT_WAIT:
		return options_check("--wait", arg, values_duration(arg, &r->wait));
	case OPT_MAX_REPLY:
		return options_check("--max-reply", arg, values_size(arg, &r->max_reply));
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* clang-format off */
static const struct argp_child children[] = {
	OPTIONS_OUT, OPTIONS_TIMING, OPTIONS_PAYLOAD, OPTIONS_PRINT, OPTIONS_BIND,
	OPTIONS_COUNT,	OPTIONS_PROTOCOL, OPTIONS_EXPLAIN, OPTIONS_TRACE,  OPTIONS_GENERAL,
	{0},
};
/* clang-format on */
static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};

/* One run: what stays the same from question to question. */
struct asking {
	const struct request *r;
	struct target target;
	struct payload payload;
	struct output output;
	struct trace trace;
	struct dgram_socket socket; /* of the question at hand */
	uint64_t start;             /* of the question at hand, name resolution included */
	bool any_source;            /* an answer may come from an address that was not asked */
	uint8_t *answer;
	size_t answer_size;
	struct dgram_ask_report report;
	uint64_t seen[SEEN_MAX]; /* hashes of the answers of a group */
	size_t seen_count;
};

/* ---- telling what happened ---- */

static void explain(const struct asking *a, int outcome)
{
	char span[32], who[DGRAM_ADDR_TEXT_MAX];
	uint32_t kept = a->report.event_count < DGRAM_ASK_EVENTS_MAX ? a->report.event_count
	                                                             : DGRAM_ASK_EVENTS_MAX;
	unsigned tries = 0;
	for (uint32_t i = 0; i < kept; i++) {
		const struct dgram_ask_event *e = &a->report.events[i];
		dgram_addr_display(&a->target.addrs[e->to], who, sizeof(who));
		target_span(e->at, span, sizeof(span));
		if (e->error == 0)
			say("%9s  try %u to %s", span, ++tries, who);
		else
			say("%9s  %s: %s", span, who, dgram_strerror(e->error));
	}
	if (a->report.event_count > kept)
		say("%9s  %u more", "", a->report.event_count - kept);
	target_span(a->report.elapsed, span, sizeof(span));
	if (outcome >= 0)
		say("%9s  answer from %s, %d byte%s", span,
		    dgram_addr_display(&a->report.from, who, sizeof(who)), outcome,
		    plural((unsigned)outcome));
	else
		say("%9s  end: %s", span, dgram_strerror(outcome));
}

/* How long it took; with -T no longer than was allowed, for the deadline is always met a little
 * late. */
static uint64_t time_given(const struct asking *a)
{
	uint64_t elapsed = dgram_clock() - a->start;
	uint64_t deadline = a->r->common.deadline;
	return deadline != 0 && elapsed > deadline ? deadline : elapsed;
}

static int tell_failure(const struct asking *a, int error)
{
	const struct dgram_ask_report *report = &a->report;
	const char *to = a->target.text;
	unsigned long long line = a->payload.line;
	char span[32];
	int code = exit_of(error);
	switch (error) {
	case DGRAM_ERR_TIMEOUT:
		target_span(time_given(a), span, sizeof(span));
		return fail_line(line, code, "%s: no answer in %s (%u %s)", to, span, report->tries,
		                 report->tries == 1 ? "try" : "tries");
	case DGRAM_ERR_UNKNOWN:
		return fail_line(line, code,
		                 "%s: refused, but an earlier try (of %u) was not: it may have run",
		                 to, report->tries);
	case DGRAM_ERR_SIZE:
		return fail_line(line, code,
		                 "%s: %zu bytes are too large for one datagram; nothing was sent",
		                 to, a->payload.len);
	case DGRAM_ERR_TRUNCATED:
		return fail_line(line, code,
		                 "%s: the answer is longer than --max-reply (%zu bytes)", to,
		                 a->answer_size);
	case DGRAM_ERR_SYSTEM:
		return fail_line(line, code, "%s: %s", to,
		                 strerror(report->last_error.errno_value));
	default:
		return fail_line(line, code, "%s: %s", to, target_strerror(&a->target, error));
	}
}

static int print_answer(struct asking *a, const struct dgram_addr *from, size_t len, bool newline)
{
	const struct options *o = &a->r->common;
	char who[DGRAM_ADDR_TEXT_MAX], span[32];
	say_verbose("%s answered: %zu byte%s, %u %s, %s", dgram_addr_display(from, who, sizeof(who)),
	            len, plural(len), a->report.tries, a->report.tries == 1 ? "try" : "tries",
	            target_span(a->report.elapsed, span, sizeof(span)));
	if (!o->json)
		return output_message(&a->output, a->answer, len, newline);
	json_t *event = json_event("reply");
	json_add_addr(event, "from", from);
	json_add_payload(event, a->answer, len);
	json_object_set_new(event, "tries", json_integer(a->report.tries));
	json_object_set_new(event, "rtt_us", json_integer((json_int_t)(a->report.rtt / DGRAM_US)));
	if (a->payload.line > 0)
		json_object_set_new(event, "line", json_integer((json_int_t)a->payload.line));
	return json_write(event);
}

/* ---- several answers ---- */

/* FNV-1a of who and what: a repetition is the same bytes from the same address. */
static uint64_t fingerprint(const struct asking *a, const struct dgram_addr *from, size_t len)
{
	static const uint8_t key[16];
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ dgram_addr_hash(from, key);
	for (size_t i = 0; i < len; i++)
		h = (h ^ a->answer[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* A question that was sent again draws the same answer twice; one that was sent once does not. */
static bool is_repetition(struct asking *a, const struct dgram_addr *from, size_t len)
{
	uint64_t h = fingerprint(a, from, len);
	for (size_t i = 0; i < a->seen_count; i++)
		if (a->seen[i] == h)
			return a->report.tries > 1;
	if (a->seen_count < SEEN_MAX)
		a->seen[a->seen_count++] = h;
	return false;
}

static bool is_wanted_source(const struct asking *a, const struct dgram_addr *from)
{
	if (a->any_source)
		return true;
	for (size_t i = 0; i < a->target.count; i++)
		if (dgram_addr_equal(&a->target.addrs[i], from))
			return true;
	return false;
}

/* The length of the next answer before end; negative when none came. */
static int next_answer(struct asking *a, uint64_t end, struct dgram_addr *from)
{
	for (;;) {
		uint64_t now = dgram_clock();
		if (now >= end)
			return DGRAM_ERR_TIMEOUT; /* however many are there still */
		dgram_socket_settimeout(&a->socket, end - now);
		int n = dgram_socket_recvfrom(&a->socket, a->answer, a->answer_size, from);
		if (n == DGRAM_ERR_TRUNCATED)
			say_warning("%s: an answer was longer than --max-reply", a->target.text);
		else if (n < 0 || (is_wanted_source(a, from) && !is_repetition(a, from, (size_t)n)))
			return n;
	}
}

/* The first answer is there, in a->answer; prints it and those that come until end. */
static int collect(struct asking *a, int n, uint64_t wanted, uint64_t end)
{
	struct dgram_addr from = a->report.from;
	uint64_t answered = dgram_clock(), rtt = a->report.rtt, got = 0;
	is_repetition(a, &from, (size_t)n);
	while (n >= 0) {
		int code = print_answer(a, &from, (size_t)n, true);
		if (code != 0 || ++got == wanted)
			return code;
		n = next_answer(a, end, &from);
		a->report.rtt = rtt + dgram_clock() - answered;
	}
	if (a->r->all)
		return 0;
	return fail_line(a->payload.line, CODE_PARTIAL, "%s: %llu of %llu answers", a->target.text,
	                 (unsigned long long)got, (unsigned long long)wanted);
}

/* ---- one question ---- */

static struct dgram_ask_options ask_options(const struct asking *a, bool collecting)
{
	const struct options *o = &a->r->common;
	struct dgram_ask_options opt = {
	        .timeout = o->timeout,
	        .backoff_milli = o->backoff_milli,
	        .retries = o->retries,
	        .limit_retries = o->limit_retries,
	        .retry_refused = o->retry_refused,
	        .any_source = a->any_source,
	};
	uint64_t wait = a->r->wait != 0 ? a->r->wait : DGRAM_S;
	uint64_t spent = dgram_clock() - a->start;
	if (o->deadline != 0)
		opt.deadline = spent < o->deadline ? o->deadline - spent : 1;
	if (collecting && (opt.deadline == 0 || wait < opt.deadline))
		opt.deadline = wait;
	return opt;
}

static int ask(struct asking *a)
{
	const struct request *r = a->r;
	bool collecting = r->all || r->replies > 1 || r->wait != 0;
	struct dgram_ask_options opt = ask_options(a, collecting);
	uint64_t end = dgram_clock() + opt.deadline;

	struct dgram_question q = {
	        .to = a->target.addrs,
	        .to_count = a->target.count,
	        .data = a->payload.data,
	        .len = a->payload.len,
	        .answer = a->answer,
	        .size = a->answer_size,
	};
	int n = dgram_ask(&a->socket, &q, &opt, &a->report);
	trace_question(&a->trace, &q, &a->report, n);
	if (r->common.explain)
		explain(a, n);
	if (n < 0)
		return tell_failure(a, n);
	if (collecting)
		return collect(a, n, r->all ? UINT64_MAX : r->replies, end);
	return print_answer(a, &a->report.from, (size_t)n, a->payload.line > 0);
}

static int question(struct asking *a)
{
	const struct options *o = &a->r->common;
	int code = 0;
	a->start = dgram_clock();
	a->seen_count = 0;
	if (a->target.count == 0) {
		code = target_resolve(&a->target, o);
		/* a UNIX peer answers from its path as it bound it, which may be a relative one */
		a->any_source = code == 0 && (a->target.uri.scheme == DGRAM_SCHEME_UNIX ||
		                              target_is_group(&a->target.addrs[0]));
	}
	if (code == 0)
		code = target_socket(&a->socket, &a->target, o);
	if (code != 0)
		return code;
	code = ask(a);
	target_close(&a->socket);
	return code;
}

/* Whether the next line would end the same way: nothing more is tried. */
static bool is_final(int code)
{
	return code == CODE_USAGE || code == CODE_BIND;
}

static int all_questions(struct asking *a)
{
	uint64_t asked = 0;
	int first = 0;
	while (payload_next(&a->payload)) {
		int code = question(a);
		if (output_gone() != 0)
			return output_gone();
		if (first == 0)
			first = code;
		if (is_final(code))
			return code;
		if (++asked == a->r->common.count)
			break;
	}
	return first != 0 ? first : a->payload.code;
}

static int prepare(struct asking *a)
{
	const struct request *r = a->r;
	const struct options *o = &r->common;
	output_open(&a->output, o->print);
	int code = trace_open(&a->trace, o);
	if (code != 0)
		return code;
	bool udp = a->target.uri.scheme == DGRAM_SCHEME_UDP;
	a->answer_size = udp && r->max_reply > UDP_ANSWER_MAX ? UDP_ANSWER_MAX : r->max_reply;
	a->answer = malloc(a->answer_size + 1);
	if (a->answer == NULL)
		return fail(CODE_BUSY, "out of memory");
	size_t carried = strchr(a->target.uri.host, ':') != NULL ? UDP6_MAX : UDP4_MAX;
	size_t max = udp && o->max_request > carried ? carried : o->max_request;
	return payload_open(&a->payload, o, o->words + 1, o->word_count - 1, max);
}

static int ask_plain(struct asking *a)
{
	int code = prepare(a);
	if (code == 0)
		code = all_questions(a);
	payload_close(&a->payload);
	trace_close(&a->trace);
	free(a->answer);
	return code;
}

/* ---- on the dgram protocol ---- */

static uint64_t at_most(uint64_t size, uint64_t max)
{
	return size < max ? size : max;
}

static int ask_peer(const struct request *r, struct target *target)
{
	const struct exchange x = {
	        .options = &r->common,
	        .kind = DGRAM_REQUEST,
	        .fallback = r->fallback,
	        .request_max = at_most(r->common.max_request, DGRAM_MESSAGE_MAX),
	        .reply_max = at_most(r->max_reply, DGRAM_MESSAGE_MAX),
	};
	if (r->all || r->replies > 1 || r->wait != 0)
		return fail_usage("request",
		                  "--replies and --wait are for a group, and %s is one peer, who "
		                  "answers once",
		                  target->text);
	return exchange_run(&x, target);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct request r = {.common.max_request = OUT_MAX_DEFAULT, .replies = 1, .max_reply = OUT_MAX_DEFAULT};
	int code = options_parse(self, argc, argv, &r.common);
	if (code != OPTIONS_GO_ON)
		return code;
	if (r.common.word_count == 0)
		return fail_usage(
		        self->name,
		        "an endpoint is missing: HOST:PORT[/NAME], tcp://HOST:PORT[/NAME], "
		        "udp://HOST:PORT or unix://PATH");
	struct asking a = {.r = &r, .payload.fd = -1, .trace.fd = -1};
	code = target_parse(&a.target, r.common.words[0], &r.common);
	if (code != 0)
		return code;
	if (r.fallback && a.target.uri.scheme != DGRAM_SCHEME_DGRAM)
		return fail_usage(self->name,
		                  "--fallback: %s is asked in one way; HOST:PORT can be asked over UDP "
		                  "and over TCP",
		                  r.common.words[0]);
	return target_is_plain(&a.target.uri) ? ask_plain(&a) : ask_peer(&r, &a.target);
}

const struct command request_command = {
        .name = "request",
        .group = "talk",
        .synopsis = "EP [TEXT]",
        .summary = "ask, retry, print the answer",
        .about = "Sends TEXT (or stdin, or -f FILE) and prints the answer. EP is HOST:PORT[/NAME], "
                 "the dgram protocol (port 24726 may be left out), tcp://HOST:PORT[/NAME], the "
                 "same over TCP, "
                 "udp://HOST:PORT or unix://PATH.\n\n"
                 "On the dgram protocol a request runs once at most, however often its datagrams "
                 "are lost or doubled; NAME is what is asked for. Exit 28 and 75: it certainly "
                 "did not run; 52: it may have run; 1: it ran and failed, or there is no such "
                 "NAME. A handler's output is printed even if it failed. With --lines many are "
                 "under "
                 "way at once, in one session. -t and --backoff bound "
                 "the time together with -r; when to send again the session knows best.\n\n"
                 "A plain datagram is sent again while nothing comes. It carries no number: a "
                 "request that is sent again may run twice; with -r 0 it is sent once.\n\n"
                 "To a multicast or broadcast address the first answer from anywhere counts; "
                 "--replies N or all collects "
                 "more.\n\n"
                 "Inside `while read` a request without TEXT takes the loop's stdin: give it TEXT, "
                 "or </dev/null.",
        .examples = "  dgram request 127.0.0.1/time\n"
                    "  date | dgram request -T 2s host:7400\n"
                    "  dgram request -r 0 -t 300ms udp://[::1]:7400 once\n"
                    "  dgram request --lines -f questions udp://host:7400\n",
        .messages = true,
        .argp = &argp,
        .run = run,
};
