#include "wire/received.h"

#include "wire/domain.h"

/* What servers write behind "from":
 *
 *   sendmail, Postfix  from HELO (NAME [ADDRESS]) by …      NAME may have "IDENT:user@" before it, and be
 *                                                           missing (sendmail) or "unknown" (Postfix);
 *                                                           "(may be forged)" may follow (sendmail)
 *   Exim               from NAME ([ADDRESS] helo=HELO) by …, from [ADDRESS] (helo=HELO) by …
 *   qmail              from NAME (HELO HELO) (user@ADDRESS) by …
 *   Microsoft, others  from HELO ([ADDRESS]) by …, from HELO [ADDRESS] by …, from (HELO) [ADDRESS] by …
 */

/* --- words ----------------------------------------------------------------------------------------------
 */

/* Octets up to the end of the comment that begins here, or of the whole. */
static size_t comment_size(struct slice rest)
{
    unsigned depth = 0;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == '\\')
            i++;
        else if (rest.at[i] == '(')
            depth++;
        else if (rest.at[i] == ')' && --depth == 0)
            return i + 1;
    }
    return rest.len;
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

static size_t word_size(struct slice rest)
{
    size_t size = 0;
    while (size < rest.len && !is_blank(rest.at[size]) && rest.at[size] != '(' && rest.at[size] != ';')
        size++;
    return size;
}

/* The next word, comment (with its brackets) or semicolon. */
static bool token_next(struct slice *rest, struct slice *ret_token)
{
    while (rest->len && is_blank(*rest->at))
        *rest = slice_from(*rest, 1);
    if (!rest->len)
        return false;
    size_t size = *rest->at == '(' ? comment_size(*rest) : *rest->at == ';' ? 1 : word_size(*rest);
    *ret_token = slice_head(*rest, size);
    *rest = slice_from(*rest, size);
    return true;
}

static bool is_comment(struct slice token)
{
    return token.len && *token.at == '(';
}

static struct slice comment_inside(struct slice comment)
{
    struct slice inside = slice_from(comment, 1);
    if (inside.len && inside.at[inside.len - 1] == ')')
        inside.len--;
    return inside;
}

static struct slice without(struct slice text, char first, char last)
{
    if (text.len >= 2 && *text.at == first && text.at[text.len - 1] == last)
        return slice_of(text.at + 1, text.len - 2);
    return text;
}

/* --- from -----------------------------------------------------------------------------------------------
 */

/* What stands behind "from", while it is read. */
struct source {
    struct slice word;  /* the first that is no comment */
    struct slice quiet; /* a comment that is nothing but a name */
    struct slice name;  /* in a comment, before the address */
    struct slice helo;  /* said to be that */
    struct address address;
    bool bracketed; /* as servers write what they have seen, and nobody his name */
    bool several;   /* another one is named */
    bool forged;
    bool unknown; /* the server says so */
};

/* "192.0.2.7", "[192.0.2.7]", "[IPv6:2001:db8::7]", "[192.0.2.7]:40000" */
static bool address_parse_any(struct slice word, struct address *ret_address)
{
    size_t end = slice_find(word, ']');
    struct slice inside = word;
    if (word.len && *word.at == '[' && end != SLICE_NOT_FOUND)
        inside = slice_of(word.at + 1, end - 1);
    if (slice_starts_fold(inside, SLICE("IPv6:")))
        inside = slice_from(inside, 5);
    return address_parse(inside, ret_address);
}

/* The first one counts, but for a name that looks like an address and has one in brackets behind it. */
static bool address_read(struct slice word, struct source *source)
{
    struct address address;
    const bool bracketed = word.len && *word.at == '[';
    if (!address_parse_any(word, &address))
        return false;
    if (source->address.family && (source->bracketed || !bracketed)) {
        source->several = source->several || !address_equal_host(&source->address, &address);
        return false;
    }
    source->address = address;
    source->bracketed = bracketed;
    return true;
}

/* Behind the user that ident or the like told. */
static struct slice without_user(struct slice word)
{
    size_t at = slice_find_last(word, '@');
    return at == SLICE_NOT_FOUND ? word : slice_from(word, at + 1);
}

static bool is_name(struct slice word)
{
    return slice_find(word, '.') != SLICE_NOT_FOUND && domain_check(word, false, NULL) == DOMAIN_DONE;
}

/* "NAME [ADDRESS]", "[ADDRESS] helo=HELO", "HELO HELO", "user@ADDRESS" */
static void comment_read(struct slice comment, struct source *source)
{
    struct slice rest = comment_inside(comment), word;
    bool helo_follows = false;
    while (token_next(&rest, &word)) {
        struct slice bare = without_user(word);
        if (is_comment(word))
            source->forged = source->forged || slice_starts_fold(word, SLICE("(may be forged"));
        else if (helo_follows || slice_starts_fold(word, SLICE("helo=")))
            source->helo = helo_follows ? word : slice_from(word, 5);
        else if (address_read(bare, source))
            ;
        else if (slice_equal(bare, SLICE("unknown")))
            source->unknown = true;
        else if (!source->name.len && !source->address.family && is_name(bare))
            source->name = bare;
        helo_follows = slice_equal(word, SLICE("HELO")) || slice_equal(word, SLICE("EHLO"));
    }
}

