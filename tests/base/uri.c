#include <dgram/uri.h>

#include <dgram/error.h>

#include <stdio.h>
#include <string.h>

#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define S8       "ssssssss"
#define S63      S8 S8 S8 S8 S8 S8 S8 "sssssss"

/* A uri's parts in one line: scheme|host|%zone|:port|/name, with '#' before a numeric host and '*'
 * after a port that was not written. */
static const char *parts(const struct dgram_uri *uri)
{
	static char line[512];
	char address[DGRAM_ADDR_TEXT_MAX];

	if (uri->scheme == DGRAM_SCHEME_UNIX)
		return dgram_addr_format(&uri->unix_addr, line, sizeof line);
	snprintf(line, sizeof line, "%s|%s%s|%s|%u%s|%s", dgram_scheme_name(uri->scheme),
		 uri->numeric ? "#" : "", uri->host, uri->zone, uri->port, uri->has_port ? "" : "*",
		 uri->name);
	dgram_addr_format(&uri->unix_addr, address, sizeof address);
	assert_string_equal(address, "-");
	return line;
}

struct row {
	const char *text, *parts;
};

static void check_rows(enum dgram_uri_use use, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dgram_uri uri;
		const char *why = NULL;

		if (dgram_uri_parse(&uri, row[i].text, use, &why) != 0)
			fail_msg("'%s': %s", row[i].text, why);
		assert_string_equal(parts(&uri), row[i].parts);
	}
}

static void a_target_is_taken_apart(void **state)
{
	static const struct row row[] = {
		{"127.0.0.1:7400", "|#127.0.0.1||7400|"},
		{"127.0.0.1:7400/time", "|#127.0.0.1||7400|time"},
		{"127.0.0.1/time", "|#127.0.0.1||24726*|time"},
		{"127.0.0.1", "|#127.0.0.1||24726*|"},
		{"localhost", "|localhost||24726*|"},
		{"localhost:1", "|localhost||1|"},
		{"host/a.b-c_d.0", "|host||24726*|a.b-c_d.0"},
		{"AZaz.Example09:65535/az09", "|AZaz.Example09||65535|az09"},
		{"host.example.:9", "|host.example.||9|"},
		{"a_b-c.d9:9", "|a_b-c.d9||9|"},
		{"xn--fiqs8s:9", "|xn--fiqs8s||9|"},
		{"1and1.example:9", "|1and1.example||9|"},
		{"0xfg:9", "|0xfg||9|"},
		{"[::1]", "|#::1||24726*|"},
		{"[::1]/n", "|#::1||24726*|n"},
		{"[::1]:9/n", "|#::1||9|n"},
		{"[fe80::1]:9", "|#fe80::1||9|"}, /* that a zone is missing is seen where interfaces are known */
		{"[fe80::1%eth0]:9", "|#fe80::1|eth0|9|"},
		{"[FE80:0::01%2]:9/n", "|#fe80::1|2|9|n"},
		{"[fe80::1%wlp0s20f0u1.100]:9", "|#fe80::1|wlp0s20f0u1.100|9|"}, /* the longest */
		{"[::ffff:192.0.2.1]:9", "|#192.0.2.1||9|"},
		{"@peer", "@|peer||0*|"},
		{"@peer/name", "@|peer||0*|name"},
		{"@Anna.B-1", "@|Anna.B-1||0*|"},
		{"@\xe5\xbc\xa0\xe4\xb8\x89", "@|\xe5\xbc\xa0\xe4\xb8\x89||0*|"},
		{"@" S63, "@|" S63 "||0*|"},
		{"udp://127.0.0.1:9", "udp|#127.0.0.1||9|"},
		{"udp://[::1]:9", "udp|#::1||9|"},
		{"udp://[ff02::1%eth0]:9", "udp|#ff02::1|eth0|9|"},
		{"udp://host:9", "udp|host||9|"},
		{"udp://255.255.255.255:9", "udp|#255.255.255.255||9|"},
		{"tcp://host:9", "tcp|host||9|"},
		{"tcp://host:9/n", "tcp|host||9|n"},
		{"tcp://[::1]:9/n", "tcp|#::1||9|n"},
		{"group://239.255.24.72:24726", "group|#239.255.24.72||24726|"},
		{"group://239.255.24.72%eth0:24726/n", "group|#239.255.24.72|eth0|24726|n"},
		{"group://[ff12::2472%eth0]:24726/n", "group|#ff12::2472|eth0|24726|n"},
		{"unix:///run/x", "unix:///run/x"},
		{"unix://x", "unix://x"},
		{"unix:///a b/c", "unix:///a b/c"},
		{"unix:///a%b:c/d", "unix:///a%b:c/d"},
		{"unix://@name", "unix://@name"},
		{"unix:///\\x0a", "unix:///\\x0a"},
		{"udphost:9", "|udphost||9|"},
		{"h/" S63 "s", "|h||24726*|" S63 "s"},
	};

	(void)state;
	check_rows(DGRAM_URI_TARGET, row, COUNT(row));
}

