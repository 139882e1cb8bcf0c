/* time.h - time as the library counts it: nanoseconds of one monotonic clock. */
#ifndef DGRAM_TIME_H
#define DGRAM_TIME_H

#include <dgram/export.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_NEVER UINT64_MAX /* as a time: no deadline; as a timeout: wait for ever */
#define DGRAM_US UINT64_C(1000)
#define DGRAM_MS UINT64_C(1000000)
#define DGRAM_S UINT64_C(1000000000)

/* Now, in ns since an arbitrary start; runs on while the machine is suspended where the system has such a
 * clock (CLOCK_BOOTTIME), is CLOCK_MONOTONIC elsewhere. */
DGRAM_API uint64_t dgram_clock(void);

/* 32 bytes from the system's random generator. 0 or DGRAM_ERR_SYSTEM. */
DGRAM_API int dgram_random_seed(uint8_t seed[32]);

#ifdef __cplusplus
}
#endif
#endif
