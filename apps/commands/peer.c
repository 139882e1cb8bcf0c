/* peer.c - two plain ends talk: a line typed is a datagram, a datagram that comes is a line, both
 * ways at once.
 *
 * With an endpoint the talk is with it alone; without one (-b), whoever wrote last is answered. A
 * datagram says no more than itself, so nobody can say goodbye: with a terminal the end of stdin
 * ends the talk, with a pipe it goes on listening, for what is on its way or still to come.
 */
#define _GNU_SOURCE
#include "common/json.h"
#include "common/options.h"
#include "common/signals.h"
#include "common/target.h"
#include "common/wait.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM            65536 /* bytes; no datagram and no line is longer */
#define ROOM_PAUSE      (5 * DGRAM_MS) /* for poll() cannot tell when a UNIX peer's queue has room */

struct talk {
	const struct options *o;
	struct target target;
	struct dgram_socket socket;
	struct output output;
	struct dgram_addr other; /* who is written to; unset: nobody yet */
	bool fixed;              /* it was named on the command line: others are not listened to */
	bool terminal, input_ended;
	uint64_t end; /* DGRAM_NEVER: none */
	uint64_t sent, received, foreign;
	uint8_t datagram[ROOM];
	char line[ROOM];
	size_t line_len;
	bool skipping; /* the rest of a line that was too long */
	bool full;     /* the first line found no room: it waits, and with it the input */
};

/* clang-format off */
static const struct argp_child children[] = {
	OPTIONS_COUNT, OPTIONS_DEADLINE, OPTIONS_PRINT, OPTIONS_BIND, OPTIONS_PROTOCOL, OPTIONS_GENERAL, {0},
};
/* clang-format on */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)key, (void)arg, (void)state;
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {NULL, parse, NULL, NULL, children, NULL, NULL};

/* ---- out ---- */

/* false: there is no room for it now. */
static bool send_line(struct talk *t, const char *line, size_t len)
{
	char to[DGRAM_ADDR_TEXT_MAX];
	if (t->other.family == DGRAM_FAMILY_NONE) {
		say_warning("nobody has written yet: the line went nowhere");
		return true;
	}
	int error = dgram_socket_sendto(&t->socket, line, len, &t->other);
	if (error == DGRAM_ERR_AGAIN)
		return false;
	if (error < 0)
		say_warning("%s: %s: the line was not sent",
		            dgram_addr_display(&t->other, to, sizeof(to)), dgram_strerror(error));
	else
		t->sent++;
	return true;
}

