/* The outer layer: header, body and trailer. */
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
	[DG_COOKIE]    = {0,                            true,  true,  40,  40,    0,   1200},
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
	if (h->flags & DG_FLAG_KEYED ? !types[h->type].keyed || h->flags & DG_FLAG_ASKS
	                             : h->flags & DG_FLAG_PHASE)
		return false;
	return (h->receiver != 0) == types[h->type].receiver;
}

bool dg_is_ours(const void *datagram, size_t len)
{
	const uint8_t *bytes = datagram;

	return len > sizeof magic && memcmp(bytes, magic, sizeof magic) == 0 &&
	       bytes[sizeof magic] == DG_VERSION;
}

size_t dg_trailer_size(const struct dg_header *header)
{
	return header->flags & DG_FLAG_KEYED ? DG_TAG_SIZE : DG_CRC_SIZE;
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
	out->trailer_len = dg_trailer_size(&out->header);
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
	               crc_of(sender, sender != 0, datagram,
	                      (size_t)(parts->trailer - (const uint8_t *)datagram));
}
