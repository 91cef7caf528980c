/* Whatever content comes in whatever pieces: it ends at CRLF.CRLF alone, what comes out has CRLF line ends
 * only, and sent on it is one message for every receiver, right or wrong. */
#include "property.h"
#include "wire/dot.h"

static void add_pieces(struct buf *buf, const struct dot_out *out)
{
    assert(out->count <= DOT_PIECES);
    for (size_t i = 0; i < out->count; i++)
        assert(buf_add(buf, out->pieces[i]));
}

static void decode(const struct slice *parts, size_t count, bool plain, struct dot *dot, struct buf *content)
{
    struct dot_out out;
    dot_init(dot, DOT_NORMALISE, plain, 7);
    for (size_t i = 0; i < count; i++) {
        struct slice part = parts[i];
        while (part.len > 0 && !dot->ended) {
            const size_t taken = dot_decode(dot, part, &out);
            assert(taken > 0 && taken <= part.len);
            add_pieces(content, &out);
            part = slice_from(part, taken);
        }
    }
    if (plain) {
        dot_finish(dot, &out);
        add_pieces(content, &out);
    }
    assert(dot->octets == content->len);
}

static void run_decoder(const struct slice *parts, size_t count, bool plain, struct buf *ret_seen)
{
    struct dot dot;
    decode(parts, count, plain, &dot, ret_seen);
    buf_add_format(ret_seen, "|%d %llu %llu %llu %llu %llu %llu", dot.ended, (unsigned long long)dot.bare_lf,
                   (unsigned long long)dot.bare_cr, (unsigned long long)dot.nul,
                   (unsigned long long)dot.eight_bit, (unsigned long long)dot.lines,
                   (unsigned long long)dot.lines_over);
}

static void run_data(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    run_decoder(parts, count, false, ret_seen);
}

static void run_bdat(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    run_decoder(parts, count, true, ret_seen);
}

static void run_encoder(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct dot_encoder encoder = {0};
    struct dot_out out;
    for (size_t i = 0; i < count; i++)
        for (struct slice part = parts[i]; part.len > 0;) {
            const size_t taken = dot_encode(&encoder, part, &out);
            assert(taken <= part.len && !out.end);
            add_pieces(ret_seen, &out);
            part = slice_from(part, taken);
        }
    do {
        dot_encode_end(&encoder, &out);
        add_pieces(ret_seen, &out);
    } while (!out.end);
    assert(encoder.octets == ret_seen->len);
}

static void newlines_are_real(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        assert(s.at[i] != '\n' || (i > 0 && s.at[i - 1] == '\r'));
        assert(s.at[i] != '\r' || (i + 1 < s.len && s.at[i + 1] == '\n'));
    }
}

/* A line that is a dot and something: only the last one may be; with the NULs dropped, and cut at the first
 * NUL. */
static void one_line_is_a_dot(struct slice wire)
{
    assert(slice_ends_fold(wire, SLICE(".\r\n")));
    wire.len -= 3;
    for (size_t at = 0; at < wire.len;) {
        size_t end = at + slice_find(slice_from(wire, at), '\n'), seen = 0;
        bool dots = true, nul = false, alone = false;
        for (size_t i = at; i + 1 < end; i++) {
            nul |= wire.at[i] == '\0';
            alone |= nul && i == at + 1 && wire.at[at] == '.';
            dots &= wire.at[i] == '\0' || wire.at[i] == '.';
            seen += wire.at[i] == '.';
        }
        assert(!alone && !(dots && seen == 1));
        at = end + 1;
    }
}

static void relaying_keeps_one_message(struct slice content)
{
    struct buf wire, again;
    struct dot dot;
    buf_init(&wire, 3 * content.len + 16);
    buf_init(&again, 3 * content.len + 16);
    run_encoder(&content, 1, &wire);
    newlines_are_real(buf_slice(&wire));
    one_line_is_a_dot(buf_slice(&wire));
    const struct slice sent = buf_slice(&wire);
    decode(&sent, 1, false, &dot, &again);
    assert(dot.ended && dot.bare_lf == 0 && dot.bare_cr == 0);
    /* Once sent it does not change any more. */
    struct buf wire_again;
    buf_init(&wire_again, 3 * content.len + 16);
    const struct slice received = buf_slice(&again);
    run_encoder(&received, 1, &wire_again);
    assert(slice_equal(buf_slice(&wire_again), sent));
    buf_drop(&wire_again);
    buf_drop(&again);
    buf_drop(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len);
    struct buf seen;
    struct dot dot;
    const size_t cut = choice_take(&input);
    input = slice_head(input, 2048);
    assert_split_changes_nothing(run_data, input, cut, &seen);
    buf_drop(&seen);
    assert_split_changes_nothing(run_bdat, input, cut, &seen);
    buf_drop(&seen);
    assert_split_changes_nothing(run_encoder, input, cut, &seen);
    buf_drop(&seen);
    relaying_keeps_one_message(input);
    buf_init(&seen, 4096 + 16 * input.len);
    decode(&input, 1, true, &dot, &seen);
    newlines_are_real(buf_slice(&seen));
    buf_drop(&seen);
    return 0;
}
