#include "journal/summary.h"

#include "base/calendar.h"
#include "base/text.h"
#include "core/say.h"
#include "core/finding.h"
#include "journal/words.h"
#include "wire/command.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

/* --- making -------------------------------------------------------------------------------------------- */

static void list_add(struct slice **list, size_t *count, struct slice text)
{
    for (size_t i = 0; i < *count; i++)
        if (slice_equal((*list)[i], text))
            return;
    if (*count < SUMMARY_LIST)
        (*list)[(*count)++] = text;
}

/* What is said because of earlier refusals. */
static bool is_consequence(uint64_t number)
{
    return number == SAY_NO_RECIPIENTS || number == SAY_NEED_MAIL || number == SAY_TOO_MANY_ERRORS ||
           number == SAY_TOO_MUCH_JUNK || number == SAY_IDLE_TOO_LONG || number == SAY_SHUTTING_DOWN ||
           number == SAY_HEADER_AS_COMMAND;
}

static void cause_reply(struct summary_cause *cause, const struct summary *summary,
                        const struct event_reply_sent *reply, struct slice first_line)
{
    cause->number = reply->number;
    cause->code = reply->code;
    cause->reply = first_line;
    cause->of_mail = summary->mail_at_hand;
}

/* What was refused first counts, but for what follows from it, and for what was no mail. */
static bool is_better(const struct summary_cause *first, const struct summary *summary, uint64_t number)
{
    if (!first->number || is_consequence(first->number))
        return true;
    return !first->of_mail && summary->mail_at_hand && !is_consequence(number);
}

static void take_reply(struct summary *summary, const struct event_reply_sent *reply)
{
    size_t end = slice_find(reply->text, '\r');
    const struct slice line = slice_head(reply->text, end == SLICE_NOT_FOUND ? reply->text.len : end);
    /* The answer to a verdict comes next; a goodbye (221) may be one. */
    if (summary->cause.verdict && !summary->cause.number)
        cause_reply(&summary->cause, summary, reply, line);
    if (reply->code < 400)
        return;
    if (is_better(&summary->first, summary, reply->number))
        cause_reply(&summary->first, summary, reply, line);
    summary->number = reply->number;
    summary->code = reply->code;
    summary->reply = line;
}

static void take_verdict(struct summary *summary, const struct event_verdict *verdict)
{
    unsigned strength = action_strength((enum action)verdict->verdict);
    bool weaker = strength < action_strength((enum action)summary->verdict);
    if (!verdict->verdict || verdict->observed || weaker)
        return;
    summary->verdict = verdict->verdict;
    summary->stage = verdict->stage;
    summary->reason = verdict->reason;
    if (verdict->verdict == ACTION_SLOW)
        return;
    summary->cause = (struct summary_cause){
        .verdict = verdict->verdict,
        .finding = verdict->finding,
        .reason = verdict->reason,
        .sum = verdict->sum,
        .threshold = verdict->threshold,
        .parts = verdict->parts,
    };
}

static void take_proxied(struct summary *summary, const struct event_session_proxied *proxied)
{
    summary->peer = proxied->peer;
    if (proxied->name.len)
        summary->ptr = proxied->name;
    if (proxied->helo.len)
        summary->helo = proxied->helo;
}

static void take_mail(struct summary *summary, const struct event_mail_started *mail)
{
    summary->tried++;
    if (!summary->has_sender)
        summary->sender = mail->sender;
    summary->has_sender = true;
}

static void take_ended(struct summary *summary, const struct event_session_ended *ended)
{
    summary->ended = true;
    summary->peer = ended->peer;
    summary->ptr = ended->ptr;
    summary->helo = ended->helo;
    summary->tried = ended->tried;
    summary->accepted = ended->accepted;
    summary->octets = ended->octets_in;
    summary->took_ms = ended->took_ms;
    summary->why = ended->why;
}

/* A session that goes on has no session_ended yet that tells its HELO. */
static void take_line(struct summary *summary, const struct event_line_received *line)
{
    struct command command;
    command_parse(line->text, &command);
    summary->mail_at_hand = command.verb == VERB_MAIL || command.verb == VERB_RCPT ||
                            command.verb == VERB_DATA || command.verb == VERB_BDAT;
    bool greeting = slice_starts_fold(line->text, SLICE("HELO ")) ||
                    slice_starts_fold(line->text, SLICE("EHLO "));
    if (greeting && !summary->ended)
        summary->helo = slice_trim(slice_from(line->text, 5));
}

static void take_delivered(struct summary *summary, const struct event_delivered *delivered)
{
    if (!summary->delivered++)
        summary->delivered_to = delivered->target;
    if (summary->deferred)
        summary->deferred--;
}

