/* dgram.h - one include for applications. True for every function here:
 *
 *   errors   int functions return a count or 0 on success, a negative enum dgram_error otherwise
 *   time     uint64_t nanoseconds of one monotonic clock; DGRAM_NEVER for none
 *   bytes    (data, len) going in is borrowed for the call
 *   options  a zeroed struct is the default; NULL too
 *   threads  one object is used by one thread at a time; no globals, no callbacks, no signal handlers
 */
#ifndef DGRAM_DGRAM_H
#define DGRAM_DGRAM_H

#include <dgram/addr.h>
#include <dgram/ask.h>
#include <dgram/call.h>
#include <dgram/datagram.h>
#include <dgram/endpoint.h>
#include <dgram/error.h>
#include <dgram/frame.h>
#include <dgram/look.h>
#include <dgram/loop.h>
#include <dgram/profile.h>
#include <dgram/relay.h>
#include <dgram/resolve.h>
#include <dgram/socket.h>
#include <dgram/stream.h>
#include <dgram/time.h>
#include <dgram/uri.h>

#endif
