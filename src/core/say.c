#include "core/say.h"

#include "base/text.h"
#include "core/event.h"
#include "wire/plain.h"

#include <assert.h>
#include <string.h>

#define ARGUMENT_MAX  512u
#define TEXT_MAX      2560u /* of a reply without its codes; the tail and the policy URL have their room in it */
#define URL_MAX       512u
#define TAIL_MAX      32u
#define LINES_MAX     64u
#define LINE_MAX      512u /* with its CRLF: RFC 5321 section 4.5.3.1.5 */
#define CODE_SIZE     4u   /* "250-" */
#define ENHANCED_SIZE 10u  /* "4.123.123 " */

_Static_assert(TEXT_MAX + LINES_MAX * (CODE_SIZE + ENHANCED_SIZE + 2) <= SAY_SIZE_MAX, "a reply must fit");

static const struct say_info infos[SAY_LIMIT] = {
#define SAY(name, number, code, enhanced, text, cause, remedy)                                               \
    [number] = {#name, enhanced, text, cause, remedy, number, code},
#include "core/say.def"
#undef SAY
};

const struct say_info *say_info(unsigned number)
{
    return number < SAY_LIMIT && infos[number].name ? &infos[number] : NULL;
}

/* --- the text ------------------------------------------------------------------------------------------ */

struct draft {
    char text[TEXT_MAX];
    size_t len;
    size_t limit; /* what may be filled now; the rest is kept free for what must stand at the end */
};

static void draft_begin(struct draft *draft)
{
    draft->len = 0;
    draft->limit = TEXT_MAX - URL_MAX - TAIL_MAX;
}

static bool draft_add(struct draft *draft, struct slice s)
{
    if (s.len == 0)
        return true;
    if (s.len > draft->limit - draft->len)
        return false;
    memcpy(draft->text + draft->len, s.at, s.len);
    draft->len += s.len;
    return true;
}

/* Whether the sequence at the front of s is a control: C0, DEL, or C1 as UTF-8 writes it. */
static bool is_control(struct slice s, size_t size)
{
    const unsigned char first = (unsigned char)s.at[0];

    return first < 0x20 || first == 0x7f || (size == 2 && first == 0xc2 && (unsigned char)s.at[1] < 0xa0);
}

/* Adds an argument with all that could end a line, steer a terminal or break UTF-8 as '?'. `own` text may
 * begin new lines and is not cut. */
static void draft_add_argument(struct draft *draft, struct slice argument, bool own)
{
    struct slice rest = own ? argument : slice_head(argument, ARGUMENT_MAX);

    while (rest.len) {
        size_t plain = plain_len(rest);
        while (plain < rest.len && rest.at[plain] >= ' ' && rest.at[plain] < 0x7f)
            plain++;
        if (!draft_add(draft, slice_head(rest, plain)))
            return;
        rest = slice_from(rest, plain);
        if (!rest.len)
            return;
        const size_t size = slice_utf8_size(rest);
        const bool keep = size > 0 && (!is_control(rest, size) || (own && rest.at[0] == '\n'));

        if (!draft_add(draft, keep ? slice_head(rest, size) : SLICE("?")))
            return;
        rest = slice_from(rest, size ? size : 1);
    }
}

/* Blanks and line ends that an empty argument left behind. */
static void draft_trim(struct draft *draft)
{
    while (draft->len && (draft->text[draft->len - 1] == ' ' || draft->text[draft->len - 1] == '\n'))
        draft->len--;
}

static void draft_fill(struct draft *draft, const char *text, const struct slice *arguments, size_t count)
{
    struct slice rest = slice_text(text);

    while (rest.len) {
        const size_t plain = slice_find(rest, '{');
        (void)draft_add(draft, slice_head(rest, plain));
        rest = slice_from(rest, plain);
        if (!rest.len)
            break;
        const bool own = slice_starts(rest, SLICE("{+}"));
        assert(count > 0);
        draft_add_argument(draft, *arguments++, own);
        count--;
        rest = slice_from(rest, own ? 3 : 2);
    }
    draft_trim(draft);
}

/* Puts s at the end of the first line: EHLO's further lines are keywords and must stay alone. */
static void draft_insert_first(struct draft *draft, struct slice s)
{
    const size_t at = slice_find(slice_of(draft->text, draft->len), '\n');

    if (at == SLICE_NOT_FOUND) {
        (void)draft_add(draft, s);
        return;
    }
    if (s.len > draft->limit - draft->len)
        return;
    memmove(draft->text + at + s.len, draft->text + at, draft->len - at);
    memcpy(draft->text + at, s.at, s.len);
    draft->len += s.len;
}

static char *copy(char *at, struct slice s)
{
    if (s.len)
        memcpy(at, s.at, s.len);
    return at + s.len;
}

/* " #81 (0123456789abc)" */
static struct slice tail_print(const struct say_info *info, uint64_t session, char text[TAIL_MAX])
{
    char number[TEXT_UNIT_SIZE];
    char id[EVENT_ID_SIZE];
    char *at = text;

    const size_t number_len = text_print_u64(info->number, number);
    event_id_print(session, id);
    at = copy(at, SLICE(" #"));
    at = copy(at, slice_of(number, number_len));
    at = copy(at, SLICE(" ("));
    at = copy(at, slice_of(id, EVENT_ID_SIZE - 1));
    at = copy(at, SLICE(")"));
    return slice_of(text, (size_t)(at - text));
}

static void draft_add_url(struct draft *draft, const struct say_info *info, struct slice url)
{
    char digits[TEXT_UNIT_SIZE];
    const size_t at = slice_find_slice(url, SLICE(SAY_URL_NUMBER));

    (void)draft_add(draft, SLICE("\nsee "));
    draft_add_argument(draft, slice_head(url, at), false);
    if (at == SLICE_NOT_FOUND)
        return;
    (void)draft_add(draft, slice_of(digits, text_print_u64(info->number, digits)));
    draft_add_argument(draft, slice_from(url, at + sizeof SAY_URL_NUMBER - 1), false);
}

static void draft_end(struct draft *draft, const struct say_info *info, const struct say_tail *tail)
{
    const bool negative = info->code >= 400;
    char text[TAIL_MAX];

    draft->limit = TEXT_MAX - TAIL_MAX;
    if (tail && tail->url.len && (info->code >= 500 || (negative && tail->url_in_4yz)))
        draft_add_url(draft, info, tail->url);
    draft->limit = TEXT_MAX;
    if (!tail || (!tail->wanted && !negative))
        return;
    const struct slice number = tail_print(info, tail->session, text);
    if (negative)
        (void)draft_add(draft, number);
    else
        draft_insert_first(draft, number);
}

/* --- the lines ----------------------------------------------------------------------------------------- */

/* How much of the line goes into one reply line of at most `most` octets: up to the last blank in it, else as
 * many whole characters as fit. */
static size_t line_break(struct slice line, size_t most)
{
    if (line.len <= most)
        return line.len;
    const size_t blank = slice_find_last(slice_head(line, most + 1), ' ');
    if (blank != SLICE_NOT_FOUND && blank > 0)
        return blank;
    size_t n = most;
    while (n > 1 && ((unsigned char)line.at[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static size_t lines_split(struct slice text, size_t most, struct slice lines[LINES_MAX])
{
    size_t count = 0;
    struct slice line;

    while (slice_cut(&text, '\n', &line)) {
        do {
            const size_t n = line_break(line, most);

            if (count == LINES_MAX)
                count--; /* the last one carries the tail: what stood before it goes */
            lines[count++] = slice_head(line, n);
            line = slice_trim(slice_from(line, n));
        } while (line.len);
    }
    if (count == 0)
        lines[count++] = SLICE_NONE;
    return count;
}

static void lines_write(struct buf *buf, unsigned code, struct slice enhanced, const struct slice *lines,
                        size_t count)
{
    char digits[TEXT_UNIT_SIZE];
    size_t size = 0;

    (void)text_print_u64(code, digits);
    for (size_t i = 0; i < count; i++)
        size += CODE_SIZE + enhanced.len + 1 + lines[i].len + 2;
    char *const start = buf_room(buf, size);
    if (!start)
        return; /* half a reply would be worse than none */
    char *at = start;
    for (size_t i = 0; i < count; i++) {
        at = copy(at, slice_of(digits, 3));
        *at++ = i + 1 < count ? '-' : ' ';
        at = copy(at, enhanced);
        if (enhanced.len)
            *at++ = ' ';
        at = copy(at, lines[i]);
        at = copy(at, SLICE("\r\n"));
    }
    buf_grow(buf, (size_t)(at - start));
}

/* --- the enhanced code --------------------------------------------------------------------------------- */

/* RFC 3463 section 2: class "." 1*3digit "." 1*3digit, and the class must be the code's own (RFC 2034). */
static bool enhanced_fits(struct slice s, unsigned code)
{
    struct slice part;
    unsigned parts = 0;

    if (s.len == 0 || s.at[s.len - 1] == '.' || s.at[0] != (char)('0' + code / 100))
        return false;
    while (slice_cut(&s, '.', &part)) {
        if (part.len == 0 || part.len > (parts == 0 ? 1u : 3u))
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (!text_is_digit(part.at[i]))
                return false;
        parts++;
    }
    return parts == 3;
}

static struct slice enhanced_pick(const struct say_info *info, const struct slice *arguments)
{
    const struct slice own = slice_text(info->enhanced);

    if (!slice_equal(own, SLICE("{}")))
        return own;
    if (enhanced_fits(arguments[0], info->code))
        return arguments[0];
    return info->code >= 500 ? SLICE("5.0.0") : info->code >= 400 ? SLICE("4.0.0") : SLICE("2.0.0");
}

static void draft_write(struct buf *buf, struct draft *draft, const struct say_info *info,
                        struct slice enhanced, const struct say_tail *tail)
{
    struct slice lines[LINES_MAX];
    draft_end(draft, info, tail);
    const size_t most = LINE_MAX - 2 - CODE_SIZE - (enhanced.len ? enhanced.len + 1 : 0);
    const size_t count = lines_split(slice_of(draft->text, draft->len), most, lines);
    lines_write(buf, info->code, enhanced, lines, count);
}

void say_add(struct buf *buf, enum say say, const struct slice arguments[SAY_ARGUMENTS],
             const struct say_tail *tail)
{
    static const struct slice none[SAY_ARGUMENTS];
    const struct say_info *info = say_info(say);
    struct draft draft;

    assert(info);
    draft_begin(&draft);
    if (!arguments)
        arguments = none;
    const size_t taken = slice_equal(slice_text(info->enhanced), SLICE("{}")) ? 1 : 0;
    draft_fill(&draft, info->text, arguments + taken, SAY_ARGUMENTS - taken);
    draft_write(buf, &draft, info, enhanced_pick(info, arguments), tail);
}

void say_add_text(struct buf *buf, enum say say, struct slice text, const struct say_tail *tail)
{
    const struct say_info *info = say_info(say);
    struct draft draft;

    assert(info);
    draft_begin(&draft);
    draft_add_argument(&draft, text, true);
    draft_trim(&draft);
    draft_write(buf, &draft, info, slice_text(info->enhanced), tail);
}
