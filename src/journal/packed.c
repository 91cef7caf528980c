#include "journal/packed.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#define SEEK_FRAME    0x184D2A5Eu /* the skippable frame that holds the table */
#define SEEK_MAGIC    0x8F92EAB1u
#define SEEK_CHECKSUM 0x80u /* of the descriptor: entries have a third number */
#define FOOT_SIZE     9u
#define HEAD_SIZE     8u
#define ENTRY_SIZE    8u
#define FRAMES_MOST   1000000u
#define SCAN_HEAD     18u /* the longest head of a frame */

struct frame {
    uint64_t at, packed_at; /* behind those before it */
    uint32_t size, packed_size;
};

struct packed {
    int fd;
    struct frame *frames;
    size_t count, room;
    uint64_t size, packed_size;
    ZSTD_DCtx *context;
    char *octets; /* of one frame, packed */
    size_t octets_room;
};

static uint32_t get_u32(const char *at)
{
    const unsigned char *o = (const unsigned char *)at;
    return (uint32_t)o[0] | (uint32_t)o[1] << 8 | (uint32_t)o[2] << 16 | (uint32_t)o[3] << 24;
}

static void put_u32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(value >> 8 * i);
}

static size_t read_at(int fd, uint64_t offset, char *octets, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = pread(fd, octets + have, size - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return have;
}

/* --- the table ----------------------------------------------------------------------------------------- */

static void frame_add(struct packed *packed, uint32_t size, uint32_t packed_size)
{
    if (packed->count == packed->room) {
        size_t room = packed->room ? packed->room * 2 : 64, each = sizeof *packed->frames;
        packed->frames = memory_resize(packed->frames, packed->room * each, room * each);
        packed->room = room;
    }
    packed->frames[packed->count++] = (struct frame){packed->size, packed->packed_size, size, packed_size};
    packed->size += size;
    packed->packed_size += packed_size;
}

static void frames_drop(struct packed *packed)
{
    packed->count = 0;
    packed->size = packed->packed_size = 0;
}

/* False: it does not add up to the file. */
static bool table_take(struct packed *packed, struct slice entries, size_t entry, uint64_t table_at)
{
    for (; entries.len >= entry; entries = slice_from(entries, entry)) {
        uint32_t packed_size = get_u32(entries.at), size = get_u32(entries.at + 4);
        if (!size || size > PACKED_FRAME || !packed_size || packed_size > packer_bound(size))
            return false;
        frame_add(packed, size, packed_size);
    }
    return packed->packed_size == table_at;
}

static bool table_read(struct packed *packed, uint64_t file_size)
{
    char foot[FOOT_SIZE];
    if (file_size < HEAD_SIZE + FOOT_SIZE ||
        read_at(packed->fd, file_size - FOOT_SIZE, foot, FOOT_SIZE) != FOOT_SIZE ||
        get_u32(foot + 5) != SEEK_MAGIC)
        return false;
    uint64_t count = get_u32(foot);
    size_t entry = (unsigned char)foot[4] & SEEK_CHECKSUM ? ENTRY_SIZE + 4 : ENTRY_SIZE;
    uint64_t table = count * entry + FOOT_SIZE;
    if (!count || count > FRAMES_MOST || table + HEAD_SIZE > file_size)
        return false;
    size_t size = (size_t)(table + HEAD_SIZE);
    char *octets = memory_take(size);
    bool good = read_at(packed->fd, file_size - size, octets, size) == size &&
                get_u32(octets) == SEEK_FRAME && get_u32(octets + 4) == table &&
                table_take(packed, slice_of(octets + HEAD_SIZE, (size_t)count * entry), entry,
                           file_size - size);
    memory_give(octets, size);
    return good;
}

/* Frame after frame, by what each says of itself: as far as that leads. */
static void table_scan(struct packed *packed, uint64_t file_size)
{
    size_t room = packer_bound(PACKED_FRAME);
    char *octets = memory_take(room);
    frames_drop(packed);
    while (packed->packed_size + SCAN_HEAD < file_size && packed->count < FRAMES_MOST) {
        size_t have = read_at(packed->fd, packed->packed_size, octets, room);
        unsigned long long size = ZSTD_getFrameContentSize(octets, have);
        size_t packed_size = ZSTD_findFrameCompressedSize(octets, have);
        if (size == 0 || size > PACKED_FRAME || ZSTD_isError(packed_size))
            break;
        frame_add(packed, (uint32_t)size, (uint32_t)packed_size);
    }
    memory_give(octets, room);
}

int packed_open(int fd, struct packed **ret_packed, struct error *error)
{
    struct stat stat_of;
    if (fstat(fd, &stat_of) != 0)
        return error_set(error, errno, "cannot look at a journal file");
    struct packed *packed = memory_take(sizeof *packed);
    packed->fd = fd;
    if (!table_read(packed, (uint64_t)stat_of.st_size))
        table_scan(packed, (uint64_t)stat_of.st_size);
    packed->octets_room = packer_bound(PACKED_FRAME);
    packed->octets = memory_take(packed->octets_room);
    packed->context = ZSTD_createDCtx();
    if (packed->count && packed->context) {
        *ret_packed = packed;
        return 0;
    }
    packed_close(packed);
    return error_set(error, 0, "no frame of a packed journal file can be read");
}

void packed_close(struct packed *packed)
{
    if (!packed)
        return;
    ZSTD_freeDCtx(packed->context);
    memory_give(packed->octets, packed->octets_room);
    memory_give(packed->frames, packed->room * sizeof *packed->frames);
    memory_give(packed, sizeof *packed);
}

uint64_t packed_size(const struct packed *packed)
{
    return packed->size;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static size_t frame_find(const struct packed *packed, uint64_t at)
{
    size_t low = 0, high = packed->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (packed->frames[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t packed_frame_start(const struct packed *packed, uint64_t at)
{
    return at >= packed->size ? packed->size : packed->frames[frame_find(packed, at)].at;
}

/* What cannot be unpacked reads as zeros. */
static void frame_unpack(struct packed *packed, const struct frame *frame, char *octets)
{
    size_t have = read_at(packed->fd, frame->packed_at, packed->octets, frame->packed_size);
    size_t size = ZSTD_decompressDCtx(packed->context, octets, frame->size, packed->octets, have);
    if (ZSTD_isError(size) || size != frame->size)
        memset(octets, 0, frame->size);
}

size_t packed_read(struct packed *packed, uint64_t frame_start, char *octets, size_t size)
{
    size_t done = 0;
    if (frame_start >= packed->size)
        return 0;
    for (size_t i = frame_find(packed, frame_start); i < packed->count; i++) {
        const struct frame *frame = &packed->frames[i];
        if (frame->size > size - done)
            break;
        frame_unpack(packed, frame, octets + done);
        done += frame->size;
    }
    return done;
}

/* --- packing ------------------------------------------------------------------------------------------- */

struct packer {
    ZSTD_CCtx *context;
    ZSTD_DCtx *check;
    struct buf table;
    char *again; /* a frame, unpacked */
};

size_t packer_bound(size_t octets)
{
    return ZSTD_compressBound(octets) + 32;
}

struct packer *packer_new(int level)
{
    struct packer *packer = memory_take(sizeof *packer);
    packer->context = ZSTD_createCCtx();
    packer->check = ZSTD_createDCtx();
    packer->again = memory_take(PACKED_FRAME);
    buf_init(&packer->table, (size_t)FRAMES_MOST * ENTRY_SIZE);
    if (packer->context) {
        ZSTD_CCtx_setParameter(packer->context, ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(packer->context, ZSTD_c_checksumFlag, 1);
    }
    return packer;
}

void packer_free(struct packer *packer)
{
    if (!packer)
        return;
    ZSTD_freeCCtx(packer->context);
    ZSTD_freeDCtx(packer->check);
    memory_give(packer->again, PACKED_FRAME);
    buf_drop(&packer->table);
    memory_give(packer, sizeof *packer);
}

int packer_add(struct packer *packer, struct slice octets, struct buf *out, struct error *error)
{
    char entry[ENTRY_SIZE];
    size_t bound = packer_bound(octets.len);
    char *at = buf_room(out, bound);
    if (!at || !packer->context || !packer->check)
        return error_set(error, ENOMEM, "cannot pack a journal file");
    size_t size = ZSTD_compress2(packer->context, at, bound, octets.at, octets.len);
    if (ZSTD_isError(size))
        return error_set(error, 0, "cannot pack a journal file: %s", ZSTD_getErrorName(size));
    size_t again = ZSTD_decompressDCtx(packer->check, packer->again, PACKED_FRAME, at, size);
    if (again != octets.len || memcmp(packer->again, octets.at, octets.len) != 0)
        return error_set(error, 0, "what was packed of a journal file is not what was read");
    put_u32(entry, (uint32_t)size);
    put_u32(entry + 4, (uint32_t)octets.len);
    if (!buf_add(&packer->table, slice_of(entry, sizeof entry)))
        return error_set(error, EFBIG, "cannot pack a journal file");
    buf_grow(out, size);
    return 0;
}

int packer_end(struct packer *packer, struct buf *out, struct error *error)
{
    char head[HEAD_SIZE], foot[FOOT_SIZE] = {0};
    put_u32(head, SEEK_FRAME);
    put_u32(head + 4, packer->table.len + FOOT_SIZE);
    put_u32(foot, packer->table.len / ENTRY_SIZE);
    put_u32(foot + 5, SEEK_MAGIC);
    if (buf_add(out, slice_of(head, sizeof head)) && buf_add(out, buf_slice(&packer->table)) &&
        buf_add(out, slice_of(foot, sizeof foot)))
        return 0;
    return error_set(error, ENOMEM, "cannot pack a journal file");
}
