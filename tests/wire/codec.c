/* The library's codec as a filter, for wire.py to be compared with: lines on stdin, a line on
 * stdout for each.
 *
 *     decode SENDER HEX     its form, or "refused"
 *     encode SENDER FORM    its bytes in hex, or "refused"
 *     invent SENDER SEED    some valid datagram in hex
 *
 * The form is that of wire.py. SENDER is the id of who sends, in the session of a DATA. Each kind's
 * form is described once, by a function that visits its fields: it shows them or, given a line,
 * parses them. Of keyed mode, what is inside: the trailer is a field, tag, and means nothing.
 */
#define _GNU_SOURCE

#include "base/random.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 65536

struct form {
	char *line; /* what is left to parse; NULL: show */
	bool failed;
	uint8_t *room; /* for the bytes that were parsed */
	size_t used;
};

static char *next_token(struct form *form)
{
	char *token = strsep(&form->line, " ");

	if (!form->line)
		form->line = strchr(token, '\0');
	return token;
}

/* The text behind "name=". */
static const char *value_of(struct form *form, const char *name)
{
	const char *token = next_token(form);
	size_t len = strlen(name);

	if (strncmp(token, name, len) != 0 || token[len] != '=') {
		form->failed = true;
		return "";
	}
	return token + len + 1;
}

static uint64_t number(struct form *form, const char *name, uint64_t value, uint64_t max)
{
	if (!form->line) {
		printf(" %s=%" PRIu64, name, value);
		return value;
	}
	value = strtoull(value_of(form, name), NULL, 10);
	form->failed |= value > max;
	return value;
}

/* Bytes of this text; the answer is how many. */
static size_t unhex(struct form *form, const char *text)
{
	size_t len = strlen(text) / 2;

	if (strcmp(text, "-") == 0)
		return 0;
	if (strlen(text) % 2 != 0 || len > ROOM - form->used) {
		form->failed = true;
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned byte = 0;

		form->failed |= sscanf(text + 2 * i, "%2x", &byte) != 1;
		form->room[form->used + i] = (uint8_t)byte;
	}
	return len;
}

static void print_hex(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
}

static void blob(struct form *form, const char *name, const uint8_t **bytes, size_t *len)
{
	if (!form->line) {
		printf(" %s=%s", name, *len > 0 ? "" : "-");
		print_hex(*bytes, *len);
		return;
	}
	*len = unhex(form, value_of(form, name));
	*bytes = form->room + form->used;
	form->used += *len;
}

static void array(struct form *form, const char *name, uint8_t *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t len = size;

	blob(form, name, &from, &len);
	form->failed |= len != size;
	if (form->line && len == size)
		memcpy(bytes, from, size);
}

static void text(struct form *form, const uint8_t **name, uint8_t *len)
{
	if (!form->line) {
		printf(" name=%.*s", (int)*len, (const char *)*name);
		return;
	}
	*name = (const uint8_t *)value_of(form, "name");
	form->failed |= strlen((const char *)*name) > UINT8_MAX;
	*len = (uint8_t)strlen((const char *)*name);
}

/* ---- frames ------------------------------------------------------------------------------------
 */

static const char *const frame_names[DG_FRAME_TYPES] = {
        "PADDING",  "PING",  "ACK",  "POST",   "SEND",      "REQUEST",  "REPLY",
        "ACCEPTED", "NO",    "PULL", "CANCEL", "RESET",     "SETTLED",  "CREDIT",
        "GRANT",    "CLOSE", "ECHO", "ECHOED", "CHALLENGE", "RESPONSE", "NEED",
};

#define NUMBER(field, name) f->field = number(form, name, f->field, UINT64_MAX)
#define BYTE(field, name)   f->field = (uint8_t)number(form, name, f->field, UINT8_MAX)

static void form_ack(struct form *form, struct dg_frame *f)
{
	struct dg_reader r = dg_reader(f->data, f->len);
	struct dg_writer w = dg_writer(form->room + form->used, ROOM - form->used);
	char name[32];

	NUMBER(id, "largest");
	NUMBER(value, "delay");
	NUMBER(ranges, "count");
	NUMBER(first, "first");
	for (uint64_t i = 0; i < f->ranges && !form->failed; i++) {
		snprintf(name, sizeof name, "gap%" PRIu64, i);
		dg_write_varint(&w, number(form, name, dg_read_varint(&r), UINT64_MAX));
		snprintf(name, sizeof name, "length%" PRIu64, i);
		dg_write_varint(&w, number(form, name, dg_read_varint(&r), UINT64_MAX));
	}
	form->failed |= w.failed;
	f->data = w.data;
	f->len = w.len;
	form->used += w.len;
}

