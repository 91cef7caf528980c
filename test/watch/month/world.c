/* Who is where: autonomous systems, hosts and their names, mailboxes. */
#include "part.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>

uint32_t draw(struct month *month, uint64_t limit)
{
    return (uint32_t)random_below(&month->random, limit);
}

uint32_t draw_from(struct month *month, uint32_t low, uint32_t high)
{
    return low + draw(month, (uint64_t)high - low + 1);
}

bool chance(struct month *month, uint32_t percent)
{
    return draw(month, 100) < percent;
}

bool chance_of(struct month *month, uint32_t thousandth)
{
    return draw(month, 1000) < thousandth;
}

/* Of four hours in the night one is left out, so to speak. */
int64_t draw_time(struct month *month)
{
    static const uint8_t by_hour[24] = {3, 2,  2,  2,  3, 4, 6, 8, 10, 10, 10, 10,
                                        9, 10, 10, 10, 9, 8, 7, 6, 6,  5,  5,  4};
    int64_t at_ms;
    do {
        at_ms = (int64_t)random_below(&month->random, (uint64_t)MONTH_MS);
    } while (draw(month, 10) >= by_hour[at_ms / HOUR_MS % 24]);
    return BEGIN_MS + at_ms;
}

uint32_t draw_octets(struct month *month)
{
    const uint32_t magnitude = draw(month, 100);
    if (magnitude < 55)
        return draw_from(month, 1200, 9000);
    if (magnitude < 90)
        return draw_from(month, 9000, 90000);
    return draw_from(month, 90000, 4000000);
}

uint32_t vary(struct month *month, uint32_t octets, uint32_t thousandth)
{
    const uint32_t span = (uint32_t)((uint64_t)octets * thousandth / 1000);
    return octets - span + draw(month, 2 * (uint64_t)span + 1);
}

struct slice text_of(struct month *month, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_copy(&month->texts,
                      slice_of(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1));
}

struct slice letters(struct month *month, uint32_t low, uint32_t high)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char text[64];
    const uint32_t len = draw_from(month, low, high);
    for (uint32_t i = 0; i < len; i++)
        text[i] = alphabet[draw(month, i ? 36 : 26)];
    return arena_copy(&month->texts, slice_of(text, len));
}

struct slice person(struct month *month, uint32_t number)
{
    static const char *const first[] = {
        "anna",  "ben",   "carla", "david", "emil",  "fatma", "georg", "hanna", "ivan", "jana", "karl",
        "lena",  "mario", "nina",  "oskar", "petra", "quinn", "rosa",  "simon", "tina", "ugo",  "vera",
        "willi", "xenia", "yusuf", "zora",  "aiko",  "bruno", "chen",  "dora",  "elif", "felix"};
    static const char *const last[] = {"adler",  "brandt", "costa", "diaz",   "evans", "fischer",
                                       "gruber", "huber",  "ito",   "jensen", "klein", "lang",
                                       "meyer",  "novak",  "olsen", "peters", "quast", "rossi",
                                       "smith",  "tran",   "urban", "vogel",  "weber", "young"};
    const unsigned a = number % 32, b = number / 32 % 24, c = number / 768;
    return c ? text_of(month, "%s.%s%u", first[a], last[b], c) : text_of(month, "%s.%s", first[a], last[b]);
}

struct slice mailbox(struct month *month, uint32_t number)
{
    const struct slice local = person(month, number / DOMAINS);
    return text_of(month, "%.*s@house%u.example", SLICE_ARGS(local), number % DOMAINS);
}

struct slice mailbox_any(struct month *month)
{
    return mailbox(month, draw(month, 1 + (uint64_t)draw(month, MAILBOXES)));
}

struct slice nobody(struct month *month)
{
    const struct slice local = letters(month, 3, 9);
    return text_of(month, "%.*s-x@house%u.example", SLICE_ARGS(local), draw(month, DOMAINS));
}

const struct slice *recipients_of(struct month *month, const struct slice *from, size_t count)
{
    struct slice *list = arena_take(&month->texts, count * sizeof *list);
    memcpy(list, from, count * sizeof *list);
    return list;
}

const struct slice *recipient_of(struct month *month, struct slice recipient)
{
    return recipients_of(month, &recipient, 1);
}

/* --- machines ------------------------------------------------------------------------------------------- */

void world_make(struct month *month)
{
    static const char *const countries[] = {"AR", "BR", "CN", "DE", "FR", "IN", "JP", "KR", "MX",
                                            "NZ", "PL", "RO", "RU", "TR", "UA", "US", "VN", "ZA"};
    static const char *const words[] = {"Telecom", "Hosting", "Cloud", "University"};
    for (uint32_t i = 0; i < AS_COUNT; i++) {
        struct as *as = &month->as[i];
        const uint32_t kind = draw(month, 100);
        as->number = 4200000000u + i;
        as->kind = kind < 60 ? AS_ACCESS : kind < 85 ? AS_HOSTING : kind < 90 ? AS_CLOUD : AS_SCHOOL;
        as->block_count = (uint8_t)(as->kind == AS_CLOUD    ? 4
                                    : as->kind == AS_ACCESS ? 1 + draw(month, 3)
                                                            : 1);
        for (unsigned b = 0; b < as->block_count; b++) /* some blocks are shared by several */
            as->blocks[b] = (uint16_t)(b ? draw(month, BLOCKS) : i);
        memcpy(as->country, countries[draw(month, sizeof countries / sizeof countries[0])], 3);
        as->owner = text_of(month, "%s %u", words[as->kind], i);
    }
}

