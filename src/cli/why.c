/* postern why NUMBER: what a reply means, what causes it, what the sender can do. */
#include "cli/why.h"

#include "base/calendar.h"
#include "base/text.h"
#include "core/event.h"
#include "wire/json.h"

#include <stdio.h>

#define WIDTH        76
#define QUESTION_MAX 8192
#define JSON_MAX     16384

/* What was asked: a number alone, with its #, or a whole reply as it stands in a log. */
struct question {
    uint64_t number;
    uint64_t session; /* 0: none was named */
};

/* "0123456789abc" out of "(0123456789abc)…" */
static uint64_t session_parse(struct slice text)
{
    const size_t open = slice_find(text, '(');
    uint64_t id;

    if (open == SLICE_NOT_FOUND)
        return 0;
    const struct slice inner = slice_head(slice_from(text, open + 1), EVENT_ID_SIZE - 1);
    return event_id_parse(inner, &id) ? id : 0;
}

static bool question_parse(struct slice text, struct question *ret_question)
{
    const size_t mark = slice_find_last(text, '#');
    struct slice digits = slice_trim(mark == SLICE_NOT_FOUND ? text : slice_from(text, mark + 1));
    size_t len = 0;

    while (len < digits.len && text_is_digit(digits.at[len]))
        len++;
    const struct slice rest = slice_from(digits, len);
    if (mark == SLICE_NOT_FOUND && rest.len)
        return false;
    ret_question->session = session_parse(rest);
    return text_parse_u64(slice_head(digits, len), &ret_question->number);
}

struct slice why_text(const struct say_info *info, struct arena *arena)
{
    struct slice rest = slice_text(info->text), shown = SLICE_NONE;

    while (rest.len) {
        const bool own = slice_starts(rest, SLICE("{+}"));
        const size_t gap = own ? 3 : slice_starts(rest, SLICE("{}")) ? 2 : 0;
        const struct slice part = gap ? SLICE("...") : rest.at[0] == '\n' ? SLICE(" ") : slice_head(rest, 1);
        shown = arena_join(arena, shown, part);
        rest = slice_from(rest, gap ? gap : 1);
    }
    return shown;
}

const char *why_enhanced(const struct say_info *info)
{
    return info->enhanced[0] == '{' ? "..." : info->enhanced;
}

const char *why_kind(unsigned code)
{
    if (code >= 500)
        return "A refusal for good: the sending server gives the message back to its sender.";
    if (code >= 400)
        return "Not now: the sending server keeps the message and tries again by itself.";
    return "No refusal.";
}

/* --- one reply ----------------------------------------------------------------------------------------- */

static void print_part(const struct cli *cli, const char *head, const char *text)
{
    cli_print("\n%s%s%s\n", cli_style(cli, CLI_STYLE_HEAD), head, cli_style(cli, CLI_STYLE_PLAIN));
    cli_print_wrapped(slice_text(text), 2, WIDTH);
}

static void print_session(const struct cli *cli, uint64_t session)
{
    char id[EVENT_ID_SIZE], when[CALENDAR_TEXT_SIZE];

    event_id_print(session, id);
    (void)calendar_print_iso(event_id_unix_ms(session), 0, when);
    cli_print("\n%sThe session%s\n  %s began at %s. Where its records are: postern explain %s\n",
              cli_style(cli, CLI_STYLE_HEAD), cli_style(cli, CLI_STYLE_PLAIN), id, when, id);
}

static void print_reply(const struct cli *cli, const struct say_info *info, uint64_t session)
{
    const enum cli_style style = info->code >= 500   ? CLI_STYLE_BAD
                                 : info->code >= 400 ? CLI_STYLE_WARNING
                                                     : CLI_STYLE_GOOD;
    struct arena arena;

    arena_init(&arena, NULL, 0);
    const struct slice text = why_text(info, &arena);
    cli_print("#%u  %s%u%s%s%s %.*s\n", info->number, cli_style(cli, style), info->code,
              cli_style(cli, CLI_STYLE_PLAIN), info->enhanced[0] ? " " : "", why_enhanced(info),
              SLICE_ARGS(text));
    cli_print_wrapped(slice_text(why_kind(info->code)), 0, WIDTH);
    print_part(cli, "What causes it", info->cause);
    print_part(cli, "What the sender can do", info->remedy);
    if (session)
        print_session(cli, session);
    arena_drop(&arena);
}

