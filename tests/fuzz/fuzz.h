/* fuzz.h - what the harnesses share.
 *
 * A harness is a file fuzz_NAME.c with LLVMFuzzerTestOneInput. libFuzzer calls it with inputs that
 * it makes up (cmake -DDGRAM_FUZZ=ON with clang), replay.c with those in corpus/NAME as an ordinary
 * test. data is as long as its block of memory, so that a sanitizer sees a byte too many. Always
 * returns 0; what must hold is a FUZZ_CHECK.
 */
#ifndef DGRAM_FUZZ_H
#define DGRAM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The bytes as a string in a block of just its length; free it. A NUL among them ends it early. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	size_t len;

	FUZZ_CHECK(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	len = strlen(text);
	text = len < size ? realloc(text, len + 1) : text;
	FUZZ_CHECK(text);
	return text;
}

#endif
