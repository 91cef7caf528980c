#include "wire/path.h"

#include "base/text.h"
#include "wire/domain.h"

#include <string.h>

/*
 * argument  = ( "FROM" / "TO" ) *blank ":" *blank ( path / mailbox ) *( blank parameters )
 *                                               ; blanks and a mailbox without brackets are tolerated
 * path      = "<" *blank [ [ route ] mailbox ] *blank ">"
 * route     = "@" domain *( "," "@" domain ) ":"
 * mailbox   = local [ "@" ( domain / literal ) ]
 * local     = dot-string / quoted
 * dot-string = 1*( atext / "." )                ; dots anywhere are tolerated and flagged
 * quoted    = DQUOTE *( qtext / "\" %x20-7E ) DQUOTE
 * qtext     = %x20-21 / %x23-5B / %x5D-7E / U8  ; U8: octets of well-formed UTF-8 (RFC 6531)
 * atext     = ALPHA / DIGIT / U8 / any of !#$%&'*+-/=?^_`{|}~
 */

static bool octet_is_atext(char octet)
{
    return text_is_alnum(octet) || (unsigned char)octet > 127 ||
           (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", octet) != NULL);
}

static bool octet_is_control(char octet)
{
    unsigned char o = (unsigned char)octet;
    return o < 0x20 || o == 0x7f;
}

/* Octets that may stand nowhere in a path; sets path->utf8. */
static enum path_status octets_check(struct slice text, struct path *path)
{
    for (size_t i = 0; i < text.len; i++) {
        if (octet_is_control(text.at[i]))
            return PATH_OCTET;
        path->utf8 |= (unsigned char)text.at[i] > 127;
    }
    return path->utf8 && !slice_is_utf8(text) ? PATH_UTF8 : PATH_DONE;
}

/* Index of the first `end` outside a quoted string, or SLICE_NOT_FOUND. A blank as `end` means SP or HT. */
static size_t find_outside_quotes(struct slice text, char end)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char octet = text.at[i];
        if (quoted && octet == '\\')
            i++;
        else if (octet == '"')
            quoted = !quoted;
        else if (!quoted && (octet == end || (end == ' ' && octet == '\t')))
            return i;
    }
    return SLICE_NOT_FOUND;
}

/* The length of the quoted string at the front, quotes included; 0: none, or it does not end. */
static size_t quoted_len(struct slice text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] == '\\')
            i++;
        else if (text.at[i] == '"')
            return i + 1;
    }
    return 0;
}

static enum path_status quoted_parse(struct arena *arena, struct path *path)
{
    struct slice inner = slice_of(path->local.at + 1, path->local.len - 2);
    path->quoted = true;
    path->local_plain = inner;
    if (slice_find(inner, '\\') == SLICE_NOT_FOUND)
        return PATH_DONE;
    char *plain = arena_take(arena, inner.len);
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.at[i] == '\\' && (++i == inner.len || (unsigned char)inner.at[i] > 126))
            return PATH_LOCAL;
        plain[len++] = inner.at[i];
    }
    path->local_plain = slice_of(plain, len);
    return PATH_DONE;
}

static enum path_status dot_string_parse(struct path *path)
{
    struct slice local = path->local;
    path->local_plain = local;
    if (local.len == 0)
        return PATH_LOCAL;
    path->dots = local.at[0] == '.' || local.at[local.len - 1] == '.';
    for (size_t i = 0; i < local.len; i++) {
        if (local.at[i] == '.')
            path->dots |= i > 0 && local.at[i - 1] == '.';
        else if (!octet_is_atext(local.at[i]))
            return PATH_LOCAL;
    }
    return PATH_DONE;
}

static enum path_status local_parse(struct arena *arena, struct path *path)
{
    if (path->local.len > PATH_LOCAL_MAX)
        return PATH_LONG;
    bool quoted = path->local.len > 0 && path->local.at[0] == '"';
    enum path_status status = quoted ? quoted_parse(arena, path) : dot_string_parse(path);
    if (status != PATH_DONE)
        return status;
    path->percent = slice_find(path->local_plain, '%') != SLICE_NOT_FOUND;
    path->bang = slice_find(path->local_plain, '!') != SLICE_NOT_FOUND;
    path->at = slice_find(path->local_plain, '@') != SLICE_NOT_FOUND;
    return PATH_DONE;
}

static enum path_status domain_parse(struct path *path)
{
    struct domain_facts facts;
    if (path->domain.len > DOMAIN_SIZE_MAX)
        return PATH_LONG;
    if (path->domain.len > 0 && path->domain.at[0] == '[') {
        path->literal = true;
        return domain_literal_parse(path->domain, &path->literal_address, NULL) ? PATH_DONE : PATH_LITERAL;
    }
    if (domain_check(path->domain, true, &facts) != DOMAIN_DONE || facts.dot_last)
        return PATH_DOMAIN;
    path->underscore = facts.underscore;
    return PATH_DONE;
}

/* path->mailbox is set; takes it apart. */
static enum path_status mailbox_parse(struct arena *arena, struct path *path)
{
    struct slice mailbox = path->mailbox;
    bool quoted = mailbox.len > 0 && mailbox.at[0] == '"';
    size_t at = quoted ? quoted_len(mailbox) : slice_find(mailbox, '@');
    if (quoted && (at == 0 || (at < mailbox.len && mailbox.at[at] != '@')))
        return PATH_LOCAL;
    bool alone = at == SLICE_NOT_FOUND || at == mailbox.len;
    path->local = alone ? mailbox : slice_head(mailbox, at);
    path->domain = alone ? SLICE_NONE : slice_from(mailbox, at + 1);
    enum path_status status = local_parse(arena, path);
    if (status == PATH_DONE)
        status = alone ? PATH_NO_DOMAIN : domain_parse(path);
    if (status == PATH_DONE && mailbox.len > PATH_SIZE_MAX - 2)
        return PATH_LONG;
    return status;
}

