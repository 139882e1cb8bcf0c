#define _GNU_SOURCE
#include "handler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum handler_error check(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == EACCES ? HANDLER_FORBIDDEN : HANDLER_MISSING;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		return HANDLER_FORBIDDEN;
	return HANDLER_OK;
}

/* Each directory of PATH in turn; an empty one is the current directory, as for a shell. */
static enum handler_error search(struct handler *h, const char *name, const char *dirs)
{
	enum handler_error worst = HANDLER_MISSING;

	for (;;) {
		size_t len = strcspn(dirs, ":");
		int n = snprintf(h->path, sizeof h->path, "%.*s%s%s", (int)len, dirs,
				 len > 0 ? "/" : "./", name);

		if (n > 0 && (size_t)n < sizeof h->path) {
			enum handler_error error = check(h->path);

			if (error == HANDLER_OK)
				return HANDLER_OK;
			if (error == HANDLER_FORBIDDEN)
				worst = error;
		}
		if (dirs[len] == '\0')
			return worst;
		dirs += len + 1;
	}
}

enum handler_error handler_find(struct handler *h, char *const *argv)
{
	const char *name = argv[0], *dirs = getenv("PATH");

	*h = (struct handler){.argv = argv};
	if (strlen(name) >= sizeof h->path)
		return HANDLER_LONG;
	if (strchr(name, '/')) {
		memcpy(h->path, name, strlen(name) + 1);
		return check(name);
	}
	if (*name == '\0')
		return HANDLER_MISSING;
	return search(h, name, dirs ? dirs : "/usr/local/bin:/usr/bin:/bin");
}

const char *handler_strerror(enum handler_error error)
{
	static const char *const text[] = {
		[HANDLER_OK] = "success",
		[HANDLER_MISSING] = "no such program",
		[HANDLER_FORBIDDEN] = "not a program that may be run here",
		[HANDLER_LONG] = "the name is too long",
	};

	return text[error];
}

char **handler_shell(char *const *argv)
{
	static char shell[] = "/bin/sh", option[] = "-c", zero[] = "sh";
	size_t count = 0;
	char **out;

	while (argv[count])
		count++;
	out = calloc(count + 4, sizeof *out); /* sh -c TEXT sh ARG... NULL */
	if (!out)
		return NULL;
	out[0] = shell;
	out[1] = option;
	out[2] = argv[0];
	out[3] = zero;
	memcpy(out + 4, argv + 1, (count - 1) * sizeof *out);
	return out;
}

static void pass(struct handler_env *env, char *var)
{
	if (env->count < HANDLER_ENV_MAX)
		env->var[env->count++] = var;
}

static bool is_variable(const char *var, const char *name, size_t len)
{
	return strncmp(var, name, len) == 0 && var[len] == '=';
}

void handler_env_init(struct handler_env *env)
{
	static const char *const names[] = {"PATH", "HOME", "USER", "LANG", "TZ"};

	*env = (struct handler_env){0};
	for (char **var = environ; *var; var++) {
		if (strncmp(*var, "LC_", 3) == 0)
			pass(env, *var);
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (is_variable(*var, names[i], strlen(names[i])))
				pass(env, *var);
	}
}

bool handler_env_pass(struct handler_env *env, const char *name)
{
	if (*name == '\0' || strchr(name, '=') || strncmp(name, "DGRAM_", 6) == 0)
		return false;
	for (size_t i = 0; i < env->count; i++)
		if (is_variable(env->var[i], name, strlen(name)))
			return true;
	if (env->count == HANDLER_ENV_MAX)
		return false;
	for (char **var = environ; *var; var++)
		if (is_variable(*var, name, strlen(name)))
			pass(env, *var);
	return true;
}
