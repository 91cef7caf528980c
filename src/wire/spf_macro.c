/* Macros in domains and explanations (RFC 7208 section 7). */
#include "wire/spf.h"

#include "base/text.h"

/*
 * domain-spec    = macro-string domain-end
 * domain-end     = ( "." toplabel [ "." ] ) / macro-expand
 * toplabel       = letters, digits and inner hyphens, not digits alone
 * explain-string = *( macro-string / SP )
 * macro-string   = *( macro-expand / macro-literal )
 * macro-expand   = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
 * macro-literal  = %x21-24 / %x26-7E
 * macro-letter   = "s" / "l" / "o" / "d" / "i" / "p" / "h" / "v" ; in an explain-string "c" / "r" / "t", too
 * transformers   = *DIGIT [ "r" ]            ; the number is not 0
 * delimiter      = "." / "-" / "+" / "," / "/" / "_" / "="
 */

enum piece_kind { PIECE_END, PIECE_TEXT, PIECE_MACRO, PIECE_BAD };

struct piece {
    struct slice text;       /* PIECE_TEXT: what it stands for */
    struct slice delimiters; /* PIECE_MACRO */
    unsigned parts;          /* to keep, from the right; 0: all */
    char letter;             /* lower case */
    bool escaped;            /* the letter was a capital */
    bool reverse;
};

static bool is_among(char octet, const char *set, size_t count)
{
    return memchr(set, octet, count) != NULL;
}

static bool letter_known(char letter, bool explanation)
{
    return is_among(letter, "slodiphv", 8) || (explanation && is_among(letter, "crt", 3));
}

/* `inner` is what stands between the braces. */
static enum piece_kind macro_read(struct slice inner, bool explanation, struct piece *ret_piece)
{
    size_t at = 1;
    if (!inner.len || !letter_known(text_lower(inner.at[0]), explanation))
        return PIECE_BAD;
    *ret_piece = (struct piece){.letter = text_lower(inner.at[0])};
    ret_piece->escaped = ret_piece->letter != inner.at[0];
    for (; at < inner.len && text_is_digit(inner.at[at]); at++)
        if (ret_piece->parts < 1000) /* more parts than any value has */
            ret_piece->parts = ret_piece->parts * 10 + (unsigned)(inner.at[at] - '0');
    if (at > 1 && !ret_piece->parts)
        return PIECE_BAD;
    if (at < inner.len && text_lower(inner.at[at]) == 'r') {
        ret_piece->reverse = true;
        at++;
    }
    ret_piece->delimiters = slice_from(inner, at);
    for (; at < inner.len; at++)
        if (!is_among(inner.at[at], ".-+,/_=", 7))
            return PIECE_BAD;
    return PIECE_MACRO;
}

static enum piece_kind percent_take(struct slice *text, bool explanation, struct piece *ret_piece)
{
    char next = text->len > 1 ? text->at[1] : '\0';
    if (next == '{') {
        size_t end = slice_find(*text, '}');
        if (end == SLICE_NOT_FOUND)
            return PIECE_BAD;
        struct slice inner = slice_of(text->at + 2, end - 2);
        *text = slice_from(*text, end + 1);
        return macro_read(inner, explanation, ret_piece);
    }
    *ret_piece = (struct piece){.text = next == '%'   ? SLICE("%")
                                        : next == '_' ? SLICE(" ")
                                        : next == '-' ? SLICE("%20")
                                                      : SLICE_NONE};
    *text = slice_from(*text, 2);
    return ret_piece->text.len ? PIECE_TEXT : PIECE_BAD;
}

static bool literal_octet(char octet, bool explanation)
{
    return (octet > 0x20 && octet < 0x7f && octet != '%') || (explanation && octet == ' ');
}

/* Takes the next piece off *text. */
static enum piece_kind piece_take(struct slice *text, bool explanation, struct piece *ret_piece)
{
    size_t at = 0;
    if (!text->len)
        return PIECE_END;
    if (text->at[0] == '%')
        return percent_take(text, explanation, ret_piece);
    while (at < text->len && literal_octet(text->at[at], explanation))
        at++;
    *ret_piece = (struct piece){.text = slice_head(*text, at)};
    *text = slice_from(*text, at);
    return at ? PIECE_TEXT : PIECE_BAD;
}

/* --- grammar ------------------------------------------------------------------------------------------- */

