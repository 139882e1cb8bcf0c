#include "responder.h"
#include "escape.h"
#include "exit.h"
#include "json.h"
#include "outcome.h"
#include "output.h"
#include "say.h"
#include "signals.h"
#include "target.h"
#include "wait.h"
#include <dgram/resolve.h>
#include <dgram/time.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH DGRAM_BATCH_MAX

/* What an answer needs to know of its request: peer, local and interface say which way it goes. */
struct asked {
	struct dgram_datagram way;
	size_t len;
};

struct responder {
	struct dgram_socket *socket;
	const struct responder_config *config;
	struct responder_counts *counts;
	struct admission admission;
	struct procs *procs;  /* ANSWER_EXEC */
	struct asked *asked;  /* by ticket */
	uint8_t *buffers;
	struct dgram_datagram in[BATCH], out[BATCH];
	size_t asked_len[BATCH]; /* of out */
	size_t out_count;
	uint64_t now;
	bool closing; /* nothing more is taken */
	int code;     /* of stdout: it is gone, or cannot be written */
};

static const char *name_of(const struct dgram_addr *peer, char *buf, size_t size)
{
	return dgram_addr_display(peer, buf, size);
}

static void write_event(struct responder *r, json_t *event)
{
	int code = json_write(event);

	if (r->code == 0)
		r->code = code;
}

/* -- what is not answered -- */

static void refuse(struct responder *r, enum admit why, const struct dgram_addr *peer)
{
	char name[DGRAM_ADDR_TEXT_MAX];

	r->counts->refused[why]++;
	say_warning("%s: not answered: %s", name_of(peer, name, sizeof name), admit_reason(why));
	if (!r->config->json)
		return;
	json_t *event = json_event("error");
	json_object_set_new(event, "code", json_integer(why == ADMIT_BUSY ? CODE_BUSY : CODE_NO));
	json_object_set_new(event, "name", json_string(admit_name(why)));
	json_object_set_new(event, "reason", json_string(admit_reason(why)));
	json_add_addr(event, "from", peer);
	write_event(r, event);
}

static void handler_failed(struct responder *r, const struct dgram_addr *peer, const struct process_end *end)
{
	char name[DGRAM_ADDR_TEXT_MAX], what[256];

	r->counts->failed++;
	outcome_describe(&r->config->procs, end, what, sizeof what);
	say_warning("%s: the handler %s; nothing is sent", name_of(peer, name, sizeof name), what);
	if (!r->config->json)
		return;
	json_t *event = json_event("error");
	json_object_set_new(event, "code", json_integer(CODE_NO));
	json_object_set_new(event, "name", json_string("handler"));
	json_object_set_new(event, "reason", json_string(what));
	if (end->outcome == PROCESS_EXIT)
		json_object_set_new(event, "status", json_integer(end->code));
	json_add_addr(event, "from", peer);
	write_event(r, event);
}

/* -- answers -- */

static void answered(struct responder *r, const struct dgram_datagram *d, size_t request)
{
	char name[DGRAM_ADDR_TEXT_MAX];

	r->counts->answers++;
	say_verbose("%s: %zu byte%s, answered with %zu", name_of(&d->peer, name, sizeof name), request,
		    request == 1 ? "" : "s", d->len);
	if (!r->config->json)
		return;
	json_t *event = json_event("reply");
	json_add_addr(event, "to", &d->peer);
	json_object_set_new(event, "status", json_integer(0));
	json_add_payload(event, d->data, d->len);
	write_event(r, event);
}

static void not_sent(struct responder *r, const struct dgram_datagram *d, int error, int errno_value)
{
	char name[DGRAM_ADDR_TEXT_MAX];

	r->counts->unsent++;
	say_warning("%s: an answer of %zu bytes was not sent: %s", name_of(&d->peer, name, sizeof name), d->len,
		    error == DGRAM_ERR_SYSTEM ? strerror(errno_value) : dgram_strerror(error));
}

