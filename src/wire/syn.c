#include "wire/syn.h"

#include "base/text.h"

#include <string.h>

/* --- reading ------------------------------------------------------------------------------------------- */

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_SCALE = 3,
    OPTION_SACK_OK = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMP = 8
};

enum { PROTOCOL_TCP = 6, IPV4_SIZE = 20, IPV6_SIZE = 40, TCP_SIZE = 20, SCALE_MOST = 14 };

static unsigned octet(struct slice s, size_t at)
{
    return (unsigned char)s.at[at];
}

static unsigned two(struct slice s, size_t at)
{
    return octet(s, at) << 8 | octet(s, at + 1);
}

static unsigned long four(struct slice s, size_t at)
{
    return (unsigned long)two(s, at) << 16 | two(s, at + 2);
}

static void quirk(struct syn *syn, bool seen, enum syn_quirk which)
{
    if (seen)
        syn->quirks |= which;
}

/* Returns the size of the IP header, or 0. */
static size_t ipv4_parse(struct slice packet, struct syn *syn)
{
    if (packet.len < IPV4_SIZE)
        return 0;
    size_t size = (octet(packet, 0) & 15u) * 4;
    if (size < IPV4_SIZE || size > packet.len || octet(packet, 9) != PROTOCOL_TCP)
        return 0;
    unsigned flags = octet(packet, 6), id = two(packet, 4);
    bool df = flags & 0x40u;
    syn->ttl = (uint8_t)octet(packet, 8);
    syn->ip_options = (uint8_t)(size - IPV4_SIZE);
    quirk(syn, octet(packet, 1) & 3u, SYN_ECN);
    quirk(syn, flags & 0x80u, SYN_ZERO);
    quirk(syn, df, SYN_DF);
    quirk(syn, df && id, SYN_ID);
    quirk(syn, !df && !id, SYN_NO_ID);
    return size;
}

/* Extension headers never stand in a SYN that anybody sends in earnest: they are not followed. */
static size_t ipv6_parse(struct slice packet, struct syn *syn)
{
    if (packet.len < IPV6_SIZE || octet(packet, 6) != PROTOCOL_TCP)
        return 0;
    syn->ttl = (uint8_t)octet(packet, 7);
    quirk(syn, octet(packet, 1) >> 4 & 3u, SYN_ECN);
    quirk(syn, four(packet, 0) & 0xfffffu, SYN_FLOW);
    return IPV6_SIZE;
}

static void tcp_flags_parse(struct slice tcp, struct syn *syn)
{
    unsigned flags = octet(tcp, 13);
    bool ack = flags & 0x10u, urgent = flags & 0x20u;
    syn->window = (uint16_t)two(tcp, 14);
    quirk(syn, flags & 0xc0u, SYN_ECN);
    quirk(syn, octet(tcp, 12) & 0xfu, SYN_ZERO);
    quirk(syn, four(tcp, 4) == 0, SYN_NO_SEQUENCE);
    quirk(syn, !ack && four(tcp, 8), SYN_ACK_SET);
    quirk(syn, ack && !four(tcp, 8), SYN_NO_ACK);
    quirk(syn, !urgent && two(tcp, 18), SYN_URGENT);
    quirk(syn, urgent, SYN_URG);
    quirk(syn, flags & 8u, SYN_PUSH);
}

/* The value of one option; false where its length is not the one that it must have. */
static bool option_parse(unsigned kind, struct slice value, struct syn *syn)
{
    switch (kind) {
    case OPTION_MSS:
        if (value.len != 2)
            return false;
        syn->mss = (uint16_t)two(value, 0);
        return true;
    case OPTION_SCALE:
        if (value.len != 1)
            return false;
        syn->scale = (uint8_t)octet(value, 0);
        quirk(syn, syn->scale > SCALE_MOST, SYN_SCALE);
        return true;
    case OPTION_SACK_OK: return value.len == 0;
    case OPTION_TIMESTAMP:
        if (value.len != 8)
            return false;
        syn->timestamp = four(value, 0) != 0;
        quirk(syn, !syn->timestamp, SYN_NO_TIMESTAMP);
        quirk(syn, four(value, 4) != 0, SYN_PEER_TIMESTAMP);
        return true;
    default: return true;
    }
}

static void padding_note(struct slice padding, struct syn *syn)
{
    syn->padding = (uint8_t)padding.len;
    for (size_t i = 0; i < padding.len; i++)
        quirk(syn, padding.at[i] != 0, SYN_PADDING);
}

/* option = END / NOP / kind length value, where the length counts kind and length, too */
static void options_parse(struct slice options, struct syn *syn)
{
    while (options.len && syn->option_count < SYN_OPTIONS) {
        unsigned kind = octet(options, 0);
        syn->options[syn->option_count++] = (uint8_t)kind;
        if (kind == OPTION_END) {
            padding_note(slice_from(options, 1), syn);
            return;
        }
        size_t size = 1;
        if (kind != OPTION_NOP) {
            size = options.len > 1 ? octet(options, 1) : 0;
            if (size < 2 || size > options.len ||
                !option_parse(kind, slice_head(slice_from(options, 2), size - 2), syn)) {
                quirk(syn, true, SYN_BAD);
                return;
            }
        }
        options = slice_from(options, size);
    }
}

