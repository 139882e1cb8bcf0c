/* One block of memory, cut by the limits of the configuration. */
#include "endpoint/endpoint.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN          DG_POOL_ALIGN
#define ITEMS_LEAST    64
#define SESSIONS_USUAL 1024
#define BUSY_USUAL     1024
#define POOL_USUAL     (UINT64_C(64) << 20)
#define MESSAGE_USUAL  (UINT32_C(4) << 20)
#define CREDIT_USUAL   (UINT32_C(16) << 10)
#define IDLE_USUAL     120000 /* ms */
#define DATAGRAM_USUAL 1472   /* Ethernet's 1,500 less IPv4 and UDP */

enum part {
	PART_ENDPOINT,
	PART_SESSIONS,
	PART_ACTIVES,
	PART_MESSAGES,
	PART_ITEMS,
	PART_ARENA,
	PART_ADMISSION,
	PART_SESSION_TIMERS,
	PART_MESSAGE_TIMERS,
	PART_IDS,
	PART_BY_PLACE,
	PART_BY_INIT,
	PART_BY_ID,
	PART_BY_ORDER,
	PART_NOTES,
	PART_SCRATCH,
	PART_GATHER,
	PARTS,
};

static uint32_t or_usual(uint32_t value, uint32_t usual)
{
	return value > 0 ? value : usual;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t usual_share(uint32_t sessions)
{
	uint32_t share = sessions / DG_SHARE_OF;

	return share >= 2 ? share : (uint32_t)smaller(sessions, 2);
}

static void fill_in(struct dgram_endpoint_config *c)
{
	c->sessions = or_usual(c->sessions, SESSIONS_USUAL);
	c->sessions_each = or_usual(c->sessions_each, usual_share(c->sessions));
	c->half_open = or_usual(c->half_open, DG_HALF_OPEN_MAX);
	c->half_open_each = or_usual(c->half_open_each, DG_HALF_OPEN_EACH);
	c->busy = or_usual(c->busy, (uint32_t)smaller(c->sessions, BUSY_USUAL));
	c->window = or_usual(c->window, 1024);
	c->messages = or_usual(c->messages, 16384);
	c->requests = or_usual(c->requests, 1024);
	c->pool = c->pool > 0 ? c->pool : POOL_USUAL;
	c->block = or_usual(c->block, DG_ARENA_BLOCK);
	c->message_max = or_usual(c->message_max, (uint32_t)smaller(c->pool / 4, MESSAGE_USUAL));
	c->credit = or_usual(c->credit, (uint32_t)smaller(c->pool / 8, CREDIT_USUAL));
	c->idle_ms = or_usual(c->idle_ms, IDLE_USUAL);
	c->datagram_max = (uint16_t)or_usual(c->datagram_max, DATAGRAM_USUAL);
}

static uint32_t blocks(const struct dgram_endpoint_config *c)
{
	return (uint32_t)(c->pool / c->block);
}

static struct dg_admission_limits limits_of(const struct dgram_endpoint_config *c)
{
	return (struct dg_admission_limits){.sessions = c->sessions,
	                                    .half_open = c->half_open,
	                                    .half_open_each = c->half_open_each,
	                                    .share = c->sessions_each};
}

static bool sizes_are_valid(const struct dgram_endpoint_config *c)
{
	struct dg_arena arena = {.shift = 0};

	if (c->block < DG_ARENA_BLOCK_LEAST || (c->block & (c->block - 1)) != 0 ||
	    c->pool / c->block < 4 || c->pool / c->block >= DG_POOL_NONE / 2)
		return false;
	while (UINT32_C(1) << arena.shift < c->block)
		arena.shift++;
	return c->message_max <= DGRAM_MESSAGE_MAX && c->credit <= DGRAM_MESSAGE_MAX &&
	       dg_arena_blocks(&arena, dg_cells_buffer(c->message_max)) <= blocks(c);
}

static bool is_valid(const struct dgram_endpoint_config *c)
{
	uint64_t slots = (uint64_t)c->sessions + c->half_open;

	return slots <= DG_SLOTS_MAX && c->sessions_each <= c->sessions && c->window >= 8 &&
	       c->window <= 65536 && c->busy <= slots && c->messages <= UINT32_C(1) << 24 &&
	       c->requests <= UINT16_MAX * UINT32_C(2) && c->idle_ms >= 1000 &&
	       c->datagram_max >= DG_DATAGRAM_LEAST && c->datagram_max <= 65507 &&
	       c->profile <= DGRAM_PROFILE_WAN && sizes_are_valid(c);
}

static uint32_t items_of(const struct dgram_endpoint_config *c)
{
	return c->messages < ITEMS_LEAST / 2 ? ITEMS_LEAST : 2 * c->messages;
}

static size_t active_size(const struct dgram_endpoint_config *c)
{
	return sizeof(struct dg_active) + c->window * sizeof(struct dg_sent);
}

static size_t part_size(const struct dgram_endpoint_config *c, enum part part)
{
	const struct dg_admission_limits limits = limits_of(c);
	uint32_t slots = dg_admission_slots(&limits);

	switch (part) {
	case PART_ENDPOINT:
		return sizeof(struct dgram_endpoint);
	case PART_SESSIONS:
		return dg_pool_size(sizeof(struct dg_session), slots);
	case PART_ACTIVES:
		return dg_pool_size((uint32_t)active_size(c), c->busy);
	case PART_MESSAGES:
		return dg_pool_size(sizeof(struct dg_message), c->messages);
	case PART_ITEMS:
		return dg_pool_size(sizeof(struct dg_item), items_of(c));
	case PART_ARENA:
		return dg_arena_size(c->block, blocks(c));
	case PART_ADMISSION:
		return dg_admission_size(&limits);
	case PART_SESSION_TIMERS:
		return dg_timers_size(slots);
	case PART_MESSAGE_TIMERS:
		return dg_timers_size(c->messages);
	case PART_IDS:
		return dg_ids_size(slots);
	case PART_BY_PLACE:
	case PART_BY_INIT:
		return dg_index_size(slots);
	case PART_BY_ID:
	case PART_BY_ORDER:
		return dg_index_size(c->messages);
	case PART_NOTES:
		return (size_t)(DG_NOTES + c->sessions) * sizeof(struct dg_note);
	case PART_SCRATCH:
		return c->message_max > c->datagram_max ? c->message_max : c->datagram_max;
	case PART_GATHER:
		return c->datagram_max > DGRAM_POST_MAX ? c->datagram_max : DGRAM_POST_MAX;
	case PARTS:
		break;
	}
	return 0;
}

/* Where each part begins, and behind the last one the size of all. */
static void lay_out(const struct dgram_endpoint_config *c, size_t begins[PARTS + 1])
{
	begins[0] = 0;
	for (int part = 0; part < PARTS; part++)
		begins[part + 1] =
		        begins[part] + (part_size(c, (enum part)part) + ALIGN - 1) / ALIGN * ALIGN;
}

size_t dgram_endpoint_size(const struct dgram_endpoint_config *config)
{
	struct dgram_endpoint_config c = *config;
	size_t begins[PARTS + 1];

	fill_in(&c);
	if (!is_valid(&c))
		return 0;
	lay_out(&c, begins);
	return begins[PARTS];
}

/* One of many secrets and ids that follow from the seed. */
static uint64_t derive(const struct dgram_endpoint_config *c, uint8_t number)
{
	uint8_t text[17] = {number};

	memcpy(text + 1, c->seed + DG_HASH_KEY, 16);
	return dg_hash(c->seed, text, sizeof text);
}

static void derive_key(const struct dgram_endpoint_config *c, uint8_t number, uint8_t key[16])
{
	uint64_t halves[2] = {derive(c, number), derive(c, number + 1)};

	memcpy(key, halves, sizeof halves);
}

static void set_secrets(struct dgram_endpoint *ep, uint8_t ids_key[16])
{
	const struct dgram_endpoint_config *c = &ep->config;

	derive_key(c, 0, ep->key);
	derive_key(c, 2, ep->cookies.key);
	derive_key(c, 4, ids_key);
	ep->boot = c->boot ? c->boot : derive(c, 6);
	ep->id = derive(c, 7);
	ep->cookies.boot = ep->boot;
	dg_random_init(&ep->random, derive(c, 8));
}

static void set_up(struct dgram_endpoint *ep, uint8_t *memory)
{
	const struct dgram_endpoint_config *c = &ep->config;
	const struct dg_admission_limits limits = limits_of(c);
	uint32_t slots = dg_admission_slots(&limits);
	size_t begins[PARTS + 1];
	uint8_t ids_key[16];

	lay_out(c, begins);
	set_secrets(ep, ids_key);
	dg_ids_init(&ep->ids, memory + begins[PART_IDS], slots, c->worker, ids_key);
	dg_admission_init(&ep->admission, memory + begins[PART_ADMISSION], &limits);
	dg_pool_init(&ep->sessions, memory + begins[PART_SESSIONS], sizeof(struct dg_session),
	             slots);
	dg_pool_init(&ep->actives, memory + begins[PART_ACTIVES], (uint32_t)active_size(c),
	             c->busy);
	dg_pool_init(&ep->messages, memory + begins[PART_MESSAGES], sizeof(struct dg_message),
	             c->messages);
	dg_pool_init(&ep->items, memory + begins[PART_ITEMS], sizeof(struct dg_item), items_of(c));
	dg_arena_init(&ep->arena, memory + begins[PART_ARENA], c->block, blocks(c));
	dg_index_init(&ep->by_place, memory + begins[PART_BY_PLACE], slots);
	dg_index_init(&ep->by_init, memory + begins[PART_BY_INIT], slots);
	dg_index_init(&ep->by_order, memory + begins[PART_BY_ORDER], c->messages);
	dg_index_init(&ep->by_id, memory + begins[PART_BY_ID], c->messages);
	dg_timers_init(&ep->session_timers, memory + begins[PART_SESSION_TIMERS], slots);
	dg_timers_init(&ep->message_timers, memory + begins[PART_MESSAGE_TIMERS], c->messages);
	ep->notes = (void *)(memory + begins[PART_NOTES]);
	ep->notes_size = DG_NOTES + c->sessions;
	ep->scratch = memory + begins[PART_SCRATCH];
	ep->gather = memory + begins[PART_GATHER];
	ep->ready = ep->quiet = ep->events = DG_EMPTY_LIST;
	ep->lent = DG_NONE;
}

struct dgram_endpoint *dgram_endpoint_new(const struct dgram_endpoint_config *config, void *memory)
{
	static const uint8_t no_seed[sizeof config->seed];
	size_t size = dgram_endpoint_size(config);
	struct dgram_endpoint *ep = memory;

	if (size == 0 || memcmp(config->seed, no_seed, sizeof no_seed) == 0)
		return NULL;
	if (!ep)
		ep = calloc(1, size);
	if (!ep)
		return NULL;
	ep->heap = memory ? NULL : ep;
	ep->config = *config;
	fill_in(&ep->config);
	set_up(ep, (uint8_t *)ep);
	return ep;
}

void dgram_endpoint_free(struct dgram_endpoint *ep)
{
	if (ep)
		free(ep->heap);
}
