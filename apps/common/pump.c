/* Four descriptors, one poll. A direction is asked about only when there is room for what it would
 * bring: the stream is not read before stdout has taken what was read last, stdin not before there
 * is room in the buffer. So no direction can fill the memory, and none can keep the other waiting.
 */
#define _GNU_SOURCE
#include "pump.h"
#include "json.h"
#include "signals.h"
#include "wait.h"
#include <dgram/resolve.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	STDIN,
	STREAM,
	STDOUT,
	SIGNAL,
	FDS,
};

void pump_open(struct pump *p, const struct options *options)
{
	p->options = options;
	output_open(&p->output, options->print);
	p->terminal = isatty(STDIN_FILENO);
	p->input_ended = false;
}

/* -- what goes -- */

/* How many bytes the next send takes: all there are, or with --lines one line (or the part of it
 * that fills the buffer). 0: wait for more. */
static size_t unit(const struct pump *p)
{
	const struct options *o = p->options;
	size_t len = p->end - p->start;
	if (!o->lines && !o->nul)
		return len;
	const uint8_t *end = memchr(p->input + p->start, o->nul ? '\0' : '\n', len);
	if (end != NULL)
		return (size_t)(end - (p->input + p->start));
	return len == PUMP_INPUT || p->input_ended ? len : 0;
}

static bool is_at_delimiter(const struct pump *p)
{
	const struct options *o = p->options;
	return (o->lines || o->nul) && p->start < p->end &&
	       p->input[p->start] == (o->nul ? '\0' : '\n');
}

/* An empty line has nothing to send. */
static void skip_delimiters(struct pump *p)
{
	while (is_at_delimiter(p))
		p->start++;
}

static void stop_sending(struct pump *p, int errno_value)
{
	p->sending = false;
	if (p->broken == 0)
		p->broken = errno_value;
}

/* As much as the kernel takes now. A peer that reset the connection may have sent something first,
 * so that is still read. */
static void send_input(struct pump *p)
{
	skip_delimiters(p);
	size_t len = unit(p);
	while (p->sending && len > 0) {
		int n = dgram_stream_send(p->stream, p->input + p->start, len);
		if (n == DGRAM_ERR_AGAIN || n == 0)
			return;
		if (n < 0) {
			stop_sending(p, errno);
			return;
		}
		p->sent += (uint64_t)n;
		p->start += (size_t)n;
		if ((size_t)n == len && is_at_delimiter(p))
			p->start++;
		skip_delimiters(p);
		len = unit(p);
	}
	if (p->sending && p->input_ended) {
		int error = dgram_stream_shutdown(p->stream, DGRAM_STREAM_WRITE);
		stop_sending(p, error < 0 ? errno : 0);
	}
}

static int read_input(struct pump *p)
{
	memmove(p->input, p->input + p->start, p->end - p->start);
	p->end -= p->start;
	p->start = 0;
	ssize_t n = read(STDIN_FILENO, p->input + p->end, PUMP_INPUT - p->end);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return fail(CODE_READ, "cannot read input: %s", strerror(errno));
	p->end += (size_t)n;
	p->input_ended = n == 0;
	return 0;
}

/* -- what comes -- */

/* Whether each chunk is a message of its own, and so must not end within a character. */
static bool is_by_message(const struct pump *p)
{
	return p->options->lines || p->options->nul || p->options->json ||
	       p->output.print == PRINT_HEX;
}

static int print_json(const struct pump *p, const uint8_t *data, size_t len)
{
	json_t *event = json_event("message");
	json_add_addr(event, "from", &p->peer);
	json_add_payload(event, data, len);
	return json_write(event);
}

/* A CR LF that was cut in two is one end of a line, and the newline that was added after the CR is
 * its LF. */
static int print_line(struct pump *p, const uint8_t *data, size_t len)
{
	if (p->after_cr && len > 0 && data[0] == '\n' && p->output.print == PRINT_TEXT) {
		data++;
		len--;
	}
	p->after_cr = len > 0 && data[len - 1] == '\r';
	return len > 0 ? output_message(&p->output, data, len, true) : 0;
}

static int print_message(struct pump *p, size_t len)
{
	if (len == 0)
		return 0;
	return p->options->json ? print_json(p, p->chunk, len) : print_line(p, p->chunk, len);
}

