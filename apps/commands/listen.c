/* listen.c - print what arrives. */
#define _GNU_SOURCE
#include "common/json.h"
#include "common/message.h"
#include "common/options.h"
#include "common/server.h"
#include "common/signals.h"
#include "common/target.h"
#include "common/wait.h"
#include <stdlib.h>

#define UDP_BATCH  16
#define UDP_ROOM   65536 /* bytes; no UDP datagram is longer */
#define UNIX_BATCH 4
#define UNIX_ROOM  (1u << 20) /* bytes; a sender's buffer holds less unless it was raised */
#define SETTLE     (DGRAM_S)  /* until the last acknowledgement is known to have arrived */

struct listening {
	struct options common;
	bool plain; /* --plain */
	const struct options *o; /* common */
	struct dgram_uri uri;
	struct door door;
	struct trace trace;
	struct output output;
	struct dgram_datagram v[UDP_BATCH];
	size_t batch;
	uint8_t *room;
	uint64_t end; /* DGRAM_NEVER: none */
	uint64_t messages, bytes, dropped, truncated;
	uint64_t refused, passed_over; /* on the dgram protocol: requests, datagrams */
};

/* clang-format off */
static const struct argp_child children[] = {
	OPTIONS_COUNT, OPTIONS_DEADLINE, OPTIONS_PRINT, OPTIONS_LISTEN, OPTIONS_PROTOCOL, OPTIONS_TRACE, OPTIONS_GENERAL,
	{0},
};
/* clang-format on */

enum {
	OPT_PLAIN = OPT_OWN,
};

/* clang-format off */
static const struct argp_option table[] = {
	{"plain", OPT_PLAIN, NULL, OPTION_IN_HELP_ONLY, "take plain datagrams too; plain endpoints take nothing else", 0},
	{0},
};
/* clang-format on */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct listening *l = state->input;
	(void)arg;
	if (key != OPT_PLAIN)
		return ARGP_ERR_UNKNOWN;
	l->plain = true;
	return 0;
}

static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};

static int print_message(struct listening *l, const struct dgram_datagram *d)
{
	char from[DGRAM_ADDR_TEXT_MAX];
	l->messages++;
	l->bytes += d->len;
	say_verbose("%zu byte%s from %s", d->len, plural(d->len), dgram_addr_display(&d->peer, from, sizeof(from)));
	if (!l->o->json)
		return output_message(&l->output, d->data, d->len, true);
	json_t *event = json_event("message");
	json_add_addr(event, "from", &d->peer);
	json_add_payload(event, d->data, d->len);
	return json_write(event);
}

static bool is_enough(const struct listening *l)
{
	return l->o->count != 0 && l->messages >= l->o->count;
}

/* What was lost on the last steps is told at once, and again in the summary. */
static void tell_losses(struct listening *l)
{
	const struct dgram_socket_stats *stats = &l->door.socket.stats;
	dgram_socket_count_drops(&l->door.socket);
	if (stats->kernel_dropped > l->dropped)
		say_warning("%llu messages were lost: they came faster than they could be read",
		            (unsigned long long)(stats->kernel_dropped - l->dropped));
	if (stats->truncated > l->truncated)
		say_warning("%llu messages were longer than %zu bytes and were dropped",
		            (unsigned long long)(stats->truncated - l->truncated), l->v[0].size);
	l->dropped = stats->kernel_dropped;
	l->truncated = stats->truncated;
}

/* What is there: a batch, written in one go. */
static int take(struct listening *l)
{
	size_t room = l->batch;
	if (l->o->count != 0 && l->o->count - l->messages < room)
		room = (size_t)(l->o->count -
		                l->messages); /* what we do not print is not ours to take */
	int n = dgram_socket_recv_batch(&l->door.socket, l->v, room);
	if (n == DGRAM_ERR_AGAIN || n == DGRAM_ERR_TIMEOUT)
		return 0;
	if (n < 0)
		return fail(CODE_BROKEN, "cannot receive: %s", dgram_strerror(n));
	output_hold();
	int code = 0;
	for (int i = 0; i < n && code == 0; i++)
		if (l->v[i].status == 0)
			code = print_message(l, &l->v[i]);
	int flushed = output_flush();
	tell_losses(l);
	return code != 0 ? code : flushed;
}

/* 1: something is there; 0: it is over. */
static int wait_for_news(const struct listening *l)
{
	struct pollfd fds[2] = {{.fd = l->door.socket.fd, .events = POLLIN},
	                        {.fd = signals_fd(), .events = POLLIN}};
	if (dgram_clock() >= l->end)
		return 0;
	wait_until(fds, 2, l->end);
	return signals_caught() == 0;
}

