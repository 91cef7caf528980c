#include "daemon/keeper_stats.h"

#include "base/memory.h"
#include "journal/stats.h"
#include "wire/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WALK_MOST = 1 << 20, FULL = KEEPER_STATS_WRITES - 128, LINE_MOST = 1024 };

struct keeper_stats {
    struct store *store;
    const char *folder; /* of the journal */
    struct stats *counts;
    struct stats_file file; /* of the event that was counted last */
    bool full;
    struct store_write *writes; /* of the batch that is made, or NULL */
    size_t write_count;
};

/* --- what the store has --------------------------------------------------------------------------------- */

static void record_load(void *data, const struct store_item *item)
{
    struct keeper_stats *stats = data;
    if (item->by == STORE_PUT)
        (void)stats_load(stats->counts, item->key, item->value); /* a damaged one counts as nothing */
}

static int load(struct keeper_stats *stats, struct error *error)
{
    struct store_walk walk = {.prefix = SLICE(STATS_PREFIX), .most = WALK_MOST};
    do {
        if (store_walk(stats->store, &walk, 0, record_load, stats, error) < 0)
            return -1;
    } while (walk.cursor_len);
    return 0;
}

int keeper_stats_open(struct store *store, const char *folder, struct keeper_stats **ret_stats,
                      struct error *error)
{
    struct keeper_stats *stats = memory_take(sizeof *stats);
    *stats = (struct keeper_stats){.store = store, .folder = folder, .counts = stats_new()};
    if (load(stats, error) < 0) {
        keeper_stats_close(stats);
        return -1;
    }
    *ret_stats = stats;
    return 0;
}

void keeper_stats_close(struct keeper_stats *stats)
{
    if (!stats)
        return;
    stats_free(stats->counts);
    memory_give(stats, sizeof *stats);
}

/* --- files that are gone -------------------------------------------------------------------------------- */

/* Records that become a part of the sum. */
struct folding {
    struct arena arena;
    struct segment_listing listing;
    struct slice restarted; /* a stream of which all go; else empty: those whose file is gone */
    struct folded {
        struct folded *next;
        struct slice key, value;
    } * first;
    size_t count;
};

/* In the order of the listing. */
static int place_order(const void *left, const void *right)
{
    const struct segment_name *a = left, *b = right;
    int by_stream = segment_stream_compare(a, b);
    if (by_stream || a->sequence == b->sequence)
        return by_stream;
    return a->sequence < b->sequence ? -1 : 1;
}

/* "gate-0" */
static bool name_of(const struct stats_file *file, struct segment_name *ret_name)
{
    size_t dash = slice_find_last(file->stream, '-');
    char number[16];
    if (dash == SLICE_NOT_FOUND || dash > SEGMENT_ROLE_MAX || file->stream.len - dash > sizeof number)
        return false;
    *ret_name = (struct segment_name){.sequence = file->sequence};
    memcpy(ret_name->role, file->stream.at, dash);
    snprintf(number, sizeof number, "%.*s", SLICE_ARGS(slice_from(file->stream, dash + 1)));
    ret_name->number = (unsigned)strtoul(number, NULL, 10);
    return true;
}

static bool is_gone(const struct folding *folding, const struct stats_file *file)
{
    struct segment_name name;
    if (folding->restarted.len)
        return slice_equal(file->stream, folding->restarted);
    if (!name_of(file, &name) || !folding->listing.count)
        return true;
    return !bsearch(&name, folding->listing.names, folding->listing.count, sizeof name, place_order);
}

static void record_look(void *data, const struct store_item *item)
{
    struct folding *folding = data;
    struct stats_file file;
    if (item->by != STORE_PUT || !stats_key_parse(item->key, &file) || !is_gone(folding, &file))
        return;
    struct folded *folded = arena_take(&folding->arena, sizeof *folded);
    *folded = (struct folded){folding->first, arena_copy(&folding->arena, item->key),
                              arena_copy(&folding->arena, item->value)};
    folding->first = folded;
    folding->count++;
}

static void move(struct keeper_stats *stats, const struct folding *folding, bool back)
{
    for (const struct folded *folded = folding->first; folded; folded = folded->next)
        (void)stats_move(stats->counts, folded->key, folded->value, back); /* a damaged one counts nothing */
}

/* The sum with them, and their records away, in one transaction. */
static int fold_apply(struct keeper_stats *stats, struct folding *folding, struct error *error)
{
    struct store_write *writes = arena_take(&folding->arena, (folding->count + 1) * sizeof *writes);
    struct buf sum;
    size_t count = 0;
    buf_init(&sum, STORE_VALUE_MAX);
    stats_gone_print(stats->counts, &sum);
    writes[count++] = (struct store_write){
        .verb = STORE_PUT, .key = SLICE(STATS_GONE), .value = buf_slice(&sum)};
    for (const struct folded *folded = folding->first; folded; folded = folded->next)
        writes[count++] = (struct store_write){.verb = STORE_REMOVE, .key = folded->key};
    int status = store_apply(stats->store, &(struct store_batch){.writes = writes, .write_count = count},
                             error);
    buf_drop(&sum);
    return status;
}

