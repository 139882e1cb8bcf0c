#include "core/cells.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test.h"

#define MIB      (UINT32_C(1) << 20)
#define TABLE(t) (sizeof(t) / sizeof(t)[0])

static struct dg_arena fresh(uint32_t block, uint32_t count)
{
	void *memory = malloc(dg_arena_size(block, count));
	struct dg_arena arena;

	assert_non_null(memory);
	memset(memory, 0xff, dg_arena_size(block, count)); /* what was there before is no cell */
	dg_arena_init(&arena, memory, block, count);
	return arena;
}

static void drop(struct dg_arena *arena)
{
	free(arena->pool.blocks);
}

static void a_fragment_that_does_not_fit_is_not_taken(void **state)
{
	static const struct {
		uint64_t total, offset, len;
		enum dg_cells_result result;
	} rows[] = {
	        {199, 0, 64, DG_CELLS_OTHER_TOTAL},
	        {201, 0, 64, DG_CELLS_OTHER_TOTAL},
	        {(UINT64_C(1) << 32) + 200, 0, 64, DG_CELLS_OTHER_TOTAL},
	        {200, 0, 0, DG_CELLS_MISFIT},
	        {200, 0, 63, DG_CELLS_MISFIT},
	        {200, 0, 65, DG_CELLS_MISFIT},
	        {200, 1, 64, DG_CELLS_MISFIT},
	        {200, 32, 168, DG_CELLS_MISFIT},
	        {200, 192, 7, DG_CELLS_MISFIT},
	        {200, 192, 9, DG_CELLS_MISFIT},
	        {200, 192, 64, DG_CELLS_MISFIT},
	        {200, 200, 0, DG_CELLS_MISFIT},
	        {200, 256, 64, DG_CELLS_MISFIT},
	        {200, UINT64_MAX - 63, 64, DG_CELLS_MISFIT},
	        {200, 192, 8, DG_CELLS_TAKEN},
	        {200, 64, 64, DG_CELLS_TAKEN},
	        {200, 64, 64, DG_CELLS_COPY},
	        {200, 64, 136, DG_CELLS_TAKEN},
	        {200, 0, 64, DG_CELLS_COMPLETE},
	        {200, 0, 200, DG_CELLS_COPY},
	};
	static const uint8_t data[256];
	struct dg_arena arena = fresh(64, 10);
	struct dg_cells cells;

	(void)state;
	assert_true(dg_cells_begin(&cells, &arena, 200));
	for (size_t i = 0; i < TABLE(rows); i++) {
		struct dg_fragment f = {data, (size_t)rows[i].len, rows[i].offset, rows[i].total};

		assert_int_equal(dg_cells_put(&cells, &arena, &f), rows[i].result);
	}
	drop(&arena);
}

static void the_first_copy_of_a_cell_wins(void **state)
{
	struct dg_arena arena = fresh(64, 10);
	struct dg_cells cells;
	uint8_t first[64], second[192], read[192];
	struct dg_fragment early = {first, 64, 64, 192}, late = {second, 192, 0, 192};

	(void)state;
	memset(first, 1, sizeof first);
	memset(second, 2, sizeof second);
	assert_true(dg_cells_begin(&cells, &arena, 192));
	assert_int_equal(dg_cells_put(&cells, &arena, &early), DG_CELLS_TAKEN);
	assert_int_equal(dg_cells_put(&cells, &arena, &late), DG_CELLS_COMPLETE);
	late.data = first;
	assert_int_equal(dg_cells_put(&cells, &arena, &late), DG_CELLS_COPY);
	dg_arena_read(&arena, &cells.buffer, 0, read, 192);
	assert_memory_equal(read, second, 64);
	assert_memory_equal(read + 64, first, 64);
	assert_memory_equal(read + 128, second, 64);
	drop(&arena);
}

