/* postern campaigns: which attempts belong together, as the keeper sees it. */
#include "cli/cli.h"

#include "base/arena.h"
#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "watch/campaign.h"
#include "watch/export.h"

#include <jansson.h>
#include <string.h>

#define REQUEST_MAX 256u
#define LIMIT       50
#define LIMIT_MAX   1000
#define EXPORT_MAX  (1u << 20)
#define WIDTH       78u

struct campaigns {
    const struct cli *cli;
    struct arena arena;
    struct cli_table *table;
    const char *kind; /* only of this, or NULL */
    bool open_only;
    bool exports; /* what is suggested, in this form */
    enum export_form form;
    uint64_t limit;
    size_t count, room;
    struct row *list; /* in the order of the answer */
    json_t *blocks;   /* of the campaign: address to state */
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

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void campaign_came(void *data, struct slice json)
{
    struct campaigns *campaigns = data;
    json_t *object = json_loadb(json.at, json.len, 0, NULL);
    if (!object)
        return;
    if (campaigns->count == campaigns->room) {
        const size_t room = campaigns->room ? campaigns->room * 2 : 64;
        struct row *list = arena_take(&campaigns->arena, room * sizeof *list);
        if (campaigns->count)
            memcpy(list, campaigns->list, campaigns->count * sizeof *list);
        campaigns->list = list;
        campaigns->room = room;
    }
    campaigns->list[campaigns->count++] = (struct row){object, arena_copy(&campaigns->arena, json)};
}

/* What the block list has of it. */
static void block_came(void *data, struct slice json)
{
    struct campaigns *campaigns = data;
    json_t *entry = json_loadb(json.at, json.len, 0, NULL);
    const char *address = json_string_value(json_object_get(entry, "address"));
    if (address)
        json_object_set(campaigns->blocks, address, json_object_get(entry, "state"));
    json_decref(entry);
}

/* Without it the campaign is told all the same. */
static void blocks_ask(struct campaigns *campaigns, const struct site *site, const char *id)
{
    char text[REQUEST_MAX];
    const int len = snprintf(text, sizeof text,
                             "{\"command\":\"blocks\",\"do\":\"list\",\"campaign\":\"%.13s\"}", id);
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = slice_of(text, (size_t)len),
                                  .line = block_came,
                                  .data = campaigns,
                                  .quiet = true};
    campaigns->blocks = json_object();
    (void)cli_call(campaigns->cli, site, &call);
}

static int ask(struct campaigns *campaigns, const char *id)
{
    struct site *site = cli_site(campaigns->cli);
    char text[REQUEST_MAX];
    if (!site)
        return CLI_CONFIG;
    json_t *request = json_pack("{s:s, s:s, s:s, s:b, s:I}", "command", "campaigns", "id", id ? id : "",
                                "kind", campaigns->kind ? campaigns->kind : "", "open", campaigns->open_only,
                                "most",
                                (json_int_t)(campaigns->limit < LIMIT_MAX ? campaigns->limit : LIMIT_MAX));
    const size_t len = request ? json_dumpb(request, text, sizeof text, JSON_COMPACT) : 0;
    json_decref(request);
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = slice_of(text, len < sizeof text ? len : 0),
                                  .line = campaign_came,
                                  .data = campaigns};
    const int status = !len || len > sizeof text ? cli_fail(campaigns->cli, "this is no campaign's id")
                                                 : cli_call(campaigns->cli, site, &call);
    if (id && status == CLI_OK)
        blocks_ask(campaigns, site, id);
    site_free(site);
    return status;
}

/* --- the list ------------------------------------------------------------------------------------------- */

static int by_last(const void *one, const void *other)
{
    const struct row *a = one, *b = other;
    return slice_compare(text_of(b->object, "last"), text_of(a->object, "last"));
}

/* "2026-07-24 02:35:56" of an RFC 3339 time; as it is where it is none. */
static struct slice time_of(struct campaigns *campaigns, const json_t *object, const char *key)
{
    const struct slice text = arena_copy(&campaigns->arena, slice_head(text_of(object, key), 19));
    char *separator = text.len == 19 ? memchr((char *)(uintptr_t)text.at, 'T', text.len) : NULL;
    if (separator)
        *separator = ' ';
    return text;
}

