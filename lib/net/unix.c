/* A UNIX socket's path outlives its socket. Whether somebody is still bound to one is told by connect(): a
 * path that nobody serves refuses. Only such a path is replaced, and only what is still the file that we made is
 * removed.
 *
 * A client needs a path too, or nobody can answer it. It gets a random name in a directory of its own that everyone
 * can pass and only the user can list: who knows the name (the peer, from the datagram) can answer, others cannot
 * find it.
 */
#define _GNU_SOURCE
#include "net/unix.h"
#include "net/sockaddr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool refuses(const union dg_sockaddr *name, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, &name->any, len) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Removes a socket's path that nobody is bound to: whether it did. The second look is for another process that
 * does the same at this moment. */
static bool remove_stale(const union dg_sockaddr *name, socklen_t len)
{
	const char *path = name->un.sun_path;
	struct stat before, after;

	if (lstat(path, &before) < 0 || !S_ISSOCK(before.st_mode) || !refuses(name, len))
		return false;
	if (lstat(path, &after) < 0 || !same_file(&before, &after))
		return false;
	return unlink(path) == 0;
}

static void remember(struct dgram_socket *s, const union dg_sockaddr *name)
{
	struct stat made;

	if (lstat(name->un.sun_path, &made) < 0)
		return;
	memcpy(s->path, name->un.sun_path, sizeof s->path);
	s->path_device = (uint64_t)made.st_dev;
	s->path_inode = (uint64_t)made.st_ino;
}

int dg_unix_bind(struct dgram_socket *s, const struct dgram_addr *local)
{
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, local, DGRAM_UNIX);
	bool is_path = local->path_len > 0 && local->u.path[0] != '\0';

	if (len == 0 || local->path_len == 0)
		return DGRAM_ERR_ADDRESS;
	if (bind(s->fd, &name.any, len) < 0) {
		if (errno != EADDRINUSE || !is_path || !remove_stale(&name, len))
			return dgram_error_from_errno(errno == EINVAL ? EADDRINUSE : errno);
		if (bind(s->fd, &name.any, len) < 0)
			return dgram_error_from_errno(errno);
	}
	if (is_path)
		remember(s, &name);
	return 0;
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
	char *slash = strrchr(s->path, '/');
	struct stat now;

	if (s->path[0] == '\0')
		return;
	if (lstat(s->path, &now) == 0 && (uint64_t)now.st_dev == s->path_device &&
	    (uint64_t)now.st_ino == s->path_inode)
		unlink(s->path);
	if (s->owns_directory && slash != NULL) {
		*slash = '\0';
		rmdir(s->path);
	}
	s->path[0] = '\0';
	s->owns_directory = false;
}
