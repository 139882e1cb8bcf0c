#include "plain.h"
#include "escape.h"
#include "exit.h"
#include "json.h"
#include "outcome.h"
#include "say.h"
#include <dgram/resolve.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What an answer needs to know of its request: peer, local and interface say which way it goes. */
struct asked {
	struct dgram_datagram way;
	size_t len;
};

struct plain {
	struct dgram_socket *socket;
	const struct responder_config *config;
	struct responder_counts *counts;
	struct procs *procs;
	struct admission admission;
	struct asked *asked; /* by ticket */
	struct dgram_datagram out[DGRAM_BATCH_MAX];
	size_t asked_len[DGRAM_BATCH_MAX]; /* of out */
	size_t out_count;
	int code;
};

static void write_event(struct plain *p, json_t *event)
{
	int code = json_write(event);

	if (p->code == 0)
		p->code = code;
}

/* -- what is not answered -- */

static void write_error(struct plain *p, int code, const char *reason, const char *rule, const struct dgram_addr *from)
{
	json_t *event = json_error(code, reason);

	if (rule != NULL)
		json_object_set_new(event, "rule", json_string(rule));
	json_add_addr(event, "from", from);
	write_event(p, event);
}

static void refuse(struct plain *p, enum admit why, const struct dgram_addr *peer)
{
	char name[DGRAM_ADDR_TEXT_MAX];

	p->counts->refused[why]++;
	say_warning("%s: not answered: %s", dgram_addr_display(peer, name, sizeof name), admit_reason(why));
	if (p->config->json)
		write_error(p, why == ADMIT_BUSY ? CODE_BUSY : CODE_NO, admit_reason(why), admit_name(why), peer);
}

/* -- answers -- */

static void answered(struct plain *p, const struct dgram_datagram *d, size_t request)
{
	char name[DGRAM_ADDR_TEXT_MAX];

	p->counts->answers++;
	say_verbose("%s: %zu byte%s, answered with %zu", dgram_addr_display(&d->peer, name, sizeof name), request,
		    request == 1 ? "" : "s", d->len);
	if (!p->config->json)
		return;
	json_t *event = json_event("reply");
	json_add_addr(event, "to", &d->peer);
	json_object_set_new(event, "status", json_integer(0));
	json_add_payload(event, d->data, d->len);
	write_event(p, event);
}

static void not_sent(struct plain *p, const struct dgram_datagram *d, int error, int errno_value)
{
	char name[DGRAM_ADDR_TEXT_MAX];

	p->counts->unsent++;
	say_warning("%s: an answer of %zu bytes was not sent: %s", dgram_addr_display(&d->peer, name, sizeof name), d->len,
		    error == DGRAM_ERR_SYSTEM ? strerror(errno_value) : dgram_strerror(error));
}

/* What the system does not take now is dropped: the next answer is worth as much, and who asked asks again. */
void plain_send(struct plain *p)
{
	for (size_t i = 0; i < p->out_count;) {
		int sent = dgram_socket_send_batch(p->socket, p->out + i, p->out_count - i);

		if (sent <= 0) {
			not_sent(p, &p->out[i], sent, errno);
			i++;
			continue;
		}
		for (; sent > 0; sent--, i++)
			answered(p, &p->out[i], p->asked_len[i]);
	}
	p->out_count = 0;
}

/* way: a received datagram; data stays where it is until plain_send. */
static void answer(struct plain *p, const struct dgram_datagram *way, size_t request, const uint8_t *data,
		   size_t len)
{
	enum admit why = admit_answer(&p->admission, &way->peer, request, len);
	struct dgram_datagram *d = &p->out[p->out_count];

	if (why != ADMIT_YES) {
		refuse(p, why, &way->peer);
		return;
	}
	*d = *way;
	d->data = (uint8_t *)(uintptr_t)data;
	d->len = len;
	p->asked_len[p->out_count++] = request;
}

/* -- handlers -- */

