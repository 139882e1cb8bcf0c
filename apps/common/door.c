#include "door.h"
#include "target.h"
#include <errno.h>
#include <stdio.h>

static int listen_for_connections(struct door *d, const struct dgram_uri *u, const char *text, const struct options *o)
{
	const struct dgram_stream_options options = {.interface = o->interface, .ipv6_only = o->family == DGRAM_IPV6};
	struct dgram_addr local;
	int code = target_resolve_local(&local, u, text, o), error;

	if (code != 0)
		return code;
	error = dgram_stream_listen(&d->listener, &local, &options);
	return error == 0 ? 0 : target_bind_failed(text, error, errno);
}

int door_open(struct door *d, const struct dgram_uri *u, const char *text, const struct options *o)
{
	*d = (struct door){.scheme = u->scheme};
	if (u->scheme == DGRAM_SCHEME_TCP)
		return listen_for_connections(d, u, text, o);
	return target_listen(&d->socket, u, text, o);
}

void door_close(struct door *d)
{
	if (d->scheme == DGRAM_SCHEME_TCP)
		dgram_stream_close(&d->listener);
	else
		dgram_socket_close(&d->socket);
}

bool door_address(const struct door *d, struct dgram_addr *out)
{
	if (d->scheme == DGRAM_SCHEME_TCP)
		return dgram_stream_getsockname(&d->listener, out) == 0;
	return dgram_socket_getsockname(&d->socket, out) == 0;
}

char *door_local(const struct door *d, char *buf, size_t size)
{
	struct dgram_addr local;
	char text[DGRAM_ADDR_TEXT_MAX] = "?";

	if (d->scheme != DGRAM_SCHEME_TCP)
		return target_local(&d->socket, d->scheme, buf, size);
	if (door_address(d, &local))
		dgram_addr_display(&local, text, sizeof text);
	snprintf(buf, size, "tcp://%s", text);
	return buf;
}

uint64_t door_drops(struct door *d)
{
	return d->scheme == DGRAM_SCHEME_TCP ? 0 : dgram_socket_count_drops(&d->socket);
}
