#include "daemon/keeper_exports.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "core/event.h"
#include "daemon/role.h"
#include "io/disk.h"
#include "io/inbox.h"

#include <stdio.h>

enum {
    COPIED_A_TURN = 1000,  /* entries, before the loop is looked at again */
    REST_MS = 1000,        /* between two writings, at least */
    REST_TIMES = 9,        /* and as many times as long as the last one took */
    RETRY_MS = 10000,      /* of what could not be written */
    OUT_MAX = 1024u << 20u /* octets of a file */
};

enum phase { PHASE_REST, PHASE_COPY, PHASE_WRITE };

struct file {
    enum export_form form;
    const char *path;
    bool due;     /* it is not as the list is */
    bool failing; /* and was told */
    uint64_t retry_ms;
    uint64_t count; /* entries that it has */
    int64_t written_us;
    struct error error; /* why it is failing */
};

/* The list as it was copied: the thread's while PHASE_WRITE. */
struct copy {
    struct arena arena; /* of the texts */
    struct export_entry *entries;
    size_t count, room, at;
    uint64_t told; /* of them, those that are no allowances */
    int64_t unix_ms;
    bool wanted[EXPORT_FORM_COUNT]; /* by the place of the file */
    bool written[EXPORT_FORM_COUNT];
    struct error errors[EXPORT_FORM_COUNT];
};

struct keeper_exports {
    struct keeper_exports_settings set;
    struct arena arena; /* of the paths */
    struct file files[EXPORT_FORM_COUNT];
    size_t file_count;
    enum phase phase;
    struct copy copy;
    struct loop_timer timer; /* of copying */
    struct loop_timer rest;  /* until the next writing may begin */
    struct inbox *inbox;
    struct disk *disk;
    uint64_t generation; /* of the list that was copied last */
    uint64_t begun_ms;
};

struct slice keeper_exports_file(const struct site *site, enum export_form form, struct arena *arena)
{
    const struct slice files[EXPORT_FORM_COUNT] = {
        [EXPORT_ACCESS] = site->set.export_access,     [EXPORT_CIDR] = site->set.export_cidr,
        [EXPORT_NFTABLES] = site->set.export_nftables, [EXPORT_RBLDNSD] = site->set.export_rbldnsd,
        [EXPORT_JSON] = site->set.export_json,
    };
    const struct slice file = files[form];

    if (!file.len || file.at[0] == '/')
        return file.len ? arena_copy(arena, file) : file;
    return arena_format(arena, "%.*s/%.*s", SLICE_ARGS(site->set.state_directory), SLICE_ARGS(file));
}

/* --- the thread ----------------------------------------------------------------------------------------- */

static void write_work(void *data)
{
    struct keeper_exports *exports = data;
    struct copy *copy = &exports->copy;
    struct buf out;

    buf_init(&out, OUT_MAX);
    for (size_t i = 0; i < exports->file_count; i++) {
        const struct file *file = &exports->files[i];
        if (!copy->wanted[i])
            continue;
        buf_clear(&out);
        if (!export_print(file->form, copy->entries, copy->count, copy->unix_ms, &out))
            error_set(&copy->errors[i], 0, "%s would be larger than 1 GiB", file->path);
        else
            copy->written[i] = export_save(file->path, buf_slice(&out), &copy->errors[i]) == 0;
    }
    buf_drop(&out);
}

/* --- what came of it ------------------------------------------------------------------------------------ */

static void copy_drop(struct copy *copy)
{
    arena_drop(&copy->arena);
    memory_give(copy->entries, copy->room * sizeof *copy->entries);
    *copy = (struct copy){0};
    arena_init(&copy->arena, NULL, 0);
}

static void trouble_tell(const struct keeper_exports *exports, const struct file *file)
{
    char what[300];

    snprintf(what, sizeof what, "write the block list as export.%s", export_form_word(file->form));
    role_record_trouble(
        exports->set.journal,
        &(struct event_trouble){
            .what = slice_text(what),
            .reason = slice_text(file->error.text),
            .effect = SLICE("other programs go on with the list as it was; it is tried again")},
        loop_unix_us(exports->set.loop));
}

static void file_finish(struct keeper_exports *exports, size_t index)
{
    struct file *file = &exports->files[index];
    const struct copy *copy = &exports->copy;
    const bool news = !file->failing;

    if (copy->written[index]) {
        file->failing = false;
        file->count = copy->told;
        file->written_us = loop_unix_us(exports->set.loop);
        return;
    }
    file->due = file->failing = true;
    file->retry_ms = loop_now_ms(exports->set.loop) + RETRY_MS;
    file->error = copy->errors[index];
    if (news)
        trouble_tell(exports, file);
}

static void write_done(void *data)
{
    struct keeper_exports *exports = data;
    const uint64_t now_ms = loop_now_ms(exports->set.loop);
    const uint64_t rest_ms = REST_TIMES * (now_ms - exports->begun_ms);

    for (size_t i = 0; i < exports->file_count; i++)
        if (exports->copy.wanted[i])
            file_finish(exports, i);
    copy_drop(&exports->copy);
    exports->phase = PHASE_REST;
    loop_timer_set(exports->set.loop, &exports->rest, now_ms + (rest_ms > REST_MS ? rest_ms : REST_MS));
}

/* --- copying -------------------------------------------------------------------------------------------- */

