#include "daemon/keeper_exports_list.h"

#include "base/memory.h"
#include "core/own_list.h"

#define LOOK_MS    500
#define LOOK_STEP  1000     /* allowances of one look into the store */
#define OBJECT_MAX 4096     /* octets */
#define ALLOWANCES SIZE_MAX /* where a walk is that has passed the last entry */

struct list {
    struct keeper_blocks_settings set;
    struct keeper_blocks *blocks;
    bool objects;                /* each entry has its object, for JSON */
    struct store_walk walk;      /* over the allowances */
    struct export_entry allowed; /* the one that the walk has found */
    bool found, ended;
    char value[OWN_VALUE_SIZE];
    struct buf object;
    uint64_t sum;     /* of the allowances as they were last */
    uint64_t changes; /* of it */
    uint64_t look_ms; /* when they are looked at next */
};

static int64_t now_ms(const struct list *list)
{
    return loop_unix_us(list->set.loop) / 1000;
}

/* --- allowances ----------------------------------------------------------------------------------------- */

static void allowance_add(void *data, const struct store_item *item)
{
    uint64_t *sum = data;

    *sum += slice_hash(item->key, slice_hash(item->value, (uint64_t)item->expires_unix_ms));
}

/* They are few: a look at all now and then is cheap. */
static void allowances_look(struct list *list)
{
    struct store_walk walk = {.prefix = own_key_start(OWN_ALLOW), .most = LOOK_STEP};
    struct error error;
    uint64_t sum = 0;

    do {
        if (store_walk(list->set.store, &walk, now_ms(list), allowance_add, &sum, &error) < 0)
            return; /* nothing is known of them now */
    } while (walk.cursor_len);
    list->changes += sum != list->sum;
    list->sum = sum;
}

static uint64_t generation(void *data)
{
    struct list *list = data;
    const uint64_t now = loop_now_ms(list->set.loop);

    if (now >= list->look_ms) {
        allowances_look(list);
        list->look_ms = now + LOOK_MS;
    }
    return keeper_blocks_generation(list->blocks) + list->changes;
}

static void allowance_take(void *data, const struct store_item *item)
{
    struct list *list = data;
    struct own_value value;
    enum own_list which;
    struct prefix prefix;

    if (item->by != STORE_PUT || item->value.len > sizeof list->value ||
        !own_key_parse(item->key, &which, &prefix))
        return;
    memcpy(list->value, item->value.at, item->value.len);
    list->found = own_value_parse(slice_of(list->value, item->value.len), &value);
    list->allowed = (struct export_entry){.address = prefix,
                                          .reason = value.reason,
                                          .evidence = value.id,
                                          .expires_ms = item->expires_unix_ms,
                                          .allowed = true};
}

static bool allowance_next(struct list *list, struct export_entry *ret_entry)
{
    struct error error;

    list->found = false;
    while (!list->found && !list->ended) {
        if (store_walk(list->set.store, &list->walk, now_ms(list), allowance_take, list, &error) < 0)
            return false;
        list->ended = !list->walk.cursor_len;
    }
    *ret_entry = list->allowed;
    return list->found;
}

/* --- all ------------------------------------------------------------------------------------------------ */

static bool next(void *data, size_t *at, struct export_entry *ret_entry)
{
    struct list *list = data;

    if (*at != ALLOWANCES && keeper_blocks_next(list->blocks, at, ret_entry)) {
        buf_clear(&list->object);
        if (list->objects && keeper_blocks_object(list->blocks, &ret_entry->address, &list->object))
            ret_entry->object = buf_slice(&list->object);
        return true;
    }
    if (*at != ALLOWANCES) {
        *at = ALLOWANCES;
        list->walk = (struct store_walk){.prefix = own_key_start(OWN_ALLOW), .most = 1};
        list->ended = false;
    }
    return allowance_next(list, ret_entry);
}

static void list_close(void *data)
{
    struct list *list = data;

    buf_drop(&list->object);
    memory_give(list, sizeof *list);
}

int keeper_exports_of_blocks(const struct keeper_blocks_settings *settings, struct keeper_blocks *blocks,
                             struct keeper_exports **ret_exports, struct error *error)
{
    struct list *list = memory_take(sizeof *list);
    const struct keeper_exports_settings exports = {
        settings->site, settings->loop, settings->journal, {next, generation, list_close, list}};

    list->set = *settings;
    list->blocks = blocks;
    list->objects = settings->site->set.export_json.len > 0;
    buf_init(&list->object, OBJECT_MAX);
    return keeper_exports_open(&exports, ret_exports, error);
}
