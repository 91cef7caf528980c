#include "journal/packing.h"

#include "base/memory.h"
#include "journal/packed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRESH ".new"

struct packing {
    char folder[3072];
    int level;
    struct segment_listing waiting; /* closed files, the next one last */
    struct segment_name name;       /* of the file at hand */
    int from, to;                   /* its descriptors; -1: none is at hand */
    uint64_t at, size;              /* octets of it */
    uint64_t written;
    struct packer *packer;
    struct buf out;
    char *octets; /* of a frame */
    struct packing_counts counts;
};

static void fresh_path(const struct packing *packing, char path[4120])
{
    char whole[4096];
    segment_path(packing->folder, &packing->name, true, whole);
    snprintf(path, 4120, "%s" FRESH, whole);
}

/* --- one file ------------------------------------------------------------------------------------------ */

static void file_end(struct packing *packing)
{
    if (packing->from >= 0)
        close(packing->from);
    if (packing->to >= 0)
        close(packing->to);
    packing->from = packing->to = -1;
    packer_free(packing->packer);
    packing->packer = NULL;
    buf_clear(&packing->out);
}

static int file_give_up(struct packing *packing)
{
    char path[4120];
    fresh_path(packing, path);
    file_end(packing);
    (void)unlink(path);
    return -1;
}

/* 0: none was at hand any more; 1: it has begun. */
static int file_begin(struct packing *packing, struct error *error)
{
    char path[4096], fresh[4120];
    struct stat stat_of;
    if (!packing->waiting.count)
        return 0;
    packing->name = packing->waiting.names[--packing->waiting.count];
    segment_path(packing->folder, &packing->name, false, path);
    fresh_path(packing, fresh);
    packing->from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (packing->from < 0 && errno == ENOENT)
        return 1; /* retention was faster: the next turn takes the next one */
    if (packing->from < 0 || fstat(packing->from, &stat_of) != 0) {
        error_set(error, errno, "cannot read %s", path);
        file_end(packing);
        return -1;
    }
    packing->to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (packing->to < 0) {
        error_set(error, errno, "cannot make %s", fresh);
        file_end(packing);
        return -1;
    }
    packing->at = packing->written = 0;
    packing->size = (uint64_t)stat_of.st_size;
    packing->packer = packer_new(packing->level);
    return 1;
}

