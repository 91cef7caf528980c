#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int system_open(struct files *files, const char *path, unsigned flags, int *ret_descriptor,
                       struct error *error)
{
    int how = O_CLOEXEC | O_NOFOLLOW | (flags & FILES_WRITE ? O_RDWR : O_RDONLY);

    (void)files;
    if (flags & FILES_CREATE)
        how |= O_CREAT;
    if (flags & FILES_NEW)
        how |= O_EXCL;
    if (flags & FILES_TRUNCATE)
        how |= O_TRUNC;
    const int descriptor = open(path, how, flags & FILES_PRIVATE ? 0600 : 0660);
    if (descriptor < 0)
        return error_set(error, errno, "cannot open %s", path);
    *ret_descriptor = descriptor;
    return 0;
}

static int system_read(struct files *files, int descriptor, uint64_t offset, char *at, size_t size,
                       size_t *ret_got, struct error *error)
{
    size_t got = 0;

    (void)files;
    while (got < size) {
        const ssize_t n = pread(descriptor, at + got, size - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(error, errno, "cannot read");
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *ret_got = got;
    return 0;
}

static int system_write(struct files *files, int descriptor, uint64_t offset, struct slice octets,
                        struct error *error)
{
    (void)files;
    while (octets.len) {
        const ssize_t n = pwrite(descriptor, octets.at, octets.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(error, n < 0 ? errno : EIO, "cannot write");
        octets = slice_from(octets, (size_t)n);
        offset += (uint64_t)n;
    }
    return 0;
}

static int system_truncate(struct files *files, int descriptor, uint64_t size, struct error *error)
{
    (void)files;
    if (ftruncate(descriptor, (off_t)size) < 0)
        return error_set(error, errno, "cannot cut the file");
    return 0;
}

static int system_sync(struct files *files, int descriptor, struct error *error)
{
    (void)files;
    if (fdatasync(descriptor) < 0)
        return error_set(error, errno, "cannot sync");
    return 0;
}

static int system_sync_all(struct files *files, int descriptor, struct error *error)
{
    (void)files;
    if (syncfs(descriptor) < 0)
        return error_set(error, errno, "cannot sync the file system");
    return 0;
}

static void system_flush(struct files *files, int descriptor, uint64_t offset, uint64_t size)
{
    (void)files;
    (void)sync_file_range(descriptor, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

static void system_close(struct files *files, int descriptor)
{
    (void)files;
    close(descriptor);
}

static void status_fill(const struct stat *from, struct files_status *status)
{
    status->size = (uint64_t)from->st_size;
    status->modified_ns = (int64_t)from->st_mtim.tv_sec * 1000000000 + from->st_mtim.tv_nsec;
    status->number = from->st_ino;
    status->device = from->st_dev;
    status->folder = S_ISDIR(from->st_mode);
}

static int system_status(struct files *files, const char *path, struct files_status *ret_status,
                         struct error *error)
{
    struct stat status;

    (void)files;
    if (stat(path, &status) < 0)
        return error_set(error, errno, "cannot look at %s", path);
    status_fill(&status, ret_status);
    return 0;
}

static int system_descriptor_status(struct files *files, int descriptor, struct files_status *ret_status,
                                    struct error *error)
{
    struct stat status;

    (void)files;
    if (fstat(descriptor, &status) < 0)
        return error_set(error, errno, "cannot look at the file");
    status_fill(&status, ret_status);
    return 0;
}

static int system_lock(struct files *files, int descriptor, bool *ret_mine, struct error *error)
{
    (void)files;
    *ret_mine = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (!*ret_mine && errno != EWOULDBLOCK)
        return error_set(error, errno, "cannot lock");
    return 0;
}

static int system_rename(struct files *files, const char *from, const char *to, struct error *error)
{
    (void)files;
    if (rename(from, to) < 0)
        return error_set(error, errno, "cannot rename %s", from);
    return 0;
}

static int system_remove(struct files *files, const char *path, struct error *error)
{
    (void)files;
    if (unlink(path) < 0)
        return error_set(error, errno, "cannot remove %s", path);
    return 0;
}

static int system_make_folder(struct files *files, const char *path, unsigned mode, struct error *error)
{
    (void)files;
    if (mkdir(path, mode) < 0)
        return error_set(error, errno, "cannot make the folder %s", path);
    return 0;
}

static int system_sync_folder(struct files *files, const char *path, struct error *error)
{
    int result = 0;

    (void)files;
    const int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set(error, errno, "cannot open the folder %s", path);
    if (fsync(descriptor) < 0)
        result = error_set(error, errno, "cannot sync the folder %s", path);
    close(descriptor);
    return result;
}

static int system_list(struct files *files, const char *path, bool (*each)(void *whom, const char *name),
                       void *whom, struct error *error)
{
    const struct dirent *entry;
    bool more = true;

    (void)files;
    DIR *folder = opendir(path);
    if (!folder)
        return error_set(error, errno, "cannot read the folder %s", path);
    for (errno = 0; more && (entry = readdir(folder)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            more = each(whom, entry->d_name);
    const int number = more ? errno : 0;
    closedir(folder);
    return number ? error_set(error, number, "cannot read the folder %s", path) : 0;
}

static int system_room(struct files *files, const char *path, uint64_t *ret_octets, struct error *error)
{
    struct statvfs status;

    (void)files;
    if (statvfs(path, &status) < 0)
        return error_set(error, errno, "cannot look at the file system of %s", path);
    if (status.f_flag & ST_RDONLY)
        return error_set(error, EROFS, "cannot write below %s", path);
    /* No inode left is no room, too; a file system that counts none says 0 of 0. */
    const bool full = status.f_files && !status.f_favail;
    *ret_octets = full ? 0 : (uint64_t)status.f_bavail * status.f_frsize;
    return 0;
}

struct files files_system = {
    .open = system_open,
    .read = system_read,
    .write = system_write,
    .truncate = system_truncate,
    .sync = system_sync,
    .sync_all = system_sync_all,
    .flush = system_flush,
    .close = system_close,
    .status = system_status,
    .descriptor_status = system_descriptor_status,
    .lock = system_lock,
    .rename = system_rename,
    .remove = system_remove,
    .make_folder = system_make_folder,
    .sync_folder = system_sync_folder,
    .list = system_list,
    .room = system_room,
};

int files_join(char path[FILES_PATH_MAX], const char *folder, const char *name, struct error *error)
{
    const int len = snprintf(path, FILES_PATH_MAX, "%s/%s", folder, name);

    if (len < 0 || (unsigned)len >= FILES_PATH_MAX)
        return error_set(error, ENAMETOOLONG, "%.100s…/%.100s", folder, name);
    return 0;
}

int files_claim(struct files *files, const char *path, int descriptor, bool *ret_mine, struct error *error)
{
    struct files_status named, held;
    bool locked = false;

    *ret_mine = false;
    if (files->lock(files, descriptor, &locked, error) < 0)
        return -1;
    if (!locked)
        return 0;
    if (files->descriptor_status(files, descriptor, &held, error) < 0)
        return -1;
    if (files->status(files, path, &named, error) < 0)
        return error->number == ENOENT ? 0 : -1;
    *ret_mine = named.number == held.number && named.device == held.device;
    return 0;
}

int files_need_folder(struct files *files, const char *path, unsigned mode, struct error *error)
{
    char parent[FILES_PATH_MAX];
    struct error trouble;

    if (files->make_folder(files, path, mode, &trouble) < 0) {
        if (trouble.number == EEXIST)
            return 1;
        if (error)
            *error = trouble;
        return -1;
    }
    snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash)
        return 0;
    slash[slash == parent] = '\0';
    return files->sync_folder(files, parent, error);
}
