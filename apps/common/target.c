#define _GNU_SOURCE
#include "target.h"
#include "key.h"
#include "signals.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* The address as it is written in an endpoint: brackets and zone where they belong. */
static void write_host_port(char *out, size_t size, const struct dgram_uri *u)
{
	bool v6 = strchr(u->host, ':') != NULL;
	char port[8] = "PORT";
	if (u->has_port)
		snprintf(port, sizeof(port), "%u", u->port);
	snprintf(out, size, "%s%s%s%s%s:%s", v6 ? "[" : "", u->host, *u->zone ? "%" : "", u->zone,
	         v6 ? "]" : "", port);
}

/* What a command does not speak, for now. */
static int refuse_scheme(const struct dgram_uri *u, const char *text, enum dgram_uri_use use,
                         const struct options *o)
{
	char plain[DGRAM_HOST_MAX + DGRAM_ZONE_MAX + 16];
	write_host_port(plain, sizeof(plain), u);
	switch (u->scheme) {
	case DGRAM_SCHEME_DGRAM:
		if (o->command->messages)
			return 0;
		return fail_usage(o->command->name,
		                  "'%s' without a scheme means the dgram protocol, which %s does "
		                  "not speak in this version yet; for plain UDP write udp://%s",
		                  text, o->command->name, plain);
	case DGRAM_SCHEME_TCP:
		if (o->command->messages)
			return 0;
		return fail_usage(o->command->name,
		                  "%s: %s does not speak tcp://; for a plain byte stream: "
		                  "dgram stream %s tcp://%s",
		                  text, o->command->name,
		                  use == DGRAM_URI_LISTEN ? "listen" : "connect", plain);
	case DGRAM_SCHEME_GROUP:
		return fail_usage(o->command->name,
		                  "%s: group:// is not in this version yet; for a plain group "
		                  "datagram write udp://%s",
		                  text, plain);
	case DGRAM_SCHEME_PEER:
		return fail_usage(o->command->name, "%s: peers by name are not in this version yet; write %s",
				  text, o->command->messages ? "HOST:PORT[/NAME]" : "udp://HOST:PORT");
	case DGRAM_SCHEME_UDP:
	case DGRAM_SCHEME_UNIX:
		break;
	}
	return 0;
}

bool target_is_plain(const struct dgram_uri *u)
{
	return u->scheme == DGRAM_SCHEME_UDP || u->scheme == DGRAM_SCHEME_UNIX;
}

static int parse_endpoint(struct dgram_uri *u, const char *text, enum dgram_uri_use use,
                          const struct options *o)
{
	const char *why = "";
	if (dgram_uri_parse(u, text, use, &why) < 0)
		return fail_usage(o->command->name, "%s: %s", text, why);
	int code = refuse_scheme(u, text, use, o);
	return code != 0 || target_is_plain(u) ? code : key_check(o);
}

static void write_text(struct target *t)
{
	if (t->uri.scheme == DGRAM_SCHEME_UNIX)
		dgram_addr_format(&t->uri.unix_addr, t->text, sizeof(t->text));
	else
		write_host_port(t->text, sizeof(t->text), &t->uri);
}

int target_parse(struct target *t, const char *text, const struct options *o)
{
	int code = parse_endpoint(&t->uri, text, DGRAM_URI_TARGET, o);
	if (code != 0)
		return code;
	t->uri.has_port = true; /* the one that was left out is known */
	write_text(t);
	return 0;
}

int target_parse_stream(struct target *t, const char *text, enum dgram_uri_use use,
                        const struct options *o)
{
	char plain[DGRAM_HOST_MAX + DGRAM_ZONE_MAX + 16];
	const char *why = "";
	if (dgram_uri_parse(&t->uri, text, use, &why) < 0)
		return fail_usage(o->command->name, "%s: %s", text, why);
	write_host_port(plain, sizeof(plain), &t->uri);
	if (t->uri.scheme != DGRAM_SCHEME_TCP && t->uri.scheme != DGRAM_SCHEME_UNIX)
		return fail_usage(o->command->name,
		                  "'%s' is no stream: write tcp://%s or unix://PATH", text, plain);
	if (*t->uri.name != '\0')
		return fail_usage(o->command->name,
		                  "%s: a byte stream has no /NAME: write tcp://%s", text, plain);
	write_text(t);
	return 0;
}

