#define _GNU_SOURCE
#include "json.h"
#include "escape.h"
#include "exit.h"
#include "output.h"
#include <dgram/resolve.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

json_t *json_event(const char *ev)
{
	return json_event_ago(ev, 0);
}

json_t *json_event_ago(const char *ev, uint64_t ns)
{
	struct timespec now;
	struct tm tm;
	char stamp[64];
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t then = (uint64_t)now.tv_sec * DGRAM_S + (uint64_t)now.tv_nsec - ns;
	time_t seconds = (time_t)(then / DGRAM_S);
	gmtime_r(&seconds, &tm);
	snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
	         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	         (int)(then % DGRAM_S / DGRAM_MS));
	return json_pack("{s:i, s:s, s:s}", "v", 1, "t", stamp, "ev", ev);
}

void json_add_addr(json_t *event, const char *key, const struct dgram_addr *addr)
{
	char text[DGRAM_ADDR_TEXT_MAX];
	json_object_set_new(event, key, json_string(dgram_addr_display(addr, text, sizeof(text))));
}

/* RFC 4648 section 4. Returns a string to free, or NULL. */
static char *base64(const uint8_t *data, size_t len)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = malloc((len + 2) / 3 * 4 + 1), *p = out;
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t rest = len - i;
		unsigned three = (unsigned)data[i] << 16 |
		                 (rest > 1 ? (unsigned)data[i + 1] << 8 : 0) |
		                 (rest > 2 ? data[i + 2] : 0u);
		*p++ = digits[three >> 18];
		*p++ = digits[three >> 12 & 63];
		*p++ = rest > 1 ? digits[three >> 6 & 63] : '=';
		*p++ = rest > 2 ? digits[three & 63] : '=';
	}
	*p = '\0';
	return out;
}

void json_add_payload(json_t *event, const void *data, size_t len)
{
	json_object_set_new(event, "len", json_integer((json_int_t)len));
	json_t *text = json_stringn(len > 0 ? data : "", len);
	if (text != NULL) {
		json_object_set_new(event, "text", text);
		return;
	}
	char *encoded = base64(data, len);
	json_object_set_new(event, "b64", json_string(encoded));
	free(encoded);
}

/* On a terminal no byte of a stranger may pass that is an order: ASCII alone, and DEL, which
 * jansson lets through, made an escape too. (It can only stand inside a string.) */
static int write_ascii(const char *line)
{
	int code = 0;
	size_t len = strcspn(line, "\x7F");
	while (code == 0 && line[len] != '\0') {
		code = output_part(line, len);
		if (code == 0)
			code = output_part("\\u007F", 6);
		line += len + 1;
		len = strcspn(line, "\x7F");
	}
	return code != 0 ? code : output_line(line);
}

int json_write(json_t *event)
{
	bool terminal = isatty(STDOUT_FILENO);
	char *line = json_dumps(event, terminal ? JSON_COMPACT | JSON_ENSURE_ASCII : JSON_COMPACT);
	json_decref(event);
	if (line == NULL)
		return CODE_WRITE;
	int code = terminal ? write_ascii(line) : output_line(line);
	free(line);
	return code;
}

#define SENTENCE_ROOM 8192 /* bytes; one of say.h's, every byte of it escaped */

json_t *json_error(int code, const char *sentence)
{
	char shown[SENTENCE_ROOM]; /* what it quotes may be no UTF-8, or have been cut */
	json_t *event = json_event("error");
	json_object_set_new(event, "code", json_integer(code));
	json_object_set_new(event, "name", json_string(exit_name(code)));
	escape_line(sentence, strlen(sentence), shown, sizeof(shown));
	json_object_set_new(event, "reason", json_string(shown));
	return event;
}

void json_error_line(int code, unsigned long long line, const char *sentence)
{
	json_t *event = json_error(code, sentence);
	if (line > 0)
		json_object_set_new(event, "line", json_integer((json_int_t)line));
	json_write(event);
}
