/* An endpoint is read in two passes: what is written (scheme, host, zone, port, name), each part by its own rule, and
 * then whether that is enough for its use. Every refusal has its sentence: what is wrong, and what to write. */
#include <dgram/uri.h>

#include <dgram/error.h>

#include "base/ip.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

struct span {
	const char *at;
	size_t len;
};

static int refuse(const char **why, int error, const char *sentence)
{
	*why = sentence;
	return error;
}

/* What stands before the first stop; rest gets what stands behind it. found: there was one. */
static struct span cut(struct span text, char stop, struct span *rest, bool *found)
{
	size_t n = dg_text_until(text.at, text.len, stop);

	*found = n < text.len;
	*rest = (struct span){text.at + n + *found, text.len - n - *found};
	return (struct span){text.at, n};
}

static bool starts_with(struct span text, const char *prefix)
{
	size_t n = strlen(prefix);

	return text.len >= n && memcmp(text.at, prefix, n) == 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool all_digits(struct span text)
{
	size_t n = 0;

	while (n < text.len && is_digit(text.at[n]))
		n++;
	return n == text.len;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static void copy(char *out, struct span text)
{
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
}

static const struct {
	const char *name;
	enum dgram_scheme scheme;
} schemes[] = {
	{"udp", DGRAM_SCHEME_UDP},
	{"tcp", DGRAM_SCHEME_TCP},
	{"unix", DGRAM_SCHEME_UNIX},
	{"group", DGRAM_SCHEME_GROUP},
};
#define SCHEME_COUNT (sizeof schemes / sizeof schemes[0])

const char *dgram_scheme_name(enum dgram_scheme scheme)
{
	for (size_t i = 0; i < SCHEME_COUNT; i++)
		if (schemes[i].scheme == scheme)
			return schemes[i].name;
	return scheme == DGRAM_SCHEME_PEER ? "@" : "";
}

/* Reads the scheme; text loses it. */
static int scheme_parse(struct dgram_uri *out, struct span *text, const char **why)
{
	struct span rest, word;
	bool colon;

	out->scheme = DGRAM_SCHEME_DGRAM;
	if (starts_with(*text, "@")) {
		out->scheme = DGRAM_SCHEME_PEER;
		*text = (struct span){text->at + 1, text->len - 1};
		return 0;
	}
	word = cut(*text, ':', &rest, &colon);
	if (!colon)
		return 0;
	for (size_t i = 0; i < SCHEME_COUNT; i++)
		if (word.len == strlen(schemes[i].name) && starts_with(word, schemes[i].name))
			out->scheme = schemes[i].scheme;
	if (starts_with(rest, "//") && out->scheme == DGRAM_SCHEME_DGRAM)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "unknown scheme: udp://, tcp://, unix:// and group:// are known, in small "
			      "letters; HOST:PORT has none");
	if (out->scheme == DGRAM_SCHEME_DGRAM)
		return 0;
	if (!starts_with(rest, "//"))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "a scheme ends with two slashes: udp://HOST:PORT, unix:///PATH");
	*text = (struct span){rest.at + 2, rest.len - 2};
	return 0;
}

/* Bytes that no part may hold. A path may hold blanks. */
static int bytes_check(struct span text, const char **why)
{
	bool blanks = starts_with(text, "unix://");

	for (size_t i = 0; i < text.len; i++) {
		if ((uint8_t)text.at[i] < 0x20 || text.at[i] == 0x7f)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a control character is no part of an endpoint: remove it (in a "
				      "path it is written \\xNN)");
		if (text.at[i] == ' ' && !blanks)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a blank is no part of an endpoint: remove it");
	}
	return 0;
}

