/* One loop: send what is due, sleep until something arrives or the next is due, take what has
 * arrived.
 *
 * Whatever goes wrong with one datagram is counted and the next one comes: the target may not be
 * there yet, a client may have gone, the kernel may be out of buffers. Only a loop that cannot wait
 * ends early.
 */
#define _GNU_SOURCE
#include "forward.h"
#include "exit.h"
#include "say.h"
#include "signals.h"
#include "wait.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       16 /* datagrams taken at once */
#define BATCHES_MAX 4  /* from one socket, before the others and what is due have their turn */

struct loop {
	struct forward *f;
	struct pollfd *polled; /* the signals, the listener, then each place of the table */
	struct dgram_datagram batch[BATCH];
	uint8_t bytes[BATCH][DGRAM_DATAGRAM_MAX];
};

enum { POLL_SIGNALS, POLL_LISTENER, POLL_CLIENTS };

static const char *const direction_name[DIRECTIONS] = {"out", "back"};

/* -- lines of -v -- */

struct line {
	char text[DGRAM_ADDR_TEXT_MAX + 64];
};

static struct line describe(enum direction direction, const struct client *client, uint64_t number,
                            size_t len)
{
	char peer[DGRAM_ADDR_TEXT_MAX];
	struct line line;

	snprintf(line.text, sizeof line.text, "%s %llu, %s %s, %zu byte%s",
	         direction_name[direction], (unsigned long long)number + 1,
	         direction == OUT ? "from" : "to",
	         dgram_addr_display(&client->peer, peer, sizeof peer), len, len == 1 ? "" : "s");
	return line;
}

static void tell_dropped(const struct forward *f, enum direction direction,
                         const struct client *client, size_t len, enum dgram_relay_verdict verdict)
{
	uint64_t number = dgram_relay_stats(f->engine[direction]).arrived - 1;

	if (f->verbose && verdict != DGRAM_RELAY_TAKEN)
		say_verbose("%s: %s", describe(direction, client, number, len).text,
		            dgram_relay_verdict_text(verdict));
}

static void tell_passed(const struct forward *f, enum direction direction,
                        const struct client *client, const struct dgram_relay_datagram *d,
                        int error)
{
	if (!f->verbose)
		return;
	say_verbose("%s: %s after %.3f ms%s%s%s%s",
	            describe(direction, client, d->number, d->len).text,
	            d->copy ? "copy passed" : "passed", (double)(dgram_clock() - d->arrived) / 1e6,
	            d->corrupted ? ", corrupted" : "", d->reordered ? ", reordered" : "",
	            error < 0 ? ", but not sent: " : "", error < 0 ? dgram_strerror(error) : "");
}

/* -- the target -- */

static void connect_client(struct forward *f, struct client *client)
{
	const struct dgram_addr *target = &f->target[client->target];
	char text[DGRAM_ADDR_TEXT_MAX];
	int error = dgram_socket_connect(&client->upstream, target, NULL);

	dgram_socket_settimeout(&client->upstream, 0);
	client->answered = false;
	if (error < 0)
		say_warning("%s: no socket towards it: %s",
		            dgram_addr_display(target, text, sizeof text),
		            error == DGRAM_ERR_SYSTEM ? strerror(errno) : dgram_strerror(error));
}

/* Of a name with several addresses, one that has only refused gives way to the next. */
static void refused(struct forward *f, struct client *client, int error)
{
	char text[DGRAM_ADDR_TEXT_MAX];

	f->counts[OUT].refused++;
	if (!f->refusing)
		say_warning("%s: %s; relaying on",
		            dgram_addr_display(&f->target[client->target], text, sizeof text),
		            dgram_strerror(error));
	f->refusing = true;
	if (f->target_count == 1 || client->answered)
		return;
	clients_disconnect(&f->clients, client);
	client->target = (client->target + 1) % f->target_count;
	connect_client(f, client);
}

static void answered(struct forward *f, struct client *client)
{
	client->answered = true;
	f->target_first = client->target;
	f->refusing = false;
}

static void take_errors_of_client(struct forward *f, struct client *client)
{
	struct dgram_socket_error error;

	while (client->upstream.fd >= 0 && dgram_socket_next_error(&client->upstream, &error) > 0)
		refused(f, client, error.error);
}

static void take_errors_of_listener(struct forward *f)
{
	struct dgram_socket_error error;

	while (dgram_socket_next_error(&f->listener, &error) > 0)
		f->counts[BACK].refused++;
}

/* -- out of the engines -- */

static int send_to_client(struct forward *f, const struct client *client,
                          const struct dgram_relay_datagram *d)
{
	const struct dgram_datagram answer = {
	        .peer = client->peer,
	        .local = client->local,
	        .interface = client->interface,
	        .data = (uint8_t *)(uintptr_t)d->data, /* only read */
	        .len = d->len,
	};
	int n = dgram_socket_send_batch(&f->listener, &answer, 1);

	return n < 0 ? n : 0;
}

static void send_one(struct forward *f, enum direction direction,
                     const struct dgram_relay_datagram *d)
{
	struct client *client = clients_of_tag(&f->clients, d->tag);
	struct direction_counts *counts = &f->counts[direction];
	int error;

	if (!client) {
		counts->homeless++;
		return;
	}
	if (direction == OUT)
		error = dgram_socket_sendto(&client->upstream, d->data, d->len, NULL);
	else
		error = send_to_client(f, client, d);
	if (error < 0)
		counts->unsent++;
	tell_passed(f, direction, client, d, error);
	/* A send puts the errors of earlier ones aside, where poll does not see them. */
	if (f->listener.errors_count > 0)
		take_errors_of_listener(f);
	if (client->upstream.errors_count > 0)
		take_errors_of_client(f, client);
}

