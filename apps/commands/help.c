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
	char left[32];
	for (size_t i = 0; i < exit_row_count; i++) {
		snprintf(left, sizeof(left), "%3d  %-11s  ", exit_rows[i].code, exit_rows[i].name);
		usage_row(left, exit_rows[i].text);
	}
	return output_stdio();
}

/* clang-format off */
static int endpoints(void)
{
	return output_line(
		"HOST:PORT[/NAME]      the dgram protocol: a request runs once at most and its\n"
		"                      outcome is told truly; :PORT may be left out (24726),\n"
		"                      NAME is what is asked for. HOST is a name, 192.0.2.1 or\n"
		"                      [2001:db8::1]; a link-local one has its zone:\n"
		"                      [fe80::1%eth0]\n"
		"udp://HOST:PORT       plain UDP, exactly your bytes, for whoever does not speak\n"
		"                      dgram\n"
		"udp://239.1.2.3:PORT  a multicast or broadcast address: to and from everybody\n"
		"                      there\n"
		"unix:///run/x.sock    a UNIX datagram socket (in stream: a stream socket)\n"
		"unix://@name          the same in Linux's abstract namespace, without a file\n"
		"tcp://HOST:PORT[/NAME]  the dgram protocol over TCP, where UDP does not get\n"
		"                      through; in stream: a byte stream as it is\n"
		"\n"
		"where a command listens the address may be left out: :7400 and udp://:7400 are\n"
		"every address of this machine, IPv4 and IPv6; port 0 picks a free one, which is\n"
		"printed.");
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
		"message   from, payload                a message came, or a plain datagram\n"
		"reply     from, payload, tries, rtt_us an answer; rtt_us from the last try\n"
		"pong      from, seq, rtt_us, sent,     a ping was answered; of what was sent in\n"
		"          received                     its session the peer received so many\n"
		"sent      to, len                      the peer has it (plain: the kernel has)\n"
		"error     code, name, reason           as the exit code (dgram help exit-codes)\n"
		"summary   counts                       at the end of a long-running command\n"
		"\n"
		"on the dgram protocol message, reply and sent have id, which is the same at\n"
		"both ends (DGRAM_ID of a handler) and never comes twice, and name where there\n"
		"is one; message has kind (send, post); reply has status (0, or the failure's\n"
		"code) and service_us, the time that the handler took; rtt_us is without it.\n"
		"over TCP reply and sent have over, which is tcp.\n"
		"what a plain respond does not answer is an error with its rule (low_port, rate,\n"
		"growth).\n"
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
	if (o.word_count > 1)
		return fail_usage(self->name, "one command or topic at a time: '%s' is another", o.words[1]);
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
