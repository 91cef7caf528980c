#include "queue/maildir.h"

#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FEW          4     /* copies that are synced one by one */
#define SLOW_MS      1000  /* a sync of a file system that takes longer is slow */
#define SLOW_FOR_MS  60000 /* and not tried again for so long */
#define FOLDER_MODE  0700u
#define LINES_OCTETS (2 * CONTENT_PIECE)

enum part { PART_TMP, PART_NEW, PART_CUR, PART_SELF };

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

size_t maildir_name(int64_t received_unix_ms, const char *id, struct slice host, char name[MAILDIR_NAME_MAX])
{
    int len = snprintf(name, MAILDIR_NAME_MAX, "%lld.Q", (long long)(received_unix_ms / 1000));

    /* The id's dot would part the name in too many. */
    for (; *id; id++)
        name[len++] = *id == '.' ? 'N' : *id;
    name[len++] = '.';
    for (size_t i = 0; i < host.len && len < MAILDIR_NAME_MAX - 5; i++) {
        const uint8_t octet = (uint8_t)host.at[i];
        if (octet == '/' || octet == ':' || octet == ',')
            len += snprintf(name + len, 5, "\\%03o", octet);
        else if (octet > 0x20 && octet != 0x7f)
            name[len++] = (char)octet;
    }
    name[len] = '\0';
    return (size_t)len;
}

/* --- paths --------------------------------------------------------------------------------------------- */

static int path_of(const struct maildir_copy *copy, enum part part, bool file, char path[FILES_PATH_MAX])
{
    static const char *const parts[] = {"/tmp", "/new", "/cur", ""};
    const int len = snprintf(path, FILES_PATH_MAX, "%.*s%s%s%.*s", SLICE_ARGS(copy->folder), parts[part],
                             file ? "/" : "", file ? (int)copy->name.len : 0, copy->name.at);

    return len < 0 || len >= (int)FILES_PATH_MAX ? -1 : 0;
}

/* Each part of the path behind the folder that holds the mailboxes. */
static int make_self(struct files *files, const struct maildir_copy *copy, struct error *error)
{
    char path[FILES_PATH_MAX];

    for (size_t len = copy->base + 1; len <= copy->folder.len; len++) {
        if (len < copy->folder.len && copy->folder.at[len] != '/')
            continue;
        snprintf(path, sizeof(path), "%.*s", (int)len, copy->folder.at);
        if (files_need_folder(files, path, FOLDER_MODE, error) < 0)
            return -1;
    }
    return 0;
}

static int make_mailbox(struct files *files, const struct maildir_copy *copy, struct error *error)
{
    char path[FILES_PATH_MAX];
    struct files_status status;

    if (path_of(copy, PART_SELF, false, path) < 0)
        return error_set(error, ENAMETOOLONG, "the mailbox's path");
    if (files->status(files, path, &status, NULL) < 0 && make_self(files, copy, error) < 0)
        return -1;
    for (enum part part = PART_TMP; part < PART_SELF; part++)
        if (path_of(copy, part, false, path) < 0 || files_need_folder(files, path, FOLDER_MODE, error) < 0)
            return -1;
    return 0;
}

/* --- writing ------------------------------------------------------------------------------------------- */

struct writing {
    struct files *files;
    int descriptor;
    uint64_t at;
    struct buf lines;
    bool cr; /* the last octet was a CR, held back until it is known whether an LF follows */
};

static int write_on(struct writing *writing, struct error *error)
{
    const struct slice octets = buf_slice(&writing->lines);

    if (octets.len &&
        writing->files->write(writing->files, writing->descriptor, writing->at, octets, error) < 0)
        return -1;
    writing->at += octets.len;
    buf_clear(&writing->lines);
    return 0;
}

