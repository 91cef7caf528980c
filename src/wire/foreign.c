#include "wire/foreign.h"

#include "base/address.h"
#include "base/text.h"

#include <string.h>

static const char *const names[FOREIGN_KINDS] = {
    [FOREIGN_NONE] = "SMTP",   [FOREIGN_HTTP] = "HTTP",
    [FOREIGN_SIP] = "SIP",     [FOREIGN_SSH] = "SSH",
    [FOREIGN_TLS] = "TLS",     [FOREIGN_RDP] = "RDP",
    [FOREIGN_SOCKS] = "SOCKS", [FOREIGN_BINARY] = "binary data",
};

const char *foreign_name(enum foreign_kind kind)
{
    return names[kind];
}

/* --- evidence ------------------------------------------------------------------------------------------ */

static void add(struct foreign *foreign, struct slice s)
{
    s = slice_head(s, FOREIGN_TEXT - 1 - foreign->evidence_len);
    for (size_t i = 0; i < s.len; i++) {
        char octet = s.at[i];
        foreign->evidence[foreign->evidence_len++] = octet >= ' ' && octet < 0x7f ? octet : '?';
    }
    foreign->evidence[foreign->evidence_len] = '\0';
}

static void add_number(struct foreign *foreign, uint64_t number)
{
    char digits[TEXT_UNIT_SIZE];
    add(foreign, slice_of(digits, text_print_u64(number, digits)));
}

static void add_octets(struct foreign *foreign, struct slice s)
{
    static const char digits[] = "0123456789abcdef";
    add(foreign, SLICE("octets"));
    for (size_t i = 0; i < s.len && i < 16; i++) {
        unsigned octet = (unsigned char)s.at[i];
        char text[3] = {' ', digits[octet >> 4], digits[octet & 15]};
        add(foreign, slice_of(text, sizeof text));
    }
}

static bool is(struct foreign *foreign, enum foreign_kind kind, struct slice evidence)
{
    foreign->kind = kind;
    add(foreign, evidence);
    return true;
}

/* --- text ---------------------------------------------------------------------------------------------- */

