/* The annotated view's comments over messages: their envelopes, how they were taken, and what the courier did
 * with them. */
#include "journal/annotate.h"

#include "journal/phrase.h"

static void recipient(struct annotate *annotate, const struct event_recipient_judged *judged)
{
    if (judged->code < 300)
        annotate_note(annotate, "The recipient is fine.");
    else
        annotate_note(annotate, "The recipient is not taken%s.", judged->code < 500 ? " now" : "");
    if (judged->code < 300 && judged->route.len)
        annotate_note(annotate, "Mail for %s goes the way that is set down here for %s.",
                      annotate_shown(annotate, judged->recipient), annotate_shown(annotate, judged->route));
}

static void received(struct annotate *annotate, const struct event_message_received *message)
{
    annotate_note(annotate,
                  "They have finished sending the message: %s octets (characters) with %s %s at its "
                  "head. The content itself is not kept in this record.",
                  annotate_number(annotate, message->octets), annotate_number(annotate, message->headers),
                  message->headers == 1 ? "line" : "lines");
    if (!message->message_id.len)
        annotate_note(annotate, "It has no number of its own (Message-ID), as every mail program gives one.");
    if (message->bare_lf || message->bare_cr)
        annotate_note(annotate, "Not all of its lines end as they should.");
    if (message->chunks)
        annotate_note(annotate, "It came in %s pieces.", annotate_number(annotate, message->chunks));
}

static void forwarded(struct annotate *annotate, const struct event_forwarded *forwarded)
{
    char text[ADDRESS_TEXT_SIZE];
    if (!forwarded->client.family) {
        annotate_note(annotate, "%s Whose message it is cannot be told: %s. So nobody is judged for it.",
                      phrase_event(EVENT_KIND_forwarded), annotate_shown(annotate, forwarded->problem));
        return;
    }
    address_print(&forwarded->client, text);
    annotate_note(annotate, "%s That is %s, and so it is the one that we look at now.",
                  phrase_event(EVENT_KIND_forwarded), text);
}

static void stored(struct annotate *annotate, const struct event_message_stored *stored)
{
    annotate_note(annotate, "%s Its number in our queue is %s. To write it took %s.",
                  phrase_event(EVENT_KIND_message_stored), annotate_shown(annotate, stored->queue_id),
                  annotate_time(annotate, stored->took_ms));
}

static void relayed(struct annotate *annotate, const struct event_message_relayed *relayed)
{
    const bool taken = relayed->code >= 200 && relayed->code < 300;
    annotate_note(annotate, "We have handed the message to the mail server behind us (%s). It %s, after %s.",
                  annotate_shown(annotate, relayed->server), taken ? "took it" : "did not take it",
                  annotate_time(annotate, relayed->took_ms));
}

static void delivered(struct annotate *annotate, const struct event_delivered *delivered)
{
    annotate_note(annotate, "The message is delivered to the right person, in this case %s.",
                  annotate_shown(annotate, delivered->target));
    if (delivered->recipient.len)
        annotate_note(annotate, "It was for %s.", annotate_shown(annotate, delivered->recipient));
}

static void deferred(struct annotate *annotate, const struct event_delivery_deferred *deferred)
{
    annotate_note(annotate, "%s The reason: %s. It was tried %s %s so far.",
                  phrase_event(EVENT_KIND_delivery_deferred), annotate_shown(annotate, deferred->reason),
                  annotate_number(annotate, deferred->attempts), deferred->attempts == 1 ? "time" : "times");
}

static void failed(struct annotate *annotate, const struct event_delivery_failed *failed)
{
    annotate_note(annotate, "%s The reason: %s. The sender is %s.", phrase_event(EVENT_KIND_delivery_failed),
                  annotate_shown(annotate, failed->reason), failed->notified ? "told" : "not told");
}

void annotate_message(struct annotate *annotate)
{
    const union event_body *body = &annotate->event->body;
    switch ((unsigned)annotate->event->kind) {
    case EVENT_KIND_recipient_judged: recipient(annotate, &body->recipient_judged); break;
    case EVENT_KIND_message_received: received(annotate, &body->message_received); break;
    case EVENT_KIND_forwarded: forwarded(annotate, &body->forwarded); break;
    case EVENT_KIND_message_stored: stored(annotate, &body->message_stored); break;
    case EVENT_KIND_message_relayed: relayed(annotate, &body->message_relayed); break;
    case EVENT_KIND_message_failed:
        annotate_note(annotate, "%s The reason: %s.", phrase_event(EVENT_KIND_message_failed),
                      annotate_shown(annotate, body->message_failed.reason));
        break;
    case EVENT_KIND_delivered: delivered(annotate, &body->delivered); break;
    case EVENT_KIND_delivery_deferred: deferred(annotate, &body->delivery_deferred); break;
    case EVENT_KIND_delivery_failed: failed(annotate, &body->delivery_failed); break;
    default: {
        const char *phrase = phrase_event(annotate->event->kind);
        annotate_note(annotate, "%s", phrase ? phrase : "Something that a newer program has recorded.");
        break;
    }
    }
}
