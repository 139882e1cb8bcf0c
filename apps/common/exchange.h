/* exchange.h - the messages of a payload given to a peer of the dgram protocol, one after another in one session: what
 * request and send have in common.
 */
#ifndef COMMON_EXCHANGE_H
#define COMMON_EXCHANGE_H

#include "target.h"
#include <dgram/endpoint.h>
#include <stdbool.h>

struct exchange {
	const struct options *options;
	enum dgram_kind kind; /* DGRAM_REQUEST: answers are printed; DGRAM_SEND */
	bool fallback; /* to TCP */
	size_t request_max, reply_max; /* bytes */
};

/* target was parsed, and what stands after it is the text. An exit code after its sentence. */
int exchange_run(const struct exchange *x, struct target *target);

#endif
