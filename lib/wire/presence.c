/* What a HELLO says of a peer, and the answer to a survey that asks who is there. */
#include "wire/wire.h"

bool dg_presence_next(struct dg_reader *services, const uint8_t **name, size_t *len)
{
	if (services->left == 0)
		return false;
	*len = dg_read_u8(services);
	*name = dg_read_bytes(services, *len);
	return !services->failed;
}

/* Names, each greater than the one before. */
static bool services_are_valid(const uint8_t *services, size_t size)
{
	struct dg_reader r = dg_reader(services, size);
	const uint8_t *name = NULL, *before = NULL;
	size_t len = 0, before_len = 0;

	while (dg_presence_next(&r, &name, &len)) {
		size_t both = len < before_len ? len : before_len;
		int order = before ? memcmp(name, before, both) : 1;

		if (!dg_name_is_valid(name, len) || order < 0 || (order == 0 && len <= before_len))
			return false;
		before = name;
		before_len = len;
	}
	return !r.failed;
}

bool dg_presence_decode(struct dg_presence *out, const uint8_t *data, size_t len)
{
	struct dg_reader r = dg_reader(data, len);

	out->port = dg_read_u16(&r);
	out->left_out = dg_read_varint(&r);
	out->len = r.left;
	out->services = dg_read_bytes(&r, out->len);
	return !r.failed && out->port != 0 && services_are_valid(out->services, out->len);
}

void dg_presence_encode(struct dg_writer *w, const struct dg_presence *presence)
{
	if (presence->port == 0 || !services_are_valid(presence->services, presence->len)) {
		w->failed = true;
		return;
	}
	dg_write_u16(w, presence->port);
	dg_write_varint(w, presence->left_out);
	dg_write_bytes(w, presence->services, presence->len);
}
