/* Proves that every session that the scripts of replay reach can be explained in every view and format: each
 * step of the dialogue has its comment, no sentence lacks its words, and what stands on a terminal is
 * printable.
 *
 * usage: explain --all SCRIPT …                 the test (TAP)
 *        explain --sentence SCRIPT …            the sentence of each session, a line each
 *        explain --events SCRIPT …              its events, a JSON object a line
 *        explain VIEW FORMAT SCRIPT …           a view of each: text, html or json */
#include "replay.h"

#include "journal/render_json.h"
#include "journal/view.h"

#include <stdio.h>
#include <string.h>

#define RECORDS_MAX (1u << 26)
#define TEXT_MAX    (1u << 28)

struct run {
    const struct view *view; /* NULL: the sentence alone */
    const char *format;
    bool all, events;
    const char *fault;
};

/* --- what must hold ------------------------------------------------------------------------------------ */

/* Lines of printable text, as far as this is ASCII. */
static bool is_tame(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.at[i] < 0x20 && text.at[i] != '\n') || text.at[i] == 0x7f)
            return false;
    return slice_is_utf8(text);
}

static bool has(struct slice text, const char *part)
{
    return slice_find_slice(text, slice_text(part)) != SLICE_NOT_FOUND;
}

/* Each line of client and gate has a comment over it, itself or its beginning. */
static bool is_commented(const struct document *document)
{
    bool comment = false;
    for (size_t i = 0; i < document->line_count; i++) {
        const struct document_line *line = &document->lines[i];
        const bool said = line->style == DOCUMENT_CLIENT || line->style == DOCUMENT_SERVER;
        const bool goes_on = line->lead.len && line->lead.at[0] == ' ';
        if (said && !goes_on && !comment)
            return false;
        comment = line->style == DOCUMENT_COMMENT || (comment && !said);
    }
    return true;
}

/* What belongs to AUTH in 015-auth-secrets: user and password, as they came and decoded. */
static bool tells_secrets(struct slice text)
{
    return has(text, "AHVzZXIA") || has(text, "dXNlcg") || has(text, "cGFzc3dvcmQ") || has(text, "password=");
}

static const char *fault_of(const struct view *view, const struct document *document)
{
    const struct document_writing writing = {.head = true};
    struct buf out;
    const char *fault = NULL;
    buf_init(&out, TEXT_MAX);
    if (!document_text(document, &writing, &out) || !is_tame(buf_slice(&out)))
        fault = "its text is not tame";
    else if (has(buf_slice(&out), "newer program") || has(buf_slice(&out), "(null)"))
        fault = "a sentence lacks its words";
    else if (tells_secrets(buf_slice(&out)))
        fault = "it tells a password";
    else if (strcmp(view->name, "annotated") == 0 && !is_commented(document))
        fault = "a step has no comment";
    buf_clear(&out);
    if (!fault && (!document_html(document, &out) || !is_tame(buf_slice(&out))))
        fault = "its page is not tame";
    buf_clear(&out);
    if (!fault && (!document_json(document, &out) || !is_tame(buf_slice(&out))))
        fault = "its JSON is not tame";
    buf_drop(&out);
    return fault;
}

/* --- a session ----------------------------------------------------------------------------------------- */

static void print(const struct run *run, const struct document *document)
{
    const struct document_writing writing = {.head = true};
    struct buf out;
    buf_init(&out, TEXT_MAX);
    if (strcmp(run->format, "html") == 0)
        (void)document_html(document, &out);
    else if (strcmp(run->format, "json") == 0)
        (void)document_json(document, &out);
    else
        (void)document_text(document, &writing, &out);
    (void)fwrite(out.at ? out.at : "", 1, out.len, stdout);
    buf_drop(&out);
}

static void explain(struct run *run, const struct view *view, const struct history *history)
{
    const struct view_settings settings = {.level = run->all ? 5 : 4};
    struct document document;
    view_make(view, history, &settings, &document);
    if (run->all)
        run->fault = run->fault ? run->fault : fault_of(view, &document);
    else if (!run->view)
        printf("%.*s\n", SLICE_ARGS(document.sentence));
    else
        print(run, &document);
    document_drop(&document);
}

static void print_events(const struct history *history)
{
    struct buf out;
    buf_init(&out, TEXT_MAX);
    for (size_t i = 0; i < history->count; i++)
        (void)render_json(&history->events[i], &out);
    (void)fwrite(out.at ? out.at : "", 1, out.len, stdout);
    buf_drop(&out);
}

static void explain_session(struct run *run, const struct history *history)
{
    if (!history->count)
        return;
    if (run->events) {
        print_events(history);
        return;
    }
    if (!run->all)
        explain(run, run->view ? run->view : view_find(SLICE("log")), history);
    for (size_t i = 0; run->all && view_at(i); i++)
        explain(run, view_at(i), history);
}

/* A script may have several sessions, one behind the other. */
static void explain_script(struct run *run, const struct script *script)
{
    struct buf records;
    struct history history;
    struct event event;
    size_t size;
    buf_init(&records, RECORDS_MAX);
    run_records(script, &records);
    struct slice rest = buf_slice(&records);
    history_init(&history, 1);
    for (; event_read(rest, &event, &size) == EVENT_DONE; rest = slice_from(rest, size)) {
        if (event.kind == EVENT_KIND_session_opened) {
            explain_session(run, &history);
            history_drop(&history);
            history_init(&history, event.stamp.session);
        }
        history_add(&history, slice_head(rest, size));
    }
    explain_session(run, &history);
    history_drop(&history);
    buf_drop(&records);
}

int main(int argc, char **argv)
{
    struct run run = {.all = argc > 1 && strcmp(argv[1], "--all") == 0};
    const bool sentence = argc > 1 && strcmp(argv[1], "--sentence") == 0;
    run.events = argc > 1 && strcmp(argv[1], "--events") == 0;
    const int first = run.all || sentence || run.events ? 2 : 3;
    int failed = 0;
    if (argc <= first)
        return 64;
    run.view = first == 3 ? view_find(slice_text(argv[1])) : NULL;
    run.format = argv[2];
    if (first == 3 && !run.view)
        return 64;
    for (int i = first; i < argc; i++) {
        struct script script;
        run.fault = NULL;
        if (script_read(argv[i], &script))
            explain_script(&run, &script);
        else
            run.fault = "it cannot be read";
        const char *name = strrchr(argv[i], '/');
        if (run.all)
            printf("%s %d - %s%s%s\n", run.fault ? "not ok" : "ok", i - first + 1, name ? name + 1 : argv[i],
                   run.fault ? ": " : "", run.fault ? run.fault : "");
        failed += run.fault != NULL;
        script_drop(&script);
    }
    if (run.all)
        printf("1..%d\n", argc - first);
    return failed > 0;
}
