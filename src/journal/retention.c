#include "journal/retention.h"

#include "base/memory.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct candidate {
    const struct segment_name *name;
    int64_t changed_unix; /* when the last record came */
    uint64_t octets;
    bool busy; /* its writer is there */
};

struct run {
    const struct retention *retention;
    struct candidate *files;
    size_t count;
    struct retention_counts counts;
    struct error error; /* number 0: all went well */
};

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

static void remove_one(struct run *run, const struct candidate *file, bool was_read)
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
}

static void remove_old(struct run *run)
{
    const struct retention *retention = run->retention;
    for (size_t i = 0; i < run->count; i++) {
        const struct candidate *file = &run->files[i];
        bool was_read = !retention->was_read || retention->was_read(retention->data, file->name);
        bool old = retention->keep_seconds &&
                   file->changed_unix < retention->now_unix - retention->keep_seconds;
        bool too_much = retention->octets_max && run->counts.left > retention->octets_max;
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
    memory_sort(run.files, run.count, sizeof *run.files, age_order);
    remove_old(&run);
    memory_give(run.files, listing.count * sizeof *run.files);
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