static int out_write(struct packing *packing, struct error *error)
{
    struct slice rest = buf_slice(&packing->out);
    while (rest.len) {
        ssize_t n = write(packing->to, rest.at, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(error, n ? errno : ENOSPC, "cannot pack a journal file in %s", packing->folder);
        packing->written += (uint64_t)n;
        rest = slice_from(rest, (size_t)n);
    }
    buf_clear(&packing->out);
    return 0;
}

static int frame_pack(struct packing *packing, struct error *error)
{
    uint64_t left = packing->size - packing->at;
    size_t want = left < PACKED_FRAME ? (size_t)left : PACKED_FRAME, have = 0;
    while (have < want) {
        ssize_t n = pread(packing->from, packing->octets + have, want - have, (off_t)(packing->at + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(error, n ? errno : EIO, "a journal file in %s became shorter", packing->folder);
        have += (size_t)n;
    }
    packing->at += have;
    if (packer_add(packing->packer, slice_of(packing->octets, have), &packing->out, error) < 0)
        return -1;
    return out_write(packing, error);
}

static int folder_sync(const struct packing *packing)
{
    int fd = open(packing->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return result;
}

static bool was_removed(const struct packing *packing)
{
    struct stat stat_of;
    return fstat(packing->from, &stat_of) == 0 && stat_of.st_nlink == 0;
}

/* All of it is on disk before it has its name. A file that was removed meanwhile stays removed: who removes
 * takes the plain form first, and the packed one behind it. */
static int file_finish(struct packing *packing, struct error *error)
{
    char fresh[4120], path[4096];
    struct stat stat_of;
    fresh_path(packing, fresh);
    segment_path(packing->folder, &packing->name, true, path);
    if (packer_end(packing->packer, &packing->out, error) < 0 || out_write(packing, error) < 0)
        return -1;
    if (fstat(packing->from, &stat_of) != 0 || (uint64_t)stat_of.st_size != packing->size)
        return error_set(error, 0, "a journal file in %s changed while it was packed", packing->folder);
    const struct timespec times[2] = {stat_of.st_atim, stat_of.st_mtim};
    if (futimens(packing->to, times) != 0 || fsync(packing->to) != 0 || rename(fresh, path) != 0 ||
        folder_sync(packing) != 0)
        return error_set(error, errno, "cannot finish %s", path);
    if (was_removed(packing)) {
        (void)unlink(path);
        return 0;
    }
    packing->counts.files++;
    packing->counts.before += packing->size;
    packing->counts.after += packing->written;
    return 0;
}

int packing_turn(struct packing *packing, uint64_t octets, struct error *error)
{
    if (packing->from < 0) {
        int begun = file_begin(packing, error);
        if (begun <= 0 || packing->from < 0)
            return begun;
    }
    for (uint64_t end = packing->at + octets; packing->at < packing->size && packing->at < end;)
        if (frame_pack(packing, error) < 0)
            return file_give_up(packing);
    if (packing->at < packing->size)
        return 1;
    if (file_finish(packing, error) < 0)
        return file_give_up(packing);
    file_end(packing);
    return packing->waiting.count > 0;
}

/* --- which files --------------------------------------------------------------------------------------- */

static void waiting_add(struct packing *packing, const struct segment_name *name)
{
    struct segment_listing *list = &packing->waiting;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 32;
        list->names = memory_resize(list->names, list->room * sizeof *name, room * sizeof *name);
        list->room = room;
    }
    list->names[list->count++] = *name;
}

/* The age of the packed form is that of its name: its other times are those of the plain one. */
static bool packed_is_old(const char *path, int64_t now_unix, int64_t settle_seconds, bool *ret_there)
{
    struct stat stat_of;
    *ret_there = stat(path, &stat_of) == 0;
    return *ret_there && now_unix - stat_of.st_ctime >= settle_seconds;
}

static int look_at(struct packing *packing, const struct segment_name *name, bool closed, int64_t now_unix,
                   int64_t settle_seconds, struct error *error)
{
    char plain[4096], packed[4096];
    struct stat stat_of;
    bool there;
    segment_path(packing->folder, name, false, plain);
    segment_path(packing->folder, name, true, packed);
    if (stat(plain, &stat_of) != 0 || !stat_of.st_size)
        return 0;
    bool old = packed_is_old(packed, now_unix, settle_seconds, &there);
    if (old && unlink(plain) != 0 && errno != ENOENT)
        return error_set(error, errno, "cannot remove %s", plain);
    if (!there && closed)
        waiting_add(packing, name);
    return 0;
}

static bool is_closed(const struct packing *packing, const struct segment_listing *listing, size_t i,
                      int64_t now_unix, int64_t idle_seconds)
{
    const struct segment_name *name = &listing->names[i];
    int64_t changed_unix = now_unix;
    if (i + 1 < listing->count && segment_stream_compare(name, name + 1) == 0)
        return true;
    (void)segment_disk(packing->folder, name, &changed_unix);
    return now_unix - changed_unix >= idle_seconds && !segment_has_writer(packing->folder, name);
}

int packing_look(struct packing *packing, int64_t now_unix, int64_t idle_seconds, int64_t settle_seconds,
                 struct error *error)
{
    struct segment_listing listing;
    int result = 0;
    if (segment_list(packing->folder, &listing, error) < 0)
        return -1;
    packing->waiting.count = 0;
    for (size_t i = listing.count; i-- > 0;) {
        const struct segment_name *name = &listing.names[i];
        bool at_hand = packing->from >= 0 && segment_stream_compare(name, &packing->name) == 0 &&
                       name->sequence == packing->name.sequence;
        bool closed = is_closed(packing, &listing, i, now_unix, idle_seconds);
        if (!at_hand && look_at(packing, name, closed, now_unix, settle_seconds, error) < 0)
            result = -1;
    }
    segment_listing_drop(&listing);
    return result;
}

/* --- beginning and end --------------------------------------------------------------------------------- */

static void leftovers_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (slice_ends_fold(slice_text(entry->d_name), SLICE(PACKED_SUFFIX FRESH)))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

struct packing *packing_new(const char *folder, int level)
{
    struct packing *packing = memory_take(sizeof *packing);
    snprintf(packing->folder, sizeof packing->folder, "%s", folder);
    packing->level = level;
    packing->from = packing->to = -1;
    packing->octets = memory_take(PACKED_FRAME);
    buf_init(&packing->out, 64u << 20);
    leftovers_remove(folder);
    return packing;
}

void packing_free(struct packing *packing)
{
    if (!packing)
        return;
    if (packing->from >= 0)
        (void)file_give_up(packing);
    buf_drop(&packing->out);
    memory_give(packing->octets, PACKED_FRAME);
    segment_listing_drop(&packing->waiting);
    memory_give(packing, sizeof *packing);
}

void packing_counts(const struct packing *packing, struct packing_counts *ret_counts)
{
    *ret_counts = packing->counts;
    ret_counts->waiting = packing->waiting.count + (packing->from >= 0);
}
