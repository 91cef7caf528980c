/* Reads scripts of `postern play`: the words of replay scripts that have a meaning on a wire. */
#include "cli/play.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>

#define SCRIPT_MAX (1u << 20)
#define AT_MAX_MS  3600000u

struct reader {
    const struct cli *cli;
    struct play_script *script;
    struct play_order **last;
    uint64_t at_ms;
    unsigned line;
    bool opened;
};

static bool complain(const struct reader *reader, const char *what, struct slice text)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s:%u: %s: %.*s\n", reader->script->file, reader->line, what, SLICE_ARGS(text));
    return false;
}

/* --- octets -------------------------------------------------------------------------------------------- */

static size_t unescape_one(struct slice text, char *ret_octet)
{
    static const char letters[] = "rnt\\0", octets[] = "\r\n\t\\\0";
    const int high = text.len >= 4 ? text_hex_digit(text.at[2]) : -1;
    const int low = text.len >= 4 ? text_hex_digit(text.at[3]) : -1;

    *ret_octet = text.at[0];
    if (text.at[0] != '\\' || text.len < 2)
        return 1;
    if (text.at[1] == 'x' && high >= 0 && low >= 0) {
        *ret_octet = (char)(high << 4 | low);
        return 4;
    }
    const char *letter = strchr(letters, text.at[1]);
    *ret_octet = letter && *letter ? octets[letter - letters] : text.at[1];
    return 2;
}

/* \r \n \t \\ \0 \xHH */
static struct slice unescape(struct arena *arena, struct slice text)
{
    char *to = arena_take(arena, text.len + 1);
    size_t len = 0;

    while (text.len)
        text = slice_from(text, unescape_one(text, &to[len++]));
    return slice_of(to, len);
}

/* Behind ">" or "<" and one blank the text counts as it stands, blanks at its end too. */
static struct slice text_of(struct reader *reader, struct slice rest, bool line)
{
    struct arena *arena = &reader->script->arena;

    if (rest.len && rest.at[0] == ' ')
        rest = slice_from(rest, 1);
    const struct slice octets = unescape(arena, rest);
    return line ? arena_join(arena, octets, SLICE("\r\n")) : octets;
}

/* --- lines --------------------------------------------------------------------------------------------- */

static bool at_read(struct reader *reader, struct slice *rest)
{
    struct slice seconds, before;
    uint64_t whole, thousandths;
    char fraction[4] = "000";

    if (!slice_word(rest, &seconds))
        return complain(reader, "a time is missing", SLICE("at"));
    struct slice number = seconds;
    (void)slice_cut(&number, '.', &before);
    memcpy(fraction, number.at ? number.at : "", number.len > 3 ? 3 : number.len);
    if (!text_parse_u64(before, &whole) || !text_parse_u64(slice_text(fraction), &thousandths) ||
        whole * 1000 > AT_MAX_MS)
        return complain(reader, "no time within an hour, as in at 1.5", seconds);
    if (whole * 1000 + thousandths < reader->at_ms)
        return complain(reader, "a time before the one that stood last", seconds);
    reader->at_ms = whole * 1000 + thousandths;
    return true;
}

static bool open_read(struct reader *reader, struct play_order *order, struct slice rest)
{
    struct slice word;
    uint64_t port;

    reader->opened = true;
    if (!slice_word(&rest, &word) || !address_parse(word, &order->from))
        return complain(reader, "open wants the client's address, as in open 127.0.0.9", order->text);
    if (!slice_word(&rest, &word))
        return true;
    if (!slice_equal(word, SLICE("port")) || !slice_word(&rest, &word) || !text_parse_u64(word, &port) ||
        port == 0 || port > 65535)
        return complain(reader, "open wants ADDRESS and perhaps port NUMBER", order->text);
    order->from.port = (uint16_t)port;
    return true;
}

static const struct {
    const char *word;
    enum play_verb verb;
} words[] = {{"open", PLAY_OPEN},   {">", PLAY_SEND},  {">>", PLAY_SEND},       {"<", PLAY_EXPECT},
             {"quiet", PLAY_QUIET}, {"eof", PLAY_EOF}, {"closed", PLAY_CLOSED}, {"event", PLAY_EVENT}};

