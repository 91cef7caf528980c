#include "wire/dot.h"

#include "wire/plain.h"

#include <assert.h>

/*
 * data    = *line "." CRLF                      ; the end, right behind a CRLF or at the very begin
 * line    = ( text / "." text ) CRLF            ; the first dot is taken out
 * text    = *octet                              ; may hold bare CR and bare LF: each gives CRLF, and what
 * follows ; it is still the same line as far as dots go
 *
 * So a dot counts at one place only, behind a real CRLF; and it ends the data only when a real CRLF follows.
 * LF.CRLF, CR.CRLF, CRLF.LF, CRLF.CR and CRLF NUL.CRLF end nothing.
 */

enum state {
    STATE_LINE,  /* at the begin, or behind a real CRLF */
    STATE_TEXT,  /* within a line */
    STATE_CR,    /* within a line, a CR held back */
    STATE_DOT,   /* behind the first dot of a line, which was taken out */
    STATE_DOT_CR /* the same, and a CR held back */
};

/* One call at work: octets [from, at) of the input are content that was not given out yet. */
struct run {
    struct dot *dot;
    struct dot_out *out;
    const char *input;
    size_t from, at;
};

static void run_give(struct run *run, const char *at, size_t len)
{
    if (len == 0)
        return;
    assert(run->out->count < DOT_PIECES);
    run->out->pieces[run->out->count++] = slice_of(at, len);
    run->dot->octets += len;
}

/* Gives out what is due before `until`, and goes on behind the octet at hand. */
static void run_flush(struct run *run, size_t until)
{
    run_give(run, run->input + run->from, until - run->from);
    run->from = run->at;
}

static void line_ends(struct dot *dot)
{
    dot->lines++;
    dot->lines_over += dot->line_len > dot->line_max;
    dot->line_len = 0;
}

/* A CRLF in the place of something else, or of a CR that came with an earlier call. */
static void run_give_crlf(struct run *run)
{
    run_give(run, "\r\n", 2);
    line_ends(run->dot);
}

static void real_crlf(struct dot *dot)
{
    dot->state = dot->plain ? STATE_TEXT : STATE_LINE;
}

/* Octets up to the next CR or LF are content as they are. */
static void step_text(struct run *run, size_t len)
{
    struct dot *dot = run->dot;
    size_t nul = 0, eight_bit = 0;
    size_t at = run->at + plain_len(slice_of(run->input + run->at, len - run->at));
    for (; at < len && run->input[at] != '\n' && run->input[at] != '\r'; at++) {
        nul += run->input[at] == '\0';
        eight_bit += (unsigned char)run->input[at] > 127;
    }
    dot->line_len += at - run->at;
    dot->nul += nul;
    dot->eight_bit += eight_bit;
    run->at = at;
    if (at == len)
        return;
    if (run->input[at] == '\r') {
        dot->state = STATE_CR;
        run->at++;
        return;
    }
    dot->bare_lf++;
    run->at++;
    run_flush(run, at);
    run_give_crlf(run);
}

/* The CR is the last octet of the run, or came with an earlier call (then the run is empty). */
static void step_cr(struct run *run)
{
    bool here = run->at > run->from;
    if (run->input[run->at] != '\n') {
        run->dot->bare_cr++;
        run_flush(run, here ? run->at - 1 : run->at);
        run_give_crlf(run);
        run->dot->state = STATE_TEXT;
        return;
    }
    run->at++;
    if (here) {
        line_ends(run->dot);
    } else {
        run->from = run->at;
        run_give_crlf(run);
    }
    real_crlf(run->dot);
}

static void step_line(struct run *run)
{
    if (run->input[run->at] != '.') {
        run->dot->state = STATE_TEXT;
        return;
    }
    run->at++;
    run_flush(run, run->at - 1);
    run->dot->state = STATE_DOT;
}

static void step_dot(struct run *run)
{
    if (run->input[run->at] != '\r') {
        run->dot->state = STATE_TEXT;
        return;
    }
    run->from = ++run->at;
    run->dot->state = STATE_DOT_CR;
}

static void step_dot_cr(struct run *run)
{
    if (run->input[run->at] == '\n') {
        run->from = ++run->at;
        run->dot->ended = true;
        run->out->end = true;
        return;
    }
    run->dot->bare_cr++;
    run_give_crlf(run);
    run->dot->state = STATE_TEXT;
}

static void run_step(struct run *run, size_t len)
{
    switch ((enum state)run->dot->state) {
    case STATE_LINE: step_line(run); break;
    case STATE_TEXT: step_text(run, len); break;
    case STATE_CR: step_cr(run); break;
    case STATE_DOT: step_dot(run); break;
    case STATE_DOT_CR: step_dot_cr(run); break;
    }
}

void dot_init(struct dot *dot, enum dot_mode mode, bool plain, size_t line_max)
{
    *dot = (struct dot){.mode = (uint8_t)mode, .plain = plain, .state = plain ? STATE_TEXT : STATE_LINE};
    dot->line_max = line_max && line_max < UINT32_MAX ? (uint32_t)line_max : DOT_LINE_MAX;
}

size_t dot_decode(struct dot *dot, struct slice input, struct dot_out *ret_out)
{
    assert(!dot->ended);
    struct run run = {.dot = dot, .out = ret_out, .input = input.at};
    ret_out->count = 0;
    ret_out->end = false;
    /* A step gives out two pieces at most, and one may be left over for the end of the call. */
    while (run.at < input.len && !ret_out->end && ret_out->count + 3 <= DOT_PIECES)
        run_step(&run, input.len);
    bool held = dot->state == STATE_CR && run.at > run.from;
    run_flush(&run, held ? run.at - 1 : run.at);
    return run.at;
}

void dot_finish(struct dot *dot, struct dot_out *ret_out)
{
    struct run run = {.dot = dot, .out = ret_out};
    assert(dot->plain);
    ret_out->count = 0;
    ret_out->end = true;
    if (dot->state == STATE_CR) {
        dot->bare_cr++;
        run_give_crlf(&run);
        dot->state = STATE_TEXT;
    } else if (dot->line_len > dot->line_max) {
        dot->lines_over++;
    }
    dot->ended = true;
}

bool dot_refused(const struct dot *dot)
{
    return dot->mode == DOT_REJECT && dot->bare_lf + dot->bare_cr > 0;
}
