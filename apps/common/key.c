#include "key.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where a key is looked for, in this order. The first is asked for by its name, whether it is there or not. */
static const struct {
	const char *variable, *file;
} places[] = {
	{"DGRAM_KEY_FILE", ""},
	{"CREDENTIALS_DIRECTORY", "/dgram.key"},
	{"XDG_CONFIG_HOME", "/dgram/key"},
};

/* Who has a key believes that it is used: in clear without a word would be a lie about secrecy. */
int key_check(const struct options *o)
{
	char path[4096];

	for (size_t i = 0; i < sizeof places / sizeof places[0] && !o->open; i++) {
		const char *value = getenv(places[i].variable);

		if (value == NULL || *value == '\0')
			continue;
		snprintf(path, sizeof path, "%s%s", value, places[i].file);
		if (*places[i].file == '\0' || access(path, F_OK) == 0)
			return fail_usage(o->command->name,
					  "$%s names a key, %s, and the dgram protocol has none in this version yet: everyone "
					  "on the way could read and change what is sent; if that is meant, --open ignores it",
					  places[i].variable, path);
	}
	return 0;
}
