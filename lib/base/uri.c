/* An endpoint is read in two passes: what is written (scheme, host, zone, port, name), each part by
 * its own rule, and then whether that is enough for its use. */
#include <dgram/uri.h>

#include <dgram/error.h>

#include "base/ip.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

/* What can be wrong: its error, and the sentence that says it and what to write instead. */
/* clang-format off */
#define PROBLEMS(ROW) \
	ROW(EMPTY,       ADDRESS, "an empty endpoint: write HOST:PORT or udp://HOST:PORT") \
	ROW(CONTROL,     ADDRESS, "a control character is no part of an endpoint: remove it (in " \
	                          "a path it is written \\xNN)") \
	ROW(BLANK,       ADDRESS, "a blank is no part of an endpoint: remove it") \
	ROW(SCHEME,      ADDRESS, "unknown scheme: udp://, tcp://, unix:// and group:// are " \
	                          "known, in small letters; HOST:PORT has none") \
	ROW(SLASHES,     ADDRESS, "a scheme ends with two slashes: udp://HOST:PORT, " \
	                          "unix:///PATH") \
	ROW(NO_HOST,     ADDRESS, "no host: write HOST:PORT (127.0.0.1 is this machine)") \
	ROW(HOST_LONG,   SIZE,    "the host's name is too long: at most 253 bytes") \
	ROW(LABEL_LONG,  SIZE,    "a part of the host's name is too long: at most 63 bytes") \
	ROW(HOST_PART,   ADDRESS, "a part of the host's name is empty: no '.' before it, no two " \
	                          "together") \
	ROW(HOST_BYTE,   ADDRESS, "a host's name is made of letters, digits, '-', '_' and '.'") \
	ROW(HOST_ASCII,  ADDRESS, "the host's name is not ASCII: write it in its xn-- form") \
	ROW(HOST_NUMBER, ADDRESS, "a number alone is no host: a port is written :PORT or " \
	                          "HOST:PORT") \
	ROW(IP4,         ADDRESS, "not an IPv4 address: write four numbers up to 255 without " \
	                          "leading zeros") \
	ROW(COLONS,      ADDRESS, "more than one ':': an IPv6 address goes in brackets, as in " \
	                          "[::1]:7400") \
	ROW(BRACKET,     ADDRESS, "']' is missing: write [IPV6]:PORT") \
	ROW(BRACKET_REST, ADDRESS, "only :PORT or /NAME can follow ']'") \
	ROW(IP6_IS_IP4,  ADDRESS, "brackets are for IPv6 addresses: write an IPv4 address " \
	                          "without") \
	ROW(IP6,         ADDRESS, "what stands in brackets is no IPv6 address: write one, as in " \
	                          "[::1]:7400") \
	ROW(IP6_ZONE,    ADDRESS, "only a link-local or group address has a zone: leave out what " \
	                          "follows '%'") \
	ROW(HOST_ZONE,   ADDRESS, "a zone belongs to an IPv6 address in brackets: " \
	                          "[fe80::1%eth0]:PORT") \
	ROW(ZONE_EMPTY,  ADDRESS, "nothing after '%': an interface's name or number belongs " \
	                          "there") \
	ROW(ZONE_LONG,   SIZE,    "the zone is too long: an interface's name has at most 15 " \
	                          "bytes") \
	ROW(ZONE_BYTE,   ADDRESS, "the zone is no interface's name: write one, as in " \
	                          "fe80::1%eth0") \
	ROW(GROUP_NAME,  ADDRESS, "a group is an address, as in group://239.255.24.72:PORT") \
	ROW(NO_PORT,     PORT,    "no port: write :PORT after the host (only HOST/NAME without a " \
	                          "scheme has a default)") \
	ROW(PORT_EMPTY,  PORT,    "nothing after ':': a port is a number up to 65535") \
	ROW(PORT_DIGITS, PORT,    "the port is not a number: write one up to 65535, without a " \
	                          "service's name") \
	ROW(PORT_ZEROS,  PORT,    "the port begins with 0: write it without") \
	ROW(PORT_LARGE,  PORT,    "the port is above 65535, the highest there is") \
	ROW(PORT_0,      PORT,    "nothing can be sent to port 0: write 1 to 65535") \
	ROW(NAME_EMPTY,  ADDRESS, "nothing after '/': write a name there or leave the '/' out") \
	ROW(NAME_LONG,   SIZE,    "the name is too long: at most 64 bytes") \
	ROW(NAME_PART,   ADDRESS, "a part of the name is empty: no '.' at its ends, no two " \
	                          "together") \
	ROW(NAME_CAPITAL, ADDRESS, "a name has no capital letters: write it in small ones") \
	ROW(NAME_BYTE,   ADDRESS, "a name is made of a-z, 0-9, '_' and '-', in parts joined by " \
	                          "'.'") \
	ROW(UDP_NAME,    ADDRESS, "udp:// ends with the port: a plain datagram carries no name") \
	ROW(PEER_EMPTY,  ADDRESS, "nothing after '@': write the peer's name, @PEER or " \
	                          "@PEER/NAME") \
	ROW(PEER_LONG,   SIZE,    "the peer's name is too long: at most 63 bytes") \
	ROW(PEER_BYTE,   ADDRESS, "a peer is found by its name alone: write @PEER or @PEER/NAME, " \
	                          "or HOST:PORT") \
	ROW(PEER_TEXT,   ADDRESS, "the peer's name is not UTF-8 text") \
	ROW(PATH_EMPTY,  ADDRESS, "nothing after unix://: write unix:///PATH or unix://@NAME") \
	ROW(PATH_LONG,   SIZE,    "the path is too long: a UNIX socket's has at most 107 bytes") \
	ROW(PATH_NUL,    ADDRESS, "a path has no NUL byte: only unix://@NAME may hold \\x00") \
	ROW(LISTEN_PEER, ADDRESS, "@PEER can only be sent to: listen on [ADDR]:PORT") \
	ROW(LISTEN_GROUP, ADDRESS, "group:// can only be sent to: listen on [ADDR]:PORT") \
	ROW(LISTEN_NAME, ADDRESS, "a name cannot be listened on: end with the port, [ADDR]:PORT") \
	ROW(LISTEN_PORT, PORT,    "no port to listen on: write [ADDR]:PORT (port 0 picks one)") \
	ROW(BIND_FORM,   ADDRESS, "an address to bind is [ADDR][:PORT] or unix://PATH, no other form")
