#include "checks/generic_name.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX    255 /* octets of a name */
#define NUMBERS_MAX 32

/* The name, cut into what can be compared. */
struct parts {
    struct slice host;     /* without the provider's two labels */
    char plain[TEXT_MAX];  /* the host's letters and digits, small, without what parts them */
    char dashed[TEXT_MAX]; /* the host, small, with a dash for each dot, underscore and dash */
    size_t plain_len, dashed_len;
    size_t digits, hex;            /* the longest runs of digits, and of hexadecimal ones, in `plain` */
    unsigned numbers[NUMBERS_MAX]; /* runs of one to three digits; 999 for longer ones */
    size_t number_count;
};

#define NUMBER_LONG 999u

/* --- words --------------------------------------------------------------------------------------------- */

static const char *const line_words[] = {
    "adsl",    "vdsl",  "xdsl",        "sdsl",        "dsl",     "dyn",       "dynamic", "dynamicip", "dynip",
    "dynpool", "ppp",   "pppoe",       "dial",        "dialup",  "dialin",    "dip",     "dhcp",      "pool",
    "pools",   "cable", "catv",        "cablemodem",  "modem",   "broadband", "ftth",    "wimax",     "gprs",
    "umts",    "hsd",   "residential", "dynamicpool", "dslpool", "dyndsl",    "adslpool"};

static const char *const host_words[] = {
    "host", "ip",     "client", "clients",    "cust",       "customer", "static", "user", "cpe",
    "home", "mobile", "res",    "unassigned", "subscriber", "net",      "node",   "lte"};

static const char *const mail_words[] = {
    "mail",     "mails",    "smtp",   "smtps",     "mx",         "mta",      "mout",    "relay", "mailer",
    "outbound", "mailout",  "mailgw", "bounce",    "newsletter", "out",      "smtpout", "mxout", "postfix",
    "exim",     "sendmail", "email",  "mailrelay", "mailhost",   "listserv", "lists"};

#define LIST(words) (words), sizeof(words) / sizeof *(words)

/* Every stranger's name is held against all of them: their first letters tell most apart. */
static bool word_in(struct slice word, const char *const *words, size_t count)
{
    const char first = text_lower(word.at[0]);
    for (size_t i = 0; i < count; i++)
        if (words[i][0] == first && slice_equal_fold(word, slice_text(words[i])))
            return true;
    return false;
}

/* The next run of letters. */
static bool word_next(struct slice *rest, struct slice *ret_word)
{
    size_t start = 0, end;
    while (start < rest->len && !text_is_alpha(rest->at[start]))
        start++;
    for (end = start; end < rest->len && text_is_alpha(rest->at[end]);)
        end++;
    *ret_word = slice_of(rest->at + start, end - start);
    *rest = slice_from(*rest, end);
    return ret_word->len > 0;
}

static bool word_find(struct slice host, const char *const *words, size_t count, struct slice *ret_word)
{
    struct slice word;
    while (word_next(&host, &word))
        if (word_in(word, words, count)) {
            *ret_word = word;
            return true;
        }
    return false;
}

/* --- cutting ------------------------------------------------------------------------------------------- */

/* "a.b.provider.example" has the host "a.b"; of two labels the first is the host, of one there is none. */
static struct slice host_of(struct slice name)
{
    if (name.len && name.at[name.len - 1] == '.')
        name.len--;
    name = slice_head(name, TEXT_MAX);
    size_t last = slice_find_last(name, '.');
    if (last == SLICE_NOT_FOUND)
        return SLICE_NONE;
    struct slice front = slice_head(name, last);
    size_t before = slice_find_last(front, '.');
    return before == SLICE_NOT_FOUND ? front : slice_head(front, before);
}

