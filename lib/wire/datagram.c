/* The outer layer: header, body and trailer, and what INIT and ACCEPT hold. */
#include "base/crc32c.h"
#include "wire/wire.h"

static const uint8_t magic[4] = {0xe4, 'g', 'r', 'm'};

/* clang-format off */
static const struct {
	uint16_t flags;              /* that it may have, beside KEYED */
	bool keyed;                  /* exists in keyed mode */
	bool receiver;               /* has a receiver id */
	size_t body_min, body_max;   /* bytes */
	size_t size_min, size_max;   /* bytes of the whole datagram */
} types[] = {
	[DG_INIT]      = {0,                            true,  false, 128, 65507, 256, 1200},
	[DG_ACCEPT]    = {0,                            true,  true,  128, 128,   0,   1200},
	[DG_COOKIE]    = {0,                            true,  true,  56,  56,    0,   1200},
	[DG_DATA]      = {DG_FLAG_ASKS | DG_FLAG_PHASE, true,  true,  9,   65507, 0,   65507},
	[DG_NOSESSION] = {0,                            false, true,  8,   8,     0,   1200},
	[DG_BUSY]      = {0,                            false, true,  4,   4,     0,   1200},
	[DG_GROUP]     = {0,                            true,  false, 26,  65507, 0,   1200},
};
/* clang-format on */

static bool header_is_valid(const struct dg_header *h)
{
	if (h->type < DG_INIT || h->type > DG_GROUP)
		return false;
	if (h->flags & ~(types[h->type].flags | DG_FLAG_KEYED))
		return false;
	if (h->flags & DG_FLAG_KEYED ? !types[h->type].keyed : h->flags & DG_FLAG_PHASE)
		return false;
	return (h->receiver != 0) == types[h->type].receiver;
}

static size_t trailer_size(const struct dg_header *h)
{
	return h->flags & DG_FLAG_KEYED ? DG_TAG_SIZE : DG_CRC_SIZE;
}

bool dg_parts_decode(struct dg_parts *out, const void *datagram, size_t len)
{
	struct dg_reader r = dg_reader(datagram, len);
	const uint8_t *head = dg_read_bytes(&r, sizeof magic);

	if (!head || memcmp(head, magic, sizeof magic) != 0)
		return false;
	out->header.version = dg_read_u8(&r);
	out->header.type = dg_read_u8(&r);
	out->header.flags = dg_read_u16(&r);
	out->header.receiver = dg_read_u64(&r);
	if (r.failed || out->header.version != DG_VERSION || !header_is_valid(&out->header))
		return false;
	out->trailer_len = trailer_size(&out->header);
	if (r.left < out->trailer_len)
		return false;
	out->body_len = r.left - out->trailer_len;
	out->body = dg_read_bytes(&r, out->body_len);
	out->trailer = dg_read_bytes(&r, out->trailer_len);
	return out->body_len >= types[out->header.type].body_min &&
	       out->body_len <= types[out->header.type].body_max &&
	       len >= types[out->header.type].size_min && len <= types[out->header.type].size_max;
}

void dg_header_encode(struct dg_writer *w, const struct dg_header *header)
{
	if (header->version != DG_VERSION || !header_is_valid(header)) {
		w->failed = true;
		return;
	}
	dg_write_bytes(w, magic, sizeof magic);
	dg_write_u8(w, header->version);
	dg_write_u8(w, header->type);
	dg_write_u16(w, header->flags);
	dg_write_u64(w, header->receiver);
}

static uint32_t crc_of(uint64_t sender, bool has_sender, const void *data, size_t len)
{
	uint8_t id[8];
	struct dg_writer w = dg_writer(id, sizeof id);

	dg_write_u64(&w, sender);
	return dg_crc32c(has_sender ? dg_crc32c(0, id, sizeof id) : 0, data, len);
}

void dg_crc_append(struct dg_writer *w, uint64_t sender)
{
	if (!w->failed)
		dg_write_u32(w, crc_of(sender, sender != 0, w->data, w->len));
}

