/* Messages put together from fragments: two of them in one arena, beside a model that knows nothing
 * but bytes and which of them are there.
 *
 * Input: the size of a block, two totals, then for each fragment: which message and how the
 * fragment is wrong, its offset in cells, its length in cells. */
#include "fuzz.h"

#include "core/cells.h"

#define TOTAL_MAX  16384 /* bytes of a message */
#define CELL       64
#define OPERATIONS 1024

struct model {
	struct dg_cells cells;
	uint32_t total, missing; /* bytes; cells */
	uint8_t bytes[TOTAL_MAX];
	bool there[TOTAL_MAX / CELL];
};

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t next(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static void begin(struct model *m, struct dg_arena *arena, uint32_t total)
{
	memset(m, 0, sizeof *m);
	m->total = total;
	m->missing = (total + CELL - 1) / CELL;
	FUZZ_CHECK(dg_cells_begin(&m->cells, arena, total));
	FUZZ_CHECK(m->cells.missing == m->missing && m->cells.total == total);
}

static enum dg_cells_result put(struct model *m, const struct dg_fragment *f)
{
	uint64_t end = f->offset + f->len;
	uint32_t before = m->missing;

	if (f->total != m->total)
		return DG_CELLS_OTHER_TOTAL;
	if (f->len == 0 || f->offset % CELL || f->offset > m->total ||
	    f->len > m->total - f->offset || (end % CELL && end != m->total))
		return DG_CELLS_MISFIT;
	for (uint64_t at = f->offset; at < end; at += CELL) {
		if (m->there[at / CELL])
			continue;
		m->there[at / CELL] = true;
		m->missing--;
		memcpy(m->bytes + at, f->data + (at - f->offset),
		       end - at < CELL ? end - at : CELL);
	}
	if (m->missing == before)
		return DG_CELLS_COPY;
	return m->missing == 0 ? DG_CELLS_COMPLETE : DG_CELLS_TAKEN;
}

/* What is missing, as ranges and as cells, is the same. */
static void check_missing(const struct model *m, const struct dg_arena *arena)
{
	uint32_t offset = 0, len, at = 0;

	while (offset < m->total && dg_cells_missing(&m->cells, arena, &offset, &len)) {
		FUZZ_CHECK(len > 0 && offset >= at && offset + len <= m->total);
		for (; at < offset; at += CELL)
			FUZZ_CHECK(m->there[at / CELL]);
		for (; at < offset + len; at += CELL)
			FUZZ_CHECK(!m->there[at / CELL]);
		offset += len;
	}
	for (; at < m->total; at += CELL)
		FUZZ_CHECK(m->there[at / CELL]);
}

static void check_bytes(const struct model *m, const struct dg_arena *arena)
{
	uint8_t cell[CELL];

	for (uint32_t at = 0; at < m->total; at += CELL) {
		uint32_t len = m->total - at < CELL ? m->total - at : CELL;

		dg_arena_read(arena, &m->cells.buffer, at, cell, len);
		if (m->there[at / CELL])
			FUZZ_CHECK(memcmp(cell, m->bytes + at, len) == 0);
	}
}

static void fragment(struct model *models, struct dg_arena *arena, struct input *in)
{
	uint8_t what = next(in);
	struct model *m = &models[what & 1];
	uint64_t offset = (uint64_t)next(in) * CELL;
	size_t cells = next(in) % 40, len = cells * CELL;
	struct dg_fragment f = {.offset = offset, .total = m->total};
	uint8_t *data;

	if (what & 2 && offset < m->total) /* to the end of the message */
		len = m->total - offset < len ? (size_t)(m->total - offset) : len;
	len += what & 4 ? 1 : 0;
	f.offset += what & 8 ? UINT64_MAX - 63 : 0;
	f.offset += what & 16 ? 32 : 0;
	f.total += what & 32 ? 1 : 0;
	data = malloc(len + (len == 0));
	FUZZ_CHECK(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(what * 17 + cells + i / CELL);
	f.data = data;
	f.len = len;
	FUZZ_CHECK(dg_cells_put(&m->cells, arena, &f) == put(m, &f));
	FUZZ_CHECK(m->cells.missing == m->missing);
	free(data);
}

/* An arena with just the room that both messages need. */
static void *open_arena(struct dg_arena *arena, uint32_t block, const uint32_t totals[2])
{
	uint32_t count = 0;
	void *memory = calloc(1, dg_arena_size(block, 1));

	FUZZ_CHECK(memory);
	dg_arena_init(arena, memory, block, 1);
	for (int i = 0; i < 2; i++)
		count += dg_arena_blocks(arena, dg_cells_buffer(totals[i]));
	free(memory);
	count += count == 0;
	memory = malloc(dg_arena_size(block, count));
	FUZZ_CHECK(memory);
	memset(memory, 0xff, dg_arena_size(block, count)); /* what was there before is no cell */
	dg_arena_init(arena, memory, block, count);
	return memory;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model models[2];
	struct input in = {data, size};
	uint32_t block = (uint32_t)DG_ARENA_BLOCK_LEAST << next(&in) % 6;
	uint32_t totals[2], all;
	struct dg_arena arena;
	void *memory;

	for (int i = 0; i < 2; i++) {
		totals[i] = (uint32_t)next(&in) << 8;
		totals[i] = (totals[i] | next(&in)) % (TOTAL_MAX + 1);
	}
	memory = open_arena(&arena, block, totals);
	all = dg_arena_free(&arena);
	for (int i = 0; i < 2; i++)
		begin(&models[i], &arena, totals[i]);
	for (int n = 0; in.left > 0 && n < OPERATIONS; n++)
		fragment(models, &arena, &in);
	for (int i = 0; i < 2; i++) {
		check_missing(&models[i], &arena);
		check_bytes(&models[i], &arena);
		dg_arena_give(&arena, &models[i].cells.buffer);
	}
	FUZZ_CHECK(dg_arena_free(&arena) == all);
	free(memory);
	return 0;
}
