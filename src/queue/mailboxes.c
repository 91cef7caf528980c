#include "queue/mailboxes.h"

#include "base/text.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "queue/book_part.h"
#include "queue/fold.h"
#include "queue/mailboxes_form.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 1000
#define CHECKED_FROM  (offsetof(struct mailboxes_head, checksum) + sizeof(uint32_t))

struct mailboxes {
    char file[FILES_PATH_MAX];
    const char *at; /* NULL: none */
    size_t size;
    const struct mailboxes_head *head;
    ino_t number;
    uint64_t looked_ms; /* at the file's name */
    struct arena arena; /* for one look-up */
    struct buf key;
};

struct mailboxes *mailboxes_open(const char *file)
{
    struct mailboxes *mailboxes = memory_take(sizeof(*mailboxes));

    snprintf(mailboxes->file, sizeof(mailboxes->file), "%s", file);
    arena_init(&mailboxes->arena, NULL, 0);
    buf_init(&mailboxes->key, BOOK_KEY_MAX);
    return mailboxes;
}

static void unmap(struct mailboxes *mailboxes)
{
    if (mailboxes->at)
        munmap((void *)(uintptr_t)mailboxes->at, mailboxes->size);
    mailboxes->at = NULL;
}

void mailboxes_close(struct mailboxes *mailboxes)
{
    if (!mailboxes)
        return;
    unmap(mailboxes);
    arena_drop(&mailboxes->arena);
    buf_drop(&mailboxes->key);
    memory_give(mailboxes, sizeof(*mailboxes));
}

/* --- the file ------------------------------------------------------------------------------------------ */

static bool range_is_good(const struct mailboxes_head *head, uint64_t at, uint64_t count, uint64_t each)
{
    return at <= head->size && at % 8 == 0 && count <= (head->size - at) / each;
}

/* What the checksum vouches for was written by the courier; what it says is believed after this. */
static bool image_is_good(const char *at, size_t size)
{
    const struct mailboxes_head *head = (const void *)at;

    if (size < sizeof(*head) || head->magic != MAILBOXES_MAGIC || head->size != size)
        return false;
    if (checksum_add(0, slice_of(at + CHECKED_FROM, size - CHECKED_FROM)) != head->checksum)
        return false;
    return head->slot_count && (head->slot_count & (head->slot_count - 1)) == 0 &&
           range_is_good(head, head->routes_at, head->route_count, sizeof(struct mailboxes_route)) &&
           range_is_good(head, head->slots_at, head->slot_count, sizeof(struct mailboxes_slot));
}

/* The courier never changes a file but for its mark, nor makes it shorter: a page of it cannot vanish. */
static void map(struct mailboxes *mailboxes)
{
    struct stat status;
    void *at = MAP_FAILED;
    const int fd = open(mailboxes->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && status.st_size > 0)
        at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return;
    if (!image_is_good(at, (size_t)status.st_size)) {
        munmap(at, (size_t)status.st_size);
        return;
    }
    unmap(mailboxes);
    mailboxes->at = at;
    mailboxes->size = (size_t)status.st_size;
    mailboxes->head = at;
    mailboxes->number = status.st_ino;
}

static bool is_replaced(const struct mailboxes *mailboxes)
{
    const _Atomic uint32_t *mark = (const void *)&mailboxes->head->replaced;

    return atomic_load_explicit(mark, memory_order_relaxed) != 0;
}

/* The table that was mapped serves until there is a good one. */
static void refresh(struct mailboxes *mailboxes, uint64_t now_ms)
{
    struct stat status;
    const bool look = !mailboxes->looked_ms || now_ms - mailboxes->looked_ms >= LOOK_AGAIN_MS;

    if (mailboxes->at && !is_replaced(mailboxes) && !look)
        return;
    if (!mailboxes->at && !look)
        return;
    mailboxes->looked_ms = now_ms ? now_ms : 1;
    if (mailboxes->at && stat(mailboxes->file, &status) == 0 && status.st_ino == mailboxes->number)
        return;
    map(mailboxes);
}

/* --- looking up ---------------------------------------------------------------------------------------- */

static const struct mailboxes_route *find_route(const struct mailboxes *mailboxes, const struct route *route,
                                                uint32_t *ret_place)
{
    const struct mailboxes_route *rows = (const void *)(mailboxes->at + mailboxes->head->routes_at);

    for (uint32_t i = 0; i < mailboxes->head->route_count; i++)
        if (slice_equal(slice_of(mailboxes->at + rows[i].name_at, rows[i].name_len), route->name)) {
            *ret_place = i;
            return &rows[i];
        }
    return NULL;
}