/* clang-format on */

enum problem {
	GOOD = 0,
#define PROBLEM_ROW(name, error, sentence) BAD_##name,
	PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

static const struct {
	int error;
	const char *sentence;
} problems[] = {
	[GOOD] = {0, NULL},
#define PROBLEM_ROW(name, error, sentence) [BAD_##name] = {DGRAM_ERR_##error, sentence},
	PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

struct span {
	const char *at;
	size_t len;
};

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
static enum problem scheme_parse(struct dgram_uri *out, struct span *text)
{
	struct span rest, word;
	bool colon;

	out->scheme = DGRAM_SCHEME_DGRAM;
	if (starts_with(*text, "@")) {
		out->scheme = DGRAM_SCHEME_PEER;
		*text = (struct span){text->at + 1, text->len - 1};
		return GOOD;
	}
	word = cut(*text, ':', &rest, &colon);
	if (!colon)
		return GOOD;
	for (size_t i = 0; i < SCHEME_COUNT; i++)
		if (word.len == strlen(schemes[i].name) && starts_with(word, schemes[i].name))
			out->scheme = schemes[i].scheme;
	if (starts_with(rest, "//") && out->scheme == DGRAM_SCHEME_DGRAM)
		return BAD_SCHEME;
	if (out->scheme == DGRAM_SCHEME_DGRAM)
		return GOOD;
	if (!starts_with(rest, "//"))
		return BAD_SLASHES;
	*text = (struct span){rest.at + 2, rest.len - 2};
	return GOOD;
}

/* Bytes that no part may hold. A path may hold blanks. */
static enum problem bytes_check(struct span text)
{
	bool blanks = starts_with(text, "unix://");

	for (size_t i = 0; i < text.len; i++) {
		if ((uint8_t)text.at[i] < 0x20 || text.at[i] == 0x7f)
			return BAD_CONTROL;
		if (text.at[i] == ' ' && !blanks)
			return BAD_BLANK;
	}
	return GOOD;
}

static enum problem unix_parse(struct dgram_uri *out, const char *text, struct span path)
{
	int error;

	if (path.len == 0 || (path.len == 1 && path.at[0] == '@'))
		return BAD_PATH_EMPTY;
	error = dgram_addr_parse(&out->unix_addr, text);
	if (error == DGRAM_ERR_SIZE)
		return BAD_PATH_LONG;
	return error ? BAD_PATH_NUL : GOOD;
}

static enum problem name_parse(struct dgram_uri *out, struct span name)
{
	bool part = false; /* a part has begun */

	if (name.len == 0)
		return BAD_NAME_EMPTY;
	if (name.len > DGRAM_NAME_MAX)
		return BAD_NAME_LONG;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (is_upper(c))
			return BAD_NAME_CAPITAL;
		if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-' && c != '.')
			return BAD_NAME_BYTE;
		if (c == '.' && (!part || i + 1 == name.len))
			return BAD_NAME_PART;
		part = c != '.';
	}
	copy(out->name, name);
	return GOOD;
}

static enum problem peer_parse(struct dgram_uri *out, struct span peer)
{
	if (peer.len == 0)
		return BAD_PEER_EMPTY;
	if (peer.len > DGRAM_PEER_MAX)
		return BAD_PEER_LONG;
	for (size_t at = 0, n; at < peer.len; at += n) {
		n = dg_utf8_shown((const uint8_t *)peer.at + at, peer.len - at);
		if (n == 0)
			return BAD_PEER_TEXT;
		if (peer.at[at] == ':' || peer.at[at] == '@')
			return BAD_PEER_BYTE;
	}
	copy(out->host, peer);
	return GOOD;
}

/* text is what stands behind the colon. */
static enum problem port_parse(struct dgram_uri *out, struct span text)
{
	uint32_t port;

