#include "wire/domain.h"

#include "base/text.h"

/*
 * domain   = label *( "." label ) [ "." ]    ; the last dot is tolerated
 * label    = let-dig [ *( let-dig / "-" ) let-dig ]
 * let-dig  = ALPHA / DIGIT / "_" / U8        ; "_" tolerated; U8: octets of well-formed UTF-8 (RFC 6531)
 * literal  = "[" ( IPv4 / "IPv6:" IPv6 / IPv6 ) "]"
 */

static enum domain_status label_check(struct slice label, struct domain_facts *facts)
{
    if (label.len == 0)
        return DOMAIN_LABEL_NONE;
    if (label.len > DOMAIN_LABEL_MAX)
        return DOMAIN_LABEL_LONG;
    facts->numeric = true;
    for (size_t i = 0; i < label.len; i++) {
        char octet = label.at[i];
        if (text_is_alpha(octet) || octet == '-') {
            facts->numeric = false;
            continue;
        }
        if (text_is_digit(octet))
            continue;
        if (octet != '_' && (unsigned char)octet <= 127)
            return DOMAIN_OCTET;
        facts->numeric = false;
        facts->underscore |= octet == '_';
        facts->utf8 |= (unsigned char)octet > 127;
    }
    return label.at[0] == '-' || label.at[label.len - 1] == '-' ? DOMAIN_HYPHEN : DOMAIN_DONE;
}

static enum domain_status labels_check(struct slice domain, struct domain_facts *facts)
{
    if (domain.len > 0 && domain.at[domain.len - 1] == '.') {
        facts->dot_last = true;
        domain.len--;
    }
    if (domain.len == 0)
        return facts->dot_last ? DOMAIN_LABEL_NONE : DOMAIN_EMPTY;
    for (;;) {
        size_t dot = slice_find(domain, '.');
        enum domain_status status = label_check(slice_head(domain, dot), facts);
        if (status != DOMAIN_DONE || dot == SLICE_NOT_FOUND)
            return status;
        facts->dot = true;
        domain = slice_from(domain, dot + 1);
    }
}

enum domain_status domain_check(struct slice domain, bool allow_utf8, struct domain_facts *ret_facts)
{
    struct domain_facts unused;
    struct domain_facts *facts = ret_facts ? ret_facts : &unused;
    *facts = (struct domain_facts){0};
    if (domain.len > DOMAIN_SIZE_MAX)
        return DOMAIN_LONG;
    enum domain_status status = labels_check(domain, facts);
    if (facts->utf8 && (!allow_utf8 || !slice_is_utf8(domain)))
        return DOMAIN_UTF8;
    return status;
}

bool domain_literal_parse(struct slice text, struct address *ret_address, bool *ret_tagged)
{
    if (text.len < 3 || text.at[0] != '[' || text.at[text.len - 1] != ']')
        return false;
    struct slice inner = slice_of(text.at + 1, text.len - 2);
    bool tagged = slice_starts_fold(inner, SLICE("IPv6:"));
    if (tagged)
        inner = slice_from(inner, 5);
    /* The address would become IPv4 when it is an IPv4-mapped one: so the form is told by its colons. */
    if (tagged && slice_find(inner, ':') == SLICE_NOT_FOUND)
        return false;
    if (!address_parse(inner, ret_address))
        return false;
    if (ret_tagged)
        *ret_tagged = tagged;
    return true;
}

enum helo_kind helo_classify(struct slice argument, struct address *ret_address)
{
    struct address unused;
    struct address *address = ret_address ? ret_address : &unused;
    struct domain_facts facts;
    *address = (struct address){.family = ADDRESS_NONE};
    if (argument.len == 0)
        return HELO_EMPTY;
    if (domain_literal_parse(argument, address, NULL))
        return HELO_LITERAL;
    if (address_parse(argument, address))
        return HELO_BARE_IP;
    if (domain_check(argument, false, &facts) != DOMAIN_DONE)
        return HELO_BAD;
    /* RFC 1123 section 2.1: no top-level name is all digits, so this is an address gone wrong. */
    if (facts.dot && facts.numeric)
        return HELO_BAD;
    return facts.dot ? HELO_DOMAIN : HELO_NO_DOT;
}

struct slice helo_kind_name(enum helo_kind kind)
{
    static const struct slice names[HELO_KIND_COUNT] = {
        [HELO_DOMAIN] = {"domain", 6}, [HELO_LITERAL] = {"literal", 7}, [HELO_BARE_IP] = {"bare-ip", 7},
        [HELO_NO_DOT] = {"no-dot", 6}, [HELO_BAD] = {"bad", 3},         [HELO_EMPTY] = {"empty", 5},
    };
    return names[kind];
}
