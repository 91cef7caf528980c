/* postern status: the processes and what they carry. */
#include "cli/cli.h"

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>

struct view {
    const struct cli *cli;
    struct cli_table *table;
    struct cli_table *lists;
    unsigned listens;
    unsigned long long connection_size;
    struct {
        uint64_t asked, cached, merged, sent, answered, failed, took_us;
    } dns;
};

static struct slice text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return slice_of(json_string_value(value), json_string_length(value));
}

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void print_supervisor(const json_t *object)
{
    char age[TEXT_UNIT_SIZE];

    (void)text_print_duration(number_of(object, "seconds") * 1000, age);
    cli_print("Postern %s, process %llu, up for %s, configuration ", text_of(object, "version").at,
              (unsigned long long)number_of(object, "pid"), age);
    cli_print_text(text_of(object, "file"));
    cli_print("\n");
}

static void print_listen(struct view *view, const json_t *object)
{
    cli_print("%s%s", view->listens++ ? ", " : "listens at ", text_of(object, "listen").at);
}

static struct slice lag_print(uint64_t us, char text[TEXT_UNIT_SIZE])
{
    if (!us)
        return SLICE("-");
    const bool small = us < 1000;
    const int len = snprintf(text, TEXT_UNIT_SIZE, "%llu %s", (unsigned long long)(small ? us : us / 1000),
                             small ? "us" : "ms");
    return slice_of(text, (size_t)len);
}

static void add_process(struct view *view, const json_t *object)
{
    static const char *const numbers[] = {"connections", "accepted", "refused", "messages", "events_lost"};
    char text[TEXT_UNIT_SIZE];
    const bool gate = json_object_get(object, "slot") != NULL;

    cli_table_add(view->table, text_of(object, "process"));
    cli_table_add_number(view->table, number_of(object, "pid"));
    cli_table_add(view->table, text_of(object, "state"));
    (void)text_print_duration(number_of(object, "seconds") * 1000, text);
    cli_table_add(view->table, slice_text(text));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (gate)
            cli_table_add_number(view->table, number_of(object, numbers[i]));
        else
            cli_table_add(view->table, SLICE_NONE);
    }
    if (gate)
        cli_table_add_number(view->table, number_of(object, "memory") / 1024);
    else
        cli_table_add(view->table, SLICE_NONE);
    cli_table_add(view->table, gate ? lag_print(number_of(object, "lag_p99_us"), text) : SLICE_NONE);
    if (number_of(object, "connection_size"))
        view->connection_size = number_of(object, "connection_size");
}

static void print_totals(struct view *view, const json_t *object)
{
    cli_table_end(view->table, view->cli);
    view->table = NULL;
    cli_print(
        "\nconnections %llu of %llu, accepted %llu, refused %llu, messages %llu, events lost %llu\n",
        (unsigned long long)number_of(object, "connections"), (unsigned long long)number_of(object, "slots"),
        (unsigned long long)number_of(object, "accepted"), (unsigned long long)number_of(object, "refused"),
        (unsigned long long)number_of(object, "messages"),
        (unsigned long long)number_of(object, "events_lost"));
    view->dns.asked = number_of(object, "dns_asked");
    view->dns.cached = number_of(object, "dns_cached");
    view->dns.merged = number_of(object, "dns_merged");
    view->dns.sent = number_of(object, "dns_sent");
    view->dns.answered = number_of(object, "dns_answered");
    view->dns.failed = number_of(object, "dns_failed");
    view->dns.took_us = number_of(object, "dns_took_us");
    if (view->connection_size)
        cli_print("an idle connection takes %llu octets\n", view->connection_size);
}

/* "1.5 ms" of a sum of microseconds. */
static struct slice mean_ms(uint64_t took_us, uint64_t count, char *room, size_t size)
{
    const uint64_t mean_us = count ? took_us / count : 0;
    const int len = snprintf(room, size, "%llu.%llu", (unsigned long long)(mean_us / 1000),
                             (unsigned long long)(mean_us % 1000 / 100));

    return count ? slice_of(room, (size_t)len) : SLICE_NONE;
}

