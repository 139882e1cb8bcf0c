/* verdict.h - what the end of a message on the dgram protocol means: its exit code and its sentence. */
#ifndef COMMON_VERDICT_H
#define COMMON_VERDICT_H

#include "target.h"
#include <dgram/endpoint.h>

struct verdict {
	const struct target *target;
	unsigned long long line; /* of --lines; 0: none */
	size_t len;              /* bytes that were sent */
	size_t reply_max;
	uint64_t span;           /* ns that it took */
	bool tcp;                /* over a connection */
};

/* The exit code of a DONE event. */
int verdict_code(const struct dgram_event *done);

/* Says why it is not 0. Returns it. */
int verdict_tell(const struct verdict *v, const struct dgram_event *done);

#endif