/* What the system does not take now is dropped: the next answer is worth as much, and who asked asks again. */
static void send_all(struct responder *r)
{
	for (size_t i = 0; i < r->out_count;) {
		int sent = dgram_socket_send_batch(r->socket, r->out + i, r->out_count - i);

		if (sent <= 0) {
			not_sent(r, &r->out[i], sent, errno);
			i++;
			continue;
		}
		for (; sent > 0; sent--, i++)
			answered(r, &r->out[i], r->asked_len[i]);
	}
	r->out_count = 0;
}

/* way: a received datagram; data stays where it is until send_all. */
static void answer(struct responder *r, const struct dgram_datagram *way, size_t request, const uint8_t *data,
		   size_t len)
{
	enum admit why = admit_answer(&r->admission, &way->peer, request, len);
	struct dgram_datagram *d = &r->out[r->out_count];

	if (why != ADMIT_YES) {
		refuse(r, why, &way->peer);
		return;
	}
	*d = *way;
	d->data = (uint8_t *)(uintptr_t)data;
	d->len = len;
	r->asked_len[r->out_count++] = request;
}

/* -- handlers -- */

static void log_line(void *context, uint32_t ticket, const char *line, size_t len)
{
	const struct responder *r = context;
	char name[DGRAM_ADDR_TEXT_MAX], text[ESCAPE_ROOM(PROCESS_LINE_MAX) + 1];

	say_logged("%s: handler: %s", name_of(&r->asked[ticket].way.peer, name, sizeof name),
		    escape_line(line, len, text, sizeof text));
}

static bool start_handler(struct responder *r, const struct dgram_datagram *d)
{
	char name[DGRAM_ADDR_TEXT_MAX];
	const struct procs_request request = {
		.handler = &r->config->handler,
		.data = d->data,
		.len = d->len,
		.peer = dgram_addr_format(&d->peer, name, sizeof name),
	};
	int ticket = procs_submit(r->procs, &request, r->now);

	if (ticket < 0) {
		refuse(r, ADMIT_BUSY, &d->peer);
		return false;
	}
	r->asked[ticket] = (struct asked){.way = *d, .len = d->len};
	return true;
}

static void handler_ended(struct responder *r, const struct procs_result *result)
{
	const struct asked *asked = &r->asked[result->ticket];
	char name[DGRAM_ADDR_TEXT_MAX], span[32];

	say_verbose("%s: the handler took %s", name_of(&asked->way.peer, name, sizeof name),
		    target_span(result->end.elapsed, span, sizeof span));
	if (result->end.left_over > 0)
		say_warning("%s: the handler left %u %s behind, which ended with it",
			    name_of(&asked->way.peer, name, sizeof name), result->end.left_over,
			    result->end.left_over == 1 ? "process" : "processes");
	if (result->end.outcome != PROCESS_OK) {
		handler_failed(r, &asked->way.peer, &result->end);
		return;
	}
	answer(r, &asked->way, asked->len, result->data, result->len);
	send_all(r); /* the bytes are the pool's until the next result */
}

static void run_handlers(struct responder *r)
{
	struct procs_result result;

	procs_work(r->procs, r->now);
	while (procs_next(r->procs, &result, r->now))
		handler_ended(r, &result);
}

/* -- the way in -- */

static void note_request(struct responder *r, const struct dgram_datagram *d)
{
	r->counts->requests++;
	if (r->counts->requests == r->config->count)
		r->closing = true;
	if (!r->config->json)
		return;
	json_t *event = json_event("message");
	json_add_addr(event, "from", &d->peer);
	json_add_payload(event, d->data, d->len);
	write_event(r, event);
}

static void take(struct responder *r, const struct dgram_datagram *d)
{
	enum admit why = admit_request(&r->admission, d, r->now);

	if (why != ADMIT_YES) {
		refuse(r, why, &d->peer);
		return;
	}
	if (r->config->form == ANSWER_EXEC && !start_handler(r, d))
		return;
	note_request(r, d);
	if (r->config->form == ANSWER_ECHO)
		answer(r, d, d->len, d->data, d->len);
	else if (r->config->form == ANSWER_TEXT)
		answer(r, d, d->len, r->config->text, r->config->text_len);
}

