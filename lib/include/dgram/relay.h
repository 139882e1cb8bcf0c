/* relay.h - what a bad network does to datagrams, decided from a seed, the options and the time.
 *
 * No socket and no clock: the relay command runs on it, and so does the simulator.
 */
#ifndef DGRAM_RELAY_H
#define DGRAM_RELAY_H

#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif
#endif
