#include "journal/segment.h"

#include "base/calendar.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "base/text.h"
#include "journal/packed.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC        "PostJrn1"
#define MAGIC_SIZE   8
#define HEADER_FIXED 48 /* magic to marker */
#define SUFFIX       ".journal"

/* --- names --------------------------------------------------------------------------------------------- */

size_t segment_name_print(const struct segment_name *name, char text[SEGMENT_NAME_SIZE])
{
    struct calendar at = calendar_from_unix(name->started_unix, 0);
    int len = snprintf(text, SEGMENT_NAME_SIZE, "%s-%u.%04d%02d%02dT%02d%02d%02dZ.%08u" SUFFIX, name->role,
                       name->number, at.year, at.month, at.day, at.hour, at.minute, at.second,
                       name->sequence);
    assert(len > 0 && len < SEGMENT_NAME_SIZE);
    return (size_t)len;
}

static bool cut_number(struct slice *text, size_t digits, int *ret_value)
{
    uint64_t value;
    if (text->len < digits || !text_parse_u64(slice_head(*text, digits), &value))
        return false;
    *text = slice_from(*text, digits);
    *ret_value = (int)value;
    return true;
}

/* YYYYMMDDTHHMMSSZ */
static bool parse_time(struct slice text, int64_t *ret_unix)
{
    struct calendar at = {0};
    bool good = text.len == 16 && text.at[8] == 'T' && text.at[15] == 'Z';
    good = good && cut_number(&text, 4, &at.year) && cut_number(&text, 2, &at.month);
    good = good && cut_number(&text, 2, &at.day);
    text = slice_from(text, 1);
    good = good && cut_number(&text, 2, &at.hour) && cut_number(&text, 2, &at.minute);
    good = good && cut_number(&text, 2, &at.second);
    if (good)
        *ret_unix = calendar_to_unix(&at, 0);
    return good;
}

static bool parse_stream(struct slice text, struct segment_name *ret_name)
{
    uint64_t number;
    size_t dash = slice_find_last(text, '-');
    if (dash == SLICE_NOT_FOUND || dash == 0 || dash > SEGMENT_ROLE_MAX)
        return false;
    if (!text_parse_u64(slice_from(text, dash + 1), &number) || number > 9999)
        return false;
    for (size_t i = 0; i < dash; i++)
        if (!text_is_alpha(text.at[i]))
            return false;
    memcpy(ret_name->role, text.at, dash);
    ret_name->role[dash] = '\0';
    ret_name->number = (unsigned)number;
    return true;
}

bool segment_name_parse(struct slice text, struct segment_name *ret_name)
{
    struct segment_name name = {0};
    struct slice part;
    uint64_t sequence;
    if (slice_ends_fold(text, SLICE(PACKED_SUFFIX)))
        text = slice_head(text, text.len - (sizeof PACKED_SUFFIX - 1));
    if (!slice_ends_fold(text, SLICE(SUFFIX)))
        return false;
    text = slice_head(text, text.len - (sizeof SUFFIX - 1));
    if (!slice_cut(&text, '.', &part) || !parse_stream(part, &name))
        return false;
    if (!slice_cut(&text, '.', &part) || !parse_time(part, &name.started_unix))
        return false;
    if (!text_parse_u64(text, &sequence) || sequence == 0 || sequence > UINT32_MAX)
        return false;
    name.sequence = (uint32_t)sequence;
    *ret_name = name;
    return true;
}

size_t segment_stream_print(const struct segment_name *name, char text[SEGMENT_STREAM_SIZE])
{
    int len = snprintf(text, SEGMENT_STREAM_SIZE, "%s-%u", name->role, name->number);
    assert(len > 0 && len < SEGMENT_STREAM_SIZE);
    return (size_t)len;
}

