/* What playing a session again takes, beyond what is recorded for its own sake: when each input came, and of
 * what is not kept how it was. Whatever moves the machine is recorded in the step that it moves. */
#include "core/machine.h"

#include "base/text.h"
#include "wire/foreign.h"
#include "wire/proxy.h"

#include <string.h>

#define SEEN_MAX 600 /* more than names a protocol, and than a PROXY header has */

static_assert(SEEN_MAX > FOREIGN_NEED, "what was seen names a protocol");

uint64_t trace_at(const struct step *step)
{
    return step->session->tick_ms - step->session->opened_ms + 1;
}

uint64_t trace_terms(const struct opened *opened)
{
    return TERMS_RECORDED | (opened->carried & CARRY_ALL) << TERMS_CARRIED |
           (opened->tls_offered ? TERMS_TLS : 0) | (opened->proxy ? TERMS_PROXY : 0) |
           (opened->short_of_memory ? TERMS_NO_MEMORY : 0) | (opened->own_list ? TERMS_OWN_LIST : 0);
}

static uint64_t due_at(const struct step *step)
{
    uint64_t due_ms = step->input->due_ms, opened_ms = step->session->opened_ms;
    return due_ms >= opened_ms && due_ms ? due_ms - opened_ms + 1 : 0;
}

void trace_moved(struct step *step, enum trace_moved what)
{
    bool time = what == TRACE_TIME || what == TRACE_DRIPPED;
    bool stored = what == TRACE_STORED;
    RECORD(step, session_moved, .what = what, .at = trace_at(step), .due = time ? due_at(step) : 0,
           .status = stored ? step->input->stored.status : 0,
           .enhanced = stored ? step->input->stored.enhanced : SLICE_NONE);
}

/* A session that is over waits for nothing. */
void trace_passed(struct step *step)
{
    if (step->session->state != STATE_CLOSED && step->session->state != STATE_NEW)
        RECORD(step, session_moved, .what = TRACE_PASSED, .at = trace_at(step), .due = due_at(step));
}

/* --- octets that are no line --------------------------------------------------------------------------- */

static bool begins_text(struct slice octets)
{
    return (unsigned char)*octets.at >= ' ' && (unsigned char)*octets.at < 0x7f;
}

/* A client that speaks before it is asked may say AUTH: what stands behind it is never recorded. */
static struct slice without_auth(struct slice head)
{
    for (size_t at = 0; at < head.len; at++) {
        struct slice rest = slice_from(head, at);
        bool begins = !at || head.at[at - 1] == '\n';
        if (begins && slice_starts_fold(rest, SLICE("AUTH")) && (rest.len == 4 || rest.at[4] <= ' '))
            return slice_head(head, at + 4);
    }
    return head;
}

static struct slice seen_head(const struct session *session, struct slice octets)
{
    struct slice head = slice_head(octets, SEEN_MAX);
    struct proxy proxy;
    if (session->state == STATE_PROXY && proxy_parse(octets, &proxy) == PROXY_DONE)
        return slice_head(head, proxy.taken); /* what stands behind is looked at by itself */
    size_t end = begins_text(octets) ? slice_find(head, '\n') : SLICE_NOT_FOUND;
    return without_auth(slice_head(head, end == SLICE_NOT_FOUND ? head.len : end + 1));
}

/* Before the first command, where octets may name another protocol or come too early. */
void trace_seen(struct step *step, struct slice octets)
{
    const struct session *session = step->session;
    bool before = session->pending == PENDING_OPENING || session->pending == PENDING_TIME ||
                  session->state == STATE_PROXY || session->state == STATE_GREETED;
    if (!before || session->commands || session->skipping)
        return;
    bool line = session->state == STATE_GREETED && !session->pending &&
                slice_find(octets, '\n') != SLICE_NOT_FOUND && begins_text(octets);
    if (!line)
        RECORD(step, octets_seen, .head = seen_head(session, octets));
}

