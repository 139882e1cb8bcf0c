/* The machines together, without an endpoint: two ends, each with one of every kind, send each
 * other numbered items over a link in virtual time, which loses, delays, copies and queues by a
 * seed. The way they are joined here is the way an endpoint joins them.
 */
#include "core/congestion.h"
#include "core/pacer.h"
#include "base/profile.h"
#include "core/recovery.h"
#include "core/rtt.h"
#include "core/timers.h"
#include "core/window.h"

#include "base/random.h"

#include <dgram/time.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define SIZE         1200 /* bytes of a datagram with an item; one without counts 100 */
#define SMALL        100
#define ITEMS        4000
#define RING         1024
#define ON_THE_WAY   8192
#define NOTHING      UINT32_MAX
#define MS           DGRAM_MS

struct link {
	uint64_t delay, jitter; /* ns one way; the jitter reorders */
	uint64_t loss, copies;  /* % */
	uint64_t rate;          /* bytes/s, 0: any */
	uint64_t queue;         /* datagrams that wait for it */
	uint64_t dark_from, dark_until;
	uint32_t tail; /* the first copies of so many last items are lost */
};

struct packet {
	uint64_t number;
	uint32_t item; /* NOTHING: none */
	bool asking;
	size_t ack_len;
	uint8_t ack[700];
};

struct end {
	struct dg_rtt rtt;
	struct dg_window window;
	struct dg_window_busy busy;
	struct dg_recovery recovery;
	struct dg_sent ring[RING];
	struct dg_congestion congestion;
	struct dg_pacer pacer;
	uint32_t items, next;                     /* to send in all, and the next one */
	uint32_t again[ITEMS], again_count;       /* to be sent again */
	bool settled[ITEMS], received[ITEMS];     /* acknowledged; arrived from the other end */
	uint32_t probes;                          /* that are due */
	uint64_t free_at;                         /* when the link has sent what is queued */
	uint64_t sent, lost, fired, collapses;    /* packets, losses, PTOs */
	uint64_t window_max, window_min, done_at; /* done: all items are settled */
};

struct world {
	struct end ends[2];
	struct link link;
	struct dg_random random;
	struct packet packets[ON_THE_WAY]; /* slot 2 i + side: on the way to that side */
	struct dg_timers arrivals;
	void *memory;
	uint64_t now;
};

static uint64_t rate_of(const struct end *e)
{
	return dg_congestion_rate(&e->congestion, dg_rtt_smoothed(&e->rtt));
}

static uint64_t wait_of(const struct end *e)
{
	return dg_rtt_wait(&e->rtt, e->recovery.probes, e->recovery.next);
}

static void open_end(struct end *e, enum dgram_profile profile, uint32_t items, uint64_t number)
{
	e->items = items;
	dg_rtt_init(&e->rtt, profile, dg_profile(profile)->ack_delay_ms);
	dg_window_wake(&e->window, &e->busy, dg_profile(profile)->ack_delay_ms * MS, 0);
	dg_recovery_init(&e->recovery, e->ring, RING, number, false);
	dg_congestion_init(&e->congestion, &dg_newreno, SIZE, dg_profile(profile)->initial_window);
	e->window_min = e->congestion.window;
}

/* The link's part: whether and when it arrives. */
static void put_on_link(struct world *w, int side, const struct packet *packet, uint64_t bytes)
{
	const struct link *l = &w->link;
	struct end *from = &w->ends[side];
	uint64_t start = from->free_at > w->now ? from->free_at : w->now;
	uint64_t copies = 1 + (dg_random_below(&w->random, 100) < l->copies);

	if (l->rate > 0) {
		if (start - w->now > l->queue * SIZE * DGRAM_S / l->rate)
			return;
		from->free_at = start += bytes * DGRAM_S / l->rate;
	}
	if (w->now >= l->dark_from && w->now < l->dark_until)
		return;
	while (copies-- > 0) {
		uint32_t slot = (uint32_t)!side;

		if (dg_random_below(&w->random, 100) < l->loss)
			continue;
		while (slot < ON_THE_WAY && dg_timers_of(&w->arrivals, slot) != DGRAM_NEVER)
			slot += 2;
		assert_true(slot < ON_THE_WAY);
		w->packets[slot] = *packet;
		dg_timers_set(&w->arrivals, slot,
		              start + l->delay + dg_random_below(&w->random, l->jitter + 1));
	}
}