static int fold(struct keeper_stats *stats, struct folding *folding, struct error *error)
{
    struct store_walk walk = {.prefix = SLICE(STATS_SEGMENT_PREFIX), .most = WALK_MOST};
    int status = 0;
    do
        status = store_walk(stats->store, &walk, 0, record_look, folding, error);
    while (status == 0 && walk.cursor_len);
    if (status < 0 || !folding->count)
        return status;
    move(stats, folding, false);
    status = fold_apply(stats, folding, error);
    if (status < 0)
        move(stats, folding, true);
    return status;
}

int keeper_stats_fold(struct keeper_stats *stats, struct error *error)
{
    struct folding folding = {.count = 0};
    if (segment_list(stats->folder, &folding.listing, error) < 0)
        return -1;
    arena_init(&folding.arena, NULL, 0);
    int status = fold(stats, &folding, error);
    arena_drop(&folding.arena);
    segment_listing_drop(&folding.listing);
    return status;
}

/* Somebody emptied the folder and the numbers begin anew: records of old files must not be taken for those of
 * new ones. */
static void stream_restart(struct keeper_stats *stats, struct slice stream)
{
    struct folding folding = {.restarted = stream};
    struct error error;
    arena_init(&folding.arena, NULL, 0);
    (void)fold(stats, &folding, &error); /* a store that refuses this refuses everything, and that is told */
    arena_drop(&folding.arena);
}

/* --- counting ------------------------------------------------------------------------------------------- */

void keeper_stats_event(struct keeper_stats *stats, const struct journal_item *item, int64_t now_us)
{
    struct stats_file *file = &stats->file;
    if (item->stream.at != file->stream.at || item->at.sequence != file->sequence) {
        *file = (struct stats_file){item->stream, item->at.sequence};
        if (stats_is_restart(stats->counts, file))
            stream_restart(stats, item->stream);
        stats->full = stats_unsaved(stats->counts) >= FULL;
    }
    stats_add(stats->counts, file, &item->event, now_us);
}

bool keeper_stats_is_full(const struct keeper_stats *stats)
{
    return stats->full;
}

static void record_save(void *data, struct slice key, struct slice value)
{
    struct keeper_stats *stats = data;
    assert(stats->write_count < KEEPER_STATS_WRITES);
    stats->writes[stats->write_count++] = (struct store_write){.verb = STORE_PUT, .key = key, .value = value};
}

size_t keeper_stats_commit(struct keeper_stats *stats, struct store_write writes[KEEPER_STATS_WRITES])
{
    stats->writes = writes;
    stats->write_count = 0;
    stats_save(stats->counts, record_save, stats);
    return stats->write_count;
}

void keeper_stats_committed(struct keeper_stats *stats)
{
    stats_saved(stats->counts);
    stats->full = false;
}

/* --- telling -------------------------------------------------------------------------------------------- */

/* Minutes east of UTC, where we are, at that time. */
static int zone_of(int64_t unix_us)
{
    const time_t at = (time_t)(unix_us / 1000000);
    struct tm local = {0};
    return localtime_r(&at, &local) ? (int)(local.tm_gmtoff / 60) : 0;
}

struct telling {
    struct control *control;
    slab_handle request;
    struct buf line;
    struct json json;
};

static void line_begin(struct telling *telling)
{
    buf_clear(&telling->line);
    json_begin(&telling->json, &telling->line);
    json_object_open(&telling->json);
}

static void line_end(struct telling *telling)
{
    json_object_close(&telling->json);
    if (json_end(&telling->json))
        control_line(telling->control, telling->request, buf_slice(&telling->line));
}

static void head_tell(struct telling *telling, const struct stats_view *view)
{
    line_begin(telling);
    json_put_u64(&telling->json, "stats", 1);
    json_put_text(&telling->json, "version", SLICE(POSTERN_VERSION));
    json_put_i64(&telling->json, "since", view->since_us);
    json_put_i64(&telling->json, "time", view->now_us);
    json_put_i64(&telling->json, "zone", view->zone_minutes);
    line_end(telling);
}

static void cell_tell(struct telling *telling, const struct stats_view *view, size_t cell)
{
    line_begin(telling);
    json_put_u64(&telling->json, "cell", cell);
    json_key(&telling->json, "counts");
    json_array_open(&telling->json);
    json_u64(&telling->json, view->total[cell]);
    if (cell < STAT_LIMIT) {
        json_u64(&telling->json, view->hour[cell]);
        json_u64(&telling->json, view->sixty[cell]);
    }
    json_array_close(&telling->json);
    line_end(telling);
}

static void tell(struct keeper_stats *stats, struct telling *telling, int64_t now_us)
{
    struct stats_view *view = memory_take(sizeof *view);
    stats_look(stats->counts, now_us, zone_of(now_us), view);
    head_tell(telling, view);
    for (size_t i = 0; i < STATS_CELLS; i++)
        if (view->total[i])
            cell_tell(telling, view, i);
    memory_give(view, sizeof *view);
}

void keeper_stats_command(struct keeper_stats *stats, struct control *control,
                          const struct control_request *request, int64_t now_us)
{
    struct slice what = control_text(request, "do");
    struct telling telling = {.control = control, .request = request->handle};
    if (what.len && !slice_equal(what, SLICE("reset-hour"))) {
        control_error(control, request->handle, SLICE("stats knows reset-hour, or nothing"));
        return;
    }
    buf_init(&telling.line, LINE_MOST);
    if (what.len)
        stats_reset_hour(stats->counts, now_us, zone_of(now_us));
    else
        tell(stats, &telling, now_us);
    buf_drop(&telling.line);
    control_done(control, request->handle);
}
