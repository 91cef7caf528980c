/* postern known: who is known to the gate, who has lost it, and how to forget them. What the keys and values
 * of the store mean stands in checks/known.h. */
#include "cli/cli.h"

#include "base/address.h"
#include "base/arena.h"
#include "base/calendar.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

#define REQUEST_MAX 4096u
#define DAY_SECONDS 86400
#define WIDTH       78u

struct known {
    const struct cli *cli;
    const struct site *site;
    struct arena arena;
    struct cli_table *table;
    uint64_t shown;
    struct slice cursor; /* of the list, where it goes on */
    json_t *item;        /* the answer to get, or NULL */
};

/* --- asking the keeper ---------------------------------------------------------------------------------- */

static int ask(struct known *known, json_t *request, void (*line)(void *data, struct slice json))
{
    struct buf text;
    buf_init(&text, REQUEST_MAX);
    size_t len = json_dumpb(request, NULL, 0, JSON_COMPACT);
    char *room = buf_room(&text, len);
    if (room)
        buf_grow(&text, json_dumpb(request, room, len, JSON_COMPACT));
    json_decref(request);
    const struct cli_call call = {
        .socket = "keeper.sock", .request = buf_slice(&text), .line = line, .data = known};
    int status = cli_call(known->cli, known->site, &call);
    buf_drop(&text);
    return status;
}

static void item_came(void *data, struct slice json)
{
    struct known *known = data;
    json_decref(known->item);
    known->item = json_loadb(json.at, json.len, 0, NULL);
}

/* known->item is what stands under the key, or NULL. */
static int get(struct known *known, const char *kind, struct slice name)
{
    char key[512];
    int len = snprintf(key, sizeof key, "known %s %.*s", kind, SLICE_ARGS(name));
    json_decref(known->item);
    known->item = NULL;
    return ask(known,
               json_pack("{s:s, s:s, s:s#}", "command", "store", "do", "get", "key", key,
                         len < (int)sizeof key ? len : 0),
               item_came);
}

static int forget_key(struct known *known, const char *kind, struct slice name)
{
    char key[512];
    int len = snprintf(key, sizeof key, "known %s %.*s", kind, SLICE_ARGS(name));
    return ask(known,
               json_pack("{s:s, s:s, s:s#}", "command", "store", "do", "remove", "key", key,
                         len < (int)sizeof key ? len : 0),
               NULL);
}

/* --- what stands in the store --------------------------------------------------------------------------- */

static struct slice text_of(const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));
    return slice_text(text ? text : "");
}

static struct slice date_of_ms(struct known *known, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];
    size_t len = calendar_print_iso(unix_ms, 0, text);
    return arena_copy(&known->arena, slice_of(text, len < 10 ? len : 10));
}

static struct slice date_of_day(struct known *known, struct slice day)
{
    uint64_t number = 0;
    text_parse_u64(day, &number);
    return date_of_ms(known, (int64_t)number * DAY_SECONDS * 1000);
}

static struct slice until_of(struct known *known, const json_t *item)
{
    return date_of_ms(known, json_integer_value(json_object_get(item, "expires")));
}

/* "+DAY POOL" or "-DAY POOL" */
struct host {
    bool lost;
    struct slice day, pool;
};

static struct host host_of(const json_t *item)
{
    struct slice rest = text_of(item, "value");
    struct host host = {.lost = slice_starts(rest, SLICE("-"))};
    rest = slice_from(rest, rest.len > 0);
    slice_cut(&rest, ' ', &host.day);
    host.pool = rest;
    return host;
}

/* --- list ----------------------------------------------------------------------------------------------- */

struct row {
    struct slice kind, name, last, until;
    const struct host *host; /* NULL: a pool */
};

static json_t *json_of(struct slice text)
{
    return json_stringn_nocheck(text.at ? text.at : "", text.len);
}

static void row_json(const struct row *row)
{
    char text[REQUEST_MAX];
    json_t *object = json_pack("{s:o, s:o, s:b, s:o, s:o}", "kind", json_of(row->kind), "name",
                               json_of(row->name), "known", !row->host || !row->host->lost, "last",
                               json_of(row->last), "until", json_of(row->until));
    if (row->host)
        json_object_set_new(object, "pool", json_of(row->host->pool));
    size_t len = json_dumpb(object, text, sizeof text, JSON_COMPACT);
    if (len <= sizeof text)
        cli_print("%.*s\n", (int)len, text);
    json_decref(object);
}