int segment_stream_compare(const struct segment_name *a, const struct segment_name *b)
{
    int roles = strcmp(a->role, b->role);
    if (roles)
        return roles;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* --- header and milestone ------------------------------------------------------------------------------ */

static void put_u32(char *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static uint32_t get_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text); /* its array has 256 octets at most */
    *at++ = (char)len;
    memcpy(at, text, len);
    return at + len;
}

void segment_header_add(struct buf *buf, const struct segment_header *header)
{
    char octets[SEGMENT_HEADER_MAX] = MAGIC;
    memcpy(octets + 16, &header->started_us, 8);
    put_u32(octets + 24, header->name.sequence);
    put_u32(octets + 28, header->name.number);
    memcpy(octets + 32, header->marker, SEGMENT_MARKER_SIZE);
    char *at = octets + HEADER_FIXED;
    at = put_text(at, header->name.role);
    at = put_text(at, header->version);
    at = put_text(at, header->configuration);
    size_t size = ((size_t)(at - octets) + 7) / 8 * 8;
    put_u32(octets + 8, (uint32_t)size);
    put_u32(octets + 12, checksum_add(0, slice_of(octets + 16, size - 16)));
    buf_add(buf, slice_of(octets, size));
}

static bool get_text(struct slice *rest, char *text, size_t size)
{
    if (!rest->len)
        return false;
    size_t len = (unsigned char)*rest->at;
    *rest = slice_from(*rest, 1);
    if (len > rest->len || len >= size)
        return false;
    memcpy(text, rest->at, len);
    text[len] = '\0';
    *rest = slice_from(*rest, len);
    return true;
}

enum event_status segment_header_read(struct slice octets, struct segment_header *ret_header)
{
    if (octets.len < HEADER_FIXED)
        return EVENT_PARTIAL;
    struct segment_header header = {.size = get_u32(octets.at + 8)};
    if (memcmp(octets.at, MAGIC, MAGIC_SIZE) != 0 || header.size < HEADER_FIXED ||
        header.size > SEGMENT_HEADER_MAX)
        return EVENT_BAD;
    if (octets.len < header.size)
        return EVENT_PARTIAL;
    if (get_u32(octets.at + 12) != checksum_add(0, slice_of(octets.at + 16, header.size - 16)))
        return EVENT_BAD;
    memcpy(&header.started_us, octets.at + 16, 8);
    header.name.sequence = get_u32(octets.at + 24);
    header.name.number = get_u32(octets.at + 28);
    header.name.started_unix = header.started_us / 1000000;
    memcpy(header.marker, octets.at + 32, SEGMENT_MARKER_SIZE);
    struct slice rest = slice_of(octets.at + HEADER_FIXED, header.size - HEADER_FIXED);
    if (!get_text(&rest, header.name.role, sizeof header.name.role) ||
        !get_text(&rest, header.version, sizeof header.version) ||
        !get_text(&rest, header.configuration, sizeof header.configuration))
        return EVENT_BAD;
    *ret_header = header;
    return EVENT_DONE;
}

void segment_milestone_add(struct buf *buf, const char marker[SEGMENT_MARKER_SIZE],
                           const struct event_stamp *stamp)
{
    char octets[SEGMENT_MILESTONE] = {0};
    put_u32(octets, SEGMENT_MILESTONE);
    put_u32(octets + 20, stamp->previous);
    memcpy(octets + 24, &stamp->unix_us, 8);
    memcpy(octets + EVENT_HEAD_SIZE, marker, SEGMENT_MARKER_SIZE);
    put_u32(octets + 4, checksum_add(0, slice_of(octets + 8, sizeof octets - 8)));
    buf_add(buf, slice_of(octets, sizeof octets));
}

/* --- the folder ---------------------------------------------------------------------------------------- */

static int name_order(const void *left, const void *right)
{
    const struct segment_name *a = left, *b = right;
    int streams = segment_stream_compare(a, b);
    if (streams)
        return streams;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void listing_add(struct segment_listing *listing, const struct segment_name *name)
{
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 32;
        listing->names = memory_resize(listing->names, listing->room * sizeof *name, room * sizeof *name);
        listing->room = room;
    }
    listing->names[listing->count++] = *name;
}

