/* A datagram in words. */
#include "wire/wire.h"

#include <dgram/look.h>

static const char *const types[DGRAM_LOOK_TYPES] = {
        [DG_INIT] = "INIT",           [DG_ACCEPT] = "ACCEPT", [DG_COOKIE] = "COOKIE",
        [DG_DATA] = "DATA",           [DG_BUSY] = "BUSY",     [DG_GROUP] = "GROUP",
        [DG_NOSESSION] = "NOSESSION",
};

static const char *const frames[DG_FRAME_TYPES] = {
        [DG_PADDING] = "PADDING",     [DG_PING] = "PING",         [DG_ACK] = "ACK",
        [DG_POST] = "POST",           [DG_SEND] = "SEND",         [DG_REQUEST] = "REQUEST",
        [DG_REPLY] = "REPLY",         [DG_ACCEPTED] = "ACCEPTED", [DG_NO] = "NO",
        [DG_PULL] = "PULL",           [DG_CANCEL] = "CANCEL",     [DG_RESET] = "RESET",
        [DG_SETTLED] = "SETTLED",     [DG_CREDIT] = "CREDIT",     [DG_GRANT] = "GRANT",
        [DG_CLOSE] = "CLOSE",         [DG_ECHO] = "ECHO",         [DG_ECHOED] = "ECHOED",
        [DG_CHALLENGE] = "CHALLENGE", [DG_RESPONSE] = "RESPONSE", [DG_NEED] = "NEED",
};

static const char *const states[] = {
        [DG_ACCEPTED_QUEUED] = "queued",
        [DG_ACCEPTED_RUNNING] = "running",
};

static const char *const answers[DG_NO_CODES] = {
        [DG_NO_BUSY] = "BUSY",
        [DG_NO_SUCH_NAME] = "NO_SUCH_NAME",
        [DG_NO_NOT_ALLOWED] = "NOT_ALLOWED",
        [DG_NO_EXPIRED] = "EXPIRED",
        [DG_NO_CANCELLED] = "CANCELLED",
        [DG_NO_GONE] = "GONE",
        [DG_NO_ROOM] = "NO_ROOM",
};

static const char *const reasons[DG_CLOSE_REASONS] = {
        [DG_CLOSE_DONE] = "done",         [DG_CLOSE_IDLE] = "idle", [DG_CLOSE_EVICTED] = "evicted",
        [DG_CLOSE_SHUTDOWN] = "shutdown", [DG_CLOSE_RULE] = "rule",
};

const char *dgram_look_type(unsigned type)
{
	return type < DGRAM_LOOK_TYPES ? types[type] : NULL;
}

/* ---- datagrams ---------------------------------------------------------------------------------- */

/* False: the body is malformed. */
static bool look_inside(struct dgram_look *out, const struct dg_parts *parts)
{
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	struct dg_hello hello;
	struct dg_data data;

	switch (out->type) {
	case DG_INIT:
	case DG_ACCEPT:
		if (!dg_hello_decode(&hello, parts))
			return false;
		out->sender = hello.session;
		return true;
	case DG_DATA:
		if (!dg_data_decode(&data, parts))
			return false;
		out->number = data.number;
		out->rest = data.frames.at;
		out->left = data.frames.left;
		return true;
	case DG_NOSESSION:
		out->number = dg_read_u64(&r);
		return true;
	case DG_BUSY:
		out->number = dg_read_u32(&r);
		return true;
	default:
		return true;
	}
}

int dgram_look(struct dgram_look *out, const void *data, size_t len)
{
	struct dg_parts parts;

	if (!dg_is_ours(data, len))
		return DGRAM_ERR_FOREIGN;
	if (!dg_parts_decode(&parts, data, len))
		return DGRAM_ERR_FORMAT;
	*out = (struct dgram_look){
	        .type = parts.header.type,
	        .name = types[parts.header.type],
	        .sealed = parts.header.flags & DG_FLAG_KEYED,
	        .receiver = parts.header.receiver,
	};
	return out->sealed || look_inside(out, &parts) ? 0 : DGRAM_ERR_FORMAT;
}