/* Takes `@a,@b:` off the front of *mailbox. */
static enum path_status route_parse(struct slice *mailbox, struct path *path)
{
    size_t colon = slice_find(*mailbox, ':');
    if (colon == SLICE_NOT_FOUND)
        return PATH_SYNTAX;
    struct slice route = slice_head(*mailbox, colon), hop;
    path->source_route = true;
    *mailbox = slice_from(*mailbox, colon + 1);
    /* A comma at the end would be an empty hop that slice_cut does not give. */
    if (route.at[route.len - 1] == ',')
        return PATH_SYNTAX;
    while (slice_cut(&route, ',', &hop))
        if (hop.len < 2 || hop.at[0] != '@' || domain_check(slice_from(hop, 1), true, NULL) != DOMAIN_DONE)
            return PATH_SYNTAX;
    return PATH_DONE;
}

/* Splits `keyword : path rest`; sets whole, unbracketed, extra_space. */
static enum path_status argument_split(struct slice argument, struct slice keyword, struct path *path,
                                       struct slice *rest)
{
    if (!slice_starts_fold(argument, keyword))
        return PATH_KEYWORD;
    struct slice text = slice_trim(slice_from(argument, keyword.len));
    if (text.len == 0 || text.at[0] != ':')
        return PATH_KEYWORD;
    struct slice path_on = slice_trim(slice_from(text, 1));
    if (path_on.len == 0)
        return PATH_EMPTY;
    path->extra_space = path_on.at != argument.at + keyword.len + 1;
    path->unbracketed = path_on.at[0] != '<';
    size_t end = find_outside_quotes(path_on, path->unbracketed ? ' ' : '>');
    if (end == SLICE_NOT_FOUND && !path->unbracketed)
        return PATH_SYNTAX;
    path->whole = slice_head(path_on, end);
    struct slice behind = slice_from(path_on, path->whole.len);
    if (!path->unbracketed) {
        path->whole = slice_from(path->whole, 1);
        behind = slice_from(behind, 1);
        if (behind.len > 0 && behind.at[0] != ' ' && behind.at[0] != '\t')
            return PATH_SYNTAX;
    }
    *rest = slice_trim(behind);
    return PATH_DONE;
}

static enum path_status whole_parse(struct arena *arena, struct path *path)
{
    struct slice inner = slice_trim(path->whole);
    path->extra_space |= inner.len != path->whole.len;
    path->whole = inner;
    path->mailbox = inner;
    enum path_status status = octets_check(inner, path);
    if (status != PATH_DONE || inner.len == 0)
        return status;
    if (inner.at[0] == '@')
        status = route_parse(&path->mailbox, path);
    return status == PATH_DONE ? mailbox_parse(arena, path) : status;
}

enum path_status path_parse_reverse(struct slice argument, struct arena *arena, struct path *ret_path,
                                    struct slice *ret_parameters)
{
    *ret_path = (struct path){.whole = SLICE_NONE};
    *ret_parameters = SLICE_NONE;
    enum path_status status = argument_split(argument, SLICE("FROM"), ret_path, ret_parameters);
    if (status == PATH_DONE)
        status = whole_parse(arena, ret_path);
    ret_path->null = status == PATH_DONE && ret_path->whole.len == 0;
    return status;
}

enum path_status path_parse_forward(struct slice argument, struct arena *arena, struct path *ret_path,
                                    struct slice *ret_parameters)
{
    *ret_path = (struct path){.whole = SLICE_NONE};
    *ret_parameters = SLICE_NONE;
    enum path_status status = argument_split(argument, SLICE("TO"), ret_path, ret_parameters);
    if (status == PATH_DONE)
        status = whole_parse(arena, ret_path);
    if (status == PATH_DONE && ret_path->whole.len == 0)
        return PATH_EMPTY;
    /* RFC 5321 section 4.5.1: the one name that stands without a domain. */
    if (status == PATH_NO_DOMAIN && slice_equal_fold(ret_path->local_plain, SLICE("postmaster"))) {
        ret_path->postmaster = true;
        return PATH_DONE;
    }
    return status;
}

enum path_status path_parse_mailbox(struct slice text, struct arena *arena, struct path *ret_path)
{
    *ret_path = (struct path){.whole = text, .mailbox = text};
    if (text.len == 0)
        return PATH_EMPTY;
    enum path_status status = octets_check(text, ret_path);
    return status == PATH_DONE ? mailbox_parse(arena, ret_path) : status;
}

struct slice path_status_name(enum path_status status)
{
    static const char *const names[PATH_STATUS_COUNT] = {
        [PATH_DONE] = "done",     [PATH_KEYWORD] = "keyword", [PATH_EMPTY] = "empty",
        [PATH_SYNTAX] = "syntax", [PATH_LOCAL] = "local",     [PATH_NO_DOMAIN] = "no-domain",
        [PATH_DOMAIN] = "domain", [PATH_LITERAL] = "literal", [PATH_LONG] = "long",
        [PATH_OCTET] = "octet",   [PATH_UTF8] = "utf8",
    };
    return slice_text(names[status]);
}
