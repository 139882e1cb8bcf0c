/* help.c - the list, a command's full help, or a topic. */
#include "common/options.h"
#include "common/usage.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct argp_child children[] = {OPTIONS_GENERAL, {0}};
static const struct argp argp = {NULL, NULL, NULL, NULL, children, NULL, NULL};

static int exit_codes(void)
{
	char line[160];
	int code = 0;
	for (size_t i = 0; i < exit_row_count && code == 0; i++) {
		snprintf(line, sizeof(line), "%3d  %-11s  %s", exit_rows[i].code, exit_rows[i].name,
		         exit_rows[i].text);
		code = output_line(line);
	}
	return code;
}

/* clang-format off */
static int endpoints(void)
{
	return output_line(
		"udp://HOST:PORT       plain UDP, exactly your bytes; HOST is a name, 192.0.2.1 or\n"
		"                      [2001:db8::1]; a link-local one has its zone: [fe80::1%eth0]\n"
		"udp://239.1.2.3:PORT  a multicast or broadcast address: to and from everybody there\n"
		"unix:///run/x.sock    a UNIX datagram socket (in stream: a stream socket)\n"
		"unix://@name          the same in Linux's abstract namespace, without a file\n"
		"tcp://HOST:PORT       in stream: a byte stream\n"
		"\n"
		"where a command listens the address may be left out: udp://:7400 is every address of\n"
		"this machine, IPv4 and IPv6; port 0 picks a free one, which is printed.\n"
		"\n"
		"HOST:PORT without a scheme means the dgram protocol, which this version does not\n"
		"have yet; for plain UDP write udp://HOST:PORT.");
}

static int json(void)
{
	return output_line(
		"--json prints one object per line on stdout; keys are only ever added.\n"
		"\n"
		"always    v (1), t (UTC, milliseconds), ev\n"
		"payload   len and text, or b64 where the bytes are no UTF-8\n"
		"\n"
		"listening local                        a command listens there\n"
		"message   from, payload                a datagram came\n"
		"reply     from, payload, tries, rtt_us an answer; rtt_us from the last try\n"
		"sent      to, len                      the kernel took it\n"
		"error     code, name, reason           as the exit code (dgram help exit-codes)\n"
		"summary   counts                       at the end of a long-running command\n"
		"\n"
		"with --lines and -0 reply, sent and error have line, counted from 1.\n"
		"\n"
		"  {\"v\":1,\"t\":\"2026-11-22T09:20:35.769Z\",\"ev\":\"reply\",\"from\":\"127.0.0.1:7400\",\n"
		"   \"len\":7,\"text\":\"echo:hi\",\"tries\":1,\"rtt_us\":112}");
}
/* clang-format on */

static const struct {
	const char *name;
	int (*print)(void);
} topics[] = {
        {"exit-codes", exit_codes},
        {"endpoints", endpoints},
        {"json", json},
};

#define TOPICS (sizeof(topics) / sizeof(topics[0]))

static int unknown_topic(const char *word)
{
	const char *names[32];
	size_t count = 0;
	for (; count < TOPICS; count++)
		names[count] = topics[count].name;
	for (size_t i = 0; commands[i] != NULL && count < 32; i++)
		names[count++] = commands[i]->name;
	const char *nearest = usage_nearest(word, names, count);
	if (nearest != NULL)
		return fail(CODE_USAGE, "no help on '%s'; did you mean '%s'?", word, nearest);
	return fail(
	        CODE_USAGE,
	        "no help on '%s'; there is help on each command and on exit-codes, endpoints, json",
	        word);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {0};
	int code = options_parse(self, argc, argv, &o);
	if (code != OPTIONS_GO_ON)
		return code;
	struct output output;
	output_open(&output, PRINT_TEXT);
	if (o.word_count == 0)
		return usage_list(STDOUT_FILENO);
	const struct command *command = command_find(o.words[0]);
	if (command != NULL)
		return usage_full(command);
	for (size_t i = 0; i < TOPICS; i++)
		if (strcmp(topics[i].name, o.words[0]) == 0)
			return topics[i].print();
	return unknown_topic(o.words[0]);
}

const struct command help_command = {
        .name = "help",
        .group = "set up",
        .synopsis = "[COMMAND|TOPIC]",
        .summary = "this list, a command, a topic",
        .examples = "  dgram help request\n  dgram help exit-codes\n",
        .argp = &argp,
        .run = run,
};