static void a_message_begins_when_there_is_room_for_all_of_it(void **state)
{
	struct dg_arena arena = fresh(2048, 2048 + 4 + 4 + 2);
	struct dg_cells cells, other;

	(void)state;
	assert_int_equal(dg_cells_buffer(4 * MIB), 4 * MIB + 8192);
	assert_int_equal(dg_cells_buffer(0), 0);
	assert_int_equal(dg_cells_buffer(1), 64 + 8);
	assert_false(dg_cells_begin(&cells, &arena, DG_CELLS_MAX + 1));
	assert_false(dg_cells_begin(&cells, &arena, (UINT64_C(1) << 32) + 1));
	assert_true(dg_cells_begin(&cells, &arena, 4 * MIB));
	assert_int_equal(cells.missing, 65536);
	assert_int_equal(dg_arena_free(&arena), 0);
	assert_false(dg_cells_begin(&other, &arena, 1));
	dg_arena_give(&arena, &cells.buffer);
	assert_true(dg_cells_begin(&other, &arena, 1));
	drop(&arena);
}

static void an_empty_message_is_complete(void **state)
{
	struct dg_arena arena = fresh(64, 1);
	struct dg_fragment f = {NULL, 0, 0, 0};
	struct dg_cells cells;
	uint32_t offset = 0, len;

	(void)state;
	assert_true(dg_cells_begin(&cells, &arena, 0));
	assert_int_equal(cells.missing, 0);
	assert_false(dg_cells_missing(&cells, &arena, &offset, &len));
	assert_int_equal(dg_cells_put(&cells, &arena, &f), DG_CELLS_MISFIT);
	dg_arena_give(&arena, &cells.buffer);
	assert_int_equal(dg_arena_free(&arena), 1);
	drop(&arena);
}

static void what_is_missing_is_told_in_ranges(void **state)
{
	static const uint8_t data[128];
	struct dg_arena arena = fresh(64, 20);
	struct dg_fragment two = {data, 128, 128, 500};
	struct dg_cells cells;
	uint32_t offset = 0, len;

	(void)state;
	assert_true(dg_cells_begin(&cells, &arena, 500));
	assert_true(dg_cells_missing(&cells, &arena, &offset, &len));
	assert_true(offset == 0 && len == 500);
	dg_cells_put(&cells, &arena, &two);
	assert_true(dg_cells_missing(&cells, &arena, &offset, &len));
	assert_true(offset == 0 && len == 128);
	offset += len;
	assert_true(dg_cells_missing(&cells, &arena, &offset, &len));
	assert_true(offset == 256 && len == 244);
	offset = 512;
	assert_false(dg_cells_missing(&cells, &arena, &offset, &len));
	assert_true(offset == 512 && len == 244);
	drop(&arena);
}

/* The naive message: a byte for each byte, and whether it is there. */
struct naive {
	uint8_t *bytes;
	bool *there;
	uint32_t total;
};

static bool naive_put(struct naive *n, const struct dg_fragment *f)
{
	bool new = false;

	for (size_t i = 0; i < f->len; i++) {
		if (n->there[f->offset + i])
			continue;
		n->bytes[f->offset + i] = f->data[i];
		n->there[f->offset + i] = new = true;
	}
	return new;
}

static bool naive_next(const struct naive *n, uint32_t from, uint32_t *offset, uint32_t *len)
{
	while (from < n->total && n->there[from])
		from++;
	*offset = from;
	for (*len = 0; from + *len < n->total && !n->there[from + *len];)
		++*len;
	return *len > 0;
}

static struct dg_fragment chance(struct dg_random *r, uint8_t *data, uint32_t total,
                                 uint32_t longest)
{
	uint32_t cells = (total + 63) / 64, first = (uint32_t)dg_random_below(r, cells);
	uint32_t count = 1 + (uint32_t)dg_random_below(r, longest);
	struct dg_fragment f = {data, (size_t)count * 64, (uint64_t)first * 64, total};

	if (f.len > total - f.offset)
		f.len = (size_t)(total - f.offset);
	for (size_t i = 0; i < f.len; i++)
		data[i] = (uint8_t)dg_random_next(r);
	return f;
}

