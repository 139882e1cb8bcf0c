#include "exchange.h"
#include "caller.h"
#include "message.h"
#include "payload.h"
#include "verdict.h"
#include <string.h>
#include <unistd.h>

struct exchanging {
	const struct exchange *x;
	struct caller caller;
	struct payload payload;
	struct output output;
};

static void add_number(json_t *event, const char *key, uint64_t number)
{
	json_object_set_new(event, key, json_integer((json_int_t)number));
}

static json_t *describe(const struct exchanging *g, struct dgram_event *done)
{
	bool asked = g->x->kind == DGRAM_REQUEST;
	const char *name = g->caller.target->uri.name;
	json_t *event;

	done->name = *name != '\0' ? name : NULL; /* the answer is to this one */
	done->name_len = strlen(name);
	event = message_json(asked ? "reply" : "sent", asked ? "from" : "to", done);
	if (asked)
		json_add_payload(event, done->data, done->len);
	else
		add_number(event, "len", g->payload.len);
	if (asked)
		add_number(event, "status", done->status);
	add_number(event, "tries", done->tries);
	add_number(event, "rtt_us", (done->elapsed > done->service ? done->elapsed - done->service : 0) / DGRAM_US);
	if (asked)
		add_number(event, "service_us", done->service / DGRAM_US);
	if (g->payload.line > 0)
		add_number(event, "line", g->payload.line);
	return event;
}

static int print(struct exchanging *g, struct dgram_event *done)
{
	const struct options *o = g->x->options;
	char who[DGRAM_ADDR_TEXT_MAX], span[32];

	dgram_addr_display(&done->peer, who, sizeof who);
	target_span(done->elapsed, span, sizeof span);
	if (g->x->kind == DGRAM_SEND)
		say_verbose("%s has it: %zu bytes, %u datagram%s, %s", who, g->payload.len, done->tries,
			    done->tries == 1 ? "" : "s", span);
	else
		say_verbose("%s answered: %zu bytes, %u datagram%s, %s", who, done->len, done->tries,
			    done->tries == 1 ? "" : "s", span);
	if (o->json)
		return json_write(describe(g, done));
	return g->x->kind == DGRAM_SEND ? 0 : output_message(&g->output, done->data, done->len, g->payload.line > 0);
}

static int exchange_one(struct exchanging *g)
{
	struct dgram_event done;
	struct verdict v;
	int code = caller_send(&g->caller, g->x->kind, g->payload.data, g->payload.len, &done);

	if (code != 0)
		return code;
	if (done.outcome == DGRAM_ANSWERED)
		code = print(g, &done);
	if (code != 0)
		return code;
	v = (struct verdict){
		.target = g->caller.target,
		.line = g->payload.line,
		.len = g->payload.len,
		.reply_max = g->x->reply_max,
		.span = caller_span(&g->caller),
	};
	return verdict_tell(&v, &done);
}

/* Whether nothing more is worth trying: stdout is gone, or the endpoint cannot be talked to at all. */
static bool is_final(const struct exchanging *g, int code)
{
	return code == CODE_PIPE || code == CODE_WRITE || g->caller.code != 0;
}

static int exchange_all(struct exchanging *g)
{
	uint64_t count = 0;
	int first = 0;

	while (payload_next(&g->payload)) {
		int code = exchange_one(g);

		if (first == 0)
			first = code;
		if (is_final(g, code))
			return code;
		if (++count == g->x->options->count)
			break;
	}
	return first != 0 ? first : g->payload.code;
}

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
	struct exchanging g = {
		.x = x,
		.caller = {
			.options = o,
			.target = target,
			.request_max = x->request_max,
			.reply_max = x->reply_max,
			.retry_refused = x->retry_refused,
			.explain = x->explain,
		},
	};
	int code;

	output_open(&g.output, o->print);
	code = payload_open(&g.payload, o, alone ? empty : o->words + 1, alone ? 1 : o->word_count - 1, x->request_max);
	if (code == 0)
		code = exchange_all(&g);
	caller_close(&g.caller);
	payload_close(&g.payload);
	return code;
}
