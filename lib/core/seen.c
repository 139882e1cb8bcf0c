#include "core/seen.h"

#include "wire/wire.h"

#include <assert.h>

static uint64_t ids_in(uint32_t words)
{
	return words ? 64 * (uint64_t)words : DG_SEEN_NARROW;
}

/* The word with the bit of an id of the window. */
static uint64_t *word_of(struct dg_seen *seen, uint64_t id)
{
	return seen->words ? &seen->bits.wide[id / 64 % seen->words] : &seen->bits.narrow;
}

static uint64_t bit_of(uint64_t id)
{
	return UINT64_C(1) << id % 64;
}

static bool has_bit(const struct dg_seen *seen, uint64_t id)
{
	uint64_t word = seen->words ? seen->bits.wide[id / 64 % seen->words] : seen->bits.narrow;

	return word & bit_of(id);
}

uint64_t dg_seen_end(const struct dg_seen *seen)
{
	uint64_t end = seen->below + ids_in(seen->words);

	return end < DG_VARINT_MAX ? end : DG_VARINT_MAX;
}

/* No id from first on, which is a multiple of 64, up to 63 more is seen. */
static bool is_empty_word(const struct dg_seen *seen, uint64_t first)
{
	return (seen->words ? seen->bits.wide[first / 64 % seen->words] : seen->bits.narrow) == 0;
}

uint64_t dg_seen_top(const struct dg_seen *seen)
{
	uint64_t top = dg_seen_end(seen);

	while (top > seen->below && !has_bit(seen, top - 1)) {
		if (top % 64 == 0 && top - 64 >= seen->below && is_empty_word(seen, top - 64))
			top -= 64;
		else
			top--;
	}
	return top;
}

enum dg_seen_state dg_seen_state(const struct dg_seen *seen, uint64_t id)
{
	if (id < seen->below)
		return DG_SEEN_BEFORE;
	if (id >= dg_seen_end(seen))
		return DG_SEEN_BEYOND;
	return has_bit(seen, id) ? DG_SEEN_BEFORE : DG_SEEN_NEW;
}

enum dg_seen_state dg_seen_mark(struct dg_seen *seen, uint64_t id)
{
	enum dg_seen_state before = dg_seen_state(seen, id);

	if (before != DG_SEEN_NEW)
		return before;
	*word_of(seen, id) |= bit_of(id);
	while (has_bit(seen, seen->below)) {
		*word_of(seen, seen->below) &= ~bit_of(seen->below);
		seen->below++;
	}
	return before;
}

/* Of word w among so many, the bits of the 64 ids from the watermark on: the upper ones of one word
 * and the lower ones of the next. */
static uint64_t near_bits(uint64_t below, uint32_t words, uint32_t w)
{
	uint64_t upper = UINT64_MAX << below % 64, bits = 0;

	if (w == below / 64 % words)
		bits |= upper;
	if (w == (below / 64 + 1) % words)
		bits |= ~upper;
	return bits;
}

void dg_seen_widen(struct dg_seen *seen, uint64_t *memory, uint32_t words)
{
	assert(seen->words == 0 && words > 0 && words <= DG_SEEN_WIDEST / 64);
	for (uint32_t w = 0; w < words; w++)
		memory[w] = seen->bits.narrow & near_bits(seen->below, words, w);
	seen->bits.wide = memory;
	seen->words = words;
}

bool dg_seen_narrow(struct dg_seen *seen)
{
	uint64_t narrow = 0;

	assert(seen->words > 0);
	for (uint32_t w = 0; w < seen->words; w++) {
		if (seen->bits.wide[w] & ~near_bits(seen->below, seen->words, w))
			return false;
		narrow |= seen->bits.wide[w];
	}
	seen->bits.narrow = narrow;
	seen->words = 0;
	return true;
}
