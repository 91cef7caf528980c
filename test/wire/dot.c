/* Proves that data ends at CRLF.CRLF and nowhere else, that nothing of the smuggling family makes two
 * messages of one, neither towards us nor from us, and that no split of the input changes anything.
 *
 * Two proofs: a table of the known variants, and every text of up to seven octets out of the five that
 * matter, against a decoder written the slow and plain way and against receivers known to be wrong. */
#include "split.h"
#include "wire/dot.h"

static void add_pieces(struct buf *buf, const struct dot_out *out)
{
    assert_true(out->count <= DOT_PIECES);
    for (size_t i = 0; i < out->count; i++) {
        assert_true(out->pieces[i].len > 0);
        assert_true(buf_add(buf, out->pieces[i]));
    }
}

/* Decodes a part as far as it goes; returns what is left of it. */
static struct slice decode_part(struct dot *dot, struct slice part, struct buf *content)
{
    struct dot_out out;
    while (part.len > 0 && !dot->ended) {
        size_t taken = dot_decode(dot, part, &out);
        assert_true(taken > 0 && taken <= part.len);
        assert_int_equal(out.end, dot->ended);
        add_pieces(content, &out);
        part = slice_from(part, taken);
    }
    return part;
}

static void run_decoder(const struct slice *parts, size_t count, struct buf *ret_seen, bool plain)
{
    struct dot dot;
    struct dot_out out;
    size_t left = 0;
    dot_init(&dot, DOT_NORMALISE, plain, 5);
    for (size_t i = 0; i < count; i++)
        left += dot.ended ? parts[i].len : decode_part(&dot, parts[i], ret_seen).len;
    if (plain) {
        dot_finish(&dot, &out);
        add_pieces(ret_seen, &out);
    }
    if (plain || dot.ended)
        assert_int_equal(dot.octets, ret_seen->len);
    buf_add_format(ret_seen, "|%s left=%zu lf=%u cr=%u nul=%u 8=%u lines=%u over=%u",
                   dot.ended ? "end" : "open", left, (unsigned)dot.bare_lf, (unsigned)dot.bare_cr,
                   (unsigned)dot.nul, (unsigned)dot.eight_bit, (unsigned)dot.lines, (unsigned)dot.lines_over);
}

static void run_data(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    run_decoder(parts, count, ret_seen, false);
}

static void run_bdat(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    run_decoder(parts, count, ret_seen, true);
}

struct dot_case {
    struct slice input;
    struct slice wanted;
};

#define CASE(input, wanted)                                                                                  \
    {                                                                                                        \
        {"" input, sizeof(input) - 1},                                                                       \
        {                                                                                                    \
            "" wanted, sizeof(wanted) - 1                                                                    \
        }                                                                                                    \
    }