static int unix_parse(struct dgram_uri *out, const char *text, struct span path, const char **why)
{
	int rc;

	if (path.len == 0 || (path.len == 1 && path.at[0] == '@'))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "nothing after unix://: write unix:///PATH or unix://@NAME");
	rc = dgram_addr_parse(&out->unix_addr, text);
	if (rc == DGRAM_ERR_SIZE)
		return refuse(why, rc, "the path is too long: a UNIX socket's has at most 107 bytes");
	if (rc)
		return refuse(why, rc, "a path has no NUL byte: only unix://@NAME may hold \\x00");
	return 0;
}

static int name_parse(struct dgram_uri *out, struct span name, const char **why)
{
	bool part = false; /* a part has begun */

	if (name.len == 0)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "nothing after '/': write a name there or leave the '/' out");
	if (name.len > DGRAM_NAME_MAX)
		return refuse(why, DGRAM_ERR_SIZE, "the name is too long: at most 64 bytes");
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (is_upper(c))
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a name has no capital letters: write it in small ones");
		if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-' && c != '.')
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a name is made of a-z, 0-9, '_' and '-', in parts joined by '.'");
		if (c == '.' && (!part || i + 1 == name.len))
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a part of the name is empty: no '.' at its ends, no two together");
		part = c != '.';
	}
	copy(out->name, name);
	return 0;
}

static int peer_parse(struct dgram_uri *out, struct span peer, const char **why)
{
	if (peer.len == 0)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "nothing after '@': write the peer's name, @PEER or @PEER/NAME");
	if (peer.len > DGRAM_PEER_MAX)
		return refuse(why, DGRAM_ERR_SIZE, "the peer's name is too long: at most 63 bytes");
	for (size_t at = 0, n; at < peer.len; at += n) {
		n = dg_utf8_shown((const uint8_t *)peer.at + at, peer.len - at);
		if (n == 0)
			return refuse(why, DGRAM_ERR_ADDRESS, "the peer's name is not UTF-8 text");
		if (peer.at[at] == ':' || peer.at[at] == '@')
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a peer is found by its name alone: write @PEER or @PEER/NAME, "
				      "or HOST:PORT");
	}
	copy(out->host, peer);
	return 0;
}

/* text is what stands behind the colon. */
static int port_parse(struct dgram_uri *out, struct span text, const char **why)
{
	uint32_t port;

	out->has_port = true;
	if (text.len == 0)
		return refuse(why, DGRAM_ERR_PORT, "nothing after ':': a port is a number up to 65535");
	if (!all_digits(text))
		return refuse(why, DGRAM_ERR_PORT,
			      "the port is not a number: write one up to 65535, without a service's "
			      "name");
	if (text.at[0] == '0' && text.len > 1)
		return refuse(why, DGRAM_ERR_PORT, "the port begins with 0: write it without");
	if (!dg_text_number(&port, text.at, text.len, UINT16_MAX))
		return refuse(why, DGRAM_ERR_PORT, "the port is above 65535, the highest there is");
	out->port = (uint16_t)port;
	return 0;
}

static int zone_parse(struct dgram_uri *out, struct span zone, const char **why)
{
	if (zone.len == 0)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "nothing after '%': an interface's name or number belongs there");
	if (zone.len > DGRAM_ZONE_MAX)
		return refuse(why, DGRAM_ERR_SIZE,
			      "the zone is too long: an interface's name has at most 15 bytes");
	for (size_t i = 0; i < zone.len; i++)
		if (zone.at[i] == '%' || zone.at[i] == '[')
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "the zone is no interface's name: write one, as in fe80::1%eth0");
	copy(out->zone, zone);
	return 0;
}

static void ip4_store(struct dgram_uri *out, const uint8_t ip[4])
{
	out->host[dg_ip4_format(out->host, ip)] = '\0';
	out->numeric = true;
}

