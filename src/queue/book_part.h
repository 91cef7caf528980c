/* What the files of the address book share. */
#ifndef QUEUE_BOOK_PART_H
#define QUEUE_BOOK_PART_H

#include "base/buf.h"
#include "base/table.h"
#include "io/files.h"
#include "queue/book.h"

#define BOOK_KEY_MAX 1024u

enum entry_kind { ENTRY_ALIAS, ENTRY_MAILBOX };

/* An alias and a mailbox of the same name stand side by side. */
struct entry {
    struct slice key;      /* kind, route and folded name, see book_key */
    struct slice name;     /* MAILBOX: as it is spelled */
    struct slice *targets; /* ALIAS */
    size_t target_count;
};

/* A file or folder that the book was made of. */
struct source {
    struct source *next;
    char path[FILES_PATH_MAX];
    struct files_status status; /* number 0: it was not there */
};

struct book {
    const struct site *site;
    struct arena arena;
    struct table entries;
    struct source *sources;
    struct buf complaints;
};

/* Kind octet, route number (two octets), and the name folded; in `room`. Empty: too long. */
struct slice book_key(struct buf *room, enum entry_kind kind, const struct route *route, struct slice name);
const struct entry *book_find(const struct book *book, enum entry_kind kind, const struct route *route,
                              struct slice name);
/* A local part without its detail; the whole where it has none. */
struct slice book_without_detail(const struct site *site, struct slice local);
/* The path of a mailbox's Maildir, in the arena. *ret_base: octets of it before the mailbox's own part. */
struct slice book_folder(const struct route *route, struct slice name, struct arena *arena, size_t *ret_base);
/* Local part and domain of an address; the domain is empty where there is none. */
void book_split(struct slice address, struct slice *ret_local, struct slice *ret_domain);

/* Without quotes and backslashes (RFC 5321 section 4.1.2, Quoted-string); in the arena where it had any. */
struct slice book_plain(struct slice local, struct arena *arena);

#endif