static const struct dot_case data_cases[] = {
    CASE(".\r\n", "|end left=0 lf=0 cr=0 nul=0 8=0 lines=0 over=0"),
    CASE("\r\n.\r\n", "\r\n|end left=0 lf=0 cr=0 nul=0 8=0 lines=1 over=0"),
    CASE("a\r\n.\r\nQUIT\r\n", "a\r\n|end left=6 lf=0 cr=0 nul=0 8=0 lines=1 over=0"),
    CASE("a\r\n..\r\n.b\r\n...\r\n.\r\n",
         "a\r\n.\r\nb\r\n..\r\n|end left=0 lf=0 cr=0 nul=0 8=0 lines=4 over=0"),
    CASE("a.\r\n.\r\n", "a.\r\n|end left=0 lf=0 cr=0 nul=0 8=0 lines=1 over=0"),
    CASE("abcdef\r\nabcde\r\n\xe9\r\n.\r\n",
         "abcdef\r\nabcde\r\n\xe9\r\n|end left=0 lf=0 cr=0 nul=0 8=1 lines=3 over=1"),
    /* Every way in which somebody else might see an end. */
    CASE("a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=2 cr=0 nul=0 8=0 lines=3 over=0"),
    CASE("a\n.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=1 cr=0 nul=0 8=0 lines=3 over=0"),
    CASE("a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n|end left=0 lf=1 cr=0 nul=0 8=0 lines=3 over=0"),
    CASE("a\r\n.\rb\r\n.\r\n", "a\r\n\r\nb\r\n|end left=0 lf=0 cr=1 nul=0 8=0 lines=3 over=0"),
    CASE("a\r.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=0 cr=2 nul=0 8=0 lines=3 over=0"),
    CASE("a\r.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=0 cr=1 nul=0 8=0 lines=3 over=0"),
    CASE("a\r.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=1 cr=1 nul=0 8=0 lines=3 over=0"),
    CASE("a\n.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=1 cr=1 nul=0 8=0 lines=3 over=0"),
    CASE("a\r\n\0.\r\nb\r\n.\r\n", "a\r\n\0.\r\nb\r\n|end left=0 lf=0 cr=0 nul=1 8=0 lines=3 over=0"),
    CASE("a\r\n.\0\r\nb\r\n.\r\n", "a\r\n\0\r\nb\r\n|end left=0 lf=0 cr=0 nul=1 8=0 lines=3 over=0"),
    CASE("a\r\n.\r\0\nb\r\n.\r\n", "a\r\n\r\n\0\r\nb\r\n|end left=0 lf=1 cr=1 nul=1 8=0 lines=4 over=0"),
    CASE("a\r\0\n.\r\nb\r\n.\r\n", "a\r\n\0\r\n.\r\nb\r\n|end left=0 lf=1 cr=1 nul=1 8=0 lines=4 over=0"),
    CASE("a\r\n .\r\nb\r\n.\r\n", "a\r\n .\r\nb\r\n|end left=0 lf=0 cr=0 nul=0 8=0 lines=3 over=0"),
    CASE("a\r\n. \r\nb\r\n.\r\n", "a\r\n \r\nb\r\n|end left=0 lf=0 cr=0 nul=0 8=0 lines=3 over=0"),
    CASE("a\r\r\n.\r\n", "a\r\n\r\n|end left=0 lf=0 cr=1 nul=0 8=0 lines=2 over=0"),
    CASE("a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\n\r\nb\r\n|end left=0 lf=0 cr=1 nul=0 8=0 lines=4 over=0"),
    CASE("a\n\n.\r\n\r\n.\r\n", "a\r\n\r\n.\r\n\r\n|end left=0 lf=2 cr=0 nul=0 8=0 lines=4 over=0"),
    CASE("\n.\r\n.\r\n", "\r\n.\r\n|end left=0 lf=1 cr=0 nul=0 8=0 lines=2 over=0"),
    CASE(".\n.\r\n", "\r\n.\r\n|open left=0 lf=1 cr=0 nul=0 8=0 lines=2 over=0"),
    CASE("a\r\n.", "a\r\n|open left=0 lf=0 cr=0 nul=0 8=0 lines=1 over=0"),
    CASE("a\r\n.\r", "a\r\n|open left=0 lf=0 cr=0 nul=0 8=0 lines=1 over=0"),
    CASE("a\r", "a|open left=0 lf=0 cr=0 nul=0 8=0 lines=0 over=0"),
    CASE("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\r\n.\r\n",
         "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
         "|end left=0 lf=20 cr=0 nul=0 8=0 lines=21 over=0"),
};

static const struct dot_case bdat_cases[] = {
    CASE("", "|end left=0 lf=0 cr=0 nul=0 8=0 lines=0 over=0"),
    CASE("a\r\n.\r\nb\r\n", "a\r\n.\r\nb\r\n|end left=0 lf=0 cr=0 nul=0 8=0 lines=3 over=0"),
    CASE("..a\n.\n", "..a\r\n.\r\n|end left=0 lf=2 cr=0 nul=0 8=0 lines=2 over=0"),
    CASE("a\r", "a\r\n|end left=0 lf=0 cr=1 nul=0 8=0 lines=1 over=0"),
    CASE("a\r.\r\rb", "a\r\n.\r\n\r\nb|end left=0 lf=0 cr=3 nul=0 8=0 lines=3 over=0"),
    CASE("abcdefgh", "abcdefgh|end left=0 lf=0 cr=0 nul=0 8=0 lines=0 over=1"),
};

