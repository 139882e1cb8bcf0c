/* Feeds a harness with files, and with directories of them, as an ordinary test: each file as it
 * is, every beginning of it, and then a few inputs that nobody would keep in a directory: nothing,
 * and very much of everything. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#define LONG_INPUT (1 << 20) /* bytes */

static unsigned long fed;

/* From a block of just its length. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size + (size == 0));

	FUZZ_CHECK(exact);
	if (size > 0)
		memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	fed++;
}

static void feed_file(const char *path)
{
	static uint8_t data[LONG_INPUT];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof data, file);
	fclose(file);
	for (size_t len = size < 1000 ? 0 : size; len <= size; len++)
		feed(data, len);
}

static void feed_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char name[4096];

	if (!directory) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		feed_file(name);
	}
	closedir(directory);
}

static void feed_hostile(void)
{
	static uint8_t data[LONG_INPUT];

	feed(NULL, 0);
	for (int byte = 0; byte < 256; byte++) {
		memset(data, byte, sizeof data);
		feed(data, 1);
		feed(data, byte % 16 ? 5000 : sizeof data);
	}
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	feed(data, sizeof data);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		unsigned long before = fed;
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			feed_directory(argv[i]);
		else
			feed_file(argv[i]);
		if (fed == before) {
			fprintf(stderr, "%s: nothing in it\n", argv[i]);
			return 1;
		}
	}
	feed_hostile();
	printf("%lu inputs\n", fed);
	return 0;
}