static void comment_take(struct slice comment, struct source *source)
{
    struct source look = *source;
    comment_read(comment, &look);
    bool of_this_one = !source->address.family && look.address.family;
    bool lone = !source->word.len && !look.address.family && !look.helo.len;
    /* Of comments without the address, only what they call by its name counts. */
    if (lone)
        source->quiet = comment_inside(comment);
    else if (of_this_one)
        *source = look;
    else if (!source->helo.len)
        source->helo = look.helo;
    if (look.several || (source->address.family && !address_equal_host(&look.address, &source->address)))
        source->several = true;
}

/* Where a comment says what HELO was, the word before it is the name, or the address, if there is no name. */
static void source_conclude(const struct source *source, struct received *received)
{
    struct slice word = source->word.len ? source->word : source->quiet;
    struct address alone;
    bool is_address = address_parse_any(word, &alone);
    received->address = source->address.family || !is_address ? source->address : alone;
    received->several = source->several;
    received->forged = source->forged;
    received->helo = source->helo;
    received->name = source->name;
    if (!source->helo.len && (source->address.family || !is_address))
        received->helo = word;
    else if (source->helo.len && !is_address)
        received->name = word;
    received->looked_up = received->name.len || source->unknown;
    if (slice_equal(received->name, SLICE("unknown")))
        received->name = SLICE_NONE;
}

static void source_take(struct slice token, struct source *source)
{
    if (is_comment(token))
        comment_take(token, source);
    else if (!source->word.len && !source->quiet.len)
        source->word = token;
    else
        address_read(token, source);
}

/* --- the rest -------------------------------------------------------------------------------------------
 */

enum clause { CLAUSE_NONE, CLAUSE_FROM, CLAUSE_BY, CLAUSE_WITH, CLAUSE_ID, CLAUSE_FOR, CLAUSE_OTHER };

static enum clause clause_of(struct slice word, enum clause before)
{
    static const struct {
        const char *word;
        enum clause clause;
    } words[] = {{"from", CLAUSE_FROM}, {"by", CLAUSE_BY},     {"with", CLAUSE_WITH},    {"id", CLAUSE_ID},
                 {"for", CLAUSE_FOR},   {"via", CLAUSE_OTHER}, {"sender:", CLAUSE_OTHER}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal_fold(word, slice_text(words[i].word)))
            return words[i].clause == CLAUSE_FROM && before == CLAUSE_FROM ? CLAUSE_NONE : words[i].clause;
    return CLAUSE_NONE;
}

static void first_word(struct slice *field, struct slice word)
{
    if (!field->len)
        *field = word;
}

/* Sendmail names its version, and always looks the client's name up. */
static bool is_sendmail(struct slice comment)
{
    return slice_starts(comment, SLICE("(8.")) && slice_find(comment, '/') != SLICE_NOT_FOUND;
}

static void clause_take(enum clause clause, struct slice token, struct received *received)
{
    if (is_comment(token)) {
        if (clause == CLAUSE_BY && is_sendmail(token))
            received->looked_up = true;
        return;
    }
    switch (clause) {
    case CLAUSE_BY: first_word(&received->by, token); return;
    case CLAUSE_WITH: first_word(&received->with, token); return;
    case CLAUSE_ID: first_word(&received->id, token); return;
    case CLAUSE_FOR: first_word(&received->recipient, without(token, '<', '>')); return;
    case CLAUSE_NONE:
    case CLAUSE_FROM:
    case CLAUSE_OTHER: return;
    }
}

bool received_parse(struct slice value, struct received *ret_received)
{
    struct source source = {.forged = false};
    struct slice rest = value, token;
    enum clause clause = CLAUSE_NONE;
    *ret_received = (struct received){.forged = false};
    while (token_next(&rest, &token)) {
        if (slice_equal(token, SLICE(";"))) {
            ret_received->date = slice_trim(rest);
            break;
        }
        enum clause next = clause_of(token, clause);
        if (next == CLAUSE_BY && clause == CLAUSE_FROM)
            source_conclude(&source, ret_received);
        if (next != CLAUSE_NONE)
            clause = next;
        else if (clause == CLAUSE_FROM)
            source_take(token, &source);
        else
            clause_take(clause, token, ret_received);
    }
    if (clause == CLAUSE_FROM)
        source_conclude(&source, ret_received);
    return ret_received->address.family || ret_received->by.len;
}
