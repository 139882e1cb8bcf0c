#include "wire/wire.h"

/* Sizes are 1 << 0..3, the exponent is the first two bits. */
static unsigned exponent_of(uint64_t value)
{
	if (value < UINT64_C(1) << 6)
		return 0;
	if (value < UINT64_C(1) << 14)
		return 1;
	return value < UINT64_C(1) << 30 ? 2 : 3;
}

uint64_t dg_read_varint(struct dg_reader *r)
{
	unsigned exponent = r->left > 0 ? r->at[0] >> 6 : 0;
	size_t size = (size_t)1 << exponent;
	uint64_t value = dg_read_number(r, size) & (UINT64_MAX >> (64 - 8 * size + 2));

	if (exponent_of(value) != exponent) {
		r->failed = true;
		r->left = 0;
		return 0;
	}
	return value;
}

void dg_write_varint(struct dg_writer *w, uint64_t value)
{
	unsigned exponent = exponent_of(value);
	size_t size = (size_t)1 << exponent;

	if (value > DG_VARINT_MAX)
		w->failed = true;
	else
		dg_write_number(w, value | (uint64_t)exponent << (8 * size - 2), size);
}
