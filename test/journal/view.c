/* Proves the views: the sessions of the four seeds read in each view and format as their golden files; every
 * kind of event can be shown in every view; nothing that a peer sent steers a terminal or breaks out of a
 * page; and the sender's view tells nothing that only we know.
 *
 * With GOLDEN_WRITE set in the environment the golden files are written instead. */
#include "journal/view.h"

#include "core/finding.h"
#include "folder.h"
#include "journal/words.h"
#include "records.h"
#include "seed.h"
#include "unit.h"

#include <jansson.h>
#include <sys/stat.h>

#define OUT_MAX (1u << 28)

static const char *golden_folder;

enum format { FORMAT_TEXT, FORMAT_HTML, FORMAT_JSON, FORMAT_COUNT };
static const char *const endings[] = {"txt", "html", "json"};

static void write_as(const struct document *document, enum format format, struct buf *out)
{
    const struct document_writing writing = {.head = true};
    switch (format) {
    case FORMAT_TEXT: assert_true(document_text(document, &writing, out)); break;
    case FORMAT_HTML: assert_true(document_html(document, out)); break;
    default: assert_true(document_json(document, out) && buf_add_octet(out, '\n')); break;
    }
}

static void make(const struct view *view, const struct history *history, int level,
                 struct document *ret_document)
{
    const struct view_settings settings = {.level = level};
    view_make(view, history, &settings, ret_document);
}

/* --- golden files -------------------------------------------------------------------------------------- */

static const char *const sessions[] = {
    "seed-001",           "demo-000-open-proxy",   "demo-001-put-off",       "demo-001-accepted",
    "demo-002-web-form",  "demo-002-ehlo-no-helo", "demo-002-schizophrenic", "demo-003-put-off",
    "demo-003-come-back", "names-add-up"};

/* The first session is the dialogue of seed 001 itself, the last is that of a replay script; the others were
 * recorded by a gate that ran. */
static void load(size_t index, struct history *ret_history)
{
    struct buf records;
    struct event event;
    size_t size;
    char path[1024];
    buf_init(&records, 1 << 24);
    if (index == 0) {
        struct seed seed;
        seed_tell(&seed);
        buf_add(&records, buf_slice(&seed.records));
        buf_drop(&seed.records);
    } else {
        snprintf(path, sizeof path, "%s/views/%s/events.jsonl", golden_folder, sessions[index]);
        records_read(path, &records);
    }
    assert_int_equal(event_read(buf_slice(&records), &event, &size), EVENT_DONE);
    history_init(ret_history, event.stamp.session);
    history_add(ret_history, buf_slice(&records));
    buf_drop(&records);
}

static void compare(const char *session, const char *name, struct slice now)
{
    char path[1024], beside[256];
    snprintf(path, sizeof path, "%s/views/%s/%s", golden_folder, session, name);
    if (getenv("GOLDEN_WRITE")) {
        char folder[1024];
        snprintf(folder, sizeof folder, "%s/views/%s", golden_folder, session);
        (void)mkdir(folder, 0755);
        file_put(path, now);
        (void)chmod(path, 0644);
        return;
    }
    struct slice golden = file_take(path);
    if (!slice_equal(golden, now)) {
        snprintf(beside, sizeof beside, "%s.%s.now", session, name);
        file_put(beside, now);
        fail_msg("the view is not as in %s: see %s; GOLDEN_WRITE=1 writes it anew", path, beside);
    }
    file_give(golden);
}

/* One line of JSON in a form that people can read and compare. */
static void unfold(struct buf *out)
{
    json_t *object = json_loadb(out->at, out->len, 0, NULL);
    assert_non_null(object);
    char *text = json_dumps(object, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    buf_clear(out);
    assert_true(buf_add(out, slice_text(text)) && buf_add_octet(out, '\n'));
    free(text);
    json_decref(object);
}

static void sessions_read_as_their_golden_files(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, OUT_MAX);
    for (size_t i = 0; i < COUNT(sessions); i++) {
        struct history history;
        load(i, &history);
        for (size_t v = 0; view_at(v); v++) {
            struct document document;
            char name[64];
            make(view_at(v), &history, 4, &document);
            for (enum format format = FORMAT_TEXT; format < FORMAT_COUNT; format++) {
                buf_clear(&out);
                write_as(&document, format, &out);
                if (format == FORMAT_JSON)
                    unfold(&out);
                snprintf(name, sizeof name, "%s.%s", view_at(v)->name, endings[format]);
                compare(sessions[i], name, buf_slice(&out));
            }
            document_drop(&document);
        }
        history_drop(&history);
    }
    buf_drop(&out);
}