static int summarize(struct listening *l)
{
	say_left_out();
	if (!target_is_plain(&l->uri))
		say("%llu message%s, %llu byte%s; %llu request%s refused, %llu datagram%s passed over",
		    (unsigned long long)l->messages, plural(l->messages),
		    (unsigned long long)l->bytes, plural(l->bytes), (unsigned long long)l->refused,
		    plural(l->refused), (unsigned long long)l->passed_over, plural(l->passed_over));
	else
		say("%llu message%s, %llu byte%s; %llu lost, %llu too long",
		    (unsigned long long)l->messages, plural(l->messages),
		    (unsigned long long)l->bytes, plural(l->bytes), (unsigned long long)l->dropped,
		    (unsigned long long)l->truncated);
	if (!l->o->json)
		return 0;
	json_t *event = json_event("summary");
	json_object_set_new(event, "messages", json_integer((json_int_t)l->messages));
	json_object_set_new(event, "bytes", json_integer((json_int_t)l->bytes));
	json_object_set_new(event, "lost", json_integer((json_int_t)l->dropped));
	json_object_set_new(event, "too_long", json_integer((json_int_t)l->truncated));
	if (!target_is_plain(&l->uri)) {
		json_object_set_new(event, "refused", json_integer((json_int_t)l->refused));
		json_object_set_new(event, "passed_over", json_integer((json_int_t)l->passed_over));
	}
	return json_write(event);
}

static int make_room(struct listening *l, bool is_unix)
{
	size_t size = is_unix ? UNIX_ROOM : UDP_ROOM;
	l->batch = is_unix ? UNIX_BATCH : UDP_BATCH;
	l->room = malloc(l->batch * size);
	if (l->room == NULL)
		return fail(CODE_BUSY, "out of memory");
	for (size_t i = 0; i < l->batch; i++)
		l->v[i] = (struct dgram_datagram){.data = l->room + i * size, .size = size};
	return 0;
}

static int listen_plain(struct listening *l)
{
	int code = make_room(l, l->door.socket.family == DGRAM_UNIX);
	dgram_socket_settimeout(&l->door.socket, 0);
	while (code == 0 && !is_enough(l) && wait_for_news(l))
		code = take(l);
	return code;
}

/* ---- on the dgram protocol ---- */

static int print_event(struct listening *l, const struct dgram_event *e)
{
	char from[DGRAM_ADDR_TEXT_MAX];
	l->messages++;
	l->bytes += e->len;
	say_verbose("%zu byte%s from %s", e->len, plural(e->len), dgram_addr_display(&e->peer, from, sizeof(from)));
	if (!l->o->json)
		return output_message(&l->output, e->data, e->len, true);
	json_t *event = message_json("message", "from", e);
	json_object_set_new(event, "kind", json_string(e->kind == DGRAM_POST ? "post" : "send"));
	json_add_payload(event, e->data, e->len);
	return json_write(event);
}

static void refuse(struct listening *l, const struct server *s, const struct dgram_event *e)
{
	char from[DGRAM_ADDR_TEXT_MAX];
	l->refused++;
	dgram_endpoint_refuse(dgram_loop_endpoint(s->loop), e->id, DGRAM_NOT_ALLOWED, 0,
	                      dgram_clock());
	say_warning("%s asks, and is told that nobody answers here: dgram respond does",
	            dgram_addr_display(&e->peer, from, sizeof(from)));
}

static int take_event(struct listening *l, const struct server *s, const struct dgram_event *e)
{
	if (e->type == DGRAM_EVENT_MESSAGE && e->kind == 0)
		return print_message(l, &(struct dgram_datagram){.peer = e->peer,
		                                                 .data = (uint8_t *)(uintptr_t)e->data,
		                                                 .len = e->len});
	if (e->type == DGRAM_EVENT_MESSAGE)
		return print_event(l, e);
	if (e->type == DGRAM_EVENT_REQUEST)
		refuse(l, s, e);
	return 0;
}

/* What came together is written together. What a peer was told we have is printed, also when a
 * signal came first. */