static void print_name_servers(const struct view *view, struct slice state)
{
    static const struct {
        const char *word, *sentence;
    } sentences[] = {{"works", "name servers answer"},
                     {"silent", "no name server answers: checks that need the DNS find nothing"},
                     {"rewrites", "a name server invents addresses: they count as no such name"},
                     {"none", "there is no name server"}};
    char mean[32];

    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (slice_equal(state, slice_text(sentences[i].word)))
            cli_print("%s%s%s", cli_style(view->cli, i ? CLI_STYLE_WARNING : CLI_STYLE_PLAIN),
                      sentences[i].sentence, cli_style(view->cli, CLI_STYLE_PLAIN));
    const struct slice ms = mean_ms(view->dns.took_us, view->dns.answered, mean, sizeof mean);
    cli_print("; %llu questions, %llu from memory, %llu shared, %llu sent, %llu failed",
              (unsigned long long)view->dns.asked, (unsigned long long)view->dns.cached,
              (unsigned long long)view->dns.merged, (unsigned long long)view->dns.sent,
              (unsigned long long)view->dns.failed);
    if (ms.len)
        cli_print(", an answer takes %.*s ms", SLICE_ARGS(ms));
    cli_print("\n");
}

static void add_list(struct view *view, const json_t *object)
{
    static const char *const heads[] = {"blocklist", "state", ">asked", ">listed",
                                        ">failed",   ">ms",   "",       NULL};
    char mean[32];

    if (!view->lists)
        view->lists = cli_table_new(heads);
    cli_table_add(view->lists, text_of(object, "blocklist"));
    cli_table_add(view->lists, text_of(object, "state"));
    cli_table_add_number(view->lists, number_of(object, "asked"));
    cli_table_add_number(view->lists, number_of(object, "listed"));
    cli_table_add_number(view->lists, number_of(object, "failed"));
    cli_table_add(view->lists,
                  mean_ms(number_of(object, "took_us"), number_of(object, "waited"), mean, sizeof mean));
    cli_table_add(view->lists, text_of(object, "reason"));
}

static void begin_table(struct view *view)
{
    static const char *const heads[] = {"process",      ">pid",        "state",    ">for",
                                        ">connections", ">accepted",   ">refused", ">messages",
                                        ">events lost", ">memory KiB", ">lag",     NULL};
    if (view->table)
        return;
    cli_print("%s", view->listens ? "\n\n" : "\n");
    view->table = cli_table_new(heads);
}

static void on_line(void *data, struct slice line)
{
    struct view *view = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);

    if (json_object_get(object, "listen")) {
        print_listen(view, object);
    } else if (json_object_get(object, "total")) {
        begin_table(view);
        print_totals(view, object);
    } else if (json_object_get(object, "name_servers")) {
        print_name_servers(view, text_of(object, "name_servers"));
    } else if (json_object_get(object, "blocklist")) {
        add_list(view, object);
    } else if (slice_equal(text_of(object, "process"), SLICE("supervisor"))) {
        print_supervisor(object);
    } else {
        begin_table(view);
        add_process(view, object);
    }
    json_decref(object);
}

static void blocks_print(const json_t *blocks)
{
    const uint64_t in_force = number_of(blocks, "in_force"), suggested = number_of(blocks, "suggested");
    if (in_force)
        cli_print("%llu %s shut out\n", (unsigned long long)in_force,
                  in_force == 1 ? "address or network is" : "addresses and networks are");
    if (suggested)
        cli_print("%llu %s suggested to be shut out: postern blocks --suggested\n",
                  (unsigned long long)suggested, suggested == 1 ? "is" : "are");
}

/* Files of the block list that cannot be written. */
static void exports_print(const struct view *view, const json_t *exports)
{
    const json_t *file;
    size_t i;

    json_array_foreach(exports, i, file)
    {
        const struct slice reason = text_of(file, "failing");
        if (!reason.len)
            continue;
        cli_print("%sexport.%.*s: ", cli_style(view->cli, CLI_STYLE_WARNING),
                  SLICE_ARGS(text_of(file, "form")));
        cli_print_text(reason);
        cli_print("%s\n", cli_style(view->cli, CLI_STYLE_PLAIN));
    }
}