static void check_cases(const struct dot_case *rows, size_t count, split_run *run)
{
    for (size_t i = 0; i < count; i++) {
        struct buf seen;
        split_check(run, rows[i].input, &seen);
        if (!slice_equal(buf_slice(&seen), rows[i].wanted))
            fail_msg("row %zu: \"%.*s\" is not \"%.*s\"", i, SLICE_ARGS(buf_slice(&seen)),
                     SLICE_ARGS(rows[i].wanted));
        buf_drop(&seen);
    }
}

static void data_ends_at_one_place_only(void **state)
{
    (void)state;
    check_cases(data_cases, COUNT(data_cases), run_data);
}

static void bdat_has_no_dots_and_no_end(void **state)
{
    (void)state;
    check_cases(bdat_cases, COUNT(bdat_cases), run_bdat);
}

static void reject_goes_on_and_remembers(void **state)
{
    struct dot dot;
    struct buf content;
    (void)state;
    buf_init(&content, 100);
    dot_init(&dot, DOT_REJECT, false, 0);
    decode_part(&dot, SLICE("a\r\n"), &content);
    assert_false(dot_refused(&dot));
    decode_part(&dot, SLICE("b\n.\r\n.\r\n"), &content);
    assert_true(dot.ended);
    assert_true(dot_refused(&dot));
    assert_slice_equal(buf_slice(&content), "a\r\nb\r\n.\r\n");
    buf_drop(&content);
    dot_init(&dot, DOT_NORMALISE, false, 0);
    buf_init(&content, 100);
    decode_part(&dot, SLICE("b\n"), &content);
    assert_false(dot_refused(&dot));
    buf_drop(&content);
}

/* ---- the way out ---- */

static void encode_end(struct dot_encoder *encoder, struct buf *wire)
{
    struct dot_out out;
    do {
        dot_encode_end(encoder, &out);
        add_pieces(wire, &out);
    } while (!out.end);
}

static void encode_part(struct dot_encoder *encoder, struct slice part, struct buf *wire)
{
    struct dot_out out;
    while (part.len > 0) {
        size_t taken = dot_encode(encoder, part, &out);
        assert_true(taken <= part.len && (taken > 0 || out.count > 0));
        assert_false(out.end);
        add_pieces(wire, &out);
        part = slice_from(part, taken);
    }
}

static void run_encoder(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct dot_encoder encoder = {0};
    for (size_t i = 0; i < count; i++)
        encode_part(&encoder, parts[i], ret_seen);
    encode_end(&encoder, ret_seen);
    assert_int_equal(encoder.octets, ret_seen->len);
}

static const struct dot_case encoder_cases[] = {
    CASE("", ".\r\n"),
    CASE("\r\n", "\r\n.\r\n"),
    CASE("a", "a\r\n.\r\n"),
    CASE("a\r\n", "a\r\n.\r\n"),
    CASE(".", "..\r\n.\r\n"),
    CASE(".\r\n..\r\na.\r\n", "..\r\n...\r\na.\r\n.\r\n"),
    CASE("a\n.b\r.c\r\n", "a\r\n..b\r\n..c\r\n.\r\n"),
    CASE("a\r", "a\r\n.\r\n"),
    CASE("a\r\r\n.", "a\r\n\r\n..\r\n.\r\n"),
    CASE("\0.\r\n", "..\r\n.\r\n"),
    CASE("\0\0a\0.\r\n\0..\r\n", "\0\0a\0.\r\n...\r\n.\r\n"),
    CASE("\0\0a\r\n\0\r\n", "\0\0a\r\n\0\r\n.\r\n"),
    CASE("\0", "\0\r\n.\r\n"),
    CASE("a\0.\r\n", "a\0.\r\n.\r\n"),
};

