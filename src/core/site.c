#include "core/site.h"

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

#define NAME_MAX_OCTETS 255u /* of a domain: RFC 5321 section 4.5.3.1.2 */

/* --- the table ----------------------------------------------------------------------------------------- */

#define CHOICE(field, ...) static const char *const words_##field[] = {__VA_ARGS__, NULL};
CHOICES
#undef CHOICE

#define WORDS_NUMBER(field)   NULL
#define WORDS_SIZE(field)     NULL
#define WORDS_DURATION(field) NULL
#define WORDS_SWITCH(field)   NULL
#define WORDS_TEXT(field)     NULL
#define WORDS_CHOICE(field)   words_##field

const struct setting_info setting_infos[] = {
#define SETTING(type, field, name, preset, low, high, doc)                                                   \
    {name, preset, doc, WORDS_##type(field), SETTING_##type, low, high, offsetof(struct settings, field)},
#include "core/setting.def"
#undef SETTING
};

const size_t setting_count = sizeof setting_infos / sizeof *setting_infos;

const struct setting_info *setting_find(struct slice name)
{
    for (size_t i = 0; i < setting_count; i++)
        if (slice_equal(name, slice_text(setting_infos[i].name)))
            return &setting_infos[i];
    return NULL;
}

/* --- what was expected --------------------------------------------------------------------------------- */

/* In the largest unit that it fills: "64KiB" reads better than "65536", and both are the same. */
static size_t size_print(uint64_t octets, char text[TEXT_UNIT_SIZE])
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (unit + 1 < sizeof units / sizeof *units && octets && octets % 1024 == 0) {
        octets /= 1024;
        unit++;
    }
    const size_t len = text_print_u64(octets, text);
    memcpy(text + len, units[unit], strlen(units[unit]) + 1);
    return len + strlen(units[unit]);
}

static struct slice value_print(enum setting_type type, uint64_t value, char text[TEXT_UNIT_SIZE])
{
    switch (type) {
    case SETTING_DURATION: return slice_of(text, text_print_duration(value, text));
    case SETTING_SIZE: return slice_of(text, size_print(value, text));
    case SETTING_NUMBER:
    case SETTING_SWITCH:
    case SETTING_TEXT:
    case SETTING_CHOICE: break;
    }
    return slice_of(text, text_print_u64(value, text));
}

/* "a duration such as 30s, from 1s to 1h" */
static struct slice expected_amount(const struct setting_info *info, const char *what, struct arena *arena)
{
    char low[TEXT_UNIT_SIZE], high[TEXT_UNIT_SIZE];
    const struct slice low_text = value_print(info->type, info->low, low);
    const struct slice high_text = value_print(info->type, info->high, high);

    if (info->high)
        return arena_format(arena, "%s, from %.*s to %.*s", what, SLICE_ARGS(low_text),
                            SLICE_ARGS(high_text));
    if (info->low)
        return arena_format(arena, "%s, at least %.*s", what, SLICE_ARGS(low_text));
    return arena_copy(arena, slice_text(what));
}

/* "syslog, journald, file or none" */
static struct slice expected_choice(const struct setting_info *info, struct arena *arena)
{
    struct slice text = SLICE_NONE;

    for (size_t i = 0; info->choices[i]; i++) {
        const char *before = i == 0 ? "" : info->choices[i + 1] ? ", " : " or ";
        text = arena_format(arena, "%.*s%s%s", SLICE_ARGS(text), before, info->choices[i]);
    }
    return text;
}

static struct slice expected_of(const struct setting_info *info, struct arena *arena)
{
    switch (info->type) {
    case SETTING_NUMBER: return expected_amount(info, "a whole number", arena);
    case SETTING_SIZE: return expected_amount(info, "a size such as 25MiB", arena);
    case SETTING_DURATION: return expected_amount(info, "a duration such as 30s or 1h30m", arena);
    case SETTING_SWITCH: return SLICE("yes or no");
    case SETTING_TEXT: return SLICE("text without control characters, at most 1024 octets");
    case SETTING_CHOICE: break;
    }
    return expected_choice(info, arena);
}