static void receive(struct responder *r)
{
	int n = dgram_socket_recv_batch(r->socket, r->in, BATCH);

	for (int i = 0; i < n && !r->closing; i++)
		take(r, &r->in[i]);
	send_all(r);
}

/* Refusals of answers: who asked is gone. */
static void note_errors(struct responder *r)
{
	struct dgram_socket_error e;
	char name[DGRAM_ADDR_TEXT_MAX];

	while (dgram_socket_next_error(r->socket, &e))
		say_verbose("%s: an answer came back: %s", name_of(&e.to, name, sizeof name), dgram_strerror(e.error));
}

/* -- the loop -- */

static void turn(struct responder *r)
{
	struct pollfd fd[3] = {
		{.fd = r->closing ? -1 : r->socket->fd, .events = POLLIN},
		{.fd = signals_fd(), .events = POLLIN},
		{.fd = r->procs != NULL ? procs_fd(r->procs) : -1, .events = POLLIN},
	};

	note_errors(r);
	wait_until(fd, 3, r->procs != NULL ? procs_deadline(r->procs) : DGRAM_NEVER);
	r->now = dgram_clock();
	output_hold();
	if (fd[0].revents != 0)
		receive(r);
	if (r->procs != NULL)
		run_handlers(r);
	int code = output_flush();
	if (r->code == 0)
		r->code = code;
}

static void stop(struct responder *r)
{
	r->closing = true;
	if (r->procs != NULL)
		r->counts->forgotten = procs_stop(r->procs, dgram_clock());
}

static void loop(struct responder *r)
{
	bool stopped = false;

	while (!r->closing || (r->procs != NULL && procs_busy(r->procs) > 0)) {
		turn(r);
		if (!stopped && (signals_caught() != 0 || r->code != 0)) {
			stop(r);
			stopped = true;
		}
	}
}

static int prepare(struct responder *r)
{
	const struct responder_config *c = r->config;
	struct dgram_addr own;
	uint8_t seed[32];

	if (dgram_socket_getsockname(r->socket, &own) < 0 || dgram_random_seed(seed) < 0)
		return fail(CODE_REFUSED, "cannot prepare the socket: %s", strerror(errno));
	admit_init(&r->admission, &own, seed);
	r->admission.low_ports = c->low_ports;
	r->admission.growth = c->insecure_open;
	dgram_socket_settimeout(r->socket, 0);
	r->buffers = malloc(BATCH * c->request_max + 1);
	if (r->buffers == NULL)
		return fail(CODE_BUSY, "out of memory");
	for (size_t i = 0; i < BATCH; i++) {
		r->in[i].data = r->buffers + i * c->request_max;
		r->in[i].size = c->request_max;
	}
	return 0;
}

static int prepare_handlers(struct responder *r)
{
	struct procs_config c = r->config->procs;

	c.request_max = r->config->request_max;
	c.sink = (struct process_sink){.line = log_line, .context = r};
	r->asked = calloc(c.running_max + c.queue_max, sizeof *r->asked);
	r->procs = r->asked != NULL ? procs_new(&c) : NULL;
	return r->procs != NULL ? 0 : fail(CODE_BUSY, "cannot prepare for handlers: %s", strerror(errno));
}

int responder_run(struct dgram_socket *s, const struct responder_config *config, struct responder_counts *counts)
{
	struct responder *r = calloc(1, sizeof *r);
	int code;

	if (r == NULL)
		return fail(CODE_BUSY, "out of memory");
	*counts = (struct responder_counts){0};
	r->socket = s;
	r->config = config;
	r->counts = counts;
	code = prepare(r);
	if (code == 0 && config->form == ANSWER_EXEC)
		code = prepare_handlers(r);
	if (code == 0)
		loop(r);
	if (code == 0)
		code = r->code;
	procs_free(r->procs);
	free(r->asked);
	free(r->buffers);
	free(r);
	return code;
}
