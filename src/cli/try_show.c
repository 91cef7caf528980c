/* What came of a trial: for people in plain words, for programs in one object. */
#include "cli/try.h"

#include "base/memory.h"
#include "base/text.h"
#include "core/finding.h"
#include "journal/summary.h"
#include "journal/words.h"
#include "wire/json.h"

#include <stdio.h>

#define WIDTH    80
#define JSON_MAX (4u << 20)

/* What the records say, gathered. */
struct outcome {
    const struct try *try;
    const struct history *history;
    struct summary summary;
    const struct event_verdict *heaviest; /* with the largest sum, or NULL */
    const struct event_verdict *decided;  /* the last one that was not just a pass, or NULL */
    struct arena arena;
};

static void outcome_make(struct outcome *outcome)
{
    const struct history *history = outcome->history;

    summary_make(history, &outcome->arena, &outcome->summary);
    for (size_t i = 0; i < history->count; i++) {
        const struct event_verdict *verdict = &history->events[i].body.verdict;
        if (history->events[i].kind != EVENT_KIND_verdict)
            continue;
        if (!outcome->heaviest || verdict->sum >= outcome->heaviest->sum)
            outcome->heaviest = verdict;
        if (verdict->finding || verdict->reason.len)
            outcome->decided = verdict;
    }
}

/* The same finding with the same evidence, again at a later stage, counts once. */
static bool is_repeated(const struct history *history, size_t index)
{
    const struct event_finding *found = &history->events[index].body.finding;

    for (size_t i = 0; i < index; i++)
        if (history->events[i].kind == EVENT_KIND_finding &&
            history->events[i].body.finding.finding == found->finding &&
            slice_equal(history->events[i].body.finding.evidence, found->evidence))
            return true;
    return false;
}

static const struct event_finding *finding_next(const struct history *history, size_t *index)
{
    while (*index < history->count) {
        const size_t here = (*index)++;
        if (history->events[here].kind == EVENT_KIND_finding && !is_repeated(history, here))
            return &history->events[here].body.finding;
    }
    return NULL;
}

static int64_t share_of(const struct event_finding *found)
{
    const int64_t weight = (int64_t)found->weight - (int64_t)found->relief;

    return found->mode == MODE_ENFORCE ? weight : 0;
}

/* Before RCPT the sum decides nothing, and there is no verdict that tells it. */
static uint64_t sum_of(const struct outcome *outcome)
{
    const struct event_finding *found;
    size_t index = 0;
    int64_t sum = 0;

    if (outcome->heaviest)
        return outcome->heaviest->sum;
    while ((found = finding_next(outcome->history, &index)))
        sum += share_of(found);
    return sum > 0 ? (uint64_t)sum : 0;
}

static struct slice first_line(struct slice reply)
{
    return slice_head(reply,
                      slice_find(reply, '\r') == SLICE_NOT_FOUND ? reply.len : slice_find(reply, '\r'));
}

static struct slice code_of(struct slice reply)
{
    return slice_head(reply, 1);
}

/* --- the questions that nobody was asked --------------------------------------------------------------- */

static bool was_not_asked(const struct event *event)
{
    return event->kind == EVENT_KIND_question_answered &&
           event->body.question_answered.status == ANSWER_FAILED &&
           slice_equal(event->body.question_answered.value, SLICE(TRIAL_NOT_ASKED));
}

static bool is_asked_again(const struct history *history, size_t index)
{
    const struct event_question_answered *one = &history->events[index].body.question_answered;

    for (size_t i = 0; i < index; i++) {
        const struct event_question_answered *other = &history->events[i].body.question_answered;
        if (was_not_asked(&history->events[i]) && other->kind == one->kind &&
            slice_equal(other->key, one->key))
            return true;
    }
    return false;
}

/* "txt example.org" */
static struct slice unasked_next(const struct outcome *outcome, size_t *index, struct arena *arena)
{
    const struct history *history = outcome->history;