static void form_message(struct form *form, struct dg_frame *f)
{
	bool whole;

	BYTE(flags, "flags");
	f->id = number(form, f->type == DG_POST ? "counter" : "id", f->id, UINT64_MAX);
	whole = f->flags & DG_WHOLE || f->type == DG_POST;
	if (!whole) {
		NUMBER(total, "total");
		f->offset =
		        number(form, "cell", f->offset / DG_CELL, UINT64_MAX / DG_CELL) * DG_CELL;
	}
	if (f->flags & DG_NAMED)
		text(form, &f->name, &f->name_len);
	if (f->flags & DG_HOPS)
		BYTE(hops, "hops");
	if (f->flags & DG_ORDERED)
		NUMBER(order, "order");
	if (f->type == DG_REQUEST && f->offset == 0) {
		NUMBER(deadline, "deadline");
		NUMBER(grant, "grant");
	}
	if (f->type == DG_REPLY && f->offset == 0) {
		NUMBER(status, "status");
		NUMBER(service, "service");
	}
	blob(form, "data", &f->data, &f->len);
	if (whole)
		f->total = f->len;
}

static void form_no(struct form *form, struct dg_frame *f)
{
	BYTE(flags, "flags");
	NUMBER(id, "id");
	BYTE(code, "code");
	if (f->code == DG_NO_BUSY)
		NUMBER(value, "retry");
}

/* Eight bytes that the library keeps as a number. */
static void form_challenge(struct form *form, struct dg_frame *f)
{
	uint8_t data[8];
	struct dg_writer w = dg_writer(data, sizeof data);
	struct dg_reader r = dg_reader(data, sizeof data);

	dg_write_u64(&w, f->id);
	array(form, "data", data, sizeof data);
	f->id = dg_read_u64(&r);
}

static void form_padding(struct form *form, struct dg_frame *f)
{
	uint64_t size = number(form, "size", f->len + 1, ROOM);

	form->failed |= size == 0;
	f->len = (size_t)size - 1;
	f->data = NULL;
}

/* The numbers of the kinds that have nothing else. */
static void form_numbers(struct form *form, struct dg_frame *f)
{
	switch (f->type) {
	case DG_ACCEPTED:
		NUMBER(id, "id");
		BYTE(code, "state");
		break;
	case DG_PULL:
		NUMBER(id, "id");
		break;
	case DG_CANCEL:
	case DG_RESET:
	case DG_NEED:
		NUMBER(id, "id");
		NUMBER(total, "total");
		break;
	case DG_SETTLED:
		NUMBER(id, "below");
		break;
	case DG_CREDIT:
		NUMBER(value, "bytes");
		NUMBER(id, "ids");
		break;
	case DG_GRANT:
		NUMBER(id, "id");
		NUMBER(value, "bytes");
		break;
	case DG_CLOSE:
		NUMBER(id, "first");
		BYTE(code, "reason");
		break;
	case DG_ECHO:
		NUMBER(id, "number");
		break;
	case DG_ECHOED:
		NUMBER(id, "number");
		NUMBER(value, "received");
		break;
	}
}

static void form_frame(struct form *form, struct dg_frame *f)
{
	switch (f->type) {
	case DG_PADDING:
		form_padding(form, f);
		break;
	case DG_ACK:
		form_ack(form, f);
		break;
	case DG_POST:
	case DG_SEND:
	case DG_REQUEST:
	case DG_REPLY:
		form_message(form, f);
		break;
	case DG_NO:
		form_no(form, f);
		break;
	case DG_CHALLENGE:
	case DG_RESPONSE:
		form_challenge(form, f);
		break;
	default:
		form_numbers(form, f);
	}
}

/* ---- datagrams ---------------------------------------------------------------------------------
 */

static const char *const type_names[] = {"",     "INIT",      "ACCEPT", "COOKIE",
                                         "DATA", "NOSESSION", "BUSY",   "GROUP"};

