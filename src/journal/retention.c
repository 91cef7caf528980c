#include "journal/retention.h"

#include "base/memory.h"
#include "journal/day.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct candidate {
    const struct segment_name *name;
    int64_t changed_unix; /* when the last record came */
    uint64_t octets;
    bool busy; /* its writer is there */
    bool removed;
};

/* A day of the history, with all of its files. */
struct day_octets {
    int64_t day;
    uint64_t octets;
};

struct run {
    const struct retention *retention;
    struct day_octets *days;
    size_t day_count, day_room;
    struct candidate *files;
    size_t count;
    struct retention_counts counts;
    struct error error; /* number 0: all went well */
};

/* --- the history --------------------------------------------------------------------------------------- */

static void day_add(struct run *run, int64_t day, uint64_t octets)
{
    for (size_t i = 0; i < run->day_count; i++)
        if (run->days[i].day == day) {
            run->days[i].octets += octets;
            return;
        }
    if (run->day_count == run->day_room) {
        size_t room = run->day_room ? run->day_room * 2 : 64, size = sizeof *run->days;
        run->days = memory_resize(run->days, run->day_room * size, room * size);
        run->day_room = room;
    }
    run->days[run->day_count++] = (struct day_octets){day, octets};
}

/* "2026-07-24.db", its log, its keys, and what of it was damaged: by the date in front. */
static void days_look(struct run *run)
{
    DIR *dir = run->retention->history ? opendir(run->retention->history) : NULL;
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat file;
        int64_t day;
        char name[DAY_NAME_SIZE];
        snprintf(name, sizeof name, "%.10s.db", entry->d_name);
        if (day_name_parse(slice_text(name), &day) &&
            fstatat(dirfd(dir), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode))
            day_add(run, day, (uint64_t)file.st_size);
    }
    if (dir)
        closedir(dir);
}

/* Days that the archivist keeps: from the one on which the oldest of the gates' files that stay begins. */
static void days_count(struct run *run)
{
    int64_t oldest_unix = INT64_MAX;
    run->counts.days = 0;
    for (size_t i = 0; i < run->count && run->day_count; i++)
        if (!run->files[i].removed && strcmp(run->files[i].name->role, "gate") == 0 &&
            run->files[i].name->started_unix < oldest_unix)
            oldest_unix = run->files[i].name->started_unix;
    for (size_t i = 0; i < run->day_count; i++)
        if (oldest_unix == INT64_MAX || run->days[i].day >= day_of(oldest_unix * 1000000))
            run->counts.days += run->days[i].octets;
}

/* --- the journal --------------------------------------------------------------------------------------- */

static void look(struct run *run, const struct segment_listing *listing)
{
    run->files = memory_take(listing->count * sizeof *run->files);
    for (size_t i = 0; i < listing->count; i++) {
        const struct segment_name *name = &listing->names[i];
        int64_t changed_unix;
        uint64_t octets = segment_disk(run->retention->folder, name, &changed_unix);
        if (!octets)
            continue;
        bool last = i + 1 == listing->count || segment_stream_compare(name, name + 1) != 0;
        run->files[run->count++] = (struct candidate){
            .name = name,
            .changed_unix = changed_unix,
            .octets = octets,
            .busy = last && segment_has_writer(run->retention->folder, name),
        };
        run->counts.left += octets;
    }
}

static int age_order(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->changed_unix != b->changed_unix)
        return a->changed_unix < b->changed_unix ? -1 : 1;
    return a->name < b->name ? -1 : 1; /* as listed: by stream, then sequence */
}

static void remove_one(struct run *run, struct candidate *file, bool was_read)
{
    for (int packed = 0; packed < 2; packed++) {
        char path[4096];
        segment_path(run->retention->folder, file->name, packed, path);
        if (unlink(path) == 0 || errno == ENOENT)
            continue;
        error_set(&run->error, errno, "cannot remove %s", path);
        return;
    }
    run->counts.files++;
    run->counts.unread += !was_read;
    run->counts.octets += file->octets;
    run->counts.left -= file->octets;
    file->removed = true;
    days_count(run);
}

static void remove_old(struct run *run)
{
    const struct retention *retention = run->retention;
    for (size_t i = 0; i < run->count; i++) {
        struct candidate *file = &run->files[i];
        bool was_read = !retention->was_read || retention->was_read(retention->data, file->name);
        bool old = retention->keep_seconds &&
                   file->changed_unix < retention->now_unix - retention->keep_seconds;
        bool too_much = retention->octets_max && run->counts.left + run->counts.days > retention->octets_max;
        if (!file->busy && ((old && was_read) || too_much))
            remove_one(run, file, was_read);
    }
}

int retention_run(const struct retention *retention, struct retention_counts *ret_counts, struct error *error)
{
    struct segment_listing listing;
    struct run run = {.retention = retention};
    if (segment_list(retention->folder, &listing, error) < 0)
        return -1;
    look(&run, &listing);
    days_look(&run);
    days_count(&run);
    memory_sort(run.files, run.count, sizeof *run.files, age_order);
    remove_old(&run);
    memory_give(run.files, listing.count * sizeof *run.files);
    memory_give(run.days, run.day_room * sizeof *run.days);
    segment_listing_drop(&listing);
    *ret_counts = run.counts;
    if (!run.error.number)
        return 0;
    if (error)
        *error = run.error;
    return -1;
}

uint64_t retention_share(const char *folder, unsigned per_cent)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0)
        return 0;
    return (uint64_t)disk.f_blocks * disk.f_frsize / 100 * per_cent;
}