    while (*index < history->count) {
        const size_t here = (*index)++;
        const struct event_question_answered *answered = &history->events[here].body.question_answered;
        if (was_not_asked(&history->events[here]) && !is_asked_again(history, here))
            return arena_format(arena, "%s %.*s", journal_question_word(answered->kind),
                                SLICE_ARGS(answered->key));
    }
    return SLICE_NONE;
}

/* --- what the gates remember --------------------------------------------------------------------------- */

static const struct event_question_answered *remembered_next(const struct outcome *outcome, size_t *index)
{
    const struct history *history = outcome->history;

    while (*index < history->count) {
        const struct event *event = &history->events[(*index)++];
        const struct event_question_answered *answered = &event->body.question_answered;
        if (event->kind != EVENT_KIND_question_answered || answered->status != ANSWER_FOUND)
            continue;
        if (answered->kind == ASK_STORED || answered->kind == ASK_SEEN || answered->kind == ASK_COUNT)
            return answered;
    }
    return NULL;
}

/* --- in words ------------------------------------------------------------------------------------------ */

static void text_add(struct buf *out, struct slice text)
{
    (void)text_escape(out, text, true);
}

static void who_add(const struct try *try, struct buf *out)
{
    char address[ADDRESS_TEXT_SIZE];

    (void)address_print(&try->client, address);
    (void)buf_add_format(out, "%s", address);
    if (try->ptr.len) {
        (void)buf_add(out, SLICE(" ("));
        text_add(out, try->ptr);
        (void)buf_add(out, SLICE(")"));
    }
    (void)buf_add(out, SLICE(", which calls itself "));
    text_add(out, try->helo);
    if (try->has_sender) {
        (void)buf_add(out, SLICE(", with mail from <"));
        text_add(out, try->sender);
        (void)buf_add(out, SLICE(">"));
    }
    (void)buf_add(out, SLICE(":"));
}

static const char *reply_means(struct slice reply)
{
    const struct slice code = code_of(reply);

    if (slice_starts(reply, SLICE("421")))
        return "cut off";
    return slice_equal(code, SLICE("5")) ? "refused" : slice_equal(code, SLICE("4")) ? "put off" : "taken";
}

static const char *verdict_text(const struct outcome *outcome)
{
    const struct try *try = outcome->try;
    const uint64_t verdict = outcome->summary.verdict;

    if (try->passed && (verdict == ACTION_DISCARD || verdict == ACTION_TRAP))
        return "It would seem to be taken, and be thrown away.";
    if (try->passed && try->has_message)
        return "The message would be taken.";
    if (try->passed && try->recipient_count)
        return try->accepted == try->recipient_count
                   ? "Its recipients would be taken; the message is not judged yet."
                   : "Some of its recipients would be taken.";
    if (try->passed)
        return "It would be let in; what it sends is not judged yet.";
    if (slice_starts(try->reply, SLICE("421")) || !try->reply.len)
        return "It would be cut off.";
    return slice_equal(code_of(try->reply), SLICE("4")) ? "It would be asked to come again."
                                                        : "It would be refused.";
}

static enum cli_style verdict_style(const struct try *try)
{
    return try->passed                                    ? CLI_STYLE_GOOD
           : slice_equal(code_of(try->reply), SLICE("4")) ? CLI_STYLE_WARNING
                                                          : CLI_STYLE_BAD;
}

static void recipients_print(const struct try *try)
{
    for (size_t i = 0; i < try->recipient_count; i++) {
        const struct try_recipient *recipient = &try->recipients[i];
        cli_print("  <");
        cli_print_text(recipient->address);
        cli_print("> %s", recipient->code ? reply_means(recipient->reply) : "was not reached");
        if (recipient->code >= 400) {
            cli_print(": ");
            cli_print_text(first_line(recipient->reply));
        }
        cli_print("\n");
    }
}

