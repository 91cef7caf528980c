/* postern play --mbox: walks through mail folders, and plays each message.
 *
 * Once through all of them to find the messages and their times, then once more in the order of time. */
#include "cli/play_mbox.h"

#include "base/memory.h"
#include "cli/explain.h"
#include "wire/mbox.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define FILE_MAX  (2048u << 20)
#define DEPTH_MAX 16
#define LOG_LEVEL 4
#define HALF_NONE 0
#define RETRY_S   3600 /* a mail server's */

/* A message that can be played. */
struct entry {
    const char *file;
    size_t offset; /* in the file */
    size_t order;  /* as it was found */
    int64_t unix_seconds;
    struct play_count *count;
};

struct walk {
    struct cli *cli;
    struct site *site;
    struct store *store; /* NULL: nothing is remembered */
    struct suffix *suffix;
    struct arena arena; /* names of files */
    struct play_count counts[PLAY_LABELS_MAX];
    size_t count;
    struct play_count *to; /* whose messages come now */
    uint64_t half;         /* 1, 2, or HALF_NONE: all files */
    bool each;             /* a line for each message */
    struct entry *entries;
    size_t entry_count, entry_room;
    const char *file; /* whose text is in `text` */
    struct buf text;
    struct played last; /* its reply is of no use any more */
    uint64_t played;
    int status;
};

/* --- finding -------------------------------------------------------------------------------------------
 */

static void entry_add(struct walk *walk, const struct entry *entry)
{
    if (walk->entry_count == walk->entry_room) {
        const size_t room = walk->entry_room ? 2 * walk->entry_room : 1024;
        struct entry *more = memory_take(room * sizeof *more);
        if (walk->entry_count)
            memcpy(more, walk->entries, walk->entry_count * sizeof *more);
        memory_give(walk->entries, walk->entry_room * sizeof *walk->entries);
        walk->entries = more;
        walk->entry_room = room;
    }
    walk->entries[walk->entry_count++] = *entry;
}

/* Of a message whose time is not told, that of the one before counts. */
static int64_t time_of(const struct walk *walk, const struct archived *archived)
{
    if (archived->unix_seconds || !walk->entry_count)
        return archived->unix_seconds;
    return walk->entries[walk->entry_count - 1].unix_seconds;
}

static void note_message(struct walk *walk, const char *file, size_t offset,
                         const struct mbox_message *message)
{
    struct archived archived;
    struct arena arena;

    arena_init(&arena, NULL, 0);
    const enum archive_status status = archive_read(walk->site, message->content, message->sender, &arena,
                                                    &archived);
    walk->to->messages[status]++;
    if (status == ARCHIVE_DONE)
        entry_add(walk, &(struct entry){.file = file,
                                        .offset = offset,
                                        .order = walk->entry_count,
                                        .unix_seconds = time_of(walk, &archived),
                                        .count = walk->to});
    arena_drop(&arena);
}

/* --- files --------------------------------------------------------------------------------------------- */

static bool read_all(FILE *in, struct buf *buf)
{
    char *room;
    size_t got;

    while ((room = buf_room(buf, 65536)) && (got = fread(room, 1, 65536, in)) > 0)
        buf_grow(buf, got);
    return room && !ferror(in);
}

/* By its name alone, so that it is the same on every machine. */
static bool is_in_half(const struct walk *walk, const char *file)
{
    const size_t slash = slice_find_last(slice_text(file), '/');
    const struct slice name = slice_from(slice_text(file), slash == SLICE_NOT_FOUND ? 0 : slash + 1);

    return walk->half == HALF_NONE || (slice_hash(name, 0) >> 32) % 2 + 1 == walk->half;
}

/* False: the reason was told. */
static bool load(struct walk *walk, const char *file)
{
    if (walk->file && strcmp(walk->file, file) == 0)
        return true;
    FILE *in = fopen(file, "rbe");
    buf_clear(&walk->text);
    const bool fine = in && read_all(in, &walk->text);
    if (!fine)
        walk->status = cli_fail(walk->cli, "cannot read %s: %s", file, strerror(in ? EFBIG : errno));
    if (in)
        (void)fclose(in);
    walk->file = fine ? file : NULL;
    return fine;
}