/* ---- frames --------------------------------------------------------------------------------------- */

static void add(struct dgram_look_frame *out, const char *key, uint64_t value)
{
	out->field[out->fields].key = key;
	out->field[out->fields++].value = value;
}

/* Of what is left out where it says nothing. */
static void add_some(struct dgram_look_frame *out, const char *key, uint64_t value)
{
	if (value != 0)
		add(out, key, value);
}

static void look_at_message(struct dgram_look_frame *out, const struct dg_frame *f)
{
	add(out, f->type == DG_POST ? "counter" : "id", f->id);
	if (f->type != DG_POST && !(f->flags & DG_WHOLE)) {
		add(out, "total", f->total);
		add(out, "offset", f->offset);
	}
	if (f->flags & DG_ORDERED)
		add(out, "after", f->order);
	add_some(out, "idempotent", f->flags & DG_IDEMPOTENT ? 1 : 0);
	add_some(out, "pushed", f->flags & DG_PUSHED ? 1 : 0);
	add_some(out, "hops", f->hops);
	add_some(out, "deadline_us", f->deadline);
	add_some(out, "grant", f->grant);
	if (f->type == DG_REPLY && f->offset == 0) {
		add(out, "status", f->status);
		add(out, "service_us", f->service);
	}
	out->message = f->name_len > 0 ? (const char *)f->name : NULL;
	out->message_len = f->name_len;
	out->data = f->data;
	out->len = f->len;
}

static void look_at_ack(struct dgram_look_frame *out, const struct dg_frame *f)
{
	add(out, "largest", f->id);
	add(out, "down_to", f->id - f->first);
	add_some(out, "more_ranges", f->ranges);
	add(out, "delay_us", f->value);
}

static void look_at(struct dgram_look_frame *out, const struct dg_frame *f)
{
	switch ((enum dg_frame_type)f->type) {
	case DG_POST:
	case DG_SEND:
	case DG_REQUEST:
	case DG_REPLY:
		look_at_message(out, f);
		break;
	case DG_ACK:
		look_at_ack(out, f);
		break;
	case DG_PADDING:
		add(out, "bytes", f->len);
		break;
	case DG_ACCEPTED:
		add(out, "id", f->id);
		out->word = states[f->code];
		break;
	case DG_NO:
		add(out, "id", f->id);
		add_some(out, "retry_ms", f->value);
		out->word = answers[f->code];
		break;
	case DG_CLOSE:
		add(out, "first", f->id);
		out->word = reasons[f->code];
		break;
	case DG_CANCEL:
	case DG_RESET:
	case DG_NEED:
		add(out, "id", f->id);
		add(out, "total", f->total);
		break;
	case DG_CREDIT:
		add(out, "bytes", f->value);
		add(out, "ids", f->id);
		break;
	case DG_GRANT:
		add(out, "id", f->id);
		add(out, "bytes", f->value);
		break;
	case DG_ECHOED:
		add(out, "number", f->id);
		add(out, "received", f->value);
		break;
	case DG_ECHO:
		add(out, "number", f->id);
		break;
	case DG_PULL:
		add(out, "id", f->id);
		break;
	case DG_SETTLED:
		add(out, "below", f->id);
		break;
	case DG_PING:
	case DG_CHALLENGE:
	case DG_RESPONSE:
	case DG_FRAME_TYPES:
		break;
	}
}

int dgram_look_next(struct dgram_look *look, struct dgram_look_frame *out)
{
	struct dg_reader r = dg_reader(look->rest, look->left);
	struct dg_frame f;

	if (look->left == 0 || !dg_frame_decode(&f, &r))
		return 0;
	look->rest = r.at;
	look->left = r.left;
	*out = (struct dgram_look_frame){.name = frames[f.type]};
	look_at(out, &f);
	return 1;
}
