#include "core/cells.h"

#include "wire/wire.h"

static uint32_t cells_in(uint32_t bytes)
{
	return (bytes + DG_CELL - 1) / DG_CELL;
}

/* Where the map begins in the buffer. Blocks begin and end at cells too, so no word of the map is
 * in two of them. */
static uint32_t map_offset(uint32_t total)
{
	return cells_in(total) * DG_CELL;
}

static uint32_t map_size(uint32_t total)
{
	return (cells_in(total) + 63) / 64 * (uint32_t)sizeof(uint64_t);
}

uint32_t dg_cells_buffer(uint32_t total)
{
	return map_offset(total) + map_size(total);
}

static uint64_t *word_of(const struct dg_cells *cells, const struct dg_arena *arena, uint32_t cell)
{
	size_t len = sizeof(uint64_t);

	return dg_arena_at(arena, &cells->buffer,
	                   map_offset(cells->total) + cell / 64 * (uint32_t)sizeof(uint64_t), &len);
}

bool dg_cells_begin(struct dg_cells *cells, struct dg_arena *arena, uint64_t total)
{
	uint32_t bytes = (uint32_t)total;

	if (total > DG_CELLS_MAX || !dg_arena_take(arena, &cells->buffer, dg_cells_buffer(bytes)))
		return false;
	cells->total = bytes;
	cells->missing = cells_in(bytes);
	for (uint32_t cell = 0; cell < cells->missing; cell += 64)
		*word_of(cells, arena, cell) = 0;
	return true;
}

/* The new ones of the cells from first to end, which share a word. Returns how many. */
static uint32_t take(struct dg_cells *cells, struct dg_arena *arena, const struct dg_fragment *f,
                     uint32_t first, uint32_t end)
{
	uint64_t *word = word_of(cells, arena, first);
	uint32_t taken = 0, stop;

	for (uint32_t cell = first; cell < end; cell = stop + 1) {
		for (stop = cell; stop < end && !(*word >> stop % 64 & 1); stop++)
			*word |= UINT64_C(1) << stop % 64;
		if (stop == cell)
			continue;

		size_t skipped = (size_t)cell * DG_CELL - (size_t)f->offset;
		size_t len = (size_t)(stop - cell) * DG_CELL; /* the last cell may be shorter */
		dg_arena_write(arena, &cells->buffer, cell * DG_CELL, f->data + skipped,
		               len < f->len - skipped ? len : f->len - skipped);
		taken += stop - cell;
	}
	return taken;
}

static bool fits(const struct dg_fragment *f)
{
	if (f->len == 0 || f->offset > f->total || f->len > f->total - f->offset)
		return false;
	return f->offset % DG_CELL == 0 &&
	       (f->len % DG_CELL == 0 || f->offset + f->len == f->total);
}

enum dg_cells_result dg_cells_put(struct dg_cells *cells, struct dg_arena *arena,
                                  const struct dg_fragment *fragment)
{
	uint32_t first, end, taken = 0, stop;

	if (fragment->total != cells->total)
		return DG_CELLS_OTHER_TOTAL;
	if (!fits(fragment))
		return DG_CELLS_MISFIT;
	first = (uint32_t)fragment->offset / DG_CELL;
	end = first + cells_in((uint32_t)fragment->len);
	for (; first < end; first = stop) {
		stop = first / 64 * 64 + 64;
		stop = stop < end ? stop : end;
		taken += take(cells, arena, fragment, first, stop);
	}
	cells->missing -= taken;
	if (taken == 0)
		return DG_CELLS_COPY;
	return cells->missing > 0 ? DG_CELLS_TAKEN : DG_CELLS_COMPLETE;
}

uint32_t dg_cells_count(uint32_t bytes)
{
	return cells_in(bytes);
}

/* The bits of the cells from first to end in the word of first. */
static uint64_t bits_of(uint32_t first, uint32_t end)
{
	uint32_t from = first % 64, count = end - first < 64 - from ? end - first : 64 - from;

	return (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << from;
}

static uint32_t ones(uint64_t word)
{
	uint32_t count = 0;

	for (; word; word &= word - 1)
		count++;
	return count;
}

uint32_t dg_cells_mark(struct dg_cells *cells, struct dg_arena *arena, uint32_t offset,
                       uint32_t len)
{
	uint32_t end = offset / DG_CELL + cells_in(len), changed = 0;

	for (uint32_t cell = offset / DG_CELL; cell < end; cell = (cell / 64 + 1) * 64) {
		uint64_t *word = word_of(cells, arena, cell), bits = bits_of(cell, end) & ~*word;

		*word |= bits;
		changed += ones(bits);
	}
	cells->missing -= changed;
	return changed;
}

uint32_t dg_cells_unmark(struct dg_cells *cells, struct dg_arena *arena, uint32_t offset,
                         uint32_t len)
{
	uint32_t end = offset / DG_CELL + cells_in(len), changed = 0;

	for (uint32_t cell = offset / DG_CELL; cell < end; cell = (cell / 64 + 1) * 64) {
		uint64_t *word = word_of(cells, arena, cell), bits = bits_of(cell, end) & *word;

		*word &= ~bits;
		changed += ones(bits);
	}
	cells->missing += changed;
	return changed;
}

static bool has(const struct dg_cells *cells, const struct dg_arena *arena, uint32_t cell)
{
	return *word_of(cells, arena, cell) >> cell % 64 & 1;
}

bool dg_cells_next(const struct dg_cells *cells, const struct dg_arena *arena, uint32_t *offset,
                   uint32_t *len, uint32_t most)
{
	uint32_t all = cells_in(cells->total), first = cells_in(*offset), end, stop;

	while (first < all && has(cells, arena, first))
		first++;
	if (first >= all)
		return false;
	stop = all - first < cells_in(most) ? all : first + cells_in(most);
	for (end = first + 1; end < stop && !has(cells, arena, end);)
		end++;
	*offset = first * DG_CELL;
	*len = (end < all ? end * DG_CELL : cells->total) - *offset;
	return true;
}

bool dg_cells_missing(const struct dg_cells *cells, const struct dg_arena *arena, uint32_t *offset,
                      uint32_t *len)
{
	return dg_cells_next(cells, arena, offset, len, DG_CELLS_MAX);
}
