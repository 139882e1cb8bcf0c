#include "names.h"
#include <dgram/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int names_missing(const struct options *o, const char *option, const char *program, enum handler_error error)
{
	const char *command = o->command->name;
	bool script = words_shell_character(program) != 0;

	if (strpbrk(program, " \t\n") != NULL)
		return fail_usage(command, "%s: '%s' is not one program: %s", option, program,
				  script ? "there is no shell; put --sh before --exec" :
					   "write its words without quotes around them all");
	return fail_usage(command, "%s: '%s': %s", option, program, handler_strerror(error));
}

/* A name is what an endpoint may have after its slash; the endpoint's own sentence says what is wrong. */
static int check_name(const struct names *n, const struct options *o, const char *word, size_t len)
{
	struct dgram_uri uri;
	char endpoint[256];
	const char *why = NULL;

	if (len > DGRAM_NAME_MAX)
		return fail_usage(o->command->name, "'%s': its name has more than %d bytes", word, DGRAM_NAME_MAX);
	snprintf(endpoint, sizeof endpoint, "localhost:1/%.*s", (int)len, word);
	if (dgram_uri_parse(&uri, endpoint, DGRAM_URI_TARGET, &why) < 0)
		return fail_usage(o->command->name, "'%s': %s", word, why);
	if (names_find(n, word, len) != NULL)
		return fail_usage(o->command->name, "'%s': the name has a command already", word);
	return 0;
}

static int read_command(struct named *named, const struct options *o, char *word, char *text, bool shell)
{
	char *script[] = {text, NULL};
	enum words_error wrong;
	enum handler_error error;

	if (shell) {
		named->argv = handler_shell(script);
		if (named->argv == NULL)
			return fail(CODE_BUSY, "out of memory");
		error = handler_find(&named->handler, named->argv);
		return error == HANDLER_OK ? 0 : names_missing(o, word, named->argv[0], error);
	}
	wrong = words_split(text, &named->words);
	if (wrong != WORDS_OK)
		return fail_usage(o->command->name, "'%s': %s", word, words_strerror(wrong));
	error = handler_find(&named->handler, named->words.argv);
	return error == HANDLER_OK ? 0 : names_missing(o, word, named->words.argv[0], error);
}

int names_read(struct names *n, const struct options *o, char **words, size_t count, bool shell)
{
	int code = 0;

	*n = (struct names){.v = calloc(count, sizeof *n->v)};
	if (n->v == NULL)
		return fail(CODE_BUSY, "out of memory");
	for (size_t i = 0; i < count && code == 0; i++) {
		char *equals = strchr(words[i], '=');
		struct named *named = &n->v[n->count];

		if (equals == NULL || equals == words[i])
			return fail_usage(o->command->name, "'%s': write NAME=CMD, as in time='date +%%s'", words[i]);
		named->name = words[i];
		named->name_len = (size_t)(equals - words[i]);
		code = check_name(n, o, words[i], named->name_len);
		n->count++;
		if (code == 0)
			code = read_command(named, o, words[i], equals + 1, shell);
	}
	return code;
}

void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++) {
		free(n->v[i].argv);
		words_free(&n->v[i].words);
	}
	free(n->v);
	*n = (struct names){0};
}

const struct handler *names_find(const struct names *n, const char *name, size_t len)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->v[i].name_len == len && memcmp(n->v[i].name, name, len) == 0)
			return &n->v[i].handler;
	return NULL;
}

char *names_list(const struct names *n, char *buf, size_t size)
{
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0; i < n->count && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%.*s", i > 0 ? ", " : "", (int)n->v[i].name_len, n->v[i].name);
	return buf;
}
