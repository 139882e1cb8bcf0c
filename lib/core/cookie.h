/* cookie.h - proof that somebody receives at the address that its datagrams name, without a memory
 * of it.
 *
 * docs/WIRE.md, section 3: a responder under load answers an INIT with a cookie and forgets it. Who
 * sends the cookie back is where it says it is. A cookie is a keyed hash (SipHash-2-4, twice for 16
 * bytes) of the place, the boot id and the period of 120 s in which it was made; it is taken in
 * that period and the next one, so it lives for 120 s to 240 s. The period is in the hash instead
 * of a secret that is replaced: who knows neither the secret nor the cookie of a period is as far
 * from it, and workers that share key, boot id and clock need not tell each other anything.
 */
#ifndef DG_CORE_COOKIE_H
#define DG_CORE_COOKIE_H

#include "core/place.h"

#include <stdbool.h>
#include <stdint.h>

#define DG_COOKIE_SIZE   16
#define DG_COOKIE_PERIOD UINT64_C(120000000000) /* ns */

struct dg_cookies {
	uint8_t key[16]; /* secret, shared by the workers of a process */
	uint64_t boot;   /* boot id of the process */
};

/* The cookie for somebody at this place. now: ns. */
void dg_cookie_make(const struct dg_cookies *c, uint8_t out[DG_COOKIE_SIZE],
                    const struct dg_place *from, uint64_t now);

/* It was made for this place, in this period or the one before. */
bool dg_cookie_check(const struct dg_cookies *c, const uint8_t cookie[DG_COOKIE_SIZE],
                     const struct dg_place *from, uint64_t now);

#endif
