/* ip.h - IPv4 and IPv6 addresses as text, without port and zone.
 *
 * Our own because inet_pton and inet_ntop do not exist where the core runs without a system.
 * Addresses are in network byte order.
 */
#ifndef DG_BASE_IP_H
#define DG_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of text (len bytes): four decimal numbers without leading zeros. 1.2.3, 010.0.0.1 and
 * 0x7f.0.0.1 are not addresses. */
bool dg_ip4_parse(uint8_t out[4], const char *text, size_t len);

/* The whole of text in a form of RFC 4291, section 2.2: groups, "::" for at least one of them, the
 * last two may be written as IPv4. */
bool dg_ip6_parse(uint8_t out[16], const char *text, size_t len);

/* ::ffff:0:0/96 (RFC 4291, section 2.5.5.2): an IPv4 address, in the last four bytes. */
bool dg_ip6_is_mapped(const uint8_t ip[16]);

#define DG_IP4_TEXT_MAX 15 /* 255.255.255.255 */
#define DG_IP6_TEXT_MAX 39 /* eight groups of four digits */

/* The canonical text (IPv6: RFC 5952, section 4), not terminated; returns its length. */
size_t dg_ip4_format(char out[DG_IP4_TEXT_MAX], const uint8_t ip[4]);
size_t dg_ip6_format(char out[DG_IP6_TEXT_MAX], const uint8_t ip[16]);

#endif
