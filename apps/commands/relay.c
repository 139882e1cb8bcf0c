/* relay - a bad network between two ends of your own. Options and start here; the forwarding is in
 * common/forward.c. */
#include "common/json.h"
#include "common/options.h"
#include "common/signals.h"
#include "common/target.h"
#include "common/values.h"
#include "common/impairments.h"
#include "common/relay_report.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct relay {
	struct options common;
	struct impairments impairments;
	uint64_t seed, clients;
	bool has_seed, report;
};

enum {
	OPT_SEED = OPT_OWN,
	OPT_CLIENTS,
	OPT_REPORT,
	OPT_IMPAIRMENTS, /* and from here on one for each impairment and scope */
};

/* clang-format off */
#define KEY(impairment, scope) (OPT_IMPAIRMENTS + (impairment) * SCOPES + (scope))
#define IMPAIRMENT(name, what, arg, text) \
	{name,         KEY(what, SCOPE_BOTH), arg, 0,                   text, 0}, \
	{name "-out",  KEY(what, SCOPE_OUT),  arg, OPTION_IN_HELP_ONLY, "the same, towards the target alone", 0}, \
	{name "-back", KEY(what, SCOPE_BACK), arg, OPTION_IN_HELP_ONLY, "the same, back from the target alone", 0}

