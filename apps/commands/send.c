#include "common/options.h"

static const struct argp_child children[] = {OPTIONS_GENERAL, {0}};
static const struct argp argp = {NULL, NULL, NULL, NULL, children, NULL, NULL};

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {0};
	int code = options_parse(self, argc, argv, &o);
	if (code != OPTIONS_GO_ON)
		return code;
	return fail(CODE_USAGE, "%s is not in this build yet", self->name);
}

const struct command send_command = {
	.name = "send",
	.group = "talk",
	.synopsis = "EP [TEXT]",
	.summary = "one message; exit 0: the peer or its kernel has it",
	.argp = &argp,
	.run = run,
};
