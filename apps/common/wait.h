/* wait.h - the one way to sleep: until a descriptor has news or a time has come. */
#ifndef COMMON_WAIT_H
#define COMMON_WAIT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* How many of fds have news; 0: end (a time of dgram_clock, or DGRAM_NEVER) has come, or a signal's
 * handler ran. Negative with errno: poll cannot do it; all revents are 0 then. */
int wait_until(struct pollfd *fds, size_t count, uint64_t end);

#endif