static void row_add(struct known *known, struct slice kind, struct slice name, const json_t *item)
{
    static const char *const heads[] = {"who", "is", "of", "last", "until", NULL};
    bool is_host = slice_equal(kind, SLICE("host"));
    struct host host = host_of(item);
    struct slice date = date_of_day(known, is_host ? host.day : text_of(item, "value"));
    known->shown++;
    if (known->cli->json) {
        row_json(&(struct row){kind, name, date, until_of(known, item), is_host ? &host : NULL});
        return;
    }
    if (!known->table)
        known->table = cli_table_new(heads);
    cli_table_add(known->table, name);
    cli_table_add(known->table, is_host && host.lost ? SLICE("a stranger again") : SLICE("known"));
    cli_table_add(known->table, is_host ? host.pool : SLICE("-"));
    cli_table_add(known->table, date);
    cli_table_add(known->table, until_of(known, item));
}

static void row_came(void *data, struct slice json)
{
    struct known *known = data;
    json_t *item = json_loadb(json.at, json.len, 0, NULL);
    struct slice rest = text_of(item, "key"), word, kind;
    if (json_object_get(item, "cursor"))
        known->cursor = arena_copy(&known->arena, text_of(item, "cursor"));
    slice_word(&rest, &word);
    slice_word(&rest, &kind);
    if (slice_equal(kind, SLICE("host")) || slice_equal(kind, SLICE("pool")))
        row_add(known, kind, slice_trim(rest), item);
    json_decref(item);
}

static int list(struct known *known)
{
    int status;
    do {
        json_t *request = json_pack("{s:s, s:s, s:s, s:s#}", "command", "store", "do", "list", "prefix",
                                    "known ", "cursor", known->cursor.at ? known->cursor.at : "",
                                    (int)known->cursor.len);
        known->cursor = SLICE_NONE;
        status = ask(known, request, row_came);
    } while (status == CLI_OK && known->cursor.len);
    if (known->table)
        cli_table_end(known->table, known->cli);
    else if (status == CLI_OK && !known->cli->json)
        cli_print("Nobody is known yet.\n");
    return status;
}

/* --- show ----------------------------------------------------------------------------------------------- */

static void say(struct known *known, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct known *known, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (known->cli->json)
        return;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    known->shown++;
    cli_print_wrapped(slice_of(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1), 0, WIDTH);
}

static int show_pool(struct known *known, struct slice name)
{
    int status = get(known, "pool", name);
    if (status == CLI_OK && known->item && known->cli->json)
        row_add(known, SLICE("pool"), name, known->item);
    else if (status == CLI_OK && known->item)
        say(known,
            "%.*s is known: its last good message came on %.*s, and if there is no other it is known until "
            "%.*s.",
            SLICE_ARGS(name), SLICE_ARGS(date_of_day(known, text_of(known->item, "value"))),
            SLICE_ARGS(until_of(known, known->item)));
    if (status == CLI_OK && (status = get(known, "bad", name)) == CLI_OK && known->item)
        say(known, "Of its hosts %lld lost that by bad sessions; the third one ends it for the pool.",
            (long long)json_integer_value(json_object_get(known->item, "distinct")));
    return status;
}

static int show_host(struct known *known, struct slice name, struct slice *ret_pool)
{
    int status = get(known, "host", name);
    if (status != CLI_OK || !known->item)
        return status;
    struct host host = host_of(known->item);
    struct slice date = date_of_day(known, host.day), until = until_of(known, known->item);
    *ret_pool = arena_copy(&known->arena, host.pool);
    if (known->cli->json)
        row_add(known, SLICE("host"), name, known->item);
    else if (host.lost)
        say(known,
            "%.*s was found out on %.*s by a bad session or at a spam trap. It counts as a stranger until "
            "%.*s, "
            "or until it has brought good messages of its own.",
            SLICE_ARGS(name), SLICE_ARGS(date), SLICE_ARGS(until));
    else if (!slice_equal(host.pool, name))
        say(known, "%.*s is a known machine of %.*s, as long as that is known; so it was told last on %.*s.",
            SLICE_ARGS(name), SLICE_ARGS(host.pool), SLICE_ARGS(date));
    return CLI_OK;
}

