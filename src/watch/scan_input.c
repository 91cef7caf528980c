#include "watch/scan_input.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define RAW_SIZE    (128u * 1024u) /* compressed octets at a time */
#define BLOCK_SIZE  (512u * 1024u) /* of text at a time: it stays in the second cache */
#define TEXT_SIZE   (SCAN_LINE_MAX + BLOCK_SIZE)
#define WINDOW_LOG  27
#define GZIP_WINDOW (15 + 16) /* zlib: with gzip's header */
#define MAGIC_SIZE  6

enum form { FORM_PLAIN, FORM_GZIP, FORM_ZSTD };

struct scan_input {
    int fd;
    bool mine; /* fd is to be closed */
    enum form form;
    bool is_file;
    uint64_t size;
    int64_t changed_ms;
    uint64_t done; /* octets read from fd */
    uint64_t given;
    char path[256]; /* for complaints */

    char *text; /* TEXT_SIZE octets: what is not given is from `from` to `to` */
    size_t from, to;
    bool skips; /* the rest of a line that was cut is passed over */
    bool ended; /* no more text comes */
    bool failed;
    struct error error;

    /* of compressed files */
    char *raw; /* RAW_SIZE octets */
    size_t raw_from, raw_to;
    bool raw_ended;
    bool inside; /* a member or frame has begun and not ended */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

/* --- octets -------------------------------------------------------------------------------------------- */

/* 0 at the end, -1 with the error set. */
static ssize_t octets_read(struct scan_input *input, char *at, size_t size)
{
    ssize_t got;

    do
        got = read(input->fd, at, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set(&input->error, errno, "cannot read %s", input->path);
    input->done += (uint64_t)got;
    return got;
}

static ssize_t fail(struct scan_input *input, const char *what)
{
    return error_set(&input->error, 0, "%s %s: what stood before was read", input->path, what);
}

/* Fills raw when it is empty. -1: failed. */
static int raw_fill(struct scan_input *input)
{
    if (input->raw_from < input->raw_to || input->raw_ended)
        return 0;
    const ssize_t got = octets_read(input, input->raw, RAW_SIZE);

    if (got < 0)
        return -1;
    input->raw_from = 0;
    input->raw_to = (size_t)got;
    input->raw_ended = got == 0;
    return 0;
}

/* A gzip file is one member behind another; what follows the last one and is none (padding) is passed over.
 */
static bool gzip_begins(struct scan_input *input)
{
    if (input->raw[input->raw_from] != '\x1f')
        return false;
    (void)inflateReset(&input->gzip);
    input->inside = true;
    return true;
}

static ssize_t gzip_read(struct scan_input *input, char *at, size_t size)
{
    for (;;) {
        if (raw_fill(input) < 0)
            return -1;
        if (input->raw_from == input->raw_to)
            return input->inside ? fail(input, "ends early") : 0;
        if (!input->inside && !gzip_begins(input)) {
            input->raw_from = input->raw_to;
            input->raw_ended = true;
            return 0;
        }
        input->gzip.next_in = (Bytef *)input->raw + input->raw_from;
        input->gzip.avail_in = (uInt)(input->raw_to - input->raw_from);
        input->gzip.next_out = (Bytef *)at;
        input->gzip.avail_out = (uInt)size;
        const int status = inflate(&input->gzip, Z_NO_FLUSH);
        input->raw_from = input->raw_to - input->gzip.avail_in;
        if (status == Z_STREAM_END)
            input->inside = false;
        else if (status != Z_OK && status != Z_BUF_ERROR)
            return fail(input, "is damaged");
        if (input->gzip.avail_out < size)
            return (ssize_t)(size - input->gzip.avail_out);
    }
}

static ssize_t zstd_read(struct scan_input *input, char *at, size_t size)
{
    for (;;) {
        if (raw_fill(input) < 0)
            return -1;
        ZSTD_inBuffer in = {input->raw, input->raw_to, input->raw_from};
        ZSTD_outBuffer out = {at, size, 0};
        /* What is held inside comes out without more input, too. */
        if (in.pos == in.size && !input->inside)
            return 0;
        const size_t left = ZSTD_decompressStream(input->zstd, &out, &in);
        if (ZSTD_isError(left))
            return fail(input, ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge
                                   ? "has a window over 128 MiB"
                                   : "is damaged");
        const bool moved = in.pos != input->raw_from;
        input->raw_from = in.pos;
        input->inside = left != 0;
        if (out.pos)
            return (ssize_t)out.pos;
        if (!moved && input->raw_ended && input->inside)
            return fail(input, "ends early");
    }
}

static ssize_t text_read(struct scan_input *input, char *at, size_t size)
{
    switch (input->form) {
    case FORM_GZIP: return gzip_read(input, at, size);
    case FORM_ZSTD: return zstd_read(input, at, size);
    case FORM_PLAIN: break;
    }
    return octets_read(input, at, size);
}

/* More text behind what is not given; the front is moved down for it. */
static void text_fill(struct scan_input *input)
{
    const size_t kept = input->to - input->from;

    if (input->from) {
        memmove(input->text, input->text + input->from, kept);
        input->from = 0;
        input->to = kept;
    }
    const ssize_t got = text_read(input, input->text + input->to, TEXT_SIZE - input->to);
    if (got > 0)
        input->to += (size_t)got;
    else
        input->ended = true;
    input->failed = got < 0;
}

/* --- lines --------------------------------------------------------------------------------------------- */

static enum scan_read line_give(struct scan_input *input, size_t len, size_t end, struct slice *ret_line,
                                enum scan_read status)
{
    const char *at = input->text + input->from;

    input->from += len + end;
    input->given += len + end;
    if (end && len && at[len - 1] == '\r')
        len--;
    *ret_line = slice_of(at, len);
    return status;
}

/* The rest of a line that was cut goes, with its end. */
static void rest_skip(struct scan_input *input, size_t len, bool found)
{
    input->from += len + found;
    input->given += len + found;
    input->skips = !found;
}

enum scan_read scan_input_line(struct scan_input *input, struct slice *ret_line, struct error *error)
{
    for (;;) {
        const size_t held = input->to - input->from;
        const char *at = input->text + input->from, *end = held ? memchr(at, '\n', held) : NULL;
        const size_t len = end ? (size_t)(end - at) : held;

        if (input->skips && held) {
            rest_skip(input, len, end != NULL);
        } else if (len > SCAN_LINE_MAX) {
            input->skips = true;
            return line_give(input, SCAN_LINE_MAX, 0, ret_line, SCAN_LONG);
        } else if (end) {
            return line_give(input, len, 1, ret_line, SCAN_LINE);
        } else if (!input->ended) {
            text_fill(input);
        } else if (held) {
            return line_give(input, held, 0, ret_line, SCAN_LINE);
        } else {
            if (!input->failed)
                return SCAN_END;
            if (error)
                *error = input->error;
            return SCAN_FAILED;
        }
    }
}

/* --- opening ------------------------------------------------------------------------------------------- */

/* Reads the beginning into text, whatever the form. */
static int begin_read(struct scan_input *input)
{
    while (input->to < MAGIC_SIZE) {
        const ssize_t got = octets_read(input, input->text + input->to, RAW_SIZE - input->to);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        input->to += (size_t)got;
    }
    return 0;
}

static bool begins_with(const struct scan_input *input, const char *magic, size_t size)
{
    return input->to >= size && memcmp(input->text, magic, size) == 0;
}

/* What was read already is compressed: it becomes raw. */
static void become_raw(struct scan_input *input, enum form form)
{
    input->form = form;
    input->raw = memory_take(RAW_SIZE);
    memcpy(input->raw, input->text, input->to);
    input->raw_to = input->to;
    input->to = 0;
}

static int form_find(struct scan_input *input)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *name, *tool;
    } others[] = {
        {"\xfd"
         "7zXZ",
         5, "xz", "xzcat"},
        {"BZh", 3, "bzip2", "bzcat"},
        {"PK\x03\x04", 4, "zip", "unzip -p"},
        {"\x1f\x9d", 2, "compress", "zcat"},
        {"LPKSHHRH", 6, "journald's form", "journalctl --file"},
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (begins_with(input, others[i].magic, others[i].size))
            return error_set(&input->error, 0,
                             "%s is in %s, which is not read here: try %s FILE | postern scan-log -",
                             input->path, others[i].name, others[i].tool);
    if (begins_with(input, "\x1f\x8b", 2)) {
        become_raw(input, FORM_GZIP);
        if (inflateInit2(&input->gzip, GZIP_WINDOW) != Z_OK)
            return error_set(&input->error, 0, "zlib refuses to begin");
        input->inside = true;
    } else if (begins_with(input, "\x28\xb5\x2f\xfd", 4)) {
        become_raw(input, FORM_ZSTD);
        input->zstd = ZSTD_createDStream();
        if (!input->zstd)
            return error_set(&input->error, ENOMEM, "cannot begin to decompress %s", input->path);
        (void)ZSTD_DCtx_setParameter(input->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
    }
    return 0;
}

static int look_at(struct scan_input *input)
{
    struct stat status;

    if (fstat(input->fd, &status) < 0)
        return error_set(&input->error, errno, "cannot look at %s", input->path);
    if (S_ISDIR(status.st_mode))
        return error_set(&input->error, EISDIR, "cannot read %s", input->path);
    input->is_file = S_ISREG(status.st_mode);
    if (!input->is_file)
        return 0;
    input->size = (uint64_t)status.st_size;
    input->changed_ms = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    (void)posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

static int path_open(struct scan_input *input, const char *path)
{
    const bool is_standard = strcmp(path, "-") == 0;
    const char *shown = is_standard ? "standard input" : path;
    const size_t len = slice_head(slice_text(shown), sizeof input->path - 1).len;

    memcpy(input->path, shown, len);
    input->fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    input->mine = !is_standard;
    if (input->fd < 0)
        return error_set(&input->error, errno, "cannot open %s", input->path);
    return 0;
}

int scan_input_open(const char *path, struct scan_input **ret_input, struct error *error)
{
    struct scan_input *input = memory_take(sizeof *input);

    input->text = memory_take(TEXT_SIZE);
    if (path_open(input, path) < 0 || look_at(input) < 0 || begin_read(input) < 0 || form_find(input) < 0) {
        if (error)
            *error = input->error;
        scan_input_close(input);
        return -1;
    }
    *ret_input = input;
    return 0;
}

void scan_input_close(struct scan_input *input)
{
    if (!input)
        return;
    if (input->mine && input->fd >= 0)
        (void)close(input->fd);
    if (input->form == FORM_GZIP)
        (void)inflateEnd(&input->gzip);
    if (input->zstd)
        (void)ZSTD_freeDStream(input->zstd);
    memory_give(input->raw, RAW_SIZE);
    memory_give(input->text, TEXT_SIZE);
    memory_give(input, sizeof *input);
}

uint64_t scan_input_size(const struct scan_input *input)
{
    return input->size;
}

uint64_t scan_input_done(const struct scan_input *input)
{
    return input->done;
}

uint64_t scan_input_text(const struct scan_input *input)
{
    return input->given;
}

bool scan_input_packed(const struct scan_input *input)
{
    return input->form != FORM_PLAIN;
}

int64_t scan_input_changed(const struct scan_input *input)
{
    return input->changed_ms;
}

size_t scan_input_peek(const struct scan_input *input, uint64_t offset, char *at, size_t size)
{
    if (!input->is_file || input->form != FORM_PLAIN)
        return 0;
    const ssize_t got = pread(input->fd, at, size, (off_t)offset);

    return got > 0 ? (size_t)got : 0;
}
