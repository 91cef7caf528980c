#include "wire/alias.h"

/*
 * table  = *( skip / entry )
 * skip   = *blank [ "#" *octet ] LF
 * entry  = left *blank [ ":" right ] LF *( skip / 1*blank right LF )  ; a line that begins with a blank goes
 * on left   = side                            ; ends at ":", but not within "[…]" right  = *separator side *(
 * separator *separator side ) side   = 1*( quoted / octet )            ; no blanks outside quotes, no "," in
 * a right side quoted = DQUOTE *( octet / "\" octet ) DQUOTE                       ; on one line separator =
 * *blank ( "," / LF *skip ) *blank blank  = SP / HT / CR                    ; so that lines may end in CRLF
 *
 * In a mailbox table ":" and right may be missing, and right is one folder.
 */

static bool octet_is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static struct slice blanks_skip(struct slice s)
{
    while (s.len > 0 && octet_is_blank(s.at[0]))
        s = slice_from(s, 1);
    return s;
}

static bool line_is_skipped(struct slice text)
{
    struct slice rest = blanks_skip(text);
    return rest.len == 0 || rest.at[0] == '\n' || rest.at[0] == '#';
}

/* Takes one side off the front of *text. False: a quote is not closed on its line. */
static bool side_take(struct slice *text, char end, struct slice *ret_side)
{
    bool quoted = false, bracket = false;
    size_t i = 0;
    for (; i < text->len && text->at[i] != '\n'; i++) {
        char octet = text->at[i];
        if (octet == '"')
            quoted = !quoted;
        else if (quoted && octet == '\\' && i + 1 < text->len && text->at[i + 1] != '\n')
            i++;
        else if (!quoted && (octet == '[' || octet == ']'))
            bracket = octet == '[';
        else if (!quoted && (octet_is_blank(octet) || (octet == end && !bracket)))
            break;
    }
    *ret_side = slice_head(*text, i);
    *text = slice_from(*text, i);
    return !quoted;
}

/* Quotes round the whole are taken off; `"a b"@c` keeps its own. */
static struct slice quotes_off(struct slice side)
{
    if (side.len < 2 || side.at[0] != '"' || slice_find(slice_from(side, 1), '"') != side.len - 2)
        return side;
    return slice_of(side.at + 1, side.len - 2);
}

/* Goes to the next right side; false at the end. */
static bool target_find(struct slice *right)
{
    while (right->len > 0) {
        char octet = right->at[0];
        if (!octet_is_blank(octet) && octet != ',' && octet != '\n')
            return true;
        *right = slice_from(*right, 1);
        if (octet == '\n' && line_is_skipped(*right))
            *right = slice_from(*right, slice_find(*right, '\n'));
    }
    return false;
}

bool alias_target(struct slice *right, struct slice *ret_target)
{
    if (!target_find(right))
        return false;
    side_take(right, ',', ret_target);
    *ret_target = quotes_off(*ret_target);
    return true;
}

static const char *folder_check(struct slice folder)
{
    struct slice part, rest = folder;
    if (folder.len == 0 || folder.at[0] == '/')
        return "a folder is relative to the mail directory: it cannot begin with /";
    while (slice_cut(&rest, '/', &part))
        if (slice_equal(part, SLICE("..")) || slice_equal(part, SLICE(".")) || part.len == 0)
            return "a folder cannot hold . or .. or an empty part";
    return NULL;
}

static const char *target_check(struct slice target)
{
    if (target.len == 0)
        return "the right side is empty";
    if (target.at[0] == '|')
        return "commands are not supported: expected an address or a name";
    if (target.at[0] == '/')
        return "files are not supported: expected an address or a name";
    if (slice_starts_fold(target, SLICE(":include:")))
        return "includes are not supported: expected an address or a name";
    return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *right_check(struct slice right, enum alias_form form)
{
    struct slice side;
    unsigned count = 0;
    while (target_find(&right)) {
        if (!side_take(&right, ',', &side))
            return "a quote is not closed";
        side = quotes_off(side);
        const char *complaint = form == MAILBOX_TABLE ? folder_check(side) : target_check(side);
        if (complaint)
            return complaint;
        struct slice behind = blanks_skip(right);
        if (behind.len > 0 && behind.at[0] != ',' && behind.at[0] != '\n')
            return "expected a comma between two right sides, or quotes round one that holds blanks";
        if (++count > 1 && form == MAILBOX_TABLE)
            return "a mailbox has one folder";
    }
    return count > 0 ? NULL : "expected something behind the colon";
}

static const char *entry_parse(struct slice whole, enum alias_form form, struct alias_entry *entry)
{
    for (size_t i = 0; i < whole.len; i++)
        if (((unsigned char)whole.at[i] < 0x20 && !octet_is_blank(whole.at[i]) && whole.at[i] != '\n') ||
            whole.at[i] == 0x7f)
            return "a control octet stands here";
    if (octet_is_blank(whole.at[0]))
        return "this line continues the one before, but there is none";
    if (!side_take(&whole, ':', &entry->left))
        return "a quote is not closed";
    entry->left = quotes_off(entry->left);
    if (entry->left.len == 0)
        return "expected a name or an address before the colon";
    struct slice behind = blanks_skip(whole);
    if (behind.len > 0 && behind.at[0] == ':') {
        entry->right = slice_from(behind, 1);
        return right_check(entry->right, form);
    }
    if (form == ALIAS_TABLE || target_find(&behind))
        return "expected a colon behind the left side";
    return NULL;
}

/* Takes an entry and the lines that belong to it off the text. */
static struct slice entry_take(struct alias_reader *reader)
{
    struct slice whole = reader->rest;
    do {
        size_t end = slice_find(reader->rest, '\n');
        reader->rest = end == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(reader->rest, end + 1);
        reader->line++;
    } while (reader->rest.len > 0 && (octet_is_blank(reader->rest.at[0]) || line_is_skipped(reader->rest)));
    whole.len -= reader->rest.len;
    return whole;
}

void alias_init(struct alias_reader *reader, enum alias_form form, struct slice text)
{
    *reader = (struct alias_reader){.rest = text, .line = 1, .form = form};
}

enum alias_status alias_next(struct alias_reader *reader, struct alias_entry *ret_entry)
{
    *ret_entry = (struct alias_entry){.line = 0};
    while (reader->rest.len > 0 && line_is_skipped(reader->rest)) {
        size_t end = slice_find(reader->rest, '\n');
        reader->rest = end == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(reader->rest, end + 1);
        reader->line++;
    }
    if (reader->rest.len == 0)
        return ALIAS_END;
    ret_entry->line = reader->line;
    const char *complaint = entry_parse(entry_take(reader), reader->form, ret_entry);
    reader->complaint = slice_text(complaint);
    return complaint ? ALIAS_BAD : ALIAS_ENTRY;
}
