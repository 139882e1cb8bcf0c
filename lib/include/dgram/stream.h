/* stream.h - the small TCP path: what a socket tutorial does with SOCK_STREAM, over TCP and UNIX sockets. */
#ifndef DGRAM_STREAM_H
#define DGRAM_STREAM_H

#include <dgram/addr.h>
#include <dgram/error.h>
#include <dgram/export.h>
#include <dgram/time.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif
#endif
