#include "verdict.h"
#include <dgram/error.h>
#include <stdio.h>
#include <string.h>

static int code_of_refusal(enum dgram_reason reason)
{
	switch (reason) {
	case DGRAM_REASON_UNHEARD:
	case DGRAM_REASON_UNREACHABLE:
		return CODE_REFUSED;
	case DGRAM_REASON_NO_SUCH_NAME:
	case DGRAM_REASON_NOT_ALLOWED:
		return CODE_NO;
	case DGRAM_REASON_BUSY:
		return CODE_BUSY;
	case DGRAM_REASON_TOO_LONG:
		return CODE_SIZE;
	case DGRAM_REASON_ECHOED:
	case DGRAM_REASON_FOREIGN:
		return CODE_MALFORMED;
	case DGRAM_REASON_NONE:
	case DGRAM_REASON_NO_SESSION:
	case DGRAM_REASON_DEADLINE:
	case DGRAM_REASON_CANCELLED:
	case DGRAM_REASON_EXPIRED:
	case DGRAM_REASON_GONE:
	case DGRAM_REASON_CLOSED:
	case DGRAM_REASON_LOST:
	case DGRAM_REASON_HERE:
	case DGRAM_REASON_COUNT:
		break;
	}
	return CODE_TIMEOUT;
}

int verdict_code(const struct dgram_event *done)
{
	if (done->outcome == DGRAM_ANSWERED)
		return done->status == 0 ? CODE_OK : CODE_NO;
	if (done->outcome == DGRAM_REFUSED)
		return code_of_refusal((enum dgram_reason)done->reason);
	return done->reason == DGRAM_REASON_TOO_LONG ? CODE_MALFORMED : CODE_UNKNOWN;
}

/* The target as it is without a scheme: after a fallback its text has one. */
static const char *bare(const struct verdict *v)
{
	return strncmp(v->target->text, "tcp://", 6) == 0 ? v->target->text + 6 : v->target->text;
}

static int tell_no_name(const struct verdict *v)
{
	const char *to = v->target->text, *name = v->target->uri.name;

	if (*name == '\0')
		return fail_line(v->line, CODE_NO, "%s: it answers by name, and none was given: write %s%s/NAME; not executed", to,
				 v->tcp ? "tcp://" : "", bare(v));
	return fail_line(v->line, CODE_NO, "%s: there is no '%s' there; not executed", to, name);
}

/* Who is there speaks something else. */
static int tell_stranger(const struct verdict *v, enum dgram_reason reason)
{
	const char *to = v->target->text;
	const char *what = reason == DGRAM_REASON_ECHOED ? "the peer echoes; it does not speak dgram"
							 : "what answers does not speak dgram";

	if (v->tcp)
		return fail_line(v->line, CODE_MALFORMED, "%s: %s (plain: dgram stream connect tcp://%s)", to, what, bare(v));
	return fail_line(v->line, CODE_MALFORMED, "%s: %s (plain: udp://%s)", to, what, to);
}

static int tell_refusal(const struct verdict *v, const struct dgram_event *done)
{
	enum dgram_reason reason = (enum dgram_reason)done->reason;
	const char *to = v->target->text, *not = done->kind == DGRAM_SEND ? "not delivered" : "not executed";
	int code = code_of_refusal(reason);
	char span[32];

	target_span(v->span, span, sizeof span);
	switch (code) {
	case CODE_REFUSED:
		return fail_line(v->line, code, "%s: %s", to,
				 dgram_strerror(reason == DGRAM_REASON_UNHEARD ? DGRAM_ERR_REFUSED : DGRAM_ERR_UNREACHABLE));
	case CODE_BUSY:
		return fail_line(v->line, code, "%s: busy for %s; %s", to, span, not);
	case CODE_SIZE:
		return fail_line(v->line, code, "%s: %zu bytes are too large for it; %s", to, v->len, not);
	case CODE_MALFORMED:
		return tell_stranger(v, reason);
	default:
		break;
	}
	if (reason == DGRAM_REASON_NO_SUCH_NAME)
		return tell_no_name(v);
	if (reason == DGRAM_REASON_NOT_ALLOWED)
		return fail_line(v->line, code, "%s: it only listens, and answers no requests; not executed", to);
	if (reason == DGRAM_REASON_NO_SESSION && v->tcp)
		return fail_line(v->line, code, "%s: no answer in %s over TCP; %s", to, span, not);
	if (reason == DGRAM_REASON_NO_SESSION)
		return fail_line(v->line, code, "%s: no answer in %s; if it does not speak dgram, use udp://%s", to, span, to);
	return fail_line(v->line, code, "%s: no answer in %s: %s; %s", to, span, dgram_reason_text(reason), not);
}

/* It is an answer, so JSON has it as one. */
static int tell_failure(const struct verdict *v, unsigned status)
{
	char line[32] = "";

	if (v->line > 0)
		snprintf(line, sizeof line, "line %llu: ", v->line);
	say_error("%s%s: the handler failed: exit %u", line, v->target->text, status);
	return CODE_NO;
}

int verdict_tell(const struct verdict *v, const struct dgram_event *done)
{
	const char *to = v->target->text, *maybe = done->kind == DGRAM_SEND ? "it may have arrived" : "it may have run";
	int code = verdict_code(done);
	char span[32];

	if (code == CODE_OK)
		return code;
	if (done->outcome == DGRAM_REFUSED)
		return tell_refusal(v, done);
	if (done->outcome == DGRAM_ANSWERED)
		return tell_failure(v, done->status);
	if (code == CODE_MALFORMED)
		return fail_line(v->line, code, "%s: the answer is longer than --max-reply (%zu bytes)", to, v->reply_max);
	return fail_line(v->line, code, "%s: no answer in %s: %s; %s", to, target_span(v->span, span, sizeof span),
			 dgram_reason_text((enum dgram_reason)done->reason), maybe);
}
