/* Addresses: what is accepted has one text, which gives the same address; and the system's own
 * parser accepts the same IP addresses as ours. */
#include "fuzz.h"

#include <arpa/inet.h>

#include <dgram/addr.h>
#include <dgram/error.h>

#include "base/ip.h"

/* The system writes the end of some IPv6 addresses as IPv4, we never do. */
static void check_format_against_the_system(int family, const uint8_t *ip)
{
	char ours[DG_IP6_TEXT_MAX + 1], theirs[INET6_ADDRSTRLEN];

	ours[family == AF_INET ? dg_ip4_format(ours, ip) : dg_ip6_format(ours, ip)] = '\0';
	FUZZ_CHECK(inet_ntop(family, ip, theirs, sizeof theirs));
	if (family == AF_INET || !strchr(theirs, '.'))
		FUZZ_CHECK(strcmp(ours, theirs) == 0);
}

static void check_against_the_system(const char *text)
{
	uint8_t ours[16], theirs[16];
	size_t len = strlen(text);

	FUZZ_CHECK(dg_ip4_parse(ours, text, len) == (inet_pton(AF_INET, text, theirs) == 1));
	if (dg_ip4_parse(ours, text, len)) {
		FUZZ_CHECK(memcmp(ours, theirs, 4) == 0);
		check_format_against_the_system(AF_INET, ours);
	}
	FUZZ_CHECK(dg_ip6_parse(ours, text, len) == (inet_pton(AF_INET6, text, theirs) == 1));
	if (dg_ip6_parse(ours, text, len)) {
		FUZZ_CHECK(memcmp(ours, theirs, 16) == 0);
		check_format_against_the_system(AF_INET6, ours);
	}
}

/* Into a buffer of size bytes, which may be too short. */
static void check_cut(const struct dgram_addr *addr, const char *whole, size_t size)
{
	char *cut = malloc(size);

	FUZZ_CHECK(cut && strlen(dgram_addr_format(addr, cut, size)) == size - 1);
	FUZZ_CHECK(memcmp(cut, whole, size - 1) == 0);
	free(cut);
}

static void check_formats(const struct dgram_addr *addr)
{
	static const uint8_t key[16] = {1};
	char text[DGRAM_ADDR_TEXT_MAX], again[DGRAM_ADDR_TEXT_MAX];
	struct dgram_addr back;
	size_t len;

	len = strlen(dgram_addr_format(addr, text, sizeof text));
	FUZZ_CHECK(dgram_addr_parse(&back, text) == 0);
	FUZZ_CHECK(dgram_addr_equal(addr, &back));
	FUZZ_CHECK(dgram_addr_hash(addr, key) == dgram_addr_hash(&back, key));
	FUZZ_CHECK(strcmp(text, dgram_addr_format(&back, again, sizeof again)) == 0);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
	check_cut(addr, text, 1);
	check_cut(addr, text, len / 2 + 1);
	check_cut(addr, text, len);
	check_cut(addr, text, len + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct dgram_addr addr;
	int rc = dgram_addr_parse(&addr, text);

	FUZZ_CHECK(rc == 0 || rc == DGRAM_ERR_ADDRESS || rc == DGRAM_ERR_PORT || rc == DGRAM_ERR_SIZE);
	if (rc == 0)
		check_formats(&addr);
	check_against_the_system(text);
	free(text);
	return 0;
}
