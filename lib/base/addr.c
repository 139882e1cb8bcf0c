#include <dgram/addr.h>

#include <dgram/error.h>

#include "base/hash.h"
#include "base/ip.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

static const char unix_prefix[] = "unix://";
#define UNIX_PREFIX_LEN (sizeof unix_prefix - 1)

static bool takes_zone(const struct dgram_addr *addr)
{
	return addr->family == DGRAM_IPV6 &&
	       (dgram_addr_is_link_local(addr) || dgram_addr_is_multicast(addr));
}

/* IPv6, with its zone if there is one: what stands between the brackets. */
static int ip6_parse(struct dgram_addr *addr, const char *text, size_t len)
{
	size_t host_len = dg_text_until(text, len, '%');
	bool has_zone = host_len < len;
	uint8_t ip[16];

	if (!dg_ip6_parse(ip, text, host_len))
		return DGRAM_ERR_ADDRESS;
	if (dg_ip6_is_mapped(ip)) {
		addr->family = DGRAM_IPV4;
		memcpy(addr->u.ip4, ip + 12, 4);
	} else {
		addr->family = DGRAM_IPV6;
		memcpy(addr->u.ip6, ip, 16);
	}
	if (!has_zone)
		return 0;
	if (!dg_text_number(&addr->zone, text + host_len + 1, len - host_len - 1, UINT32_MAX))
		return DGRAM_ERR_ADDRESS;
	return takes_zone(addr) && addr->zone > 0 ? 0 : DGRAM_ERR_ADDRESS;
}

static int ip4_parse(struct dgram_addr *addr, const char *text, size_t len)
{
	addr->family = DGRAM_IPV4;
	return dg_ip4_parse(addr->u.ip4, text, len) ? 0 : DGRAM_ERR_ADDRESS;
}

static int ip_parse(struct dgram_addr *addr, const char *text, size_t len)
{
	bool bracket = len > 0 && text[0] == '[';
	size_t host_len = dg_text_until(text, len, bracket ? ']' : ':');
	size_t rest = host_len + bracket; /* behind the host: a colon and the port */
	uint32_t port;
	int rc;

	if (rest > len)
		return DGRAM_ERR_ADDRESS;
	rc = bracket ? ip6_parse(addr, text + 1, host_len - 1) : ip4_parse(addr, text, host_len);
	if (rc)
		return rc;
	if (rest == len || text[rest] != ':' ||
	    !dg_text_number(&port, text + rest + 1, len - rest - 1, UINT16_MAX))
		return DGRAM_ERR_PORT;
	addr->port = (uint16_t)port;
	return 0;
}

/* One byte of a path, as itself or as \xNN: how many bytes of text it takes. 0: a control byte,
 * which only \xNN may stand for. */
static size_t path_byte(char *out, const char *text, size_t len)
{
	if (len >= 4 && text[0] == '\\' && text[1] == 'x' && dg_text_hex(text[2]) >= 0 &&
	    dg_text_hex(text[3]) >= 0) {
		*out = (char)(dg_text_hex(text[2]) << 4 | dg_text_hex(text[3]));
		return 4;
	}
	*out = text[0];
	return (uint8_t)text[0] >= 0x20 && text[0] != 0x7f;
}

static int path_parse(struct dgram_addr *addr, const char *text, size_t len)
{
	bool abstract = len > 0 && text[0] == '@';
	size_t n = abstract, taken;
	char byte;

	for (size_t at = abstract; at < len; at += taken) {
		taken = path_byte(&byte, text + at, len - at);
		if (taken == 0 || (byte == '\0' && !abstract))
			return DGRAM_ERR_ADDRESS;
		if (n == DGRAM_UNIX_PATH_MAX)
			return DGRAM_ERR_SIZE;
		addr->u.path[n++] = byte;
	}
	if (n == abstract)
		return DGRAM_ERR_ADDRESS;
	addr->family = DGRAM_UNIX;
	addr->path_len = (uint8_t)n;
	return 0;
}

int dgram_addr_parse(struct dgram_addr *out, const char *text)
{
	struct dgram_addr addr = {.family = DGRAM_FAMILY_NONE};
	size_t len = strlen(text);
	int rc;

	if (len >= UNIX_PREFIX_LEN && memcmp(text, unix_prefix, UNIX_PREFIX_LEN) == 0)
		rc = path_parse(&addr, text + UNIX_PREFIX_LEN, len - UNIX_PREFIX_LEN);
	else
		rc = ip_parse(&addr, text, len);
	if (rc == 0)
		*out = addr;
	return rc;
}

static size_t ip_format(char *out, const struct dgram_addr *addr)
{
	size_t n = 0;

	if (addr->family == DGRAM_IPV4) {
		n = dg_ip4_format(out, addr->u.ip4);
	} else {
		out[n++] = '[';
		n += dg_ip6_format(out + n, addr->u.ip6);
		if (addr->zone) {
			out[n++] = '%';
			n += dg_text_digits(out + n, addr->zone);
		}
		out[n++] = ']';
	}
	out[n++] = ':';
	return n + dg_text_digits(out + n, addr->port);
}

/* How many bytes of the path may stand as they are: 0 for what a terminal or a reader of UTF-8
 * would trip over, and for the backslash that marks those. */
static size_t plain_bytes(const uint8_t *path, size_t len)
{
	return path[0] == '\\' ? 0 : dg_utf8_shown(path, len);
}

