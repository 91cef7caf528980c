/* What the client sent, as far as it is recorded, and something that does as well where it is not. */
#include "replay/tape_part.h"

#include <string.h>

#define STANDS_FOR 32u /* octets of a message that are offered before they can be used up */
#define FILLER     'x'

static void fill(struct buf *buf, char octet, uint64_t count)
{
    static const char xs[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    for (; count && octet != FILLER; count--)
        buf_add_octet(buf, octet);
    for (; count; count -= count < 64 ? count : 64)
        buf_add(buf, slice_of(xs, count < 64 ? (size_t)count : 64));
}

/* The text, cut or filled up so that with the end it has the length. */
static void text_add(struct tape *tape, struct slice text, struct slice end, uint64_t len)
{
    struct buf *buf = &tape->octets;
    end = slice_head(end, (size_t)len);
    len -= end.len;
    text = slice_head(text, (size_t)(text.len < len ? text.len : len));
    buf_add(buf, text);
    fill(buf, FILLER, len - text.len);
    buf_add(buf, end);
}

static void piece_end(struct reading *reading, struct tape_piece *piece)
{
    piece->buf_to = reading->tape->octets.len;
}

/* The latest look saw the most. */
void tape_seen(struct reading *reading, struct slice head)
{
    reading->seen = arena_copy(&reading->tape->arena, head);
    reading->seen_from = reading->taken;
}

static struct slice seen_here(const struct reading *reading, uint64_t from)
{
    return reading->seen.len && reading->seen_from == from ? reading->seen : SLICE_NONE;
}

/* --- lines --------------------------------------------------------------------------------------------- */

/* What is left of a line whose secret is gone: its word, and octets of the kinds that were in it. */
static struct slice secret_text(struct reading *reading, const struct event_line_received *line)
{
    struct slice text = line->text;
    if (text.len >= 4 && slice_equal(slice_from(text, text.len - 4), SLICE("****")))
        text.len -= 4;
    bool refused = line->shape & (SHAPE_NUL | SHAPE_EIGHT_BIT | SHAPE_CONTROL | SHAPE_CR);
    if (text.len || refused)
        ; /* the octets decide, whatever the line is like */
    else if (line->shape & SHAPE_HTTP)
        text = SLICE("GET /");
    else if (line->shape & SHAPE_FOREIGN)
        text = SLICE("SSH-");
    else if (line->shape & SHAPE_HEADER)
        text = SLICE("X: ");
    char odd[4];
    size_t count = 0;
    if (line->shape & SHAPE_NUL)
        odd[count++] = '\0';
    if (line->shape & SHAPE_EIGHT_BIT)
        odd[count++] = (char)0xff;
    if (line->shape & SHAPE_CONTROL)
        odd[count++] = '\1';
    if (line->shape & SHAPE_CR)
        odd[count++] = '\r';
    return arena_join(&reading->tape->arena, text, slice_of(odd, count));
}

void tape_line(struct reading *reading, const struct event_line_received *line)
{
    struct tape *tape = reading->tape;
    struct slice text = line->text;
    struct slice end = SLICE("\r\n");
    if (line->shape) {
        text = secret_text(reading, line);
        end = line->shape & SHAPE_LF ? SLICE("\n") : end;
    } else {
        if (line->rest.len)
            text = arena_join(&tape->arena, text, line->rest);
        end = line->octets == text.len + 1 ? SLICE("\n") : end;
    }
    struct tape_piece *piece = tape_piece_add(reading, TAPE_LINE, line->octets);
    text_add(tape, text, end, line->octets);
    piece_end(reading, piece);
    reading->line = tape->pieces_count - 1;
    reading->message_ended = false;
    if (reading->facts)
        reading->message_first = reading->line;
    reading->facts = NULL;
}

/* --- other octets -------------------------------------------------------------------------------------- */

static void content_add(struct reading *reading, uint64_t octets, uint64_t content)
{
    struct tape_piece *piece = tape_piece_add(reading, TAPE_CONTENT, octets);
    piece->content = content;
    piece->end = reading->message_ended;
    if (piece->end && reading->facts) {
        piece->facts = reading->facts;
        piece->content = reading->facts->octets;
    }
    fill(&reading->tape->octets, FILLER, octets < STANDS_FOR ? octets : STANDS_FOR);
    piece_end(reading, piece);
}

/* From here on it is another protocol. */
static void foreign_begin(struct reading *reading, struct slice text, uint64_t len)
{
    if (reading->foreign)
        return;
    reading->foreign = true;
    reading->foreign_from = reading->tape->octets.len + (uint32_t)(text.len < len ? text.len : len);
}

void tape_taken(struct reading *reading, const struct event_octets_taken *taken)
{
    struct tape *tape = reading->tape;
    if (taken->what == TRACE_CONTENT || taken->what == TRACE_CHUNK) {
        content_add(reading, taken->count, taken->content);
        reading->message_ended = false;
        return;
    }
    struct slice text = seen_here(reading, reading->taken);
    struct tape_piece *piece = tape_piece_add(reading, TAPE_LINE, taken->count);
    if (taken->what == TRACE_FOREIGN)
        foreign_begin(reading, text, taken->count);
    text_add(tape, text, taken->what == TRACE_LONG_LINE_END ? SLICE("\n") : SLICE_NONE, taken->count);
    piece_end(reading, piece);
}

/* What an HTTP request carried is told when it is over. */
void tape_http(struct reading *reading, const struct event_http_request *request)
{
    reading->carries = request->commands > 0;
}

/* The shortest command does: behind what was seen, or without its end as the last. */
static void carried_put(struct reading *reading)
{
    struct buf *octets = &reading->tape->octets;
    uint32_t from = reading->foreign_from;
    if (!reading->foreign || !reading->carries)
        return;
    if (reading->half && octets->len >= from + 5)
        from = octets->len - 5;
    bool begins = from && octets->at[from - 1] == '\n';
    struct slice carried = begins ? SLICE("HELO\n") : SLICE("\nHELO\n");
    carried.len -= reading->half;
    carried = slice_head(carried, octets->len - from);
    if (carried.len)
        memcpy(octets->at + from, carried.at, carried.len);
}

void tape_rest(struct reading *reading)
{
    struct tape *tape = reading->tape;
    if (reading->message_ended && reading->arrived > reading->taken)
        content_add(reading, reading->arrived - reading->taken, 0);
    uint64_t left = reading->arrived > reading->taken ? reading->arrived - reading->taken : 0;
    if (left) {
        struct slice text = seen_here(reading, reading->taken);
        struct tape_piece *piece = tape_piece_add(reading, TAPE_REST, left);
        if (reading->line == TAPE_NONE)
            foreign_begin(reading, text, left);
        text_add(tape, text, SLICE_NONE, left);
        piece_end(reading, piece);
    }
    carried_put(reading);
}

/* --- messages ------------------------------------------------------------------------------------------ */

static uint8_t digit(char octet)
{
    return (uint8_t)(octet >= 'a' ? octet - 'a' + 10 : octet - '0');
}

static void digest_read(struct slice text, uint8_t ret_digest[32])
{
    for (size_t i = 0; i < 32 && 2 * i + 1 < text.len; i++)
        ret_digest[i] = (uint8_t)(digit(text.at[2 * i]) << 4 | digit(text.at[2 * i + 1]));
}

static void kinds_read(struct slice text, struct header *header)
{
    for (size_t i = 0; i < text.len;) {
        unsigned kind = (unsigned)(text.at[i++] - 'a'), count = 0;
        for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
            count = count * 10 + (unsigned)(text.at[i] - '0');
        if (kind < HEADER_KIND_COUNT)
            header->counts[kind] = (uint16_t)(count ? count : 1);
    }
}

static void received_read(struct slice lines, struct header *header)
{
    struct slice line;
    while (header->received_count < HEADER_RECEIVED_MAX && slice_cut(&lines, '\n', &line) && line.at)
        header->received[header->received_count++] = line;
}

static struct header *header_read(struct reading *reading, const struct event_message_received *message)
{
    struct arena *arena = &reading->tape->arena;
    struct header *header = arena_take(arena, sizeof *header);
    header->count = (uint32_t)message->headers;
    header->junk_lines = (uint32_t)message->header_junk;
    header->size = message->header_octets;
    header->flags = (unsigned)message->header_flags;
    header->done = true;
    kinds_read(message->header_kinds, header);
    received_read(arena_copy(arena, message->received), header);
    header->value[HEADER_MESSAGE_ID] = arena_join(arena, message->message_id, message->message_id_rest);
    header->value[HEADER_DATE] = arena_copy(arena, message->date);
    header->value[HEADER_SUBJECT] = arena_copy(arena, message->subject);
    header->value_cut[HEADER_MESSAGE_ID] = message->header_cut & 1u << HEADER_MESSAGE_ID;
    header->value_cut[HEADER_DATE] = message->header_cut & 1u << HEADER_DATE;
    return header;
}

/* The pieces of a message that came before its end learn what it was. */
void tape_message(struct reading *reading, const struct event_message_received *message)
{
    struct tape *tape = reading->tape;
    struct content_facts *facts = arena_take(&tape->arena, sizeof *facts);
    facts->octets = message->octets;
    facts->bare_lf = message->bare_lf;
    facts->bare_cr = message->bare_cr;
    facts->nul = message->nul;
    facts->body = message->body;
    facts->header = header_read(reading, message);
    digest_read(message->digest, facts->digest);
    for (uint32_t i = reading->message_first; i < tape->pieces_count; i++)
        if (tape->pieces[i].kind == TAPE_CONTENT)
            tape->pieces[i].facts = facts;
    reading->facts = facts;
    reading->message_ended = true;
    reading->message_first = tape->pieces_count;
}
