/* postern blocks: who is shut out, who is suggested for it, and what a person says to that. */
#include "cli/blocks_export.h"

#include "base/address.h"
#include "base/arena.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 4096u

struct blocks {
    const struct cli *cli;
    const struct site *site;
    struct arena arena;
    size_t count, room;
    struct row *list; /* in the order of the answer */
    json_int_t next;  /* where the list goes on; 0: it has come to its end */
    size_t suggested; /* that were counted beside */
    size_t refused;
};

struct row {
    json_t *object;
    struct slice raw; /* as it came */
};

/* --- asking the keeper ---------------------------------------------------------------------------------- */

static struct slice text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return slice_text(text ? text : "");
}

static int ask(struct blocks *blocks, json_t *request, void (*line)(void *data, struct slice json))
{
    struct buf text;
    buf_init(&text, REQUEST_MAX);
    const size_t len = json_dumpb(request, NULL, 0, JSON_COMPACT);
    char *room = len ? buf_room(&text, len) : NULL;
    if (room)
        buf_grow(&text, json_dumpb(request, room, len, JSON_COMPACT));
    json_decref(request);
    const struct cli_call call = {
        .socket = "keeper.sock", .request = buf_slice(&text), .line = line, .data = blocks};
    const int status = room ? cli_call(blocks->cli, blocks->site, &call)
                            : cli_fail(blocks->cli, "this is too long, or no text");
    buf_drop(&text);
    return status;
}

/* --- the list ------------------------------------------------------------------------------------------- */

static void row_came(void *data, struct slice json)
{
    struct blocks *blocks = data;
    json_t *object = json_loadb(json.at, json.len, 0, NULL);
    if (json_object_get(object, "next")) {
        blocks->next = json_integer_value(json_object_get(object, "next"));
        json_decref(object);
        return;
    }
    if (!object)
        return;
    if (blocks->count == blocks->room) {
        const size_t room = blocks->room ? blocks->room * 2 : 64;
        struct row *list = arena_take(&blocks->arena, room * sizeof *list);
        if (blocks->count)
            memcpy(list, blocks->list, blocks->count * sizeof *list);
        blocks->list = list;
        blocks->room = room;
    }
    blocks->list[blocks->count++] = (struct row){object, arena_copy(&blocks->arena, json)};
}

static void suggested_came(void *data, struct slice json)
{
    struct blocks *blocks = data;
    json_t *object = json_loadb(json.at, json.len, 0, NULL);
    if (json_object_get(object, "next"))
        blocks->next = json_integer_value(json_object_get(object, "next"));
    else
        blocks->suggested++;
    json_decref(object);
}

static int fetch(struct blocks *blocks, const char *state, void (*line)(void *data, struct slice json))
{
    int status;
    do {
        json_t *request = json_pack("{s:s, s:s, s:s, s:I}", "command", "blocks", "do", "list", "state", state,
                                    "from", blocks->next);
        blocks->next = 0;
        status = ask(blocks, request, line);
    } while (status == CLI_OK && blocks->next);
    return status;
}

/* The newest first; of one moment by the address. */
static int by_made(const void *one, const void *other)
{
    const struct row *a = one, *b = other;
    const int order = slice_compare(text_of(b->object, "made"), text_of(a->object, "made"));
    return order ? order : slice_compare(text_of(a->object, "address"), text_of(b->object, "address"));
}

/* "2026-07-24 02:35:56" of an RFC 3339 time; "-" where there is none. */
static struct slice time_of(struct blocks *blocks, const json_t *object, const char *key)
{
    const struct slice text = arena_copy(&blocks->arena, slice_head(text_of(object, key), 19));
    char *separator = text.len == 19 ? memchr((char *)(uintptr_t)text.at, 'T', text.len) : NULL;
    if (!separator)
        return SLICE("-");
    *separator = ' ';
    return text;
}

static void cell(struct cli_table *table, struct slice text)
{
    cli_table_add(table, text.len ? text : SLICE("-"));
}