static const struct argp_option table[] = {
	IMPAIRMENT("loss",       LOSS,       "P%",    "lose this part of the datagrams"),
	IMPAIRMENT("burst-loss", BURST_LOSS, "P%,R%", "lose in bursts: the chance that one begins, and that it ends, with each datagram"),
	IMPAIRMENT("delay",      DELAY,      "DUR",   "hold each for this time, in each direction"),
	IMPAIRMENT("jitter",     JITTER,     "DUR",   "and up to this much longer, by chance: they may overtake"),
	IMPAIRMENT("dup",        DUPLICATE,  "P%",    "send a copy too"),
	IMPAIRMENT("reorder",    REORDER,    "P%",    "hold until the next one has passed, 10 ms at most"),
	IMPAIRMENT("corrupt",    CORRUPT,    "P%",    "flip one bit"),
	IMPAIRMENT("mtu",        MTU,        "SIZE",  "drop what has more bytes of payload"),
	IMPAIRMENT("rate",       RATE,       "RATE",  "pass so many bits of payload a second: 64kbit, 10mbit"),
	IMPAIRMENT("queue",      QUEUE,      "DUR",   "with --rate: drop what would wait longer (20ms)"),
	{"seed",    OPT_SEED,    "N",  0, "same seed, same fate for the same datagrams (default: another each time)", 0},
	{"clients", OPT_CLIENTS, "N",  OPTION_IN_HELP_ONLY,
	 "clients at once; a new one takes the place of the one idle for longest (256)", 0},
	{"report",  OPT_REPORT,  NULL, 0, "at the end, every count in a table, and what became of each kind of datagram of dgram", 0},
	{"json",    'j',         NULL, 0, "start and summary as JSON on stdout", 0},
	{"ipv4",    '4',         NULL, OPTION_IN_HELP_ONLY, "IPv4 alone", 0},
	{"ipv6",    '6',         NULL, OPTION_IN_HELP_ONLY, "IPv6 alone", 0},
	{0},
};
/* clang-format on */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct relay *r = state->input;

	if (key >= OPT_IMPAIRMENTS && key < KEY(IMPAIRMENTS, 0)) {
		r->impairments
		        .given[(key - OPT_IMPAIRMENTS) / SCOPES][(key - OPT_IMPAIRMENTS) % SCOPES] =
		        arg;
		return 0;
	}
	switch (key) {
	case OPT_SEED:
		r->has_seed = true;
		return options_check("--seed", arg, values_count(arg, INT64_MAX, &r->seed));
	case OPT_CLIENTS:
		if (options_check("--clients", arg, values_count(arg, CLIENTS_MAX, &r->clients)) !=
		    0)
			return ECANCELED;
		return r->clients > 0
		               ? 0
		               : options_refuse("--clients", arg, "too few: it must be 1 or more");
	case OPT_REPORT:
		r->report = true;
		return 0;
	case 'j':
		r->common.json = true;
		return 0;
	case '4':
		r->common.family = DGRAM_IPV4;
		return 0;
	case '6':
		r->common.family = DGRAM_IPV6;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* -- the start -- */

#define ENDPOINT_MAX 512 /* bytes; longer than any that can be right */

/* The word as an endpoint with its scheme, which may be left out here. */
static int endpoint(const char *word, char *buf, size_t size)
{
	bool has_scheme = strstr(word, "://") != NULL;

	if (has_scheme && strncmp(word, "udp://", 6) != 0)
		return fail_usage("relay",
		                  "%s: only UDP is relayed: write HOST:PORT or udp://HOST:PORT",
		                  word);
	snprintf(buf, size, "%s%s", has_scheme ? "" : "udp://", word);
	return 0;
}

static int find_target(const struct relay *r, struct forward *f)
{
	char text[ENDPOINT_MAX];
	struct target t;
	int code = endpoint(r->common.words[1], text, sizeof text);

	if (code == 0)
		code = target_parse(&t, text, &r->common);
	if (code == 0)
		code = target_resolve(&t, &r->common);
	if (code != 0)
		return code;
	if (target_is_group(&t.addrs[0]))
		return fail_usage("relay",
		                  "%s: a group cannot be the target: answers come from its members",
		                  t.text);
	f->target_count = t.count;
	memcpy(f->target, t.addrs, sizeof f->target);
	return 0;
}

/* Whether a datagram to target would arrive at local: it would go round for ever. */
static bool is_same_socket(const struct dgram_addr *target, const struct dgram_addr *local)
{
	struct dgram_addr there = *target;

	if (dgram_addr_is_any(local) &&
	    (dgram_addr_is_loopback(target) || dgram_addr_is_any(target)))
		return target->port == local->port;
	there.zone = local->zone;
	return dgram_addr_equal(&there, local);
}

static int listen_for_clients(const struct relay *r, struct forward *f, struct dgram_addr *local)
{
	char text[ENDPOINT_MAX];
	struct dgram_uri uri;
	int code = endpoint(r->common.words[0], text, sizeof text);

	if (code == 0)
		code = target_parse_listen(&uri, text, &r->common);
	if (code == 0)
		code = target_listen(&f->listener, &uri, text, &r->common);
	if (code != 0)
		return code;
	dgram_socket_settimeout(&f->listener, 0);
	dgram_socket_getsockname(&f->listener, local);
	for (size_t i = 0; i < f->target_count; i++)
		if (is_same_socket(&f->target[i], local))
			return fail_usage("relay",
			                  "%s is the relay itself: its datagrams would never end",
			                  r->common.words[1]);
	return 0;
}

static int make_engines(const struct relay *r, struct forward *f)
{
	struct dgram_relay_options options[DIRECTIONS] = {{.seed = r->seed, .link = OUT},
	                                                  {.seed = r->seed, .link = BACK}};
	int code = impairments_apply(&r->impairments, options);

	for (int i = 0; i < DIRECTIONS && code == 0; i++) {
		int error = dgram_relay_new(&f->engine[i], &options[i]);
		if (error < 0)
			code = fail(exit_of(error), "cannot prepare the relay: %s",
			            dgram_strerror(error));
	}
	return code;
}

static int announce(const struct relay *r, const struct forward *f, const struct dgram_addr *local)
{
	char here[DGRAM_ADDR_TEXT_MAX], there[DGRAM_ADDR_TEXT_MAX], what[512];

	dgram_addr_display(local, here, sizeof here);
	dgram_addr_display(&f->target[0], there, sizeof there);
	say("relaying %s to %s%s, seed %llu", here, there,
	    impairments_describe(&r->impairments, what, sizeof what), (unsigned long long)r->seed);
	if (!r->common.json)
		return 0;
	json_t *event = json_event("listening");
	json_object_set_new(event, "local", json_sprintf("udp://%s", here));
	json_object_set_new(event, "target", json_sprintf("udp://%s", there));
	json_object_set_new(event, "seed", json_integer((json_int_t)r->seed));
	return json_write(event);
}

static int summarize(const struct relay *r, const struct forward *f)
{
	say_left_out();
	report_sentences(f);
	if (r->report)
		report_table(f);
	return r->common.json ? report_json(f, r->seed) : 0;
}

/* Few digits, to be typed again. */
static uint64_t any_seed(void)
{
	uint8_t random[32] = {0};
	uint64_t seed;

	dgram_random_seed(random);
	memcpy(&seed, random, sizeof seed);
	return seed % 1000000;
}

#define OWN_FILES 32 /* descriptors beside those of the clients */

/* Each client has a socket, and poll() fails when it is given more of them than there can be: how many clients the system
 * allows, of those that are wanted. */
static size_t allowed_clients(uint64_t wanted)
{
	struct rlimit limit;
	rlim_t files = (rlim_t)wanted + OWN_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= files)
		return (size_t)wanted;
	limit.rlim_cur = files < limit.rlim_max ? files : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > OWN_FILES ? (size_t)(limit.rlim_cur - OWN_FILES) : 1;
}

