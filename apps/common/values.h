/* values.h - the values of options, as people write them.
 *
 * Each function takes the whole text. It returns NULL and sets *out, or what is wrong and leaves *out
 * alone: a static sentence to put behind "'soon' is " ("no duration: write ..."). Decimal digits
 * alone make a number: no sign, no exponent, no comma, no blank, no leading zero that could mean
 * octal; whatever the locale. A fraction is cut off at the unit of the result, but what is not
 * nothing never becomes 0.
 */
#ifndef COMMON_VALUES_H
#define COMMON_VALUES_H

#include <stdint.h>

/* 250us 300ms 1.5s 2m 1h, or seconds: 2, 0.5, .5. Nanoseconds, at most INT64_MAX: a time can be
 * added to one. */
const char *values_duration(const char *text, uint64_t *ns);

/* 512 64k 1.5M 1MiB: as GNU tools read them, k K KiB m M MiB g G GiB are powers of 1024, kB KB MB
 * GB of 1000. */
const char *values_size(const char *text, uint64_t *bytes);

/* 9600bit 64kbit 10mbit 1gbit, in powers of 1000, for a second; not 0. The unit is not left out. */
const char *values_rate(const char *text, uint64_t *bits);

/* 5% 0.1% 100%: parts per million. The % is not left out: 0.3 could mean either. */
const char *values_percent(const char *text, uint32_t *ppm);

/* Two of them with a comma: 1%,25%. */
const char *values_percent_pair(const char *text, uint32_t *first, uint32_t *second);

/* 1.5: thousandths, at most a million (1000 times). */
const char *values_factor(const char *text, uint32_t *thousandths);

/* A whole number from 0 to max. */
const char *values_count(const char *text, uint64_t max, uint64_t *out);

#endif
