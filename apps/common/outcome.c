#define _GNU_SOURCE
#include "outcome.h"
#include "target.h"
#include <stdio.h>
#include <string.h>

int outcome_status(const struct process_end *end)
{
	switch (end->outcome) {
	case PROCESS_OK:
		return 0;
	case PROCESS_EXIT:
		return end->code;
	case PROCESS_SIGNAL:
		return 128 + end->code;
	case PROCESS_TIMEOUT:
		return 124;
	case PROCESS_FLOOD:
		return 125;
	case PROCESS_NO_START:
		return 126;
	case PROCESS_STOPPED:
		break;
	}
	return 255;
}

char *outcome_describe(const struct procs_config *limits, const struct process_end *end, char *buf, size_t size)
{
	char span[32];

	switch (end->outcome) {
	case PROCESS_OK:
	case PROCESS_EXIT:
		snprintf(buf, size, "failed: exit %d", end->code);
		break;
	case PROCESS_SIGNAL:
		snprintf(buf, size, "died by signal %d (%s)", end->code, strsignal(end->code));
		break;
	case PROCESS_TIMEOUT:
		snprintf(buf, size, "ran longer than %s (--exec-timeout) and was ended%s",
			 target_span(limits->timeout, span, sizeof span),
			 end->closed_early ? "; it had closed its output before" : "");
		break;
	case PROCESS_FLOOD:
		snprintf(buf, size, "wrote more than %zu bytes (--max-reply, or what a datagram can carry) and was killed",
			 limits->reply_max);
		break;
	case PROCESS_NO_START:
		snprintf(buf, size, "could not be started: %s", strerror(end->code));
		break;
	case PROCESS_STOPPED:
		snprintf(buf, size, "was ended, because we end");
		break;
	}
	return buf;
}
