/* dgram.c - the table of commands, and the way from argv to one of them. */
#include "common/command.h"
#include "common/exit.h"
#include "common/output.h"
#include "common/say.h"
#include "common/usage.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
        &request_command,    &send_command,   &ping_command,    &peer_command,
        &respond_command,    &listen_command, &stream_command,  &relay_command,
        &trace_command,      &completion_command, &help_command,  &version_command,
        NULL,
};

#define COMMANDS_MAX (sizeof(commands) / sizeof(commands[0]))

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_word(const char *word)
{
	const char *names[COMMANDS_MAX];
	size_t count = 0;
	for (; commands[count] != NULL; count++)
		names[count] = commands[count]->name;
	const char *nearest = usage_nearest(word, names, count);
	if (nearest != NULL)
		say_error("no command '%s'; did you mean '%s'?", word, nearest);
	else
		say_error("no command '%s'; 'dgram help' lists them", word);
	return CODE_USAGE;
}

static int top_level_option(const char *word)
{
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return usage_list(STDOUT_FILENO);
	if (strcmp(word, "--version") == 0)
		return usage_version();
	say_error("no option '%s' before a command; 'dgram help' lists the commands", word);
	return CODE_USAGE;
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		usage_list(STDERR_FILENO);
		return CODE_USAGE;
	}
	if (argv[1][0] == '-')
		return top_level_option(argv[1]);
	const struct command *command = command_find(argv[1]);
	if (command == NULL)
		return unknown_word(argv[1]);
	static char name[] = "dgram";
	argv[1] = name; /* what getopt's sentences begin with */
	return command->run(command, argc - 1, argv + 1);
}

/* A descriptor that was closed before us would become a socket's: what we print would go to the
 * peer. So reading stdin and writing stdout are then the errors that they should be. */
static void open_missing_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) < 0)
			return;
}

int main(int argc, char **argv)
{
	open_missing_descriptors();
	int code = run(argc, argv);
	int written = output_flush();
	exit_with(code == 0 || written == CODE_PIPE ? written : code);
}