static void send_due(struct forward *f)
{
	struct dgram_relay_datagram d;
	uint64_t now = dgram_clock();

	for (enum direction direction = OUT; direction < DIRECTIONS; direction++)
		while (dgram_relay_pop(f->engine[direction], now, &d)) {
			if (f->by_kind)
				kinds_went(&f->kinds[direction], &d);
			send_one(f, direction, &d);
		}
}

/* -- into the engines -- */

static void push(struct forward *f, enum direction direction, struct client *client,
                 const struct dgram_datagram *d)
{
	uint64_t now = dgram_clock();
	enum dgram_relay_verdict verdict;

	client->last_used = now;
	verdict = dgram_relay_push(f->engine[direction], now, client->tag, d->data, d->len);
	if (f->by_kind)
		kinds_came(&f->kinds[direction], d->data, d->len, verdict);
	tell_dropped(f, direction, client, d->len, verdict);
}

static void from_client(struct loop *loop, const struct dgram_datagram *d)
{
	struct forward *f = loop->f;
	struct client *client = clients_find(&f->clients, d);

	if (!client) {
		client = clients_add(&f->clients, d);
		client->target = f->target_first;
	}
	if (client->upstream.fd < 0)
		connect_client(f, client);
	if (client->upstream.fd < 0) {
		f->unconnected++;
		return;
	}
	push(f, OUT, client, d);
}

/* Takes up to a batch: how many, 0 for nothing there, or the error that a connected socket met. */
static int receive(struct loop *loop, struct dgram_socket *s)
{
	for (size_t i = 0; i < BATCH; i++)
		loop->batch[i] = (struct dgram_datagram){.data = loop->bytes[i],
		                                         .size = sizeof loop->bytes[i]};
	int n = dgram_socket_recv_batch(s, loop->batch, BATCH);
	return n == DGRAM_ERR_AGAIN || n == DGRAM_ERR_TIMEOUT ? 0 : n;
}

static void serve_listener(struct loop *loop)
{
	struct forward *f = loop->f;
	int n = BATCH;

	for (int round = 0; round < BATCHES_MAX && n == BATCH; round++) {
		n = receive(loop, &f->listener);
		for (int i = 0; i < n; i++)
			if (loop->batch[i].status == 0)
				from_client(loop, &loop->batch[i]);
	}
	take_errors_of_listener(f);
}

static void serve_client(struct loop *loop, struct client *client)
{
	struct forward *f = loop->f;
	int n = BATCH;

	for (int round = 0; round < BATCHES_MAX && n == BATCH; round++) {
		n = receive(loop, &client->upstream);
		for (int i = 0; i < n; i++)
			if (loop->batch[i].status == 0) {
				answered(f, client);
				push(f, BACK, client, &loop->batch[i]);
			}
	}
	if (n < 0)
		refused(f, client, n);
	take_errors_of_client(f, client);
}

/* -- the loop -- */

static void watch(struct loop *loop)
{
	const struct clients *c = &loop->f->clients;

	for (size_t i = 0; i < c->count; i++)
		loop->polled[POLL_CLIENTS + i] =
		        (struct pollfd){.fd = c->places[i].upstream.fd, .events = POLLIN};
}

static int sleep_until_next(struct loop *loop)
{
	const struct forward *f = loop->f;
	uint64_t due = DGRAM_NEVER;

	for (int i = 0; i < DIRECTIONS; i++)
		if (dgram_relay_deadline(f->engine[i]) < due)
			due = dgram_relay_deadline(f->engine[i]);
	return wait_until(loop->polled, POLL_CLIENTS + f->clients.count, due);
}

static int run(struct loop *loop)
{
	struct forward *f = loop->f;

	loop->polled[POLL_SIGNALS] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
	loop->polled[POLL_LISTENER] = (struct pollfd){.fd = f->listener.fd, .events = POLLIN};
	while (signals_caught() == 0) {
		send_due(f);
		watch(loop);
		size_t watched = f->clients.count;
		int n = sleep_until_next(loop);
		if (n < 0)
			return fail(CODE_REFUSED, "cannot wait for datagrams: %s", strerror(errno));
		if (n == 0)
			continue;
		/* First the answers: a new client may take the place of one that was watched. */
		for (size_t i = 0; i < watched; i++)
			if (loop->polled[POLL_CLIENTS + i].revents)
				serve_client(loop, &f->clients.places[i]);
		if (loop->polled[POLL_LISTENER].revents)
			serve_listener(loop);
	}
	return 0;
}

int forward_run(struct forward *f)
{
	struct loop *loop = malloc(sizeof *loop);
	struct pollfd *polled = calloc(POLL_CLIENTS + f->clients_max, sizeof *polled);
	int code = CODE_OK, error = clients_init(&f->clients, f->clients_max);

	if (!loop || !polled)
		error = DGRAM_ERR_NOMEM;
	if (error < 0) {
		code = fail(exit_of(error), "cannot prepare for clients: %s",
		            dgram_strerror(error));
	} else {
		loop->f = f;
		loop->polled = polled;
		code = run(loop);
	}
	clients_close(&f->clients);
	f->counts[OUT].kernel_dropped = dgram_socket_count_drops(&f->listener);
	f->counts[BACK].kernel_dropped = f->clients.kernel_dropped;
	free(polled);
	free(loop);
	return code;
}
