/* text.h - the pieces that parsers and formatters of text share. Nothing here looks for a
 * terminating NUL. */
#ifndef DG_BASE_TEXT_H
#define DG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many of the len bytes stand before the first stop; len: there is none. */
size_t dg_text_until(const char *text, size_t len, char stop);

/* The value of a hexadecimal digit, or -1. */
int dg_text_hex(char c);

/* The whole of text (len bytes) as a decimal number up to max: digits only, at least one, and no
 * leading zero, so that nothing is octal and every number has one spelling. */
bool dg_text_number(uint32_t *out, const char *text, size_t len, uint32_t max);

#define DG_TEXT_DIGITS_MAX 10 /* digits of UINT32_MAX */

/* Writes the digits of value to out, which has room for DG_TEXT_DIGITS_MAX; returns how many. Not
 * terminated. */
size_t dg_text_digits(char *out, uint32_t value);

#endif
