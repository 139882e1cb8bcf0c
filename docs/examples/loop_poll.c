/* Asks each line of its input, and prints the answers as they come, in one poll(): loop_poll [ADDRESS] */
#include <dgram/dgram.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static int ask(struct dgram_loop *loop, const struct dgram_addr *to, const char *line)
{
	struct dgram_message message = {
	        .kind = DGRAM_REQUEST,
	        .to = *to,
	        .data = line,
	        .len = strcspn(line, "\n"),
	        .deadline = dgram_clock() + 5 * DGRAM_S,
	};

	return dgram_endpoint_submit(dgram_loop_endpoint(loop), &message, dgram_clock(), NULL);
}

/* Takes what happened, until there is nothing more. How many requests have ended. */
static int take(struct dgram_loop *loop)
{
	struct dgram_event event;
	int ended = 0;

	while (dgram_loop_wait(loop, &event, 0) == 1) {
		if (event.type != DGRAM_EVENT_DONE)
			continue;
		if (event.outcome == DGRAM_ANSWERED)
			printf("%.*s\n", (int)event.len, (const char *)event.data);
		else
			printf("no answer: %s\n", dgram_reason_text(event.reason));
		fflush(stdout);
		ended++;
	}
	return ended;
}

/* Rounded up, or it would spin; a minute is often enough. */
static int milliseconds(uint64_t ns)
{
	return ns > 60 * DGRAM_S ? 60000 : (int)((ns + DGRAM_MS - 1) / DGRAM_MS);
}

int main(int argc, char **argv)
{
	struct dgram_addr to;
	struct dgram_socket socket;
	struct dgram_loop *loop;
	char line[1000];
	int input = 0, open = 0;

	if (dgram_addr_parse(&to, argc > 1 ? argv[1] : "127.0.0.1:24726") < 0 ||
	    dgram_socket_open(&socket, DGRAM_FAMILY_NONE, NULL) < 0 ||
	    !(loop = dgram_loop_new(&socket, NULL)))
		return 1;
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() cannot see what stdio has read already */
	while (input >= 0 || open > 0) {
		struct pollfd watched[] = {
		        {.fd = dgram_loop_fd(loop), .events = POLLIN},
		        {.fd = input, .events = POLLIN},
		};

		poll(watched, 2, milliseconds(dgram_loop_timeout(loop)));
		if (watched[1].revents && !fgets(line, sizeof line, stdin))
			input = -1;
		else if (watched[1].revents && ask(loop, &to, line) == 0)
			open++;
		open -= take(loop);
	}
	dgram_loop_close(loop);
	dgram_loop_free(loop);
	dgram_socket_close(&socket);
	return 0;
}
