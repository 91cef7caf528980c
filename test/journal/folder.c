#include "folder.h"

#include "base/memory.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(struct folder *folder)
{
    assert_int_equal(folder_new(folder->path, "journal"), 0);
}

void folder_remove(const struct folder *folder)
{
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    assert_int_equal(rmdir(folder->path), 0);
}

struct journal_writer *folder_writer(const struct folder *folder, const char *role, unsigned number,
                                     uint64_t segment_octets)
{
    struct journal_writer_settings settings = {
        .folder = slice_text(folder->path),
        .role = slice_text(role),
        .number = number,
        .version = SLICE("0.1.0"),
        .configuration = SLICE("00ff"),
        .segment_octets = segment_octets,
        .buffer_octets = 1 << 20,
    };
    struct journal_writer *writer = NULL;
    struct error error = {0};
    if (journal_writer_open(&settings, &writer, &error) < 0)
        fail_msg("%s", error.text);
    return writer;
}

size_t folder_add(struct journal_writer *writer, uint64_t session, int64_t unix_us, struct slice text,
                  struct journal_mark *mark)
{
    struct event_stamp stamp = {.session = session, .unix_us = unix_us};
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    assert_true(event_add_finding(&buf, &stamp, &(struct event_finding){.finding = 1, .evidence = text}));
    size_t lost = journal_writer_add(writer, buf_slice(&buf), mark);
    buf_drop(&buf);
    return lost;
}

static int path_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

void folder_files(const struct folder *folder, struct folder_files *ret_files)
{
    DIR *dir = opendir(folder->path);
    ret_files->count = 0;
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (!slice_ends_fold(slice_text(entry->d_name), SLICE(".journal")))
            continue;
        assert_true(ret_files->count < FOLDER_FILES);
        char *path = ret_files->paths[ret_files->count++];
        snprintf(path, sizeof ret_files->paths[0], "%s/%.100s", folder->path, entry->d_name);
    }
    closedir(dir);
    qsort(ret_files->paths, ret_files->count, sizeof ret_files->paths[0], path_order);
}

struct slice file_take(const char *path)
{
    struct stat stat;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    char *octets = memory_take((size_t)stat.st_size);
    assert_int_equal(read(fd, octets, (size_t)stat.st_size), stat.st_size);
    close(fd);
    return slice_of(octets, (size_t)stat.st_size);
}

void file_give(struct slice octets)
{
    memory_give((void *)(uintptr_t)octets.at, octets.len);
}

void file_put(const char *path, struct slice octets)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, octets.at, octets.len), octets.len);
    close(fd);
}