/* What stands between brackets. */
static int ip6_parse(struct dgram_uri *out, struct span text, const char **why)
{
	struct dgram_addr addr = {.family = DGRAM_IPV6};
	struct span zone, host;
	bool has_zone;

	host = cut(text, '%', &zone, &has_zone);
	if (dg_ip4_parse(addr.u.ip4, host.at, host.len))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "brackets are for IPv6 addresses: write an IPv4 address without");
	if (!dg_ip6_parse(addr.u.ip6, host.at, host.len))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "what stands in brackets is no IPv6 address: write one, as in [::1]:7400");
	if (has_zone && !dgram_addr_is_link_local(&addr) && !dgram_addr_is_multicast(&addr))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "only a link-local or group address has a zone: leave out what "
			      "follows '%'");
	if (dg_ip6_is_mapped(addr.u.ip6)) {
		ip4_store(out, addr.u.ip6 + 12);
		return 0;
	}
	out->host[dg_ip6_format(out->host, addr.u.ip6)] = '\0';
	out->numeric = true;
	return has_zone ? zone_parse(out, zone, why) : 0;
}

/* A host that ends like this is meant as an IPv4 address: the system's resolver would take 1.2.3, 0x7f.1 and
 * 010.0.0.1 as addresses that their writer did not mean. */
static bool ends_in_number(struct span host)
{
	struct span label = host;
	bool dot = true, hex;

	if (label.len > 0 && label.at[label.len - 1] == '.')
		label.len--;
	while (dot) {
		struct span rest, first = cut(label, '.', &rest, &dot);

		label = dot ? rest : first;
	}
	hex = starts_with(label, "0x") || starts_with(label, "0X");
	for (size_t i = hex ? 2 : 0; i < label.len; i++)
		if (!is_digit(label.at[i]) && !(hex && dg_text_hex(label.at[i]) >= 0))
			return false;
	return label.len > 0;
}

/* The rules of RFC 1123, section 2.1, with the '_' that real names have. */
static int name_of_host_parse(struct dgram_uri *out, struct span host, const char **why)
{
	size_t label = 0; /* bytes of the one we are in */

	if (host.len > DGRAM_HOST_MAX)
		return refuse(why, DGRAM_ERR_SIZE, "the host's name is too long: at most 253 bytes");
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];

		if ((uint8_t)c > 0x7f)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "the host's name is not ASCII: write it in its xn-- form");
		if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a host's name is made of letters, digits, '-', '_' and '.'");
		if (c == '.' && label == 0)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "a part of the host's name is empty: no '.' before it, no two "
				      "together");
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return refuse(why, DGRAM_ERR_SIZE,
				      "a part of the host's name is too long: at most 63 bytes");
	}
	copy(out->host, host);
	return 0;
}

/* A host without brackets: an IPv4 address (with a zone where it is a group) or a name. */
static int host_parse(struct dgram_uri *out, struct span host, const char **why)
{
	uint8_t ip[4];
	struct span zone;
	bool has_zone;

	host = cut(host, '%', &zone, &has_zone);
	if (has_zone && out->scheme != DGRAM_SCHEME_GROUP)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "a zone belongs to an IPv6 address in brackets: [fe80::1%eth0]:PORT");
	if (dg_ip4_parse(ip, host.at, host.len)) {
		ip4_store(out, ip);
		return has_zone ? zone_parse(out, zone, why) : 0;
	}
	if (host.len > 0 && all_digits(host))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "a number alone is no host: a port is written :PORT or HOST:PORT");
	if (ends_in_number(host))
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "not an IPv4 address: that is four numbers up to 255 without leading "
			      "zeros, as in 192.0.2.1");
	if (out->scheme == DGRAM_SCHEME_GROUP)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "a group is an address, as in group://239.255.24.72:PORT");
	return name_of_host_parse(out, host, why);
}

