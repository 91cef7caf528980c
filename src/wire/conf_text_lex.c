#include "wire/conf_text_lex.h"

#include "base/text.h"

/*
 * text    = *( blank / token )
 * blank   = SP / HT / "\" end / comment     ; also a CR before LF
 * comment = "#" *octet                      ; up to the line's end, only where a word could begin
 * token   = word / string / "{" / "}" / "[" / "]" / "," / end
 * end     = LF / CRLF
 * word    = 1*( %x21-FF but SP " { } [ ] , ) / ip-word          ; well-formed UTF-8
 * ip-word = "[" *( HEXDIG / "." / ":" ) "]" [ word ]            ; with two colons or more inside
 * string  = DQUOTE *( octet / "\" ( DQUOTE / "\" / "n" ) ) DQUOTE   ; on one line, well-formed UTF-8
 */

void conf_lex_init(struct conf_lex *lex, struct slice text, struct arena *arena)
{
    *lex = (struct conf_lex){.text = text, .line = 1, .arena = arena};
    /* The byte order mark that some editors put in front. */
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        lex->at = lex->line_begin = 3;
}

static struct slice rest_of(const struct conf_lex *lex)
{
    return slice_from(lex->text, lex->at);
}

/* The length of a line end at the front: 0, 1 or 2. */
static size_t end_len(struct slice s)
{
    if (s.len > 0 && s.at[0] == '\n')
        return 1;
    return s.len > 1 && s.at[0] == '\r' && s.at[1] == '\n' ? 2 : 0;
}

static void line_next(struct conf_lex *lex, size_t len)
{
    lex->at += len;
    lex->line++;
    lex->line_begin = lex->at;
}

static void blanks_skip(struct conf_lex *lex)
{
    for (;;) {
        struct slice rest = rest_of(lex);
        size_t end = rest.len > 0 && rest.at[0] == '\\' ? end_len(slice_from(rest, 1)) : 0;
        if (end > 0)
            line_next(lex, 1 + end);
        else if (rest.len > 0 && (rest.at[0] == ' ' || rest.at[0] == '\t'))
            lex->at++;
        else if (rest.len > 0 && rest.at[0] == '#')
            while (lex->at < lex->text.len && lex->text.at[lex->at] != '\n')
                lex->at++;
        else
            return;
    }
}

/* "[2001:db8::1]" at the front: its length, or 0. */
static size_t ip_len(struct slice s)
{
    unsigned colons = 0;
    for (size_t i = 1; i < s.len; i++) {
        if (s.at[i] == ']')
            return colons >= 2 ? i + 1 : 0;
        if (text_hex_digit(s.at[i]) < 0 && s.at[i] != '.' && s.at[i] != ':')
            return 0;
        colons += s.at[i] == ':';
    }
    return 0;
}

static bool octet_is_word(char octet)
{
    switch (octet) {
    case '"':
    case '{':
    case '}':
    case '[':
    case ']':
    case ',': return false;
    default: return (unsigned char)octet > 0x20 && octet != 0x7f;
    }
}

static size_t word_len(struct slice s)
{
    size_t len = s.len > 0 && s.at[0] == '[' ? ip_len(s) : 0;
    while (len < s.len && octet_is_word(s.at[len])) {
        if (s.at[len] == '\\' && end_len(slice_from(s, len + 1)) > 0)
            break;
        len++;
    }
    return len;
}

static void mistake(struct conf_token *token, struct slice what)
{
    token->kind = CONF_MISTAKE;
    token->text = what;
}

static void word_take(struct conf_lex *lex, size_t len, struct conf_token *token)
{
    token->kind = CONF_WORD;
    token->text = slice_head(rest_of(lex), len);
    lex->at += len;
    if (!slice_is_utf8(token->text))
        mistake(token, SLICE("this word is no well-formed UTF-8"));
    else if (slice_equal(token->text, SLICE("\\")))
        mistake(token,
                SLICE("something stands behind the backslash: to continue a line it must be the last octet"));
}

