/* Names of hosts.
 *
 * getaddrinfo() cannot be told how long it may take (a dead name server: 5 s a try, times tries,
 * times servers). So it runs in a thread of its own; whoever asked waits for it until the deadline
 * and then leaves. The two share one block of memory, and the last to leave frees it.
 */
#define _GNU_SOURCE
#include "net/sockaddr.h"
#include "net/wait.h"

#include <arpa/inet.h>
#include <dgram/resolve.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t finished;
	char host[DGRAM_HOST_MAX + 1];
	enum dgram_family family;
	int users; /* the thread and the asker */
	bool done;
	int status; /* of getaddrinfo */
	struct addrinfo *found;
};

static struct lookup *lookup_new(const char *host, enum dgram_family family)
{
	struct lookup *l = calloc(1, sizeof *l);
	pthread_condattr_t attr;

	if (l == NULL)
		return NULL;
	l->family = family;
	l->users = 2;
	memcpy(l->host, host, strnlen(host, DGRAM_HOST_MAX));
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->finished, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

/* Called with the lock held; gives it back. */
static void lookup_leave(struct lookup *l)
{
	bool last = --l->users == 0;

	pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	if (l->found != NULL)
		freeaddrinfo(l->found);
	pthread_cond_destroy(&l->finished);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static int address_family(enum dgram_family family)
{
	if (family == DGRAM_IPV4)
		return AF_INET;
	return family == DGRAM_IPV6 ? AF_INET6 : AF_UNSPEC;
}

static void *lookup_run(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *found = NULL;
	struct addrinfo hints = {
	        .ai_family = address_family(l->family),
	        .ai_socktype = SOCK_DGRAM,
	        .ai_flags = AI_ADDRCONFIG,
	};
	int status = getaddrinfo(l->host, NULL, &hints, &found);

	pthread_mutex_lock(&l->lock);
	l->status = status;
	l->found = status == 0 ? found : NULL;
	l->done = true;
	pthread_cond_signal(&l->finished);
	lookup_leave(l);
	return NULL;
}

/* Signals are for the program's own threads. */
static int lookup_start(struct lookup *l)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, lookup_run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

/* With the lock held: whether the thread finished in time. */
static bool lookup_wait(struct lookup *l, uint64_t timeout)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = dg_timespec(
	        dg_deadline((uint64_t)now.tv_sec * DGRAM_S + (uint64_t)now.tv_nsec, timeout));
	while (!l->done) {
		if (timeout == DGRAM_NEVER)
			pthread_cond_wait(&l->finished, &l->lock);
		else if (pthread_cond_timedwait(&l->finished, &l->lock, &end) == ETIMEDOUT)
			break;
	}
	return l->done;
}

/* The next address of a family after *at, or NULL; *at moves on. */
static const struct addrinfo *next_of(const struct addrinfo **at, int family)
{
	const struct addrinfo *found;

	while (*at != NULL && (*at)->ai_family != family)
		*at = (*at)->ai_next;
	found = *at;
	if (found != NULL)
		*at = found->ai_next;
	return found;
}

/* The families take turns, so that a broken one costs one try and not all (RFC 8305, section 4);
 * within a family the system's order stands. */
static int take_turns(struct dgram_addr *out, size_t max, const struct addrinfo *all, uint16_t port)
{
	int first = all->ai_family == AF_INET6 ? AF_INET6 : AF_INET;
	const struct addrinfo *at[2] = {all, all};
	const int family[2] = {first, first == AF_INET ? AF_INET6 : AF_INET};
	size_t count = 0;

	for (int turn = 0; count < max && (at[0] != NULL || at[1] != NULL); turn ^= 1) {
		const struct addrinfo *found = next_of(&at[turn], family[turn]);

		if (found == NULL)
			continue;
		dg_sockaddr_get(&out[count],
		                (const union dg_sockaddr *)(const void *)found->ai_addr,
		                found->ai_addrlen);
		out[count++].port = port;
	}
	return count > 0 ? (int)count : DGRAM_ERR_RESOLVE;
}

static int ask_name_service(struct dgram_addr *out, size_t max, const struct dgram_uri *uri,
                            enum dgram_family family, uint64_t timeout)
{
	struct lookup *l = lookup_new(uri->host, family);
	int result;

