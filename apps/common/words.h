/* words.h - one string split into a command's words, as a shell would but with no expansion. */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stddef.h>

/*  WORDS_      name       what is wrong */
#define WORDS_ERRORS(ROW) \
	ROW(EMPTY,     "there is no word in it") \
	ROW(QUOTE,     "a quote is not closed") \
	ROW(BACKSLASH, "a backslash at the end has nothing to escape") \
	ROW(MEMORY,    "out of memory")

enum words_error {
	WORDS_OK = 0,
#define WORDS_ROW(name, text) WORDS_##name,
	WORDS_ERRORS(WORDS_ROW)
#undef WORDS_ROW
};

struct words {
	char **argv;  /* ends with NULL */
	size_t count; /* at least 1 */
};

/* Blanks (space, tab, newline) separate; '...' is literal; in "..." a backslash escapes $ ` " \ and a newline;
 * outside quotes it escapes any character (POSIX.1-2017, XCU 2.2). $, *, ~, |, # and their like mean nothing: they
 * are bytes of the word. On success out is the caller's, who frees it. */
enum words_error words_split(const char *text, struct words *out);
void words_free(struct words *w);

/* The sentence of an error, without a full stop. */
const char *words_strerror(enum words_error error);

/* The first character outside quotes that a shell would act on (one of | & ; < > ( ) $ ` * ?), or 0: what a person who
 * forgot that there is no shell is told about. */
char words_shell_character(const char *text);

#endif
