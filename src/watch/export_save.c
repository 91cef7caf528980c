/* A file that is whole at every moment: written beside, synced, then put in its place. */
#include "watch/export.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0644

static int write_all(int fd, struct slice text)
{
    while (text.len) {
        const ssize_t wrote = write(fd, text.at, text.len);
        if (wrote < 0 && errno != EINTR)
            return -1;
        if (wrote > 0)
            text = slice_from(text, (size_t)wrote);
    }
    return 0;
}

/* What a crash left behind under the name is written over. */
static int beside_write(const char *path, struct slice text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MODE);

    if (fd < 0)
        return -1;
    const int written = write_all(fd, text) < 0 || fchmod(fd, MODE) < 0 || fsync(fd) < 0 ? errno : 0;
    (void)close(fd);
    errno = written;
    return written ? -1 : 0;
}

static int folder_sync(const char *path, char *room)
{
    const size_t slash = slice_find_last(slice_text(path), '/');
    const size_t len = slash == SLICE_NOT_FOUND ? 1 : slash ? slash : 1;

    memcpy(room, slash == SLICE_NOT_FOUND ? "." : path, len);
    room[len] = '\0';
    const int fd = open(room, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const int synced = fsync(fd);
    (void)close(fd);
    return synced;
}

int export_save(const char *path, struct slice text, struct error *error)
{
    const size_t size = strlen(path) + sizeof ".new";
    char *beside = memory_take(size);
    int status = 0;

    (void)snprintf(beside, size, "%s.new", path);
    if (beside_write(beside, text) < 0) {
        status = error_set(error, errno, "cannot write %s", beside);
        (void)unlink(beside);
    } else if (rename(beside, path) < 0) {
        status = error_set(error, errno, "cannot put %s in its place", path);
        (void)unlink(beside);
    } else if (folder_sync(path, beside) < 0) {
        status = error_set(error, errno, "cannot make sure of %s", path);
    }
    memory_give(beside, size);
    return status;
}
