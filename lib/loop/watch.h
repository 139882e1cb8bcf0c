/* watch.h - which of many descriptors have news. watch_linux.c or watch_posix.c, as CMake chose. */
#ifndef DG_LOOP_WATCH_H
#define DG_LOOP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define DG_WATCH_READ  1
#define DG_WATCH_WRITE 2

struct dg_news {
	uint32_t tag;
	int events; /* DG_WATCH_*; both where it broke */
};

struct pollfd;

struct dg_watch {
	int fd;                 /* can be read when there is news; -1: the system has no such thing */
	struct pollfd *entries; /* where it has not: by tag */
	uint32_t count;
};

/* Tags go from 0 to count less one. False: errno says why. */
bool dg_watch_open(struct dg_watch *w, uint32_t count);
void dg_watch_close(struct dg_watch *w);

/* From now on, instead of before. False: errno says why. */
bool dg_watch_add(struct dg_watch *w, uint32_t tag, int fd, int events);
void dg_watch_change(struct dg_watch *w, uint32_t tag, int fd, int events);
void dg_watch_remove(struct dg_watch *w, uint32_t tag, int fd);

/* Waits at most ns: how many entries of out are filled; 0: the time is over; -1: errno says why. */
int dg_watch_wait(struct dg_watch *w, struct dg_news *out, uint32_t size, uint64_t ns);

#endif
