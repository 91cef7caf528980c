#include "wire/spf.h"

#include "base/text.h"

/*
 * record           = version terms *SP
 * version          = "v=spf1"
 * terms            = *( 1*SP ( directive / modifier ) )
 * directive        = [ qualifier ] mechanism
 * qualifier        = "+" / "-" / "?" / "~"
 * mechanism        = "all" / ( "include" ":" domain-spec ) / ( "exists" ":" domain-spec )
 *                  / ( ( "a" / "mx" ) [ ":" domain-spec ] [ dual-cidr-length ] ) / ( "ptr" [ ":" domain-spec
 * ] ) / ( "ip4" ":" ip4-network [ ip4-cidr-length ] ) / ( "ip6" ":" ip6-network [ ip6-cidr-length ] )
 * dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
 * ip4-cidr-length  = "/" number              ; 0 to 32, no leading zero
 * ip6-cidr-length  = "/" number              ; 0 to 128
 * modifier         = "redirect" "=" domain-spec / "exp" "=" domain-spec / name "=" macro-string
 * name             = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
 */

#define VERSION SLICE("v=spf1")

const char *spf_result_word(enum spf_result result)
{
    static const char *const words[SPF_RESULT_COUNT] = {"none",     "neutral",   "pass",     "fail",
                                                        "softfail", "temperror", "permerror"};
    return (unsigned)result < SPF_RESULT_COUNT ? words[result] : "?";
}

/* --- networks and lengths of prefixes ------------------------------------------------------------------ */

static bool length_parse(struct slice text, unsigned most, uint8_t *ret_bits)
{
    uint64_t bits;
    if (text.len > 3 || (text.len > 1 && text.at[0] == '0') || !text_parse_u64(text, &bits) || bits > most)
        return false;
    *ret_bits = (uint8_t)bits;
    return true;
}

/* Takes "/" and digits off the end of *text. False: it ends in something else. */
static bool length_cut(struct slice *text, struct slice *ret_digits)
{
    size_t at = text->len;
    while (at > 0 && text_is_digit(text->at[at - 1]))
        at--;
    if (at == text->len || at == 0 || text->at[at - 1] != '/')
        return false;
    *ret_digits = slice_from(*text, at);
    *text = slice_head(*text, at - 1);
    return true;
}

static bool ends_in_slash(struct slice text)
{
    return text.len && text.at[text.len - 1] == '/';
}

/* A domain-spec may hold slashes of its own, but it never ends in digits behind one: so lengths are read from
 * the end. */
static bool lengths_cut(struct slice *text, struct spf_term *term)
{
    struct slice digits;
    term->bits4 = 32;
    term->bits6 = 128;
    if (!length_cut(text, &digits))
        return true;
    if (ends_in_slash(*text)) {
        text->len--;
        if (!length_parse(digits, 128, &term->bits6))
            return false;
        if (!length_cut(text, &digits))
            return true;
    }
    return length_parse(digits, 32, &term->bits4);
}

/* An address that base takes for IPv4, since it is IPv4-mapped, is an IPv6 network here: it holds no IPv4
 * client (section 5). */
static struct address unmapped(struct address address)
{
    struct address mapped = {.family = ADDRESS_IPV6};
    if (address.family != ADDRESS_IPV4)
        return address;
    mapped.octets[10] = mapped.octets[11] = 0xff;
    memcpy(mapped.octets + 12, address.octets, 4);
    return mapped;
}

static bool network_parse(struct slice text, bool six, struct prefix *ret_network)
{
    uint8_t bits = six ? 128 : 32;
    struct address address;
    size_t slash = slice_find(text, '/');
    if (slash != SLICE_NOT_FOUND && !length_parse(slice_from(text, slash + 1), bits, &bits))
        return false;
    text = slice_head(text, slash);
    if ((slice_find(text, ':') != SLICE_NOT_FOUND) != six || !address_parse(text, &address))
        return false;
    if (six)
        address = unmapped(address);
    *ret_network = (struct prefix){address, bits};
    return true;
}

/* --- terms --------------------------------------------------------------------------------------------- */

static bool name_octet(char octet)
{
    return text_is_alnum(octet) || octet == '-' || octet == '_' || octet == '.';
}

