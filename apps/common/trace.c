#define _GNU_SOURCE
#include "trace.h"
#include "json.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int trace_open(struct trace *t, const char *file, bool payload)
{
	*t = (struct trace){.fd = -1, .payload = payload};
	if (file == NULL)
		return 0;
	t->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return fail(CODE_WRITE, "--trace: %s: cannot write: %s", file, strerror(errno));
	return 0;
}

void trace_close(struct trace *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static void set_number(json_t *event, const char *key, uint64_t number)
{
	json_object_set_new(event, key, json_integer((json_int_t)number));
}

/* The event happened at ns after the start of the question, of which elapsed have passed by now. */
static json_t *event_at(const char *ev, const struct dgram_ask_report *report, uint64_t at)
{
	json_t *event = json_event_ago(ev, report->elapsed > at ? report->elapsed - at : 0);
	set_number(event, "at_us", at / DGRAM_US);
	return event;
}

static void write_event(const struct trace *t, json_t *event)
{
	json_dumpfd(event, t->fd, JSON_COMPACT);
	json_decref(event);
	if (write(t->fd, "\n", 1) < 0)
		say_warning("--trace: cannot write: %s", strerror(errno));
}

static void write_end(const struct trace *t, const struct dgram_ask_report *report, int outcome,
                      const void *answer)
{
	json_t *event = event_at(outcome < 0 ? "error" : "reply", report, report->elapsed);
	if (outcome < 0) {
		set_number(event, "code", (uint64_t)exit_of(outcome));
		json_object_set_new(event, "name", json_string(dgram_error_name(outcome)));
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

void trace_question(const struct trace *t, const struct dgram_question *q,
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
			json_object_set_new(event, "name", json_string(dgram_error_name(e->error)));
		else
			set_number(event, "try", ++tries);
		if (e->error == 0 && t->payload)
			json_add_payload(event, q->data, q->len);
		write_event(t, event);
	}
	write_end(t, report, outcome, q->answer);
}
