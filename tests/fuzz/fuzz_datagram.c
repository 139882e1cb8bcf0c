/* Whole datagrams: whatever is taken has one spelling, so decoding and encoding again gives the
 * same bytes. The input has no trailer, since nobody guesses a checksum: the harness appends it. */
#include "fuzz.h"

#include "wire/wire.h"

#define SENDER 9

static void check_cookie(const struct dg_parts *parts, struct dg_writer *w)
{
	uint8_t cookie[DG_COOKIE_SIZE];

	if (dg_cookie_decode(cookie, parts))
		dg_cookie_encode(w, parts->header.receiver, cookie);
}

static void check_hello(const struct dg_parts *parts, struct dg_writer *w)
{
	size_t padded = DG_INIT_SIZE_MIN - DG_HEADER_SIZE - DG_CRC_SIZE;
	struct dg_hello hello;

	if (!dg_hello_decode(&hello, parts))
		return;
	dg_hello_encode(w, &parts->header, &hello);
	for (size_t i = padded; i < parts->body_len; i++) /* an INIT may be longer than ours */
		dg_write_u8(w, 0);
}

static void check_data(const struct dg_parts *parts, struct dg_writer *w)
{
	struct dg_data data;
	struct dg_frame frame;

	if (!dg_data_decode(&data, parts))
		return;
	dg_header_encode(w, &parts->header);
	dg_write_u64(w, data.number);
	while (data.frames.left > 0) {
		FUZZ_CHECK(dg_frame_decode(&frame, &data.frames));
		dg_frame_encode(w, &frame);
	}
}

static void check_group(const struct dg_parts *parts, struct dg_writer *w)
{
	struct dg_group group;

	if (!dg_group_decode(&group, parts->body, parts->body_len))
		return;
	dg_header_encode(w, &parts->header);
	dg_group_encode(w, &group);
}

static void check_body(const struct dg_parts *parts, struct dg_writer *w)
{
	switch ((enum dg_type)parts->header.type) {
	case DG_INIT:
	case DG_ACCEPT:
		check_hello(parts, w);
		break;
	case DG_COOKIE:
		check_cookie(parts, w);
		break;
	case DG_DATA:
		check_data(parts, w);
		break;
	case DG_GROUP:
		check_group(parts, w);
		break;
	case DG_NOSESSION:
	case DG_BUSY:
		dg_header_encode(w, &parts->header);
		dg_write_bytes(w, parts->body, parts->body_len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *datagram = malloc(size + DG_CRC_SIZE), *again = malloc(size + DG_CRC_SIZE);
	struct dg_writer first = dg_writer(datagram, size + DG_CRC_SIZE);
	struct dg_writer second = dg_writer(again, size + DG_CRC_SIZE);
	struct dg_parts parts;

	FUZZ_CHECK(datagram && again);
	dg_write_bytes(&first, data, size);
	dg_crc_append(&first, SENDER);
	if (dg_parts_decode(&parts, datagram, first.len) && !(parts.header.flags & DG_FLAG_KEYED)) {
		FUZZ_CHECK(dg_crc_check(&parts, datagram, SENDER));
		check_body(&parts, &second);
		FUZZ_CHECK(!second.failed);
		if (second.len > 0) {
			dg_crc_append(&second, SENDER);
			FUZZ_CHECK(second.len == first.len &&
			           memcmp(datagram, again, first.len) == 0);
		}
	}
	free(datagram);
	free(again);
	return 0;
}
