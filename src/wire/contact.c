#include "wire/contact.h"

#include "base/text.h"
#include "wire/domain.h"
#include "wire/netstring.h"

#define LOCAL_MAX 64

static bool is_atom_octet(char octet)
{
    static const char marks[] = "!#$&'*+-/=?^_{|}~.";

    return text_is_alnum(octet) || (octet && strchr(marks, octet));
}

/* A dot-atom (RFC 5321 section 4.1.2). Percent signs and backquotes are left out: no abuse desk has them, and
 * some servers read more into them. */
static bool is_local(struct slice local)
{
    if (!local.len || local.len > LOCAL_MAX || local.at[0] == '.' || local.at[local.len - 1] == '.')
        return false;
    for (size_t i = 0; i < local.len; i++)
        if (!is_atom_octet(local.at[i]) || (local.at[i] == '.' && local.at[i - 1] == '.'))
            return false;
    return true;
}

bool contact_is_sound(struct slice address)
{
    const size_t at = slice_find(address, '@');
    struct domain_facts facts;

    if (at == SLICE_NOT_FOUND || address.len > CONTACT_SIZE_MAX || !is_local(slice_head(address, at)))
        return false;
    return domain_check(slice_from(address, at + 1), false, &facts) == DOMAIN_DONE && facts.dot &&
           !facts.dot_last && !facts.underscore && !facts.numeric;
}

/* False: there is no room for it. */
static bool contact_add(struct contacts *contacts, struct slice address)
{
    for (size_t i = 0; i < contacts->count; i++)
        if (slice_equal_fold(contacts->address[i], address))
            return true;
    if (contacts->count == CONTACTS_MAX)
        return false;
    contacts->address[contacts->count++] = address;
    return true;
}

/* --- the table ----------------------------------------------------------------------------------------- */

static bool as_parse(struct slice word, uint32_t *ret_as)
{
    uint64_t number;

    if (!slice_starts_fold(word, SLICE("AS")) || !text_parse_u64(slice_from(word, 2), &number) || !number ||
        number > UINT32_MAX)
        return false;
    *ret_as = (uint32_t)number;
    return true;
}

static struct slice without_comment(struct slice line)
{
    const size_t at = slice_find(line, '#');

    line = slice_head(line, at == SLICE_NOT_FOUND ? line.len : at);
    return line.len && line.at[line.len - 1] == '\r' ? slice_head(line, line.len - 1) : line;
}

static enum contact_line_status addresses_read(struct slice rest, struct contact_line *line)
{
    struct slice word;

    while (slice_word(&rest, &word)) {
        line->wrong_word = word;
        if (!contact_is_sound(word) || !contact_add(&line->to, word))
            return CONTACT_LINE_ADDRESS;
    }
    return line->to.count ? CONTACT_LINE_DONE : CONTACT_LINE_NOBODY;
}

enum contact_line_status contact_line_read(struct slice text, struct contact_line *ret_line)
{
    struct slice rest = without_comment(text), word;

    *ret_line = (struct contact_line){.as = 0};
    if (!slice_word(&rest, &word))
        return CONTACT_LINE_EMPTY;
    ret_line->wrong_word = word;
    if (!as_parse(word, &ret_line->as) && !prefix_parse(word, &ret_line->network))
        return CONTACT_LINE_WHOSE;
    if (slice_equal(slice_trim(rest), SLICE("-")))
        return CONTACT_LINE_DONE;
    return addresses_read(rest, ret_line);
}

/* How well a line fits: networks above all AS numbers, the longer above the shorter; 0: not at all. */
static unsigned fit_of(const struct contact_line *line, const struct address *address, const uint32_t *as,
                       size_t as_count)
{
    if (!line->as)
        return prefix_contains(&line->network, address) ? 1000u + line->network.bits : 0;
    for (size_t i = 0; i < as_count && i < 100; i++)
        if (as[i] == line->as)
            return 100u - (unsigned)i;
    return 0;
}

bool contact_table_find(struct slice table, const struct address *address, const uint32_t *as,
                        size_t as_count, struct contacts *ret_contacts)
{
    struct contact_line line;
    struct slice text;
    unsigned best = 0;

    while (slice_cut(&table, '\n', &text)) {
        if (contact_line_read(text, &line) != CONTACT_LINE_DONE)
            continue;
        const unsigned fit = fit_of(&line, address, as, as_count);
        if (fit > best) {
            best = fit;
            *ret_contacts = line.to;
        }
    }
    return best > 0;
}

/* --- a zone's answer ----------------------------------------------------------------------------------- */

static bool is_between(char octet)
{
    return octet == ' ' || octet == '\t' || octet == ',' || octet == ';';
}

static bool word_cut(struct slice *text, struct slice *ret_word)
{
    size_t end = 0;

    while (text->len && is_between(text->at[0]))
        *text = slice_from(*text, 1);
    while (end < text->len && !is_between(text->at[end]))
        end++;
    *ret_word = slice_head(*text, end);
    *text = slice_from(*text, end);
    return end > 0;
}

void contact_records_read(struct slice records, struct arena *arena, struct contacts *ret_contacts)
{
    struct slice record, word;

    *ret_contacts = (struct contacts){.count = 0};
    while (netstring_cut(&records, &record))
        while (word_cut(&record, &word)) {
            if (slice_starts_fold(word, SLICE("mailto:")))
                word = slice_from(word, 7);
            if (contact_is_sound(word) && !contact_add(ret_contacts, arena_copy(arena, word)))
                return;
        }
}
