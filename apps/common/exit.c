#include "exit.h"
#include <dgram/error.h>
#include <signal.h>
#include <stdlib.h>

const struct exit_row exit_rows[] = {
#define EXIT_ROW(name, lower, code, text) {code, #lower, text},
        EXIT_CODES(EXIT_ROW)
#undef EXIT_ROW
};
const size_t exit_row_count = sizeof(exit_rows) / sizeof(exit_rows[0]);

const char *exit_name(int code)
{
	for (size_t i = 0; i < exit_row_count; i++)
		if (exit_rows[i].code == code)
			return exit_rows[i].name;
	return "error";
}

/* No default: a new library error must find its code here before this compiles. */
int exit_of(int error)
{
	if (error >= 0)
		return CODE_OK;
	switch ((enum dgram_error)error) {
	case DGRAM_OK:
		return CODE_OK;
	case DGRAM_ERR_ARGUMENT:
	case DGRAM_ERR_ADDRESS:
	case DGRAM_ERR_PORT:
	case DGRAM_ERR_ZONE:
	case DGRAM_ERR_UNSUPPORTED:
		return CODE_USAGE;
	case DGRAM_ERR_RESOLVE:
		return CODE_RESOLVE;
	case DGRAM_ERR_REFUSED:
	case DGRAM_ERR_UNREACHABLE:
	case DGRAM_ERR_KIND:
	case DGRAM_ERR_DENIED:
	case DGRAM_ERR_SYSTEM:
		return CODE_REFUSED;
	case DGRAM_ERR_TRUNCATED:
	case DGRAM_ERR_FORMAT:
	case DGRAM_ERR_FOREIGN:
		return CODE_MALFORMED;
	case DGRAM_ERR_TIMEOUT:
		return CODE_TIMEOUT;
	case DGRAM_ERR_INTERFACE:
	case DGRAM_ERR_IN_USE:
	case DGRAM_ERR_NOT_LOCAL:
		return CODE_BIND;
	case DGRAM_ERR_UNKNOWN:
		return CODE_UNKNOWN;
	case DGRAM_ERR_CLOSED:
	case DGRAM_ERR_BROKEN:
		return CODE_BROKEN;
	case DGRAM_ERR_SIZE:
		return CODE_SIZE;
	case DGRAM_ERR_NOMEM:
	case DGRAM_ERR_AGAIN:
	case DGRAM_ERR_NOBUFS:
	case DGRAM_ERR_FULL:
	case DGRAM_ERR_BUSY:
		return CODE_BUSY;
	case DGRAM_ERR_NO_NAME:
	case DGRAM_ERR_FORBIDDEN:
		return CODE_NO;
	}
	return CODE_REFUSED;
}

void exit_with(int code)
{
	int sig = code == CODE_INTERRUPTED  ? SIGINT
	          : code == CODE_TERMINATED ? SIGTERM
	          : code == CODE_HUNG_UP    ? SIGHUP
	          : code == CODE_PIPE       ? SIGPIPE
	                                    : 0;
	if (sig != 0) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, sig);
		signal(sig, SIG_DFL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		raise(sig);
	}
	_Exit(code);
}