/* Between the quotes, all escapes known to be good. */
static struct slice unescape(struct slice inner, struct arena *arena)
{
    if (slice_find(inner, '\\') == SLICE_NOT_FOUND)
        return inner;
    char *plain = arena_take(arena, inner.len);
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.at[i] == '\\' && inner.at[++i] == 'n')
            plain[len++] = '\n';
        else
            plain[len++] = inner.at[i];
    }
    return slice_of(plain, len);
}

/* The length up to the closing quote, from behind the opening one; the line's rest when there is none. */
static size_t string_len(struct slice s, bool *ret_closed, bool *ret_escapes)
{
    size_t i = 0;
    *ret_escapes = true;
    for (; i < s.len && s.at[i] != '"' && end_len(slice_from(s, i)) == 0; i++) {
        if (s.at[i] != '\\' || i + 1 == s.len || end_len(slice_from(s, i + 1)) > 0)
            continue;
        i++;
        *ret_escapes &= s.at[i] == '"' || s.at[i] == '\\' || s.at[i] == 'n';
    }
    *ret_closed = i < s.len && s.at[i] == '"';
    return i;
}

static bool holds_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.at[i] < 0x20 && s.at[i] != '\t') || s.at[i] == 0x7f)
            return true;
    return false;
}

/* A line that went wrong may still open a block: what stands in it must not be read as if it stood outside.
 */
static void keep_brace(struct conf_lex *lex)
{
    struct slice line = slice_of(lex->text.at + lex->line_begin, lex->at - lex->line_begin);
    line = slice_trim(line);
    if (line.len > 0 && line.at[line.len - 1] == '{')
        lex->at = (size_t)(line.at + line.len - 1 - lex->text.at);
}

static void string_take(struct conf_lex *lex, struct conf_token *token)
{
    bool closed, escapes;
    struct slice rest = slice_from(rest_of(lex), 1);
    struct slice inner = slice_head(rest, string_len(rest, &closed, &escapes));
    lex->at += 1 + inner.len + closed;
    token->kind = CONF_STRING;
    if (!closed) {
        mistake(token, SLICE("this quoted string is not closed on its line"));
        keep_brace(lex);
    } else if (!escapes) {
        mistake(token, SLICE("a quoted string knows \\\" and \\\\ and \\n, no other backslash"));
    } else if (holds_control(inner) || !slice_is_utf8(inner)) {
        mistake(token, SLICE("this quoted string holds a control octet or malformed UTF-8"));
    } else if (word_len(slice_from(rest, inner.len + 1)) > 0) {
        mistake(token, SLICE("expected a blank behind the closing quote"));
    } else {
        token->text = unescape(inner, lex->arena);
    }
}

static enum conf_token_kind sign_kind(char octet)
{
    switch (octet) {
    case '{': return CONF_BLOCK_OPEN;
    case '}': return CONF_BLOCK_CLOSE;
    case '[': return CONF_LIST_OPEN;
    case ']': return CONF_LIST_CLOSE;
    case ',': return CONF_COMMA;
    default: return CONF_MISTAKE;
    }
}

void conf_lex_next(struct conf_lex *lex, struct conf_token *ret_token)
{
    blanks_skip(lex);
    struct slice rest = rest_of(lex);
    *ret_token = (struct conf_token){.line = lex->line, .column = (unsigned)(lex->at - lex->line_begin) + 1};
    size_t end = end_len(rest), word = word_len(rest);
    if (rest.len == 0) {
        ret_token->kind = CONF_END;
    } else if (end > 0) {
        ret_token->kind = CONF_LINE_END;
        line_next(lex, end);
    } else if (word > 0) {
        word_take(lex, word, ret_token);
    } else if (rest.at[0] == '"') {
        string_take(lex, ret_token);
    } else {
        ret_token->kind = sign_kind(rest.at[0]);
        ret_token->text = SLICE("a control octet stands here");
        lex->at++;
    }
}
