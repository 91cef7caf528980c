/* From a recipient's address to the places that its copies go to. */
#include "queue/book_part.h"
#include "queue/mailboxes.h"

#include <string.h>

struct visit {
    struct visit *next;
    const struct entry *entry;
};

struct walk {
    const struct book *book;
    struct arena *arena;
    struct place *first;
    struct place **last;
    struct visit *visits;
    unsigned depth;
    unsigned count;
    bool postmaster; /* the setting is being followed */
};

/* What is looked at: an address on its route. */
struct spot {
    const struct route *route;
    struct slice local; /* plain: without quotes and backslashes */
    struct slice domain;
    struct slice address; /* as it goes to another server */
};

static void walk_address(struct walk *walk, const struct spot *spot, bool aliases);

static void add_place(struct walk *walk, const struct place *place)
{
    if (walk->count >= BOOK_PLACES_MAX)
        return;
    for (const struct place *there = walk->first; there; there = there->next)
        if (there->kind == place->kind && there->route == place->route &&
            slice_equal(there->address, place->address))
            return;
    struct place *copy = arena_take(walk->arena, sizeof(*copy));
    *copy = *place;
    copy->next = NULL;
    *walk->last = copy;
    walk->last = &copy->next;
    walk->count++;
}

/* domain: for an address that has none. */
static void spot_set(struct walk *walk, struct spot *spot, struct slice address, struct slice domain)
{
    book_split(address, &spot->local, &spot->domain);
    spot->address = address;
    if (!spot->domain.len && domain.len) {
        spot->domain = domain;
        spot->address = arena_format(walk->arena, "%.*s@%.*s", SLICE_ARGS(spot->local), SLICE_ARGS(domain));
    }
    spot->local = book_plain(spot->local, walk->arena);
}

static void add_failure(struct walk *walk, enum place_kind kind, const struct spot *spot, const char *text,
                        const char *enhanced)
{
    const struct place place = {.kind = kind,
                                .address = arena_copy(walk->arena, spot->address),
                                .text = slice_text(text),
                                .enhanced = slice_text(enhanced)};
    add_place(walk, &place);
}

static void add_mailbox(struct walk *walk, const struct spot *spot, struct slice name)
{
    struct place place = {.kind = PLACE_REMOTE, .route = spot->route};

    if (spot->route->kind == ROUTE_MAILDIR) {
        place.kind = PLACE_MAILDIR;
        place.address = arena_copy(walk->arena, name);
        place.folder = book_folder(spot->route, name, walk->arena, &place.folder_base);
    } else {
        place.address = arena_copy(walk->arena, spot->address);
    }
    add_place(walk, &place);
}

/* "joe" is joe of the same route, "joe@example.net" belongs where the domain does. */
static void walk_target(struct walk *walk, const struct spot *from, struct slice target, bool aliases)
{
    struct spot spot = {.route = from->route};

    spot_set(walk, &spot, target, from->domain);
    if (slice_find(target, '@') != SLICE_NOT_FOUND)
        spot.route = site_route(walk->book->site, spot.domain, true);
    if (!spot.route)
        add_failure(walk, PLACE_UNROUTED, &spot, "no route leads to this domain", "4.4.4");
    else
        walk_address(walk, &spot, aliases);
}

static bool is_itself(const struct walk *walk, const struct spot *spot, struct slice target,
                      const struct entry *entry)
{
    struct slice local, domain;

    book_split(target, &local, &domain);
    if (domain.len && !slice_equal_fold(domain, spot->domain))
        return false;
    return book_find(walk->book, ENTRY_ALIAS, spot->route, target) == entry ||
           (domain.len && book_find(walk->book, ENTRY_ALIAS, spot->route, local) == entry);
}

static void walk_alias(struct walk *walk, const struct spot *spot, const struct entry *entry)
{
    for (const struct visit *visit = walk->visits; visit; visit = visit->next)
        if (visit->entry == entry)
            return;
    if (walk->depth >= BOOK_DEPTH_MAX) {
        add_failure(walk, PLACE_NOWHERE, spot, "too many aliases lead to one another", "5.4.6");
        return;
    }
    struct visit *visit = arena_take(walk->arena, sizeof(*visit));
    visit->entry = entry;
    visit->next = walk->visits;
    walk->visits = visit;
    walk->depth++;
    for (size_t i = 0; i < entry->target_count; i++)
        walk_target(walk, spot, entry->targets[i], !is_itself(walk, spot, entry->targets[i], entry));
    walk->depth--;
}