static void findings_print(const struct outcome *outcome)
{
    static const char *const heads[] = {">SHARE", "FINDING", "WHAT WAS SEEN", NULL};
    struct arena *arena = (struct arena *)&outcome->arena;
    const struct event_finding *found;
    struct cli_table *table = NULL;
    size_t index = 0;

    while ((found = finding_next(outcome->history, &index))) {
        if (!table)
            table = cli_table_new(heads);
        cli_table_add(
            table, arena_format(arena, "%s%lld", share_of(found) > 0 ? "+" : "", (long long)share_of(found)));
        cli_table_add(table, slice_text(journal_finding_word(found->finding)));
        cli_table_add(table, found->mode == MODE_ENFORCE
                                 ? found->evidence
                                 : arena_format(arena, "%.*s (only observed)", SLICE_ARGS(found->evidence)));
    }
    if (table)
        cli_table_end(table, outcome->try->cli);
    else
        cli_print("Nothing was found.\n");
}

static void sum_print(const struct outcome *outcome)
{
    const struct settings *set = &outcome->try->site->set;

    cli_print("\nSum %llu: from %llu a stranger is a suspect, from %llu it is asked to come again,\nfrom "
              "%llu it is "
              "refused.\n",
              (unsigned long long)sum_of(outcome), (unsigned long long)set->policy_suspect,
              (unsigned long long)set->policy_defer, (unsigned long long)set->policy_reject);
}

static void decision_print(const struct outcome *outcome)
{
    const struct event_verdict *verdict = outcome->decided;
    const struct event_verdict *heaviest = outcome->heaviest;

    if (verdict) {
        cli_print("Decided at %s: %s", journal_stage_word(verdict->stage),
                  journal_verdict_word(verdict->verdict));
        if (verdict->finding)
            cli_print("%s%s", verdict->spared.len ? " in spite of " : " for ",
                      journal_finding_word(verdict->finding));
        cli_print("%s", verdict->reason.len ? ": " : "");
        cli_print_text(verdict->reason);
        cli_print(".\n");
    }
    if (verdict && verdict->observed)
        cli_print("It would not be done: the policy only observes.\n");
    if (verdict && verdict->spared.len) {
        cli_print("It would not be done: ");
        cli_print_text(verdict->spared);
        cli_print(".\n");
    }
    const struct slice override = verdict && verdict->override.len ? verdict->override
                                  : heaviest                       ? heaviest->override
                                                                   : SLICE_NONE;
    if (override.len) {
        cli_print("The override at ");
        cli_print_text(override);
        cli_print(" counts here.\n");
    }
}

static void unasked_print(const struct outcome *outcome)
{
    struct arena arena;
    size_t index = 0;
    struct slice question;
    bool first = true;

    arena_init(&arena, NULL, 0);
    while ((question = unasked_next(outcome, &index, &arena)).len) {
        cli_print("%s  ",
                  first ? "\nNot judged, since nobody was asked (--dns asks, --fact answers):\n" : "");
        cli_print_text(question);
        cli_print("\n");
        first = false;
    }
    arena_drop(&arena);
}

static void remembered_print(const struct outcome *outcome)
{
    const struct event_question_answered *answered;
    const struct try *try = outcome->try;
    size_t index = 0;
    bool first = true;

    if (try->store_trouble.text[0])
        cli_print("\nThe client counts as one that was never here, since what is remembered\n"
                  "cannot be read: %s.\n",
                  try->store_trouble.text);
    while ((answered = remembered_next(outcome, &index))) {
        cli_print("%s  ", first ? "\nRemembered from earlier visits:\n" : "");
        cli_print_text(answered->key);
        cli_print(": ");
        cli_print_text(answered->value);
        cli_print("\n");
        first = false;
    }
}

static void show_people(const struct outcome *outcome)
{
    const struct try *try = outcome->try;
    struct buf who;

    buf_init(&who, 16384);
    who_add(try, &who);
    cli_print_wrapped(buf_slice(&who), 0, WIDTH);
    buf_drop(&who);
    cli_print("%s%s%s\n", cli_style(try->cli, verdict_style(try)), verdict_text(outcome),
              cli_style(try->cli, CLI_STYLE_PLAIN));
    recipients_print(try);
    if (!try->passed && (!try->recipient_count || try->accepted)) {
        cli_print("  ");
        cli_print_text(first_line(try->reply));
        cli_print("\n");
    }
    cli_print("\n");
    findings_print(outcome);
    sum_print(outcome);
    decision_print(outcome);
    remembered_print(outcome);
    unasked_print(outcome);
}

