#include "daemon/never.h"

#include "base/memory.h"
#include "base/text.h"
#include "core/override.h"
#include "core/own_list.h"
#include "io/suffix.h"
#include "wire/access.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>

enum { STEP = 1000, ALLOWED_MOST = 100000 };

enum kind {
    KIND_OWN,
    KIND_HOST,
    KIND_TRUSTED,
    KIND_PROXY,
    KIND_INNER,
    KIND_ACCESS,
    KIND_OVERRIDE,
    KIND_ALLOWED,
    KIND_KNOWN,
    KINDS
};

static const char *const kind_words[KINDS] = {
    [KIND_OWN] = "one of our own networks",
    [KIND_HOST] = "an address of this host",
    [KIND_TRUSTED] = "a trusted forwarder or backup MX",
    [KIND_PROXY] = "a proxy in front of this gate",
    [KIND_INNER] = "an inner server that mail goes on to",
    [KIND_ACCESS] = "allowed by the access table",
    [KIND_OVERRIDE] = "allowed by an override",
    [KIND_ALLOWED] = "allowed for the time being (postern allow)",
    [KIND_KNOWN] = "known by an override",
};

struct list {
    struct networks networks; /* sorted, none within another */
    size_t room;
};

struct never {
    const struct site *site;
    struct store *store;
    struct suffix *suffix; /* NULL: there is no list */
    struct list lists[KINDS];
    struct list looked; /* the allowances that are being looked at */
    bool looked_full;
};

/* --- lists ---------------------------------------------------------------------------------------------- */

static void list_add(struct list *list, const struct prefix *prefix)
{
    if (list->networks.count == list->room) {
        const size_t room = list->room ? list->room * 2 : 8;
        list->networks.items = memory_resize(list->networks.items, list->room * sizeof(struct prefix),
                                             room * sizeof(struct prefix));
        list->room = room;
    }
    list->networks.items[list->networks.count++] = *prefix;
}

static void list_add_networks(struct list *list, const struct networks *networks)
{
    for (size_t i = 0; i < networks->count; i++)
        list_add(list, &networks->items[i]);
}

static void list_add_address(struct list *list, const struct address *address)
{
    const uint8_t bits = address->family == ADDRESS_IPV4 ? 32 : 128;
    if (address->family && !address_is_unspecified(address))
        list_add(list, &(struct prefix){address_network(address, bits), bits});
}

static void list_drop(struct list *list)
{
    memory_give(list->networks.items, list->room * sizeof(struct prefix));
    *list = (struct list){.room = 0};
}

/* One that holds the prefix or, `within`, lies in it. Where a host is in none the sorted list tells it at
 * once. */
static const struct prefix *list_find(const struct list *list, const struct prefix *prefix, bool within)
{
    const bool is_host = prefix->bits == (prefix->network.family == ADDRESS_IPV4 ? 32 : 128);
    if ((is_host || !within) && !networks_contain(&list->networks, &prefix->network))
        return NULL;
    for (size_t i = 0; i < list->networks.count; i++) {
        const struct prefix *item = &list->networks.items[i];
        const bool holds = item->bits <= prefix->bits && prefix_contains(item, &prefix->network);
        if (holds || (within && prefix_contains(prefix, &item->network)))
            return item;
    }
    return NULL;
}

/* --- what the configuration says ------------------------------------------------------------------------ */

static void proxies_add(struct never *never)
{
    struct list *list = &never->lists[KIND_PROXY];
    list_add_networks(list, &never->site->xclient);
    for (size_t i = 0; i < never->site->listen_count; i++)
        list_add_networks(list, &never->site->listens[i].proxy);
}

static void inner_add(struct never *never)
{
    for (size_t i = 0; i < never->site->route_count; i++)
        for (size_t k = 0; k < never->site->routes[i].target_count; k++)
            list_add_address(&never->lists[KIND_INNER], &never->site->routes[i].targets[k].address);
}

static struct address address_of(const struct sockaddr *from)
{
    if (from && from->sa_family == AF_INET)
        return address_from_octets(
            ADDRESS_IPV4, (const uint8_t *)&((const struct sockaddr_in *)(const void *)from)->sin_addr, 0);
    if (from && from->sa_family == AF_INET6)
        return address_from_octets(
            ADDRESS_IPV6, (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 0);
    return (struct address){.family = ADDRESS_NONE};
}

/* The whole of 127.0.0.0/8 is this host, but where somebody tries a gate at home. */
static void host_add(struct never *never)
{
    struct list *list = &never->lists[KIND_HOST];
    struct ifaddrs *all = NULL;
    struct prefix loopback4, loopback6;
    (void)prefix_parse(never->site->set.blocks_loopback ? SLICE("127.0.0.1") : SLICE("127.0.0.0/8"),
                       &loopback4);
    (void)prefix_parse(SLICE("::1"), &loopback6);
    list_add(list, &loopback4);
    list_add(list, &loopback6);
    if (getifaddrs(&all) == 0)
        for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
            const struct address address = address_of(one->ifa_addr);
            if (!address_is_loopback(&address))
                list_add_address(list, &address);
        }
    freeifaddrs(all);
    for (size_t i = 0; i < never->site->listen_count; i++)
        list_add_address(list, &never->site->listens[i].address);
}