static int zone_missing(const char *text, const struct dgram_uri *u)
{
	char candidates[256];
	dgram_interface_candidates(candidates, sizeof(candidates));
	if (*candidates == '\0')
		return fail(CODE_USAGE,
		            "%s: a link-local address needs its interface, and none here has one",
		            text);
	return fail(CODE_USAGE,
	            "%s: a link-local address needs its interface, one of: %s; "
	            "write %s%s[%s%.*s]:%u",
	            text, candidates, dgram_scheme_name(u->scheme),
	            u->scheme == DGRAM_SCHEME_DGRAM ? "" : "://", u->host,
	            (int)strcspn(candidates, " "), candidates, u->port);
}

static int resolve_failed(const char *text, const struct dgram_uri *u, enum dgram_family family,
                          int error, uint64_t timeout)
{
	char span[32];
	switch (error) {
	case DGRAM_ERR_ZONE:
		return zone_missing(text, u);
	case DGRAM_ERR_INTERFACE:
		return fail(CODE_BIND, "%s: no interface is called '%s'", text, u->zone);
	case DGRAM_ERR_RESOLVE:
		if (family == DGRAM_FAMILY_NONE)
			break;
		return fail(CODE_RESOLVE, "%s: it has no IPv%c address (-%c)", text,
		            family == DGRAM_IPV4 ? '4' : '6', family == DGRAM_IPV4 ? '4' : '6');
	case DGRAM_ERR_TIMEOUT:
		return fail(CODE_RESOLVE, "%s: the name did not resolve in %s; nothing was sent",
		            text, target_span(timeout, span, sizeof(span)));
	default:
		break;
	}
	return fail(exit_of(error), "%s: %s", text, dgram_strerror(error));
}

#define RESOLVE_TIMEOUT (30 * DGRAM_S) /* without -T */

int target_resolve(struct target *t, const struct options *o)
{
	uint64_t timeout = o->deadline != 0 ? o->deadline : RESOLVE_TIMEOUT;
	int n = dgram_resolve(t->addrs, DGRAM_RESOLVE_MAX, &t->uri, o->family, timeout);
	if (n < 0)
		return resolve_failed(t->text, &t->uri, o->family, n, timeout);
	t->count = (size_t)n;
	return 0;
}

/* Whether it is the last address of one of our networks: 192.168.1.255 where we are 192.168.1.7/24.
 */
static bool is_directed_broadcast(const struct dgram_addr *addr)
{
	struct ifaddrs *all;
	bool found = false;
	uint32_t host;
	memcpy(&host, addr->u.ip4, sizeof(host));
	if (addr->family != DGRAM_IPV4 || (addr->u.ip4[3] & 3) != 3 || getifaddrs(&all) < 0)
		return false; /* no network is so small that its last address ends otherwise */
	for (struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_netmask == NULL ||
		    i->ifa_addr->sa_family != AF_INET)
			continue;
		struct sockaddr_in ours, net;
		memcpy(&ours, i->ifa_addr, sizeof(ours));
		memcpy(&net, i->ifa_netmask, sizeof(net));
		uint32_t mask = net.sin_addr.s_addr;
		found = ntohl(~mask) > 1 && host == (ours.sin_addr.s_addr | ~mask);
	}
	freeifaddrs(all);
	return found;
}

bool target_is_group(const struct dgram_addr *addr)
{
	return dgram_addr_is_multicast(addr) || dgram_addr_is_broadcast(addr) ||
	       is_directed_broadcast(addr);
}

int target_check_one(const struct target *t, const struct options *o)
{
	const struct dgram_addr *addr = &t->addrs[0];
	const char *scheme = t->uri.scheme == DGRAM_SCHEME_TCP ? "tcp://" : "";

	if (target_is_group(addr))
		return fail_usage(o->command->name,
				  "%s is a group, and group:// is not in this version yet; for a plain group datagram "
				  "write udp://%s", t->text, t->text);
	if (!dgram_addr_is_any(addr))
		return 0;
	return fail_usage(o->command->name, "%s is every address of this machine, to listen on; to reach this machine "
			  "write %s%s:%u", t->text, scheme, addr->family == DGRAM_IPV4 ? "127.0.0.1" : "[::1]", t->uri.port);
}

const char *target_strerror(const struct target *t, int error)
{
	if (error == DGRAM_ERR_REFUSED && t->uri.scheme == DGRAM_SCHEME_UNIX)
		return "refused (no one is bound to this path)";
	return dgram_strerror(error);
}

