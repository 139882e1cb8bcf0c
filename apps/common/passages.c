#define _GNU_SOURCE
#include "passages.h"
#include "escape.h"
#include "exit.h"
#include "say.h"
#include "target.h"
#include <dgram/time.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT_MAX   (INT64_MAX / 16)    /* us: sums and differences of two clocks are safe */
#define ECHO_IDS (INT64_C(1) << 61) /* those of pings begin here, above all ids of messages */

/* ---- words ---- */

struct text {
	char buf[2048]; /* what is longer is cut: no datagram of ours needs so many */
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buf + t->len, sizeof t->buf - t->len, format, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len >= sizeof t->buf)
		t->len = sizeof t->buf - 1;
}

static bool number_of(const json_t *object, const char *key, int64_t *out)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return false;
	*out = json_integer_value(value);
	return true;
}

/* A string of the file as it may be shown; "" where there is none. */
static const char *string_of(const json_t *object, const char *key, char *buf, size_t size)
{
	const json_t *value = json_object_get(object, key);
	char whole[ESCAPE_ROOM(128) + 1];

	*buf = '\0';
	if (json_is_string(value) && json_string_length(value) <= 128)
		snprintf(buf, size, "%s",
			 escape_line(json_string_value(value), json_string_length(value), whole, sizeof whole));
	return buf;
}

static void add_number(struct text *t, const json_t *object, const char *key, const char *format)
{
	int64_t value;

	if (!number_of(object, key, &value))
		return;
	add(t, "%.*s%" PRId64 "%s", (int)strcspn(format, "%"), format, value, format + strcspn(format, "%") + 1);
}

static void add_id(struct text *t, const json_t *object, const char *key)
{
	int64_t id;

	if (number_of(object, key, &id))
		add(t, " %" PRId64, id >= ECHO_IDS ? id - ECHO_IDS : id);
}

/* How much of a message is aboard. */
static void add_bytes(struct text *t, const json_t *frame)
{
	int64_t len, total, offset;

	if (!number_of(frame, "len", &len))
		return;
	if (number_of(frame, "total", &total) && number_of(frame, "offset", &offset) && len > 0)
		add(t, ", bytes %" PRId64 " to %" PRIu64 " of %" PRId64, offset, (uint64_t)offset + (uint64_t)len - 1, total);
	else
		add(t, ", %" PRId64 " byte%s", len, len == 1 ? "" : "s");
}

static void add_span(struct text *t, const json_t *object, const char *key, const char *after)
{
	char span[32];
	int64_t us;

	if (number_of(object, key, &us) && us >= 0)
		add(t, ", %s%s", target_span((uint64_t)us * DGRAM_US, span, sizeof span), after);
}

static void add_frame(struct text *t, const json_t *frame)
{
	static const char *const ids[] = {"id", "counter", "number", "below", "first"};
	char word[256];
	int64_t low, high, status;

	add(t, "%s", string_of(frame, "frame", word, sizeof word));
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		add_id(t, frame, ids[i]);
	if (number_of(frame, "largest", &high) && number_of(frame, "down_to", &low)) {
		if (low == high)
			add(t, " %" PRId64, high);
		else
			add(t, " %" PRId64 " to %" PRId64, low, high);
	}
	add_number(t, frame, "more_ranges", " and % more");
	if (*string_of(frame, "says", word, sizeof word) != '\0')
		add(t, " %s", word);
	if (*string_of(frame, "name", word, sizeof word) != '\0')
		add(t, " %s", word);
	add_bytes(t, frame);
	add_number(t, frame, "bytes", ", % bytes");
	add_number(t, frame, "received", ", % received");
	if (number_of(frame, "status", &status) && status != 0)
		add(t, ", status %" PRId64, status);
	add_span(t, frame, "service_us", " there");
	add_number(t, frame, "retry_ms", ", again in % ms");
}

static void add_datagram(struct text *t, const json_t *line)
{
	const json_t *frames = json_object_get(line, "frames"), *frame;
	char word[256];
	size_t i;

	if (*string_of(line, "type", word, sizeof word) == '\0')
		add(t, "no datagram of the protocol");
	add(t, "%s", word);
	add_number(t, line, "number", " %");
	add_number(t, line, "retry_ms", ", again in % ms");
	if (!json_is_array(frames))
		add_bytes(t, line);
	json_array_foreach(frames, i, frame) {
		add(t, i == 0 ? ": " : "; ");
		add_frame(t, frame);
	}
	if (*string_of(line, "fate", word, sizeof word) != '\0' && strcmp(word, "taken") != 0)
		add(t, " (not taken: %s)", word);
	add_number(t, line, "left_out", " (% before it were not noted)");
}