static void entry_copy(struct copy *copy, const struct export_entry *entry)
{
    if (copy->count == copy->room) {
        const size_t room = copy->room ? copy->room * 2 : COPIED_A_TURN;
        copy->entries = memory_resize(copy->entries, copy->room * sizeof *copy->entries,
                                      room * sizeof *copy->entries);
        copy->room = room;
    }
    struct export_entry *to = &copy->entries[copy->count++];
    *to = *entry;
    copy->told += !entry->allowed;
    to->reason = arena_copy(&copy->arena, entry->reason);
    to->evidence = arena_copy(&copy->arena, entry->evidence);
    to->object = arena_copy(&copy->arena, entry->object);
}

static void copy_turn(struct loop_timer *timer)
{
    struct keeper_exports *exports = LIST_OF(timer, struct keeper_exports, timer);
    const struct keeper_exports_source *source = &exports->set.source;
    struct export_entry entry;

    for (unsigned i = 0; i < COPIED_A_TURN; i++) {
        if (source->next(source->data, &exports->copy.at, &entry)) {
            entry_copy(&exports->copy, &entry);
            continue;
        }
        exports->phase = PHASE_WRITE;
        disk_run(exports->disk, write_work, write_done, exports);
        return;
    }
    loop_timer_set(exports->set.loop, timer, loop_now_ms(exports->set.loop));
}

/* What changes while it is copied is the next one's. */
static void copy_begin(struct keeper_exports *exports)
{
    exports->phase = PHASE_COPY;
    exports->begun_ms = loop_now_ms(exports->set.loop);
    exports->copy.unix_ms = loop_unix_us(exports->set.loop) / 1000;
    for (size_t i = 0; i < exports->file_count; i++) {
        struct file *file = &exports->files[i];
        exports->copy.wanted[i] = file->due && file->retry_ms <= exports->begun_ms;
        if (exports->copy.wanted[i])
            file->due = false;
    }
    copy_turn(&exports->timer);
}

/* Whether there is something to write, now or once it may be. */
static bool is_due(struct keeper_exports *exports)
{
    const uint64_t now_ms = loop_now_ms(exports->set.loop);
    bool due = false;

    const uint64_t generation = exports->set.source.generation(exports->set.source.data);
    for (size_t i = 0; i < exports->file_count; i++) {
        struct file *file = &exports->files[i];
        if (generation != exports->generation) {
            file->due = true;
            file->retry_ms = 0;
        }
        due = due || (file->due && file->retry_ms <= now_ms);
    }
    exports->generation = generation;
    return due;
}

void keeper_exports_tick(struct keeper_exports *exports)
{
    if (exports->file_count && exports->phase == PHASE_REST && !loop_timer_is_set(&exports->rest) &&
        is_due(exports))
        copy_begin(exports);
}

static void rest_over(struct loop_timer *timer)
{
    keeper_exports_tick(LIST_OF(timer, struct keeper_exports, rest));
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

static void files_find(struct keeper_exports *exports)
{
    for (int form = 0; form < EXPORT_FORM_COUNT; form++) {
        const struct slice path = keeper_exports_file(exports->set.site, (enum export_form)form,
                                                      &exports->arena);
        if (path.len)
            exports->files[exports->file_count++] = (struct file){
                .form = (enum export_form)form, .path = path.at, .due = true};
    }
}

int keeper_exports_open(const struct keeper_exports_settings *settings, struct keeper_exports **ret_exports,
                        struct error *error)
{
    struct keeper_exports *exports = memory_take(sizeof *exports);
    const struct inbox_receiver receiver = {0};

    exports->set = *settings;
    exports->timer.due = copy_turn;
    exports->rest.due = rest_over;
    arena_init(&exports->arena, NULL, 0);
    arena_init(&exports->copy.arena, NULL, 0);
    files_find(exports);
    if (exports->file_count) {
        exports->inbox = inbox_open(settings->loop, &receiver, error);
        exports->disk = exports->inbox ? disk_open(exports->inbox, 1, error) : NULL;
        if (!exports->disk) {
            keeper_exports_close(exports);
            return -1;
        }
    }
    *ret_exports = exports;
    return 0;
}

void keeper_exports_close(struct keeper_exports *exports)
{
    if (!exports)
        return;
    loop_timer_clear(exports->set.loop, &exports->timer);
    loop_timer_clear(exports->set.loop, &exports->rest);
    disk_close(exports->disk);
    inbox_close(exports->inbox);
    copy_drop(&exports->copy);
    arena_drop(&exports->arena);
    if (exports->set.source.close)
        exports->set.source.close(exports->set.source.data);
    memory_give(exports, sizeof *exports);
}

static void time_put(struct json *json, const char *key, int64_t unix_us)
{
    char text[CALENDAR_TEXT_SIZE];

    json_key(json, key);
    if (unix_us)
        json_text(json, slice_of(text, calendar_print_iso(unix_us / 1000, 0, text)));
    else
        json_null(json);
}

void keeper_exports_status(const struct keeper_exports *exports, struct json *json)
{
    json_key(json, "exports");
    json_array_open(json);
    for (size_t i = 0; i < exports->file_count; i++) {
        const struct file *file = &exports->files[i];
        json_object_open(json);
        json_put_text(json, "form", slice_text(export_form_word(file->form)));
        json_put_text(json, "file", slice_text(file->path));
        json_put_u64(json, "entries", file->count);
        time_put(json, "written", file->written_us);
        if (file->failing)
            json_put_text(json, "failing", slice_text(file->error.text));
        json_object_close(json);
    }
    json_array_close(json);
}