/* PIECE_END: the text is good. *ret_macro: its last piece was a macro-expand. */
static enum piece_kind pieces_skip(struct slice text, bool explanation, bool *ret_macro)
{
    struct piece piece;
    enum piece_kind kind;
    bool percent;
    *ret_macro = percent = false;
    do {
        *ret_macro = percent;
        percent = text.len && text.at[0] == '%';
        kind = piece_take(&text, explanation, &piece);
    } while (kind == PIECE_TEXT || kind == PIECE_MACRO);
    return kind;
}

static bool toplabel_is(struct slice label)
{
    bool digits = true;
    if (!label.len || label.at[0] == '-' || label.at[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!text_is_alnum(label.at[i]) && label.at[i] != '-')
            return false;
        digits &= text_is_digit(label.at[i]);
    }
    return !digits;
}

bool spf_macro_string_is(struct slice text)
{
    bool macro;
    return pieces_skip(text, false, &macro) == PIECE_END;
}

bool spf_domain_spec_is(struct slice text)
{
    bool macro;
    if (!text.len || pieces_skip(text, false, &macro) != PIECE_END)
        return false;
    if (macro)
        return true;
    if (text.at[text.len - 1] == '.')
        text.len--;
    size_t dot = slice_find_last(text, '.');
    return dot != SLICE_NOT_FOUND && toplabel_is(slice_from(text, dot + 1));
}

bool spf_macros_have(struct slice text, char letter, bool explanation)
{
    struct piece piece;
    enum piece_kind kind;
    while ((kind = piece_take(&text, explanation, &piece)) == PIECE_TEXT || kind == PIECE_MACRO)
        if (kind == PIECE_MACRO && piece.letter == letter)
            return true;
    return false;
}

/* --- expansion ----------------------------------------------------------------------------------------- */

/* Where an expansion goes. What does not fit is left out at the end, or (last) pushes out what came first. */
struct output {
    char *at;
    size_t len, size;
    bool last;
};

static void output_add(struct output *output, struct slice s)
{
    if (output->last && s.len > output->size / 2)
        s = slice_from(s, s.len - output->size / 2);
    if (output->last && s.len > output->size - output->len) {
        size_t kept = output->size / 2;
        memmove(output->at, output->at + output->len - kept, kept);
        output->len = kept;
    }
    s = slice_head(s, output->size - output->len);
    if (s.len)
        memcpy(output->at + output->len, s.at, s.len);
    output->len += s.len;
}

static void output_escaped(struct output *output, struct slice s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char octet = (unsigned char)s.at[i];
        char code[3] = {'%', digits[octet >> 4], digits[octet & 15]};
        bool plain = text_is_alnum(s.at[i]) || is_among(s.at[i], "-._~", 4);
        output_add(output, plain ? slice_of(s.at + i, 1) : slice_of(code, 3));
    }
}

#define VALUE_SIZE 512u

/* The nibbles of an IPv6 address, with dots between them. */
static size_t nibbles_print(const struct address *address, char text[VALUE_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < 16; i++) {
        text[4 * i] = digits[address->octets[i] >> 4];
        text[4 * i + 2] = digits[address->octets[i] & 15];
        text[4 * i + 1] = text[4 * i + 3] = '.';
    }
    return 63;
}

static struct slice sender_join(const struct spf_values *values, char room[VALUE_SIZE])
{
    struct output output = {.at = room, .size = VALUE_SIZE};
    output_add(&output, values->local);
    output_add(&output, SLICE("@"));
    output_add(&output, values->origin);
    return slice_of(room, output.len);
}

static struct slice value_of(char letter, const struct spf_values *values, char room[VALUE_SIZE])
{
    bool six = values->address->family == ADDRESS_IPV6;
    switch (letter) {
    case 's': return sender_join(values, room);
    case 'l': return values->local;
    case 'o': return values->origin;
    case 'd': return values->domain;
    case 'p': return values->name;
    case 'h': return values->helo;
    case 'r': return values->receiver;
    case 'v': return six ? SLICE("ip6") : SLICE("in-addr");
    case 't': return slice_of(room, text_print_u64(values->unix_seconds, room));
    case 'c': return slice_of(room, address_print(values->address, room));
    default: break;
    }
    return slice_of(room, six ? nibbles_print(values->address, room) : address_print(values->address, room));
}