/* What the annotator of seed 001 tells, each in other words: that the annotated view tells it, too. */
static void seed_is_as_instructive_as_its_own_comments(void **state)
{
    (void)state;
    static const char *const told[] = {
        "somebody calls us",                                /* "First, somebody is calling us" */
        "a computer at the address 36.37.0.13",             /* "It is someone at the address" */
        "We open a line for it",                            /* "open a line" */
        "We greet them: who we are",                        /* "tell them what program we are" */
        "(1) ESMTP is spoken here.",                        /* "three things: (1) ESMTP is spoken here" */
        "tell us their name",                               /* "Next, they tell us their name" */
        "it should be the name of their computer, such as", /* "which should be a hostname (e.g. …)" */
        "We look up which address the name",                /* "We look up the name they gave us" */
        "All that we know for sure is their address: 36.37.0.13",  /* "all we really know for sure" */
        "We are polite and say it nicely",                         /* "we're polite so we say it nicely" */
        "Next comes one particular message",                       /* "the particular email message" */
        "who is to get the message. It is recipes@hypertouch.com", /* "who is the email's recipient" */
        "the message itself: its head and its text",               /* "the headers and the body" */
        "They have finished sending",                              /* "They finish sending" */
        "The content itself is not kept in this record", /* "the actual content … isn't recorded" */
        "queue for delivery",                            /* "Queue the email message up" */
        "to the right person, in this case joepublic",   /* "the appropriate person" */
        "so it leaves the queue",                        /* "Delete the email message from the queue" */
        "they are done and want to leave",               /* "they are done and want to quit" */
        "We say goodbye",                                /* "Tell the sender we are closing" */
        "everything that was opened for it is put away", /* "close … everything we opened" */
    };
    struct history history;
    struct document document;
    struct buf out;
    buf_init(&out, OUT_MAX);
    load(0, &history);
    make(view_find(SLICE("annotated")), &history, 4, &document);
    for (size_t i = 0; i < document.line_count; i++) {
        buf_add(&out, document.lines[i].text);
        buf_add_octet(&out, '\n');
    }
    struct slice rest = buf_slice(&out);
    for (size_t i = 0; i < COUNT(told); i++) {
        const size_t at = slice_find_slice(rest, slice_text(told[i]));
        if (at == SLICE_NOT_FOUND)
            fail_msg("not told in its place: %s", told[i]);
        rest = slice_from(rest, at);
    }
    document_drop(&document);
    history_drop(&history);
    buf_drop(&out);
}

/* --- every kind, and hostile texts --------------------------------------------------------------------- */

/* Escapes, C1 as an octet and as UTF-8, a bidirectional override, a line separator, tags, an entity, quotes,
 * a script's end, a backslash, a NUL, and ends of lines. */
#define NASTY                                                                                                \
    "a\r\nb\033[2J\x01\x9b\xc2\x9b\xe2\x80\xae\xe2\x80\xa8<script>alert(1)</script>\"'>&lt;--></"            \
    "style>\\\0z\x7f"

static void fill(struct event *event, enum event_kind kind, struct slice text, uint64_t number)
{
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->info = event_info(kind);
    event->stamp = (struct event_stamp){.session = event_id_make(SEED_START_MS, 2, 3),
                                        .unix_us = SEED_START_MS * 1000};
    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        void *value = (char *)&event->body + field->offset;
        switch (field->type) {
        case EVENT_TYPE_NUMBER: *(uint64_t *)value = number; break;
        case EVENT_TYPE_TEXT: *(struct slice *)value = text; break;
        case EVENT_TYPE_ADDRESS:
            *(struct address *)value = (struct address){.family = ADDRESS_IPV6,
                                                        .octets = {0x20, 1, 0xd, 0xb8}};
            break;
        }
    }
}