static struct play_order *order_new(struct reader *reader, enum play_verb verb)
{
    struct play_order *order = arena_take(&reader->script->arena, sizeof *order);

    *order = (struct play_order){.verb = verb, .at_ms = reader->at_ms, .line = reader->line};
    *reader->last = order;
    reader->last = &order->next;
    return order;
}

static bool order_read(struct reader *reader, struct slice word, struct slice rest)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!slice_equal(word, slice_text(words[i].word)))
            continue;
        struct play_order *order = order_new(reader, words[i].verb);
        order->raw = slice_equal(word, SLICE(">>"));
        order->text = arena_copy(&reader->script->arena, slice_trim(rest));
        if (order->verb == PLAY_OPEN)
            return open_read(reader, order, rest);
        if (order->verb == PLAY_SEND)
            order->text = text_of(reader, rest, !order->raw);
        else if (order->verb == PLAY_EXPECT)
            order->text = unescape(&reader->script->arena, order->text);
        return reader->opened || complain(reader, "nothing was opened yet", word);
    }
    return complain(reader, "not understood: expected at, open, >, >>, <, quiet, eof, closed or event", word);
}

/* What replay scripts have at their heads. no-join and no-split are for the ways in which those are played.
 */
static bool head_read(struct reader *reader, struct slice word, struct slice rest)
{
    if (slice_equal(word, SLICE("title")))
        reader->script->title = arena_copy(&reader->script->arena, slice_trim(rest));
    else
        return slice_equal(word, SLICE("no-join")) || slice_equal(word, SLICE("no-split"));
    return true;
}

static bool line_read(struct reader *reader, struct slice line)
{
    struct slice rest = line, word;

    if (!slice_word(&rest, &word) || word.at[0] == '#')
        return true;
    if (slice_equal(word, SLICE("at"))) {
        if (!at_read(reader, &rest))
            return false;
        if (!slice_word(&rest, &word)) {
            (void)order_new(reader, PLAY_PAUSE);
            return true;
        }
    }
    return head_read(reader, word, rest) || order_read(reader, word, rest);
}

/* --- files --------------------------------------------------------------------------------------------- */

static int file_read(const struct cli *cli, const char *file, struct buf *buf)
{
    FILE *in = slice_equal(slice_text(file), SLICE("-")) ? stdin : fopen(file, "rb");
    char *room = NULL;
    size_t got;

    if (!in)
        return cli_fail(cli, "cannot read %s: %s", file, strerror(errno));
    while ((room = buf_room(buf, 4096)) && (got = fread(room, 1, 4096, in)) > 0)
        buf_grow(buf, got);
    const bool failed = ferror(in);
    if (in != stdin)
        (void)fclose(in);
    if (failed || !room)
        return cli_fail(cli, "cannot read %s: %s", file, room ? "the system refuses" : "it is too long");
    return CLI_OK;
}

int play_script_read(const struct cli *cli, const char *file, struct play_script *ret_script)
{
    struct play_script *script = ret_script;
    struct reader reader = {.cli = cli, .script = script, .last = &script->orders};
    struct buf buf;
    bool fine = true;

    *script = (struct play_script){.file = file};
    arena_init(&script->arena, NULL, 0);
    buf_init(&buf, SCRIPT_MAX);
    int status = file_read(cli, file, &buf);
    struct slice rest = buf_slice(&buf), line;
    while (status == CLI_OK && slice_cut(&rest, '\n', &line)) {
        reader.line++;
        fine = line_read(&reader, line) && fine;
    }
    buf_drop(&buf);
    if (status == CLI_OK && fine && !reader.opened)
        return cli_fail(cli, "%s opens no connection: expected open ADDRESS in it", file);
    return status == CLI_OK && !fine ? CLI_FAILED : status;
}

void play_script_drop(struct play_script *script)
{
    arena_drop(&script->arena);
}
