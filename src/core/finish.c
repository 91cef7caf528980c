/* The message is complete: judge it, store it or pass it on, answer. */
#include "core/machine.h"

/* --- what we know of it -------------------------------------------------------------------------------- */

static struct slice hexadecimal(const uint8_t *octets, size_t count, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_take(arena, count * 2);
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    return slice_of(text, count * 2);
}

/* Envelope and content together: what makes two attempts the same message. */
static struct slice remembered_key(const struct session *session, struct mail *mail)
{
    const struct digest_driver *driver = session->world->digest;
    const struct transaction *transaction = &mail->transaction;
    struct digest *digest = driver->start(DIGEST_SHA256);
    uint8_t octets[DIGEST_SIZE_MAX];
    driver->add(digest, transaction->sender);
    for (const struct recipient *r = transaction->recipients; r; r = r->next) {
        driver->add(digest, SLICE("\n"));
        driver->add(digest, r->address);
    }
    driver->add(digest, SLICE("\n\n"));
    driver->add(digest, slice_of((const char *)transaction->digest, sizeof transaction->digest));
    driver->finish(digest, octets);
    return hexadecimal(octets, DIGEST_SIZE_MAX, &mail->arena);
}

static void record_message(struct step *step)
{
    struct mail *mail = step->session->mail;
    const struct intake *intake = mail->intake;
    const struct header *header = &intake->header;
    const struct transaction *transaction = &mail->transaction;
    struct slice message_id = header->value[HEADER_MESSAGE_ID];
    char kinds[TRACE_KINDS_SIZE];
    RECORD(step, message_received, .transaction = transaction->number, .octets = intake->octets,
           .digest = hexadecimal(transaction->digest, sizeof transaction->digest, &mail->arena),
           .message_id = slice_head(message_id, 256),
           .subject = slice_head(header->value[HEADER_SUBJECT], 128), .headers = header->count,
           .bare_lf = intake->dot.bare_lf, .bare_cr = intake->dot.bare_cr, .nul = intake->dot.nul,
           .chunks = intake->chunks, .header_octets = header->size, .header_flags = header->flags,
           .header_junk = header->junk_lines, .header_kinds = trace_kinds(header, kinds),
           .date = header->value[HEADER_DATE], .received = trace_received(header, &mail->arena),
           .message_id_rest = slice_from(message_id, message_id.len < 256 ? message_id.len : 256),
           .header_cut = (uint64_t)header->value_cut[HEADER_MESSAGE_ID] << HEADER_MESSAGE_ID |
                         (uint64_t)header->value_cut[HEADER_DATE] << HEADER_DATE,
           .body = intake->facts ? intake->facts->body : body_text_digest(&intake->body));
}

static void find_octets(struct turn *turn, const struct intake *intake)
{
    if (intake->dot.bare_lf || intake->dot.bare_cr)
        turn_find(turn, FIND_BARE_NEWLINE, "line ends other than CRLF in the message");
    if (intake->dot.nul)
        turn_find(turn, FIND_NUL, "NUL octets in the message");
}

/* Once, when the last octet has come. */
static void complete(struct step *step)
{
    struct session *session = step->session;
    struct mail *mail = session->mail;
    struct intake *intake = mail->intake;
    if (mail->key.len)
        return;
    header_end(&intake->header);
    session->world->digest->finish(intake->digest, mail->transaction.digest);
    intake->digest = NULL;
    if (intake->facts)
        trace_content(mail, intake->facts);
    mail->transaction.has_digest = true;
    mail->transaction.octets = intake->octets;
    mail->transaction.received_unix_ms = step->input->unix_us / 1000;
    mail->key = remembered_key(session, mail);
    record_message(step);
    say_within(step, STAGE_MESSAGE);
}

/* --- judging ------------------------------------------------------------------------------------------- */

static void over(struct step *step)
{
    struct session *session = step->session;
    session_drop_stage(step);
    session_drop_mail(step);
    session_set_state(step, session_rest_state(session));
}

static bool too_big(struct turn *turn)
{
    const struct session *session = turn->step->session;
    if (!session->mail->intake->too_big)
        return false;
    say_with(turn->step, SAY_TOO_BIG,
             turn_format(turn, "%llu", (unsigned long long)session->world->site->set.limit_message),
             SLICE_NONE);
    return true;
}

static bool bare_newline_refused(struct turn *turn)
{
    const struct session *session = turn->step->session;
    if (!dot_refused(&session->mail->intake->dot) ||
        networks_contain(&session->world->site->bare_newline, &session->peer))
        return false;
    say(turn->step, SAY_BARE_NEWLINE);
    return true;
}

/* The client hears what it would hear of any message, and nothing is kept. */
static bool discarded(struct turn *turn)
{
    const struct mail *mail = turn->step->session->mail;
    if (!mail->discard && mail->transaction.recipient_count)
        return false;
    RECORD(turn->step, message_discarded, .transaction = mail->transaction.number,
           .recipients = mail->transaction.recipient_count + mail->shed);
    say(turn->step, SAY_MESSAGE_DISCARDED);
    return true;
}

