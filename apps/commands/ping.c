/* ping.c - round trips on the dgram protocol, and in which direction the lost ones were lost.
 *
 * A ping is an ECHO of a session, which is never sent again. The peer acknowledges what it received with everything it
 * sends; so a ping that was acknowledged and not answered was lost on the way back, and one that was not acknowledged by
 * what came later did not arrive.
 */
#include "common/json.h"
#include "common/options.h"
#include "common/roundtrips.h"
#include "common/server.h"
#include "common/signals.h"
#include "common/target.h"
#include "common/values.h"
#include "common/verdict.h"
#include <stdio.h>
#include <string.h>

#define INTERVAL_DEFAULT (DGRAM_S)
#define INTERVAL_MIN     (DGRAM_MS)
#define WAIT_DEFAULT     (2 * DGRAM_S)
#define AT_ONCE          8192 /* pings under way; the next one waits for its interval again */

struct ping {
	struct options common;
	uint64_t interval, wait; /* ns; wait: for each answer */
	struct target target;
	struct door door;
	struct server server;
	struct trace trace;
	struct roundtrips trips;
	uint64_t next, ended;   /* next: ns, when the next one leaves */
	size_t at;              /* the address that is tried */
	bool found;             /* it has answered */
	int code;               /* what all that ended without an answer would end with; CODE_TIMEOUT where they differ */
	struct dgram_event last; /* of these */
};

enum {
	OPT_INTERVAL = OPT_OWN,
};

/* clang-format off */
static const struct argp_option table[] = {
	{"interval", OPT_INTERVAL, "DUR", 0, "from one ping to the next (default 1 s)", 0},
	{NULL,       'c',          "N",   OPTION_IN_HELP_ONLY, "the same as -n: stop after N pings", 0},
	{"timeout",  't',          "DUR", 0, "how long each answer is waited for (default 2 s)", 0},
	{0},
};

static const struct argp_child children[] = {
	OPTIONS_COUNT, OPTIONS_DEADLINE, OPTIONS_JSON, OPTIONS_BIND, OPTIONS_PROTOCOL, OPTIONS_TRACE, OPTIONS_GENERAL,
	{0},
};
/* clang-format on */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ping *p = state->input;
	const char *wrong;

	switch (key) {
	case OPT_INTERVAL:
		wrong = values_duration(arg, &p->interval);
		if (wrong == NULL && p->interval < INTERVAL_MIN)
			wrong = "too short: 1ms or more";
		return options_check("--interval", arg, wrong);
	case 'c':
		wrong = values_count(arg, UINT64_MAX, &p->common.count);
		if (wrong == NULL && p->common.count == 0)
			wrong = "too few: 1 or more";
		return options_check("-c", arg, wrong);
	case 't':
		wrong = values_duration(arg, &p->wait);
		if (wrong == NULL && p->wait == 0)
			wrong = "no time at all: it must be above 0";
		return options_check("-t", arg, wrong);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};

/* ---- one ping ---- */

static void begin(struct ping *p, uint64_t now)
{
	const struct dgram_message m = {
		.kind = DGRAM_ECHO,
		.to = p->target.addrs[p->at],
		.deadline = now + p->wait,
		.user = p->trips.sent + 1,
	};

	p->next = now - p->next > p->interval ? now + p->interval : p->next + p->interval;
	if (dgram_endpoint_submit(dgram_loop_endpoint(p->server.loop), &m, now, NULL) < 0)
		return; /* there is no room: too many are under way */
	p->trips.sent++;
	if (!p->found)
		p->at = (p->at + 1) % p->target.count;
}

static int answered(struct ping *p, const struct dgram_event *e)
{
	char who[DGRAM_ADDR_TEXT_MAX], span[32], line[256];
	int code = roundtrips_add(&p->trips, e->elapsed);
	json_t *event;

	p->trips.datagrams_sent = e->sent;
	p->trips.datagrams_received = e->received;
	if (code != 0 || p->common.verbosity < 0)
		return code;
	if (!p->common.json) {
		snprintf(line, sizeof line, "%s: ping %llu answered in %s", dgram_addr_display(&e->peer, who, sizeof who),
			 (unsigned long long)e->user, target_span(e->elapsed, span, sizeof span));
		return output_line(line);
	}
	event = json_event("pong");
	json_add_addr(event, "from", &e->peer);
	json_object_set_new(event, "seq", json_integer((json_int_t)e->user));
	json_object_set_new(event, "rtt_us", json_integer((json_int_t)(e->elapsed / DGRAM_US)));
	json_object_set_new(event, "sent", json_integer((json_int_t)e->sent));
	json_object_set_new(event, "received", json_integer((json_int_t)e->received));
	return json_write(event);
}

