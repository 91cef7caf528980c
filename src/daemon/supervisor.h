/* The supervisor: it reads the configuration, opens the listening sockets and keeps them for life, and starts
 * and watches the processes that do the work.
 *
 * For each gate there is one socket for each address (SO_REUSEPORT), inherited by whoever takes that gate's
 * place: no connection that waits in a socket is reset by a crash or a reload. A process that ends by itself
 * is started again, after 100 ms, then twice as long up to 30 s, and 100 ms again once it has lived for a
 * minute; meanwhile another gate serves its sockets.
 *
 * SIGTERM, SIGINT: stop, as by `postern stop`. SIGHUP: reload, as by `postern reload`. A reload starts gates
 * with the new configuration on the same sockets; the old ones finish their sessions. Courier and keeper are
 * ended and started anew. A configuration with mistakes changes nothing.
 *
 * It has no threads, and touches neither mail nor journal: its own events are written by the workers. */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include "base/error.h"
#include "core/site.h"

struct supervisor_settings {
    const char *file;  /* of the configuration, for reloads */
    struct site *site; /* of that file; the supervisor's from here on */
    bool background;   /* the processes have nothing to do with the terminal */
    /* All processes serve: called once. `listens` is "127.0.0.1:25, [::1]:25". */
    void (*ready)(void *data, const struct site *site, struct slice listens);
    /* Something worth a line on the terminal: a process has died, a reload was refused. */
    void (*say)(void *data, const char *text);
    void *data;
};

/* Runs until it was told to stop. 0: it has stopped as told. -1: it could not start, and *error says why. */
int supervisor_run(const struct supervisor_settings *settings, struct error *error);

#endif
