#define _GNU_SOURCE
#include "outcome.h"
#include "escape.h"
#include "say.h"
#include "target.h"
#include <dgram/resolve.h>
#include <errno.h>
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
	case PROCESS_LATE:
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

bool outcome_is_shortage(const struct process_end *end)
{
	return end->outcome == PROCESS_NO_START &&
	       (end->code == EMFILE || end->code == ENFILE || end->code == EAGAIN || end->code == ENOMEM);
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
	case PROCESS_LATE:
		snprintf(buf, size, "was ended: the deadline of who asked has come%s",
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

void outcome_tell(const struct procs_config *limits, const struct dgram_addr *peer, const struct process_end *end,
		  const char *then)
{
	char who[DGRAM_ADDR_TEXT_MAX], what[256], span[32];

	dgram_addr_display(peer, who, sizeof who);
	say_verbose("%s: the handler took %s", who, target_span(end->elapsed, span, sizeof span));
	if (end->left_over > 0)
		say_warning("%s: the handler left %u %s behind, which ended with it", who, end->left_over,
			    end->left_over == 1 ? "process" : "processes");
	if (end->outcome != PROCESS_OK)
		say_warning("%s: the handler %s%s", who, outcome_describe(limits, end, what, sizeof what), then);
}

void outcome_log(const struct dgram_addr *peer, const char *line, size_t len)
{
	char who[DGRAM_ADDR_TEXT_MAX], text[ESCAPE_ROOM(PROCESS_LINE_MAX) + 1];

	say_logged("%s: handler: %s", dgram_addr_display(peer, who, sizeof who), escape_line(line, len, text, sizeof text));
}