static void table_show(struct blocks *blocks)
{
    static const char *const heads[] = {"ADDRESS",     "STATE", "REASON", "EVIDENCE", "MADE (UTC)",
                                        "UNTIL (UTC)", "BY",    ">TIMES", ">HITS",    NULL};
    struct cli_table *table = cli_table_new(heads);
    for (size_t i = 0; i < blocks->count; i++) {
        const json_t *entry = blocks->list[i].object;
        const struct slice by = text_of(entry, "by");
        cli_table_add(table, text_of(entry, "address"));
        cli_table_add(table, text_of(entry, "state"));
        cli_table_add(table, text_of(entry, "reason"));
        cell(table, text_of(entry, "evidence"));
        cli_table_add(table, time_of(blocks, entry, "made"));
        cli_table_add(table, time_of(blocks, entry, "expires"));
        cli_table_add(table,
                      by.len ? by : arena_join(&blocks->arena, SLICE("rule "), text_of(entry, "rule")));
        cli_table_add_number(table, (uint64_t)json_integer_value(json_object_get(entry, "strikes")));
        cli_table_add_number(table, (uint64_t)json_integer_value(json_object_get(entry, "hits")));
    }
    cli_table_end(table, blocks->cli);
}

static void list_say(struct blocks *blocks, const char *state)
{
    if (blocks->count)
        table_show(blocks);
    else if (strcmp(state, "suggested") == 0)
        cli_print("Nobody is suggested to be shut out.\n");
    else
        cli_print(*state ? "Nobody is shut out.\n" : "The block list is empty.\n");
    if (blocks->count && strcmp(state, "suggested") == 0)
        cli_print(
            "\npostern blocks approve ADDRESS or EVIDENCE shuts out, postern blocks decline says no.\n");
    if (blocks->suggested)
        cli_print("%s%zu %s: postern blocks --suggested\n", blocks->count ? "\n" : "", blocks->suggested,
                  blocks->suggested == 1 ? "address is suggested" : "addresses are suggested");
}

static int list(struct blocks *blocks)
{
    const bool json = blocks->cli->json;
    const char *form = cli_option(blocks->cli, "export");
    if (form)
        return blocks_export(blocks->cli, blocks->site, form);
    const char *state = cli_option(blocks->cli, "all")         ? ""
                        : cli_option(blocks->cli, "suggested") ? "suggested"
                                                               : "in-force";
    int status = fetch(blocks, state, row_came);
    if (status == CLI_OK && !json && strcmp(state, "in-force") == 0)
        status = fetch(blocks, "suggested", suggested_came);
    if (status != CLI_OK)
        return status;
    if (blocks->count)
        qsort(blocks->list, blocks->count, sizeof *blocks->list, by_made);
    for (size_t i = 0; json && i < blocks->count; i++)
        cli_print("%.*s\n", SLICE_ARGS(blocks->list[i].raw));
    if (!json)
        list_say(blocks, state);
    return CLI_OK;
}

/* --- what a person says --------------------------------------------------------------------------------- */

static void done_say(struct blocks *blocks, const json_t *entry)
{
    const struct slice address = text_of(entry, "address"), done = text_of(entry, "done");
    const struct slice until = time_of(blocks, entry, "expires"), state = text_of(entry, "state");
    if (slice_equal(done, SLICE("blocked")) || slice_equal(done, SLICE("approved")))
        cli_print("%.*s is shut out%s%.*s: %.*s\n", SLICE_ARGS(address), until.len > 1 ? " until " : "",
                  SLICE_ARGS(until.len > 1 ? until : SLICE_NONE), SLICE_ARGS(text_of(entry, "reason")));
    else if (slice_equal(done, SLICE("declined")))
        cli_print("%.*s is not shut out, and not suggested again until %.*s\n", SLICE_ARGS(address),
                  SLICE_ARGS(until));
    else if (slice_equal(state, SLICE("declined")))
        cli_print("%.*s is not shut out any more, and not suggested again until %.*s\n", SLICE_ARGS(address),
                  SLICE_ARGS(until));
    else
        cli_print("%.*s has one time less to its account\n", SLICE_ARGS(address));
}

static void done_came(void *data, struct slice json)
{
    struct blocks *blocks = data;
    json_t *entry = json_loadb(json.at, json.len, 0, NULL);
    const struct slice refused = text_of(entry, "refused");
    blocks->refused += refused.len > 0;
    if (blocks->cli->json)
        cli_print("%.*s\n", SLICE_ARGS(json));
    else if (refused.len)
        (void)cli_fail(blocks->cli, "%.*s is not shut out: %.*s", SLICE_ARGS(text_of(entry, "address")),
                       SLICE_ARGS(refused));
    else
        done_say(blocks, entry);
    json_decref(entry);
}