/* "192.0.2" as octets to the left, or "ipv6:2001:db8" as groups; false: it is a name. */
static bool access_prefix(struct slice key, struct prefix *ret_prefix)
{
    const bool is6 = slice_starts(key, SLICE("ipv6:"));
    struct address address = {.family = is6 ? ADDRESS_IPV6 : ADDRESS_IPV4};
    struct slice part;
    unsigned octets = 0;
    if (is6)
        key = slice_from(key, 5);
    while (slice_cut(&key, is6 ? ':' : '.', &part)) {
        uint64_t number;
        if (!(is6 ? text_parse_hex(part, &number) : text_parse_u64(part, &number)) ||
            number > (is6 ? 0xffffu : 0xffu) || octets >= (is6 ? 16u : 4u))
            return false;
        if (is6)
            address.octets[octets++] = (uint8_t)(number >> 8);
        address.octets[octets++] = (uint8_t)number;
    }
    *ret_prefix = (struct prefix){address, (uint8_t)(octets * 8)};
    return octets > 0;
}

static void access_add(struct never *never)
{
    struct slice key;
    void *rule;
    size_t at = 0;
    while (table_next(&never->site->access, &at, &key, &rule)) {
        struct prefix prefix;
        if (slice_starts(key, SLICE("connect:")) && ((struct access_rule *)rule)->action == ACCESS_OK &&
            access_prefix(slice_from(key, 8), &prefix))
            list_add(&never->lists[KIND_ACCESS], &prefix);
    }
}

static void overrides_add(struct never *never)
{
    for (size_t i = 0; i < never->site->override_count; i++) {
        const struct override *override = &never->site->overrides[i];
        if (override->allow)
            list_add_networks(&never->lists[KIND_OVERRIDE], &override->networks);
        else if (override->known)
            list_add_networks(&never->lists[KIND_KNOWN], &override->networks);
    }
}

struct never *never_new(const struct site *site, struct store *store)
{
    struct never *never = memory_take(sizeof *never);
    never->site = site;
    never->store = store;
    never->suffix = suffix_open();
    list_add_networks(&never->lists[KIND_OWN], &site->own);
    list_add_networks(&never->lists[KIND_TRUSTED], &site->trusted);
    host_add(never);
    proxies_add(never);
    inner_add(never);
    access_add(never);
    overrides_add(never);
    for (unsigned kind = 0; kind < KINDS; kind++)
        networks_sort(&never->lists[kind].networks);
    return never;
}

void never_free(struct never *never)
{
    if (!never)
        return;
    for (unsigned kind = 0; kind < KINDS; kind++)
        list_drop(&never->lists[kind]);
    list_drop(&never->looked);
    suffix_close(never->suffix);
    memory_give(never, sizeof *never);
}

/* --- allowances ----------------------------------------------------------------------------------------- */

static void allowance_came(void *data, const struct store_item *item)
{
    struct never *never = data;
    enum own_list list;
    struct prefix prefix;
    if (!own_key_parse(item->key, &list, &prefix) || list != OWN_ALLOW)
        return;
    never->looked_full = never->looked.networks.count == ALLOWED_MOST;
    if (!never->looked_full)
        list_add(&never->looked, &prefix);
}

static bool is_same(const struct networks *a, const struct networks *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].bits != b->items[i].bits ||
            !address_equal(&a->items[i].network, &b->items[i].network))
            return false;
    return true;
}

bool never_look(struct never *never, int64_t now_unix_ms)
{
    struct store_walk walk = {.prefix = own_key_start(OWN_ALLOW), .most = STEP};
    struct list *list = &never->lists[KIND_ALLOWED];
    struct error error;
    never->looked.networks.count = 0;
    never->looked_full = false;
    do {
        if (store_walk(never->store, &walk, now_unix_ms, allowance_came, never, &error) < 0)
            return false;
    } while (walk.cursor_len && !never->looked_full);
    networks_sort(&never->looked.networks);
    if (is_same(&never->looked.networks, &list->networks))
        return false;
    const struct list before = *list;
    *list = never->looked;
    never->looked = before;
    return true;
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* "mx.example.org", or ".example.org" for all below, as overrides have it. */
static bool name_is(struct slice pattern, struct slice name)
{
    return pattern.len && pattern.at[0] == '.' ? slice_ends_fold(name, pattern)
                                               : slice_equal_fold(pattern, name);
}

static bool any_is(const struct names *names, struct slice wanted, bool is_name)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_name ? name_is(names->items[i], wanted) : slice_equal_fold(names->items[i], wanted))
            return true;
    return false;
}

