#include "queue/segment.h"

#include "base/checksum.h"
#include "core/event.h"
#include "queue/field.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(DRAFT_HEAD == RECORD_VERSION_SIZE + RECORD_HEAD,
              "a large message begins with VERSION and CONTENT");

/* Under another name until it is locked: the courier sees a new segment at once, and takes one that nobody
 * has locked for one that was left behind. */
static int begin_draft(struct segment *segment, const char *folder, const char *draft, struct error *error)
{
    struct files *files = segment->files;
    char head[RECORD_VERSION_SIZE];
    bool mine = false;

    if (files->open(files, draft, FILES_WRITE | FILES_CREATE | FILES_NEW, &segment->descriptor, error) < 0 ||
        files_claim(files, draft, segment->descriptor, &mine, error) < 0)
        return -1;
    if (!mine)
        return error_set(error, EEXIST, "%s is taken", draft);
    record_put_version(head, segment->mark, RECORD_FORM_SEGMENT);
    if (files->write(files, segment->descriptor, 0, slice_of(head, sizeof(head)), error) < 0 ||
        files->sync(files, segment->descriptor, error) < 0 ||
        files->rename(files, draft, segment->path, error) < 0) {
        (void)files->remove(files, draft, NULL);
        return -1;
    }
    if (files->sync_folder(files, folder, error) < 0) {
        (void)files->remove(files, segment->path, NULL);
        return -1;
    }
    return 0;
}

static int begin(struct segment *segment, const char *folder, uint64_t id, struct error *error)
{
    struct files_status status;
    char text[EVENT_ID_SIZE];
    char name[EVENT_ID_SIZE + sizeof(SEGMENT_SUFFIX DRAFT_SUFFIX)];
    char draft[FILES_PATH_MAX];

    event_id_print(id, text);
    snprintf(name, sizeof(name), "%s" SEGMENT_SUFFIX, text);
    if (files_join(segment->path, folder, name, error) < 0)
        return -1;
    snprintf(name, sizeof(name), "%s" SEGMENT_SUFFIX DRAFT_SUFFIX, text);
    if (files_join(draft, folder, name, error) < 0)
        return -1;
    if (segment->files->status(segment->files, segment->path, &status, NULL) == 0)
        return error_set(error, EEXIST, "%s is taken", segment->path);
    return begin_draft(segment, folder, draft, error);
}

int segment_begin(struct segment *segment, struct files *files, const char *folder, uint64_t id,
                  uint64_t mark, struct error *error)
{
    memset(segment, 0, sizeof(*segment));
    segment->files = files;
    segment->descriptor = -1;
    segment->mark = mark;
    if (begin(segment, folder, id, error) < 0) {
        if (segment->descriptor >= 0)
            files->close(files, segment->descriptor);
        segment->descriptor = -1;
        return -1;
    }
    segment->end = segment->synced = RECORD_VERSION_SIZE;
    return 0;
}

int segment_add(struct segment *segment, struct slice records, struct error *error)
{
    struct files *files = segment->files;

    if (files->write(files, segment->descriptor, segment->end, records, error) < 0)
        return -1;
    segment->end += records.len;
    return 0;
}

static int add_number(struct segment *segment, enum record_kind kind, uint64_t number, struct error *error)
{
    char octets[RECORD_HEAD + 8];
    struct record record = {.kind = kind, .length = 8};

    field_put_u64(octets + RECORD_HEAD, number);
    record.checksum = checksum_add(0, slice_of(octets + RECORD_HEAD, 8));
    record_put_head(octets, segment->mark, &record);
    return segment_add(segment, slice_of(octets, sizeof(octets)), error);
}

int segment_sync(struct segment *segment, struct error *error)
{
    struct error unwanted;

    if (segment->files->sync(segment->files, segment->descriptor, error) < 0)
        return -1;
    segment->synced = segment->end;
    /* What was added is safe: that the courier is not told costs time, not mail. It reads on when the file is
     * let go of. */
    if (add_number(segment, RECORD_SYNCED, segment->synced, &unwanted) < 0)
        segment_abandon(segment);
    return 0;
}

void segment_close(struct segment *segment)
{
    if (segment->descriptor < 0)
        return;
    if (add_number(segment, RECORD_CLOSED, segment->end, NULL) == 0)
        (void)segment->files->sync(segment->files, segment->descriptor, NULL);
    segment->files->close(segment->files, segment->descriptor);
    segment->descriptor = -1;
}

void segment_abandon(struct segment *segment)
{
    if (segment->descriptor < 0)
        return;
    if (segment->files->truncate(segment->files, segment->descriptor, segment->synced, NULL) == 0)
        (void)segment->files->sync(segment->files, segment->descriptor, NULL);
    segment->files->close(segment->files, segment->descriptor);
    segment->descriptor = -1;
}

static int complete(struct files *files, const struct draft_file *file, uint64_t mark, struct slice envelope,
                    struct error *error)
{
    char head[DRAFT_HEAD];
    const struct record content = {.kind = RECORD_CONTENT, .length = file->size, .checksum = file->checksum};

    record_put_version(head, mark, RECORD_FORM_MESSAGE);
    record_put_head(head + RECORD_VERSION_SIZE, mark, &content);
    if (files->write(files, file->descriptor, 0, slice_of(head, sizeof(head)), error) < 0)
        return -1;
    if (files->write(files, file->descriptor, DRAFT_HEAD + file->size, envelope, error) < 0)
        return -1;
    return files->sync(files, file->descriptor, error);
}

int segment_store_large(struct draft *draft, struct files *files, const char *folder, uint64_t mark,
                        struct slice envelope, const char *id, struct error *error)
{
    char path[FILES_PATH_MAX];
    char name[QUEUE_ID_SIZE + sizeof(MESSAGE_SUFFIX)];
    struct draft_file file;

    snprintf(name, sizeof(name), "%s" MESSAGE_SUFFIX, id);
    if (files_join(path, folder, name, error) < 0 || draft_settle(draft, &file, error) < 0 ||
        complete(files, &file, mark, envelope, error) < 0)
        return -1;
    if (files->rename(files, file.path, path, error) < 0)
        return -1;
    draft_kept(draft);
    if (files->sync_folder(files, folder, error) < 0) {
        (void)files->remove(files, path, NULL);
        return -1;
    }
    return 0;
}
