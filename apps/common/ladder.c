#define _GNU_SOURCE
#include "ladder.h"
#include "output.h"
#include "target.h"
#include <dgram/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_WIDTH 11 /* columns before the left rail */
#define LINE_ROOM  1024

/* ---- both ends ---- */

static bool is_datagram(const struct passage *p, enum passage_way way)
{
	return p->way == way && p->key[0] != '\0';
}

/* Those that left, by key and then by time. */
struct departures {
	struct passage **all;
	size_t count;
};

static int compare_departures(const void *a, const void *b)
{
	const struct passage *x = *(struct passage *const *)a, *y = *(struct passage *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static int find_departures(struct departures *d, struct passages *p)
{
	d->all = calloc(p->count + 1, sizeof(void *));
	d->count = 0;
	if (d->all == NULL)
		return fail(CODE_BUSY, "out of memory");
	for (size_t i = 0; i < p->count; i++)
		if (is_datagram(&p->all[i], PASSAGE_OUT))
			d->all[d->count++] = &p->all[i];
	qsort(d->all, d->count, sizeof(void *), compare_departures);
	return 0;
}

/* The datagram that arrived as in: of several with its key the last one that had left by then. NULL: none. */
static struct passage *departure_of(const struct departures *d, const struct passage *in)
{
	struct passage *found = NULL;
	size_t low = 0, high = d->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(d->all[middle]->key, in->key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < d->count && strcmp(d->all[low]->key, in->key) == 0; low++)
		if (!d->all[low]->is_same && (found == NULL || d->all[low]->at <= in->at))
			found = d->all[low];
	return found;
}

/* The shortest way in us by the two clocks, from packets: their numbers never come twice. INT64_MAX: none came. */
static int64_t shortest(const struct departures *from, const struct passages *to)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < to->count; i++) {
		const struct passage *in = &to->all[i], *out;

		if (!is_datagram(in, PASSAGE_IN) || strncmp(in->key, "DATA", 4) != 0)
			continue;
		out = departure_of(from, in);
		if (out != NULL && in->at - out->at < least)
			least = in->at - out->at;
	}
	return least;
}

static void mark(const struct departures *from, struct passages *to)
{
	for (size_t i = 0; i < to->count; i++) {
		struct passage *in = &to->all[i];
		struct passage *out = is_datagram(in, PASSAGE_IN) ? departure_of(from, in) : NULL;

		if (out == NULL)
			continue;
		out->is_same = in->is_same = true;
		out->bad = in->bad;
	}
}

/* Who wrote the other file, and what left towards them and is not in it. */
static void mark_lost(struct passages *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->all[i].is_same)
			p->all[p->all[i].first].talks = true;
	for (size_t i = 0; i < p->count; i++)
		if (is_datagram(&p->all[i], PASSAGE_OUT) && !p->all[i].is_same)
			p->all[i].is_lost = p->all[p->all[i].first].talks;
}

/* By how much the clock of there is late: as if the shortest ways were of one length. With one direction alone, nothing
 * arrives before it left. */
static int64_t lateness(int64_t out, int64_t back)
{
	if (out != INT64_MAX && back != INT64_MAX)
		return (out - back) / 2;
	if (out != INT64_MAX && out < 0)
		return out;
	return back != INT64_MAX && back < 0 ? -back : 0;
}

int ladder_match(struct passages *here, struct passages *there)
{
	struct departures ours = {.count = 0}, theirs = {.count = 0};
	int code = find_departures(&ours, here);
	int64_t late;

	if (code == 0)
		code = find_departures(&theirs, there);
	if (code == 0) {
		late = lateness(shortest(&ours, there), shortest(&theirs, here));
		for (size_t i = 0; i < there->count; i++)
			there->all[i].at -= late;
		mark(&ours, there);
		mark(&theirs, here);
		mark_lost(here);
		mark_lost(there);
	}
	free(ours.all);
	free(theirs.all);
	return code;
}

/* ---- rungs ---- */

struct drawing {
	int columns;
	bool color;
	int64_t start;
	const char *left;
};

/* One passage where it stands in the ladder. */
struct rung {
	const struct passage *p;
	bool there; /* it is of the other end's file */
	size_t order;
};

static int compare(const void *a, const void *b)
{
	const struct rung *x = a, *y = b;

	if (x->p->at != y->p->at)
		return x->p->at < y->p->at ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Of text as many bytes as fit in width columns, up to a blank where there is one; a character that is no ASCII has one
 * column. */
static size_t fitting(const char *text, size_t width)
{
	size_t columns = 0, blank = 0, i = 0;

	for (; text[i] != '\0'; i++) {
		if (((unsigned char)text[i] & 0xC0) != 0x80 && columns++ == width)
			break;
		if (text[i] == ' ' && i > 0)
			blank = i;
	}
	return text[i] == '\0' || blank == 0 ? i : blank;
}

static size_t columns_of(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xC0) != 0x80;
	return columns;
}

static int write_line(const struct drawing *d, const char *time, const char *inside, const char *color)
{
	char line[LINE_ROOM];

	snprintf(line, sizeof line, "%*s |%s%s%s|", TIME_WIDTH - 2, time, d->color ? color : "", inside,
		 d->color && *color != '\0' ? "\033[0m" : "");
	return output_line(line);
}