/* Both forms of a file are one. */
static void listing_unite(struct segment_listing *listing)
{
    size_t kept = 0;
    for (size_t i = 0; i < listing->count; i++)
        if (!i || name_order(&listing->names[kept - 1], &listing->names[i]) != 0)
            listing->names[kept++] = listing->names[i];
    listing->count = kept;
}

int segment_list(const char *folder, struct segment_listing *ret_listing, struct error *error)
{
    struct segment_listing listing = {0};
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set(error, errno, "cannot read the journal's folder %s", folder);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct segment_name name;
        if (segment_name_parse(slice_text(entry->d_name), &name))
            listing_add(&listing, &name);
    }
    closedir(dir);
    memory_sort(listing.names, listing.count, sizeof *listing.names, name_order);
    listing_unite(&listing);
    *ret_listing = listing;
    return 0;
}

void segment_listing_drop(struct segment_listing *listing)
{
    memory_give(listing->names, listing->room * sizeof *listing->names);
    *listing = (struct segment_listing){0};
}

/* --- one file ------------------------------------------------------------------------------------------ */

/* Wide enough for half a window behind any place, where it must begin with a packed frame. */
#define WINDOW (384u * 1024u)
#define REACH  (128u * 1024u) /* looked at in one go for a milestone, backwards */
static_assert(WINDOW >= REACH + PACKED_FRAME + SEGMENT_MILESTONE, "it holds what is looked at");
static_assert(WINDOW >= 2 * PACKED_FRAME + EVENT_SIZE_MAX, "a record that is read is in it whole");

void segment_path(const char *folder, const struct segment_name *name, bool packed, char path[4096])
{
    char text[SEGMENT_NAME_SIZE];
    segment_name_print(name, text);
    snprintf(path, 4096, "%.3900s/%s%s", folder, text, packed ? PACKED_SUFFIX : "");
}

uint64_t segment_disk(const char *folder, const struct segment_name *name, int64_t *ret_changed_unix)
{
    uint64_t octets = 0;
    for (int packed = 0; packed < 2; packed++) {
        char path[4096];
        struct stat stat_of;
        segment_path(folder, name, packed, path);
        if (stat(path, &stat_of) != 0)
            continue;
        octets += (uint64_t)stat_of.st_size;
        *ret_changed_unix = stat_of.st_mtime;
    }
    return octets;
}

/* A writer holds the lock of its stream for life. The lock is asked about, not tried: a writer that begins in
 * this moment must get it. */