/* Sends the whole lines; what is left, one that found no room or a part of one, moves to the front. */
static void send_lines(struct talk *t)
{
	char *from = t->line, *end = t->line + t->line_len, *newline;
	t->full = false;
	while ((newline = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		t->full = !t->skipping && !send_line(t, from, (size_t)(newline - from));
		if (t->full)
			break;
		t->skipping = false;
		from = newline + 1;
	}
	t->line_len = (size_t)(end - from);
	memmove(t->line, from, t->line_len);
}

static int take_input(struct talk *t)
{
	ssize_t n = read(STDIN_FILENO, t->line + t->line_len, sizeof(t->line) - t->line_len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return fail(CODE_READ, "stdin: cannot read: %s", strerror(errno));
	t->line_len += (size_t)n;
	t->input_ended = n == 0;
	if (n == 0 && t->line_len > 0)
		t->line[t->line_len++] = '\n'; /* the last line's, which needs none */
	send_lines(t);
	if (!t->full && t->line_len == sizeof(t->line)) {
		if (!t->skipping)
			say_warning("a line of more than %d bytes was not sent", ROOM);
		t->skipping = true;
	}
	if (t->skipping)
		t->line_len = 0;
	return 0;
}

/* ---- in ---- */

static bool is_the_other(const struct talk *t, const struct dgram_addr *from)
{
	for (size_t i = 0; i < t->target.count; i++)
		if (dgram_addr_equal(&t->target.addrs[i], from) ||
		    target_is_group(&t->target.addrs[i]))
			return true;
	return !t->fixed;
}

static void meet(struct talk *t, const struct dgram_addr *from)
{
	char text[DGRAM_ADDR_TEXT_MAX];
	if (t->fixed || dgram_addr_equal(&t->other, from))
		return;
	t->other = *from;
	say("%s writes, and is written to from now on",
	    dgram_addr_display(from, text, sizeof(text)));
}

static int print_message(struct talk *t, const struct dgram_addr *from, size_t len)
{
	if (!t->o->json)
		return output_message(&t->output, t->datagram, len, true);
	json_t *event = json_event("message");
	json_add_addr(event, "from", from);
	json_add_payload(event, t->datagram, len);
	return json_write(event);
}

static int take_datagram(struct talk *t)
{
	struct dgram_addr from;
	char text[DGRAM_ADDR_TEXT_MAX];
	int n = dgram_socket_recvfrom(&t->socket, t->datagram, sizeof(t->datagram), &from);
	if (n == DGRAM_ERR_TRUNCATED)
		say_warning("a message of more than %d bytes was dropped", ROOM);
	if (n < 0)
		return 0;
	if (!is_the_other(t, &from)) {
		t->foreign++;
		say_verbose("%s: not the other end, left out",
		            dgram_addr_display(&from, text, sizeof(text)));
		return 0;
	}
	meet(t, &from);
	t->received++;
	return print_message(t, &from, (size_t)n);
}

/* A refusal is news, not the end: the other may come (back). */
static void take_errors(struct talk *t)
{
	struct dgram_socket_error e;
	char to[DGRAM_ADDR_TEXT_MAX];
	while (dgram_socket_next_error(&t->socket, &e) == 1)
		say_warning("%s: %s", dgram_addr_display(&e.to, to, sizeof(to)),
		            e.error == DGRAM_ERR_SYSTEM ? strerror(e.errno_value)
		                                        : dgram_strerror(e.error));
}

/* ---- the talk ---- */

static bool is_over(const struct talk *t)
{
	bool enough = t->o->count != 0 && t->received >= t->o->count;
	return enough || signals_caught() != 0 || (t->input_ended && t->terminal && !t->full) ||
	       dgram_clock() >= t->end;
}

static int wait_for_news(const struct talk *t, struct pollfd fds[3])
{
	uint64_t again = t->full ? dgram_clock() + ROOM_PAUSE : DGRAM_NEVER;
	fds[0] = (struct pollfd){.fd = t->socket.fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = t->input_ended || t->full ? -1 : STDIN_FILENO, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
	return wait_until(fds, 3, again < t->end ? again : t->end);
}

static int summarize(const struct talk *t)
{
	say_left_out();
	say("%llu sent, %llu received", (unsigned long long)t->sent,
	    (unsigned long long)t->received);
	if (!t->o->json)
		return 0;
	json_t *event = json_event("summary");
	json_object_set_new(event, "sent", json_integer((json_int_t)t->sent));
	json_object_set_new(event, "received", json_integer((json_int_t)t->received));
	return json_write(event);
}

static int talk(struct talk *t)
{
	int code = 0;
	while (code == 0 && !is_over(t)) {
		struct pollfd fds[3];
		take_errors(t);
		if (t->full)
			send_lines(t);
		if (wait_for_news(t, fds) <= 0)
			continue;
		if (fds[0].revents != 0)
			code = take_datagram(t);
		if (code == 0 && fds[1].revents != 0)
			code = take_input(t);
	}
	if (code == CODE_PIPE)
		return code;
	if (code == 0 && t->received < t->o->count)
		code = fail(CODE_TIMEOUT, "%llu of %llu messages came",
		            (unsigned long long)t->received, (unsigned long long)t->o->count);
	int written = summarize(t);
	return code != 0 ? code : written;
}

static int start(const struct talk *t)
{
	char local[TARGET_TEXT_MAX + 8];
	target_local(&t->socket, DGRAM_SCHEME_UDP, local, sizeof(local));
	if (t->fixed && t->o->bind == NULL)
		say("talking to %s, a line is a datagram%s", t->target.text,
		    t->terminal ? "; Ctrl-D ends" : "");
	else if (t->fixed)
		say("talking to %s on %s", t->target.text, local);
	else
		say("waiting on %s; whoever writes is answered", local);
	if (!t->o->json)
		return 0;
	json_t *event = json_event("listening");
	json_object_set_new(event, "local", json_string(local));
	return json_write(event);
}

/* With an endpoint: a socket to it. Without: bound where -b says. */
static int open_socket(struct talk *t)
{
	const struct options *o = t->o;
	if (o->word_count == 0)
		return target_listen_bind(&t->socket, o);
	int code = target_parse(&t->target, o->words[0], o);
	if (code == 0)
		code = target_resolve(&t->target, o);
	if (code == 0)
		code = target_socket(&t->socket, &t->target, o);
	t->fixed = true;
	t->other = t->target.addrs[0];
	return code;
}

static int run_talk(struct talk *t)
{
	int code = open_socket(t);
	if (code != 0)
		return code;
	dgram_socket_settimeout(&t->socket, 0);
	code = signals_catch();
	if (code == 0)
		code = start(t);
	if (code == 0)
		code = talk(t);
	target_close(&t->socket);
	return code;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {0};
	int code = options_parse(self, argc, argv, &o);
	if (code != OPTIONS_GO_ON)
		return code;
	if (o.word_count > 1)
		return fail_usage(self->name,
		                  "one endpoint at a time; what is said comes from stdin");
	if (o.word_count == 0 && o.bind == NULL)
		return fail_usage(
		        self->name,
		        "with whom? udp://HOST:PORT, or -b :PORT to wait for whoever writes");
	struct talk *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return fail(CODE_BUSY, "out of memory");
	t->o = &o;
	t->terminal = isatty(STDIN_FILENO);
	t->end = o.deadline != 0 ? dgram_clock() + o.deadline : DGRAM_NEVER;
	output_open(&t->output, o.print);
	code = run_talk(t);
	free(t);
	return code;
}

const struct command peer_command = {
        .name = "peer",
        .group = "talk",
        .synopsis = "[EP] [-b [ADDR]:PORT]",
        .summary = "two plain ends talk: a line is a datagram",
        .about = "What is typed goes out, a line in a datagram; what comes is printed, a datagram "
                 "on a line; both at once. "
                 "With only -b, whoever wrote last is answered. The end of stdin ends the talk at "
                 "a terminal; from a pipe "
                 "it goes on listening until -n messages came, -T is over (exit 28 when -n was not "
                 "reached) or SIGINT.",
        .examples = "  dgram peer udp://10.0.0.7:9000\n"
                    "  dgram peer -b :9000\n"
                    "  dgram peer -b 127.0.0.1:9000 udp://127.0.0.1:9001\n",
        .argp = &argp,
        .run = run,
};
