/* Control sockets: clients of the same machine talk lines of JSON with a process.
 *
 * A request is one line: {"command":"…", …}. Answers are lines, each an object; the last one is {"done":true}
 * or
 * {"error":"…"}. A connection may carry several requests, one after the other. A line may have 384 KiB. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/slab.h"
#include "base/slice.h"
#include "io/loop.h"

/* --- the server, on a loop ----------------------------------------------------------------------------- */

struct control;

/* A request names itself by this handle until it is ended; one whose client has gone is ended then, and what
 * is still said to it is dropped. */
struct control_request {
    slab_handle handle;
    struct slice command; /* good for the call, as is what the functions below return */
    const void *json;     /* the parsed object */
};

struct slice control_text(const struct control_request *request, const char *key); /* empty: there is none */
uint64_t control_number(const struct control_request *request, const char *key, uint64_t otherwise);
bool control_flag(const struct control_request *request, const char *key); /* true only where it says true */

/* Each request must be ended, in the call or later. */
struct control_handler {
    void (*command)(void *data, struct control *control, const struct control_request *request);
    void *data;
};

/* The socket's permissions are 0600: its owner and root. NULL with *error filled when the system refuses. */
struct control *control_open(struct loop *loop, struct slice path, const struct control_handler *handler,
                             struct error *error);
void control_close(struct control *control); /* removes the socket file; NULL is taken */

/* An answer line, without its end: one JSON object. False: the client has gone, or does not read (1 MiB waits
 * for it already: it is dropped). */
bool control_line(struct control *control, slab_handle request, struct slice json);
bool control_is_waiting(const struct control *control, slab_handle request); /* false: the client has gone */
/* Octets that wait for the client to read them: who has much to say goes on below some limit. */
size_t control_unsent(const struct control *control, slab_handle request);
void control_done(struct control *control, slab_handle request);                     /* {"done":true} */
void control_error(struct control *control, slab_handle request, struct slice text); /* {"error":"…"} */

/* --- the client, for the command line: it waits ----------------------------------------------------------
 */

struct control_call {
    struct slice path;
    struct slice request; /* one line of JSON without its end */
    uint64_t wait_ms;     /* for each answer line */
    /* Each answer line but the last. May be NULL. */
    void (*line)(void *data, struct slice json);
    void *data;
};

/* 0: done. -1: *error says why: nobody listens (number ENOENT or ECONNREFUSED), it does not answer
 * (ETIMEDOUT), or its own {"error"} (number 0). */
int control_call(const struct control_call *call, struct error *error);

#endif
