#include "watch/report_part.h"

#include "base/calendar.h"
#include "base/text.h"
#include "journal/document.h"

#include <stdio.h>

#define WIDTH        76u
#define ENCODED_WORD 75u /* RFC 2047 section 2 */

static bool is_plain(char octet)
{
    return octet >= ' ' && octet <= '~';
}

void report_put_safe(struct buf *out, struct slice text, size_t most)
{
    const size_t end = out->len + most;

    for (size_t i = 0; i < text.len; i++) {
        const bool plain = is_plain(text.at[i]);
        if (out->len + (plain ? 1u : 4u) + (i + 1 < text.len ? 4u : 0u) > end) {
            (void)buf_add(out, SLICE(" ..."));
            return;
        }
        if (plain)
            (void)buf_add_octet(out, text.at[i]);
        else
            (void)buf_add_format(out, "\\x%02x", (unsigned char)text.at[i]);
    }
}

void report_put_utf8(struct buf *out, struct slice text, size_t most)
{
    struct buf safe;
    size_t len = 0, size;

    buf_init(&safe, 4 * most + 64);
    (void)document_guard(&safe, slice_head(text, most));
    const struct slice all = buf_slice(&safe);
    while ((size = slice_utf8_size(slice_from(all, len))) && len + size <= most)
        len += size;
    (void)buf_add(out, slice_head(all, len));
    buf_drop(&safe);
}

void report_put_path(struct buf *out, struct slice path)
{
    (void)buf_add_octet(out, '<');
    report_put_safe(out, path, REPORT_LINE - 40);
    (void)buf_add_octet(out, '>');
}

void report_put_time(struct buf *out, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];
    const int64_t seconds = unix_ms / 1000 - (unix_ms % 1000 < 0);
    const size_t len = calendar_print_mail(seconds, 0, text);

    (void)buf_add(out, slice_of(text, len));
}

void report_put_wrapped(struct buf *out, struct slice text, unsigned indent)
{
    uint32_t begun = out->len;
    struct slice word;
    bool first = true;

    while (begun && out->at[begun - 1] != '\n')
        begun--;
    while (slice_word(&text, &word)) {
        word = slice_head(word, REPORT_LINE - 60);
        if (!first && out->len - begun + 1 + word.len > WIDTH) {
            (void)buf_add_octet(out, '\n');
            begun = out->len;
            (void)buf_add_format(out, "%*s", (int)indent, "");
        } else if (!first) {
            (void)buf_add_octet(out, ' ');
        }
        (void)buf_add(out, word);
        first = false;
    }
    (void)buf_add_octet(out, '\n');
}

/* --- fields -------------------------------------------------------------------------------------------- */

static bool is_word_octet(char octet)
{
    return text_is_alnum(octet) || octet == '-' || octet == '.' || octet == ',' || octet == ':';
}

/* One character; in an encoded word a blank is a low line. */
static size_t character_print(struct slice text, size_t size, char *room)
{
    size_t len = 0;

    for (size_t i = 0; i < size; i++) {
        const char octet = text.at[i];
        if (is_word_octet(octet))
            room[len++] = octet;
        else if (octet == ' ')
            room[len++] = '_';
        else
            len += (size_t)snprintf(room + len, 4, "=%02X", (unsigned char)octet);
    }
    return len;
}

/* A character stays in one word (RFC 2047 section 5). */
static void put_encoded(struct buf *out, struct slice text)
{
    const struct slice head = SLICE("=?utf-8?Q?");
    size_t column = 0;
    char room[16];

    while (text.len) {
        const size_t size = slice_utf8_size(text);
        const struct slice shown = size ? text : SLICE("?");
        const size_t len = character_print(shown, size ? size : 1, room);
        if (!column || column + len + 2 > ENCODED_WORD) {
            (void)buf_add(out, column ? SLICE("?=\r\n ") : SLICE_NONE);
            (void)buf_add(out, head);
            column = head.len;
        }
        (void)buf_add(out, slice_of(room, len));
        column += len;
        text = slice_from(text, size ? size : 1);
    }
    (void)buf_add(out, SLICE("?="));
}

void report_put_unstructured(struct buf *out, struct slice text)
{
    struct buf shown;

    buf_init(&shown, 4096);
    report_put_utf8(&shown, text, 400);
    if (slice_is_printable(buf_slice(&shown)))
        (void)buf_add(out, buf_slice(&shown));
    else
        put_encoded(out, buf_slice(&shown));
    buf_drop(&shown);
}

/* --- bodies -------------------------------------------------------------------------------------------- */

static bool is_seven_bit(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain(text.at[i]) && text.at[i] != '\n')
            return false;
    return true;
}

static void put_quoted_line(struct buf *out, struct slice line)
{
    size_t column = 0;

    for (size_t i = 0; i < line.len; i++) {
        const bool last = i + 1 == line.len;
        const bool plain = is_plain(line.at[i]) && line.at[i] != '=' && !(line.at[i] == ' ' && last);
        const size_t len = plain ? 1 : 3;
        if (column + len > WIDTH - 1) {
            (void)buf_add(out, SLICE("=\r\n"));
            column = 0;
        }
        if (plain)
            (void)buf_add_octet(out, line.at[i]);
        else
            (void)buf_add_format(out, "=%02X", (unsigned char)line.at[i]);
        column += len;
    }
    (void)buf_add(out, SLICE("\r\n"));
}

void report_put_body(struct buf *out, struct slice text)
{
    const bool seven_bit = is_seven_bit(text);
    struct slice line;

    (void)buf_add_format(out, "Content-Transfer-Encoding: %s\r\n\r\n",
                         seven_bit ? "7bit" : "quoted-printable");
    while (slice_cut(&text, '\n', &line)) {
        if (!seven_bit) {
            put_quoted_line(out, line);
            continue;
        }
        (void)buf_add(out, line);
        (void)buf_add(out, SLICE("\r\n"));
    }
}
