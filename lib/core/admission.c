#include "core/admission.h"

#include <assert.h>

enum session_state {
	UNUSED,
	HALF_OPEN,
	PROVED, /* half-open too */
	BUSY,
	IDLE,
};

struct dg_admission_session {
	uint32_t party : 29; /* number in the pool */
	uint32_t state : 3;
};

struct party {
	uint64_t name;
	uint32_t confirmed, idle;   /* sessions of it; idle ones are confirmed too */
	uint32_t half_open, proved; /* likewise */
	struct dg_list idlest;      /* the idle ones, the one used longest ago first */
};

/* Lists of numbers, linked through an array beside what is numbered. */

static const struct dg_list empty = {DG_SLOT_NONE, DG_SLOT_NONE};

static void append(struct dg_list *list, struct dg_link *links, uint32_t i)
{
	links[i] = (struct dg_link){.before = list->last, .after = DG_SLOT_NONE};
	if (list->last == DG_SLOT_NONE)
		list->first = i;
	else
		links[list->last].after = i;
	list->last = i;
}

static void unlink_from(struct dg_list *list, struct dg_link *links, uint32_t i)
{
	if (links[i].before == DG_SLOT_NONE)
		list->first = links[i].after;
	else
		links[links[i].before].after = links[i].after;
	if (links[i].after == DG_SLOT_NONE)
		list->last = links[i].before;
	else
		links[links[i].after].before = links[i].before;
}

struct dg_admission_limits dg_admission_usual(uint32_t sessions)
{
	uint32_t share = sessions / DG_SHARE_OF;

	return (struct dg_admission_limits){.sessions = sessions,
	                                    .half_open = DG_HALF_OPEN_MAX,
	                                    .half_open_each = DG_HALF_OPEN_EACH,
	                                    .share = share > 0 ? share : 1};
}

uint32_t dg_admission_slots(const struct dg_admission_limits *limits)
{
	return limits->sessions + limits->half_open;
}

/* Memory: what has the strictest alignment comes first. */

static size_t ranks_size(const struct dg_admission_limits *limits)
{
	return ((size_t)limits->share + 1) * sizeof(struct dg_list);
}

size_t dg_admission_size(const struct dg_admission_limits *limits)
{
	uint32_t slots = dg_admission_slots(limits);

	return dg_pool_size(sizeof(struct party), slots) + ranks_size(limits) +
	       slots * (sizeof(struct dg_admission_session) + 2 * sizeof(struct dg_link)) +
	       dg_index_size(slots);
}

void dg_admission_init(struct dg_admission *a, void *memory,
                       const struct dg_admission_limits *limits)
{
	uint32_t slots = dg_admission_slots(limits);
	void *after_pool = (uint8_t *)memory + dg_pool_size(sizeof(struct party), slots);

	assert(limits->share > 0);
	*a = (struct dg_admission){.limits = *limits, .knocking = empty};
	dg_pool_init(&a->parties, memory, sizeof(struct party), slots);
	a->ranks = after_pool;
	for (uint32_t rank = 0; rank <= limits->share; rank++)
		a->ranks[rank] = empty;
	a->session_links = (void *)(a->ranks + limits->share + 1);
	a->party_links = a->session_links + slots;
	a->sessions = (void *)(a->party_links + slots);
	dg_index_init(&a->index, a->sessions + slots, slots);
}

/* Parties: there as long as they have a session. */

static struct party *party_at(const struct dg_admission *a, uint32_t i)
{
	return dg_pool_at(&a->parties, i);
}

static struct party *party_of(const struct dg_admission *a, uint32_t slot)
{
	return party_at(a, a->sessions[slot].party);
}

static uint32_t find(const struct dg_admission *a, uint64_t name)
{
	uint32_t i = dg_index_first(&a->index, name);

	while (i != DG_INDEX_NONE && party_at(a, i)->name != name)
		i = dg_index_next(&a->index, i);
	return i == DG_INDEX_NONE ? DG_POOL_NONE : i;
}

