#include "journal/notice_transcript.h"

#include "base/calendar.h"
#include "journal/view.h"

#define WIDTH 76

/* What views show is escaped but for what is printable beyond ASCII. */
static void put_ascii(struct buf *out, struct slice text, size_t most)
{
    const uint32_t end = out->len + (uint32_t)most;

    for (size_t i = 0; i < text.len; i++) {
        const bool plain = text.at[i] >= ' ' && text.at[i] <= '~';
        if (out->len + (plain ? 1 : 4) + (i + 1 < text.len ? 4 : 0) > end) {
            (void)buf_add(out, SLICE(" ..."));
            return;
        }
        if (plain)
            (void)buf_add_octet(out, text.at[i]);
        else
            (void)buf_add_format(out, "\\x%02x", (unsigned char)text.at[i]);
    }
}

static void put_wrapped(struct buf *out, struct slice text)
{
    size_t column = 0;
    struct slice word;

    while (slice_word(&text, &word)) {
        if (column)
            (void)buf_add_octet(out, column + 1 + word.len > WIDTH ? '\n' : ' ');
        column = column && column + 1 + word.len <= WIDTH ? column + 1 + word.len : word.len;
        put_ascii(out, word, NOTICE_LINE - 10);
    }
    (void)buf_add_octet(out, '\n');
}

static void put_head(struct buf *out, const struct document *document)
{
    char id[EVENT_ID_SIZE], date[CALENDAR_TEXT_SIZE];

    event_id_print(document->session, id);
    (void)calendar_print_mail(document->began_us / 1000000, document->zone_minutes, date);
    (void)buf_add_format(out, "Session %s, %s\n", id, date);
    put_wrapped(out, document->sentence);
    (void)buf_add_octet(out, '\n');
}

static void put_line(struct buf *out, const struct document_line *line)
{
    (void)buf_add(out, line->lead);
    put_ascii(out, line->text, NOTICE_LINE - line->lead.len);
    (void)buf_add_octet(out, '\n');
}

void notice_transcript(const struct history *history, const struct notice_transcript_settings *settings,
                       struct buf *out)
{
    const struct view_settings view = {.level = 5, .zone_minutes = settings->zone_minutes};
    const size_t most = settings->lines_max;
    struct document document;

    view_make(view_find(SLICE("notice")), history, &view, &document);
    const size_t count = document.line_count;
    const size_t from = most && count > most ? most - most / 4 : count;
    const size_t upto = most && count > most ? count - most / 4 : count;
    put_head(out, &document);
    for (size_t i = 0; i < from; i++)
        put_line(out, &document.lines[i]);
    if (upto > from)
        (void)buf_add_format(out, "  (%zu lines are left out here)\n", upto - from);
    for (size_t i = upto; i < count; i++)
        put_line(out, &document.lines[i]);
    document_drop(&document);
}
