/* A name service for names.py, loaded before the C library's: slow.test is 127.0.0.1, and that takes a while to find out. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	static const struct timespec a_while = {.tv_nsec = 600 * 1000 * 1000};
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (host == NULL || strcmp(host, "slow.test") != 0)
		return real(host, service, hints, out);
	nanosleep(&a_while, NULL);
	return real("127.0.0.1", service, hints, out);
}
