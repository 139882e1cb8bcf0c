/* error.h - the outcomes a function can report, each with its sentence.
 *
 * Functions that return int give a count or 0 when it went well and one of these, negative, when it
 * did not. Values are part of the ABI: rows are only ever added.
 */
#ifndef DGRAM_ERROR_H
#define DGRAM_ERROR_H

#include <dgram/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
/*  DGRAM_ERR_   name         value  what happened */
#define DGRAM_ERRORS(ROW) \
	ROW(ARGUMENT,    argument,     -1, "the call breaks a documented rule") \
	ROW(SYSTEM,      system,       -2, "a system call failed (see errno)") \
	ROW(NOMEM,       nomem,        -3, "out of memory") \
	ROW(AGAIN,       again,        -4, "nothing to do now: it would block") \
	ROW(TIMEOUT,     timeout,      -5, "no answer in time") \
	ROW(REFUSED,     refused,      -6, "refused (no one listens on this port)") \
	ROW(UNREACHABLE, unreachable,  -7, "network or host unreachable") \
	ROW(UNKNOWN,     unknown,      -8, "sent, but no answer: it may have run") \
	ROW(SIZE,        size,         -9, "too large for one datagram or for a limit that was set") \
	ROW(TRUNCATED,   truncated,   -10, "a datagram was longer than the buffer and was dropped") \
	ROW(ADDRESS,     address,     -11, "not an address") \
	ROW(PORT,        port,        -12, "a port from 1 to 65535 is needed here") \
	ROW(ZONE,        zone,        -13, "a link-local address needs its interface: fe80::1%eth0") \
	ROW(INTERFACE,   interface,   -14, "no such interface, or it cannot do this") \
	ROW(RESOLVE,     resolve,     -15, "the name does not resolve") \
	ROW(IN_USE,      in_use,      -16, "the address is in use by another socket") \
	ROW(NOT_LOCAL,   not_local,   -17, "the address does not belong to this machine") \
	ROW(DENIED,      denied,      -18, "not permitted (firewall, privilege, or broadcast not enabled)") \
	ROW(NOBUFS,      nobufs,      -19, "the kernel has no buffer free: try again shortly") \
	ROW(FULL,        full,        -20, "a limit of the configuration is reached") \
	ROW(CLOSED,      closed,      -21, "the other side closed the connection") \
	ROW(BROKEN,      broken,      -22, "the connection broke while it was open") \
	ROW(FORMAT,      format,      -23, "the bytes are malformed") \
	ROW(UNSUPPORTED, unsupported, -24, "this system or build cannot do this") \
	ROW(KIND,        kind,        -25, "a socket of another kind is there: datagrams and streams do not mix") \
	ROW(BUSY,        busy,        -26, "the peer is busy: it did not run, try later") \
	ROW(NO_NAME,     no_name,     -27, "the peer has no such name: it did not run") \
	ROW(FORBIDDEN,   forbidden,   -28, "the peer does not allow it: it did not run") \
	ROW(FOREIGN,     foreign,     -29, "who is there does not speak the dgram protocol")
/* clang-format on */

enum dgram_error {
	DGRAM_OK = 0,
#define DGRAM_ERROR_ROW(name, lower, value, text) DGRAM_ERR_##name = (value),
	DGRAM_ERRORS(DGRAM_ERROR_ROW)
#undef DGRAM_ERROR_ROW
};

/* The sentence of an error, without a full stop; never NULL. Static memory. */
DGRAM_API const char *dgram_strerror(int error);

/* The name of an error in lower case ("refused", "not_local"), for logs and JSON; "ok" for 0 and
 * "error" for a number that is none. Static memory. */
DGRAM_API const char *dgram_error_name(int error);

/* The outcome that an errno value stands for: ECONNREFUSED is DGRAM_ERR_REFUSED; a value without an
 * outcome of its own is DGRAM_ERR_SYSTEM. */
DGRAM_API int dgram_error_from_errno(int errno_value);

#ifdef __cplusplus
}
#endif
#endif
