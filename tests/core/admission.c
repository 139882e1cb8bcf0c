#include "core/admission.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

/* 16 places, 4 for one party; 6 half-open ones, 2 for one party without a cookie. */
static const struct dg_admission_limits few = {16, 6, 2, 4};

static struct dg_admission fresh(const struct dg_admission_limits *limits)
{
	void *memory = calloc(1, dg_admission_size(limits));
	struct dg_admission a;

	assert_non_null(memory);
	dg_admission_init(&a, memory, limits);
	return a;
}

static void drop(struct dg_admission *a)
{
	free(a->parties.blocks);
}

static void come_in(struct dg_admission *a, uint32_t slot, uint64_t party)
{
	assert_true(dg_admission_knock(a, slot, party, false));
	assert_true(dg_admission_enter(a, slot));
}

static void assert_room(const struct dg_admission *a, uint64_t party, enum dg_room room,
                        uint32_t victim)
{
	uint32_t who = DG_SLOT_NONE;

	assert_int_equal(dg_admission_room(a, party, &who), room);
	assert_int_equal(who, victim);
}

static void without_a_cookie_a_party_has_few(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	assert_true(dg_admission_knock(&a, 0, 1, false));
	assert_false(dg_admission_is_loaded(&a, 1));
	assert_true(dg_admission_knock(&a, 1, 1, true)); /* this one counts too */
	assert_true(dg_admission_is_loaded(&a, 1));      /* two of two, and of all six */
	assert_false(dg_admission_is_loaded(&a, 2));
	assert_true(dg_admission_enter(&a, 1)); /* who is in knocks no more */
	assert_false(dg_admission_is_loaded(&a, 1));
	assert_true(dg_admission_knock(&a, 2, 1, false));
	assert_true(dg_admission_knock(&a, 3, 3, false));
	assert_true(dg_admission_is_loaded(&a, 2)); /* three of six */
	drop(&a);
}

static void assert_in_the_way(const struct dg_admission *a, uint64_t party, uint32_t slot)
{
	assert_int_equal(dg_admission_in_the_way(a, party), slot);
}

static void who_has_most_makes_room(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	for (uint32_t slot = 0; slot < 6; slot++) {
		assert_in_the_way(&a, 9, DG_SLOT_NONE);
		assert_true(dg_admission_knock(&a, slot, slot / 3, slot != 2));
	}
	assert_false(dg_admission_knock(&a, 6, 9, true));
	for (uint64_t party = 0; party < 3; party++)
		assert_in_the_way(&a, party, 2); /* without a cookie: first of all */
	dg_admission_leave(&a, 2);
	assert_true(dg_admission_knock(&a, 2, 1, true)); /* 0 has two, 1 has four of four */
	assert_in_the_way(&a, 0, 3);
	assert_in_the_way(&a, 1, 3);
	assert_in_the_way(&a, 9, 3);
	dg_admission_leave(&a, 3);
	assert_true(dg_admission_knock(&a, 3, 0, true)); /* three and three */
	assert_in_the_way(&a, 0, 0);
	assert_in_the_way(&a, 1, 4);
	assert_in_the_way(&a, 9, 0);
	dg_admission_leave(&a, 0);
	assert_true(
	        dg_admission_knock(&a, 0, 9, true)); /* two, three, and one: it has not two more */
	assert_in_the_way(&a, 0, 1);
	assert_in_the_way(&a, 9, 4);
	drop(&a);
}

static void nobody_has_two_of_them(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	for (uint32_t slot = 0; slot < 6; slot++)
		assert_true(dg_admission_knock(&a, slot, slot, true));
	assert_in_the_way(&a, 4, 4);
	assert_in_the_way(&a, 9, 0); /* who has none gets the oldest */
	drop(&a);
}

