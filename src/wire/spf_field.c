#include "wire/spf_field.h"

#include "base/text.h"

/*
 * header-field   = "Received-SPF:" [CFWS] result FWS [comment FWS] [ key-value-list ] CRLF
 * key-value-list = key-value-pair *( ";" [CFWS] key-value-pair ) [";"]
 * key-value-pair = key [CFWS] "=" ( dot-atom / quoted-string )
 */

#define VALUE_MAX 400u

static const char *const comments[SPF_RESULT_COUNT] = {
    [SPF_NONE] = "the domain has no SPF record",
    [SPF_NEUTRAL] = "the domain does not say whether this client may send for it",
    [SPF_PASS] = "the domain lets this client send for it",
    [SPF_FAIL] = "the domain forbids this client to send for it",
    [SPF_SOFTFAIL] = "the domain says that this client probably may not send for it",
    [SPF_TEMPERROR] = "the domain could not be asked",
    [SPF_PERMERROR] = "the domain's SPF record is in error",
};

/* Of each octet a bit; every message has such a field. */
static const uint64_t atext[4] = {
    UINT64_C(0xa3ffacfa00000000), /* ! # $ % & ' * + - / 0-9 = ? */
    UINT64_C(0x7fffffffc7fffffe), /* A-Z ^ _ ` a-z { | } ~ */
};

static bool octet_is_atext(char octet)
{
    const unsigned char number = (unsigned char)octet;
    return atext[number / 64] >> number % 64 & 1;
}

static bool is_dot_atom(struct slice value)
{
    char before = '.';
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '.' ? before == '.' : !octet_is_atext(value.at[i]))
            return false;
        before = value.at[i];
    }
    return before != '.';
}

/* Octets that stand in quotes as they are, at the start of the text. */
static size_t plain_count(struct slice text, bool utf8)
{
    size_t at = 0;
    for (; at < text.len; at++) {
        unsigned char octet = (unsigned char)text.at[at];
        if (octet == '"' || octet == '\\' || octet < 0x20 || octet == 0x7f || (octet > 0x7f && !utf8))
            break;
    }
    return at;
}

static bool quoted_add(struct buf *buf, struct slice value)
{
    bool utf8 = slice_is_utf8(value), fits = buf_add_octet(buf, '"');
    while (value.len) {
        size_t plain = plain_count(value, utf8);
        fits &= buf_add(buf, slice_head(value, plain));
        value = slice_from(value, plain);
        if (!value.len)
            break;
        bool special = value.at[0] == '"' || value.at[0] == '\\';
        if (special)
            fits &= buf_add_octet(buf, '\\');
        fits &= buf_add_octet(buf, special ? value.at[0] : '?');
        value = slice_from(value, 1);
    }
    return buf_add_octet(buf, '"') && fits;
}

/* The key comes with its "=". */
static bool pair_add(struct buf *buf, struct slice key, struct slice value)
{
    value = slice_head(value, VALUE_MAX);
    if (!buf_add(buf, SLICE(";\r\n\t")) || !buf_add(buf, key))
        return false;
    return is_dot_atom(value) ? buf_add(buf, value) : quoted_add(buf, value);
}

static bool result_add(struct buf *buf, enum spf_result result, bool helo_identity)
{
    return buf_add(buf, SLICE("Received-SPF: ")) && buf_add(buf, slice_text(spf_result_word(result))) &&
           buf_add(buf, SLICE(" (")) && buf_add(buf, slice_text(comments[result])) &&
           buf_add(buf, helo_identity ? SLICE(")\r\n\tidentity=helo") : SLICE(")\r\n\tidentity=mailfrom"));
}

bool spf_field_add(struct buf *buf, const struct spf_field *field)
{
    char address[ADDRESS_TEXT_SIZE];
    size_t address_len = address_print(field->address, address);
    bool fits = result_add(buf, field->result, field->helo_identity) &&
                pair_add(buf, SLICE("client-ip="), slice_of(address, address_len)) &&
                pair_add(buf, SLICE("envelope-from="), field->sender) &&
                pair_add(buf, SLICE("helo="), field->helo) &&
                pair_add(buf, SLICE("receiver="), field->receiver);
    if (fits && field->mechanism.len)
        fits = pair_add(buf, SLICE("mechanism="), field->mechanism);
    if (fits && field->problem.len)
        fits = pair_add(buf, SLICE("problem="), field->problem);
    return fits && buf_add(buf, SLICE("\r\n"));
}
