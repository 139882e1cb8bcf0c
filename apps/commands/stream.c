/* stream.c - a byte stream over TCP or a UNIX socket: the socket tutorial's two programs. */
#define _GNU_SOURCE
#include "common/json.h"
#include "common/options.h"
#include "common/pump.h"
#include "common/signals.h"
#include "common/target.h"
#include "common/wait.h"
#include <dgram/ask.h>
#include <dgram/stream.h>
#include <errno.h>
#include <string.h>

#define REFUSED_PAUSE (50 * DGRAM_MS) /* until a refusing address is tried again */

struct stream {
	struct options common; /* first: options.h looks for it here */
	bool keep;
	bool retry_refused;

	struct target target;
	struct pump pump;
	uint64_t connections, broken, sent, received; /* of listen */
};

enum {
	OPT_KEEP = OPT_OWN,
};

static const struct argp_option table[] = {
        {"lines", OPT_LINES, NULL, 0,
         "each line of the input is one send, without its newline; each chunk received one line",
         0},
        {"null", '0', NULL, 0, "the same, but parts of the input end with a NUL", 0},
        {"keep", OPT_KEEP, NULL, 0, "listen: take the next connection when one has ended", 0},
        {"retry-refused", OPT_RETRY_REFUSED, NULL, 0,
         "connect: keep asking a refusing address until the deadline", 0},
        {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stream *s = state->input;
	(void)arg;
	switch (key) {
	case OPT_LINES:
		s->common.lines = true;
		return 0;
	case '0':
		s->common.nul = true;
		return 0;
	case OPT_KEEP:
		s->keep = true;
		return 0;
	case OPT_RETRY_REFUSED:
		s->retry_refused = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
        OPTIONS_DEADLINE, OPTIONS_BIND, OPTIONS_PRINT, OPTIONS_PROTOCOL, OPTIONS_GENERAL, {0},
};
static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};

/* -- what both say -- */

static int tell_json(const char *ev, const char *key, const char *text)
{
	json_t *event = json_event(ev);
	json_object_set_new(event, key, json_string(text));
	return json_write(event);
}

/* With a terminal on stdin somebody waits to type. */
static int tell_connected(const struct stream *s, const char *peer)
{
	if (s->pump.terminal)
		say("connected: %s", peer);
	else
		say_verbose("connected: %s", peer);
	if (!s->common.json)
		return 0;
	json_t *event = json_event("peer");
	json_object_set_new(event, "addr", json_string(peer));
	json_object_set_new(event, "state", json_string("connected"));
	return json_write(event);
}

static int serve(struct stream *s, struct dgram_stream *connection, const struct dgram_addr *peer)
{
	char text[DGRAM_ADDR_TEXT_MAX];
	int code = tell_connected(s, dgram_addr_display(peer, text, sizeof(text)));
	if (code == 0)
		code = pump_run(&s->pump, connection, peer);
	dgram_stream_close(connection);
	s->sent += s->pump.sent;
	s->received += s->pump.received;
	say_verbose("%s: ended, %llu byte%s received, %llu sent", text,
	            (unsigned long long)s->pump.received, plural(s->pump.received), (unsigned long long)s->pump.sent);
	return code;
}

/* -- connect -- */

static uint64_t deadline_of(const struct stream *s)
{
	if (s->common.deadline != 0)
		return s->common.deadline;
	for (size_t i = 0; i < s->target.count; i++)
		if (dgram_profile_of(&s->target.addrs[i]) == DGRAM_PROFILE_WAN)
			return 30 * DGRAM_S;
	return 5 * DGRAM_S;
}

static bool is_refusal(int error)
{
	return error == DGRAM_ERR_REFUSED || error == DGRAM_ERR_UNREACHABLE;
}

/* Whether -b lets us talk to this address; without an ADDR it is about the port alone. */
static bool suits(struct dgram_addr *local, const struct dgram_addr *peer)
{
	if (dgram_addr_is_any(local))
		local->family = peer->family;
	return local->family == DGRAM_FAMILY_NONE || local->family == peer->family;
}

/* Every address in turn, each with its share of the time that is left. 0, or the error that says
 * most: silence at one address is no refusal at all of them. */
static int try_addresses(struct stream *s, struct dgram_stream *out,
                         struct dgram_stream_options *opt, uint64_t end, struct dgram_addr *peer)
{
	int result = 0;
	for (size_t i = 0; i < s->target.count; i++) {
		char text[DGRAM_ADDR_TEXT_MAX];
		uint64_t now = dgram_clock();
		if (now >= end)
			return DGRAM_ERR_TIMEOUT;
		*peer = s->target.addrs[i];
		if (!suits(&opt->local, peer))
			continue;
		opt->timeout = (end - now) / (s->target.count - i) + 1;
		int error = dgram_stream_connect(out, peer, opt);
		if (error == 0)
			return 0;
		say_verbose("%s: %s", dgram_addr_display(peer, text, sizeof(text)),
		            dgram_strerror(error));
		if (result == 0 || is_refusal(result))
			result = error;
	}
	return result != 0 ? result : DGRAM_ERR_UNSUPPORTED;
}

static int connect_until(struct stream *s, struct dgram_stream *out,
                         struct dgram_stream_options *opt, uint64_t end, struct dgram_addr *peer)
{
	int refusal = 0;
	for (;;) {
		int error = try_addresses(s, out, opt, end, peer);
		if (error == DGRAM_ERR_TIMEOUT && refusal != 0)
			return refusal; /* the deadline cut the last try short; the others were answered */
		if (error == 0 || !s->retry_refused || !is_refusal(error))
			return error;
		if (dgram_clock() + REFUSED_PAUSE >= end)
			return error;
		refusal = error;
		wait_until(NULL, 0, dgram_clock() + REFUSED_PAUSE);
	}
}

static int connect_failed(const struct stream *s, int error, int errno_value, uint64_t deadline)
{
	const char *text = s->target.text;
	char span[32];
	switch (error) {
	case DGRAM_ERR_TIMEOUT:
		return fail(CODE_TIMEOUT, "%s: no connection in %s", text,
		            target_span(deadline, span, sizeof(span)));
	case DGRAM_ERR_REFUSED:
		return fail(CODE_REFUSED, "%s: %s", text, target_strerror(&s->target, error));
	case DGRAM_ERR_IN_USE:
	case DGRAM_ERR_NOT_LOCAL:
	case DGRAM_ERR_INTERFACE:
		return target_bind_failed(s->common.bind != NULL ? s->common.bind
		                                                 : s->common.interface,
		                          error, errno_value);
	case DGRAM_ERR_SYSTEM:
		return fail(CODE_REFUSED, "%s: cannot connect: %s", text, strerror(errno_value));
	default:
		return fail(exit_of(error), "%s: cannot connect: %s", text, dgram_strerror(error));
	}
}

static int run_connect(struct stream *s)
{
	struct dgram_stream_options opt = {.interface = s->common.interface};
	struct dgram_stream connection;
	struct dgram_addr peer;
	uint64_t start = dgram_clock(), deadline;
	int code =
	        target_parse_stream(&s->target, s->common.words[1], DGRAM_URI_TARGET, &s->common);
	if (code == 0)
		code = target_resolve(&s->target, &s->common);
	if (code == 0 && s->common.bind != NULL)
		code = target_bind_address(&opt.local, &s->target, &s->common);
	if (code != 0)
		return code;
	if (s->common.deadline == 0) /* the destination's counts from here */
		start = dgram_clock();
	deadline = deadline_of(s);
	int error = connect_until(s, &connection, &opt, start + deadline, &peer);
	return error == 0 ? serve(s, &connection, &peer)
	                  : connect_failed(s, error, errno, deadline);
}

/* -- listen -- */

/* 1: somebody waits to be accepted; 0: it is over. */
static int wait_for_peer(const struct dgram_stream *listener, uint64_t end)
{
	struct pollfd fds[2] = {{.fd = listener->fd, .events = POLLIN},
	                        {.fd = signals_fd(), .events = POLLIN}};
	if (dgram_clock() >= end)
		return 0;
	wait_until(fds, 2, end);
	return signals_caught() == 0;
}

/* The next connection: 0, DGRAM_ERR_TIMEOUT when the time is over or a signal came, or why there
 * can be none. */
static int next_peer(struct dgram_stream *listener, struct dgram_stream *out,
                     struct dgram_addr *peer, uint64_t end)
{
	while (wait_for_peer(listener, end)) {
		int error = dgram_stream_accept(listener, out, peer);
		if (error == DGRAM_ERR_FULL)
			say_warning("a connection was turned away: no descriptor is free");
		else if (error != DGRAM_ERR_AGAIN)
			return error;
	}
	return DGRAM_ERR_TIMEOUT;
}

static int no_peer(const struct stream *s, int error)
{
	char span[32];
	if (error != DGRAM_ERR_TIMEOUT)
		return fail(CODE_BROKEN, "cannot accept: %s", dgram_strerror(error));
	if (signals_caught() != 0)
		return 0;
	return fail(CODE_TIMEOUT, "nobody connected in %s",
	            target_span(s->common.deadline, span, sizeof(span)));
}

/* The others would wait in vain. What is then at the path is a successor's. */
static void stop_listening(struct dgram_stream *listener)
{
	signals_remove_first(NULL, false);
	dgram_stream_close(listener);
}

/* One connection, or with --keep one after the other. A connection that breaks is told and ends
 * only itself. */
static int take_connections(struct stream *s, struct dgram_stream *listener)
{
	uint64_t end = s->common.deadline != 0 ? dgram_clock() + s->common.deadline : DGRAM_NEVER;
	int code = 0;
	do {
		struct dgram_stream connection;
		struct dgram_addr peer;
		int error = next_peer(listener, &connection, &peer, end);
		if (error != 0)
			return no_peer(s, error);
		if (!s->keep)
			stop_listening(listener);
		s->connections++;
		end = DGRAM_NEVER;
		code = serve(s, &connection, &peer);
		s->broken += code == CODE_BROKEN;
	} while (s->keep && signals_caught() == 0 && (code == 0 || code == CODE_BROKEN));
	return s->keep && code == CODE_BROKEN ? 0 : code;
}

static int summarize(const struct stream *s)
{
	say_left_out();
	say("%llu connection%s, %llu broke; %llu byte%s received, %llu sent",
	    (unsigned long long)s->connections, plural(s->connections),
	    (unsigned long long)s->broken, (unsigned long long)s->received, plural(s->received),
	    (unsigned long long)s->sent);
	if (!s->common.json)
		return 0;
	json_t *event = json_event("summary");
	json_object_set_new(event, "connections", json_integer((json_int_t)s->connections));
	json_object_set_new(event, "broken", json_integer((json_int_t)s->broken));
	json_object_set_new(event, "received", json_integer((json_int_t)s->received));
	json_object_set_new(event, "sent", json_integer((json_int_t)s->sent));
	return json_write(event);
}

static int tell_listening(const struct stream *s, const struct dgram_stream *listener)
{
	struct dgram_addr local;
	char text[TARGET_TEXT_MAX], endpoint[TARGET_TEXT_MAX + 8];
	if (dgram_stream_getsockname(listener, &local) < 0)
		return fail(CODE_BIND, "%s: where it listens is not known", s->common.words[1]);
	dgram_addr_display(&local, text, sizeof(text));
	snprintf(endpoint, sizeof(endpoint), "%s%s", local.family == DGRAM_UNIX ? "" : "tcp://",
	         text);
	say("listening on %s", endpoint);
	return s->common.json ? tell_json("listening", "local", endpoint) : 0;
}

static int open_listener(struct stream *s, struct dgram_stream *listener)
{
	const char *text = s->common.words[1];
	struct dgram_stream_options opt = {
	        .interface = s->common.interface,
	        .ipv6_only = s->common.family == DGRAM_IPV6,
	};
	struct dgram_addr local;
	int code = target_parse_stream(&s->target, text, DGRAM_URI_LISTEN, &s->common);
	if (code == 0)
		code = target_resolve_local(&local, &s->target.uri, text, &s->common);
	if (code != 0)
		return code;
	int error = dgram_stream_listen(listener, &local, &opt);
	if (error < 0)
		return target_bind_failed(text, error, errno);
	dgram_stream_settimeout(listener, 0);
	return 0;
}

/* --keep runs until it is told to stop, and ends in order; for one connection it is a one-shot
 * command and dies by the signal. */
static int run_listen(struct stream *s)
{
	struct dgram_stream listener;
	if (s->common.bind != NULL)
		return fail_usage("stream",
		                  "listen takes its address from the endpoint, not from -b");
	int code = open_listener(s, &listener);
	if (code != 0)
		return code;
	if (s->keep)
		code = signals_catch();
	else
		signals_remove_first(listener.path[0] != '\0' ? listener.path : NULL, false);
	if (code == 0)
		code = tell_listening(s, &listener);
	if (code == 0)
		code = take_connections(s, &listener);
	dgram_stream_close(&listener);
	if (!s->keep || code == CODE_PIPE)
		return code;
	int written = summarize(s);
	return code != 0 ? code : written;
}

/* -- stream -- */

static int run(const struct command *self, int argc, char **argv)
{
	static struct stream s; /* large: its buffers */
	int code = options_parse(self, argc, argv, &s.common);
	if (code != OPTIONS_GO_ON)
		return code;
	const char *what = s.common.word_count > 0 ? s.common.words[0] : "";
	bool listens = strcmp(what, "listen") == 0;
	if (*what == '\0')
		return fail_usage("stream", "listen or connect is missing");
	if (!listens && strcmp(what, "connect") != 0)
		return fail_usage("stream", "'%s' is neither listen nor connect", what);
	if (s.common.word_count != 2)
		return fail_usage(
		        "stream",
		        s.common.word_count < 2
		                ? "an endpoint is missing: tcp://HOST:PORT or unix://PATH"
		                : "one endpoint at a time; what is to be sent comes from stdin");
	if (listens ? s.retry_refused : s.keep)
		return fail_usage("stream", listens ? "--retry-refused is for connect"
		                                    : "--keep is for listen");
	pump_open(&s.pump, &s.common);
	return listens ? run_listen(&s) : run_connect(&s);
}

const struct command stream_command = {
        .name = "stream",
        .group = "tcp",
        .synopsis = "listen|connect tcp://HOST:PORT|unix://PATH",
        .summary = "a byte stream between here and there, both ways at once",
        .about = "stdin goes to the peer and what the peer sends to stdout, byte for byte, from "
                 "the moment there is a "
                 "connection. The end of stdin is told to the peer, and reading goes on until it "
                 "ends too. When the peer "
                 "ends first, a terminal on stdin is not read further; a pipe or file is sent to "
                 "its end. Both ended: exit "
                 "0; a connection that breaks: 56. listen serves one connection; no HOST is every "
                 "address, IPv4 and IPv6; "
                 "port 0 picks one and prints it. -T bounds the wait for the connection alone.",
        .examples =
                "  dgram stream listen tcp://127.0.0.1:8088\n"
                "  echo hello | dgram stream connect tcp://127.0.0.1:8088\n"
                "  dgram stream listen --lines tcp://:8089      (for input()/recv(1024) peers)\n"
                "  dgram stream connect --lines tcp://127.0.0.1:8089\n",
        .argp = &argp,
        .run = run,
};
