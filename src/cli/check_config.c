/* postern check-config [FILE]: every mistake and every warning, and what would be served. */
#include "cli/cli.h"

#include "base/arena.h"
#include "daemon/conf.h"
#include "daemon/survey.h"
#include "wire/json.h"

#include <stdio.h>

#define JSON_MAX  (4u << 20)
#define NOTES_MAX (1u << 20)
#define SHOWN_MAX 10 /* domains or targets of one route */

/* --- the summary --------------------------------------------------------------------------------------- */

static const char *kind_word(enum route_kind kind)
{
    switch (kind) {
    case ROUTE_RELAY: return "relay";
    case ROUTE_MAILDIR: return "maildir";
    case ROUTE_LMTP: return "lmtp";
    case ROUTE_SMTP: break;
    }
    return "smtp";
}

static struct slice target_text(const struct target *target, struct arena *arena)
{
    if (target->is_unix)
        return arena_format(arena, "unix:%.*s", SLICE_ARGS(target->host));
    if (target->address.family == ADDRESS_IPV6)
        return arena_format(arena, "[%.*s]:%u", SLICE_ARGS(target->host), target->port);
    return arena_format(arena, "%.*s:%u", SLICE_ARGS(target->host), target->port);
}

static struct slice join(struct arena *arena, struct slice text, struct slice part, size_t index,
                         size_t count)
{
    if (index == SHOWN_MAX)
        return arena_format(arena, "%.*s and %zu more", SLICE_ARGS(text), count - index);
    if (index > SHOWN_MAX)
        return text;
    return arena_join(arena, arena_join(arena, text, index ? SLICE(", ") : SLICE_NONE), part);
}

static struct slice domains_text(const struct route *route, struct arena *arena)
{
    struct slice text = SLICE_NONE;

    for (size_t i = 0; i < route->domain_count; i++)
        text = join(arena, text, route->domains[i], i, route->domain_count);
    return text;
}

static struct slice way_text(const struct route *route, struct arena *arena)
{
    struct slice text = SLICE_NONE;

    if (route->kind == ROUTE_MAILDIR)
        return route->maildir;
    for (size_t i = 0; i < route->target_count; i++)
        text = join(arena, text, target_text(&route->targets[i], arena), i, route->target_count);
    return text;
}

static struct slice who_text(const struct route *route, struct arena *arena)
{
    switch (route->mailboxes) {
    case ROUTE_MAILBOXES_ANY: return SLICE("anybody");
    case ROUTE_MAILBOXES_ASK: return SLICE("whom the server takes");
    case ROUTE_MAILBOXES_LISTED: break;
    }
    return arena_format(arena, "%zu listed", route->mailbox_count);
}

static void print_routes(const struct cli *cli, const struct site *site)
{
    static const char *const heads[] = {"mail for", "goes by", "to", "mailboxes", NULL};
    struct cli_table *table = cli_table_new(heads);
    struct arena arena;

    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < site->route_count; i++) {
        const struct route *route = &site->routes[i];
        cli_table_add(table, domains_text(route, &arena));
        cli_table_add(table, slice_text(kind_word(route->kind)));
        cli_table_add(table, way_text(route, &arena));
        cli_table_add(table, who_text(route, &arena));
    }
    cli_table_end(table, cli);
    arena_drop(&arena);
}

/* Zones are not shown: they may hold a key. */
static void print_blocklists(const struct cli *cli, const struct site *site)
{
    static const char *const heads[] = {"blocklist", ">weight", ">codes", "of", "test entries", NULL};
    struct cli_table *table = cli_table_new(heads);
    struct arena arena;

    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < site->blocklist_count; i++) {
        const struct blocklist *list = &site->blocklists[i];
        cli_table_add(table, list->name);
        cli_table_add(table, arena_format(&arena, "%d", list->weight));
        cli_table_add_number(table, list->code_count);
        cli_table_add(table, list->ipv4 && list->ipv6 ? SLICE("IPv4, IPv6")
                             : list->ipv4             ? SLICE("IPv4")
                                                      : SLICE("IPv6"));
        cli_table_add(table, list->probes ? SLICE("proved by them") : SLICE("none, it is believed"));
    }
    cli_table_end(table, cli);
    arena_drop(&arena);
}

