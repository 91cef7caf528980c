/* What the gate has recorded of a script's sessions: it is shown, and the events that the script expects are
 * looked for. */
#include "cli/play.h"

#include "base/text.h"
#include "cli/explain.h"
#include "cli/journal_files.h"
#include "core/finding.h"
#include "journal/search.h"
#include "journal/summary.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define END_MS    10000 /* until a session has ended and its end is written */
#define PAUSE_NS  100000000
#define LOOK_BACK 2000    /* sessions, of a gate that others use, too */
#define SLACK_US  2000000 /* by which clocks may differ */
#define JSON_MAX  (4u << 20)

/* --- finding it ---------------------------------------------------------------------------------------- */

/* Each connection has a port of its own, which no other had in these moments. */
static bool is_it(const struct play_session *session, const struct event *ended)
{
    return ended->stamp.unix_us >= session->began_us - SLACK_US &&
           address_equal(&ended->body.session_ended.peer, &session->from);
}

static bool find_once(const char *folder, const struct play_session *session, uint64_t *ret_id)
{
    struct search *search;
    struct event ended;
    bool found = false;

    if (search_open(folder, &search, NULL) < 0)
        return false;
    for (int i = 0; i < LOOK_BACK && !found && search_next(search, &ended); i++) {
        found = is_it(session, &ended);
        *ret_id = ended.stamp.session;
    }
    search_close(search);
    return found;
}

static int find_session(const struct play *play, const struct play_session *session, uint64_t *ret_id,
                        char folder[JOURNAL_FOLDER_SIZE])
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const uint64_t until_ms = play_now_ms() + (play->wait_ms < END_MS ? play->wait_ms : END_MS);

    while (play_now_ms() < until_ms) {
        const int status = journal_folder(play->cli, folder);
        if (status != CLI_OK)
            return status;
        if (find_once(folder, session, ret_id))
            return CLI_OK;
        (void)nanosleep(&pause, NULL);
    }
    return cli_fail(
        play->cli,
        "the journal in %s says nothing of this session: it goes on, or the gate that was reached is "
        "another one than that of %s",
        folder, play->cli->file);
}

/* --- events -------------------------------------------------------------------------------------------- */

static struct slice field_text(const struct event *event, const struct event_field *field, char room[64])
{
    const void *value = (const char *)&event->body + field->offset;

    switch (field->type) {
    case EVENT_TYPE_TEXT: return *(const struct slice *)value;
    case EVENT_TYPE_NUMBER: return slice_of(room, text_print_u64(*(const uint64_t *)value, room));
    case EVENT_TYPE_ADDRESS: return slice_of(room, address_port_print(value, room));
    }
    return SLICE_NONE;
}

/* A finding is named by its word or its number. */
static bool field_fits(const struct event *event, struct slice name, struct slice pattern)
{
    char room[64];

    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        if (!slice_equal(name, slice_text(field->name)))
            continue;
        enum finding finding;
        if (slice_equal(name, SLICE("finding")) && finding_parse(pattern, &finding))
            return *(const uint64_t *)(const void *)((const char *)&event->body + field->offset) == finding;
        return text_match(pattern, field_text(event, field, room));
    }
    return false;
}

/* FIELD=PATTERN …; a pattern with blanks stands in quotes. */
static bool event_fits(const struct event *event, struct slice conditions)
{
    struct slice name, pattern;

    conditions = slice_trim(conditions);
    while (conditions.len) {
        (void)slice_cut(&conditions, '=', &name);
        const bool quoted = slice_starts(conditions, SLICE("\""));
        pattern = SLICE_NONE;
        conditions = slice_from(conditions, quoted);
        (void)slice_cut(&conditions, quoted ? '"' : ' ', &pattern);
        if (!field_fits(event, slice_trim(name), pattern))
            return false;
        conditions = slice_trim(conditions);
    }
    return true;
}

/* Where to look on, or SIZE_MAX: there is none. */
static size_t event_find(const struct history *history, size_t from, struct slice wanted)
{
    struct slice word;

    (void)slice_word(&wanted, &word);
    for (size_t i = from; i < history->count; i++) {
        const struct event *event = &history->events[i];
        if (event->info && slice_equal(word, slice_text(event->info->word)) && event_fits(event, wanted))
            return i + 1;
    }
    return SIZE_MAX;
}

static void expect_events(struct play *play, const struct play_session *session,
                          const struct history *history)
{
    size_t place = 0;

    for (const struct play_order *order = session->first_event->next; order && order->verb != PLAY_OPEN;
         order = order->next) {
        if (order->verb != PLAY_EVENT)
            continue;
        const size_t found = event_find(history, place, order->text);
        if (found == SIZE_MAX)
            play_unmet(play, order, "no such event: ", order->text);
        else
            place = found;
    }
}

/* --- showing ------------------------------------------------------------------------------------------- */

static void print_json(const struct history *history)
{
    struct summary summary;
    struct arena arena;
    struct buf out, sentence;

    arena_init(&arena, NULL, 0);
    buf_init(&out, JSON_MAX);
    buf_init(&sentence, JSON_MAX);
    summary_make(history, &arena, &summary);
    summary_sentence(&summary, &sentence);
    summary_json(&summary, buf_slice(&sentence), &out);
    cli_print_line(&out);
    buf_drop(&out);
    buf_drop(&sentence);
    arena_drop(&arena);
}

static int session_outcome(struct play *play, const struct play_session *session)
{
    char folder[JOURNAL_FOLDER_SIZE];
    struct error error = {0};
    struct history history;
    uint64_t id = 0;

    int status = find_session(play, session, &id, folder);
    if (status != CLI_OK)
        return status;
    history_init(&history, id);
    if (history_load(&history, folder, &error) < 0)
        status = journal_fail(play->cli, folder, &error);
    else if (play->cli->json)
        print_json(&history);
    else if (play->level) {
        cli_print("\n");
        const struct explain explain = {.view = view_find(SLICE("log")), .level = play->level};
        status = explain_session(play->cli, folder, id, &explain);
    }
    if (status == CLI_OK)
        expect_events(play, session, &history);
    history_drop(&history);
    return status;
}

int play_outcome(struct play *play)
{
    int status = CLI_OK;

    for (size_t i = 0; i < play->session_count && status == CLI_OK; i++)
        status = session_outcome(play, &play->sessions[i]);
    return status;
}
