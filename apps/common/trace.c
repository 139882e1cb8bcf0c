#define _GNU_SOURCE
#include "trace.h"
#include "json.h"
#include <dgram/look.h>
#include <dgram/time.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSING (4u << 20) /* bytes of datagrams between two looks */

int trace_open(struct trace *t, const struct options *o)
{
	*t = (struct trace){.fd = -1, .payload = o->trace_payload, .file = o->trace, .start = dgram_clock()};
	if (o->trace == NULL)
		return 0;
	t->fd = open(o->trace, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return fail(CODE_WRITE, "--trace: %s: cannot write: %s", o->trace, strerror(errno));
	return 0;
}

void trace_close(struct trace *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	t->loop = NULL;
	free(t->memory);
	t->memory = NULL;
}

int trace_check_plain(const struct options *o)
{
	if (o->trace == NULL)
		return 0;
	return fail_usage(o->command->name, "--trace shows the dgram protocol, and this endpoint is plain: tcpdump shows "
					    "its datagrams, and dgram request --trace its tries");
}

/* ---- lines ---- */

static void set_number(json_t *event, const char *key, uint64_t number)
{
	json_object_set_new(event, key, json_integer((json_int_t)number));
}

static void set_text(json_t *event, const char *key, const char *text)
{
	json_object_set_new(event, key, json_string(text));
}

static void set_id(json_t *event, const char *key, uint64_t id)
{
	char text[20];

	snprintf(text, sizeof text, "%016" PRIx64, id);
	set_text(event, key, text);
}

/* Half a line would be none. */
static void give_up(struct trace *t)
{
	say_error("--trace: %s: cannot write: %s; what follows is not traced", t->file, strerror(errno));
	if (ftruncate(t->fd, t->whole) < 0)
		errno = 0; /* no regular file: there is nothing to cut */
	close(t->fd);
	t->fd = -1;
}

static void write_event(struct trace *t, json_t *event)
{
	char *line = json_dumps(event, JSON_COMPACT);
	size_t len = line != NULL ? strlen(line) : 0, done = 0;

	json_decref(event);
	if (line != NULL)
		line[len++] = '\n'; /* in place of its end */
	while (done < len && t->fd >= 0) {
		ssize_t n = write(t->fd, line + done, len - done);

		if (n < 0 && errno != EINTR)
			give_up(t);
		done += n > 0 ? (size_t)n : 0;
	}
	t->whole += (off_t)len;
	free(line);
}

/* ---- plain questions ---- */

/* The event happened at ns after the start of the question, of which elapsed have passed by now. */
static json_t *event_at(const char *ev, const struct dgram_ask_report *report, uint64_t at)
{
	json_t *event = json_event_ago(ev, report->elapsed > at ? report->elapsed - at : 0);

	set_number(event, "at_us", at / DGRAM_US);
	return event;
}

static void write_end(struct trace *t, const struct dgram_ask_report *report, int outcome,
                      const void *answer)
{
	json_t *event = event_at(outcome < 0 ? "error" : "reply", report, report->elapsed);
	if (outcome < 0) {
		set_number(event, "code", (uint64_t)exit_of(outcome));
		set_text(event, "name", dgram_error_name(outcome));
	} else {
		json_add_addr(event, "from", &report->from);
		set_number(event, "len", (uint64_t)outcome);
		set_number(event, "rtt_us", report->rtt / DGRAM_US);
	}
	set_number(event, "tries", report->tries);
	if (outcome >= 0 && t->payload)
		json_add_payload(event, answer, (size_t)outcome);
	write_event(t, event);
}

void trace_question(struct trace *t, const struct dgram_question *q,
                    const struct dgram_ask_report *report, int outcome)
{
	uint64_t tries = 0;
	if (t->fd < 0)
		return;
	for (uint32_t i = 0; i < report->event_count && i < DGRAM_ASK_EVENTS_MAX; i++) {
		const struct dgram_ask_event *e = &report->events[i];
		json_t *event = event_at(e->error == 0 ? "try" : "failed", report, e->at);
		json_add_addr(event, "to", &q->to[e->to]);
		if (e->error != 0)
			set_text(event, "name", dgram_error_name(e->error));
		else
			set_number(event, "try", ++tries);
		if (e->error == 0 && t->payload)
			json_add_payload(event, q->data, q->len);
		write_event(t, event);
	}
	write_end(t, report, outcome, q->answer);
}

/* ---- the dgram protocol ---- */

static json_t *event_since(const struct trace *t, const char *ev, uint64_t at)
{
	uint64_t now = dgram_clock();
	json_t *event = json_event_ago(ev, now > at ? now - at : 0);

	set_number(event, "at_us", (at > t->start ? at - t->start : 0) / DGRAM_US);
	return event;
}

int trace_loop(struct trace *t, struct dgram_loop *loop, const struct dgram_addr *local, const char *command)
{
	json_t *event;

	if (t->fd < 0 && !t->watched)
		return 0;
	if (t->memory == NULL)
		t->memory = malloc(PASSING);
	if (t->memory == NULL)
		return fail(CODE_BUSY, "--trace: out of memory");
	t->loop = loop;
	t->told = (struct dgram_endpoint_stats){.lost = 0};
	dgram_loop_tap(loop, t->memory, PASSING);
	if (t->fd < 0)
		return 0;
	event = event_since(t, "trace", dgram_clock());
	set_text(event, "command", command);
	set_number(event, "pid", (uint64_t)getpid());
	if (local != NULL && local->port != 0)
		json_add_addr(event, "local", local);
	write_event(t, event);
	return 0;
}

static json_t *describe_frame(const struct trace *t, const struct dgram_look_frame *f)
{
	json_t *frame = json_object();

	set_text(frame, "frame", f->name);
	for (size_t i = 0; i < f->fields; i++)
		set_number(frame, f->field[i].key, f->field[i].value);
	if (f->word != NULL)
		set_text(frame, "says", f->word);
	if (f->message != NULL)
		json_object_set_new(frame, "name", json_stringn(f->message, f->message_len));
	if (f->data != NULL)
		set_number(frame, "len", f->len);
	if (f->data != NULL && t->payload)
		json_add_payload(frame, f->data, f->len);
	return frame;
}

static void describe_datagram(const struct trace *t, json_t *event, const struct dgram_passed *p)
{
	struct dgram_look look;
	struct dgram_look_frame f;
	json_t *frames;

	set_number(event, "len", p->len);
	if (dgram_look(&look, p->data, p->len) < 0) {
		if (t->payload)
			json_add_payload(event, p->data, p->len);
		return;
	}
	set_text(event, "type", look.name);
	if (look.sender != 0)
		set_id(event, "sender", look.sender);
	if (look.receiver != 0)
		set_id(event, "receiver", look.receiver);
	if (strcmp(look.name, "BUSY") == 0)
		set_number(event, "retry_ms", look.number);
	else if (strcmp(look.name, "DATA") == 0 || strcmp(look.name, "NOSESSION") == 0)
		set_number(event, "number", look.number);
	if (strcmp(look.name, "DATA") != 0 || look.sealed)
		return;
	frames = json_array();
	while (dgram_look_next(&look, &f) == 1)
		json_array_append_new(frames, describe_frame(t, &f));
	json_object_set_new(event, "frames", frames);
}

static void write_passed(struct trace *t, const struct dgram_passed *p)
{
	static const char *const ways[] = {
		[DGRAM_WAY_OUT] = "out", [DGRAM_WAY_IN] = "in", [DGRAM_WAY_ERROR] = "network"};
	json_t *event = event_since(t, ways[p->way], p->at);

	json_add_addr(event, "peer", &p->peer);
	if (p->left_out > 0)
		set_number(event, "left_out", p->left_out);
	if (p->way == DGRAM_WAY_ERROR)
		set_text(event, "name", dgram_error_name(p->error));
	else
		describe_datagram(t, event, p);
	if (p->way == DGRAM_WAY_IN)
		set_text(event, "fate", dgram_fate_name((enum dgram_fate)p->fate));
	write_event(t, event);
}

/* What the timers and acknowledgements made of the datagrams on their way. */
static void write_recovery(struct trace *t)
{
	struct dgram_endpoint_stats now;
	json_t *event;

	dgram_endpoint_stats(dgram_loop_endpoint(t->loop), &now);
	if (now.lost == t->told.lost && now.late == t->told.late && now.probes == t->told.probes)
		return;
	event = event_since(t, "recovery", dgram_clock());
	set_number(event, "lost", now.lost - t->told.lost);
	set_number(event, "not_lost_after_all", now.late - t->told.late);
	set_number(event, "timeouts", now.probes - t->told.probes);
	write_event(t, event);
	t->told = now;
}

bool trace_next(struct trace *t, struct dgram_passed *p)
{
	if (t->loop == NULL)
		return false;
	if (dgram_loop_next_passed(t->loop, p) == 1) {
		if (t->fd >= 0)
			write_passed(t, p);
		return true;
	}
	if (t->fd >= 0)
		write_recovery(t);
	return false;
}

void trace_take(struct trace *t)
{
	struct dgram_passed p;

	while (trace_next(t, &p))
		;
}

void trace_event(struct trace *t, const struct dgram_event *e)
{
	static const char *const types[] = {
		[DGRAM_EVENT_MESSAGE] = "message", [DGRAM_EVENT_REQUEST] = "request",
		[DGRAM_EVENT_STOP] = "stop", [DGRAM_EVENT_DONE] = "done"};
	static const char *const kinds[] = {
		[0] = "plain", [DGRAM_POST] = "post", [DGRAM_SEND] = "send", [DGRAM_REQUEST] = "request", [DGRAM_ECHO] = "echo"};
	static const char *const outcomes[] = {
		[DGRAM_ANSWERED] = "answered", [DGRAM_REFUSED] = "refused", [DGRAM_UNKNOWN] = "unknown"};
	json_t *event;

	if (t->fd < 0 || t->loop == NULL)
		return;
	event = event_since(t, types[e->type], dgram_clock());
	json_add_addr(event, "peer", &e->peer);
	set_text(event, "kind", kinds[e->kind]);
	if (e->session != 0) {
		set_id(event, "session", e->session);
		set_number(event, "id", e->number);
	}
	if (e->type == DGRAM_EVENT_DONE) {
		set_text(event, "outcome", outcomes[e->outcome]);
		set_number(event, "status", e->status);
		set_number(event, "tries", e->tries);
		set_number(event, "elapsed_us", e->elapsed / DGRAM_US);
	}
	if (e->type == DGRAM_EVENT_DONE || e->type == DGRAM_EVENT_STOP)
		set_text(event, "reason", dgram_reason_name((enum dgram_reason)e->reason));
	else
		set_number(event, "len", e->len);
	write_event(t, event);
}
