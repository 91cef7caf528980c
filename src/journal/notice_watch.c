#include "journal/notice_watch.h"

#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/render_log.h"
#include "journal/segment.h"

#include <stdio.h>
#include <string.h>

#define CAMPAIGN_FIRST 170 /* the numbers of events of campaigns */
#define CAMPAIGN_LAST  189
#define GATES          128 /* segment_gate */
#define VERDICT_DROP   3   /* verdict.verdict */
#define SESSION_KINDS  3   /* the classes that a session can give cause to stand first */

_Static_assert(NOTICE_RESOURCE == SESSION_KINDS - 1, "the classes of sessions stand first");

struct watched {
    struct link link; /* in the order of their beginning */
    uint64_t id;
    uint16_t causes[SESSION_KINDS]; /* replies, 0: none */
    uint16_t finding;               /* for which the session was dropped, or 0 */
    bool null_sender;               /* MAIL named none */
    bool sender;                    /* MAIL named one */
    bool own;                       /* a notice came in it */
};

struct notice_watch {
    struct table sessions;
    struct link order;
    size_t sessions_max;
    uint64_t first[GATES]; /* of each gate the first session that was seen to begin, or 0 */
    struct buf text;       /* of the incident at hand */
    struct buf words;
};

/* --- ids ----------------------------------------------------------------------------------------------- */

uint64_t notice_id_make(int64_t unix_ms, unsigned counter)
{
    return event_id_make(unix_ms, NOTICE_GATE, 0xffffu - (counter & 0x7fffu));
}

bool notice_id_is(uint64_t session)
{
    return segment_gate(session) == (NOTICE_GATE | 64u);
}

size_t notice_message_id_print(uint64_t id, struct slice host, char *text, size_t size)
{
    char name[EVENT_ID_SIZE];
    event_id_print(id, name);
    const int len = snprintf(text, size, "<%s" NOTICE_MARK "%.*s>", name, SLICE_ARGS(host));
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

/* --- classes ------------------------------------------------------------------------------------------- */

/* Replies that their codes do not tell the class of. What asks for another attempt and is no more than that
 * (a greylist, a recipient that goes apart), and an address that does not exist, is nothing to tell of. */
static const struct {
    enum say reply;
    int class; /* -1: none */
    bool follows;
} rows[] = {
    {SAY_TOO_BUSY, NOTICE_RESOURCE, false},
    {SAY_SHUTTING_DOWN, -1, false},
    {SAY_IDLE_TOO_LONG, -1, false},
    {SAY_SESSION_TOO_LONG, -1, false},
    {SAY_TOO_MANY_ERRORS, NOTICE_PROTOCOL, true},
    {SAY_TOO_MUCH_JUNK, NOTICE_PROTOCOL, false},
    {SAY_NO_MEMORY, NOTICE_RESOURCE, false},
    {SAY_TOO_SLOW, -1, false},
    {SAY_TLS_INJECTION, NOTICE_PROTOCOL, false},
    {SAY_PROXY_BAD, NOTICE_PROTOCOL, false},
    {SAY_NEED_MAIL, NOTICE_PROTOCOL, true},
    {SAY_NO_RECIPIENTS, NOTICE_PROTOCOL, true},
    {SAY_EXPN_REFUSED, -1, false},
    {SAY_STARTTLS_REFUSED, -1, false},
    {SAY_DISK_FULL, NOTICE_RESOURCE, false},
    {SAY_UTF8_SENDER_REFUSED, -1, false},
    {SAY_TOO_MANY_TRANSACTIONS, -1, false},
    {SAY_UNKNOWN_RECIPIENT, -1, false},
    {SAY_UNKNOWN_RECIPIENT_INNER, -1, false},
    {SAY_RECIPIENT_UNSURE, NOTICE_RESOURCE, false},
    {SAY_TOO_MANY_RECIPIENTS, -1, false},
    {SAY_OTHER_ROUTE, -1, false},
    {SAY_UTF8_ROUTE, -1, false},
    {SAY_MESSAGE_DEFERRED_INNER, NOTICE_RESOURCE, false},
    {SAY_INNER_DOWN, NOTICE_RESOURCE, false},
    {SAY_NOT_STORED, NOTICE_RESOURCE, false},
    {SAY_RECIPIENT_LOST, -1, false},
    {SAY_FOREIGN, NOTICE_PROTOCOL, false},
    {SAY_PIPELINING, NOTICE_PROTOCOL, false},
    {SAY_HEADER_AS_COMMAND, NOTICE_PROTOCOL, false},
    {SAY_EHLO_REFUSED, -1, false},
    {SAY_OTHER_CLASS, -1, false},
    {SAY_GREYLISTED, -1, false},
    {SAY_GREYLISTED_MESSAGE, -1, false},
    {SAY_ONE_FOR_BOUNCES, -1, false},
    {SAY_SENDER_UNSURE, -1, false},
    {SAY_SPF_UNSURE, -1, false},
};

/* 500 to 504 and 555 are about syntax and order (RFC 5321 section 4.2.2). */
bool notice_reply_class(unsigned reply, enum notice_class *ret_class, bool *ret_follows)
{
    const struct say_info *info = say_info(reply);
    *ret_follows = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].reply == (enum say)reply) {
            *ret_follows = rows[i].follows;
            *ret_class = rows[i].class < 0 ? NOTICE_POLICY : (enum notice_class)rows[i].class;
            return rows[i].class >= 0;
        }
    if (!info || info->code < 400)
        return false;
    *ret_class = (info->code >= 500 && info->code <= 504) || info->code == 555 ? NOTICE_PROTOCOL
                                                                               : NOTICE_POLICY;
    return true;
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static struct slice key_of(const uint64_t *id)
{
    return slice_of((const char *)id, sizeof *id);
}