/* CRLF becomes LF; a CR that no LF follows stays. */
static void add_lines(struct writing *writing, struct slice piece)
{
    struct buf *lines = &writing->lines;

    if (writing->cr && piece.len && piece.at[0] != '\n')
        buf_add_octet(lines, '\r');
    writing->cr = writing->cr && !piece.len;
    while (piece.len) {
        const size_t at = slice_find(piece, '\r');
        if (at == SLICE_NOT_FOUND) {
            buf_add(lines, piece);
            return;
        }
        buf_add(lines, slice_head(piece, at));
        piece = slice_from(piece, at + 1);
        if (!piece.len)
            writing->cr = true;
        else if (piece.at[0] != '\n')
            buf_add_octet(lines, '\r');
    }
}

static int write_content(struct writing *writing, struct content *content, struct error *error)
{
    struct slice piece;

    content_rewind(content);
    for (;;) {
        if (content_next(content, &piece, error) < 0)
            return -1;
        if (!piece.len)
            break;
        add_lines(writing, piece);
        if (writing->lines.len > CONTENT_PIECE / 2 && write_on(writing, error) < 0)
            return -1;
    }
    if (writing->cr)
        buf_add_octet(&writing->lines, '\r');
    return write_on(writing, error);
}

static int open_tmp(struct files *files, struct maildir_copy *copy)
{
    char path[FILES_PATH_MAX];
    const unsigned flags = FILES_WRITE | FILES_CREATE | FILES_TRUNCATE | FILES_PRIVATE;

    if (path_of(copy, PART_TMP, true, path) < 0)
        return error_set(&copy->error, ENAMETOOLONG, "the mailbox's path");
    if (files->open(files, path, flags, &copy->descriptor, &copy->error) == 0)
        return 0;
    if (copy->error.number != ENOENT || make_mailbox(files, copy, &copy->error) < 0)
        return -1;
    return files->open(files, path, flags, &copy->descriptor, &copy->error);
}

static void write_copy(struct files *files, struct maildir_copy *copy, struct buf *lines)
{
    struct writing writing = {.files = files, .lines = *lines};
    struct files_status status;

    copy->descriptor = -1;
    copy->written = copy->delivered = false;
    if (open_tmp(files, copy) < 0)
        return;
    writing.descriptor = copy->descriptor;
    buf_clear(&writing.lines);
    buf_add(&writing.lines, copy->head);
    copy->written = write_content(&writing, copy->content, &copy->error) == 0 &&
                    files->descriptor_status(files, copy->descriptor, &status, &copy->error) == 0;
    if (copy->written)
        copy->device = status.device;
    *lines = writing.lines;
}

/* --- syncing ------------------------------------------------------------------------------------------- */

static void give_up(struct files *files, struct maildir_copy *copy, const struct error *error)
{
    char path[FILES_PATH_MAX];

    copy->written = false;
    copy->error = *error;
    if (path_of(copy, PART_TMP, true, path) == 0)
        (void)files->remove(files, path, NULL);
}

static size_t count_device(const struct maildir_copy *copies, size_t count, uint64_t device)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += copies[i].written && copies[i].device == device;
    return found;
}

/* One sync for all copies on the file system of copies[first]. */
static void sync_device(struct files *files, struct maildir_state *state, struct maildir_copy *copies,
                        size_t count, size_t first)
{
    const uint64_t device = copies[first].device;
    const uint64_t begun = now_ms();
    struct error error;

    const int result = files->sync_all(files, copies[first].descriptor, &error);
    if (now_ms() - begun > SLOW_MS)
        state->slow_until_ms = now_ms() + SLOW_FOR_MS;
    for (size_t i = first; i < count && result < 0; i++)
        if (copies[i].written && copies[i].device == device)
            give_up(files, &copies[i], &error);
}

static bool is_first_of_device(const struct maildir_copy *copies, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (copies[i].written && copies[i].device == copies[at].device)
            return false;
    return true;
}

