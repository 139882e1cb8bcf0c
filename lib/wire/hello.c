/* What INIT, ACCEPT and COOKIE hold. */
#include "wire/wire.h"

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
	if (hello->idle_ms < 1000 || hello->datagram_max < DG_DATAGRAM_LEAST ||
	    hello->datagram_max > 65507 || hello->ack_delay_ms > 1000)
		return false;
	if (accept && (hello->key_hint != 0 || !all_zero(hello->cookie, sizeof hello->cookie)))
		return false;
	return !open ||
	       (hello->key_hint == 0 && all_zero(hello->ephemeral, sizeof hello->ephemeral) &&
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

void dg_hello_encode(struct dg_writer *w, const struct dg_header *header,
                     const struct dg_hello *hello)
{
	size_t pad = header->type == DG_INIT
	                     ? DG_INIT_SIZE_MIN - DG_HELLO_SIZE - dg_trailer_size(header)
	                     : 0;
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

#define COOKIE_NONCE 24 /* bytes before the cookie: keyed mode's */

bool dg_cookie_decode(uint8_t out[DG_COOKIE_SIZE], const struct dg_parts *parts)
{
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	const uint8_t *nonce = dg_read_bytes(&r, COOKIE_NONCE);

	read_copy(&r, out, DG_COOKIE_SIZE);
	return dg_read_all(&r) && all_zero(nonce, COOKIE_NONCE);
}

void dg_cookie_encode(struct dg_writer *w, uint64_t receiver, const uint8_t cookie[DG_COOKIE_SIZE])
{
	const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_COOKIE, .receiver = receiver};
	static const uint8_t zeros[COOKIE_NONCE];

	dg_header_encode(w, &header);
	dg_write_bytes(w, zeros, COOKIE_NONCE);
	dg_write_bytes(w, cookie, DG_COOKIE_SIZE);
}