	if (l == NULL)
		return DGRAM_ERR_NOMEM;
	if (lookup_start(l) != 0) {
		l->users = 1;
		pthread_mutex_lock(&l->lock);
		lookup_leave(l);
		return DGRAM_ERR_NOMEM;
	}
	pthread_mutex_lock(&l->lock);
	if (!lookup_wait(l, timeout))
		result = DGRAM_ERR_TIMEOUT;
	else if (l->status == 0)
		result = take_turns(out, max, l->found, uri->port);
	else
		result = l->status == EAI_MEMORY ? DGRAM_ERR_NOMEM : DGRAM_ERR_RESOLVE;
	lookup_leave(l);
	return result;
}

/* "localhost" and whatever ends in ".localhost" never leave the machine (RFC 6761, section 6.3). */
static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host), tail = sizeof name - 1;

	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len < tail || strncasecmp(host + len - tail, name, tail) != 0)
		return false;
	return len == tail || host[len - tail - 1] == '.';
}

/* One address of each family that is wanted. */
static int both(struct dgram_addr *out, size_t max, const struct dgram_addr *four,
                const struct dgram_addr *six, enum dgram_family family)
{
	size_t count = 0;

	if (family != DGRAM_IPV6 && count < max)
		out[count++] = *four;
	if (family != DGRAM_IPV4 && count < max)
		out[count++] = *six;
	return (int)count;
}

static int localhost(struct dgram_addr *out, size_t max, uint16_t port, enum dgram_family family)
{
	const struct dgram_addr four = {
	        .family = DGRAM_IPV4, .port = port, .u.ip4 = {127, 0, 0, 1}};
	const struct dgram_addr six = {.family = DGRAM_IPV6, .port = port, .u.ip6 = {[15] = 1}};

	return both(out, max, &four, &six, family);
}

/* Nothing before the port: every address. "::" stands for both families. */
static int every_address(struct dgram_addr *out, uint16_t port, enum dgram_family family)
{
	*out = (struct dgram_addr){
	        .family = family == DGRAM_IPV4 ? DGRAM_IPV4 : DGRAM_IPV6,
	        .port = port,
	};
	return 1;
}

static int set_zone(struct dgram_addr *addr, const char *zone)
{
	bool takes_one = dgram_addr_is_link_local(addr) || dgram_addr_is_multicast(addr);

	if (zone[0] == '\0')
		return dg_sockaddr_lacks_zone(addr) ? DGRAM_ERR_ZONE : 0;
	if (addr->family != DGRAM_IPV6 || !takes_one)
		return 0;
	addr->zone = dgram_interface_index(zone);
	return addr->zone != 0 ? 0 : DGRAM_ERR_INTERFACE;
}

static int numeric(struct dgram_addr *out, const struct dgram_uri *uri, enum dgram_family family)
{
	struct in6_addr six;
	struct in_addr four;
	int err;

	if (inet_pton(AF_INET, uri->host, &four) == 1)
		dg_sockaddr_get_ip4(out, &four);
	else if (inet_pton(AF_INET6, uri->host, &six) == 1)
		dg_sockaddr_get_ip6(out, &six, 0);
	else
		return DGRAM_ERR_RESOLVE;
	if (family != DGRAM_FAMILY_NONE && out->family != (uint8_t)family)
		return DGRAM_ERR_RESOLVE;
	err = set_zone(out, uri->zone);
	out->port = uri->port;
	return err < 0 ? err : 1;
}

int dgram_resolve(struct dgram_addr *out, size_t max, const struct dgram_uri *uri,
                  enum dgram_family family, uint64_t timeout)
{
	if (max == 0)
		return DGRAM_ERR_ARGUMENT;
	if (max > DGRAM_RESOLVE_MAX)
		max = DGRAM_RESOLVE_MAX;
	if (uri->scheme == DGRAM_SCHEME_PEER)
		return DGRAM_ERR_RESOLVE;
	if (uri->scheme == DGRAM_SCHEME_UNIX) {
		*out = uri->unix_addr;
		return 1;
	}
	if (uri->host[0] == '\0')
		return every_address(out, uri->port, family);
	if (uri->numeric)
		return numeric(out, uri, family);
	if (is_localhost(uri->host))
		return localhost(out, max, uri->port, family);
	return ask_name_service(out, max, uri, family, timeout);
}
