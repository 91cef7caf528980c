/* The ledger: the traces of the latest attempts that were not taken, in the order in which they came, and
 * chains through those that have a key in common.
 *
 * It holds a fixed number of traces and octets of text; the oldest make room. A place is a number that stays
 * with a trace for its life; 0 is none. */
#ifndef WATCH_LEDGER_H
#define WATCH_LEDGER_H

#include "watch/trace.h"

/* What a person wants to read of a trace; empty where it was not known or the room for texts is used again.
 */
struct trace_texts {
    struct slice sender;
    struct slice recipient; /* the first */
    struct slice helo;
    struct slice ptr;
    struct slice owner; /* of the network */
};

/* What one place costs, its texts and chains included. */
#define LEDGER_OCTETS_A_TRACE (sizeof(struct trace) + 176)

struct ledger_entry;

struct ledger {
    struct ledger_entry *entries;
    uint32_t size; /* a power of two */
    uint32_t next; /* the place of the next trace */
    uint32_t held;
    uint32_t *heads[CHAINS];
    char *texts;
    uint32_t text_size;
    uint64_t text_next; /* octets of text written so far */
};

void ledger_init(struct ledger *ledger, uint32_t size); /* a power of two, 64 or more */
void ledger_done(struct ledger *ledger);
uint32_t ledger_add(struct ledger *ledger, const struct trace *trace, const struct trace_texts *texts);
struct trace *ledger_at(const struct ledger *ledger, uint32_t place); /* NULL: it has made room */
/* The texts live until the next ledger_add. */
void ledger_texts(const struct ledger *ledger, uint32_t place, struct trace_texts *ret_texts);
/* The newest of a chain (its key not 0), and the one before it; others whose keys fall together may come
 * between. 0: there is none. */
uint32_t ledger_newest(const struct ledger *ledger, enum trace_chain chain, uint64_t key);
uint32_t ledger_older(const struct ledger *ledger, enum trace_chain chain, uint32_t place);

/* What is wanted of a chain. */
struct ledger_query {
    enum trace_chain chain;
    uint64_t key; /* not 0 */
    int64_t since_ms;
    int64_t until_ms;
    bool (*wants)(const struct trace *trace, const void *data); /* NULL: all */
    const void *data;
};

/* Places of traces that belong to no campaign, the newest first. Returns how many. */
size_t ledger_gather(const struct ledger *ledger, const struct ledger_query *query, uint32_t *ret_places,
                     size_t most);

#endif
