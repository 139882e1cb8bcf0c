/* service.h - answering the requests of the dgram protocol until told to stop.
 *
 * What plain endpoints cannot have (responder.h): a request runs once however often it comes, its answer carries whether
 * it failed, and who asked says when it is no longer wanted.
 */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include "door.h"
#include "responder.h"
#include <dgram/loop.h>

/* Answers what comes to door until SIGINT or SIGTERM (after signals_catch) or count; then what runs is ended in order. 0 or
 * an exit code after a sentence. */
int service_run(struct door *door, const struct responder_config *config, struct responder_counts *counts);

#endif
