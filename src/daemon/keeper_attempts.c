#include "daemon/keeper_attempts.h"

#include "base/memory.h"
#include "checks/generic_name.h"
#include "io/suffix.h"
#include "journal/search.h"
#include "watch/attempt_journal.h"

enum {
    SENDERS = 4096,        /* sessions whose sender is remembered until they end */
    PAST_OCTETS = 32 << 20 /* of lines of the past */
};

/* The first sender of a session that is open. */
struct sender {
    uint64_t session;
    uint16_t len;
    char text[ATTEMPT_TEXT_MAX];
};

struct keeper_attempts {
    const char *folder;
    struct suffix *suffix; /* NULL: there is no list */
    struct arena arena;    /* of one session */
    struct sender senders[SENDERS];
};

struct keeper_attempts *keeper_attempts_new(const char *folder)
{
    struct keeper_attempts *attempts = memory_take(sizeof *attempts);
    attempts->folder = folder;
    attempts->suffix = suffix_open();
    arena_init(&attempts->arena, NULL, 0);
    return attempts;
}

void keeper_attempts_free(struct keeper_attempts *attempts)
{
    if (!attempts)
        return;
    suffix_close(attempts->suffix);
    arena_drop(&attempts->arena);
    memory_give(attempts, sizeof *attempts);
}

/* --- one session ------------------------------------------------------------------------------------------
 */

/* What the session has not asked itself, and what a name alone can tell. */
static void name_finish(struct keeper_attempts *attempts, struct attempt *attempt)
{
    if (!attempt->ptr_confirmed)
        return;
    attempt->ptr_generic = attempt->ptr_generic ||
                           generic_name(attempt->ptr, &attempt->peer, NULL) != GENERIC_NO;
    if (attempt_has(attempt, ATTEMPT_HAS_POOL) || attempt->ptr_generic || !attempts->suffix)
        return;
    attempt->pool = suffix_registered(attempts->suffix, attempt->ptr, &attempts->arena);
    attempt->has |= ATTEMPT_HAS_POOL;
}

static struct sender *sender_of(struct keeper_attempts *attempts, uint64_t session)
{
    return &attempts->senders[(session ^ session >> 16) % SENDERS];
}

static void sender_note(struct keeper_attempts *attempts, const struct event *event)
{
    const struct slice text = slice_head(event->body.mail_started.sender, ATTEMPT_TEXT_MAX);
    struct sender *sender = sender_of(attempts, event->stamp.session);
    sender->session = event->stamp.session;
    sender->len = (uint16_t)text.len;
    if (text.len)
        memcpy(sender->text, text.at, text.len);
}

static bool has_flag(const struct event_session_ended *ended, const char *word)
{
    struct slice flags = ended->flags, flag;
    while (slice_cut(&flags, ',', &flag))
        if (slice_equal(flag, slice_text(word)))
            return true;
    return false;
}

/* Whether the end tells all there is to know: everything was taken, or there was nothing. */
static bool is_plain(const struct event_session_ended *ended)
{
    return ended->negative == 0 && ended->accepted == ended->tried && !has_flag(ended, "http-tunnel") &&
           !has_flag(ended, "trap");
}

/* Whom our own block list turns away before it has said anything shows nothing that is not known: what is
 * refused because of a block is no evidence for the next one. */
static bool is_shut_out(const struct event_session_ended *ended)
{
    return ended->tried == 0 && has_flag(ended, "blocked");
}

static void plain_take(struct keeper_attempts *attempts, const struct event *event,
                       const struct keeper_attempts_sink *sink)
{
    const struct sender *sender = sender_of(attempts, event->stamp.session);
    const bool has_sender = sender->session == event->stamp.session;
    if (!event->body.session_ended.accepted)
        return;
    struct attempt attempt = attempt_from_end(event, has_sender,
                                              has_sender ? slice_of(sender->text, sender->len) : SLICE_NONE);
    name_finish(attempts, &attempt);
    sink->take(sink->data, &attempt);
}

