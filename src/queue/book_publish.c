/* The address book as the table that gates map. */
#include "base/checksum.h"
#include "base/memory.h"
#include "queue/book_part.h"
#include "queue/mailboxes_form.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define CHECKED_FROM (offsetof(struct mailboxes_head, checksum) + sizeof(uint32_t))

struct image {
    char *at;
    size_t size;
    size_t text_at; /* where the next text goes */
    struct mailboxes_head *head;
};

static size_t slot_count(const struct book *book)
{
    size_t count = 16;

    while (count < 2 * book->entries.used)
        count *= 2;
    return count;
}

static size_t text_octets(const struct book *book)
{
    size_t octets = 0;
    struct slice key;
    size_t at = 0;
    void *entry;

    for (size_t i = 0; i < book->site->route_count; i++)
        octets += book->site->routes[i].name.len;
    while (table_next(&book->entries, &at, &key, &entry))
        octets += key.len - 3 + sizeof(uint32_t);
    return octets;
}

static uint64_t image_text(struct image *image, struct slice text)
{
    const size_t at = image->text_at;

    if (text.len)
        memcpy(image->at + at, text.at, text.len);
    image->text_at += text.len;
    return at;
}

/* A name that is alias and mailbox both stands twice; whoever looks finds one of them first, and both say
 * FOUND. */
static void image_entry(struct image *image, const struct entry *entry)
{
    struct mailboxes_slot *slots = (void *)(image->at + image->head->slots_at);
    const uint32_t route = (uint32_t)((uint8_t)entry->key.at[1] | (unsigned)(uint8_t)entry->key.at[2] << 8);
    struct mailboxes_slot slot = {.is_alias = entry->key.at[0] == ENTRY_ALIAS};

    slot.key_at = image_text(image, slice_of((const char *)&route, sizeof(route)));
    image_text(image, slice_from(entry->key, 3));
    slot.key_len = (uint32_t)(image->text_at - slot.key_at);
    const struct slice key = slice_of(image->at + slot.key_at, slot.key_len);
    size_t place = (size_t)slice_hash(key, image->head->seed);
    const size_t mask = image->head->slot_count - 1;
    for (place &= mask; slots[place].key_at; place = (place + 1) & mask)
        ;
    slots[place] = slot;
}

static void image_make(const struct book *book, uint64_t seed, struct image *image)
{
    const size_t routes = book->site->route_count;
    const size_t slots = slot_count(book);
    struct slice key;
    size_t at = 0;
    void *entry;

    const size_t routes_at = sizeof(struct mailboxes_head);
    const size_t slots_at = routes_at + routes * sizeof(struct mailboxes_route);
    image->text_at = slots_at + slots * sizeof(struct mailboxes_slot);
    image->size = image->text_at + text_octets(book);
    image->at = memory_take(image->size);
    image->head = (void *)image->at;
    *image->head = (struct mailboxes_head){.magic = MAILBOXES_MAGIC,
                                           .size = image->size,
                                           .seed = seed,
                                           .route_count = (uint32_t)routes,
                                           .slot_count = (uint32_t)slots,
                                           .routes_at = routes_at,
                                           .slots_at = slots_at};
    struct mailboxes_route *rows = (void *)(image->at + routes_at);
    for (size_t i = 0; i < routes; i++) {
        const struct route *route = &book->site->routes[i];
        rows[i].name_at = image_text(image, route->name);
        rows[i].name_len = (uint32_t)route->name.len;
        rows[i].mode = route->mailboxes;
    }
    while (table_next(&book->entries, &at, &key, &entry))
        image_entry(image, entry);
    image->head->checksum = checksum_add(0, slice_of(image->at + CHECKED_FROM, image->size - CHECKED_FROM));
}

static int write_beside(struct files *files, const char *path, struct slice octets, struct error *error)
{
    int descriptor;

    if (files->open(files, path, FILES_WRITE | FILES_CREATE | FILES_TRUNCATE, &descriptor, error) < 0)
        return -1;
    int result = files->write(files, descriptor, 0, octets, error);
    if (result == 0)
        result = files->sync(files, descriptor, error);
    files->close(files, descriptor);
    return result;
}

static void mark_replaced(struct files *files, int descriptor)
{
    const uint32_t replaced = 1;

    (void)files->write(files, descriptor, offsetof(struct mailboxes_head, replaced),
                       slice_of((const char *)&replaced, sizeof(replaced)), NULL);
}

int book_publish(const struct book *book, struct files *files, const char *file, uint64_t seed,
                 struct error *error)
{
    char beside[FILES_PATH_MAX];
    struct image image;
    int before = -1;

    const int len = snprintf(beside, sizeof(beside), "%s.new", file);
    if (len < 0 || (size_t)len >= sizeof(beside))
        return error_set(error, ENAMETOOLONG, "%.200s", file);
    image_make(book, seed, &image);
    int result = write_beside(files, beside, slice_of(image.at, image.size), error);
    memory_give(image.at, image.size);
    if (result < 0)
        return -1;
    (void)files->open(files, file, FILES_WRITE, &before, NULL);
    result = files->rename(files, beside, file, error);
    if (before >= 0) {
        if (result == 0)
            mark_replaced(files, before);
        files->close(files, before);
    }
    return result;
}