static void a_listener_may_leave_the_host_out(void **state)
{
	static const struct row row[] = {
		{":7400", "|||7400|"},
		{":0", "|||0|"},
		{"127.0.0.1:0", "|#127.0.0.1||0|"},
		{"[::1]:7400", "|#::1||7400|"},
		{"[::]:0", "|#::||0|"},
		{"[fe80::1%eth0]:9", "|#fe80::1|eth0|9|"},
		{"localhost:7400", "|localhost||7400|"},
		{"udp://:7400", "udp|||7400|"},
		{"udp://:0", "udp|||0|"},
		{"udp://[::1]:7400", "udp|#::1||7400|"},
		{"udp://239.255.255.250:1900", "udp|#239.255.255.250||1900|"},
		{"tcp://:8088", "tcp|||8088|"},
		{"tcp://127.0.0.1:0", "tcp|#127.0.0.1||0|"},
		{"unix:///run/x", "unix:///run/x"},
		{"unix://@name", "unix://@name"},
	};

	(void)state;
	check_rows(DGRAM_URI_LISTEN, row, COUNT(row));
}

static void a_client_binds_an_address_a_port_or_both(void **state)
{
	static const struct row row[] = {
		{":7400", "|||7400|"},
		{":0", "|||0|"},
		{"127.0.0.2", "|#127.0.0.2||0*|"},
		{"127.0.0.2:7400", "|#127.0.0.2||7400|"},
		{"[::1]", "|#::1||0*|"},
		{"[::1]:0", "|#::1||0|"},
		{"localhost", "|localhost||0*|"},
		{"unix:///run/x", "unix:///run/x"},
	};

	(void)state;
	check_rows(DGRAM_URI_BIND, row, COUNT(row));
}

/* Each says which sentence it gets, by a part of it. */
struct refusal {
	const char *text;
	int error;
	const char *why;
};

static void check_refusals(enum dgram_uri_use use, const struct refusal *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dgram_uri uri;
		const char *why = NULL;
		int rc = dgram_uri_parse(&uri, row[i].text, use, &why);

		if (rc != row[i].error || !why || !strstr(why, row[i].why))
			fail_msg("'%s': %d, %s", row[i].text, rc, why ? why : "no sentence");
	}
}