/* Octets of the name in front of "=", or 0: the term is no modifier. */
static size_t modifier_name(struct slice text)
{
    size_t at = 0;
    if (!text.len || !text_is_alpha(text.at[0]))
        return 0;
    while (at < text.len && name_octet(text.at[at]))
        at++;
    return at < text.len && text.at[at] == '=' ? at : 0;
}

static bool modifier_parse(struct slice text, size_t name_len, struct spf_term *term)
{
    struct slice name = slice_head(text, name_len);
    term->domain = slice_from(text, name_len + 1);
    if (slice_equal_fold(name, SLICE("redirect")))
        term->kind = SPF_REDIRECT;
    else if (slice_equal_fold(name, SLICE("exp")))
        term->kind = SPF_EXP;
    else
        term->kind = SPF_OTHER;
    return term->kind == SPF_OTHER ? spf_macro_string_is(term->domain) : spf_domain_spec_is(term->domain);
}

static bool qualifier_cut(struct slice *text, enum spf_result *ret_qualifier)
{
    static const char signs[] = "+-?~";
    static const enum spf_result results[] = {SPF_PASS, SPF_FAIL, SPF_NEUTRAL, SPF_SOFTFAIL};
    const char *found = text->len ? memchr(signs, text->at[0], 4) : NULL;
    *ret_qualifier = found ? results[found - signs] : SPF_PASS;
    if (found)
        *text = slice_from(*text, 1);
    return found;
}

enum argument { ARGUMENT_NONE, ARGUMENT_DOMAIN, ARGUMENT_MAYBE, ARGUMENT_LENGTHS, ARGUMENT_NETWORK };

static const struct {
    struct slice name;
    enum spf_kind kind;
    enum argument argument;
} mechanisms[] = {
    {{"ip4", 3}, SPF_IP4, ARGUMENT_NETWORK},      {{"include", 7}, SPF_INCLUDE, ARGUMENT_DOMAIN},
    {{"all", 3}, SPF_ALL, ARGUMENT_NONE},         {{"ip6", 3}, SPF_IP6, ARGUMENT_NETWORK},
    {{"a", 1}, SPF_A, ARGUMENT_LENGTHS},          {{"mx", 2}, SPF_MX, ARGUMENT_LENGTHS},
    {{"exists", 6}, SPF_EXISTS, ARGUMENT_DOMAIN}, {{"ptr", 3}, SPF_PTR, ARGUMENT_MAYBE},
};

/* `text` is what stands behind the name: empty, or it begins with ":" or "/". */
static bool argument_parse(struct slice text, enum argument argument, struct spf_term *term)
{
    if (argument == ARGUMENT_LENGTHS && !lengths_cut(&text, term))
        return false;
    if (!text.len)
        return argument != ARGUMENT_DOMAIN && argument != ARGUMENT_NETWORK;
    if (text.at[0] != ':' || argument == ARGUMENT_NONE)
        return false;
    text = slice_from(text, 1);
    if (argument == ARGUMENT_NETWORK)
        return network_parse(text, term->kind == SPF_IP6, &term->network);
    term->domain = text;
    return spf_domain_spec_is(text);
}

static bool mechanism_parse(struct slice text, struct spf_term *term)
{
    size_t name_len = 0;
    qualifier_cut(&text, &term->qualifier);
    while (name_len < text.len && text.at[name_len] != ':' && text.at[name_len] != '/')
        name_len++;
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
        if (!slice_equal_fold(slice_head(text, name_len), mechanisms[i].name))
            continue;
        term->kind = mechanisms[i].kind;
        return argument_parse(slice_from(text, name_len), mechanisms[i].argument, term);
    }
    return false;
}

enum spf_status spf_term_next(struct slice *terms, struct spf_term *ret_term)
{
    while (terms->len && terms->at[0] == ' ')
        *terms = slice_from(*terms, 1);
    if (!terms->len)
        return SPF_END;
    struct slice text;
    slice_cut(terms, ' ', &text);
    *ret_term = (struct spf_term){.text = text};
    size_t name_len = modifier_name(text);
    bool good = name_len ? modifier_parse(text, name_len, ret_term) : mechanism_parse(text, ret_term);
    return good ? SPF_TERM : SPF_BAD;
}

bool spf_record_is(struct slice text)
{
    return slice_starts_fold(text, VERSION) && (text.len == VERSION.len || text.at[VERSION.len] == ' ');
}

struct slice spf_record_terms(struct slice text)
{
    return slice_from(text, VERSION.len);
}
