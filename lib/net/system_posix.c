#define _POSIX_C_SOURCE 200809L
#include "net/system.h"

#include <errno.h>

int dg_system_bind_interface(int fd, const char *name, uint32_t *index)
{
	(void)fd;
	(void)name;
	(void)index;
	return EOPNOTSUPP;
}

void dg_system_prepare(const struct dgram_socket *s)
{
	(void)s;
}

int dg_system_no_fragments(const struct dgram_socket *s)
{
	(void)s;
	return DGRAM_ERR_UNSUPPORTED;
}

bool dg_system_coalesce(const struct dgram_socket *s, bool on)
{
	(void)s;
	(void)on;
	return false;
}

uint32_t dg_system_buffer(int fd, int option)
{
	int bytes = 0;

	if (getsockopt(fd, SOL_SOCKET, option, &bytes, &(socklen_t){sizeof bytes}) < 0 || bytes < 0)
		return 0;
	return (uint32_t)bytes;
}

void dg_system_control(struct dgram_socket *s, struct dgram_datagram *d, struct cmsghdr *c)
{
	(void)s;
	(void)d;
	(void)c;
}

bool dg_system_drops(const struct dgram_socket *s, uint32_t *count)
{
	(void)s;
	(void)count;
	return false;
}
