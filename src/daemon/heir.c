#include "daemon/heir.h"

#include "base/memory.h"
#include "daemon/role.h"
#include "journal/unended.h"

enum { TURN_MS = 1, AGAIN_MS = 1000 };

#define RECORDS_MAX (1u << 20)
#define SLACK_US    (INT64_C(60) * 1000000)

struct heir {
    struct loop *loop; /* NULL: it has not begun */
    struct journal_writer *writer;
    struct unended *unended;
    struct loop_timer turn;
    struct buf records; /* that the journal has not taken yet */
};

static void turn_within(struct heir *heir, uint64_t ms)
{
    loop_timer_set(heir->loop, &heir->turn, loop_now_ms(heir->loop) + ms);
}

/* One session's end, off the front. */
static struct slice record_first(const struct buf *records)
{
    struct event event;
    size_t size;
    return event_read(buf_slice(records), &event, &size) == EVENT_DONE ? slice_head(buf_slice(records), size)
                                                                       : SLICE_NONE;
}

/* One by one: of several the journal might take some. False: it has no room now. */
static bool records_write(struct heir *heir)
{
    for (struct slice record; (record = record_first(&heir->records)).len;) {
        if (journal_writer_add(heir->writer, record, NULL))
            return false;
        buf_take_front(&heir->records, record.len);
    }
    buf_clear(&heir->records);
    return true;
}

/* False: all is done. */
static bool go_on(struct heir *heir)
{
    if (!heir->unended)
        return false;
    if (!unended_turn(heir->unended, loop_unix_us(heir->loop), &heir->records)) {
        unended_free(heir->unended);
        heir->unended = NULL;
    }
    return true;
}

static void turn_due(struct loop_timer *timer)
{
    struct heir *heir = LIST_OF(timer, struct heir, turn);
    if (!records_write(heir))
        turn_within(heir, AGAIN_MS);
    else if (go_on(heir))
        turn_within(heir, TURN_MS);
}

void heir_finish(struct heir *heir)
{
    while (heir && records_write(heir) && go_on(heir))
        continue;
}

struct heir *heir_new(const struct worker *worker)
{
    char folder[ROLE_PATH_SIZE];
    role_folder(worker, "journal", folder);
    struct unended *unended = unended_new(&(struct unended_settings){
        .folder = folder,
        .gate = worker->slot,
        .longest_us = (int64_t)worker->site->set.limit_session * 1000 + SLACK_US,
    });
    if (!unended)
        return NULL;
    struct heir *heir = memory_take(sizeof *heir);
    heir->unended = unended;
    heir->turn.due = turn_due;
    buf_init(&heir->records, RECORDS_MAX);
    return heir;
}

void heir_begin(struct heir *heir, struct loop *loop, struct journal_writer *writer)
{
    if (!heir)
        return;
    heir->loop = loop;
    heir->writer = writer;
    turn_within(heir, TURN_MS);
}

void heir_free(struct heir *heir)
{
    if (!heir)
        return;
    if (heir->loop)
        loop_timer_clear(heir->loop, &heir->turn);
    unended_free(heir->unended);
    buf_drop(&heir->records);
    memory_give(heir, sizeof *heir);
}
