#include "common/words.h"

#include <string.h>

#include "test.h"

/* The words joined by |, or the name of what is wrong. */
static const char *joined(const char *text, char *out, size_t size)
{
	struct words w;
	enum words_error error = words_split(text, &w);

	out[0] = '\0';
	if (error != WORDS_OK) {
		assert_null(w.argv);
		return words_strerror(error);
	}
	for (size_t i = 0; i < w.count; i++) {
		strncat(out, i ? "|" : "", size - strlen(out) - 1);
		strncat(out, w.argv[i], size - strlen(out) - 1);
	}
	assert_null(w.argv[w.count]);
	words_free(&w);
	assert_null(w.argv);
	return out;
}

static void words_are_split_as_a_shell_would(void **state)
{
	static const struct {
		const char *text, *words;
	} row[] = {
		{"date", "date"},
		{"date +%s", "date|+%s"},
		{"  cat \t /proc/loadavg\n", "cat|/proc/loadavg"},
		{"a", "a"},
		{"a b c d e", "a|b|c|d|e"},
		{"echo 'a b'  c", "echo|a b|c"},
		{"echo \"a b\"c'd e'", "echo|a bcd e"},
		{"echo ''", "echo|"},
		{"'' \"\" ''", "||"},
		{"echo a\\ b", "echo|a b"},
		{"echo \\'a", "echo|'a"},
		{"echo '\\n\"'", "echo|\\n\""},
		{"echo \"\\$x \\` \\\" \\\\ \\n\"", "echo|$x ` \" \\ \\n"},
		{"echo a\\\nb", "echo|ab"},
		{"echo \\\n a", "echo|a"},
		{"echo \"a\\\nb\"", "echo|ab"},
		{"echo \"a\nb\"", "echo|a\nb"},
		{"echo $HOME ~ * | ; & # x", "echo|$HOME|~|*|||;|&|#|x"},
		{"echo \\\\", "echo|\\"},
		{"\xc3\xa4 \xff", "\xc3\xa4|\xff"},
		{"", "there is no word in it"},
		{" \t\n", "there is no word in it"},
		{"\\\n", "there is no word in it"},
		{"echo 'a", "a quote is not closed"},
		{"echo \"a\\\"", "a quote is not closed"},
		{"'", "a quote is not closed"},
		{"echo a\\", "a backslash at the end has nothing to escape"},
		{"\"\\", "a backslash at the end has nothing to escape"},
		{"'a\\", "a quote is not closed"},
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(joined(row[i].text, out, sizeof out), row[i].words);
}

static void every_byte_but_the_special_ones_is_itself(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[] = {'a', (char)c, 'b', '\0'};
		struct words w;

		if (strchr(" \t\n'\"\\", c))
			continue;
		assert_int_equal(words_split(text, &w), WORDS_OK);
		assert_int_equal(w.count, 1);
		assert_string_equal(w.argv[0], text);
		words_free(&w);
	}
}

static void a_shell_s_own_characters_are_noticed_outside_quotes(void **state)
{
	static const struct {
		const char *text;
		char found;
	} row[] = {
		{"date | tr a b", '|'}, {"echo $HOME", '$'}, {"a > b", '>'},  {"a;b", ';'},   {"ls *", '*'},
		{"echo '$x' \"|\"", 0}, {"echo \\$x", 0},    {"date +%s", 0}, {"", 0},        {"a\\", 0},
		{"'a' `b`", '`'},       {"a & b", '&'},      {"(a)", '('},    {"a 'b", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(words_shell_character(row[i].text), row[i].found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_as_a_shell_would),
		cmocka_unit_test(every_byte_but_the_special_ones_is_itself),
		cmocka_unit_test(a_shell_s_own_characters_are_noticed_outside_quotes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
