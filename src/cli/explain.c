/* postern explain: what happened in a session and why: a sentence, then its log. */
#include "cli/explain.h"

#include "cli/journal_files.h"

#include "journal/render_json.h"
#include "journal/render_log.h"
#include "journal/search.h"
#include "journal/summary.h"

#include <stdio.h>

#define LEVEL    4
#define WIDTH    80
#define TEXT_MAX (16u * 1024u * 1024u)

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

/* "028t5cy4tqkff", also as it stands in a reply, "(028t5cy4tqkff)", or in a queue id, "028t5cy4tqkff.1". */
static bool id_parse(struct slice text, uint64_t *ret_id)
{
    if (slice_starts(text, SLICE("(")))
        text = slice_from(text, 1);
    const struct slice rest = slice_from(text, EVENT_ID_SIZE - 1);
    if (rest.len && rest.at[0] != ')' && rest.at[0] != '.')
        return false;
    return event_id_parse(slice_head(text, EVENT_ID_SIZE - 1), ret_id);
}

static void print_buf(struct buf *buf)
{
    (void)fwrite(buf->at ? buf->at : "", 1, buf->len, stdout);
    buf_clear(buf);
}

void explain_log(const struct cli *cli, const struct history *history, int level)
{
    const struct render_log_settings settings = {level, cli->colour, journal_zone};
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

static void print_people(const struct cli *cli, const struct history *history, const struct summary *summary,
                         int level)
{
    char id[EVENT_ID_SIZE], time[JOURNAL_TIME_SIZE];
    struct buf sentence;

    event_id_print(history->session, id);
    cli_print("%s%s%s  %.*s\n", cli_style(cli, CLI_STYLE_HEAD), id, cli_style(cli, CLI_STYLE_PLAIN),
              SLICE_ARGS(journal_time(summary->began_us, time)));
    buf_init(&sentence, TEXT_MAX);
    summary_sentence(summary, &sentence);
    cli_print_wrapped(buf_slice(&sentence), 0, WIDTH);
    buf_drop(&sentence);
    cli_print("\n");
    explain_log(cli, history, level);
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

int explain_session(const struct cli *cli, const char *folder, uint64_t id, int level)
{
    char text[EVENT_ID_SIZE];
    struct error error = {0};
    struct history history;
    struct summary summary;
    struct arena arena;
    int status = CLI_OK;

    event_id_print(id, text);
    history_init(&history, id);
    arena_init(&arena, NULL, 0);
    if (history_load(&history, folder, &error) < 0) {
        status = journal_fail(cli, folder, &error);
    } else if (!history.count) {
        status = cli_fail(cli, "the journal in %s has no session %s: it is too old, or of another host",
                          folder, text);
    } else {
        summary_make(&history, &arena, &summary);
        if (cli->json)
            print_json(&history, &summary);
        else
            print_people(cli, &history, &summary, level);
    }
    arena_drop(&arena);
    history_drop(&history);
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct slice wanted = slice_text(argc > 1 ? argv[1] : "last");
    const bool last = slice_equal(wanted, SLICE("last"));
    char folder[JOURNAL_FOLDER_SIZE];
    uint64_t level, id = 0;

    if (!cli_option_number(cli, "level", LEVEL, &level))
        return CLI_USAGE;
    if (level < 1 || level > 5)
        return cli_fail_usage(cli, "--level goes from 1 to 5");
    if (!last && !id_parse(wanted, &id))
        return cli_fail_usage(cli, "\"%s\" is no session id: expected 13 letters and digits, or last",
                              argv[1]);
    int status = journal_folder(cli, folder);
    if (status == CLI_OK && last)
        status = last_session(cli, folder, &id);
    return status == CLI_OK ? explain_session(cli, folder, id, (int)level) : status;
}

static const struct cli_option options[] = {
    {'l', "level", "N", "how much: 1 failures, 2 messages, 3 findings, 4 dialogue (default), 5 all"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_explain = {
    .name = "explain",
    .run = run,
    .summary = "tell what happened in a session, and why",
    .arguments = "[ID | last]",
    .arguments_max = 1,
    .options = options,
    .help = "First in one sentence, then line by line as the server logged it: time,\n"
            "level, who, what. The id of a session stands in every refusal behind its\n"
            "number, in the mail log, and in the names of its messages in the queue.\n"
            "Deliveries of its messages are part of it, whenever they happened.\n"
            "With --json the first line is the session, the others are its events.\n",
    .examples = "postern explain last\n"
                "postern explain --level 5 028t5cy4tqkff\n",
};
