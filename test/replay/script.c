/* Reads replay scripts. */
#include "replay.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

bool answer_read(struct slice *text, enum answer_status *ret_status)
{
    struct slice word;
    slice_word(text, &word);
    for (enum answer_status status = ANSWER_FOUND; status <= ANSWER_TIMEOUT; status++)
        if (slice_equal(word, slice_text(answer_word(status)))) {
            *ret_status = status;
            return true;
        }
    return false;
}

static size_t unescape_one(const char *at, size_t left, char *ret_octet)
{
    static const char letters[] = "rnt\\0", octets[] = "\r\n\t\\\0";
    if (*at != '\\' || left < 2) {
        *ret_octet = *at;
        return 1;
    }
    if (at[1] == 'x' && left >= 4) {
        *ret_octet = (char)(text_hex_digit(at[2]) << 4 | text_hex_digit(at[3]));
        return 4;
    }
    const char *letter = strchr(letters, at[1]);
    *ret_octet = letter && *letter ? octets[letter - letters] : at[1];
    return 2;
}

struct slice unescape(struct arena *arena, struct slice text)
{
    char *to = arena_take(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len;)
        i += unescape_one(text.at + i, text.len - i, &to[len++]);
    return slice_of(to, len);
}

static const struct {
    const char *word;
    enum verb_kind kind;
} words[] = {{"open", DO_OPEN},     {">", DO_SEND},        {">>", DO_RAW},        {"<", DO_EXPECT},
             {"quiet", DO_QUIET},   {"ask", DO_ASK},       {"answer", DO_ANSWER}, {"commit", DO_COMMIT},
             {"stored", DO_STORED}, {"=", DO_CONTENT},     {"tls", DO_TLS},       {"eof", DO_EOF},
             {"stop", DO_STOP},     {"closed", DO_CLOSED}, {"state", DO_STATE},   {"event", DO_EVENT},
             {"tell", DO_TELL},     {"disk", DO_DISK}};

static const char *const setup_words[] = {"set",    "route",   "own",       "xclient",  "bare-newline",
                                          "banner", "mailbox", "trusted",   "override", "fact",
                                          "access", "trap",    "blocklist", "checks",   "now"};

struct reader {
    struct script *script;
    struct order **last, **last_setup;
    uint64_t at_ms;
    unsigned line;
};

static bool complain(const struct reader *reader, const char *what, struct slice text)
{
    printf("# %s:%u: %s: %.*s\n", reader->script->file, reader->line, what, SLICE_ARGS(text));
    return false;
}

static struct order *order_new(struct reader *reader, struct order ***last)
{
    struct order *order = arena_take(&reader->script->arena, sizeof *order);
    order->at_ms = reader->at_ms;
    order->line = reader->line;
    **last = order;
    *last = &order->next;
    return order;
}

static bool at_read(struct reader *reader, struct slice *rest)
{
    struct slice word, seconds;
    uint64_t whole = 0, thousandths = 0;
    slice_word(rest, &word);
    if (!slice_word(rest, &seconds))
        return complain(reader, "a time is missing", word);
    struct slice number = seconds, before;
    slice_cut(&number, '.', &before);
    char fraction[4] = "000";
    memcpy(fraction, number.at, number.len > 3 ? 3 : number.len);
    if (!text_parse_u64(before, &whole) || !text_parse_u64(slice_text(fraction), &thousandths))
        return complain(reader, "no time", seconds);
    reader->at_ms = whole * 1000 + thousandths;
    return true;
}

static bool setup_read(struct reader *reader, struct slice line)
{
    struct slice rest = line, word;
    slice_word(&rest, &word);
    for (size_t i = 0; i < sizeof setup_words / sizeof *setup_words; i++)
        if (slice_equal(word, slice_text(setup_words[i]))) {
            order_new(reader, &reader->last_setup)->text = arena_copy(&reader->script->arena, line);
            return true;
        }
    return false;
}

static void manual_read(struct script *script, struct slice rest)
{
    script->by_hand = rest.len ? arena_copy(&script->arena, rest) : SLICE("recipient remembered commit");
}

static bool flag_read(struct reader *reader, struct slice word, struct slice rest)
{
    struct script *script = reader->script;
    if (slice_equal(word, SLICE("title")))
        script->title = arena_copy(&script->arena, slice_trim(rest));
    else if (slice_equal(word, SLICE("manual")))
        manual_read(script, slice_trim(rest));
    else if (slice_equal(word, SLICE("secret")))
        script->secret = arena_copy(&script->arena, slice_trim(rest));
    else if (slice_equal(word, SLICE("what-if")))
        script->what_if = arena_copy(&script->arena, slice_trim(rest));
    else if (slice_equal(word, SLICE("no-join")))
        script->no_join = true;
    else if (slice_equal(word, SLICE("no-split")))
        script->no_split = true;
    else
        return false;
    return true;
}

/* After "> " the text counts as it stands, blanks at its end too. */
static struct slice order_text(struct reader *reader, enum verb_kind kind, struct slice rest)
{
    struct arena *arena = &reader->script->arena;
    if (rest.len && *rest.at == ' ')
        rest = slice_from(rest, 1);
    if (kind == DO_SEND)
        return arena_join(arena, unescape(arena, rest), SLICE("\r\n"));
    if (kind == DO_RAW)
        return unescape(arena, rest);
    return arena_copy(arena, slice_trim(rest));
}

static bool line_read(struct reader *reader, struct slice line)
{
    struct slice rest = line, word;
    if (!slice_word(&rest, &word) || *word.at == '#')
        return true;
    if (slice_equal(word, SLICE("at"))) {
        rest = line;
        if (!at_read(reader, &rest))
            return false;
        line = rest;
        if (!slice_word(&rest, &word)) {
            order_new(reader, &reader->last)->kind = DO_AT;
            return true;
        }
    }
    if (flag_read(reader, word, rest) || setup_read(reader, line))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(word, slice_text(words[i].word))) {
            struct order *order = order_new(reader, &reader->last);
            order->kind = words[i].kind;
            order->text = order_text(reader, order->kind, rest);
            return true;
        }
    return complain(reader, "not understood", line);
}

static bool octets_read(const char *file, struct buf *buf)
{
    FILE *in = fopen(file, "rb");
    if (!in)
        return false;
    char *room;
    size_t got;
    while ((room = buf_room(buf, 65536)) && (got = fread(room, 1, 65536, in)) > 0)
        buf_grow(buf, got);
    fclose(in);
    return true;
}

bool script_read(const char *file, struct script *ret_script)
{
    struct script *script = ret_script;
    *script = (struct script){.file = file};
    arena_init(&script->arena, NULL, 0);
    struct reader reader = {script, &script->orders, &script->setup, 0, 0};
    struct buf buf;
    buf_init(&buf, 1 << 20);
    bool fine = octets_read(file, &buf);
    if (!fine)
        complain(&reader, "cannot be read", SLICE_NONE);
    struct slice all = buf_slice(&buf), line;
    while (fine && slice_cut(&all, '\n', &line)) {
        reader.line++;
        fine = line_read(&reader, line);
    }
    if (fine && !script->title.len)
        fine = complain(&reader, "has no title", SLICE_NONE);
    buf_drop(&buf);
    return fine;
}

void script_drop(struct script *script)
{
    arena_drop(&script->arena);
}