static void take(struct summary *summary, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened:
        summary->opened = true;
        summary->began_us = event->stamp.unix_us;
        summary->peer = body->session_opened.peer;
        break;
    case EVENT_KIND_session_proxied: take_proxied(summary, &body->session_proxied); break;
    case EVENT_KIND_line_received: take_line(summary, &body->line_received); break;
    case EVENT_KIND_reply_sent: take_reply(summary, &body->reply_sent); break;
    case EVENT_KIND_verdict: take_verdict(summary, &body->verdict); break;
    case EVENT_KIND_mail_started: take_mail(summary, &body->mail_started); break;
    case EVENT_KIND_message_received:
        summary->mail_at_hand = true;
        if (!summary->content)
            summary->content = body->message_received.octets;
        break;
    case EVENT_KIND_finding:
        summary->ehlo_left = summary->ehlo_left || body->finding.finding == FIND_EHLO_NO_HELO;
        break;
    case EVENT_KIND_message_discarded: summary->discarded++; break;
    case EVENT_KIND_message_failed: summary->failed = body->message_failed.reason; break;
    case EVENT_KIND_session_ended: take_ended(summary, &body->session_ended); break;
    case EVENT_KIND_delivered: take_delivered(summary, &body->delivered); break;
    case EVENT_KIND_delivery_deferred:
        summary->deferred += body->delivery_deferred.attempts <= 1;
        summary->trouble = body->delivery_deferred.reason;
        break;
    case EVENT_KIND_delivery_failed:
        summary->undeliverable++;
        summary->deferred -= summary->deferred > 0;
        summary->trouble = body->delivery_failed.reason;
        break;
    default: break;
    }
}

static void take_lists(const struct history *history, struct arena *arena, struct summary *summary)
{
    size_t recipients = 0, findings = 0;
    for (size_t i = 0; i < history->count; i++) {
        recipients += history->events[i].kind == EVENT_KIND_recipient_judged;
        findings += history->events[i].kind == EVENT_KIND_finding;
    }
    summary->recipients = arena_take(arena, (recipients + 1) * sizeof(struct slice));
    summary->findings = arena_take(arena, (findings + 1) * sizeof(struct slice));
    for (size_t i = 0; i < history->count; i++) {
        const struct event *event = &history->events[i];
        if (event->kind == EVENT_KIND_recipient_judged)
            list_add(&summary->recipients, &summary->recipient_count, event->body.recipient_judged.recipient);
        if (event->kind == EVENT_KIND_finding)
            list_add(&summary->findings, &summary->finding_count,
                     slice_text(journal_finding_word(event->body.finding.finding)));
    }
}

/* Where there was no mail, that it was closed for what it did counts more than what it asked for first. */
static struct summary_cause cause_without_verdict(const struct summary *summary)
{
    struct summary_cause cause = summary->first;
    if (cause.of_mail || (summary->number != SAY_TOO_MANY_ERRORS && summary->number != SAY_TOO_MUCH_JUNK))
        return cause;
    cause.number = summary->number;
    cause.code = summary->code;
    cause.reply = summary->reply;
    return cause;
}

void summary_make(const struct history *history, struct arena *arena, struct summary *ret_summary)
{
    struct summary *summary = ret_summary;
    *summary = (struct summary){.session = history->session};
    summary->began_us = event_id_unix_ms(history->session) * 1000;
    for (size_t i = 0; i < history->count; i++)
        take(summary, &history->events[i]);
    if (!summary->cause.verdict)
        summary->cause = cause_without_verdict(summary);
    take_lists(history, arena, summary);
}

/* --- for programs -------------------------------------------------------------------------------------- */

static void put_list(struct json *json, const char *key, const struct slice *list, size_t count)
{
    json_key(json, key);
    json_array_open(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, list[i]);
    json_array_close(json);
}

void summary_json(const struct summary *summary, struct slice sentence, struct buf *out)
{
    struct json json;
    char id[EVENT_ID_SIZE], time[CALENDAR_TEXT_SIZE], address[ADDRESS_TEXT_SIZE];
    event_id_print(summary->session, id);
    size_t time_len = calendar_print_iso(summary->began_us / 1000, 0, time);
    size_t address_len = address_print(&summary->peer, address);
    json_begin(&json, out);
    json_object_open(&json);
    json_put_text(&json, "id", slice_text(id));
    json_put_text(&json, "time", slice_of(time, time_len));
    json_put_text(&json, "address", slice_of(address, address_len));
    json_put_text(&json, "ptr", summary->ptr);
    json_put_text(&json, "helo", summary->helo);
    json_put_text(&json, "from", summary->sender);
    put_list(&json, "to", summary->recipients, summary->recipient_count);
    put_list(&json, "findings", summary->findings, summary->finding_count);
    json_put_text(&json, "verdict", slice_text(journal_verdict_word(summary->verdict)));
    json_put_text(&json, "reply", summary->reply);
    json_put_u64(&json, "number", summary->number);
    json_put_u64(&json, "octets", summary->octets);
    json_key(&json, "seconds");
    json_decimal(&json, (int64_t)summary->took_ms, 3);
    if (sentence.len)
        json_put_text(&json, "sentence", sentence);
    json_object_close(&json);
    json_end(&json);
}
