/* profile.h - the retry numbers of each kind of destination. */
#ifndef DG_ASK_PROFILE_H
#define DG_ASK_PROFILE_H

#include <dgram/ask.h>

/* Fills in every default of opt (NULL: all of them) for these addresses. The deadline stays
 * relative. */
struct dgram_ask_options dg_profile_apply(const struct dgram_ask_options *opt,
					  const struct dgram_addr *to, size_t to_count);

#endif
