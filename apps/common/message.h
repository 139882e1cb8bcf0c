/* message.h - what is told of a message of the dgram protocol: its id and its JSON. */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include "json.h"
#include <dgram/endpoint.h>

#define MESSAGE_ID_MAX 56 /* bytes: twice 16 digits, a number of 20 */

/* Of a message that came, or that ended in a session: "8c1f00a2.d4e5f6b3-0", its sender's id of the session, its
 * receiver's, and its number in that direction: the same at both ends, and it never comes twice. Returns buf (at least
 * MESSAGE_ID_MAX bytes). */
char *message_id(const struct dgram_event *e, char *buf, size_t size);

/* {"ev":ev, key:peer, "id":..., "name":...}: id and name where there are any. key: "from" or "to". */
json_t *message_json(const char *ev, const char *key, const struct dgram_event *e);

#endif
