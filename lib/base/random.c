#include "base/random.h"

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void dg_random_init(struct dg_random *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&seed);
}

uint64_t dg_random_next(struct dg_random *r)
{
	uint64_t result = rotate(r->s[1] * 5, 7) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotate(r->s[3], 45);
	return result;
}

/* 2^64 is seldom a multiple of n: the numbers below its remainder are drawn again, or the low
 * results would come more often than the high ones. */
uint64_t dg_random_below(struct dg_random *r, uint64_t n)
{
	uint64_t remainder = (UINT64_MAX - n + 1) % n;
	uint64_t x;

	do
		x = dg_random_next(r);
	while (x < remainder);
	return x % n;
}

void dg_random_split(struct dg_random *r, struct dg_random *out)
{
	dg_random_init(out, dg_random_next(r));
}