/* Who is proved is to find room when it is confirmed: what it begins and what is busy share a share. */
static void a_party_begins_no_more_than_could_be_confirmed(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	come_in(&a, 0, 7);
	come_in(&a, 1, 7);
	assert_true(dg_admission_knock(&a, 2, 7, false));
	assert_true(dg_admission_knock(&a, 3, 7, true));
	assert_in_the_way(&a, 7, DG_SLOT_NONE);
	assert_true(dg_admission_knock(&a, 4, 7, true));
	assert_in_the_way(&a, 7, 3);
	assert_in_the_way(&a, 8, DG_SLOT_NONE);
	dg_admission_idle(&a, 1); /* could go */
	assert_in_the_way(&a, 7, DG_SLOT_NONE);
	dg_admission_busy(&a, 1);
	assert_true(dg_admission_enter(&a, 3));
	dg_admission_leave(&a, 4);
	assert_in_the_way(&a, 7, DG_SLOT_NONE);
	drop(&a);
}

static void the_oldest_knock_is_told(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	assert_int_equal(dg_admission_oldest(&a), DG_SLOT_NONE);
	for (uint32_t slot = 0; slot < 4; slot++)
		assert_true(dg_admission_knock(&a, slot, slot, false));
	assert_int_equal(dg_admission_oldest(&a), 0);
	assert_true(dg_admission_enter(&a, 1));
	dg_admission_leave(&a, 0);
	assert_int_equal(dg_admission_oldest(&a), 2);
	dg_admission_leave(&a, 3);
	assert_int_equal(dg_admission_oldest(&a), 2);
	dg_admission_leave(&a, 2);
	assert_int_equal(dg_admission_oldest(&a), DG_SLOT_NONE);
	drop(&a);
}

static void half_open_sessions_cost_no_confirmed_one_its_place(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	for (uint32_t slot = 0; slot < 16; slot++) {
		come_in(&a, slot, slot / 4);
		dg_admission_idle(&a, slot);
	}
	for (uint32_t slot = 16; slot < 22; slot++)
		assert_true(dg_admission_knock(&a, slot, 100 + slot, false));
	assert_int_equal(a.confirmed, 16);
	assert_int_equal(dg_admission_slots(&few), 22);
	assert_false(dg_admission_enter(&a, 16)); /* one has to leave first */
	assert_room(&a, 116, DG_ROOM_AFTER, 0);
	dg_admission_leave(&a, 0);
	assert_true(dg_admission_enter(&a, 16));
	assert_int_equal(a.confirmed, 16);
	drop(&a);
}

static void a_party_at_its_share_gives_its_own_idlest(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	for (uint32_t slot = 0; slot < 4; slot++)
		come_in(&a, slot, 7);
	assert_room(&a, 8, DG_ROOM, DG_SLOT_NONE);
	assert_room(&a, 7, DG_ROOM_NONE, DG_SLOT_NONE);
	come_in(&a, 4, 8);
	dg_admission_idle(&a, 4); /* another party's is not taken */
	assert_room(&a, 7, DG_ROOM_NONE, DG_SLOT_NONE);
	dg_admission_idle(&a, 2);
	dg_admission_idle(&a, 1);
	assert_room(&a, 7, DG_ROOM_AFTER, 2);
	dg_admission_idle(&a, 2); /* used again */
	assert_room(&a, 7, DG_ROOM_AFTER, 1);
	dg_admission_busy(&a, 1);
	dg_admission_busy(&a, 1);
	assert_room(&a, 7, DG_ROOM_AFTER, 2);
	assert_true(dg_admission_knock(&a, 5, 7, false));
	assert_false(dg_admission_enter(&a, 5));
	dg_admission_leave(&a, 2);
	assert_true(dg_admission_enter(&a, 5));
	drop(&a);
}

static void a_full_table_takes_from_who_has_most_idle_ones(void **state)
{
	static const struct {
		uint32_t slot;
		bool idle; /* or busy */
		uint32_t victim;
	} rows[] = {
	        {5, true, 5},   {9, true, 5},
	        {8, true, 9},   {6, true, 9},
	        {4, true, 5},   {5, false, 9},
	        {6, false, 9},  {9, false, 4},
	        {4, false, 8},  {8, false, DG_SLOT_NONE},
	        {15, true, 15},
	};
	struct dg_admission a = fresh(&few);

	(void)state;
	for (uint32_t slot = 0; slot < 16; slot++)
		come_in(&a, slot, slot / 4);
	assert_room(&a, 99, DG_ROOM_NONE, DG_SLOT_NONE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].idle)
			dg_admission_idle(&a, rows[i].slot);
		else
			dg_admission_busy(&a, rows[i].slot);
		assert_room(&a, 99, rows[i].victim == DG_SLOT_NONE ? DG_ROOM_NONE : DG_ROOM_AFTER,
		            rows[i].victim);
	}
	drop(&a);
}