static void encoder_doubles_dots_and_ends(void **state)
{
    (void)state;
    check_cases(encoder_cases, COUNT(encoder_cases), run_encoder);
}

static void encoder_holds_any_number_of_nuls(void **state)
{
    static char content[3002], wanted[3010];
    struct buf seen;
    (void)state;
    content[3000] = '.';
    split_check(run_encoder, slice_of(content, 3001), &seen);
    assert_slice_equal(buf_slice(&seen), "..\r\n.\r\n");
    buf_drop(&seen);
    split_check(run_encoder, slice_of(content, 3000), &seen);
    memcpy(wanted + 3000, "\r\n.\r\n", 5);
    assert_true(slice_equal(buf_slice(&seen), slice_of(wanted, 3005)));
    buf_drop(&seen);
}

/* ---- every short text ---- */

/* The decoder told the slow and plain way: first find the end, then split at real CRLFs and take the first
 * dot off each line, then make each bare newline a CRLF. Returns whether there is an end. */
static bool decode_plainly(struct slice input, struct buf *content, size_t *ret_taken)
{
    char text[64] = "\r\n";
    memcpy(text + 2, input.at, input.len);
    struct slice whole = slice_of(text, input.len + 2);
    size_t end = slice_find_slice(whole, SLICE("\r\n.\r\n"));
    if (end == SLICE_NOT_FOUND)
        return false;
    *ret_taken = end + 3;
    for (size_t i = 2; i < end + 2; i++) {
        bool line_begins = text[i - 2] == '\r' && text[i - 1] == '\n';
        if (line_begins && text[i] == '.')
            continue;
        if (text[i] == '\r' && text[i + 1] == '\n')
            buf_add(content, slice_of(text + i++, 2));
        else if (text[i] == '\r' || text[i] == '\n')
            buf_add(content, SLICE("\r\n"));
        else
            buf_add_octet(content, text[i]);
    }
    return true;
}

/* What a receiver sees after it dropped some octets: all of `drop`. */
static struct slice without(struct slice s, char drop, char *memory)
{
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] != drop)
            memory[len++] = s.at[i];
    return slice_of(memory, len);
}

/* The places at which receivers known to be wrong see an end. The text has CRLF in front. */
static size_t wrong_end(struct slice wire)
{
    static const struct slice ends[] = {{"\n.\n", 3},     {"\n.\r\n", 4}, {"\r\n.\n", 4}, {"\r.\r", 3},
                                        {"\r.\r\n", 4},   {"\r\n.\r", 4}, {"\r.\n", 3},   {"\n.\r", 3},
                                        {"\r\n.\r\n", 5}, {"\n.\0", 3},   {"\r\0\n.", 4}};
    size_t first = SLICE_NOT_FOUND;
    for (size_t i = 0; i < COUNT(ends); i++) {
        size_t at = slice_find_slice(wire, ends[i]);
        if (at != SLICE_NOT_FOUND && at + ends[i].len < first)
            first = at + ends[i].len;
    }
    return first;
}

/* No receiver may see an end before the last dot of what the encoder wrote. */
static void wire_is_one_message(struct slice wire)
{
    char text[160] = "\r\n", stripped[160];
    memcpy(text + 2, wire.at, wire.len);
    struct slice whole = slice_of(text, wire.len + 2);
    assert_true(wrong_end(whole) >= whole.len - 2);
    for (const char *drop = "\0\r"; drop < "\0\r" + 2; drop++) {
        struct slice rest = without(whole, *drop, stripped);
        assert_true(wrong_end(rest) >= rest.len - 2);
    }
    for (size_t i = 0; i < whole.len; i++) {
        if (whole.at[i] == '\n')
            assert_true(i > 0 && whole.at[i - 1] == '\r');
        if (whole.at[i] == '\r')
            assert_true(i + 1 < whole.len && whole.at[i + 1] == '\n');
    }
}

