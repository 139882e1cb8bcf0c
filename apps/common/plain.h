/* plain.h - answering plain datagrams, wherever they come in. They have no id, so one that comes twice is answered twice;
 * an answer has no status, so a handler that fails sends nothing; and nobody proved who asks (admit.h).
 *
 *	if (plain_take(p, &datagram, now))
 *		...it is a request
 *	plain_send(p);
 */
#ifndef COMMON_PLAIN_H
#define COMMON_PLAIN_H

#include "responder.h"

struct plain;

/* s, config, counts and procs (NULL: nothing is started) stay the caller's and must outlive it. NULL after a sentence. */
struct plain *plain_new(struct dgram_socket *s, const struct responder_config *config, struct responder_counts *counts,
			struct procs *procs);
void plain_free(struct plain *p);

/* Whether it is a request; else why not was said and counted. Its bytes have to stay where they are until plain_send(), and
 * that comes after DGRAM_BATCH_MAX of them at the latest. */
bool plain_take(struct plain *p, const struct dgram_datagram *d, uint64_t now);

/* Sends the answers that are there. */
void plain_send(struct plain *p);

/* What a process wrote to its stderr, and how it ended: a ticket of procs that plain_take() took. */
void plain_log(const struct plain *p, uint32_t ticket, const char *line, size_t len);
void plain_ended(struct plain *p, const struct procs_result *result);

/* Of stdout, where it is gone or cannot be written; else 0. */
int plain_code(const struct plain *p);

#endif
