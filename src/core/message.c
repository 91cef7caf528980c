/* The content comes in and passes by once: dots out, counts, header, digest, spool. Nothing holds it whole.
 */
#include "core/machine.h"

#include "base/memory.h"

static struct header_limits header_limits(const struct session *session)
{
    const struct settings *set = &session->world->site->set;
    return (struct header_limits){.count_max = (uint32_t)set->limit_header_fields,
                                  .size_max = (uint32_t)set->limit_header,
                                  .value_max = 512,
                                  .received_max = forwarder_is_read(session) ? HEADER_RECEIVED_MAX : 0};
}

/* Our Received field goes ahead of the content, and Received-SPF ahead of that (RFC 7208 section 9.1). */
static void spool_begin(struct step *step)
{
    struct session *session = step->session;
    struct mail *mail = session->mail;
    struct slice field = received_field(session, &mail->transaction, step->input->unix_us, &mail->arena);
    step_act(step, OUTBOX_SPOOL_BEGIN);
    if (mail->spf_field.len)
        step_act(step, OUTBOX_SPOOL)->octets = mail->spf_field;
    step_act(step, OUTBOX_SPOOL)->octets = field;
    mail->intake->spooling = true;
}

void message_begin(struct step *step, bool chunked)
{
    struct session *session = step->session;
    const struct settings *set = &session->world->site->set;
    struct intake *intake = memory_take(sizeof *intake);
    session->mail->intake = intake;
    intake->started_ms = session->tick_ms;
    dot_init(&intake->dot, set->message_bare_newline == BARE_NEWLINE_REJECT ? DOT_REJECT : DOT_NORMALISE,
             chunked, 0);
    header_init(&intake->header, header_limits(session), &session->mail->arena);
    intake->digest = session->world->digest->start(DIGEST_SHA256);
    spool_begin(step);
}

void message_cancel(struct step *step)
{
    struct mail *mail = step->session->mail;
    if (!mail || !mail->intake || !mail->intake->spooling)
        return;
    mail->intake->spooling = false;
    step_act(step, OUTBOX_SPOOL_CANCEL);
}

/* The header first; what stands behind its end is the body. `octets` holds the piece's already. */
static void body_take(struct intake *intake, struct slice piece)
{
    const uint64_t before = intake->octets - piece.len;
    if (!intake->header.done)
        header_feed(&intake->header, piece);
    if (!intake->header.done || intake->body.seen == BODY_TEXT_MAX)
        return;
    body_text_add(
        &intake->body,
        slice_from(piece, intake->header.size > before ? (size_t)(intake->header.size - before) : 0));
}

/* A message over the limit is read to its end, so that the reply stands where the client looks for it, but
 * kept no longer. */
static void piece_take(struct step *step, struct slice piece)
{
    struct session *session = step->session;
    struct intake *intake = session->mail->intake;
    intake->octets += piece.len;
    if (intake->octets > session->world->site->set.limit_message) {
        intake->too_big = true;
        message_cancel(step);
    }
    body_take(intake, piece);
    if (!intake->spooling)
        return;
    session->world->digest->add(intake->digest, piece);
    step_act(step, OUTBOX_SPOOL)->octets = piece;
}

static void pieces_take(struct step *step, const struct dot_out *out)
{
    for (size_t i = 0; i < out->count; i++)
        piece_take(step, out->pieces[i]);
}

/* Several rounds of pieces fit into one outbox; the rest is offered again. */
#define ROUNDS 6

size_t message_take(struct step *step, struct slice octets)
{
    struct dot_out out = {.end = false};
    size_t taken = 0;
    struct dot *dot = &step->session->mail->intake->dot;
    for (int i = 0; i < ROUNDS && taken < octets.len && !out.end; i++) {
        taken += dot_decode(dot, slice_from(octets, taken), &out);
        pieces_take(step, &out);
    }
    if (out.end) {
        step->session->overlapped = false;
        overlap_note(step, slice_from(octets, taken));
        finish_run(step);
    }
    return taken;
}

static void chunk_end(struct step *step)
{
    struct session *session = step->session;
    struct intake *intake = session->mail->intake;
    if (session->chunk_last) {
        struct dot_out out;
        dot_finish(&intake->dot, &out);
        pieces_take(step, &out);
        session->overlapped = false;
        finish_run(step);
        return;
    }
    char text[64];
    struct arena arena;
    arena_init(&arena, text, sizeof text);
    session_set_state(step, STATE_BDAT);
    say_with(step, SAY_CHUNK_OK, arena_format(&arena, "%llu", (unsigned long long)intake->chunked),
             SLICE_NONE);
    arena_drop(&arena);
}

static size_t chunk_decode(struct step *step, struct slice octets)
{
    struct dot_out out;
    size_t taken = 0;
    struct dot *dot = &step->session->mail->intake->dot;
    for (int i = 0; i < ROUNDS && taken < octets.len; i++) {
        taken += dot_decode(dot, slice_from(octets, taken), &out);
        pieces_take(step, &out);
    }
    return taken;
}

static void chunk_taken(struct step *step, size_t taken)
{
    struct session *session = step->session;
    session->chunk_left -= taken;
    if (!session->chunk_discard)
        session->mail->intake->chunked += taken;
    if (session->chunk_left)
        return;
    if (session->chunk_discard)
        session_set_state(step, session_rest_state(session));
    else
        chunk_end(step);
}

size_t chunk_take(struct step *step, struct slice octets)
{
    const struct session *session = step->session;
    octets = slice_head(octets, session->chunk_left < octets.len ? (size_t)session->chunk_left : octets.len);
    size_t taken = session->chunk_discard ? octets.len : chunk_decode(step, octets);
    chunk_taken(step, taken);
    return taken;
}

/* --- without the octets -------------------------------------------------------------------------------- */

static void content_count(struct step *step, const struct content *content)
{
    struct intake *intake = step->session->mail->intake;
    intake->facts = content->facts;
    intake->octets = content->octets;
    if (intake->octets <= step->session->world->site->set.limit_message)
        return;
    intake->too_big = true;
    message_cancel(step);
}

static size_t content_chunk(struct step *step, const struct content *content)
{
    struct session *session = step->session;
    size_t taken = session->chunk_left < content->count ? (size_t)session->chunk_left : content->count;
    if (!session->chunk_discard)
        content_count(step, content);
    chunk_taken(step, taken);
    return taken;
}

size_t content_take(struct step *step, const struct content *content)
{
    struct session *session = step->session;
    if (session->pending)
        return 0;
    if (session->state == STATE_CHUNK)
        return content_chunk(step, content);
    if (session->state != STATE_DATA)
        return 0;
    content_count(step, content);
    if (content->end) {
        session->overlapped = false;
        overlap_note(step, content->behind);
        finish_run(step);
    }
    return content->count;
}
