#include "watch/export_part.h"

#include "base/calendar.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>

#define REASON_MAX  100 /* nft takes comments up to 128 octets */
#define SPLIT_BITS  8   /* 256 entries in place of one */
#define TIMEOUT_MAX (10 * 365 * INT64_C(86400))

static const char *const words[EXPORT_FORM_COUNT] = {
    [EXPORT_ACCESS] = "access",   [EXPORT_CIDR] = "cidr", [EXPORT_NFTABLES] = "nftables",
    [EXPORT_RBLDNSD] = "rbldnsd", [EXPORT_JSON] = "json",
};

const char *export_form_word(enum export_form form)
{
    return words[form];
}

bool export_form_parse(struct slice word, enum export_form *ret_form)
{
    for (int i = 0; i < EXPORT_FORM_COUNT; i++)
        if (slice_equal(word, slice_text(words[i]))) {
            *ret_form = (enum export_form)i;
            return true;
        }
    return false;
}

/* --- what all have in common --------------------------------------------------------------------------- */

struct export_work {
    struct buf *out;
    struct export_choice choice;
    int64_t now_ms;
    bool whole;
};

#define ADD(work, ...) ((work)->whole = buf_add_format((work)->out, __VA_ARGS__) && (work)->whole)

/* Printable ASCII without quotes, backslash and dollar, which mean something to one form or another. */
struct reason {
    char text[REASON_MAX + 1];
};

static struct reason reason_of(const struct export_entry *entry)
{
    struct reason reason;
    size_t len = 0;

    for (; len < entry->reason.len && len < REASON_MAX; len++) {
        const char octet = entry->reason.at[len];
        const bool plain = octet >= ' ' && octet <= '~' && octet != '"' && octet != '\\' && octet != '$';
        reason.text[len] = plain ? octet : octet == '"' ? '\'' : '?';
    }
    reason.text[len] = '\0';
    return reason;
}

/* "2026-11-28T20:00:00Z", or "never" */
struct date {
    char text[CALENDAR_TEXT_SIZE];
};

static struct date date_of(int64_t unix_ms)
{
    struct date date = {"never"};

    if (!unix_ms)
        return date;
    (void)calendar_print_iso(unix_ms, 0, date.text);
    memcpy(date.text + 19, "Z", 2);
    return date;
}

/* A remark above the entry; nothing in it can end its line. */
static void remark(struct export_work *work, const struct export_entry *entry)
{
    const struct export_entry evidence = {.reason = entry->evidence};

    ADD(work, "# made %s, expires %s%s%s\n", date_of(entry->made_ms).text, date_of(entry->expires_ms).text,
        entry->evidence.len ? ", evidence " : "", reason_of(&evidence).text);
}

static void head(struct export_work *work)
{
    const struct export_choice *choice = &work->choice;

    ADD(work, "# Postern, %s: %zu %s", date_of(work->now_ms).text, choice->count,
        choice->count == 1 ? "address or network" : "addresses and networks");
    if (choice->exception_count)
        ADD(work, ", %zu %s", choice->exception_count,
            choice->exception_count == 1 ? "exception" : "exceptions");
    ADD(work, "\n");
}

static bool is_v6(const struct export_entry *entry)
{
    return entry->address.network.family == ADDRESS_IPV6;
}

/* A lone address stands without its prefix length. */
struct network {
    char text[ADDRESS_PORT_TEXT_SIZE];
};

static struct network prefix_text(const struct prefix *prefix)
{
    struct network network;

    if (prefix->bits == (prefix->network.family == ADDRESS_IPV6 ? 128 : 32))
        (void)address_print(&prefix->network, network.text);
    else
        (void)prefix_print(prefix, network.text);
    return network;
}

static struct network network_of(const struct export_entry *entry)
{
    return prefix_text(&entry->address);
}

/* --- sendmail's access table --------------------------------------------------------------------------- */

static void access_key(const struct prefix *prefix, char text[ADDRESS_TEXT_SIZE + 8])
{
    const uint8_t *octets = prefix->network.octets;
    size_t len = 0;

    if (prefix->network.family == ADDRESS_IPV6) {
        len = (size_t)snprintf(text, 8, "IPv6");
        for (unsigned i = 0; i < prefix->bits / 8u; i += 2)
            len += (size_t)snprintf(text + len, 6, ":%x", (unsigned)octets[i] << 8 | octets[i + 1]);
        return;
    }
    for (unsigned i = 0; i < prefix->bits / 8u; i++)
        len += (size_t)snprintf(text + len, 5, "%s%u", i ? "." : "", octets[i]);
}

