#include "journal/summary.h"

#include "base/calendar.h"
#include "base/text.h"
#include "core/say.h"
#include "core/finding.h"
#include "journal/words.h"
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

static void take_reply(struct summary *summary, const struct event_reply_sent *reply)
{
    if (reply->code < 400)
        return;
    size_t end = slice_find(reply->text, '\r');
    summary->number = reply->number;
    summary->code = reply->code;
    summary->reply = slice_head(reply->text, end == SLICE_NOT_FOUND ? reply->text.len : end);
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
        if (!summary->content)
            summary->content = body->message_received.octets;
        break;
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

void summary_make(const struct history *history, struct arena *arena, struct summary *ret_summary)
{
    struct summary *summary = ret_summary;
    *summary = (struct summary){.session = history->session};
    summary->began_us = event_id_unix_ms(history->session) * 1000;
    for (size_t i = 0; i < history->count; i++)
        take(summary, &history->events[i]);
    take_lists(history, arena, summary);
}

/* --- the sentence -------------------------------------------------------------------------------------- */

static void put(struct buf *out, const char *text)
{
    buf_add(out, slice_text(text));
}

static void put_stranger(struct buf *out, struct slice text)
{
    text_escape(out, slice_head(text, 300), true);
}

/* 1,285 */
static void put_number(struct buf *out, uint64_t number)
{
    char digits[24], text[32];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    buf_add(out, slice_of(text, at));
}

static void put_who(struct buf *out, const struct summary *summary)
{
    char address[ADDRESS_TEXT_SIZE];
    address_print(&summary->peer, address);
    if (summary->ptr.len) {
        put_stranger(out, summary->ptr);
        buf_add_format(out, " [%s]", address);
    } else {
        buf_add_format(out, "[%s]", address);
    }
    if (!summary->helo.len || slice_equal_fold(summary->helo, summary->ptr))
        return;
    put(out, ", which calls itself ");
    put_stranger(out, summary->helo);
    put(out, ",");
}

static void put_path(struct buf *out, struct slice path)
{
    put(out, "<");
    put_stranger(out, path);
    put(out, ">");
}

static void put_envelope(struct buf *out, const struct summary *summary)
{
    if (summary->has_sender) {
        put(out, " from ");
        if (summary->sender.len)
            put_path(out, summary->sender);
        else
            put(out, "the null sender <>");
    }
    if (!summary->recipient_count)
        return;
    put(out, " to ");
    put_path(out, summary->recipients[0]);
    if (summary->recipient_count == 2)
        put(out, " and one other recipient");
    else if (summary->recipient_count > 2)
        buf_add_format(out, " and %zu other recipients", summary->recipient_count - 1);
}

/* The cause out of the catalogue as a part of a sentence: without its dot, and small at its beginning. */
static void put_cause(struct buf *out, const char *cause)
{
    size_t len = strlen(cause);
    bool acronym = len > 1 && cause[1] >= 'A' && cause[1] <= 'Z';
    char first = acronym ? cause[0] : text_lower(cause[0]);
    buf_add_octet(out, first);
    buf_add(out, slice_of(cause + 1, len - 1 - (cause[len - 1] == '.')));
}

static void put_because(struct buf *out, const struct summary *summary)
{
    const struct say_info *info = summary->number < SAY_LIMIT ? say_info((unsigned)summary->number) : NULL;
    if (summary->reason.len) {
        put(out, " because of this: ");
        put_stranger(out, summary->reason);
    } else if (summary->failed.len) {
        put(out, " because ");
        put_stranger(out, summary->failed);
    } else if (info && info->cause[0]) {
        put(out, " because ");
        put_cause(out, info->cause);
    }
    if (!summary->reply.len)
        return;
    put(out, " (");
    put_stranger(out, summary->reply);
    put(out, ")");
}

static void put_deliveries(struct buf *out, const struct summary *summary)
{
    if (summary->delivered) {
        put(out, ", and delivered to ");
        put_stranger(out, summary->delivered_to);
        if (summary->delivered > 1)
            buf_add_format(out, " and %zu more", summary->delivered - 1);
    }
    if (summary->deferred)
        put(out, ", but a delivery waits");
    else if (summary->undeliverable)
        put(out, ", but a delivery failed");
    if ((summary->deferred || summary->undeliverable) && summary->trouble.len) {
        put(out, ": ");
        put_stranger(out, summary->trouble);
    }
}

static void put_accepted(struct buf *out, const struct summary *summary)
{
    if (summary->accepted == 1)
        put(out, " sent a message");
    else
        buf_add_format(out, " sent %llu messages", (unsigned long long)summary->accepted);
    if (summary->accepted == 1 && summary->content) {
        put(out, " of ");
        put_number(out, summary->content);
        put(out, " octets");
    }
    put_envelope(out, summary);
    put(out, summary->accepted == 1 ? "; it was accepted" : "; they were accepted");
    put_deliveries(out, summary);
    if (!summary->number)
        return;
    put(out, "; something else was refused");
    put_because(out, summary);
}

static const char *refusal_of(const struct summary *summary)
{
    if (summary->code == 421 || summary->verdict == 3)
        return "the gate closed the connection";
    return summary->code >= 500 ? "it was refused" : "it was put off";
}

static void put_outcome(struct buf *out, const struct summary *summary)
{
    if (summary->accepted) {
        put_accepted(out, summary);
    } else if (summary->has_sender) {
        put(out, " tried to send a message");
        put_envelope(out, summary);
        put(out, "; ");
        put(out, summary->number ? refusal_of(summary) : "it was not completed");
        if (summary->number)
            put_because(out, summary);
    } else if (summary->number) {
        put(out, " sent no mail; ");
        put(out, summary->code == 421 || summary->verdict == 3 ? "the gate closed the connection"
                                                               : "what it asked for last was refused");
        put_because(out, summary);
    } else if (summary->verdict == ACTION_DROP) {
        put(out, " sent no mail; the gate closed the connection");
        put_because(out, summary);
    } else {
        put(out, " connected and sent no mail");
    }
}

/* "120 ms", "3 s", "2 min 42 s", "1 h 5 min" */
static void put_time(struct buf *out, uint64_t ms)
{
    unsigned long long seconds = ms / 1000;
    if (ms < 1000)
        buf_add_format(out, "%llu ms", (unsigned long long)ms);
    else if (seconds < 60)
        buf_add_format(out, "%llu s", seconds);
    else if (seconds < 3600)
        buf_add_format(out, "%llu min %llu s", seconds / 60, seconds % 60);
    else
        buf_add_format(out, "%llu h %llu min", seconds / 3600, seconds / 60 % 60);
}

static void put_ending(struct buf *out, const struct summary *summary)
{
    if (!summary->ended) {
        put(out, "; no end of the session is recorded");
        return;
    }
    put(out, "; after ");
    put_time(out, summary->took_ms);
    put(out, " ");
    put(out, journal_ending_phrase(summary->why));
}

void summary_sentence(const struct summary *summary, struct buf *out)
{
    if (summary->opened || summary->ended)
        put_who(out, summary);
    else
        put(out, "A client whose beginning is not recorded any more");
    put_outcome(out, summary);
    put_ending(out, summary);
    put(out, ".");
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
