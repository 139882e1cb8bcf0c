#define _GNU_SOURCE
#include "usage.h"
#include "exit.h"
#include "options.h"
#include <dgram/dgram.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A page being written: text that wraps at the width of the terminal. */
struct page {
	FILE *out;
	size_t width;
	bool brief;
};

static size_t width_of(int fd)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < 40 ? 40 : size.ws_col > 100 ? 100 : size.ws_col;
}

/* Writes text word by word from column, further lines from indent. */
static void wrap(const struct page *p, const char *text, size_t column, size_t indent)
{
	while (*text != '\0') {
		size_t word = strcspn(text, " \n");
		if (column + word > p->width && column > indent) {
			fprintf(p->out, "\n%*s", (int)indent, "");
			column = indent;
		}
		fwrite(text, 1, word, p->out);
		column += word;
		text += word;
		if (*text == '\n') {
			fprintf(p->out, "\n%*s", text[1] != '\0' ? (int)indent : 0, "");
			column = indent;
			text++;
		} else if (*text == ' ') {
			if (column + 1 + strcspn(text + 1, " \n") <= p->width)
				fputc(' ', p->out);
			column++;
			text++;
		}
	}
	fputc('\n', p->out);
}

/* The first clause of a text: enough for the short help. */
static void cut_clause(char *text)
{
	size_t len = strcspn(text, ";(");
	while (len > 0 && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
}

#define OPTION_COLUMN 26

static void write_option(const struct argp_option *o, void *arg)
{
	const struct page *p = arg;
	char left[80];
	int n = 0;
	if (p->brief && (o->flags & OPTION_IN_HELP_ONLY))
		return;
	if (o->key > ' ' && o->key < 0x7F)
		n = snprintf(left, sizeof(left), "  -%c%s", o->key, o->name != NULL ? ", " : "");
	else
		n = snprintf(left, sizeof(left), "      ");
	if (o->name != NULL)
		n += snprintf(left + n, sizeof(left) - (size_t)n, "--%s", o->name);
	if (o->arg != NULL)
		n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->arg);
	size_t indent = p->width < 70 && !p->brief ? 8 : OPTION_COLUMN;
	fprintf(p->out, "%s", left);
	size_t column = (size_t)n;
	if (column + 2 > indent) {
		fputc('\n', p->out);
		column = 0;
	}
	fprintf(p->out, "%*s", (int)(indent - column), "");
	char doc[256];
	snprintf(doc, sizeof(doc), "%s", o->doc != NULL ? o->doc : "");
	if (p->brief)
		cut_clause(doc);
	wrap(p, doc, indent, indent);
}

static void write_head(const struct page *p, const struct command *c)
{
	char usage[256];
	snprintf(usage, sizeof(usage), "dgram %s [OPTION...]%s%s", c->name, *c->synopsis ? " " : "",
	         c->synopsis);
	fputs("usage: ", p->out);
	wrap(p, usage, 7, 7);
	wrap(p, c->summary, 0, 0);
}

static void write_examples(const struct page *p, const struct command *c)
{
	if (c->examples != NULL)
		fprintf(p->out, "\n%s", c->examples);
}

static void write_options(const struct page *p, const struct command *c)
{
	fputc('\n', p->out);
	options_walk(c->argp, write_option, (void *)(uintptr_t)p);
}

int usage_brief(const struct command *c)
{
	struct page p = {.out = stdout, .width = width_of(STDOUT_FILENO), .brief = true};
	write_head(&p, c);
	write_examples(&p, c);
	write_options(&p, c);
	fprintf(p.out, "\nmore: dgram %s --help\n", c->name);
	return output_stdio();
}

int usage_full(const struct command *c)
{
	struct page p = {.out = stdout, .width = width_of(STDOUT_FILENO)};
	write_head(&p, c);
	if (c->about != NULL) {
		fputc('\n', p.out);
		wrap(&p, c->about, 0, 0);
	}
	write_examples(&p, c);
	write_options(&p, c);
	fputs("\nDurations: 250us 300ms 1.5s 2m, a bare number is seconds.\n"
	      "Sizes: 64k 1M 1MiB (powers of 1024), 64kB 1MB (powers of 1000).\n"
	      "See also: dgram help exit-codes, endpoints or json; man dgram\n",
	      p.out);
	return output_stdio();
}

void usage_row(const char *left, const char *text)
{
	struct page p = {.out = stdout, .width = isatty(STDOUT_FILENO) ? width_of(STDOUT_FILENO) : SIZE_MAX};
	fputs(left, p.out);
	wrap(&p, text, strlen(left), strlen(left));
}

int usage_version(void)
{
	printf("dgram %s\n", DGRAM_VERSION);
	return output_stdio();
}

static void write_group(const struct page *p, const char *group)
{
	bool first = true;
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		char left[120];
		if (strcmp(c->group, group) != 0)
			continue;
		int n = snprintf(left, sizeof(left), "%-8s%s %s", first ? group : "", c->name,
		                 c->synopsis);
		size_t indent = p->width < 76 ? 10 : 34;
		fprintf(p->out, "%s", left);
		if ((size_t)n + 2 > indent) {
			fputc('\n', p->out);
			n = 0;
		}
		fprintf(p->out, "%*s", (int)indent - n, "");
		wrap(p, c->summary, indent, indent);
		first = false;
	}
}

int usage_list(int fd)
{
	static const char *const groups[] = {"talk", "answer", "look", "tcp", "test", "set up"};
	FILE *out = fd == STDERR_FILENO ? stderr : stdout; /* stderr is unbuffered */
	struct page p = {.out = out, .width = width_of(fd)};
	fputs("dgram - send, ask and answer over UDP\n\n", out);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		write_group(&p, groups[i]);
	fputs("\nEP: HOST:PORT[/NAME]  udp://HOST:PORT  unix://PATH  tcp://HOST:PORT[/NAME]\n"
	      "dgram COMMAND -h shows examples; dgram help endpoints, exit-codes, json\n",
	      out);
	return output_stdio();
}

/* Edits (insert, delete, change, swap neighbours) from a to b; both under 32 bytes, else many. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned char d[33][33];
	if (n > 32 || m > 32)
		return 99;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			size_t best = i == 0   ? j
			              : j == 0 ? i
			                       : d[i - 1][j - 1] + (size_t)(a[i - 1] != b[j - 1]);
			if (i > 0 && d[i - 1][j] + 1u < best)
				best = d[i - 1][j] + 1u;
			if (j > 0 && d[i][j - 1] + 1u < best)
				best = d[i][j - 1] + 1u;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1u < best)
				best = d[i - 2][j - 2] + 1u;
			d[i][j] = (unsigned char)best;
		}
	return d[n][m];
}

const char *usage_nearest(const char *written, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t least = strlen(written) < 4 ? 2 : 3; /* fewer edits than this */
	for (size_t i = 0; i < count; i++) {
		size_t edits = distance(written, words[i]);
		bool begins =
		        strlen(written) >= 3 && strncmp(words[i], written, strlen(written)) == 0;
		if (begins)
			edits = 1;
		if (edits < least) {
			least = edits;
			nearest = words[i];
		}
	}
	return nearest;
}