static void take_file(struct walk *walk, const char *path)
{
    const char *file = arena_copy(&walk->arena, slice_text(path)).at;
    struct mbox_message message;

    if (!is_in_half(walk, file) || !load(walk, file))
        return;
    const struct slice text = buf_slice(&walk->text);
    struct slice rest = text;
    for (size_t offset = 0; mbox_next(&rest, &message); offset = text.len - rest.len)
        note_message(walk, file, offset, &message);
}

static void take_path(struct walk *walk, const char *path, unsigned depth);

/* A Maildir's tmp holds what is not there yet. */
static bool is_wanted(const char *name)
{
    return name[0] != '.' && strcmp(name, "tmp") != 0;
}

struct listed {
    const char **names;
    size_t count, room;
    struct arena arena;
};

static void listed_add(struct listed *listed, const char *name)
{
    if (listed->count == listed->room) {
        const size_t room = listed->room ? 2 * listed->room : 256;
        const char **more = arena_take(&listed->arena, room * sizeof *more);
        if (listed->count)
            memcpy(more, listed->names, listed->count * sizeof *more);
        listed->names = more;
        listed->room = room;
    }
    listed->names[listed->count++] = arena_copy(&listed->arena, slice_text(name)).at;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void take_listed(struct walk *walk, const char *folder, const struct listed *listed, unsigned depth)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < listed->count; i++)
        if (snprintf(path, sizeof path, "%s/%s", folder, listed->names[i]) < (int)sizeof path)
            take_path(walk, path, depth);
}

static void take_folder(struct walk *walk, const char *folder, unsigned depth)
{
    DIR *open = depth < DEPTH_MAX ? opendir(folder) : NULL;
    struct listed listed = {.count = 0};
    const struct dirent *entry;

    if (!open) {
        walk->status = cli_fail(walk->cli, "cannot read %s: %s", folder,
                                depth < DEPTH_MAX ? strerror(errno) : "there are too many folders in it");
        return;
    }
    arena_init(&listed.arena, NULL, 0);
    while ((entry = readdir(open)))
        if (is_wanted(entry->d_name))
            listed_add(&listed, entry->d_name);
    (void)closedir(open);
    memory_sort(listed.names, listed.count, sizeof *listed.names, by_name);
    take_listed(walk, folder, &listed, depth + 1);
    arena_drop(&listed.arena);
}

