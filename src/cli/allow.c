/* postern allow: lets a sender in who was wronged: the client of a session, or an address, for a time. The
 * keeper has the list (daemon/keeper_allow.h). */
#include "cli/cli.h"
#include "cli/journal_files.h"

#include "base/arena.h"
#include "base/calendar.h"
#include "core/own_list.h"
#include "journal/summary.h"

#include <jansson.h>
#include <string.h>

#define REQUEST_MAX    1024u
#define WIDTH          78u
#define FOR_USUALLY_MS (UINT64_C(7) * 86400000)
#define IPV4_NETWORK   24u
#define IPV6_NETWORK   48u

struct allow {
    const struct cli *cli;
    const struct site *site;
    struct arena arena;
    struct cli_table *table;
    uint64_t shown;
    uint64_t session; /* that was named, 0: none */
    struct prefix prefix;
    struct slice story; /* of the session, in a sentence */
    bool found;         /* the session that was named has an allowance: `prefix` */
};

/* --- asking the keeper ---------------------------------------------------------------------------------- */

/* The request is given back. */
static int ask(struct allow *allow, json_t *request, void (*line)(void *data, struct slice json))
{
    char text[REQUEST_MAX];
    const size_t len = request ? json_dumpb(request, text, sizeof text, JSON_COMPACT) : 0;
    json_decref(request);
    if (!len || len > sizeof text)
        return cli_fail(allow->cli, "--why is too long, or no UTF-8");
    const struct cli_call call = {
        .socket = "keeper.sock", .request = slice_of(text, len), .line = line, .data = allow};
    return cli_call(allow->cli, allow->site, &call);
}

static struct slice text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return slice_text(text ? text : "");
}

static struct slice time_of(struct allow *allow, const json_t *object, const char *key)
{
    char text[JOURNAL_TIME_SIZE];
    int64_t unix_ms;
    if (!calendar_parse_iso(text_of(object, key), &unix_ms))
        return SLICE("-");
    return arena_copy(&allow->arena, journal_time(unix_ms * 1000, text));
}

/* --- the list ------------------------------------------------------------------------------------------- */

static struct slice cell(struct slice text)
{
    return text.len ? text : SLICE("-");
}

static void row_came(void *data, struct slice json)
{
    static const char *const heads[] = {"WHO", "UNTIL", "SINCE", "BY", "SESSION", "WHY", NULL};
    struct allow *allow = data;
    if (allow->cli->json) {
        cli_print("%.*s\n", SLICE_ARGS(json));
        return;
    }
    json_t *row = json_loadb(json.at, json.len, 0, NULL);
    if (!allow->table)
        allow->table = cli_table_new(heads);
    cli_table_add(allow->table, text_of(row, "address"));
    cli_table_add(allow->table, time_of(allow, row, "expires"));
    cli_table_add(allow->table, time_of(allow, row, "made"));
    cli_table_add(allow->table, text_of(row, "by"));
    cli_table_add(allow->table, cell(text_of(row, "session")));
    cli_table_add(allow->table, cell(text_of(row, "why")));
    json_decref(row);
}

static int list(struct allow *allow)
{
    const int status = ask(allow, json_pack("{s:s, s:s}", "command", "allow", "do", "list"), row_came);
    if (allow->table)
        cli_table_end(allow->table, allow->cli);
    else if (status == CLI_OK && !allow->cli->json)
        cli_print("Nobody is allowed.\n");
    return status;
}

/* --- whom the session is about -------------------------------------------------------------------------- */

/* Its message came through a trusted forwarder: of several clients behind it none is the one. */
static bool behind(const struct history *history, struct address *ret_client)
{
    bool several = false;
    for (size_t i = 0; i < history->count; i++) {
        const struct event *event = &history->events[i];
        const struct address *client = &event->body.forwarded.client;
        if (event->kind != EVENT_KIND_forwarded || !client->family)
            continue;
        several = several || (ret_client->family && !address_equal_host(ret_client, client));
        *ret_client = *client;
    }
    return !several;
}

static int client_take(struct allow *allow, const struct history *history, struct address *ret_client)
{
    struct summary summary;
    struct buf sentence;
    *ret_client = (struct address){.family = ADDRESS_NONE};
    if (!behind(history, ret_client))
        return cli_fail(allow->cli, "the session brought messages of several clients through a trusted "
                                    "forwarder: name the address");
    summary_make(history, &allow->arena, &summary);
    if (!ret_client->family)
        *ret_client = summary.peer;
    buf_init(&sentence, 1 << 20);
    summary_sentence(&summary, &sentence);
    allow->story = arena_copy(&allow->arena, buf_slice(&sentence));
    buf_drop(&sentence);
    return CLI_OK;
}

