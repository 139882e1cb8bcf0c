/* random.h - a seeded generator: the same seed gives the same numbers on every machine.
 *
 * xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018),
 * seeded through SplitMix64. For jitter, tests and simulations. Not secret: who has seen a few
 * numbers knows the rest, so what nobody may guess is made with hash.h under a key.
 */
#ifndef DG_BASE_RANDOM_H
#define DG_BASE_RANDOM_H

#include <stdint.h>

struct dg_random {
	uint64_t s[4];
};

/* Any seed is good; near ones give unrelated numbers. */
void dg_random_init(struct dg_random *r, uint64_t seed);

uint64_t dg_random_next(struct dg_random *r);

/* Evenly from 0 to n - 1; n is at least 1. */
uint64_t dg_random_below(struct dg_random *r, uint64_t n);

/* A generator of its own for a part of the program: how much that part draws changes nothing for
 * the others. Takes one number from r. */
void dg_random_split(struct dg_random *r, struct dg_random *out);

#endif