static size_t escape_byte(char *out, uint8_t byte)
{
	static const char digit[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = 'x';
	out[2] = digit[byte >> 4];
	out[3] = digit[byte & 15];
	return 4;
}

static size_t path_format(char *out, const struct dgram_addr *addr)
{
	const uint8_t *path = (const uint8_t *)addr->u.path;
	size_t len = addr->path_len, at = 0, n = UNIX_PREFIX_LEN;

	memcpy(out, unix_prefix, UNIX_PREFIX_LEN);
	if (len > 0 && path[0] == '\0') {
		out[n++] = '@';
		at++;
	} else if (len > 0 && path[0] == '@') { /* a file of this name is not an abstract one */
		n += escape_byte(out + n, path[at++]);
	}
	while (at < len) {
		size_t plain = plain_bytes(path + at, len - at);

		memcpy(out + n, path + at, plain);
		n += plain;
		at += plain;
		if (plain == 0)
			n += escape_byte(out + n, path[at++]);
	}
	return n;
}

char *dgram_addr_format(const struct dgram_addr *addr, char *buf, size_t size)
{
	char text[DGRAM_ADDR_TEXT_MAX];
	size_t len = 1;

	text[0] = '-';
	if (addr->family == DGRAM_IPV4 || addr->family == DGRAM_IPV6)
		len = ip_format(text, addr);
	else if (addr->family == DGRAM_UNIX)
		len = path_format(text, addr);
	if (size == 0)
		return buf;
	if (len > size - 1)
		len = size - 1;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return buf;
}

#define FLAT_MAX (7 + DGRAM_UNIX_PATH_MAX + 1)

/* Everything that makes an address itself, and nothing else of the struct, as bytes: the one place
 * that says what equal means. Returns how many. */
static size_t flatten(uint8_t out[FLAT_MAX], const struct dgram_addr *addr)
{
	const size_t host[] = {
		[DGRAM_FAMILY_NONE] = 0,
		[DGRAM_IPV4] = sizeof addr->u.ip4,
		[DGRAM_IPV6] = sizeof addr->u.ip6,
		[DGRAM_UNIX] = addr->path_len,
	};

	out[0] = addr->family;
	for (int i = 0; i < 2; i++)
		out[1 + i] = (uint8_t)(addr->port >> 8 * i);
	for (int i = 0; i < 4; i++)
		out[3 + i] = (uint8_t)(addr->zone >> 8 * i);
	memcpy(out + 7, &addr->u, host[addr->family]);
	return 7 + host[addr->family];
}

bool dgram_addr_equal(const struct dgram_addr *a, const struct dgram_addr *b)
{
	uint8_t x[FLAT_MAX], y[FLAT_MAX];
	size_t len = flatten(x, a);

	return flatten(y, b) == len && memcmp(x, y, len) == 0;
}

uint64_t dgram_addr_hash(const struct dgram_addr *addr, const uint8_t key[16])
{
	uint8_t flat[FLAT_MAX];
	size_t len = flatten(flat, addr);

	return dg_hash_fast(key, flat, len);
}

/* The address starts with these bits. */
static bool in_net(const struct dgram_addr *addr, enum dgram_family family, const uint8_t *prefix,
		   unsigned int bits)
{
	const uint8_t *ip = family == DGRAM_IPV4 ? addr->u.ip4 : addr->u.ip6;
	size_t whole = bits / 8;
	unsigned int mask = 0xff00u >> bits % 8 & 0xff;

	if (addr->family != family || memcmp(ip, prefix, whole) != 0)
		return false;
	return mask == 0 || ((ip[whole] ^ prefix[whole]) & mask) == 0;
}

#define IN_NET4(addr, bits, ...) in_net(addr, DGRAM_IPV4, (const uint8_t[4]){__VA_ARGS__}, bits)
#define IN_NET6(addr, bits, ...) in_net(addr, DGRAM_IPV6, (const uint8_t[16]){__VA_ARGS__}, bits)

bool dgram_addr_is_any(const struct dgram_addr *addr)
{
	return IN_NET4(addr, 32, 0) || IN_NET6(addr, 128, 0);
}

bool dgram_addr_is_loopback(const struct dgram_addr *addr)
{
	return addr->family == DGRAM_UNIX || IN_NET4(addr, 8, 127) || IN_NET6(addr, 128, [15] = 1);
}

bool dgram_addr_is_multicast(const struct dgram_addr *addr)
{
	return IN_NET4(addr, 4, 224) || IN_NET6(addr, 8, 0xff);
}

bool dgram_addr_is_broadcast(const struct dgram_addr *addr)
{
	return IN_NET4(addr, 32, 255, 255, 255, 255);
}

/* IPv6 multicast is link-local by the scope in its second byte, whatever its flags: ff02::1 and
 * ff12::2472 (RFC 4291, section 2.7). */
bool dgram_addr_is_link_local(const struct dgram_addr *addr)
{
	return IN_NET4(addr, 16, 169, 254) || IN_NET6(addr, 10, 0xfe, 0x80) ||
	       (IN_NET6(addr, 8, 0xff) && (addr->u.ip6[1] & 0x0f) == 2);
}

bool dgram_addr_is_private(const struct dgram_addr *addr)
{
	return IN_NET4(addr, 8, 10) || IN_NET4(addr, 12, 172, 16) || IN_NET4(addr, 16, 192, 168) ||
	       IN_NET6(addr, 7, 0xfc) || dgram_addr_is_link_local(addr) ||
	       dgram_addr_is_multicast(addr);
}
