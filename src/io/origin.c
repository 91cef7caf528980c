#include "io/origin.h"
#include "base/memory.h"
#include "io/origin_file.h"
#include "wire/dnsbl.h"

#include <assert.h>
#include <stdio.h>

struct origins {
    struct resolver *resolver; /* NULL: there is none */
    struct origin_file **files;
    size_t file_count, file_room;
    struct slice zone, zone6, names;
    struct link waiting; /* struct origin_waiter */
    struct arena arena;
    char value[ORIGIN_TEXT_MAX]; /* of the last answer that did not wait */
};

/* --- answers ------------------------------------------------------------------------------------------- */

static struct resolver_answer found(struct origins *origins, const struct origin *origin)
{
    if (origin_is_empty(origin))
        return (struct resolver_answer){.status = ANSWER_NONE};
    return (struct resolver_answer){.status = ANSWER_FOUND,
                                    .value = slice_of(origins->value, origin_print(origin, origins->value))};
}

static struct resolver_answer failed(struct slice why)
{
    return (struct resolver_answer){.status = ANSWER_FAILED, .value = why};
}

static void tell(struct origin_waiter *waiter, const struct resolver_answer *answer)
{
    list_remove(&waiter->link);
    waiter->done(waiter, answer);
}

/* What is known so far crosses a wait as text. */
static void keep(struct origin_waiter *waiter, const struct origin *origin)
{
    waiter->so_far_len = (uint16_t)origin_print(origin, waiter->so_far);
}

static void kept(struct origin_waiter *waiter, struct arena *arena, struct origin *ret_origin)
{
    (void)origin_parse(slice_of(waiter->so_far, waiter->so_far_len), arena, ret_origin);
}

/* --- the name of an AS --------------------------------------------------------------------------------- */

/* That the name cannot be told is no reason to tell nothing. */
static void name_enter(struct origin *origin, const struct resolver_answer *said, struct arena *arena)
{
    if (said->status == ANSWER_FOUND)
        origin_set_name(origin, origin_description(said->value, arena), arena);
}

static void name_came(struct resolver_waiter *asks, const struct resolver_answer *said)
{
    struct origin_waiter *waiter = LIST_OF(asks, struct origin_waiter, asks);
    struct origin origin;
    struct arena arena;
    char room[1536];
    arena_init(&arena, room, sizeof room);
    kept(waiter, &arena, &origin);
    name_enter(&origin, said, &arena);
    const struct resolver_answer answer = found(waiter->origins, &origin);
    tell(waiter, &answer);
    arena_drop(&arena);
}

/* True: *ret_answer is it. False: the name is being asked for. */
static bool name_ask(struct origin_waiter *waiter, struct origin *origin, struct arena *arena,
                     struct resolver_answer *ret_answer)
{
    struct origins *origins = waiter->origins;
    struct resolver_answer said;
    if (origin->as_count && !origin->name.len && origins->names.len && origins->resolver) {
        const struct slice name = arena_format(arena, "as%u.%.*s", origin->as[0], SLICE_ARGS(origins->names));
        keep(waiter, origin);
        waiter->asks.done = name_came;
        if (!resolver_ask(origins->resolver, DNS_TXT, name, &waiter->asks, &said))
            return false;
        name_enter(origin, &said, arena);
    }
    *ret_answer = found(origins, origin);
    return true;
}

/* --- the origin of an address -------------------------------------------------------------------------- */

/* The same as name_ask. What was known before is told, whatever the zone says. */
static bool zone_judge(struct origin_waiter *waiter, struct origin *origin, struct arena *arena,
                       const struct resolver_answer *said, struct resolver_answer *ret_answer)
{
    const bool known = !origin_is_empty(origin);
    const bool sound = said->status != ANSWER_FOUND ||
                       origin_zone_read(origin, said->value, &waiter->address);
    if (known || (sound && said->status != ANSWER_FAILED))
        return name_ask(waiter, origin, arena, ret_answer);
    *ret_answer = sound ? *said : failed(SLICE("the zone's answer tells no origin of the address"));
    return true;
}

static void zone_came(struct resolver_waiter *asks, const struct resolver_answer *said)
{
    struct origin_waiter *waiter = LIST_OF(asks, struct origin_waiter, asks);
    struct resolver_answer answer;
    struct origin origin;
    struct arena arena;
    char room[1536];
    arena_init(&arena, room, sizeof room);
    kept(waiter, &arena, &origin);
    if (zone_judge(waiter, &origin, &arena, said, &answer))
        tell(waiter, &answer);
    arena_drop(&arena);
}

