/* exchange.c - a window of messages between the input and what is printed: they are begun as the input comes, and
 * answers stand in the order of the input whatever the order of their coming.
 */
#include "exchange.h"
#include "caller.h"
#include "message.h"
#include "payload.h"
#include "verdict.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS 32 /* at once, with --lines: as many as a responder has places for, or half of them */
#define SENDS 256   /* they wait for nothing but an acknowledgement */
#define SENDS_AT_FULL 16
#define BYTES (1u << 20) /* at once: each has its deadline, and who waits behind long ones should not use it up */

/* One message, from its line to its answer. */
struct slot {
	struct call call;
	uint8_t *data; /* the payload's own is gone with the next line */
	size_t room;
};

struct exchanging {
	const struct exchange *x;
	struct caller caller;
	struct payload payload;
	struct output output;
	struct slot slots[CALLS_MAX]; /* a ring: the oldest first */
	size_t first, count, window;
	uint64_t bytes; /* of these */
	uint64_t begun;
	bool input_ended;
	int code; /* of the first failure */
};

static void add_number(json_t *event, const char *key, uint64_t number)
{
	json_object_set_new(event, key, json_integer((json_int_t)number));
}

static json_t *describe(const struct exchanging *g, const struct call *call)
{
	bool asked = call->kind == DGRAM_REQUEST;
	const char *name = g->caller.target->uri.name;
	struct dgram_event e = call->end;
	json_t *event;

	e.name = *name != '\0' ? name : NULL; /* the answer is to this one */
	e.name_len = strlen(name);
	event = message_json(asked ? "reply" : "sent", asked ? "from" : "to", &e);
	if (asked)
		json_add_payload(event, e.data, e.len);
	else
		add_number(event, "len", call->len);
	if (asked)
		add_number(event, "status", e.status);
	add_number(event, "tries", e.tries);
	add_number(event, "rtt_us", (e.elapsed > e.service ? e.elapsed - e.service : 0) / DGRAM_US);
	if (asked)
		add_number(event, "service_us", e.service / DGRAM_US);
	if (g->caller.tcp)
		json_object_set_new(event, "over", json_string("tcp"));
	if (call->line > 0)
		add_number(event, "line", call->line);
	return event;
}

static int print(struct exchanging *g, const struct call *call)
{
	const struct dgram_event *e = &call->end;
	char who[DGRAM_ADDR_TEXT_MAX], span[32];

	dgram_addr_display(&e->peer, who, sizeof who);
	target_span(e->elapsed, span, sizeof span);
	if (call->kind == DGRAM_SEND)
		say_verbose("%s has it: %zu byte%s, %u datagram%s, %s", who, call->len, plural(call->len), e->tries,
			    plural(e->tries), span);
	else
		say_verbose("%s answered: %zu byte%s, %u datagram%s, %s", who, e->len, plural(e->len), e->tries,
			    plural(e->tries), span);
	if (g->x->options->json)
		return json_write(describe(g, call));
	return call->kind == DGRAM_SEND ? 0 : output_message(&g->output, e->data, e->len, call->line > 0);
}

/* An exit code; a final one means that nothing more can be printed. */
static int conclude(struct exchanging *g, const struct call *call, bool *is_final)
{
	const struct verdict v = {
		.target = g->caller.target,
		.line = call->line,
		.len = call->len,
		.reply_max = g->x->reply_max,
		.span = call->elapsed,
		.tcp = g->caller.tcp,
	};
	int code = call->end.outcome == DGRAM_ANSWERED ? print(g, call) : 0;

	if (code == 0)
		code = verdict_tell(&v, &call->end);
	*is_final = output_gone() != 0;
	return *is_final ? output_gone() : code;
}

/* -- the window -- */

