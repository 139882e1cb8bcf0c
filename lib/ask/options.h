/* options.h - a question's options with every default filled in. */
#ifndef DG_ASK_OPTIONS_H
#define DG_ASK_OPTIONS_H

#include <dgram/ask.h>

/* Fills in every default of opt (NULL: all of them) for these addresses. The deadline stays
 * relative. */
struct dgram_ask_options dg_ask_options(const struct dgram_ask_options *opt,
					  const struct dgram_addr *to, size_t to_count);

#endif