/* Everything that a datagram can hold but frames. */
struct whole {
	struct dg_header header;
	struct dg_hello hello;
	uint8_t tag[DG_TAG_SIZE]; /* keyed */
	size_t padding;           /* INIT */
	uint8_t cookie[DG_COOKIE_SIZE];
	uint64_t number; /* DATA, NOSESSION, BUSY */
	struct dg_group group;
};

static bool is_keyed(const struct dg_header *header)
{
	return (header->flags & DG_FLAG_KEYED) != 0;
}

/* What the library always writes. */
static size_t pad_least(const struct dg_header *header)
{
	return DG_INIT_SIZE_MIN - DG_HELLO_SIZE - dg_trailer_size(header);
}

static void form_noise(struct form *form, const struct dg_header *header, struct dg_hello *f)
{
	if (!is_keyed(header))
		return;
	array(form, "ephemeral", f->ephemeral, sizeof f->ephemeral);
	array(form, "sealed", f->sealed, sizeof f->sealed);
}

static void form_hello(struct form *form, struct whole *whole)
{
	struct dg_hello *f = &whole->hello;

	NUMBER(session, "session");
	NUMBER(boot, "boot");
	NUMBER(endpoint, "endpoint");
	NUMBER(time, "time");
	NUMBER(capabilities, "capabilities");
	f->idle_ms = (uint32_t)number(form, "idle", f->idle_ms, UINT32_MAX);
	f->credit = (uint32_t)number(form, "credit", f->credit, UINT32_MAX);
	f->datagram_max = (uint16_t)number(form, "largest", f->datagram_max, UINT16_MAX);
	f->ack_delay_ms = (uint16_t)number(form, "delay", f->ack_delay_ms, UINT16_MAX);
	array(form, "versions", f->versions, sizeof f->versions);
	if (whole->header.type == DG_ACCEPT) {
		form_noise(form, &whole->header, f);
		return;
	}
	if (is_keyed(&whole->header))
		f->key_hint = (uint16_t)number(form, "hint", f->key_hint, UINT16_MAX);
	array(form, "cookie", f->cookie, sizeof f->cookie);
	form_noise(form, &whole->header, f);
	whole->padding = (size_t)number(form, "padding", whole->padding, ROOM);
	form->failed |= whole->padding < pad_least(&whole->header);
}

static void form_group(struct form *form, struct dg_group *f)
{
	NUMBER(boot, "boot");
	NUMBER(endpoint, "endpoint");
	NUMBER(counter, "counter");
	BYTE(kind, "kind");
	BYTE(flags, "group_flags");
	if (f->flags & DG_NAMED)
		text(form, &f->name, &f->name_len);
	if (f->flags & DG_HOPS)
		BYTE(hops, "hops");
	if (f->kind == DG_GROUP_SURVEY || f->kind == DG_GROUP_SURVEY_REPLY)
		NUMBER(nonce, "nonce");
	blob(form, "data", &f->data, &f->len);
	if (f->kind == DG_GROUP_SURVEY)
		f->padding = (size_t)number(form, "padding", f->padding, ROOM);
}

static void form_whole(struct form *form, struct whole *whole)
{
	whole->header.flags = (uint16_t)number(form, "flags", whole->header.flags, UINT16_MAX);
	whole->header.receiver = number(form, "receiver", whole->header.receiver, UINT64_MAX);
	switch (whole->header.type) {
	case DG_INIT:
	case DG_ACCEPT:
		form_hello(form, whole);
		break;
	case DG_COOKIE:
		array(form, "cookie", whole->cookie, sizeof whole->cookie);
		break;
	case DG_DATA:
	case DG_NOSESSION:
		whole->number = number(form, "number", whole->number, UINT64_MAX);
		break;
	case DG_BUSY:
		whole->number = number(form, "retry", whole->number, UINT32_MAX);
		break;
	case DG_GROUP:
		form_group(form, &whole->group);
		break;
	}
	if (is_keyed(&whole->header))
		array(form, "tag", whole->tag, sizeof whole->tag);
}

