#include "journal/retention.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

/* A writer holds the lock of its stream for life. The lock is asked about, not tried: a writer that begins in
 * this moment must get it. */
static bool has_writer(const char *folder, const struct segment_name *name)
{
    char stream[SEGMENT_STREAM_SIZE], path[4096];
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    segment_stream_print(name, stream);
    snprintf(path, sizeof path, "%s/%s.lock", folder, stream);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool held = fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

static void path_print(const char *folder, const struct segment_name *name, char path[4096])
{
    char text[SEGMENT_NAME_SIZE];
    segment_name_print(name, text);
    snprintf(path, 4096, "%s/%s", folder, text);
}

static void look(struct run *run, const struct segment_listing *listing)
{
    run->files = memory_take(listing->count * sizeof *run->files);
    for (size_t i = 0; i < listing->count; i++) {
        const struct segment_name *name = &listing->names[i];
        char path[4096];
        struct stat stat_of;
        path_print(run->retention->folder, name, path);
        if (stat(path, &stat_of) != 0)
            continue;
        bool last = i + 1 == listing->count || segment_stream_compare(name, name + 1) != 0;
        run->files[run->count++] = (struct candidate){
            .name = name,
            .changed_unix = stat_of.st_mtime,
            .octets = (uint64_t)stat_of.st_size,
            .busy = last && has_writer(run->retention->folder, name),
        };
        run->counts.left += (uint64_t)stat_of.st_size;
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
    char path[4096];
    path_print(run->retention->folder, file->name, path);
    if (unlink(path) != 0 && errno != ENOENT) {
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
    if (run.count)
        qsort(run.files, run.count, sizeof *run.files, age_order);
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