/* Whatever left the peer after the ping had time to arrive there acknowledges it, if it did. */
static enum lost where_lost(const struct ping *p, const struct dgram_event *e)
{
	struct dgram_session_info info;
	uint64_t left = dgram_clock() - e->elapsed;

	if (e->arrived)
		return LOST_BACK;
	if (dgram_endpoint_session(dgram_loop_endpoint(p->server.loop), e->session, &info) < 0)
		return LOST_UNKNOWN;
	return info.heard_at > left + 2 * info.rtt ? LOST_OUT : LOST_UNKNOWN;
}

/* It left, or nothing came up that it could have left in. */
static int code_of(const struct dgram_event *e)
{
	return e->outcome == DGRAM_REFUSED ? verdict_code(e) : CODE_TIMEOUT;
}

static int unanswered(struct ping *p, const struct dgram_event *e)
{
	char who[DGRAM_ADDR_TEXT_MAX], span[32], line[512];
	bool left = e->tries > 0;
	enum lost where = left ? where_lost(p, e) : LOST_UNKNOWN;
	const char *why = left ? lost_text(where) : dgram_reason_text((enum dgram_reason)e->reason);
	int code = code_of(e);
	json_t *event;

	if (left)
		p->trips.lost[where]++;
	else if (code == CODE_REFUSED)
		p->trips.refused++;
	else
		p->trips.no_session++;
	p->code = p->ended == 1 || p->code == code ? code : CODE_TIMEOUT;
	p->last = *e;
	if (p->common.verbosity < 0)
		return 0;
	dgram_addr_display(&e->peer, who, sizeof who);
	snprintf(line, sizeof line, "%s: ping %llu: no answer in %s: %s", who, (unsigned long long)e->user,
		 target_span(e->elapsed, span, sizeof span), why);
	if (!p->common.json)
		return output_line(line);
	event = json_error(code, line);
	json_object_set_new(event, "seq", json_integer((json_int_t)e->user));
	if (left)
		json_object_set_new(event, "lost", json_string(lost_name(where)));
	return json_write(event);
}

/* The address that answers is kept; one that refuses is left at once while others are untried. */
static int ended(struct ping *p, const struct dgram_event *e)
{
	bool ok = e->outcome == DGRAM_ANSWERED;

	p->ended++;
	for (size_t i = 0; ok && !p->found && i < p->target.count; i++)
		if (dgram_addr_equal(&p->target.addrs[i], &e->peer)) {
			p->at = i;
			p->found = true;
		}
	if (!ok && !p->found && code_of(e) == CODE_REFUSED && p->ended < p->target.count)
		p->next = dgram_clock();
	return ok ? answered(p, e) : unanswered(p, e);
}

/* ---- all of them ---- */

static bool has_more(const struct ping *p)
{
	return p->common.count == 0 || p->trips.sent < p->common.count;
}

/* Pings that wait for a session would all leave in its first datagram, and share its fate. */
static bool may_begin(const struct ping *p)
{
	struct dgram_endpoint_stats stats;

	dgram_endpoint_stats(dgram_loop_endpoint(p->server.loop), &stats);
	return has_more(p) && (p->ended == p->trips.sent || stats.opened > 0);
}

static int ping_all(struct ping *p)
{
	struct dgram_event event;
	enum server_news news;
	int code = 0;

	p->next = dgram_clock();
	while (code == 0 && (has_more(p) || p->ended < p->trips.sent)) {
		uint64_t now = dgram_clock();

		if (may_begin(p) && now >= p->next)
			begin(p, now);
		news = server_next(&p->server, &event, -1, may_begin(p) ? p->next : DGRAM_NEVER);
		if (news == SERVER_END)
			return p->server.code;
		if (news == SERVER_EVENT && event.type == DGRAM_EVENT_DONE)
			code = ended(p, &event);
	}
	return code;
}

