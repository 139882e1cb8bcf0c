#define _GNU_SOURCE
#include "net/interface.h"
#include "net/sockaddr.h"

#include <dgram/resolve.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t dgram_interface_index(const char *name)
{
	unsigned index = if_nametoindex(name);
	char known[IF_NAMESIZE];
	char *end;
	unsigned long number;

	if (index != 0 || name[0] < '0' || name[0] > '9')
		return index;
	number = strtoul(name, &end, 10);
	if (*end != '\0' || number > UINT32_MAX || if_indextoname((unsigned)number, known) == NULL)
		return 0;
	return (uint32_t)number;
}

/* getifaddrs() has a row for each address: an interface comes several times. */
static int add_once(uint32_t *index, int count, uint32_t candidate)
{
	for (int i = 0; i < count; i++)
		if (index[i] == candidate)
			return count;
	if (candidate != 0 && count < DG_INTERFACES_MAX)
		index[count++] = candidate;
	return count;
}

int dg_interface_multicast(uint32_t index[DG_INTERFACES_MAX])
{
	struct ifaddrs *all;
	int count = 0;

	if (getifaddrs(&all) < 0)
		return DGRAM_ERR_SYSTEM;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		if ((i->ifa_flags & IFF_UP) && (i->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)))
			count = add_once(index, count, if_nametoindex(i->ifa_name));
	freeifaddrs(all);
	return count;
}

static bool is_candidate(const struct ifaddrs *i)
{
	struct dgram_addr addr;

	if (!(i->ifa_flags & IFF_UP) || i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6)
		return false;
	dg_sockaddr_get(&addr, (const union dg_sockaddr *)(const void *)i->ifa_addr,
	                sizeof(struct sockaddr_in6));
	return dgram_addr_is_link_local(&addr);
}

char *dgram_interface_candidates(char *buf, size_t size)
{
	struct ifaddrs *all;
	size_t used = 0;

	if (size == 0)
		return buf;
	buf[0] = '\0';
	if (getifaddrs(&all) < 0)
		return buf;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		size_t len = strlen(i->ifa_name) + (used > 0 ? 2 : 1);

		if (!is_candidate(i) || len >= size - used)
			continue;
		snprintf(buf + used, size - used, "%s%%%s", used > 0 ? " " : "", i->ifa_name);
		used += len;
	}
	freeifaddrs(all);
	return buf;
}

/* The number that dgram_addr_format writes after '%' becomes the name. */
char *dgram_addr_display(const struct dgram_addr *addr, char *buf, size_t size)
{
	char number[DGRAM_ADDR_TEXT_MAX], name[IF_NAMESIZE];
	char *percent, *after;

	dgram_addr_format(addr, buf, size);
	if (addr->family != DGRAM_IPV6 || addr->zone == 0 ||
	    if_indextoname(addr->zone, name) == NULL)
		return buf;
	dgram_addr_format(addr, number, sizeof number);
	percent = strchr(number, '%');
	after = strchr(number, ']');
	if (percent != NULL && after != NULL)
		snprintf(buf, size, "%.*s%%%s%s", (int)(percent - number), number, name, after);
	return buf;
}
