#include "service.h"
#include "exit.h"
#include "json.h"
#include "message.h"
#include "outcome.h"
#include "output.h"
#include "plain.h"
#include "say.h"
#include "server.h"
#include <dgram/resolve.h>
#include <dgram/time.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL (64u << 20)              /* bytes, beside the longest request and reply */
#define RETRY_AFTER (DGRAM_S / 4)     /* what who is refused for the queue's sake is told to wait */
#define RETRY_LATER (DGRAM_S)         /* the same when we end: another may be here then */
#define ROOM_WAIT (10 * DGRAM_MS)     /* until a reply that had no room is tried again */
#define SETTLE_COUNT (5 * DGRAM_S)    /* at -n: until the last answer is known to have arrived */
#define SETTLE_SIGNAL (DGRAM_S / 4)

/* A request with a handler; one that is not taken is a plain datagram's. */
struct asked {
	bool taken, wanted;
	struct dgram_event event; /* its name and peer; no data */
	char name[DGRAM_NAME_MAX];
};

struct service {
	struct server server;
	const struct responder_config *config;
	struct responder_counts *counts;
	struct procs *procs;      /* NULL: nothing is started */
	struct plain *plain;      /* NULL: plain datagrams are passed over */
	struct asked *asked;      /* by ticket */
	size_t asked_count;
	struct procs_result held; /* a result whose reply had no room yet */
	bool holding;
	uint64_t now;
	bool closing; /* nothing more is taken */
	int code;     /* of stdout: it is gone, or cannot be written */
};

static struct dgram_endpoint *endpoint(const struct service *v)
{
	return dgram_loop_endpoint(v->server.loop);
}

static void write_event(struct service *v, json_t *event)
{
	int code = json_write(event);

	if (v->code == 0)
		v->code = code;
}

static char *peer_of(const struct dgram_event *e, char *buf, size_t size)
{
	return dgram_addr_display(&e->peer, buf, size);
}

/* -- answers -- */

static json_t *describe_answer(const struct dgram_event *e, int status, const void *data, size_t len)
{
	json_t *event = message_json("reply", "to", e);

	json_object_set_new(event, "status", json_integer(status));
	json_add_payload(event, data, len);
	return event;
}

static void answered(struct service *v, const struct dgram_event *e, const char *name, int status, size_t len)
{
	char who[DGRAM_ADDR_TEXT_MAX];

	v->counts->answers++;
	v->counts->failed += status != 0;
	say_verbose("%s: %s%s%zu byte%s, answered with %zu", peer_of(e, who, sizeof who), name, *name != '\0' ? ": " : "",
		    e->len, e->len == 1 ? "" : "s", len);
}

/* A request that was taken ends without an answer: nobody would hear it. */
static void unwanted(struct service *v, const struct dgram_event *e, const char *why)
{
	char who[DGRAM_ADDR_TEXT_MAX], reason[128];
	json_t *event;

	v->counts->stopped++;
	snprintf(reason, sizeof reason, "no longer wanted: %s", why);
	say_verbose("%s: %s", peer_of(e, who, sizeof who), reason);
	if (!v->config->json)
		return;
	event = json_error(CODE_UNKNOWN, reason);
	json_add_addr(event, "from", &e->peer);
	write_event(v, event);
}

/* 0, or DGRAM_ERR_FULL: try again. An answer that nobody waits for any more is none. The name and the data may be the
 * endpoint's own, and after the call they are gone. */
static int answer(struct service *v, const struct dgram_event *e, int status, const void *data, size_t len)
{
	json_t *event = v->config->json ? describe_answer(e, status, data, len) : NULL;
	char name[DGRAM_NAME_MAX + 1] = "";
	int error;

	memcpy(name, e->name != NULL ? e->name : "", e->name_len);
	error = dgram_endpoint_reply(endpoint(v), e->id, (uint8_t)status, data, len, v->now);

	if (error == 0)
		answered(v, e, name, status, len);
	if (error == 0 && event != NULL)
		write_event(v, event);
	else
		json_decref(event);
	if (error == DGRAM_ERR_CLOSED)
		unwanted(v, e, "its answer comes too late");
	if (error == DGRAM_ERR_SIZE)
		return answer(v, e, outcome_status(&(struct process_end){.outcome = PROCESS_FLOOD}), "", 0);
	return error == DGRAM_ERR_FULL ? error : 0;
}