static int take_events(struct listening *l, struct server *s)
{
	struct dgram_event event;
	int code = 0;
	bool over = false;
	output_hold();
	while (code == 0 && s->code == 0 && !over && !is_enough(l)) {
		bool waits = output_pending() == 0 && !s->ended;
		enum server_news news = server_next(s, &event, -1, waits ? DGRAM_NEVER : 0);
		if (news == SERVER_EVENT) {
			code = take_event(l, s, &event);
		} else if (news == SERVER_OTHER) {
			over = s->ended;
			code = output_flush();
			output_hold();
		}
	}
	int flushed = output_flush();
	return code != 0 ? code : s->code != 0 ? s->code : flushed;
}

static int listen_messages(struct listening *l)
{
	struct server s;
	int code = server_open(&s, &l->door, NULL, &l->trace, "listen");
	if (code != 0)
		return code;
	s.end = l->end;
	if (l->plain)
		dgram_loop_take_plain(s.loop);
	code = take_events(l, &s);
	uint64_t unseen = server_settle(&s, SETTLE), foreign;
	if (unseen > 0)
		say_warning("%llu more came and %s not printed", (unsigned long long)unseen,
		            unseen == 1 ? "was" : "were");
	l->passed_over = server_passed_over(&s, &foreign);
	l->dropped = door_drops(&l->door);
	server_close(&s);
	return code;
}

static int listen_on(struct listening *l)
{
	int code = target_is_plain(&l->uri) ? listen_plain(l) : listen_messages(l);
	if (code == CODE_PIPE)
		return code;
	if (code == 0 && l->o->count != 0 && !is_enough(l))
		code = fail(CODE_TIMEOUT, "%llu of %llu messages came",
		            (unsigned long long)l->messages, (unsigned long long)l->o->count);
	int written = summarize(l);
	return code != 0 ? code : written;
}

static int start(struct listening *l)
{
	char local[TARGET_TEXT_MAX + 8];
	door_local(&l->door, local, sizeof(local));
	say("listening on %s", local);
	if (!l->o->json)
		return 0;
	json_t *event = json_event("listening");
	json_object_set_new(event, "local", json_string(local));
	return json_write(event);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct listening l = {.end = DGRAM_NEVER};
	int code = options_parse(self, argc, argv, &l.common);
	if (code != OPTIONS_GO_ON)
		return code;
	const struct options *o = l.o = &l.common;
	if (o->word_count != 1)
		return fail_usage(self->name,
		                  o->word_count == 0
		                          ? "an endpoint is missing: [ADDR]:PORT, "
		                            "tcp://[ADDR]:PORT, udp://[ADDR]:PORT or unix://PATH"
		                          : "one endpoint at a time");
	output_open(&l.output, o->print);
	code = target_parse_listen(&l.uri, o->words[0], o);
	if (code == 0 && l.plain && l.uri.scheme == DGRAM_SCHEME_TCP)
		code = fail_usage(self->name,
		                  "--plain: over TCP there are no plain datagrams; for a byte stream: "
		                  "dgram stream listen %s",
		                  o->words[0]);
	if (code == 0)
		code = target_is_plain(&l.uri) ? trace_check_plain(o) : trace_open(&l.trace, o);
	if (code == 0)
		code = door_open(&l.door, &l.uri, o->words[0], o);
	if (code != 0)
		return code;
	if (o->deadline != 0)
		l.end = dgram_clock() + o->deadline;
	code = signals_catch();
	if (code == 0)
		code = start(&l);
	if (code == 0)
		code = listen_on(&l);
	door_close(&l.door);
	free(l.room);
	return code;
}

const struct command listen_command = {
        .name = "listen",
        .group = "answer",
        .synopsis = "EP",
        .summary = "print what arrives",
        .about = "EP is [ADDR]:PORT, the dgram protocol, the same over tcp://[ADDR]:PORT, "
                 "udp://[ADDR]:PORT or unix://PATH. Prints "
                 "each message, or each plain datagram, and a newline where it has none, until -n "
                 "messages came, -T is over (exit 28 when -n "
                 "was not reached) or SIGINT. No ADDR is every address, IPv4 and IPv6; port 0 "
                 "picks one and prints it. A "
                 "multicast ADDR is joined. Lost and cut datagrams are told, never printed.\n"
                 "On the dgram protocol a message is printed once, and who sent it knows that it "
                 "came; who asks is told that nobody answers; plain datagrams are passed over.",
        .examples = "  dgram listen :24726\n"
                    "  dgram listen -n 1 -T 10s udp://127.0.0.1:7400\n"
                    "  dgram listen --json udp://:7400 | jq -r .text\n"
                    "  dgram listen udp://239.1.2.3:7400\n",
        .messages = true,
        .argp = &argp,
        .run = run,
};
