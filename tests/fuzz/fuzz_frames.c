/* Frames, one after the other: each that is taken encodes to its own bytes, and what it says of
 * itself is in its limits. */
#include "fuzz.h"

#include "wire/wire.h"

/* From the top down, each range below the one before and not touching it. */
static void check_ack(const struct dg_frame *frame)
{
	struct dg_ack_walk walk = {.frame = frame};
	uint64_t low, high, before = 0, count = 0;

	while (dg_ack_next(&walk, &low, &high)) {
		FUZZ_CHECK(low <= high && high <= frame->id);
		FUZZ_CHECK(count == 0 ? high == frame->id : before > high + 1);
		before = low;
		count++;
	}
	FUZZ_CHECK(count == frame->ranges + 1 && count <= DG_ACK_RANGES_MAX + 1);
}

static void check_message(const struct dg_frame *frame)
{
	FUZZ_CHECK(frame->offset % DG_CELL == 0);
	FUZZ_CHECK(frame->offset <= frame->total && frame->len <= frame->total - frame->offset);
	FUZZ_CHECK(frame->name_len <= DG_NAME_MAX && frame->status <= DG_STATUS_MAX);
	FUZZ_CHECK(frame->order <= frame->id);
	if (frame->flags & DG_NAMED)
		FUZZ_CHECK(dg_name_is_valid(frame->name, frame->name_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dg_reader r = dg_reader(data, size);
	uint8_t *again = malloc(size + 1);
	struct dg_frame frame;

	FUZZ_CHECK(again);
	while (r.left > 0) {
		const uint8_t *from = r.at;
		struct dg_writer w = dg_writer(again, r.left);
		size_t before = r.left;

		if (!dg_frame_decode(&frame, &r))
			break;
		if (frame.type == DG_ACK)
			check_ack(&frame);
		else if (frame.type >= DG_POST && frame.type <= DG_REPLY)
			check_message(&frame);
		dg_frame_encode(&w, &frame);
		FUZZ_CHECK(!w.failed && w.len == before - r.left &&
		           memcmp(from, again, w.len) == 0);
	}
	free(again);
	return 0;
}
