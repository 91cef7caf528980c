/* postern explain --follow: sessions while they happen. */
#include "cli/explain.h"
#include "cli/explain_filter.h"

#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "cli/journal_files.h"
#include "journal/reader.h"
#include "journal/render_log.h"

#include <poll.h>
#include <stdio.h>

#define SESSIONS_MAX 1024 /* that are kept in mind; the one that was silent longest is forgotten */
#define OUT_MAX      (64u * 1024u * 1024u)
#define WAIT_MS      1000

/* A session that goes on, or that ended and whose messages may still be delivered. */
struct watched {
    struct link link; /* the one that was silent longest first */
    uint64_t id;      /* its key in the table */
    unsigned met;     /* conditions of the filter */
    bool shown;       /* all are met: its lines are printed */
    struct render_log log;
};

struct follow {
    const struct cli *cli;
    const struct explain *explain;
    const struct explain_filter *filter;
    const char *folder;
    struct journal_reader *reader;
    struct table sessions;
    struct link order;
    size_t count;
    struct render_log system; /* of no session */
    struct buf out;
};

/* --- sessions in mind ---------------------------------------------------------------------------------- */

static struct slice key_of(const struct watched *watched)
{
    return slice_of((const char *)&watched->id, sizeof watched->id);
}

static void forget(struct follow *follow, struct watched *watched)
{
    table_remove(&follow->sessions, key_of(watched));
    list_remove(&watched->link);
    render_log_done(&watched->log);
    memory_give(watched, sizeof *watched);
    follow->count--;
}

static struct render_log_settings log_settings(const struct follow *follow)
{
    return (struct render_log_settings){
        .level = follow->explain->level, .colour = follow->cli->colour, .zone_minutes = journal_zone};
}

static struct watched *watch(struct follow *follow, uint64_t id)
{
    const struct render_log_settings settings = log_settings(follow);
    struct watched *watched = memory_take(sizeof *watched);

    if (follow->count == SESSIONS_MAX)
        forget(follow, LIST_OF(follow->order.next, struct watched, link));
    watched->id = id;
    list_add_last(&follow->order, &watched->link);
    render_log_init(&watched->log, &settings);
    table_put(&follow->sessions, key_of(watched), watched);
    follow->count++;
    return watched;
}

/* --- the log, line by line ----------------------------------------------------------------------------- */

static void print_event(struct follow *follow, struct render_log *log, const struct event *event)
{
    struct event shown = *event;
    struct arena arena;

    arena_init(&arena, NULL, 0);
    if (follow->explain->redaction)
        redaction_event(follow->explain->redaction, &shown, &arena);
    render_log_event(log, &shown, &follow->out);
    if (event->kind == EVENT_KIND_session_ended)
        render_log_end(log, &follow->out);
    (void)fwrite(follow->out.at ? follow->out.at : "", 1, follow->out.len, stdout);
    buf_clear(&follow->out);
    arena_drop(&arena);
}

/* What came before is judged, too; once the session is to be shown, it is printed whole. */
static void catch_up(struct follow *follow, struct watched *watched, const struct journal_item *item,
                     bool show)
{
    struct history history;

    history_init(&history, watched->id);
    journal_reader_before(follow->reader, item, &history);
    for (size_t i = 0; i < history.count; i++) {
        if (show)
            print_event(follow, &watched->log, &history.events[i]);
        else
            (void)explain_filter_event(follow->filter, &history.events[i], &watched->met);
    }
    history_drop(&history);
}

static void take_session(struct follow *follow, const struct journal_item *item)
{
    const uint64_t id = item->event.stamp.session;
    struct watched *watched = table_get(&follow->sessions, slice_of((const char *)&id, sizeof id));
    const bool begins = item->event.kind == EVENT_KIND_session_opened;

    if (!watched) {
        watched = watch(follow, id);
        if (!begins)
            catch_up(follow, watched, item, false);
    }
    list_remove(&watched->link);
    list_add_last(&follow->order, &watched->link);
    const bool match = explain_filter_event(follow->filter, &item->event, &watched->met);
    if (!watched->shown && match) {
        watched->shown = true;
        if (!begins)
            catch_up(follow, watched, item, true);
    }
    if (watched->shown)
        print_event(follow, &watched->log, &item->event);
}

static void take_line(struct follow *follow, const struct journal_item *item)
{
    if (item->event.stamp.session)
        take_session(follow, item);
    else if (!follow->filter->wanted)
        print_event(follow, &follow->system, &item->event);
}

/* --- other views, session by session ------------------------------------------------------------------- */

static void take_ended(struct follow *follow, const struct event *ended)
{
    struct history history;

    history_init(&history, ended->stamp.session);
    if (history_load(&history, follow->folder, NULL) == 0 &&
        explain_filter_history(follow->filter, &history)) {
        explain_history(follow->cli, &history, follow->explain);
        if (follow->explain->format == EXPLAIN_TEXT && !follow->cli->json)
            cli_print("\n");
    }
    history_drop(&history);
}

/* --- following ----------------------------------------------------------------------------------------- */

static bool is_live(const struct follow *follow)
{
    return follow->explain->view == view_find(SLICE("log")) && follow->explain->format == EXPLAIN_TEXT &&
           !follow->cli->json;
}

static void look(struct follow *follow)
{
    struct pollfd wait = {.fd = journal_reader_fd(follow->reader), .events = POLLIN};
    struct journal_item item;

    (void)fflush(stdout);
    (void)poll(&wait, 1, WAIT_MS);
    journal_reader_look(follow->reader);
    while (!ferror(stdout) && journal_reader_next(follow->reader, &item)) {
        if (is_live(follow))
            take_line(follow, &item);
        else if (item.event.kind == EVENT_KIND_session_ended)
            take_ended(follow, &item.event);
    }
}

int explain_follow(const struct cli *cli, const char *folder, const struct explain *explain,
                   const struct explain_filter *filter)
{
    const struct journal_reader_settings settings = {.folder = folder, .from = JOURNAL_FROM_END};
    struct follow follow = {.cli = cli, .explain = explain, .filter = filter, .folder = folder};
    const struct render_log_settings log = log_settings(&follow);
    struct error error = {0};

    if (journal_reader_open(&settings, &follow.reader, &error) < 0)
        return journal_fail(cli, folder, &error);
    table_init(&follow.sessions, (uint64_t)(uintptr_t)&follow);
    list_init(&follow.order);
    buf_init(&follow.out, OUT_MAX);
    render_log_init(&follow.system, &log);
    while (!ferror(stdout))
        look(&follow);
    while (!list_is_empty(&follow.order))
        forget(&follow, LIST_OF(follow.order.next, struct watched, link));
    render_log_done(&follow.system);
    table_drop(&follow.sessions);
    buf_drop(&follow.out);
    journal_reader_close(follow.reader);
    return CLI_OK;
}
