/* relay_report.h - what the relay says it has done. */
#ifndef COMMON_RELAY_REPORT_H
#define COMMON_RELAY_REPORT_H

#include "forward.h"

/* A sentence for each direction: what arrived, what passed, and whatever else there was. */
void report_sentences(const struct forward *f);

/* Every count, as a table on stderr (--report). */
void report_table(const struct forward *f);

/* The summary line of --json. 0 or an exit code, as output.h has them. */
int report_json(const struct forward *f, uint64_t seed);

#endif
