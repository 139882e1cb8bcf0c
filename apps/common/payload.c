#define _GNU_SOURCE
#include "payload.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_split(const struct payload *p)
{
	return p->options->lines || p->options->nul;
}

static const char *input_name(const struct payload *p)
{
	return p->fd == STDIN_FILENO ? "stdin" : p->options->file;
}

/* Bytes that a message may take before it is decoded. */
static size_t raw_max(const struct payload *p)
{
	return p->options->hex || p->options->escapes ? 4 * p->max + 4096 : p->max;
}

static int open_file(struct payload *p, const char *file)
{
	p->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0)
		return fail(CODE_READ, "%s: cannot read: %s", file, strerror(errno));
	return 0;
}

static int open_text(struct payload *p, const char *text)
{
	p->end = strlen(text);
	p->buffer = (uint8_t *)strdup(text);
	p->eof = true;
	return p->buffer != NULL ? 0 : fail(CODE_BUSY, "out of memory");
}

static int check_options(const struct options *o, char **words, size_t count)
{
	const char *name = o->command->name;
	if (count > 1)
		return fail_usage(name,
		                  "%zu words of text: quote it, so that it is one: '%s %s%s'",
		                  count, words[0], words[1], count > 2 ? " ..." : "");
	if (count == 1 && o->file != NULL)
		return fail_usage(name, "TEXT and -f: one of them is the message");
	if (o->hex && o->escapes)
		return fail_usage(name, "-x and -e: one of them");
	if (o->lines && o->nul)
		return fail_usage(name, "--lines and -0: one of them");
	return 0;
}

int payload_open(struct payload *p, const struct options *o, char **words, size_t count, size_t max)
{
	*p = (struct payload){.options = o, .max = max, .fd = -1};
	int code = check_options(o, words, count);
	if (code != 0)
		return code;
	if (count == 1)
		return open_text(p, words[0]);
	if (o->file != NULL && strcmp(o->file, "-") != 0)
		return open_file(p, o->file);
	p->fd = STDIN_FILENO;
	if (o->file == NULL && !is_split(p) && isatty(STDIN_FILENO))
		return fail_usage(
		        o->command->name,
		        "nothing to send: write TEXT after the endpoint ('' is an empty message), "
		        "or pipe it in");
	return 0;
}

void payload_close(struct payload *p)
{
	if (p->fd > STDIN_FILENO)
		close(p->fd);
	free(p->buffer);
	*p = (struct payload){.fd = -1};
}

/* Notes the first failure. Returns false. */
static bool failed(struct payload *p, int code)
{
	if (p->code == 0)
		p->code = code;
	return false;
}

/* The input cannot be read on: what has come of its last message is none. Returns false. */
static bool broken(struct payload *p, int code)
{
	p->eof = true;
	p->skipping = false;
	p->start = p->end;
	p->seen = 0;
	return failed(p, code);
}

static bool make_room(struct payload *p)
{
	if (p->start > 0 && p->buffer != NULL) {
		memmove(p->buffer, p->buffer + p->start, p->end - p->start);
		p->end -= p->start;
		p->start = 0;
	}
	if (p->end < p->cap)
		return true;
	size_t cap = p->cap == 0 ? 4096 : 2 * p->cap;
	uint8_t *grown = realloc(p->buffer, cap);
	if (grown == NULL)
		return broken(p, fail(CODE_BUSY, "out of memory"));
	p->buffer = grown;
	p->cap = cap;
	return true;
}

/* Whoever shares stdin with us may have made it non-blocking. */
static ssize_t read_some(const struct payload *p)
{
	for (;;) {
		ssize_t n = read(p->fd, p->buffer + p->end, p->cap - p->end);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		if (errno == EAGAIN)
			poll(&(struct pollfd){.fd = p->fd, .events = POLLIN}, 1, -1);
	}
}