static void numbers_cut(struct parts *parts)
{
    struct slice host = parts->host;
    for (size_t i = 0; i < host.len && parts->number_count < NUMBERS_MAX;) {
        unsigned value = 0;
        size_t digits = 0;
        for (; i < host.len && text_is_digit(host.at[i]); i++, digits++)
            value = digits < 3 ? value * 10 + (unsigned)(host.at[i] - '0') : NUMBER_LONG;
        if (digits)
            parts->numbers[parts->number_count++] = value;
        else
            i++;
    }
}

static size_t longest_run(const struct parts *parts, bool hex)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < parts->plain_len; i++) {
        const char octet = parts->plain[i];
        run = text_is_digit(octet) || (hex && octet >= 'a' && octet <= 'f') ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void parts_cut(struct slice name, struct parts *ret_parts)
{
    ret_parts->host = host_of(name);
    ret_parts->plain_len = ret_parts->dashed_len = ret_parts->number_count = 0;
    for (size_t i = 0; i < ret_parts->host.len; i++) {
        char octet = text_lower(ret_parts->host.at[i]);
        bool plain = text_is_alnum(octet);
        if (plain)
            ret_parts->plain[ret_parts->plain_len++] = octet;
        ret_parts->dashed[ret_parts->dashed_len++] = plain ? octet : '-';
    }
    ret_parts->digits = longest_run(ret_parts, false);
    ret_parts->hex = longest_run(ret_parts, true);
    numbers_cut(ret_parts);
}

static bool plain_has(const struct parts *parts, struct slice text)
{
    return slice_find_slice(slice_of(parts->plain, parts->plain_len), text) != SLICE_NOT_FOUND;
}

/* --- IPv4 ---------------------------------------------------------------------------------------------- */

/* Whether `count` of the address's octets from `first` on stand one after the other, forth or back. Two or
 * three of a single digit are met by chance. */
static bool numbers_run(const struct parts *parts, const uint8_t *octets, size_t first, size_t count)
{
    size_t digits = 0;
    for (size_t i = first; i < first + count; i++)
        digits += octets[i] > 99 ? 3 : octets[i] > 9 ? 2 : 1;
    if (digits < count + 2)
        return false;
    for (size_t at = 0; at + count <= parts->number_count; at++) {
        bool forth = true, back = true;
        for (size_t i = 0; i < count; i++) {
            forth = forth && parts->numbers[at + i] == octets[first + i];
            back = back && parts->numbers[at + i] == octets[first + count - 1 - i];
        }
        if (forth || back)
            return true;
    }
    return false;
}

/* All four in any order, each number for one octet: "113-45.0-203". */
static bool numbers_all(const struct parts *parts, const uint8_t *octets)
{
    bool used[NUMBERS_MAX] = {false};
    for (size_t i = 0; i < 4; i++) {
        size_t at = 0;
        while (at < parts->number_count && (used[at] || parts->numbers[at] != octets[i]))
            at++;
        if (at == parts->number_count)
            return false;
        used[at] = true;
    }
    return true;
}

#define JOINED_MIN 7 /* digits: fewer in a row are met by chance */

enum joint { JOINT_SHORT, JOINT_PADDED, JOINT_HEX, JOINT_COUNT };

static size_t octet_print(uint8_t octet, enum joint joint, char *at)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    if (joint == JOINT_HEX) {
        at[0] = digits[octet >> 4];
        at[1] = digits[octet & 15];
        return 2;
    }
    if (joint == JOINT_PADDED || octet >= 100)
        at[len++] = digits[octet / 100];
    if (joint == JOINT_PADDED || octet >= 10)
        at[len++] = digits[octet / 10 % 10];
    at[len++] = digits[octet % 10];
    return len;
}

static bool v4_joined_as(const struct parts *parts, const uint8_t *octets, enum joint joint)
{
    char forth[12], back[12];
    size_t forth_len = 0, back_len = 0;
    if (joint == JOINT_HEX ? parts->hex < 8 : parts->digits < JOINED_MIN)
        return false;
    for (size_t i = 0; i < 4; i++) {
        forth_len += octet_print(octets[i], joint, forth + forth_len);
        back_len += octet_print(octets[3 - i], joint, back + back_len);
    }
    return forth_len >= JOINED_MIN &&
           (plain_has(parts, slice_of(forth, forth_len)) || plain_has(parts, slice_of(back, back_len)));
}

