/* version.c - the version, what is built in, and what this kernel can do for us. */
#define _GNU_SOURCE
#include "common/json.h"
#include "common/options.h"
#include <dgram/socket.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/utsname.h>

static const struct argp_child children[] = {OPTIONS_JSON, OPTIONS_GENERAL, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)key, (void)arg, (void)state;
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {NULL, parse, NULL, NULL, children, NULL, NULL};

struct facts {
	char system[3 * 65 + 3];
	bool ipv6, error_queue;
};

static struct facts look(void)
{
	struct facts f = {.system = "?"};
	struct utsname u;
	struct dgram_socket s;
	if (uname(&u) == 0)
		snprintf(f.system, sizeof(f.system), "%s %s %s", u.sysname, u.release, u.machine);
	if (dgram_socket_open(&s, DGRAM_IPV6, NULL) == 0) {
		f.ipv6 = true;
		dgram_socket_close(&s);
	}
	if (dgram_socket_open(&s, DGRAM_IPV4, NULL) == 0) {
		f.error_queue = s.error_queue;
		dgram_socket_close(&s);
	}
	return f;
}

static int print_json(const struct facts *f)
{
	json_t *event = json_event("version");
	json_object_set_new(event, "version", json_string(DGRAM_VERSION));
	json_object_set_new(event, "system", json_string(f->system));
	json_object_set_new(event, "jansson", json_string(jansson_version_str()));
	json_object_set_new(event, "libsodium", json_null());
	json_object_set_new(event, "libedit", json_null());
	json_object_set_new(event, "ipv6", json_boolean(f->ipv6));
	json_object_set_new(event, "error_queue", json_boolean(f->error_queue));
	return json_write(event);
}

static int print_text(const struct facts *f)
{
	char text[512];
	snprintf(text, sizeof(text),
	         "dgram " DGRAM_VERSION "\n"
	         "system       %s\n"
	         "jansson      %s\n"
	         "libsodium    no (no keys)\n"
	         "libedit      no\n"
	         "ipv6         %s\n"
	         "error queue  %s",
	         f->system, jansson_version_str(), f->ipv6 ? "yes" : "no",
	         f->error_queue ? "yes (refusals are told apart by destination)" : "no");
	return output_line(text);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {0};
	struct output output;
	int code = options_parse(self, argc, argv, &o);
	if (code != OPTIONS_GO_ON)
		return code;
	if (o.word_count > 0)
		return fail_usage(self->name, "'%s' is one word too many", o.words[0]);
	output_open(&output, PRINT_TEXT);
	struct facts f = look();
	return o.json ? print_json(&f) : print_text(&f);
}

const struct command version_command = {
        .name = "version",
        .group = "set up",
        .synopsis = "",
        .summary = "the version and what is built in",
        .examples = "  dgram version\n  dgram version --json\n",
        .argp = &argp,
        .run = run,
};
