#include "wire/message_id.h"

#include "base/text.h"

#include <string.h>

/*
 * default = "<" 1*octet "@" 1*octet ">"          ; octet: no blank, control octet, "@", "<" or ">"
 * seed    = "<" 1*word "@" 1*word ">"            ; word: ALPHA / DIGIT / "_"
 * strict  = [CFWS] "<" dot-atom "@" ( dot-atom / "[" *dtext "]" ) ">" [CFWS]
 * dot-atom = 1*atext *( "." 1*atext )
 * dtext   = %x21-5A / %x5E-7E / U8               ; U8: octets of well-formed UTF-8
 * CFWS    = *( SP / HT / comment )
 * comment = "(" *( ctext / "\" octet / comment ) ")"
 */

static bool octet_is_atext(char octet)
{
    return text_is_alnum(octet) || (unsigned char)octet > 127 ||
           (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", octet) != NULL);
}

static bool octet_is_word(char octet)
{
    return text_is_alnum(octet) || octet == '_';
}

static bool octet_is_plain(char octet)
{
    return (unsigned char)octet > 0x20 && octet != 0x7f && octet != '@' && octet != '<' && octet != '>';
}

static bool all(struct slice s, bool (*is)(char octet))
{
    for (size_t i = 0; i < s.len; i++)
        if (!is(s.at[i]))
            return false;
    return s.len > 0;
}

static bool is_dot_atom(struct slice s)
{
    struct slice atom;
    if (s.len == 0 || s.at[s.len - 1] == '.')
        return false;
    while (slice_cut(&s, '.', &atom))
        if (!all(atom, octet_is_atext))
            return false;
    return true;
}

static bool is_literal(struct slice s)
{
    if (s.len < 2 || s.at[0] != '[' || s.at[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++)
        if ((unsigned char)s.at[i] <= 0x20 || s.at[i] == 0x7f || (s.at[i] >= '[' && s.at[i] <= ']'))
            return false;
    return true;
}

/* Takes blanks and comments off the front; false: a comment is not closed. */
static bool comments_take(struct slice *s)
{
    unsigned depth = 0;
    size_t i = 0;
    for (; i < s->len; i++) {
        char octet = s->at[i];
        if (octet == '(')
            depth++;
        else if (depth > 0 && octet == ')')
            depth--;
        else if (depth > 0 && octet == '\\')
            i++;
        else if (depth == 0 && octet != ' ' && octet != '\t')
            break;
    }
    *s = slice_from(*s, i);
    return depth == 0;
}

/* What stands between brackets that are the whole of the value. */
static bool brackets_take(struct slice value, struct slice *ret_left, struct slice *ret_right)
{
    if (value.len < 2 || value.at[0] != '<' || value.at[value.len - 1] != '>')
        return false;
    *ret_right = slice_of(value.at + 1, value.len - 2);
    return slice_find(*ret_right, '@') != SLICE_NOT_FOUND && slice_cut(ret_right, '@', ret_left);
}

static bool check_strict(struct slice value)
{
    struct slice left, right;
    if (!slice_is_utf8(value) || !comments_take(&value))
        return false;
    size_t end = slice_find(value, '>');
    if (end == SLICE_NOT_FOUND)
        return false;
    struct slice behind = slice_from(value, end + 1);
    if (!comments_take(&behind) || behind.len > 0 ||
        !brackets_take(slice_head(value, end + 1), &left, &right))
        return false;
    return is_dot_atom(left) && (is_dot_atom(right) || is_literal(right));
}

bool message_id_check(struct slice value, enum message_id_grammar grammar)
{
    struct slice left, right;
    value = slice_trim(value);
    if (grammar == MESSAGE_ID_STRICT)
        return check_strict(value);
    if (!brackets_take(value, &left, &right))
        return false;
    bool (*is)(char octet) = grammar == MESSAGE_ID_SEED ? octet_is_word : octet_is_plain;
    return all(left, is) && all(right, is);
}
