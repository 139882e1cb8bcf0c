#include "core/recovery.h"

#include <dgram/error.h>
#include <dgram/time.h>
#include <string.h>

#define PACKET_THRESHOLD 3 /* RFC 9002, 6.1.1: kPacketThreshold */
#define PROBES           2 /* RFC 9002, 6.2.4: at most so many at once */

/* In flight -> acknowledged -> done, or in flight -> lost -> kept, and from there, late, to
 * acknowledged. Acknowledged and lost ones wait to be pulled. */
enum state {
	IN_FLIGHT,
	ACKED,
	LOST,
	KEPT,
	DONE,
};

static struct dg_sent *at(const struct dg_recovery *r, uint64_t place)
{
	return &r->ring[place % r->capacity];
}

static uint64_t count(const struct dg_recovery *r)
{
	return r->end - r->begin;
}

static bool is_crowded(const struct dg_recovery *r)
{
	return count(r) >= r->capacity / 2;
}

void dg_recovery_init(struct dg_recovery *r, struct dg_sent *ring, uint32_t capacity, uint64_t next,
                      bool measured)
{
	memset(r, 0, sizeof *r);
	r->ring = ring;
	r->capacity = capacity;
	r->next = next;
	r->loss_due = DGRAM_NEVER;
	r->measured_at = measured ? 0 : DGRAM_NEVER;
}

/* The oldest records go: those that are done, and those that are only good to have when they are
 * from before keep_from or when room is scarce. */
static void trim(struct dg_recovery *r, uint64_t keep_from)
{
	while (count(r) > 0) {
		const struct dg_sent *oldest = at(r, r->begin);
		bool optional =
		        oldest->state == KEPT || (oldest->state == IN_FLIGHT && !oldest->asking);

		if (oldest->state != DONE &&
		    !(optional && (is_crowded(r) || oldest->at < keep_from)))
			return;
		r->begin++;
	}
}

bool dg_recovery_has_room(struct dg_recovery *r)
{
	trim(r, 0);
	return count(r) + PROBES < r->capacity && r->next <= DG_VARINT_MAX;
}

int dg_recovery_sent(struct dg_recovery *r, const struct dg_sent *packet)
{
	struct dg_sent *record = at(r, r->end);

	trim(r, 0);
	if ((packet->asking && count(r) == r->capacity) || r->next > DG_VARINT_MAX)
		return DGRAM_ERR_FULL;
	if (!packet->asking && is_crowded(r)) {
		r->next++;
		return 0;
	}
	*record = *packet;
	record->number = r->next++;
	record->late = false;
	record->state = IN_FLIGHT;
	r->end++;
	if (packet->asking) {
		r->asked_at = packet->at;
		r->in_flight += packet->bytes;
		r->asking++;
	}
	return 1;
}

static void leave_flight(struct dg_recovery *r, const struct dg_sent *record)
{
	if (!record->asking)
		return;
	r->in_flight -= record->bytes;
	r->asking--;
}

/* False: it was acknowledged before. */
static bool acknowledge(struct dg_recovery *r, uint64_t place)
{
	struct dg_sent *record = at(r, place);

	if (record->state == ACKED || record->state == DONE)
		return false;
	if (record->state == IN_FLIGHT) {
		leave_flight(r, record);
	} else {
		record->late = true;
		r->late++;
	}
	if (record->state == LOST)
		r->lost_left--;
	record->state = ACKED;
	if (r->acked_left++ == 0 || place < r->acked_from)
		r->acked_from = place;
	return true;
}

static void lose(struct dg_recovery *r, uint64_t place)
{
	struct dg_sent *record = at(r, place);

	leave_flight(r, record);
	record->state = LOST;
	if (r->lost_left++ == 0 || place < r->lost_from)
		r->lost_from = place;
}