/* The part at the end of *s (last) or at its start, taken off with its delimiter. */
static struct slice part_take(struct slice *s, struct slice delimiters, bool last)
{
    size_t at = last ? s->len : 0;
    struct slice part;
    if (last) {
        while (at > 0 && slice_find(delimiters, s->at[at - 1]) == SLICE_NOT_FOUND)
            at--;
        part = slice_from(*s, at);
        *s = slice_head(*s, at ? at - 1 : 0);
        return part;
    }
    while (at < s->len && slice_find(delimiters, s->at[at]) == SLICE_NOT_FOUND)
        at++;
    part = slice_head(*s, at);
    *s = slice_from(*s, at + 1);
    return part;
}

static size_t parts_count(struct slice s, struct slice delimiters)
{
    size_t count = 1;
    for (size_t i = 0; i < s.len; i++)
        count += slice_find(delimiters, s.at[i]) != SLICE_NOT_FOUND;
    return count;
}

/* Section 7.3: the value is split, perhaps turned round, the last parts are kept and joined by dots. Turned
 * round, the last parts are the first ones of the value, so that no list is needed. */
static void macro_transform(const struct piece *piece, struct slice value, struct output *output)
{
    struct slice delimiters = piece->delimiters.len ? piece->delimiters : SLICE(".");
    size_t count = parts_count(value, delimiters);
    size_t kept = piece->parts && piece->parts < count ? piece->parts : count;
    for (size_t i = kept; i < count; i++)
        (void)part_take(&value, delimiters, piece->reverse);
    for (size_t i = 0; i < kept; i++) {
        struct slice part = part_take(&value, delimiters, piece->reverse);
        if (i)
            output_add(output, SLICE("."));
        if (piece->escaped)
            output_escaped(output, part);
        else
            output_add(output, part);
    }
}

static enum piece_kind expand(struct slice text, bool explanation, const struct spf_values *values,
                              struct output *output)
{
    char room[VALUE_SIZE];
    struct piece piece;
    enum piece_kind kind;
    while ((kind = piece_take(&text, explanation, &piece)) == PIECE_TEXT || kind == PIECE_MACRO) {
        if (kind == PIECE_TEXT)
            output_add(output, piece.text);
        else
            macro_transform(&piece, value_of(piece.letter, values, room), output);
    }
    return kind;
}

/* --- names --------------------------------------------------------------------------------------------- */

/* An octet that the text of a name can carry to a resolver: a backslash would begin an escape there. */
static bool octet_askable(char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '\\';
}

/* Copies the name in lower case; false: it is none. */
static bool labels_copy(struct slice text, char *ret_name)
{
    size_t label = 0;
    for (size_t i = 0; i < text.len; i++) {
        char octet = text.at[i];
        if (octet == '.' && !label)
            return false;
        label = octet == '.' ? 0 : label + 1;
        if (label > 63 || !octet_askable(octet))
            return false;
        ret_name[i] = octet >= 'A' && octet <= 'Z' ? (char)(octet | 0x20) : octet;
    }
    return label > 0;
}

bool spf_name_make(struct slice text, char *ret_name, size_t *ret_len)
{
    if (text.len && text.at[text.len - 1] == '.')
        text.len--;
    while (text.len > SPF_NAME_MAX) {
        size_t dot = slice_find(text, '.');
        if (dot == SLICE_NOT_FOUND)
            return false;
        text = slice_from(text, dot + 1);
    }
    *ret_len = text.len;
    return labels_copy(text, ret_name);
}

bool spf_name_expand(struct slice spec, const struct spf_values *values, char *ret_name, size_t *ret_len)
{
    char room[1024];
    struct output output = {.at = room, .size = sizeof room, .last = true};
    return expand(spec, false, values, &output) == PIECE_END &&
           spf_name_make(slice_of(room, output.len), ret_name, ret_len);
}

bool spf_explanation_expand(struct slice text, const struct spf_values *values, char *ret_text, size_t size,
                            size_t *ret_len)
{
    struct output output = {.at = ret_text, .size = size};
    if (expand(text, true, values, &output) != PIECE_END)
        return false;
    for (size_t i = 0; i < output.len; i++)
        if (ret_text[i] < 0x20 || ret_text[i] > 0x7e)
            ret_text[i] = '?';
    *ret_len = output.len;
    return true;
}