/* --- for programs -------------------------------------------------------------------------------------- */

static void findings_json(const struct outcome *outcome, struct json *json)
{
    const struct event_finding *found;
    size_t index = 0;

    json_key(json, "findings");
    json_array_open(json);
    while ((found = finding_next(outcome->history, &index))) {
        json_object_open(json);
        json_put_text(json, "finding", slice_text(journal_finding_word(found->finding)));
        json_put_text(json, "evidence", found->evidence);
        json_put_text(json, "mode", slice_text(journal_mode_word(found->mode)));
        json_put_i64(json, "share", share_of(found));
        json_object_close(json);
    }
    json_array_close(json);
}

static void recipients_json(const struct try *try, struct json *json)
{
    json_key(json, "to");
    json_array_open(json);
    for (size_t i = 0; i < try->recipient_count; i++) {
        json_object_open(json);
        json_put_text(json, "address", try->recipients[i].address);
        json_put_u64(json, "code", try->recipients[i].code);
        json_put_text(json, "reply", first_line(try->recipients[i].reply));
        json_object_close(json);
    }
    json_array_close(json);
}

static void unasked_json(const struct outcome *outcome, struct json *json)
{
    struct arena arena;
    size_t index = 0;
    struct slice question;

    arena_init(&arena, NULL, 0);
    json_key(json, "not_asked");
    json_array_open(json);
    while ((question = unasked_next(outcome, &index, &arena)).len)
        json_text(json, question);
    json_array_close(json);
    arena_drop(&arena);
}

static void remembered_json(const struct outcome *outcome, struct json *json)
{
    const struct event_question_answered *answered;
    size_t index = 0;

    json_key(json, "remembered");
    json_array_open(json);
    while ((answered = remembered_next(outcome, &index))) {
        json_object_open(json);
        json_put_text(json, "key", answered->key);
        json_put_text(json, "value", answered->value);
        json_object_close(json);
    }
    json_array_close(json);
    json_put_text(json, "store_trouble", slice_text(outcome->try->store_trouble.text));
}

static void verdict_json(const struct outcome *outcome, struct json *json)
{
    const struct event_verdict *verdict = outcome->decided;
    const struct settings *set = &outcome->try->site->set;

    json_put_u64(json, "sum", sum_of(outcome));
    json_put_u64(json, "suspect", set->policy_suspect);
    json_put_u64(json, "defer", set->policy_defer);
    json_put_u64(json, "reject", set->policy_reject);
    json_put_bool(json, "passed", outcome->try->passed);
    json_put_text(json, "verdict", slice_text(journal_verdict_word(outcome->summary.verdict)));
    json_put_text(json, "stage", slice_text(verdict ? journal_stage_word(verdict->stage) : ""));
    json_put_text(json, "reason", verdict ? verdict->reason : SLICE_NONE);
    json_put_text(json, "override", outcome->heaviest ? outcome->heaviest->override : SLICE_NONE);
    json_put_text(json, "reply", first_line(outcome->try->reply));
}

static void show_json(const struct outcome *outcome)
{
    const struct try *try = outcome->try;
    char address[ADDRESS_TEXT_SIZE];
    struct json json;
    struct buf out;

    buf_init(&out, JSON_MAX);
    json_begin(&json, &out);
    json_object_open(&json);
    json_put_text(&json, "address", slice_of(address, address_print(&try->client, address)));
    json_put_text(&json, "ptr", try->ptr);
    json_put_text(&json, "helo", try->helo);
    json_put_text(&json, "from", try->sender);
    recipients_json(try, &json);
    findings_json(outcome, &json);
    verdict_json(outcome, &json);
    unasked_json(outcome, &json);
    remembered_json(outcome, &json);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&out);
    buf_drop(&out);
}

void try_show(const struct try *try, const struct history *history)
{
    struct outcome outcome = {.try = try, .history = history};

    arena_init(&outcome.arena, NULL, 0);
    outcome_make(&outcome);
    if (try->cli->json)
        show_json(&outcome);
    else
        show_people(&outcome);
    arena_drop(&outcome.arena);
}
