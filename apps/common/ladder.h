/* ladder.h - the passages of one file, or of the files of both ends, drawn as a ladder. */
#ifndef COMMON_LADDER_H
#define COMMON_LADDER_H

#include "passages.h"

/* Brings the clock of there to that of here, as well as datagrams in both directions allow, and marks in here and there
 * what the other one has too, and
 * what it should have and has not. 0, or an exit code after a sentence. */
int ladder_match(struct passages *here, struct passages *there);

/* A ladder for each peer of here; there: the other end's file, matched, or NULL. columns: of the terminal. 0 or an exit
 * code, as output.h has them. */
int ladder_draw(const struct passages *here, const struct passages *there, int columns, bool color);

#endif
