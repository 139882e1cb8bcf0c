#include "core/window.h"

#include <dgram/time.h>
#include <string.h>

#define WORDS        (DG_WINDOW_BUSY / 64)
#define ASKING_LIMIT 2 /* RFC 9000, 13.2.2 */

static bool has(const struct dg_window_busy *busy, uint64_t number)
{
	return busy->bits[number / 64 % WORDS] >> number % 64 & 1;
}

static void put(struct dg_window_busy *busy, uint64_t number, bool received)
{
	uint64_t bit = UINT64_C(1) << number % 64;

	if (received)
		busy->bits[number / 64 % WORDS] |= bit;
	else
		busy->bits[number / 64 % WORDS] &= ~bit;
}

void dg_window_wake(const struct dg_window *w, struct dg_window_busy *busy, uint64_t delay,
                    uint64_t now)
{
	memset(busy, 0, sizeof *busy);
	busy->highest_at = now;
	busy->delay = delay;
	busy->due = DGRAM_NEVER;
	if (w->highest >= DG_WINDOW_IDLE)
		busy->since = w->highest - (DG_WINDOW_IDLE - 1);
	busy->report_from = busy->since;
	busy->unsaid_from = UINT64_MAX;
	for (uint64_t age = 0; age < DG_WINDOW_IDLE && age <= w->highest; age++)
		put(busy, w->highest - age, w->recent >> age & 1);
}

enum dg_window_verdict dg_window_check(const struct dg_window *w, const struct dg_window_busy *busy,
                                       uint64_t number)
{
	uint64_t age;

	if (number > DG_VARINT_MAX)
		return DG_WINDOW_BEYOND;
	if (w->recent == 0 || number > w->highest)
		return DG_WINDOW_NEW;
	age = w->highest - number;
	if (age < DG_WINDOW_IDLE)
		return w->recent >> age & 1 ? DG_WINDOW_SEEN : DG_WINDOW_NEW;
	if (!busy || age >= DG_WINDOW_BUSY || number < busy->since)
		return DG_WINDOW_OLD;
	return has(busy, number) ? DG_WINDOW_SEEN : DG_WINDOW_NEW;
}

/* The places of the numbers before number are those of numbers that are too old now. */
static void make_room(struct dg_window_busy *busy, uint64_t highest, uint64_t number)
{
	if (number - highest >= DG_WINDOW_BUSY) {
		memset(busy->bits, 0, sizeof busy->bits);
		return;
	}
	for (uint64_t n = highest + 1; n < number; n++)
		put(busy, n, false);
}

static void owe(struct dg_window_busy *busy, bool asking, uint64_t now)
{
	busy->news = true;
	if (!asking)
		return;
	busy->asking++;
	if (busy->asking >= ASKING_LIMIT || busy->missing)
		busy->due = now;
	else if (busy->due == DGRAM_NEVER)
		busy->due = now + busy->delay;
}

void dg_window_mark(struct dg_window *w, struct dg_window_busy *busy, uint64_t number, bool asking,
                    uint64_t now)
{
	uint64_t expected = w->recent ? w->highest + 1 : 0;
	bool newest = number >= expected;

	if (busy) {
		if (newest) {
			make_room(busy, w->highest, number);
			busy->highest_at = now;
		}
		put(busy, number, true);
		if (number != expected)
			busy->missing = true;
		if (number < busy->report_from)
			busy->report_from = number;
		if (number < busy->unsaid_from)
			busy->unsaid_from = number;
		owe(busy, asking, now);
	}
	if (!newest) {
		if (w->highest - number < DG_WINDOW_IDLE)
			w->recent |= UINT64_C(1) << (w->highest - number);
		return;
	}
	w->recent = number - w->highest < DG_WINDOW_IDLE ? w->recent << (number - w->highest) : 0;
	w->recent |= 1;
	w->highest = number;
}

uint64_t dg_window_ack_due(const struct dg_window_busy *busy)
{
	return busy->due;
}

bool dg_window_has_news(const struct dg_window_busy *busy)
{
	return busy->news;
}

/* Going down from end, which is not part of it: where the run of numbers that were all received, or
 * all not, begins; at low at the latest. Whole words are taken at once. */
static uint64_t run_begin(const struct dg_window_busy *busy, uint64_t end, uint64_t low,
                          bool received)
{
	uint64_t all = received ? UINT64_MAX : 0;

	while (end > low) {
		if (end % 64 == 0 && end - low >= 64 && busy->bits[(end - 1) / 64 % WORDS] == all)
			end -= 64;
		else if (has(busy, end - 1) == received)
			end--;
		else
			break;
	}
	return end;
}

/* Adds to frame what was received below begin, the lowest number of the first range. */
static void add_ranges(const struct dg_window_busy *busy, struct dg_frame *frame, uint64_t begin,
                       uint64_t low, struct dg_writer *ranges)
{
	while (frame->ranges < DG_ACK_RANGES_MAX) {
		struct dg_writer longer = *ranges;
		uint64_t end = run_begin(busy, begin, low, false);
		uint64_t lowest_before = begin;

		if (end == low)
			break;
		begin = run_begin(busy, end, low, true);
		dg_ack_append(&longer, lowest_before, begin, end - 1);
		if (longer.failed)
			break;
		*ranges = longer;
		frame->ranges++;
	}
}

bool dg_window_ack(const struct dg_window *w, const struct dg_window_busy *busy, uint64_t now,
                   struct dg_frame *frame, struct dg_writer *ranges)
{
	uint64_t low = busy->report_from;
	uint64_t begin;

	if (w->recent == 0 || low > w->highest)
		return false;
	if (w->highest - low >= DG_WINDOW_BUSY)
		low = w->highest - (DG_WINDOW_BUSY - 1);
	begin = run_begin(busy, w->highest + 1, low, true);
	*frame = (struct dg_frame){
	        .type = DG_ACK,
	        .id = w->highest,
	        .value = (now - busy->highest_at) / DGRAM_US,
	        .first = w->highest - begin,
	};
	add_ranges(busy, frame, begin, low, ranges);
	frame->data = ranges->data;
	frame->len = ranges->len;
	return true;
}

void dg_window_ack_sent(struct dg_window_busy *busy)
{
	busy->due = DGRAM_NEVER;
	busy->asking = 0;
	busy->missing = false;
	busy->news = false;
	busy->unsaid_from = UINT64_MAX;
}

void dg_window_ack_arrived(struct dg_window_busy *busy, uint64_t highest)
{
	uint64_t from = highest + 1 < busy->unsaid_from ? highest + 1 : busy->unsaid_from;

	if (busy->report_from < from)
		busy->report_from = from;
}
