#include "queue/book.h"

#include "base/memory.h"
#include "queue/book_part.h"
#include "queue/fold.h"
#include "queue/mailboxes.h"
#include "wire/alias.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COMPLAINTS_MAX  (64u * 1024u)
#define NAME_MAX_OCTETS 200u

bool mailbox_name_is_safe(struct slice name)
{
    if (!name.len || name.len >= NAME_MAX_OCTETS || name.at[0] == '.' || !slice_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t octet = (uint8_t)name.at[i];
        if (octet < 0x20 || octet == 0x7f || octet == '/')
            return false;
        if (octet == 0xc2 && (uint8_t)name.at[i + 1] < 0xa0) /* the C1 controls */
            return false;
    }
    return true;
}

struct slice book_key(struct buf *room, enum entry_kind kind, const struct route *route, struct slice name)
{
    const char head[3] = {(char)kind, (char)(uint8_t)route->number, (char)(uint8_t)(route->number >> 8)};

    buf_clear(room);
    if (!buf_add(room, slice_of(head, sizeof(head))) || !fold_add(room, name))
        return SLICE_NONE;
    return buf_slice(room);
}

const struct entry *book_find(const struct book *book, enum entry_kind kind, const struct route *route,
                              struct slice name)
{
    struct buf room;

    buf_init(&room, BOOK_KEY_MAX);
    const struct slice key = book_key(&room, kind, route, name);
    const struct entry *entry = key.len ? table_get(&book->entries, key) : NULL;
    buf_drop(&room);
    return entry;
}

struct slice book_without_detail(const struct site *site, struct slice local)
{
    const struct slice separators = site->set.deliver_separators;

    for (size_t i = 1; i < local.len; i++)
        if (slice_find(separators, local.at[i]) != SLICE_NOT_FOUND)
            return slice_head(local, i);
    return local;
}

struct slice book_folder(const struct route *route, struct slice name, struct arena *arena, size_t *ret_base)
{
    const size_t at = slice_find_slice(route->maildir, SLICE("%s"));
    struct slice path = route->maildir;

    *ret_base = path.len;
    if (at == SLICE_NOT_FOUND)
        return arena_format(arena, "%.*s/%.*s", SLICE_ARGS(path), SLICE_ARGS(name));
    const struct slice before = slice_head(path, at);
    const struct slice behind = slice_from(path, at + 2);
    const size_t slash = slice_find_last(before, '/');
    *ret_base = slash == SLICE_NOT_FOUND ? 0 : slash;
    return arena_format(arena, "%.*s%.*s%.*s", SLICE_ARGS(before), SLICE_ARGS(name), SLICE_ARGS(behind));
}

void book_split(struct slice address, struct slice *ret_local, struct slice *ret_domain)
{
    const size_t at = slice_find_last(address, '@');

    *ret_local = at == SLICE_NOT_FOUND ? address : slice_head(address, at);
    *ret_domain = at == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(address, at + 1);
}

struct slice book_plain(struct slice local, struct arena *arena)
{
    if (local.len < 2 || local.at[0] != '"' || local.at[local.len - 1] != '"')
        return local;
    char *plain = arena_take(arena, local.len);
    size_t len = 0;
    for (size_t i = 1; i + 1 < local.len; i++) {
        if (local.at[i] == '\\' && i + 2 < local.len)
            i++;
        plain[len++] = local.at[i];
    }
    return slice_of(plain, len);
}

/* --- making it ----------------------------------------------------------------------------------------- */

struct making {
    struct book *book;
    struct files *files;
    const struct route *route;
    const char *file;          /* that is read */
    struct slice base, suffix; /* of the route's Maildir folders */
    struct buf room;
};

static void complain(struct making *making, unsigned line, const char *what, struct slice about)
{
    buf_add_format(&making->book->complaints, "%.200s:%u: %s: %.*s\n", making->file, line, what,
                   SLICE_ARGS(slice_head(about, 200)));
}

