#define _POSIX_C_SOURCE 200809L
#include <dgram/time.h>

#include <time.h>

uint64_t dgram_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * DGRAM_S + (uint64_t)now.tv_nsec;
}