static struct slice zone_for(const struct origins *origins, const struct address *address)
{
    const struct slice zone = address->family == ADDRESS_IPV4 ? origins->zone : origins->zone6;
    if (!zone.len || !origins->resolver ||
        (address_is_special(address) && !resolver_is_local(origins->resolver)))
        return SLICE_NONE;
    return zone;
}

/* The same as name_ask. */
static bool zone_ask(struct origin_waiter *waiter, struct origin *origin, struct arena *arena,
                     struct resolver_answer *ret_answer)
{
    struct origins *origins = waiter->origins;
    const struct slice zone = origin->as_count ? SLICE_NONE : zone_for(origins, &waiter->address);
    struct resolver_answer said;
    char room[DNSBL_NAME_MAX];
    if (!zone.len)
        return name_ask(waiter, origin, arena, ret_answer);
    keep(waiter, origin);
    waiter->asks.done = zone_came;
    if (!resolver_ask(origins->resolver, DNS_TXT, dnsbl_name(&waiter->address, zone, room), &waiter->asks,
                      &said))
        return false;
    return zone_judge(waiter, origin, arena, &said, ret_answer);
}

static const char *files_look(const struct origins *origins, const struct address *address,
                              struct arena *arena, struct origin *origin)
{
    const char *trouble = NULL;
    for (size_t i = 0; i < origins->file_count; i++) {
        const char *one = origin_file_look(origins->files[i], address, arena, origin);
        trouble = trouble ? trouble : one;
    }
    return trouble;
}

bool origins_ask(struct origins *origins, const struct address *address, struct origin_waiter *waiter,
                 struct resolver_answer *ret_answer)
{
    struct origin origin = {.as_count = 0};
    struct arena arena;
    char room[1536];
    arena_init(&arena, room, sizeof room);
    list_init(&waiter->link);
    list_init(&waiter->asks.link);
    waiter->origins = origins;
    waiter->address = *address;
    const char *trouble = files_look(origins, address, &arena, &origin);
    const bool answered = zone_ask(waiter, &origin, &arena, ret_answer);
    if (!answered)
        list_add_last(&origins->waiting, &waiter->link);
    else if (trouble && ret_answer->status == ANSWER_NONE)
        *ret_answer = failed(slice_text(trouble));
    arena_drop(&arena);
    return answered;
}

/* --- their life ---------------------------------------------------------------------------------------- */

int origin_file_check(const char *file, struct error *error)
{
    struct origin_file *opened = origin_file_open(file, error);
    origin_file_close(opened);
    return opened ? 0 : -1;
}

static void files_open(struct origins *origins, const struct origins_settings *settings)
{
    origins->file_room = settings->file_count + 1;
    origins->files = memory_take(origins->file_room * sizeof(struct origin_file *));
    for (size_t i = 0; i < settings->file_count; i++) {
        const struct slice name = settings->files[i];
        struct error error;
        struct origin_file *file = origin_file_open(name.at, &error);
        if (file)
            origins->files[origins->file_count++] = file;
        if (settings->tell)
            settings->tell(settings->data, name, file ? NULL : &error);
    }
}

struct origins *origins_open(const struct origins_settings *settings)
{
    struct origins *origins = memory_take(sizeof *origins);
    assert(settings->zone.len <= ORIGIN_ZONE_MAX && settings->zone6.len <= ORIGIN_ZONE_MAX);
    origins->resolver = settings->resolver;
    list_init(&origins->waiting);
    arena_init(&origins->arena, NULL, 0);
    origins->zone = arena_copy(&origins->arena, settings->zone);
    origins->zone6 = arena_copy(&origins->arena, settings->zone6);
    origins->names = arena_copy(&origins->arena, settings->names);
    files_open(origins, settings);
    return origins;
}

void origins_close(struct origins *origins)
{
    if (!origins)
        return;
    while (!list_is_empty(&origins->waiting)) {
        struct origin_waiter *waiter = LIST_OF(origins->waiting.next, struct origin_waiter, link);
        list_remove(&waiter->link);
        resolver_forget(&waiter->asks);
    }
    for (size_t i = 0; i < origins->file_count; i++)
        origin_file_close(origins->files[i]);
    memory_give(origins->files, origins->file_room * sizeof(struct origin_file *));
    arena_drop(&origins->arena);
    memory_give(origins, sizeof *origins);
}
