#include "queue/waiting.h"

#include "base/checksum.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>

#define REST_MAX (512u * 1024u * 1024u) /* octets of an envelope with its results */

/* --- loading ------------------------------------------------------------------------------------------- */

struct loading {
    struct files *files;
    struct waiting_file *file;
    struct message *message;
    struct record content;
    uint64_t size;
};

static enum waiting_status load_head(struct loading *loading, struct error *error)
{
    char head[RECORD_VERSION_SIZE + RECORD_HEAD];
    struct waiting_file *file = loading->file;
    size_t got;

    if (loading->files->read(loading->files, file->descriptor, 0, head, sizeof(head), &got, error) < 0)
        return WAITING_FAILED;
    const struct slice octets = slice_of(head, got);
    error_set(error, 0, "it does not begin as a message of the queue");
    if (record_read_version(octets, RECORD_FORM_MESSAGE, &file->mark) != RECORD_OK)
        return WAITING_DAMAGED;
    if (record_read_head(slice_from(octets, RECORD_VERSION_SIZE), file->mark, &loading->content) !=
            RECORD_OK ||
        loading->content.kind != RECORD_CONTENT)
        return WAITING_DAMAGED;
    file->content_at = sizeof(head);
    error_set(error, 0, "it is shorter than its content");
    return loading->content.length > loading->size - file->content_at ? WAITING_DAMAGED : WAITING_OK;
}

static enum waiting_status check_content(struct loading *loading, struct error *error)
{
    struct content content;
    struct slice piece;
    uint32_t checksum = 0;
    int result;

    content_init_file(&content, loading->files, loading->file->descriptor, loading->file->content_at,
                      loading->content.length);
    while ((result = content_next(&content, &piece, error)) == 0 && piece.len)
        checksum = checksum_add(checksum, piece);
    content_done(&content);
    if (result < 0)
        return WAITING_FAILED;
    error_set(error, 0, "its content is not as it was written");
    return checksum == loading->content.checksum ? WAITING_OK : WAITING_DAMAGED;
}

static enum waiting_status take_rest(struct loading *loading, struct slice octets, struct error *error)
{
    struct message *message = loading->message;
    struct waiting_file *file = loading->file;
    size_t size;

    error_set(error, 0, "its envelope cannot be read");
    if (message_read_envelope(octets, file->mark, message, &size) != RECORD_OK)
        return WAITING_DAMAGED;
    if (message->content_octets != loading->content.length)
        return WAITING_DAMAGED;
    message->content_checksum = loading->content.checksum;
    size += message_read_results(slice_from(octets, size), file->mark, message);
    file->end = file->content_at + loading->content.length + size;
    return WAITING_OK;
}

static enum waiting_status load_rest(struct loading *loading, struct error *error)
{
    const uint64_t at = loading->file->content_at + loading->content.length;
    const uint64_t size = loading->size - at;
    size_t got;

    error_set(error, 0, "its envelope is too large");
    if (size > REST_MAX)
        return WAITING_DAMAGED;
    char *octets = memory_take((size_t)size + 1);
    enum waiting_status status = WAITING_FAILED;
    if (loading->files->read(loading->files, loading->file->descriptor, at, octets, (size_t)size, &got,
                             error) == 0)
        status = take_rest(loading, slice_of(octets, got), error);
    memory_give(octets, (size_t)size + 1);
    return status;
}

static enum waiting_status load(struct loading *loading, unsigned how, struct error *error)
{
    struct files_status file_status;
    bool mine = true;

    if (how & WAITING_LOCK &&
        loading->files->lock(loading->files, loading->file->descriptor, &mine, error) < 0)
        return WAITING_FAILED;
    if (!mine)
        return WAITING_BUSY;
    if (loading->files->descriptor_status(loading->files, loading->file->descriptor, &file_status, error) < 0)
        return WAITING_FAILED;
    loading->size = file_status.size;
    enum waiting_status status = load_head(loading, error);
    if (status == WAITING_OK && how & WAITING_CHECK)
        status = check_content(loading, error);
    return status == WAITING_OK ? load_rest(loading, error) : status;
}

enum waiting_status waiting_load(struct files *files, const char *path, unsigned how,
                                 struct message **ret_message, struct waiting_file *ret_file,
                                 struct error *error)
{
    struct waiting_file file = {.descriptor = -1};
    struct loading loading = {.files = files, .file = &file};
    struct error trouble;