/* --- reading and printing ------------------------------------------------------------------------------ */

static bool parse_choice(const struct setting_info *info, struct slice text, uint8_t *ret_value)
{
    for (uint8_t i = 0; info->choices[i]; i++) {
        if (!slice_equal(text, slice_text(info->choices[i])))
            continue;
        *ret_value = i;
        return true;
    }
    return false;
}

static bool text_is_clean(struct slice text)
{
    if (text.len > SETTING_TEXT_MAX || !slice_is_utf8(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return false;
    return true;
}

static bool parse_amount(const struct setting_info *info, struct slice text, uint64_t *ret_value)
{
    uint64_t value = 0;
    const bool read = info->type == SETTING_DURATION ? text_parse_duration(text, &value)
                      : info->type == SETTING_SIZE   ? text_parse_size(text, &value)
                                                     : text_parse_u64(text, &value);

    if (!read || value < info->low || (info->high && value > info->high))
        return false;
    *ret_value = value;
    return true;
}

bool setting_set(struct settings *settings, const struct setting_info *info, struct slice text,
                 struct arena *arena, struct slice *ret_expected)
{
    void *field = (char *)settings + info->offset;
    bool done = false;

    switch (info->type) {
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION: done = parse_amount(info, text, field); break;
    case SETTING_SWITCH: done = text_parse_bool(text, field); break;
    case SETTING_CHOICE: done = parse_choice(info, text, field); break;
    case SETTING_TEXT:
        done = text_is_clean(text);
        if (done)
            *(struct slice *)field = arena_copy(arena, text);
        break;
    }
    if (!done)
        *ret_expected = expected_of(info, arena);
    return done;
}

void settings_preset(struct settings *settings, struct arena *arena)
{
    struct slice expected;

    memset(settings, 0, sizeof *settings);
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_info *info = &setting_infos[i];
        const bool done = setting_set(settings, info, slice_text(info->preset), arena, &expected);
        assert(done); /* the table's own default must be one that it allows */
    }
}

static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text_is_alnum(text.at[i]) && !memchr("-._/:@+", text.at[i], 7))
            return true;
    return text.len == 0;
}

static struct slice quote(struct slice text, struct arena *arena)
{
    char *at, *start;

    if (!needs_quotes(text))
        return arena_copy(arena, text);
    start = at = arena_take(arena, text.len * 2 + 3);
    *at++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            *at++ = '\\';
        *at++ = text.at[i];
    }
    *at++ = '"';
    return slice_of(start, (size_t)(at - start));
}

struct slice setting_print(const struct settings *settings, const struct setting_info *info,
                           struct arena *arena)
{
    const void *field = (const char *)settings + info->offset;
    char text[TEXT_UNIT_SIZE];

    switch (info->type) {
    case SETTING_SWITCH: return *(const bool *)field ? SLICE("yes") : SLICE("no");
    case SETTING_CHOICE: return slice_text(info->choices[*(const uint8_t *)field]);
    case SETTING_TEXT: return quote(*(const struct slice *)field, arena);
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION: break;
    }
    return arena_copy(arena, value_print(info->type, *(const uint64_t *)field, text));
}

/* --- networks ------------------------------------------------------------------------------------------ */

/* The order of networks: by family, by first address, the wider one first. */
static int prefix_compare(const struct prefix *a, const struct prefix *b)
{
    if (a->network.family != b->network.family)
        return a->network.family < b->network.family ? -1 : 1;
    const int order = memcmp(a->network.octets, b->network.octets, sizeof a->network.octets);
    return order ? order : (int)a->bits - (int)b->bits;
}

static void heap_sink(struct prefix *items, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && prefix_compare(&items[child], &items[child + 1]) < 0)
            child++;
        if (prefix_compare(&items[at], &items[child]) >= 0)
            return;
        const struct prefix moved = items[at];
        items[at] = items[child];
        items[child] = moved;
    }
}

