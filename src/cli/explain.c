/* postern explain: what happened in a session and why: a sentence, then its log. */
#include "cli/explain.h"

#include "cli/explain_filter.h"
#include "cli/journal_files.h"

#include "journal/render_json.h"
#include "journal/render_log.h"
#include "journal/search.h"
#include "journal/summary.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEVEL     4
#define WIDTH     80
#define WIDTH_MAX 110 /* longer lines are hard to read */
#define TEXT_MAX  (1024u * 1024u * 1024u)
#define VIEWS     "annotated (default), log, sender, notice"

/* The id of the session that ended last. CLI_OK, or why there is none was told. */
static int last_session(const struct cli *cli, const char *folder, uint64_t *ret_id)
{
    struct search *search;
    struct search_counts counts;
    struct event ended;
    struct error error = {0};
    int status = CLI_OK;

    if (search_open(folder, &search, &error) < 0)
        return journal_fail(cli, folder, &error);
    const bool found = search_next(search, &ended);
    search_counts(search, &counts);
    if (found)
        *ret_id = ended.stamp.session;
    else if (counts.unreadable)
        status = journal_fail(cli, folder, &counts.error);
    else if (!counts.files)
        status = cli_fail(cli, "the journal in %s is empty", folder);
    else
        status = cli_fail(cli, "no session has ended yet");
    search_close(search);
    return status;
}

static void print_buf(struct buf *buf)
{
    (void)fwrite(buf->at ? buf->at : "", 1, buf->len, stdout);
    buf_clear(buf);
}

void explain_log(const struct cli *cli, const struct history *history, int level)
{
    const struct render_log_settings settings = {
        .level = level, .colour = cli->colour, .zone_minutes = journal_zone};
    struct render_log log;
    struct buf out;

    buf_init(&out, TEXT_MAX);
    render_log_init(&log, &settings);
    for (size_t i = 0; i < history->count; i++) {
        render_log_event(&log, &history->events[i], &out);
        print_buf(&out);
    }
    render_log_end(&log, &out);
    print_buf(&out);
    render_log_done(&log);
    buf_drop(&out);
}

/* --- a view -------------------------------------------------------------------------------------------- */

/* Columns of the terminal, within reason; 80 where there is none. */
static unsigned width_of(const struct cli *cli)
{
    struct winsize size = {0};

    (void)cli;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 40)
        return WIDTH;
    return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

void explain_document(const struct cli *cli, const struct document *document, enum explain_format format)
{
    const struct document_writing writing = {.colour = cli->colour, .head = true, .width = width_of(cli)};
    struct buf out;
    bool whole = false;

    buf_init(&out, TEXT_MAX);
    switch (format) {
    case EXPLAIN_TEXT: whole = document_text(document, &writing, &out); break;
    case EXPLAIN_HTML: whole = document_html(document, &out); break;
    case EXPLAIN_JSON: whole = document_json(document, &out) && buf_add_octet(&out, '\n'); break;
    }
    if (whole)
        print_buf(&out);
    else
        (void)cli_fail(cli, "the session is too large for this: it has %zu lines", document->line_count);
    buf_drop(&out);
}

static void print_view(const struct cli *cli, const struct history *history, const struct explain *explain)
{
    const struct view_settings settings = {explain->level, journal_zone};
    struct document document;

    view_make(explain->view, history, &settings, &document);
    explain_document(cli, &document, explain->format);
    document_drop(&document);
}

static void print_json(const struct history *history, const struct summary *summary)
{
    struct buf out, sentence;

    buf_init(&out, TEXT_MAX);
    buf_init(&sentence, TEXT_MAX);
    summary_sentence(summary, &sentence);
    summary_json(summary, buf_slice(&sentence), &out);
    cli_print_line(&out);
    for (size_t i = 0; i < history->count; i++) {
        (void)render_json(&history->events[i], &out);
        print_buf(&out);
    }
    buf_drop(&out);
    buf_drop(&sentence);
}

void explain_history(const struct cli *cli, struct history *history, const struct explain *explain)
{
    struct summary summary;
    struct arena arena;

    if (explain->redaction)
        redaction_apply(explain->redaction, history);
    if (!cli->json) {
        print_view(cli, history, explain);
        return;
    }
    arena_init(&arena, NULL, 0);
    summary_make(history, &arena, &summary);
    print_json(history, &summary);
    arena_drop(&arena);
}

int explain_session(const struct cli *cli, const char *folder, uint64_t id, const struct explain *explain)
{
    char text[EVENT_ID_SIZE];
    struct error error = {0};
    struct history history;
    int status = CLI_OK;

    event_id_print(id, text);
    history_init(&history, id);
    if (journal_session_load(&history, folder, &error) < 0)
        status = journal_fail(cli, folder, &error);
    else if (!history.count)
        status = cli_fail(cli, "the journal in %s has no session %s: it is too old, or of another host",
                          folder, text);
    else
        explain_history(cli, &history, explain);
    history_drop(&history);
    return status;
}

/* --- the command line ---------------------------------------------------------------------------------- */

/* A level is one of the log's: whoever names one alone wants the log. */
static bool view_option(const struct cli *cli, struct explain *explain)
{
    const char *text = cli_option(cli, "view");
    const char *otherwise = cli_option(cli, "level") ? "log" : "annotated";

    explain->view = view_find(slice_text(text ? text : otherwise));
    if (explain->view)
        return true;
    (void)cli_fail_usage(cli, "there is no view \"%s\": expected " VIEWS, text);
    return false;
}