    if (!error)
        error = &trouble;
    if (files->open(files, path, FILES_WRITE, &file.descriptor, error) < 0)
        return error->number == ENOENT ? WAITING_GONE : WAITING_FAILED;
    loading.message = message_new();
    const enum waiting_status status = load(&loading, how, error);
    if (status != WAITING_OK) {
        files->close(files, file.descriptor);
        message_free(loading.message);
        return status;
    }
    *ret_message = loading.message;
    *ret_file = file;
    return WAITING_OK;
}

/* --- writing ------------------------------------------------------------------------------------------- */

struct writing {
    struct files *files;
    int descriptor;
    uint64_t at;
    uint32_t checksum;
};

static int put(struct writing *writing, struct slice octets, struct error *error)
{
    if (!octets.len)
        return 0;
    if (writing->files->write(writing->files, writing->descriptor, writing->at, octets, error) < 0)
        return -1;
    writing->at += octets.len;
    return 0;
}

static int put_content(struct writing *writing, struct slice octets, struct error *error)
{
    writing->checksum = checksum_add(writing->checksum, octets);
    return put(writing, octets, error);
}

static int write_content(struct writing *writing, const struct waiting_new *new, struct error *error)
{
    struct slice piece;

    if (put_content(writing, new->before, error) < 0)
        return -1;
    if (new->content) {
        content_rewind(new->content);
        for (;;) {
            if (content_next(new->content, &piece, error) < 0)
                return -1;
            if (!piece.len)
                break;
            if (put_content(writing, piece, error) < 0)
                return -1;
        }
    }
    return put_content(writing, new->behind, error);
}

static int write_rest(struct writing *writing, const struct waiting_new *new, uint64_t content_octets,
                      struct error *error)
{
    struct buf records;
    bool good;

    buf_init(&records, REST_MAX);
    good = message_add_envelope(&records, new->mark, new->transaction, new->route, content_octets);
    for (const struct result *result = new->results; good &&result; result = result->next)
        good = message_add_result_record(&records, new->mark, result);
    good = good && message_add_schedule_record(&records, new->mark, new->schedule);
    const int result = good ? put(writing, buf_slice(&records), error)
                            : error_set(error, EFBIG, "the envelope is too large");
    buf_drop(&records);
    return result;
}

/* The head of the content is written when its length and checksum are known. */
static int write_all(struct writing *writing, const struct waiting_new *new, struct error *error)
{
    char head[RECORD_VERSION_SIZE + RECORD_HEAD];
    struct record content = {.kind = RECORD_CONTENT};

    writing->at = sizeof(head);
    if (write_content(writing, new, error) < 0)
        return -1;
    content.length = writing->at - sizeof(head);
    content.checksum = writing->checksum;
    record_put_version(head, new->mark, RECORD_FORM_MESSAGE);
    record_put_head(head + RECORD_VERSION_SIZE, new->mark, &content);
    if (writing->files->write(writing->files, writing->descriptor, 0, slice_of(head, sizeof(head)), error) <
        0)
        return -1;
    if (write_rest(writing, new, content.length, error) < 0)
        return -1;
    return writing->files->sync(writing->files, writing->descriptor, error);
}

int waiting_write(struct files *files, const struct waiting_new *new, struct error *error)
{
    struct writing writing = {.files = files};

    if (files->open(files, new->path, FILES_WRITE | FILES_CREATE | FILES_TRUNCATE, &writing.descriptor,
                    error) < 0)
        return -1;
    const int result = write_all(&writing, new, error);
    if (result < 0)
        (void)files->remove(files, new->path, NULL);
    files->close(files, writing.descriptor);
    return result;
}

int waiting_append(struct files *files, const char *path, uint64_t mark, const struct result *first,
                   const struct schedule *schedule, uint64_t *end, struct error *error)
{
    struct buf records;
    bool good = true;
    int descriptor;

    if (files->open(files, path, FILES_WRITE, &descriptor, error) < 0)
        return -1;
    buf_init(&records, REST_MAX);
    for (const struct result *result = first; good && result; result = result->next)
        good = message_add_result_record(&records, mark, result);
    good = good && message_add_schedule_record(&records, mark, schedule);
    int result = good ? files->write(files, descriptor, *end, buf_slice(&records), error)
                      : error_set(error, EFBIG, "the results are too large");
    if (result == 0)
        result = files->sync(files, descriptor, error);
    if (result == 0)
        *end += records.len;
    files->close(files, descriptor);
    buf_drop(&records);
    return result;
}