static int session_client(struct allow *allow, struct address *ret_client)
{
    char folder[JOURNAL_FOLDER_SIZE], id[EVENT_ID_SIZE];
    struct error error = {0};
    struct history history;
    int status = journal_folder(allow->cli, folder);
    if (status != CLI_OK)
        return status;
    event_id_print(allow->session, id);
    history_init(&history, allow->session);
    if (journal_session_load(&history, folder, &error) < 0)
        status = journal_fail(allow->cli, folder, &error);
    else if (!history.count)
        status = cli_fail(
            allow->cli, "the journal in %s has no session %s: it is too old, or of another host", folder, id);
    else
        status = client_take(allow, &history, ret_client);
    history_drop(&history);
    return status;
}

/* --- what is named -------------------------------------------------------------------------------------- */

static bool widen(struct allow *allow, const struct address *address)
{
    const unsigned bits = address->family == ADDRESS_IPV4 ? IPV4_NETWORK : IPV6_NETWORK;
    return own_prefix_of(address, bits, &allow->prefix);
}

/* True: it is an address or a network. */
static bool prefix_named(struct allow *allow, const char *text, bool network)
{
    struct prefix named;
    struct address address;
    if (address_parse(slice_text(text), &address) && network)
        return widen(allow, &address);
    return prefix_parse(slice_text(text), &named) && own_prefix_fit(&named, &allow->prefix);
}

/* From the session to the prefix. */
static int session_named(struct allow *allow, const char *text, bool network)
{
    struct address client;
    if (!journal_id_parse(slice_text(text), &allow->session))
        return cli_fail_usage(allow->cli,
                              "\"%s\" is neither a session's id nor an address or a network: IPv4 /8 to "
                              "/32, IPv6 /16 to /64",
                              text);
    const int status = session_client(allow, &client);
    if (status != CLI_OK)
        return status;
    if (!client.family)
        return cli_fail(allow->cli, "the journal does not have the client's address any more");
    if (!network)
        allow->prefix = own_prefix_of_host(&client);
    else if (!widen(allow, &client))
        return cli_fail(allow->cli, "the client's address is in no network");
    return CLI_OK;
}

/* --- add ------------------------------------------------------------------------------------------------ */

static void added_came(void *data, struct slice json)
{
    struct allow *allow = data;
    if (allow->cli->json) {
        cli_print("%.*s\n", SLICE_ARGS(json));
        return;
    }
    json_t *added = json_loadb(json.at, json.len, 0, NULL);
    const struct slice address = text_of(added, "address");
    cli_print("%.*s is allowed until %.*s.\n", SLICE_ARGS(address),
              SLICE_ARGS(time_of(allow, added, "expires")));
    if (allow->story.len)
        cli_print_wrapped(arena_format(&allow->arena, "This is the client of session %.*s. %.*s",
                                       SLICE_ARGS(text_of(added, "session")), SLICE_ARGS(allow->story)),
                          2, WIDTH);
    cli_print_wrapped(SLICE("Until then it is not shut out, and whatever is found about it or its mail is "
                            "recorded and spared: blocklists, weights, greylist, tests and delays. It may "
                            "not relay, its recipients must exist, and the limits hold."),
                      2, WIDTH);
    cli_print("  To take it back: postern allow --remove %.*s\n", SLICE_ARGS(address));
    json_decref(added);
}

static int add(struct allow *allow)
{
    const char *why = cli_option(allow->cli, "why");
    char prefix[ADDRESS_PORT_TEXT_SIZE], id[EVENT_ID_SIZE] = "";
    uint64_t for_ms;
    if (!cli_option_duration(allow->cli, "for", FOR_USUALLY_MS, &for_ms))
        return CLI_USAGE;
    if (networks_contain(&allow->site->own, &allow->prefix.network))
        return cli_fail(allow->cli, "that is in our own networks: nothing is held against them anyhow");
    prefix_print(&allow->prefix, prefix);
    if (allow->session)
        event_id_print(allow->session, id);
    return ask(allow,
               json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "command", "allow", "do", "add", "prefix",
                         prefix, "for_ms", (json_int_t)(for_ms < INT64_MAX ? for_ms : INT64_MAX), "session",
                         id, "why", why ? why : "", "by", cli_person()),
               added_came);
}