static bool whole_decode(struct whole *out, struct dg_reader *frames, const struct dg_parts *parts)
{
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	struct dg_data data;
	bool good = true;

	*out = (struct whole){.header = parts->header};
	if (is_keyed(&parts->header))
		memcpy(out->tag, parts->trailer, sizeof out->tag);
	*frames = dg_reader(NULL, 0);
	switch (parts->header.type) {
	case DG_INIT:
	case DG_ACCEPT:
		out->padding = parts->body_len - (DG_HELLO_SIZE - DG_HEADER_SIZE);
		return dg_hello_decode(&out->hello, parts);
	case DG_COOKIE:
		return !is_keyed(&parts->header) && dg_cookie_decode(out->cookie, parts);
	case DG_DATA:
		good = dg_data_decode(&data, parts);
		out->number = data.number;
		*frames = data.frames;
		return good;
	case DG_GROUP:
		return dg_group_decode(&out->group, parts->body, parts->body_len);
	default:
		out->number = dg_read_number(&r, parts->body_len);
		return true;
	}
}

static void whole_encode(struct dg_writer *w, const struct whole *whole)
{
	static const uint8_t zeros[ROOM];

	switch (whole->header.type) {
	case DG_INIT:
	case DG_ACCEPT:
		dg_hello_encode(w, &whole->header, &whole->hello);
		if (whole->header.type == DG_INIT)
			dg_write_bytes(w, zeros, whole->padding - pad_least(&whole->header));
		break;
	case DG_COOKIE:
		dg_cookie_encode(w, whole->header.receiver, whole->cookie);
		w->failed |= whole->header.flags != 0;
		break;
	default:
		dg_header_encode(w, &whole->header);
	}
	if (whole->header.type == DG_DATA || whole->header.type == DG_NOSESSION)
		dg_write_u64(w, whole->number);
	if (whole->header.type == DG_BUSY)
		dg_write_u32(w, (uint32_t)whole->number);
	if (whole->header.type == DG_GROUP)
		dg_group_encode(w, &whole->group);
}

/* ---- the three verbs ---------------------------------------------------------------------------
 */

static uint64_t crc_id(const struct dg_header *header, uint64_t sender)
{
	return header->type == DG_DATA ? sender : 0;
}

static bool all_decode(struct whole *out, struct dg_reader *frames, const uint8_t *bytes,
                       size_t len, uint64_t sender)
{
	struct dg_parts parts;

	return dg_parts_decode(&parts, bytes, len) &&
	       (is_keyed(&parts.header) ||
	        dg_crc_check(&parts, bytes, crc_id(&parts.header, sender))) &&
	       whole_decode(out, frames, &parts);
}

static void decode(char *hex, uint64_t sender, uint8_t *room)
{
	struct form parsed = {.room = room}, shown = {.room = room + ROOM};
	size_t len = unhex(&parsed, hex);
	uint8_t *bytes = malloc(len + 1); /* of just this length, for the sanitizers */
	struct dg_reader frames;
	struct whole whole;
	struct dg_frame frame;

	if (!bytes)
		abort();
	memcpy(bytes, room, len);
	if (parsed.failed || !all_decode(&whole, &frames, bytes, len, sender)) {
		puts("refused");
		free(bytes);
		return;
	}
	fputs(type_names[whole.header.type], stdout);
	form_whole(&shown, &whole);
	while (frames.left > 0 && dg_frame_decode(&frame, &frames)) {
		printf(" ; %s", frame_names[frame.type]);
		form_frame(&shown, &frame);
	}
	puts("");
	free(bytes);
}

static uint8_t index_of(const char *name, const char *const names[], size_t count)
{
	size_t i = 0;

	while (i < count && strcmp(name, names[i]) != 0)
		i++;
	return (uint8_t)i;
}

/* Ends a datagram and prints it, if decoding takes it: sizes and the flag ASKS are the datagram's
 * as a whole. */
static bool finish(struct dg_writer *w, const struct whole *whole, uint64_t sender)
{
	struct dg_reader frames;
	struct whole back;

	if (is_keyed(&whole->header))
		dg_write_bytes(w, whole->tag, sizeof whole->tag);
	else
		dg_crc_append(w, crc_id(&whole->header, sender));
	if (w->failed || !all_decode(&back, &frames, w->data, w->len, sender))
		return false;
	print_hex(w->data, w->len);
	puts("");
	return true;
}