static uint64_t write_ack(struct world *w, struct end *e, struct packet *packet)
{
	uint8_t data[512];
	struct dg_writer ranges = dg_writer(data, sizeof data);
	struct dg_writer out = dg_writer(packet->ack, sizeof packet->ack);
	struct dg_frame frame;

	if (!dg_window_has_news(&e->busy) ||
	    !dg_window_ack(&e->window, &e->busy, w->now, &frame, &ranges))
		return DG_NO_ACK;
	dg_frame_encode(&out, &frame);
	assert_false(out.failed);
	packet->ack_len = out.len;
	dg_window_ack_sent(&e->busy);
	return frame.id;
}

static void send_packet(struct world *w, int side, uint32_t item, bool asking)
{
	struct end *e = &w->ends[side];
	struct packet packet = {.number = e->recovery.next, .item = item, .asking = asking};
	uint16_t bytes = item == NOTHING ? SMALL : SIZE;
	struct dg_sent sent = {.at = w->now, .first = item, .bytes = bytes, .asking = asking};
	bool again = item != NOTHING && item < e->next;

	sent.acks = write_ack(w, e, &packet);
	sent.count = item != NOTHING;
	assert_true(dg_recovery_sent(&e->recovery, &sent) == 1 || !asking);
	dg_pacer_sent(&e->pacer, asking ? rate_of(e) : 0, bytes, w->now);
	e->sent++;
	if (item == e->next)
		e->next++;
	if (again || item == NOTHING || item + w->link.tail < e->items)
		put_on_link(w, side, &packet, bytes);
}

static bool has_item(struct end *e)
{
	while (e->again_count > 0 && e->settled[e->again[e->again_count - 1]])
		e->again_count--;
	return e->again_count > 0 || e->next < e->items;
}

static uint32_t take_item(struct end *e)
{
	return e->again_count > 0 ? e->again[--e->again_count] : e->next;
}

static bool window_is_open(struct end *e)
{
	return has_item(e) && e->recovery.in_flight + SIZE <= e->congestion.window &&
	       dg_recovery_has_room(&e->recovery);
}

static uint64_t pace_of(const struct end *e)
{
	return dg_pacer_due(&e->pacer, rate_of(e), SIZE);
}

/* A probe carries what may be missing: something new, or else the oldest item that is in flight. */
static void send_probe(struct world *w, int side)
{
	struct end *e = &w->ends[side];
	const struct dg_sent *oldest = dg_recovery_oldest(&e->recovery);
	uint32_t item = NOTHING;

	if (has_item(e))
		item = take_item(e);
	else if (oldest && oldest->count > 0)
		item = oldest->first;
	send_packet(w, side, item, true);
}

static void transmit(struct world *w, int side)
{
	struct end *e = &w->ends[side];

	for (; e->probes > 0; e->probes--)
		send_probe(w, side);
	while (window_is_open(e) && pace_of(e) <= w->now)
		send_packet(w, side, take_item(e), true);
	if (dg_window_ack_due(&e->busy) <= w->now)
		send_packet(w, side, NOTHING, false);
}

static void pull_lost(struct world *w, struct end *e)
{
	struct dg_sent out;

	while (dg_recovery_next_lost(&e->recovery, &out)) {
		if (!out.asking)
			continue;
		e->lost++;
		dg_congestion_lost(&e->congestion, out.at, w->now);
		if (out.count > 0 && !e->settled[out.first]) {
			assert_true(e->again_count < ITEMS);
			e->again[e->again_count++] = out.first;
		}
	}
}

