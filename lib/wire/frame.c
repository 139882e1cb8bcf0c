/* Each kind of frame is described once, by a function that visits its fields in their order. Read
 * with a reader, the visit decodes; with a writer, it encodes: the two cannot disagree.
 */
#include "wire/wire.h"

struct coder {
	struct dg_reader *r; /* one of the two is NULL */
	struct dg_writer *w;
};

static void u8(struct coder *c, uint8_t *value)
{
	if (c->r)
		*value = dg_read_u8(c->r);
	else
		dg_write_u8(c->w, *value);
}

static void u64(struct coder *c, uint64_t *value)
{
	if (c->r)
		*value = dg_read_u64(c->r);
	else
		dg_write_u64(c->w, *value);
}

static void varint(struct coder *c, uint64_t *value)
{
	if (c->r)
		*value = dg_read_varint(c->r);
	else
		dg_write_varint(c->w, *value);
}

static void bytes(struct coder *c, const uint8_t **data, size_t len)
{
	if (c->r)
		*data = dg_read_bytes(c->r, len);
	else
		dg_write_bytes(c->w, *data, len);
}

static void block(struct coder *c, const uint8_t **data, size_t *len)
{
	uint64_t length = *len;

	varint(c, &length);
	if (c->r)
		*len = length > c->r->left ? SIZE_MAX
		                           : (size_t)length; /* SIZE_MAX: reading fails */
	bytes(c, data, *len);
}

static void cell(struct coder *c, uint64_t *offset)
{
	uint64_t number = *offset / DG_CELL;

	varint(c, &number);
	*offset = number <= DG_VARINT_MAX / DG_CELL ? number * DG_CELL
	                                            : UINT64_MAX; /* beyond every total */
}

/* What SEND, REQUEST and POST say of a message, in its first fragment. */
static void head(struct coder *c, struct dg_frame *f)
{
	if (f->flags & DG_NAMED) {
		u8(c, &f->name_len);
		bytes(c, &f->name, f->name_len);
	}
	if (f->flags & DG_HOPS)
		u8(c, &f->hops);
	if (f->flags & DG_ORDERED)
		varint(c, &f->order);
}

static void ack(struct coder *c, struct dg_frame *f)
{
	varint(c, &f->id);
	varint(c, &f->value);
	varint(c, &f->ranges);
	varint(c, &f->first);
	if (!c->r) {
		dg_write_bytes(c->w, f->data, f->len);
		return;
	}
	f->data = c->r->at;
	for (uint64_t i = 0; i < f->ranges && !c->r->failed; i++) {
		dg_read_varint(c->r);
		dg_read_varint(c->r);
	}
	f->len = c->r->failed ? 0 : (size_t)(c->r->at - f->data);
}

static void padding(struct coder *c, struct dg_frame *f)
{
	uint8_t *zeros;

	if (c->r) {
		f->len = c->r->left;
		f->data = dg_read_bytes(c->r, f->len);
		return;
	}
	zeros = dg_write_room(c->w, f->len);
	if (zeros && f->len > 0)
		memset(zeros, 0, f->len);
}

static void message(struct coder *c, struct dg_frame *f)
{
	u8(c, &f->flags);
	varint(c, &f->id);
	if (!(f->flags & DG_WHOLE) && f->type != DG_POST) {
		varint(c, &f->total);
		cell(c, &f->offset);
	}
	if (f->type == DG_REPLY && f->offset == 0) {
		varint(c, &f->status);
		varint(c, &f->service);
	}
	head(c, f);
	if (f->type == DG_REQUEST && f->offset == 0) {
		varint(c, &f->deadline);
		varint(c, &f->grant);
	}
	block(c, &f->data, &f->len);
	if (c->r && (f->flags & DG_WHOLE || f->type == DG_POST))
		f->total = f->len;
}

