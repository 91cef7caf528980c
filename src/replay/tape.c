#include "replay/tape.h"

#include "base/memory.h"
#include "core/event.h"
#include "core/finding.h"
#include "core/say.h"
#include "replay/tape_part.h"

#include <string.h>

#define OCTETS_MAX (64u * 1024u * 1024u)

void tape_init(struct tape *tape)
{
    *tape = (struct tape){.session = 0};
    arena_init(&tape->arena, NULL, 0);
    buf_init(&tape->octets, OCTETS_MAX);
}

void tape_drop(struct tape *tape)
{
    memory_give(tape->inputs, tape->inputs_room * sizeof *tape->inputs);
    memory_give(tape->questions, tape->questions_room * sizeof *tape->questions);
    memory_give(tape->pieces, tape->pieces_room * sizeof *tape->pieces);
    memory_give(tape->replies, tape->replies_room * sizeof *tape->replies);
    memory_give(tape->verdicts, tape->verdicts_room * sizeof *tape->verdicts);
    memory_give(tape->sums, tape->sums_room * sizeof *tape->sums);
    buf_drop(&tape->octets);
    arena_drop(&tape->arena);
}

/* Room for one more, zeroed. */
#define LIST_ADD(tape, name)                                                                                 \
    ((tape)->name##_count == (tape)->name##_room                                                             \
         ? ((tape)->name = list_widen((tape)->name, &(tape)->name##_room, sizeof *(tape)->name))             \
         : (tape)->name,                                                                                     \
     memset(&(tape)->name[(tape)->name##_count], 0, sizeof *(tape)->name),                                   \
     &(tape)->name[(tape)->name##_count++])

static void *list_widen(void *list, uint32_t *room, size_t size)
{
    uint32_t wider = *room ? *room * 2 : 32;
    list = memory_resize(list, *room * size, wider * size);
    *room = wider;
    return list;
}

static void tape_clear(struct tape *tape)
{
    arena_drop(&tape->arena);
    buf_clear(&tape->octets);
    tape->inputs_count = tape->questions_count = tape->pieces_count = 0;
    tape->replies_count = tape->verdicts_count = tape->sums_count = 0;
    tape->name = tape->helo = tape->sender = tape->recipient = SLICE_NONE;
    tape->accepted = 0;
    tape->ended = false;
}

/* --- inputs -------------------------------------------------------------------------------------------- */

static struct tape_input *input_add(struct reading *reading, enum tape_kind kind, uint64_t at)
{
    struct tape_input *input = LIST_ADD(reading->tape, inputs);
    reading->at = at ? at - 1 : reading->at;
    input->kind = kind;
    input->at = reading->at;
    input->unix_us = reading->event->stamp.unix_us;
    input->heard = reading->tape->replies_count;
    return input;
}

static void opened(struct reading *reading)
{
    const struct event_session_opened *body = &reading->event->body.session_opened;
    struct tape *tape = reading->tape;
    tape->session = reading->event->stamp.session;
    tape->opened_us = reading->event->stamp.unix_us;
    tape->peer = body->peer;
    tape->opened = (struct opened){
        .peer = body->peer,
        .local = body->local,
        .fingerprint = body->fingerprint,
        .sequence = body->sequence,
        .slots_used = body->slots_used,
        .host_used = body->host_used,
        .network_used = body->network_used,
        .host_rate = body->host_rate,
        .network_rate = body->network_rate,
        .carried = (uint32_t)(body->terms >> TERMS_CARRIED) & CARRY_ALL,
        .tls_offered = body->terms & TERMS_TLS,
        .proxy = body->terms & TERMS_PROXY,
        .short_of_memory = body->terms & TERMS_NO_MEMORY,
        .own_list = body->terms & TERMS_OWN_LIST,
    };
    if (!(body->terms & TERMS_RECORDED))
        reading->status = TAPE_OLD;
}

static void octets_received(struct reading *reading)
{
    const struct event_octets_received *body = &reading->event->body.octets_received;
    reading->arrived += body->count;
    reading->message_ended = false;
    input_add(reading, TAPE_OCTETS, body->at)->octets = reading->arrived;
}

/* What was used up later than the last input came was offered again. */
static void taken_at(struct reading *reading, uint64_t at)
{
    if (at && at - 1 > reading->at)
        input_add(reading, TAPE_OFFER, at);
}

static void question_asked(struct reading *reading)
{
    const struct event_question_asked *body = &reading->event->body.question_asked;
    struct tape_question *question = LIST_ADD(reading->tape, questions);
    question->kind = (enum ask_kind)body->kind;
    question->key = arena_copy(&reading->tape->arena, body->key);
    question->asked = reading->at;
    question->input = TAPE_NONE;
}

static struct tape_question *question_open(struct tape *tape, uint64_t kind, struct slice key)
{
    for (uint32_t i = tape->questions_count; i-- > 0;) {
        struct tape_question *question = &tape->questions[i];
        if (question->kind == kind && !question->status && slice_equal(question->key, key))
            return question;
    }
    return NULL;
}

static void question_answered(struct reading *reading)
{
    const struct event_question_answered *body = &reading->event->body.question_answered;
    struct tape *tape = reading->tape;
    struct tape_question *question = question_open(tape, body->kind, body->key);
    if (!question || !body->status || body->status > ANSWER_TIMEOUT) {
        reading->status = TAPE_BROKEN;
        return;
    }
    question->status = (enum answer_status)body->status;
    question->value = arena_copy(&tape->arena, body->value);
    question->took = body->took_ms;
    if (!body->at)
        return;
    struct tape_input *input = input_add(reading, TAPE_ANSWER, body->at);
    question->input = tape->inputs_count - 1;
    input->question = (uint32_t)(question - tape->questions);
    input->more = body->more;
}

static struct tape_input *input_last(struct tape *tape, enum tape_kind kind)
{
    struct tape_input *last = tape->inputs_count ? &tape->inputs[tape->inputs_count - 1] : NULL;
    return last && last->kind == kind ? last : NULL;
}

static void tls_started(struct reading *reading)
{
    const struct event_tls_started *body = &reading->event->body.tls_started;
    struct arena *arena = &reading->tape->arena;
    struct tape_input *input = input_last(reading->tape, TAPE_TLS_UP);
    if (input)
        input->tls = (struct tls_facts){.version = arena_copy(arena, body->version),
                                        .cipher = arena_copy(arena, body->cipher),
                                        .server_name = arena_copy(arena, body->server_name)};
}

static void message_stored(struct reading *reading)
{
    const struct event_message_stored *body = &reading->event->body.message_stored;
    struct tape_input *input = input_last(reading->tape, TAPE_STORED);
    if (!input)
        return;
    input->stored.queue_id = arena_copy(&reading->tape->arena, body->queue_id);
    input->stored.octets = body->octets;
}

static void message_relayed(struct reading *reading)
{
    const struct event_message_relayed *body = &reading->event->body.message_relayed;
    struct arena *arena = &reading->tape->arena;
    struct tape_input *input = input_last(reading->tape, TAPE_STORED);
    if (!input)
        return;
    input->stored.server = arena_copy(arena, body->server);
    input->stored.code = (uint16_t)body->code;
    input->stored.text = arena_copy(arena, body->reply);
}

static void message_failed(struct reading *reading)
{
    struct tape_input *input = input_last(reading->tape, TAPE_STORED);
    if (input)
        input->stored.text = arena_copy(&reading->tape->arena, reading->event->body.message_failed.reason);
}

/* A reply that goes out slowly has been heard when its last octet has. */
static void dripped(struct reading *reading)
{
    struct tape *tape = reading->tape;
    if (!tape->replies_count)
        return;
    struct tape_reply *reply = &tape->replies[tape->replies_count - 1];
    reply->heard = reading->at;
    tape->inputs[tape->inputs_count - 1].heard = tape->replies_count - 1;
    reading->drips = false;
}

static void session_moved(struct reading *reading)
{
    static const enum tape_kind kinds[] = {[TRACE_TIME] = TAPE_TIME,
                                           [TRACE_PASSED] = TAPE_PASSED,
                                           [TRACE_DRIPPED] = TAPE_DRIPPED,
                                           [TRACE_TLS_UP] = TAPE_TLS_UP,
                                           [TRACE_TLS_FAILED] = TAPE_TLS_FAILED,
                                           [TRACE_STORED] = TAPE_STORED,
                                           [TRACE_CLOSED] = TAPE_CLOSED,
                                           [TRACE_STOP] = TAPE_STOP};
    const struct event_session_moved *body = &reading->event->body.session_moved;
    if (body->what == TRACE_DRIPS) {
        reading->drips = true;
        return;
    }
    if (!body->what || body->what >= sizeof kinds / sizeof *kinds) {
        reading->status = TAPE_BROKEN;
        return;
    }
    struct tape_input *input = input_add(reading, kinds[body->what], body->at);
    reading->message_ended = false;
    if (body->what <= TRACE_DRIPPED)
        input->due = body->due;
    if (body->what == TRACE_STORED)
        input->stored = (struct stored){.status = (enum stored_status)body->status,
                                        .enhanced = arena_copy(&reading->tape->arena, body->enhanced)};
    if (body->what == TRACE_DRIPPED)
        dripped(reading);
}

/* --- what was said ------------------------------------------------------------------------------------- */

static void reply_sent(struct reading *reading)
{
    const struct event_reply_sent *body = &reading->event->body.reply_sent;
    struct tape *tape = reading->tape;
    struct tape_reply *reply = LIST_ADD(tape, replies);
    reply->number = (uint32_t)body->number;
    reply->heard = reading->at;
    if (body->number == SAY_DISK_FULL && reading->line != TAPE_NONE)
        tape->pieces[reading->line].short_of_disk = true;
}

static void verdict(struct reading *reading)
{
    const struct event_verdict *body = &reading->event->body.verdict;
    struct tape *tape = reading->tape;
    reading->half |= reading->carries && body->finding == FIND_FOREIGN_PROTOCOL;
    if (body->parts.len) {
        struct tape_sum *sum = LIST_ADD(tape, sums);
        *sum = (struct tape_sum){tape->replies_count, (uint8_t)body->stage,
                                 arena_copy(&tape->arena, body->parts)};
    }
    if (!body->verdict && !body->observed)
        return;
    struct tape_verdict *verdict = LIST_ADD(tape, verdicts);
    verdict->replies = tape->replies_count;
    verdict->stage = (uint8_t)body->stage;
    verdict->action = (uint8_t)body->verdict;
    verdict->observed = (uint8_t)body->observed;
    verdict->finding = (uint32_t)body->finding;
    verdict->reason = arena_copy(&tape->arena, body->reason);
}

static void ended(struct reading *reading)
{
    const struct event_session_ended *body = &reading->event->body.session_ended;
    struct tape *tape = reading->tape;
    tape->ended = true;
    tape->peer = body->peer;
    tape->name = arena_copy(&tape->arena, body->ptr);
    tape->helo = arena_copy(&tape->arena, body->helo);
    tape->accepted = body->accepted;
}

/* "0 joe@example.org": routes have other numbers under another configuration, but names. */
static void route_note(struct reading *reading, const struct event_recipient_judged *body)
{
    struct tape *tape = reading->tape;
    for (uint32_t i = tape->questions_count; i-- > 0;) {
        struct slice address = tape->questions[i].key, number;
        if (tape->questions[i].kind != ASK_RECIPIENT)
            continue;
        if (slice_cut(&address, ' ', &number) && slice_equal(address, body->recipient))
            tape->questions[i].route = arena_copy(&tape->arena, body->route);
        return;
    }
}

/* The first is the one to show. */
static void envelope(struct reading *reading)
{
    const struct event *event = reading->event;
    struct tape *tape = reading->tape;
    if (event->kind == EVENT_KIND_mail_started && !tape->sender.len && !tape->recipient.len)
        tape->sender = arena_copy(&tape->arena, event->body.mail_started.sender);
    if (event->kind == EVENT_KIND_recipient_judged)
        route_note(reading, &event->body.recipient_judged);
    if (event->kind == EVENT_KIND_recipient_judged && !tape->recipient.len)
        tape->recipient = arena_copy(&tape->arena, event->body.recipient_judged.recipient);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void take(struct reading *reading)
{
    const union event_body *body = &reading->event->body;
    switch ((unsigned)reading->event->kind) {
    case EVENT_KIND_session_opened: opened(reading); break;
    case EVENT_KIND_octets_received: octets_received(reading); break;
    case EVENT_KIND_octets_seen: tape_seen(reading, body->octets_seen.head); break;
    case EVENT_KIND_line_received:
        taken_at(reading, body->line_received.at);
        tape_line(reading, &body->line_received);
        break;
    case EVENT_KIND_octets_taken:
        taken_at(reading, body->octets_taken.at);
        tape_taken(reading, &body->octets_taken);
        break;
    case EVENT_KIND_message_received: tape_message(reading, &body->message_received); break;
    case EVENT_KIND_http_request: tape_http(reading, &body->http_request); break;
    case EVENT_KIND_question_asked: question_asked(reading); break;
    case EVENT_KIND_question_answered: question_answered(reading); break;
    case EVENT_KIND_session_moved: session_moved(reading); break;
    case EVENT_KIND_tls_started: tls_started(reading); break;
    case EVENT_KIND_message_stored: message_stored(reading); break;
    case EVENT_KIND_message_relayed: message_relayed(reading); break;
    case EVENT_KIND_message_failed: message_failed(reading); break;
    case EVENT_KIND_reply_sent: reply_sent(reading); break;
    case EVENT_KIND_verdict: verdict(reading); break;
    case EVENT_KIND_mail_started:
    case EVENT_KIND_recipient_judged: envelope(reading); break;
    case EVENT_KIND_session_ended: ended(reading); break;
    default: break;
    }
}

struct tape_piece *tape_piece_add(struct reading *reading, enum tape_piece_kind kind, uint64_t octets)
{
    struct tape_piece *piece = LIST_ADD(reading->tape, pieces);
    piece->kind = kind;
    piece->from = reading->taken;
    piece->to = reading->taken += octets;
    piece->taken_at = reading->at;
    piece->postponed = input_last(reading->tape, TAPE_OFFER) != NULL;
    piece->buf_from = reading->tape->octets.len;
    return piece;
}

/* While a reply drips, those who speak have not heard it. */
static void heard_correct(struct reading *reading, uint32_t first)
{
    struct tape *tape = reading->tape;
    for (uint32_t i = first; i < tape->inputs_count; i++)
        if (reading->drips && tape->inputs[i].heard == tape->replies_count && tape->replies_count)
            tape->inputs[i].heard--;
}

static void due_link(struct tape *tape)
{
    uint32_t next = TAPE_NONE;
    for (uint32_t i = tape->inputs_count; i-- > 0;) {
        enum tape_kind kind = tape->inputs[i].kind;
        if (kind == TAPE_TIME || kind == TAPE_PASSED || kind == TAPE_DRIPPED)
            next = i;
        tape->inputs[i].due_next = next;
    }
}

enum tape_status tape_read(struct tape *tape, struct slice records)
{
    struct event event;
    size_t size;
    tape_clear(tape);
    struct reading reading = {.tape = tape, .event = &event, .line = TAPE_NONE, .message_first = 0};
    while (records.len && !tape->ended) {
        uint32_t inputs = tape->inputs_count;
        if (event_read(records, &event, &size) != EVENT_DONE)
            return TAPE_BROKEN;
        take(&reading);
        heard_correct(&reading, inputs);
        if (reading.status)
            return reading.status;
        records = slice_from(records, size);
    }
    tape_rest(&reading);
    due_link(tape);
    return tape->ended && reading.taken <= reading.arrived ? TAPE_FINE : TAPE_BROKEN;
}