static void encode_frame(struct form *form, struct dg_writer *w)
{
	struct dg_frame frame = {0};

	form->failed |= strcmp(next_token(form), ";") != 0;
	frame.type = index_of(next_token(form), frame_names, DG_FRAME_TYPES);
	if (frame.type == DG_FRAME_TYPES)
		form->failed = true;
	if (form->failed)
		return;
	form_frame(form, &frame);
	dg_frame_encode(w, &frame);
}

static void encode(char *line, uint64_t sender, uint8_t *room)
{
	struct form form = {.line = line, .room = room};
	struct dg_writer w = dg_writer(room + ROOM, ROOM);
	struct whole whole = {.header = {.version = DG_VERSION}};

	whole.header.type = index_of(next_token(&form), type_names, DG_GROUP + 1);
	form_whole(&form, &whole);
	if (!form.failed)
		whole_encode(&w, &whole);
	while (!form.failed && !w.failed && *form.line)
		encode_frame(&form, &w);
	if (form.failed || !finish(&w, &whole, sender))
		puts("refused");
}

/* What is invented takes its data here: any bytes, and behind them gaps and lengths for an ACK. */
#define SOME_BYTES 256

static void some_bytes(struct dg_random *random, uint8_t bytes[2 * SOME_BYTES])
{
	for (size_t i = 0; i < SOME_BYTES; i++) {
		bytes[i] = (uint8_t)dg_random_below(random, 256);
		bytes[SOME_BYTES + i] = bytes[i] % 4;
	}
}

/* Mostly small, sometimes at an edge. */
static uint64_t some_number(struct dg_random *random)
{
	uint64_t bit = UINT64_C(1) << dg_random_below(random, 62);

	return dg_random_below(random, 4) ? dg_random_below(random, 100)
	                                  : bit - dg_random_below(random, 2);
}

static const uint8_t *some_name(struct dg_random *random, uint8_t *len)
{
	static const char name[] =
	        "a-long.name_0123456789.of-many.letters.and.parts.for-it-to-be.cut";

	*len = (uint8_t)(1 + dg_random_below(random, 64));
	return (const uint8_t *)name;
}

/* Any values in all fields: the library passes over those that the kind has not, and refuses what
 * cannot be. */
static struct dg_frame some_frame(struct dg_random *random, const uint8_t *bytes)
{
	struct dg_frame f = {
	        .type = (uint8_t)dg_random_below(random, DG_FRAME_TYPES),
	        .flags = (uint8_t)dg_random_below(random, 64),
	        .code = (uint8_t)dg_random_below(random, 8),
	        .hops = (uint8_t)dg_random_below(random, 256),
	        .id = some_number(random),
	        .value = some_number(random),
	        .order = some_number(random),
	        .deadline = some_number(random),
	        .grant = some_number(random),
	        .status = dg_random_below(random, 256),
	        .service = some_number(random),
	        .first = some_number(random),
	        .data = bytes,
	        .len = (size_t)dg_random_below(random, 200),
	};

	f.name = some_name(random, &f.name_len);
	f.total = f.len;
	if (f.type == DG_ACK) {
		f.ranges = dg_random_below(random, 66);
		f.id += 100;
		f.data = bytes + SOME_BYTES;
		f.len = 2 * (size_t)f.ranges;
	} else if (f.type == DG_PADDING) {
		f.data = NULL;
	} else if (f.flags & DG_WHOLE || f.type == DG_POST) {
		f.offset = 0;
	} else {
		f.offset = DG_CELL * some_number(random) % (DG_VARINT_MAX / 2);
		f.offset -= f.offset % DG_CELL;
		f.total += f.offset +
		           (f.len % DG_CELL ? 0 : some_number(random) % (DG_VARINT_MAX / 4));
	}
	return f;
}

static void append_some_frame(struct dg_random *random, struct dg_writer *w, const uint8_t *bytes)
{
	const struct dg_writer before = *w;

	do {
		struct dg_frame frame = some_frame(random, bytes);

		*w = before;
		dg_frame_encode(w, &frame);
	} while (w->failed);
}

static void some_hello(struct dg_random *random, struct dg_hello *h)
{
	*h = (struct dg_hello){
	        .session = some_number(random),
	        .boot = some_number(random),
	        .endpoint = some_number(random),
	        .time = some_number(random),
	        .capabilities = some_number(random),
	        .idle_ms = 1000 + (uint32_t)some_number(random),
	        .credit = (uint32_t)some_number(random),
	        .datagram_max = (uint16_t)(508 + dg_random_below(random, 65000)),
	        .ack_delay_ms = (uint16_t)dg_random_below(random, 1001),
	        .versions = {(uint8_t)dg_random_below(random, 4),
	                     (uint8_t)dg_random_below(random, 4)},
	};
}

