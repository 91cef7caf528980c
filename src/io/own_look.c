#include "io/own_look.h"

bool own_look_any(struct own_look *look, struct store *store, int64_t now_unix_ms)
{
    const uint64_t version = store_version(store);
    if (!version || version != look->version) {
        struct slice text;
        struct error error;
        if (store_get(store, OWN_LENGTHS_KEY, now_unix_ms, &text, &error) != STORE_FOUND ||
            !own_lengths_parse(text, &look->lengths))
            look->lengths = (struct own_lengths){0, 0};
        look->version = version;
    }
    return look->lengths.ipv4 || look->lengths.ipv6;
}

/* In one list, the longest first. */
static enum store_status find(uint64_t lengths, struct store *store, int64_t now_unix_ms,
                              const struct address *address, struct own_entry *entry, struct error *error)
{
    char key[OWN_KEY_SIZE];
    struct slice value;
    for (unsigned bits; (bits = own_lengths_take(&lengths));) {
        if (!own_prefix_of(address, bits, &entry->prefix))
            continue;
        const size_t len = own_key_print(entry->list, &entry->prefix, key);
        const enum store_status status = store_get(store, slice_of(key, len), now_unix_ms, &value, error);
        if (status == STORE_FAILED)
            return status;
        if (status == STORE_FOUND && own_value_parse(value, &entry->value))
            return STORE_FOUND;
    }
    return STORE_NONE;
}

static void fail(struct own_answer *answer, struct slice why)
{
    answer->status = ANSWER_FAILED;
    answer->value = why;
}

void own_look_answer(const struct own_look *look, struct store *store, struct slice key, int64_t now_unix_ms,
                     struct own_answer *ret_answer)
{
    struct own_entry entry = {.list = OWN_ALLOW};
    struct address address;
    ret_answer->status = ANSWER_NONE;
    ret_answer->value = SLICE_NONE;
    if (!address_parse(key, &address)) {
        fail(ret_answer, SLICE("that is no address"));
        return;
    }
    const uint64_t lengths = own_lengths_of(&look->lengths, (enum address_family)address.family);
    enum store_status status = find(lengths, store, now_unix_ms, &address, &entry, &ret_answer->error);
    if (status == STORE_NONE) {
        entry.list = OWN_BLOCK;
        status = find(lengths, store, now_unix_ms, &address, &entry, &ret_answer->error);
    }
    if (status == STORE_FAILED) {
        fail(ret_answer, slice_text(ret_answer->error.text));
    } else if (status == STORE_FOUND) {
        ret_answer->status = ANSWER_FOUND;
        ret_answer->value = slice_of(ret_answer->text, own_entry_print(&entry, ret_answer->text));
    }
}
