/* A page that the kernel wipes in the child (MADV_WIPEONFORK, Linux 4.14) is read for nothing, where getpid()
 * is a system call; and it is wiped however the child was made. Numbers of processes are used again. */
#define _GNU_SOURCE
#include "loop/fork.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

void dg_fork_mark(struct dg_fork *mark)
{
	size_t size = (size_t)page_size();
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*mark = (struct dg_fork){.maker = getpid()};
	if (page == MAP_FAILED)
		return;
	if (madvise(page, size, MADV_WIPEONFORK) < 0) {
		munmap(page, size);
		return;
	}
	mark->page = page;
	*mark->page = 1;
}

bool dg_fork_happened(const struct dg_fork *mark)
{
	return mark->page != NULL ? *mark->page == 0 : getpid() != mark->maker;
}

void dg_fork_forget(struct dg_fork *mark)
{
	if (mark->page != NULL)
		munmap((void *)(uintptr_t)mark->page, (size_t)page_size());
	mark->page = NULL;
}
