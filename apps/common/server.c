#include "server.h"
#include "exit.h"
#include "say.h"
#include "signals.h"
#include "wait.h"
#include <dgram/resolve.h>
#include <dgram/time.h>
#include <errno.h>
#include <string.h>

#define IN_ROW 64                 /* events, before signals and handlers have their turn */
#define RETRY_AFTER (DGRAM_S)     /* what is said to who asks when we end */
#define LOOK (10 * DGRAM_MS)      /* between looks whether all is settled */

int server_open(struct server *s, struct door *door, const struct dgram_endpoint_config *config,
		struct trace *trace, const char *command)
{
	struct dgram_addr local;
	bool known = door_address(door, &local);

	*s = (struct server){.end = DGRAM_NEVER, .tcp = door->scheme == DGRAM_SCHEME_TCP, .trace = trace};
	if (s->tcp)
		s->loop = dgram_loop_new_connected(&door->listener, NULL, config);
	else
		s->loop = dgram_loop_new(&door->socket, config);
	if (s->loop == NULL)
		return fail(CODE_BUSY, "cannot prepare for sessions: %s", strerror(errno));
	return trace_loop(trace, s->loop, known ? &local : NULL, command);
}

/* 1: an event; 0: none now. */
static int take_event(struct server *s, struct dgram_event *event, uint64_t timeout)
{
	int n = dgram_loop_wait(s->loop, event, timeout);

	trace_take(s->trace);
	if (n > 0)
		trace_event(s->trace, event);
	if (n < 0 && s->code == 0)
		s->code = fail(CODE_BROKEN, "cannot receive: %s",
			       n == DGRAM_ERR_SYSTEM ? strerror(errno) : dgram_strerror(n));
	return n > 0 && event->type != 0;
}

/* Who sends plain datagrams to a dgram port waits for an answer that never comes: whoever looks for the reason with -v
 * finds it. */
static void tell_foreign(struct server *s)
{
	uint64_t foreign;

	server_passed_over(s, &foreign);
	if (foreign > s->foreign && !s->tcp)
		say_verbose("%llu datagram%s passed over: not of the dgram protocol (plain ones come to udp:// endpoints)",
			    (unsigned long long)(foreign - s->foreign), foreign - s->foreign == 1 ? "" : "s");
	s->foreign = foreign;
}

/* Connections that came to nothing: who made them may not know why. Those that were only closed are everyday. */
static void tell_hangups(struct server *s)
{
	struct dgram_hangup h;
	char who[DGRAM_ADDR_TEXT_MAX];

	while (dgram_loop_next_hangup(s->loop, &h) == 1) {
		const char *why = dgram_hangup_text((enum dgram_hangup_reason)h.reason);

		dgram_addr_display(&h.peer, who, sizeof who);
		if (h.reason == DGRAM_HANGUP_GONE || h.reason == DGRAM_HANGUP_CUT)
			say_verbose("%s: connection ended: %s", who, why);
		else
			say_warning("%s: connection ended: %s", who, why);
	}
}

static uint64_t sleep_until(const struct server *s, uint64_t due, uint64_t now)
{
	uint64_t timeout = dgram_loop_timeout(s->loop);

	if (timeout < DGRAM_NEVER - now && now + timeout < due)
		due = now + timeout;
	return !s->ended && s->end < due ? s->end : due;
}

enum server_news server_next(struct server *s, struct dgram_event *event, int fd, uint64_t due)
{
	for (;;) {
		uint64_t now;
		bool rest = s->in_row++ < IN_ROW;
		struct pollfd fds[3] = {
			{.fd = dgram_loop_fd(s->loop), .events = POLLIN},
			{.fd = s->ended ? -1 : signals_fd(), .events = POLLIN},
			{.fd = fd, .events = POLLIN},
		};

		if (rest && take_event(s, event, 0))
			return SERVER_EVENT;
		tell_foreign(s);
		tell_hangups(s);
		s->in_row = 0;
		now = dgram_clock();
		if (s->code != 0 || (!s->ended && (signals_caught() != 0 || now >= s->end))) {
			s->ended = true;
			return SERVER_END;
		}
		wait_until(fds, 3, rest ? sleep_until(s, due, now) : now);
		if (fds[2].revents != 0 || dgram_clock() >= due)
			return SERVER_OTHER;
	}
}

static bool is_settled(const struct server *s)
{
	struct dgram_endpoint_stats stats;

	dgram_endpoint_stats(dgram_loop_endpoint(s->loop), &stats);
	return stats.busy == 0;
}

/* The last call finds no event, so that all that was said has left: a refusal that is closed upon says nothing. */
uint64_t server_settle(struct server *s, uint64_t span)
{
	struct dgram_event event;
	uint64_t unseen = 0, end = dgram_clock() + span;

	for (unsigned late = 0; s->code == 0 && late < IN_ROW;) {
		bool over = is_settled(s) || dgram_clock() >= end;

		if (!take_event(s, &event, over ? 0 : LOOK) && over)
			break;
		if (event.type == DGRAM_EVENT_REQUEST)
			dgram_endpoint_refuse(dgram_loop_endpoint(s->loop), event.id, DGRAM_BUSY, RETRY_AFTER, dgram_clock());
		unseen += event.type == DGRAM_EVENT_MESSAGE;
		late += over;
	}
	return unseen;
}

/* Connections that were ended for what came over them. */
static uint64_t hung_up(const struct server *s)
{
	static const enum dgram_hangup_reason reasons[] = {DGRAM_HANGUP_CUT, DGRAM_HANGUP_LENGTH, DGRAM_HANGUP_SLOW,
							   DGRAM_HANGUP_STUCK, DGRAM_HANGUP_FULL};
	struct dgram_connection_stats stats;
	uint64_t sum = 0;

	dgram_loop_connections(s->loop, &stats);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		sum += stats.ended[reasons[i]];
	return sum;
}

uint64_t server_passed_over(const struct server *s, uint64_t *foreign)
{
	static const enum dgram_fate fates[] = {
		DGRAM_FATE_FOREIGN, DGRAM_FATE_MALFORMED, DGRAM_FATE_CHECKSUM, DGRAM_FATE_MODE,
		DGRAM_FATE_OWN, DGRAM_FATE_RULE, DGRAM_FATE_LIMITED,
	};
	struct dgram_endpoint_stats stats;
	uint64_t sum = 0;

	dgram_endpoint_stats(dgram_loop_endpoint(s->loop), &stats);
	for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++)
		sum += stats.received[fates[i]];
	*foreign = stats.received[DGRAM_FATE_FOREIGN];
	return sum + hung_up(s);
}

void server_close(struct server *s)
{
	if (s->loop == NULL)
		return;
	dgram_loop_close(s->loop);
	trace_take(s->trace);
	trace_close(s->trace);
	dgram_loop_free(s->loop);
	s->loop = NULL;
}
