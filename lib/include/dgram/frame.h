/* frame.h - messages on a byte stream: a 4-byte big-endian length, then that many bytes. Needs no socket. */
#ifndef DGRAM_FRAME_H
#define DGRAM_FRAME_H

#include <dgram/error.h>
#include <dgram/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DGRAM_FRAME_HEADER 4 /* bytes of length before each message */

#ifdef __cplusplus
}
#endif
#endif