static int relay(const struct relay *r, struct forward *f)
{
	struct dgram_addr local;
	int code = make_engines(r, f);

	if (code == 0)
		code = find_target(r, f);
	if (code == 0)
		code = listen_for_clients(r, f, &local);
	if (code == 0)
		code = signals_catch();
	if (code == 0)
		code = announce(r, f, &local);
	if (code == 0)
		code = forward_run(f);
	if (code == 0)
		code = summarize(r, f);
	return code;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct relay r = {.clients = 256};
	int code = options_parse(self, argc, argv, &r.common);

	if (code != OPTIONS_GO_ON)
		return code;
	if (r.common.word_count != 2)
		return fail_usage(self->name,
		                  "two endpoints are needed: where to listen, and the target");
	if (!r.has_seed)
		r.seed = any_seed();

	struct forward f = {
	        .listener = {.fd = -1},
	        .clients_max = allowed_clients(r.clients),
	        .verbose = r.common.verbosity > 0,
	        .by_kind = r.report || r.common.json,
	};
	if (f.clients_max < r.clients)
		say_verbose("the system allows %zu clients at once (ulimit -n)", f.clients_max);
	code = relay(&r, &f);
	dgram_socket_close(&f.listener);
	for (int i = 0; i < DIRECTIONS; i++)
		dgram_relay_free(f.engine[i]);
	return code;
}

static const struct argp_child children[] = {OPTIONS_GENERAL, {0}};
static const struct argp argp = {table, parse, NULL, NULL, children, NULL, NULL};

const struct command relay_command = {
	.name = "relay",
	.group = "test",
	.synopsis = "[ADDR]:PORT HOST:PORT",
	.summary = "forward UDP and lose, delay, duplicate, reorder, corrupt",
	.about = "Stands between clients and a target and does to their datagrams what a bad network does. Every "
		 "client gets its answers back. Each impairment may be given for one direction alone: --loss-out "
		 "is towards the target, --loss-back from it; a rate and an order are those of the whole direction, "
		 "shared by all clients.\n"
		 "With the same --seed the n-th datagram of a direction meets the same fate, whatever other options "
		 "say.\n"
		 "It goes on when the target refuses (ICMP) and ends with SIGINT or SIGTERM, exit 0, saying what it "
		 "did.",
	.examples = "  dgram relay 127.0.0.1:7400 127.0.0.1:7401 --loss 30% --seed 42\n"
		    "  dgram relay :7400 server:7401 --delay 75ms --jitter 20ms --rate 2mbit\n"
		    "  dgram relay 127.0.0.1:0 127.0.0.1:7401 --loss-back 100%\n",
	.argp = &argp,
	.run = run,
};
