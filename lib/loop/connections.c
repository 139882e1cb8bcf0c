/* The table of a loop's connections: who has a place, and why it was given up. */
#define _GNU_SOURCE
#include "loop/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define NONE          UINT32_MAX
#define SESSIONS      1024 /* of a configuration that does not say */
#define HALF_OPEN     256
#define FIRST_MOST    1200 /* bytes of the first datagram that comes */
#define CONNECTED_MAX (UINT32_C(1) << 20)

/* ---- names ------------------------------------------------------------------------------------ */

#define TEXT_ROW(name, lower, text) [DGRAM_HANGUP_##name] = (text),
#define NAME_ROW(name, lower, text) [DGRAM_HANGUP_##name] = #lower,

static const char *const texts[] = {DGRAM_HANGUPS(TEXT_ROW)};
static const char *const names[] = {DGRAM_HANGUPS(NAME_ROW)};

const char *dgram_hangup_text(enum dgram_hangup_reason reason)
{
	return (unsigned)reason < DGRAM_HANGUP_COUNT ? texts[reason] : "?";
}

const char *dgram_hangup_name(enum dgram_hangup_reason reason)
{
	return (unsigned)reason < DGRAM_HANGUP_COUNT ? names[reason] : "?";
}

/* ---- the queue -------------------------------------------------------------------------------- */

uint32_t dg_connection_place(const struct dg_connections *all, const struct dg_connection *c)
{
	return (uint32_t)(c - all->all);
}

void dg_connection_queue(struct dg_connections *all, struct dg_connection *c)
{
	if (c->queued)
		return;
	c->queued = true;
	all->queue[(all->queue_at + all->queue_len++) % all->count] = dg_connection_place(all, c);
}

struct dg_connection *dg_connection_unqueue(struct dg_connections *all)
{
	struct dg_connection *c;

	if (all->queue_len == 0)
		return NULL;
	c = &all->all[all->queue[all->queue_at]];
	all->queue_at = (all->queue_at + 1) % all->count;
	all->queue_len--;
	c->queued = false;
	return c;
}

/* ---- places ----------------------------------------------------------------------------------- */

static uint64_t key_of(const struct dg_connections *all, const struct dgram_addr *peer)
{
	return dgram_addr_hash(peer, all->key);
}

static struct dg_connection *take_place(struct dg_connections *all)
{
	struct dg_connection *c;

	if (all->free == NONE)
		return NULL;
	c = &all->all[all->free];
	all->free = c->next;
	all->stats.open++;
	return c;
}

static void give_place(struct dg_connections *all, struct dg_connection *c)
{
	c->state = DG_FREE;
	c->next = all->free;
	all->free = dg_connection_place(all, c);
	all->stats.open--;
}

/* Out of the tables and closed. */
static void release(struct dg_connections *all, struct dg_connection *c)
{
	if (c->datagram != NULL)
		all->waiting--;
	c->datagram = NULL;
	dg_index_remove(&all->by_peer, dg_connection_place(all, c), key_of(all, &c->peer));
	dg_watch_remove(&all->watch, dg_connection_place(all, c), c->stream.fd);
	dgram_stream_close(&c->stream);
	give_place(all, c);
}

void dg_connection_note(struct dg_connections *all, const struct dgram_addr *peer,
                        enum dgram_hangup_reason why)
{
	all->stats.ended[why]++;
	if (why == DGRAM_HANGUP_ENDED)
		return;
	if (all->hangups_len == DG_HANGUPS) {
		all->hangups_at = (all->hangups_at + 1) % DG_HANGUPS;
		all->hangups_len--;
	}
	all->hangups[(all->hangups_at + all->hangups_len++) % DG_HANGUPS] =
	        (struct dgram_hangup){.peer = *peer, .reason = (uint8_t)why};
}

void dg_connection_end(struct dgram_loop *loop, struct dg_connection *c,
                       enum dgram_hangup_reason why, int error)
{
	struct dg_connections *all = loop->connections;
	uint32_t unsent = c->out_len > 0 || c->broken;

	dg_connection_note(all, &c->peer, why);
	if (why != DGRAM_HANGUP_ENDED)
		dg_tap_error(loop, &c->peer, error);
	release(all, c);
	dgram_endpoint_cut(loop->endpoint, c->session, error, unsent, loop->now);
}