static void row_show(struct campaigns *campaigns, const json_t *campaign)
{
    static const char *const heads[] = {"CAMPAIGN", "KIND", "LAST (UTC)", ">ATTEMPTS",
                                        ">HOSTS",   "",     "WHAT",       NULL};
    if (!campaigns->table)
        campaigns->table = cli_table_new(heads);
    cli_table_add(campaigns->table, text_of(campaign, "id"));
    cli_table_add(campaigns->table, text_of(campaign, "kind"));
    cli_table_add(campaigns->table, time_of(campaigns, campaign, "last"));
    cli_table_add_number(campaigns->table, number_of(campaign, "attempts"));
    cli_table_add_number(campaigns->table, number_of(campaign, "hosts"));
    cli_table_add(campaigns->table,
                  json_is_true(json_object_get(campaign, "open")) ? SLICE("open") : SLICE("over"));
    cli_table_add(campaigns->table, text_of(campaign, "sentence"));
}

static int list_show(struct campaigns *campaigns)
{
    const bool json = campaigns->cli->json;
    memory_sort(campaigns->list, campaigns->count, sizeof *campaigns->list, by_last);
    for (size_t i = 0; i < campaigns->count && i < campaigns->limit; i++) {
        if (json)
            cli_print("%.*s\n", SLICE_ARGS(campaigns->list[i].raw));
        else
            row_show(campaigns, campaigns->list[i].object);
    }
    if (campaigns->table)
        cli_table_end(campaigns->table, campaigns->cli);
    if (!campaigns->count && !json)
        cli_print("No attempts are known that belong together.\n");
    return CLI_OK;
}

/* --- one in full ---------------------------------------------------------------------------------------- */

static void table_cell(struct campaigns *campaigns, struct slice text)
{
    cli_table_add(campaigns->table, text.len ? text : SLICE("-"));
}

/* "in force", "suggested", "declined", "over"; else whether there is enough against the host alone. */
static struct slice shut_out(const struct campaigns *campaigns, const json_t *host)
{
    const struct slice state = text_of(campaigns->blocks,
                                       json_string_value(json_object_get(host, "address")));
    if (state.len)
        return slice_equal(state, SLICE("in-force")) ? SLICE("in force") : state;
    return json_is_true(json_object_get(host, "suggested")) ? SLICE("might be") : SLICE("no");
}

/* A network of the campaign, and what a person can do. */
static void blocks_say(const struct campaigns *campaigns, const json_t *campaign)
{
    const struct slice id = text_of(campaign, "id");
    const char *address;
    json_t *state;
    bool suggested = false, in_force = false;
    json_object_foreach(campaigns->blocks, address, state)
    {
        const bool is_suggested = !strcmp(json_string_value(state), "suggested");
        suggested = suggested || is_suggested;
        in_force = in_force || !strcmp(json_string_value(state), "in-force");
        if (strchr(address, '/') && !slice_ends_fold(slice_text(address), SLICE("/64"))) /* that is a host */
            cli_print("The network %s: %s\n", address, is_suggested ? "suggested" : json_string_value(state));
    }
    if (suggested)
        cli_print("postern blocks approve %.*s shuts out those that are suggested, decline says no.\n",
                  SLICE_ARGS(id));
    if (in_force)
        cli_print("postern blocks undo %.*s takes all of it back.\n", SLICE_ARGS(id));
}

static void hosts_show(struct campaigns *campaigns, const json_t *campaign)
{
    static const char *const heads[] = {"HOST",      "NAME",     "OF",       "NETWORK",
                                        ">ATTEMPTS", ">REFUSED", "SHUT OUT", NULL};
    const json_t *list = json_object_get(campaign, "host_table"), *host;
    size_t i;
    campaigns->table = cli_table_new(heads);
    json_array_foreach(list, i, host)
    {
        cli_table_add(campaigns->table, text_of(host, "address"));
        table_cell(campaigns, text_of(host, "ptr"));
        table_cell(campaigns, text_of(host, "origin"));
        cli_table_add(campaigns->table,
                      arena_format(&campaigns->arena, "#%llu", (unsigned long long)number_of(host, "group")));
        cli_table_add_number(campaigns->table, number_of(host, "attempts"));
        cli_table_add_number(campaigns->table, number_of(host, "refused"));
        cli_table_add(campaigns->table, shut_out(campaigns, host));
    }
    cli_table_end(campaigns->table, campaigns->cli);
    const uint64_t all = number_of(campaign, "hosts");
    if (all > i)
        cli_print("and %llu more\n", (unsigned long long)(all - i));
    blocks_say(campaigns, campaign);
}

