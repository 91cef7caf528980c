#include "cli/stats_source.h"

#include "cli/journal_files.h"
#include "io/store.h"
#include "journal/reader.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

enum { PROGRESS_EVENTS = 100000 };

/* --- the keeper ----------------------------------------------------------------------------------------- */

static uint64_t count_at(const json_t *counts, size_t column)
{
    return (uint64_t)json_integer_value(json_array_get(counts, column));
}

/* A cell that this program does not know is a newer one's. */
static void cell_take(struct stats_view *view, const json_t *object)
{
    json_int_t cell = json_integer_value(json_object_get(object, "cell"));
    const json_t *counts = json_object_get(object, "counts");
    if (cell <= 0 || cell >= STATS_CELLS)
        return;
    view->total[cell] = count_at(counts, 0);
    if (cell >= STAT_LIMIT)
        return;
    view->hour[cell] = count_at(counts, 1);
    view->sixty[cell] = count_at(counts, 2);
}

static void line_take(void *data, struct slice line)
{
    struct stats_view *view = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);
    if (json_object_get(object, "stats")) {
        view->since_us = json_integer_value(json_object_get(object, "since"));
        view->now_us = json_integer_value(json_object_get(object, "time"));
        view->zone_minutes = (int)json_integer_value(json_object_get(object, "zone"));
    } else {
        cell_take(view, object);
    }
    json_decref(object);
}

int stats_ask(const struct cli *cli, const struct site *site, struct stats_view *ret_view)
{
    *ret_view = (struct stats_view){.now_us = 0};
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = SLICE("{\"command\":\"stats\"}"),
                                  .line = line_take,
                                  .data = ret_view};
    int status = cli_call(cli, site, &call);
    if (status != CLI_OK)
        (void)cli_fail(cli,
                       "the keeper has the statistics; without it, --recount reads the journal for them");
    return status;
}

/* --- the journal ---------------------------------------------------------------------------------------- */

/* What the keeper has added up of files that are gone; nothing where there is no store yet. */
static int gone_load(const struct cli *cli, const struct site *site, struct stats *stats)
{
    char folder[JOURNAL_FOLDER_SIZE];
    struct store *store;
    struct slice value;
    struct error error = {0};
    int len = snprintf(folder, sizeof folder, "%.*s/store", SLICE_ARGS(site->set.state_directory));
    struct store_lmdb_settings settings = {.folder = slice_of(folder, (size_t)len)};
    if (store_lmdb_open(&settings, &store, &error) < 0)
        return cli_fail(cli, "%s", error.text);
    enum store_status status = store_get(store, SLICE(STATS_GONE), 0, &value, &error);
    if (status == STORE_FOUND && !stats_load(stats, SLICE(STATS_GONE), value))
        (void)cli_fail(cli, "what the store has of files that are gone is damaged: it is left out");
    store_close(store);
    return status == STORE_FAILED ? cli_fail(cli, "%s", error.text) : CLI_OK;
}

static void nothing_put(void *data, struct slice key, struct slice value)
{
    (void)data;
    (void)key;
    (void)value;
}

static uint64_t behind(const struct journal_reader *reader)
{
    struct journal_reader_counts counts;
    journal_reader_counts(reader, &counts);
    return counts.behind;
}

/* Records of files that were read to their end are of no use here: they go now and then. */
static void journal_count(struct journal_reader *reader, struct stats *stats, int64_t now_us)
{
    struct journal_item item;
    uint64_t all = behind(reader);
    for (uint64_t events = 0; journal_reader_next(reader, &item); events++) {
        struct stats_file file = {item.stream, item.at.sequence};
        stats_add(stats, &file, &item.event, now_us);
        if (events % PROGRESS_EVENTS)
            continue;
        uint64_t left = behind(reader);
        cli_progress("reading the journal", all > left ? all - left : 0, all);
        stats_save(stats, nothing_put, NULL);
        stats_saved(stats);
    }
    cli_progress_end();
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int folder_count(const struct cli *cli, const char *folder, struct stats *stats, int64_t at_us)
{
    struct journal_reader_settings settings = {
        .folder = folder, .from = JOURNAL_FROM_START, .unwatched = true};
    struct journal_reader *reader;
    struct journal_reader_counts counts;
    struct error error = {0};
    if (journal_reader_open(&settings, &reader, &error) < 0)
        return journal_fail(cli, folder, &error);
    journal_count(reader, stats, at_us);
    journal_reader_counts(reader, &counts);
    journal_reader_close(reader);
    return counts.error.text[0] ? journal_fail(cli, folder, &counts.error) : CLI_OK;
}

int stats_recount(const struct cli *cli, const struct site *site, struct stats_view *ret_view)
{
    char folder[JOURNAL_FOLDER_SIZE];
    int status = journal_folder(cli, folder);
    if (status != CLI_OK)
        return status;
    struct stats *stats = stats_new();
    int64_t at_us = now_us();
    status = gone_load(cli, site, stats);
    if (status == CLI_OK)
        status = folder_count(cli, folder, stats, at_us);
    stats_look(stats, at_us, journal_zone(at_us / 1000000), ret_view);
    stats_free(stats);
    return status;
}
