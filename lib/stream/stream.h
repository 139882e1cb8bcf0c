/* stream.h - connecting without waiting, for those who wait for many things. */
#ifndef DG_STREAM_STREAM_H
#define DG_STREAM_STREAM_H

#include <dgram/stream.h>

/* Begins to connect over TCP. 0: it is up; EINPROGRESS: it is under way, and decided once the descriptor can be
 * written to; another errno value: it failed, and *s is closed. */
int dg_stream_begin(struct dgram_stream *s, const struct dgram_addr *to,
                    const struct dgram_stream_options *opt);

/* What was decided: 0, or an errno value. */
int dg_stream_decided(struct dgram_stream *s);

#endif