static bool is_method(struct slice word)
{
    static const struct slice methods[] = {
        {"GET", 3},   {"POST", 4},   {"HEAD", 4},  {"PUT", 3},      {"OPTIONS", 7}, {"CONNECT", 7},
        {"TRACE", 5}, {"DELETE", 6}, {"PATCH", 5}, {"PROPFIND", 8}, {"PRI", 3},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (slice_equal_fold(word, methods[i]))
            return true;
    return false;
}

static bool is_target(struct slice word)
{
    return word.len && (*word.at == '/' || slice_starts_fold(word, SLICE("http://")) ||
                        slice_starts_fold(word, SLICE("https://")));
}

/* request-line = method SP target [ SP "HTTP/" version ], as early HTTP had it; SIP's looks the same */
static bool text_parse(struct slice line, struct foreign *foreign)
{
    struct slice rest = line, method, target, version = SLICE_NONE;
    if (slice_starts(line, SLICE("SSH-")))
        return is(foreign, FOREIGN_SSH, line);
    if (!slice_word(&rest, &method) || !slice_word(&rest, &target))
        return true;
    slice_word(&rest, &version);
    if (slice_starts(version, SLICE("SIP/")))
        return is(foreign, FOREIGN_SIP, line);
    if (slice_starts_fold(version, SLICE("HTTP/")) || (is_method(method) && is_target(target)))
        return is(foreign, FOREIGN_HTTP, line);
    return true;
}

static bool line_parse(struct slice first, bool last, struct foreign *foreign)
{
    size_t end = slice_find(first, '\n');
    if (end == SLICE_NOT_FOUND && first.len < FOREIGN_NEED && !last)
        return true;
    struct slice line = slice_head(first, end);
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return text_parse(line, foreign);
}

/* --- octets -------------------------------------------------------------------------------------------- */

static unsigned octet(struct slice s, size_t at)
{
    return (unsigned char)s.at[at];
}

static bool binary(struct slice first, bool last, struct foreign *foreign)
{
    if (first.len < 16 && !last)
        return false;
    foreign->kind = FOREIGN_BINARY;
    add_octets(foreign, first);
    return true;
}

/* A handshake record (22), version 3.x, with a ClientHello (1) in it. */
static bool tls_parse(struct slice first, bool last, struct foreign *foreign)
{
    bool fits = (first.len < 2 || octet(first, 1) == 3) && (first.len < 3 || octet(first, 2) <= 4) &&
                (first.len < 6 || octet(first, 5) == 1);
    if (!fits || (first.len < 6 && last))
        return binary(first, last, foreign);
    if (first.len < 6)
        return false;
    is(foreign, FOREIGN_TLS, SLICE("a ClientHello of "));
    add_number(foreign, octet(first, 3) << 8 | octet(first, 4));
    add(foreign, SLICE(" octets, record version 3."));
    add_number(foreign, octet(first, 2));
    return true;
}

/* TPKT = 3 0 length(2); X.224 connection request = length 0xe0 …; then perhaps "Cookie: mstshash=NAME" CRLF
 */
static bool rdp_parse(struct slice first, bool last, struct foreign *foreign)
{
    size_t size = first.len >= 4 ? octet(first, 2) << 8 | octet(first, 3) : 0;
    bool fits = (first.len < 2 || octet(first, 1) == 0) &&
                (first.len < 4 || (size >= 11 && size <= FOREIGN_NEED)) &&
                (first.len < 6 || octet(first, 5) == 0xe0);
    if (!fits || (first.len < 6 && last))
        return binary(first, last, foreign);
    if (first.len < 6 || (first.len < size && !last))
        return false;
    first = slice_head(first, size);
    size_t at = slice_find_slice(first, SLICE("Cookie: mstshash="));
    if (at == SLICE_NOT_FOUND)
        return is(foreign, FOREIGN_RDP, SLICE("a connection request without a cookie"));
    struct slice cookie = slice_from(first, at);
    return is(foreign, FOREIGN_RDP, slice_head(cookie, slice_find(cookie, '\r')));
}

/* version 4: 4, command 1 or 2, port(2), address(4), user, 0; version 5: 5, count, that many methods */
static bool socks4_parse(struct slice first, bool last, struct foreign *foreign)
{
    if ((first.len > 1 && octet(first, 1) != 1 && octet(first, 1) != 2) || (first.len < 8 && last))
        return binary(first, last, foreign);
    if (first.len < 8)
        return false;
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct address to = address_from_octets(ADDRESS_IPV4, (const uint8_t *)first.at + 4,
                                            (uint16_t)(octet(first, 2) << 8 | octet(first, 3)));
    size_t len = address_port_print(&to, text);
    is(foreign, FOREIGN_SOCKS,
       octet(first, 1) == 1 ? SLICE("version 4, connect to ") : SLICE("version 4, bind "));
    add(foreign, slice_of(text, len));
    return true;
}

static bool socks5_parse(struct slice first, bool last, struct foreign *foreign)
{
    size_t size = first.len > 1 ? 2 + octet(first, 1) : 2;
    if ((first.len > 1 && size == 2) || (first.len < size && last))
        return binary(first, last, foreign);
    if (first.len < size || size == 2)
        return false;
    is(foreign, FOREIGN_SOCKS, SLICE("version 5, methods offered: "));
    add_number(foreign, octet(first, 1));
    return true;
}

/* A line of text begins with a printable octet, a line end, a tab, or a character of UTF-8. */
static bool begins_text(struct slice first, bool last)
{
    unsigned lead = octet(first, 0);
    if (lead < 0x80)
        return lead >= ' ' ? lead != 0x7f : lead == '\r' || lead == '\n' || lead == '\t';
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    return lead >= 0xc2 && lead < 0xf5 && ((first.len < size && !last) || slice_utf8_size(first) > 0);
}

bool foreign_parse(struct slice first, bool last, struct foreign *ret_foreign)
{
    *ret_foreign = (struct foreign){.kind = FOREIGN_NONE};
    first = slice_head(first, FOREIGN_NEED);
    if (!first.len)
        return true;
    if (begins_text(first, last))
        return line_parse(first, last, ret_foreign);
    switch (octet(first, 0)) {
    case 0x16: return tls_parse(first, last, ret_foreign);
    case 0x03: return rdp_parse(first, last, ret_foreign);
    case 0x04: return socks4_parse(first, last, ret_foreign);
    case 0x05: return socks5_parse(first, last, ret_foreign);
    default: return binary(first, last, ret_foreign);
    }
}