static bool format_option(const struct cli *cli, struct explain *explain)
{
    static const char *const words[] = {
        [EXPLAIN_TEXT] = "text", [EXPLAIN_HTML] = "html", [EXPLAIN_JSON] = "json"};
    const char *text = cli_option(cli, "format");

    for (unsigned i = 0; text && i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            explain->format = (enum explain_format)i;
            return true;
        }
    if (!text)
        return true;
    (void)cli_fail_usage(cli, "--format cannot be \"%s\": expected text, html or json", text);
    return false;
}

static bool colour_option(struct cli *cli)
{
    const char *text = cli_option(cli, "colour");

    if (!text || strcmp(text, "auto") == 0)
        return true;
    cli->colour = strcmp(text, "always") == 0;
    if (cli->colour || strcmp(text, "never") == 0)
        return true;
    (void)cli_fail_usage(cli, "--colour cannot be \"%s\": expected auto, always or never", text);
    return false;
}

static bool level_option(const struct cli *cli, struct explain *explain)
{
    uint64_t level;

    if (!cli_option_number(cli, "level", LEVEL, &level))
        return false;
    explain->level = (int)level;
    if (level >= 1 && level <= 5)
        return true;
    (void)cli_fail_usage(cli, "--level goes from 1 to 5");
    return false;
}

static int follow(const struct cli *cli, int argc, const struct explain *explain)
{
    char folder[JOURNAL_FOLDER_SIZE];
    struct explain_filter filter;

    if (argc > 1)
        return cli_fail_usage(cli, "--follow shows sessions to come, and wants no id");
    if (explain->format == EXPLAIN_HTML)
        return cli_fail_usage(cli, "a page shows one session: --follow goes with text and json");
    if (!explain_filter_parse(cli, &filter))
        return CLI_USAGE;
    const int status = journal_folder(cli, folder);
    return status == CLI_OK ? explain_follow(cli, folder, explain, &filter) : status;
}

static int explain_one(const struct cli *cli, const char *name, const struct explain *explain)
{
    const bool last = slice_equal(slice_text(name), SLICE("last"));
    char folder[JOURNAL_FOLDER_SIZE];
    uint64_t id = 0;

    if (!last && !journal_id_parse(slice_text(name), &id))
        return cli_fail_usage(cli, "\"%s\" is no session id: expected 13 letters and digits, or last", name);
    int status = journal_folder(cli, folder);
    if (status == CLI_OK && last)
        status = last_session(cli, folder, &id);
    return status == CLI_OK ? explain_session(cli, folder, id, explain) : status;
}

static bool filters_fit(const struct cli *cli)
{
    static const char *const names[] = {"client", "from", "to", "finding", "verdict"};

    for (size_t i = 0; !cli_option(cli, "follow") && i < sizeof names / sizeof *names; i++)
        if (cli_option(cli, names[i])) {
            (void)cli_fail_usage(cli, "--%s goes with --follow; postern sessions finds what is over",
                                 names[i]);
            return false;
        }
    return true;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct explain explain = {0};

    if (!view_option(cli, &explain) || !format_option(cli, &explain) || !colour_option(cli) ||
        !level_option(cli, &explain) || !filters_fit(cli))
        return CLI_USAGE;
    if (cli_option(cli, "redact"))
        explain.redaction = redaction_new();
    const int status = cli_option(cli, "follow") ? follow(cli, argc, &explain)
                                                 : explain_one(cli, argc > 1 ? argv[1] : "last", &explain);
    redaction_free(explain.redaction);
    return status;
}

static const struct cli_option options[] = {
    {'w', "view", "VIEW", "which view: " VIEWS},
    {'F', "format", "FORMAT", "text (default), html (a page that needs nothing else), json"},
    {'l', "level", "N", "how much, 1 to 5: 4 (default) with the dialogue, 5 all; alone: of the log"},
    {0, "colour", "WHEN", "auto (default: on a terminal), always or never"},
    {0, "redact", NULL, "hide local parts and addresses; the same has the same stand-in"},
    {'f', "follow", NULL, "sessions to come: log line by line, other views when one is over"},
    EXPLAIN_FILTER_OPTIONS,
    {0, NULL, NULL, NULL},
};

const struct cli_command command_explain = {
    .name = "explain",
    .run = run,
    .summary = "tell what happened in a session, and why",
    .arguments = "[ID | last]",
    .arguments_max = 1,
    .options = options,
    .help = "First in one sentence, then step by step. The id of a session stands in every\n"
            "refusal behind its number, in the mail log, and in the names of its messages\n"
            "in the queue. Deliveries of its messages are part of it, whenever they\n"
            "happened.\n"
            "\n"
            "The view annotated is the dialogue with a comment over each step, for somebody\n"
            "who has never seen SMTP: what the client sent is bold red, what the gate sent\n"
            "underlined blue, comments are italic green. At its end stands what was noticed\n"
            "and how much it weighed, what would have happened otherwise, and what the\n"
            "sender can do. The view log is the session as its server logged it: time,\n"
            "level, who, what. The view sender is the dialogue as the sender's own program\n"
            "saw it, with nothing that only the gate knows: it can be sent to him.\n"
            "\n"
            "With --format json a view is one object; with --json the first line is the\n"
            "session, the others are its events as they were recorded.\n",
    .examples = "postern explain last\n"
                "postern explain --level 5 028t5cy4tqkff\n"
                "postern explain --view sender --redact --format html last > session.html\n"
                "postern explain --follow --view log --client 192.0.2.0/24\n",
};