static void take_path(struct walk *walk, const char *path, unsigned depth)
{
    struct stat status;

    if (stat(path, &status) < 0)
        walk->status = cli_fail(walk->cli, "cannot read %s: %s", path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        take_folder(walk, path, depth);
    else
        take_file(walk, path);
}

/* --- playing -------------------------------------------------------------------------------------------
 */

static int by_time(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->unix_seconds != b->unix_seconds)
        return a->unix_seconds < b->unix_seconds ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* What was deferred comes again, as it would from a mail server; whether the client was one is not known. */
static void play_again(struct walk *walk, const struct entry *entry, const struct archived *archived,
                       struct arena *arena)
{
    const struct play_ground ground = {walk->site, walk->store, walk->suffix, entry->unix_seconds + RETRY_S};
    struct played played;

    play_message(&ground, archived, arena, &played);
    entry->count->later += played.end == PLAY_ACCEPTED;
    history_drop(&played.history);
}

static void keep_last(struct walk *walk, const struct played *played)
{
    if (walk->played++)
        history_drop(&walk->last.history);
    walk->last = *played;
}

/* What is found, whatever was done: a session of its own, in which everything is observed only, so that it
 * comes to the end of the message. */
static void play_observed(struct walk *walk, const struct entry *entry, const struct archived *archived,
                          struct arena *arena, struct played *played)
{
    const struct play_ground ground = {walk->site, NULL, walk->suffix, entry->unix_seconds};
    const bool before = walk->site->set.policy_observe;
    struct played observed;

    walk->site->set.policy_observe = true;
    play_message(&ground, archived, arena, &observed);
    walk->site->set.policy_observe = before;
    for (unsigned i = 0; i < FIND_LIMIT; i++)
        played->found[i] |= observed.found[i];
    played->sum = observed.sum;
    history_drop(&observed.history);
}

static void play_entry(struct walk *walk, const struct entry *entry)
{
    const struct play_ground ground = {walk->site, walk->store, walk->suffix, entry->unix_seconds};
    struct mbox_message message;
    struct archived archived;
    struct played played;
    struct arena arena;

    if (!load(walk, entry->file))
        return;
    struct slice rest = slice_from(buf_slice(&walk->text), entry->offset);
    arena_init(&arena, NULL, 0);
    if (mbox_next(&rest, &message) &&
        archive_read(walk->site, message.content, message.sender, &arena, &archived) == ARCHIVE_DONE) {
        play_message(&ground, &archived, &arena, &played);
        play_observed(walk, entry, &archived, &arena, &played);
        play_count_add(entry->count, &played);
        if (walk->each)
            play_message_show(walk->cli, entry->count->label, entry->file, &played);
        keep_last(walk, &played);
        if (walk->store && played.end == PLAY_DEFERRED)
            play_again(walk, entry, &archived, &arena);
    }
    arena_drop(&arena);
}

static void play_all(struct walk *walk)
{
    memory_sort(walk->entries, walk->entry_count, sizeof *walk->entries, by_time);
    for (size_t i = 0; i < walk->entry_count; i++) {
        play_entry(walk, &walk->entries[i]);
        cli_progress("messages played", i + 1, walk->entry_count);
    }
    cli_progress_end();
}

/* --- the command --------------------------------------------------------------------------------------- */

/* "LABEL=PATH"; what is there under its whole name has no label. */
static struct slice label_of(const char *argument, const char **ret_path)
{
    const struct slice text = slice_text(argument);
    const size_t at = slice_find(text, '=');
    struct stat status;

    *ret_path = argument;
    if (at == SLICE_NOT_FOUND || at == 0 || slice_find(slice_head(text, at), '/') != SLICE_NOT_FOUND ||
        stat(argument, &status) == 0)
        return SLICE_NONE;
    *ret_path = argument + at + 1;
    return slice_head(text, at);
}

/* NULL: there are too many. */
static struct play_count *count_of(struct walk *walk, struct slice label)
{
    for (size_t i = 0; i < walk->count; i++)
        if (slice_equal(walk->counts[i].label, label))
            return &walk->counts[i];
    if (walk->count == PLAY_LABELS_MAX)
        return NULL;
    walk->counts[walk->count].label = label;
    return &walk->counts[walk->count++];
}

static int find_all(struct walk *walk, int argc, char **argv)
{
    const char *path;

    if (walk->site->route_count == 0)
        return cli_fail(walk->cli, "the configuration has no route: expected one for the archive's owner");
    for (int i = 1; i < argc; i++) {
        const struct slice label = label_of(argv[i], &path);
        if (!(walk->to = count_of(walk, label)))
            return cli_fail_usage(walk->cli, "there are too many labels: expected at most %d",
                                  PLAY_LABELS_MAX);
        take_path(walk, path, 0);
    }
    return walk->status;
}

static void show(struct walk *walk)
{
    if (walk->played == 1 && !walk->cli->json)
        explain_log(walk->cli, &walk->last.history, LOG_LEVEL);
    play_counts_show(walk->cli, walk->site, walk->counts, walk->count);
}

static void walk_drop(struct walk *walk)
{
    if (walk->played)
        history_drop(&walk->last.history);
    memory_give(walk->entries, walk->entry_room * sizeof *walk->entries);
    suffix_close(walk->suffix);
    store_close(walk->store);
    buf_drop(&walk->text);
    arena_drop(&walk->arena);
    site_free(walk->site);
}

int play_mbox(struct cli *cli, int argc, char **argv)
{
    struct walk walk = {.cli = cli, .each = cli_option(cli, "each"), .status = CLI_OK};

    if (!cli_option_number(cli, "half", HALF_NONE, &walk.half))
        return CLI_USAGE;
    if (walk.half > 2)
        return cli_fail_usage(cli, "--half is 1 or 2");
    if (!(walk.site = cli_site(cli)))
        return CLI_CONFIG;
    arena_init(&walk.arena, NULL, 0);
    buf_init(&walk.text, FILE_MAX);
    walk.store = cli_option(cli, "alone") ? NULL : store_memory_new();
    walk.suffix = suffix_open();
    int status = find_all(&walk, argc, argv);
    if (status != CLI_USAGE && walk.count) {
        play_all(&walk);
        show(&walk);
        status = walk.status;
    }
    walk_drop(&walk);
    return status;
}