static void print_summary(const struct cli *cli, const struct site *site)
{
    char text[ADDRESS_PORT_TEXT_SIZE];

    cli_print("%s%.*s is fine%s\n\n", cli_style(cli, CLI_STYLE_GOOD), SLICE_ARGS(site->file),
              cli_style(cli, CLI_STYLE_PLAIN));
    cli_print("%.*s answers at", SLICE_ARGS(site->set.host_name));
    for (size_t i = 0; i < site->listen_count; i++) {
        (void)address_port_print(&site->listens[i].address, text);
        cli_print("%s %s%s", i ? "," : "", text, site->listens[i].optional ? " (where possible)" : "");
    }
    cli_print(", %s TLS\nstate is kept in %.*s\n", site->certificate_count ? "with" : "without",
              SLICE_ARGS(site->set.state_directory));
    if (site->route_count) {
        cli_print("\n");
        print_routes(cli, site);
    }
    if (site->blocklist_count) {
        cli_print("\n");
        print_blocklists(cli, site);
        if (!site_asks_names(site))
            cli_print("dns.server is none: no list is asked.\n");
    }
}

/* --- live ---------------------------------------------------------------------------------------------- */

struct live {
    const struct cli *cli;
    struct json *json; /* NULL: for people */
    size_t bad;
};

static void live_row(void *data, const struct survey_row *row)
{
    struct live *live = data;

    live->bad += !row->fine;
    if (live->json) {
        json_object_open(live->json);
        json_put_text(live->json, "kind", slice_text(row->kind));
        json_put_text(live->json, "name", row->name);
        json_put_bool(live->json, "fine", row->fine);
        json_put_text(live->json, "came", row->came);
        json_put_u64(live->json, "took_ms", row->took_ms);
        json_object_close(live->json);
        return;
    }
    cli_print("%s%s%s %.*s ", cli_style(live->cli, row->fine ? CLI_STYLE_GOOD : CLI_STYLE_BAD), row->kind,
              cli_style(live->cli, CLI_STYLE_PLAIN), SLICE_ARGS(row->name));
    cli_print_text(row->came);
    if (row->took_ms)
        cli_print(", in %llu ms", (unsigned long long)row->took_ms);
    cli_print("\n");
}

/* Whether all is as it should be. */
static bool print_live(const struct cli *cli, const struct site *site)
{
    struct live live = {.cli = cli};

    cli_print("\n");
    survey_run(site, live_row, &live);
    if (!site_asks_names(site))
        cli_print("dns.server is none: no name server is asked.\n");
    return !live.bad;
}

static bool json_live(struct json *json, const struct site *site)
{
    struct live live = {.json = json};

    json_key(json, "live");
    json_array_open(json);
    survey_run(site, live_row, &live);
    json_array_close(json);
    return !live.bad;
}

