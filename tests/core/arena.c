#include "core/arena.h"

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
	void *memory = calloc(1, dg_arena_size(block, count));
	struct dg_arena arena;

	assert_non_null(memory);
	dg_arena_init(&arena, memory, block, count);
	return arena;
}

static void drop(struct dg_arena *arena)
{
	free(arena->pool.blocks);
}

static void a_buffer_costs_its_blocks_and_tables(void **state)
{
	static const struct {
		uint32_t block, size, blocks;
	} rows[] = {
	        {2048, 0, 0},
	        {2048, 1, 1},
	        {2048, 2048, 1},
	        {2048, 2049, 2 + 1},
	        {2048, MIB, 512 + 1},
	        {2048, MIB + 1, 513 + 2 + 1},
	        {2048, 4 * MIB, 2048 + 4 + 1},
	        {64, 64, 1},
	        {64, 65, 2 + 1},
	        {64, 1024, 16 + 1},
	        {64, 1025, 17 + 2 + 1},
	        {64, 16384, 256 + 16 + 1},
	        {64, 16385, 257 + 17 + 2 + 1},
	        {4096, 4 * MIB, 1024 + 1},
	};

	(void)state;
	for (size_t i = 0; i < TABLE(rows); i++) {
		struct dg_arena arena = fresh(rows[i].block, rows[i].blocks);
		struct dg_buffer buffer, other;

		assert_int_equal(dg_arena_blocks(&arena, rows[i].size), rows[i].blocks);
		assert_true(dg_arena_take(&arena, &buffer, rows[i].size));
		assert_int_equal(dg_arena_free(&arena), 0);
		assert_false(dg_arena_take(&arena, &other, 1));
		dg_arena_give(&arena, &buffer);
		assert_int_equal(dg_arena_free(&arena), rows[i].blocks);
		drop(&arena);
	}
}

static void what_finds_no_room_takes_nothing(void **state)
{
	struct dg_arena arena = fresh(64, 10);
	struct dg_buffer buffer;

	(void)state;
	assert_false(dg_arena_take(&arena, &buffer, 10 * 64)); /* and a table */
	assert_false(dg_arena_take(&arena, &buffer, UINT32_MAX));
	assert_false(dg_arena_take(&arena, &buffer, DG_BUFFER_MAX + 1));
	assert_int_equal(dg_arena_free(&arena), 10);
	assert_true(dg_arena_take(&arena, &buffer, 9 * 64));
	assert_int_equal(dg_arena_free(&arena), 0);
	drop(&arena);
}

static void a_buffer_of_one_block_lies_in_one_piece(void **state)
{
	struct dg_arena arena = fresh(2048, 4);
	struct dg_buffer buffer;
	size_t len = SIZE_MAX;
	uint8_t *at;

	(void)state;
	assert_true(dg_arena_take(&arena, &buffer, 2000));
	at = dg_arena_at(&arena, &buffer, 0, &len);
	assert_int_equal(len, 2048);
	len = 2000;
	assert_ptr_equal(dg_arena_at(&arena, &buffer, 1, &len), at + 1);
	assert_int_equal(len, 2000);
	len = 5;
	dg_arena_write(&arena, &buffer, 1995, "12345", len);
	dg_arena_write(&arena, &buffer, 1990, "abcde", len);
	assert_memory_equal(dg_arena_at(&arena, &buffer, 1990, &len), "abcde12345", 10);
	assert_int_equal(len, 5);
	drop(&arena);
}

struct live {
	struct dg_buffer buffer;
	uint8_t *copy; /* NULL: none */
};

static void fill(struct dg_arena *arena, struct live *l, struct dg_random *r)
{
	l->copy = malloc(l->buffer.size + 1U);
	assert_non_null(l->copy);
	for (uint32_t i = 0; i < l->buffer.size; i++)
		l->copy[i] = (uint8_t)dg_random_next(r);
	for (uint32_t left = l->buffer.size, len; left > 0; left -= len) {
		len = 1 + (uint32_t)dg_random_below(r, left);
		dg_arena_write(arena, &l->buffer, left - len, l->copy + left - len, len);
	}
}

static void check(const struct dg_arena *arena, const struct live *l, struct dg_random *r)
{
	uint32_t offset = (uint32_t)dg_random_below(r, l->buffer.size + 1U);
	uint32_t len = l->buffer.size - offset;
	uint8_t *read = malloc(len + 1U);

	assert_non_null(read);
	dg_arena_read(arena, &l->buffer, offset, read, len);
	assert_memory_equal(read, l->copy + offset, len);
	free(read);
}

/* Random lives of buffers in a pool that is nearly always full: bytes stay, room is exactly the
 * free blocks. */