static void some_whole(struct dg_random *random, struct whole *whole, const uint8_t *bytes)
{
	static const uint8_t presence[] = "\x60\x96\x05\001a\003a.b\001b";

	*whole = (struct whole){
	        .header = {.version = DG_VERSION, .type = DG_DATA},
	        .number = some_number(random),
	        .group = {.boot = some_number(random),
	                  .endpoint = some_number(random),
	                  .counter = some_number(random),
	                  .kind = (uint8_t)(1 + dg_random_below(random, 5)),
	                  .flags = (uint8_t)dg_random_below(random, 8),
	                  .nonce = some_number(random),
	                  .hops = (uint8_t)dg_random_below(random, 256),
	                  .data = bytes,
	                  .len = (size_t)dg_random_below(random, 100)},
	};
	if (dg_random_below(random, 2))
		whole->header.type = (uint8_t)(1 + dg_random_below(random, DG_GROUP));
	if (whole->header.type != DG_INIT && whole->header.type != DG_GROUP)
		whole->header.receiver = 1 + some_number(random);
	if (whole->header.type == DG_DATA && dg_random_below(random, 2))
		whole->header.flags = DG_FLAG_ASKS;
	if (dg_random_below(random, 4) == 0)
		whole->header.flags = DG_FLAG_KEYED;
	whole->padding = pad_least(&whole->header) + (size_t)dg_random_below(random, 1000);
	if (whole->group.kind == DG_GROUP_SURVEY)
		whole->group.padding = (size_t)dg_random_below(random, 300);
	if (whole->group.kind == DG_GROUP_HELLO) {
		whole->group.data = presence;
		whole->group.len = sizeof presence - 1;
		whole->group.flags |= DG_NAMED;
	} else if (whole->group.kind == DG_GROUP_GOODBYE) {
		whole->group.len = 0;
	}
	whole->group.name = some_name(random, &whole->group.name_len);
	some_hello(random, &whole->hello);
	memcpy(whole->cookie, bytes, sizeof whole->cookie);
	if (whole->header.type == DG_INIT)
		memcpy(whole->hello.cookie, bytes, sizeof whole->hello.cookie);
	if (!is_keyed(&whole->header))
		return;
	memcpy(whole->tag, bytes, sizeof whole->tag);
	memcpy(whole->hello.ephemeral, bytes, sizeof whole->hello.ephemeral);
	memcpy(whole->hello.sealed, bytes, sizeof whole->hello.sealed);
	if (whole->header.type == DG_INIT)
		whole->hello.key_hint = (uint16_t)some_number(random);
}

static void invent(uint64_t seed, uint64_t sender, uint8_t *room)
{
	struct dg_random random;
	struct dg_writer w;
	struct whole whole;

	dg_random_init(&random, seed);
	do {
		w = dg_writer(room + ROOM, ROOM);
		some_bytes(&random, room);
		some_whole(&random, &whole, room);
		whole_encode(&w, &whole);
		for (uint64_t n = dg_random_below(&random, 4);
		     whole.header.type == DG_DATA && n < 4; n++)
			append_some_frame(&random, &w, room);
	} while (!finish(&w, &whole, sender));
}

int main(void)
{
	uint8_t *room = malloc(2 * ROOM);
	char *line = NULL;
	size_t size = 0;

	while (room && getline(&line, &size, stdin) > 0) {
		char *rest = line, *verb, *argument;
		uint64_t sender;

		line[strcspn(line, "\n")] = '\0';
		verb = strsep(&rest, " ");
		sender = rest ? strtoull(strsep(&rest, " "), NULL, 10) : 0;
		argument = rest ? rest : line + strlen(line);
		if (strcmp(verb, "decode") == 0)
			decode(argument, sender, room);
		else if (strcmp(verb, "encode") == 0)
			encode(argument, sender, room);
		else
			invent(strtoull(argument, NULL, 10), sender, room);
	}
	free(line);
	free(room);
	return 0;
}
