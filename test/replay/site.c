/* The configuration of a script: what its lines of setup say, and defaults that keep out of its way. */
#include "replay.h"

#include "base/text.h"
#include "checks/list.h"
#include "wire/access.h"

#include <string.h>

static void *more(struct arena *arena, const void *old, size_t count, size_t size)
{
    char *items = arena_take(arena, (count + 1) * size);
    if (count)
        memcpy(items, old, count * size);
    return items;
}

static void networks_add(struct site *site, struct networks *networks, struct slice text)
{
    struct slice word;
    while (slice_word(&text, &word)) {
        networks->items = more(&site->arena, networks->items, networks->count, sizeof *networks->items);
        if (prefix_parse(word, &networks->items[networks->count]))
            networks->count++;
    }
}

/* All routes are made before the first domain is entered: their places move no more. */
static void route_add(struct site *site, struct slice text)
{
    struct slice domain, kind;
    slice_word(&text, &domain);
    site->routes = more(&site->arena, site->routes, site->route_count, sizeof *site->routes);
    struct route *route = &site->routes[site->route_count];
    route->name = domain;
    route->number = (uint16_t)site->route_count++;
    route->kind = slice_word(&text, &kind) && slice_equal(kind, SLICE("relay")) ? ROUTE_RELAY : ROUTE_MAILDIR;
}

static void banner_add(struct site *site, struct slice text)
{
    site->banner = more(&site->arena, site->banner, site->banner_count, sizeof *site->banner);
    site->banner[site->banner_count++] = slice_trim(text);
}

/* check.WORD.FIELD VALUE */
static bool change_read(struct slice name, struct slice value, struct rule_change *ret_change)
{
    struct slice word, field = name;
    enum finding finding;
    const char *expected;
    slice_cut(&field, '.', &word);
    slice_cut(&field, '.', &word);
    *ret_change = (struct rule_change){0};
    if (!finding_parse(word, &finding) || !rule_change_read(ret_change, field, value, &expected))
        return false;
    ret_change->finding = (uint8_t)finding;
    return true;
}

static void rule_add(struct world *world, struct slice name, struct slice value)
{
    struct rule_change change;
    if (change_read(name, value, &change))
        rule_change_apply(&change, &world->site->rules[change.finding]);
    else
        world->broken = "a finding of the script is not known, or its rule is wrong";
}

static bool override_flag(struct override *override, struct slice word)
{
    bool *flag = slice_equal(word, SLICE("allow"))     ? &override->allow
                 : slice_equal(word, SLICE("block"))   ? &override->block
                 : slice_equal(word, SLICE("known"))   ? &override->known
                 : slice_equal(word, SLICE("observe")) ? &override->observe
                                                       : NULL;
    if (flag)
        *flag = true;
    return flag;
}

static bool override_word(struct site *site, struct override *override, struct slice word, struct slice value)
{
    for (unsigned by = 0; by < OVERRIDE_BY_COUNT; by++)
        if (slice_equal(word, slice_text(override_by_word(by)))) {
            struct names *names = &override->by[by];
            names->items = more(&site->arena, names->items, names->count, sizeof *names->items);
            names->items[names->count++] = value;
            return true;
        }
    if (slice_equal(word, SLICE("network")))
        networks_add(site, &override->networks, value);
    else if (slice_equal(word, SLICE("words")))
        override->words = value;
    else {
        override->changes = more(&site->arena, override->changes, override->change_count,
                                 sizeof *override->changes);
        return change_read(word, value, &override->changes[override->change_count++]);
    }
    return true;
}

/* override NAME network 192.0.2.0/24 check.nul.mode off allow … : criteria and changes in one line. */
static void override_add(struct world *world, struct slice text)
{
    struct site *site = world->site;
    struct slice word, value;
    site->overrides = more(&site->arena, site->overrides, site->override_count, sizeof *site->overrides);
    struct override *override = &site->overrides[site->override_count++];
    slice_word(&text, &override->name);
    while (slice_word(&text, &word))
        if (!override_flag(override, word) &&
            (!slice_word(&text, &value) || !override_word(site, override, word, value)))
            world->broken = "an override of the script is wrong";
}

static void setting_add(struct world *world, struct slice text)
{
    struct slice name, expected;
    slice_word(&text, &name);
    if (slice_starts(name, SLICE("check."))) {
        rule_add(world, name, slice_trim(text));
        return;
    }
    const struct setting_info *info = setting_find(name);
    if (!info || !setting_set(&world->site->set, info, slice_trim(text), &world->site->arena, &expected))
        world->broken = "a setting of the script is not known, or its value is wrong";
}