/* Every kind of event in turn, with the same hostile text in every field, between a beginning and an end. */
static void add_every_kind(struct history *history, struct slice text, uint64_t number)
{
    struct buf records;
    buf_init(&records, 1 << 26);
    for (unsigned kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
        struct event event;
        if (!event_info(kind))
            continue;
        fill(&event, kind, text, number);
        assert_true(event_add(&records, &event.stamp, event.kind, &event.body));
    }
    history_add(history, buf_slice(&records));
    buf_drop(&records);
}

static bool has(struct slice text, const char *part)
{
    return slice_find_slice(text, slice_text(part)) != SLICE_NOT_FOUND;
}

/* Nothing but printable ASCII and ends of lines: hostile texts have no other characters that may stay. */
static void assert_tame(struct slice text, const char *what)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char octet = (unsigned char)text.at[i];
        const bool ours = octet == 0xe2 && i + 2 < text.len && !memcmp(text.at + i, "…", 3);
        if (ours)
            i += 2;
        else if ((octet < 0x20 && octet != '\n') || octet > 0x7e)
            fail_msg("%s has an octet %02x behind \"%.*s\"", what, octet, (int)(i < 40 ? i : 40),
                     text.at + (i < 40 ? 0 : i - 40));
    }
}

/* Outside of its own tags the page has no < and no quote, and these tags are all of it. */
static void assert_page(struct slice page)
{
    static const char *const tags[] = {"!DOCTYPE", "html", "head", "meta", "title",      "style", "body",
                                       "header",   "h1",   "p",    "dl",   "dt",         "dd",    "figure",
                                       "svg",      "line", "text", "rect", "figcaption", "main",  "h2",
                                       "div",      "time", "span", "b",    "u",          "footer"};
    struct slice rest = page, part;
    assert_false(has(page, "<script"));
    (void)slice_cut(&rest, '<', &part);
    while (slice_cut(&rest, '<', &part)) {
        bool known = false;
        struct slice name = slice_starts(part, SLICE("/")) ? slice_from(part, 1) : part;
        for (size_t i = 0; i < COUNT(tags); i++) {
            const size_t len = strlen(tags[i]);
            known = known || (slice_starts(name, slice_text(tags[i])) && name.len > len &&
                              (name.at[len] == '>' || name.at[len] == ' ' || name.at[len] == '/'));
        }
        if (!known)
            fail_msg("a tag that is not ours: <%.*s", (int)(part.len < 30 ? part.len : 30), part.at);
    }
}

static void assert_json(struct slice text)
{
    json_t *object = json_loadb(text.at, text.len, 0, NULL);
    assert_non_null(object);
    assert_true(json_array_size(json_object_get(object, "lines")) > 0);
    json_decref(object);
}

static void show_hostile(const struct history *history, int level)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    for (size_t v = 0; view_at(v); v++) {
        struct document document;
        make(view_at(v), history, level, &document);
        write_as(&document, FORMAT_TEXT, &out);
        assert_tame(buf_slice(&out), view_at(v)->name);
        assert_false(has(buf_slice(&out), "newer program"));
        buf_clear(&out);
        write_as(&document, FORMAT_HTML, &out);
        assert_tame(buf_slice(&out), view_at(v)->name);
        assert_page(buf_slice(&out));
        buf_clear(&out);
        write_as(&document, FORMAT_JSON, &out);
        assert_tame(buf_slice(&out), view_at(v)->name);
        assert_json(buf_slice(&out));
        buf_clear(&out);
        document_drop(&document);
    }
    buf_drop(&out);
}

static void hostile_texts_stay_texts(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 2, 3, 4, 5, 250, 354, 421, 550, UINT64_MAX};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct history history;
        history_init(&history, 1);
        add_every_kind(&history, SLICE(NASTY), numbers[i]);
        show_hostile(&history, 5);
        show_hostile(&history, 1 + (int)(i % 5));
        history_drop(&history);
    }
}