static enum never_answer ask_overrides(const struct never *never, const struct never_subject *subject,
                                       const struct override **ret_override)
{
    char number[TEXT_UNIT_SIZE];
    const struct slice as = slice_of(number, text_print_u64(subject->as_number, number));
    enum never_answer answer = NEVER_MAY;
    for (size_t i = 0; i < never->site->override_count; i++) {
        const struct override *override = &never->site->overrides[i];
        const bool matches = (subject->name.len &&
                              any_is(&override->by[OVERRIDE_PTR], subject->name, true)) ||
                             (subject->as_number && any_is(&override->by[OVERRIDE_AS], as, false));
        if (!matches || (!override->allow && !override->known))
            continue;
        if (override->allow || answer == NEVER_MAY)
            *ret_override = override;
        answer = override->allow || answer == NEVER_FORBIDDEN ? NEVER_FORBIDDEN : NEVER_KNOWN;
    }
    return answer;
}

/* --- who is known --------------------------------------------------------------------------------------- */

static bool is_stored(const struct never *never, struct slice start, struct slice name, int64_t now_unix_ms)
{
    char key[512];
    struct slice value;
    struct error error;
    const int len = snprintf(key, sizeof key, "%.*s%.*s", SLICE_ARGS(start), SLICE_ARGS(name));
    return len > 0 && (size_t)len < sizeof key &&
           store_get(never->store, slice_of(key, (size_t)len), now_unix_ms, &value, &error) == STORE_FOUND;
}

/* The pool that a host has without an entry of its own: its name's registered domain, or its network. */
static bool pool_is_known(const struct never *never, const struct never_subject *subject, int64_t now_unix_ms)
{
    const struct address *network = &subject->prefix.network;
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct arena arena;
    if (subject->name.len) {
        arena_init(&arena, NULL, 0);
        const struct slice pool = never->suffix ? suffix_registered(never->suffix, subject->name, &arena)
                                                : SLICE_NONE;
        const bool known = pool.len && is_stored(never, SLICE("known pool "), pool, now_unix_ms);
        arena_drop(&arena);
        return known;
    }
    const bool is4 = network->family == ADDRESS_IPV4;
    if (is4 && address_is_loopback(network))
        return false;
    const struct prefix prefix = {address_network(network, is4 ? 24 : 64), is4 ? 24 : 64};
    return is_stored(never, SLICE("known pool "), slice_of(text, prefix_print(&prefix, text)), now_unix_ms);
}

/* checks/known.h says what stands there. */
static bool host_is_known(const struct never *never, const struct never_subject *subject, int64_t now_unix_ms)
{
    char key[16 + ADDRESS_PORT_TEXT_SIZE], text[ADDRESS_PORT_TEXT_SIZE];
    struct slice value, day;
    struct error error;
    if (subject->prefix.network.family == ADDRESS_IPV6)
        (void)prefix_print(&subject->prefix, text);
    else
        (void)address_print(&subject->prefix.network, text);
    const int len = snprintf(key, sizeof key, "known host %s", text);
    if (store_get(never->store, slice_of(key, (size_t)len), now_unix_ms, &value, &error) != STORE_FOUND)
        return pool_is_known(never, subject, now_unix_ms);
    if (!slice_starts(value, SLICE("+")))
        return false;
    char pool[400];
    slice_cut(&value, ' ', &day);
    const struct slice name = slice_head(value, sizeof pool);
    if (name.len)
        memcpy(pool, name.at, name.len); /* the value lives until the next question */
    return is_stored(never, SLICE("known pool "), slice_of(pool, name.len), now_unix_ms);
}

struct found {
    const struct prefix *in;
    struct prefix known;
    bool any;
};

static void known_came(void *data, const struct store_item *item)
{
    struct found *found = data;
    struct prefix host;
    const struct slice name = slice_from(item->key, sizeof "known host " - 1);
    if (!found->any && slice_starts(item->value, SLICE("+")) && prefix_parse(name, &host) &&
        prefix_contains(found->in, &host.network)) {
        found->known = host;
        found->any = true;
    }
}