/* The keeper itself tells how far it is: the supervisor reads no journal. */
static void on_keeper(void *data, struct slice line)
{
    const struct view *view = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);
    const uint64_t behind = number_of(object, "behind");
    char lag[TEXT_UNIT_SIZE];

    (void)text_print_duration(number_of(object, "lag_ms"), lag);
    if (!behind)
        cli_print("the keeper has read all that was recorded\n");
    else
        cli_print("%sthe keeper has %llu octets of the journal still to read, and is behind by %s%s\n",
                  cli_style(view->cli, CLI_STYLE_WARNING), (unsigned long long)behind, lag,
                  cli_style(view->cli, CLI_STYLE_PLAIN));
    const json_t *notices = json_object_get(object, "notices");
    const uint64_t gathered = number_of(notices, "gathered");
    if (gathered)
        cli_print("%llu incident%s wait%s for the next notice to the postmaster\n",
                  (unsigned long long)gathered, gathered == 1 ? "" : "s", gathered == 1 ? "s" : "");
    blocks_print(json_object_get(object, "blocks"));
    exports_print(view, json_object_get(object, "exports"));
    json_decref(object);
}

/* So does the archivist: until it has read all, the newest sessions are looked for in the journal. */
static void on_archivist(void *data, struct slice line)
{
    const struct view *view = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);
    const struct slice error = text_of(object, "error");

    if (error.len) {
        cli_print("%sthe history cannot be written: ", cli_style(view->cli, CLI_STYLE_WARNING));
        cli_print_text(error);
        cli_print("%s\n", cli_style(view->cli, CLI_STYLE_PLAIN));
    } else if (json_is_true(json_object_get(object, "mending"))) {
        cli_print("a day of the history was damaged and is made anew\n");
    } else if (number_of(object, "behind")) {
        cli_print("the archivist has %llu octets of the journal still to read\n",
                  (unsigned long long)number_of(object, "behind"));
    } else {
        cli_print("the history has all that was recorded\n");
    }
    json_decref(object);
}

static void on_line_json(void *data, struct slice line)
{
    (void)data;
    cli_print("%.*s\n", SLICE_ARGS(line));
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct view view = {.cli = cli};
    struct site *site = cli_site(cli);

    if (!site)
        return CLI_CONFIG;
    const struct cli_call call = {.socket = "postern.sock",
                                  .request = SLICE("{\"command\":\"status\"}"),
                                  .line = cli->json ? on_line_json : on_line,
                                  .data = &view};
    int status = cli_call(cli, site, &call);
    if (view.lists)
        cli_table_end(view.lists, cli);
    const struct cli_call keeper = {.socket = "keeper.sock",
                                    .request = SLICE("{\"command\":\"status\"}"),
                                    .line = cli->json ? on_line_json : on_keeper,
                                    .data = &view,
                                    .quiet = true};
    if (status == CLI_OK && cli_call(cli, site, &keeper) != CLI_OK && !cli->json)
        cli_print("the keeper does not answer\n");
    const struct cli_call archivist = {.socket = "archivist.sock",
                                       .request = SLICE("{\"command\":\"status\"}"),
                                       .line = cli->json ? on_line_json : on_archivist,
                                       .data = &view,
                                       .quiet = true};
    if (status == CLI_OK && cli_call(cli, site, &archivist) != CLI_OK && !cli->json)
        cli_print("the archivist does not answer: sessions are looked for in the journal\n");
    site_free(site);
    return status;
}

const struct cli_command command_status = {
    .name = "status",
    .run = run,
    .summary = "show the processes and what they carry",
    .arguments = "",
    .help = "Lists the running processes with their numbers: connections that are open,\n"
            "connections accepted since the start, those refused for want of room,\n"
            "messages taken, and events that the journal had to drop; and the loop's lag:\n"
            "who came while the gate was busy with others waited no longer than that, in 99\n"
            "of 100 moments. Then whether name servers answer; for each blocklist whether it\n"
            "works, how often it was asked since the gates that run were started, what came\n"
            "of it, and how long an answer took that was not in memory; and how far the\n"
            "keeper and the archivist are behind with reading what the others record. With\n"
            "--json, one object a line: for the supervisor, each address, each process\n"
            "(lag_p99_us, and of what it was made, lag_50us to lag_more: microseconds of busy\n"
            "time in which whoever came waited at most so long for the loop), the sums, the name\n"
            "servers, each blocklist, and the keeper's and the archivist's counts (behind: octets\n"
            "that it has not read, lag_ms: how old the newest event is that it has; notices: what has\n"
            "gathered for the next, and how many went since the keeper's start; exports: each file\n"
            "of the block list with its entries, when it was written, and why it cannot be).\n",
    .examples = "postern status\n"
                "postern status --json\n",
};
