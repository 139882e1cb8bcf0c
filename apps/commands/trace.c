/* trace.c - the files that --trace wrote, as a ladder. */
#include "common/ladder.h"
#include "common/options.h"
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS     80 /* where stdout is no terminal */
#define COLUMNS_MIN 40
#define COLUMNS_MAX 132

static const struct argp_child children[] = {OPTIONS_GENERAL, {0}};
static const struct argp argp = {NULL, NULL, NULL, NULL, children, NULL, NULL};

static int width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS;
	return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col > COLUMNS_MAX ? COLUMNS_MAX : size.ws_col;
}

static int draw(const struct options *o)
{
	struct passages here = {.count = 0}, there = {.count = 0};
	bool both = o->word_count == 2;
	int code = passages_read(&here, o->words[0]);

	if (code == 0 && both)
		code = passages_read(&there, o->words[1]);
	if (code == 0 && both)
		code = ladder_match(&here, &there);
	if (code == 0)
		code = ladder_draw(&here, both ? &there : NULL, width(), o->color);
	passages_free(&here);
	passages_free(&there);
	return code;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {0};
	struct output output;
	int code = options_parse(self, argc, argv, &o);

	if (code != OPTIONS_GO_ON)
		return code;
	if (o.word_count < 1 || o.word_count > 2)
		return fail_usage(self->name, o.word_count == 0 ? "a file is missing: one that --trace wrote"
								: "two files at most: those of both ends");
	output_open(&output, PRINT_TEXT);
	return draw(&o);
}

const struct command trace_command = {
	.name = "trace",
	.group = "look",
	.synopsis = "FILE [FILE]",
	.summary = "what happened on the wire, as a ladder",
	.about = "FILE was written by --trace of another command, here or on another machine; - is stdin. The left rail is "
		 "who wrote it, the right one its peer, with a ladder for each peer. Between them is each datagram with what "
		 "it carried, and what was decided.\n\n"
		 "With the files of both ends, the client's first, what did not arrive ends in an X. Their clocks need not "
		 "agree: datagrams in both directions tell by how much they differ.",
	.examples = "  dgram request --trace t 127.0.0.1:7400/time && dgram trace t\n"
		    "  dgram trace client.json server.json | less -R\n",
	.argp = &argp,
	.run = run,
};
