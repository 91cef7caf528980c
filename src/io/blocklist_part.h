/* What the blocklists' files share: not for others.
 *
 * blocklist.c takes questions and gives answers, blocklist_probe.c finds out whether a list is to be
 * believed. */
#ifndef IO_BLOCKLIST_PART_H
#define IO_BLOCKLIST_PART_H

#include "base/arena.h"
#include "io/blocklist.h"

#define BLOCKLIST_ROW      3u    /* answers in a row that fail: then the list is probed */
#define BLOCKLIST_AGAIN_MS 5000u /* nobody answered a probe: once more */

enum probe_point { PROBE_LISTED, PROBE_UNLISTED, PROBE_POINTS };

struct probe {
    struct loop_timer timer;
    struct resolver_waiter asks[PROBE_POINTS];
    unsigned open;                  /* points without an answer */
    unsigned unanswered;            /* probes in a row that nobody answered, or with a failure */
    enum blocklist_trouble trouble; /* of the probe under way, the first that was seen */
    struct address code;
};

struct blocklist_item {
    struct blocklists *lists;
    struct slice name;
    struct slice zone;
    struct link waiting; /* struct blocklist_waiter: asked */
    struct link held;    /* until the first probe is over */
    struct probe probe;
    struct blocklist_counts counts;
    unsigned row; /* answers in a row that failed */
    bool reasons, probes, ipv4, ipv6;
};

struct blocklists {
    struct blocklists_settings settings;
    struct arena arena;
    struct blocklist_item *items;
    size_t count;
    char value[BLOCKLIST_VALUE_MAX];
};

/* --- blocklist.c */
/* The first probe is over: those who waited for it are answered or asked for. */
void held_release(struct blocklist_item *list);
/* What the resolver said of an address: which trouble there is in it, NO_TROUBLE where it is listed or not.
 */
enum blocklist_trouble answer_trouble(const struct resolver_answer *answer, struct address *ret_code);

/* --- blocklist_probe.c */
void probe_begin(struct blocklist_item *list);
void probe_soon(struct blocklist_item *list);
void probe_end(struct blocklist_item *list); /* at the end of all */

#endif