	out->has_port = true;
	if (text.len == 0)
		return BAD_PORT_EMPTY;
	if (!all_digits(text))
		return BAD_PORT_DIGITS;
	if (text.at[0] == '0' && text.len > 1)
		return BAD_PORT_ZEROS;
	if (!dg_text_number(&port, text.at, text.len, UINT16_MAX))
		return BAD_PORT_LARGE;
	out->port = (uint16_t)port;
	return GOOD;
}

static enum problem zone_parse(struct dgram_uri *out, struct span zone)
{
	if (zone.len == 0)
		return BAD_ZONE_EMPTY;
	if (zone.len > DGRAM_ZONE_MAX)
		return BAD_ZONE_LONG;
	for (size_t i = 0; i < zone.len; i++)
		if (zone.at[i] == '%' || zone.at[i] == '[')
			return BAD_ZONE_BYTE;
	copy(out->zone, zone);
	return GOOD;
}

static void ip4_store(struct dgram_uri *out, const uint8_t ip[4])
{
	out->host[dg_ip4_format(out->host, ip)] = '\0';
	out->numeric = true;
}

/* What stands between brackets. */
static enum problem ip6_parse(struct dgram_uri *out, struct span text)
{
	struct dgram_addr addr = {.family = DGRAM_IPV6};
	struct span zone, host;
	bool has_zone;

	host = cut(text, '%', &zone, &has_zone);
	if (dg_ip4_parse(addr.u.ip4, host.at, host.len))
		return BAD_IP6_IS_IP4;
	if (!dg_ip6_parse(addr.u.ip6, host.at, host.len))
		return BAD_IP6;
	if (has_zone && !dgram_addr_is_link_local(&addr) && !dgram_addr_is_multicast(&addr))
		return BAD_IP6_ZONE;
	if (dg_ip6_is_mapped(addr.u.ip6)) {
		ip4_store(out, addr.u.ip6 + 12);
		return GOOD;
	}
	out->host[dg_ip6_format(out->host, addr.u.ip6)] = '\0';
	out->numeric = true;
	return has_zone ? zone_parse(out, zone) : GOOD;
}

/* A host that ends like this is meant as an IPv4 address: the system's resolver would take 1.2.3,
 * 0x7f.1 and 010.0.0.1 as addresses that their writer did not mean. */
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
static enum problem name_of_host_parse(struct dgram_uri *out, struct span host)
{
	size_t label = 0; /* bytes of the one we are in */

	if (host.len > DGRAM_HOST_MAX)
		return BAD_HOST_LONG;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];

		if ((uint8_t)c > 0x7f)
			return BAD_HOST_ASCII;
		if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '-' && c != '_' &&
		    c != '.')
			return BAD_HOST_BYTE;
		if (c == '.' && label == 0)
			return BAD_HOST_PART;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return BAD_LABEL_LONG;
	}
	copy(out->host, host);
	return GOOD;
}

/* A host without brackets: an IPv4 address (with a zone where it is a group) or a name. */
static enum problem host_parse(struct dgram_uri *out, struct span host)
{
	uint8_t ip[4];
	struct span zone;
	bool has_zone;

