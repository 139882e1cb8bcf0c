/* What passed, noted for who wants to see it: each as a head and its bytes, one behind the other. */
#include "loop/loop.h"

#include <string.h>

static size_t room_for(size_t len)
{
	return (sizeof(struct dgram_passed) + len + 15) / 16 * 16;
}

void dg_tap_note(struct dgram_loop *loop, enum dgram_way way, const struct dgram_datagram *d,
                 int what)
{
	struct dg_tap *tap = &loop->tap;
	struct dgram_passed *at;

	if (tap->memory == NULL)
		return;
	if (tap->taken == tap->used)
		tap->taken = tap->used = 0;
	if (room_for(d->len) > tap->size - tap->used) {
		tap->left_out++;
		return;
	}
	at = (struct dgram_passed *)(void *)(tap->memory + tap->used);
	tap->used += room_for(d->len);
	*at = (struct dgram_passed){
	        .at = loop->now,
	        .way = (uint8_t)way,
	        .fate = (uint8_t)(way == DGRAM_WAY_IN ? what : 0),
	        .error = way == DGRAM_WAY_ERROR ? what : 0,
	        .peer = d->peer,
	        .data = (const uint8_t *)(at + 1),
	        .len = d->len,
	        .left_out = tap->left_out,
	};
	tap->left_out = 0;
	if (d->len > 0)
		memcpy(at + 1, d->data, d->len);
}

void dg_tap_error(struct dgram_loop *loop, const struct dgram_addr *peer, int error)
{
	const struct dgram_datagram d = {.peer = *peer};

	dg_tap_note(loop, DGRAM_WAY_ERROR, &d, error);
}

void dgram_loop_tap(struct dgram_loop *loop, void *memory, size_t size)
{
	loop->tap = (struct dg_tap){.memory = memory, .size = size};
}

int dgram_loop_next_passed(struct dgram_loop *loop, struct dgram_passed *out)
{
	struct dg_tap *tap = &loop->tap;

	if (tap->taken == tap->used)
		return 0;
	*out = *(const struct dgram_passed *)(void *)(tap->memory + tap->taken);
	tap->taken += room_for(out->len);
	return 1;
}
