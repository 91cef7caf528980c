#include "journal/collect.h"

#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"

#include <stdio.h>
#include <sys/random.h>

struct open {
    struct link link; /* the one that was touched last stands last */
    bool orphan;      /* its gate has begun anew */
    struct traits traits;
};

struct collect {
    char folder[3072];
    size_t most;
    struct table table; /* by session id */
    struct link opens;
    struct collect_counts counts;
};

bool collect_gate(struct slice stream, unsigned *ret_gate)
{
    uint64_t number;
    if (!slice_starts(stream, SLICE("gate-")) || !text_parse_u64(slice_from(stream, 5), &number))
        return false;
    *ret_gate = (unsigned)number;
    return true;
}

struct collect *collect_new(const char *folder, size_t most)
{
    struct collect *collect = memory_take(sizeof *collect);
    uint64_t seed = 0;
    (void)!getrandom(&seed, sizeof seed, GRND_NONBLOCK); /* ids are ours: no stranger chooses them */
    snprintf(collect->folder, sizeof collect->folder, "%s", folder);
    collect->most = most;
    table_init(&collect->table, seed);
    list_init(&collect->opens);
    return collect;
}

static struct slice key_of(const uint64_t *session)
{
    return slice_of((const char *)session, sizeof *session);
}

static struct open *open_new(struct collect *collect, uint64_t session)
{
    struct open *open = memory_take(sizeof *open);
    traits_init(&open->traits, session);
    list_add_last(&collect->opens, &open->link);
    table_put(&collect->table, key_of(&open->traits.session), open);
    collect->counts.open++;
    return open;
}

/* The traits have gone to whoever wanted them. */
static void open_forget(struct collect *collect, struct open *open)
{
    table_remove(&collect->table, key_of(&open->traits.session));
    list_remove(&open->link);
    memory_give(open, sizeof *open);
    collect->counts.open--;
}

static void open_drop(struct collect *collect, struct open *open)
{
    struct buf keys = open->traits.keys;
    open_forget(collect, open);
    buf_drop(&keys);
}

void collect_free(struct collect *collect)
{
    if (!collect)
        return;
    while (!list_is_empty(&collect->opens))
        open_drop(collect, LIST_OF(collect->opens.next, struct open, link));
    table_drop(&collect->table);
    memory_give(collect, sizeof *collect);
}

/* What the session's chain holds in this file; where it began in one before, that is looked for, too. What
 * stands behind the item comes again and adds nothing. */
static void learn(struct collect *collect, const struct journal_reader *reader,
                  const struct journal_item *item, struct traits *traits)
{
    struct history history;
    history_init(&history, traits->session);
    journal_reader_before(reader, item, &history);
    if (!history.opened) {
        history_drop(&history);
        (void)history_load(&history, collect->folder, NULL);
    }
    for (size_t i = 0; i < history.count; i++)
        if (history.events[i].stamp.session == traits->session &&
            history.events[i].kind != EVENT_KIND_session_ended)
            traits_take(traits, &history.events[i]);
    history_drop(&history);
    collect->counts.learned++;
}

/* A gate that begins has no sessions yet: those that its predecessor left open are given their ends by it,
 * soon. Where one is still here when it, too, has begun anew, there is nothing to wait for. */
static void forget_gate(struct collect *collect, unsigned gate)
{
    for (struct link *at = collect->opens.next, *next; at != &collect->opens; at = next) {
        struct open *open = LIST_OF(at, struct open, link);
        next = at->next;
        if (segment_gate(open->traits.session) != gate)
            continue;
        if (!open->orphan) {
            open->orphan = true;
            continue;
        }
        open_drop(collect, open);
        collect->counts.unended++;
    }
}

static struct open *open_find(struct collect *collect, const struct journal_reader *reader,
                              const struct journal_item *item)
{
    const struct event *event = &item->event;
    struct open *open = table_get(&collect->table, key_of(&event->stamp.session));
    if (open) {
        list_remove(&open->link);
        list_add_last(&collect->opens, &open->link);
        return open;
    }
    if (collect->counts.open >= collect->most)
        open_drop(collect, LIST_OF(collect->opens.next, struct open, link));
    open = open_new(collect, event->stamp.session);
    if (event->kind != EVENT_KIND_session_opened)
        learn(collect, reader, item, &open->traits);
    return open;
}

bool collect_take(struct collect *collect, const struct journal_reader *reader,
                  const struct journal_item *item, struct traits *ret_traits)
{
    const struct event *event = &item->event;
    unsigned gate;
    if (event->kind == EVENT_KIND_process_started && collect_gate(item->stream, &gate) &&
        slice_equal(event->body.process_started.role, SLICE("gate")))
        forget_gate(collect, gate);
    if (!event->stamp.session || !traits_want(event->kind) || !collect_gate(item->stream, &gate))
        return false;
    struct open *open = open_find(collect, reader, item);
    traits_take(&open->traits, event);
    if (!open->traits.ended)
        return false;
    *ret_traits = open->traits;
    open_forget(collect, open);
    return true;
}

void collect_counts(const struct collect *collect, struct collect_counts *ret_counts)
{
    *ret_counts = collect->counts;
}
