/* Access tables and traps: lists of addresses and names with a meaning. */
#include "base/text.h"
#include "core/site.h"
#include "wire/access.h"

#define KEY_SIZE (ACCESS_KEY_SIZE + 16)

static const char *tag_word(unsigned tag)
{
    switch (tag) {
    case ACCESS_CONNECT: return "connect:";
    case ACCESS_FROM: return "from:";
    case ACCESS_TO: return "to:";
    case ACCESS_HELO: return "helo:";
    }
    return "";
}

bool site_add_access(struct site *site, unsigned tags, struct slice key, const struct access_rule *rule)
{
    bool fresh = true;
    if (rule->action == ACCESS_OK && !access_key_is_address(key))
        site->access_allows = true;
    for (unsigned tag = ACCESS_CONNECT; tag <= ACCESS_HELO; tag <<= 1) {
        if (!(tags & tag))
            continue;
        struct slice whole = arena_join(&site->arena, slice_text(tag_word(tag)), key);
        if (table_get(&site->access, whole)) {
            fresh = false;
            continue;
        }
        struct access_rule *copy = arena_take(&site->arena, sizeof *copy);
        *copy = *rule;
        copy->key = whole;
        copy->enhanced = arena_copy(&site->arena, rule->enhanced);
        copy->text = arena_copy(&site->arena, rule->text);
        table_put(&site->access, whole, copy);
    }
    return fresh;
}

static const struct access_rule *rule_at(const struct site *site, const char *word, struct slice key)
{
    char whole[KEY_SIZE];
    size_t word_len = strlen(word);
    if (word_len + key.len > sizeof whole)
        return NULL;
    memcpy(whole, word, word_len);
    memcpy(whole + word_len, key.at, key.len);
    return table_get(&site->access, slice_of(whole, word_len + key.len));
}

/* user@domain, then user@, then the domain and those above it, as sendmail looks. */
const struct access_rule *site_access(const struct site *site, unsigned tag, struct slice key)
{
    const char *word = tag_word(tag);
    const struct access_rule *rule;
    size_t at = slice_find_last(key, '@');
    if (!site->access.used || !key.len)
        return NULL;
    rule = rule_at(site, word, key);
    if (!rule && at != SLICE_NOT_FOUND)
        rule = rule_at(site, word, slice_head(key, at + 1));
    while (!rule && access_key_widen(&key))
        rule = rule_at(site, word, key);
    return rule && rule->action == ACCESS_SKIP ? NULL : rule;
}

static struct slice lower(struct slice text, char *room, size_t size)
{
    if (text.len > size)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len; i++)
        room[i] = text_lower(text.at[i]);
    return slice_of(room, text.len);
}

void site_add_trap(struct site *site, struct slice address)
{
    char *room = arena_take(&site->arena, address.len + 1);
    struct slice key = lower(address, room, address.len);
    if (key.len)
        table_put(&site->traps, key, room);
}

bool site_is_trap(const struct site *site, struct slice address)
{
    char room[KEY_SIZE];
    if (!site->traps.used)
        return false;
    struct slice key = lower(address, room, sizeof room);
    return key.len && table_get(&site->traps, key);
}
