#include "timeline.h"
#include "target.h"
#include <dgram/look.h>
#include <dgram/time.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Sentences joined by semicolons. */
struct sentences {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct sentences *s, const char *format, ...)
{
	va_list args;
	int n;

	if (s->len > 0 && s->len + 3 < s->size)
		s->len += (size_t)snprintf(s->buf + s->len, s->size - s->len, "; ");
	va_start(args, format);
	n = vsnprintf(s->buf + s->len, s->size - s->len, format, args);
	va_end(args);
	s->len = n > 0 && (size_t)n < s->size - s->len ? s->len + (size_t)n : s->size - 1;
}

static bool is(const char *name, const char *word)
{
	return strcmp(name, word) == 0;
}

static uint64_t field(const struct dgram_look_frame *f, const char *key)
{
	for (size_t i = 0; i < f->fields; i++)
		if (is(f->field[i].key, key))
			return f->field[i].value;
	return 0;
}

/* ---- out ---- */

static void said(struct timeline *t, struct sentences *s, const struct dgram_look_frame *f, uint64_t packet)
{
	uint64_t total = field(f, "total"), offset = field(f, "offset");

	if (is(f->name, "REQUEST") || is(f->name, "SEND")) {
		if (!t->waits)
			t->first = packet;
		t->waits = true;
		t->last = packet;
		if (total == 0)
			total = f->len;
		if (offset == 0)
			add(s, "%s %" PRIu64 " leaves, %" PRIu64 " byte%s", is(f->name, "SEND") ? "message" : "request",
			    field(f, "id"), total, total == 1 ? "" : "s");
	} else if (is(f->name, "PULL")) {
		add(s, "asks for the answer again");
	} else if (is(f->name, "CANCEL")) {
		add(s, "tells the peer to stop");
	} else if (is(f->name, "NEED")) {
		add(s, "asks for room for %" PRIu64 " bytes", total);
	}
}

static void sent(struct timeline *t, struct sentences *s, struct dgram_look *look, uint64_t at)
{
	struct dgram_look_frame f;

	if (is(look->name, "INIT")) {
		t->asked_at = at;
		if (++t->inits == 1)
			add(s, "asks for a session");
		else
			add(s, "asks for a session again (%u)", t->inits);
	}
	while (dgram_look_next(look, &f) == 1)
		said(t, s, &f, look->number);
}

/* ---- in ---- */

/* All that left and carries a message, if the ACK has no holes. */
static void acknowledged(struct timeline *t, struct sentences *s, const struct dgram_look_frame *f)
{
	if (!t->waits || field(f, "more_ranges") > 0 || field(f, "down_to") > t->first || field(f, "largest") < t->last)
		return;
	t->waits = false;
	add(s, "acknowledged");
}

static void heard(struct timeline *t, struct sentences *s, const struct dgram_look_frame *f)
{
	if (is(f->name, "ACK"))
		acknowledged(t, s, f);
	else if (is(f->name, "ACCEPTED"))
		add(s, "request %" PRIu64 " is %s there", field(f, "id"), f->word);
	else if (is(f->name, "NO"))
		add(s, "the peer says no to %" PRIu64 ": %s", field(f, "id"), f->word);
	else if (is(f->name, "REPLY") && field(f, "total") > 0 && field(f, "offset") == 0)
		add(s, "the answer begins, %" PRIu64 " bytes", field(f, "total"));
	else if (is(f->name, "CLOSE"))
		add(s, "the peer closes the session: %s", f->word);
}

static void received(struct timeline *t, struct sentences *s, struct dgram_look *look, uint64_t at)
{
	struct dgram_look_frame f;
	char span[32];

	if (is(look->name, "ACCEPT"))
		add(s, "the session is up, %s after it was asked for", target_span(at - t->asked_at, span, sizeof span));
	else if (is(look->name, "COOKIE"))
		add(s, "the peer is busy with beginners, and wants a proof of our address");
	else if (is(look->name, "BUSY"))
		add(s, "the peer has no room for a session now");
	else if (is(look->name, "NOSESSION"))
		add(s, "the peer does not know the session");
	while (dgram_look_next(look, &f) == 1)
		heard(t, s, &f);
}

/* ---- */

bool timeline_passed(struct timeline *t, const struct dgram_passed *p, char *text, size_t size)
{
	struct sentences s = {.buf = text, .size = size};
	struct dgram_look look;

	if (p->way == DGRAM_WAY_ERROR) {
		add(&s, "the network says: %s", dgram_strerror(p->error));
		return true;
	}
	if (p->way == DGRAM_WAY_IN && p->fate != DGRAM_FATE_TAKEN) {
		add(&s, "a datagram is not taken: %s", dgram_fate_text((enum dgram_fate)p->fate));
		return true;
	}
	if (dgram_look(&look, p->data, p->len) < 0)
		return false;
	if (p->way == DGRAM_WAY_OUT)
		sent(t, &s, &look, p->at);
	else
		received(t, &s, &look, p->at);
	return s.len > 0;
}

bool timeline_recovery(struct timeline *t, const struct dgram_endpoint_stats *stats, char *text, size_t size)
{
	struct sentences s = {.buf = text, .size = size};
	uint64_t lost = stats->lost - t->lost;

	if (lost > 0)
		add(&s, "%" PRIu64 " datagram%s count%s as lost", lost, lost == 1 ? "" : "s", lost == 1 ? "s" : "");
	if (stats->probes > t->probes)
		add(&s, "nothing was heard in time: repeats");
	t->lost = stats->lost;
	t->probes = stats->probes;
	return s.len > 0;
}