static void fields(struct coder *c, struct dg_frame *f)
{
	switch ((enum dg_frame_type)f->type) {
	case DG_PADDING:
		padding(c, f);
		break;
	case DG_PING:
		break;
	case DG_ACK:
		ack(c, f);
		break;
	case DG_POST:
	case DG_SEND:
	case DG_REQUEST:
	case DG_REPLY:
		message(c, f);
		break;
	case DG_ACCEPTED:
	case DG_CLOSE:
		varint(c, &f->id);
		u8(c, &f->code);
		break;
	case DG_NO:
		u8(c, &f->flags);
		varint(c, &f->id);
		u8(c, &f->code);
		if (f->code == DG_NO_BUSY)
			varint(c, &f->value);
		break;
	case DG_PULL:
	case DG_SETTLED:
	case DG_ECHO:
		varint(c, &f->id);
		break;
	case DG_CANCEL:
	case DG_RESET:
	case DG_NEED:
		varint(c, &f->id);
		varint(c, &f->total);
		break;
	case DG_CREDIT:
		varint(c, &f->value);
		varint(c, &f->id);
		break;
	case DG_GRANT:
	case DG_ECHOED:
		varint(c, &f->id);
		varint(c, &f->value);
		break;
	case DG_CHALLENGE:
	case DG_RESPONSE:
		u64(c, &f->id);
		break;
	case DG_FRAME_TYPES:
		break;
	}
}

/* clang-format off */
static const struct {
	uint8_t flags;    /* that it may have */
	uint8_t code_max; /* 1 to this; 0: it has none */
	bool elicits_ack; /* REPLY and NO say so themselves: PUSHED */
	bool asks;
} kinds[DG_FRAME_TYPES] = {
	[DG_PADDING]   = {0,                                                            0,                       false, false},
	[DG_PING]      = {0,                                                            0,                       true,  true},
	[DG_ACK]       = {0,                                                            0,                       false, false},
	[DG_POST]      = {DG_NAMED | DG_HOPS,                                           0,                       false, false},
	[DG_SEND]      = {DG_WHOLE | DG_NAMED | DG_HOPS | DG_ORDERED,                   0,                       true,  true},
	[DG_REQUEST]   = {DG_WHOLE | DG_NAMED | DG_HOPS | DG_ORDERED | DG_IDEMPOTENT,   0,                       true,  true},
	[DG_REPLY]     = {DG_WHOLE | DG_PUSHED,                                         0,                       false, false},
	[DG_ACCEPTED]  = {0,                                                            DG_ACCEPTED_RUNNING,     true,  false},
	[DG_NO]        = {DG_PUSHED,                                                    DG_NO_CODES - 1,         false, false},
	[DG_PULL]      = {0,                                                            0,                       true,  true},
	[DG_CANCEL]    = {0,                                                            0,                       true,  true},
	[DG_RESET]     = {0,                                                            0,                       true,  false},
	[DG_SETTLED]   = {0,                                                            0,                       false, false},
	[DG_CREDIT]    = {0,                                                            0,                       true,  false},
	[DG_GRANT]     = {0,                                                            0,                       true,  false},
	[DG_CLOSE]     = {0,                                                            DG_CLOSE_REASONS - 1,    false, false},
	[DG_ECHO]      = {0,                                                            0,                       true,  true},
	[DG_ECHOED]    = {0,                                                            0,                       false, false},
	[DG_CHALLENGE] = {0,                                                            0,                       true,  false},
	[DG_RESPONSE]  = {0,                                                            0,                       false, false},
	[DG_NEED]      = {0,                                                            0,                       true,  false},
};
/* clang-format on */

#define FIRST_ONLY (DG_NAMED | DG_HOPS | DG_ORDERED | DG_IDEMPOTENT)

bool dg_name_is_valid(const uint8_t *name, size_t len)
{
	bool part = false; /* a part has begun */

	if (len == 0 || len > DG_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool letter = (name[i] >= 'a' && name[i] <= 'z') ||
		              (name[i] >= '0' && name[i] <= '9') || name[i] == '_' ||
		              name[i] == '-';

		if (!letter && (name[i] != '.' || !part))
			return false;
		part = letter;
	}
	return part;
}

/* It lies within the message, ends at a cell or at its end, and is not the whole of it in disguise.
 */