static enum trace_taken kind_of(enum state before, struct slice taken)
{
    switch (before) {
    case STATE_DATA: return TRACE_CONTENT;
    case STATE_CHUNK: return TRACE_CHUNK;
    case STATE_PROXY: return TRACE_PROXY;
    case STATE_FOREIGN: return TRACE_FOREIGN;
    default: return taken.at[taken.len - 1] == '\n' ? TRACE_LONG_LINE_END : TRACE_LONG_LINE;
    }
}

/* Once the session is over nobody asks. */
void trace_taken(struct step *step, struct slice taken, enum state before)
{
    const struct session *session = step->session;
    const struct intake *intake = session->mail ? session->mail->intake : NULL;
    if (session->state == STATE_CLOSED)
        return;
    if (session->state == STATE_FOREIGN)
        before = STATE_FOREIGN;
    RECORD(step, octets_taken, .count = taken.len, .what = kind_of(before, taken),
           .content = intake ? intake->octets : 0, .at = trace_at(step));
}

/* --- secrets ---------------------------------------------------------------------------------------------
 */

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.at[i];
        if ((octet < ' ' && octet != '\t' && octet != '\r' && octet) || octet == 0x7f)
            return true;
    }
    return false;
}

static uint64_t foreign_shape(struct slice text)
{
    struct foreign foreign;
    (void)foreign_parse(text, true, &foreign);
    return foreign.kind == FOREIGN_NONE ? 0 : foreign.kind == FOREIGN_HTTP ? SHAPE_HTTP : SHAPE_FOREIGN;
}

uint64_t trace_shape(const struct command *command, const struct line *line)
{
    return SHAPE_SECRET | (line->nul ? SHAPE_NUL : 0) | (line->eight_bit ? SHAPE_EIGHT_BIT : 0) |
           (has_control(line->text) ? SHAPE_CONTROL : 0) | (line->bare_cr ? SHAPE_CR : 0) |
           (line->bare_lf ? SHAPE_LF : 0) | (command->header_like ? SHAPE_HEADER : 0) |
           foreign_shape(line->text);
}

/* --- messages ------------------------------------------------------------------------------------------ */

static_assert(HEADER_KIND_COUNT <= 26, "a letter for each");
static_assert(HEADER_KIND_COUNT * 6 <= TRACE_KINDS_SIZE, "a letter and five digits each");

struct slice trace_kinds(const struct header *header, char text[TRACE_KINDS_SIZE])
{
    size_t len = 0;
    for (unsigned kind = 0; kind < HEADER_KIND_COUNT; kind++) {
        char digits[TEXT_UNIT_SIZE];
        if (!header->counts[kind])
            continue;
        text[len++] = (char)('a' + kind);
        size_t count = header->counts[kind] > 1 ? text_print_u64(header->counts[kind], digits) : 0;
        memcpy(text + len, digits, count);
        len += count;
    }
    return slice_of(text, len);
}

/* No value holds a line end. */
struct slice trace_received(const struct header *header, struct arena *arena)
{
    struct slice text = SLICE_NONE;
    for (uint32_t i = 0; i < header->received_count; i++)
        text = arena_join(arena, arena_join(arena, text, header->received[i]), SLICE("\n"));
    return text;
}

void trace_content(struct mail *mail, const struct content_facts *facts)
{
    struct intake *intake = mail->intake;
    struct header *header = &intake->header;
    struct header_limits limits = header->limits;
    intake->octets = facts->octets;
    intake->dot.bare_lf = facts->bare_lf;
    intake->dot.bare_cr = facts->bare_cr;
    intake->dot.nul = facts->nul;
    memcpy(mail->transaction.digest, facts->digest, sizeof mail->transaction.digest);
    header_drop(header);
    *header = *facts->header;
    header->limits = limits;
    if (header->received_count > limits.received_max)
        header->received_count = limits.received_max;
    header->flags &= ~(HEADER_TOO_MANY | HEADER_TOO_LARGE);
    header->flags |= header->count > limits.count_max ? HEADER_TOO_MANY : 0;
    header->flags |= header->size > limits.size_max ? HEADER_TOO_LARGE : 0;
}