static void refuse(struct service *v, const struct dgram_event *e, enum dgram_refusal why, const char *reason)
{
	char who[DGRAM_ADDR_TEXT_MAX];
	json_t *event = NULL;

	if (v->config->json) {
		event = json_error(why == DGRAM_BUSY ? CODE_BUSY : CODE_NO, reason);
		json_add_addr(event, "from", &e->peer);
	}
	dgram_endpoint_refuse(endpoint(v), e->id, why, RETRY_AFTER, v->now);
	say_warning("%s: refused: %s", peer_of(e, who, sizeof who), reason);
	if (event != NULL)
		write_event(v, event);
}

static void refuse_busy(struct service *v, const struct dgram_event *e, const char *why)
{
	v->counts->busy++;
	refuse(v, e, DGRAM_BUSY, why);
}

/* -- handlers -- */

static void log_line(void *context, uint32_t ticket, const char *line, size_t len)
{
	const struct service *v = context;

	if (v->asked[ticket].taken)
		outcome_log(&v->asked[ticket].event.peer, line, len);
	else
		plain_log(v->plain, ticket, line, len);
}

static void note_asked(struct service *v, uint32_t ticket, const struct dgram_event *e)
{
	struct asked *a = &v->asked[ticket];

	a->taken = a->wanted = true;
	a->event = *e;
	a->event.data = NULL;
	if (e->name == NULL)
		return;
	memcpy(a->name, e->name, e->name_len);
	a->event.name = a->name;
}

static bool start(struct service *v, const struct dgram_event *e, const struct handler *handler)
{
	char who[DGRAM_ADDR_TEXT_MAX], name[DGRAM_NAME_MAX + 1] = "", id[MESSAGE_ID_MAX];
	const struct procs_request request = {
		.handler = handler,
		.data = e->data,
		.len = e->len,
		.deadline = e->deadline,
		.peer = dgram_addr_format(&e->peer, who, sizeof who),
		.name = name,
		.id = message_id(e, id, sizeof id),
	};
	int ticket;

	if (e->name != NULL)
		memcpy(name, e->name, e->name_len);
	ticket = procs_submit(v->procs, &request, v->now);
	if (ticket < 0) {
		refuse_busy(v, e, admit_reason(ADMIT_BUSY));
		return false;
	}
	note_asked(v, (uint32_t)ticket, e);
	return true;
}

/* What was printed goes with a failure that the handler chose itself; what it was stopped in is no answer. */
static bool is_whole(const struct process_end *end)
{
	return end->outcome == PROCESS_OK || end->outcome == PROCESS_EXIT;
}

/* 0, or DGRAM_ERR_FULL. Stopped ones have no answer: who still waits hears that the session has ended. */
static int handler_ended(struct service *v, const struct procs_result *r)
{
	struct asked *a = &v->asked[r->ticket];
	bool whole = is_whole(&r->end);
	int error = 0;

	if (a->wanted && outcome_is_shortage(&r->end))
		refuse_busy(v, &a->event, "no descriptors, memory or processes for its handler");
	else if (a->wanted && r->end.outcome != PROCESS_STOPPED)
		error = answer(v, &a->event, outcome_status(&r->end), whole ? r->data : (const uint8_t *)"",
			       whole ? r->len : 0);
	else if (a->wanted)
		unwanted(v, &a->event, "we end");
	if (error == 0)
		a->taken = a->wanted = false;
	return error;
}