static void live_and_die(uint32_t block, uint32_t count, uint32_t longest)
{
	struct dg_arena arena = fresh(block, count);
	struct live lives[64] = {0};
	struct dg_random r;
	uint32_t free_blocks = count, refused = 0;

	dg_random_init(&r, block + longest);
	for (unsigned step = 0; step < 4000; step++) {
		struct live *l = &lives[dg_random_below(&r, 64)];

		if (l->copy) {
			check(&arena, l, &r);
			dg_arena_give(&arena, &l->buffer);
			free_blocks += dg_arena_blocks(&arena, l->buffer.size);
			free(l->copy);
			l->copy = NULL;
			continue;
		}
		uint32_t size = (uint32_t)dg_random_below(&r, 1 + dg_random_below(&r, longest));
		bool room = dg_arena_blocks(&arena, size) <= free_blocks;

		assert_int_equal(dg_arena_take(&arena, &l->buffer, size), room);
		refused += !room;
		if (!room)
			continue;
		free_blocks -= dg_arena_blocks(&arena, size);
		assert_int_equal(dg_arena_free(&arena), free_blocks);
		fill(&arena, l, &r);
	}
	for (size_t i = 0; i < 64; i++)
		free(lives[i].copy);
	assert_true(refused > 0);
	drop(&arena);
}

static void bytes_stay_and_room_is_what_is_free(void **state)
{
	(void)state;
	live_and_die(64, 300, 3000);
	live_and_die(256, 32, 2048);
	live_and_die(2048, 64, 20000);
	live_and_die(64, 1200, 40000);
}

/* What breaks buffers in one piece: every second small one stays, and a large one comes. */
static void holes_are_room(void **state)
{
	struct dg_arena arena = fresh(2048, 2 * 2053);
	struct dg_buffer small[2 * 2053], large;

	(void)state;
	for (size_t i = 0; i < TABLE(small); i++)
		assert_true(dg_arena_take(&arena, &small[i], 100));
	for (size_t i = 0; i < TABLE(small); i += 2)
		dg_arena_give(&arena, &small[i]);
	assert_true(dg_arena_take(&arena, &large, 4 * MIB));
	assert_int_equal(dg_arena_free(&arena), 0);
	drop(&arena);
}

static void reserving_touches_tables_only(void **state)
{
	uint32_t count = 1024;
	uint8_t *memory = malloc(dg_arena_size(2048, count));
	struct dg_arena arena;
	struct dg_buffer buffer;
	size_t touched = 0;

	(void)state;
	assert_non_null(memory);
	memset(memory, 0x5a, (size_t)2048 * count);
	dg_arena_init(&arena, memory, 2048, count);
	assert_true(dg_arena_take(&arena, &buffer, MIB));
	for (size_t i = 0; i < (size_t)2048 * count; i++)
		touched += memory[i] != 0x5a;
	assert_true(touched <= 512 * 4);
	free(memory);
}

static double us_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e6 +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e3;
}

/* Printed for whoever changes the machine; nothing is asserted of a time. */
static void it_is_measured(void **state)
{
	static const uint32_t sizes[] = {100, 16384, 4 * MIB};
	struct dg_arena arena = fresh(2048, 32768);
	uint8_t *copy = malloc(4 * MIB);

	(void)state;
	assert_non_null(copy);
	memset(copy, 1, 4 * MIB);
	for (size_t i = 0; i < TABLE(sizes); i++) {
		unsigned rounds = sizes[i] < MIB ? 10000 : 20;
		struct dg_buffer buffer = {0};
		struct timespec start;
		double reserve, move;

		clock_gettime(CLOCK_MONOTONIC, &start);
		for (unsigned n = 0; n < rounds; n++) {
			assert_true(dg_arena_take(&arena, &buffer, sizes[i]));
			if (n + 1 < rounds)
				dg_arena_give(&arena, &buffer);
		}
		reserve = us_since(&start) / rounds;
		clock_gettime(CLOCK_MONOTONIC, &start);
		for (unsigned n = 0; n < rounds; n++)
			dg_arena_write(&arena, &buffer, 0, copy, sizes[i]);
		move = us_since(&start) / rounds;
		printf("arena: %u bytes: %.3f us to reserve and free, %.3f us to fill\n", sizes[i],
		       reserve, move);
		dg_arena_give(&arena, &buffer);
	}
	free(copy);
	drop(&arena);
}

static void a_handle_is_8_bytes(void **state)
{
	(void)state;
	printf("arena: %zu bytes; buffer: %zu\n", sizeof(struct dg_arena),
	       sizeof(struct dg_buffer));
	assert_true(sizeof(struct dg_arena) <= 48);
	assert_int_equal(sizeof(struct dg_buffer), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_buffer_costs_its_blocks_and_tables),
	        cmocka_unit_test(what_finds_no_room_takes_nothing),
	        cmocka_unit_test(a_buffer_of_one_block_lies_in_one_piece),
	        cmocka_unit_test(bytes_stay_and_room_is_what_is_free),
	        cmocka_unit_test(holes_are_room),
	        cmocka_unit_test(reserving_touches_tables_only),
	        cmocka_unit_test(it_is_measured),
	        cmocka_unit_test(a_handle_is_8_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
