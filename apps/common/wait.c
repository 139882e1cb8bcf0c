#define _GNU_SOURCE
#include "wait.h"

#include <dgram/time.h>
#include <errno.h>

int wait_until(struct pollfd *fds, size_t count, uint64_t end)
{
	uint64_t now = dgram_clock(), left = end > now ? end - now : 0;
	struct timespec span = {.tv_sec = (time_t)(left / DGRAM_S), .tv_nsec = (long)(left % DGRAM_S)};
	int n = ppoll(fds, count, end == DGRAM_NEVER ? NULL : &span, NULL);

	for (size_t i = 0; n < 0 && i < count; i++)
		fds[i].revents = 0;
	return n < 0 && errno == EINTR ? 0 : n;
}
