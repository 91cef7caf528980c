#include "wire/access.h"

#include "base/text.h"
#include "wire/domain.h"

#include <stdio.h>

/*
 * table = *( skip / entry )
 * skip  = *blank [ "#" *octet ] LF
 * entry = [ tag ":" ] key 1*blank value LF
 * value = "OK" / "RELAY" / "SKIP" / "REJECT" / "DISCARD" / [ "ERROR:" [ enhanced ":" ] ] code 1*blank text
 * text  = *octet / DQUOTE *octet DQUOTE         ; a quote may also stand before the code
 * blank = SP / HT / CR
 */

static bool octet_is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static struct slice trim(struct slice s)
{
    while (s.len && octet_is_blank(s.at[0]))
        s = slice_from(s, 1);
    while (s.len && octet_is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

/* --- the key ------------------------------------------------------------------------------------------- */

static bool tag_take(struct slice *key, struct access_entry *entry, bool *ret_foreign)
{
    static const struct {
        const char *word;
        unsigned tags;
    } words[] = {
        {"Connect", ACCESS_CONNECT}, {"From", ACCESS_FROM}, {"To", ACCESS_TO}, {"Helo", ACCESS_HELO}};
    size_t colon = slice_find(*key, ':');
    struct slice tag = slice_head(*key, colon);
    *ret_foreign = false;
    if (colon == SLICE_NOT_FOUND || slice_equal_fold(tag, SLICE("IPv6")))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal_fold(tag, slice_text(words[i].word))) {
            entry->tags = words[i].tags;
            *key = slice_from(*key, colon + 1);
            return true;
        }
    *ret_foreign = true;
    return false;
}

/* One to eight groups of hexadecimal digits, or a whole address. */
static bool is_ipv6_key(struct slice key)
{
    struct address address;
    struct slice group;
    unsigned groups = 0;
    uint64_t value;
    if (slice_find_slice(key, SLICE("::")) != SLICE_NOT_FOUND)
        return address_parse(key, &address) && address.family == ADDRESS_IPV6;
    while (slice_cut(&key, ':', &group)) {
        if (group.len > 4 || !text_parse_hex(group, &value))
            return false;
        groups++;
    }
    return groups >= 1 && groups <= 8;
}

/* One to four numbers: 192, 192.0, … */
static bool is_ipv4_key(struct slice key)
{
    struct slice part;
    unsigned parts = 0;
    uint64_t value;
    if (key.len && key.at[key.len - 1] == '.')
        return false;
    while (slice_cut(&key, '.', &part)) {
        if (!text_parse_u64(part, &value) || value > 255)
            return false;
        parts++;
    }
    return parts >= 1 && parts <= 4;
}

static bool is_domain(struct slice text)
{
    return domain_check(text, true, NULL) == DOMAIN_DONE;
}

/* user@domain, user@; the local part as it comes: it is compared, no more. */
static bool is_mailbox_key(struct slice key, unsigned tags)
{
    size_t at = slice_find_last(key, '@');
    if (at == SLICE_NOT_FOUND || at == 0 || !(tags & (ACCESS_FROM | ACCESS_TO)))
        return false;
    struct slice domain = slice_from(key, at + 1);
    return !domain.len || is_domain(domain);
}

static bool key_read(struct slice key, struct access_entry *entry)
{
    entry->ipv6 = slice_starts_fold(key, SLICE("IPv6:"));
    entry->key = entry->ipv6 ? slice_from(key, 5) : key;
    if (entry->key.len + 5 >= ACCESS_KEY_SIZE)
        return false;
    if (entry->ipv6)
        return is_ipv6_key(entry->key);
    return is_ipv4_key(key) || is_domain(key) || is_mailbox_key(key, entry->tags);
}

/* --- the value ----------------------------------------------------------------------------------------- */

static bool is_enhanced(struct slice text)
{
    struct slice part;
    unsigned parts = 0;
    uint64_t value;
    if (!text.len || (text.at[0] != '4' && text.at[0] != '5') || text.at[text.len - 1] == '.')
        return false;
    while (slice_cut(&text, '.', &part)) {
        if (part.len > 3 || !text_parse_u64(part, &value))
            return false;
        parts++;
    }
    return parts == 3;
}

static struct slice quotes_off(struct slice text)
{
    text = trim(text);
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
        return slice_of(text.at + 1, text.len - 2);
    return text;
}

/* code and text; 4yz or 5yz */
static bool code_read(struct slice value, struct access_entry *entry)
{
    uint64_t code;
    value = quotes_off(value);
    struct slice digits = slice_head(value, 3);
    if (!text_parse_u64(digits, &code) || code < 400 || code > 599)
        return false;
    struct slice text = slice_from(value, 3);
    if (text.len && !octet_is_blank(text.at[0]))
        return false;
    entry->code = (uint16_t)code;
    entry->action = code < 500 ? ACCESS_DEFER : ACCESS_REJECT;
    entry->text = quotes_off(text);
    struct slice rest = entry->text, first;
    if (!entry->enhanced.len && slice_word(&rest, &first) && is_enhanced(first)) {
        entry->enhanced = first;
        entry->text = trim(rest);
    }
    if (entry->enhanced.len && entry->enhanced.at[0] - '0' != (char)(code / 100))
        return false;
    return slice_is_printable(entry->text) && entry->text.len <= 300;
}

static bool error_read(struct slice value, struct access_entry *entry)
{
    size_t colon = slice_find(value, ':');
    struct slice enhanced = quotes_off(slice_head(value, colon));
    if (enhanced.len && enhanced.at[0] == '"') /* ERROR:"5.7.1:550 text" is written, too */
        enhanced = slice_from(enhanced, 1);
    if (colon == SLICE_NOT_FOUND || !is_enhanced(enhanced))
        return code_read(value, entry);
    entry->enhanced = enhanced;
    struct slice rest = slice_from(value, colon + 1);
    bool open = trim(value).at[0] == '"' && rest.len && rest.at[rest.len - 1] == '"';
    return code_read(open ? slice_head(rest, rest.len - 1) : rest, entry);
}

static bool value_read(struct slice value, struct access_entry *entry)
{
    static const struct {
        const char *word;
        enum access_action action;
    } words[] = {{"OK", ACCESS_OK},
                 {"RELAY", ACCESS_OK},
                 {"SKIP", ACCESS_SKIP},
                 {"REJECT", ACCESS_REJECT},
                 {"DISCARD", ACCESS_DISCARD}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal_fold(value, slice_text(words[i].word))) {
            entry->action = words[i].action;
            return true;
        }
    if (slice_starts_fold(value, SLICE("ERROR:")))
        return error_read(slice_from(value, 6), entry);
    return code_read(value, entry);
}

/* --- the table ----------------------------------------------------------------------------------------- */

void access_init(struct access_reader *reader, struct slice text)
{
    *reader = (struct access_reader){.rest = text, .line = 1};
}

static enum access_status complain(struct access_reader *reader, enum access_status status,
                                   struct slice complaint)
{
    reader->complaint = complaint;
    return status;
}

static enum access_status entry_read(struct access_reader *reader, struct slice line,
                                     struct access_entry *entry)
{
    struct slice key;
    bool foreign;
    size_t end = 0;
    while (end < line.len && !octet_is_blank(line.at[end]))
        end++;
    key = slice_head(line, end);
    entry->tags = ACCESS_CONNECT | ACCESS_FROM | ACCESS_TO;
    tag_take(&key, entry, &foreign);
    if (foreign)
        return complain(reader, ACCESS_PASSED, SLICE("the tag means nothing here: the entry is passed over"));
    if (!key_read(key, entry))
        return complain(reader, ACCESS_BAD,
                        SLICE("the key is none: expected an address or its beginning, a domain, or in From: "
                              "and To: user@domain or user@"));
    if (!value_read(trim(slice_from(line, end)), entry))
        return complain(reader, ACCESS_BAD,
                        SLICE("the value is none: expected OK, RELAY, SKIP, REJECT, DISCARD, or "
                              "ERROR:5.7.1:550 and a text"));
    return ACCESS_ENTRY;
}

enum access_status access_next(struct access_reader *reader, struct access_entry *ret_entry)
{
    struct slice line;
    reader->complaint = SLICE_NONE;
    while (slice_cut(&reader->rest, '\n', &line)) {
        *ret_entry = (struct access_entry){.line = reader->line++};
        line = trim(line);
        if (line.len && line.at[0] != '#')
            return entry_read(reader, line, ret_entry);
    }
    return ACCESS_END;
}

/* --- keys in their one form ---------------------------------------------------------------------------- */

size_t access_address_print(const struct address *address, char text[ACCESS_KEY_SIZE])
{
    if (address->family != ADDRESS_IPV6)
        return address_print(address, text);
    int len = snprintf(text, ACCESS_KEY_SIZE, "ipv6");
    for (unsigned i = 0; i < 16; i += 2)
        len += snprintf(text + len, ACCESS_KEY_SIZE - (size_t)len, ":%x",
                        (unsigned)address->octets[i] << 8 | address->octets[i + 1]);
    return (size_t)len;
}

static size_t groups_print(struct slice key, char text[ACCESS_KEY_SIZE])
{
    struct slice group;
    uint64_t value;
    int len = snprintf(text, ACCESS_KEY_SIZE, "ipv6");
    while (slice_cut(&key, ':', &group) && text_parse_hex(group, &value))
        len += snprintf(text + len, ACCESS_KEY_SIZE - (size_t)len, ":%llx", (unsigned long long)value);
    return (size_t)len;
}

size_t access_key_print(const struct access_entry *entry, char text[ACCESS_KEY_SIZE])
{
    struct address address;
    if (entry->ipv6 && address_parse(entry->key, &address))
        return access_address_print(&address, text);
    if (entry->ipv6)
        return groups_print(entry->key, text);
    if (entry->key.len >= ACCESS_KEY_SIZE)
        return 0;
    for (size_t i = 0; i < entry->key.len; i++)
        text[i] = text_lower(entry->key.at[i]);
    return entry->key.len;
}

bool access_key_is_address(struct slice key)
{
    return slice_starts(key, SLICE("ipv6:")) || is_ipv4_key(key);
}

bool access_key_widen(struct slice *key)
{
    size_t at = slice_find_last(*key, '@'), cut;
    if (at != SLICE_NOT_FOUND) {
        *key = slice_from(*key, at + 1);
        return key->len > 0;
    }
    if (slice_starts(*key, SLICE("ipv6:"))) {
        cut = slice_find_last(*key, ':');
        *key = slice_head(*key, cut);
        return cut > 4;
    }
    if (is_ipv4_key(*key)) {
        cut = slice_find_last(*key, '.');
        *key = slice_head(*key, cut == SLICE_NOT_FOUND ? 0 : cut);
        return key->len > 0;
    }
    cut = slice_find(*key, '.');
    *key = cut == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(*key, cut + 1);
    return key->len > 0;
}
