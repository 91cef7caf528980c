#include "journal/day_keys.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE         4096u
#define PAGE_BITS    ((PAGE - sizeof(struct page_end)) * 8)
#define KEY_BITS     12u /* in the file, for each key */
#define PROBES       7u
#define LABELS_MOST  8u /* of a name: a longer suffix is looked for by its last eight */
#define MAGIC        UINT64_C(0x3173794b74737250) /* "PrstKys1" */
#define DAYS_AT_ONCE 64u

/* Every page ends with it. */
struct page_end {
    uint64_t magic;
    uint64_t inode, size;
    int64_t changed_ns;
    uint32_t pages;
    uint32_t checksum; /* of all before it */
};

struct page {
    unsigned char bits[PAGE - sizeof(struct page_end)];
    struct page_end end;
};

_Static_assert(sizeof(struct page) == PAGE, "a page is read at once");

static void keys_path(const char *folder, int64_t day, const char *end, char path[4096])
{
    char name[DAY_NAME_SIZE];
    day_name_print(day, name);
    snprintf(path, 4096, "%.4000s/%.10s.keys%s", folder, name, end);
}

/* --- the day's own file -------------------------------------------------------------------------------- */

/* False: there is none, or it has a log: then it is being written to. */
static bool day_look(const char *folder, int64_t day, struct page_end *ret_end)
{
    char path[4096], log[4120];
    struct stat file;
    day_path(folder, day, path);
    snprintf(log, sizeof log, "%s-wal", path);
    if (stat(path, &file) != 0 || access(log, F_OK) == 0)
        return false;
    *ret_end = (struct page_end){
        .magic = MAGIC,
        .inode = file.st_ino,
        .size = (uint64_t)file.st_size,
        .changed_ns = (int64_t)file.st_mtim.tv_sec * 1000000000 + file.st_mtim.tv_nsec,
    };
    return true;
}

/* --- hashes -------------------------------------------------------------------------------------------- */

static uint64_t hash_of(enum trait kind, struct slice key)
{
    struct random mixed = {slice_hash(key, (uint64_t)kind * 0x9e3779b97f4a7c15u)};
    return random_next(&mixed);
}

static uint64_t page_of(uint64_t hash, uint32_t pages)
{
    return (hash >> 32) * pages >> 32;
}

/* The key's bits within its page, one after the other. */
static unsigned bit_next(struct random *random)
{
    return (unsigned)random_below(random, PAGE_BITS);
}

static void page_set(struct page *page, uint64_t hash)
{
    struct random random = {hash};
    for (unsigned i = 0; i < PROBES; i++) {
        unsigned bit = bit_next(&random);
        page->bits[bit / 8] |= (unsigned char)(1u << bit % 8);
    }
}