static bool fragment_is_valid(const struct dg_frame *f)
{
	if (f->flags & DG_WHOLE || f->type == DG_POST)
		return f->offset == 0 && f->total == f->len;
	if (f->len == 0 || f->offset % DG_CELL != 0 || f->offset >= f->total ||
	    f->len > f->total - f->offset || f->len == f->total)
		return false;
	if (f->flags & FIRST_ONLY && f->offset > 0)
		return false;
	return f->len % DG_CELL == 0 || f->offset + f->len == f->total;
}

static bool message_is_valid(const struct dg_frame *f)
{
	if (!fragment_is_valid(f))
		return false;
	if (f->flags & DG_NAMED && !dg_name_is_valid(f->name, f->name_len))
		return false;
	if (f->flags & DG_HOPS && f->hops == 0)
		return false;
	if (f->flags & DG_ORDERED && f->order > f->id)
		return false;
	if (f->type == DG_REPLY && !(f->flags & (DG_WHOLE | DG_PUSHED)))
		return false; /* what is more than one datagram is always pushed */
	return f->status <= DG_STATUS_MAX;
}

static bool ack_is_valid(const struct dg_frame *f)
{
	struct dg_ack_walk walk = {.frame = f};
	uint64_t low, high, count = 0;

	if (f->ranges > DG_ACK_RANGES_MAX)
		return false;
	while (dg_ack_next(&walk, &low, &high))
		count++;
	return count == f->ranges + 1 && walk.rest.left == 0;
}

static bool zeros_only(const struct dg_frame *f)
{
	for (size_t i = 0; f->data && i < f->len; i++)
		if (f->data[i])
			return false;
	return true;
}

static bool is_valid(const struct dg_frame *f)
{
	if (f->type >= DG_FRAME_TYPES || f->flags & ~kinds[f->type].flags ||
	    f->code > kinds[f->type].code_max || (kinds[f->type].code_max > 0 && f->code == 0))
		return false;
	if (f->type == DG_PADDING)
		return zeros_only(f);
	if (f->type == DG_ACK)
		return ack_is_valid(f);
	if (f->type >= DG_POST && f->type <= DG_REPLY)
		return message_is_valid(f);
	return true;
}

bool dg_frame_decode(struct dg_frame *out, struct dg_reader *r)
{
	struct coder c = {.r = r};

	memset(out, 0, sizeof *out);
	out->type = dg_read_u8(r);
	if (r->failed || out->type >= DG_FRAME_TYPES)
		return false;
	fields(&c, out);
	return !r->failed && is_valid(out);
}

void dg_frame_encode(struct dg_writer *w, const struct dg_frame *frame)
{
	struct dg_frame f =
	        *frame; /* the visit takes its fields by pointer, and only reads them here */
	struct coder c = {.w = w};
	size_t before = w->len;

	if (w->failed)
		return;
	if (!is_valid(&f)) {
		w->failed = true;
		return;
	}
	dg_write_u8(w, f.type);
	fields(&c, &f);
	if (w->failed)
		w->len = before;
}

bool dg_frame_elicits_ack(const struct dg_frame *frame)
{
	return kinds[frame->type].elicits_ack || frame->flags & DG_PUSHED;
}

bool dg_frame_asks(const struct dg_frame *frame)
{
	return kinds[frame->type].asks;
}

bool dg_ack_next(struct dg_ack_walk *walk, uint64_t *low, uint64_t *high)
{
	const struct dg_frame *f = walk->frame;
	uint64_t gap, length;

	if (walk->done == 0) {
		walk->rest = dg_reader(f->data, f->len);
		*high = f->id;
		length = f->first;
	} else if (walk->done > f->ranges) {
		return false;
	} else {
		gap = dg_read_varint(&walk->rest);
		length = dg_read_varint(&walk->rest);
		if (walk->rest.failed || walk->lowest < gap + 2)
			return false;
		*high = walk->lowest - gap - 2;
	}
	if (length > *high)
		return false;
	*low = walk->lowest = *high - length;
	walk->done++;
	return true;
}

void dg_ack_append(struct dg_writer *w, uint64_t lowest_before, uint64_t low, uint64_t high)
{
	dg_write_varint(w, lowest_before - high - 2);
	dg_write_varint(w, high - low);
}
