#include "wire/mbox.h"

#include "base/text.h"

/* --- the line in front ----------------------------------------------------------------------------------
 */

static bool is_one_of(struct slice word, const char *all)
{
    for (; word.len == 3 && *all; all += 3)
        if (memcmp(word.at, all, 3) == 0)
            return true;
    return false;
}

/* "12:36:23", "12:36" */
static bool is_time(struct slice word)
{
    struct slice part;
    uint64_t number;
    unsigned parts = 0;
    while (slice_cut(&word, ':', &part)) {
        if (part.len != 2 || !text_parse_u64(part, &number) || number > 60)
            return false;
        parts++;
    }
    return parts == 2 || parts == 3;
}

/* asctime's: "Thu Aug 22 12:36:23 2002"; a zone may stand before or behind the year. */
static bool is_date(struct slice rest)
{
    struct slice word;
    uint64_t number;
    if (!slice_word(&rest, &word) || !is_one_of(word, "SunMonTueWedThuFriSat"))
        return false;
    if (!slice_word(&rest, &word) || !is_one_of(word, "JanFebMarAprMayJunJulAugSepOctNovDec"))
        return false;
    if (!slice_word(&rest, &word) || !text_parse_u64(word, &number) || number < 1 || number > 31)
        return false;
    return slice_word(&rest, &word) && is_time(word);
}

static struct slice line_of(struct slice text)
{
    struct slice line = slice_head(text, slice_find(text, '\n'));
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The sender may hold blanks, in quotes: the date is what counts. */
static bool is_front(struct slice line, struct slice *ret_sender)
{
    struct slice rest = line, word;
    if (!slice_starts(line, SLICE("From ")))
        return false;
    slice_word(&rest, &word);
    const char *sender = rest.at;
    while (slice_word(&rest, &word))
        if (is_date(rest)) {
            *ret_sender = slice_trim(slice_of(sender, (size_t)(word.at + word.len - sender)));
            return true;
        }
    return false;
}

/* --- messages -------------------------------------------------------------------------------------------
 */

static struct slice next_line(struct slice text)
{
    size_t end = slice_find(text, '\n');
    return end == SLICE_NOT_FOUND ? slice_from(text, text.len) : slice_from(text, end + 1);
}

/* Where the next front is, behind an empty line; else the end. */
static size_t content_size(struct slice text)
{
    struct slice rest = text, sender;
    bool empty = false;
    while (rest.len) {
        struct slice line = line_of(rest);
        if (empty && is_front(line, &sender))
            break;
        empty = line.len == 0;
        rest = next_line(rest);
    }
    return text.len - rest.len;
}

static struct slice without_last_empty(struct slice content, bool more)
{
    if (more && content.len && content.at[content.len - 1] == '\n')
        content.len--;
    if (more && content.len && content.at[content.len - 1] == '\r')
        content.len--;
    return content;
}

bool mbox_next(struct slice *folder, struct mbox_message *ret_message)
{
    *ret_message = (struct mbox_message){SLICE_NONE, SLICE_NONE};
    if (!folder->len)
        return false;
    if (is_front(line_of(*folder), &ret_message->sender))
        *folder = next_line(*folder);
    size_t size = content_size(*folder);
    ret_message->content = without_last_empty(slice_head(*folder, size), size < folder->len);
    *folder = slice_from(*folder, size);
    return true;
}