static struct watched *watched_find(const struct notice_watch *watch, uint64_t id)
{
    return table_get(&watch->sessions, key_of(&id));
}

static void watched_free(struct notice_watch *watch, struct watched *watched)
{
    table_remove(&watch->sessions, key_of(&watched->id));
    list_remove(&watched->link);
    memory_give(watched, sizeof *watched);
}

static struct watched *watched_need(struct notice_watch *watch, uint64_t id)
{
    struct watched *watched = watched_find(watch, id);
    if (watched)
        return watched;
    if (watch->sessions.used >= watch->sessions_max)
        watched_free(watch, LIST_OF(watch->order.next, struct watched, link));
    watched = memory_take(sizeof *watched);
    watched->id = id;
    list_add_last(&watch->order, &watched->link);
    table_put(&watch->sessions, key_of(&watched->id), watched);
    return watched;
}

static void take_reply(struct notice_watch *watch, uint64_t session, const struct event_reply_sent *sent)
{
    enum notice_class which;
    bool follows, any = false;
    const bool counts = notice_reply_class((unsigned)sent->number, &which, &follows);

    if (!counts && sent->code < 400)
        return;
    /* Also where it gives no cause: else nobody could tell that its beginning is known. */
    struct watched *watched = watched_need(watch, session);
    if (!counts)
        return;
    for (size_t i = 0; i < SESSION_KINDS; i++)
        any = any || watched->causes[i];
    if (!watched->causes[which] && (!follows || !any))
        watched->causes[which] = (uint16_t)sent->number;
}

static void take_verdict(struct notice_watch *watch, uint64_t session, const struct event_verdict *verdict)
{
    if (verdict->verdict == VERDICT_DROP && !verdict->observed && !verdict->spared.len && verdict->finding)
        watched_need(watch, session)->finding = (uint16_t)verdict->finding;
}

/* Also a MAIL that was refused. */
static void take_line(struct notice_watch *watch, uint64_t session, struct slice line)
{
    const bool null = slice_starts_fold(line, SLICE("MAIL FROM:<>"));
    const bool mail = null || slice_starts_fold(line, SLICE("MAIL FROM:"));
    struct watched *watched = null   ? watched_need(watch, session)
                              : mail ? watched_find(watch, session)
                                     : NULL;
    if (!watched)
        return;
    watched->null_sender = watched->null_sender || null;
    watched->sender = watched->sender || !null;
}

/* Of whichever gate: "<ID.notice@HOST>". */
static bool is_notice(struct slice message_id)
{
    uint64_t id;
    return slice_starts(message_id, SLICE("<")) &&
           event_id_parse(slice_head(slice_from(message_id, 1), EVENT_ID_SIZE - 1), &id) &&
           notice_id_is(id) && slice_starts(slice_from(message_id, EVENT_ID_SIZE), SLICE(NOTICE_MARK));
}

static void take_message(struct notice_watch *watch, uint64_t session,
                         const struct event_message_received *message)
{
    if (is_notice(message->message_id))
        watched_need(watch, session)->own = true;
}

void notice_watch_learn(struct notice_watch *watch, const struct event *event)
{
    const uint64_t session = event->stamp.session;
    if (!session)
        return;
    if (event->kind == EVENT_KIND_reply_sent)
        take_reply(watch, session, &event->body.reply_sent);
    else if (event->kind == EVENT_KIND_verdict)
        take_verdict(watch, session, &event->body.verdict);
    else if (event->kind == EVENT_KIND_line_received)
        take_line(watch, session, event->body.line_received.text);
    else if (event->kind == EVENT_KIND_message_received)
        take_message(watch, session, &event->body.message_received);
}