/* The next network of so many bits, which are whole octets. */
static void network_next(struct prefix *prefix)
{
    for (unsigned at = prefix->bits / 8u; at > 0 && ++prefix->network.octets[at - 1] == 0; at--) {}
}

/* How many bits the keys have that an entry becomes. */
static unsigned access_bits(const struct export_entry *entry)
{
    const unsigned unit = is_v6(entry) ? 16 : 8, bits = entry->address.bits;

    return bits ? (bits + unit - 1) / unit * unit : unit;
}

static bool access_fits(const struct export_entry *entry)
{
    return access_bits(entry) - entry->address.bits <= SPLIT_BITS;
}

/* A key may stand there once: one that an exception has is left to it. */
static void access_entry(struct export_work *work, const struct export_entry *entry)
{
    struct prefix part = {entry->address.network, (uint8_t)access_bits(entry)};
    char key[ADDRESS_TEXT_SIZE + 8];

    remark(work, entry);
    if (!access_fits(entry)) {
        ADD(work, "# %s is more than an access table can tell\n", network_of(entry).text);
        return;
    }
    for (unsigned i = 0; i < 1u << (part.bits - entry->address.bits); i++, network_next(&part)) {
        access_key(&part, key);
        if (entry->allowed)
            ADD(work, "Connect:%s\tSKIP\n", key);
        else if (!export_choice_excepts(&work->choice, &part))
            ADD(work, "Connect:%s\tERROR:5.7.1:\"550 %s\"\n", key, reason_of(entry).text);
    }
}

static void access_print(struct export_work *work)
{
    /* By the octets of their keys: the last one that was told. One within it has no key but the same. */
    const struct export_entry *told[17] = {NULL};

    head(work);
    for (size_t i = 0; i < work->choice.exception_count; i++)
        access_entry(work, work->choice.exceptions[i]);
    for (size_t i = 0; i < work->choice.count; i++) {
        const struct export_entry *entry = work->choice.entries[i], **wider = &told[access_bits(entry) / 8];
        if (*wider && prefix_contains(&(*wider)->address, &entry->address.network))
            continue;
        access_entry(work, entry);
        if (access_fits(entry))
            *wider = entry;
    }
}

/* --- Postfix ------------------------------------------------------------------------------------------- */

/* The first line that fits counts. */
static void cidr_print(struct export_work *work)
{
    head(work);
    for (size_t i = 0; i < work->choice.exception_count; i++) {
        remark(work, work->choice.exceptions[i]);
        ADD(work, "%s\tDUNNO\n", network_of(work->choice.exceptions[i]).text);
    }
    for (size_t i = 0; i < work->choice.count; i++) {
        remark(work, work->choice.entries[i]);
        ADD(work, "%s\tREJECT 5.7.1 %s\n", network_of(work->choice.entries[i]).text,
            reason_of(work->choice.entries[i]).text);
    }
}

/* --- nftables ------------------------------------------------------------------------------------------ */

struct nftables {
    struct export_work *work;
    const char *set;
    const struct export_entry *entry;
};

static void nftables_element(const struct nftables *tables, const struct prefix *prefix)
{
    struct export_work *work = tables->work;
    const struct export_entry *entry = tables->entry;
    const int64_t seconds = (entry->expires_ms - work->now_ms) / 1000;

    ADD(work, "add element inet postern %s { %s", tables->set, prefix_text(prefix).text);
    if (entry->expires_ms && seconds < TIMEOUT_MAX)
        ADD(work, " timeout %" PRId64 "s", seconds > 0 ? seconds : 1);
    ADD(work, " comment \"%s\" }\n", reason_of(entry).text);
}

/* A set knows no exceptions: what has one in it is halved until it has none. It goes as deep as an address
 * has bits. */
static void nftables_add(const struct nftables *tables, struct prefix prefix)
{
    if (export_choice_excepts(&tables->work->choice, &prefix))
        return;
    if (!export_choice_parts(&tables->work->choice, &prefix)) {
        nftables_element(tables, &prefix);
        return;
    }
    const uint8_t bit = (uint8_t)(0x80 >> prefix.bits % 8), octet = prefix.bits / 8;
    prefix.bits++;
    nftables_add(tables, prefix);
    prefix.network.octets[octet] |= bit;
    nftables_add(tables, prefix);
}

