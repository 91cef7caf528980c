/* The annotated view's comments over what was asked of others, and what they answered. */
#include "journal/annotate.h"

#include "base/text.h"
#include "core/ask.h"
#include "journal/phrase.h"
#include "journal/words.h"

static bool is_peer(const struct annotate *annotate, struct slice text)
{
    char address[ADDRESS_TEXT_SIZE];
    address_print(&annotate->peer, address);
    return slice_equal(text, slice_text(address));
}

static bool has_word(struct slice words, struct slice word)
{
    struct slice one;
    while (slice_word(&words, &one))
        if (slice_equal_fold(one, word))
            return true;
    return false;
}

static struct slice domain_of(struct slice address)
{
    const size_t at = slice_find_last(address, '@');
    return at == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(address, at + 1);
}

static bool is_address_kind(uint64_t kind)
{
    return kind == ASK_ADDRESS4 || kind == ASK_ADDRESS6;
}

/* Whose name it is. */
static const char *whose(const struct annotate *annotate, uint64_t kind, struct slice key)
{
    if (kind == ASK_POINTER && is_peer(annotate, key))
        return "That is the address from which they call.";
    if (kind != ASK_ADDRESS4 && kind != ASK_ADDRESS6 && kind != ASK_MX && kind != ASK_TXT)
        return NULL;
    if (key.len && slice_equal_fold(key, annotate->helo))
        return "That is the name which they gave for themselves.";
    if (is_address_kind(kind) && has_word(annotate->pointed, key))
        return "That is what their address is called: we ask whether the name leads back to it.";
    if (key.len && slice_equal_fold(key, domain_of(annotate->sender)))
        return "That is the domain of the sender.";
    return NULL;
}

/* A list's key is its name and the address; what our memory is asked for is of use to programs alone. */
static struct slice key_shown(uint64_t kind, struct slice key)
{
    const size_t blank = slice_find(key, ' ');
    if ((kind == ASK_LISTED || kind == ASK_RECIPIENT) && blank != SLICE_NOT_FOUND)
        return kind == ASK_LISTED ? slice_head(key, blank) : slice_from(key, blank + 1);
    return key;
}

static bool is_memory(uint64_t kind)
{
    return kind == ASK_STORED || kind == ASK_SEEN || kind == ASK_COUNT || kind == ASK_REMEMBERED;
}

static void asked(struct annotate *annotate, const struct event_question_asked *asked)
{
    const struct ask_phrase *phrase = phrase_ask(asked->kind);
    const char *about = whose(annotate, asked->kind, asked->key);
    if (!phrase) {
        annotate_note(annotate, "%s", phrase_event(EVENT_KIND_question_asked));
        return;
    }
    const char *memory = is_memory(asked->kind) ? phrase_memory(asked->key) : NULL;
    annotate_note_filled(annotate, memory ? memory : phrase->asks, key_shown(asked->kind, asked->key));
    if (about)
        annotate_note(annotate, "%s", about);
}

/* Whether a name leads to where they call from. */
static void compare(struct annotate *annotate, const struct event_question_answered *answered)
{
    char address[ADDRESS_TEXT_SIZE];
    const bool helo = slice_equal_fold(answered->key, annotate->helo);
    if (!is_address_kind(answered->kind) || (!helo && !has_word(annotate->pointed, answered->key)))
        return;
    address_print(&annotate->peer, address);
    if (has_word(answered->value, slice_text(address)))
        annotate_note(annotate, "That is where they call from, so the name is really theirs.");
    else
        annotate_note(annotate, "But they call from %s.", address);
}

static void learn(struct annotate *annotate, const struct event_question_answered *answered)
{
    if (answered->kind == ASK_POINTER && is_peer(annotate, answered->key))
        annotate->pointed = answered->value;
    if (journal_confirms(answered, annotate->pointed, &annotate->peer))
        annotate->name = answered->key;
}

/* The first of the records, which come as netstrings: "11:v=spf1 -all,". */
static struct slice first_record(struct slice value)
{
    struct slice digits;
    uint64_t len = 0;
    if (!slice_cut(&value, ':', &digits) || !text_parse_u64(digits, &len))
        return value;
    return slice_head(value, len < value.len ? (size_t)len : value.len);
}

/* The first line of a list's answer holds codes, what follows is the list's reason. */
static struct slice value_shown(const struct event_question_answered *answered)
{
    if (answered->kind == ASK_TXT)
        return first_record(answered->value);
    const size_t end = slice_find(answered->value, '\n');
    if (answered->kind == ASK_LISTED && end != SLICE_NOT_FOUND)
        return slice_from(answered->value, end + 1);
    return answered->value;
}

static const struct event_question_answered *
answer_of(const struct annotate *annotate, const struct event_question_asked *asked, bool *ret_spoken)
{
    const struct history *history = annotate->history;
    for (size_t i = (size_t)(annotate->event - history->events) + 1; i < history->count; i++) {
        const struct event *event = &history->events[i];
        const struct event_question_answered *answered = &event->body.question_answered;
        if (event->kind == EVENT_KIND_line_received || event->kind == EVENT_KIND_reply_sent)
            *ret_spoken = true;
        if (event->kind == EVENT_KIND_question_answered && answered->kind == asked->kind &&
            slice_equal(answered->key, asked->key))
            return answered;
    }
    return NULL;
}