static void fill(char *out, size_t size, char with, size_t count)
{
	size_t len = strlen(out);

	while (count-- > 0 && len + 1 < size)
		out[len++] = with;
	out[len] = '\0';
}

/* A piece of text between the rails: with a line behind it and the arrow's head where it is a datagram's first one. */
static void draw_piece(char *out, size_t size, const struct rung *r, const char *text, size_t len, size_t width, bool first)
{
	bool right = (r->p->way == PASSAGE_OUT) != r->there, lost = r->p->is_lost;
	size_t used = columns_of(text, len), rest = width > used + 8 ? width - used - 8 : 0;

	*out = '\0';
	if (r->p->way == PASSAGE_HERE || !first) {
		fill(out, size, ' ', r->there && r->p->way == PASSAGE_HERE ? rest + 5 : 5);
		snprintf(out + strlen(out), size - strlen(out), "%.*s", (int)len, text);
		fill(out, size, ' ', r->there && r->p->way == PASSAGE_HERE ? 3 : rest + 3);
		return;
	}
	snprintf(out, size, "%s %.*s ", right ? "----" : lost ? " X--" : "<---", (int)len, text);
	fill(out, size, '-', rest);
	snprintf(out + strlen(out), size - strlen(out), "%s", right ? lost ? "X " : "->" : "--");
}

static int draw_rung(const struct drawing *d, const struct rung *r)
{
	char time[32], inside[LINE_ROOM - 64];
	const char *text = r->p->text, *color = r->p->bad || r->p->is_lost ? "\033[31m" : r->p->way == PASSAGE_HERE ? "\033[36m" : "";
	size_t width = (size_t)d->columns - TIME_WIDTH - 2;
	bool first = true;
	int code = 0;

	target_span((uint64_t)(r->p->at - d->start) * DGRAM_US, time, sizeof time);
	while (code == 0 && (first || *text != '\0')) {
		size_t len = fitting(text, width - 9);

		draw_piece(inside, sizeof inside, r, text, len, width, first);
		code = write_line(d, first ? time : "", inside, color);
		text += len;
		text += strspn(text, " ");
		first = false;
	}
	return code;
}

/* ---- ladders ---- */

static int draw_head(const struct drawing *d, const char *peer)
{
	char line[LINE_ROOM], left[160];
	int room = d->columns - TIME_WIDTH - (int)strlen(peer);

	snprintf(left, sizeof left, "%s", d->left);
	snprintf(line, sizeof line, "%*s%-*s%s", TIME_WIDTH, "", room > 0 ? room : 1, left, peer);
	return output_line(line);
}

/* What stands in ladders already: it is where it left. */
static bool is_drawn(const struct passage *p)
{
	return p->is_same && p->way == PASSAGE_IN;
}

/* What of here, count passages of one peer, and of there belongs into a ladder. */
static size_t gather(struct rung *rungs, struct passage *const *here, size_t here_count, const struct passages *there)
{
	size_t count = 0;

	for (size_t i = 0; i < here_count; i++)
		if (!is_drawn(here[i]))
			rungs[count++] = (struct rung){here[i], false, i};
	for (size_t i = 0; there != NULL && i < there->count; i++)
		if (there->all[there->all[i].first].talks && !is_drawn(&there->all[i]))
			rungs[count++] = (struct rung){&there->all[i], true, here_count + i};
	return count;
}

static int draw_peer(struct drawing *d, struct rung *rungs, size_t count, const char *peer)
{
	int code;

	qsort(rungs, count, sizeof *rungs, compare);
	d->start = count > 0 ? rungs[0].p->at : 0;
	code = draw_head(d, peer);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = draw_rung(d, &rungs[i]);
	return code;
}

static int compare_firsts(const void *a, const void *b)
{
	const struct passage *x = *(struct passage *const *)a, *y = *(struct passage *const *)b;

	return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x > y) - (x < y);
}

/* Those with a peer, the peers in the order of their first ones. */
static size_t sort_by_peer(struct passage **all, const struct passages *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++)
		if (p->all[i].peer[0] != '\0')
			all[count++] = &p->all[i];
	qsort(all, count, sizeof(void *), compare_firsts);
	return count;
}

static int draw_all(struct drawing *d, struct passage **all, size_t count, const struct passages *there, struct rung *rungs)
{
	int code = 0;

	for (size_t i = 0, n; code == 0 && i < count; i += n) {
		bool talks = all[i]->talks;

		for (n = 1; i + n < count && all[i + n]->first == all[i]->first; n++)
			continue;
		code = i > 0 ? output_line("") : 0;
		if (code == 0)
			code = draw_peer(d, rungs, gather(rungs, all + i, n, talks ? there : NULL), all[i]->peer);
	}
	return code;
}

int ladder_draw(const struct passages *here, const struct passages *there, int columns, bool color)
{
	struct drawing d = {.columns = columns, .color = color, .left = *here->about != '\0' ? here->about : "here"};
	struct rung *rungs = calloc(here->count + (there != NULL ? there->count : 0) + 1, sizeof *rungs);
	struct passage **all = calloc(here->count + 1, sizeof(void *));
	int code;

	if (rungs == NULL || all == NULL)
		code = fail(CODE_BUSY, "out of memory");
	else
		code = draw_all(&d, all, sort_by_peer(all, here), there, rungs);
	free(all);
	free(rungs);
	return code;
}
