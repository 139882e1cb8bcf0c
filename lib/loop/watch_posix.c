/* POSIX has no descriptor that stands for many: whoever has a loop of its own asks often instead. */
#include "loop/watch.h"

#include <dgram/time.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

bool dg_watch_open(struct dg_watch *w, uint32_t count)
{
	*w = (struct dg_watch){
	        .fd = -1, .entries = calloc(count, sizeof *w->entries), .count = count};
	for (uint32_t i = 0; w->entries != NULL && i < count; i++)
		w->entries[i].fd = -1;
	return w->entries != NULL;
}

void dg_watch_close(struct dg_watch *w)
{
	free(w->entries);
}

void dg_watch_change(struct dg_watch *w, uint32_t tag, int fd, int events)
{
	w->entries[tag].fd = fd;
	w->entries[tag].events = (short)((events & DG_WATCH_READ ? POLLIN : 0) |
	                                 (events & DG_WATCH_WRITE ? POLLOUT : 0));
}

bool dg_watch_add(struct dg_watch *w, uint32_t tag, int fd, int events)
{
	dg_watch_change(w, tag, fd, events);
	return true;
}

void dg_watch_remove(struct dg_watch *w, uint32_t tag, int fd)
{
	(void)fd;
	w->entries[tag].fd = -1;
}

static int milliseconds(uint64_t ns)
{
	uint64_t ms = ns / DGRAM_MS + (ns % DGRAM_MS > 0);

	if (ns == DGRAM_NEVER)
		return -1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

int dg_watch_wait(struct dg_watch *w, struct dg_news *out, uint32_t size, uint64_t ns)
{
	int n = poll(w->entries, w->count, milliseconds(ns));
	uint32_t found = 0;

	for (uint32_t i = 0; n > 0 && found < size && i < w->count; i++) {
		short what = w->entries[i].revents;

		if (w->entries[i].fd < 0 || what == 0)
			continue;
		out[found] = (struct dg_news){.tag = i};
		if (what & (POLLIN | POLLERR | POLLHUP))
			out[found].events |= DG_WATCH_READ;
		if (what & (POLLOUT | POLLERR | POLLHUP))
			out[found].events |= DG_WATCH_WRITE;
		found++;
	}
	return n < 0 ? -1 : (int)found;
}