static void run_handlers(struct service *v)
{
	struct procs_result *r = &v->held;

	procs_work(v->procs, v->now);
	while (v->holding || procs_next(v->procs, r, v->now)) {
		if (!v->asked[r->ticket].taken) {
			plain_ended(v->plain, r);
			continue;
		}
		if (!v->holding && r->end.outcome != PROCESS_STOPPED)
			outcome_tell(&v->config->procs, &v->asked[r->ticket].event.peer, &r->end, "");
		v->holding = handler_ended(v, r) != 0;
		if (v->holding)
			return;
	}
}

/* -- the way in -- */

static void note_request(struct service *v, const struct dgram_event *e)
{
	v->counts->requests++;
	if (!v->config->json)
		return;
	json_t *event = message_json("message", "from", e);
	json_add_payload(event, e->data, e->len);
	write_event(v, event);
}

static const struct handler *handler_for(const struct service *v, const struct dgram_event *e)
{
	if (v->config->form == ANSWER_EXEC)
		return &v->config->handler;
	return names_find(&v->config->names, e->name != NULL ? e->name : "", e->name_len);
}

static void refuse_name(struct service *v, const struct dgram_event *e)
{
	char why[DGRAM_NAME_MAX + 64];

	v->counts->unknown++;
	snprintf(why, sizeof why, e->name_len > 0 ? "nobody answers the name '%.*s'" : "a name is missing",
		 (int)e->name_len, e->name_len > 0 ? e->name : "");
	refuse(v, e, DGRAM_NO_SUCH_NAME, why);
}

static void take(struct service *v, const struct dgram_event *e)
{
	const struct responder_config *c = v->config;
	bool echo = c->form == ANSWER_ECHO;

	if (v->closing) {
		refuse_busy(v, e, "we end");
		return;
	}
	if (v->procs == NULL) {
		const uint8_t *data = echo ? e->data : c->text;
		size_t len = echo ? e->len : c->text_len;

		note_request(v, e); /* before the answer: its bytes are the endpoint's */
		if (answer(v, e, 0, data, len) != 0)
			refuse_busy(v, e, "no room for its answer");
		return;
	}
	const struct handler *handler = handler_for(v, e);
	if (handler == NULL) {
		refuse_name(v, e);
	} else if (start(v, e, handler)) {
		note_request(v, e);
	}
}

static void stop_one(struct service *v, uint64_t id, const char *why)
{
	for (size_t i = 0; i < v->asked_count; i++) {
		struct asked *a = &v->asked[i];

		if (!a->taken || !a->wanted || a->event.id != id)
			continue;
		unwanted(v, &a->event, why);
		a->wanted = false;
		a->taken = !procs_cancel(v->procs, (uint32_t)i, v->now);
		return;
	}
}

static void note_message(struct service *v, const struct dgram_event *e)
{
	char who[DGRAM_ADDR_TEXT_MAX];

	v->counts->messages++;
	say_warning("%s: sent a message; requests are answered here, messages come to dgram listen",
		    peer_of(e, who, sizeof who));
}

static void take_plain(struct service *v)
{
	if (v->closing)
		return;
	plain_take(v->plain, dgram_loop_plain(v->server.loop), v->now);
	plain_send(v->plain);
}

static void handle(struct service *v, const struct dgram_event *e)
{
	switch ((enum dgram_event_type)e->type) {
	case DGRAM_EVENT_REQUEST:
		take(v, e);
		break;
	case DGRAM_EVENT_STOP:
		stop_one(v, e->id, dgram_reason_text((enum dgram_reason)e->reason));
		break;
	case DGRAM_EVENT_MESSAGE:
		if (e->kind == 0)
			take_plain(v);
		else
			note_message(v, e);
		break;
	case DGRAM_EVENT_DONE:
		break;
	}
	v->closing = v->closing || responder_has_enough(v->config, v->counts);
}

/* -- the loop -- */