/* A session that began before its gate's events were seen: a gate's ids only grow. */
static bool began_before(const struct notice_watch *watch, uint64_t session)
{
    const uint64_t first = watch->first[segment_gate(session) % GATES];
    return !first || session < first;
}

bool notice_watch_lacks(const struct notice_watch *watch, const struct event *event)
{
    const struct event_session_ended *ended = &event->body.session_ended;
    if (event->kind != EVENT_KIND_session_ended || (!ended->negative && ended->why != END_BY_US))
        return false;
    return began_before(watch, event->stamp.session) || !watched_find(watch, event->stamp.session);
}

void notice_watch_forget(struct notice_watch *watch, uint64_t session)
{
    struct watched *watched = watched_find(watch, session);
    if (watched)
        watched_free(watch, watched);
}

/* What is wrong with how the client speaks; all else is what the house does not want. */
static bool is_of_protocol(unsigned finding)
{
    static const enum finding findings[] = {
        FIND_BARE_NEWLINE, FIND_NUL,         FIND_EIGHT_BIT,    FIND_LONG_LINE,        FIND_EXTRA_SPACE,
        FIND_JUNK,         FIND_ERRORS,      FIND_EARLY_TALK,   FIND_TLS_INJECTION,    FIND_FOREIGN_PROTOCOL,
        FIND_PIPELINING,   FIND_HTTP_TUNNEL, FIND_EHLO_NO_HELO, FIND_HEADER_AS_COMMAND};
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++)
        if (findings[i] == (enum finding)finding)
            return true;
    return false;
}

/* It was dropped without a word. */
static size_t silent_incident(struct notice_watch *watch, const struct watched *watched,
                              struct notice_incident *incident)
{
    const struct finding_info *info = finding_info(watched->finding);
    if (!info)
        return 0;
    buf_clear(&watch->words);
    buf_add_format(&watch->words, "%s: %s", info->word, info->doc);
    *incident = (struct notice_incident){.class = is_of_protocol(watched->finding) ? NOTICE_PROTOCOL
                                                                                   : NOTICE_POLICY,
                                         .cause = buf_slice(&watch->words)};
    return 1;
}

static size_t spoken_incidents(const struct watched *watched, struct notice_incident *incidents)
{
    size_t count = 0;
    for (unsigned i = 0; i < SESSION_KINDS; i++)
        if (watched->causes[i])
            incidents[count++] = (struct notice_incident){.class = (enum notice_class)i,
                                                          .reply = watched->causes[i]};
    return count;
}

static size_t session_incidents(struct notice_watch *watch, const struct event *event,
                                struct notice_incident *incidents)
{
    struct watched *watched = watched_find(watch, event->stamp.session);
    size_t count = 0;

    if (!watched)
        return 0;
    if (!watched->own)
        count = spoken_incidents(watched, incidents);
    if (!watched->own && !count && watched->finding)
        count = silent_incident(watch, watched, incidents);
    for (size_t i = 0; i < count; i++) {
        incidents[i].session = event->stamp.session;
        incidents[i].host = event->body.session_ended.peer;
        incidents[i].unix_ms = event->stamp.unix_us / 1000;
        incidents[i].quiet = watched->null_sender && !watched->sender;
    }
    watched_free(watch, watched);
    return count;
}

/* --- what happened to this host ------------------------------------------------------------------------ */

/* A field by its name, where the event has it. */
static const void *field_of(const struct event *event, const char *name, enum event_type type)
{
    for (size_t i = 0; event->info && i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        if (field->type == type && strcmp(field->name, name) == 0)
            return (const char *)&event->body + field->offset;
    }
    return NULL;
}

static struct slice text_of(const struct event *event, const char *name)
{
    const struct slice *text = field_of(event, name, EVENT_TYPE_TEXT);
    return text ? *text : SLICE_NONE;
}

/* What is said of a campaign as a whole, in a sentence; not each attempt of it, and not that it is over. */
static bool is_of_campaign(const struct event *event)
{
    const unsigned kind = event->kind;
    return kind >= CAMPAIGN_FIRST && kind <= CAMPAIGN_LAST && event->info && event->info->level <= 2 &&
           text_of(event, "sentence").len && strcmp(event->info->word, "campaign-closed") != 0;
}