bool segment_has_writer(const char *folder, const struct segment_name *name)
{
    char stream[SEGMENT_STREAM_SIZE], path[4096];
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    segment_stream_print(name, stream);
    snprintf(path, sizeof path, "%.3900s/%s.lock", folder, stream);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool held = fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

static size_t read_plain(const struct segment_file *file, uint64_t offset, char *octets, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = pread(file->fd, octets + have, size - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return have;
}

/* Of a packed file whole frames: as many as fit into `size`. */
static void window_load(struct segment_file *file, uint64_t at, size_t size)
{
    if (!file->window)
        file->window = memory_take(WINDOW);
    file->window_at = file->packed ? packed_frame_start(file->packed, at) : at;
    file->window_len = file->packed ? packed_read(file->packed, file->window_at, file->window, size)
                                    : read_plain(file, at, file->window, size);
}

/* The plain form first: while a file is packed that is there, and is gone only when the other has come. */
static int either_open(const char *folder, const struct segment_name *name, struct segment_file *file,
                       struct error *error)
{
    char path[4096];
    for (int packed = 0; packed < 2; packed++) {
        segment_path(folder, name, packed, path);
        file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file->fd >= 0 && packed && packed_open(file->fd, &file->packed, error) < 0) {
            close(file->fd);
            return -1;
        }
        if (file->fd >= 0)
            return 0;
        if (errno != ENOENT)
            return error_set(error, errno, "cannot open %s", path);
    }
    segment_path(folder, name, false, path);
    return error_set(error, ENOENT, "cannot open %s", path);
}

uint64_t segment_size(const char *folder, const struct segment_name *name)
{
    struct segment_file file = {.fd = -1};
    if (either_open(folder, name, &file, NULL) < 0)
        return 0;
    uint64_t size = segment_file_size(&file);
    segment_file_close(&file);
    return size;
}

int segment_file_open(const char *folder, const struct segment_name *name, struct segment_file *ret_file,
                      struct error *error)
{
    struct segment_file file = {.fd = -1};
    if (either_open(folder, name, &file, error) < 0)
        return -1;
    window_load(&file, 0, PACKED_FRAME);
    if (segment_header_read(slice_of(file.window, file.window_len), &file.header) != EVENT_DONE) {
        char path[4096];
        segment_path(folder, name, file.packed != NULL, path);
        segment_file_close(&file);
        return error_set(error, 0, "%s does not begin as a journal file", path);
    }
    *ret_file = file;
    return 0;
}

void segment_file_close(struct segment_file *file)
{
    if (file->fd > 0)
        close(file->fd);
    packed_close(file->packed);
    memory_give(file->window, file->window ? WINDOW : 0);
    *file = (struct segment_file){.fd = -1};
}

uint64_t segment_file_size(const struct segment_file *file)
{
    struct stat stat;
    if (file->packed)
        return packed_size(file->packed);
    return fstat(file->fd, &stat) == 0 && stat.st_size > 0 ? (uint64_t)stat.st_size : 0;
}

static struct slice window_from(const struct segment_file *file, uint64_t offset)
{
    if (offset < file->window_at || offset >= file->window_at + file->window_len)
        return SLICE_NONE;
    size_t skip = (size_t)(offset - file->window_at);
    return slice_of(file->window + skip, file->window_len - skip);
}

/* Who reads on gets much at once; who jumps into a packed file a frame, which mostly is enough for a session.
 * Reading backwards in a plain one, the records before this one are wanted next: they come along. */
static void window_move(struct segment_file *file, uint64_t offset, bool more)
{
    bool on = offset >= file->window_at && offset <= file->window_at + file->window_len;
    bool back = file->window_len && offset < file->window_at;
    uint64_t before = back && !file->packed ? WINDOW - EVENT_SIZE_MAX : 0;
    size_t size = file->packed && !on && !more ? PACKED_FRAME : WINDOW;
    window_load(file, offset > before ? offset - before : 0, size);
}

enum segment_status segment_file_read(struct segment_file *file, uint64_t offset, struct event *ret_event,
                                      size_t *ret_size)
{
    struct slice have = window_from(file, offset);
    enum event_status status = event_read(have, ret_event, ret_size);
    for (unsigned try = 0; try < 2 && status == EVENT_PARTIAL; try++) {
        window_move(file, offset, try > 0);
        have = window_from(file, offset);
        status = event_read(have, ret_event, ret_size);
    }
    switch (status) {
    case EVENT_DONE: return SEGMENT_RECORD;
    case EVENT_BAD: return SEGMENT_BAD;
    case EVENT_PARTIAL: break;
    }
    return have.len ? SEGMENT_TORN : SEGMENT_END;
}

struct slice segment_file_record(const struct segment_file *file, uint64_t offset, size_t size)
{
    return slice_head(window_from(file, offset), size);
}

/* --- milestones ---------------------------------------------------------------------------------------- */

/* The marker alone proves nothing at a place: it must stand in a whole record of kind 0. */
static bool milestone_at(const struct segment_file *file, struct slice octets)
{
    struct event event;
    size_t size;
    return event_read(octets, &event, &size) == EVENT_DONE && event.kind == EVENT_NONE &&
           size == SEGMENT_MILESTONE &&
           memcmp(octets.at + EVENT_HEAD_SIZE, file->header.marker, SEGMENT_MARKER_SIZE) == 0;
}

/* The first or the last milestone that begins in the window; SLICE_NOT_FOUND: none does. */
static size_t milestone_in(const struct segment_file *file, struct slice window, bool last)
{
    size_t found = SLICE_NOT_FOUND;
    struct slice marker = slice_of(file->header.marker, SEGMENT_MARKER_SIZE);
    for (size_t at = 0;;) {
        size_t hit = slice_find_slice(slice_from(window, at), marker);
        if (hit == SLICE_NOT_FOUND)
            return found;
        at += hit + 1;
        if (at - 1 < EVENT_HEAD_SIZE)
            continue;
        size_t start = at - 1 - EVENT_HEAD_SIZE;
        if (!milestone_at(file, slice_from(window, start)))
            continue;
        found = start;
        if (!last)
            return found;
    }
}

uint64_t segment_file_milestone_before(struct segment_file *file, uint64_t before)
{
    uint64_t size = segment_file_size(file);
    uint64_t end = before < size ? before : size;
    while (end > file->header.size) {
        uint64_t start = end - file->header.size > REACH ? end - REACH : file->header.size;
        window_load(file, start, WINDOW);
        uint64_t len = end - start + SEGMENT_MILESTONE - 1;
        size_t at = milestone_in(file, slice_head(window_from(file, start), (size_t)len), true);
        if (at != SLICE_NOT_FOUND)
            return start + at;
        end = start;
    }
    return 0;
}

uint64_t segment_file_milestone_after(struct segment_file *file, uint64_t from)
{
    uint64_t size = segment_file_size(file);
    if (from < file->header.size)
        from = file->header.size;
    while (from < size) {
        window_load(file, from, WINDOW);
        struct slice window = window_from(file, from);
        size_t at = milestone_in(file, window, false);
        if (at != SLICE_NOT_FOUND)
            return from + at;
        if (window.len < SEGMENT_MILESTONE)
            return 0;
        from += window.len - SEGMENT_MILESTONE + 1;
    }
    return 0;
}

/* Whether the milestone at that place is of before that time. */
static bool is_earlier(struct segment_file *file, uint64_t milestone, int64_t unix_us)
{
    struct event event;
    size_t size;
    return segment_file_read(file, milestone, &event, &size) == SEGMENT_RECORD &&
           event.stamp.unix_us < unix_us;
}

/* By halves, as the times of milestones grow; where a clock was set they may not, and whoever looks for
 * something then has to read on from the file's beginning. */
uint64_t segment_file_seek(struct segment_file *file, int64_t unix_us)
{
    uint64_t low = file->header.size, high = segment_file_size(file);
    while (high > low + 2 * SEGMENT_BLOCK) {
        uint64_t middle = low + (high - low) / 2;
        uint64_t at = segment_file_milestone_after(file, middle);
        if (at && at < high && is_earlier(file, at, unix_us))
            low = at;
        else
            high = middle;
    }
    return low;
}

/* --- mending ------------------------------------------------------------------------------------------- */

/* Where the whole records end that follow the last milestone. */
static uint64_t whole_end(struct segment_file *file)
{
    uint64_t at = segment_file_milestone_before(file, UINT64_MAX);
    if (!at)
        at = file->header.size;
    struct event event;
    for (size_t size; segment_file_read(file, at, &event, &size) == SEGMENT_RECORD;)
        at += size;
    return at;
}

uint64_t segment_mend(const char *folder, const struct segment_name *name)
{
    struct segment_file file;
    if (segment_file_open(folder, name, &file, NULL) < 0)
        return 0;
    bool packed = file.packed != NULL;
    uint64_t size = segment_file_size(&file), end = packed ? size : whole_end(&file);
    segment_file_close(&file);
    char path[4096];
    segment_path(folder, name, false, path);
    return end < size && truncate(path, (off_t)end) == 0 ? size - end : 0;
}