static void our_own_sessions_need_a_place_but_no_share(void **state)
{
	struct dg_admission a = fresh(&few);

	(void)state;
	for (uint32_t slot = 0; slot < 16; slot++) {
		assert_true(dg_admission_join(&a, slot, 7));
		dg_admission_idle(&a, slot);
	}
	assert_false(dg_admission_join(&a, 16, 7));
	assert_room(&a, 8, DG_ROOM_AFTER, 0);
	for (uint32_t slot = 0; slot < 12; slot++)
		dg_admission_leave(&a, slot);
	assert_room(&a, 7, DG_ROOM_AFTER, 12);
	assert_room(&a, 8, DG_ROOM, DG_SLOT_NONE);
	drop(&a);
}

static void parties_with_a_full_chain_stay_outside(void **state)
{
	struct dg_admission a = fresh(&(struct dg_admission_limits){64, 64, 1, 8});
	uint64_t step = UINT64_C(1) << 20; /* all in one bucket */

	(void)state;
	for (uint32_t slot = 0; slot < DG_INDEX_CHAIN; slot++)
		assert_true(dg_admission_knock(&a, slot, slot * step, false));
	assert_false(dg_admission_knock(&a, 40, 40 * step, false));
	assert_false(dg_admission_join(&a, 40, 40 * step));
	assert_int_equal(a.parties.used, DG_INDEX_CHAIN);
	assert_true(dg_admission_knock(&a, 40, 1, false));
	dg_admission_leave(&a, 3);
	assert_true(dg_admission_join(&a, 3, 40 * step));
	drop(&a);
}

/* What is known of each slot, searched from end to end. */
enum { SLOTS = 22, PARTIES = 9 };

static struct {
	enum { NOBODY, KNOCKING, WORKING, RESTING } what;
	uint64_t party;
	unsigned used; /* step */
} model[SLOTS];

static unsigned count(uint64_t party, int what)
{
	unsigned n = 0;

	for (size_t i = 0; i < SLOTS; i++)
		n += (party == PARTIES || model[i].party == party) && (int)model[i].what == what;
	return n;
}

static unsigned confirmed(uint64_t party)
{
	return count(party, WORKING) + count(party, RESTING);
}

/* The slot of this party, or of all of them, that is what and was used longest ago. */
static uint32_t longest_ago(uint64_t party, int what)
{
	uint32_t found = DG_SLOT_NONE;

	for (uint32_t i = 0; i < SLOTS; i++) {
		if ((party != PARTIES && model[i].party != party) || (int)model[i].what != what)
			continue;
		if (found == DG_SLOT_NONE || model[i].used < model[found].used)
			found = i;
	}
	return found;
}

static unsigned rank(uint64_t party)
{
	return count(party, RESTING) < few.share ? count(party, RESTING) : few.share;
}

static void check_room(const struct dg_admission *a, uint64_t party)
{
	uint32_t victim = DG_SLOT_NONE;
	enum dg_room room = dg_admission_room(a, party, &victim);
	unsigned most = 0;

	if (confirmed(party) < few.share && confirmed(PARTIES) < few.sessions) {
		assert_int_equal(room, DG_ROOM);
		return;
	}
	for (uint64_t p = 0; p < PARTIES; p++)
		most = rank(p) > most ? rank(p) : most;
	if (confirmed(party) >= few.share)
		most = rank(party);
	assert_int_equal(room, most > 0 ? DG_ROOM_AFTER : DG_ROOM_NONE);
	if (most == 0)
		return;
	assert_true(confirmed(party) < few.share || model[victim].party == party);
	assert_int_equal(rank(model[victim].party), most);
	assert_int_equal(victim, longest_ago(model[victim].party, RESTING));
}

