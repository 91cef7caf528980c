#include "wire/dot.h"

#include "wire/plain.h"

#include <assert.h>

/*
 * data = *( [ "." ] line CRLF ) "." CRLF        ; the dot in front of lines that begin with one
 *
 * A line of NULs and a dot cannot be sent so that every receiver takes it for content: NUL "." is an end for
 * one that drops NULs, "." NUL "." for one that takes NUL for the end of a string. So these NULs do not
 * leave. No message may hold any (RFC 2045 sections 2.7 and 2.8).
 */

enum state {
    STATE_LINE, /* at the begin of a line; encoder->nuls are held back. Zero: the begin of a message */
    STATE_NULS, /* NULs that were held back are being given out */
    STATE_TEXT,
    STATE_CR, /* a CR held back */
    STATE_ENDED
};

static const char nul_block[64];

struct run {
    struct dot_encoder *encoder;
    struct dot_out *out;
    struct slice input;
    size_t from, at; /* [from, at): not given out yet */
};

static void run_give(struct run *run, const char *at, size_t len)
{
    if (len == 0)
        return;
    assert(run->out->count < DOT_PIECES);
    run->out->pieces[run->out->count++] = slice_of(at, len);
    run->encoder->octets += len;
}

static void run_flush(struct run *run, size_t until)
{
    run_give(run, run->input.at + run->from, until - run->from);
    run->from = run->at;
}

static void step_line(struct run *run)
{
    struct dot_encoder *encoder = run->encoder;
    char octet = run->input.at[run->at];
    if (octet == '\0') {
        encoder->nuls++;
        run->at++;
        run_flush(run, run->at - 1);
        return;
    }
    if (octet == '.')
        encoder->nuls = 0;
    encoder->state = encoder->nuls ? STATE_NULS : STATE_TEXT;
    if (octet != '.')
        return;
    run_flush(run, run->at);
    run_give(run, ".", 1);
}

static void step_nuls(struct run *run)
{
    struct dot_encoder *encoder = run->encoder;
    size_t len = encoder->nuls < sizeof nul_block ? (size_t)encoder->nuls : sizeof nul_block;
    run_give(run, nul_block, len);
    encoder->nuls -= len;
    if (encoder->nuls == 0)
        encoder->state = STATE_TEXT;
}

static void step_text(struct run *run)
{
    struct slice input = run->input;
    run->at += plain_len(slice_from(input, run->at));
    while (run->at < input.len && input.at[run->at] != '\n' && input.at[run->at] != '\r')
        run->at++;
    if (run->at == input.len)
        return;
    run->at++;
    if (input.at[run->at - 1] == '\r') {
        run->encoder->state = STATE_CR;
        return;
    }
    run_flush(run, run->at - 1);
    run_give(run, "\r\n", 2);
    run->encoder->state = STATE_LINE;
}

static void step_cr(struct run *run)
{
    bool here = run->at > run->from;
    bool real = run->input.at[run->at] == '\n';
    run->encoder->state = STATE_LINE;
    if (real)
        run->at++;
    if (real && here)
        return;
    size_t until = run->at - (real ? 1 : 0) - (here ? 1 : 0);
    run_flush(run, until);
    run_give(run, "\r\n", 2);
}

static void run_step(struct run *run)
{
    switch ((enum state)run->encoder->state) {
    case STATE_LINE: step_line(run); break;
    case STATE_NULS: step_nuls(run); break;
    case STATE_TEXT: step_text(run); break;
    case STATE_CR: step_cr(run); break;
    case STATE_ENDED: assert(!"nothing follows the end"); break;
    }
}

size_t dot_encode(struct dot_encoder *encoder, struct slice content, struct dot_out *ret_out)
{
    struct run run = {.encoder = encoder, .out = ret_out, .input = content};
    ret_out->count = 0;
    ret_out->end = false;
    while (run.at < content.len && ret_out->count + 3 <= DOT_PIECES)
        run_step(&run);
    bool held = encoder->state == STATE_CR && run.at > run.from;
    run_flush(&run, held ? run.at - 1 : run.at);
    return run.at;
}

void dot_encode_end(struct dot_encoder *encoder, struct dot_out *ret_out)
{
    struct run run = {.encoder = encoder, .out = ret_out};
    assert(encoder->state != STATE_ENDED);
    ret_out->count = 0;
    ret_out->end = false;
    if (encoder->nuls > 0)
        encoder->state = STATE_NULS;
    while (encoder->state == STATE_NULS && ret_out->count + 2 <= DOT_PIECES)
        step_nuls(&run);
    if (encoder->state == STATE_NULS || ret_out->count + 2 > DOT_PIECES)
        return;
    if (encoder->state != STATE_LINE)
        run_give(&run, "\r\n", 2);
    run_give(&run, ".\r\n", 3);
    encoder->state = STATE_ENDED;
    ret_out->end = true;
}
