/* net.h - sockets on this machine, for the tests of lib/net. */
#ifndef DGRAM_TEST_NET_H
#define DGRAM_TEST_NET_H

#include "test.h"

#include <dgram/dgram.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE (10 * DGRAM_S) /* for what must happen: only a broken build waits that long */

static inline struct dgram_addr address(const char *text)
{
	struct dgram_addr addr;

	assert_int_equal(dgram_addr_parse(&addr, text), 0);
	return addr;
}

static inline struct dgram_addr with_port(const char *text, uint16_t port)
{
	struct dgram_addr addr = address(text);

	addr.port = port;
	return addr;
}

static inline struct dgram_addr name_of(const struct dgram_socket *s)
{
	struct dgram_addr name;

	assert_int_equal(dgram_socket_getsockname(s, &name), 0);
	return name;
}

static inline uint16_t port_of(const struct dgram_socket *s)
{
	return name_of(s).port;
}

/* Waiting sockets give up in the end, so that a broken build fails and does not hang. */
static inline void open_bound(struct dgram_socket *s, const char *local,
                              const struct dgram_socket_options *opt)
{
	struct dgram_addr addr = address(local);

	assert_int_equal(dgram_socket_bind(s, &addr, opt), 0);
	dgram_socket_settimeout(s, PATIENCE);
}

static inline void open_unbound(struct dgram_socket *s, enum dgram_family family)
{
	assert_int_equal(dgram_socket_open(s, family, NULL), 0);
	dgram_socket_settimeout(s, PATIENCE);
}

static inline void open_connected(struct dgram_socket *s, const struct dgram_addr *peer)
{
	assert_int_equal(dgram_socket_connect(s, peer, NULL), 0);
	dgram_socket_settimeout(s, PATIENCE);
}

static inline void send_text(struct dgram_socket *s, const char *text, const struct dgram_addr *to)
{
	assert_int_equal(dgram_socket_sendto(s, text, strlen(text), to), 0);
}

/* The next datagram is text; who sent it. */
static inline struct dgram_addr expect_text(struct dgram_socket *s, const char *text)
{
	struct dgram_addr from;
	char buf[256];

	assert_int_equal(dgram_socket_recvfrom(s, buf, sizeof buf, &from), (int)strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	return from;
}

/* The next datagram is text; all that is known about it. data points to static memory. */
static inline struct dgram_datagram expect_datagram(struct dgram_socket *s, const char *text)
{
	static uint8_t buf[256];
	struct dgram_datagram d = {.data = buf, .size = sizeof buf};

	assert_int_equal(dgram_socket_recv_batch(s, &d, 1), 1);
	assert_int_equal(d.status, 0);
	assert_int_equal(d.len, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	return d;
}

static inline void expect_nothing(struct dgram_socket *s)
{
	uint64_t timeout = s->timeout;
	char buf[16];

	dgram_socket_settimeout(s, 0);
	assert_int_equal(dgram_socket_recvfrom(s, buf, sizeof buf, NULL), DGRAM_ERR_AGAIN);
	dgram_socket_settimeout(s, timeout);
}

static inline void assert_address(const struct dgram_addr *got, const char *want)
{
	char text[DGRAM_ADDR_TEXT_MAX];

	assert_string_equal(dgram_addr_format(got, text, sizeof text), want);
}

static inline bool have_ipv6(void)
{
	struct dgram_addr one = address("[::1]:0");
	struct dgram_socket s;

	if (dgram_socket_bind(&s, &one, NULL) < 0)
		return false;
	dgram_socket_close(&s);
	return true;
}

#define NEED_IPV6()                                                                                \
	do {                                                                                       \
		if (!have_ipv6()) {                                                                \
			print_message("this machine has no IPv6\n");                               \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* Whether what the network says of a datagram that was sent is heard: a portable build has no error queue. */
static inline bool hears_errors(void)
{
	struct dgram_socket s;
	bool hears;

	open_unbound(&s, DGRAM_IPV4);
	hears = s.error_queue;
	dgram_socket_close(&s);
	return hears;
}

#define NEED_ERRORS()                                                                              \
	do {                                                                                       \
		if (!hears_errors()) {                                                             \
			print_message("no error queue here\n");                                    \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* Nobody listens on port 1 (tcpmux) of a loopback address. */
#define DEAD4 "127.9.9.9:1"
#define DEAD6 "[::1]:1"

#endif