static bool page_has(const struct page *page, uint64_t hash)
{
    struct random random = {hash};
    for (unsigned i = 0; i < PROBES; i++) {
        unsigned bit = bit_next(&random);
        if (!(page->bits[bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}

/* --- making it ----------------------------------------------------------------------------------------- */

struct hashes {
    uint64_t *at;
    size_t count, room;
};

static void hash_add(struct hashes *hashes, enum trait kind, struct slice key)
{
    if (hashes->count == hashes->room) {
        size_t room = hashes->room ? hashes->room * 2 : 65536, size = sizeof *hashes->at;
        hashes->at = memory_resize(hashes->at, hashes->room * size, room * size);
        hashes->room = room;
    }
    hashes->at[hashes->count++] = hash_of(kind, key);
}

static bool is_end(char octet)
{
    return octet == '.' || octet == '@';
}

/* The domains that a key ends in (keys stand back to front). `known`: octets that it shares with the key
 * before it, whose domains are there. */
static void domains_add(struct hashes *hashes, enum trait kind, struct slice key, size_t known)
{
    unsigned labels = 0;
    for (size_t i = 0; i < key.len && labels < LABELS_MOST; i++) {
        if (!is_end(key.at[i]))
            continue;
        labels++;
        if (i >= known)
            hash_add(hashes, kind, slice_head(key, i));
        if (key.at[i] == '@')
            return;
    }
}

static void networks_add(struct hashes *hashes, struct slice key, size_t known)
{
    static const size_t four[] = {1, 2, 3}, six[] = {4, 6, 8};
    const size_t *widths = key.len == 4 ? four : six;
    for (size_t i = 0; i < 3 && (key.len == 4 || key.len == 16); i++)
        if (widths[i] > known)
            hash_add(hashes, TRAIT_ADDRESS, slice_head(key, widths[i]));
}

static size_t shared(struct slice a, struct slice b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.at[len] == b.at[len])
        len++;
    return len;
}

static void key_add(struct hashes *hashes, enum trait kind, struct slice key, struct slice before)
{
    hash_add(hashes, kind, key);
    switch (kind) {
    case TRAIT_ADDRESS: networks_add(hashes, key, before.len == key.len ? shared(key, before) : 0); break;
    case TRAIT_PTR:
    case TRAIT_HELO:
    case TRAIT_SENDER:
    case TRAIT_RECIPIENT: domains_add(hashes, kind, key, shared(key, before)); break;
    case TRAIT_FINDING:
    case TRAIT_VERDICT:
    case TRAIT_REPLY:
    case TRAIT_CAMPAIGN: break;
    }
}

/* In the order of kinds and keys: those with the same ends stand side by side. */
static int traits_gather(sqlite3 *db, struct hashes *hashes, struct error *error)
{
    char room[TRAIT_KEY_MAX];
    struct slice before = SLICE_NONE;
    int kind_before = 0, more = -1;
    sqlite3_stmt *row = sql_prepare(db, "SELECT kind, key FROM trait ORDER BY kind, key", error);
    while (row && (more = sql_next(row, error)) > 0) {
        int kind = sqlite3_column_int(row, 0);
        struct slice key = slice_head(sql_octets(row, 1), sizeof room);
        key_add(hashes, (enum trait)kind, key, kind == kind_before ? before : SLICE_NONE);
        kind_before = kind;
        if (key.len)
            memcpy(room, key.at, key.len);
        before = slice_of(room, key.len);
    }
    sql_drop(&row);
    return more;
}

static int campaigns_gather(sqlite3 *db, struct hashes *hashes, struct error *error)
{
    int more = -1;
    sqlite3_stmt *row = sql_prepare(db, "SELECT DISTINCT campaign FROM member", error);
    while (row && (more = sql_next(row, error)) > 0) {
        uint64_t campaign = (uint64_t)sqlite3_column_int64(row, 0);
        hash_add(hashes, TRAIT_CAMPAIGN, slice_of((const char *)&campaign, sizeof campaign));
    }
    sql_drop(&row);
    return more;
}

static int gather(const char *folder, int64_t day, struct hashes *hashes, struct error *error)
{
    char path[4096];
    sqlite3 *db;
    day_path(folder, day, path);
    if (sql_open(path, SQL_READ, &db, error) < 0)
        return -1;
    int result = traits_gather(db, hashes, error);
    if (result == 0)
        result = campaigns_gather(db, hashes, error);
    sql_close(db);
    return result;
}

static void page_seal(struct page *page)
{
    page->end.checksum = checksum_add(0, slice_of((const char *)page, PAGE - sizeof page->end.checksum));
}

static int write_whole(const char *path, const void *octets, size_t size, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return error_set(error, errno, "cannot make %s", path);
    for (size_t at = 0; at < size;) {
        ssize_t n = write(fd, (const char *)octets + at, size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int number = errno;
            close(fd);
            return error_set(error, number, "cannot write to %s", path);
        }
        at += (size_t)n;
    }
    close(fd);
    return 0;
}

static int pages_write(const char *folder, int64_t day, struct page_end end, const struct hashes *hashes,
                       struct error *error)
{
    char path[4096], unready[4096];
    end.pages = (uint32_t)(hashes->count * KEY_BITS / PAGE_BITS + 1);
    size_t size = end.pages * sizeof(struct page);
    struct page *pages = memory_take(size);
    for (size_t i = 0; i < end.pages; i++)
        pages[i].end = end;
    for (size_t i = 0; i < hashes->count; i++)
        page_set(&pages[page_of(hashes->at[i], end.pages)], hashes->at[i]);
    for (size_t i = 0; i < end.pages; i++)
        page_seal(&pages[i]);
    keys_path(folder, day, "", path);
    keys_path(folder, day, ".new", unready);
    int result = write_whole(unready, pages, size, error);
    if (result == 0 && rename(unready, path) != 0)
        result = error_set(error, errno, "cannot make %s", path);
    if (result < 0)
        (void)unlink(unready);
    memory_give(pages, size);
    return result;
}

int day_keys_make(const char *folder, int64_t day, struct error *error)
{
    struct hashes hashes = {NULL, 0, 0};
    struct page_end end;
    if (!day_look(folder, day, &end))
        return error_set(error, 0, "the day is not settled");
    int result = gather(folder, day, &hashes, error);
    if (result == 0)
        result = pages_write(folder, day, end, &hashes, error);
    memory_give(hashes.at, hashes.room * sizeof *hashes.at);
    return result;
}

void day_keys_remove(const char *folder, int64_t day)
{
    char path[4096];
    keys_path(folder, day, "", path);
    if (unlink(path) != 0)
        return;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* --- asking it ----------------------------------------------------------------------------------------- */

/* A day's file while it is asked. */
struct asked {
    int fd; /* -1: the day is to be opened */
    struct page_end end;
};

static bool page_read(const struct asked *asked, uint64_t number, struct page *ret_page)
{
    if (pread(asked->fd, ret_page, PAGE, (off_t)(number * PAGE)) != (ssize_t)PAGE)
        return false;
    uint32_t checksum = ret_page->end.checksum;
    page_seal(ret_page);
    return checksum == ret_page->end.checksum && ret_page->end.magic == asked->end.magic &&
           ret_page->end.inode == asked->end.inode && ret_page->end.size == asked->end.size &&
           ret_page->end.changed_ns == asked->end.changed_ns && ret_page->end.pages == asked->end.pages;
}

/* How many pages it has stands in each of them: by the size it is known before one is read. */
static void asked_open(const char *folder, int64_t day, struct asked *ret_asked)
{
    char path[4096];
    struct stat file;
    *ret_asked = (struct asked){.fd = -1};
    keys_path(folder, day, "", path);
    if (!day_look(folder, day, &ret_asked->end))
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (fstat(fd, &file) != 0 || file.st_size < (off_t)PAGE || file.st_size > (off_t)PAGE * UINT32_MAX) {
        close(fd);
        return;
    }
    ret_asked->end.pages = (uint32_t)(file.st_size / (off_t)PAGE);
    ret_asked->fd = fd;
}

static void asked_close(struct asked *asked)
{
    if (asked->fd >= 0)
        close(asked->fd);
    asked->fd = -1;
}

bool day_keys_hold(const char *folder, int64_t day)
{
    struct asked asked;
    struct page page;
    asked_open(folder, day, &asked);
    bool hold = asked.fd >= 0 && page_read(&asked, 0, &page);
    asked_close(&asked);
    return hold;
}

/* The widest network that stands in the file and holds the one that is wanted: see networks_add. */
static bool network_key(const struct filter_term *term, struct slice *ret_key)
{
    size_t whole = term->bits / 8;
    if (term->len == 16 && whole < 16)
        whole = whole > 8 ? 8 : whole - whole % 2;
    *ret_key = slice_of(term->key, whole);
    return whole >= (term->len == 4 ? 1u : 4u);
}

/* What of a term stands in the file as one key; false: nothing that could be asked for. */
static bool term_key(const struct filter_term *term, struct slice *ret_key)
{
    struct slice key = slice_of(term->key, term->len);
    unsigned labels = 0;
    *ret_key = key;
    if (term->how == FILTER_NETWORK)
        return network_key(term, ret_key);
    if (term->how == FILTER_EXACT || term->how == FILTER_PATTERN)
        return term->how == FILTER_EXACT;
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] == '.' && ++labels == LABELS_MOST) {
            *ret_key = slice_head(key, i);
            return true;
        }
    return true;
}

/* What a day must have, all of it. */
struct wanted {
    uint64_t hashes[FILTER_TERMS];
    size_t count;
};

static bool may_have(const struct asked *asked, const struct wanted *wanted)
{
    struct page page;
    for (size_t i = 0; i < wanted->count; i++)
        if (page_read(asked, page_of(wanted->hashes[i], asked->end.pages), &page) &&
            !page_has(&page, wanted->hashes[i]))
            return false;
    return true;
}

/* All days' pages are asked of the disk before the first is waited for. */
static void announce(const struct asked *asked, const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count && asked->fd >= 0; i++)
        (void)posix_fadvise(asked->fd, (off_t)(page_of(wanted->hashes[i], asked->end.pages) * PAGE), PAGE,
                            POSIX_FADV_WILLNEED);
}

static size_t sift_some(const char *folder, const struct wanted *wanted, const int64_t *days, size_t count,
                        int64_t *ret_kept)
{
    struct asked asked[DAYS_AT_ONCE];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        asked_open(folder, days[i], &asked[i]);
        announce(&asked[i], wanted);
    }
    for (size_t i = 0; i < count; i++) {
        if (asked[i].fd < 0 || may_have(&asked[i], wanted))
            ret_kept[kept++] = days[i];
        asked_close(&asked[i]);
    }
    return kept;
}