static void print_notes(const struct cli *cli, const struct conf_report *report)
{
    struct buf buf;

    buf_init(&buf, NOTES_MAX);
    conf_notes_print(&report->mistakes, &buf);
    cli_print("%.*s", SLICE_ARGS(buf_slice(&buf)));
    buf_clear(&buf);
    conf_notes_print(&report->warnings, &buf);
    if (report->warnings.count)
        cli_print("\n%sbut%s\n%.*s", cli_style(cli, CLI_STYLE_WARNING), cli_style(cli, CLI_STYLE_PLAIN),
                  SLICE_ARGS(buf_slice(&buf)));
    buf_drop(&buf);
    if (report->mistakes.count)
        cli_print("%s%zu mistake%s%s\n", cli_style(cli, CLI_STYLE_BAD), report->mistakes.count,
                  report->mistakes.count == 1 ? "" : "s", cli_style(cli, CLI_STYLE_PLAIN));
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void json_notes(struct json *json, const char *key, const struct conf_notes *notes)
{
    json_key(json, key);
    json_array_open(json);
    for (const struct conf_note *note = notes->first; note; note = note->next) {
        json_object_open(json);
        json_put_text(json, "file", note->file);
        json_put_u64(json, "line", note->line);
        json_put_text(json, "text", note->text);
        json_object_close(json);
    }
    json_array_close(json);
}

static void json_route(struct json *json, const struct route *route, struct arena *arena)
{
    json_object_open(json);
    json_key(json, "domains");
    json_array_open(json);
    for (size_t i = 0; i < route->domain_count; i++)
        json_text(json, route->domains[i]);
    json_array_close(json);
    json_put_text(json, "kind", slice_text(kind_word(route->kind)));
    json_put_text(json, "to", way_text(route, arena));
    json_object_close(json);
}

static void json_blocklist(struct json *json, const struct blocklist *list)
{
    json_object_open(json);
    json_put_text(json, "name", list->name);
    json_put_i64(json, "weight", list->weight);
    json_put_u64(json, "codes", list->code_count);
    json_put_bool(json, "ipv4", list->ipv4);
    json_put_bool(json, "ipv6", list->ipv6);
    json_put_bool(json, "probes", list->probes);
    json_object_close(json);
}

static void json_site(struct json *json, const struct site *site, struct arena *arena)
{
    char text[ADDRESS_PORT_TEXT_SIZE];

    json_put_text(json, "host_name", site->set.host_name);
    json_put_text(json, "digest", site->digest);
    json_key(json, "listens");
    json_array_open(json);
    for (size_t i = 0; i < site->listen_count; i++)
        json_text(json, slice_of(text, address_port_print(&site->listens[i].address, text)));
    json_array_close(json);
    json_key(json, "routes");
    json_array_open(json);
    for (size_t i = 0; i < site->route_count; i++)
        json_route(json, &site->routes[i], arena);
    json_array_close(json);
    json_key(json, "blocklists");
    json_array_open(json);
    for (size_t i = 0; i < site->blocklist_count; i++)
        json_blocklist(json, &site->blocklists[i]);
    json_array_close(json);
}

/* Whether all is as it should be. */
static bool print_json(const char *file, const struct site *site, const struct conf_report *report, bool live)
{
    struct arena arena;
    struct json json;
    struct buf buf;
    bool fine = true;

    arena_init(&arena, NULL, 0);
    buf_init(&buf, JSON_MAX);
    json_begin(&json, &buf);
    json_object_open(&json);
    json_put_text(&json, "file", slice_text(file));
    json_put_bool(&json, "fine", site);
    json_put_u64(&json, "mistake_count", report->mistakes.count);
    json_notes(&json, "mistakes", &report->mistakes);
    json_notes(&json, "warnings", &report->warnings);
    if (site)
        json_site(&json, site, &arena);
    if (site && live)
        fine = json_live(&json, site);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&buf);
    buf_drop(&buf);
    arena_drop(&arena);
    return fine;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : cli->file;
    struct conf_report report;

    conf_report_init(&report);
    struct site *site = conf_load(file, CONF_CARE_FILES, &report);
    const bool live = cli_option(cli, "live");
    bool fine = true;
    if (cli->json) {
        fine = print_json(file, site, &report, live);
    } else {
        if (site)
            print_summary(cli, site);
        print_notes(cli, &report);
        if (site && live)
            fine = print_live(cli, site);
    }
    const int status = !site ? CLI_CONFIG : fine ? CLI_OK : CLI_FAILED;
    site_free(site);
    conf_report_drop(&report);
    return status;
}

static const struct cli_option options[] = {
    {0, "live", NULL, "ask name servers, blocklists and mail servers, too, and tell what came"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_check_config = {
    .name = "check-config",
    .run = run,
    .summary = "look for mistakes in the configuration",
    .arguments = "[FILE]",
    .arguments_max = 1,
    .options = options,
    .help = "Reads the configuration with all its includes, and looks at the certificates\n"
            "and alias tables that it names. Every mistake is told as FILE:LINE: what, and\n"
            "what was expected. Then come warnings: what is allowed but dangerous or of no\n"
            "use, such as a way to relay for strangers. The exit status is 78 where there\n"
            "are mistakes, else 0.\n"
            "\n"
            "--live asks each name server by itself, each blocklist for its test entries\n"
            "(RFC 5782), and connects to each mail server of a route, with the\n"
            "configuration's own deadlines. The exit status is 1 then where one does not\n"
            "answer, invents names, is no list, or does not greet.\n",
    .examples = "postern check-config\n"
                "postern check-config --live\n"
                "postern check-config etc/demo.conf\n",
};