/* Heap sort: the C library's sort may allocate. */
static void prefixes_sort(struct prefix *items, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        heap_sink(items, i, count);
    for (size_t end = count; end-- > 1;) {
        const struct prefix moved = items[0];
        items[0] = items[end];
        items[end] = moved;
        heap_sink(items, 0, end);
    }
}

void networks_sort(struct networks *networks)
{
    size_t kept = 0;

    prefixes_sort(networks->items, networks->count);
    for (size_t i = 0; i < networks->count; i++) {
        const struct prefix *item = &networks->items[i];
        if (kept && prefix_contains(&networks->items[kept - 1], &item->network))
            continue; /* sorted, so only the last one kept can hold it */
        networks->items[kept++] = *item;
    }
    networks->count = kept;
}

static bool networks_search(const struct networks *networks, const struct address *address)
{
    const struct prefix wanted = {.network = *address, .bits = 128};
    size_t low = 0, high = networks->count; /* the last one that begins at or before the address */

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (prefix_compare(&networks->items[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && prefix_contains(&networks->items[low - 1], address);
}

bool networks_contain(const struct networks *networks, const struct address *address)
{
    if (networks->count > NETWORKS_UNSORTED_MAX)
        return networks_search(networks, address);
    for (size_t i = 0; i < networks->count; i++)
        if (prefix_contains(&networks->items[i], address))
            return true;
    return false;
}

bool site_asks_names(const struct site *site)
{
    return !slice_equal(site->set.dns_server, SLICE("none"));
}

/* --- the site ------------------------------------------------------------------------------------------ */

struct site *site_new(void)
{
    struct site *site = memory_take(sizeof *site);

    arena_init(&site->arena, NULL, 0);
    table_init(&site->routes_by_domain, 0); /* the administrator chooses the keys */
    table_init(&site->access, 0);
    table_init(&site->traps, 0);
    settings_preset(&site->set, &site->arena);
    rules_preset(site->rules);
    return site;
}

void site_free(struct site *site)
{
    if (!site)
        return;
    table_drop(&site->routes_by_domain);
    table_drop(&site->access);
    table_drop(&site->traps);
    arena_drop(&site->arena);
    memory_give(site, sizeof *site);
}

const struct route *site_add_domain(struct site *site, struct route *route, struct slice domain)
{
    const struct route *other = table_get(&site->routes_by_domain, domain);

    if (!other)
        (void)table_put(&site->routes_by_domain, domain, route);
    return other;
}

const struct route *site_route(const struct site *site, struct slice domain, bool own)
{
    char lower[NAME_MAX_OCTETS];
    const struct route *route;

    if (domain.len && domain.at[domain.len - 1] == '.')
        domain.len--;
    if (domain.len == 0 || domain.len > sizeof lower)
        return NULL;
    for (size_t i = 0; i < domain.len; i++)
        lower[i] = text_lower(domain.at[i]);

    struct slice name = slice_of(lower, domain.len);
    /* ".example.org" and "*" are keys of the table, but no domains that a peer may ask for. */
    if (lower[0] == '.' || slice_equal(name, SLICE("*")))
        return NULL;
    route = table_get(&site->routes_by_domain, name);
    for (size_t at = slice_find(name, '.'); !route && at != SLICE_NOT_FOUND; at = slice_find(name, '.')) {
        route = table_get(&site->routes_by_domain, slice_from(name, at));
        name = slice_from(name, at + 1);
    }
    if (!route && own)
        route = table_get(&site->routes_by_domain, SLICE("*"));
    return route;
}

struct slice site_home_domain(const struct site *site)
{
    if (site_route(site, site->set.host_name, false))
        return site->set.host_name;
    for (size_t i = 0; i < site->route_count; i++)
        for (size_t k = 0; k < site->routes[i].domain_count; k++)
            if (site->routes[i].domains[k].at[0] != '*' && site->routes[i].domains[k].at[0] != '.')
                return site->routes[i].domains[k];
    return SLICE_NONE;
}