void plain_log(const struct plain *p, uint32_t ticket, const char *line, size_t len)
{
	outcome_log(&p->asked[ticket].way.peer, line, len);
}

static bool start_handler(struct plain *p, const struct dgram_datagram *d, uint64_t now)
{
	char name[DGRAM_ADDR_TEXT_MAX];
	const struct procs_request request = {
		.handler = &p->config->handler,
		.data = d->data,
		.len = d->len,
		.peer = dgram_addr_format(&d->peer, name, sizeof name),
	};
	int ticket = procs_submit(p->procs, &request, now);

	if (ticket < 0) {
		refuse(p, ADMIT_BUSY, &d->peer);
		return false;
	}
	p->asked[ticket] = (struct asked){.way = *d, .len = d->len};
	return true;
}

static void failed(struct plain *p, const struct dgram_addr *peer, const struct process_end *end)
{
	char what[256];
	json_t *event;

	p->counts->failed++;
	if (!p->config->json)
		return;
	event = json_error(CODE_NO, outcome_describe(&p->config->procs, end, what, sizeof what));
	if (end->outcome == PROCESS_EXIT)
		json_object_set_new(event, "status", json_integer(end->code));
	json_add_addr(event, "from", peer);
	write_event(p, event);
}

void plain_ended(struct plain *p, const struct procs_result *result)
{
	const struct asked *asked = &p->asked[result->ticket];

	outcome_tell(&p->config->procs, &asked->way.peer, &result->end, "; nothing is sent");
	if (result->end.outcome != PROCESS_OK) {
		failed(p, &asked->way.peer, &result->end);
		return;
	}
	answer(p, &asked->way, asked->len, result->data, result->len);
	plain_send(p); /* the bytes are the pool's until the next result */
}

/* -- the way in -- */

static void note_request(struct plain *p, const struct dgram_datagram *d)
{
	json_t *event;

	p->counts->requests++;
	if (!p->config->json)
		return;
	event = json_event("message");
	json_add_addr(event, "from", &d->peer);
	json_add_payload(event, d->data, d->len);
	write_event(p, event);
}

bool plain_take(struct plain *p, const struct dgram_datagram *d, uint64_t now)
{
	bool fits = d->len <= p->config->request_max;
	enum admit why = fits ? admit_request(&p->admission, d, now) : ADMIT_TRUNCATED;

	if (why != ADMIT_YES) {
		refuse(p, why, &d->peer);
		return false;
	}
	if (p->config->form == ANSWER_EXEC && !start_handler(p, d, now))
		return false;
	note_request(p, d);
	if (p->config->form == ANSWER_ECHO)
		answer(p, d, d->len, d->data, d->len);
	else if (p->config->form == ANSWER_TEXT)
		answer(p, d, d->len, p->config->text, p->config->text_len);
	return true;
}

int plain_code(const struct plain *p)
{
	return p->code;
}

/* -- start and end -- */

struct plain *plain_new(struct dgram_socket *s, const struct responder_config *config, struct responder_counts *counts,
			struct procs *procs)
{
	struct plain *p = calloc(1, sizeof *p);
	struct dgram_addr own;
	uint8_t seed[32];

	if (p == NULL || dgram_socket_getsockname(s, &own) < 0 || dgram_random_seed(seed) < 0) {
		fail(CODE_BUSY, "cannot prepare for plain datagrams: %s", strerror(errno));
		plain_free(p);
		return NULL;
	}
	p->socket = s;
	p->config = config;
	p->counts = counts;
	p->procs = procs;
	admit_init(&p->admission, &own, seed);
	p->admission.low_ports = config->low_ports;
	p->admission.growth = config->insecure_open;
	p->asked = calloc(config->procs.running_max + config->procs.queue_max, sizeof *p->asked);
	if (p->asked == NULL) {
		fail(CODE_BUSY, "out of memory");
		plain_free(p);
		return NULL;
	}
	return p;
}

void plain_free(struct plain *p)
{
	if (p == NULL)
		return;
	free(p->asked);
	free(p);
}