static int show_clean(struct known *known, struct slice name)
{
    int status = get(known, "clean", name);
    if (status == CLI_OK && known->item)
        say(known,
            "As a stranger %.*s has brought %lld good messages on %lld days: three, not all on one day, make "
            "it "
            "known.",
            SLICE_ARGS(name), (long long)json_integer_value(json_object_get(known->item, "count")),
            (long long)json_integer_value(json_object_get(known->item, "distinct")));
    return status;
}

/* As the store has it: an IPv6 address is its /64. */
static struct slice name_of(struct known *known, const char *argument)
{
    struct address address;
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct slice name = slice_text(argument);
    if (!address_parse(name, &address) || address.family != ADDRESS_IPV6) {
        char *lower = arena_take(&known->arena, name.len + 1);
        for (size_t i = 0; i < name.len; i++)
            lower[i] = text_lower(name.at[i]);
        return slice_of(lower, name.len);
    }
    struct prefix prefix = {address_network(&address, 64), 64};
    return arena_copy(&known->arena, slice_of(text, prefix_print(&prefix, text)));
}

static int show(struct known *known, const char *argument)
{
    struct slice name = name_of(known, argument), pool = SLICE_NONE;
    known->shown = 0;
    int status = show_host(known, name, &pool);
    if (status == CLI_OK)
        status = show_clean(known, name);
    if (status == CLI_OK)
        status = show_pool(known, name);
    if (status == CLI_OK && pool.len && !slice_equal(pool, name))
        status = show_pool(known, pool);
    if (status == CLI_OK && !known->shown)
        return cli_fail(known->cli, "nothing is known of %s: it is a stranger", argument);
    return status;
}

static int forget(struct known *known, const char *argument)
{
    static const char *const kinds[] = {"host", "pool", "clean", "bad"};
    struct slice name = name_of(known, argument);
    bool there = false;
    int status = CLI_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == CLI_OK; i++) {
        status = get(known, kinds[i], name);
        if (status != CLI_OK || !known->item)
            continue;
        there = true;
        status = forget_key(known, kinds[i], name);
    }
    if (status == CLI_OK && !there)
        return cli_fail(known->cli, "nothing is known of %s", argument);
    if (status == CLI_OK && !known->cli->json)
        cli_print("%s is forgotten: it is a stranger from its next session on\n", argument);
    return status;
}

/* --- the command ---------------------------------------------------------------------------------------- */

static int each(struct known *known, int argc, char **argv, int (*one)(struct known *, const char *))
{
    int worst = CLI_OK;
    if (argc < 3)
        return cli_fail_usage(known->cli, "%s wants an address, a network or a domain", argv[1]);
    for (int i = 2; i < argc; i++) {
        int status = one(known, argv[i]);
        worst = status ? status : worst;
    }
    return worst;
}

static int dispatch(struct known *known, int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "list";
    if (!strcmp(what, "list"))
        return argc > 2 ? cli_fail_usage(known->cli, "list takes no name; show does") : list(known);
    if (!strcmp(what, "show"))
        return each(known, argc, argv, show);
    if (!strcmp(what, "forget"))
        return each(known, argc, argv, forget);
    return cli_fail_usage(known->cli, "there is no \"%s\": it is list, show or forget", what);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct site *site = cli_site(cli);
    if (!site)
        return CLI_CONFIG;
    struct known known = {.cli = cli, .site = site};
    arena_init(&known.arena, NULL, 0);
    int status = dispatch(&known, argc, argv);
    json_decref(known.item);
    arena_drop(&known.arena);
    site_free(site);
    return status;
}

const struct cli_command command_known = {
    .name = "known",
    .run = run,
    .summary = "show who has proved itself in earlier sessions, or forget it",
    .arguments = "[list | show WHO ... | forget WHO ...]",
    .arguments_min = 0,
    .arguments_max = -1,
    .help = "A client that passed the greylist, or brought three good messages on two days, is\n"
            "known, and its pool with it: the registered domain of its confirmed name, the\n"
            "domain that SPF has confirmed, or its network. Known clients meet no delays, no\n"
            "tests and no greylist. WHO is an address, a network or a domain. list shows hosts\n"
            "and pools, a line each; show says in words what is known of one. forget makes a\n"
            "stranger of it; a host of a known pool becomes known again, so forget the pool.\n",
    .examples = "postern known\npostern known show 192.0.2.7\n",
};