/* True: this very message was taken before, or whether it was is being asked. */
static bool taken_before(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct mail *mail = session->mail;
    if (!session->world->site->set.relay_remember)
        return false;
    const struct ask *ask = turn_ask(turn, ASK_REMEMBERED, mail->key);
    if (!ask)
        return true;
    if (ask->status != ANSWER_FOUND) /* a failed look-up fails open: a duplicate is better than a loss */
        return false;
    RECORD(turn->step, message_remembered, .transaction = mail->transaction.number, .key = mail->key);
    say_with(turn->step, SAY_MESSAGE_REMEMBERED, ask->value, SLICE_NONE);
    session->accepted++;
    return true;
}

static void commit(struct step *step)
{
    struct mail *mail = step->session->mail;
    session_drop_stage(step);
    mail->intake->spooling = false;
    session_set_state(step, STATE_STORING);
    struct outbox_action *action = step_act(step, OUTBOX_COMMIT);
    action->transaction = &mail->transaction;
    action->key = mail->key;
}

/* False: it was answered, or a check waits. */
static bool passes(struct turn *turn)
{
    struct mail *mail = turn->step->session->mail;
    if (mail->judged)
        return true;
    turn->facts.header = &mail->intake->header;
    forwarder_look(turn);
    find_octets(turn, mail->intake);
    mail->judged = !too_big(turn) && !bare_newline_refused(turn) && stage_run(turn, STAGE_MESSAGE);
    return mail->judged;
}

void finish_run(struct step *step)
{
    struct session *session = step->session;
    struct turn turn;
    complete(step);
    turn_init(&turn, step);
    bool answered = !passes(&turn) || discarded(&turn) || taken_before(&turn);
    if (turn.waiting)
        session->pending = PENDING_MESSAGE;
    else if (session->state == STATE_CLOSED)
        ;
    else if (answered)
        over(step);
    else
        commit(step);
    turn_done(&turn);
}

/* --- the answer of storage or of the inner server ------------------------------------------------------ */

static void record_stored(struct step *step, const struct stored *stored)
{
    const struct transaction *transaction = &step->session->mail->transaction;
    uint64_t took_ms = step->session->tick_ms - step->session->active_ms;
    if (stored->status == STORED_KEPT)
        RECORD(step, message_stored, .transaction = transaction->number, .queue_id = stored->queue_id,
               .octets = stored->octets, .took_ms = took_ms);
    else if (stored->code)
        RECORD(step, message_relayed, .transaction = transaction->number, .server = stored->server,
               .code = stored->code, .reply = stored->text, .took_ms = took_ms);
    else
        RECORD(step, message_failed, .transaction = transaction->number, .reason = stored->text);
}

/* The inner server's own code class counts; its enhanced code is kept where it fits. */
static void say_inner(struct step *step, enum say number, const struct stored *stored)
{
    bool refused = number == SAY_MESSAGE_REFUSED_INNER;
    bool fits = stored->enhanced.len > 2 && stored->enhanced.at[0] == (refused ? '5' : '4');
    struct slice enhanced = fits ? stored->enhanced : refused ? SLICE("5.0.0") : SLICE("4.0.0");
    say_with(step, number, enhanced, stored->text);
}

static void say_stored(struct step *step, const struct stored *stored)
{
    switch (stored->status) {
    case STORED_KEPT: say_with(step, SAY_MESSAGE_STORED, stored->queue_id, SLICE_NONE); return;
    case STORED_TAKEN: say_with(step, SAY_MESSAGE_RELAYED, stored->text, SLICE_NONE); return;
    case STORED_REFUSED: say_inner(step, SAY_MESSAGE_REFUSED_INNER, stored); return;
    case STORED_DEFERRED: say_inner(step, SAY_MESSAGE_DEFERRED_INNER, stored); return;
    case STORED_DOWN: say(step, SAY_INNER_DOWN); return;
    case STORED_LATE: say(step, SAY_RECIPIENT_LOST); return;
    case STORED_FAILED: say(step, SAY_NOT_STORED); return;
    case STORED_FULL: say(step, SAY_DISK_FULL); return;
    }
}

/* The client has our 250 when it speaks again or says QUIT; until then what we promised is kept. */
static void promise(struct step *step, const struct stored *stored)
{
    struct session *session = step->session;
    struct mail *mail = session->mail;
    session->accepted++;
    mail->done = true;
    struct slice what = stored->status == STORED_KEPT ? stored->queue_id : stored->text;
    mail->promise = arena_copy(&mail->arena, slice_head(what, 256));
}

void finish_stored(struct step *step)
{
    struct session *session = step->session;
    const struct stored *stored = &step->input->stored;
    if (session->state != STATE_STORING)
        return;
    trace_moved(step, TRACE_STORED);
    record_stored(step, stored);
    bool taken = stored->status == STORED_KEPT || stored->status == STORED_TAKEN;
    if (taken)
        promise(step, stored);
    else
        session->errors++;
    if (!session->gone)
        say_stored(step, stored);
    if (!taken)
        session_drop_mail(step);
    session->active_ms = session->tick_ms;
    session_set_state(step, session_rest_state(session));
    if (session->gone)
        session_close(step, END_CLIENT_CLOSED, SAY_NOTHING);
}