void dg_connection_leave(struct dgram_loop *loop, struct dg_connection *c)
{
	if (c->state == DG_LEAVING)
		return;
	if (c->datagram != NULL)
		loop->connections->waiting--;
	c->datagram = NULL;
	c->state = DG_LEAVING;
	c->since = loop->now;
	if (c->out_len == 0)
		dgram_stream_shutdown(&c->stream, DGRAM_STREAM_WRITE);
	dg_connection_watch(loop->connections, c);
}

/* The oldest one that somebody began and that came to nothing yet. */
static struct dg_connection *oldest_unmade(const struct dg_connections *all)
{
	struct dg_connection *oldest = NULL;

	for (uint32_t i = 0; i < all->count; i++) {
		struct dg_connection *c = &all->all[i];

		if (c->state == DG_CARRYING && !c->ours && !c->up &&
		    (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	return oldest;
}

static uint8_t *buffer_of(const struct dg_connections *all, const struct dg_connection *c)
{
	size_t each = 2 * (DGRAM_FRAME_HEADER + all->datagram_max);

	return all->buffers + dg_connection_place(all, c) * each;
}

static struct dg_connection *no_room(struct dg_connections *all, struct dgram_stream *s,
                                     const struct dgram_addr *peer)
{
	dg_connection_note(all, peer, DGRAM_HANGUP_FULL);
	dgram_stream_close(s);
	return NULL;
}

struct dg_connection *dg_connection_begin(struct dgram_loop *loop, struct dgram_stream *s,
                                          const struct dgram_addr *peer, bool ours)
{
	struct dg_connections *all = loop->connections;
	struct dg_connection *oldest = all->free == NONE && !ours ? oldest_unmade(all) : NULL, *c;
	uint8_t *buffer;

	if (oldest != NULL)
		dg_connection_end(loop, oldest, DGRAM_HANGUP_FULL, DGRAM_ERR_BROKEN);
	c = take_place(all);
	if (c == NULL)
		return no_room(all, s, peer);
	buffer = buffer_of(all, c);
	*c = (struct dg_connection){
	        .stream = *s,
	        .peer = *peer,
	        .out = buffer + all->datagram_max,
	        .since = loop->now,
	        .state = ours ? DG_CONNECTING : DG_CARRYING,
	        .ours = ours,
	        .queued = c->queued,
	};
	dgram_frame_init(&c->reader, buffer,
	                 all->datagram_max < FIRST_MOST ? all->datagram_max : FIRST_MOST);
	if (!dg_watch_add(&all->watch, dg_connection_place(all, c), s->fd,
	                  ours ? DG_WATCH_WRITE : DG_WATCH_READ)) {
		give_place(all, c);
		return no_room(all, s, peer);
	}
	if (!dg_index_add(&all->by_peer, dg_connection_place(all, c), key_of(all, peer))) {
		dg_watch_remove(&all->watch, dg_connection_place(all, c), s->fd);
		give_place(all, c);
		return no_room(all, s, peer);
	}
	return c;
}

struct dg_connection *dg_connection_find(const struct dg_connections *all,
                                         const struct dgram_addr *peer, uint64_t peer_session)
{
	uint32_t i = dg_index_first(&all->by_peer, key_of(all, peer));

	for (; i != DG_INDEX_NONE; i = dg_index_next(&all->by_peer, i))
		if (all->all[i].peer_session == peer_session &&
		    dgram_addr_equal(&all->all[i].peer, peer))
			return &all->all[i];
	return NULL;
}

void dg_connection_watch(struct dg_connections *all, const struct dg_connection *c)
{
	dg_watch_change(&all->watch, dg_connection_place(all, c), c->stream.fd,
	                dg_connection_wants(c));
}

/* ---- made and ended --------------------------------------------------------------------------- */

/* Others of this process need descriptors too. */
static uint32_t most_connections(const struct dgram_endpoint_config *c)
{
	struct rlimit limit;
	uint64_t most = (uint64_t)c->sessions + c->half_open;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < most)
		most = limit.rlim_cur / 2;
	return (uint32_t)(most < CONNECTED_MAX ? most : CONNECTED_MAX);
}

static void free_table(struct dg_connections *all)
{
	if (all == NULL)
		return;
	free(all->all);
	free(all->buffers);
	free(all->queue);
	free(all->by_peer.buckets);
	free(all);
}

static struct dg_connections *new_table(uint32_t count, size_t datagram_max)
{
	struct dg_connections *all = calloc(1, sizeof *all);
	size_t room = DGRAM_FRAME_HEADER + datagram_max;
	void *index = calloc(1, dg_index_size(count));

	if (all == NULL) {
		free(index);
		return NULL;
	}
	all->by_peer.buckets = index;
	all->all = calloc(count, sizeof *all->all);
	all->queue = calloc(count, sizeof *all->queue);
	all->buffers = malloc((2 * (size_t)count + 1) * room);
	if (index == NULL || all->all == NULL || all->queue == NULL || all->buffers == NULL) {
		free_table(all);
		return NULL;
	}
	dg_index_init(&all->by_peer, index, count);
	all->scratch = all->buffers + 2 * (size_t)count * room;
	all->datagram_max = datagram_max;
	all->count = count;
	all->free = NONE;
	while (count-- > 0) {
		all->all[count].next = all->free;
		all->free = count;
	}
	return all;
}

static bool open_watch(struct dg_connections *all)
{
	uint8_t seed[32];

	if (dgram_random_seed(seed) < 0)
		return false;
	memcpy(all->key, seed, sizeof all->key);
	if (!dg_watch_open(&all->watch, all->count + 1))
		return false;
	if (all->listener == NULL ||
	    dg_watch_add(&all->watch, all->count, all->listener->fd, DG_WATCH_READ))
		return true;
	dg_watch_close(&all->watch);
	return false;
}

static struct dgram_endpoint_config filled_in(const struct dgram_endpoint_config *config)
{
	struct dgram_endpoint_config c =
	        config != NULL ? *config : (struct dgram_endpoint_config){.boot = 0};

	c.connected = true;
	c.sessions = c.sessions > 0 ? c.sessions : SESSIONS;
	c.half_open = c.half_open > 0 ? c.half_open : HALF_OPEN;
	c.half_open_each = c.half_open; /* that an address is somebody's TCP has shown */
	c.datagram_max = c.datagram_max > 0 ? c.datagram_max : DG_CONNECTED_DATAGRAM;
	return c;
}

struct dgram_loop *dgram_loop_new_connected(struct dgram_stream *listener,
                                            const struct dgram_stream_options *options,
                                            const struct dgram_endpoint_config *config)
{
	struct dgram_endpoint_config c = filled_in(config);
	struct dgram_loop *loop = malloc(sizeof *loop);
	struct dg_connections *all = new_table(most_connections(&c), c.datagram_max);

	if (loop == NULL || all == NULL) {
		free(loop);
		free_table(all);
		return NULL;
	}
	*loop = (struct dgram_loop){
	        .carrier = &dg_connected, .connections = all, .fresh_at = dgram_clock()};
	all->listener = listener;
	all->options = options != NULL ? *options : (struct dgram_stream_options){.timeout = 0};
	if (listener != NULL)
		dgram_stream_settimeout(listener, 0);
	if (open_watch(all)) {
		if (dg_loop_endpoint_new(loop, &c) == 0)
			return loop;
		dg_watch_close(&all->watch);
	}
	free_table(all);
	free(loop);
	return NULL;
}

void dg_connections_free(struct dgram_loop *loop)
{
	struct dg_connections *all = loop->connections;

	for (uint32_t i = 0; i < all->count; i++) {
		struct dg_connection *c = &all->all[i];

		/* What was not read would take back what was said last. */
		while (c->state == DG_LEAVING &&
		       dgram_stream_recv(&c->stream, all->scratch, all->datagram_max) > 0)
			;
		if (c->state != DG_FREE)
			dgram_stream_close(&c->stream);
	}
	dg_watch_close(&all->watch);
	free_table(all);
}

/* ---- asked ------------------------------------------------------------------------------------- */

int dgram_loop_next_hangup(struct dgram_loop *loop, struct dgram_hangup *out)
{
	struct dg_connections *all = loop->connections;

	if (all == NULL || all->hangups_len == 0)
		return 0;
	*out = all->hangups[all->hangups_at];
	all->hangups_at = (all->hangups_at + 1) % DG_HANGUPS;
	all->hangups_len--;
	return 1;
}

void dgram_loop_connections(const struct dgram_loop *loop, struct dgram_connection_stats *out)
{
	*out = (struct dgram_connection_stats){.begun = 0};
	if (loop->connections == NULL)
		return;
	*out = loop->connections->stats;
	out->most = loop->connections->count;
}