static uint32_t find_or_make(struct dg_admission *a, uint64_t name)
{
	uint32_t i = find(a, name);

	if (i != DG_POOL_NONE)
		return i;
	i = dg_pool_take(&a->parties); /* there are as many as slots: one is left for this slot */
	if (!dg_index_add(&a->index, i, name)) {
		dg_pool_give(&a->parties, i);
		return DG_POOL_NONE;
	}
	*party_at(a, i) = (struct party){.name = name, .idlest = empty};
	append(&a->ranks[0], a->party_links, i);
	return i;
}

static uint32_t rank_of(const struct dg_admission *a, const struct party *p)
{
	return p->idle < a->limits.share ? p->idle : a->limits.share;
}

/* One idle session more or less: to the list of those with so many. Ranks change by one, so the
 * highest does too. */
static void change_idle(struct dg_admission *a, uint32_t i, int change)
{
	struct party *p = party_at(a, i);

	unlink_from(&a->ranks[rank_of(a, p)], a->party_links, i);
	p->idle += (uint32_t)change;
	append(&a->ranks[rank_of(a, p)], a->party_links, i);
	if (rank_of(a, p) > a->most)
		a->most = rank_of(a, p);
	else if (a->most > 0 && a->ranks[a->most].first == DG_SLOT_NONE)
		a->most--;
}

static void forget_if_gone(struct dg_admission *a, uint32_t i)
{
	struct party *p = party_at(a, i);

	if (p->confirmed > 0 || p->half_open > 0)
		return;
	unlink_from(&a->ranks[0], a->party_links, i);
	dg_index_remove(&a->index, i, p->name);
	dg_pool_give(&a->parties, i);
}

/* Sessions. */

static struct dg_admission_session session_of(uint32_t party, enum session_state state)
{
	return (struct dg_admission_session){.party = party & ((UINT32_C(1) << 29) - 1),
	                                     .state = state & 7U};
}

enum dg_room dg_admission_room(const struct dg_admission *a, uint64_t party, uint32_t *victim)
{
	uint32_t i = find(a, party);
	bool at_share = i != DG_POOL_NONE && party_at(a, i)->confirmed >= a->limits.share;

	if (!at_share && a->confirmed < a->limits.sessions)
		return DG_ROOM;
	if (!at_share)
		i = a->most > 0 ? a->ranks[a->most].first : DG_POOL_NONE;
	if (i == DG_POOL_NONE || party_at(a, i)->idle == 0)
		return DG_ROOM_NONE;
	*victim = party_at(a, i)->idlest.first;
	return DG_ROOM_AFTER;
}

static uint32_t half_open_of(const struct dg_admission *a, uint32_t party)
{
	return party == DG_POOL_NONE ? 0 : party_at(a, party)->half_open;
}

static bool is_half_open(const struct dg_admission *a, uint32_t slot)
{
	return a->sessions[slot].state == HALF_OPEN || a->sessions[slot].state == PROVED;
}

bool dg_admission_knock(struct dg_admission *a, uint32_t slot, uint64_t party, bool proved)
{
	uint32_t i;

	assert(a->sessions[slot].state == UNUSED);
	if (a->half_open >= a->limits.half_open)
		return false;
	i = find_or_make(a, party);
	if (i == DG_POOL_NONE)
		return false;
	a->sessions[slot] = session_of(i, proved ? PROVED : HALF_OPEN);
	append(&a->knocking, a->session_links, slot);
	a->half_open++;
	party_at(a, i)->half_open++;
	party_at(a, i)->proved += proved;
	return true;
}

static void stop_knocking(struct dg_admission *a, uint32_t slot)
{
	unlink_from(&a->knocking, a->session_links, slot);
	a->half_open--;
	party_of(a, slot)->half_open--;
	party_of(a, slot)->proved -= a->sessions[slot].state == PROVED;
}

static void confirm(struct dg_admission *a, uint32_t slot)
{
	a->sessions[slot].state = BUSY;
	a->confirmed++;
	party_of(a, slot)->confirmed++;
}