static struct entry *enter(struct making *making, enum entry_kind kind, struct slice name)
{
    struct book *book = making->book;
    const struct slice key = book_key(&making->room, kind, making->route, name);

    if (!key.len)
        return NULL;
    struct entry *entry = table_get(&book->entries, key);
    if (entry)
        return entry;
    entry = arena_take(&book->arena, sizeof(*entry));
    entry->key = arena_copy(&book->arena, key);
    entry->name = arena_copy(&book->arena, name);
    table_put(&book->entries, entry->key, entry);
    return entry;
}

static void watch(struct making *making, const char *path)
{
    struct book *book = making->book;
    struct source *source = arena_take(&book->arena, sizeof(*source));

    snprintf(source->path, sizeof(source->path), "%s", path);
    if (making->files->status(making->files, path, &source->status, NULL) < 0)
        source->status.number = 0;
    source->next = book->sources;
    book->sources = source;
}

/* A right side that goes to none of our routes would make us a relay for whoever may write the table. */
static bool target_is_good(struct making *making, struct slice target, unsigned line)
{
    struct slice local, domain;

    book_split(target, &local, &domain);
    if (!domain.len) {
        if (making->route->kind != ROUTE_MAILDIR || mailbox_name_is_safe(local))
            return true;
        complain(making, line, "no name for a mailbox", target);
        return false;
    }
    if (local.len && site_route(making->book->site, domain, true))
        return true;
    complain(making, line, "an address elsewhere needs a route for its domain, or a route *", target);
    return false;
}

/* "joe@example.net" on the left must be of a domain of this route. */
static bool left_is_good(struct making *making, struct slice left, unsigned line)
{
    struct slice local, domain;

    book_split(left, &local, &domain);
    if (!domain.len || site_route(making->book->site, domain, true) == making->route)
        return true;
    complain(making, line, "this domain is not of the route", left);
    return false;
}

static void enter_alias(struct making *making, const struct alias_entry *from)
{
    struct book *book = making->book;
    struct slice right = from->right;
    struct slice target;
    size_t count = 0;

    if (!left_is_good(making, from->left, from->line))
        return;
    while (alias_target(&right, &target))
        count++;
    struct slice *targets = arena_take(&book->arena, (count + 1) * sizeof(*targets));
    right = from->right;
    count = 0;
    while (alias_target(&right, &target))
        if (target_is_good(making, target, from->line))
            targets[count++] = arena_copy(&book->arena, target);
    struct entry *entry = count ? enter(making, ENTRY_ALIAS, from->left) : NULL;
    if (entry && entry->targets)
        complain(making, from->line, "stands twice, the first counts", from->left);
    else if (entry) {
        entry->targets = targets;
        entry->target_count = count;
    }
}

static void read_aliases(struct making *making, struct slice text)
{
    struct alias_reader reader;
    struct alias_entry entry;
    enum alias_status status;

    alias_init(&reader, ALIAS_TABLE, text);
    while ((status = alias_next(&reader, &entry)) != ALIAS_END) {
        if (status == ALIAS_BAD)
            complain(making, entry.line, "is passed over", reader.complaint);
        else
            enter_alias(making, &entry);
    }
}

static int read_whole(struct files *files, const char *path, char **ret_at, size_t *ret_size,
                      struct error *error)
{
    struct files_status status;
    int descriptor;
    int result = -1;

    if (files->open(files, path, 0, &descriptor, error) < 0)
        return -1;
    if (files->descriptor_status(files, descriptor, &status, error) == 0) {
        *ret_size = status.size < BOOK_FILE_MAX ? (size_t)status.size : BOOK_FILE_MAX;
        *ret_at = memory_take(*ret_size + 1);
        size_t got;
        result = files->read(files, descriptor, 0, *ret_at, *ret_size, &got, error);
        if (result < 0)
            memory_give(*ret_at, *ret_size + 1);
        else
            memset(*ret_at + got, '\n', *ret_size - got);
    }
    files->close(files, descriptor);
    return result;
}