static int conclude(struct ping *p)
{
	const struct verdict v = {.target = &p->target};
	struct dgram_endpoint_stats stats;
	int code = p->common.json ? roundtrips_json(&p->trips) : roundtrips_print(&p->trips, p->target.text);

	if (code != 0 || p->trips.answered > 0)
		return code;
	if (p->ended > 0 && p->code != CODE_TIMEOUT)
		return verdict_tell(&v, &p->last);
	dgram_endpoint_stats(dgram_loop_endpoint(p->server.loop), &stats);
	if (stats.opened == 0)
		return fail(CODE_TIMEOUT, "%s: no answer; if it does not speak dgram, it cannot be pinged (plain: dgram request udp://%s)",
			    p->target.text, p->target.text);
	return fail(CODE_TIMEOUT, "%s: no answer to %llu ping%s", p->target.text, (unsigned long long)p->trips.sent,
		    p->trips.sent == 1 ? "" : "s");
}

static int open_way(struct ping *p)
{
	static const struct dgram_endpoint_config config = {
		.answers_nobody = true,
		.sessions = 2 * DGRAM_RESOLVE_MAX,
		.half_open = 1,
		.half_open_each = 1,
		.messages = AT_ONCE,
		.pool = 1u << 20,
	};
	const struct options *o = &p->common;
	int code = target_resolve(&p->target, o);

	if (code == 0)
		code = target_check_one(&p->target, o);
	if (code == 0)
		code = target_socket(&p->door.socket, &p->target, o);
	if (code == 0)
		code = trace_open(&p->trace, o);
	if (code == 0)
		code = server_open(&p->server, &p->door, &config, &p->trace, "ping");
	if (code == 0)
		code = signals_catch();
	return code;
}

static int check(struct ping *p)
{
	const struct options *o = &p->common;
	int code;

	if (o->word_count != 1)
		return fail_usage(o->command->name, o->word_count == 0 ? "an endpoint is missing: HOST:PORT"
								       : "one endpoint, and no text: a ping carries nothing");
	code = target_parse(&p->target, o->words[0], o);
	if (code != 0)
		return code;
	if (p->target.uri.scheme == DGRAM_SCHEME_TCP)
		return fail_usage(o->command->name, "%s: over TCP nothing is lost: write HOST:PORT, which goes over UDP",
				  o->words[0]);
	if (p->target.uri.scheme != DGRAM_SCHEME_DGRAM)
		return fail_usage(o->command->name,
				  "%s: a plain endpoint answers no pings: write HOST:PORT for the dgram protocol, or: dgram request %s TEXT",
				  o->words[0], o->words[0]);
	if (*p->target.uri.name != '\0')
		return fail_usage(o->command->name, "%s: a ping goes to the endpoint, not to a name: leave /%s out", p->target.text,
				  p->target.uri.name);
	return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct ping p = {.interval = INTERVAL_DEFAULT, .wait = WAIT_DEFAULT, .door = {.scheme = DGRAM_SCHEME_DGRAM, .socket.fd = -1}};
	struct output output;
	uint64_t start = dgram_clock();
	int code = options_parse(self, argc, argv, &p.common);

	if (code != OPTIONS_GO_ON)
		return code;
	output_open(&output, PRINT_TEXT);
	code = check(&p);
	if (code == 0)
		code = open_way(&p);
	if (code == 0) {
		p.server.end = p.common.deadline != 0 ? start + p.common.deadline : DGRAM_NEVER;
		say("pinging %s", p.target.text);
		code = ping_all(&p);
		if (code == 0)
			code = conclude(&p);
	}
	server_close(&p.server);
	door_close(&p.door);
	roundtrips_free(&p.trips);
	return code;
}

const struct command ping_command = {
	.name = "ping",
	.group = "talk",
	.synopsis = "EP",
	.summary = "round trips, loss in each direction",
	.about = "Sends a ping to HOST:PORT, the dgram protocol, every --interval until -n of them were sent, -T is over or "
		 "SIGINT, and says of each that is lost whether it was lost on the way there or on the way back. At the end: "
		 "how many, and the shortest, the median, the 99th percentile and the longest round trip. Exit 0 if any was "
		 "answered; 7 if all were refused, 28 if nothing came. respond and listen answer pings, and so does every "
		 "program on the dgram protocol.\n\n"
		 "Of a name with several addresses each ping goes to the next one, until one answers.",
	.examples = "  dgram ping 127.0.0.1:7400\n"
		    "  dgram ping -n 100 --interval 20ms 192.0.2.7:7400\n"
		    "  dgram ping --json -n 5 127.0.0.1 | jq .rtt_us\n",
	.messages = true,
	.argp = &argp,
	.run = run,
};