/* "+13 s", since the first. */
static struct slice offset_of(struct campaigns *campaigns, const json_t *campaign, const json_t *moment)
{
    int64_t first_ms, at_ms;
    if (!calendar_parse_iso(text_of(campaign, "first"), &first_ms) ||
        !calendar_parse_iso(text_of(moment, "time"), &at_ms))
        return SLICE("-");
    const long long seconds = (long long)(at_ms - first_ms) / 1000;
    if (seconds < 600)
        return arena_format(&campaigns->arena, "+%lld s", seconds);
    return seconds < 36000 ? arena_format(&campaigns->arena, "+%lld min", seconds / 60)
                           : arena_format(&campaigns->arena, "+%lld h", seconds / 3600);
}

/* Whether the address stands before it in the list. */
static bool came_before(const json_t *list, size_t before, struct slice address)
{
    for (size_t i = 0; i < before; i++)
        if (slice_equal(text_of(json_array_get(list, i), "address"), address))
            return true;
    return false;
}

static void timeline_show(struct campaigns *campaigns, const json_t *campaign)
{
    static const char *const heads[] = {"TIME (UTC)",      ">SINCE", "SESSION", "HOST",
                                        "WHAT CAME OF IT", "",       NULL};
    const json_t *list = json_object_get(campaign, "timeline"), *moment;
    size_t i;
    campaigns->table = cli_table_new(heads);
    json_array_foreach(list, i, moment)
    {
        const struct slice address = text_of(moment, "address");
        cli_table_add(campaigns->table, time_of(campaigns, moment, "time"));
        cli_table_add(campaigns->table, offset_of(campaigns, campaign, moment));
        cli_table_add(campaigns->table, text_of(moment, "id"));
        table_cell(campaigns, address);
        cli_table_add(campaigns->table, text_of(moment, "verdict"));
        cli_table_add(campaigns->table, came_before(list, i, address) ? SLICE("again") : SLICE_NONE);
    }
    cli_table_end(campaigns->table, campaigns->cli);
    const uint64_t all = number_of(campaign, "attempts");
    if (all > i)
        cli_print("The first and the latest of %llu attempts.\n", (unsigned long long)all);
}

static void campaign_show(struct campaigns *campaigns, const json_t *campaign)
{
    const struct cli *cli = campaigns->cli;
    const struct slice sentence = text_of(campaign, "sentence"), reason = text_of(campaign, "reason");
    cli_print("%sCampaign %.*s, %.*s, %s%s\n", cli_style(cli, CLI_STYLE_HEAD),
              SLICE_ARGS(text_of(campaign, "id")), SLICE_ARGS(text_of(campaign, "kind")),
              json_is_true(json_object_get(campaign, "open")) ? "open" : "over",
              cli_style(cli, CLI_STYLE_PLAIN));
    cli_print_wrapped(arena_join(&campaigns->arena, sentence, SLICE(".")), 2, WIDTH);
    if (reason.len)
        cli_print("  Of each host this says: %.*s.\n", SLICE_ARGS(reason));
    cli_print("\nHosts; those of one network number belong together:\n");
    hosts_show(campaigns, campaign);
    cli_print("\nAttempts; postern explain SESSION tells the whole of one:\n");
    timeline_show(campaigns, campaign);
}

/* --- for other programs --------------------------------------------------------------------------------- */

/* An address, or a /64. */
static bool entry_make(const json_t *campaign, const json_t *host, struct export_entry *entry)
{
    int64_t last_ms;
    *entry = (struct export_entry){.reason = text_of(campaign, "reason"),
                                   .evidence = text_of(campaign, "id")};
    if (calendar_parse_iso(text_of(campaign, "last"), &last_ms))
        entry->made_ms = last_ms;
    return json_is_true(json_object_get(host, "suggested")) &&
           prefix_parse(text_of(host, "address"), &entry->address);
}