/* What waits was not begun, so it is refused; what runs may have done its work, so nobody is told that it did not. */
static void stop(struct service *v)
{
	v->closing = true;
	for (size_t i = 0; v->procs != NULL && i < v->asked_count; i++) {
		struct asked *a = &v->asked[i];

		if (!a->taken || !procs_cancel(v->procs, (uint32_t)i, v->now))
			continue;
		a->taken = false;
		v->counts->forgotten++;
		dgram_endpoint_refuse(endpoint(v), a->event.id, DGRAM_BUSY, RETRY_LATER, v->now);
	}
	if (v->procs != NULL)
		v->counts->forgotten += procs_stop(v->procs, v->now);
}

static bool is_busy(const struct service *v)
{
	return v->procs != NULL && (v->holding || procs_busy(v->procs) > 0);
}

static uint64_t due(const struct service *v)
{
	if (v->holding)
		return v->now + ROOM_WAIT;
	return v->procs != NULL ? procs_deadline(v->procs) : DGRAM_NEVER;
}

static void loop(struct service *v)
{
	bool stopped = false;

	while (v->server.code == 0 && (!v->closing || is_busy(v))) {
		struct dgram_event event;
		int fd = v->procs != NULL && !v->holding ? procs_fd(v->procs) : -1, code;
		enum server_news news = server_next(&v->server, &event, fd, due(v));

		v->now = dgram_clock();
		output_hold();
		if (news == SERVER_EVENT)
			handle(v, &event);
		if (v->procs != NULL) {
			v->now = dgram_clock(); /* to start one takes a while, and it may have ended since */
			run_handlers(v);
		}
		code = output_flush();
		v->code = v->code == 0 ? code : v->code;
		if (v->code == 0 && v->plain != NULL)
			v->code = plain_code(v->plain);
		if (!stopped && (news == SERVER_END || v->code != 0)) {
			stop(v);
			stopped = true;
		}
	}
	server_settle(&v->server, stopped ? SETTLE_SIGNAL : SETTLE_COUNT);
	v->counts->passed_over = server_passed_over(&v->server, &(uint64_t){0});
}

static int prepare_handlers(struct service *v)
{
	struct procs_config c = v->config->procs;

	c.request_max = v->config->request_max;
	c.sink = (struct process_sink){.line = log_line, .context = v};
	v->asked_count = c.running_max + c.queue_max;
	v->asked = calloc(v->asked_count, sizeof *v->asked);
	v->procs = v->asked != NULL ? procs_new(&c) : NULL;
	return v->procs != NULL ? 0 : fail(CODE_BUSY, "cannot prepare for handlers: %s", strerror(errno));
}

static int prepare(struct service *v, struct door *door)
{
	const struct responder_config *c = v->config;
	const struct dgram_endpoint_config config = {
		.message_max = (uint32_t)(c->request_max > 0 ? c->request_max : 1),
		.pool = POOL + 4 * (uint64_t)(c->request_max + c->procs.reply_max),
	};
	int code = server_open(&v->server, door, &config, c->trace, "respond");

	if (code == 0 && (c->form == ANSWER_EXEC || c->form == ANSWER_NAMES))
		code = prepare_handlers(v);
	if (code != 0 || !c->plain)
		return code;
	v->plain = plain_new(&door->socket, c, v->counts, v->procs);
	dgram_loop_take_plain(v->server.loop);
	return v->plain != NULL ? 0 : CODE_BUSY;
}

int service_run(struct door *door, const struct responder_config *config, struct responder_counts *counts)
{
	struct service v = {.config = config, .counts = counts};
	int code;

	*counts = (struct responder_counts){0};
	code = prepare(&v, door);
	v.now = dgram_clock();
	if (code == 0)
		loop(&v);
	if (code == 0)
		code = v.code != 0 ? v.code : v.server.code;
	procs_free(v.procs);
	plain_free(v.plain);
	server_close(&v.server);
	free(v.asked);
	return code;
}