static int print_chunk(struct pump *p, size_t len)
{
	output_hold();
	if (!is_by_message(p))
		return output_bytes(&p->output, p->chunk, len);
	size_t tail = escape_tail(p->chunk, len);
	int code = print_message(p, len - tail);
	memmove(p->chunk, p->chunk + len - tail, tail);
	p->held = tail;
	return code;
}

static int print_end(struct pump *p)
{
	output_hold();
	size_t held = p->held;
	p->held = 0;
	p->after_cr = false;
	return is_by_message(p) ? print_message(p, held) : output_end(&p->output);
}

static int receive(struct pump *p)
{
	int n = dgram_stream_recv(p->stream, p->chunk + p->held, PUMP_CHUNK - p->held);
	if (n == DGRAM_ERR_AGAIN)
		return 0;
	if (n > 0) {
		p->received += (uint64_t)n;
		return print_chunk(p, p->held + (size_t)n);
	}
	p->receiving = false;
	if (n < 0)
		stop_sending(p, errno);
	return print_end(p);
}

/* -- both -- */

static bool is_over(const struct pump *p)
{
	if (p->receiving || output_pending() > 0)
		return false;
	return !p->sending || p->terminal || p->broken != 0;
}

/* What to ask the stream. Once all has come from it and nothing is there to be sent, only a reset
 * can still happen: poll tells that unasked. */
static struct pollfd ask_stream(const struct pump *p)
{
	struct pollfd ask = {.fd = p->stream->fd};
	if (p->receiving && output_pending() == 0)
		ask.events |= POLLIN;
	if (p->sending && unit(p) > 0)
		ask.events |= POLLOUT;
	if (ask.events == 0 && (p->receiving || p->hung_up))
		ask.fd = -1;
	return ask;
}

static int wait_for_something(const struct pump *p, struct pollfd fds[FDS])
{
	bool room = p->end - p->start < PUMP_INPUT;
	fds[STDIN] = (struct pollfd){
	        .fd = p->sending && !p->input_ended && room ? STDIN_FILENO : -1, .events = POLLIN};
	fds[STREAM] = ask_stream(p);
	fds[STDOUT] =
	        (struct pollfd){.fd = output_pending() > 0 ? STDOUT_FILENO : -1, .events = POLLOUT};
	fds[SIGNAL] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
	if (wait_until(fds, FDS, DGRAM_NEVER) >= 0)
		return 0;
	return fail(CODE_BROKEN, "cannot wait: %s", strerror(errno));
}

/* All that has come from the stream is read, and it says something: a reset, or, of a UNIX socket,
 * that the peer has closed and can be sent nothing more. */
static void note_hang_up(struct pump *p, const struct pollfd *stream)
{
	if (p->receiving || !(stream->revents & (POLLERR | POLLHUP)))
		return;
	p->hung_up = true;
	if (stream->revents & POLLERR)
		stop_sending(p, ECONNRESET);
}

static int step(struct pump *p)
{
	struct pollfd fds[FDS];
	int code = wait_for_something(p, fds);
	if (code == 0 && fds[STDOUT].revents != 0)
		code = output_flush_some();
	if (code == 0 && fds[STREAM].revents != 0 && p->receiving && output_pending() == 0)
		code = receive(p);
	else if (fds[STREAM].revents != 0)
		note_hang_up(p, &fds[STREAM]);
	if (code == 0 && fds[STDIN].revents != 0)
		code = read_input(p);
	if (code == 0)
		send_input(p);
	return code;
}

int pump_run(struct pump *p, struct dgram_stream *stream, const struct dgram_addr *peer)
{
	char text[DGRAM_ADDR_TEXT_MAX];
	int code = 0;
	p->stream = stream;
	p->peer = *peer;
	p->sending = p->receiving = true;
	p->start = p->end = 0; /* what the last peer was not sent is not for this one */
	p->broken = 0;
	p->hung_up = false;
	p->sent = p->received = 0;
	p->held = 0;
	p->after_cr = false;
	dgram_stream_settimeout(stream, 0);
	send_input(
	        p); /* stdin may have ended with an earlier connection: the peer is told at once */
	while (code == 0 && !is_over(p) && signals_caught() == 0)
		code = step(p);
	if (code != 0 || p->broken == 0)
		return code;
	return fail(CODE_BROKEN, "%s: the connection broke: %s",
	            dgram_addr_display(peer, text, sizeof(text)), strerror(p->broken));
}
