#define _GNU_SOURCE
#include "net/wait.h"
#include "net/errors.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

uint64_t dg_deadline(uint64_t now, uint64_t timeout)
{
	return timeout < DGRAM_NEVER - now ? now + timeout : DGRAM_NEVER;
}

uint64_t dg_time_left(uint64_t deadline)
{
	uint64_t now;

	if (deadline == DGRAM_NEVER)
		return DGRAM_NEVER;
	now = dgram_clock();
	return deadline > now ? deadline - now : 0;
}

struct timespec dg_timespec(uint64_t ns)
{
	return (struct timespec){
	        .tv_sec = (time_t)(ns / DGRAM_S),
	        .tv_nsec = (long)(ns % DGRAM_S),
	};
}

/* The kernel counts microseconds and takes 0 for no limit. */
int dg_limit_send(int fd, uint64_t ns)
{
	uint64_t us = ns / DGRAM_US + 1;
	struct timeval limit = {
	        .tv_sec = (time_t)(us / 1000000),
	        .tv_usec = (suseconds_t)(us % 1000000),
	};

	if (ns == DGRAM_NEVER)
		limit = (struct timeval){.tv_sec = 0};
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ? errno : 0;
}

int dg_wait_readable(struct dgram_socket *s, uint64_t ns)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	struct timespec limit = dg_timespec(ns);
	int n = ppoll(&p, 1, ns == DGRAM_NEVER ? NULL : &limit, NULL);

	if (n < 0)
		return errno == EINTR ? 0 : DGRAM_ERR_SYSTEM;
	if (p.revents & POLLNVAL)
		return DGRAM_ERR_ARGUMENT;
	if (p.revents & POLLERR)
		dg_errors_collect(s, 0);
	return (p.revents & POLLIN ? DGRAM_READABLE : 0) |
	       (s->errors_count > 0 ? DGRAM_ERROR_WAITS : 0);
}

int dgram_socket_wait(struct dgram_socket *s, uint64_t timeout)
{
	if (s->fd < 0)
		return DGRAM_ERR_ARGUMENT;
	return dg_wait_readable(s, s->errors_count > 0 ? 0 : timeout);
}