char *target_span(uint64_t ns, char *buf, size_t size)
{
	if (ns >= DGRAM_S)
		snprintf(buf, size, "%.3g s", (double)ns / 1e9);
	else if (ns >= DGRAM_MS)
		snprintf(buf, size, "%.3g ms", (double)ns / 1e6);
	else
		snprintf(buf, size, "%.3g us", (double)ns / 1e3);
	return buf;
}

char *target_local(const struct dgram_socket *s, enum dgram_scheme scheme, char *buf, size_t size)
{
	struct dgram_addr local;
	char text[DGRAM_ADDR_TEXT_MAX] = "?";
	if (dgram_socket_getsockname(s, &local) == 0)
		dgram_addr_display(&local, text, sizeof(text));
	bool is_unix = strncmp(text, "unix:", 5) == 0;
	snprintf(buf, size, "%s%s", is_unix || scheme == DGRAM_SCHEME_DGRAM ? "" : "udp://", text);
	return buf;
}

/* -- the socket to talk from -- */

static int interface_failed(const struct options *o, int error)
{
	return fail(CODE_BIND, "-i: '%s': %s", o->interface, dgram_strerror(error));
}

int target_bind_failed(const char *text, int error, int errno_value)
{
	const char *why = error == DGRAM_ERR_SYSTEM ? strerror(errno_value) : dgram_strerror(error);
	if (error == DGRAM_ERR_IN_USE && strncmp(text, "unix:", 5) == 0)
		why = "the path is in use, or is no socket";
	const char *hint = error == DGRAM_ERR_DENIED ? "; ports below 1024 need privilege" : "";
	int code =
	        error == DGRAM_ERR_SIZE || error == DGRAM_ERR_UNSUPPORTED ? CODE_USAGE : CODE_BIND;
	return fail(code, "%s: cannot bind: %s%s", text, why, hint);
}

static enum dgram_family family_of(const struct target *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->addrs[i].family != DGRAM_IPV4)
			return (enum dgram_family)t->addrs[i].family;
	return DGRAM_IPV4;
}

static bool has_both_families(const struct target *t)
{
	for (size_t i = 1; i < t->count; i++)
		if (t->addrs[i].family != t->addrs[0].family)
			return true;
	return false;
}

#define LOCAL_TIMEOUT (5 * DGRAM_S) /* to find a name of this machine */

/* No ADDR is every address of the family; of both, where none was asked for. 1, or an error. */
static int resolve_local(struct dgram_addr *out, const struct dgram_uri *u,
                         enum dgram_family family)
{
	if (*u->host != '\0' || u->scheme == DGRAM_SCHEME_UNIX)
		return dgram_resolve(out, 1, u, family, LOCAL_TIMEOUT);
	*out = (struct dgram_addr){.family = DGRAM_IPV6, .port = u->port};
	if (family == DGRAM_IPV4)
		out->family = DGRAM_IPV4;
	return 1;
}

static int parse_bind(struct dgram_uri *u, const struct options *o)
{
	const char *why = "";
	if (dgram_uri_parse(u, o->bind, DGRAM_URI_BIND, &why) < 0)
		return fail_usage(o->command->name, "-b: '%s': %s", o->bind, why);
	return 0;
}

/* What a socket at local cannot reach is not asked; false: that is all of it. "::" carries both
 * families. */
static bool keep_reachable(struct target *t, const struct dgram_addr *local)
{
	size_t count = 0;
	if (local->family == DGRAM_IPV6 && dgram_addr_is_any(local))
		return true;
	for (size_t i = 0; i < t->count; i++)
		if (t->addrs[i].family == local->family)
			t->addrs[count++] = t->addrs[i];
	if (count > 0)
		t->count = count;
	return count > 0;
}

static const char *family_name(uint8_t family)
{
	return family == DGRAM_IPV4 ? "IPv4" : family == DGRAM_IPV6 ? "IPv6" : "a UNIX path";
}

int target_bind_address(struct dgram_addr *out, struct target *t, const struct options *o)
{
	struct dgram_uri u;
	enum dgram_family family = family_of(t);
	int code = parse_bind(&u, o);
	if (code != 0)
		return code;
	if ((u.scheme == DGRAM_SCHEME_UNIX) != (family == DGRAM_UNIX))
		return fail_usage(o->command->name,
		                  "-b: '%s' cannot talk to %s: both are UNIX paths or neither is",
		                  o->bind, t->text);
	bool open = u.numeric || has_both_families(t); /* the choice is not the target's */
	int n = resolve_local(out, &u, open ? DGRAM_FAMILY_NONE : family);
	if (n < 0)
		return resolve_failed(o->bind, &u, DGRAM_FAMILY_NONE, n, LOCAL_TIMEOUT);
	if (!keep_reachable(t, out))
		return fail(CODE_BIND, "-b: '%s' is %s and %s is %s: both must be of one family",
		            o->bind, family_name(out->family), t->text, family_name((uint8_t)family));
	return 0;
}

