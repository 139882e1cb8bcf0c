#include "base/hash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void rounds(struct sip *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32) + s->v3;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

/* Eight bytes, little-endian; written out so that compilers make one load of it. */
static inline uint64_t word(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
	       (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

static inline void absorb(struct sip *s, uint64_t m, int n)
{
	s->v3 ^= m;
	rounds(s, n);
	s->v0 ^= m;
}

/* c rounds for each word of eight bytes, d at the end: the two numbers of the name. */
static inline uint64_t siphash(const uint8_t key[DG_HASH_KEY], const uint8_t *data, size_t len,
			       int c, int d)
{
	uint64_t k0 = word(key), k1 = word(key + 8);
	struct sip s = {
		/* the initial state of the paper, section 2.1:
		 * "somepseudorandomlygeneratedbytes" */
		.v0 = k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)len << 56;

	for (; len >= 8; data += 8, len -= 8)
		absorb(&s, word(data), c);
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)data[i] << 8 * i;
	absorb(&s, last, c);
	s.v2 ^= 0xff;
	rounds(&s, d);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t dg_hash(const uint8_t key[DG_HASH_KEY], const void *data, size_t len)
{
	return siphash(key, data, len, 2, 4);
}

uint64_t dg_hash_fast(const uint8_t key[DG_HASH_KEY], const void *data, size_t len)
{
	return siphash(key, data, len, 1, 3);
}
