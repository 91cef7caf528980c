#include "cli/scan_log_client.h"

#include "base/memory.h"
#include "base/text.h"
#include "checks/generic_name.h"
#include "io/origin_file.h"
#include "io/suffix.h"

/* Clients come again and again: what was found of them is kept, the latest of each place. */
#define PLACES     16384u /* a power of two */
#define NAME_SIZE  128    /* longer names are looked at each time */
#define OWNER_SIZE 64
#define FILES_MAX  8

struct place {
    struct address address; /* ADDRESS_NONE: empty */
    uint32_t name_len;
    uint32_t pool_at, pool_len; /* in name */
    bool generic;
    uint32_t as_number;
    struct prefix netblock;
    char country[3];
    uint32_t owner_len;
    char name[NAME_SIZE];
    char owner[OWNER_SIZE];
};

struct scan_log_client {
    struct suffix *suffix;
    struct origin_file *files[FILES_MAX];
    size_t file_count;
    struct arena arena; /* of one look-up */
    struct place *places;
    struct place spare; /* for names that are too long to keep */
};

struct scan_log_client *scan_log_client_new(const struct slice *origin_files, size_t count,
                                            struct error *error)
{
    struct scan_log_client *client = memory_take(sizeof *client);

    client->places = memory_take(PLACES * sizeof *client->places);
    client->suffix = suffix_open();
    arena_init(&client->arena, NULL, 0);
    for (size_t i = 0; i < count && i < FILES_MAX; i++) {
        struct error why = {0};
        const char *file = arena_copy(&client->arena, origin_files[i]).at;
        client->files[i] = origin_file_open(file, &why);
        if (!client->files[i]) {
            (void)error_set(error, 0, "%s %s", file, why.text);
            scan_log_client_free(client);
            return NULL;
        }
        client->file_count++;
    }
    return client;
}

void scan_log_client_free(struct scan_log_client *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < client->file_count; i++)
        origin_file_close(client->files[i]);
    suffix_close(client->suffix);
    arena_drop(&client->arena);
    memory_give(client->places, PLACES * sizeof *client->places);
    memory_give(client, sizeof *client);
}

/* --- looking up ---------------------------------------------------------------------------------------- */

/* Name becomes lower case without a final dot; the pool is its end. */
static void name_look(struct scan_log_client *client, struct place *place, struct slice name)
{
    name = slice_head(name, NAME_SIZE);
    if (name.len && name.at[name.len - 1] == '.')
        name.len--;
    for (size_t i = 0; i < name.len; i++)
        place->name[i] = text_lower(name.at[i]);
    place->name_len = (uint32_t)name.len;
    name = slice_of(place->name, name.len);
    place->generic = name.len && generic_name(name, &place->address, NULL) != GENERIC_NO;
    if (!name.len || place->generic || !client->suffix)
        return;
    const struct slice pool = suffix_registered(client->suffix, name, &client->arena);
    if (pool.len && slice_ends_fold(name, pool)) {
        place->pool_at = (uint32_t)(name.len - pool.len);
        place->pool_len = (uint32_t)pool.len;
    }
}

static void origin_look(struct scan_log_client *client, struct place *place)
{
    struct origin origin = {0};

    for (size_t i = 0; i < client->file_count; i++)
        (void)origin_file_look(client->files[i], &place->address, &client->arena, &origin);
    place->as_number = origin.as_count ? origin.as[0] : 0;
    place->netblock = origin.netblock;
    memcpy(place->country, origin.country, 2);
    const struct slice owner = slice_head(origin.name, OWNER_SIZE);
    place->owner_len = (uint32_t)owner.len;
    memcpy(place->owner, owner.len ? owner.at : "", owner.len);
}

static bool is_place_of(const struct place *place, const struct attempt *attempt)
{
    return address_equal_host(&place->address, &attempt->peer) &&
           slice_equal_fold(slice_of(place->name, place->name_len), attempt->ptr);
}

static struct place *place_of(struct scan_log_client *client, const struct attempt *attempt)
{
    uint8_t key[16];

    address_key(&attempt->peer, key);
    const uint64_t hash = slice_hash(slice_of((const char *)key, sizeof key), 0);
    struct place *place = attempt->ptr.len < NAME_SIZE ? &client->places[(hash ^ hash >> 32) & (PLACES - 1)]
                                                       : &client->spare;
    if (place != &client->spare && is_place_of(place, attempt))
        return place;
    *place = (struct place){.address = attempt->peer};
    name_look(client, place, attempt->ptr);
    origin_look(client, place);
    arena_drop(&client->arena);
    return place;
}

void scan_log_client_tell(struct scan_log_client *client, struct attempt *attempt)
{
    const struct place *place = place_of(client, attempt);

    if (attempt_has(attempt, ATTEMPT_HAS_PTR)) {
        attempt->ptr_generic = place->generic;
        attempt->pool = slice_of(place->name + place->pool_at, place->pool_len);
        if (client->suffix)
            attempt->has |= ATTEMPT_HAS_POOL;
    }
    attempt->as_number = place->as_number;
    attempt->netblock = place->netblock;
    memcpy(attempt->country, place->country, sizeof place->country);
    attempt->owner = slice_of(place->owner, place->owner_len);
    if (place->as_number || place->netblock.network.family || place->owner_len)
        attempt->has |= ATTEMPT_HAS_ORIGIN;
}