static void add_alias_file(struct making *making, struct slice path)
{
    char name[FILES_PATH_MAX];
    struct error error;
    char *at;
    size_t size;

    snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(path));
    making->file = name;
    watch(making, name);
    if (read_whole(making->files, name, &at, &size, &error) < 0) {
        complain(making, 0, "cannot be read", slice_text(error.text));
        return;
    }
    read_aliases(making, slice_of(at, size));
    memory_give(at, size + 1);
}

static bool add_folder(void *whom, const char *name)
{
    struct making *making = whom;
    struct files_status status;
    char path[FILES_PATH_MAX];
    const struct slice text = slice_text(name);

    if (!mailbox_name_is_safe(text))
        return true;
    const int len = snprintf(path, sizeof(path), "%.*s%s%.*s/new", SLICE_ARGS(making->base), name,
                             SLICE_ARGS(making->suffix));
    if (len < 0 || (size_t)len >= sizeof(path))
        return true;
    if (making->files->status(making->files, path, &status, NULL) == 0 && status.folder)
        enter(making, ENTRY_MAILBOX, text);
    return true;
}

/* The folder that holds the mailboxes, with its slash, and what comes behind a mailbox's name. Where the name
 * is but a part of a path's part ("/mail/box-%s"), folders cannot be told from others: none is looked for. */
static bool split_maildir(struct making *making)
{
    const struct slice path = making->route->maildir;
    const size_t at = slice_find_slice(path, SLICE("%s"));

    if (at == SLICE_NOT_FOUND) {
        making->base = arena_join(&making->book->arena, path, SLICE("/"));
        making->suffix = SLICE_NONE;
        return true;
    }
    making->base = slice_head(path, at);
    making->suffix = slice_from(path, at + 2);
    return at && path.at[at - 1] == '/' && (!making->suffix.len || making->suffix.at[0] == '/');
}

static void add_folders(struct making *making)
{
    char path[FILES_PATH_MAX];

    if (!split_maildir(making) || making->base.len >= sizeof(path))
        return;
    snprintf(path, sizeof(path), "%.*s", (int)(making->base.len > 1 ? making->base.len - 1 : 1),
             making->base.at);
    watch(making, path);
    /* A folder that is not there yet has no mailboxes yet; they are made with the first mail for a listed
     * one. */
    (void)making->files->list(making->files, path, add_folder, making, NULL);
}

struct book *book_make(const struct site *site, struct files *files)
{
    struct book *book = memory_take(sizeof(*book));
    struct making making = {.book = book, .files = files};

    book->site = site;
    arena_init(&book->arena, NULL, 0);
    table_init(&book->entries, 0);
    buf_init(&book->complaints, COMPLAINTS_MAX);
    buf_init(&making.room, BOOK_KEY_MAX);
    for (size_t i = 0; i < site->route_count; i++) {
        const struct route *route = making.route = &site->routes[i];
        for (size_t k = 0; k < route->mailbox_count; k++)
            enter(&making, ENTRY_MAILBOX, route->mailbox_names[k]);
        if (route->kind == ROUTE_MAILDIR)
            add_folders(&making);
        for (size_t k = 0; k < route->alias_file_count; k++)
            add_alias_file(&making, route->alias_files[k]);
    }
    buf_drop(&making.room);
    return book;
}

void book_free(struct book *book)
{
    if (!book)
        return;
    table_drop(&book->entries);
    buf_drop(&book->complaints);
    arena_drop(&book->arena);
    memory_give(book, sizeof(*book));
}

struct slice book_complaints(const struct book *book)
{
    return buf_slice(&book->complaints);
}

bool book_is_stale(const struct book *book, struct files *files)
{
    for (const struct source *source = book->sources; source; source = source->next) {
        struct files_status status;
        if (files->status(files, source->path, &status, NULL) < 0)
            status.number = 0;
        if (status.number != source->status.number)
            return true;
        if (status.number && (status.modified_ns != source->status.modified_ns ||
                              (!status.folder && status.size != source->status.size)))
            return true;
    }
    return false;
}