/* The beginning of the texts of all its addresses: whole octets, or the first group. */
static size_t start_print(const struct prefix *network, char text[ADDRESS_PORT_TEXT_SIZE + 16])
{
    const uint8_t *octets = network->network.octets;
    size_t len = (size_t)snprintf(text, 16, "known host ");
    if (network->network.family == ADDRESS_IPV6)
        return len + (size_t)snprintf(text + len, 8, "%x:", (unsigned)octets[0] << 8 | octets[1]);
    for (unsigned i = 0; i < network->bits / 8u; i++)
        len += (size_t)snprintf(text + len, 5, "%u.", octets[i]);
    return len;
}

static bool network_has_known(const struct never *never, const struct prefix *network, int64_t now_unix_ms,
                              struct prefix *ret_known)
{
    char start[ADDRESS_PORT_TEXT_SIZE + 16];
    struct found found = {.in = network};
    struct store_walk walk = {.prefix = slice_of(start, start_print(network, start)), .most = STEP};
    struct error error;
    do {
        if (store_walk(never->store, &walk, now_unix_ms, known_came, &found, &error) < 0)
            break;
    } while (walk.cursor_len && !found.any);
    *ret_known = found.known;
    return found.any;
}

/* --- asking --------------------------------------------------------------------------------------------- */

static void why_print(char why[NEVER_WHY_SIZE], const struct prefix *what, const char *words)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    if (what->bits == (what->network.family == ADDRESS_IPV4 ? 32 : 128))
        (void)address_print(&what->network, text);
    else
        (void)prefix_print(what, text);
    (void)snprintf(why, NEVER_WHY_SIZE, "%s is %s", text, words);
}

static enum never_answer ask_lists(const struct never *never, const struct prefix *prefix,
                                   bool around_allowed, char why[NEVER_WHY_SIZE])
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        const bool within = kind != KIND_ALLOWED || !around_allowed;
        const struct prefix *item = list_find(&never->lists[kind], prefix, within);
        if (!item)
            continue;
        why_print(why, item, kind_words[kind]);
        return kind == KIND_KNOWN ? NEVER_KNOWN : NEVER_FORBIDDEN;
    }
    return NEVER_MAY;
}

static enum never_answer ask_names(const struct never *never, const struct never_subject *subject,
                                   char why[NEVER_WHY_SIZE])
{
    const struct override *override = NULL;
    const struct access_rule *rule = site_access(never->site, ACCESS_CONNECT, subject->name);
    if (rule && rule->action == ACCESS_OK) {
        (void)snprintf(why, NEVER_WHY_SIZE, "its name is allowed by the access table (%.*s)",
                       SLICE_ARGS(slice_head(rule->key, 100)));
        return NEVER_FORBIDDEN;
    }
    const enum never_answer answer = ask_overrides(never, subject, &override);
    if (answer != NEVER_MAY)
        (void)snprintf(why, NEVER_WHY_SIZE, "its name or AS is %s by the override at %.*s",
                       answer == NEVER_KNOWN ? "known" : "allowed",
                       SLICE_ARGS(slice_head(override->name, 120)));
    return answer;
}

static enum never_answer ask_known(const struct never *never, const struct never_subject *subject,
                                   int64_t now_unix_ms, char why[NEVER_WHY_SIZE])
{
    const bool is_host = subject->prefix.bits == (subject->prefix.network.family == ADDRESS_IPV4 ? 32 : 64);
    struct prefix known = subject->prefix;
    const bool found = is_host ? host_is_known(never, subject, now_unix_ms)
                               : network_has_known(never, &subject->prefix, now_unix_ms, &known);
    if (!found)
        return NEVER_MAY;
    why_print(why, &known, "known (postern known show)");
    return NEVER_KNOWN;
}

bool never_forbids(const struct never *never, const struct prefix *prefix, bool by_person,
                   char why[NEVER_WHY_SIZE])
{
    return ask_lists(never, prefix, by_person, why) == NEVER_FORBIDDEN;
}

enum never_answer never_ask(struct never *never, const struct never_subject *subject, int64_t now_unix_ms,
                            char why[NEVER_WHY_SIZE])
{
    why[0] = 0;
    enum never_answer answer = ask_lists(never, &subject->prefix, false, why);
    if (answer == NEVER_FORBIDDEN)
        return answer;
    if (subject->name.len || subject->as_number) {
        char of_name[NEVER_WHY_SIZE];
        const enum never_answer by_name = ask_names(never, subject, of_name);
        if (by_name != NEVER_MAY) {
            memcpy(why, of_name, sizeof of_name);
            answer = by_name;
        }
    }
    return answer == NEVER_MAY ? ask_known(never, subject, now_unix_ms, why) : answer;
}