static void json_reply(struct json *json, const struct say_info *info, struct arena *arena)
{
    json_put_u64(json, "number", info->number);
    json_put_text(json, "name", slice_text(info->name));
    json_put_u64(json, "code", info->code);
    json_put_text(json, "enhanced", slice_text(info->enhanced[0] == '{' ? "" : info->enhanced));
    json_put_text(json, "text", why_text(info, arena));
    json_put_text(json, "cause", slice_text(info->cause));
    json_put_text(json, "remedy", slice_text(info->remedy));
}

static void print_json(const struct say_info *info, uint64_t session)
{
    struct arena arena;
    struct json json;
    struct buf buf;
    char id[EVENT_ID_SIZE];

    arena_init(&arena, NULL, 0);
    buf_init(&buf, JSON_MAX);
    json_begin(&json, &buf);
    json_object_open(&json);
    json_reply(&json, info, &arena);
    if (session) {
        event_id_print(session, id);
        json_put_text(&json, "session", slice_text(id));
    }
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&buf);
    buf_drop(&buf);
    arena_drop(&arena);
}

/* --- all of them --------------------------------------------------------------------------------------- */

static int print_all(const struct cli *cli)
{
    static const char *const heads[] = {">number", "code", "status", "text", NULL};
    struct cli_table *table = cli->json ? NULL : cli_table_new(heads);
    struct arena arena;

    arena_init(&arena, NULL, 0);
    for (unsigned number = 0; number < SAY_LIMIT; number++) {
        const struct say_info *info = say_info(number);
        if (info && cli->json)
            print_json(info, 0);
        if (!info || cli->json)
            continue;
        cli_table_add_number(table, number);
        cli_table_add_number(table, info->code);
        cli_table_add(table, slice_text(why_enhanced(info)));
        cli_table_add(table, why_text(info, &arena));
    }
    if (table)
        cli_table_end(table, cli);
    arena_drop(&arena);
    return CLI_OK;
}

static int unknown(const struct cli *cli, uint64_t number)
{
    unsigned last = 0;

    for (unsigned i = 0; i < SAY_LIMIT; i++)
        last = say_info(i) ? i : last;
    return cli_fail(cli,
                    "there is no reply #%llu: numbers go from 1 to %u, with gaps; postern why lists them all",
                    (unsigned long long)number, last);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct question question = {0};
    struct buf text;

    const char *pages = cli_option(cli, "html");
    if (pages && argc > 1)
        return cli_fail_usage(cli, "--html writes all replies: expected no number beside it");
    if (pages)
        return why_pages(cli, pages);
    if (argc == 1)
        return print_all(cli);
    buf_init(&text, QUESTION_MAX);
    for (int i = 1; i < argc; i++)
        (void)(buf_add(&text, slice_text(argv[i])) && buf_add_octet(&text, ' '));
    const bool read = question_parse(slice_trim(buf_slice(&text)), &question);
    buf_drop(&text);
    if (!read)
        return cli_fail_usage(
            cli, "expected a number, such as 81 or #81, or a reply that ends in #81 (SESSION-ID)");
    const struct say_info *info = question.number < SAY_LIMIT ? say_info((unsigned)question.number) : NULL;
    if (!info)
        return unknown(cli, question.number);
    if (cli->json)
        print_json(info, question.session);
    else
        print_reply(cli, info, question.session);
    return CLI_OK;
}

static const struct cli_option options[] = {
    {0, "html", "PATH", "write pages for those who were refused: into a folder, or one file"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_why = {
    .name = "why",
    .run = run,
    .summary = "explain a reply by its number",
    .arguments = "[NUMBER | REPLY]",
    .arguments_max = -1,
    .options = options,
    .help = "Every refusal of the gate ends in #NUMBER (SESSION-ID). This tells what the\n"
            "reply means, what causes it, and what the sender can do about it. The whole\n"
            "line of a log may be given instead of the number. Without one, all replies\n"
            "are listed.\n"
            "\n"
            "--html writes what it knows as web pages: into a folder that is there, a page\n"
            "for each number (81.html) and index.html; else one file with an anchor for\n"
            "each number (#81); - is standard output. Where they are served the setting\n"
            "policy-url leads to them from every refusal. They hold nothing of this host.\n",
    .examples = "postern why 81\n"
                "postern why --html replies.html\n"
                "postern why '550 5.7.1 we do not relay for <a@example.org> #81 (028t5cy4tqkff)'\n",
};