static void encode_whole(struct slice content, struct buf *wire)
{
    struct dot_encoder encoder = {0};
    encode_part(&encoder, content, wire);
    encode_end(&encoder, wire);
}

/* The content that survives: all but NULs between the begin of a line and a dot. */
static struct slice surviving(struct slice content, char *memory)
{
    size_t len = 0, nuls = 0;
    bool begins = true;
    for (size_t i = 0; i < content.len; i++) {
        char octet = content.at[i];
        if (begins && octet == '.')
            len -= nuls;
        nuls = begins && octet == '\0' ? nuls + 1 : 0;
        begins = octet == '\n' || (begins && octet == '\0');
        memory[len++] = octet;
    }
    return slice_of(memory, len);
}

/* What went out comes in again as the same content, with a line end if it had none. */
static void survives_relaying(struct slice content)
{
    char memory[64];
    struct buf wire, again;
    struct dot dot;
    buf_init(&wire, 200);
    buf_init(&again, 200);
    encode_whole(content, &wire);
    wire_is_one_message(buf_slice(&wire));
    content = surviving(content, memory);
    dot_init(&dot, DOT_NORMALISE, false, 0);
    assert_int_equal(decode_part(&dot, buf_slice(&wire), &again).len, 0);
    assert_true(dot.ended && dot.bare_cr == 0 && dot.bare_lf == 0);
    assert_true(slice_equal(slice_head(buf_slice(&again), content.len), content));
    assert_true(again.len == content.len || again.len == content.len + 2);
    buf_drop(&again);
    buf_drop(&wire);
}

static void check_text(struct slice input)
{
    struct buf content, plain;
    struct dot dot;
    size_t taken = 0;
    buf_init(&content, 200);
    buf_init(&plain, 200);
    dot_init(&dot, DOT_NORMALISE, false, 0);
    size_t left = decode_part(&dot, input, &content).len;
    bool ended = decode_plainly(input, &plain, &taken);
    assert_int_equal(dot.ended, ended);
    if (ended) {
        assert_int_equal(left, input.len - taken);
        assert_true(slice_equal(buf_slice(&content), buf_slice(&plain)));
        survives_relaying(buf_slice(&content));
    }
    for (size_t cut = 1; cut < input.len; cut++) {
        struct buf parts;
        buf_init(&parts, 200);
        dot_init(&dot, DOT_NORMALISE, false, 0);
        struct slice rest = decode_part(&dot, slice_head(input, cut), &parts);
        rest = dot.ended ? rest : decode_part(&dot, slice_from(input, cut), &parts);
        assert_int_equal(dot.ended, ended);
        assert_true(slice_equal(buf_slice(&parts), buf_slice(&content)));
        buf_drop(&parts);
    }
    buf_drop(&content);
    buf_clear(&plain);
    /* The same octets as content that came by BDAT, or as a file that nobody has looked at. */
    encode_whole(input, &plain);
    wire_is_one_message(buf_slice(&plain));
    buf_drop(&plain);
}

static void every_short_text_holds(void **state)
{
    static const char octets[] = "\r\n.\0a";
    (void)state;
    unsigned total = 1;
    for (size_t len = 1; len <= 7; len++) {
        total *= 5;
        for (unsigned number = 0; number < total; number++) {
            char text[16];
            unsigned rest = number;
            for (size_t i = 0; i < len; i++, rest /= 5)
                text[i] = octets[rest % 5];
            memcpy(text + len, "\r\n.\r\n", 5);
            check_text(slice_of(text, len));
            check_text(slice_of(text, len + 5));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_ends_at_one_place_only),      cmocka_unit_test(bdat_has_no_dots_and_no_end),
        cmocka_unit_test(reject_goes_on_and_remembers),     cmocka_unit_test(encoder_doubles_dots_and_ends),
        cmocka_unit_test(encoder_holds_any_number_of_nuls), cmocka_unit_test(every_short_text_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