static void binary_and_huge_texts_stay_texts(void **state)
{
    (void)state;
    static char binary[20000];
    struct history history;
    for (size_t i = 0; i < sizeof binary; i++)
        binary[i] = (char)(i * 7 + i / 256);
    history_init(&history, 1);
    add_every_kind(&history, slice_of(binary, 2000), 1);
    show_hostile(&history, 5);
    history_drop(&history);
    memset(binary, '<', sizeof binary);
    history_init(&history, 1);
    add_every_kind(&history, slice_of(binary, sizeof binary / 8), UINT64_MAX);
    show_hostile(&history, 5);
    history_drop(&history);
}

/* A view that forgot to make its texts harmless. */
static void writers_guard_by_themselves(void **state)
{
    (void)state;
    struct document document;
    struct buf out;
    buf_init(&out, 1 << 20);
    document_init(&document, "careless", 1);
    document.sentence = SLICE(NASTY);
    document_fact(&document, "Client", SLICE(NASTY));
    document_span(&document, &(struct document_span){.to_us = 1000000, .label = SLICE(NASTY)});
    document_add(&document, &(struct document_line){.style = DOCUMENT_CLIENT,
                                                    .moment = SLICE(NASTY),
                                                    .lead = SLICE(NASTY),
                                                    .text = SLICE(NASTY)});
    document_format(&document, DOCUMENT_COMMENT, "%s", NASTY);
    for (enum format format = FORMAT_TEXT; format < FORMAT_COUNT; format++) {
        buf_clear(&out);
        write_as(&document, format, &out);
        assert_tame(buf_slice(&out), "a careless view");
        if (format == FORMAT_HTML)
            assert_page(buf_slice(&out));
    }
    document_drop(&document);
    buf_drop(&out);
}

static void a_full_buf_adds_nothing(void **state)
{
    (void)state;
    struct history history;
    struct document document;
    load(0, &history);
    make(view_find(SLICE("annotated")), &history, 5, &document);
    for (size_t max = 1; max < 4000; max += 97) {
        struct buf out;
        buf_init(&out, max);
        assert_false(document_text(&document, &(struct document_writing){.head = true}, &out));
        assert_false(document_html(&document, &out));
        assert_false(document_json(&document, &out));
        assert_int_equal(out.len, 0);
        buf_drop(&out);
    }
    document_drop(&document);
    history_drop(&history);
}

/* --- styles -------------------------------------------------------------------------------------------- */

static void the_three_styles_are_those_of_the_seed(void **state)
{
    (void)state;
    struct history history;
    struct document document;
    struct buf out;
    buf_init(&out, OUT_MAX);
    load(0, &history);
    make(view_find(SLICE("annotated")), &history, 4, &document);
    assert_true(document_text(&document, &(struct document_writing){.colour = true}, &out));
    assert_true(has(buf_slice(&out), "they say: \033[1;31mHELO Made-Up-Name-desk98\033[0m\n"));
    assert_true(has(buf_slice(&out), "we say:   \033[4;34m221 209.31.44.214 closing connection\033[0m\n"));
    assert_true(has(buf_slice(&out), "          \033[3;32mThey have finished sending the message"));
    buf_clear(&out);
    assert_true(document_text(&document, &(struct document_writing){.width = 60}, &out));
    assert_false(has(buf_slice(&out), "\033"));
    document_drop(&document);
    history_drop(&history);
    buf_drop(&out);
}

/* --- what the sender's view keeps to itself ------------------------------------------------------------ */

static const struct document_line *first_secret(const struct document *document)
{
    static const char *const secrets[] = {"finding", "weight", "weigh", "verdict", "blocklist", "store",
                                          "memory",  "policy", "known", "suspect", "threshold", "sum "};
    for (size_t i = 0; i < document->line_count; i++) {
        const struct document_line *line = &document->lines[i];
        /* What the client said and was told it knows. */
        if (line->style == DOCUMENT_CLIENT || line->style == DOCUMENT_SERVER)
            continue;
        for (size_t s = 0; s < COUNT(secrets); s++)
            if (has(line->text, secrets[s]) || has(line->lead, secrets[s]))
                return line;
        for (unsigned finding = 1; finding < FIND_LIMIT; finding++)
            if (finding_info(finding) && (has(line->text, finding_info(finding)->word)))
                return line;
    }
    return NULL;
}