static size_t sift(const char *folder, const struct wanted *wanted, int64_t *days, size_t count)
{
    size_t kept = 0;
    if (!wanted->count)
        return count;
    for (size_t i = 0; i < count; i += DAYS_AT_ONCE) {
        size_t some = count - i < DAYS_AT_ONCE ? count - i : DAYS_AT_ONCE;
        kept += sift_some(folder, wanted, days + i, some, days + kept);
    }
    return kept;
}

size_t day_keys_sift(const char *folder, const struct filter *filter, int64_t *days, size_t count)
{
    struct wanted wanted = {.count = 0};
    struct slice key;
    for (size_t i = 0; i < filter->count; i++)
        if (filter->terms[i].kind != TRAIT_CAMPAIGN && term_key(&filter->terms[i], &key))
            wanted.hashes[wanted.count++] = hash_of(filter->terms[i].kind, key);
    return sift(folder, &wanted, days, count);
}

size_t day_keys_sift_campaign(const char *folder, uint64_t campaign, int64_t *days, size_t count)
{
    struct slice key = slice_of((const char *)&campaign, sizeof campaign);
    struct wanted wanted = {.hashes = {hash_of(TRAIT_CAMPAIGN, key)}, .count = 1};
    return sift(folder, &wanted, days, count);
}
