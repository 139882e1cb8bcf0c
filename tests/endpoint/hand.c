/* hand.c - the half of bench.h that speaks for a peer. */
#include "endpoint/bench.h"

#include <stdlib.h>

/* Ids that no other address has. */
static uint64_t id_of(const struct dgram_addr *addr, uint64_t salt)
{
	static const uint8_t key[16] = "a bench for it.";

	return (dgram_addr_hash(addr, key) ^ salt * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

void hand_init(struct hand *h, struct bench *b, const char *address)
{
	memset(h, 0, sizeof *h);
	h->bench = b;
	h->addr = bench_addr(address);
	h->init_at = b->now;
	h->hello = (struct dg_hello){
	        .session = id_of(&h->addr, 1),
	        .boot = id_of(&h->addr, 2),
	        .endpoint = id_of(&h->addr, 3),
	        .idle_ms = 120000,
	        .credit = 1 << 20,
	        .datagram_max = DG_DATAGRAM_START, /* so that nothing larger is tried */
	        .ack_delay_ms = 5,
	        .versions = {DG_VERSION},
	};
}

void hand_open(struct hand *h, struct bench *b, const struct dgram_endpoint_config *config)
{
	bench_open(b, config);
	hand_init(h, b, "10.0.0.1:1000");
}

uint64_t hand_time(const struct hand *h, uint64_t at)
{
	return (at - h->init_at) / DGRAM_US;
}

void hand_write_hello(struct hand *h, enum dg_type type, size_t size)
{
	struct dg_header header = {.version = DG_VERSION, .type = (uint8_t)type};
	struct dg_writer w = dg_writer(h->last, sizeof h->last);

	header.receiver = type == DG_INIT ? 0 : h->theirs.session;
	dg_hello_encode(&w, &header, &h->hello);
	assert_false(w.failed);
	while (w.len + DG_CRC_SIZE < size)
		dg_write_u8(&w, 0);
	dg_crc_append(&w, 0);
	h->last_len = w.len;
}

enum dgram_fate hand_give(struct hand *h)
{
	return bench_give(h->bench, &h->addr, h->last, h->last_len);
}

enum dgram_fate hand_give_from(struct hand *h, const char *address)
{
	struct dgram_addr addr = bench_addr(address);

	return bench_give(h->bench, &addr, h->last, h->last_len);
}

enum dgram_fate hand_say_init(struct hand *h)
{
	h->hello.time = hand_time(h, h->bench->now);
	hand_write_hello(h, DG_INIT, DG_INIT_SIZE_MIN);
	return hand_give(h);
}

void hand_knock(struct hand *h)
{
	hand_say_init(h);
	bench_turn(h->bench);
}

enum dgram_fate hand_say_accept(struct hand *h, uint64_t time)
{
	h->hello.time = time;
	hand_write_hello(h, DG_ACCEPT, 0);
	return hand_give(h);
}

enum dgram_fate hand_say_cookie(struct hand *h, uint8_t fill)
{
	struct dg_writer w = dg_writer(h->last, sizeof h->last);
	uint8_t cookie[DG_COOKIE_SIZE];

	memset(cookie, fill, sizeof cookie);
	dg_cookie_encode(&w, h->theirs.session, cookie);
	dg_crc_append(&w, 0);
	h->last_len = w.len;
	return hand_give(h);
}

static enum dgram_fate say_plain(struct hand *h, enum dg_type type, uint64_t value, size_t size)
{
	struct dg_header header = {.version = DG_VERSION, .type = (uint8_t)type};
	struct dg_writer w = dg_writer(h->last, sizeof h->last);

	header.receiver = type == DG_BUSY ? h->theirs.session : h->hello.session;
	dg_header_encode(&w, &header);
	dg_write_number(&w, value, size);
	dg_crc_append(&w, 0);
	h->last_len = w.len;
	return hand_give(h);
}

enum dgram_fate hand_say_busy(struct hand *h, uint32_t retry)
{
	return say_plain(h, DG_BUSY, retry, 4);
}

enum dgram_fate hand_say_nosession(struct hand *h, uint64_t number)
{
	return say_plain(h, DG_NOSESSION, number, 8);
}

void hand_write(struct hand *h, const struct dg_frame *frames, size_t count)
{
	struct dg_header header = {
	        .version = DG_VERSION, .type = DG_DATA, .receiver = h->theirs.session};
	struct dg_writer w = dg_writer(h->last, sizeof h->last);

	for (size_t i = 0; i < count; i++)
		if (dg_frame_asks(&frames[i]))
			header.flags = DG_FLAG_ASKS;
	dg_header_encode(&w, &header);
	dg_write_u64(&w, h->next++);
	for (size_t i = 0; i < count; i++)
		dg_frame_encode(&w, &frames[i]);
	assert_false(w.failed);
	dg_crc_append(&w, h->hello.session);
	h->last_len = w.len;
}

enum dgram_fate hand_frames(struct hand *h, const struct dg_frame *frames, size_t count)
{
	hand_write(h, frames, count);
	return hand_give(h);
}

static void take_from(struct hand *h, struct got *got, enum dg_type type)
{
	assert_true(bench_take(h->bench, &h->addr, &got->packet));
	assert_true(dg_parts_decode(&got->parts, got->packet.data, got->packet.len));
	assert_int_equal(got->parts.header.type, type);
	assert_true(dg_crc_check(&got->parts, got->packet.data,
	                         type == DG_DATA ? h->theirs.session : 0));
	assert_int_equal(got->parts.header.receiver, type == DG_INIT ? 0 : h->hello.session);
}

void hand_take_hello(struct hand *h, enum dg_type type, struct dg_hello *out)
{
	take_from(h, &h->got, type);
	assert_true(dg_hello_decode(out, &h->got.parts));
}

void hand_take_raw(struct hand *h, enum dg_type type, size_t len)
{
	take_from(h, &h->got, type);
	assert_int_equal(h->got.packet.len, len);
}

bool hand_take(struct hand *h)
{
	struct got *got = &h->got;
	struct dg_data data;

	if (!bench_wait_sent(h->bench, &h->addr, 0))
		return false;
	take_from(h, got, DG_DATA);
	assert_true(dg_data_decode(&data, &got->parts));
	got->number = data.number;
	got->asking = data.elicits_ack;
	for (got->count = 0; data.frames.left > 0; got->count++) {
		assert_true(got->count < HAND_FRAMES);
		assert_true(dg_frame_decode(&got->frames[got->count], &data.frames));
	}
	if (!h->heard)
		h->base = data.number < HAND_NUMBERS ? 0 : data.number;
	assert_true(data.number >= h->base && data.number - h->base < HAND_NUMBERS);
	assert_false(h->numbers[data.number - h->base]); /* none is used twice */
	h->numbers[data.number - h->base] = true;
	if (!h->heard || data.number > h->highest)
		h->highest = data.number;
	h->heard = true;
	h->owes = h->owes || got->asking;
	return true;
}

void hand_next(struct hand *h)
{
	assert_true(hand_take(h));
}

const struct dg_frame *hand_got(const struct hand *h, enum dg_frame_type type)
{
	for (size_t i = 0; i < h->got.count; i++)
		if (h->got.frames[i].type == type)
			return &h->got.frames[i];
	return NULL;
}

const struct dg_frame *hand_find(struct hand *h, enum dg_frame_type type, uint64_t ns)
{
	uint64_t end = h->bench->now + ns;

	do {
		bench_turn(h->bench);
		while (hand_take(h))
			if (hand_got(h, type))
				return hand_got(h, type);
	} while (h->bench->now < end && bench_wait_sent(h->bench, &h->addr, end - h->bench->now));
	return NULL;
}

void hand_expect_no(struct hand *h, enum dg_frame_type type, uint64_t ns)
{
	assert_null(hand_find(h, type, ns));
}

struct dg_frame hand_ack_of(uint64_t low, uint64_t high)
{
	return (struct dg_frame){.type = DG_ACK, .id = high, .first = high - low};
}

struct dg_frame hand_ack(struct hand *h)
{
	struct dg_writer w = dg_writer(h->ranges, sizeof h->ranges);
	struct dg_frame ack = {.type = DG_ACK, .id = h->highest};
	uint64_t low = h->highest - h->base, at;

	assert_true(h->heard);
	while (low > 0 && h->numbers[low - 1])
		low--;
	ack.first = h->highest - h->base - low;
	for (at = low; at > 0 && ack.ranges < DG_ACK_RANGES_MAX; at--) {
		uint64_t high = at - 1, bottom = high;

		if (!h->numbers[high])
			continue;
		while (bottom > 0 && h->numbers[bottom - 1])
			bottom--;
		dg_ack_append(&w, h->base + low, h->base + bottom, h->base + high);
		ack.ranges++;
		low = bottom;
		at = bottom + 1;
	}
	ack.data = h->ranges;
	ack.len = w.len;
	h->owes = false;
	return ack;
}

bool hand_acks(const struct dg_frame *ack, uint64_t number)
{
	struct dg_ack_walk walk = {.frame = ack};
	uint64_t low, high;

	while (ack && dg_ack_next(&walk, &low, &high))
		if (low <= number && number <= high)
			return true;
	return false;
}

bool hand_is_acked(struct hand *h, uint64_t number, uint64_t ns)
{
	uint64_t end = h->bench->now + ns;
	const struct dg_frame *ack;

	while ((ack = hand_find(h, DG_ACK, end - h->bench->now)))
		if (hand_acks(ack, number))
			return true;
	return false;
}

void hand_settle(struct hand *h)
{
	for (int round = 0; round < 200; round++) {
		if (h->owes)
			assert_int_equal(hand_say(h, hand_ack(h)), DGRAM_FATE_TAKEN);
		if (!bench_wait_sent(h->bench, &h->addr, 50 * MS))
			return;
		while (hand_take(h))
			;
	}
	fail_msg("the endpoint does not fall silent");
}

void hand_call(struct hand *h)
{
	assert_int_equal(hand_say_init(h), DGRAM_FATE_TAKEN);
	bench_turn(h->bench);
	hand_take_hello(h, DG_ACCEPT, &h->theirs);
	assert_int_equal(hand_say(h, {.type = DG_PING}), DGRAM_FATE_TAKEN);
	hand_settle(h);
	assert_true(h->heard);
}

void hand_accept(struct hand *h)
{
	bench_turn(h->bench);
	hand_take_hello(h, DG_INIT, &h->theirs);
	h->init_at = h->got.packet.at - h->theirs.time * DGRAM_US;
	h->hello.idle_ms =
	        h->hello.idle_ms < h->theirs.idle_ms ? h->hello.idle_ms : h->theirs.idle_ms;
	assert_int_equal(hand_say_accept(h, h->theirs.time), DGRAM_FATE_TAKEN);
}

struct dg_frame hand_send(uint64_t id, const char *text)
{
	return (struct dg_frame){
	        .type = DG_SEND,
	        .flags = DG_WHOLE,
	        .id = id,
	        .data = (const uint8_t *)text,
	        .len = strlen(text),
	        .total = strlen(text),
	};
}

struct dg_frame hand_request(uint64_t id, const char *text)
{
	struct dg_frame frame = hand_send(id, text);

	frame.type = DG_REQUEST;
	frame.grant = 4 << 20;
	return frame;
}

struct dg_frame hand_reply(uint64_t id, const char *text)
{
	struct dg_frame frame = hand_send(id, text);

	frame.type = DG_REPLY;
	return frame;
}

struct dg_frame hand_part(enum dg_frame_type type, uint64_t id, uint64_t total, uint64_t offset,
                          size_t len)
{
	return (struct dg_frame){
	        .type = (uint8_t)type,
	        .flags = type == DG_REPLY ? DG_PUSHED : 0,
	        .id = id,
	        .total = total,
	        .offset = offset,
	        .data = bench_bytes() + offset,
	        .len = len,
	};
}
