#include "daemon/flush.h"

#include "base/list.h"

#define LOOK_MS 1 /* between two looks whether the journal's thread is done */

static void look(struct flush *flush)
{
    struct worker_message message = {.kind = WORKER_FLUSHED, .number = flush->number};
    struct journal_counts counts;

    journal_writer_counts(flush->writer, &counts);
    if (counts.written < flush->written)
        loop_timer_set(flush->loop, &flush->timer, loop_now_ms(flush->loop) + LOOK_MS);
    else
        worker_send(flush->worker->channel, &message, NULL); /* one that is lost is not waited for long */
}

static void look_due(struct loop_timer *timer)
{
    look(LIST_OF(timer, struct flush, timer));
}

void flush_begin(struct flush *flush, const struct worker *worker, struct loop *loop,
                 struct journal_writer *writer, uint32_t number)
{
    flush->timer.due = look_due;
    flush->loop = loop;
    flush->writer = writer;
    flush->worker = worker;
    flush->number = number;
    flush->written = journal_writer_hurry(writer);
    look(flush);
}