int target_socket(struct dgram_socket *s, struct target *t, const struct options *o)
{
	enum dgram_family family = family_of(t);
	struct dgram_socket_options opt = {
	        .interface = o->interface,
	        .broadcast = family != DGRAM_UNIX,
	};
	int error;
	if (o->bind == NULL) {
		error = dgram_socket_open(s, family, &opt);
	} else {
		struct dgram_addr local;
		int code = target_bind_address(&local, t, o);
		if (code != 0)
			return code;
		error = dgram_socket_bind(s, &local, &opt);
	}
	int errno_value = errno;
	if (error == 0 && s->path[0] != '\0')
		signals_remove_first(s->path, s->owns_directory);
	if (error == 0)
		return 0;
	if (error == DGRAM_ERR_INTERFACE)
		return interface_failed(o, error);
	if (o->bind != NULL)
		return target_bind_failed(o->bind, error, errno_value);
	return fail(exit_of(error), "%s: cannot open a socket: %s", t->text,
	            error == DGRAM_ERR_SYSTEM ? strerror(errno_value) : dgram_strerror(error));
}

void target_close(struct dgram_socket *s)
{
	if (s->path[0] != '\0')
		signals_remove_first(NULL, false);
	dgram_socket_close(s);
}

/* -- the socket to listen on -- */

#define LISTEN_BUFFER (4u << 20) /* bytes: a burst of some thousand small datagrams */

static int bind_group(struct dgram_socket *s, const struct dgram_addr *group,
                      const struct options *o)
{
	struct dgram_socket_options opt = {
	        .interface = o->interface, .group_port = true, .receive_buffer = LISTEN_BUFFER};
	int error = dgram_socket_bind(s, group, &opt);
	if (error < 0)
		return error;
	uint32_t interface =
	        o->interface != NULL ? dgram_interface_index(o->interface) : group->zone;
	error = dgram_socket_join(s, group, interface);
	if (error >= 0)
		return 0;
	dgram_socket_close(s);
	return error;
}

int target_resolve_local(struct dgram_addr *out, const struct dgram_uri *u, const char *text,
                         const struct options *o)
{
	int n = resolve_local(out, u, o->family);
	return n < 0 ? resolve_failed(text, u, o->family, n, LOCAL_TIMEOUT) : 0;
}

static int listen_at(struct dgram_socket *s, const struct dgram_uri *u, const char *text,
                     const struct options *o)
{
	struct dgram_addr local;
	struct dgram_socket_options opt = {
	        .interface = o->interface,
	        .ipv6_only = o->family == DGRAM_IPV6,
	        .receive_buffer = LISTEN_BUFFER,
	};
	int code = target_resolve_local(&local, u, text, o);
	if (code != 0)
		return code;
	if (!target_is_plain(u) && target_is_group(&local))
		return fail_usage(o->command->name,
		                  "%s is a group, and group:// is not in this version yet; for plain "
		                  "datagrams write udp://%s",
		                  text, text);
	int error = dgram_addr_is_multicast(&local) ? bind_group(s, &local, o)
	                                            : dgram_socket_bind(s, &local, &opt);
	if (error == DGRAM_ERR_INTERFACE && o->interface != NULL)
		return interface_failed(o, error);
	if (error < 0)
		return target_bind_failed(text, error, errno);
	if (s->receive_buffer < LISTEN_BUFFER)
		say_verbose(
		        "the kernel grants a receive buffer of %u KiB, not %u (net.core.rmem_max): "
		        "bursts beyond it are lost",
		        s->receive_buffer / 1024, LISTEN_BUFFER / 1024);
	return 0;
}

int target_parse_listen(struct dgram_uri *u, const char *text, const struct options *o)
{
	return parse_endpoint(u, text, DGRAM_URI_LISTEN, o);
}

int target_listen(struct dgram_socket *s, const struct dgram_uri *u, const char *text,
                  const struct options *o)
{
	return listen_at(s, u, text, o);
}

int target_listen_bind(struct dgram_socket *s, const struct options *o)
{
	struct dgram_uri u;
	int code = parse_bind(&u, o);
	return code != 0 ? code : listen_at(s, &u, o->bind, o);
}