/* ---- events ---- */

static void read_done(struct text *t, const json_t *line, struct passage *p)
{
	char kind[256], outcome[256], reason[256];
	int64_t status = 0;

	add(t, "%s", string_of(line, "kind", kind, sizeof kind));
	add_id(t, line, "id");
	string_of(line, "outcome", outcome, sizeof outcome);
	p->bad = strcmp(outcome, "answered") != 0;
	add(t, ": %s", strcmp(kind, "send") == 0 && !p->bad ? "delivered" : outcome);
	number_of(line, "status", &status);
	if (status != 0)
		add(t, ", status %" PRId64, status);
	if (strcmp(string_of(line, "reason", reason, sizeof reason), "none") != 0)
		add(t, ", %s", reason);
	add_span(t, line, "elapsed_us", "");
	p->bad = p->bad || status != 0;
}

static void read_recovery(struct text *t, const json_t *line, struct passage *p)
{
	int64_t lost = 0, late = 0, timeouts = 0;
	const char *comma = "";

	number_of(line, "lost", &lost);
	number_of(line, "not_lost_after_all", &late);
	number_of(line, "timeouts", &timeouts);
	if (lost > 0) {
		add(t, "%" PRId64 " counted as lost", lost);
		comma = ", ";
	}
	if (late > 0) {
		add(t, "%s%" PRId64 " not lost after all", comma, late);
		comma = ", ";
	}
	if (timeouts > 0)
		add(t, "%stime to ask again", comma);
	p->bad = lost > 0;
}

static void read_came(struct text *t, const json_t *line, const char *ev)
{
	char kind[256], reason[256];

	add(t, "%s", *string_of(line, "kind", kind, sizeof kind) != '\0' ? kind : ev);
	add_id(t, line, "id");
	if (strcmp(ev, "stop") == 0)
		add(t, " is no longer wanted: %s", string_of(line, "reason", reason, sizeof reason));
	else
		add(t, " is given to the program");
}

static void read_plain(struct text *t, const json_t *line, const char *ev, struct passage *p)
{
	char name[256];

	string_of(line, "name", name, sizeof name);
	if (strcmp(ev, "try") == 0) {
		p->way = PASSAGE_OUT;
		add(t, "try");
		add_number(t, line, "try", " %");
	} else if (strcmp(ev, "reply") == 0) {
		p->way = PASSAGE_IN;
		add(t, "answer");
	} else {
		add(t, "%s", name);
	}
	add_bytes(t, line);
	p->bad = p->way == PASSAGE_HERE;
}

static void set_key(struct passage *p, const json_t *line)
{
	char type[32], receiver[32], sender[32];
	int64_t number = 0;

	string_of(line, "type", type, sizeof type);
	string_of(line, "receiver", receiver, sizeof receiver);
	string_of(line, "sender", sender, sizeof sender);
	number_of(line, "number", &number);
	if (*type != '\0' && strlen(receiver) <= 16 && strlen(sender) <= 16)
		snprintf(p->key, sizeof p->key, "%.10s %s %" PRId64, type, *receiver != '\0' ? receiver : sender, number);
}

/* False: of a kind that is not shown. */
static bool read_event(struct text *t, const json_t *line, struct passage *p)
{
	const char *ev = json_string_value(json_object_get(line, "ev"));
	char fate[32], name[256];

	p->way = PASSAGE_HERE;
	if (strcmp(ev, "out") == 0 || strcmp(ev, "in") == 0) {
		p->way = strcmp(ev, "out") == 0 ? PASSAGE_OUT : PASSAGE_IN;
		add_datagram(t, line);
		set_key(p, line);
		string_of(line, "fate", fate, sizeof fate);
		p->bad = *fate != '\0' && strcmp(fate, "taken") != 0;
	} else if (strcmp(ev, "done") == 0) {
		read_done(t, line, p);
	} else if (strcmp(ev, "recovery") == 0) {
		read_recovery(t, line, p);
	} else if (strcmp(ev, "request") == 0 || strcmp(ev, "message") == 0 || strcmp(ev, "stop") == 0) {
		read_came(t, line, ev);
	} else if (strcmp(ev, "network") == 0) {
		add(t, "the network says: %s", string_of(line, "name", name, sizeof name));
		p->bad = true;
	} else if (strcmp(ev, "try") == 0 || strcmp(ev, "failed") == 0 || strcmp(ev, "reply") == 0 ||
		   strcmp(ev, "error") == 0) {
		read_plain(t, line, ev, p);
	} else {
		return false;
	}
	return true;
}

/* ---- lines ---- */

