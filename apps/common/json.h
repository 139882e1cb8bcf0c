/* json.h - the lines of --json: one object each, v, t and ev first, keys only ever added. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <dgram/addr.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* {"v":1,"t":"2026-11-22T09:20:35.769Z","ev":ev}; further keys go in with json_object_set_new. */
json_t *json_event(const char *ev);

/* The same for what happened ns ago. */
json_t *json_event_ago(const char *ev, uint64_t ns);

/* "from":"127.0.0.1:7400", or another key. */
void json_add_addr(json_t *event, const char *key, const struct dgram_addr *addr);

/* "len" and "text", or "b64" where the bytes are no UTF-8. */
void json_add_payload(json_t *event, const void *data, size_t len);

/* Writes one line to stdout and gives event back. 0 or an exit code, as output.h has them. */
int json_write(json_t *event);

/* {"v":1,"t":...,"ev":"error","code":28,"name":"timeout","reason":sentence}: the name is the code's. */
json_t *json_error(int code, const char *sentence);

/* Writes one, with "line" where that is not 0. */
void json_error_line(int code, unsigned long long line, const char *sentence);

#endif
