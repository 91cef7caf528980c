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

static bool octet_is_atext(char octet)
{
    return text_is_alnum(octet) || (octet && memchr("!#$%&'*+-/=?^_`{|}~", octet, 19));
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

static bool quoted_add(struct buf *buf, struct slice value)
{
    bool utf8 = slice_is_utf8(value), fits = buf_add_octet(buf, '"');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char octet = (unsigned char)value.at[i];
        bool plain = octet >= 0x80 ? utf8 : octet >= 0x20 && octet != 0x7f;
        if (octet == '"' || octet == '\\')
            fits &= buf_add_octet(buf, '\\');
        fits &= buf_add_octet(buf, plain ? value.at[i] : '?');
    }
    return buf_add_octet(buf, '"') && fits;
}

static bool pair_add(struct buf *buf, const char *key, struct slice value)
{
    value = slice_head(value, VALUE_MAX);
    if (!buf_add_format(buf, ";\r\n\t%s=", key))
        return false;
    return is_dot_atom(value) ? buf_add(buf, value) : quoted_add(buf, value);
}

bool spf_field_add(struct buf *buf, const struct spf_field *field)
{
    char address[ADDRESS_TEXT_SIZE];
    size_t address_len = address_print(field->address, address);
    bool fits = buf_add_format(buf, "Received-SPF: %s (%s)\r\n\tidentity=%s", spf_result_word(field->result),
                               comments[field->result], field->helo_identity ? "helo" : "mailfrom") &&
                pair_add(buf, "client-ip", slice_of(address, address_len)) &&
                pair_add(buf, "envelope-from", field->sender) && pair_add(buf, "helo", field->helo) &&
                pair_add(buf, "receiver", field->receiver);
    if (fits && field->mechanism.len)
        fits = pair_add(buf, "mechanism", field->mechanism);
    if (fits && field->problem.len)
        fits = pair_add(buf, "problem", field->problem);
    return fits && buf_add(buf, SLICE("\r\n"));
}
