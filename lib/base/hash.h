/* hash.h - SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#ifndef DG_BASE_HASH_H
#define DG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define DG_HASH_KEY 16 /* bytes */

/* SipHash-2-4: whoever does not know the key cannot forge or predict a value. For cookies and
 * tokens. */
uint64_t dg_hash(const uint8_t key[DG_HASH_KEY], const void *data, size_t len);

/* SipHash-1-3: about twice as fast, and enough for tables, whose values nobody sees. */
uint64_t dg_hash_fast(const uint8_t key[DG_HASH_KEY], const void *data, size_t len);

#endif
