/* A journal that costs nothing: takes the place of the events' encoders and of the journal's writer in
 * bench-gate-silent, which is postern but for that, and for a session machine that records nothing
 * (discard.h). What the journal costs a gate is what postern takes beyond it under the same load:
 * bench/journal-cost. Nothing of this is in postern. */
#include "core/event.h"
#include "journal/writer.h"

#include "base/memory.h"

#include <stdio.h>
#include <sys/stat.h>

#define EVENT(name, number, level, word, doc)                                                                \
    bool event_add_##name(struct buf *buf, const struct event_stamp *stamp, const struct event_##name *body) \
    {                                                                                                        \
        (void)buf, (void)stamp, (void)body;                                                                  \
        return true;                                                                                         \
    }
#define FIELD(event, type, name, doc)
#define EVENT_END(name)
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END

struct journal_writer {
    char nothing;
};

int journal_writer_open(const struct journal_writer_settings *settings, struct journal_writer **ret_writer,
                        struct error *error)
{
    char folder[4096];
    (void)error;
    snprintf(folder, sizeof folder, "%.*s", SLICE_ARGS(settings->folder));
    (void)mkdir(folder, 0750); /* its readers want to see one */
    *ret_writer = memory_take(sizeof **ret_writer);
    return 0;
}

size_t journal_writer_add(struct journal_writer *writer, struct slice records, struct journal_mark *mark)
{
    (void)writer, (void)records, (void)mark;
    return 0;
}

void journal_writer_configure(struct journal_writer *writer, struct slice configuration)
{
    (void)writer, (void)configuration;
}

uint64_t journal_writer_hurry(struct journal_writer *writer)
{
    (void)writer;
    return 0;
}

bool journal_writer_flush(struct journal_writer *writer, uint64_t wait_ms)
{
    (void)writer, (void)wait_ms;
    return true;
}

void journal_writer_counts(struct journal_writer *writer, struct journal_counts *ret_counts)
{
    (void)writer;
    *ret_counts = (struct journal_counts){0};
}

void journal_writer_close(struct journal_writer *writer)
{
    memory_give(writer, writer ? sizeof *writer : 0);
}