static bool host_class(const struct event *event, enum notice_class *ret_class)
{
    const unsigned kind = event->kind;
    switch (kind) {
    case EVENT_KIND_trouble:
    case EVENT_KIND_events_lost: *ret_class = NOTICE_RESOURCE; return true;
    case EVENT_KIND_service_changed:
        *ret_class = NOTICE_RESOURCE;
        return !slice_equal(event->body.service_changed.state, SLICE("works"));
    case EVENT_KIND_process_crashed:
    case EVENT_KIND_queue_damaged:
    case EVENT_KIND_history_damaged:
    case EVENT_KIND_configuration_refused: *ret_class = NOTICE_SOFTWARE; return true;
    }
    *ret_class = NOTICE_CAMPAIGN;
    return is_of_campaign(event);
}

/* What is the same each time: no pid, no file, no time. */
static void cause_words(const struct event *event, struct buf *out)
{
    const struct slice doc = slice_text(event->info->doc);
    if (event->kind == EVENT_KIND_trouble)
        buf_add_format(out, "trouble: %.*s", SLICE_ARGS(event->body.trouble.what));
    else if (event->kind == EVENT_KIND_service_changed)
        buf_add_format(out, "%.*s: %.*s", SLICE_ARGS(event->body.service_changed.service),
                       SLICE_ARGS(event->body.service_changed.state));
    else if (event->kind == EVENT_KIND_process_crashed)
        buf_add_format(out, "the %.*s ended by itself: %.*s", SLICE_ARGS(event->body.process_crashed.role),
                       SLICE_ARGS(event->body.process_crashed.how));
    else if (is_of_campaign(event) && text_of(event, "kind").len)
        buf_add_format(out, "%.*s: %s", SLICE_ARGS(text_of(event, "kind")), event->info->word);
    else
        buf_add(out, slice_head(doc, slice_find(doc, ':')));
}

/* A campaign goes by the id of one of its sessions. */
static void example_words(const struct event *event, struct buf *out)
{
    const uint64_t *campaign = field_of(event, "campaign", EVENT_TYPE_NUMBER);
    char id[EVENT_ID_SIZE];
    if (!is_of_campaign(event)) {
        render_system_text(event, out);
        return;
    }
    if (campaign && *campaign) {
        event_id_print(*campaign, id);
        buf_add_format(out, "Campaign %s: ", id);
    }
    buf_add(out, text_of(event, "sentence"));
}

static size_t host_incident(struct notice_watch *watch, const struct event *event,
                            struct notice_incident *incident)
{
    enum notice_class which;

    if (notice_id_is(event->stamp.session) || !host_class(event, &which))
        return 0;
    buf_clear(&watch->text);
    buf_clear(&watch->words);
    cause_words(event, &watch->words);
    example_words(event, &watch->text);
    *incident = (struct notice_incident){.class = which,
                                         .cause = buf_slice(&watch->words),
                                         .example = buf_slice(&watch->text),
                                         .unix_ms = event->stamp.unix_us / 1000};
    return 1;
}

size_t notice_watch_event(struct notice_watch *watch, const struct event *event,
                          struct notice_incident ret_incidents[NOTICE_CLASSES])
{
    const uint64_t session = event->stamp.session;
    uint64_t *first = &watch->first[segment_gate(session) % GATES];
    if (event->kind == EVENT_KIND_session_opened && !*first)
        *first = session;
    if (event->kind == EVENT_KIND_session_ended)
        return session_incidents(watch, event, ret_incidents);
    notice_watch_learn(watch, event);
    return host_incident(watch, event, ret_incidents);
}

/* --- beginning and end --------------------------------------------------------------------------------- */

struct notice_watch *notice_watch_new(size_t sessions_max)
{
    struct notice_watch *watch = memory_take(sizeof *watch);
    table_init(&watch->sessions, 0);
    list_init(&watch->order);
    watch->sessions_max = sessions_max;
    buf_init(&watch->text, 4 * EVENT_SIZE_MAX);
    buf_init(&watch->words, 2 * EVENT_SIZE_MAX);
    return watch;
}

void notice_watch_forget_gate(struct notice_watch *watch, unsigned gate)
{
    for (struct link *at = watch->order.next; at != &watch->order;) {
        struct watched *watched = LIST_OF(at, struct watched, link);
        at = at->next;
        if (segment_gate(watched->id) == gate)
            watched_free(watch, watched);
    }
}

size_t notice_watch_sessions(const struct notice_watch *watch)
{
    return watch->sessions.used;
}

void notice_watch_free(struct notice_watch *watch)
{
    if (!watch)
        return;
    while (!list_is_empty(&watch->order))
        watched_free(watch, LIST_OF(watch->order.next, struct watched, link));
    table_drop(&watch->sessions);
    buf_drop(&watch->text);
    buf_drop(&watch->words);
    memory_give(watch, sizeof *watch);
}
