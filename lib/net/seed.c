#define _GNU_SOURCE
#include <dgram/error.h>
#include <dgram/time.h>

#include <unistd.h>

int dgram_random_seed(uint8_t seed[32])
{
	return getentropy(seed, 32) == 0 ? 0 : DGRAM_ERR_SYSTEM;
}
