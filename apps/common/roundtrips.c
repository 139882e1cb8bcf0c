#include "roundtrips.h"
#include "exit.h"
#include "json.h"
#include "output.h"
#include "say.h"
#include "target.h"
#include <dgram/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *text;
} ways[LOST_WAYS] = {
	[LOST_OUT] = {"out", "lost on the way there"},
	[LOST_BACK] = {"back", "it arrived, and the answer was lost on the way back"},
	[LOST_UNKNOWN] = {"unknown", "nothing has come since to tell where it was lost"},
};

const char *lost_text(enum lost where)
{
	return ways[where].text;
}

const char *lost_name(enum lost where)
{
	return ways[where].name;
}

static size_t kept(const struct roundtrips *r)
{
	return r->answered < ROUNDTRIPS_KEPT ? (size_t)r->answered : ROUNDTRIPS_KEPT;
}

int roundtrips_add(struct roundtrips *r, uint64_t ns)
{
	size_t at = (size_t)(r->answered % ROUNDTRIPS_KEPT);

	if (at >= r->room) {
		size_t room = r->room == 0 ? 256 : 2 * r->room;
		uint64_t *times = realloc(r->times, room * sizeof *times);

		if (times == NULL)
			return fail(CODE_BUSY, "out of memory");
		r->times = times;
		r->room = room;
	}
	r->times[at] = ns;
	r->answered++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of sorted times the lowest one that so many of a hundred do not exceed. */
static uint64_t percentile(const struct roundtrips *r, size_t percent)
{
	size_t rank = (kept(r) * percent + 99) / 100;

	return r->times[rank > 0 ? rank - 1 : 0];
}

static void sort(struct roundtrips *r)
{
	if (r->answered > 0)
		qsort(r->times, kept(r), sizeof *r->times, compare);
}

static uint64_t lost_in_all(const struct roundtrips *r)
{
	return r->lost[LOST_OUT] + r->lost[LOST_BACK] + r->lost[LOST_UNKNOWN];
}

static uint64_t under_way(const struct roundtrips *r)
{
	return r->sent - r->answered - lost_in_all(r) - r->refused - r->no_session;
}

/* A clause, where there is something to count. */
static void add_count(char *line, size_t size, const char *mark, uint64_t number, const char *of)
{
	size_t used = strlen(line);

	if (number > 0)
		snprintf(line + used, size - used, "%s %llu %s", mark, (unsigned long long)number, of);
}

static int print_losses(const struct roundtrips *r, const char *peer)
{
	uint64_t lost = lost_in_all(r), left = r->answered + lost;
	char line[512];
	int n = snprintf(line, sizeof line, "%s: %llu ping%s, %llu answered", peer, (unsigned long long)r->sent, plural(r->sent),
			 (unsigned long long)r->answered);

	if (left > 0)
		snprintf(line + n, sizeof line - (size_t)n, ", %llu lost (%.4g %%): %llu on the way there, %llu on the way back",
			 (unsigned long long)lost, 100.0 * (double)lost / (double)(left + r->refused + r->no_session),
			 (unsigned long long)r->lost[LOST_OUT], (unsigned long long)r->lost[LOST_BACK]);
	add_count(line, sizeof line, ",", r->lost[LOST_UNKNOWN], "nobody knows where");
	add_count(line, sizeof line, ";", r->refused, "refused");
	add_count(line, sizeof line, ";", r->no_session, "without a session");
	add_count(line, sizeof line, ";", under_way(r), "still under way");
	return output_line(line);
}

int roundtrips_print(struct roundtrips *r, const char *peer)
{
	char line[512], min[32], median[32], p99[32], max[32];
	int code = print_losses(r, peer);

	if (code != 0 || r->answered == 0)
		return code;
	sort(r);
	snprintf(line, sizeof line, "%s: round trip %s at least, median %s, 99 %% within %s, longest %s", peer,
		 target_span(percentile(r, 0), min, sizeof min), target_span(percentile(r, 50), median, sizeof median),
		 target_span(percentile(r, 99), p99, sizeof p99), target_span(percentile(r, 100), max, sizeof max));
	code = output_line(line);
	if (code != 0)
		return code;
	snprintf(line, sizeof line, "%s: of %llu datagram%s that had left by the last answer, it had received %llu", peer,
		 (unsigned long long)r->datagrams_sent, plural(r->datagrams_sent), (unsigned long long)r->datagrams_received);
	return output_line(line);
}

static void add_number(json_t *event, const char *key, uint64_t number)
{
	json_object_set_new(event, key, json_integer((json_int_t)number));
}

int roundtrips_json(struct roundtrips *r)
{
	json_t *event = json_event("summary");

	add_number(event, "sent", r->sent);
	add_number(event, "answered", r->answered);
	add_number(event, "lost", lost_in_all(r));
	add_number(event, "lost_out", r->lost[LOST_OUT]);
	add_number(event, "lost_back", r->lost[LOST_BACK]);
	add_number(event, "refused", r->refused);
	add_number(event, "no_session", r->no_session);
	add_number(event, "under_way", under_way(r));
	sort(r);
	if (r->answered > 0) {
		add_number(event, "min_us", percentile(r, 0) / DGRAM_US);
		add_number(event, "median_us", percentile(r, 50) / DGRAM_US);
		add_number(event, "p99_us", percentile(r, 99) / DGRAM_US);
		add_number(event, "max_us", percentile(r, 100) / DGRAM_US);
		add_number(event, "datagrams_sent", r->datagrams_sent);
		add_number(event, "datagrams_received", r->datagrams_received);
	}
	return json_write(event);
}

void roundtrips_free(struct roundtrips *r)
{
	free(r->times);
	*r = (struct roundtrips){0};
}