bool syn_parse(struct slice packet, struct syn *ret_syn)
{
    struct syn *syn = ret_syn;
    *syn = (struct syn){.version = packet.len ? (uint8_t)(octet(packet, 0) >> 4) : 0};
    size_t ip_size = syn->version == 4   ? ipv4_parse(packet, syn)
                     : syn->version == 6 ? ipv6_parse(packet, syn)
                                         : 0;
    struct slice tcp = slice_from(packet, ip_size);
    if (!ip_size || tcp.len < TCP_SIZE)
        return false;
    size_t tcp_size = (size_t)(octet(tcp, 12) >> 4) * 4;
    if (tcp_size < TCP_SIZE || tcp_size > tcp.len)
        return false;
    tcp_flags_parse(tcp, syn);
    options_parse(slice_from(slice_head(tcp, tcp_size), TCP_SIZE), syn);
    syn->header_size = (uint32_t)(ip_size + tcp_size);
    syn->payload = (uint32_t)(tcp.len - tcp_size);
    return true;
}

/* --- printing ------------------------------------------------------------------------------------------ */

struct text {
    char *at;
    size_t len;
};

static void add(struct text *text, const char *s)
{
    size_t len = strlen(s);
    if (len > SYN_TEXT - 1 - text->len)
        len = SYN_TEXT - 1 - text->len;
    memcpy(text->at + text->len, s, len);
    text->len += len;
}

static void add_number(struct text *text, uint64_t number)
{
    char digits[TEXT_UNIT_SIZE + 1];
    digits[text_print_u64(number, digits)] = '\0';
    add(text, digits);
}

enum { DISTANCE_MOST = 35 };

/* Systems begin with 32, 64, 128 or 255; each router on the way takes one. */
static void add_ttl(struct text *text, unsigned ttl)
{
    unsigned first = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
    add_number(text, ttl);
    add(text, "+");
    if (first - ttl > DISTANCE_MOST)
        add(text, "?");
    else
        add_number(text, first - ttl);
}

struct divisor {
    unsigned size;
    const char *unit;
};

/* Many systems make the window a multiple of what fits into a packet: with or without the timestamp's 12
 * octets, or of a whole packet, or as if the link were an Ethernet. In this order; the first that fits. */
static void add_window(struct text *text, const struct syn *syn)
{
    bool ipv6 = syn->version == 6;
    unsigned mss = syn->mss;
    const struct divisor divisors[] = {
        {mss, "mss*"},
        {syn->timestamp ? mss - 12u : 0, "mss*"},
        {1460, "mss*"},
        {1448, "mss*"},
        {ipv6 ? 1440u : 0, "mss*"},
        {ipv6 ? 1428u : 0, "mss*"},
        {mss + 40u, "mtu*"},
        {mss + syn->header_size, "mtu*"},
        {ipv6 ? mss + 60u : 0, "mtu*"},
        {1500, "mtu*"},
    };
    size_t count = syn->window && mss >= 100 ? sizeof divisors / sizeof *divisors : 0;
    for (size_t i = 0; i < count; i++) {
        if (!divisors[i].size || syn->window % divisors[i].size)
            continue;
        add(text, divisors[i].unit);
        add_number(text, syn->window / divisors[i].size);
        return;
    }
    add_number(text, syn->window);
}

static void add_option(struct text *text, const struct syn *syn, unsigned kind)
{
    switch (kind) {
    case OPTION_END:
        add(text, "eol+");
        add_number(text, syn->padding);
        return;
    case OPTION_NOP: add(text, "nop"); return;
    case OPTION_MSS: add(text, "mss"); return;
    case OPTION_SCALE: add(text, "ws"); return;
    case OPTION_SACK_OK: add(text, "sok"); return;
    case OPTION_SACK: add(text, "sack"); return;
    case OPTION_TIMESTAMP: add(text, "ts"); return;
    default:
        add(text, "?");
        add_number(text, kind);
        return;
    }
}

static void add_quirks(struct text *text, uint32_t quirks)
{
    static const char *const words[] = {"df",   "id+",  "id-",  "ecn",   "0+",    "flow",
                                        "seq-", "ack+", "ack-", "uptr+", "urgf+", "pushf+",
                                        "ts1-", "ts2+", "opt+", "exws",  "bad"};
    const char *comma = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(quirks & UINT32_C(1) << i))
            continue;
        add(text, comma);
        add(text, words[i]);
        comma = ",";
    }
}

size_t syn_print(const struct syn *syn, char text[SYN_TEXT])
{
    struct text out = {text, 0};
    add_number(&out, syn->version);
    add(&out, ":");
    add_ttl(&out, syn->ttl);
    add(&out, ":");
    add_number(&out, syn->ip_options);
    add(&out, ":");
    add_number(&out, syn->mss);
    add(&out, ":");
    add_window(&out, syn);
    add(&out, ",");
    add_number(&out, syn->scale);
    add(&out, ":");
    for (unsigned i = 0; i < syn->option_count; i++) {
        if (i)
            add(&out, ",");
        add_option(&out, syn, syn->options[i]);
    }
    add(&out, ":");
    add_quirks(&out, syn->quirks);
    add(&out, syn->payload ? ":+" : ":0");
    text[out.len] = '\0';
    return out.len;
}