static void sync_octets(struct files *files, struct maildir_state *state, struct maildir_copy *copies,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error error;
        if (!copies[i].written)
            continue;
        const size_t together = now_ms() < state->slow_until_ms
                                    ? 1
                                    : count_device(copies, count, copies[i].device);
        if (together <= FEW) {
            if (files->sync(files, copies[i].descriptor, &error) < 0)
                give_up(files, &copies[i], &error);
        } else if (is_first_of_device(copies, i)) {
            sync_device(files, state, copies, count, i);
        }
    }
}

/* A mailbox whose making was broken off may have its tmp and nothing else. */
static void rename_copy(struct files *files, struct maildir_copy *copy)
{
    char from[FILES_PATH_MAX];
    char to[FILES_PATH_MAX];
    struct error error = {.number = ENAMETOOLONG};
    int result = -1;

    if (path_of(copy, PART_TMP, true, from) == 0 && path_of(copy, PART_NEW, true, to) == 0)
        result = files->rename(files, from, to, &error);
    if (result < 0 && error.number == ENOENT && make_mailbox(files, copy, &error) == 0)
        result = files->rename(files, from, to, &error);
    if (result < 0)
        give_up(files, copy, &error);
}

/* The folder new/ of each mailbox once; a copy whose name may not be safe is not delivered, and may come
 * twice. */
static void sync_names_singly(struct files *files, struct maildir_copy *copies, size_t count)
{
    char path[FILES_PATH_MAX];

    for (size_t i = 0; i < count; i++) {
        struct error error;
        if (!copies[i].written || copies[i].delivered)
            continue;
        const int result = path_of(&copies[i], PART_NEW, false, path) < 0
                               ? -1
                               : files->sync_folder(files, path, &error);
        for (size_t k = i; k < count; k++) {
            if (!copies[k].written || !slice_equal(copies[k].folder, copies[i].folder))
                continue;
            copies[k].delivered = result == 0;
            if (result < 0)
                copies[k].error = error;
        }
        copies[i].written = result == 0;
    }
}

static size_t count_folders(const struct maildir_copy *copies, size_t count, uint64_t device)
{
    size_t folders = 0;
    struct slice last = SLICE_NONE;

    for (size_t i = 0; i < count; i++)
        if (copies[i].written && copies[i].device == device && !slice_equal(copies[i].folder, last)) {
            folders++;
            last = copies[i].folder;
        }
    return folders;
}

static void sync_names(struct files *files, struct maildir_state *state, struct maildir_copy *copies,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error error;
        const uint64_t device = copies[i].device;
        if (!copies[i].written || copies[i].delivered || now_ms() < state->slow_until_ms ||
            !is_first_of_device(copies, i) || count_folders(copies, count, device) <= FEW)
            continue;
        const int result = files->sync_all(files, copies[i].descriptor, &error);
        for (size_t k = i; k < count; k++)
            if (copies[k].written && copies[k].device == device)
                copies[k].delivered = result == 0;
    }
    sync_names_singly(files, copies, count);
}

void maildir_deliver(struct files *files, struct maildir_state *state, struct maildir_copy *copies,
                     size_t count)
{
    struct buf lines;

    assert(count <= MAILDIR_BATCH);
    buf_init(&lines, UINT32_MAX);
    buf_room(&lines, LINES_OCTETS);
    for (size_t i = 0; i < count; i++)
        write_copy(files, &copies[i], &lines);
    buf_drop(&lines);
    for (size_t i = 0; i < count; i++)
        if (!copies[i].written && copies[i].descriptor >= 0) {
            const struct error error = copies[i].error;
            give_up(files, &copies[i], &error);
        }
    sync_octets(files, state, copies, count);
    for (size_t i = 0; i < count; i++)
        if (copies[i].written)
            rename_copy(files, &copies[i]);
    sync_names(files, state, copies, count);
    for (size_t i = 0; i < count; i++)
        if (copies[i].descriptor >= 0)
            files->close(files, copies[i].descriptor);
}
