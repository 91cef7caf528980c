/* Who is asked about names: name servers, blocklists, files and zones of origins, the public suffix list. For
 * gates (questions.h), and for commands that have a session to themselves (lookup.h). */
#ifndef DAEMON_SERVICES_H
#define DAEMON_SERVICES_H

#include "base/arena.h"
#include "core/ask.h"
#include "core/site.h"
#include "io/blocklist.h"
#include "io/origin.h"
#include "io/suffix.h"

struct services {
    const struct site *site;
    struct resolver *resolver;     /* NULL: nobody is asked */
    struct blocklists *blocklists; /* NULL: none are configured, or there is no resolver */
    struct origins *origins;       /* NULL: nothing is set that could know them */
    struct suffix *suffix;         /* NULL: there is none */
};

struct services_settings {
    const struct site *site; /* must outlive the services */
    struct loop *loop;
    bool names; /* name servers are asked, if the site has any */
    /* As in resolver.h, blocklist.h and origin.h; may be NULL. */
    void (*resolver_changed)(void *data, enum resolver_state state, const char *reason);
    void (*list_changed)(void *data, size_t list, bool works, const char *reason);
    void (*file_opened)(void *data, struct slice file, const struct error *error);
    void *data;
};

/* Negative with *error where there is no resolver though one is wanted: the rest is open all the same. */
int services_open(const struct services_settings *settings, struct services *ret_services,
                  struct error *error);
void services_close(struct services *services); /* nobody who waits is told; a zeroed one is taken */

/* Part of its owner's struct. */
struct service_waiter {
    union {
        struct resolver_waiter resolver;
        struct blocklist_waiter list;
        struct origin_waiter origin;
    } of;
    void (*done)(struct service_waiter *waiter, const struct resolver_answer *answer);
};

/* Whether somebody can be asked questions of that kind. Else the answer says at once that nobody can. */
bool services_know(const struct services *services, enum ask_kind kind);
/* The kind is one of ADDRESS4, ADDRESS6, POINTER, MX, TXT, LISTED, ORIGIN, REGISTERED. True: *ret_answer is
 * the answer, good until the next call and as long as the arena. False: it will come to waiter->done, once,
 * from the loop. */
bool services_ask(struct services *services, enum ask_kind kind, struct slice key, struct arena *arena,
                  struct service_waiter *waiter, struct resolver_answer *ret_answer);

#endif