enum found { FOUND_NOT, FOUND_MAILBOX, FOUND_ALIAS };

static enum found find_key(struct mailboxes *mailboxes, uint32_t place, struct slice local,
                           struct slice domain)
{
    const struct mailboxes_slot *slots = (const void *)(mailboxes->at + mailboxes->head->slots_at);
    const size_t mask = mailboxes->head->slot_count - 1;
    struct buf *key = &mailboxes->key;

    buf_clear(key);
    if (!buf_add(key, slice_of((const char *)&place, sizeof(place))) || !fold_add(key, local) ||
        (domain.len && !(buf_add_octet(key, '@') && fold_add(key, domain))))
        return FOUND_NOT;
    for (size_t at = (size_t)slice_hash(buf_slice(key), mailboxes->head->seed) & mask; slots[at].key_at;
         at = (at + 1) & mask)
        if (slice_equal(slice_of(mailboxes->at + slots[at].key_at, slots[at].key_len), buf_slice(key)))
            return slots[at].is_alias ? FOUND_ALIAS : FOUND_MAILBOX;
    return FOUND_NOT;
}

static enum found find_name(struct mailboxes *mailboxes, uint32_t place, struct slice local,
                            struct slice domain)
{
    enum found found = domain.len ? find_key(mailboxes, place, local, domain) : FOUND_NOT;

    return found == FOUND_NOT && local.len ? find_key(mailboxes, place, local, SLICE_NONE) : found;
}

static enum mailbox_status find_unlisted(const struct route *route, uint32_t mode, struct slice local)
{
    if (mode == ROUTE_MAILBOXES_ASK)
        return MAILBOX_ASK;
    if (mode == ROUTE_MAILBOXES_LISTED)
        return MAILBOX_NONE;
    return route->kind != ROUTE_MAILDIR || mailbox_name_is_safe(local) ? MAILBOX_FOUND : MAILBOX_NONE;
}

enum mailbox_status mailboxes_find(struct mailboxes *mailboxes, const struct site *site,
                                   const struct route *route, struct slice address, uint64_t now_ms)
{
    struct slice local, domain;
    uint32_t place;

    refresh(mailboxes, now_ms);
    const struct mailboxes_route *row = mailboxes->at ? find_route(mailboxes, route, &place) : NULL;
    book_split(address, &local, &domain);
    arena_drop(&mailboxes->arena);
    local = book_plain(local, &mailboxes->arena);
    if (slice_equal_fold(local, SLICE("postmaster")))
        return MAILBOX_FOUND;
    if (!row)
        return MAILBOX_UNKNOWN;
    const struct slice shorter = book_without_detail(site, local);
    if (find_name(mailboxes, place, local, domain) != FOUND_NOT ||
        find_name(mailboxes, place, shorter, domain) != FOUND_NOT ||
        (domain.len && find_key(mailboxes, place, SLICE_NONE, domain) != FOUND_NOT))
        return MAILBOX_FOUND;
    return find_unlisted(route, row->mode, shorter);
}

bool mailboxes_answer(struct mailboxes *mailboxes, const struct site *site, struct slice key, uint64_t now_ms,
                      enum answer_status *ret_status, struct slice *ret_value)
{
    struct slice rest = key;
    struct slice number;
    uint64_t place;

    const bool known = slice_cut(&rest, ' ', &number) && text_parse_u64(number, &place) &&
                       place < site->route_count;
    const struct route *route = known ? &site->routes[place] : NULL;
    if (route && route->kind == ROUTE_RELAY)
        return false;
    const enum mailbox_status status = route ? mailboxes_find(mailboxes, site, route, rest, now_ms)
                                             : MAILBOX_UNKNOWN;
    if (status == MAILBOX_ASK)
        return false;
    *ret_status = status == MAILBOX_FOUND  ? ANSWER_FOUND
                  : status == MAILBOX_NONE ? ANSWER_NONE
                                           : ANSWER_FAILED;
    *ret_value = status == MAILBOX_FOUND     ? SLICE(MAILBOXES_CARRY)
                 : status == MAILBOX_UNKNOWN ? SLICE("the table of mailboxes is not there yet")
                                             : SLICE_NONE;
    return true;
}
