#include "impairments.h"
#include "exit.h"
#include "say.h"
#include "values.h"
#include <stdio.h>
#include <string.h>

static const char *const option_name[IMPAIRMENTS] = {
        [LOSS] = "loss",       [BURST_LOSS] = "burst-loss",
        [DELAY] = "delay",     [JITTER] = "jitter",
        [DUPLICATE] = "dup",   [REORDER] = "reorder",
        [CORRUPT] = "corrupt", [MTU] = "mtu",
        [RATE] = "rate",       [QUEUE] = "queue",
};

static const char *const scope_name[SCOPES] = {"", "-out", "-back"};

static const char *set_burst(const char *text, struct dgram_relay_options *o)
{
	const char *wrong = values_percent_pair(text, &o->burst_enter, &o->burst_leave);

	if (!wrong && o->burst_leave == 0)
		return "a burst that never ends: the second percentage is the chance to leave it, "
		       "above 0";
	return wrong;
}

static const char *set_time(const char *text, uint64_t *ns)
{
	const char *wrong = values_duration(text, ns);

	return !wrong && *ns > DGRAM_RELAY_DELAY_MAX ? "too long: 1h is the most" : wrong;
}

/* To the engine 0 is its default. */
static const char *set_queue(const char *text, uint64_t *ns)
{
	const char *wrong = set_time(text, ns);

	if (!wrong && *ns == 0)
		*ns = 1;
	return wrong;
}

static const char *set_mtu(const char *text, size_t *size)
{
	uint64_t bytes;
	const char *wrong = values_size(text, &bytes);

	if (wrong)
		return wrong;
	if (bytes == 0 || bytes > DGRAM_DATAGRAM_MAX)
		return "no size of a datagram: it is from 1 to 65507 bytes";
	*size = (size_t)bytes;
	return NULL;
}

static const char *set_rate(const char *text, uint64_t *rate)
{
	const char *wrong = values_rate(text, rate);

	return !wrong && *rate > DGRAM_RELAY_RATE_MAX ? "too fast: 1000gbit is the most" : wrong;
}

static const char *set(enum impairment what, const char *text, struct dgram_relay_options *o)
{
	switch (what) {
	case LOSS:
		return values_percent(text, &o->loss);
	case BURST_LOSS:
		return set_burst(text, o);
	case DELAY:
		return set_time(text, &o->delay);
	case JITTER:
		return set_time(text, &o->jitter);
	case DUPLICATE:
		return values_percent(text, &o->duplicate);
	case REORDER:
		return values_percent(text, &o->reorder);
	case CORRUPT:
		return values_percent(text, &o->corrupt);
	case MTU:
		return set_mtu(text, &o->size_max);
	case RATE:
		return set_rate(text, &o->rate);
	case QUEUE:
		return set_queue(text, &o->queue);
	case IMPAIRMENTS:
		break;
	}
	return NULL;
}

static const char *text_for(const struct impairments *given, enum impairment what,
                            enum direction direction)
{
	const char *own = given->given[what][direction == OUT ? SCOPE_OUT : SCOPE_BACK];

	return own ? own : given->given[what][SCOPE_BOTH];
}

/* What is given for both directions first, so that the one that was given for one overrides it; all
 * of it is read, so that nothing wrong goes unsaid. */
int impairments_apply(const struct impairments *given,
                      struct dgram_relay_options options[DIRECTIONS])
{
	for (enum scope scope = SCOPE_BOTH; scope < SCOPES; scope++)
		for (enum impairment i = LOSS; i < IMPAIRMENTS; i++) {
			const char *text = given->given[i][scope], *wrong = NULL;
			if (!text)
				continue;
			if (scope != SCOPE_BACK)
				wrong = set(i, text, &options[OUT]);
			if (scope != SCOPE_OUT && !wrong)
				wrong = set(i, text, &options[BACK]);
			if (wrong)
				return fail_usage("relay", "--%s%s: '%s' is %s", option_name[i],
				                  scope_name[scope], text, wrong);
		}
	return CODE_OK;
}

char *impairments_describe(const struct impairments *given, char *buf, size_t size)
{
	size_t used = 0;

	*buf = '\0';
	for (enum impairment i = LOSS; i < IMPAIRMENTS && used < size; i++) {
		const char *out = text_for(given, i, OUT), *back = text_for(given, i, BACK);
		if (out && back && strcmp(out, back) == 0) {
			used += (size_t)snprintf(buf + used, size - used, ", %s %s", option_name[i],
			                         out);
			continue;
		}
		if (out)
			used += (size_t)snprintf(buf + used, size - used, ", %s %s out",
			                         option_name[i], out);
		if (back && used < size)
			used += (size_t)snprintf(buf + used, size - used, ", %s %s back",
			                         option_name[i], back);
	}
	return buf;
}
