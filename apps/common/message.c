#include "message.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

char *message_id(const struct dgram_event *e, char *buf, size_t size)
{
	bool ours = e->type == DGRAM_EVENT_DONE;

	snprintf(buf, size, "%" PRIx64 ".%" PRIx64 "-%" PRIu64, ours ? e->session : e->peer_session,
		 ours ? e->peer_session : e->session, e->number);
	return buf;
}

json_t *message_json(const char *ev, const char *key, const struct dgram_event *e)
{
	json_t *event = json_event(ev);
	char id[MESSAGE_ID_MAX];

	json_add_addr(event, key, &e->peer);
	if (e->session != 0)
		json_object_set_new(event, "id", json_string(message_id(e, id, sizeof id)));
	if (e->name != NULL)
		json_object_set_new(event, "name", json_stringn(e->name, e->name_len));
	return event;
}