bool dg_admission_enter(struct dg_admission *a, uint32_t slot)
{
	uint32_t victim;

	assert(is_half_open(a, slot));
	if (dg_admission_room(a, party_of(a, slot)->name, &victim) != DG_ROOM)
		return false;
	stop_knocking(a, slot);
	confirm(a, slot);
	return true;
}

bool dg_admission_join(struct dg_admission *a, uint32_t slot, uint64_t party)
{
	uint32_t i = a->confirmed < a->limits.sessions ? find_or_make(a, party) : DG_POOL_NONE;

	assert(a->sessions[slot].state == UNUSED);
	if (i == DG_POOL_NONE)
		return false;
	a->sessions[slot] = session_of(i, BUSY);
	confirm(a, slot);
	return true;
}

void dg_admission_busy(struct dg_admission *a, uint32_t slot)
{
	assert(a->sessions[slot].state == BUSY || a->sessions[slot].state == IDLE);
	if (a->sessions[slot].state == BUSY)
		return;
	unlink_from(&party_of(a, slot)->idlest, a->session_links, slot);
	change_idle(a, a->sessions[slot].party, -1);
	a->sessions[slot].state = BUSY;
}

void dg_admission_idle(struct dg_admission *a, uint32_t slot)
{
	dg_admission_busy(a, slot);
	append(&party_of(a, slot)->idlest, a->session_links, slot);
	change_idle(a, a->sessions[slot].party, 1);
	a->sessions[slot].state = IDLE;
}

void dg_admission_leave(struct dg_admission *a, uint32_t slot)
{
	uint32_t i = a->sessions[slot].party;

	assert(a->sessions[slot].state != UNUSED);
	if (is_half_open(a, slot)) {
		stop_knocking(a, slot);
	} else {
		dg_admission_busy(a, slot);
		a->confirmed--;
		party_at(a, i)->confirmed--;
	}
	a->sessions[slot].state = UNUSED;
	forget_if_gone(a, i);
}

uint32_t dg_admission_oldest(const struct dg_admission *a)
{
	return a->knocking.first;
}

/* The oldest one in this state, of this party or (DG_POOL_NONE) of any. */
static uint32_t first_in(const struct dg_admission *a, enum session_state state, uint32_t party)
{
	uint32_t slot = a->knocking.first;

	while (slot != DG_SLOT_NONE &&
	       (a->sessions[slot].state != state ||
	        (party != DG_POOL_NONE && a->sessions[slot].party != party)))
		slot = a->session_links[slot].after;
	return slot;
}

/* The oldest one of the party that has most; of this one, if none has two more: or two would take
 * places from each other for ever. */
static uint32_t first_of_most(const struct dg_admission *a, uint32_t party)
{
	uint32_t most = half_open_of(a, party) + 1, found = DG_SLOT_NONE, own = DG_SLOT_NONE;

	for (uint32_t i = a->knocking.first; i != DG_SLOT_NONE; i = a->session_links[i].after) {
		if (own == DG_SLOT_NONE && a->sessions[i].party == party)
			own = i;
		if (party_of(a, i)->half_open > most) {
			most = party_of(a, i)->half_open;
			found = i;
		}
	}
	if (found == DG_SLOT_NONE)
		found = own;
	return found == DG_SLOT_NONE ? a->knocking.first : found;
}

uint32_t dg_admission_in_the_way(const struct dg_admission *a, uint64_t party)
{
	uint32_t i = find(a, party), slot;
	const struct party *p = i == DG_POOL_NONE ? NULL : party_at(a, i);

	if (p && p->proved > 0 && p->confirmed - p->idle + p->proved >= a->limits.share)
		return first_in(a, PROVED, i);
	if (a->half_open < a->limits.half_open)
		return DG_SLOT_NONE;
	slot = first_in(a, HALF_OPEN, DG_POOL_NONE);
	return slot == DG_SLOT_NONE ? first_of_most(a, i) : slot;
}

bool dg_admission_is_loaded(const struct dg_admission *a, uint64_t party)
{
	return 2 * (uint64_t)a->half_open >= a->limits.half_open ||
	       half_open_of(a, find(a, party)) >= a->limits.half_open_each;
}