static void pull_acked(struct end *e, uint64_t in_flight)
{
	struct dg_sent out;

	while (dg_recovery_next_acked(&e->recovery, &out)) {
		const struct dg_congestion_ack ack = {out.at, out.bytes, in_flight};

		if (out.acks != DG_NO_ACK)
			dg_window_ack_arrived(&e->busy, out.acks);
		if (out.asking && !out.late)
			dg_congestion_acked(&e->congestion, &ack);
		if (out.count > 0)
			e->settled[out.first] = true;
	}
}

static void find_lost(struct world *w, struct end *e)
{
	uint64_t delay = dg_rtt_loss_delay(&e->rtt, e->recovery.latest);
	bool persistent =
	        dg_recovery_detect(&e->recovery, delay, dg_rtt_persistent(&e->rtt), w->now);

	pull_lost(w, e);
	if (persistent) {
		dg_congestion_collapse(&e->congestion);
		dg_rtt_forget_minimum(&e->rtt);
		e->collapses++;
	}
}

static void take_ack(struct world *w, struct end *e, const struct packet *packet)
{
	struct dg_reader in = dg_reader(packet->ack, packet->ack_len);
	uint64_t sample, in_flight = e->recovery.in_flight;
	struct dg_frame frame;

	assert_true(dg_frame_decode(&frame, &in));
	assert_true(dg_recovery_ack(&e->recovery, &frame, w->now, &sample) >= 0);
	if (sample > 0)
		dg_rtt_sample(&e->rtt, sample, frame.value * DGRAM_US);
	find_lost(w, e);
	pull_acked(e, in_flight);
}

static void receive(struct world *w, int side, const struct packet *packet)
{
	struct end *e = &w->ends[side];

	if (dg_window_check(&e->window, &e->busy, packet->number) != DG_WINDOW_NEW)
		return;
	dg_window_mark(&e->window, &e->busy, packet->number, packet->asking, w->now);
	if (packet->item != NOTHING)
		e->received[packet->item] = true;
	if (packet->ack_len > 0)
		take_ack(w, e, packet);
}

static void wake(struct world *w, int side)
{
	struct end *e = &w->ends[side];

	switch (dg_recovery_timeout(&e->recovery, wait_of(e), w->now)) {
	case DG_RECOVERY_NOTHING:
		break;
	case DG_RECOVERY_LOSS:
		find_lost(w, e);
		break;
	case DG_RECOVERY_PROBE:
		pull_lost(w, e);
		e->probes = 2;
		e->fired++;
		break;
	}
}

static uint64_t deadline(struct end *e)
{
	uint64_t due = dg_recovery_deadline(&e->recovery, wait_of(e));

	if (dg_window_ack_due(&e->busy) < due)
		due = dg_window_ack_due(&e->busy);
	if (window_is_open(e) && pace_of(e) < due)
		due = pace_of(e);
	return due;
}

static bool is_done(const struct end *e)
{
	for (uint32_t i = 0; i < e->items; i++)
		if (!e->settled[i])
			return false;
	return true;
}

/* What holds after every event. A record's state 0 is "in flight". */
static void watch(struct world *w, struct end *e)
{
	uint64_t in_flight = 0;

	for (uint64_t p = e->recovery.begin; p < e->recovery.end; p++) {
		const struct dg_sent *s = &e->ring[p % RING];
		in_flight += s->asking && s->state == 0 ? s->bytes : 0;
	}
	assert_int_equal(e->recovery.in_flight, in_flight);
	assert_true(e->congestion.window >= dg_congestion_least(&e->congestion));
	if (e->congestion.window > e->window_max)
		e->window_max = e->congestion.window;
	if (e->congestion.window < e->window_min)
		e->window_min = e->congestion.window;
	if (!e->done_at && e->next == e->items && is_done(e))
		e->done_at = w->now;
}

/* Until nothing is on the way and nobody waits for anything: that it comes to this is part of the
 * test. */