/* What nobody said anything before is told in one with its answer. */
static bool is_told_with_answer(const struct annotate *annotate, const struct event_question_asked *asked)
{
    bool spoken = false;
    const bool answered = answer_of(annotate, asked, &spoken) != NULL;
    return answered && (!spoken || is_memory(asked->kind));
}

bool annotate_passes_over(const struct annotate *annotate)
{
    const union event_body *body = &annotate->event->body;
    if (annotate->settings->level >= 5)
        return false;
    if (annotate->event->kind == EVENT_KIND_question_asked)
        return is_told_with_answer(annotate, &body->question_asked);
    /* That nothing is remembered is the rule. */
    return annotate->event->kind == EVENT_KIND_question_answered && is_memory(body->question_answered.kind) &&
           body->question_answered.status == ANSWER_NONE;
}

static bool was_told(const struct annotate *annotate, const struct event_question_answered *answered)
{
    const struct history *history = annotate->history;
    for (size_t i = (size_t)(annotate->event - history->events); i-- > 0;) {
        const struct event *event = &history->events[i];
        if (event->kind == EVENT_KIND_line_received || event->kind == EVENT_KIND_reply_sent)
            return !is_memory(answered->kind);
        if (event->kind == EVENT_KIND_question_asked && event->body.question_asked.kind == answered->kind &&
            slice_equal(event->body.question_asked.key, answered->key))
            return false;
    }
    return false;
}

/* "first last count distinct": when it was met, milliseconds since 1970, and how often. */
static void met(struct annotate *annotate, const struct event_question_answered *answered)
{
    const uint64_t now_ms = (uint64_t)annotate->event->stamp.unix_us / 1000;
    struct slice rest = answered->value, word;
    uint64_t numbers[3] = {0};
    for (size_t i = 0; i < 3; i++)
        if (!slice_word(&rest, &word) || !text_parse_u64(word, &numbers[i]))
            return;
    if (numbers[0] > now_ms || numbers[1] > now_ms)
        return;
    annotate_note(annotate, "The first time was %s ago", annotate_time(annotate, now_ms - numbers[0]));
    if (numbers[2] > 1)
        annotate_note(annotate, "and the last %s ago, %s times in all.",
                      annotate_time(annotate, now_ms - numbers[1]), annotate_number(annotate, numbers[2]));
    else
        annotate_note(annotate, "and the only one.");
}

static void outcome(struct annotate *annotate, const struct event_question_answered *answered,
                    const struct ask_phrase *phrase)
{
    switch (answered->status) {
    case ANSWER_FOUND:
        annotate_note_filled(annotate, phrase->found, value_shown(answered));
        compare(annotate, answered);
        if (answered->kind == ASK_SEEN)
            met(annotate, answered);
        break;
    case ANSWER_NONE: annotate_note(annotate, "%s", phrase->none); break;
    case ANSWER_TIMEOUT: annotate_note(annotate, "Nobody answered in time. %s", phrase->unsure); break;
    default: annotate_note(annotate, "%s", phrase->unsure); break;
    }
    annotate_note(annotate, answered->took_ms ? "The answer took %s." : "The answer was there at once.",
                  annotate_time(annotate, answered->took_ms));
}

static void answered(struct annotate *annotate)
{
    const struct event_question_answered *answered = &annotate->event->body.question_answered;
    const struct event_question_asked question = {answered->kind, answered->key};
    const struct ask_phrase *phrase = phrase_ask(answered->kind);
    if (!phrase) {
        annotate_note(annotate, "%s", phrase_event(EVENT_KIND_question_answered));
        return;
    }
    if (annotate->settings->level >= 5 || was_told(annotate, answered))
        annotate_note(annotate, "This is the answer about %s.",
                      annotate_shown(annotate, key_shown(answered->kind, answered->key)));
    else
        asked(annotate, &question);
    learn(annotate, answered);
    outcome(annotate, answered, phrase);
}

void annotate_question(struct annotate *annotate)
{
    if (annotate->event->kind == EVENT_KIND_question_asked)
        asked(annotate, &annotate->event->body.question_asked);
    else
        answered(annotate);
}

void annotate_question_line(struct annotate *annotate)
{
    const union event_body *body = &annotate->event->body;
    const bool asks = annotate->event->kind == EVENT_KIND_question_asked;
    const uint64_t kind = asks ? body->question_asked.kind : body->question_answered.kind;
    const struct slice key = asks ? body->question_asked.key : body->question_answered.key;
    struct arena *arena = &annotate->document->arena;
    char time[VIEW_TIME_SIZE];
    struct document_line line = {
        .unix_us = annotate->event->stamp.unix_us,
        .moment = view_time(annotate->settings, annotate->event->stamp.unix_us, time),
        .lead = arena_format(arena, "%s %s", journal_question_word(kind), annotate_shown(annotate, key)),
        .text = SLICE(" is asked"),
    };
    if (!asks)
        line.text = arena_format(arena, ": %s%s%s (%s)", journal_answer_word(body->question_answered.status),
                                 body->question_answered.value.len ? ", " : "",
                                 annotate_shown(annotate, body->question_answered.value),
                                 annotate_time(annotate, body->question_answered.took_ms));
    document_add(annotate->document, &line);
}