static int begin(struct exchanging *g)
{
	const struct payload *p = &g->payload;
	struct slot *slot = &g->slots[(g->first + g->count) % CALLS_MAX];

	if (p->len > slot->room) {
		free(slot->data);
		slot->data = malloc(p->len);
		slot->room = slot->data != NULL ? p->len : 0;
	}
	if (p->len > slot->room)
		return fail(CODE_BUSY, "out of memory");
	if (p->len > 0)
		memcpy(slot->data, p->data, p->len);
	slot->call.kind = g->x->kind;
	slot->call.ordered = g->x->kind == DGRAM_SEND;
	slot->call.data = slot->data;
	slot->call.len = p->len;
	slot->call.line = p->line;
	g->count++;
	g->bytes += p->len;
	return caller_begin(&g->caller, &slot->call);
}

static bool wants_input(const struct exchanging *g)
{
	return !g->input_ended && g->count < g->window && g->bytes < BYTES;
}

/* As many as the input has now and the window holds. */
static int begin_more(struct exchanging *g)
{
	int code = 0;

	while (code == 0 && wants_input(g) && payload_ready(&g->payload)) {
		if (!payload_next(&g->payload)) {
			g->input_ended = true;
			break;
		}
		code = begin(g);
		g->input_ended = ++g->begun == g->x->options->count;
	}
	return code;
}

/* What is done, up to the first one that is not. */
static int print_done(struct exchanging *g)
{
	int code = 0;
	bool is_final = false;

	while (g->count > 0 && g->slots[g->first].call.done && !is_final) {
		code = conclude(g, &g->slots[g->first].call, &is_final);
		if (g->code == 0)
			g->code = code;
		g->bytes -= g->slots[g->first].call.len;
		g->first = (g->first + 1) % CALLS_MAX;
		g->count--;
	}
	return is_final ? code : 0;
}

/* Before the first message there is nothing but the input to wait for. */
static int wait_for_news(struct exchanging *g)
{
	enum caller_news news = CALLER_INPUT;

	if (g->caller.loop != NULL)
		news = caller_wait(&g->caller, wants_input(g) ? g->payload.fd : -1);
	if (news == CALLER_INPUT)
		payload_feed(&g->payload);
	return news == CALLER_BROKEN ? g->caller.code : 0;
}

static int exchange_all(struct exchanging *g)
{
	for (;;) {
		int code = begin_more(g);

		if (code == 0)
			code = print_done(g);
		if (code != 0)
			return code;
		if (g->count == 0 && g->input_ended)
			return g->code != 0 ? g->code : g->payload.code;
		if (wants_input(g) && payload_ready(&g->payload))
			continue;
		code = wait_for_news(g);
		if (code != 0)
			return code;
	}
}

static void give_back(struct exchanging *g)
{
	caller_close(&g->caller);
	payload_close(&g->payload);
	for (size_t i = 0; i < CALLS_MAX; i++) {
		call_free(&g->slots[i].call);
		free(g->slots[i].data);
	}
}

/* -- */

/* At a terminal a name is enough: who asks for the time has nothing to say. */
static bool is_name_alone(const struct exchange *x, const struct target *target)
{
	const struct options *o = x->options;

	return *target->uri.name != '\0' && o->word_count == 1 && o->file == NULL && !o->lines && !o->nul &&
	       isatty(STDIN_FILENO);
}

int exchange_run(const struct exchange *x, struct target *target)
{
	static char nothing[] = "";
	char *empty[] = {nothing};
	const struct options *o = x->options;
	bool alone = is_name_alone(x, target);
	bool split = o->lines || o->nul;
	unsigned window = !split ? 1 : x->kind == DGRAM_SEND ? SENDS : REQUESTS;
	struct exchanging g = {
		.x = x,
		.window = window,
		.caller = {
			.options = o,
			.target = target,
			.trace.fd = -1,
			.request_max = x->request_max,
			.reply_max = x->reply_max,
			.at_once = window,
			.at_full = split && x->kind == DGRAM_SEND ? SENDS_AT_FULL : window,
			.explain = o->explain,
			.fallback = x->fallback,
			.tcp = target->uri.scheme == DGRAM_SCHEME_TCP,
		},
	};
	int code;

	output_open(&g.output, o->print);
	code = payload_open(&g.payload, o, alone ? empty : o->words + 1, alone ? 1 : o->word_count - 1, x->request_max);
	if (code == 0)
		code = exchange_all(&g);
	give_back(&g);
	return code;
}