/* Reads more. false: it failed; the end of the input sets eof. */
static bool fill(struct payload *p)
{
	if (!make_room(p))
		return false;
	ssize_t n = read_some(p);
	if (n < 0)
		return broken(p, fail(CODE_READ, "%s: cannot read: %s", input_name(p), strerror(errno)));
	p->eof = n == 0;
	p->end += (size_t)n;
	return true;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* Of the two digits at s; -1: they are none, or not two. */
static int hex_byte(const uint8_t *s, size_t len)
{
	int high = len >= 2 ? hex_digit(s[0]) : -1;
	int low = high >= 0 ? hex_digit(s[1]) : -1;
	return low >= 0 ? high * 16 + low : -1;
}

/* Both decoders work in place: what they make is never longer. NULL, or what is wrong. */
static const char *decode_hex(uint8_t *s, size_t *len)
{
	size_t n = 0, i = 0;
	while (i < *len) {
		if (isspace(s[i])) {
			i++;
			continue;
		}
		if (hex_digit(s[i]) < 0)
			return "-x: not hexadecimal: digits 0-9 and a-f, two a byte";
		int byte = hex_byte(s + i, *len - i);
		if (byte < 0)
			return "-x: half a byte: two hexadecimal digits make one";
		s[n++] = (uint8_t)byte;
		i += 2;
	}
	*len = n;
	return NULL;
}

static const char *decode_escapes(uint8_t *s, size_t *len)
{
	static const char letters[] = "nrtabfve0\\\"'", bytes[] = "\n\r\t\a\b\f\v\033\0\\\"'";
	size_t n = 0;
	for (size_t i = 0; i < *len; i++) {
		if (s[i] != '\\') {
			s[n++] = s[i];
			continue;
		}
		const char *letter = ++i < *len && s[i] != '\0' ? strchr(letters, s[i]) : NULL;
		if (letter != NULL) {
			s[n++] = (uint8_t)bytes[letter - letters];
			continue;
		}
		int byte = i < *len && s[i] == 'x' ? hex_byte(s + i + 1, *len - i - 1) : -1;
		if (byte < 0)
			return "-e: an escape that is none: \\n \\r \\t \\0 \\e \\\\ \\xNN";
		s[n++] = (uint8_t)byte;
		i += 2;
	}
	*len = n;
	return NULL;
}

/* Makes the message of the len bytes at s. false: it is none, which was said. */
static bool deliver(struct payload *p, uint8_t *s, size_t len)
{
	const char *wrong = p->options->hex       ? decode_hex(s, &len)
	                    : p->options->escapes ? decode_escapes(s, &len)
	                                          : NULL;
	if (wrong != NULL)
		return failed(p, fail_line(p->line, CODE_USAGE, "%s", wrong));
	if (len > p->max)
		return failed(p, fail_line(p->line, CODE_SIZE,
		                           "%zu bytes are too large: a message has %zu at most; "
		                           "nothing was sent",
		                           len, p->max));
	p->data = s;
	p->len = len;
	return true;
}

static bool next_whole(struct payload *p)
{
	if (p->done)
		return false;
	p->done = true;
	while (!p->eof && p->end <= raw_max(p))
		if (!fill(p))
			return false;
	if (p->end > raw_max(p))
		return failed(p,
		              fail(CODE_SIZE,
		                   "too large: a message has %zu bytes at most; nothing was sent",
		                   p->max));
	static uint8_t nothing;
	return deliver(p, p->buffer != NULL ? p->buffer : &nothing, p->end);
}

/* Whether the part that begins at start has its delimiter, behind len bytes; else len is all there is. No byte is looked at
 * twice. */
static bool find_delimiter(struct payload *p, size_t *len)
{
	const uint8_t *at = NULL;
	size_t have = p->end - p->start;
	if (have > p->seen)
		at = memchr(p->buffer + p->start + p->seen, p->options->lines ? '\n' : '\0', have - p->seen);
	*len = at != NULL ? (size_t)(at - (p->buffer + p->start)) : have;
	p->seen = *len;
	return at != NULL;
}

/* Where the part that begins at start ends (its delimiter, or the end of the input); false: there
 * is none. Of a part that is too long only the last bytes are kept, with skipping set. */
static bool find_part(struct payload *p, size_t *len, bool *delimited)
{
	if (p->buffer == NULL && !(fill(p) && p->buffer != NULL))
		return false;
	for (;;) {
		*delimited = find_delimiter(p, len);
		if (*delimited || p->eof)
			return *delimited || *len > 0 || p->skipping;
		if (*len > raw_max(p)) {
			p->skipping = true;
			p->start = p->end;
			p->seen = 0;
		}
		if (!fill(p))
			return false;
	}
}

static bool next_part(struct payload *p)
{
	size_t len;
	bool delimited;
	while (output_gone() == 0 && find_part(p, &len, &delimited)) {
		uint8_t *part = p->buffer + p->start;
		bool too_long = p->skipping || len > raw_max(p);
		p->start += len + delimited;
		p->seen = 0;
		p->skipping = false;
		p->line++;
		if (too_long)
			failed(p, fail_line(p->line, CODE_SIZE,
			                    "too large: a message has %zu bytes at most; not sent",
			                    p->max));
		else if (deliver(p, part, len))
			return true;
	}
	return false;
}

bool payload_ready(struct payload *p)
{
	size_t len;

	return !is_split(p) || p->eof || p->end - p->start > raw_max(p) || find_delimiter(p, &len);
}

void payload_feed(struct payload *p)
{
	fill(p);
}

bool payload_next(struct payload *p)
{
	return is_split(p) ? next_part(p) : next_whole(p);
}