bool dg_crc_check(const struct dg_parts *parts, const void *datagram, uint64_t sender)
{
	struct dg_reader trailer = dg_reader(parts->trailer, parts->trailer_len);

	return parts->trailer_len == DG_CRC_SIZE &&
	       dg_read_u32(&trailer) ==
		       crc_of(sender, sender != 0, datagram, (size_t)(parts->trailer - (const uint8_t *)datagram));
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* One version at least; none behind a zero; none twice; ACCEPT has chosen one. */
static bool versions_are_valid(const uint8_t versions[8], bool chosen)
{
	size_t count = 0;

	while (count < 8 && versions[count] != 0)
		count++;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (versions[i] == versions[j])
				return false;
	return count > 0 && all_zero(versions + count, 8 - count) && (!chosen || count == 1);
}

static bool hello_is_valid(const struct dg_hello *hello, const struct dg_header *header)
{
	bool accept = header->type == DG_ACCEPT, open = !(header->flags & DG_FLAG_KEYED);

	if (hello->session == 0 || !versions_are_valid(hello->versions, accept))
		return false;
	if (hello->idle_ms < 1000 || hello->datagram_max < DG_DATAGRAM_LEAST || hello->datagram_max > 65507 ||
	    hello->ack_delay_ms > 1000)
		return false;
	if (accept && (hello->key_hint != 0 || !all_zero(hello->cookie, sizeof hello->cookie)))
		return false;
	return !open || (hello->key_hint == 0 && all_zero(hello->ephemeral, sizeof hello->ephemeral) &&
			 all_zero(hello->sealed, sizeof hello->sealed));
}

static void read_copy(struct dg_reader *r, uint8_t *out, size_t len)
{
	const uint8_t *bytes = dg_read_bytes(r, len);

	if (bytes)
		memcpy(out, bytes, len);
}

bool dg_hello_decode(struct dg_hello *out, const struct dg_parts *parts)
{
	struct dg_reader r = dg_reader(parts->body, parts->body_len);

	out->session = dg_read_u64(&r);
	out->boot = dg_read_u64(&r);
	out->endpoint = dg_read_u64(&r);
	out->time = dg_read_u64(&r);
	out->capabilities = dg_read_u64(&r);
	out->idle_ms = dg_read_u32(&r);
	out->credit = dg_read_u32(&r);
	out->datagram_max = dg_read_u16(&r);
	out->ack_delay_ms = dg_read_u16(&r);
	read_copy(&r, out->versions, sizeof out->versions);
	out->key_hint = dg_read_u16(&r);
	if (dg_read_u16(&r) != 0)
		return false;
	read_copy(&r, out->cookie, sizeof out->cookie);
	read_copy(&r, out->ephemeral, sizeof out->ephemeral);
	read_copy(&r, out->sealed, sizeof out->sealed);
	return !r.failed && all_zero(r.at, r.left) && hello_is_valid(out, &parts->header);
}

void dg_hello_encode(struct dg_writer *w, const struct dg_header *header, const struct dg_hello *hello)
{
	size_t pad = header->type == DG_INIT ? DG_INIT_SIZE_MIN - DG_HELLO_SIZE - trailer_size(header) : 0;
	uint8_t *zeros;

	if (!hello_is_valid(hello, header))
		w->failed = true;
	dg_header_encode(w, header);
	dg_write_u64(w, hello->session);
	dg_write_u64(w, hello->boot);
	dg_write_u64(w, hello->endpoint);
	dg_write_u64(w, hello->time);
	dg_write_u64(w, hello->capabilities);
	dg_write_u32(w, hello->idle_ms);
	dg_write_u32(w, hello->credit);
	dg_write_u16(w, hello->datagram_max);
	dg_write_u16(w, hello->ack_delay_ms);
	dg_write_bytes(w, hello->versions, sizeof hello->versions);
	dg_write_u16(w, hello->key_hint);
	dg_write_u16(w, 0);
	dg_write_bytes(w, hello->cookie, sizeof hello->cookie);
	dg_write_bytes(w, hello->ephemeral, sizeof hello->ephemeral);
	dg_write_bytes(w, hello->sealed, sizeof hello->sealed);
	zeros = pad ? dg_write_room(w, pad) : NULL;
	if (zeros)
		memset(zeros, 0, pad);
}
