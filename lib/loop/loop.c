#include "loop/loop.h"
#include "net/system.h"
#include "net/wait.h"

#include <errno.h>
#include <stdlib.h>

/* ---- making and ending ------------------------------------------------------------------------ */

static bool can_join(const struct dgram_socket *s)
{
	return s->fd >= 0 && !s->connected && (s->family == DGRAM_IPV4 || s->family == DGRAM_IPV6);
}

static bool is_zero(const uint8_t seed[32])
{
	uint8_t any = 0;

	for (size_t i = 0; i < 32; i++)
		any |= seed[i];
	return any == 0;
}

/* The socket and everything else that is not the endpoint. */
static struct dgram_loop *new_loop(struct dgram_socket *s, size_t datagram_max)
{
	size_t in = (size_t)DG_LOOP_IN * DG_LOOP_BUNDLE, out = DGRAM_BATCH_MAX * datagram_max;
	struct dgram_loop *loop = malloc(sizeof *loop + in + out);
	uint8_t *data = (uint8_t *)(loop + 1);

	if (loop == NULL)
		return NULL;
	*loop = (struct dgram_loop){
	        .carrier = &dg_datagrams,
	        .socket = s,
	        .socket_timeout = s->timeout,
	        .datagram_max = datagram_max,
	        .in_data = data,
	        .out_data = data + in,
	        .fresh_at = dgram_clock(),
	};
	return loop;
}

/* What the system cannot do is done without: fragments are rare, bundles are for speed. */
static void prepare(struct dgram_loop *loop)
{
	dgram_socket_settimeout(loop->socket, 0);
	dg_system_no_fragments(loop->socket);
	loop->coalesced = dg_system_coalesce(loop->socket, true);
}

int dg_loop_endpoint_new(struct dgram_loop *loop, struct dgram_endpoint_config *config)
{
	if (is_zero(config->seed) && dgram_random_seed(config->seed) < 0)
		return DGRAM_ERR_SYSTEM;
	if (dgram_endpoint_size(config) == 0) {
		errno = EINVAL;
		return DGRAM_ERR_ARGUMENT;
	}
	loop->endpoint = dgram_endpoint_new(config, NULL);
	if (loop->endpoint == NULL)
		return DGRAM_ERR_NOMEM;
	dg_fork_mark(&loop->fork);
	return 0;
}

struct dgram_loop *dgram_loop_new(struct dgram_socket *s,
                                  const struct dgram_endpoint_config *config)
{
	struct dgram_endpoint_config c =
	        config != NULL ? *config : (struct dgram_endpoint_config){.boot = 0};
	struct dgram_loop *loop;

	if (c.datagram_max == 0)
		c.datagram_max = DG_LOOP_DATAGRAM;
	if (!can_join(s) || c.connected) {
		errno = EINVAL;
		return NULL;
	}
	loop = new_loop(s, c.datagram_max);
	if (loop == NULL)
		return NULL;
	if (dg_loop_endpoint_new(loop, &c) < 0) {
		free(loop);
		return NULL;
	}
	prepare(loop);
	return loop;
}

void dgram_loop_free(struct dgram_loop *loop)
{
	if (loop == NULL)
		return;
	loop->carrier->free(loop);
	dg_fork_forget(&loop->fork);
	dgram_endpoint_free(loop->endpoint);
	free(loop);
}

struct dgram_endpoint *dgram_loop_endpoint(struct dgram_loop *loop)
{
	return loop->endpoint;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

static bool is_child(struct dgram_loop *loop)
{
	if (!dg_fork_happened(&loop->fork))
		return false;
	if (!loop->abandoned)
		dgram_endpoint_abandon(loop->endpoint);
	loop->abandoned = true;
	return true;
}

/* The next thing that happened: to the endpoint, or at its door. */
static bool next_event(struct dgram_loop *loop, struct dgram_event *event)
{
	if (dgram_endpoint_next_event(loop->endpoint, event, loop->now) == 1)
		return true;
	if (!loop->has_plain)
		return false;
	loop->has_plain = false;
	*event = (struct dgram_event){
	        .type = DGRAM_EVENT_MESSAGE,
	        .peer = loop->plain.peer,
	        .data = loop->plain.data,
	        .len = loop->plain.len,
	        .deadline = DGRAM_NEVER,
	};
	return true;
}

void dgram_loop_take_plain(struct dgram_loop *loop)
{
	loop->takes_plain = true;
}

const struct dgram_datagram *dgram_loop_plain(const struct dgram_loop *loop)
{
	return &loop->plain;
}

/* What can be done without news, up to the next event. A program that takes its time with each event shall not
 * hold back what it said to those before. */
static bool go_on(struct dgram_loop *loop, struct dgram_event *event)
{
	if (loop->now - loop->fresh_at > DG_LOOP_UNSENT)
		loop->carrier->send(loop);
	do
		if (next_event(loop, event))
			return true;
	while (loop->carrier->give(loop));
	loop->carrier->send(loop);
	return next_event(loop, event);
}

static uint64_t due(const struct dgram_loop *loop)
{
	uint64_t endpoint = dgram_endpoint_deadline(loop->endpoint);
	uint64_t carrier = loop->carrier->due(loop);

	return endpoint < carrier ? endpoint : carrier;
}

/* Sleeps until there is news or something is due. *ended: the time passed, or a signal handler ran. */
static int sleep_until(struct dgram_loop *loop, uint64_t end, bool *ended)
{
	uint64_t wake = due(loop) < end ? due(loop) : end;
	uint64_t pause = wake > loop->now ? wake - loop->now : 0;
	int err = loop->carrier->wait(loop, wake == DGRAM_NEVER ? DGRAM_NEVER : pause, ended);

	loop->fresh_at = loop->now;
	*ended = *ended || loop->now >= end;
	return err;
}

int dgram_loop_wait(struct dgram_loop *loop, struct dgram_event *event, uint64_t timeout)
{
	bool ended = false;
	uint64_t end;
	int err;

	event->type = 0;
	if (is_child(loop))
		return DGRAM_ERR_CLOSED;
	loop->now = dgram_clock();
	end = dg_deadline(loop->now, timeout);
	while (!go_on(loop, event)) {
		event->type = 0;
		if (ended)
			return 0;
		err = sleep_until(loop, end, &ended);
		if (err < 0)
			return err;
	}
	return 1;
}

void dgram_loop_close(struct dgram_loop *loop)
{
	if (is_child(loop))
		return;
	loop->now = dgram_clock();
	dgram_endpoint_close(loop->endpoint, 0, loop->now);
	loop->carrier->send(loop);
}

int dgram_loop_fd(const struct dgram_loop *loop)
{
	return loop->carrier->fd(loop);
}

uint64_t dgram_loop_timeout(const struct dgram_loop *loop)
{
	uint64_t at = due(loop), now;

	if (loop->carrier->has_more(loop) || dg_fork_happened(&loop->fork))
		return 0;
	if (at == DGRAM_NEVER)
		return DGRAM_NEVER;
	now = dgram_clock();
	return at > now ? at - now : 0;
}