static void what_is_no_endpoint_is_told_what_is_wrong(void **state)
{
	static const struct refusal row[] = {
		{"", DGRAM_ERR_ADDRESS, "an empty endpoint"},
		{" ", DGRAM_ERR_ADDRESS, "a blank"},
		{"127.0.0.1 :9", DGRAM_ERR_ADDRESS, "a blank"},
		{" udp://h:9", DGRAM_ERR_ADDRESS, "a blank"},
		{"h:9/a b", DGRAM_ERR_ADDRESS, "a blank"},
		{"@a b", DGRAM_ERR_ADDRESS, "a blank"},
		{"h:9\n", DGRAM_ERR_ADDRESS, "a control character"},
		{"h\t:9", DGRAM_ERR_ADDRESS, "a control character"},
		{"h:9\x7f", DGRAM_ERR_ADDRESS, "a control character"},
		{"unix:///a\nb", DGRAM_ERR_ADDRESS, "a control character"},
		{"@a\x1b", DGRAM_ERR_ADDRESS, "a control character"},
		/* schemes */
		{"http://h:9", DGRAM_ERR_ADDRESS, "unknown scheme"},
		{"UDP://h:9", DGRAM_ERR_ADDRESS, "unknown scheme"},
		{"ud://h:9", DGRAM_ERR_ADDRESS, "unknown scheme"},
		{"udpx://h:9", DGRAM_ERR_ADDRESS, "unknown scheme"},
		{"://h:9", DGRAM_ERR_ADDRESS, "unknown scheme"},
		{"udp:h:9", DGRAM_ERR_ADDRESS, "two slashes"},
		{"udp:/h:9", DGRAM_ERR_ADDRESS, "two slashes"},
		{"udp:9", DGRAM_ERR_ADDRESS, "two slashes"},
		{"tcp:h:9", DGRAM_ERR_ADDRESS, "two slashes"},
		{"unix:/run/x", DGRAM_ERR_ADDRESS, "two slashes"},
		{"unix:", DGRAM_ERR_ADDRESS, "two slashes"},
		{"group:239.1.2.3:9", DGRAM_ERR_ADDRESS, "two slashes"},
		/* hosts */
		{":9", DGRAM_ERR_ADDRESS, "no host"},
		{"/n", DGRAM_ERR_ADDRESS, "no host"},
		{"udp://", DGRAM_ERR_ADDRESS, "no host"},
		{"udp://:9", DGRAM_ERR_ADDRESS, "no host"},
		{"7400", DGRAM_ERR_ADDRESS, "a number alone"},
		{"7400:7400", DGRAM_ERR_ADDRESS, "a number alone"},
		{"udp://2130706433:9", DGRAM_ERR_ADDRESS, "a number alone"},
		{"1.2.3:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"1.2.3.4.5:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"1.2.3.4.:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"010.0.0.1:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"256.1.1.1:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"host.1:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"0x7f.1:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"0x7f000001:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"1.0X2:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"0x:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"0x0:9", DGRAM_ERR_ADDRESS, "not an IPv4 address"},
		{"::1", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"::1:7400", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"fe80::1%eth0", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"udp://2001:db8::1:9", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"h:9:9", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"[", DGRAM_ERR_ADDRESS, "']' is missing"},
		{"[::1", DGRAM_ERR_ADDRESS, "']' is missing"},
		{"[::1:9/n", DGRAM_ERR_ADDRESS, "']' is missing"},
		{"[::1]9", DGRAM_ERR_ADDRESS, "can follow ']'"},
		{"[::1]]:9", DGRAM_ERR_ADDRESS, "can follow ']'"},
		{"[]:9", DGRAM_ERR_ADDRESS, "no IPv6 address"},
		{"[h]:9", DGRAM_ERR_ADDRESS, "no IPv6 address"},
		{"[::1::]:9", DGRAM_ERR_ADDRESS, "no IPv6 address"},
		{"[%eth0]:9", DGRAM_ERR_ADDRESS, "no IPv6 address"},
		{"[127.0.0.1]:9", DGRAM_ERR_ADDRESS, "brackets are for IPv6"},
		{"[::1%lo]:9", DGRAM_ERR_ADDRESS, "only a link-local or group address has a zone"},
		{"[::ffff:1.2.3.4%lo]:9", DGRAM_ERR_ADDRESS, "only a link-local or group address"},
		{"[fe80::1%]:9", DGRAM_ERR_ADDRESS, "nothing after '%'"},
		{"[fe80::1%a%b]:9", DGRAM_ERR_ADDRESS, "no interface's name"},
		{"[fe80::1%[a]:9", DGRAM_ERR_ADDRESS, "no interface's name"},
		{"[fe80::1%sixteen.letters.]:9", DGRAM_ERR_SIZE, "at most 15 bytes"},
		{"h%eth0:9", DGRAM_ERR_ADDRESS, "a zone belongs to an IPv6 address"},
		{"127.0.0.1%lo:9", DGRAM_ERR_ADDRESS, "a zone belongs to an IPv6 address"},
		{"udp://239.1.2.3%lo:9", DGRAM_ERR_ADDRESS, "a zone belongs to an IPv6 address"},
		{"user@h:9", DGRAM_ERR_ADDRESS, "letters, digits"},
		{"h?x:9", DGRAM_ERR_ADDRESS, "letters, digits"},
		{"h\\x:9", DGRAM_ERR_ADDRESS, "letters, digits"},
		{"a]:9", DGRAM_ERR_ADDRESS, "letters, digits"},
		{"b\xc3\xbc.example:9", DGRAM_ERR_ADDRESS, "xn--"},
		{".h:9", DGRAM_ERR_ADDRESS, "is empty"},
		{".:9", DGRAM_ERR_ADDRESS, "is empty"},
		{"a..b:9", DGRAM_ERR_ADDRESS, "is empty"},
		{"a..:9", DGRAM_ERR_ADDRESS, "is empty"},
		{S63 "s.x:9", DGRAM_ERR_SIZE, "at most 63 bytes"},
		{S63 "." S63 "." S63 "." S63 ":9", DGRAM_ERR_SIZE, "at most 253 bytes"},
		/* ports */
		{"udp://h", DGRAM_ERR_PORT, "no port"},
		{"udp://[::1]", DGRAM_ERR_PORT, "no port"},
		{"tcp://h/n", DGRAM_ERR_PORT, "no port"},
		{"group://239.1.2.3", DGRAM_ERR_PORT, "no port"},
		{"h:", DGRAM_ERR_PORT, "nothing after ':'"},
		{"h:/n", DGRAM_ERR_PORT, "nothing after ':'"},
		{"h:0", DGRAM_ERR_PORT, "port 0"},
		{"udp://[::1]:0", DGRAM_ERR_PORT, "port 0"},
		{"h:00", DGRAM_ERR_PORT, "begins with 0"},
		{"h:09", DGRAM_ERR_PORT, "begins with 0"},
		{"h:65536", DGRAM_ERR_PORT, "above 65535"},
		{"h:4294967305", DGRAM_ERR_PORT, "above 65535"},
		{"h:18446744073709551625", DGRAM_ERR_PORT, "above 65535"},
		{"h:-1", DGRAM_ERR_PORT, "not a number"},
		{"h:+9", DGRAM_ERR_PORT, "not a number"},
		{"h:9x", DGRAM_ERR_PORT, "not a number"},
		{"h:http", DGRAM_ERR_PORT, "not a number"},
		{"[::1]:9:9", DGRAM_ERR_PORT, "not a number"},
		/* names */
		{"h:9/", DGRAM_ERR_ADDRESS, "nothing after '/'"},
		{"h/", DGRAM_ERR_ADDRESS, "nothing after '/'"},
		{"@p/", DGRAM_ERR_ADDRESS, "nothing after '/'"},
		{"tcp://h:9/", DGRAM_ERR_ADDRESS, "nothing after '/'"},
		{"h:9/Time", DGRAM_ERR_ADDRESS, "capital letters"},
		{"h:9/aZ", DGRAM_ERR_ADDRESS, "capital letters"},
		{"h:9/A", DGRAM_ERR_ADDRESS, "capital letters"},
		{"h:9/a/b", DGRAM_ERR_ADDRESS, "made of a-z"},
		{"h:9/a?b", DGRAM_ERR_ADDRESS, "made of a-z"},
		{"h:9/\xe4\xb8\xad", DGRAM_ERR_ADDRESS, "made of a-z"},
		{"h:9/.a", DGRAM_ERR_ADDRESS, "part of the name is empty"},
		{"h:9/a.", DGRAM_ERR_ADDRESS, "part of the name is empty"},
		{"h:9/a..b", DGRAM_ERR_ADDRESS, "part of the name is empty"},
		{"h:9/.", DGRAM_ERR_ADDRESS, "part of the name is empty"},
		{"h:9/" S63 "ss", DGRAM_ERR_SIZE, "at most 64 bytes"},
		{"udp://h:9/n", DGRAM_ERR_ADDRESS, "udp:// ends with the port"},
		{"udp://h:9/", DGRAM_ERR_ADDRESS, "udp:// ends with the port"},
		/* peers, groups, paths */
		{"@", DGRAM_ERR_ADDRESS, "nothing after '@'"},
		{"@/n", DGRAM_ERR_ADDRESS, "nothing after '@'"},
		{"@p:9", DGRAM_ERR_ADDRESS, "by its name alone"},
		{"@p@q", DGRAM_ERR_ADDRESS, "by its name alone"},
		{"@\xff", DGRAM_ERR_ADDRESS, "not UTF-8"},
		{"@a\xc2\x9b", DGRAM_ERR_ADDRESS, "not UTF-8"},
		{"@" S63 "s", DGRAM_ERR_SIZE, "at most 63 bytes"},
		{"group://h:9", DGRAM_ERR_ADDRESS, "a group is an address"},
		{"group://239.1.2.3%:9", DGRAM_ERR_ADDRESS, "nothing after '%'"},
		{"unix://", DGRAM_ERR_ADDRESS, "nothing after unix://"},
		{"unix://@", DGRAM_ERR_ADDRESS, "nothing after unix://"},
		{"unix:///a\\x00", DGRAM_ERR_ADDRESS, "no NUL"},
		{"unix:///" S63 S63, DGRAM_ERR_SIZE, "at most 107 bytes"},
	};

	(void)state;
	check_refusals(DGRAM_URI_TARGET, row, COUNT(row));
}

