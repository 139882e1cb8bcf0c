#include "responder.h"
#include "exit.h"
#include "output.h"
#include "plain.h"
#include "say.h"
#include "signals.h"
#include "wait.h"
#include <dgram/resolve.h>
#include <dgram/time.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH DGRAM_BATCH_MAX

struct responder {
	struct dgram_socket *socket;
	const struct responder_config *config;
	struct responder_counts *counts;
	struct plain *plain;
	struct procs *procs; /* ANSWER_EXEC */
	uint8_t *buffers;
	struct dgram_datagram in[BATCH];
	uint64_t now;
	bool closing; /* nothing more is taken */
	int code;     /* of stdout: it is gone, or cannot be written */
};

static void log_line(void *context, uint32_t ticket, const char *line, size_t len)
{
	const struct responder *r = context;

	plain_log(r->plain, ticket, line, len);
}

static void run_handlers(struct responder *r)
{
	struct procs_result result;

	procs_work(r->procs, r->now);
	while (procs_next(r->procs, &result, r->now))
		plain_ended(r->plain, &result);
}

static void receive(struct responder *r)
{
	int n = dgram_socket_recv_batch(r->socket, r->in, BATCH);

	for (int i = 0; i < n && !r->closing; i++)
		if (plain_take(r->plain, &r->in[i], r->now))
			r->closing = responder_has_enough(r->config, r->counts);
	plain_send(r->plain);
}

/* Refusals of answers: who asked is gone. */
static void note_errors(struct responder *r)
{
	struct dgram_socket_error e;
	char name[DGRAM_ADDR_TEXT_MAX];

	while (dgram_socket_next_error(r->socket, &e))
		say_verbose("%s: an answer came back: %s", dgram_addr_display(&e.to, name, sizeof name), dgram_strerror(e.error));
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
		r->code = plain_code(r->plain) != 0 ? plain_code(r->plain) : code;
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

	dgram_socket_settimeout(r->socket, 0);
	r->buffers = malloc(BATCH * c->request_max + 1);
	if (r->buffers == NULL)
		return fail(CODE_BUSY, "out of memory");
	for (size_t i = 0; i < BATCH; i++) {
		r->in[i].data = r->buffers + i * c->request_max;
		r->in[i].size = c->request_max;
	}
	if (c->form == ANSWER_EXEC) {
		struct procs_config pc = c->procs;

		pc.request_max = c->request_max;
		pc.sink = (struct process_sink){.line = log_line, .context = r};
		r->procs = procs_new(&pc);
		if (r->procs == NULL)
			return fail(CODE_BUSY, "cannot prepare for handlers: %s", strerror(errno));
	}
	r->plain = plain_new(r->socket, c, r->counts, r->procs);
	return r->plain != NULL ? 0 : CODE_BUSY;
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
	if (code == 0)
		loop(r);
	if (code == 0)
		code = r->code;
	procs_free(r->procs);
	plain_free(r->plain);
	free(r->buffers);
	free(r);
	return code;
}
