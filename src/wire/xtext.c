#include "wire/param.h"

#include "base/text.h"

/*
 * xtext = *( xchar / hexchar )                  ; RFC 3461 section 4
 * xchar = %x21-2A / %x2C-3C / %x3E-7E           ; printable but "+" and "="
 * hexchar = "+" 2( DIGIT / "A"-"F" )            ; lower-case digits are tolerated
 */

static bool octet_is_xchar(char octet)
{
    return octet > 0x20 && octet < 0x7f && octet != '+' && octet != '=';
}

bool xtext_check(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (octet_is_xchar(text.at[i]))
            continue;
        if (text.at[i] != '+' || text.len - i < 3)
            return false;
        if (text_hex_digit(text.at[i + 1]) < 0 || text_hex_digit(text.at[i + 2]) < 0)
            return false;
        i += 2;
    }
    return true;
}

bool xtext_decode(struct slice text, struct arena *arena, struct slice *ret_plain)
{
    if (!xtext_check(text))
        return false;
    *ret_plain = text;
    if (slice_find(text, '+') == SLICE_NOT_FOUND)
        return true;
    char *plain = arena_take(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '+') {
            plain[len++] = text.at[i];
            continue;
        }
        plain[len++] = (char)(text_hex_digit(text.at[i + 1]) << 4 | text_hex_digit(text.at[i + 2]));
        i += 2;
    }
    *ret_plain = slice_of(plain, len);
    return true;
}

bool xtext_encode(struct buf *buf, struct slice plain)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;
    for (size_t i = 0; i < plain.len; i++)
        size += octet_is_xchar(plain.at[i]) ? 1 : 3;
    if (size == 0)
        return true;
    char *at = buf_room(buf, size);
    if (!at)
        return false;
    for (size_t i = 0; i < plain.len; i++) {
        unsigned char octet = (unsigned char)plain.at[i];
        if (octet_is_xchar(plain.at[i])) {
            *at++ = plain.at[i];
            continue;
        }
        *at++ = '+';
        *at++ = digits[octet >> 4];
        *at++ = digits[octet & 15];
    }
    buf_grow(buf, size);
    return true;
}