static int add(struct blocks *blocks, const char *prefix)
{
    uint64_t for_ms;
    const char *reason = cli_option(blocks->cli, "reason");
    if (!reason)
        return cli_fail_usage(blocks->cli, "add wants --reason TEXT: clients are told it");
    if (!cli_option_duration(blocks->cli, "for", 0, &for_ms))
        return CLI_USAGE;
    json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "command", "blocks", "do", "add", "prefix",
                                prefix, "reason", reason, "force", cli_option(blocks->cli, "force") != NULL,
                                "by", cli_person());
    if (request && cli_option(blocks->cli, "for"))
        json_object_set_new(request, "for_ms", json_integer((json_int_t)for_ms));
    return ask(blocks, request, done_came);
}

static int say(struct blocks *blocks, const char *verb, const char *what)
{
    return ask(
        blocks,
        json_pack("{s:s, s:s, s:s, s:s}", "command", "blocks", "do", verb, "what", what, "by", cli_person()),
        done_came);
}

static int each(struct blocks *blocks, int argc, char **argv)
{
    const char *verb = argv[1];
    int worst = CLI_OK;
    if (argc < 3)
        return cli_fail_usage(blocks->cli, "%s wants an address or a network%s", verb,
                              strcmp(verb, "add") ? ", or the id of what shows them" : "");
    for (int i = 2; i < argc; i++) {
        const int status = strcmp(verb, "add") ? say(blocks, verb, argv[i]) : add(blocks, argv[i]);
        worst = status ? status : worst;
    }
    return worst == CLI_OK && blocks->refused ? CLI_FAILED : worst;
}

static int dispatch(struct blocks *blocks, int argc, char **argv)
{
    static const char *const verbs[] = {"add", "remove", "approve", "decline", "undo"};
    const char *what = argc > 1 ? argv[1] : "list";
    if (strcmp(what, "list") == 0)
        return argc > 2 ? cli_fail_usage(blocks->cli, "list takes no name") : list(blocks);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(what, verbs[i]) == 0)
            return each(blocks, argc, argv);
    return cli_fail_usage(blocks->cli,
                          "there is no \"%s\": it is list, add, remove, approve, decline or undo", what);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct site *site = cli_site(cli);
    if (!site)
        return CLI_CONFIG;
    struct blocks blocks = {.cli = cli, .site = site};
    arena_init(&blocks.arena, NULL, 0);
    const int status = dispatch(&blocks, argc, argv);
    for (size_t i = 0; i < blocks.count; i++)
        json_decref(blocks.list[i].object);
    arena_drop(&blocks.arena);
    site_free(site);
    return status;
}

static const struct cli_option options[] = {
    {0, "suggested", NULL, "list those that wait for a yes or a no"},
    {0, "all", NULL, "list all: suggested, in force, declined, over"},
    {0, "export", "FORM", "list for others: access, cidr, nftables, rbldnsd, json"},
    {0, "reason", "TEXT", "of add: why; clients are told it"},
    {0, "for", "TIME", "of add: how long, such as 7d; 0: until it is removed"},
    {0, "force", NULL, "of add: also who is known"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_blocks = {
    .name = "blocks",
    .run = run,
    .summary = "list who is shut out or suggested for it, and decide",
    .arguments =
        "[list | add PREFIX ... | approve WHAT ... | decline WHAT ... | remove WHAT ... | undo WHAT ...]",
    .arguments_min = 0,
    .arguments_max = -1,
    .options = options,
    .help = "The block list has addresses and networks from which nothing is taken. What\n"
            "campaigns show is suggested (blocks.mode suggest) or shut out at once (auto).\n"
            "WHAT is an address, a network, or the id of a campaign or a session: then all\n"
            "that it shows is meant. approve shuts out what is suggested, decline says no.\n"
            "remove ends a block, undo says that it was wrong: the time that it stays does\n"
            "not grow by it. Neither is suggested again for a while (blocks.declined). add\n"
            "shuts out whom no rule has found, for --for, else for as long as blocks.expiry\n"
            "says. TIMES says how often that was so.\n"
            "\n"
            "Never shut out are our own networks, this host, trusted forwarders, the proxies\n"
            "in front, inner servers, who is allowed by an access table, an override or\n"
            "postern allow, and networks with any of them in it; nor who is known, but by\n"
            "add with --force. Of IPv6 a host is its /64.\n"
            "\n"
            "--export prints what is in force as export.FORM of the configuration has it in\n"
            "a file: for sendmail, Postfix, nft, rbldnsd, or as JSON.\n",
    .examples = "postern blocks\n"
                "postern blocks --suggested --json\n"
                "postern blocks --export nftables | nft -f -\n",
};
