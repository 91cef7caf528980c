/* The address book: for each route of the configuration its listed mailboxes, its Maildir folders and its
 * aliases, and from these the places that a recipient's copy goes to.
 *
 * A book is made whole and then never changed; when an alias file or a folder of mailboxes has changed, a new
 * one is made. An address is looked for, within its route, in this order: as an alias with its domain, as an
 * alias, as a mailbox; then the same without its detail (deliver.separators); postmaster goes where the
 * setting says; an alias of the domain alone ("@example.net") takes the rest.
 *
 * An alias that names itself means the mailbox of that name. What has been visited on the way is not visited
 * again, so that loops end; what comes out twice goes out once. A right side elsewhere must belong to one of
 * our routes (or there is a route *): others are left out, with a complaint. */
#ifndef QUEUE_BOOK_H
#define QUEUE_BOOK_H

#include "base/arena.h"
#include "base/error.h"
#include "core/site.h"

struct book;
struct files;

#define BOOK_DEPTH_MAX  20          /* aliases of aliases */
#define BOOK_PLACES_MAX 10000       /* places of one recipient */
#define BOOK_FILE_MAX   (64u << 20) /* octets of an alias file */

/* The site must outlive the book. Reads files and folders: for a helper thread. Never fails: what cannot be
 * read is complained about, and the rest stands. */
struct book *book_make(const struct site *site, struct files *files);
void book_free(struct book *book); /* NULL is taken */
/* What was wrong, a line each: "FILE:LINE: what"; empty: nothing. Lives as long as the book. */
struct slice book_complaints(const struct book *book);
/* Whether a file or folder that it was made of has changed since. Looks at each: for a helper thread. */
bool book_is_stale(const struct book *book, struct files *files);

enum place_kind {
    PLACE_MAILDIR, /* address: the mailbox; folder: its path */
    PLACE_REMOTE,  /* address: as it goes to the route's targets */
    PLACE_NOWHERE, /* text, enhanced: why; a failure for good */
    PLACE_UNROUTED /* the same, but it may be mended by the configuration */
};

struct place {
    struct place *next;
    enum place_kind kind;
    const struct route *route; /* NULL: NOWHERE, UNROUTED */
    struct slice address;
    struct slice folder;
    size_t folder_base; /* octets of it: the folder that holds the mailboxes */
    struct slice text;
    struct slice enhanced;
};

/* Where the copies of one recipient go: at least one place, each once. Texts live in the arena or the book.
 * fallback: the route for an address without a domain, may be NULL. */
struct place *book_expand(const struct book *book, struct slice address, const struct route *fallback,
                          struct arena *arena);

/* Replaces the table that gates look recipients up in (mailboxes.h): written beside it and renamed. The one
 * before is marked as replaced. */
int book_publish(const struct book *book, struct files *files, const char *file, uint64_t seed,
                 struct error *error);

#endif