/* access LINE: as it would stand in a table. */
static void access_add(struct world *world, struct slice text)
{
    struct access_reader reader;
    struct access_entry entry;
    char key[ACCESS_KEY_SIZE];
    access_init(&reader, text);
    if (access_next(&reader, &entry) != ACCESS_ENTRY) {
        world->broken = "an access line of the script cannot be read";
        return;
    }
    const struct access_rule rule = {
        .action = (uint8_t)entry.action, .enhanced = entry.enhanced, .text = entry.text};
    site_add_access(world->site, entry.tags, slice_of(key, access_key_print(&entry, key)), &rule);
}

/* blocklist NAME WEIGHT [CODE WEIGHT] … */
static void blocklist_add(struct world *world, struct slice text)
{
    struct site *site = world->site;
    struct slice word, value;
    int64_t weight;
    site->blocklists = more(&site->arena, site->blocklists, site->blocklist_count, sizeof *site->blocklists);
    struct blocklist *list = &site->blocklists[site->blocklist_count++];
    slice_word(&text, &list->name);
    if (!slice_word(&text, &value) || !text_parse_i64(value, &weight))
        world->broken = "a blocklist of the script has no weight";
    list->weight = (int32_t)weight;
    while (slice_word(&text, &word)) {
        list->codes = more(&site->arena, list->codes, list->code_count, sizeof *list->codes);
        struct blocklist_code *code = &list->codes[list->code_count++];
        if (!dnsbl_pattern_parse(word, &code->pattern) || !slice_word(&text, &value) ||
            !text_parse_i64(value, &weight))
            world->broken = "a blocklist of the script is wrong";
        code->weight = (int32_t)weight;
    }
}

static void setup_one(struct world *world, struct slice text)
{
    struct site *site = world->site;
    struct slice word;
    slice_word(&text, &word);
    if (world->now && slice_equal(word, SLICE("now")))
        slice_word(&text, &word);
    if (slice_equal(word, SLICE("set")))
        setting_add(world, text);
    else if (slice_equal(word, SLICE("route")))
        route_add(site, text);
    else if (slice_equal(word, SLICE("own")))
        networks_add(site, &site->own, text);
    else if (slice_equal(word, SLICE("xclient")))
        networks_add(site, &site->xclient, text);
    else if (slice_equal(word, SLICE("bare-newline")))
        networks_add(site, &site->bare_newline, text);
    else if (slice_equal(word, SLICE("trusted")))
        networks_add(site, &site->trusted, text);
    else if (slice_equal(word, SLICE("override")))
        override_add(world, text);
    else if (slice_equal(word, SLICE("access")))
        access_add(world, text);
    else if (slice_equal(word, SLICE("blocklist")))
        blocklist_add(world, text);
    else if (slice_equal(word, SLICE("trap")))
        site_add_trap(site, slice_trim(text));
    else if (slice_equal(word, SLICE("banner")))
        banner_add(site, text);
}

void world_site(struct world *world, const struct script *script)
{
    struct site *site = world->site = site_new();
    struct slice expected;
    settings_preset(&site->set, &site->arena);
    setting_set(&site->set, setting_find(SLICE("host-name")), SLICE("mx.example"), &site->arena, &expected);
    setting_set(&site->set, setting_find(SLICE("spf.field")), SLICE("no"), &site->arena, &expected);
    /* Nobody waits where waiting is not the point of the script: it sets these itself. */
    site->set.banner_delay = site->set.slow_first = site->set.slow_octet = 0;
    for (const struct order *order = script->setup; order; order = order->next)
        setup_one(world, order->text);
    overrides_note(site);
    if (!site->route_count)
        route_add(site, SLICE("example.org maildir"));
    for (size_t i = 0; i < site->route_count; i++)
        site_add_domain(site, &site->routes[i], site->routes[i].name);
}

/* They look at names that most scripts make up as they please. */
static bool is_about_names(const struct check *check)
{
    return check == &check_pointer || check == &check_helo || check == &check_helo_name ||
           check == &check_sender || check == &check_header_form || check == &check_message_id;
}

static bool is_wanted(const struct world *world, const struct script *script, const struct check *check)
{
    for (const struct order *order = script->setup; order; order = order->next) {
        struct slice rest = order->text, word;
        if (!slice_word(&rest, &word))
            continue;
        if (world->now && slice_equal(word, SLICE("now")))
            slice_word(&rest, &word);
        if (!slice_equal(word, SLICE("checks")))
            continue;
        while (slice_word(&rest, &word))
            if (slice_equal(word, SLICE("all")) || slice_equal(word, slice_text(check->name)))
                return true;
    }
    return false;
}

void world_checks_choose(struct world *world, const struct script *script)
{
    size_t count = 0;
    for (const struct check *const *check = check_list; *check; check++)
        if (!is_about_names(*check) || is_wanted(world, script, *check))
            world->checks[count++] = *check;
    session_world_checks(&world->shared, world->checks);
}
