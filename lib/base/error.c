#include <dgram/error.h>

#include <errno.h>
#include <stddef.h>

const char *dgram_strerror(int error)
{
	switch (error) {
	case DGRAM_OK:
		return "success";
#define DGRAM_ERROR_ROW(name, lower, value, text)                                                          \
	case DGRAM_ERR_##name:                                                                             \
		return text;
		DGRAM_ERRORS(DGRAM_ERROR_ROW)
#undef DGRAM_ERROR_ROW
	default:
		return "unknown error";
	}
}

const char *dgram_error_name(int error)
{
	switch (error) {
	case DGRAM_OK:
		return "ok";
#define DGRAM_ERROR_ROW(name, lower, value, text)                                                          \
	case DGRAM_ERR_##name:                                                                             \
		return #lower;
		DGRAM_ERRORS(DGRAM_ERROR_ROW)
#undef DGRAM_ERROR_ROW
	default:
		return "error";
	}
}

int dgram_error_from_errno(int errno_value)
{
	static const struct {
		int from, to;
	} row[] = {
		{EAGAIN, DGRAM_ERR_AGAIN},
		{EINPROGRESS, DGRAM_ERR_AGAIN},
		{ETIMEDOUT, DGRAM_ERR_TIMEOUT},
		{ECONNREFUSED, DGRAM_ERR_REFUSED},
		{ENETUNREACH, DGRAM_ERR_UNREACHABLE},
		{EHOSTUNREACH, DGRAM_ERR_UNREACHABLE},
		{EHOSTDOWN, DGRAM_ERR_UNREACHABLE},
		{ENETDOWN, DGRAM_ERR_UNREACHABLE},
		{EMSGSIZE, DGRAM_ERR_SIZE},
		{EADDRINUSE, DGRAM_ERR_IN_USE},
		{EADDRNOTAVAIL, DGRAM_ERR_NOT_LOCAL},
		{ENODEV, DGRAM_ERR_INTERFACE},
		{ENXIO, DGRAM_ERR_INTERFACE},
		{EPERM, DGRAM_ERR_DENIED},
		{EACCES, DGRAM_ERR_DENIED},
		{ENOBUFS, DGRAM_ERR_NOBUFS},
		{EPROTOTYPE, DGRAM_ERR_KIND},
		{ENOMEM, DGRAM_ERR_NOMEM},
		{ECONNRESET, DGRAM_ERR_BROKEN},
		{ECONNABORTED, DGRAM_ERR_BROKEN},
		{EPIPE, DGRAM_ERR_BROKEN},
		{EAFNOSUPPORT, DGRAM_ERR_UNSUPPORTED},
		{EPROTONOSUPPORT, DGRAM_ERR_UNSUPPORTED},
		{EOPNOTSUPP, DGRAM_ERR_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (row[i].from == errno_value)
			return row[i].to;
	return DGRAM_ERR_SYSTEM;
}
