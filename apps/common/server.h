/* server.h - a socket that serves the dgram protocol until told to stop: the loop of respond and listen.
 *
 *	while ((news = server_next(&s, &event, fd, due)) != SERVER_END)
 *		if (news == SERVER_EVENT)
 *			...
 */
#ifndef COMMON_SERVER_H
#define COMMON_SERVER_H

#include "door.h"
#include "trace.h"
#include <dgram/loop.h>
#include <stdbool.h>
#include <stdint.h>

enum server_news {
	SERVER_END,   /* a signal came, the time is over, or it broke; said once */
	SERVER_EVENT, /* *event, borrowed until the next call */
	SERVER_OTHER, /* fd can be read, or due has come */
};

struct server {
	struct dgram_loop *loop;
	uint64_t end;      /* ns: when its time is over; DGRAM_NEVER */
	bool ended;        /* SERVER_END was said */
	unsigned in_row;   /* events since the others had their turn */
	bool tcp;          /* connections carry */
	uint64_t foreign;  /* datagrams passed over that were told already */
	struct trace *trace;
	int code;          /* not 0: it broke, which was said */
};

/* door is open and stays the caller's; so does the memory of trace, which is open too, and which server_close closes.
 * command is whose. 0, or an exit code after a sentence. */
int server_open(struct server *s, struct door *door, const struct dgram_endpoint_config *config,
		struct trace *trace, const char *command);

/* Waits for news of the network, of fd (-1: none) and of the time due (DGRAM_NEVER: none). */
enum server_news server_next(struct server *s, struct dgram_event *event, int fd, uint64_t due);

/* Goes on for as long as something is under way that a peer should hear (an answer, an acknowledgement), at most span
 * ns. Whoever asks meanwhile is told to try later. How many messages came that nobody saw. */
uint64_t server_settle(struct server *s, uint64_t span);

/* Datagrams that were passed over, and connections that came to nothing; of these the plain datagrams at a dgram
 * port. */
uint64_t server_passed_over(const struct server *s, uint64_t *foreign);

/* Tells the peers that we go. */
void server_close(struct server *s);

#endif
