/* The body of DATA: a packet number, and frames that are all good or all refused. */
#include "wire/wire.h"

bool dg_data_decode(struct dg_data *out, const struct dg_parts *parts)
{
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	bool asks = false, closed = false;

	*out = (struct dg_data){.number = dg_read_u64(&r)};
	out->frames = r;
	if (r.failed || out->number > DG_VARINT_MAX)
		return false;
	while (r.left > 0) {
		struct dg_frame frame;

		if (!dg_frame_decode(&frame, &r) || (closed && frame.type != DG_PADDING))
			return false;
		closed |= frame.type == DG_CLOSE;
		asks |= dg_frame_asks(&frame);
		out->elicits_ack |= dg_frame_elicits_ack(&frame);
	}
	asks &= !(parts->header.flags & DG_FLAG_KEYED); /* which keeps to itself what is aboard */
	return asks == ((parts->header.flags & DG_FLAG_ASKS) != 0);
}