/* HOST, HOST:PORT, :PORT and the same with [IPv6]. */
static int authority_parse(struct dgram_uri *out, struct span text, const char **why)
{
	bool bracket = starts_with(text, "["), found;
	struct span rest, port, host;
	int rc;

	if (bracket) {
		host = cut((struct span){text.at + 1, text.len - 1}, ']', &rest, &found);
		if (!found)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "']' is missing: write [IPV6]:PORT");
		if (cut(rest, ':', &port, &found).len > 0)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "only :PORT or /NAME can follow ']'");
		rc = ip6_parse(out, host, why);
	} else {
		host = cut(text, ':', &port, &found);
		if (dg_text_until(port.at, port.len, ':') < port.len)
			return refuse(why, DGRAM_ERR_ADDRESS,
				      "more than one ':': an IPv6 address goes in brackets, as in "
				      "[::1]:7400");
		rc = host_parse(out, host, why);
	}
	if (rc)
		return rc;
	return found ? port_parse(out, port, why) : 0;
}

static int target_check(struct dgram_uri *out, const char **why)
{
	if (out->host[0] == '\0')
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "no host: write HOST:PORT (127.0.0.1 is this machine)");
	if (out->scheme == DGRAM_SCHEME_PEER)
		return 0;
	if (!out->has_port && out->scheme != DGRAM_SCHEME_DGRAM)
		return refuse(why, DGRAM_ERR_PORT,
			      "no port: write :PORT after the host (only HOST/NAME without a scheme "
			      "has a default)");
	if (out->has_port && out->port == 0)
		return refuse(why, DGRAM_ERR_PORT, "nothing can be sent to port 0: write 1 to 65535");
	if (!out->has_port)
		out->port = DGRAM_PORT;
	return 0;
}

static int listen_check(const struct dgram_uri *out, const char **why)
{
	if (out->scheme == DGRAM_SCHEME_PEER)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "@PEER can only be sent to: listen on [ADDR]:PORT");
	if (out->scheme == DGRAM_SCHEME_GROUP)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "group:// can only be sent to: listen on [ADDR]:PORT");
	if (out->name[0] != '\0')
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "a name cannot be listened on: end with the port, [ADDR]:PORT");
	if (!out->has_port)
		return refuse(why, DGRAM_ERR_PORT,
			      "no port to listen on: write [ADDR]:PORT (port 0 picks one)");
	return 0;
}

static int bind_check(const struct dgram_uri *out, const char **why)
{
	if (out->scheme != DGRAM_SCHEME_DGRAM || out->name[0] != '\0')
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "an address to bind is [ADDR][:PORT], without scheme and name");
	if (out->host[0] == '\0' && !out->has_port)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "nothing to bind: write ADDR, :PORT or ADDR:PORT");
	return 0;
}

static int use_check(struct dgram_uri *out, enum dgram_uri_use use, const char **why)
{
	switch (use) {
	case DGRAM_URI_LISTEN:
		return listen_check(out, why);
	case DGRAM_URI_BIND:
		return bind_check(out, why);
	case DGRAM_URI_TARGET:
	default:
		return target_check(out, why);
	}
}

int dgram_uri_parse(struct dgram_uri *out, const char *text, enum dgram_uri_use use, const char **why)
{
	struct span all = {text, strlen(text)}, rest = all, name;
	bool has_name;
	int rc;

	memset(out, 0, sizeof *out);
	if (all.len == 0)
		return refuse(why, DGRAM_ERR_ADDRESS, "an empty endpoint: write HOST:PORT");
	rc = bytes_check(all, why);
	if (rc == 0)
		rc = scheme_parse(out, &rest, why);
	if (rc)
		return rc;
	if (out->scheme == DGRAM_SCHEME_UNIX)
		return use == DGRAM_URI_BIND ? bind_check(out, why) : unix_parse(out, text, rest, why);
	rest = cut(rest, '/', &name, &has_name);
	if (has_name && out->scheme == DGRAM_SCHEME_UDP)
		return refuse(why, DGRAM_ERR_ADDRESS,
			      "udp:// ends with the port: a plain datagram carries no name");
	if (out->scheme == DGRAM_SCHEME_PEER)
		rc = peer_parse(out, rest, why);
	else
		rc = authority_parse(out, rest, why);
	if (rc == 0 && has_name)
		rc = name_parse(out, name, why);
	return rc ? rc : use_check(out, use, why);
}
