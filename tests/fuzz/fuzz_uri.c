/* Endpoints: a refusal has a sentence; the parts of what is accepted make an endpoint of the same
 * parts. The first byte says what it is used for. */
#include "fuzz.h"

#include <dgram/error.h>
#include <dgram/uri.h>

/* The canonical text of the parts. */
static void write_text(const struct dgram_uri *uri, char *out, size_t size)
{
	const char *scheme = dgram_scheme_name(uri->scheme);
	const char *slashes = strlen(scheme) > 1 ? "://" : "";
	int bracket = uri->scheme != DGRAM_SCHEME_PEER && strchr(uri->host, ':') != NULL;
	char port[8] = "";

	if (uri->scheme == DGRAM_SCHEME_UNIX) {
		dgram_addr_format(&uri->unix_addr, out, size);
		return;
	}
	if (uri->has_port)
		snprintf(port, sizeof port, ":%u", uri->port);
	snprintf(out, size, "%s%s%s%s%s%s%s%s%s%s", scheme, slashes, bracket ? "[" : "", uri->host,
		 uri->zone[0] ? "%" : "", uri->zone, bracket ? "]" : "", port, uri->name[0] ? "/" : "",
		 uri->name);
}

static void check_same(const struct dgram_uri *a, const struct dgram_uri *b)
{
	FUZZ_CHECK(a->scheme == b->scheme);
	FUZZ_CHECK(a->numeric == b->numeric);
	FUZZ_CHECK(a->has_port == b->has_port);
	FUZZ_CHECK(a->port == b->port);
	FUZZ_CHECK(strcmp(a->host, b->host) == 0);
	FUZZ_CHECK(strcmp(a->zone, b->zone) == 0);
	FUZZ_CHECK(strcmp(a->name, b->name) == 0);
	FUZZ_CHECK(dgram_addr_equal(&a->unix_addr, &b->unix_addr));
}

static void check_accepted(const struct dgram_uri *uri, enum dgram_uri_use use)
{
	char text[sizeof *uri + DGRAM_ADDR_TEXT_MAX];
	struct dgram_uri back;
	struct dgram_addr addr;
	const char *why = NULL;

	write_text(uri, text, sizeof text);
	FUZZ_CHECK(dgram_uri_parse(&back, text, use, &why) == 0);
	check_same(uri, &back);
	FUZZ_CHECK((uri->scheme == DGRAM_SCHEME_UNIX) == (uri->unix_addr.family == DGRAM_UNIX));
	FUZZ_CHECK(strlen(uri->host) <= DGRAM_HOST_MAX && strlen(uri->zone) <= DGRAM_ZONE_MAX);
	FUZZ_CHECK(strlen(uri->name) <= DGRAM_NAME_MAX);
	if (uri->scheme == DGRAM_SCHEME_PEER)
		FUZZ_CHECK(strlen(uri->host) <= DGRAM_PEER_MAX);
	if (use == DGRAM_URI_TARGET && uri->scheme != DGRAM_SCHEME_UNIX)
		FUZZ_CHECK(uri->host[0] != '\0' && (uri->scheme == DGRAM_SCHEME_PEER || uri->port > 0));
	if (uri->numeric && !uri->zone[0]) {
		snprintf(text, sizeof text, strchr(uri->host, ':') ? "[%s]:1" : "%s:1", uri->host);
		FUZZ_CHECK(dgram_addr_parse(&addr, text) == 0);
		FUZZ_CHECK(addr.family == (strchr(uri->host, ':') ? DGRAM_IPV6 : DGRAM_IPV4));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dgram_uri_use uses[] = {DGRAM_URI_TARGET, DGRAM_URI_LISTEN, DGRAM_URI_BIND};
	enum dgram_uri_use use;
	struct dgram_uri uri;
	const char *why = NULL;
	char *text;
	int rc;

	if (size == 0)
		return 0;
	use = uses[data[0] % 3];
	text = fuzz_text(data + 1, size - 1);
	rc = dgram_uri_parse(&uri, text, use, &why);
	if (rc == 0) {
		check_accepted(&uri, use);
	} else {
		FUZZ_CHECK(rc == DGRAM_ERR_ADDRESS || rc == DGRAM_ERR_PORT || rc == DGRAM_ERR_SIZE);
		FUZZ_CHECK(why && why[0]);
	}
	free(text);
	return 0;
}
