#define _GNU_SOURCE
#include <dgram/time.h>

#include <time.h>

/* The boot clock runs on while the machine sleeps: a deadline that passed meanwhile has passed. */
uint64_t dgram_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * DGRAM_S + (uint64_t)now.tv_nsec;
}