static const struct entry *find_alias(const struct walk *walk, const struct spot *spot, struct slice local)
{
    char text[BOOK_KEY_MAX];
    const size_t len = local.len + 1 + spot->domain.len;

    if (spot->domain.len && len < sizeof(text)) {
        if (local.len)
            memcpy(text, local.at, local.len);
        text[local.len] = '@';
        memcpy(text + local.len + 1, spot->domain.at, spot->domain.len);
        const struct entry *entry = book_find(walk->book, ENTRY_ALIAS, spot->route, slice_of(text, len));
        if (entry)
            return entry;
    }
    return local.len ? book_find(walk->book, ENTRY_ALIAS, spot->route, local) : NULL;
}

/* An alias or a mailbox of just this local part. */
static bool walk_name(struct walk *walk, const struct spot *spot, struct slice local, bool aliases)
{
    const struct entry *entry = aliases ? find_alias(walk, spot, local) : NULL;

    if (entry) {
        walk_alias(walk, spot, entry);
        return true;
    }
    entry = book_find(walk->book, ENTRY_MAILBOX, spot->route, local);
    if (entry)
        add_mailbox(walk, spot, entry->name);
    return entry != NULL;
}

/* Mail for postmaster never fails for want of a mailbox (RFC 5321 section 4.5.1). */
static bool walk_postmaster(struct walk *walk, const struct spot *spot)
{
    const struct slice postmaster = walk->book->site->set.postmaster;

    if (!slice_equal_fold(spot->local, SLICE("postmaster")))
        return false;
    if (walk->postmaster || !postmaster.len || slice_equal_fold(postmaster, spot->local)) {
        add_mailbox(walk, spot, SLICE("postmaster"));
        return true;
    }
    walk->postmaster = true;
    if (slice_find(postmaster, '@') != SLICE_NOT_FOUND) {
        walk_target(walk, spot, postmaster, true);
    } else {
        struct spot there = {.route = spot->route};
        spot_set(walk, &there, postmaster, spot->domain);
        if (!walk_name(walk, &there, there.local, true))
            add_mailbox(walk, &there, there.local);
    }
    walk->postmaster = false;
    return true;
}

/* Where anybody has a mailbox, joe+lists is joe's, and the folder's name is the folded one. */
static void walk_anybody(struct walk *walk, const struct spot *spot)
{
    struct buf room;

    if (spot->route->kind != ROUTE_MAILDIR) {
        add_mailbox(walk, spot, spot->local);
        return;
    }
    buf_init(&room, BOOK_KEY_MAX);
    const struct slice key = book_key(&room, ENTRY_MAILBOX, spot->route,
                                      book_without_detail(walk->book->site, spot->local));
    const struct slice name = slice_from(key, 3);
    if (mailbox_name_is_safe(name))
        add_mailbox(walk, spot, name);
    else
        add_failure(walk, PLACE_NOWHERE, spot, "no mailbox can have this name", "5.1.3");
    buf_drop(&room);
}

static void walk_address(struct walk *walk, const struct spot *spot, bool aliases)
{
    const struct slice shorter = book_without_detail(walk->book->site, spot->local);
    const struct entry *rest;

    if (walk_name(walk, spot, spot->local, aliases))
        return;
    if (shorter.len < spot->local.len && walk_name(walk, spot, shorter, aliases))
        return;
    if (walk_postmaster(walk, spot))
        return;
    rest = aliases ? find_alias(walk, spot, SLICE_NONE) : NULL;
    if (rest)
        walk_alias(walk, spot, rest);
    else if (spot->route->mailboxes != ROUTE_MAILBOXES_LISTED || spot->route->kind == ROUTE_RELAY)
        walk_anybody(walk, spot);
    else
        add_failure(walk, PLACE_NOWHERE, spot, "there is no such mailbox", "5.1.1");
}

struct place *book_expand(const struct book *book, struct slice address, const struct route *fallback,
                          struct arena *arena)
{
    struct walk walk = {.book = book, .arena = arena};
    struct spot spot = {.route = fallback};

    walk.last = &walk.first;
    spot_set(&walk, &spot, address, fallback && fallback->domain_count ? fallback->domains[0] : SLICE_NONE);
    if (slice_find(address, '@') != SLICE_NOT_FOUND)
        spot.route = site_route(book->site, spot.domain, true);
    if (!spot.route)
        add_failure(&walk, PLACE_UNROUTED, &spot, "no route leads to this domain", "4.4.4");
    else
        walk_address(&walk, &spot, true);
    if (!walk.first)
        add_failure(&walk, PLACE_NOWHERE, &spot, "the aliases of this address lead to nowhere", "5.4.6");
    return walk.first;
}
