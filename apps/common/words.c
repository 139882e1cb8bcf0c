#include "words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The text being read: where we are, and which quote we are in. */
struct scanner {
	const char *at;
	char quote; /* 0, '\'' or '"' */
};

enum step {
	STEP_BYTE,  /* *out is a byte of the word; quoted or escaped when *plain is false */
	STEP_NONE,  /* a quote or a continued line: no byte, but perhaps the start of a word */
	STEP_BLANK, /* between words */
	STEP_END,
	STEP_STRAY, /* a backslash at the very end */
};

static bool escapes(char quote, char next)
{
	return quote == 0 || strchr("$`\"\\\n", next) != NULL;
}

static enum step step(struct scanner *s, char *out, bool *plain)
{
	char c = *s->at;

	*plain = s->quote == 0;
	if (c == '\0')
		return STEP_END;
	s->at++;
	if (s->quote != 0 && c == s->quote) {
		s->quote = 0;
		return STEP_NONE;
	}
	if (s->quote == 0 && (c == '\'' || c == '"')) {
		s->quote = c;
		return STEP_NONE;
	}
	if (s->quote == 0 && strchr(" \t\n", c))
		return STEP_BLANK;
	if (c == '\\' && s->quote != '\'') {
		if (*s->at == '\0')
			return STEP_STRAY;
		if (escapes(s->quote, *s->at)) {
			c = *s->at++;
			if (c == '\n')
				return STEP_NONE;
			*plain = false;
		}
	}
	*out = c;
	return STEP_BYTE;
}

static enum words_error fill(const char *text, struct words *out, char *bytes)
{
	struct scanner s = {.at = text};
	bool in_word = false, plain;

	for (;;) {
		char c;
		enum step what = step(&s, &c, &plain);

		if (what == STEP_STRAY)
			return WORDS_BACKSLASH;
		if (what == STEP_END && s.quote != 0)
			return WORDS_QUOTE;
		if (what == STEP_END || what == STEP_BLANK) {
			bytes += in_word; /* past the NUL that calloc wrote */
			in_word = false;
			if (what == STEP_BLANK)
				continue;
			return out->count > 0 ? WORDS_OK : WORDS_EMPTY;
		}
		if (what == STEP_NONE && plain && s.quote == 0)
			continue; /* a continued line begins no word */
		if (!in_word)
			out->argv[out->count++] = bytes;
		in_word = true;
		if (what == STEP_BYTE)
			*bytes++ = c;
	}
}

enum words_error words_split(const char *text, struct words *out)
{
	/* A text of n bytes has at most n / 2 + 1 words, and with their NULs n + 1 bytes: one block holds both. */
	size_t len = strlen(text), pointers = len / 2 + 2;
	enum words_error error;

	*out = (struct words){.argv = calloc(1, pointers * sizeof *out->argv + len + 1)};
	if (!out->argv)
		return WORDS_MEMORY;
	error = fill(text, out, (char *)(out->argv + pointers));
	if (error != WORDS_OK)
		words_free(out);
	return error;
}

void words_free(struct words *w)
{
	free(w->argv);
	*w = (struct words){0};
}

const char *words_strerror(enum words_error error)
{
	static const char *const text[] = {
		"success",
#define WORDS_ROW(name, sentence) sentence,
		WORDS_ERRORS(WORDS_ROW)
#undef WORDS_ROW
	};

	return text[error];
}

char words_shell_character(const char *text)
{
	struct scanner s = {.at = text};
	bool plain;

	for (;;) {
		char c;
		enum step what = step(&s, &c, &plain);

		if (what == STEP_END || what == STEP_STRAY)
			return 0;
		if (what == STEP_BYTE && plain && strchr("|&;<>()$`*?", c))
			return c;
	}
}
