/* utf8.h - where a character of UTF-8 text ends, and whether it can be shown. */
#ifndef DG_BASE_UTF8_H
#define DG_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes (1 to 4) of the well-formed character that data (len bytes, at least 1) starts with; 0: it
 * starts with none. Well-formed as in RFC 3629, section 4: no overlong form, no surrogate, nothing
 * above U+10FFFF. */
size_t dg_utf8_length(const uint8_t *data, size_t len);

/* The same, but 0 for control characters too: C0, DEL and C1, which a terminal would obey. */
size_t dg_utf8_shown(const uint8_t *data, size_t len);

#endif