static void a_listener_is_told_what_it_cannot_be(void **state)
{
	static const struct refusal row[] = {
		{"127.0.0.1", DGRAM_ERR_PORT, "no port to listen on"},
		{"[::1]", DGRAM_ERR_PORT, "no port to listen on"},
		{"udp://127.0.0.1", DGRAM_ERR_PORT, "no port to listen on"},
		{"udp://", DGRAM_ERR_PORT, "no port to listen on"},
		{"7400", DGRAM_ERR_ADDRESS, "written :PORT"},
		{":7400/n", DGRAM_ERR_ADDRESS, "a name cannot be listened on"},
		{"tcp://:7400/n", DGRAM_ERR_ADDRESS, "a name cannot be listened on"},
		{"@p", DGRAM_ERR_ADDRESS, "@PEER can only be sent to"},
		{"group://239.1.2.3:9", DGRAM_ERR_ADDRESS, "group:// can only be sent to"},
		{"", DGRAM_ERR_ADDRESS, "an empty endpoint"},
		{":", DGRAM_ERR_PORT, "nothing after ':'"},
		{":65536", DGRAM_ERR_PORT, "above 65535"},
		{"::", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"unix://", DGRAM_ERR_ADDRESS, "nothing after unix://"},
	};

	(void)state;
	check_refusals(DGRAM_URI_LISTEN, row, COUNT(row));
}