/* --- remove --------------------------------------------------------------------------------------------- */

static void match_came(void *data, struct slice json)
{
    struct allow *allow = data;
    json_t *row = json_loadb(json.at, json.len, 0, NULL);
    uint64_t session;
    if (event_id_parse(text_of(row, "session"), &session) && session == allow->session &&
        own_prefix_parse(text_of(row, "address"), &allow->prefix))
        allow->found = true;
    json_decref(row);
}

/* Of a session: what was allowed for its sake. */
static int removal_named(struct allow *allow, const char *text, bool network)
{
    if (prefix_named(allow, text, network))
        return CLI_OK;
    if (!journal_id_parse(slice_text(text), &allow->session))
        return cli_fail_usage(allow->cli, "\"%s\" is neither a session's id nor an address or a network",
                              text);
    const int status = ask(allow, json_pack("{s:s, s:s}", "command", "allow", "do", "list"), match_came);
    if (status == CLI_OK && !allow->found)
        return cli_fail(allow->cli, "nobody is allowed for the sake of session %s", text);
    return status;
}

static void removed_came(void *data, struct slice json)
{
    const struct allow *allow = data;
    json_t *removed = json_loadb(json.at, json.len, 0, NULL);
    if (allow->cli->json)
        cli_print("%.*s\n", SLICE_ARGS(json));
    else
        cli_print("%.*s is not allowed any more.\n", SLICE_ARGS(text_of(removed, "address")));
    json_decref(removed);
}

static int take_away(struct allow *allow)
{
    char prefix[ADDRESS_PORT_TEXT_SIZE];
    prefix_print(&allow->prefix, prefix);
    return ask(allow,
               json_pack("{s:s, s:s, s:s, s:s}", "command", "allow", "do", "remove", "prefix", prefix, "by",
                         cli_person()),
               removed_came);
}

/* --- the command line ----------------------------------------------------------------------------------- */

static int run_with(struct allow *allow, const char *what)
{
    const bool network = cli_option(allow->cli, "network") != NULL;
    const bool removes = cli_option(allow->cli, "remove") != NULL;
    int status = CLI_OK;
    if (!what && (removes || network))
        return cli_fail_usage(allow->cli, "whom? Expected a session's id, an address or a network");
    if (!what)
        return list(allow);
    if (removes)
        status = removal_named(allow, what, network);
    else if (!prefix_named(allow, what, network))
        status = session_named(allow, what, network);
    if (status != CLI_OK)
        return status;
    return removes ? take_away(allow) : add(allow);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct site *site = cli_site(cli);
    struct allow allow = {.cli = cli, .site = site};
    if (!site)
        return CLI_CONFIG;
    arena_init(&allow.arena, NULL, 0);
    const int status = run_with(&allow, argc > 1 ? argv[1] : NULL);
    arena_drop(&allow.arena);
    site_free(site);
    return status;
}

static const struct cli_option options[] = {
    {0, "for", "TIME", "how long, such as 12h or 7d (default); ten years at most"},
    {0, "network", NULL, "its network: of IPv4 the /24, of IPv6 the /48"},
    {0, "why", "TEXT", "why, for the list and the journal"},
    {0, "remove", NULL, "take it back"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_allow = {
    .name = "allow",
    .run = run,
    .summary = "let a wronged sender in for a time, or list who is let in",
    .arguments = "[SESSION | ADDRESS | NETWORK]",
    .arguments_max = 1,
    .options = options,
    .help = "The client of the session, or the address, is allowed: of IPv6 its /64. Within\n"
            "a second every gate spares it whatever may be forgiven, as an override's allow\n"
            "does: the own block list, blocklists, the weights of all findings and what they\n"
            "do by themselves, the greylist, rates, traps, banner delay and other tests. All\n"
            "of it is recorded as before. It may not relay, its recipients must exist, and\n"
            "the limits on connections, sessions and messages hold. An allowance beats a\n"
            "block, always. Of a session behind a proxy or a trusted forwarder the client\n"
            "behind it is meant. Without an argument those are listed that are allowed.\n"
            "\n"
            "The id of a session stands in every refusal behind its number. To allow for\n"
            "good, or a sender or a name, write an override (postern.conf(5)).\n",
    .examples = "postern allow --json\n",
};
