/* key.h - the keys that are found by default, of which this version can use none. */
#ifndef COMMON_KEY_H
#define COMMON_KEY_H

#include "options.h"

/* Before anything is said on the dgram protocol: 0, or CODE_USAGE after a sentence where the environment names a key that
 * --open does not ignore. */
int key_check(const struct options *o);

#endif