static bool v4_joined(const struct parts *parts, const uint8_t *o)
{
    char number[TEXT_UNIT_SIZE];
    for (unsigned joint = 0; joint < JOINT_COUNT; joint++)
        if (v4_joined_as(parts, o, (enum joint)joint))
            return true;
    if (parts->digits < JOINED_MIN)
        return false;
    const size_t len = text_print_u64(
        (uint64_t)o[0] << 24 | (uint64_t)o[1] << 16 | (uint64_t)o[2] << 8 | o[3], number);
    return len >= JOINED_MIN && plain_has(parts, slice_of(number, len));
}

static bool v4_inside(const struct parts *parts, const uint8_t *octets)
{
    return numbers_run(parts, octets, 1, 3) || numbers_all(parts, octets) || v4_joined(parts, octets);
}

/* --- IPv6 ---------------------------------------------------------------------------------------------- */

static void nibbles(const uint8_t *octets, char forth[33], char back[33])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        uint8_t octet = octets[i / 2];
        forth[i] = back[31 - i] = digits[i % 2 ? octet & 15 : octet >> 4];
    }
    forth[32] = back[32] = '\0';
}

/* As it is written, with dashes for colons: "2001-db8--7", or with its zeros "2001-db8-0-0-0-0-0-7". */
static bool v6_dashed(const struct parts *parts, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    const uint8_t *o = address->octets;
    struct slice dashed = slice_of(parts->dashed, parts->dashed_len);
    struct slice shortest = slice_of(text, address_print(address, text));
    for (size_t i = 0; i < shortest.len; i++)
        if (text[i] == ':')
            text[i] = '-';
    if (slice_find_slice(dashed, shortest) != SLICE_NOT_FOUND)
        return true;
    char whole[48];
    int len = snprintf(whole, sizeof whole, "%x-%x-%x-%x-%x-%x-%x-%x", o[0] << 8 | o[1], o[2] << 8 | o[3],
                       o[4] << 8 | o[5], o[6] << 8 | o[7], o[8] << 8 | o[9], o[10] << 8 | o[11],
                       o[12] << 8 | o[13], o[14] << 8 | o[15]);
    return slice_find_slice(dashed, slice_of(whole, (size_t)len)) != SLICE_NOT_FOUND;
}

/* Either half of the 32 digits, forth or back, is enough. */
static bool v6_inside(const struct parts *parts, const struct address *address)
{
    char forth[33], back[33];
    nibbles(address->octets, forth, back);
    const char *const halves[] = {forth, forth + 16, back, back + 16};
    for (size_t i = 0; i < 4; i++)
        if (plain_has(parts, slice_of(halves[i], 16)))
            return true;
    return v6_dashed(parts, address);
}

/* --- both ---------------------------------------------------------------------------------------------- */

enum generic generic_name(struct slice name, const struct address *address, struct slice *ret_word)
{
    struct parts parts;
    struct slice word = SLICE_NONE, ignored;
    if (!ret_word)
        ret_word = &ignored;
    parts_cut(name, &parts);
    *ret_word = SLICE_NONE;
    bool of_line = word_find(parts.host, LIST(line_words), &word);
    if (!of_line && word_find(parts.host, LIST(mail_words), &ignored))
        return GENERIC_NO;
    bool v4 = address->family == ADDRESS_IPV4;
    if (v4 ? v4_inside(&parts, address->octets) : v6_inside(&parts, address))
        return GENERIC_ADDRESS;
    *ret_word = word;
    if (of_line)
        return parts.number_count ? GENERIC_WORD : GENERIC_NO;
    if (v4 && numbers_run(&parts, address->octets, 2, 2) && word_find(parts.host, LIST(host_words), ret_word))
        return GENERIC_PART;
    return GENERIC_NO;
}