	host = cut(host, '%', &zone, &has_zone);
	if (has_zone && out->scheme != DGRAM_SCHEME_GROUP)
		return BAD_HOST_ZONE;
	if (dg_ip4_parse(ip, host.at, host.len)) {
		ip4_store(out, ip);
		return has_zone ? zone_parse(out, zone) : GOOD;
	}
	if (host.len > 0 && all_digits(host))
		return BAD_HOST_NUMBER;
	if (ends_in_number(host))
		return BAD_IP4;
	if (out->scheme == DGRAM_SCHEME_GROUP)
		return BAD_GROUP_NAME;
	return name_of_host_parse(out, host);
}

/* HOST, HOST:PORT, :PORT and the same with [IPv6]. */
static enum problem authority_parse(struct dgram_uri *out, struct span text)
{
	bool bracket = starts_with(text, "["), found;
	struct span rest, port, host;
	enum problem problem;

	if (bracket) {
		host = cut((struct span){text.at + 1, text.len - 1}, ']', &rest, &found);
		if (!found)
			return BAD_BRACKET;
		if (cut(rest, ':', &port, &found).len > 0)
			return BAD_BRACKET_REST;
		problem = ip6_parse(out, host);
	} else {
		host = cut(text, ':', &port, &found);
		if (dg_text_until(port.at, port.len, ':') < port.len)
			return BAD_COLONS;
		problem = host_parse(out, host);
	}
	if (problem)
		return problem;
	return found ? port_parse(out, port) : GOOD;
}

static enum problem target_check(struct dgram_uri *out)
{
	if (out->host[0] == '\0')
		return BAD_NO_HOST;
	if (out->scheme == DGRAM_SCHEME_PEER)
		return GOOD;
	if (!out->has_port && out->scheme != DGRAM_SCHEME_DGRAM)
		return BAD_NO_PORT;
	if (out->has_port && out->port == 0)
		return BAD_PORT_0;
	if (!out->has_port)
		out->port = DGRAM_PORT;
	return GOOD;
}

static enum problem listen_check(const struct dgram_uri *out)
{
	if (out->scheme == DGRAM_SCHEME_PEER)
		return BAD_LISTEN_PEER;
	if (out->scheme == DGRAM_SCHEME_GROUP)
		return BAD_LISTEN_GROUP;
	if (out->name[0] != '\0')
		return BAD_LISTEN_NAME;
	if (!out->has_port)
		return BAD_LISTEN_PORT;
	return GOOD;
}

static enum problem bind_check(const struct dgram_uri *out)
{
	if (out->scheme != DGRAM_SCHEME_DGRAM && out->scheme != DGRAM_SCHEME_UNIX)
		return BAD_BIND_FORM;
	return out->name[0] == '\0' ? GOOD : BAD_BIND_FORM;
}

static enum problem use_check(struct dgram_uri *out, enum dgram_uri_use use)
{
	switch (use) {
	case DGRAM_URI_LISTEN:
		return listen_check(out);
	case DGRAM_URI_BIND:
		return bind_check(out);
	case DGRAM_URI_TARGET:
	default:
		return target_check(out);
	}
}

static enum problem parse(struct dgram_uri *out, const char *text, enum dgram_uri_use use)
{
	struct span all = {text, strlen(text)}, rest = all, name;
	enum problem problem;
	bool has_name;

	if (all.len == 0)
		return BAD_EMPTY;
	problem = bytes_check(all);
	if (problem == GOOD)
		problem = scheme_parse(out, &rest);
	if (problem)
		return problem;
	if (out->scheme == DGRAM_SCHEME_UNIX)
		return unix_parse(out, text, rest);
	rest = cut(rest, '/', &name, &has_name);
	if (has_name && out->scheme == DGRAM_SCHEME_UDP)
		return BAD_UDP_NAME;
	problem = out->scheme == DGRAM_SCHEME_PEER ? peer_parse(out, rest)
						   : authority_parse(out, rest);
	if (problem == GOOD && has_name)
		problem = name_parse(out, name);
	return problem ? problem : use_check(out, use);
}

int dgram_uri_parse(struct dgram_uri *out, const char *text, enum dgram_uri_use use,
		    const char **why)
{
	enum problem problem;

	memset(out, 0, sizeof *out);
	problem = parse(out, text, use);
	*why = problems[problem].sentence;
	return problems[problem].error;
}