/* The place behind the last record whose number is not above number. */
static uint64_t place_behind(const struct dg_recovery *r, uint64_t number)
{
	uint64_t low = r->begin, high = r->end;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (at(r, middle)->number > number)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* What one ACK brought. */
struct harvest {
	int settled;
	bool asking;         /* a packet among them asked */
	uint64_t highest_at; /* when the highest number of the ACK left, if this settled it */
	bool has_highest;
};

/* ACKs repeat themselves: what the one before said of the newest numbers need not be gone through
 * again. */
static bool is_in_run(const struct dg_recovery *r, uint64_t number)
{
	return r->has_highest && number <= r->highest && number >= r->run_from;
}

static void settle_range(struct dg_recovery *r, uint64_t low, uint64_t high, uint64_t highest,
                         struct harvest *harvest)
{
	for (uint64_t place = place_behind(r, high); place > r->begin; place--) {
		const struct dg_sent *record = at(r, place - 1);

		if (record->number < low)
			return;
		if (is_in_run(r, record->number)) {
			if (r->run_from <= low)
				return;
			place = place_behind(r, r->run_from - 1) + 1;
			continue;
		}
		if (!acknowledge(r, place - 1))
			continue;
		harvest->settled++;
		harvest->asking |= record->asking;
		if (record->number == highest) {
			harvest->has_highest = true;
			harvest->highest_at = record->at;
		}
	}
}

/* 0 would say that there is none, and is what a sample is in a world without delay. */
static uint64_t sample_of(const struct harvest *harvest, uint64_t now)
{
	if (!harvest->has_highest || !harvest->asking)
		return 0;
	return now > harvest->highest_at ? now - harvest->highest_at : 1;
}

int dg_recovery_ack(struct dg_recovery *r, const struct dg_frame *ack, uint64_t now,
                    uint64_t *sample)
{
	struct dg_ack_walk walk = {.frame = ack};
	struct harvest harvest = {0};
	uint64_t low, high;

	*sample = 0;
	if (ack->id >= r->next)
		return DGRAM_ERR_FORMAT;
	while (dg_ack_next(&walk, &low, &high))
		settle_range(r, low, high, ack->id, &harvest);
	if (!r->has_highest || ack->id > r->highest) {
		r->highest = ack->id;
		r->run_from = ack->id - ack->first;
	}
	r->has_highest = true;
	if (harvest.settled > 0)
		r->probes = 0;
	*sample = sample_of(&harvest, now);
	if (*sample > 0) {
		r->latest = *sample;
		if (r->measured_at == DGRAM_NEVER)
			r->measured_at = now;
	}
	return harvest.settled;
}

/* A stretch of time in which all asking packets were lost (RFC 9002, 7.6.2). It counts from the
 * first RTT sample on: before that nobody knows what is long. */
struct stretch {
	bool open;
	uint64_t since;
};

static bool stretch_reaches(struct stretch *s, const struct dg_recovery *r,
                            const struct dg_sent *lost, uint64_t persistent)
{
	if (!lost->asking || r->measured_at == DGRAM_NEVER || lost->at <= r->measured_at)
		return false;
	if (!s->open)
		*s = (struct stretch){.open = true, .since = lost->at};
	return lost->at - s->since > persistent;
}

/* The first place where a packet in flight may be. */
static uint64_t flight_begin(const struct dg_recovery *r)
{
	return r->flight_from > r->begin ? r->flight_from : r->begin;
}

bool dg_recovery_detect(struct dg_recovery *r, uint64_t loss_delay, uint64_t persistent,
                        uint64_t now)
{
	struct stretch stretch = {0};
	uint64_t place, first_left = r->end;
	bool is_persistent = false;

	trim(r, now > persistent ? now - persistent : 0);
	r->loss_due = DGRAM_NEVER;
	for (place = flight_begin(r); place < r->end && r->has_highest; place++) {
		const struct dg_sent *record = at(r, place);

		if (record->number > r->highest)
			break;
		if (record->state == ACKED || record->state == DONE)
			stretch.open = false;
		if (record->state != IN_FLIGHT)
			continue;
		if (r->highest - record->number >= PACKET_THRESHOLD ||
		    now - record->at >= loss_delay) {
			lose(r, place);
			is_persistent |= stretch_reaches(&stretch, r, record, persistent);
			continue;
		}
		if (place < first_left)
			first_left = place;
		if (record->asking && record->at + loss_delay < r->loss_due)
			r->loss_due = record->at + loss_delay;
	}
	r->flight_from = place < first_left ? place : first_left;
	return is_persistent;
}

/* There is a record in the wanted state, at place *from or later. */
static void pull(struct dg_recovery *r, uint64_t *from, enum state wanted, enum state then,
                 struct dg_sent *out)
{
	while (at(r, *from)->state != wanted)
		++*from;
	at(r, *from)->state = (uint8_t)then;
	*out = *at(r, *from);
}

bool dg_recovery_next_acked(struct dg_recovery *r, struct dg_sent *out)
{
	if (r->acked_left == 0)
		return false;
	r->acked_left--;
	pull(r, &r->acked_from, ACKED, DONE, out);
	return true;
}

bool dg_recovery_next_lost(struct dg_recovery *r, struct dg_sent *out)
{
	if (r->lost_left == 0)
		return false;
	r->lost_left--;
	pull(r, &r->lost_from, LOST, KEPT, out);
	return true;
}

uint64_t dg_recovery_deadline(const struct dg_recovery *r, uint64_t wait)
{
	if (r->loss_due != DGRAM_NEVER)
		return r->loss_due;
	return r->asking > 0 ? r->asked_at + wait : DGRAM_NEVER;
}

/* Gives up the oldest packets in flight, so that there will be room for the probes once they have
 * been pulled. */
static void make_room(struct dg_recovery *r)
{
	uint64_t room = r->capacity - count(r);

	for (uint64_t place = r->begin; place < r->end && room < PROBES; place++, room++)
		if (at(r, place)->state == IN_FLIGHT)
			lose(r, place);
}

enum dg_recovery_due dg_recovery_timeout(struct dg_recovery *r, uint64_t wait, uint64_t now)
{
	if (now < dg_recovery_deadline(r, wait))
		return DG_RECOVERY_NOTHING;
	if (r->loss_due != DGRAM_NEVER)
		return DG_RECOVERY_LOSS;
	r->probes++;
	trim(r, 0);
	make_room(r);
	return DG_RECOVERY_PROBE;
}

const struct dg_sent *dg_recovery_oldest(const struct dg_recovery *r)
{
	for (uint64_t place = flight_begin(r); place < r->end && r->asking > 0; place++)
		if (at(r, place)->state == IN_FLIGHT && at(r, place)->asking)
			return at(r, place);
	return NULL;
}

bool dg_recovery_owes(const struct dg_sent *record)
{
	return record->state != KEPT && record->state != DONE;
}

bool dg_recovery_is_in_flight(const struct dg_recovery *r, uint64_t number)
{
	uint64_t place = place_behind(r, number);
	const struct dg_sent *record = place > r->begin ? at(r, place - 1) : NULL;

	return record && record->number == number && record->state == IN_FLIGHT && record->asking;
}

bool dg_recovery_is_quiet(const struct dg_recovery *r)
{
	return r->asking == 0 && r->acked_left == 0 && r->lost_left == 0;
}