/* Elements of a set may not overlap: what lies in a network before it is covered. Sorted as they are, the
 * last one that was not covered is the only one that can cover. */
static void nftables_set(struct export_work *work, enum address_family family, const char *set,
                         const char *type)
{
    const struct export_entry *last = NULL;

    ADD(work, "add set inet postern %s { type %s; flags interval, timeout; }\nflush set inet postern %s\n",
        set, type, set);
    for (size_t i = 0; i < work->choice.count; i++) {
        const struct export_entry *entry = work->choice.entries[i];
        if (entry->address.network.family != family ||
            (last && prefix_contains(&last->address, &entry->address.network)))
            continue;
        last = entry;
        nftables_add(&(struct nftables){work, set, entry}, entry->address);
    }
}

static void nftables_print(struct export_work *work)
{
    head(work);
    ADD(work, "# For a rule such as: tcp dport 25 ip saddr @blocked4 reject\nadd table inet postern\n");
    nftables_set(work, ADDRESS_IPV4, "blocked4", "ipv4_addr");
    nftables_set(work, ADDRESS_IPV6, "blocked6", "ipv6_addr");
}

/* --- rbldnsd ------------------------------------------------------------------------------------------- */

/* The text stands once for all entries that follow it. The first entry of each is the one that RFC 5782
 * section 5 wants, by which the list is known to work. */
static void rbldnsd_set(struct export_work *work, enum address_family family, const char *name,
                        const char *test)
{
    struct reason last = {""};

    ADD(work, "$DATASET %s @\n:127.0.0.2:Test entry\n%s\n", name, test);
    for (size_t i = 0; i < work->choice.exception_count; i++)
        if (work->choice.exceptions[i]->address.network.family == family)
            ADD(work, "!%s\n", network_of(work->choice.exceptions[i]).text);
    for (size_t i = 0; i < work->choice.count; i++) {
        const struct export_entry *entry = work->choice.entries[i];
        const struct reason reason = reason_of(entry);
        if (entry->address.network.family != family)
            continue;
        remark(work, entry);
        if (strcmp(reason.text, last.text) != 0)
            ADD(work, ":127.0.0.2:%s\n", reason.text);
        last = reason;
        ADD(work, "%s\n", network_of(entry).text);
    }
}

static void rbldnsd_print(struct export_work *work)
{
    head(work);
    rbldnsd_set(work, ADDRESS_IPV4, "ip4set:blocked4", "127.0.0.2");
    rbldnsd_set(work, ADDRESS_IPV6, "ip6trie:blocked6", "0:0:0:0:0:ffff:7f00:2");
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void time_put(struct json *json, const char *key, int64_t unix_ms)
{
    json_key(json, key);
    if (unix_ms)
        json_text(json, slice_text(date_of(unix_ms).text));
    else
        json_null(json);
}

static bool object_print(const struct export_entry *entry, struct buf *out)
{
    struct json json;

    if (entry->object.len)
        return buf_add(out, entry->object);
    json_begin(&json, out);
    json_object_open(&json);
    json_put_text(&json, "address", slice_text(network_of(entry).text));
    json_put_text(&json, "reason", entry->reason);
    json_put_text(&json, "evidence", entry->evidence);
    time_put(&json, "made", entry->made_ms);
    time_put(&json, "expires", entry->expires_ms);
    json_put_u64(&json, "hits", entry->hits);
    json_object_close(&json);
    return json_end(&json);
}

static void json_print(struct export_work *work)
{
    for (size_t i = 0; i < work->choice.count; i++)
        work->whole = object_print(work->choice.entries[i], work->out) && buf_add_octet(work->out, '\n') &&
                      work->whole;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

bool export_print(enum export_form form, const struct export_entry *entries, size_t count, int64_t now_ms,
                  struct buf *out)
{
    static void (*const prints[EXPORT_FORM_COUNT])(struct export_work *) = {
        [EXPORT_ACCESS] = access_print,   [EXPORT_CIDR] = cidr_print, [EXPORT_NFTABLES] = nftables_print,
        [EXPORT_RBLDNSD] = rbldnsd_print, [EXPORT_JSON] = json_print,
    };
    struct export_work work = {.out = out, .now_ms = now_ms, .whole = true};
    const uint32_t before = out->len;

    export_choose(entries, count, now_ms, &work.choice);
    prints[form](&work);
    export_choice_drop(&work.choice);
    if (!work.whole)
        out->len = before;
    return work.whole;
}
