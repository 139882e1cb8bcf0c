/* A client needs a path too, or nobody can answer it. It gets a random name in a directory of its
 * own that everyone can pass and only the user can list: who knows the name (the peer, from the
 * datagram) can answer, others cannot find it.
 */
#define _GNU_SOURCE
#include "net/unix.h"
#include "net/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int dg_unix_bind(struct dgram_socket *s, const struct dgram_addr *local)
{
	int error;

	if (local->path_len == 0)
		return DGRAM_ERR_ADDRESS;
	error = dg_path_bind(s->fd, local, s->path);
	errno = error;
	return error == 0 ? 0 : dgram_error_from_errno(error);
}

/* "/tmp/dgram-XXXXXX"; false when $TMPDIR leaves no room for a name below it. */
static bool directory_template(char *out, size_t size, const char *parent)
{
	int len = snprintf(out, size, "%s/dgram-XXXXXX", parent);

	return len > 0 && (size_t)len < size;
}

static bool make_directory(char *out, size_t size)
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || parent[0] != '/' || !directory_template(out, size, parent))
		directory_template(out, size, "/tmp");
	return mkdtemp(out) != NULL;
}

/* Everyone may write to the socket: the directory keeps out whoever does not know the name. */
static int bind_in(struct dgram_socket *s, const char *directory)
{
	struct dgram_addr local = {.family = DGRAM_UNIX};
	uint8_t random[32];
	uint64_t number;
	int err = dgram_random_seed(random);

	if (err < 0)
		return err;
	memcpy(&number, random, sizeof number);
	local.path_len = (uint8_t)snprintf(local.u.path, sizeof local.u.path, "%s/%016llx",
	                                   directory, (unsigned long long)number);
	err = dg_unix_bind(s, &local);
	if (err < 0)
		return err;
	s->owns_directory = true;
	if (chmod(s->path, 0666) < 0 || chmod(directory, 0711) < 0)
		return DGRAM_ERR_SYSTEM;
	return 0;
}

int dg_unix_bind_anywhere(struct dgram_socket *s)
{
	char directory[DGRAM_UNIX_PATH_MAX - 16]; /* 16: "/" and the name, less the NUL */
	int err;

	if (!make_directory(directory, sizeof directory))
		return DGRAM_ERR_SYSTEM;
	err = bind_in(s, directory);
	if (err < 0 && !s->owns_directory)
		rmdir(directory);
	return err;
}

void dg_unix_remove(struct dgram_socket *s)
{
	char directory[sizeof s->path];
	char *slash;

	memcpy(directory, s->path, sizeof directory);
	dg_path_remove(s->path);
	slash = strrchr(directory, '/');
	if (s->owns_directory && slash != NULL) {
		*slash = '\0';
		rmdir(directory);
	}
	s->owns_directory = false;
}