static void run(struct world *w)
{
	for (uint64_t step = 0; step < 1000000; step++) {
		uint64_t arrival, next;

		for (int side = 0; side < 2; side++) {
			transmit(w, side);
			watch(w, &w->ends[side]);
		}
		arrival = next = dg_timers_due(&w->arrivals);
		for (int side = 0; side < 2; side++)
			if (deadline(&w->ends[side]) < next)
				next = deadline(&w->ends[side]);
		if (next == DGRAM_NEVER)
			return;
		if (next > w->now) /* a shorter RTT may put a deadline into the past */
			w->now = next;
		if (arrival <= w->now) {
			uint32_t slot = dg_timers_take(&w->arrivals);
			receive(w, (int)(slot % 2), &w->packets[slot]);
			continue;
		}
		wake(w, 0);
		wake(w, 1);
	}
	fail_msg("it never ends");
}

static struct world *simulate(const struct link *link, enum dgram_profile profile, uint32_t there,
                              uint32_t back, uint64_t number, uint64_t seed)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->link = *link;
	w->memory = malloc(dg_timers_size(ON_THE_WAY));
	assert_non_null(w->memory);
	dg_timers_init(&w->arrivals, w->memory, ON_THE_WAY);
	dg_random_init(&w->random, seed);
	w->now = DGRAM_S;
	open_end(&w->ends[0], profile, there, number);
	open_end(&w->ends[1], profile, back, number);
	run(w);
	for (int side = 0; side < 2; side++) {
		struct end *e = &w->ends[side];

		assert_true(dg_recovery_is_quiet(&e->recovery));
		assert_true(is_done(e));
		for (uint32_t i = 0; i < e->items; i++)
			assert_true(w->ends[!side].received[i]);
	}
	return w;
}

static void end_of(struct world *w)
{
	free(w->memory);
	free(w);
}

static void everything_arrives_over_every_link(void **state)
{
	static const struct {
		struct link link;
		enum dgram_profile profile;
		uint32_t there, back;
	} rows[] = {
	        {{.delay = 10 * DGRAM_US}, DGRAM_PROFILE_LOOPBACK, 2000, 0},
	        {{.delay = 0}, DGRAM_PROFILE_LOOPBACK, 500, 500},
	        {{.delay = MS, .loss = 1}, DGRAM_PROFILE_LAN, 2000, 10},
	        {{.delay = 10 * MS, .loss = 5}, DGRAM_PROFILE_LAN, 1000, 1000},
	        {{.delay = 10 * MS, .loss = 30, .jitter = 5 * MS}, DGRAM_PROFILE_LAN, 300, 50},
	        {{.delay = 10 * MS, .loss = 50, .copies = 20}, DGRAM_PROFILE_LOOPBACK, 100, 100},
	        {{.delay = 50 * MS, .loss = 10, .jitter = 50 * MS}, DGRAM_PROFILE_WAN, 500, 0},
	        {{.delay = 100 * MS, .loss = 50, .jitter = 100 * MS}, DGRAM_PROFILE_WAN, 50, 50},
	        {{.delay = 300 * DGRAM_S, .loss = 20}, DGRAM_PROFILE_WAN, 20, 5},
	        {{.delay = 10 * MS, .rate = 1000000, .queue = 20, .loss = 2}, DGRAM_PROFILE_WAN, 1000, 100},
	};
	static const uint64_t numbers[] = {0, 1, UINT32_MAX - 50, DG_VARINT_MAX - 40000};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (uint64_t seed = 0; seed < 8; seed++)
			end_of(simulate(&rows[i].link, rows[i].profile, rows[i].there, rows[i].back,
			                numbers[seed % COUNT(numbers)], 100 * i + seed));
}

static void a_good_link_loses_nothing_probes_nothing_and_is_used(void **state)
{
	const struct link link = {.delay = 10 * MS};
	struct world *w = simulate(&link, DGRAM_PROFILE_LAN, 2000, 0, 0, 1);
	const struct end *e = &w->ends[0];

	(void)state;
	assert_int_equal(e->sent, 2000);
	assert_int_equal(e->lost, 0);
	assert_int_equal(e->fired, 0);
	assert_true(w->ends[1].sent >= 1000 && w->ends[1].sent <= 1100); /* an ACK for two */
	assert_true(e->window_max >= 512 * SIZE);
	assert_true(e->done_at - DGRAM_S <
	            200 * MS); /* ten round trips; from 64 on five would do */
	end_of(w);
}

