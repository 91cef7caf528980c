#include "io/draft.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "core/event.h"
#include "io/files.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct draft {
    struct drafts *drafts;
    struct buf memory; /* all of it; with a file: what has not been written yet */
    uint64_t size;     /* in file and memory */
    uint64_t written;  /* in the file */
    uint64_t flushed;  /* handed to the disk */
    uint64_t at;       /* reading: where */
    uint32_t checksum; /* of what was written */
    int descriptor;    /* -1: no file */
    bool kept;         /* the file has another name and stays */
    bool failed;
    struct error error;
    char *path; /* FILES_PATH_MAX octets, once there is a file */
};

void drafts_init(struct drafts *drafts, struct files *files, const char *folder, uint64_t name)
{
    assert(strlen(folder) < sizeof(drafts->folder));
    memset(drafts, 0, sizeof(*drafts));
    drafts->files = files;
    drafts->name = name;
    memcpy(drafts->folder, folder, strlen(folder) + 1);
}

struct draft *draft_new(struct drafts *drafts)
{
    struct draft *draft = memory_take(sizeof(*draft));

    draft->drafts = drafts;
    draft->descriptor = -1;
    buf_init(&draft->memory, DRAFT_MEMORY);
    return draft;
}

#define NAME_TRIES 10

/* 1: made and ours. 0: the courier was quicker than our lock and takes it for one that was left behind. */
static int file_make(struct draft *draft, struct error *error)
{
    struct drafts *drafts = draft->drafts;
    struct files *files = drafts->files;
    char id[EVENT_ID_SIZE];
    char name[64];
    bool mine = false;

    event_id_print(drafts->name, id);
    snprintf(name, sizeof(name), "%s-%llu.draft", id, (unsigned long long)++drafts->count);
    if (files_join(draft->path, drafts->folder, name, error) < 0)
        return -1;
    if (files->open(files, draft->path, FILES_WRITE | FILES_CREATE | FILES_NEW, &draft->descriptor, error) <
        0)
        return -1;
    if (files_claim(files, draft->path, draft->descriptor, &mine, error) < 0)
        return -1;
    if (!mine) {
        files->close(files, draft->descriptor);
        draft->descriptor = -1;
    }
    return mine;
}

/* The file is locked as long as it is ours: what nobody has locked was left behind by a process that ended,
 * and the courier removes it. */
static int file_begin(struct draft *draft, struct error *error)
{
    int made = 0;

    draft->path = memory_take(FILES_PATH_MAX);
    for (unsigned i = 0; i < NAME_TRIES && made == 0; i++)
        made = file_make(draft, error);
    if (made == 0)
        return error_set(error, EAGAIN, "cannot lock %s", draft->path);
    return made < 0 ? -1 : 0;
}

static int write_out(struct draft *draft, struct error *error)
{
    struct files *files = draft->drafts->files;
    const struct slice octets = buf_slice(&draft->memory);

    if (draft->descriptor < 0 && file_begin(draft, error) < 0)
        return -1;
    if (files->write(files, draft->descriptor, DRAFT_HEAD + draft->written, octets, error) < 0)
        return -1;
    draft->checksum = checksum_add(draft->checksum, octets);
    draft->written += octets.len;
    buf_clear(&draft->memory);
    if (draft->written - draft->flushed >= DRAFT_FLUSH) {
        files->flush(files, draft->descriptor, draft->flushed, draft->written - draft->flushed);
        draft->flushed = draft->written;
    }
    return 0;
}

bool draft_add(struct draft *draft, struct slice octets)
{
    if (!draft->failed && octets.len > DRAFT_SIZE_MAX - draft->size) {
        draft->failed = true;
        error_set(&draft->error, EFBIG, "the message is too large");
    }
    while (!draft->failed && octets.len) {
        const struct slice part = slice_head(octets, DRAFT_MEMORY - draft->memory.len);
        buf_add(&draft->memory, part);
        draft->size += part.len;
        octets = slice_from(octets, part.len);
        if (octets.len && write_out(draft, &draft->error) < 0) {
            draft->failed = true;
            draft->size -= part.len;
        }
    }
    return !draft->failed;
}

uint64_t draft_size(const struct draft *draft)
{
    return draft->size;
}

const struct error *draft_trouble(const struct draft *draft)
{
    return draft->failed ? &draft->error : NULL;
}

int draft_next(void *from, struct slice *ret_piece, struct error *error)
{
    struct draft *draft = from;
    struct files *files = draft->drafts->files;
    size_t got;

    if (draft_in_memory(draft)) {
        *ret_piece = slice_from(buf_slice(&draft->memory), draft->at);
        draft->at = draft->size;
        return 0;
    }
    if (draft->memory.len && write_out(draft, error) < 0)
        return -1;
    char *room = buf_room(&draft->memory, DRAFT_MEMORY);
    const uint64_t left = draft->written - draft->at;
    const size_t size = left < DRAFT_MEMORY ? (size_t)left : DRAFT_MEMORY;
    if (files->read(files, draft->descriptor, DRAFT_HEAD + draft->at, room, size, &got, error) < 0)
        return -1;
    if (got != size)
        return error_set(error, EIO, "%s has become shorter", draft->path);
    draft->at += got;
    *ret_piece = slice_of(room, got);
    return 0;
}

void draft_rewind(void *from)
{
    ((struct draft *)from)->at = 0;
}

void draft_free(struct draft *draft)
{
    if (!draft)
        return;
    struct files *files = draft->drafts->files;
    if (draft->descriptor >= 0) {
        if (!draft->kept)
            (void)files->remove(files, draft->path, NULL);
        files->close(files, draft->descriptor);
    }
    if (draft->path)
        memory_give(draft->path, FILES_PATH_MAX);
    buf_drop(&draft->memory);
    memory_give(draft, sizeof(*draft));
}

bool draft_in_memory(const struct draft *draft)
{
    return draft->descriptor < 0;
}

struct slice draft_octets(const struct draft *draft)
{
    assert(draft_in_memory(draft));
    return buf_slice(&draft->memory);
}

int draft_settle(struct draft *draft, struct draft_file *ret_file, struct error *error)
{
    assert(!draft_in_memory(draft));
    if (draft->memory.len && write_out(draft, error) < 0)
        return -1;
    ret_file->descriptor = draft->descriptor;
    ret_file->path = draft->path;
    ret_file->size = draft->written;
    ret_file->checksum = draft->checksum;
    return 0;
}

void draft_kept(struct draft *draft)
{
    draft->kept = true;
}