static void a_bind_address_is_told_what_it_cannot_be(void **state)
{
	static const struct refusal row[] = {
		{"udp://:9", DGRAM_ERR_ADDRESS, "an address to bind is"},
		{"@p", DGRAM_ERR_ADDRESS, "an address to bind is"},
		{"h:9/n", DGRAM_ERR_ADDRESS, "an address to bind is"},
		{"", DGRAM_ERR_ADDRESS, "an empty endpoint"},
		{":", DGRAM_ERR_PORT, "nothing after ':'"},
		{"::1", DGRAM_ERR_ADDRESS, "goes in brackets"},
		{"9000", DGRAM_ERR_ADDRESS, "written :PORT"},
		{"[::1", DGRAM_ERR_ADDRESS, "']' is missing"},
	};

	(void)state;
	check_refusals(DGRAM_URI_BIND, row, COUNT(row));
}

static void the_longest_host_fits(void **state)
{
	char text[300];
	struct dgram_uri uri;
	const char *why;

	(void)state;
	snprintf(text, sizeof text, "%s.%s.%s.%.61s:9", S63, S63, S63, S63);
	assert_int_equal(dgram_uri_parse(&uri, text, DGRAM_URI_TARGET, &why), 0);
	assert_int_equal(strlen(uri.host), DGRAM_HOST_MAX);
}

static void every_byte_gets_an_answer_at_every_place(void **state)
{
	static const char *const form[] = {
		"127.0.0.1:9/n", "[fe80::1%e]:9/n", "@p/n", "udp://h:9", "group://239.1.2.3%e:9", "unix://@x",
	};

	(void)state;
	for (size_t f = 0; f < COUNT(form); f++) {
		for (size_t at = 0; at < strlen(form[f]); at++) {
			for (int byte = 0; byte < 256; byte++) {
				char text[64];
				struct dgram_uri uri;
				const char *why = NULL;

				strcpy(text, form[f]);
				text[at] = (char)byte;
				if (dgram_uri_parse(&uri, text, DGRAM_URI_TARGET, &why) != 0)
					assert_non_null(why);
				else if (byte != 0)
					assert_false((byte < 0x20 || byte == 0x7f));
			}
		}
	}
}

static void a_scheme_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(dgram_scheme_name(DGRAM_SCHEME_DGRAM), "");
	assert_string_equal(dgram_scheme_name(DGRAM_SCHEME_PEER), "@");
	assert_string_equal(dgram_scheme_name(DGRAM_SCHEME_UDP), "udp");
	assert_string_equal(dgram_scheme_name(DGRAM_SCHEME_TCP), "tcp");
	assert_string_equal(dgram_scheme_name(DGRAM_SCHEME_UNIX), "unix");
	assert_string_equal(dgram_scheme_name(DGRAM_SCHEME_GROUP), "group");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_taken_apart),
		cmocka_unit_test(a_listener_may_leave_the_host_out),
		cmocka_unit_test(a_client_binds_an_address_a_port_or_both),
		cmocka_unit_test(what_is_no_endpoint_is_told_what_is_wrong),
		cmocka_unit_test(a_listener_is_told_what_it_cannot_be),
		cmocka_unit_test(a_bind_address_is_told_what_it_cannot_be),
		cmocka_unit_test(the_longest_host_fits),
		cmocka_unit_test(every_byte_gets_an_answer_at_every_place),
		cmocka_unit_test(a_scheme_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
