/* send.c - one message, or one per line; done when the peer has it, or the kernel where an endpoint is
 * plain. */
#define _GNU_SOURCE
#include "common/exchange.h"
#include "common/json.h"
#include "common/options.h"
#include "common/pace.h"
#include "common/payload.h"
#include "common/target.h"
#include "common/trace.h"
#include <dgram/ask.h>
#include <errno.h>
#include <string.h>

#define REPLY_MAX        4096       /* bytes; there are none */

/* clang-format off */
static const struct argp_child children[] = {
	OPTIONS_OUT, OPTIONS_TIMING, OPTIONS_PAYLOAD, OPTIONS_BIND, OPTIONS_COUNT, OPTIONS_PROTOCOL, OPTIONS_JSON,
	OPTIONS_EXPLAIN, OPTIONS_TRACE, OPTIONS_GENERAL, {0},
};
/* clang-format on */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)key, (void)arg, (void)state;
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {NULL, parse, NULL, NULL, children, NULL, NULL};

/* Who writes these believes that something is confirmed. */
static int check_plain(const struct options *o)
{
	if (o->explain)
		return fail_usage("send", "--explain: a plain endpoint confirms nothing, so there is nothing to tell");
	if (o->timeout == 0 && !o->limit_retries && !o->retry_refused)
		return 0;
	return fail_usage("send",
	                  "%s: a plain endpoint confirms nothing, so there is nothing to wait for "
	                  "and no reason to send again; to be sure, ask: dgram request",
	                  o->timeout != 0 ? "-t" : o->limit_retries ? "-r" : "--retry-refused");
}

static int tell_failure(const struct target *t, const struct payload *p, int error, int errno_value)
{
	switch (error) {
	case DGRAM_ERR_SIZE:
		return fail_line(p->line, CODE_SIZE,
		                 "%s: %zu bytes are too large for one datagram; nothing was sent",
		                 t->text, p->len);
	case DGRAM_ERR_TIMEOUT:
		return fail_line(p->line, CODE_BUSY, "%s: its queue stays full; nothing was sent",
		                 t->text);
	case DGRAM_ERR_SYSTEM:
		return fail_line(p->line, exit_of(error), "%s: %s", t->text, strerror(errno_value));
	default:
		return fail_line(p->line, exit_of(error), "%s: %s", t->text,
		                 target_strerror(t, error));
	}
}

/* To the first address that the kernel takes it for. */
static int send_one(struct dgram_socket *s, const struct target *t, const struct payload *p,
                    bool json)
{
	int error = DGRAM_ERR_UNREACHABLE;
	size_t i = 0;
	for (; i < t->count; i++) {
		error = dgram_socket_sendto(s, p->data, p->len, &t->addrs[i]);
		if (error == 0)
			break;
	}
	if (error < 0)
		return tell_failure(t, p, error, errno);
	if (!json)
		return 0;
	json_t *event = json_event("sent");
	json_add_addr(event, "to", &t->addrs[i]);
	json_object_set_new(event, "len", json_integer((json_int_t)p->len));
	if (p->line > 0)
		json_object_set_new(event, "line", json_integer((json_int_t)p->line));
	return json_write(event);
}

static int send_all(struct dgram_socket *s, const struct target *t, struct payload *p,
                    const struct options *o)
{
	uint64_t sent = 0;
	int first = 0;
	while (payload_next(p)) {
		int code = send_one(s, t, p, o->json);
		if (output_gone() != 0)
			return output_gone();
		if (first == 0)
			first = code;
		if (++sent == o->count)
			break;
	}
	say_verbose("%s: the kernel took %llu message%s", t->text, (unsigned long long)sent,
	            sent == 1 ? "" : "s");
	return first != 0 ? first : p->code;
}

static int open_and_send(struct target *t, struct payload *p, const struct options *o)
{
	struct dgram_socket s;
	int code = target_resolve(t, o);
	if (code == 0)
		code = target_socket(&s, t, o);
	if (code != 0)
		return code;
	const struct pace pace = pace_of(o, t);
	dgram_socket_settimeout(&s, pace_allowance(&pace, o));
	code = send_all(&s, t, p, o);
	target_close(&s);
	return code;
}

static int send_plain(struct target *target, const struct options *o)
{
	struct payload payload;
	struct output output;
	int code = check_plain(o);
	output_open(&output, o->print);
	if (code == 0)
		code = trace_check_plain(o);
	if (code == 0)
		code = payload_open(&payload, o, o->words + 1, o->word_count - 1, o->max_request);
	if (code != 0)
		return code;
	code = open_and_send(target, &payload, o);
	payload_close(&payload);
	return code;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {.max_request = OUT_MAX_DEFAULT};
	struct target target;
	int code = options_parse(self, argc, argv, &o);
	if (code != OPTIONS_GO_ON)
		return code;
	if (o.word_count == 0)
		return fail_usage(
		        self->name,
		        "an endpoint is missing: HOST:PORT[/NAME], tcp://HOST:PORT[/NAME], "
		        "udp://HOST:PORT or unix://PATH");
	code = target_parse(&target, o.words[0], &o);
	if (code != 0)
		return code;
	const struct exchange x = {
	        .options = &o,
	        .kind = DGRAM_SEND,
	        .request_max = o.max_request < DGRAM_MESSAGE_MAX ? o.max_request : DGRAM_MESSAGE_MAX,
	        .reply_max = REPLY_MAX,
	};
	return target_is_plain(&target.uri) ? send_plain(&target, &o) : exchange_run(&x, &target);
}

const struct command send_command = {
        .name = "send",
        .group = "talk",
        .synopsis = "EP [TEXT]",
        .summary = "send one message, or one per line",
        .about = "Sends TEXT (or stdin, or -f FILE). To HOST:PORT[/NAME] and "
                 "tcp://HOST:PORT[/NAME], the dgram protocol, exit "
                 "0 says that the peer has it, once and whole; 28: it certainly does not; 52: "
                 "nobody knows. To udp://HOST:PORT and unix://PATH it is one datagram, and exit 0 "
                 "says that the kernel took it, no more: nobody confirms a plain datagram.\n\n"
                 "Inside `while read` a send without TEXT takes the loop's stdin: give it TEXT, or "
                 "</dev/null.",
        .examples = "  dgram send 127.0.0.1:7400/topic hello\n"
                    "  dgram send udp://127.0.0.1:8125 'deploys:1|c'\n"
                    "  uptime | dgram send udp://10.0.0.5:9999\n"
                    "  dgram send -x udp://255.255.255.255:9 'ff ff ff ff ff ff'\n"
                    "  tail -f log | dgram send --lines unix:///run/log.sock\n",
        .messages = true,
        .argp = &argp,
        .run = run,
};