uint32_t as_of_kind(struct month *month, enum as_kind kind)
{
    uint32_t as;
    do {
        as = draw(month, AS_COUNT);
    } while (month->as[as].kind != kind);
    return as;
}

/* Marks an address as some host's; false: it is already. */
static bool address_use(struct month *month, const struct address *address)
{
    const uint8_t *o = address->octets;
    const uint32_t number = (uint32_t)(o[0] & 15) << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
    uint8_t *bits = &month->used[number / 8];
    const uint8_t bit = (uint8_t)(1u << number % 8);
    const bool free = address->family == ADDRESS_IPV6 || !(*bits & bit);
    if (address->family == ADDRESS_IPV4)
        *bits |= bit;
    return free;
}

static struct address address_make(uint16_t block, uint32_t low)
{
    const uint8_t octets[4] = {(uint8_t)(240 + block / 256), (uint8_t)block, (uint8_t)(low >> 8),
                               (uint8_t)low};
    return address_from_octets(ADDRESS_IPV4, octets, 0);
}

static struct address address_any(struct month *month, uint32_t as)
{
    const struct as *of = &month->as[as];
    const uint16_t block = of->blocks[draw(month, of->block_count)];
    if (chance(month, 4)) { /* the same network in IPv6 */
        uint8_t octets[16] = {0x3f, 0xff, (uint8_t)(as >> 8 & 0x0f), (uint8_t)as};
        for (unsigned i = 4; i < 16; i++)
            octets[i] = (uint8_t)draw(month, 256);
        return address_from_octets(ADDRESS_IPV6, octets, 0);
    }
    return address_make(block, draw(month, 65536));
}

struct address address_in(struct month *month, uint32_t as)
{
    struct address address;
    do {
        address = address_any(month, as);
    } while (!address_use(month, &address));
    return address;
}

struct address address_in_net(struct month *month, uint32_t as, uint16_t third)
{
    struct address address;
    unsigned tries = 1000; /* a /24 may be full */
    do {
        address = address_make(month->as[as].blocks[0], (uint32_t)third << 8 | draw_from(month, 1, 254));
    } while (!address_use(month, &address) && --tries);
    return address;
}

static struct slice generic_name_of(struct month *month, uint32_t as, const struct address *address)
{
    const uint8_t *o = address->octets;
    if (address->family == ADDRESS_IPV6)
        return text_of(month, "%02x%02x%02x%02x.dyn6.net%u.example", o[12], o[13], o[14], o[15], as);
    switch (as % 3) {
    case 0: return text_of(month, "%u-%u-%u-%u.client.net%u.example", o[0], o[1], o[2], o[3], as);
    case 1: return text_of(month, "dsl-%u.%u.%u.%u.net%u.example", o[3], o[2], o[1], o[0], as);
    default: return text_of(month, "host%02x%02x%02x%02x.pool.net%u.example", o[0], o[1], o[2], o[3], as);
    }
}

uint32_t host_at(struct month *month, uint32_t as, struct address address, enum ptr_kind kind,
                 enum month_role role, struct slice name, struct slice domain)
{
    if (month->host_count == month->host_room) {
        const size_t room = month->host_room ? month->host_room * 2 : 4096;
        month->hosts = memory_resize(month->hosts, month->host_room * sizeof *month->hosts,
                                     room * sizeof *month->hosts);
        month->host_room = room;
    }
    struct host *host = &month->hosts[month->host_count];
    *host = (struct host){.address = address, .as = as, .ptr_kind = kind, .role = role};
    host->fingerprint = (uint8_t)draw(month, 8);
    if (kind == PTR_GENERIC)
        host->ptr = generic_name_of(month, as, &address);
    else if (kind != PTR_NONE)
        host->ptr = text_of(month, "%.*s.%.*s", SLICE_ARGS(name), SLICE_ARGS(domain));
    host->domain = kind == PTR_OWN ? domain : SLICE_NONE;
    address_key(&address, host->key);
    return (uint32_t)month->host_count++;
}

uint32_t host_in(struct month *month, uint32_t as, enum ptr_kind kind, enum month_role role,
                 struct slice name, struct slice domain)
{
    return host_at(month, as, address_in(month, as), kind, role, name, domain);
}

uint32_t host_bot(struct month *month, uint32_t as, enum month_role role)
{
    const enum ptr_kind kind = chance(month, 60) ? PTR_GENERIC : chance(month, 85) ? PTR_NONE : PTR_FORGED;
    return host_in(month, as, kind, role, SLICE("mail"), SLICE("forged.example"));
}

uint32_t host_stray(struct month *month)
{
    return host_bot(month, as_of_kind(month, chance(month, 80) ? AS_ACCESS : AS_HOSTING), MONTH_STRAY);
}

struct slice host_helo(struct month *month, uint32_t host)
{
    const struct host *of = &month->hosts[host];
    return of->ptr_kind == PTR_OWN ? of->ptr : text_of(month, "server%u.local", host % 97);
}

void host_netblock(const struct host *host, struct prefix *ret_prefix)
{
    const unsigned bits = host->address.family == ADDRESS_IPV4 ? 20 : 40;
    ret_prefix->network = address_network(&host->address, bits);
    ret_prefix->bits = (uint8_t)bits;
}