/* 10 Mbit/s, 20 ms there and back, room for 25 datagrams (the path holds 21): the sender must find
 * the rate, stay near it, and not lose much more than it has to. */
static void a_narrow_link_is_filled_but_not_flooded(void **state)
{
	const struct link link = {.delay = 10 * MS, .rate = 1250000, .queue = 25};
	struct world *w = simulate(&link, DGRAM_PROFILE_WAN, ITEMS, 0, 0, 1);
	const struct end *e = &w->ends[0];
	uint64_t least = (uint64_t)ITEMS * SIZE * DGRAM_S / link.rate;

	(void)state;
	assert_true(e->done_at - DGRAM_S < least * 100 / 85);
	assert_true(e->lost > 0);
	assert_true(e->lost < ITEMS / 50);
	assert_true(e->window_max < 120 * SIZE);
	assert_true(e->window_min >= 8 * SIZE);
	assert_int_equal(e->collapses, 0);
	end_of(w);
}

/* The last items are lost: nothing comes after them that would draw an ACK. */
static void a_lost_tail_ends_with_a_probe(void **state)
{
	static const struct {
		enum dgram_profile profile;
		uint32_t items, tail;
		uint64_t limit; /* ms */
	} rows[] = {
	        {DGRAM_PROFILE_LAN, 100, 1, 120},   {DGRAM_PROFILE_LAN, 100, 20, 160}, {DGRAM_PROFILE_WAN, 100, 1, 400},
	        {DGRAM_PROFILE_WAN, 100, 20, 500},  {DGRAM_PROFILE_LAN, 1, 1, 140},    {DGRAM_PROFILE_WAN, 1, 1, 1200},
	        {DGRAM_PROFILE_LOOPBACK, 1, 1, 90},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct link link = {.delay = 10 * MS, .tail = rows[i].tail};
		struct world *w = simulate(&link, rows[i].profile, rows[i].items, 0, 0, i);

		if (w->ends[0].fired != 1 || w->ends[0].done_at - DGRAM_S > rows[i].limit * MS)
			fail_msg("row %zu: %d PTOs, %d ms", i, (int)w->ends[0].fired,
			         (int)((w->ends[0].done_at - DGRAM_S) / MS));
		end_of(w);
	}
}

static void a_dark_link_takes_the_window_to_the_least_and_then_is_used_again(void **state)
{
	const struct link link = {.delay = 10 * MS,
	                          .rate = 1250000,
	                          .queue = 25,
	                          .dark_from = 2 * DGRAM_S,
	                          .dark_until = 6 * DGRAM_S};
	struct world *w = simulate(&link, DGRAM_PROFILE_LAN, ITEMS, 0, 0, 1);
	const struct end *e = &w->ends[0];

	(void)state;
	assert_int_equal(e->collapses, 1);
	assert_int_equal(e->window_min, 2 * SIZE);
	assert_true(e->fired >= 4 && e->fired < 12);
	assert_true(e->done_at < 11 * DGRAM_S); /* four seconds of darkness and one to come back */
	end_of(w);
}

static void reordered_packets_are_seen_to_be_late_and_not_lost(void **state)
{
	const struct link link = {.delay = 10 * MS, .jitter = 8 * MS};
	struct world *w = simulate(&link, DGRAM_PROFILE_LAN, 1000, 0, 0, 1);
	const struct end *e = &w->ends[0];

	(void)state;
	assert_true(e->lost > 0);
	assert_true(e->recovery.late > e->lost * 9 / 10);
	end_of(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(everything_arrives_over_every_link),
	        cmocka_unit_test(a_good_link_loses_nothing_probes_nothing_and_is_used),
	        cmocka_unit_test(a_narrow_link_is_filled_but_not_flooded),
	        cmocka_unit_test(a_lost_tail_ends_with_a_probe),
	        cmocka_unit_test(a_dark_link_takes_the_window_to_the_least_and_then_is_used_again),
	        cmocka_unit_test(reordered_packets_are_seen_to_be_late_and_not_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