static int export_show(struct campaigns *campaigns, const json_t *campaign)
{
    const json_t *list = json_object_get(campaign, "host_table"), *host;
    const size_t most = json_array_size(list);
    struct export_entry *entries = arena_take(&campaigns->arena, (most + 1) * sizeof *entries);
    size_t count = 0, i;
    struct buf out;
    json_array_foreach(list, i, host) count += entry_make(campaign, host, &entries[count]);
    buf_init(&out, EXPORT_MAX);
    const bool fits = export_print(campaigns->form, entries, count, 0, &out);
    if (fits)
        cli_print("%.*s", SLICE_ARGS(buf_slice(&out)));
    buf_drop(&out);
    return fits ? CLI_OK : cli_fail(campaigns->cli, "there are too many hosts");
}

static int one_show(struct campaigns *campaigns)
{
    if (campaigns->exports && campaigns->count)
        return export_show(campaigns, campaigns->list[0].object);
    for (size_t i = 0; i < campaigns->count; i++) {
        if (campaigns->cli->json)
            cli_print("%.*s\n", SLICE_ARGS(campaigns->list[i].raw));
        else
            campaign_show(campaigns, campaigns->list[i].object);
    }
    return CLI_OK;
}

static bool kind_is_known(const char *kind)
{
    enum campaign_kind parsed;
    return !kind || campaign_kind_parse(slice_text(kind), &parsed);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct campaigns campaigns = {.cli = cli, .kind = cli_option(cli, "kind")};
    const char *id = argc > 1 ? argv[1] : NULL;
    if (!kind_is_known(campaigns.kind))
        return cli_fail_usage(cli, "there is no kind \"%s\"", campaigns.kind);
    if (!cli_option_number(cli, "limit", LIMIT, &campaigns.limit))
        return CLI_USAGE;
    const char *form = cli_option(cli, "export");
    campaigns.exports = form != NULL;
    if (form && (!id || !export_form_parse(slice_text(form), &campaigns.form)))
        return cli_fail_usage(
            cli, "--export wants a campaign's ID, and is access, cidr, nftables, rbldnsd or json");
    campaigns.open_only = cli_option(cli, "open") != NULL;
    arena_init(&campaigns.arena, NULL, 0);
    int status = ask(&campaigns, id);
    if (status == CLI_OK)
        status = id ? one_show(&campaigns) : list_show(&campaigns);
    for (size_t i = 0; i < campaigns.count; i++)
        json_decref(campaigns.list[i].object);
    json_decref(campaigns.blocks);
    arena_drop(&campaigns.arena);
    return status;
}

static const struct cli_option options[] = {
    {0, "open", NULL, "only those that go on"},
    {0, "kind", "KIND", "only of this kind: relay-rotation, botnet, repeat-host, ..."},
    {0, "export", "FORM", "the hosts to shut out of one: access, cidr, nftables, rbldnsd, json"},
    {'n', "limit", "N", "at most N of them, the newest; default 50, no more than 1000"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_campaigns = {
    .name = "campaigns",
    .run = run,
    .summary = "list the attempts that belong together, or tell one campaign in full",
    .arguments = "[ID]",
    .arguments_max = 1,
    .options = options,
    .help = "A campaign is a number of attempts to deliver mail that were seen as one: the\n"
            "same message from hosts that have nothing in common, one behind the other\n"
            "(relay-rotation) or side by side (botnet); a host or a network that comes back\n"
            "after it was refused (repeat-host, repeat-netblock); somebody who guesses\n"
            "addresses (dictionary); open web proxies (open-proxy). With an ID its hosts and\n"
            "its attempts are listed. SHUT OUT says what the block list has of a host: in\n"
            "force, suggested, declined, over; or might be, where there is enough against it\n"
            "alone but the list does not have it: it is known, or blocks.mode is off.\n"
            "postern blocks decides.\n",
    .examples = "postern campaigns --open\n"
                "postern campaigns --kind relay-rotation --json\n",
};
