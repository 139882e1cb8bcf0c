#define _GNU_SOURCE
#include "output.h"
#include "exit.h"
#include "say.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 4096 /* bytes of a message made readable at a time */

/* What waits to be written: ours and not stdio's, which would cost every start of a one-shot
 * command its set-up and forget errno at exit. */
static struct {
	char bytes[65536];
	size_t used;
	bool hold;
	int gone; /* a write failed, with this code: the rest is not worth trying */
} buffer;

static int write_failed(int errno_value)
{
	buffer.gone = errno_value == EPIPE ? CODE_PIPE : CODE_WRITE;
	if (buffer.gone == CODE_WRITE)
		say_error("cannot write output: %s", strerror(errno_value));
	return buffer.gone;
}

static int write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) { /* whoever shares it with us made it so */
			poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
			continue;
		}
		if (n < 0)
			return write_failed(errno);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int drain(void)
{
	size_t used = buffer.used;
	buffer.used = 0;
	return buffer.gone != 0 ? buffer.gone : write_all(buffer.bytes, used);
}

static int put(const char *data, size_t len)
{
	while (len > 0) {
		size_t room = sizeof(buffer.bytes) - buffer.used;
		size_t n = len < room ? len : room;
		memcpy(buffer.bytes + buffer.used, data, n);
		buffer.used += n;
		data += n;
		len -= n;
		int code = buffer.used == sizeof(buffer.bytes) ? drain() : 0;
		if (code != 0)
			return code;
	}
	return 0;
}

void output_open(struct output *out, enum print print)
{
	*out = (struct output){.print = print, .at_line_start = true};
	out->terminal = isatty(STDOUT_FILENO);
	signal(SIGPIPE, SIG_IGN);
}

void output_hold(void)
{
	buffer.hold = true;
}

int output_flush(void)
{
	buffer.hold = false;
	return drain();
}

int output_gone(void)
{
	return buffer.gone;
}

size_t output_pending(void)
{
	return buffer.used;
}

/* A pipe that poll calls writable takes PIPE_BUF bytes (POSIX, write); the rest waits for the next
 * call. */
int output_flush_some(void)
{
	ssize_t n =
	        write(STDOUT_FILENO, buffer.bytes, buffer.used < PIPE_BUF ? buffer.used : PIPE_BUF);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0) {
		buffer.used = 0;
		return write_failed(errno);
	}
	buffer.used -= (size_t)n;
	memmove(buffer.bytes, buffer.bytes + n, buffer.used);
	return 0;
}

static int settle(int code)
{
	return code != 0 || buffer.hold ? code : drain();
}

static int put_hex(const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
		int code = put(pair, 2);
		if (code != 0)
			return code;
	}
	return 0;
}

static int put_escaped(struct escape *e, const uint8_t *data, size_t len)
{
	char out[ESCAPE_ROOM(CHUNK)];
	while (len > 0) {
		size_t n = len < CHUNK ? len : CHUNK;
		int code = put(out, escape_piece(e, data, n, out));
		if (code != 0)
			return code;
		data += n;
		len -= n;
	}
	return 0;
}

static int put_piece(struct output *out, const void *data, size_t len)
{
	if (len > 0)
		out->at_line_start = ((const char *)data)[len - 1] == '\n';
	if (out->print == PRINT_HEX)
		return put_hex(data, len);
	if (out->print == PRINT_RAW || !out->terminal)
		return put(data, len);
	return put_escaped(&out->escape, data, len);
}

static int put_escape_end(struct output *out)
{
	char rest[ESCAPE_ROOM(0)];
	return put(rest, escape_end(&out->escape, rest));
}

int output_message(struct output *out, const void *data, size_t len, bool newline)
{
	if (out->print == PRINT_NONE)
		return 0;
	bool ends_line =
	        out->print == PRINT_TEXT && len > 0 && ((const char *)data)[len - 1] == '\n';
	bool wants_line =
	        out->print == PRINT_HEX || (out->print == PRINT_TEXT && (newline || out->terminal));
	int code = put_piece(out, data, len);
	if (code == 0)
		code = put_escape_end(out);
	if (code == 0 && wants_line && !ends_line)
		code = put("\n", 1);
	return settle(code);
}

int output_bytes(struct output *out, const void *data, size_t len)
{
	if (out->print == PRINT_NONE)
		return 0;
	return settle(put_piece(out, data, len));
}

int output_end(struct output *out)
{
	int code = out->print == PRINT_NONE ? 0 : put_escape_end(out);
	bool add = out->print == PRINT_HEX || (out->print == PRINT_TEXT && out->terminal);
	if (code == 0 && add && !out->at_line_start)
		code = put("\n", 1);
	out->at_line_start = true;
	return settle(code);
}

int output_part(const char *text, size_t len)
{
	return put(text, len);
}

int output_line(const char *text)
{
	int code = put(text, strlen(text));
	if (code == 0)
		code = put("\n", 1);
	return settle(code);
}

int output_stdio(void)
{
	return fflush(stdout) == 0 ? 0 : write_failed(errno);
}