static void new_session(struct dg_admission *a, struct dg_random *r, uint32_t slot, unsigned step)
{
	uint64_t party = dg_random_below(r, 1 + dg_random_below(r, PARTIES));

	model[slot].party = party;
	model[slot].used = step;
	if (dg_random_below(r, 4) > 0) {
		bool room = count(PARTIES, KNOCKING) < few.half_open;

		assert_int_equal(dg_admission_knock(a, slot, party, step % 2), room);
		model[slot].what = room ? KNOCKING : NOBODY;
	} else {
		bool room = confirmed(PARTIES) < few.sessions;

		assert_int_equal(dg_admission_join(a, slot, party), room);
		model[slot].what = room ? WORKING : NOBODY;
	}
}

static void next_step(struct dg_admission *a, struct dg_random *r, uint32_t slot, unsigned step)
{
	uint64_t party = model[slot].party;

	if (dg_random_below(r, 5) == 0) {
		dg_admission_leave(a, slot);
		model[slot].what = NOBODY;
	} else if (model[slot].what == KNOCKING) {
		bool room = confirmed(party) < few.share && confirmed(PARTIES) < few.sessions;

		assert_int_equal(dg_admission_enter(a, slot), room);
		model[slot].what = room ? WORKING : KNOCKING;
	} else if (dg_random_below(r, 2) == 0) {
		dg_admission_busy(a, slot);
		model[slot].what = WORKING;
	} else {
		dg_admission_idle(a, slot);
		model[slot].what = RESTING;
		model[slot].used = step;
	}
}

static void it_agrees_with_a_naive_model(void **state)
{
	struct dg_admission a = fresh(&few);
	struct dg_random r;

	(void)state;
	dg_random_init(&r, 1);
	for (unsigned step = 0; step < 50000; step++) {
		uint32_t slot = (uint32_t)dg_random_below(&r, SLOTS);

		if (model[slot].what == NOBODY)
			new_session(&a, &r, slot, step);
		else
			next_step(&a, &r, slot, step);
		check_room(&a, dg_random_below(&r, PARTIES));
		assert_int_equal(dg_admission_oldest(&a), longest_ago(PARTIES, KNOCKING));
		assert_int_equal(a.confirmed, confirmed(PARTIES));
		assert_int_equal(a.half_open, count(PARTIES, KNOCKING));
	}
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		if (model[slot].what != NOBODY)
			dg_admission_leave(&a, slot);
	assert_int_equal(a.parties.used, 0);
	assert_int_equal(a.most, 0);
	drop(&a);
}

static void the_usual_limits_are_those_of_the_protocol(void **state)
{
	static const uint32_t rows[][2] = {{1, 1},  {8, 1},      {15, 1},
	                                   {16, 2}, {1024, 128}, {100000, 12500}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct dg_admission_limits limits = dg_admission_usual(rows[i][0]);

		assert_int_equal(limits.sessions, rows[i][0]);
		assert_int_equal(limits.share, rows[i][1]);
		assert_int_equal(limits.half_open, 256);
		assert_int_equal(limits.half_open_each, 4);
	}
}

static void the_sizes_are_known(void **state)
{
	struct dg_admission_limits limits = dg_admission_usual(100000);
	size_t size = dg_admission_size(&limits);

	(void)state;
	printf("admission: %zu bytes, and %.1f for each of 100,000 sessions, each of another "
	       "party\n",
	       sizeof(struct dg_admission), (double)size / 100000);
	assert_true(size <= (size_t)68 * 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(without_a_cookie_a_party_has_few),
	        cmocka_unit_test(who_has_most_makes_room),
	        cmocka_unit_test(nobody_has_two_of_them),
	        cmocka_unit_test(a_party_begins_no_more_than_could_be_confirmed),
	        cmocka_unit_test(the_oldest_knock_is_told),
	        cmocka_unit_test(half_open_sessions_cost_no_confirmed_one_its_place),
	        cmocka_unit_test(a_party_at_its_share_gives_its_own_idlest),
	        cmocka_unit_test(a_full_table_takes_from_who_has_most_idle_ones),
	        cmocka_unit_test(our_own_sessions_need_a_place_but_no_share),
	        cmocka_unit_test(parties_with_a_full_chain_stay_outside),
	        cmocka_unit_test(it_agrees_with_a_naive_model),
	        cmocka_unit_test(the_usual_limits_are_those_of_the_protocol),
	        cmocka_unit_test(the_sizes_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
