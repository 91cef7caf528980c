#include "journal/words.h"

#include "core/ask.h"
#include "core/finding.h"

#include <stdio.h>
#include <string.h>

#define WORD(table, number) ((number) < sizeof table / sizeof *table && table[number] ? table[number] : "?")

/* In the order of core's enums; a test holds the two together. */
static const char *const stages[] = {"connect", "helo", "mail", "rcpt", "data", "message"};
static const char *const verdicts[] = {"pass", "defer", "reject", "drop", "slow", "discard", "trap"};
static const char *const states[] = {"new",   "proxy", "greeted", "ready", "mail",   "rcpt", "data",
                                     "chunk", "bdat",  "storing", "tls",   "closed", "held", "foreign"};
static const char *const endings[] = {"none",    "quit",    "client-closed", "closed-by-us",
                                      "timeout", "stopped", "killed"};
static const char *const ending_phrases[] = {
    "it is not over",
    "the client said QUIT",
    "the client closed the connection without QUIT",
    "the gate closed the connection",
    "nothing came for too long",
    "the gate was being stopped",
    "the gate was killed",
};
static const char *const moved[] = {"?",          "time",   "time-passed",   "last-octet", "tls-up",
                                    "tls-failed", "stored", "client-closed", "stop",       "slowed"};
static const char *const told[] = {"?", "put", "remove"};

const char *journal_stage_word(uint64_t stage)
{
    return WORD(stages, stage);
}

const char *journal_verdict_word(uint64_t verdict)
{
    return WORD(verdicts, verdict);
}

const char *journal_state_word(uint64_t state)
{
    return WORD(states, state);
}

const char *journal_ending_word(uint64_t why)
{
    return WORD(endings, why);
}

const char *journal_ending_phrase(uint64_t why)
{
    return WORD(ending_phrases, why);
}

const char *journal_told_word(uint64_t verb)
{
    return WORD(told, verb);
}

const char *journal_moved_word(uint64_t what)
{
    return WORD(moved, what);
}

const char *journal_mode_word(uint64_t mode)
{
    return mode <= MODE_ENFORCE ? mode_word((unsigned)mode) : "?";
}

const char *journal_question_word(uint64_t kind)
{
    const char *word = kind < ASK_KIND_LIMIT ? ask_word((enum ask_kind)kind) : NULL;
    return word ? word : "?";
}

const char *journal_answer_word(uint64_t status)
{
    return status <= ANSWER_TIMEOUT ? answer_word((enum answer_status)status) : "?";
}

const char *journal_finding_word(uint64_t number)
{
    const struct finding_info *info = number < FIND_LIMIT ? finding_info((unsigned)number) : NULL;
    return info ? info->word : "?";
}

/* A verdict without a finding has 0 there. */
static const char *finding_or_nothing(uint64_t number)
{
    return number ? journal_finding_word(number) : "";
}

static const struct {
    enum event_kind kind;
    const char *field;
    const char *(*word)(uint64_t number);
} meanings[] = {
    {EVENT_KIND_state_changed, "from", journal_state_word},
    {EVENT_KIND_state_changed, "to", journal_state_word},
    {EVENT_KIND_question_asked, "kind", journal_question_word},
    {EVENT_KIND_question_answered, "kind", journal_question_word},
    {EVENT_KIND_question_answered, "status", journal_answer_word},
    {EVENT_KIND_finding, "finding", journal_finding_word},
    {EVENT_KIND_finding, "mode", journal_mode_word},
    {EVENT_KIND_verdict, "stage", journal_stage_word},
    {EVENT_KIND_verdict, "verdict", journal_verdict_word},
    {EVENT_KIND_verdict, "finding", finding_or_nothing},
    {EVENT_KIND_told, "verb", journal_told_word},
    {EVENT_KIND_session_moved, "what", journal_moved_word},
    {EVENT_KIND_session_ended, "why", journal_ending_word},
};

const char *journal_field_word(enum event_kind kind, const char *field, uint64_t number)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].kind == kind && strcmp(meanings[i].field, field) == 0)
            return meanings[i].word(number);
    return NULL;
}

static bool has_word(struct slice words, struct slice word)
{
    struct slice one;
    while (slice_word(&words, &one))
        if (slice_equal(one, word))
            return true;
    return false;
}

bool journal_confirms(const struct event_question_answered *answered, struct slice pointed,
                      const struct address *client)
{
    char address[ADDRESS_TEXT_SIZE];
    if (answered->kind != ASK_ADDRESS4 && answered->kind != ASK_ADDRESS6)
        return false;
    if (answered->status != ANSWER_FOUND || !has_word(pointed, answered->key))
        return false;
    address_print(client, address);
    return has_word(answered->value, slice_text(address));
}

void journal_duration(uint64_t ms, char text[JOURNAL_DURATION_SIZE])
{
    const unsigned long long seconds = ms / 1000;
    if (ms < 1000)
        snprintf(text, JOURNAL_DURATION_SIZE, "%llu ms", (unsigned long long)ms);
    else if (seconds < 10 && ms % 1000 >= 100)
        snprintf(text, JOURNAL_DURATION_SIZE, "%llu.%u s", seconds, (unsigned)(ms % 1000 / 100));
    else if (seconds < 60)
        snprintf(text, JOURNAL_DURATION_SIZE, "%llu s", seconds);
    else if (seconds < 3600 && seconds % 60)
        snprintf(text, JOURNAL_DURATION_SIZE, "%llu min %llu s", seconds / 60, seconds % 60);
    else if (seconds < 3600)
        snprintf(text, JOURNAL_DURATION_SIZE, "%llu min", seconds / 60);
    else
        snprintf(text, JOURNAL_DURATION_SIZE, "%llu h %llu min", seconds / 3600, seconds / 60 % 60);
}

void journal_count(uint64_t number, char text[JOURNAL_COUNT_SIZE])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
}
