/* Evaluates SPF for a program that knows the zone, so that spf_suite.py may prove it: reads a case a line,
 * "ADDRESS HELO SENDER" (the last two in hexadecimal digits, "-" for nothing), writes each question as
 * "ask KIND KEY" and reads its answer, "STATUS VALUE", and ends each case with "is RESULT EXPLANATION"; keys,
 * values and explanations in hexadecimal digits, too.
 *
 * Each case is evaluated twice, the second time with all answers there: both must say the same. */
#include "rig.h"

#include "checks/spf.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_SIZE 200000

static char line[LINE_SIZE];

static struct slice line_read(void)
{
    if (!fgets(line, sizeof line, stdin))
        return SLICE_NONE;
    return slice_of(line, strcspn(line, "\n"));
}

static struct slice unhex(struct arena *arena, struct slice text)
{
    char *at = arena_take(arena, text.len / 2 + 1);
    for (size_t i = 0; i + 1 < text.len; i += 2)
        at[i / 2] = (char)(text_hex_digit(text.at[i]) << 4 | text_hex_digit(text.at[i + 1]));
    return slice_of(at, text.len / 2);
}

static void hex_print(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        printf("%02x", (unsigned char)s.at[i]);
    printf("%s\n", s.len ? "" : "-");
}

static bool answer_one(struct rig *rig, struct ask *ask)
{
    struct slice word;
    printf("ask %s ", ask_word(ask->kind));
    hex_print(ask->key);
    fflush(stdout);
    struct slice rest = line_read();
    if (!slice_word(&rest, &word))
        return false;
    for (enum answer_status status = ANSWER_FOUND; status <= ANSWER_TIMEOUT; status++)
        if (slice_equal(word, slice_text(answer_word(status))))
            ask->status = (uint8_t)status;
    ask->value = unhex(&rig->session->stage, slice_trim(rest));
    return ask->status != ANSWER_PENDING;
}

/* The oldest question that has no answer. */
static struct ask *ask_open(const struct rig *rig)
{
    struct ask *found = NULL;
    for (struct ask *ask = rig->session->asks; ask; ask = ask->next)
        if (ask->status == ANSWER_PENDING)
            found = ask;
    return found;
}

static void evaluate(struct rig *rig, const struct spf_query *query)
{
    struct spf_verdict verdict, again;
    while (spf_evaluate(&rig->turn, query, &verdict) == CHECK_WAIT)
        if (!ask_open(rig) || !answer_one(rig, ask_open(rig))) {
            fprintf(stderr, "waits for nothing\n");
            exit(1);
        }
    if (spf_evaluate(&rig->turn, query, &again) != CHECK_DONE || again.result != verdict.result ||
        again.explanation_len != verdict.explanation_len) {
        fprintf(stderr, "a second run says something else\n");
        exit(1);
    }
    printf("is %s ", spf_result_word(verdict.result));
    hex_print(slice_of(verdict.explanation, verdict.explanation_len));
    fflush(stdout);
}

static void run(struct slice text)
{
    struct rig rig;
    struct slice address_text, helo, sender;
    struct address address;
    rig_begin(&rig);
    struct slice copy = arena_copy(&rig.turn.arena, text);
    slice_word(&copy, &address_text);
    slice_word(&copy, &helo);
    slice_word(&copy, &sender);
    helo = unhex(&rig.turn.arena, helo);
    sender = unhex(&rig.turn.arena, sender);
    size_t at = slice_find_last(sender, '@');
    struct spf_query query = {
        .local = at == SLICE_NOT_FOUND ? SLICE_NONE : slice_head(sender, at),
        .domain = at == SLICE_NOT_FOUND ? helo : slice_from(sender, at + 1),
        .helo = helo,
        .address = &address,
    };
    if (!address_parse(address_text, &address))
        exit(2);
    evaluate(&rig, &query);
    rig_end(&rig);
}

int main(void)
{
    for (struct slice text; (text = line_read()).len;)
        run(text);
    return 0;
}
