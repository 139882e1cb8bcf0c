/* A socket file outlives its socket: after a crash the path is taken by nobody, and bind says that
 * it is in use. Whether somebody is there is asked by connecting a datagram socket. That disturbs
 * no one, whatever the type of the other socket: a stream listener sees no connection come and go,
 * for the types differ and EPROTOTYPE is the answer.
 */
#define _GNU_SOURCE
#include "net/path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/sockaddr.h"

static bool is_socket(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static bool nobody_is_bound(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return false;
	memcpy(name.sun_path, path, strlen(path));
	refused = connect(fd, (struct sockaddr *)&name, sizeof name) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int bind_name(int fd, const struct dgram_addr *local)
{
	union dg_sockaddr name;
	socklen_t len = dg_sockaddr_set(&name, local, DGRAM_UNIX);

	if (len == 0)
		return ENAMETOOLONG;
	return bind(fd, &name.any, len) < 0 ? errno : 0;
}

int dg_path_bind(int fd, const struct dgram_addr *local, char path[DG_PATH_ROOM])
{
	int error = bind_name(fd, local);

	memset(path, 0, DG_PATH_ROOM);
	if (local->path_len == 0 || local->u.path[0] == '\0')
		return error;
	memcpy(path, local->u.path, local->path_len);
	if (error == EADDRINUSE && is_socket(path) && nobody_is_bound(path) && unlink(path) == 0)
		error = bind_name(fd, local);
	if (error != 0)
		path[0] = '\0';
	return error;
}

void dg_path_remove(char path[DG_PATH_ROOM])
{
	if (path[0] != '\0' && is_socket(path) && nobody_is_bound(path))
		unlink(path);
	path[0] = '\0';
}