static void history_take(struct keeper_attempts *attempts, const struct history *history,
                         const struct event *ended, const struct keeper_attempts_sink *sink)
{
    struct attempt list[ATTEMPT_JOURNAL_MAX];
    const size_t count = attempts_from_history(history, ended, &attempts->arena, list);
    for (size_t i = 0; i < count; i++) {
        name_finish(attempts, &list[i]);
        sink->take(sink->data, &list[i]);
    }
}

/* A session that began in the file before is looked for by its id. */
static void read_again(struct keeper_attempts *attempts, const struct journal_reader *reader,
                       const struct journal_item *item, const struct keeper_attempts_sink *sink)
{
    struct history history;
    history_init(&history, item->event.stamp.session);
    journal_reader_before(reader, item, &history);
    if (!history.opened) {
        history_drop(&history);
        (void)history_load(&history, attempts->folder, NULL);
    }
    history_take(attempts, &history, &item->event, sink);
    history_drop(&history);
}

void keeper_attempts_event(struct keeper_attempts *attempts, const struct journal_reader *reader,
                           const struct journal_item *item, const struct keeper_attempts_sink *sink)
{
    if (item->event.kind == EVENT_KIND_mail_started)
        sender_note(attempts, &item->event);
    if (item->event.kind != EVENT_KIND_session_ended || is_shut_out(&item->event.body.session_ended))
        return;
    if (is_plain(&item->event.body.session_ended))
        plain_take(attempts, &item->event, sink);
    else
        read_again(attempts, reader, item, sink);
    arena_drop(&attempts->arena);
}

/* --- the past ---------------------------------------------------------------------------------------------
 */

/* Attempts as lines, the newest session first: the journal is read backwards. */
struct past {
    struct arena arena;
    struct buf line;
    struct slice *lines;
    size_t count, room;
    size_t octets;
};

static void past_add(void *data, const struct attempt *attempt)
{
    struct past *past = data;
    buf_clear(&past->line);
    if (past->octets > PAST_OCTETS || !attempt_print(attempt, &past->line))
        return;
    if (past->count == past->room) {
        const size_t room = past->room ? past->room * 2 : 1024;
        past->lines = memory_resize(past->lines, past->room * sizeof *past->lines,
                                    room * sizeof *past->lines);
        past->room = room;
    }
    past->lines[past->count++] = arena_copy(&past->arena, buf_slice(&past->line));
    past->octets += past->line.len;
}

static void past_read(struct keeper_attempts *attempts, struct search *search, struct past *past,
                      int64_t since_ms, size_t most)
{
    const struct keeper_attempts_sink sink = {past_add, past};
    struct event ended;
    for (size_t i = 0; i < most && search_next(search, &ended) && ended.stamp.unix_us / 1000 >= since_ms;
         i++) {
        struct history history;
        if (is_shut_out(&ended.body.session_ended))
            continue;
        if (is_plain(&ended.body.session_ended)) {
            plain_take(attempts, &ended, &sink);
        } else {
            history_init(&history, ended.stamp.session);
            search_history(search, &history);
            history_take(attempts, &history, &ended, &sink);
            history_drop(&history);
        }
        arena_drop(&attempts->arena);
    }
}

static void past_give(const struct past *past, const struct keeper_attempts_sink *sink)
{
    struct arena arena;
    arena_init(&arena, NULL, 0);
    for (size_t i = past->count; i-- > 0;) {
        struct attempt attempt;
        if (attempt_parse(past->lines[i], &arena, &attempt))
            sink->take(sink->data, &attempt);
        arena_drop(&arena);
    }
}

void keeper_attempts_past(struct keeper_attempts *attempts, int64_t since_ms, size_t most,
                          const struct keeper_attempts_sink *sink)
{
    struct past past = {.count = 0};
    struct search *search;
    if (search_open(attempts->folder, &search, NULL) < 0)
        return;
    arena_init(&past.arena, NULL, 0);
    buf_init(&past.line, ATTEMPT_LINE_MAX);
    past_read(attempts, search, &past, since_ms, most);
    past_give(&past, sink);
    memory_give(past.lines, past.room * sizeof *past.lines);
    buf_drop(&past.line);
    arena_drop(&past.arena);
    search_close(search);
}
