/* signals.h - SIGINT and SIGTERM for commands that run until told to stop: they end in order, with a summary.
 * One-shot commands leave the signals alone and die by them.
 */
#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

/* From here on the first SIGINT or SIGTERM is noted; a second one ends the process at once. SIGPIPE is ignored.
 * 0 or CODE_REFUSED after a sentence. */
int signals_catch(void);

/* Readable once a signal came: for poll, beside the socket. -1 before signals_catch. */
int signals_fd(void);

/* The signal that came, or 0. */
int signals_caught(void);

#endif