static void assert_discreet(const struct history *history)
{
    struct document document;
    make(view_find(SLICE("sender")), history, 5, &document);
    const struct document_line *line = first_secret(&document);
    if (line)
        fail_msg("the sender's view tells: %.*s", SLICE_ARGS(line->text));
    assert_int_equal(document.sentence.len, 0);
    assert_int_equal(document.fact_count, 0);
    for (size_t i = 0; i < document.span_count; i++)
        assert_int_not_equal(document.spans[i].lane, DOCUMENT_LANE_QUESTION);
    document_drop(&document);
}

/* What is in no line of client or gate and in no other event that the wire carries must not come through. */
static void the_senders_view_is_discreet(void **state)
{
    (void)state;
    static const enum event_kind wire[] = {
        EVENT_KIND_session_opened,   EVENT_KIND_octets_received, EVENT_KIND_line_received,
        EVENT_KIND_reply_sent,       EVENT_KIND_tls_started,     EVENT_KIND_tls_failed,
        EVENT_KIND_message_received, EVENT_KIND_session_ended,   EVENT_KIND_octets_taken,
        EVENT_KIND_octets_seen,      EVENT_KIND_session_moved};
    struct buf with, without;
    buf_init(&with, OUT_MAX);
    buf_init(&without, OUT_MAX);
    for (size_t i = 0; i < COUNT(sessions); i++) {
        struct history history;
        struct document document;
        load(i, &history);
        assert_discreet(&history);
        make(view_find(SLICE("sender")), &history, 4, &document);
        buf_clear(&with);
        write_as(&document, FORMAT_JSON, &with);
        document_drop(&document);
        size_t kept = 0;
        for (size_t e = 0; e < history.count; e++)
            for (size_t w = 0; w < COUNT(wire); w++)
                if (history.events[e].kind == wire[w])
                    history.events[kept++] = history.events[e];
        assert_true(kept < history.count);
        history.count = kept;
        make(view_find(SLICE("sender")), &history, 4, &document);
        buf_clear(&without);
        write_as(&document, FORMAT_JSON, &without);
        document_drop(&document);
        assert_true(slice_equal(buf_slice(&with), buf_slice(&without)));
        history_drop(&history);
    }
    buf_drop(&with);
    buf_drop(&without);
}

/* What was sent before the greeting stands before it, and a slowed answer tells how long it took. */
static void the_senders_view_has_the_senders_times(void **state)
{
    (void)state;
    struct history history;
    struct document document;
    struct buf out;
    buf_init(&out, OUT_MAX);
    load(5, &history);
    make(view_find(SLICE("sender")), &history, 4, &document);
    write_as(&document, FORMAT_TEXT, &out);
    const size_t sent = slice_find_slice(buf_slice(&out), SLICE("sent: EHLO [127.0.12.2]"));
    const size_t greeted = slice_find_slice(buf_slice(&out), SLICE("got:  220-"));
    assert_true(sent < greeted && greeted < out.len);
    assert_true(has(buf_slice(&out), "octet by octet"));
    document_drop(&document);
    history_drop(&history);
    buf_drop(&out);
}

static void views_are_found_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; view_at(i); i++) {
        assert_ptr_equal(view_find(slice_text(view_at(i)->name)), view_at(i));
        assert_true(strlen(view_at(i)->doc) > 10);
    }
    assert_null(view_find(SLICE("nonsense")));
    assert_null(view_find(SLICE("")));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_read_as_their_golden_files),
        cmocka_unit_test(seed_is_as_instructive_as_its_own_comments),
        cmocka_unit_test(hostile_texts_stay_texts),
        cmocka_unit_test(binary_and_huge_texts_stay_texts),
        cmocka_unit_test(writers_guard_by_themselves),
        cmocka_unit_test(a_full_buf_adds_nothing),
        cmocka_unit_test(the_three_styles_are_those_of_the_seed),
        cmocka_unit_test(the_senders_view_is_discreet),
        cmocka_unit_test(the_senders_view_has_the_senders_times),
        cmocka_unit_test(views_are_found_by_name),
    };
    assert(argc == 2);
    golden_folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
