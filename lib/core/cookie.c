#include "core/cookie.h"

#include "base/bytes.h"
#include "base/hash.h"

static void make(const struct dg_cookies *c, uint8_t out[DG_COOKIE_SIZE],
                 const struct dg_place *from, uint64_t period)
{
	uint8_t in[1 + 8 + 8 + sizeof *from];
	struct dg_writer hashed = dg_writer(in, sizeof in), made = dg_writer(out, DG_COOKIE_SIZE);

	dg_write_u8(&hashed, 0);
	dg_write_u64(&hashed, period);
	dg_write_u64(&hashed, c->boot);
	dg_write_bytes(&hashed, from, sizeof *from);
	for (; in[0] < 2; in[0]++)
		dg_write_u64(&made, dg_hash(c->key, in, sizeof in));
}

void dg_cookie_make(const struct dg_cookies *c, uint8_t out[DG_COOKIE_SIZE],
                    const struct dg_place *from, uint64_t now)
{
	make(c, out, from, now / DG_COOKIE_PERIOD);
}

/* In a time that does not tell how many bytes were right. */
static bool equal(const uint8_t *a, const uint8_t *b)
{
	uint8_t differ = 0;

	for (int i = 0; i < DG_COOKIE_SIZE; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

bool dg_cookie_check(const struct dg_cookies *c, const uint8_t cookie[DG_COOKIE_SIZE],
                     const struct dg_place *from, uint64_t now)
{
	uint64_t period = now / DG_COOKIE_PERIOD;
	uint8_t fresh[DG_COOKIE_SIZE], old[DG_COOKIE_SIZE];

	make(c, fresh, from, period);
	make(c, old, from, period - 1); /* in the first period that is one nobody ever lived in */
	return equal(cookie, fresh) || equal(cookie, old);
}
