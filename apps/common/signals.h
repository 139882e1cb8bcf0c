/* signals.h - SIGINT, SIGTERM and SIGHUP for commands that run until told to stop: they end in order, with
 * a summary. One-shot commands leave the signals alone and die by them; those with a session say goodbye
 * first.
 */
#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include <stdbool.h>

/* From here on the first SIGINT, SIGTERM or SIGHUP is noted; a second one ends the process at once.
 * nohup's ignored SIGHUP stays ignored, and SIGPIPE becomes so. 0 or CODE_REFUSED after a sentence. */
int signals_catch(void);

/* The same for one-shot commands, but none that was ignored: a script's command in the background does not
 * die by its SIGINT. */
int signals_catch_unignored(void);

/* Readable once a signal came: for poll, beside the socket. -1 before signals_catch. */
int signals_fd(void);

/* The signal that came, or 0. */
int signals_caught(void);

/* The exit code that makes exit_with die by the signal that came. */
int signals_code(void);

/* For one-shot commands with a file of their own (a UNIX socket's, in a directory of its own where
 * directory is set): they still die by SIGINT, SIGTERM or SIGHUP, but the file goes first. path
 * NULL: there is none any more. */
void signals_remove_first(const char *path, bool directory);

#endif
