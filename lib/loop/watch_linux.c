#define _GNU_SOURCE
#include "loop/watch.h"

#include <dgram/time.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#define AT_ONCE 64

bool dg_watch_open(struct dg_watch *w, uint32_t count)
{
	*w = (struct dg_watch){.fd = epoll_create1(EPOLL_CLOEXEC), .count = count};
	return w->fd >= 0;
}

/* A descriptor of it that a child has keeps what it watches: nothing is taken out. */
void dg_watch_close(struct dg_watch *w)
{
	close(w->fd);
}

static bool set(struct dg_watch *w, int operation, uint32_t tag, int fd, int events)
{
	struct epoll_event e = {.data.u32 = tag};

	e.events |= events & DG_WATCH_READ ? EPOLLIN : 0;
	e.events |= events & DG_WATCH_WRITE ? EPOLLOUT : 0;
	return epoll_ctl(w->fd, operation, fd, &e) == 0;
}

bool dg_watch_add(struct dg_watch *w, uint32_t tag, int fd, int events)
{
	return set(w, EPOLL_CTL_ADD, tag, fd, events);
}

void dg_watch_change(struct dg_watch *w, uint32_t tag, int fd, int events)
{
	set(w, EPOLL_CTL_MOD, tag, fd, events);
}

void dg_watch_remove(struct dg_watch *w, uint32_t tag, int fd)
{
	set(w, EPOLL_CTL_DEL, tag, fd, 0);
}

/* Milliseconds, rounded up: who waits for a time shall not wake before it. */
static int milliseconds(uint64_t ns)
{
	uint64_t ms = ns / DGRAM_MS + (ns % DGRAM_MS > 0);

	if (ns == DGRAM_NEVER)
		return -1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

int dg_watch_wait(struct dg_watch *w, struct dg_news *out, uint32_t size, uint64_t ns)
{
	struct epoll_event events[AT_ONCE];
	int n = epoll_wait(w->fd, events, size < AT_ONCE ? (int)size : AT_ONCE, milliseconds(ns));

	for (int i = 0; i < n; i++) {
		uint32_t what = events[i].events;

		out[i] = (struct dg_news){.tag = events[i].data.u32};
		if (what & (EPOLLIN | EPOLLERR | EPOLLHUP))
			out[i].events |= DG_WATCH_READ;
		if (what & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			out[i].events |= DG_WATCH_WRITE;
	}
	return n;
}
