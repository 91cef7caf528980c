/* postern queue: what waits for delivery, and the administrator's hand on it. */
#include "cli/cli.h"

#include <jansson.h>
#include <string.h>

#define REQUEST_MAX 4096u
#define VALUE_MAX   4096u /* octets of one value shown */

struct view {
    const struct cli *cli;
    bool list;
    struct cli_table *table; /* list: made with its first row */
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* --- for people ------------------------------------------------------------------------------------------
 */

static void row_add(struct view *view, const json_t *object)
{
    static const char *const heads[] = {"id",      "state", "since", "next", ">tries",
                                        ">octets", "from",  ">to",   NULL};
    static const char *const keys[] = {"id", "state", "time", "next"};
    if (!view->table)
        view->table = cli_table_new(heads);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cli_table_add(view->table, slice_text(text_of(object, keys[i])));
    cli_table_add_number(view->table, number_of(object, "attempts"));
    cli_table_add_number(view->table, number_of(object, "octets"));
    cli_table_add(view->table, slice_text(text_of(object, "from")));
    cli_table_add_number(view->table, json_array_size(json_object_get(object, "to")));
}

static void value_print(const json_t *value)
{
    char text[VALUE_MAX];
    if (json_is_string(value)) {
        cli_print_text(slice_text(json_string_value(value)));
        return;
    }
    size_t len = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_COMPACT);
    cli_print_text(slice_of(text, len < sizeof text ? len : sizeof text));
}

/* A line a field; lists of objects, such as the recipients, a line each. */
static void object_print(const struct cli *cli, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        cli_print("%s%-12s%s", cli_style(cli, CLI_STYLE_HEAD), key, cli_style(cli, CLI_STYLE_PLAIN));
        if (!json_is_array(value)) {
            value_print(value);
            cli_print("\n");
            continue;
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            cli_print("%s", i ? "            " : "");
            value_print(json_array_get(value, i));
            cli_print("\n");
        }
    }
}

static void line_came(void *data, struct slice json)
{
    struct view *view = data;
    if (view->cli->json) {
        cli_print("%.*s\n", SLICE_ARGS(json));
        return;
    }
    json_t *object = json_loadb(json.at, json.len, 0, NULL);
    if (!object)
        return;
    if (view->list)
        row_add(view, object);
    else
        object_print(view->cli, object);
    json_decref(object);
}

/* --- the commands
 * ------------------------------------------------------------------------------------------- */

static void request_make(struct buf *request, const char *what, const char *id)
{
    json_t *object = json_pack("{s:s, s:s}", "command", "queue", "do", what);
    if (id)
        json_object_set_new(object, "id", json_string(id));
    size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *room = buf_room(request, len);
    if (room)
        buf_grow(request, json_dumpb(object, room, len, JSON_COMPACT));
    json_decref(object);
}

static int ask(const struct cli *cli, const struct site *site, const char *what, const char *id,
               struct view *view)
{
    struct buf request;
    buf_init(&request, REQUEST_MAX);
    request_make(&request, what, id);
    struct cli_call call = {.socket = "courier.sock",
                            .request = buf_slice(&request),
                            .line = line_came,
                            .data = view,
                            .wait_ms = 60000};
    int status = cli_call(cli, site, &call);
    buf_drop(&request);
    return status;
}

static int list(const struct cli *cli, const struct site *site)
{
    struct view view = {.cli = cli, .list = true};
    int status = ask(cli, site, "list", NULL, &view);
    if (view.table)
        cli_table_end(view.table, cli);
    else if (status == CLI_OK && !cli->json)
        cli_print("The queue is empty.\n");
    return status;
}

static int each(const struct cli *cli, const struct site *site, int argc, char **argv)
{
    static const char *const done[][2] = {{"retry", "tried now"},
                                          {"hold", "held"},
                                          {"release", "released"},
                                          {"delete", "deleted"},
                                          {NULL, NULL}};
    struct view view = {.cli = cli};
    int worst = CLI_OK;
    for (int i = 2; i < argc; i++) {
        int status = ask(cli, site, argv[1], argv[i], &view);
        for (size_t k = 0; status == CLI_OK && !cli->json && done[k][0]; k++)
            if (!strcmp(done[k][0], argv[1]))
                cli_print("%s: %s\n", argv[i], done[k][1]);
        worst = status ? status : worst;
    }
    return worst;
}

static int all(const struct cli *cli, const struct site *site, const char *what)
{
    struct view view = {.cli = cli};
    int status = ask(cli, site, what, NULL, &view);
    if (status == CLI_OK && !cli->json)
        cli_print("All that waits is %s.\n", !strcmp(what, "retry") ? "tried now" : "released");
    return status;
}

static int dispatch(struct cli *cli, const struct site *site, int argc, char **argv)
{
    static const char *const with_ids[] = {"show", "retry", "hold", "release", "delete", NULL};
    const char *what = argc > 1 ? argv[1] : "list";
    if (!strcmp(what, "list"))
        return argc > 2 ? cli_fail_usage(cli, "list takes no id; show does") : list(cli, site);
    if (argc == 2 && (!strcmp(what, "retry") || !strcmp(what, "release")))
        return all(cli, site, what);
    for (size_t i = 0; with_ids[i]; i++)
        if (!strcmp(what, with_ids[i]))
            return argc > 2 ? each(cli, site, argc, argv)
                            : cli_fail_usage(cli, "%s wants the id of a message", what);
    return cli_fail_usage(cli, "there is no \"%s\": it is list, show, retry, hold, release or delete", what);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct site *site = cli_site(cli);
    if (!site)
        return CLI_CONFIG;
    int status = dispatch(cli, site, argc, argv);
    site_free(site);
    return status;
}

const struct cli_command command_queue = {
    .name = "queue",
    .run = run,
    .summary = "show what waits for delivery; retry, hold, release or delete it",
    .arguments = "[list | show ID ... | retry [ID ...] | hold ID ... | release [ID ...] | delete ID ...]",
    .arguments_min = 0,
    .arguments_max = -1,
    .help = "list shows a line for each message that waits, show all that is known of one. retry tries\n"
            "messages now, all of them when none is named. A message on hold waits until it is released.\n"
            "delete removes a message for good, and nobody is notified.\n",
    .examples = "postern queue list\npostern queue retry\n",
};