static void put_together(uint32_t total, uint32_t longest, uint32_t block)
{
	struct dg_arena arena = fresh(block, 4 * total / block + 8);
	struct naive naive = {malloc(total), calloc(total, sizeof(bool)), total};
	uint8_t *data = malloc((size_t)longest * 64 + 64), *read = malloc(total);
	uint32_t offset = 0, len = 0, expected, expected_len;
	struct dg_cells cells;
	struct dg_random r;
	bool missing;

	dg_random_init(&r, total + longest);
	assert_true(naive.bytes && naive.there && data && read);
	assert_true(dg_cells_begin(&cells, &arena, total));
	for (unsigned step = 0; cells.missing > 0; step++) {
		struct dg_fragment f = chance(&r, data, total, longest);
		bool new, done;

		if (step % 4 == 3) { /* or it would take long */
			f.offset = offset;
			f.len = f.len < len ? f.len : len;
			f.len = f.offset + f.len == total ? f.len : f.len / 64 * 64;
			if (f.len == 0)
				continue;
		}
		new = naive_put(&naive, &f);
		done = !naive_next(&naive, 0, &expected, &expected_len);
		assert_int_equal(dg_cells_put(&cells, &arena, &f), !new   ? DG_CELLS_COPY
		                                                   : done ? DG_CELLS_COMPLETE
		                                                          : DG_CELLS_TAKEN);
		offset = (uint32_t)dg_random_below(&r, (total + 63) / 64) * 64;
		missing = naive_next(&naive, offset, &expected, &expected_len);
		assert_int_equal(dg_cells_missing(&cells, &arena, &offset, &len), missing);
		assert_true(!missing || (offset == expected && len == expected_len));
		len = missing ? len : 0;
	}
	dg_arena_read(&arena, &cells.buffer, 0, read, total);
	assert_memory_equal(read, naive.bytes, total);
	dg_arena_give(&arena, &cells.buffer);
	assert_int_equal(arena.pool.used, 0);
	free(naive.bytes);
	free(naive.there);
	free(data);
	free(read);
	drop(&arena);
}

static void it_agrees_with_a_naive_model(void **state)
{
	static const uint32_t totals[] = {1, 63, 64, 65, 4095, 4096, 4097, 8200, 30000};

	(void)state;
	for (size_t i = 0; i < TABLE(totals); i++) {
		put_together(totals[i], 1, 64);
		put_together(totals[i], 18, 2048);
		put_together(totals[i], 200, 256);
	}
}

/* Printed for whoever changes the machine; nothing is asserted of a time. */
static void it_is_measured(void **state)
{
	static uint8_t data[1152];
	struct dg_arena arena = fresh(2048, 2 * 2058);
	struct timespec start, end;
	struct dg_cells cells;
	unsigned rounds = 20;
	double ns;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned n = 0; n < rounds; n++) {
		assert_true(dg_cells_begin(&cells, &arena, 4 * MIB));
		for (uint64_t at = 0; at < 4 * MIB; at += sizeof data) {
			size_t len = 4 * MIB - at < sizeof data ? 4 * MIB - at : sizeof data;
			struct dg_fragment f = {data, len, at, 4 * MIB};

			dg_cells_put(&cells, &arena, &f);
		}
		assert_int_equal(cells.missing, 0);
		dg_arena_give(&arena, &cells.buffer);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
	printf("cells: 4 MiB in fragments of 1152 bytes: %.0f us\n", ns / 1e3 / rounds);
	drop(&arena);
}

static void a_message_being_put_together_is_16_bytes(void **state)
{
	(void)state;
	printf("cells: %zu bytes\n", sizeof(struct dg_cells));
	assert_true(sizeof(struct dg_cells) <= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_fragment_that_does_not_fit_is_not_taken),
	        cmocka_unit_test(the_first_copy_of_a_cell_wins),
	        cmocka_unit_test(a_message_begins_when_there_is_room_for_all_of_it),
	        cmocka_unit_test(an_empty_message_is_complete),
	        cmocka_unit_test(what_is_missing_is_told_in_ranges),
	        cmocka_unit_test(it_agrees_with_a_naive_model),
	        cmocka_unit_test(it_is_measured),
	        cmocka_unit_test(a_message_being_put_together_is_16_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