/* "2026-11-22T09:20:35.769Z" in us since 1970. */
static bool read_time(const char *text, int64_t *us)
{
	struct tm tm = {0};
	const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t ms;

	if (rest == NULL || rest[0] != '.' || strspn(rest + 1, "0123456789") != 3 || strcmp(rest + 4, "Z") != 0)
		return false;
	ms = (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
	*us = ((int64_t)timegm(&tm) * 1000 + ms) * 1000;
	return true;
}

static struct passage *new_passage(struct passages *p)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 256 : 2 * p->room;
		struct passage *all = realloc(p->all, room * sizeof *all);

		if (all == NULL)
			return NULL;
		p->all = all;
		p->room = room;
	}
	p->all[p->count] = (struct passage){.at = 0};
	return &p->all[p->count++];
}

/* start: us since 1970, when at_us was 0; INT64_MIN: not known yet. What is wrong with the line, or NULL. */
static const char *read_line(struct passages *p, const json_t *line, int64_t *start)
{
	int64_t version = 0, at = 0, now;
	struct text text = {.len = 0};
	struct passage *one;
	char command[64];

	number_of(line, "v", &version);
	if (version != 1 || !json_is_string(json_object_get(line, "ev")))
		return "not a line of --trace: it has no \"v\":1, or no \"ev\"";
	if (!number_of(line, "at_us", &at) || at < 0 || at > AT_MAX)
		return "not a line of --trace: it has no \"at_us\"";
	if (!read_time(json_string_value(json_object_get(line, "t")), &now))
		return "its time (\"t\") cannot be read";
	if (*start == INT64_MIN)
		*start = now - at;
	if (*string_of(line, "command", command, sizeof command) != '\0' && p->about[0] == '\0')
		snprintf(p->about, sizeof p->about, "%s", command);
	one = new_passage(p);
	if (one == NULL)
		return "out of memory";
	one->at = *start + at;
	string_of(line, json_object_get(line, "peer") != NULL ? "peer" : json_object_get(line, "to") != NULL ? "to" : "from",
		  one->peer, sizeof one->peer);
	if (!read_event(&text, line, one)) {
		p->count--;
		return NULL;
	}
	one->text = strdup(text.buf);
	return one->text != NULL ? NULL : "out of memory";
}

static int read_text(struct passages *p, const char *file, const char *text, size_t len, unsigned long number,
		     int64_t *start)
{
	json_error_t error;
	json_t *line = json_loadb(text, len, 0, &error);
	const char *wrong = json_is_object(line) ? read_line(p, line, start) : "not a line of --trace: no JSON object";
	int code = 0;

	if (line == NULL)
		code = fail(CODE_READ, "%s:%lu: not a line of --trace: %s", file, number, error.text);
	else if (wrong != NULL)
		code = fail(CODE_READ, "%s:%lu: %s", file, number, wrong);
	json_decref(line);
	return code;
}

static int compare_peers(const void *a, const void *b)
{
	const struct passage *x = *(struct passage *const *)a, *y = *(struct passage *const *)b;
	int order = strcmp(x->peer, y->peer);

	return order != 0 ? order : (x > y) - (x < y);
}

static int find_peers(struct passages *p)
{
	struct passage **all = calloc(p->count + 1, sizeof(void *));
	size_t first = 0;

	if (all == NULL)
		return fail(CODE_BUSY, "out of memory");
	for (size_t i = 0; i < p->count; i++)
		all[i] = &p->all[i];
	qsort(all, p->count, sizeof(void *), compare_peers);
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(all[i]->peer, all[first]->peer) != 0)
			first = i;
		all[i]->first = (size_t)(all[first] - p->all);
	}
	free(all);
	return 0;
}

int passages_read(struct passages *p, const char *file)
{
	bool is_stdin = strcmp(file, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(file, "re");
	int64_t start = INT64_MIN;
	unsigned long number = 0;
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int code = 0;

	if (in == NULL)
		return fail(CODE_READ, "%s: cannot read: %s", file, strerror(errno));
	while (code == 0 && (len = getline(&text, &size, in)) >= 0)
		code = read_text(p, file, text, (size_t)len, ++number, &start);
	if (code == 0 && ferror(in))
		code = fail(CODE_READ, "%s: cannot read: %s", file, strerror(errno));
	if (code == 0 && number == 0)
		code = fail(CODE_READ, "%s: empty: nothing that --trace wrote", is_stdin ? "stdin" : file);
	free(text);
	if (!is_stdin)
		fclose(in);
	return code != 0 ? code : find_peers(p);
}

void passages_free(struct passages *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->all[i].text);
	free(p->all);
	*p = (struct passages){.count = 0};
}
